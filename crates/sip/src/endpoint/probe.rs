//! Asking each target of a name whether it lives, so that no caller has to find out.

use std::time::{Duration, Instant};

use super::attempt::{Attempt, Final, Hop, Owner, Way};
use super::{ClientRef, CommandError, Endpoint, Event, OutgoingRequest, Output, Probed, Sign};
use crate::message::Uri;
use crate::message::header::RetryAfter;
use crate::target::Candidate;

/// A probe under way.
pub(super) struct Probe {
    request: OutgoingRequest,
    /// How many targets have not answered.
    waiting: usize,
    found: Vec<Probed>,
}

impl Endpoint {
    pub(super) fn start_probe(&mut self, new: OutgoingRequest, now: Instant) -> Result<ClientRef, CommandError> {
        if !self.has_listener(new.listener) {
            return Err(CommandError::NoListener);
        }
        let reference = ClientRef(self.fresh_id());
        let start = self.outside(new.clone(), Owner::Probe(reference));
        self.probes.insert(reference, Probe { request: new, waiting: 0, found: Vec::new() });
        self.start(start, now);
        Ok(reference)
    }

    /// The targets are known: each is asked, in a dialog-less request of its own (another Call-ID, or those that meet
    /// behind two addresses were merged, RFC 3261 8.2.2.2).
    pub(super) fn probe_each(&mut self, attempt: &mut Attempt, now: Instant) {
        let Owner::Probe(reference) = attempt.owner else { return };
        let (targets, name) = attempt.found_targets(now);
        let Some(probe) = self.probes.get_mut(&reference) else { return };
        probe.waiting = targets.len();
        let template = probe.request.clone();
        // By TLS each address has to prove the name that led to it.
        let peer_name = template.peer_name.clone().or(name);
        for target in targets {
            let mut start = self.outside(template.clone(), Owner::Probed(reference, target));
            start.way = Way::Hop(Hop { uri: uri_of(target), peer_name: peer_name.clone() });
            // What comes of it is judged here.
            start.policy.grey_list = false;
            start.policy.last_try = start.policy.per_try;
            self.start(start, now);
        }
    }

    /// The name leads nowhere.
    pub(super) fn probe_over(&mut self, reference: ClientRef) {
        if let Some(probe) = self.probes.remove(&reference) {
            let event = Event::Probed { transaction: reference, targets: probe.found };
            self.out.push_back(Output::Event(event));
        }
    }

    pub(super) fn target_probed(&mut self, reference: ClientRef, target: Candidate, outcome: &Final, now: Instant) {
        let Some(probe) = self.probes.get_mut(&reference) else { return };
        let for_ = probe.request.policy.grey_for;
        // A 503 that a failure was made into has no flow that it came by.
        let sign = match (&outcome.flow, outcome.response.status) {
            (None, _) => Sign::Dead,
            (Some(_), 503) => Sign::Unavailable,
            (Some(_), _) => Sign::Alive,
        };
        probe.found.push(Probed { target, sign });
        probe.waiting = probe.waiting.saturating_sub(1);
        let over = probe.waiting == 0;
        // There is nobody to pass it over for.
        let alone = probe.found.len() + probe.waiting == 1;
        match sign {
            // Hearing it has taken it off the grey list.
            Sign::Alive => {}
            _ if alone => {}
            Sign::Dead => self.selector.distrust(target, for_, now),
            Sign::Unavailable => {
                let retry_after = outcome.response.headers.sound::<RetryAfter>();
                let for_ = retry_after.map_or(for_, |after| Duration::from_secs(after.0.into()));
                self.selector.distrust(target, for_, now);
            }
        }
        if over {
            self.probe_over(reference);
        }
    }
}

/// A URI that leads to this address and nowhere else.
fn uri_of(target: Candidate) -> Uri {
    Uri::sip_host(target.remote.ip().into()).with_port(target.remote.port()).with_transport(target.transport)
}
