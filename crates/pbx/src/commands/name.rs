use serde::{Deserialize, Serialize};

/// `name -i | -c | -e | -p`: the name shown for a number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum Name {
    Initiate(NameSet),
    Change(NameSet),
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
pub struct NameSet {
    pub dir: String,
    /// First name; up to 20 characters.
    pub name1: Option<String>,
    /// Last name; up to 20 characters.
    pub name2: Option<String>,
    /// `dir`.
    pub number_type: Option<String>,
}
