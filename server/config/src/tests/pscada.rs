use field::slave::{Stale, Way};

use super::*;

const TABLE: &str = "device,point_id,type,area,address,datatype,bit,role,fault_code,decimals\n\
    board-1,temperature,T,hr,0,int16,,,,\n\
    board-1,fault,S,hr,1,bool,0,fault,E001,\n\
    board-1,reset,C,co,1,bool,,,,\n\
    board-1,threshold,A,hr,2,int16,,,,\n";

const SECTIONS: &str = "[pscada]\ntransport = \"tcp\"\nlisten = \"127.0.0.1:1502\"\n\
    [command.RESET]\npoint = \"reset\"\nvalue = \"ON\"\n\
    [command.RESET_ERROR]\npoint = \"reset\"\nvalue = \"ON\"\nverify = \"code\"\n\
    [command.SET_CLOCK]\naction = \"set_clock\"\naddress = 0x3000\n";

const MAP: &str = "device,area,address,datatype,bit,scale,offset,byte_order,point,command,param\n";

fn served() -> String {
    format!("{SECTIONS}{PLANT}pscada_unit = 94\n")
}

fn read_map(toml: &str, rows: &str) -> Result<Configuration, Refusal> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("points.csv"), TABLE).unwrap();
    std::fs::write(folder.path().join("pscada.csv"), format!("{MAP}{rows}")).unwrap();
    let source = Source {
        name: "gapless.toml".into(),
        text: toml.as_bytes().to_vec().into(),
        points: PointTable::Beside(folder.path().into()),
    };
    read(&source, &[], Vec::new())
}

/// The mistakes, each from its file's name on.
fn told(toml: &str, rows: &str) -> Vec<String> {
    let refusal = read_map(toml, rows).expect_err("there are mistakes");
    refusal.mistakes.iter().map(from_file).collect()
}

fn from_file(finding: &Finding) -> String {
    let text = finding.to_string();
    let start = text.find("pscada.csv: ").unwrap_or(0);
    text[start..].into()
}

#[test]
fn without_a_section_there_is_no_pscada() {
    let read = read_map(PLANT, "").unwrap();
    assert!(read.pscada.is_none());
    assert!(!read.plant.devices[0].has_pscada);
}

#[test]
fn what_is_not_written_of_pscada_has_a_usual_value() {
    let read = read_map(&served(), "board-1,hr,0,int16,,,,,temperature,,").unwrap();
    assert_eq!(read.warnings, []);
    let pscada = read.pscada.expect("a PSCADA");
    assert_eq!(pscada.way, Way::Tcp { listen: "127.0.0.1:1502".parse().unwrap() });
    assert_eq!(pscada.rules.stale, Stale::Last);
    assert_eq!(pscada.rules.sentinel, 0x8000);
    assert_eq!(pscada.reach_timeout, Duration::from_secs(10));
    assert_eq!(pscada.rules.map.units().collect::<Vec<_>>(), [94]);
    assert!(read.plant.devices[0].has_pscada);
}

#[test]
fn a_serial_line_to_pscada_is_9600_8n1() {
    let toml = served().replace(
        "transport = \"tcp\"\nlisten = \"127.0.0.1:1502\"",
        "transport = \"rtu\"\npath = \"/dev/ttyS1\"\nstale = \"exception\"\nsentinel = 0xFFFF\n\
         reach_timeout = \"30s\"",
    );
    let pscada = read_map(&toml, "board-1,hr,0,,,,,,@quality,,").unwrap().pscada.unwrap();
    let Way::Rtu(line) = pscada.way else { panic!("{:?}", pscada.way) };
    assert_eq!((line.path.as_str(), line.baud_rate), ("/dev/ttyS1", 9600));
    assert_eq!((line.data_bits, line.stop_bits), (8, 1));
    assert_eq!((pscada.rules.stale, pscada.rules.sentinel), (Stale::Exception, 0xFFFF));
    assert_eq!(pscada.reach_timeout, Duration::from_secs(30));
}

#[test]
fn a_command_takes_its_parameter_from_the_map_or_from_what_is_written() {
    use field::slave::{Answer, Staged};
    let rows = "board-1,co,0x0101,,,,,,,RESET,\n\
        board-1,co,0x0102,,,,,,,reset,ON\n\
        board-1,co,0x0103,,,,,,,reset,\n\
        board-1,co,0x0104,,,,,,,RESET_ERROR,E001\n\
        board-1,hr,0x0010,int16,,0.1,,,,threshold,\n\
        board-1,hr,0x3000,,,,,,@clock,,\n";
    let rules = read_map(&served(), rows).unwrap().pscada.unwrap().rules;
    let source = |_: &protocol::id::DeviceId| None;
    let now = protocol::time::Timestamp::from_millis(0);
    let ask = |pdu: &[u8]| rules.answer(94, pdu, &source, now, &mut Staged::default());
    let table: [(&[u8], &str, Option<&str>); 6] = [
        (&[5, 1, 1, 0xFF, 0], "RESET", None),
        (&[5, 1, 2, 0xFF, 0], "reset", Some("ON")),
        (&[5, 1, 3, 0, 0], "reset", Some("OFF")),
        (&[5, 1, 4, 0xFF, 0], "RESET_ERROR", Some("E001")),
        (&[6, 0, 0x10, 2, 0x58], "threshold", Some("60")),
        (&[16, 0x30, 0, 0, 4, 8, 0, 123, 7, 5, 9, 28, 7, 26], "SET_CLOCK", Some("1785200707123")),
    ];
    for (pdu, command, param) in table {
        let Answer::Wishes { wished, .. } = ask(pdu) else { panic!("{pdu:?} is no order") };
        assert_eq!((wished[0].command.as_str(), wished[0].param.as_deref()), (command, param));
    }
    let shown = ask(&[3, 0, 0x10, 0, 1]);
    assert_eq!(shown, Answer::Bytes(vec![3, 2, 0x80, 0]), "it shows the point that it sets");
}

