//! Orders as a spreadsheet reads them: UTF-8, one row an order.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use csv::{Terminator, WriterBuilder};
use jiff::tz::TimeZone;
use protocol::frame::CommandStatus;
use protocol::id::{DeviceId, SiteId};
use protocol::point::{Device, Plant};
use protocol::time::Timestamp;
use protocol::wire::commands::CommandRow;

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

    /// What spreadsheets know UTF-8 by, and the names of the columns.
    pub(super) fn heading() -> Result<Vec<u8>, csv::Error> {
        let mut text = BYTE_ORDER_MARK.to_vec();
        text.extend(written([COLUMNS.map(ToOwned::to_owned)])?);
        Ok(text)
    }

    pub(super) fn rows(&self, rows: &[CommandRow]) -> Result<Vec<u8>, csv::Error> {
        written(rows.iter().map(|row| self.cells(row)))
    }

    fn cells(&self, row: &CommandRow) -> [String; COLUMNS.len()] {
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

fn written<const N: usize>(
    rows: impl IntoIterator<Item = [String; N]>,
) -> Result<Vec<u8>, csv::Error> {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    rows.into_iter().try_for_each(|row| writer.write_record(row))?;
    writer.into_inner().map_err(|error| error.into_error().into())
}

/// ISO 8601 with the offset of that moment; UTC where the device is no longer known.
fn local(at: Timestamp, zone: Option<&TimeZone>) -> String {
    let millis = i64::try_from(at.as_millis()).ok();
    let Some(moment) = millis.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok()) else {
        return String::new();
    };
    let zone = zone.cloned().unwrap_or(TimeZone::UTC);
    moment.to_zoned(zone).strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string()
}

/// A text that no spreadsheet takes for a formula.
fn plain(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
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

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

const COLUMNS: [&str; 22] = [
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

    fn text(bytes: Result<Vec<u8>, csv::Error>) -> String {
        String::from_utf8(bytes.unwrap()).unwrap()
    }

    #[test]
    fn a_row_has_its_times_in_the_zone_of_its_site() {
        let rows = [row()];
        let expected = "17,2025-11-28T12:00:00.007+08:00,1764302400007,\
                        2025-11-28T12:00:00.047+08:00,1764302400047,board-1,SET_TEMP_THRESHOLD,\
                        '-32.5,c-1,local,anonymous,10.0.0.7,SUCCESS,,,ON,-32.5,yes,40,2,3,\r\n";
        assert_eq!(text(sheet("Asia/Shanghai").rows(&rows)), expected);
        let other = [CommandRow { device_id: "gone".parse().unwrap(), ..row() }];
        let told = text(sheet("Asia/Shanghai").rows(&other));
        assert!(told.contains("2025-11-28T04:00:00.007+00:00,1764302400007"), "{told}");
    }

    #[test]
    fn the_heading_names_each_column_behind_the_mark_of_utf_8() {
        let heading = text(Sheet::heading());
        assert!(heading.starts_with("\u{feff}id,accepted_at,accepted_ms,"), "{heading}");
        assert!(heading.ends_with(",written_after_ms\r\n"));
    }

    #[test]
    fn no_cell_is_a_formula_and_none_breaks_its_row() {
        let hostile = CommandRow {
            command: "=1+1".into(),
            command_id: "@SUM(A1)".into(),
            detail: Some("a \"quoted\",\r\nbroken line".into()),
            param: Some("+1".into()),
            reason: Some(Failure::DeviceTimeout),
            status: Some(CommandStatus::Fail),
            user: "-张三".into(),
            verified: None,
            ..row()
        };
        let bytes = sheet("Asia/Shanghai").rows(&[hostile]).unwrap();
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&*bytes);
        let records: Vec<_> = reader.records().collect::<Result<_, _>>().unwrap();
        assert_eq!(records.len(), 1);
        let cells: Vec<_> = records[0].iter().collect();
        assert_eq!(cells[6..9], ["'=1+1", "'+1", "'@SUM(A1)"]);
        assert_eq!((cells[10], cells[12], cells[13]), ("'-张三", "FAIL", "DEVICE_TIMEOUT"));
        assert_eq!((cells[14], cells[17]), ("a \"quoted\",\r\nbroken line", ""));
    }
}
