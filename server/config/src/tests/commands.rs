use protocol::command::{Check, CommandAction, CommandSpec, Risk, Setting};
use protocol::reading::Value;

use super::*;

const TABLE: &str = "device,point_id,type,area,address,datatype,bit,min,max,name_en,writable,risk,role,fault_code\n\
    board-1,temperature,T,hr,0,int16,,,,,,,,\n\
    board-1,fault,S,hr,1,bool,0,,,,,,fault,E001\n\
    board-1,reset,C,co,1,bool,,,,Reset,,A,,\n\
    board-1,remote_on,C,co,2,bool,,,,,,high,,\n\
    board-1,threshold,A,hr,2,int16,,20,120,,,,,\n\
    board-1,locked,A,hr,3,int16,,,,,no,,,\n\
    board-1,work_mode,T,hr,4,uint16,,0,4,,,,,\n";

/// Such as a further board, which knows less.
const SECOND: &str = "[[device]]\nid = \"board-2\"\nsite = \"north\"\nchannel = 1\nunit = 17\n";

fn commands(toml: &str) -> Vec<CommandSpec> {
    let read = read_texts(&format!("{toml}{PLANT}"), TABLE).unwrap();
    assert_eq!(read.warnings, []);
    read.plant.devices[0].commands.clone()
}

fn names(commands: &[CommandSpec]) -> Vec<&str> {
    commands.iter().map(|command| command.name.as_str()).collect()
}

#[test]
fn a_command_is_a_name_for_a_write_and_its_proof() {
    // S0-17, S0-18, S0-19
    let read = commands(
        "[command.START]\ntitle_zh = \"启动\"\ntitle_en = \"Start\"\npoint = \"remote_on\"\n\
         value = \"ON\"\nverify = \"work_mode\"\nverify_value = 4\nrisk = \"C\"\n\
         [command.SET_TEMP_THRESHOLD]\npoint = \"threshold\"\n\
         [command.RESET_ERROR]\npoint = \"reset\"\nvalue = true\nverify = \"code\"\n",
    );
    let [start, set, reset, ..] = read.as_slice() else { panic!("{read:?}") };
    let write = |point: &str, value, verify| {
        let point = point.parse().unwrap();
        CommandAction::Write { point, value, verify }
    };
    let (on, mode) = (Setting::Fixed(Value::Switch(true)), "work_mode".parse().unwrap());
    let proof = Check::Other { point: mode, value: Value::Number(4.0) };
    assert_eq!(start.action, write("remote_on", on, proof));
    assert_eq!((start.title.zh.as_str(), start.title.en.as_str()), ("启动", "Start"));
    assert_eq!((start.name.as_str(), start.risk), ("START", Risk::C));
    assert_eq!(set.action, write("threshold", Setting::Param, Check::Same));
    assert_eq!((set.title.en.as_str(), set.risk), ("SET_TEMP_THRESHOLD", Risk::B));
    assert_eq!(reset.action, write("reset", on, Check::Code));
}

#[test]
fn paces_and_clocks_are_no_points() {
    // S0-11
    let read = commands(
        "[command.SET_POLL_INTERVAL]\naction = \"poll_interval\"\n\
         [command.SET_CLOCK]\naction = \"set_clock\"\naddress = 0x3000\n",
    );
    assert_eq!(read[0].action, CommandAction::PollInterval);
    assert_eq!(read[1].action, CommandAction::SetClock { address: 0x3000 });
}

#[test]
fn a_point_that_can_be_written_is_a_command_of_its_own() {
    let read = commands("[command.remote_on]\npoint = \"remote_on\"\nvalue = \"OFF\"\n");
    assert_eq!(names(&read), ["remote_on", "reset", "threshold"], "the configured goes before");
    let (on, reset) = (&read[0], &read[1]);
    assert!(matches!(
        on.action,
        CommandAction::Write { value: Setting::Fixed(Value::Switch(false)), .. }
    ));
    assert_eq!((reset.title.en.as_str(), reset.risk), ("Reset", Risk::A));
    let point = "reset".parse().unwrap();
    let (value, verify) = (Setting::Param, Check::Same);
    assert_eq!(reset.action, CommandAction::Write { point, value, verify });
    let alone = commands("");
    assert_eq!(names(&alone), ["reset", "remote_on", "threshold"]);
    assert_eq!(alone[1].risk, Risk::C, "`high` is C");
    assert_eq!(alone[2].risk, Risk::B);
}

#[test]
fn commands_stand_in_the_order_of_the_file() {
    let read = commands(
        "[command.Z]\npoint = \"reset\"\n[command.A]\npoint = \"reset\"\n\
         [command.M]\npoint = \"reset\"\n",
    );
    assert_eq!(names(&read)[..3], ["Z", "A", "M"]);
}