#[test]
fn every_mistake_of_the_map_names_its_row() {
    for (rows, expected) in ROW_MISTAKES {
        let told = told(&served(), rows);
        let found = told.iter().any(|line| line.starts_with(&format!("pscada.csv: {expected}")));
        assert!(found, "{rows}: {told:#?}");
    }
}

const ROW_MISTAKES: [(&str, &str); 26] = [
    (
        "board-9,hr,0,,,,,,@quality,,",
        "row 2, `device`: there is no device `board-9`; did you mean `board-1`?",
    ),
    (",hr,0,,,,,,@quality,,", "row 2, `device`: must not be empty"),
    ("board-1,xx,0,uint16,,,,,temperature,,", "row 2, `area`: `xx` is none of co, di, ir, hr"),
    ("board-1,ir,40001,int16,,,,,temperature,,", "row 2, `address`: `40001` was taken as 4x"),
    ("board-1,hr,0,,,,,,temperature,,", "row 2, `datatype`: must not be empty"),
    ("board-1,hr,0,double,,,,,temperature,,", "row 2, `datatype`: `double` is no data type"),
    ("board-1,hr,0,bool,,,,,fault,,", "row 2, `datatype`: a bit of a register needs its number"),
    ("board-1,hr,0,bool,16,,,,fault,,", "row 2, `bit`: must be an integer from 0 to 15"),
    ("board-1,co,0,uint16,,,,,fault,,", "row 2, `datatype`: Coil holds single bits"),
    ("board-1,hr,0,int16,,0,,,temperature,,", "row 2, `datatype`: scale 0 and offset 0"),
    ("board-1,hr,0,int16,,,,XY,temperature,,", "row 2, `byte_order`: `XY` is no byte order"),
    (
        "board-1,hr,0,int16,,,,,temprature,,",
        "row 2, `point`: device `board-1` has no point `temprature`; did you mean `temperature`?",
    ),
    (
        "board-1,hr,0,,,,,,@qualty,,",
        "row 2, `point`: `@qualty` is none of @clock, @quality, @reserved; did you mean `@quality`?",
    ),
    ("board-1,hr,0,bool,1,,,,temperature,,", "row 2, `datatype`: `temperature` is a number"),
    (
        "board-1,co,0,,,,,,,RESTE,",
        "row 2, `command`: device `board-1` has no command `RESTE`; did you mean `",
    ),
    ("board-1,di,0,,,,,,,RESET,", "row 2, `command`: di cannot be written"),
    ("board-1,co,0,,,,,,,RESET,ON", "row 2, `param`: `RESET` takes no parameter"),
    ("board-1,co,0,,,,,,,RESET_ERROR,", "row 2, `param`: `RESET_ERROR` needs a fault code"),
    ("board-1,co,0,,,,,,,,", "row 2, `point`: must not be empty where there is no command"),
    ("board-1,co,0,,,,,,fault,,ON", "row 2, `param`: goes with a command"),
    ("board-1,hr,0,,,,,,@quality,RESET,", "row 2, `command`: goes with a point, with @clock"),
    ("board-1,hr,0,,,,,,@clock,SET_CLOCK,1", "row 2, `param`: is the time that was written"),
    ("board-1,hr,0xFFFD,,,,,,@clock,,", "row 2, `address`: a clock takes four registers"),
    ("board-1,co,0,,,,,,@quality,,", "row 2, `datatype`: must be uint16, in hr or ir"),
    (
        "board-1,hr,0x3000,,,,,,@clock,,\nboard-1,hr,0x3003,int16,,,,,temperature,,",
        "row 3, `address`: unit 94 has something else there, in row 2",
    ),
    (
        "board-1,hr,0,bool,1,,,,fault,,\nboard-1,hr,0,bool,1,,,,fault,,",
        "row 3, `address`: unit 94 has something else there, in row 2",
    ),
];

