//! Whether a new password is good enough.

use zxcvbn::{Score, zxcvbn};

/// Why a password is not good enough, in words for whoever chose it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Weak {
    #[error("a password has at least {SHORTEST} characters")]
    TooShort,
    #[error("a password has at most {LONGEST} bytes")]
    TooLong,
    #[error("this password is too easy to guess: {0}")]
    Guessable(String),
}

/// Judges a password; `about` is what anybody would try first, such as its owner's name.
pub fn judge(password: &str, about: &[&str]) -> Result<(), Weak> {
    if password.len() > LONGEST {
        return Err(Weak::TooLong);
    }
    if password.chars().count() < SHORTEST {
        return Err(Weak::TooShort);
    }
    let about: Vec<&str> = about.iter().copied().chain([PRODUCT]).collect();
    if left_without(password, &about) < SHORTEST / 2 {
        return Err(Weak::Guessable("it is little more than a name".into()));
    }
    let entropy = zxcvbn(password, &about);
    if entropy.score() >= Score::Three {
        return Ok(());
    }
    let advice = entropy.feedback().map(|feedback| {
        let suggestions = feedback.suggestions().iter().map(ToString::to_string);
        let words = feedback.warning().map(|warning| warning.to_string()).into_iter();
        words.chain(suggestions).collect::<Vec<_>>().join(" ")
    });
    Err(Weak::Guessable(advice.unwrap_or_else(|| "add another word or two".into())))
}

/// How many characters are left of a password without the names in it: two names in a row look
/// harder to guess than they are.
fn left_without(password: &str, names: &[&str]) -> usize {
    let mut left = password.to_lowercase();
    for name in names.iter().filter(|name| !name.is_empty()) {
        left = left.replace(&name.to_lowercase(), "");
    }
    left.chars().count()
}

/// IEC 62443 CR 1.7.
const SHORTEST: usize = 12;

/// Enough for a sentence.
const LONGEST: usize = 256;

/// Everybody would try this.
const PRODUCT: &str = "gapless";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_endless_and_common_passwords_are_refused() {
        // operations.md B3, CR 1.7
        assert_eq!(judge("", &[]), Err(Weak::TooShort));
        assert_eq!(judge("Kx9#qLm2!vR", &[]), Err(Weak::TooShort), "eleven characters");
        assert_eq!(judge("水电站水电站水", &[]), Err(Weak::TooShort), "seven characters");
        assert_eq!(judge(&"k".repeat(257), &[]), Err(Weak::TooLong));
        let common =
            ["password1234", "123456789012", "qwertyuiopas", "aaaaaaaaaaaa", "gaplessgapless"];
        for password in common {
            assert!(matches!(judge(password, &[]), Err(Weak::Guessable(_))), "{password}");
        }
    }

    #[test]
    fn ones_own_name_is_no_password() {
        for (password, name) in [("Zhang.Weiming7", "zhang.weiming"), ("gapless-admin", "admin")] {
            let weak = judge(password, &["", name]).unwrap_err();
            assert!(!weak.to_string().contains(password), "{weak}");
        }
    }

    #[test]
    fn a_few_words_and_any_script_will_do() {
        let good = [
            "correct horse battery staple",
            "turbine-heron-9-lagoon",
            "四号机组的风扇在雨天唱歌呢",
        ];
        for password in good {
            assert_eq!(judge(password, &["li"]), Ok(()), "{password}");
        }
    }
}
