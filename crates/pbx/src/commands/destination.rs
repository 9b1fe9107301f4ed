use serde::{Deserialize, Serialize};

/// `RODDI`, `RODDC`, `RODDE`, `RODDP`: which route an external destination takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum Destination {
    Initiate(DestinationSet),
    Change(DestinationSet),
    /// Without `cho`: all choices of the destination.
    End {
        dest: String,
        #[serde(default)]
        cho: Option<u32>,
    },
    Print {
        #[serde(default)]
        dest: Option<String>,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DestinationSet {
    /// A number initiated as ED.
    pub dest: String,
    pub rou: Option<u32>,
    /// Order of choice, 0 (first, default) to 7.
    pub cho: Option<u32>,
    /// 28 digits.
    pub adc: Option<String>,
    /// Position of the first dialled digit to send, from 1 (default).
    pub srt: Option<u32>,
    /// Digits sent before them.
    pub pre: Option<String>,
    pub cust: Option<String>,
    pub trc: Option<String>,
}
