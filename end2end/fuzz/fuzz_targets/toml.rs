//! Reads any bytes as a configuration with a small point table: what is accepted fits together, what
//! is not has a place.

#![no_main]

use std::collections::BTreeSet;
use std::time::Duration;

use config::changes::{Changes, compare};
use config::finding::{Finding, Place};
use config::{Configuration, PointTable, Setting as Shown, Source};
use libfuzzer_sys::fuzz_target;
use protocol::command::{Check, CommandAction, CommandSpec, Setting};
use protocol::id::PointKey;
use protocol::point::Device;
use protocol::reading::Value;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let source = Source {
        name: FILE.into(),
        text: bytes.to_owned().into(),
        points: PointTable::Embedded(POINTS),
    };
    let read = config::read(&source, &[], Vec::new());
    let findings = match &read {
        Ok(configuration) => {
            fits_together(configuration);
            let again = config::read(&source, &[], Vec::new()).expect("it was right before");
            assert_eq!(compare(configuration, &again), Changes::default());
            configuration.warnings.clone()
        }
        Err(refusal) => {
            assert!(!refusal.mistakes.is_empty(), "a refusal has a reason");
            refusal.mistakes.iter().chain(&refusal.warnings).cloned().collect()
        }
    };
    findings.iter().for_each(|finding| has_a_place(finding, &text));
    config::report::print(&mut Vec::new(), FILE, &read).expect("there is room in memory");
});

/// One line of text, about a place that is there.
fn has_a_place(finding: &Finding, text: &str) {
    assert!(!finding.text.contains(char::is_control), "{:?}", finding.text);
    match &finding.place {
        Place::Line { file, line, column } => {
            let written = text.split('\n').nth(line - 1).expect("the line is there");
            // Just behind the last character is where something is missing.
            assert!((1..=written.chars().count() + 1).contains(column), "{finding}");
            assert_eq!(&**file, FILE);
        }
        Place::File(file) => assert!(&**file == FILE || file.starts_with("demo "), "{finding}"),
        Place::Row { row, .. } => {
            let rows = POINTS.split(|byte| *byte == b'\n').count();
            assert!((1..=rows as u64).contains(row), "{finding}");
        }
        Place::Default => {}
        other => panic!("{other} is no place in a file"),
    }
}

fn fits_together(configuration: &Configuration) {
    let Configuration { plant, channels, settings, .. } = configuration;
    for config in channels {
        assert_eq!(config.mistakes(), []);
    }
    let sites: BTreeSet<_> = plant.sites.iter().map(|site| &site.id).collect();
    let devices: BTreeSet<_> = plant.devices.iter().map(|device| &device.id).collect();
    assert_eq!((sites.len(), devices.len()), (plant.sites.len(), plant.devices.len()));
    let targets: Vec<_> = channels.iter().flat_map(|config| &config.targets).collect();
    assert_eq!(targets.len(), plant.devices.len());
    for device in &plant.devices {
        assert!(sites.contains(&device.site), "{}", device.id);
        let target = targets.iter().find(|target| target.device == device.id);
        let target = target.expect("each device is polled");
        assert_eq!(target.mappings.len(), device.points.len(), "{}", device.id);
        let has = |key: &PointKey| device.points.iter().any(|point| &point.key == key);
        assert!(device.overview.len() <= 3 && device.overview.iter().all(has), "{}", device.id);
        let names: BTreeSet<_> = device.commands.iter().map(|command| &command.name).collect();
        assert_eq!(names.len(), device.commands.len(), "{}", device.id);
        device.commands.iter().for_each(|command| can_be_carried_out(command, device));
    }
    let shown = settings.iter().filter(|setting| SECRETS.contains(&setting.key.as_str()));
    shown.for_each(|setting| assert_eq!(setting.value, "****"));
    keeps_its_promises(configuration);
}

fn keeps_its_promises(configuration: &Configuration) {
    let Configuration { listen, auth, tls, log, records, settings, .. } = configuration;
    let is_said = |setting: &Shown| setting.key == "tls.enabled" && setting.place != Place::Default;
    assert!(listen.ip().is_loopback() || settings.iter().any(is_said), "{listen}");
    assert!(auth.access_lifetime <= Duration::from_secs(3_600));
    let month = Duration::from_secs(30 * 86_400);
    assert!(log.keep.min(records.keep).min(records.keep_security) >= month);
    if let Some(files) = &tls.files {
        assert!(files.certificate.is_file() && files.key.is_file());
    }
}

fn can_be_carried_out(command: &CommandSpec, device: &Device) {
    let CommandAction::Write { point, value, verify } = &command.action else { return };
    let takes = |key: &PointKey, value: &Value| {
        let point = device.point(key).expect("the point is there");
        assert_eq!(point.is_switch(), value.number().is_none(), "{}", command.name);
    };
    assert!(device.point(point).is_some(), "{}", command.name);
    if let Setting::Fixed(value) = value {
        takes(point, value);
    }
    if let Check::Other { point, value } = verify {
        takes(point, value);
    }
}

const SECRETS: [&str; 5] =
    ["integrity.key", "integrity.previous_key", "metrics.token", "tls.key", "uplink.token"];
const FILE: &str = "gapless.toml";
/// Enough for the sample's overviews and commands.
const POINTS: &[u8] = b"device,point_id,type,area,address,datatype,bit,role,fault_code\n\
    board-1,rail_potential,T,hr,5,uint16,,,\n\
    board-1,branch_current_1,T,hr,6,uint16,,,\n\
    board-1,temperature,T,hr,7,int16,,,\n\
    board-1,work_mode,T,hr,8,uint16,,,\n\
    board-1,fault,S,hr,9,bool,0,fault,E001\n\
    board-1,temp_threshold,A,hr,10,int16,,,\n\
    board-1,reset,C,co,0,bool,,,\n\
    board-1,remote_off,C,co,1,bool,,,\n\
    board-1,remote_on,C,co,2,bool,,,\n\
    board-2,temperature,T,hr,7,int16,,,\n";
