//! What orders changed for good, such as the pace of a channel.

use protocol::time::Timestamp;

/// A setting as an order left it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Setting {
    pub value: String,
    /// What the configuration said when it was set.
    pub configured: String,
    pub at: Timestamp,
}

/// What holds after a start: what an order set, unless the configuration was edited since.
pub fn setting_in_force<'a>(kept: Option<&'a Setting>, configured: &'a str) -> &'a str {
    match kept {
        Some(kept) if kept.configured == configured => &kept.value,
        _ => configured,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_holds_until_the_configuration_is_edited() {
        let table = [
            (None, "1000", "1000"),
            (Some(("2000", "1000")), "1000", "2000"),
            (Some(("2000", "1000")), "500", "500"),
            (Some(("1000", "2000")), "1000", "1000"),
            (Some(("2000", "1000")), "2000", "2000"),
        ];
        for (kept, configured, expected) in table {
            let kept = kept.map(|(value, configured)| Setting {
                value: value.into(),
                configured: configured.into(),
                at: Timestamp::default(),
            });
            let in_force = setting_in_force(kept.as_ref(), configured);
            assert_eq!(in_force, expected, "{kept:?}, {configured}");
        }
    }
}