#[test]
fn a_command_belongs_to_the_devices_that_can() {
    let toml = format!(
        "[command.ON]\npoint = \"remote_on\"\n[command.ALL]\naction = \"poll_interval\"\n\
         [command.ONE]\naction = \"poll_interval\"\ndevices = [\"board-2\"]\n{SECOND}{PLANT}"
    );
    let points = format!("{TABLE}board-2,temperature,T,hr,0,int16,,,,,,,,\n");
    let read = read_texts(&toml, &points).unwrap();
    let [second, first] = read.plant.devices.as_slice() else { panic!("two devices") };
    assert_eq!(names(&first.commands), ["ON", "ALL", "reset", "remote_on", "threshold"]);
    assert_eq!(names(&second.commands), ["ALL", "ONE"]);
}

#[test]
fn a_variable_changes_a_command_and_makes_none() {
    let toml = format!("[command.START]\npoint = \"remote_on\"\n{PLANT}");
    let read =
        |name: &str, value: &str| read_bytes(toml.as_bytes(), TABLE.as_bytes(), &[(name, value)]);
    let given = read("GAPLESS__COMMAND__START__RISK", "A").unwrap();
    assert_eq!(given.plant.devices[0].commands[0].risk, Risk::A);
    let shown = given.settings.iter().find(|setting| setting.key == "command.START.risk");
    let place = &shown.unwrap().place;
    assert_eq!(*place, Place::Variable("GAPLESS__COMMAND__START__RISK".into()));
    let value = read("GAPLESS__COMMAND__START__VALUE", "on").unwrap();
    assert!(matches!(
        value.plant.devices[0].commands[0].action,
        CommandAction::Write { value: Setting::Fixed(Value::Switch(true)), .. }
    ));
    let refusal = read("GAPLESS__COMMAND__STRAT__RISK", "A").unwrap_err();
    let expected = "GAPLESS__COMMAND__STRAT__RISK: there is no [command.NAME] `strat`; did you \
                    mean `start`?";
    assert_eq!(refusal.mistakes[0].to_string(), expected);
}

#[test]
fn every_mistake_in_a_command_names_its_line() {
    for (text, expected) in MISTAKES {
        let told = mistakes(&format!("{text}\n{PLANT}"), TABLE);
        assert!(told.len() == 1 && told[0].starts_with(expected), "{text}: {told:#?}");
    }
}

const MISTAKES: [(&str, &str); 30] = [
    ("command = 3", "gapless.toml:1:1: `command` must be a table, not an integer"),
    (
        "[command]\npoint = \"reset\"",
        "gapless.toml:2:1: write [command.NAME] with a name: there can be several",
    ),
    ("[command.X]", "gapless.toml:1:10: `point` is missing"),
    (
        "[command.\"a b\"]\npoint = \"reset\"",
        "gapless.toml:1:10: a command's name: identifier `a b` may hold only",
    ),
    (
        "[command.\"a:b\"]\npoint = \"reset\"",
        "gapless.toml:1:10: command `a:b`: a colon comes before a command's value",
    ),
    (
        "[command.X]\npoint = \"reset\"\n[command.x]\npoint = \"reset\"",
        "gapless.toml:3:10: command `X` is already defined at gapless.toml:1:10",
    ),
    (
        "[command.X]\npoint = \"remote_onn\"",
        "gapless.toml:2:9: `point`: no device has a point `remote_onn`; did you mean `remote_on`?",
    ),
    (
        "[command.X]\npoint = \"rest\"\ndevices = [\"board-1\"]",
        "gapless.toml:2:9: `point`: there is no point `rest`; did you mean `reset`? (board-1)",
    ),
    (
        "[command.X]\npoint = \"reset\"\ndevices = [\"bord-1\"]",
        "gapless.toml:3:11: there is no device `bord-1`; did you mean `board-1`?",
    ),
    ("[command.X]\npoint = \"reset\"\ndevices = []", "gapless.toml:3:11: `devices` names none"),
    (
        "[command.X]\npoint = \"temperature\"",
        "gapless.toml:2:9: `point`: `temperature` is neither of type C nor A (board-1)",
    ),
    (
        "[command.X]\npoint = \"locked\"",
        "gapless.toml:2:9: `point`: `locked` is not writable (board-1)",
    ),
    (
        "[command.X]\npoint = \"reset\"\nvalue = 1",
        "gapless.toml:3:9: `value` must be \"ON\" or \"OFF\" for `reset`, not 1 (board-1)",
    ),
    (
        "[command.X]\npoint = \"threshold\"\nvalue = \"ON\"",
        "gapless.toml:3:9: `value` must be a number for `threshold`, not ON (board-1)",
    ),
    (
        "[command.X]\npoint = \"threshold\"\nvalue = 120.1",
        "gapless.toml:3:9: `value` must be 20 to 120 for `threshold`, not 120.1 (board-1)",
    ),
    (
        "[command.X]\npoint = \"threshold\"\nvalue = nan",
        "gapless.toml:3:9: `value` must be a number, \"ON\" or \"OFF\", not a number",
    ),
    (
        "[command.X]\npoint = \"threshold\"\nvalue = \"30\"",
        "gapless.toml:3:9: `value` must be a number, \"ON\" or \"OFF\", not a text",
    ),
    (
        "[command.X]\npoint = \"reset\"\nverify = \"work_mod\"\nverify_value = 1",
        "gapless.toml:3:10: `verify`: there is no point `work_mod`; did you mean `work_mode`?",
    ),
    (
        "[command.X]\npoint = \"reset\"\nverify = \"a b\"\nverify_value = 1",
        "gapless.toml:3:10: `verify` identifier `a b` may hold only",
    ),
    (
        "[command.X]\npoint = \"reset\"\nverify = \"work_mode\"",
        "gapless.toml:1:10: `verify_value` is missing",
    ),
    (
        "[command.X]\npoint = \"reset\"\nverify = \"work_mode\"\nverify_value = \"ON\"",
        "gapless.toml:4:16: `verify_value` must be a number for `work_mode`, not ON (board-1)",
    ),
    (
        "[command.X]\npoint = \"reset\"\nverify = \"work_mode\"\nverify_value = 5",
        "gapless.toml:4:16: `verify_value` must be 0 to 4 for `work_mode`, not 5 (board-1)",
    ),
    (
        "[command.X]\npoint = \"reset\"\nverify_value = 5",
        "gapless.toml:3:1: `verify_value` goes with a point in `verify`",
    ),
    ("[command.X]\npoint = \"reset\"\nverify = \"code\"", "gapless.toml:1:10: `value` is missing"),
    (
        "[command.X]\npoint = \"reset\"\naction = \"set_clock\"\naddress = 1",
        "gapless.toml:2:1: `point` goes with action = \"write\"",
    ),
    (
        "[command.X]\npoint = \"reset\"\naddress = 1",
        "gapless.toml:3:1: `address` goes with action = \"set_clock\"",
    ),
    ("[command.X]\naction = \"set_clock\"", "gapless.toml:1:10: `address` is missing"),
    (
        "[command.X]\naction = \"set_clock\"\naddress = 0xfffd",
        "gapless.toml:3:11: `address` must be 0 to 65532, not 65533",
    ),
    (
        "[command.X]\naction = \"wrte\"\npoint = \"reset\"",
        "gapless.toml:2:10: `action` `wrte` is none of write, poll_interval, set_clock; did you",
    ),
    (
        "[command.X]\npoint = \"reset\"\nrisk = \"D\"\n",
        "gapless.toml:3:8: `risk` `D` is none of A, B, C",
    ),
];

