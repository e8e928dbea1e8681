use std::time::Duration;

use field::map::{Area, ByteOrder, DataType, Transport};
use proptest::prelude::*;
use protocol::id::ChannelId;
use protocol::point::{Direction, Role};

use super::*;

mod commands;
mod edges;
mod points;
mod pscada;
mod trust;

use self::points::row;

const PLANT: &str = r#"
[[site]]
id = "north"
name_zh = "北站"

[[channel]]
id = 1
transport = "tcp"
host = "10.0.0.7"

[[device]]
id = "board-1"
site = "north"
channel = 1
unit = 16
overview = ["temperature"]
"#;

const HEADING: &str = "device,point_id,type,area,address,datatype";

const POINTS: &str = "device,point_id,type,area,address,datatype\n\
                      board-1,temperature,T,hr,40001,int16\n\
                      board-1,k1,S,hr,3,bool\n";

fn read_bytes(
    toml: &[u8],
    points: &[u8],
    variables: &[(&str, &str)],
) -> Result<Configuration, Refusal> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("points.csv"), points).unwrap();
    let source = Source {
        name: "gapless.toml".into(),
        text: toml.to_vec().into(),
        points: PointTable::Beside(folder.path().into()),
    };
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let variables: Vec<_> = variables.iter().map(own).collect();
    let strip = |findings: Vec<Finding>| {
        findings.into_iter().map(|finding| within(folder.path(), finding)).collect()
    };
    match read(&source, &variables, Vec::new()) {
        Ok(configuration) => {
            Ok(Configuration { warnings: strip(configuration.warnings.clone()), ..configuration })
        }
        Err(refusal) => Err(Refusal {
            mistakes: strip(refusal.mistakes.clone()),
            warnings: strip(refusal.warnings.clone()),
            ..refusal
        }),
    }
}

/// The finding as it would be told from inside the folder.
fn within(folder: &Path, finding: Finding) -> Finding {
    let place = match finding.place {
        Place::Row { row, column, .. } => Place::Row { file: "points.csv".into(), row, column },
        Place::File(_) => Place::File("points.csv".into()),
        other => other,
    };
    let text = finding.text.replace(&format!("{}/", folder.display()), "");
    Finding { place, text }
}

fn read_texts(toml: &str, points: &str) -> Result<Configuration, Refusal> {
    read_bytes(toml.as_bytes(), points.as_bytes(), &[])
}

fn mistakes(toml: &str, points: &str) -> Vec<String> {
    let refusal = read_texts(toml, points).expect_err("there are mistakes");
    refusal.mistakes.iter().map(ToString::to_string).collect()
}

