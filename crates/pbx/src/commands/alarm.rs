use serde::{Deserialize, Serialize};

/// `alarm -p | -e`: what is wrong, and that somebody has taken note of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum Alarm {
    Print {
        /// Those of this severity and above, 1 to 4.
        #[serde(default)]
        severity: Option<u32>,
        /// Cleared ones too.
        #[serde(default)]
        all: Option<bool>,
    },
    /// Clears one. What still is wrong raises it anew.
    End { number: u64 },
}
