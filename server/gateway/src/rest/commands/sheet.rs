//! Orders as a spreadsheet reads them: UTF-8, one row an order.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use jiff::tz::TimeZone;
use protocol::frame::CommandStatus;
use protocol::id::{DeviceId, SiteId};
use protocol::point::{Device, Plant};
use protocol::time::Timestamp;
use protocol::wire::commands::CommandRow;

use crate::rest::sheet::{local, plain};

/// Writes rows with the times of their sites.
#[derive(Clone, Debug)]
pub(super) struct Sheet {
    zones: Arc<BTreeMap<DeviceId, TimeZone>>,
}

impl Sheet {
    pub(super) fn of(plant: &Plant) -> Self {
        let zone = |site: &SiteId| {
            let site = plant.sites.iter().find(|known| known.id == *site)?;
            TimeZone::get(&site.zone).ok()
        };
        let of = |device: &Device| Some((device.id.clone(), zone(&device.site)?));
        let zones = plant.devices.iter().filter_map(of);
        Self { zones: Arc::new(zones.collect()) }
    }

    pub(super) fn cells(&self, row: &CommandRow) -> [String; COLUMNS.len()] {
        let zone = self.zones.get(&row.device_id);
        let time = |at: Option<Timestamp>| at.map(|at| local(at, zone)).unwrap_or_default();
        [
            row.id.to_string(),
            time(Some(row.accepted_at)),
            row.accepted_at.to_string(),
            time(row.at),
            told(row.at),
            plain(row.device_id.as_str()),
            plain(&row.command),
            plain(row.param.as_deref().unwrap_or_default()),
            plain(&row.command_id),
            row.origin.to_string(),
            plain(&row.user),
            plain(&row.via),
            row.status.map_or("", status).to_owned(),
            told(row.reason),
            plain(row.detail.as_deref().unwrap_or_default()),
            told(row.old),
            told(row.new),
            row.verified.map_or("", |verified| if verified { "yes" } else { "no" }).to_owned(),
            told(row.ms),
            told(row.steps.recorded),
            told(row.steps.sent),
            told(row.steps.written),
        ]
    }
}

fn told<T: Display>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn status(status: CommandStatus) -> &'static str {
    match status {
        CommandStatus::Fail => "FAIL",
        CommandStatus::Success => "SUCCESS",
    }
}

pub(super) const COLUMNS: [&str; 22] = [
    "id",
    "accepted_at",
    "accepted_ms",
    "ended_at",
    "ended_ms",
    "device",
    "command",
    "param",
    "command_id",
    "origin",
    "user",
    "via",
    "status",
    "reason",
    "detail",
    "old",
    "new",
    "verified",
    "took_ms",
    "recorded_after_ms",
    "sent_after_ms",
    "written_after_ms",
];

#[cfg(test)]
mod tests {
    use protocol::command::{Failure, Origin, Steps};
    use protocol::id::ChannelId;
    use protocol::point::{Name, Site};
    use protocol::reading::Value;

    use super::*;
    use crate::rest::sheet::written;

    fn sheet(zone: &str) -> Sheet {
        let site = "plant".parse().unwrap();
        let device = Device {
            id: "board-1".parse().unwrap(),
            site: "plant".parse().unwrap(),
            channel: ChannelId(1),
            name: Name::default(),
            points: Vec::new(),
            commands: Vec::new(),
            overview: Vec::new(),
            has_pscada: false,
            has_system_server: false,
        };
        let sites = vec![Site { id: site, name: Name::default(), zone: zone.into() }];
        Sheet::of(&Plant { sites, devices: vec![device], demo: false })
    }

    fn row() -> CommandRow {
        CommandRow {
            accepted_at: Timestamp::from_millis(1_764_302_400_007),
            at: Some(Timestamp::from_millis(1_764_302_400_047)),
            command: "SET_TEMP_THRESHOLD".into(),
            command_id: "c-1".into(),
            detail: None,
            device_id: "board-1".parse().unwrap(),
            id: 17,
            ms: Some(40),
            new: Some(Value::Number(-32.5)),
            old: Some(Value::Switch(true)),
            origin: Origin::Local,
            param: Some("-32.5".into()),
            reason: None,
            status: Some(CommandStatus::Success),
            steps: Steps { recorded: Some(2), sent: Some(3), written: None },
            user: "anonymous".into(),
            verified: Some(true),
            via: "10.0.0.7".into(),
        }
    }

    fn text(sheet: &Sheet, row: &CommandRow) -> String {
        String::from_utf8(written([sheet.cells(row)]).unwrap()).unwrap()
    }

    #[test]
    fn a_row_has_its_times_in_the_zone_of_its_site() {
        let expected = "17,2025-11-28T12:00:00.007+08:00,1764302400007,\
                        2025-11-28T12:00:00.047+08:00,1764302400047,board-1,SET_TEMP_THRESHOLD,\
                        '-32.5,c-1,local,anonymous,10.0.0.7,SUCCESS,,,ON,-32.5,yes,40,2,3,\r\n";
        assert_eq!(text(&sheet("Asia/Shanghai"), &row()), expected);
        let other = CommandRow { device_id: "gone".parse().unwrap(), ..row() };
        let told = text(&sheet("Asia/Shanghai"), &other);
        assert!(told.contains("2025-11-28T04:00:00.007+00:00,1764302400007"), "{told}");
    }

    #[test]
    fn no_foreign_text_is_a_formula() {
        let hostile = CommandRow {
            command: "=1+1".into(),
            command_id: "@SUM(A1)".into(),
            param: Some("+1".into()),
            reason: Some(Failure::DeviceTimeout),
            status: Some(CommandStatus::Fail),
            user: "-张三".into(),
            verified: None,
            ..row()
        };
        let cells = sheet("Asia/Shanghai").cells(&hostile);
        assert_eq!(cells[6..9], ["'=1+1", "'+1", "'@SUM(A1)"]);
        let told = [10, 12, 13, 17].map(|column| cells[column].as_str());
        assert_eq!(told, ["'-张三", "FAIL", "DEVICE_TIMEOUT", ""]);
    }
}
