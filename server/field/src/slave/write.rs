//! What a write orders: command by command, all of it checked before any is carried out.

use protocol::reading::Value;
use protocol::time::Timestamp;

use super::clock::{self, Staged};
use super::map::{Command, Content, Entry, Param, Unit};
use super::wish::Wished;
use crate::decode::{Cells, decode};
use crate::map::{Area, Mapping};
use crate::pdu::{Exception, addresses};

/// The orders that `words`, written from `start` on, give; bits are words of 0 and 1.
pub(super) fn wished(
    (number, unit): (u8, &Unit),
    area: Area,
    start: u16,
    words: &[u16],
    now: Timestamp,
    staged: &mut Staged,
) -> Result<Vec<Wished>, Exception> {
    check_places(unit, area, start, words.len())?;
    let mut wished = Vec::new();
    for entry in unit.within(area, start, words.len()) {
        let device = &entry.device;
        let order = match &entry.content {
            Content::Value { command: Some(command), .. } => {
                let words = part(words, start, entry).ok_or(Exception::IllegalAddress)?;
                let param = param(command, &entry.mapping, words)?;
                param.map(|param| (command.name.clone(), param))
            }
            Content::Clock { zone, command: Some(command) } => {
                let clock = entry.mapping.address;
                let written = written(words, start, entry);
                let whole = staged.put((number, clock), written, now);
                let time = |registers| clock::read(registers, zone).ok_or(Exception::IllegalValue);
                let time = whole.map(time).transpose()?;
                time.map(|time| (command.clone(), Some(time.to_string())))
            }
            _ => None,
        };
        wished.extend(order.map(|(command, param)| Wished {
            device: device.clone(),
            command,
            param,
        }));
    }
    Ok(wished)
}

/// Each address must take orders, and no value may be cut in half.
fn check_places(unit: &Unit, area: Area, start: u16, count: usize) -> Result<(), Exception> {
    let mut places = addresses(start, count)?;
    let takes = |address| unit.within(area, address, 1).any(Entry::takes_orders);
    if !places.all(takes) {
        return Err(Exception::IllegalAddress);
    }
    let (from, end) = (usize::from(start), usize::from(start) + count);
    let is_cut = |entry: &Entry| {
        let at = usize::from(entry.mapping.address);
        matches!(entry.content, Content::Value { .. }) && (at < from || at + entry.width() > end)
    };
    if unit.within(area, start, count).any(is_cut) {
        return Err(Exception::IllegalAddress);
    }
    Ok(())
}

/// The words that belong to an entry, if it was written as a whole.
fn part<'a>(words: &'a [u16], start: u16, entry: &Entry) -> Option<&'a [u16]> {
    let from = usize::from(entry.mapping.address.checked_sub(start)?);
    words.get(from..from.checked_add(entry.width())?)
}

/// The words that belong to an entry, each with its place in it.
fn written(words: &[u16], start: u16, entry: &Entry) -> Vec<(usize, u16)> {
    let place = |(at, word): (usize, &u16)| {
        let at = (usize::from(start) + at).checked_sub(entry.mapping.address.into())?;
        (at < entry.width()).then_some((at, *word))
    };
    words.iter().enumerate().filter_map(place).collect()
}

/// What goes with the order; `None` where nothing is ordered.
fn param(
    command: &Command,
    mapping: &Mapping,
    words: &[u16],
) -> Result<Option<Option<String>>, Exception> {
    let cells = if mapping.area.holds_bits() {
        Cells::Bits(words.iter().map(|word| *word != 0).collect())
    } else {
        Cells::Registers(words.into())
    };
    let value = decode(mapping, &cells, 0).map_err(|_| Exception::IllegalValue)?;
    let is_given = match value {
        Value::Switch(on) => on,
        Value::Number(_) => words.iter().any(|word| *word != 0),
    };
    Ok(match &command.param {
        Param::Fixed(param) => is_given.then(|| param.clone()),
        Param::Written => Some(Some(value.to_string())),
    })
}
