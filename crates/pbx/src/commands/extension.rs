use serde::{Deserialize, Serialize};

/// `extension -i | -c | -e | -p`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum Extension {
    Initiate(ExtensionSet),
    Change(ExtensionSet),
    /// Ends the extension with its name, authorisation code, call lists and diversion.
    End {
        dir: String,
    },
    Print {
        #[serde(default)]
        dir: Option<String>,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExtensionSet {
    /// `-d`: 2 to 20 digits.
    pub dir: String,
    /// `-l`: 1 to 124 (default 1).
    pub lim: Option<u32>,
    /// 0 to 500 (default 0).
    pub csp: Option<u32>,
    /// Registrations at once, 1 to 8 (default 4).
    pub max_terminals: Option<u32>,
    pub third_party_client: Option<bool>,
    /// 0 to 50000.
    pub customer: Option<u32>,
    pub language_code: Option<String>,
    /// 0 to 3: 0 busy while in a call, else further calls are offered too (default 1).
    pub free_on_second_line: Option<u32>,
}
