//! What is answered, and what is ordered: table by table, without a line.

use field::slave::{Answer, Staged, Stale, Wished};
use proptest::prelude::*;
use protocol::id::DeviceId;
use protocol::reading::Quality;

use crate::support::*;

#[test]
fn reads_are_answered_from_what_is_known() {
    let table: [(&[u8], &[u8]); 11] = [
        (&[3, 0, 0, 0, 4], &[3, 8, 0, 1, 0, 0, 0, 0, 0, 255]),
        (&[4, 0, 0, 0, 1], &[4, 2, 0, 1]),
        (&[3, 0, 4, 0, 2], &[3, 4, 0x41, 0x48, 0, 0]),
        (&[3, 0, 5, 0, 1], &[3, 2, 0, 0]),
        (&[3, 0, 0x10, 0, 1], &[3, 2, 2, 0x58]),
        (&[3, 0, 0x11, 0, 2], &[3, 4, 0, 0, 0, 0]),
        (&[3, 0x30, 0, 0, 4], &[3, 8, 0, 123, 7, 5, 9, 28, 7, 0xEA]),
        (&[3, 0x30, 2, 0, 1], &[3, 2, 9, 28]),
        (&[2, 0, 0, 0, 1], &[2, 1, 1]),
        (&[1, 0x01, 0x20, 0, 3], &[1, 1, 0b100]),
        (&[1, 0x01, 0x01, 0, 1], &[1, 1, 0]),
    ];
    for (request, expected) in table {
        let found = answer(Stale::Last, &good(), request);
        assert_eq!(found, Answer::Bytes(expected.into()), "{request:?}");
    }
}

#[test]
fn exceptions_come_in_the_order_of_the_standard() {
    let table: [(&[u8], u8); 22] = [
        // The function goes before all else.
        (&[7], 1),
        (&[20, 0xFF, 0xFF, 0, 0], 1),
        (&[], 1),
        // A count or a value that cannot be goes before an address that is not there.
        (&[3, 0xFF, 0xFF, 0, 0], 3),
        (&[3, 0, 0, 0, 126], 3),
        (&[1, 0xFF, 0xFF, 0x07, 0xD1], 3),
        (&[5, 0xFF, 0xFF, 0xFF, 1], 3),
        (&[15, 0xFF, 0xFF, 0, 9, 1, 0], 3),
        (&[16, 0xFF, 0xFF, 0, 1, 3, 0, 1, 0], 3),
        (&[6, 0, 0x10], 3),
        (&[3, 0, 0, 0, 1, 0], 3),
        // An address that is not there, if only in part, or one that cannot be written.
        (&[3, 0, 0, 0, 7], 2),
        (&[3, 0xFF, 0xFF, 0, 2], 2),
        (&[2, 0, 0, 0, 2], 2),
        (&[5, 0x01, 0x02, 0xFF, 0], 2),
        (&[15, 0x01, 0x20, 0, 4, 1, 0], 2),
        (&[6, 0, 0, 0, 1], 2),
        (&[6, 0, 2, 0, 1], 2),
        (&[16, 0, 0x10, 0, 2, 4, 0, 1, 0, 1], 2),
        (&[6, 0, 0x11, 0, 1], 2),
        // No number, and no time.
        (&[16, 0, 0x11, 0, 2, 4, 0x7F, 0xC0, 0, 0], 3),
        (&[16, 0x30, 0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0], 3),
    ];
    for (request, code) in table {
        let function = request.first().copied().unwrap_or(0);
        let found = answer(Stale::Last, &good(), request);
        assert_eq!(found, Answer::Bytes(vec![function | 0x80, code]), "{request:?}");
    }
}

/// Commands, each with its parameter.
type Orders<'a> = &'a [(&'a str, Option<&'a str>)];

