//! Sets the clock of a board.

use jiff::SignedDuration;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use protocol::job::{Done, NotDone};
use tokio::time::Instant;

use super::{Errand, invalid, pause, registers};
use crate::clock;
use crate::decode::Cells;
use crate::encode::Change;

impl Errand<'_> {
    /// Writes what a clock of the zone shows that is so far ahead of the machine's, and reads it back.
    pub(super) async fn set_clock(
        &mut self,
        address: u16,
        zone: &str,
        ahead_ms: i64,
    ) -> Result<Done, NotDone> {
        let zone = TimeZone::get(zone).map_err(invalid)?;
        let ahead = SignedDuration::from_millis(ahead_ms);
        let registers = clock::show(now_in(&zone, ahead)).to_vec();
        self.write(address, Change::Whole(Cells::Registers(registers))).await?;
        self.verify_clock(address, &zone, ahead).await
    }

    /// Reads the clock until it is right, or time is up.
    async fn verify_clock(
        &mut self,
        address: u16,
        zone: &TimeZone,
        ahead: SignedDuration,
    ) -> Result<Done, NotDone> {
        let block = registers(address, clock::WIDTH as u16);
        loop {
            let asked_at = Instant::now();
            let words = match self.read(&block).await {
                Ok(Cells::Registers(words)) => words,
                Ok(Cells::Bits(_)) => Vec::new(),
                Err(error) => return Err(self.unread(error)),
            };
            let told = words.as_slice().try_into().ok().and_then(clock::read);
            if told.is_some_and(|told| is_near(told, now_in(zone, ahead))) {
                return Ok(Done::default());
            }
            if !pause(asked_at, self.assignment.until).await {
                return Err(self.unverified(format!("the board's clock shows {words:x?}")));
            }
        }
    }
}

/// What a clock of this zone shows that is so far ahead of the machine's.
fn now_in(zone: &TimeZone, ahead: SignedDuration) -> DateTime {
    let now = jiff::Timestamp::now();
    zone.to_datetime(now.checked_add(ahead).unwrap_or(now))
}

fn is_near(one: DateTime, other: DateTime) -> bool {
    one.duration_since(other).abs() <= CLOCK_TOLERANCE
}

/// The clock of a board runs while it is written and read.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_secs(2);
