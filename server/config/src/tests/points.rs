use field::map::{Area, Mapping};

use super::*;

pub(super) fn row(cells: &str) -> String {
    format!(
        "{HEADING},name_zh,byte_order,bit,scale,decimals,min,max,direction,role,fault_code\n{cells}\n"
    )
}

#[test]
fn every_mistake_of_the_point_table_names_its_row() {
    for (cells, expected) in ROW_MISTAKES {
        let told = mistakes(PLANT, &row(cells));
        let found = told.iter().any(|line| line.starts_with(&format!("points.csv: {expected}")));
        assert!(found, "{cells}: {told:#?}");
    }
}

const ROW_MISTAKES: [(&str, &str); 27] = [
    (
        "board-9,a,T,hr,0,int16",
        "row 2, `device`: there is no device `board-9`; did you mean `board-1`?",
    ),
    ("board-1,,T,hr,0,int16", "row 2, `point_id`: must not be empty"),
    ("board-1,a b,T,hr,0,int16", "row 2, `point_id`: identifier `a b` may hold only"),
    ("board-1,a,X,hr,0,int16", "row 2, `type`: `X` is none of T, S, C, A"),
    ("board-1,a,T,xx,0,int16", "row 2, `area`: `xx` is none of co, di, ir, hr"),
    (
        "board-1,a,T,ir,40001,int16",
        "row 2, `address`: `40001` was taken as 4x notation: hr registers counted from 1, but the area is ir",
    ),
    ("board-1,a,T,hr,0,double", "row 2, `datatype`: `double` is no data type"),
    ("board-1,a,T,hr,0,int16,,ACBD", "row 2, `byte_order`: `ACBD` is no byte order"),
    ("board-1,a,S,hr,0,bool,,,16", "row 2, `bit`: must be an integer from 0 to 15, not `16`"),
    ("board-1,a,S,hr,0,bool", "row 2, `datatype`: a bit of a register needs its number"),
    ("board-1,a,T,hr,0,int16,,,,NaN", "row 2, `scale`: `NaN` is no number"),
    ("board-1,a,T,hr,0,int16,,,,inf", "row 2, `scale`: `inf` is no number"),
    (
        "board-1,a,T,hr,0,int16,,,,\"0,1\"",
        "row 2, `scale`: `0,1` is no number; write a point before the decimals",
    ),
    ("board-1,a,T,hr,0,int16,,,,0", "row 2, `datatype`: scale 0 and offset 0 give no number"),
    ("board-1,a,T,hr,0,int16,,,,,7", "row 2, `decimals`: must be an integer from 0 to 6, not `7`"),
    ("board-1,a,T,hr,0,int16,,,,,,5,5", "row 2, `max`: must be above min, 5"),
    ("board-1,a,T,hr,0,int16,,,,,,,,input", "row 2, `direction`: goes with the types S and C only"),
    ("board-1,a,T,hr,0,int16,,,,,,,,,fault", "row 2, `role`: goes with the types S and C only"),
    (
        "board-1,a,S,co,0,bool,,,,,,,,,,E001",
        "row 2, `fault_code`: goes with the roles alarm and fault only",
    ),
    (
        "board-1,a,S,co,0,bool,,,,,,,,,fual,E001",
        "row 2, `role`: `fual` is none of testing, alarm, fault; did you mean `fault`?",
    ),
    ("board-1,a,S,hr,0,int16", "row 2, `datatype`: S and C are bool"),
    ("board-1,a,T,hr,0,bool,,,1", "row 2, `datatype`: bool goes with the types S and C"),
    ("board-1,a,C,di,0,bool", "row 2, `area`: di cannot be written"),
    ("board-1,a,T,co,0,int16", "row 2, `datatype`: Coil holds single bits"),
    (
        "board-1,a,T,hr,65535,float32",
        "row 2, `datatype`: the value at 65535 reaches beyond the last register",
    ),
    ("board-1,a,T,hr,0,int16,,,,,,,,,,,surplus", "row 2: has 17 cells, but there are 16 columns"),
    (
        "board-1,a,T,hr,0,int16\n\n# remark\r\nboard-1,a,T,hr,1,int16",
        "row 5, `point_id`: `a` of board-1 already stands in row 2",
    ),
];

#[test]
fn limits_and_columns_of_later_versions_are_checked_too() {
    let heading = format!(
        "{HEADING},alarm_hh,alarm_h,alarm_l,alarm_ll,poll_ms,stale_ms,deadband,writable,risk,verify_address,priority,key"
    );
    for (cells, expected) in LATER_MISTAKES {
        let told =
            mistakes(PLANT, &format!("{heading}\nboard-1,temperature,T,hr,0,int16,{cells}\n"));
        assert!(told.iter().any(|line| line.contains(expected)), "{cells}: {told:#?}");
    }
}

