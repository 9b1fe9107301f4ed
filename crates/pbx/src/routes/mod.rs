//! Routes: what is known of a trunk and its peer.
//!
//! `entry` holds what `sip_route` says and what follows for calls that go out; `accept` whose requests are a route's;
//! `context` how long numbers become short ones; `registration` keeps the node registered at providers; `supervision` asks
//! peers whether they live; `health` is what all of them know of a route being down.

mod accept;
mod context;
mod entry;
mod health;
mod profile;
mod registration;
mod supervision;

pub(crate) use accept::{Accept, matched};
pub(crate) use context::Context;
pub(crate) use entry::{NumberTypes, Service, SipRouteEntry, fill_in};
pub(crate) use health::Health;
pub(crate) use profile::{PROFILES, Profile};
pub(crate) use registration::Registrations;
pub(crate) use supervision::Supervision;

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A route as its commands left it: `ROCAI` makes it, the others fill it in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Route {
    /// `ROCAI`'s parameters in printing order, as given.
    pub category: BTreeMap<String, String>,
    pub data: Option<LineType>,
    /// Trunk individuals in order of selection.
    pub trunks: Vec<TrunkEntry>,
    pub sip: Option<SipRouteEntry>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LineType {
    pub line_type: String,
    pub vari: String,
    pub varc: String,
    pub varo: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TrunkEntry {
    pub lim: u32,
    pub sequence: u32,
    #[serde(default)]
    pub equ: String,
    #[serde(default)]
    pub ip: String,
    #[serde(default)]
    pub inddat: String,
    #[serde(default)]
    pub cntrl: String,
}

impl Route {
    /// How many calls it takes at once.
    pub fn individuals(&self) -> usize {
        self.trunks.len()
    }
}
