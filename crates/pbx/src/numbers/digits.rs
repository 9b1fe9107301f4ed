use std::fmt::{self, Display, Formatter};
use std::ops::Deref;

/// Digits as dialled: `0`-`9`, `*`, `#`; 1 to 32 of them. The only form in which numbers from the network go on to
/// analysis, headers of the trunk and events.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digits(String);

/// Why a text is no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DigitsError {
    /// Nothing is left after taking visual separators away.
    #[error("is empty")]
    Empty,
    /// More than 32 digits.
    #[error("is longer than 32 digits")]
    TooLong,
    /// Something other than digits, `*` and `#`.
    #[error("holds something other than digits, * and #")]
    NotDigits,
}

impl Digits {
    /// Reads what was dialled. A leading `+` and the visual separators of RFC 3966 5.1.1 are dropped.
    pub fn parse(text: &str) -> Result<Digits, DigitsError> {
        let text = text.strip_prefix('+').unwrap_or(text);
        let mut digits = String::new();
        for character in text.chars() {
            match character {
                '0'..='9' | '*' | '#' => digits.push(character),
                '-' | '.' | '(' | ')' => {}
                _ => return Err(DigitsError::NotDigits),
            }
            if digits.len() > 32 {
                return Err(DigitsError::TooLong);
            }
        }
        if digits.is_empty() { Err(DigitsError::Empty) } else { Ok(Digits(digits)) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for Digits {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl Display for Digits {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_are_dropped_and_words_refused() {
        assert_eq!(Digits::parse("+46-8 (1)"), Err(DigitsError::NotDigits), "a blank is no separator");
        assert_eq!(Digits::parse("+46-8.(15)").unwrap().as_str(), "46815");
        assert_eq!(Digits::parse("anna"), Err(DigitsError::NotDigits));
        assert_eq!(Digits::parse("+-"), Err(DigitsError::Empty));
        assert_eq!(Digits::parse(&"1".repeat(33)), Err(DigitsError::TooLong));
    }
}
