use serde::{Deserialize, Serialize};

/// `diversion -i | -c | -e | -p`: an extension without a call list sends its calls on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum Diversion {
    Initiate(DiversionSet),
    Change(DiversionSet),
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
pub struct DiversionSet {
    pub dir: String,
    pub div_destination_number: Option<String>,
    pub div_immediate: Option<bool>,
    pub div_busy: Option<bool>,
    pub div_noreply: Option<bool>,
}