#[test]
fn all_mistakes_of_all_commands_are_told_together() {
    let toml = format!(
        "[command.A]\npoint = \"locked\"\nverify = \"nothing\"\nverify_value = 1\n\
         [command.B]\npoint = \"threshold\"\nvalue = 300\nverify = \"work_mode\"\n\
         verify_value = \"OFF\"\nrisk = \"Z\"\n[command.C]\nvalue = 1\ntitel_en = \"x\"\n{PLANT}"
    );
    assert_eq!(mistakes(&toml, TABLE).len(), 5, "{:#?}", mistakes(&toml, TABLE));
}

#[test]
fn one_mistake_on_many_boards_is_told_once() {
    let toml = format!(
        "[command.X]\npoint = \"threshold\"\nvalue = 1\n[command.Y]\npoint = \"reset\"\n\
         value = \"ON\"\nverify = \"code\"\n{SECOND}{PLANT}"
    );
    let points = format!(
        "{TABLE}board-2,threshold,A,hr,2,int16,,20,120,,,,,\nboard-2,reset,C,co,1,bool,,,,,,,,\n"
    );
    let expected = [
        "gapless.toml:3:9: `value` must be 20 to 120 for `threshold`, not 1 (board-2 and 1 more)",
        "gapless.toml:7:10: `verify` is a code, but no point has a `fault_code` (board-2)",
    ];
    assert_eq!(mistakes(&toml, &points), expected);
}

#[test]
fn what_holds_a_target_ends_within_ten_minutes() {
    // S0-30
    let hold = |toml: &str| {
        let read = read_texts(&format!("{toml}{PLANT}"), &points());
        read.map(|read| read.arbiter.hold).map_err(|refusal| refusal.mistakes[0].to_string())
    };
    assert_eq!(hold(""), Ok(Duration::from_secs(10)));
    assert_eq!(hold("[arbiter]\nhold = \"0s\"\n"), Ok(Duration::ZERO));
    assert_eq!(hold("[arbiter]\nhold = \"10m\"\n"), Ok(Duration::from_secs(600)));
    let text = "gapless.toml:2:8: `hold` must be 0s to 10m, not 601s";
    assert_eq!(hold("[arbiter]\nhold = 601\n"), Err(text.into()));
}

#[test]
fn a_point_with_a_colon_is_no_command_but_can_be_written_by_one() {
    let toml = format!("[command.X]\npoint = \"a:b\"\n{PLANT}");
    let read = read_texts(&toml, &format!("{TABLE}board-1,a:b,C,co,9,bool,,,,,,,,\n")).unwrap();
    let told: Vec<_> = read.warnings.iter().map(ToString::to_string).collect();
    let expected = "points.csv: row 9, `point_id`: is no command of its own: a colon comes \
                    before a command's value";
    assert_eq!(told, [expected]);
    let commands = &read.plant.devices[0].commands;
    assert_eq!(names(commands), ["X", "reset", "remote_on", "threshold"]);
}