#[test]
fn writes_are_orders() {
    let time = NOW.to_string();
    let table: [(&[u8], Orders<'_>); 9] = [
        (&[6, 0, 0x10, 2, 0x5B], &[("SET", Some("60.3"))]),
        (&[6, 0, 0x10, 0, 0], &[("SET", Some("0"))]),
        (
            &[16, 0, 0x10, 0, 3, 6, 0, 3, 0xC0, 0xA0, 0, 0],
            &[("SET", Some("0.3")), ("LIMIT", Some("-5"))],
        ),
        (&[6, 0, 0x20, 0, 0b11], &[("CLOSE", None), ("OPEN", None)]),
        (&[5, 0x01, 0x01, 0xFF, 0], &[("RESET", Some("E001"))]),
        (
            &[15, 0x01, 0x20, 0, 3, 1, 0b111],
            &[("CLOSE", None), ("OPEN", None), ("FAN", Some("ON"))],
        ),
        (&[15, 0x01, 0x20, 0, 3, 1, 0b010], &[("OPEN", None), ("FAN", Some("OFF"))]),
        (&[5, 0x01, 0x22, 0, 0], &[("FAN", Some("OFF"))]),
        (&[16, 0x30, 0, 0, 4, 8, 0, 123, 7, 5, 9, 28, 7, 26], &[("SET_CLOCK", Some(&time))]),
    ];
    for (request, expected) in table {
        let expected = expected.iter().map(|(command, param)| Wished {
            device: id("board-1"),
            command: (*command).into(),
            param: param.map(Into::into),
        });
        let wished =
            Answer::Wishes { wished: expected.collect(), confirmation: request[..5].into() };
        assert_eq!(answer(Stale::Last, &good(), request), wished, "{request:?}");
    }
}

#[test]
fn a_command_that_is_switched_off_is_accepted_without_effect() {
    for request in [[5, 0x01, 0x20, 0, 0], [6, 0, 0x20, 0, 0], [6, 0, 0x20, 0, 0b100]] {
        let found = answer(Stale::Last, &good(), &request);
        assert_eq!(found, Answer::Bytes(request.into()), "{request:?}");
    }
}

#[test]
fn the_clock_is_set_with_the_last_of_its_registers() {
    let (rules, mut staged) = (rules(Stale::Last), Staged::default());
    let source = |_: &DeviceId| None;
    let mut write = |request: &[u8]| rules.answer(UNIT, request, &source, NOW, &mut staged);
    let confirmed = Answer::Bytes(vec![16, 0x30, 1, 0, 2]);
    assert_eq!(write(&[16, 0x30, 1, 0, 2, 4, 7, 5, 9, 28]), confirmed);
    assert_eq!(write(&[6, 0x30, 0, 0, 123]), Answer::Bytes(vec![6, 0x30, 0, 0, 123]));
    let Answer::Wishes { wished, .. } = write(&[6, 0x30, 3, 7, 26]) else { panic!("an order") };
    assert_eq!(wished[0].param, Some(NOW.to_string()));
    assert_eq!(write(&[6, 0x30, 3, 7, 26]), Answer::Bytes(vec![6, 0x30, 3, 7, 26]));
}

#[test]
fn what_is_not_to_be_trusted_reads_as_configured() {
    let never = Readings::new();
    let stale = but("temperature", Quality::Stale);
    let unsure = but("temperature", Quality::Uncertain);
    let told = Ok(255);
    let sentinel = Ok(SENTINEL);
    let table = [
        (Stale::Last, &stale, told),
        (Stale::Sentinel, &stale, sentinel),
        (Stale::Exception, &stale, Err(4)),
        (Stale::Last, &unsure, told),
        (Stale::Sentinel, &unsure, told),
        (Stale::Exception, &unsure, told),
        (Stale::Last, &never, sentinel),
        (Stale::Sentinel, &never, sentinel),
        (Stale::Exception, &never, Err(4)),
    ];
    for (policy, readings, expected) in table {
        let bytes = match expected {
            Ok(word) => [[3, 2], u16::to_be_bytes(word)].concat(),
            Err(code) => vec![0x83, code],
        };
        let found = answer(policy, readings, &[3, 0, 3, 0, 1]);
        assert_eq!(found, Answer::Bytes(bytes), "{policy:?}");
    }
}

#[test]
fn one_bit_in_doubt_makes_the_whole_word_doubtful() {
    let lost = but("fault", Quality::NoComm);
    let found = answer(Stale::Sentinel, &lost, &[3, 0, 0, 0, 1]);
    assert_eq!(found, Answer::Bytes(vec![3, 2, 0x80, 0x01]));
    let lost = but("door", Quality::Bad);
    let found = answer(Stale::Sentinel, &lost, &[2, 0, 0, 0, 1]);
    assert_eq!(found, Answer::Bytes(vec![2, 1, 1]), "the sentinel's lowest bit");
}

#[test]
fn an_exception_hits_only_reads_of_what_is_in_doubt() {
    let lost = but("temperature", Quality::NoComm);
    let found = answer(Stale::Exception, &lost, &[3, 0, 0, 0, 3]);
    assert_eq!(found, Answer::Bytes(vec![3, 6, 0, 1, 0, 4, 0, 0]), "its quality is told");
    let found = answer(Stale::Exception, &lost, &[3, 0, 3, 0, 9]);
    assert_eq!(found, Answer::Bytes(vec![0x83, 2]), "the address goes first");
}

#[test]
fn the_quality_register_tells_the_worst() {
    let table = [
        (Quality::Good, 0),
        (Quality::Simulated, 1),
        (Quality::Uncertain, 1),
        (Quality::Stale, 2),
        (Quality::Bad, 3),
        (Quality::NoComm, 4),
    ];
    for (quality, code) in table {
        let found = answer(Stale::Last, &but("door", quality), &[3, 0, 1, 0, 1]);
        assert_eq!(found, Answer::Bytes(vec![3, 2, 0, code]), "{quality:?}");
    }
}

#[test]
fn another_unit_is_none_of_our_business() {
    let source = |_: &DeviceId| None;
    for request in [&[3, 0, 0, 0, 1][..], &[7], &[]] {
        let found = rules(Stale::Last).answer(9, request, &source, NOW, &mut Staged::default());
        assert_eq!(found, Answer::Silence);
    }
    let found =
        rules(Stale::Last).answer(OTHER, &[4, 0, 0, 0, 1], &source, NOW, &mut Staged::default());
    assert_eq!(found, Answer::Bytes(vec![4, 2, 0, 0]), "a device without points is good");
}

proptest! {
    #[test]
    fn any_request_is_answered_or_ignored(
        unit in prop::sample::select(vec![UNIT, OTHER, 9]),
        stale in prop::sample::select(vec![Stale::Last, Stale::Sentinel, Stale::Exception]),
        head in prop::collection::vec(any::<u8>(), 0..3),
        request in prop::collection::vec(any::<u8>(), 0..300),
        is_plausible: bool,
    ) {
        let mut request = [head, request].concat();
        if let (true, [function, high, ..]) = (is_plausible, request.as_mut_slice()) {
            *function = *function % 16 + 1;
            *high %= 2;
        }
        let source = |_: &DeviceId| Some(good());
        let answer = rules(stale).answer(unit, &request, &source, NOW, &mut Staged::default());
        match answer {
            Answer::Silence => prop_assert_eq!(unit, 9),
            Answer::Bytes(bytes) => prop_assert!((2..=253).contains(&bytes.len())),
            Answer::Wishes { wished, confirmation } => {
                prop_assert!(!wished.is_empty());
                prop_assert_eq!(confirmation.len(), 5);
            }
        }
    }
}
