//! Cuts the check code out of a frame's text, so that what remains is exactly what was sealed.
//!
//! Nobody serialises again: the text as it came, without the top-level member `checksum` and the
//! one comma that goes with it (the following one, else the preceding).

/// A frame's text without its check code.
#[derive(Debug, Eq, PartialEq)]
pub struct Cut<'a> {
    /// What was sealed, in order.
    pub pieces: [&'a str; 3],
    pub checksum: &'a str,
}

/// Why no check code can be cut out of a text.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CutError {
    #[error("the frame is not a JSON object")]
    NotAnObject,
    #[error("the frame has no member `checksum`")]
    Missing,
    #[error("the member `checksum` is not a plain text")]
    NotText,
    #[error("the frame has more than one member `checksum`")]
    Twice,
}

/// Finds the check code of a frame.
///
/// The text need not be valid JSON elsewhere: whoever reads it afterwards will say so.
pub fn cut(text: &str) -> Result<Cut<'_>, CutError> {
    let mut scanner = Scanner { text, at: 0 };
    let mut found = None;
    scanner.expect(b'{').ok_or(CutError::NotAnObject)?;
    if scanner.expect(b'}').is_some() {
        return Err(CutError::Missing);
    }
    let mut comma_before = None;
    loop {
        let member = scanner.member().ok_or(CutError::NotAnObject)?;
        scanner.skip_space();
        let comma_after = (scanner.peek() == Some(b',')).then_some(scanner.at);
        if member.key == "checksum" {
            let twice = found.replace((member, comma_before, comma_after));
            if twice.is_some() {
                return Err(CutError::Twice);
            }
        }
        comma_before = comma_after;
        if comma_after.is_none() {
            break;
        }
        scanner.at += 1;
    }
    scanner.expect(b'}').ok_or(CutError::NotAnObject)?;
    let (member, before, after) = found.ok_or(CutError::Missing)?;
    let value = &text[member.value..member.end];
    let checksum = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let plain = checksum.filter(|inner| !inner.contains('\\')).ok_or(CutError::NotText)?;
    Ok(Cut { pieces: pieces(text, &member, before, after), checksum: plain })
}

fn pieces<'a>(
    text: &'a str,
    member: &Member<'_>,
    before: Option<usize>,
    after: Option<usize>,
) -> [&'a str; 3] {
    match (before, after) {
        (_, Some(comma)) => [&text[..member.start], &text[member.end..comma], &text[comma + 1..]],
        (Some(comma), None) => {
            [&text[..comma], &text[comma + 1..member.start], &text[member.end..]]
        }
        (None, None) => [&text[..member.start], &text[member.end..], ""],
    }
}

/// Places of one member, as byte offsets.
struct Member<'a> {
    key: &'a str,
    start: usize,
    value: usize,
    end: usize,
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.skip_space();
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn member(&mut self) -> Option<Member<'a>> {
        self.skip_space();
        let start = self.at;
        self.string()?;
        let key = &self.text[start + 1..self.at - 1];
        self.expect(b':')?;
        self.skip_space();
        let value = self.at;
        self.value()?;
        Some(Member { key, start, value, end: self.at })
    }

    fn string(&mut self) -> Option<()> {
        (self.peek()? == b'"').then_some(())?;
        self.at += 1;
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Some(())
    }

    /// Any value, up to the comma or bracket that ends it.
    fn value(&mut self) -> Option<()> {
        let start = self.at;
        let mut depth = 0usize;
        loop {
            match self.peek()? {
                b'"' => self.string()?,
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' if depth > 0 => {
                    depth -= 1;
                    self.at += 1;
                }
                b',' | b'}' | b']' if depth == 0 => break,
                b' ' | b'\t' | b'\r' | b'\n' if depth == 0 => break,
                _ => self.at += 1,
            }
        }
        (self.at > start).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_check_code_goes_with_one_comma() {
        let table = [
            (r#"{"checksum":"x","v":1}"#, r#"{"v":1}"#),
            (r#"{"v":1,"checksum":"x"}"#, r#"{"v":1}"#),
            (r#"{"a":1,"checksum":"x","b":2}"#, r#"{"a":1,"b":2}"#),
            (r#"{"checksum":"x"}"#, r#"{}"#),
            (r#"{ "a" : 1 , "checksum" : "x" , "b" : 2 }"#, r#"{ "a" : 1 ,   "b" : 2 }"#),
            (r#"{ "a" : 1 , "checksum" : "x" }"#, r#"{ "a" : 1   }"#),
            (r#"{"a":{"checksum":"y"},"checksum":"x"}"#, r#"{"a":{"checksum":"y"}}"#),
            (r#"{"a":"\",\"checksum\":","checksum":"x"}"#, r#"{"a":"\",\"checksum\":"}"#),
        ];
        for (text, rest) in table {
            let cut = cut(text).unwrap();
            assert_eq!((cut.pieces.concat().as_str(), cut.checksum), (rest, "x"), "{text}");
        }
    }

    #[test]
    fn a_text_without_one_plain_check_code_is_refused() {
        let table = [
            ("", CutError::NotAnObject),
            ("[]", CutError::NotAnObject),
            ("{", CutError::NotAnObject),
            ("{}", CutError::Missing),
            ("\u{0}\u{fffd}", CutError::NotAnObject),
            (r#"{"v":1"#, CutError::NotAnObject),
            (r#"{"v":1}"#, CutError::Missing),
            (r#"{"checksum":12,"v":1}"#, CutError::NotText),
            (r#"{"checksum":"\u0078","v":1}"#, CutError::NotText),
            (r#"{"checksum":"x","checksum":"x"}"#, CutError::Twice),
        ];
        for (text, expected) in table {
            assert_eq!(cut(text), Err(expected), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC*") {
            let _ = cut(&text);
        }

        #[test]
        fn no_damaged_frame_makes_it_panic(at in 0usize..60, with in any::<char>()) {
            let text = r#"{"a":{"b":[1,"\"é"]},"checksum":"00","c" : null }"#;
            let damaged: String =
                text.chars().enumerate().map(|(i, c)| if i == at { with } else { c }).collect();
            let _ = cut(&damaged);
        }

        #[test]
        fn whatever_stands_around_it_remains(
            before in prop::collection::btree_map("[a-b]{1,4}", "\\PC{0,9}", 0..3),
            after in prop::collection::btree_map("[d-e]{1,4}", "\\PC{0,9}", 0..3),
        ) {
            let member = |(key, value): (&String, &String)| {
                format!("{}:{}", serde_json::json!(key), serde_json::json!(value))
            };
            let rest: Vec<_> = before.iter().chain(&after).map(member).collect();
            let mut all = rest.clone();
            all.insert(before.len(), r#""checksum":"00""#.into());
            let text = format!("{{{}}}", all.join(","));
            let pieces = cut(&text).unwrap().pieces.concat();
            prop_assert_eq!(pieces, format!("{{{}}}", rest.join(",")));
        }
    }
}
