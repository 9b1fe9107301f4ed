use serde::{Deserialize, Serialize};

/// `number_initiate -numbertype T -number N`, `number_end -number N`, `number_print [-number N]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum Number {
    /// `numbertype`: `EX` (extension series) or `ED` (external destination). `number`: one number, or for `EX` also a
    /// range `27000..27099`.
    Initiate { numbertype: String, number: String },
    End { number: String },
    Print {
        #[serde(default)]
        number: Option<String>,
    },
}
