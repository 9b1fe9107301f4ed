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
    /// What callers hear when a call answering rule of this priority (1 to 9) holds.
    Rule(u8),
}

const RULES: [&str; 9] = ["rule-1", "rule-2", "rule-3", "rule-4", "rule-5", "rule-6", "rule-7", "rule-8", "rule-9"];

impl GreetingKind {
    /// Of the rules with this priority.
    pub fn rule(priority: u32) -> GreetingKind {
        GreetingKind::Rule(u8::try_from(priority.clamp(1, 9)).unwrap_or(9))
    }

    pub fn as_str(self) -> &'static str {
        match self {
            GreetingKind::Personal => "personal",
            GreetingKind::Oof => "oof",
            GreetingKind::Name => "name",
            GreetingKind::Rule(priority) => {
                let place = usize::from(priority).clamp(1, RULES.len()) - 1;
                RULES.get(place).copied().unwrap_or("rule-9")
            }
        }
    }
}

/// Neither `personal`, `oof`, `name` nor `rule-1` to `rule-9`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a greeting is one of personal, oof, name, rule-1 to rule-9")]
pub struct GreetingKindError;

impl FromStr for GreetingKind {
    type Err = GreetingKindError;
    fn from_str(text: &str) -> Result<GreetingKind, GreetingKindError> {
        let rules = (1..=9).map(GreetingKind::Rule);
        [GreetingKind::Personal, GreetingKind::Oof, GreetingKind::Name]
            .into_iter()
            .chain(rules)
            .find(|kind| kind.as_str() == text)
            .ok_or(GreetingKindError)
    }
}
