use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// Which of a mailbox's recorded greetings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GreetingKind {
    /// What callers hear.
    Personal,
    /// What callers hear while the owner is out of office.
    Oof,
    /// The owner's name in his own voice.
    Name,
}

impl GreetingKind {
    pub fn as_str(self) -> &'static str {
        match self {
            GreetingKind::Personal => "personal",
            GreetingKind::Oof => "oof",
            GreetingKind::Name => "name",
        }
    }
}

/// Neither `personal`, `oof` nor `name`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a greeting is one of personal, oof, name")]
pub struct GreetingKindError;

impl FromStr for GreetingKind {
    type Err = GreetingKindError;
    fn from_str(text: &str) -> Result<GreetingKind, GreetingKindError> {
        [GreetingKind::Personal, GreetingKind::Oof, GreetingKind::Name]
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or(GreetingKindError)
    }
}
