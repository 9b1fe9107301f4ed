use serde::{Deserialize, Serialize};

/// `ip_extension -i | -c | -e | -p`: makes an extension one that registers by SIP.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum IpExtension {
    Initiate(IpExtensionSet),
    Change(IpExtensionSet),
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
pub struct IpExtensionSet {
    pub dir: String,
    /// `SIP` (default).
    pub protocol: Option<String>,
}
