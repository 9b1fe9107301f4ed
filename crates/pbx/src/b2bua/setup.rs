//! What a call that looks for somebody to be connected with knows of its search.

use super::call::Leg;
use super::redirect::Redirects;
use super::servers::Servers;
use crate::diversion::{Diverted, Itinerary, Outcome};
use crate::numbers::Choice;
use sip::Text;
use sip::diversion::Diversion;
use sip::endpoint::{CallRef, OutgoingCall};
use sip::history_info::History;
use std::collections::VecDeque;
use std::time::Instant;

/// Looking for somebody to connect the caller with.
pub(crate) struct Setup {
    pub itinerary: Itinerary,
    pub purpose: Purpose,
    pub max_forwards: u8,
    /// What the trunk that the call came from said about diversions before.
    pub diverted_before: Vec<Diversion>,
    pub history_before: History,
    pub referred_by: Option<Text>,
    pub forks: Vec<Fork>,
    /// What the targets of this stop came to that are given up, as far as it says most about whom was called.
    pub worst: Option<Outcome>,
    pub ring_until: Option<Instant>,
    /// When the caller is told that it rings although nobody said so.
    pub alert_at: Option<Instant>,
    /// The caller has been told that it rings.
    pub rang: bool,
    /// The caller has been told 180.
    pub alerted: bool,
    /// The target whose description the caller was shown (direct media).
    pub previewed: Option<CallRef>,
    /// The diversion that was told last.
    pub told: Option<Diverted>,
}

/// What a setup is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To answer the caller's INVITE.
    Answer,
    /// To transfer the caller, who is in a call. The transferor is told of it (RFC 3515) when `notify`.
    Transfer { notify: bool },
}

/// Somebody who is being called.
pub(crate) struct Fork {
    pub leg: Leg,
    /// What it was called with, for redirects.
    pub plan: OutgoingCall,
    pub redirects: Redirects,
    /// Where it may go back to when a redirect leads to nobody.
    pub servers: Option<Servers>,
    /// Other ways to the same number, where this one fails by the trunk's fault.
    pub choices: VecDeque<Choice>,
    /// An answer before is that of an operator's voice mail, not of the person whose mobile telephone this is.
    pub not_before: Option<Instant>,
}

impl Setup {
    pub fn new(itinerary: Itinerary, purpose: Purpose, max_forwards: u8) -> Setup {
        Setup {
            itinerary,
            purpose,
            max_forwards,
            diverted_before: Vec::new(),
            history_before: History::default(),
            referred_by: None,
            forks: Vec::new(),
            worst: None,
            ring_until: None,
            alert_at: None,
            rang: false,
            alerted: false,
            previewed: None,
            told: None,
        }
    }

    pub fn fork(&mut self, dialog: CallRef) -> Option<&mut Fork> {
        self.forks.iter_mut().find(|fork| fork.leg.dialog == dialog)
    }

    /// A target is given up.
    pub fn note(&mut self, outcome: Outcome) {
        if self.worst.as_ref().is_none_or(|worst| outcome.rank() >= worst.rank()) {
            self.worst = Some(outcome);
        }
    }

    pub fn take_fork(&mut self, dialog: CallRef) -> Option<Fork> {
        let index = self.forks.iter().position(|fork| fork.leg.dialog == dialog)?;
        Some(self.forks.remove(index))
    }
}
