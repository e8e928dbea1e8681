//! Makes foreign text fit for the records: short, on one line, without secrets.

/// As much of `text` as a record keeps.
pub(crate) fn tidy(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let line = words.filter(|word| !word.is_empty()).map(mask).collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// A word up to where a token begins.
fn mask(word: &str) -> String {
    let ends = MARKS.iter().filter_map(|mark| word.find(mark).map(|at| at + mark.len()));
    match ends.min().filter(|end| *end < word.len()) {
        Some(end) => format!("{}***", &word[..end]),
        None => word.into(),
    }
}

/// What comes right before a token, or begins one: the last is how each JSON Web Token does.
const MARKS: [&str; 4] = ["token=", "ticket=", "bearer.", "eyJ"];

/// In characters. Answers to clients repeat no more than 80 of theirs.
const LONGEST: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_are_short_lines_without_tokens() {
        let long = "板".repeat(301);
        let cut = format!("{}…", "板".repeat(300));
        let table = [
            ("Missing 'checksum' field", "Missing 'checksum' field"),
            ("two\r\n  lines\0", "two lines"),
            ("?device_id=a&token=abc.def&x=1 is odd", "?device_id=a&token=*** is odd"),
            ("'bearer.abc' and 'eyJhbGciOiJFZERTQSJ9.e30.x'", "'bearer.*** and 'eyJ***"),
            ("a token= without one", "a token= without one"),
            (&long, &cut),
        ];
        for (text, expected) in table {
            assert_eq!(tidy(text), expected, "{text}");
        }
    }
}