#[test]
fn an_open_quote_swallows_no_rows_in_silence() {
    let points =
        format!("{HEADING},text_en\nboard-1,a,T,hr,0,int16,\"x\nboard-1,b,T,hr,1,int16,\n");
    let told = mistakes(&PLANT.replace("temperature", "a"), &points);
    let expected = ["points.csv: row 2: goes on in the next line: a quote is not closed"];
    assert_eq!(told, expected);
    let old = mistakes(&PLANT.replace("temperature", "a"), &points.replace('\n', "\r"));
    assert_eq!(old, expected);
}

#[test]
fn rows_are_counted_however_their_lines_end() {
    let wrong = "board-1,a,T,hr,0,int16\n\nboard-1,b,T,hr,1,double\nboard-1,c,T,hr,2,double\n";
    for end in ["\n", "\r\n", "\r"] {
        let points = format!("{HEADING}\n{wrong}").replace('\n', end);
        let told = mistakes(&PLANT.replace("temperature", "a"), &points);
        assert_eq!(told.len(), 2, "{end:?}: {told:#?}");
        assert!(told[0].starts_with("points.csv: row 4, `datatype`"), "{end:?}: {told:#?}");
        assert!(told[1].starts_with("points.csv: row 5, `datatype`"), "{end:?}: {told:#?}");
    }
}

#[test]
fn a_point_cannot_be_read_more_often_than_its_channel() {
    let points = format!("{HEADING},poll_ms\nboard-1,temperature,T,hr,0,int16,200\n");
    let read = read_texts(PLANT, &points).unwrap();
    let told: Vec<_> = read.warnings.iter().map(ToString::to_string).collect();
    let expected = "points.csv: row 2, `poll_ms`: 200ms is more often than channel 1 is polled, 1s";
    assert_eq!(told, [expected]);
}

#[test]
fn a_point_that_is_read_seldom_is_not_stale_between_its_polls() {
    let points = format!(
        "{HEADING},poll_ms,stale_ms\nboard-1,temperature,T,hr,0,int16,5000,\n\
         board-1,b,T,hr,1,int16,5000,7000\nboard-1,c,T,hr,2,int16,,\n"
    );
    let read = read_texts(PLANT, &points).unwrap();
    let stale: Vec<_> = read.plant.devices[0].points.iter().map(|point| point.stale_ms).collect();
    assert_eq!(stale, [Some(15_000), Some(7_000), None]);
}

const LATER_MISTAKES: [(&str, &str); 10] = [
    ("10,20,,,,,,,,,,", "`alarm_hh`: must be above alarm_h, 20"),
    (",,5,5,,,,,,,,", "`alarm_l`: must be above alarm_ll, 5"),
    (",,,,99,,,,,,,", "`poll_ms`: must be an integer from 100"),
    (",,,,,1,,,,,,", "`stale_ms`: must be an integer from 100"),
    (",,,,,,-1,,,,,", "`deadband`: must not be negative"),
    (",,,,,,,perhaps,,,,", "`writable`: `perhaps` is none of yes, no"),
    (",,,,,,,,huge,,,", "`risk`: `huge` is none of A, B, C"),
    (",,,,,,,,,3x0,,", "`verify_address`: `3x0` was taken as 3x notation"),
    (",,,,,,,,,,9,", "`priority`: must be an integer from 1 to 4"),
    (",,,,,,,,,,,oui", "`key`: `oui` is none of yes, no"),
];

#[test]
fn a_point_is_read_back_where_the_plant_shows_it() {
    use Area::{DiscreteInput, HoldingRegister, InputRegister};
    let points = feedback(
        "board-1,a,A,hr,10,int16,,30006,0.1\nboard-1,temperature,T,hr,0,int16,,,\n\
         board-1,b,A,hr,11,float32,,0x20,\nboard-1,c,C,co,5,bool,,10006,\n\
         board-1,d,C,hr,22,bool,3,10007,\nboard-1,e,C,hr,22,bool,4,13,\n\
         board-1,f,A,hr,14,int16,,14,\n",
    );
    let read = read_texts(PLANT, &points).unwrap();
    assert_eq!(read.warnings, []);
    let target = &read.channels[0].targets[0];
    let places = target.feedback.iter().map(|(point, shown)| (*point, shown.area, shown.address));
    let expected = [
        (0, InputRegister, 5),
        (2, HoldingRegister, 0x20),
        (3, DiscreteInput, 5),
        (4, DiscreteInput, 6),
        (5, HoldingRegister, 13),
    ];
    assert_eq!(places.collect::<Vec<_>>(), expected, "where it is written needs no word");
    for (point, shown) in &target.feedback {
        let Mapping { area, address, bit, .. } = *shown;
        let same = Mapping { area, address, bit, ..target.mappings[*point].clone() };
        assert_eq!(*shown, same);
    }
    assert_eq!((target.feedback[&4].bit, target.feedback[&5].bit), (None, Some(4)));
    let elsewhere = read_texts(PLANT, &points.replace("0x20", "0x21")).unwrap();
    assert_eq!(changes::compare(&read, &elsewhere).waiting, ["points"]);
}