#[test]
fn every_mistake_of_the_section_names_its_line() {
    let table = [
        ("transport = \"tcp\"", "transport = \"udp\"", "`transport` `udp` is none of tcp, rtu"),
        ("listen = \"127.0.0.1:1502\"\n", "", "gapless.toml:1:2: `listen` is missing"),
        ("listen = \"127.0.0.1:1502\"", "listen = 1502", "gapless.toml:3:10: `listen` must be"),
        ("\"127.0.0.1:1502\"", "\"127.0.0.1:1502\"\nparity = \"odd\"", "`parity` goes with"),
        ("\"127.0.0.1:1502\"", "\"127.0.0.1:1502\"\nstale = \"old\"", "`stale` `old` is none of"),
        ("\"127.0.0.1:1502\"", "\"127.0.0.1:1502\"\nsentinel = 65536", "`sentinel` must be 0 to"),
        ("\"127.0.0.1:1502\"", "\"127.0.0.1:1502\"\nreach_timeout = \"0s\"", "`reach_timeout`"),
        ("\"127.0.0.1:1502\"", "\"127.0.0.1:1502\"\nmap = \"a.csv\"", "cannot read the map"),
        ("\"127.0.0.1:1502\"", "\"127.0.0.1:1502\"\nmapp = \"a\"", "did you mean `map`?"),
        ("pscada_unit = 94", "pscada_unit = 248", "`pscada_unit` must be 1 to 247, not 248"),
    ];
    for (from, to, expected) in table {
        let told = told(&served().replacen(from, to, 1), "board-1,hr,0,,,,,,@quality,,");
        assert!(told.len() == 1 && told[0].contains(expected), "{to}: {told:#?}");
    }
}

#[test]
fn the_line_of_a_channel_cannot_be_the_line_to_pscada() {
    let toml = served()
        .replace(
            "transport = \"tcp\"\nhost = \"10.0.0.7\"",
            "transport = \"rtu\"\npath = \"/dev/a\"",
        )
        .replace(
            "transport = \"tcp\"\nlisten = \"127.0.0.1:1502\"",
            "transport = \"rtu\"\npath = \"/dev/a\"",
        );
    let told = told(&toml, "board-1,hr,0,,,,,,@quality,,");
    assert!(told.len() == 1 && told[0].contains("/dev/a already belongs to a channel"), "{told:?}");
}

#[test]
fn what_pscada_seldom_means_is_a_warning() {
    let unit = |toml: &str| format!("{toml}pscada_unit = 94\n");
    let table = [
        (unit(PLANT), "", "`pscada_unit` goes with a section [pscada]"),
        (format!("{SECTIONS}{PLANT}"), "", "no [[device]] has a `pscada_unit`"),
        (
            format!("{SECTIONS}{PLANT}"),
            "board-1,hr,0,,,,,,@quality,,",
            "device `board-1` has no `pscada_unit`",
        ),
        (served(), "", "has no row of device `board-1`"),
    ];
    for (toml, rows, expected) in table {
        let read = read_map(&toml, rows).unwrap();
        let told: Vec<_> = read.warnings.iter().map(ToString::to_string).collect();
        assert!(told.iter().any(|line| line.contains(expected)), "{expected}: {told:#?}");
        assert!(!read.plant.devices[0].has_pscada);
    }
}

#[test]
fn the_sample_map_goes_with_the_sample() {
    let variables = [
        ("GAPLESS__PSCADA__TRANSPORT", "tcp"),
        ("GAPLESS__PSCADA__LISTEN", "127.0.0.1:1502"),
        ("GAPLESS__DEVICE__BOARD_1__PSCADA_UNIT", "94"),
        ("GAPLESS__DEVICE__BOARD_2__PSCADA_UNIT", "95"),
        ("GAPLESS__DEVICE__BOARD_3__PSCADA_UNIT", "96"),
        ("GAPLESS__DEVICE__BOARD_4__PSCADA_UNIT", "97"),
    ];
    let source = Source {
        name: "gapless.toml".into(),
        text: include_bytes!("../../../gapless.toml").into(),
        points: PointTable::Embedded(include_bytes!("../../../points.csv")),
    };
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let variables: Vec<_> = variables.iter().map(own).collect();
    let read = read(&source, &variables, Vec::new()).unwrap();
    assert_eq!(read.warnings, []);
    assert_eq!(read.pscada.unwrap().rules.map.units().collect::<Vec<_>>(), [94, 95, 96, 97]);
    assert!(read.plant.devices.iter().all(|device| device.has_pscada));
}

#[test]
fn a_map_that_changed_waits_for_a_restart() {
    let before = read_map(&served(), "board-1,hr,0,,,,,,@quality,,").unwrap();
    let after = read_map(&served(), "board-1,hr,1,,,,,,@quality,,").unwrap();
    assert_eq!(changes::compare(&before, &after).waiting, ["pscada.map"]);
    assert_eq!(changes::compare(&before, &before), changes::Changes::default());
}

proptest! {
    #[test]
    fn no_cells_of_a_map_make_the_reader_panic(
        cells in "((board-1|hr|co|[0-9]{1,3}|@clock|@quality|temperature|RESET|[a-z.#\"-]{0,4}),){0,24}",
    ) {
        let _ = read_map(&served(), &cells);
    }
}
