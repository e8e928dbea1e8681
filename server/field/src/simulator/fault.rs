//! What can be wrong with a simulated board, switched while it runs.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

/// One way for a board to fail.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Fault {
    #[default]
    None,
    /// Does not listen, and has closed every connection; acts on all units of the board.
    Refuse,
    /// Accepts connections, but answers nothing.
    Hang,
    /// Answers everything with this exception code.
    Exception(u8),
    /// Answers what is not Modbus.
    Garbage,
    /// Answers one register, or one byte of bits, less than it was asked for.
    ShortAnswer,
    /// Answers in the name of another unit.
    ForeignUnit,
    /// Answers, but so much later.
    Delay(Duration),
    /// Closes the connection in the middle of its answer.
    Cut,
    /// Confirms what is written to it, and does nothing; reads go on.
    IgnoreWrites,
    /// Answers whatever is written to it with exception 4; reads go on.
    RefuseWrites,
}

/// A text that is no fault.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "`{0}` is no fault: none, refuse, hang, exception:<code>, garbage, short_answer, \
     foreign_unit, delay:<milliseconds>, cut, ignore_writes or refuse_writes"
)]
pub struct FaultError(String);

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let no_fault = || FaultError(text.into());
        let (word, number) = text.split_once(':').unwrap_or((text, ""));
        Ok(match word.replace('-', "_").as_str() {
            "exception" => Self::Exception(number.parse().map_err(|_| no_fault())?),
            "delay" => Self::Delay(Duration::from_millis(number.parse().map_err(|_| no_fault())?)),
            _ if !number.is_empty() => return Err(no_fault()),
            "none" => Self::None,
            "refuse" => Self::Refuse,
            "hang" => Self::Hang,
            "garbage" => Self::Garbage,
            "short_answer" => Self::ShortAnswer,
            "foreign_unit" => Self::ForeignUnit,
            "cut" => Self::Cut,
            "ignore_writes" => Self::IgnoreWrites,
            "refuse_writes" => Self::RefuseWrites,
            _ => return Err(no_fault()),
        })
    }
}

/// The fault switches of one board; all clones switch the same board.
#[derive(Clone, Debug)]
pub struct Faults(Arc<watch::Sender<Switches>>);

impl Faults {
    pub(super) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Switches::default())))
    }

    /// Gives all units of the board this fault and no other.
    pub fn set(&self, fault: Fault) {
        self.0.send_replace(Switches { common: fault, units: BTreeMap::new() });
    }

    /// Gives one unit this fault, whatever the others have.
    pub fn set_unit(&self, unit: u8, fault: Fault) {
        self.0.send_modify(|switches| {
            switches.units.insert(unit, fault);
        });
    }

    pub(super) fn of(&self, unit: u8) -> Fault {
        self.0.borrow().of(unit)
    }

    pub(super) fn watch(&self) -> watch::Receiver<Switches> {
        self.0.subscribe()
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Switches {
    common: Fault,
    units: BTreeMap<u8, Fault>,
}

impl Switches {
    pub(super) fn of(&self, unit: u8) -> Fault {
        self.units.get(&unit).copied().unwrap_or(self.common)
    }

    pub(super) fn refuse(&self) -> bool {
        self.common == Fault::Refuse || self.units.values().any(|fault| *fault == Fault::Refuse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read_from_text() {
        let wrong = |text: &str| Err(FaultError(text.into()));
        let table = [
            ("none", Ok(Fault::None)),
            ("refuse", Ok(Fault::Refuse)),
            ("hang", Ok(Fault::Hang)),
            ("exception:4", Ok(Fault::Exception(4))),
            ("garbage", Ok(Fault::Garbage)),
            ("short_answer", Ok(Fault::ShortAnswer)),
            ("foreign_unit", Ok(Fault::ForeignUnit)),
            ("delay:250", Ok(Fault::Delay(Duration::from_millis(250)))),
            ("cut", Ok(Fault::Cut)),
            ("ignore_writes", Ok(Fault::IgnoreWrites)),
            ("refuse-writes", Ok(Fault::RefuseWrites)),
            ("exception", wrong("exception")),
            ("exception:256", wrong("exception:256")),
            ("hang:1", wrong("hang:1")),
            ("tired", wrong("tired")),
        ];
        for (text, expected) in table {
            assert_eq!(text.parse(), expected, "{text}");
        }
    }

    #[test]
    fn a_unit_can_be_sick_alone() {
        let faults = Faults::new();
        faults.set_unit(2, Fault::Hang);
        let switches = faults.watch();
        assert_eq!(switches.borrow().of(1), Fault::None);
        assert_eq!(switches.borrow().of(2), Fault::Hang);
        faults.set(Fault::Garbage);
        assert_eq!(switches.borrow().of(2), Fault::Garbage);
    }
}
