//! What an operator chooses about the looks of the page, kept in cookies so that the server knows it.

use serde::{Deserialize, Serialize};

/// The operators' languages; Chinese is the first.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    #[default]
    Zh,
    En,
}

/// How light the page is; `Auto` follows the operating system.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    #[default]
    Auto,
    Light,
    Dark,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Choice {
    pub language: Language,
    pub theme: Theme,
}

impl Choice {
    /// Reads the `Cookie` header of a request; what it does not tell stays at its default.
    pub fn from_cookies(header: &str) -> Self {
        let mut choice = Self::default();
        for (name, value) in header.split(';').filter_map(|cookie| cookie.trim().split_once('=')) {
            match name {
                LANGUAGE_COOKIE => choice.language = Language::from_word(value),
                THEME_COOKIE => choice.theme = Theme::from_word(value),
                _ => {}
            }
        }
        choice
    }
}

impl Language {
    /// As the `lang` attribute of a page has it.
    pub fn tag(self) -> &'static str {
        match self {
            Self::Zh => "zh-CN",
            Self::En => "en",
        }
    }

    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Zh => Self::En,
            Self::En => Self::Zh,
        }
    }

    /// The cookie that keeps the choice for a year.
    pub fn cookie(self) -> String {
        let word = match self {
            Self::Zh => "zh",
            Self::En => "en",
        };
        cookie(LANGUAGE_COOKIE, word)
    }

    fn from_word(word: &str) -> Self {
        if word == "en" { Self::En } else { Self::Zh }
    }
}

impl Theme {
    /// As the `data-theme` attribute of a page has it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Auto => Self::Light,
            Self::Light => Self::Dark,
            Self::Dark => Self::Auto,
        }
    }

    /// The cookie that keeps the choice for a year.
    pub fn cookie(self) -> String {
        cookie(THEME_COOKIE, self.word())
    }

    fn from_word(word: &str) -> Self {
        match word {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::Auto,
        }
    }
}

fn cookie(name: &str, value: &str) -> String {
    format!("{name}={value}; Path=/; Max-Age={YEAR_SECONDS}; SameSite=Strict")
}

const LANGUAGE_COOKIE: &str = "lang";
const THEME_COOKIE: &str = "theme";
const YEAR_SECONDS: u32 = 31_536_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_read_from_cookies() {
        let table = [
            ("", Language::Zh, Theme::Auto),
            ("lang=en", Language::En, Theme::Auto),
            ("a=b; theme=dark;lang=zh", Language::Zh, Theme::Dark),
            ("lang=xx; theme=", Language::Zh, Theme::Auto),
            ("lang; theme=light", Language::Zh, Theme::Light),
        ];
        for (header, language, theme) in table {
            assert_eq!(Choice::from_cookies(header), Choice { language, theme }, "{header:?}");
        }
    }

    #[test]
    fn a_cookie_is_read_back_as_written() {
        for theme in [Theme::Auto, Theme::Light, Theme::Dark] {
            for language in [Language::Zh, Language::En] {
                let header = format!("{}; {}", theme.cookie(), language.cookie());
                assert_eq!(Choice::from_cookies(&header), Choice { language, theme });
            }
        }
    }
}
