//! What a query asks of the record of orders.

use protocol::frame::CommandStatus;
use protocol::time::Timestamp;
use store::CommandFilter;

use crate::error::ApiError;
use crate::rest::query::{Filter, moment, parsed, put, shown, text, unknown};

impl Filter for CommandFilter {
    fn narrow(&mut self, name: &str, value: &str) -> Result<(), ApiError> {
        match name {
            "device" => put(&mut self.device, name, parsed(value)),
            "origin" => put(&mut self.origin, name, parsed(value)),
            "user" => put(&mut self.user, name, text(value)),
            "command" => put(&mut self.command, name, text(value)),
            "status" => put(&mut self.status, name, status(value)),
            "reason" => put(&mut self.failure, name, parsed(value)),
            "from" => put(&mut self.from, name, moment(value)),
            "to" => put(&mut self.to, name, moment(value)),
            "text" => put(&mut self.text, name, text(value)),
            other => Err(unknown(other)),
        }
    }

    fn span(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        (self.from, self.to)
    }
}

fn status(value: &str) -> Result<CommandStatus, String> {
    match value {
        "SUCCESS" => Ok(CommandStatus::Success),
        "FAIL" => Ok(CommandStatus::Fail),
        other => Err(format!("`{}` is neither SUCCESS nor FAIL", shown(other))),
    }
}

#[cfg(test)]
mod tests {
    use protocol::command::{Failure, Origin};

    use super::*;
    use crate::rest::query::Asked;

    fn read(query: &str) -> Result<Asked<CommandFilter>, String> {
        let uri = format!("/api/commands?{query}").parse().unwrap();
        Asked::read(&uri).map_err(|error| error.to_string())
    }

    #[test]
    fn every_parameter_narrows_what_is_told() {
        let all = "device=board-1&origin=system_server&user=%E5%BC%A0%E4%B8%89&command=START&\
                   status=FAIL&reason=DEVICE_TIMEOUT&from=1000&to=2000&text=10.0.0.7&limit=500";
        let expected = CommandFilter {
            device: Some("board-1".parse().unwrap()),
            origin: Some(Origin::SystemServer),
            user: Some("张三".into()),
            command: Some("START".into()),
            status: Some(CommandStatus::Fail),
            failure: Some(Failure::DeviceTimeout),
            from: Some(Timestamp::from_millis(1_000)),
            to: Some(Timestamp::from_millis(2_000)),
            text: Some("10.0.0.7".into()),
        };
        let asked = read(all).unwrap();
        assert_eq!((asked.filter, asked.limit.get()), (expected, 500));
        let nothing = read("device=&origin=&limit=&before=").unwrap();
        assert_eq!((nothing.filter, nothing.before), (CommandFilter::default(), None));
        assert_eq!(nothing.limit.get(), 100);
    }

    #[test]
    fn what_cannot_be_asked_is_named() {
        let table = [
            ("device=a%20b", "`device` `a b`: identifier `a b` may hold only"),
            ("origin=nobody", "`origin` `nobody`: `nobody` is not known here"),
            ("status=success", "`status` `success` is neither SUCCESS nor FAIL"),
            ("from=-1", "`from` `-1` is no time in milliseconds"),
            ("to=253402300800000", "`to` `253402300800000` is no time"),
            ("to=NaN", "`to` `NaN` is no time"),
            ("from=2&to=1", "`to` is earlier than `from`"),
            ("reason=BORED", "`reason` `BORED`: `BORED` is not known here"),
            ("before=x", "`before` `x`"),
            ("limit=0", "`limit` must be 1 to 500, not `0`"),
            ("limit=501", "`limit` must be 1 to 500, not `501`"),
            ("limit=1&limit=1", "`limit` stands there twice"),
            ("colour=red", "`colour` is none of the parameters"),
        ];
        for (query, expected) in table {
            let told = read(query).unwrap_err();
            assert!(told.starts_with(expected), "{query}: {told}");
        }
        assert!(read(&format!("user={}", "x".repeat(81))).is_err());
    }
}
