//! Keeps what people read on a terminal honest: a message that holds line ends begins no line.

use std::io::{self, Write};

/// Each write is one line of the log. Further lines in it are set in, and told from others by that.
pub(super) struct OneLine<W>(pub W);

impl<W: Write> Write for OneLine<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let (body, end) = match line.strip_suffix(b"\n") {
            Some(body) => (body, &b"\n"[..]),
            None => (line, &b""[..]),
        };
        let mut honest = Vec::with_capacity(line.len());
        for byte in body {
            match byte {
                b'\n' => honest.extend_from_slice(SET_IN),
                b'\r' => honest.extend_from_slice(b"\\r"),
                byte => honest.push(*byte),
            }
        }
        honest.extend_from_slice(end);
        self.0.write_all(&honest)?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// No line of the log begins like this.
const SET_IN: &[u8] = b"\n    | ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_with_line_ends_forges_no_line() {
        let table = [
            ("2026 INFO x\n", "2026 INFO x\n"),
            ("2026 INFO x\r\n2026 INFO forged\n", "2026 INFO x\\r\n    | 2026 INFO forged\n"),
            ("a\n\nb\n\n", "a\n    | \n    | b\n    | \n"),
            ("板\n", "板\n"),
        ];
        for (line, expected) in table {
            let mut out = Vec::new();
            OneLine(&mut out).write_all(line.as_bytes()).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{line:?}");
        }
    }
}
