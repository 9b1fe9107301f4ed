//! What is set for the node as a whole.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Everything of which a node has one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct System {
    pub diversion: DiversionSettings,
    /// For which traffic encryption is asked: `route`, `extension`.
    pub encryption: BTreeSet<String>,
    /// Where of it calls in the clear are taken, too.
    pub best_effort: BTreeSet<String>,
    /// Limits that were set, by licence; without one a licence is unlimited.
    pub limits: BTreeMap<Licence, u32>,
    /// Where call records go, by output number.
    pub outputs: BTreeMap<u32, OutputEntry>,
    /// No new calls are taken.
    pub maintenance: bool,
    /// What is shown by TLS.
    pub certificate: Option<CertificateEntry>,
}

/// `mxone_certificate`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CertificateEntry {
    pub file: String,
    /// The chain as PEM.
    pub certificate: String,
    /// The key as PEM, sealed.
    pub key: String,
}

/// What media encryption is enabled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Traffic {
    Route,
    Extension,
}

impl Traffic {
    /// As `-type` names it.
    pub fn name(self) -> &'static str {
        match self {
            Traffic::Route => "route",
            Traffic::Extension => "extension",
        }
    }
}

/// How much media encryption is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encryption {
    Required,
    BestEffort,
}

impl System {
    /// `None`: media goes in the clear.
    pub fn encryption(&self, traffic: Traffic) -> Option<Encryption> {
        let best_effort = self.best_effort.contains(traffic.name());
        let wanted = if best_effort { Encryption::BestEffort } else { Encryption::Required };
        self.encryption.contains(traffic.name()).then_some(wanted)
    }
}

/// `diversion_system`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct DiversionSettings {
    /// Seconds that a call rings before it counts as not answered; `None`: the node's ring time.
    pub no_reply_time: Option<u32>,
    /// The same once the call has been diverted.
    pub second_no_reply_time: Option<u32>,
    /// Kept and printed only.
    pub network_chaining: u32,
    /// Kept and printed only.
    pub priority: u32,
}

impl Default for DiversionSettings {
    fn default() -> DiversionSettings {
        DiversionSettings { no_reply_time: None, second_no_reply_time: None, network_chaining: 2, priority: 0 }
    }
}

/// What licences count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Licence {
    /// Routes with SIP data.
    SipTrunk,
    /// Calls on routes at once.
    SipTrunkChannels,
    /// Extensions whose phones register.
    IpExtension,
    /// Kinds of traffic for which media encryption is enabled.
    VoipEncryption,
}

impl Licence {
    pub const ALL: [Licence; 4] =
        [Licence::SipTrunk, Licence::SipTrunkChannels, Licence::IpExtension, Licence::VoipEncryption];

    pub fn name(self) -> &'static str {
        match self {
            Licence::SipTrunk => "SIP_TRUNK",
            Licence::SipTrunkChannels => "SIP_TRUNK_CHANNELS",
            Licence::IpExtension => "IP_EXTENSION",
            Licence::VoipEncryption => "VOIP_ENCRYPTION",
        }
    }

    pub fn parse(name: &str) -> Option<Licence> {
        Licence::ALL.into_iter().find(|licence| licence.name().eq_ignore_ascii_case(name))
    }
}

/// A target of call records.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct OutputEntry {
    /// Name of the file in the node's data folder, under `call_information`.
    pub file: String,
    pub on: bool,
}
