use serde::{Deserialize, Serialize};

/// What is going on now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum Status {
    /// All extensions with registrations and lamps.
    Extensions {},
    /// Calls in progress.
    Calls {},
    /// Routes: up or down, individuals taken, registrations.
    Routes {},
    /// The node as a whole: since when it runs, and how much there is of everything.
    System {},
    /// The calls that a number is in, a row a party: where their media goes.
    Trace { dir: String },
    /// What licences count, in use and at its peak, and the limits that were set.
    Licenses {},
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExtensionStatus {
    pub number: String,
    /// First and last name; empty if none.
    pub name: String,
    /// Registered contacts, the preferred first.
    pub contacts: Vec<Contact>,
    pub lamp: Lamp,
    /// Calls that the extension is in.
    pub calls: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contact {
    pub uri: String,
    /// Where requests to it are sent.
    pub source: String,
    /// Seconds until it expires.
    pub expires_s: u64,
    pub user_agent: String,
}

/// The message waiting lamp and the counts behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lamp {
    pub on: bool,
    pub new: u32,
    pub old: u32,
    pub urgent_new: u32,
    pub urgent_old: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallStatus {
    /// The node's number for the call, as in events.
    pub call: u64,
    pub call_id: String,
    pub from: CallParty,
    /// Who rings or answered.
    pub to: Vec<CallParty>,
    /// The number that was dialled.
    pub dialled: String,
    /// `setup`, `ringing`, `connected`.
    pub state: String,
    /// Milliseconds since the INVITE.
    pub duration_ms: u64,
    /// Whether the media passes the node.
    pub gateway: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallParty {
    pub number: String,
    pub name: String,
    /// The route, if the party is behind one.
    pub route: Option<u32>,
}
