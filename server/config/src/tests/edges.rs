use super::*;

const CENTER: &str = r#"
[server]
role = "center"
[[site]]
id = "north"
[[edge]]
id = "hongyanping"
token = "0123456789abcdef"
site = "north"
name_zh = "红岩坪"
devices = ["board-1", "board-2"]
commands = ["START", "STOP"]
"#;

/// Points for those who have the board.
const TABLE: &str = "device,point_id,type,area,address,datatype\n\
                     board-1,temperature,T,hr,40001,int16\n";

/// What is wrong with a center that has no boards.
fn refused(toml: &str) -> Vec<String> {
    let heading = TABLE.lines().next().unwrap();
    match read_texts(toml, &format!("{heading}\n")) {
        Ok(_) => Vec::new(),
        Err(refusal) => refusal.mistakes.iter().map(ToString::to_string).collect(),
    }
}

fn mistakes(toml: &str) -> Vec<String> {
    match read_texts(toml, TABLE) {
        Ok(_) => Vec::new(),
        Err(refusal) => refusal.mistakes.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn a_center_needs_no_boards_and_shows_its_edges_as_devices() {
    let folder = tempfile::tempdir().unwrap();
    let points = PointTable::Beside(folder.path().into());
    let source = Source { name: "g.toml".into(), text: CENTER.as_bytes().into(), points };
    let configuration = read(&source, &[], Vec::new()).unwrap();
    assert_eq!(configuration.warnings, []);
    assert_eq!((configuration.role, configuration.channels.len()), (crate::Role::Center, 0));
    let devices = &configuration.plant.devices;
    let ids: Vec<_> = devices.iter().map(|device| device.id.as_str()).collect();
    assert_eq!(ids, ["hongyanping:board-1", "hongyanping:board-2"]);
    assert_eq!(devices[0].name.zh, "红岩坪 board-1");
    let keys: Vec<_> = devices[0].points.iter().map(|point| point.key.as_str()).collect();
    assert_eq!(keys, ["backlog", "delay", "received"]);
    let names: Vec<_> = devices[0].commands.iter().map(|spec| spec.name.as_str()).collect();
    assert_eq!(names, ["START", "STOP"]);
    let edge = &configuration.edges[0];
    assert!(devices.iter().all(|device| device.channel == edge.channel));
    assert!(!format!("{configuration:?}").contains("0123456789abcdef"));
}

#[test]
fn an_edge_knows_its_center_and_its_devices_show_the_link() {
    let uplink = "[uplink]\nurl = \"ws://10.0.0.9:8080/ws/uplink\"\nedge = \"north\"\n";
    let toml = format!("{uplink}token = \"0123456789abcdef\"\n{PLANT}");
    let configuration = read_texts(&toml, TABLE).unwrap();
    let uplink = configuration.uplink.unwrap();
    assert_eq!(
        (uplink.edge.as_str(), uplink.url.as_str()),
        ("north", "ws://10.0.0.9:8080/ws/uplink")
    );
    assert!(configuration.plant.devices[0].has_system_server);
    assert!(!read_texts(PLANT, TABLE).unwrap().plant.devices[0].has_system_server);
}

#[test]
fn the_token_can_come_from_a_file_and_is_never_shown() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "a-secret-from-a-file\n").unwrap();
    let toml = format!("[uplink]\nurl = \"ws://c/ws/uplink\"\nedge = \"north\"\n{PLANT}");
    let path = file.path().to_str().unwrap();
    let variables = [("GAPLESS__UPLINK__TOKEN_FILE", path)];
    let read = read_bytes(toml.as_bytes(), TABLE.as_bytes(), &variables).unwrap();
    assert_eq!(read.uplink.as_ref().unwrap().token, "a-secret-from-a-file");
    assert!(!format!("{read:?}").contains("a-secret-from-a-file"));
}

#[test]
fn every_mistake_about_edges_is_told_at_once() {
    let table = [
        ("role = \"center\"", "role = \"centre\"", vec!["`centre` is none of edge, center"]),
        ("role = \"center\"", "", vec!["[[edge]] goes with `role = \"center\"`"]),
        ("\"0123456789abcdef\"", "\"short\"", vec!["`token` must have at least 16 characters"]),
        ("site = \"north\"", "site = \"nort\"", vec!["there is no site `nort`"]),
        ("[\"board-1\", \"board-2\"]", "[]", vec!["`devices` is empty"]),
        ("\"board-2\"", "\"board-1\"", vec!["`devices` names `board-1` twice"]),
        ("\"STOP\"", "\"STOP:1\"", vec!["must hold names such as START"]),
        ("id = \"hongyanping\"", "id = \"hong yan\"", vec!["may hold only letters"]),
    ];
    for (old, new, expected) in table {
        let found = refused(&CENTER.replacen(old, new, 1));
        assert_eq!(found.len(), expected.len(), "{new}: {found:?}");
        let fits = found.iter().zip(&expected).all(|(found, part)| found.contains(part));
        assert!(fits, "{new}: {found:?}");
    }
    let twice = format!("{CENTER}{}", &CENTER[CENTER.find("[[edge]]").unwrap()..]);
    assert!(refused(&twice).iter().any(|text| text.contains("already defined")));
}

#[test]
fn every_mistake_about_an_uplink_is_told_at_once() {
    let table = [
        ("url = \"http://c/ws\"", "must be like wss://"),
        ("url = \"ws://c/ws?edge=x\"", "must be like wss://"),
        ("url = \"wss://c/ws#x\"", "must be like wss://"),
        ("url = \"ws:///ws\"", "must be like wss://"),
    ];
    for (url, expected) in table {
        let toml = format!("[uplink]\n{url}\n{PLANT}");
        let found = mistakes(&toml);
        assert_eq!(found.len(), 3, "{url}: {found:?}");
        assert!(found.iter().any(|text| text.contains(expected)), "{url}: {found:?}");
        assert!(found.iter().any(|text| text.contains("`edge` is missing")), "{found:?}");
        assert!(found.iter().any(|text| text.contains("`token` is missing")), "{found:?}");
    }
    let above = format!(
        "{CENTER}[uplink]\nurl = \"ws://c/ws\"\nedge = \"x\"\ntoken = \"0123456789abcdef\""
    );
    assert!(refused(&above)[0].contains("a center has none above it"));
}
