use serde::{Deserialize, Serialize};

/// `ROCAI`, `ROCAC`, `ROCAE`, `ROCAP`: how the exchange treats a route. The values are kept and printed; the node
/// checks their form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum RouteCategory {
    Initiate(RouteCategorySet),
    Change(RouteCategorySet),
    End {
        rou: u32,
    },
    /// Without `rou`: all routes.
    Print {
        #[serde(default)]
        rou: Option<u32>,
    },
}

/// The parameters by their MML names, as digits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RouteCategorySet {
    /// 1 to 250.
    pub rou: u32,
    /// 16 digits.
    pub sel: Option<String>,
    /// One digit 0 to 7 (the guide writes it `rm`: the shell's alias).
    pub trm: Option<String>,
    /// 12 hexadecimal digits.
    pub sig: Option<String>,
    /// 8 digits.
    pub traf: Option<String>,
    /// 10 digits.
    pub serv: Option<String>,
    /// 6 digits, each 0 or 1.
    pub bcap: Option<String>,
    /// 1 to 3 digits each.
    pub nodg: Option<String>,
    pub dist: Option<String>,
    pub disl: Option<String>,
    pub cust: Option<String>,
}
