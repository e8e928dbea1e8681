//! The same vectors on the host and, under wasm-bindgen-test, in a browser.

use protocol::digest::{Algorithm, Seal};
use protocol::frame::Sequence;
use protocol::reading::Value;
use protocol::stream::StreamName;
use protocol::wire::cut::cut;
use protocol::wire::native::{ServerFrame, ServerMessage, seal_text};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::{wasm_bindgen_test as test, wasm_bindgen_test_configure};

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test_configure!(run_in_browser);

#[test]
fn seals_agree_with_other_implementations() {
    // S0-92: computed with Python's hashlib and hmac
    for (algorithm, code) in CODES {
        assert_eq!(Seal::new(algorithm, "key").of(FRAME), code, "{algorithm:?}");
    }
}

#[test]
fn a_sealed_frame_is_verified_as_it_came() {
    // S0-91, S0-95
    for (algorithm, code) in CODES {
        let seal = Seal::new(algorithm, "key");
        let text = seal_text(&seal, FRAME);
        let cut = cut(&text).unwrap();
        assert_eq!(cut.checksum, code);
        assert_eq!(cut.pieces.concat(), FRAME);
        assert!(seal.matches(&cut.pieces, cut.checksum));
    }
}

#[test]
fn a_frame_reads_as_written() {
    // S0-3, S0-56
    let frame = ServerFrame::read(FRAME).unwrap();
    let ServerMessage::DataUpdate(update) = &frame.message else {
        panic!("not an update: {frame:?}");
    };
    assert_eq!(frame.seq, Some(Sequence(12)));
    let values: Vec<_> = update.points.values().map(|reading| reading.value).collect();
    assert_eq!(values, [Some(Value::Number(30.5))]);
}

#[test]
fn numbers_round_alike_on_every_machine() {
    // S0-3
    for (number, decimals, rounded) in [(30.25, 1, 30.3), (-30.25, 1, -30.3), (0.285, 2, 0.29)] {
        assert_eq!(Value::Number(number).rounded(decimals), Value::Number(rounded), "{number}");
    }
}

#[test]
fn numbers_beyond_32_bits_survive() {
    // A browser's `usize` has 32 bits; a sequence and a timestamp never fit into one.
    let text = FRAME.replace("\"seq\":12", "\"seq\":9007199254740991");
    assert_eq!(ServerFrame::read(&text).unwrap().seq, Some(Sequence(9_007_199_254_740_991)));
}

#[test]
fn stream_names_read_back_as_written() {
    for text in ["alarms", "device/board-1", "site/plant", "system", "user/li"] {
        assert_eq!(text.parse::<StreamName>().unwrap().to_string(), text);
    }
}

const FRAME: &str = r#"{"data":{"note":"温度","points":{"temperature":{"q":"good","t":5,"v":30.5}}},"device_id":"board-1","epoch":"e1","seq":12,"timestamp":5,"type":"DATA_UPDATE"}"#;

const CODES: [(Algorithm, &str); 2] = [
    (Algorithm::Md5, "b2139dfcef5e02d17f60dbe662e13ff0"),
    (Algorithm::HmacSha256, "aca9bcd58e933650d00c74c3ce12c380646f0b294f1c6c0270e72a96ce841c7c"),
];