#[test]
fn what_is_not_written_has_a_usual_value() {
    // S0-3, S0-10, S0-12, S0-13, S0-14, S0-15
    let points =
        format!("{HEADING},bit\nboard-1,temperature,T,hr,40001,int16,\nboard-1,k1,S,hr,3,bool,0");
    let read = read_texts(PLANT, &points).unwrap();
    let channel = &read.channels[0];
    assert_eq!(channel.id, ChannelId(1));
    assert_eq!(channel.transport, Transport::Tcp { host: "10.0.0.7".into(), port: 502 });
    assert_eq!(channel.poll_interval, Duration::from_secs(1));
    assert_eq!(channel.targets[0].unit, 16);
    let mapping = &channel.targets[0].mappings[0];
    assert_eq!((mapping.area, mapping.address), (Area::HoldingRegister, 0));
    assert_eq!((mapping.data_type, mapping.byte_order), (DataType::Int16, ByteOrder::Ab));
    assert_eq!((mapping.scale, mapping.offset, mapping.decimals), (1.0, 0.0, 1));
    assert_eq!(read.push.full_snapshot_interval, Duration::from_secs(30));
    assert!(read.push.heartbeat_includes_summary);
    assert_eq!(read.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(read.plant.sites[0].zone, "Asia/Shanghai");
    assert_eq!(read.plant.sites[0].name.en, "北站", "one language stands in for the other");
    let device = &read.plant.devices[0];
    assert_eq!(device.name.zh, "board-1");
    assert_eq!((device.points[0].name.en.as_str(), device.points[0].decimals), ("temperature", 1));
    assert_eq!(device.points[1].direction, Some(Direction::Input));
    assert_eq!(device.points[1].role, Role::None);
    assert!(read.warnings.is_empty(), "{:?}", read.warnings);
}

#[test]
fn every_mistake_of_the_file_names_its_line() {
    for (text, expected) in FILE_MISTAKES {
        let told = mistakes(&format!("{text}{PLANT}"), &points());
        assert!(told.iter().any(|line| line.contains(expected)), "{text}: {told:#?}");
    }
}

const FILE_MISTAKES: [(&str, &str); 27] = [
    ("poll_interval = \"1s\"\n", "gapless.toml:1:1: unknown key `poll_interval`"),
    ("data_dri = \"x\"\n", "gapless.toml:1:1: unknown key `data_dri`; did you mean `data_dir`?"),
    (
        "[push_strategy]\nmode = \"all\"\n",
        "gapless.toml:2:8: `mode` `all` is none of change_driven",
    ),
    (
        "[push_strategy]\nfull_snapshot_interval = 0\n",
        "gapless.toml:2:26: `full_snapshot_interval` must be 1s to 1h, not 0s",
    ),
    (
        "[server]\nlisten = \":80\"\n",
        "gapless.toml:2:10: `listen` must be an address with its port",
    ),
    (
        "[server]\nallowed_origins = [\"hmi\"]\n",
        "gapless.toml:2:19: `allowed_origins` must hold origins such as",
    ),
    (
        "[integrity]\nalgorithm = \"sha1\"\n",
        "gapless.toml:2:13: `algorithm` `sha1` is none of md5, hmac-sha256",
    ),
    (
        "[metrics]\ntoken = \"short\"\n",
        "gapless.toml:2:9: `token` must have at least 16 characters",
    ),
    (
        "[metrics]\ntoken = \"a token of many characters\"\n",
        "gapless.toml:2:9: `token` may hold only visible ASCII characters, and no spaces",
    ),
    ("[metrics]\nlisten = 9\n", "gapless.toml:2:10: `listen` must be a text in quotes"),
    ("[[site]]\nid = \"north\"\n", "site `north` is already defined at gapless.toml"),
    (
        "[[site]]\nid = \"x\"\nzone = \"Asia/Shangai\"\n",
        "gapless.toml:3:8: `zone` `Asia/Shangai` is no time zone, such as Asia/Shanghai; did you mean `Asia/Shanghai`?",
    ),
    ("[[site]]\n", "gapless.toml:1:1: `id` is missing"),
    ("[[site]]\nid = \"a b\"\n", "gapless.toml:2:6: `id` identifier `a b` may hold only"),
    ("[[channel]]\nid = 2\ntransport = \"tcp\"\n", "gapless.toml:1:1: `host` is missing"),
    ("[[channel]]\nid = 2\ntransport = \"rtu\"\n", "gapless.toml:1:1: `path` is missing"),
    (
        "[[channel]]\nid = 2\ntransport = \"udp\"\nhost = \"x\"\n",
        "gapless.toml:3:13: `transport` `udp` is none of tcp, rtu",
    ),
    (
        "[[channel]]\nid = 2\ntransport = \"tcp\"\nhost = \"x\"\nparity = \"odd\"\n",
        "gapless.toml:5:1: `parity` goes with transport = \"rtu\"",
    ),
    (
        "[[channel]]\nid = 2\ntransport = \"tcp\"\nhost = \"x:502\"\n",
        "gapless.toml:4:8: `host` must be a name or an address; the port goes into `port`",
    ),
    (
        "[[channel]]\nid = 2\ntransport = \"tcp\"\nhost = \"x\"\npoll_interval = \"50ms\"\n",
        "gapless.toml:5:17: `poll_interval` must be 100ms to 10s, not 50ms",
    ),
    (
        "[[channel]]\nid = 2\ntransport = \"tcp\"\nhost = \"x\"\ntimeout = 500\n",
        "gapless.toml:5:11: `timeout` must be a time with its unit",
    ),
    (
        "[[device]]\nid = \"b\"\nsite = \"nort\"\nchannel = 1\nunit = 1\n",
        "gapless.toml:3:8: there is no site `nort`; did you mean `north`?",
    ),
    (
        "[[device]]\nid = \"b\"\nsite = \"north\"\nchannel = 7\nunit = 1\n",
        "gapless.toml:4:11: there is no channel `7`",
    ),
    (
        "[[device]]\nid = \"b\"\nsite = \"north\"\nchannel = 1\nunit = 16\n",
        "unit 16 of channel 1 is already device `b`",
    ),
    (
        "[[device]]\nid = \"b\"\nsite = \"north\"\nchannel = 1\nunit = 256\n",
        "gapless.toml:5:8: `unit` must be 0 to 255, not 256",
    ),
    (
        "[[device]]\nid = \"board-1\"\nsite = \"north\"\nchannel = 1\nunit = 1\n",
        "device `board-1` is already defined at gapless.toml:2:6",
    ),
    ("[server\n", "gapless.toml:1:"),
];

fn points() -> String {
    POINTS.replace("datatype\n", "datatype,bit\n").replace("bool\n", "bool,0\n")
}

#[test]
fn what_does_not_fit_together_is_a_mistake() {
    let four = "[\"temperature\", \"k1\", \"temperature\", \"k1\"]";
    let rtu = "transport = \"rtu\"\npath = \"/dev/ttyUSB0\"";
    let tcp = "transport = \"tcp\"\nhost = \"10.0.0.7\"";
    let table = [
        ("[\"temperature\"]", four, "`overview` holds 3 points at most"),
        (
            "[\"temperature\"]",
            "[\"temprature\"]",
            "has no point `temprature`; did you mean `temperature`?",
        ),
        ("unit = 16", "unit = 16\nhots = 1", "unknown key `device[board-1].hots`"),
        (tcp, rtu, "`unit` must be 1 to 247 on a serial line, not 250"),
    ];
    for (from, to, expected) in table {
        let toml = PLANT.replace(from, to);
        let toml = if from == tcp { toml.replace("unit = 16", "unit = 250") } else { toml };
        let told = mistakes(&toml, &points());
        assert!(told.len() == 1 && told[0].contains(expected), "{to}: {told:#?}");
    }
}

#[test]
fn mistakes_of_both_files_are_told_together() {
    let toml = format!("sever = 1\n{}", PLANT.replace("unit = 16", "unit = 300"));
    let told = mistakes(&toml, &row("board-1,a,T,hr,0,double"));
    assert_eq!(told.len(), 3, "{told:#?}");
}

#[test]
fn what_is_seldom_meant_is_a_warning() {
    let table = [
        ("[integrity]\nkey = \"short\"\n", "gapless.toml:2:7: a key of fewer than 16 characters"),
        ("[metrics]\nlisten = \"0.0.0.0:9\"\n", "gapless.toml:2:10: without a `token`, only"),
        (
            "[[channel]]\nid = 9\ntransport = \"tcp\"\nhost = \"10.0.0.7\"\n",
            "10.0.0.7:502 is also the channel at",
        ),
        (
            "[[device]]\nid = \"b\"\nsite = \"north\"\nchannel = 1\nunit = 1\n",
            "device `b` has no points",
        ),
    ];
    for (text, expected) in table {
        let read = read_texts(&format!("{text}{PLANT}"), &points()).unwrap();
        let told: Vec<_> = read.warnings.iter().map(ToString::to_string).collect();
        assert!(told.iter().any(|line| line.contains(expected)), "{text}: {told:#?}");
    }
}

#[test]
fn the_environment_goes_before_the_file_and_flags_before_both() {
    let toml = format!("[server]\nlisten = \"127.0.0.1:1\"\n{PLANT}");
    let variables = [
        ("GAPLESS__SERVER__LISTEN", "127.0.0.1:2"),
        ("GAPLESS__INTEGRITY__KEY", "0123456789abcdef"),
        ("GAPLESS__CHANNEL__1__POLL_INTERVAL", "0.5"),
        ("GAPLESS__AUTH__ENABLED", "false"),
    ];
    let read = read_bytes(toml.as_bytes(), points().as_bytes(), &variables).unwrap();
    assert_eq!(read.listen.port(), 2);
    assert_eq!(read.integrity.key.as_deref(), Some("0123456789abcdef"));
    assert_eq!(read.channels[0].poll_interval, Duration::from_millis(500));
    let listen = read.settings.iter().find(|setting| setting.key == "server.listen").unwrap();
    assert_eq!(listen.place, Place::Variable("GAPLESS__SERVER__LISTEN".into()));

    let flag = Override::flag("server.listen", "--listen", "127.0.0.1:3".into());
    let source = Source {
        name: "gapless.toml".into(),
        text: toml.into_bytes().into(),
        points: PointTable::Embedded(
            b"device,point_id,type,area,address,datatype,bit\nboard-1,temperature,T,hr,1,int16\n",
        ),
    };
    let variables = [("GAPLESS__SERVER__LISTEN".to_owned(), "127.0.0.1:2".to_owned())];
    let read = super::read(&source, &variables, vec![flag]).unwrap();
    assert_eq!(read.listen.port(), 3);
}

#[test]
fn an_unknown_variable_and_an_open_door_are_mistakes() {
    let table = [
        (
            "GAPLESS__SERVER__LISTN",
            "true",
            "GAPLESS__SERVER__LISTN: unknown key `server.listn`; did you mean `listen`?",
        ),
        ("GAPLESS__AUTH__ENABLED", "so", "GAPLESS__AUTH__ENABLED: `enabled` must be true or false"),
        (
            "GAPLESS__SERVER__LISTEN",
            "0.0.0.0:80",
            "GAPLESS__SERVER__LISTEN: 0.0.0.0:80 can be reached from the network: write",
        ),
    ];
    for (name, value, expected) in table {
        let refusal =
            read_bytes(PLANT.as_bytes(), points().as_bytes(), &[(name, value)]).unwrap_err();
        assert!(refusal.mistakes[0].to_string().starts_with(expected), "{refusal}");
    }
}

#[test]
fn secrets_are_never_shown() {
    let key =
        "[integrity]\nkey = \"hush-hush-hush-hush\"\nprevious_key = \"hush-hush-as-before\"\n";
    let toml = format!("{key}[metrics]\ntoken = \"hush-hush-hush-hush\"\n{PLANT}");
    let read = read_texts(&toml, &points()).unwrap();
    assert_eq!(read.metrics.token.as_deref(), Some("hush-hush-hush-hush"));
    assert_eq!(read.integrity.previous_key.as_deref(), Some("hush-hush-as-before"));
    assert!(!format!("{read:?}").contains("hush"));
}

proptest! {
    #[test]
    fn no_bytes_make_the_readers_panic(toml: Vec<u8>, points: Vec<u8>) {
        let _ = read_bytes(&toml, &points, &[]);
    }

    #[test]
    fn no_cells_make_the_reader_panic(
        cells in "([a-zA-Z0-9.x\"\n;#-]{0,6},){0,16}",
        noise in proptest::collection::vec(any::<u8>(), 0..20),
    ) {
        let _ = read_bytes(PLANT.as_bytes(), &[row(&cells).as_bytes(), &noise].concat(), &[]);
    }
}
