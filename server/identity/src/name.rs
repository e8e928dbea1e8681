//! Names of people: which can be one, and how any other text is shown.

use protocol::id::UserId;

/// Why a text is nobody's name.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NameError {
    #[error("a name is empty")]
    Empty,
    #[error("the name `{0}` is longer than {LONGEST} characters")]
    TooLong(String),
    #[error("the name `{0}` may hold only letters, digits, `-`, `_` and `.`")]
    Foreign(String),
    #[error("the name `{0}` has to begin with a letter or a digit")]
    Beginning(String),
    #[error("`{0}` is who acts while nobody has to sign in")]
    Reserved(String),
}

/// Reads the name of an account that is or could be.
pub fn user_name(text: &str) -> Result<UserId, NameError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let refusal = match text {
        "" => return Err(NameError::Empty),
        long if long.len() > LONGEST => NameError::TooLong,
        foreign if !foreign.chars().all(plain) => NameError::Foreign,
        // A path such as `/api/users/..` leads elsewhere, and `-x` is an option.
        odd if !odd.starts_with(|c: char| c.is_ascii_alphanumeric()) => NameError::Beginning,
        ANONYMOUS => NameError::Reserved,
        name => return name.parse().map_err(|_| NameError::Foreign(shown(name))),
    };
    Err(refusal(shown(text)))
}

/// A foreign text as a line of a log may show it: short, on one line, and with no character that
/// hides or turns around others.
pub fn shown(text: &str) -> String {
    let mut chars = text.chars();
    let mut short: String = chars.by_ref().take(SHOWN).map(visible).collect();
    if chars.next().is_some() {
        short.push('…');
    }
    short
}

fn visible(c: char) -> char {
    if c.is_control() || is_unseen(c) { char::REPLACEMENT_CHARACTER } else { c }
}

/// Takes no room, or changes how its neighbours are read.
fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
        | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

/// Who acts while login is off.
pub const ANONYMOUS: &str = "anonymous";

/// Names stand in URLs, log lines and on screens.
const LONGEST: usize = 64;

/// As much of a foreign text as a line of a log repeats.
const SHOWN: usize = 40;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_is_letters_digits_and_three_signs() {
        let longest = "x".repeat(64);
        for name in ["li", "Li.Wei-2_a", "0", longest.as_str()] {
            assert_eq!(user_name(name).map(String::from), Ok(name.to_owned()));
        }
        let foreign = |text: &str| Err(NameError::Foreign(text.into()));
        let beginning = |text: &str| Err(NameError::Beginning(text.into()));
        let table = [
            ("", Err(NameError::Empty)),
            ("a:b", foreign("a:b")),
            ("李", foreign("李")),
            ("a b", foreign("a b")),
            ("../etc", foreign("../etc")),
            ("a\0", foreign("a\u{FFFD}")),
            ("a\r\nSet-Cookie: x", foreign("a\u{FFFD}\u{FFFD}Set-Cookie: x")),
            ("\u{202E}nimda", foreign("\u{FFFD}nimda")),
            ("ad\u{200B}min", foreign("ad\u{FFFD}min")),
            ("..", beginning("..")),
            ("-x", beginning("-x")),
            ("anonymous", Err(NameError::Reserved("anonymous".into()))),
        ];
        for (text, expected) in table {
            assert_eq!(user_name(text).map(drop), expected, "{text:?}");
        }
    }

    #[test]
    fn a_megabyte_of_a_name_is_refused_in_a_few_characters() {
        let megabyte = "名".repeat(350_000);
        let Err(NameError::TooLong(text)) = user_name(&megabyte) else { panic!("it is too long") };
        assert_eq!(text, format!("{}…", "名".repeat(40)));
        assert!(user_name(&megabyte).unwrap_err().to_string().len() < 200);
    }

    #[test]
    fn what_people_write_is_shown_as_it_is() {
        for text in ["", "王伟", "O'Brien <li@plant>", "naïve ٣ ไทย 🏭"] {
            assert_eq!(shown(text), text);
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_one_short_line(text in any::<String>(), tail in "[\\x00-\\x7f]{0,99}") {
            let text = text + &tail;
            let shown = shown(&text);
            prop_assert!(shown.chars().count() <= SHOWN + 1);
            prop_assert!(!shown.contains(char::is_control) && !shown.contains(is_unseen));
        }

        #[test]
        fn what_is_a_name_is_shown_as_it_is(text in "\\PC{0,9}|[a-zA-Z0-9._:-]{0,70}") {
            if let Ok(name) = user_name(&text) {
                prop_assert_eq!(shown(name.as_str()), text.chars().take(SHOWN).collect::<String>()
                    + if text.len() > SHOWN { "…" } else { "" });
            }
        }
    }
}
