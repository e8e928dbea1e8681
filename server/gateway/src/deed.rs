//! What goes into the audit trail.

use protocol::command::{CommandRecord, OrderKey, Outcome};
use store::{Action, Deed};

/// An order that has come to its end, however it did (`architecture.md` 6).
pub(crate) fn of_order(record: &CommandRecord, outcome: &Outcome) -> Deed {
    let OrderKey { origin, user, device, id } = &record.order.key;
    let param = record.order.param.as_ref().map(|param| format!(" {param}")).unwrap_or_default();
    let why = match (outcome.failure, &outcome.detail) {
        (Some(failure), Some(detail)) => format!(": {failure}, {detail}"),
        (Some(failure), None) => format!(": {failure}"),
        (None, _) => String::new(),
    };
    let (command, ms) = (&record.order.command, outcome.ms);
    Deed {
        at: outcome.at,
        user: user.clone(),
        role: None,
        origin: format!("{origin} {}", record.order.via).trim_end().into(),
        action: Action::Command,
        target: device.to_string(),
        before: outcome.old.map(|value| value.to_string()),
        after: outcome.new.map(|value| value.to_string()),
        is_done: outcome.failure.is_none(),
        detail: format!("{command}{param} ({id}) in {ms} ms{why}"),
    }
}

#[cfg(test)]
mod tests {
    use protocol::command::{Failure, Order, Origin, Steps};
    use protocol::reading::Value;
    use protocol::time::Timestamp;

    use super::*;

    fn record() -> CommandRecord {
        let device = "board-1".parse().unwrap();
        let key = OrderKey { origin: Origin::Local, user: "li".into(), device, id: "c-1".into() };
        let (command, param) = ("SET_TEMP_THRESHOLD".into(), Some("32".into()));
        let order = Order { key, command, param, valid_until: None, via: "10.0.0.7:9".into() };
        let (accepted_at, steps) = (Timestamp::default(), Steps::default());
        CommandRecord { order, accepted_at, steps, outcome: None }
    }

    fn outcome() -> Outcome {
        Outcome {
            at: Timestamp::from_millis(1),
            failure: None,
            detail: None,
            verified: Some(true),
            old: Some(Value::Number(30.5)),
            new: Some(Value::Number(32.0)),
            ms: 9,
        }
    }

    #[test]
    fn an_order_tells_who_from_where_what_and_what_came_of_it() {
        let deed = of_order(&record(), &outcome());
        assert_eq!((deed.user.as_str(), deed.origin.as_str()), ("li", "local 10.0.0.7:9"));
        assert_eq!((deed.target.as_str(), deed.is_done), ("board-1", true));
        assert_eq!((deed.before.as_deref(), deed.after.as_deref()), (Some("30.5"), Some("32")));
        assert_eq!(deed.detail, "SET_TEMP_THRESHOLD 32 (c-1) in 9 ms");
        let failure = Some(Failure::DeviceTimeout);
        let failed = Outcome { failure, detail: Some("no answer".into()), ..outcome() };
        let deed = of_order(&record(), &failed);
        let expected = "SET_TEMP_THRESHOLD 32 (c-1) in 9 ms: DEVICE_TIMEOUT, no answer";
        assert_eq!((deed.is_done, deed.detail.as_str()), (false, expected));
    }
}