#[test]
fn a_place_that_cannot_hold_the_value_is_no_feedback() {
    let table = [
        (
            "board-1,a,A,hr,10,int16,,10001,",
            "row 2, `verify_address`: `10001` is di 0: DiscreteInput holds single bits, so the data type must be bit",
        ),
        (
            "board-1,a,C,co,1,bool,,40001,",
            "row 2, `verify_address`: `40001` is hr 0: a bit of a register needs its number, 0 to 15",
        ),
        (
            "board-1,a,A,hr,10,float32,,65535,",
            "row 2, `verify_address`: `65535` is hr 65535: the value at 65535 reaches beyond the last register",
        ),
        ("board-1,a,A,hr,10,int16,,x,", "row 2, `verify_address`: `x` is no address"),
    ];
    for (cells, expected) in table {
        let told = mistakes(&PLANT.replace("temperature", "a"), &feedback(cells));
        assert!(told.len() == 1 && told[0].contains(expected), "{cells}: {told:#?}");
    }
    let points = feedback("board-1,temperature,T,hr,0,int16,,1,");
    let read = read_texts(PLANT, &points).unwrap();
    let told: Vec<_> = read.warnings.iter().map(ToString::to_string).collect();
    let expected = "points.csv: row 2, `verify_address`: has no effect: the point is never written";
    assert_eq!(told, [expected]);
    assert!(read.channels[0].targets[0].feedback.is_empty());
}

fn feedback(cells: &str) -> String {
    format!("{HEADING},bit,verify_address,scale\n{cells}\n")
}

#[test]
fn a_heading_is_checked_before_its_rows() {
    let table = [
        ("", "points.csv: is empty: its first row names the columns"),
        (
            "device;point_id\n",
            "required columns are missing: device, point_id, type, area, address, datatype; columns are separated by commas",
        ),
        (&format!("{HEADING},scael\n"), "row 1: unknown column `scael`; did you mean `scale`?"),
        (&format!("{HEADING},type\n"), "row 1: column `type` stands there twice"),
    ];
    for (text, expected) in table {
        let told = mistakes(PLANT, text);
        assert!(told.iter().any(|line| line.contains(expected)), "{text}: {told:#?}");
    }
}

#[test]
fn two_hundred_mistakes_are_told_at_once() {
    let wrong = |n: u32| format!("board-1,p{n},T,hr,{n},double\n");
    let points = format!("{HEADING}\n{}", (0..200).map(wrong).collect::<String>());
    let told = mistakes(&PLANT.replace("\"temperature\"", ""), &points);
    assert_eq!(told.len(), 200);
    assert!(told[0].starts_with("points.csv: row 2, `datatype`"), "{}", told[0]);
    assert!(told[199].starts_with("points.csv: row 201, `datatype`"), "{}", told[199]);
}

#[test]
fn a_table_from_a_spreadsheet_may_be_gbk() {
    let text = row("board-1,temperature,T,hr,0,int16,温度");
    let (gbk, _, _) = encoding_rs::GBK.encode(&text);
    for bytes in [gbk.as_ref(), text.as_bytes()] {
        let read = read_bytes(PLANT.as_bytes(), bytes, &[]).unwrap();
        assert_eq!(read.plant.devices[0].points[0].name.zh, "温度");
    }
    let broken = [text.as_bytes(), b"board-1,b,T,hr,1,int16,\xff\xff\n"].concat();
    let refusal = read_bytes(PLANT.as_bytes(), &broken, &[]).unwrap_err();
    assert_eq!(refusal.mistakes[0].to_string(), "points.csv: row 3: is neither UTF-8 nor GBK");
}

#[test]
fn registers_read_as_two_types_are_a_warning() {
    let cells = "board-1,temperature,T,hr,0,float32\nboard-1,b,T,hr,1,int16\nboard-1,c,T,ir,1,int16\n\
                 board-1,d,S,hr,5,bool,,,0\nboard-1,e,S,hr,5,bool,,,1";
    let read = read_texts(PLANT, &row(cells)).unwrap();
    let told: Vec<_> = read.warnings.iter().map(ToString::to_string).collect();
    let expected = "points.csv: row 3, `address`: `b` reads registers of `temperature` (row 2) as another type";
    assert_eq!(told, [expected]);
}
