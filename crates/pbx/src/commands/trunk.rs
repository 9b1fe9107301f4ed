use serde::{Deserialize, Serialize};

/// `ROEQI`, `ROEQE`, `ROEDP`: a route's trunk individuals. As many calls at once as it has individuals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum Trunk {
    Initiate(TrunkSet),
    /// Removes the individuals named, or all of the route without `tru`.
    End {
        rou: u32,
        #[serde(default)]
        tru: Option<String>,
    },
    Print {
        #[serde(default)]
        rou: Option<u32>,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrunkSet {
    pub rou: u32,
    /// LIM-sequence: `1-1`, a list `1-1&1-5`, a range `1-1&&1-30`.
    pub tru: String,
    /// Kept and printed only.
    pub equ: Option<String>,
    pub ip: Option<String>,
    pub inddat: Option<String>,
    pub cntrl: Option<String>,
}
