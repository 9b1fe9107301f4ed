use serde::{Deserialize, Serialize};

/// `RODAI`, `RODAC`, `RODAE`, `RODAP`: a route's line type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum RouteData {
    Initiate(RouteDataSet),
    Change(RouteDataSet),
    End {
        rou: u32,
    },
    Print {
        #[serde(default)]
        rou: Option<u32>,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RouteDataSet {
    pub rou: u32,
    /// `TL66` (SIP).
    #[serde(rename = "type")]
    pub line_type: Option<String>,
    /// 8 hexadecimal digits each; a profile overrides them, so they are kept and printed only.
    pub vari: Option<String>,
    pub varc: Option<String>,
    pub varo: Option<String>,
}
