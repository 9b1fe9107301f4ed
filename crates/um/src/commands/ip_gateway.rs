//! UMIPGateway: a PBX that the server takes calls from (fact sheet 2.2), with two settings of our own.

use super::settings::settings;
use super::value::{Any, Length, Range, choices};
use serde::{Deserialize, Serialize};

choices! {
    /// Which address family the gateway's name is looked up for.
    AddressFamily { IPv4Only, IPv6Only, Any }
}
choices! {
    /// Whether the gateway's calls are taken.
    GatewayStatus {
        Enabled,
        /// Nothing is taken from it.
        Disabled,
        /// Calls in progress go on, new ones are refused (drain).
        NoNewCalls,
    }
}
choices! {
    /// Which of several diversions names the mailbox.
    DiversionChoice {
        /// The party that was dialled first, as Exchange has it.
        First,
        /// The party that diverted last.
        Last,
    }
}

/// A gateway. Read settings through `Deref`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gateway {
    #[serde(rename = "Name")]
    pub name: String,
    /// The plan it was made with, whose default hunt group (without a pilot) came with it.
    #[serde(rename = "UMDialPlan", default)]
    pub dial_plan: Option<String>,
    #[serde(flatten)]
    pub settings: GatewaySettings,
}

impl std::ops::Deref for Gateway {
    type Target = GatewaySettings;
    fn deref(&self) -> &GatewaySettings {
        &self.settings
    }
}

settings! {
    /// What Set-UMIPGateway changes.
    GatewaySettings, GatewayChanges {
        "Address" address: String = String::new(), Length(255), "IP address, or host name.";
        "IPAddressFamily" ip_address_family: AddressFamily = AddressFamily::IPv4Only, Any, "Which addresses a host name is looked up for.";
        "Port" port: u32 = 5060, Range(0, 65_535), "Where requests to the gateway are sent; 0 is 5060.";
        "Status" status: GatewayStatus = GatewayStatus::Enabled, Any, "Whether its calls are taken.";
        "OutcallsAllowed" outcalls_allowed: bool = true, Any, "Whether calls may be placed through it (not: transfers).";
        "MessageWaitingIndicatorAllowed" message_waiting_indicator_allowed: bool = true, Any, "Whether lamps are sent to it.";
        "DelayedSourcePartyInfoEnabled" delayed_source_party_info_enabled: bool = false, Any, "Whether it sends who calls later than the INVITE.";
        "Simulator" simulator: bool = false, Any, "Whether it is a test client.";
        "Redirects" redirects: u32 = 2, Range(0, 2), "How many redirects a call goes through: 2 router and service, 1 router only, 0 answered in place.";
        "DiversionChoice" diversion_choice: DiversionChoice = DiversionChoice::First, Any, "Which of several diversions names the mailbox.";
    }
}
