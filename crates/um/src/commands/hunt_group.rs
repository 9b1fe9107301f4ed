//! UMHuntGroup: which pilot number of which gateway leads to which dial plan (fact sheet 2.3).

use serde::{Deserialize, Serialize};

/// A hunt group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HuntGroup {
    #[serde(rename = "Name")]
    pub name: String,
    #[serde(rename = "UMDialPlan")]
    pub dial_plan: String,
    #[serde(rename = "UMIPGateway")]
    pub gateway: String,
    /// Digits, or a SIP URI; none in the default group that comes with a gateway.
    #[serde(rename = "PilotIdentifier", default)]
    pub pilot: Option<String>,
}
