//! 302 followed: from a trunk to where its Contact says, hop after hop; from a phone as a diversion.

use super::call::{Call, PartyKind};
use super::servers::Servers;
use super::setup::Fork;
use super::{Role, Scene};
use crate::diversion::Outcome;
use event::Event;
use sip::diversion::{Diversion, DiversionReason};
use sip::header::{Contact, Reason};
use sip::history_info::{Change, History};
use sip::{Response, Uri};

/// Redirects that one INVITE follows. Exchange needs two; the rest is room for odd peers.
const MOST_HOPS: u32 = 10;
/// Contacts of one 302 that are looked at.
const MOST_CONTACTS: usize = 8;

/// Where redirects have led a fork.
#[derive(Clone, Debug, Default)]
pub(crate) struct Redirects {
    visited: Vec<Uri>,
    /// Contacts of the last 302 that were not tried, the preferred last.
    alternatives: Vec<Uri>,
    hops: u32,
}

impl Redirects {
    pub fn starting(at: &Uri) -> Redirects {
        Redirects { visited: vec![at.clone()], ..Redirects::default() }
    }

    /// Whether one was followed.
    pub fn is_under_way(&self) -> bool {
        self.hops > 0
    }

    /// The next contact of the last 302.
    pub fn alternative(&mut self) -> Option<Uri> {
        self.alternatives.pop()
    }

    /// Where to go, by the contacts of a 3xx (RFC 3261 8.1.3.4): those of the highest q first, never back.
    fn next(&mut self, response: &Response) -> Result<Uri, Outcome> {
        if self.hops >= MOST_HOPS {
            return Err(Outcome::Loop);
        }
        let contacts = response.headers.all_typed::<Contact>().filter_map(|contact| contact.ok()?.address());
        let mut contacts: Vec<_> = contacts.filter(|contact| contact.uri.is_sip()).take(MOST_CONTACTS).collect();
        if contacts.is_empty() {
            return Err(Outcome::BadRedirect);
        }
        contacts.sort_by_key(|contact| std::cmp::Reverse(contact.q()));
        let fresh = contacts.into_iter().map(|contact| Uri { headers: None, ..contact.uri });
        let mut fresh: Vec<Uri> = fresh.filter(|uri| !self.visited.iter().any(|seen| seen.same_as(uri))).collect();
        fresh.reverse();
        let next = fresh.pop().ok_or(Outcome::Loop)?;
        self.alternatives = fresh;
        Ok(next)
    }
}

impl Call {
    /// A fork answered 3xx; its dialog is over.
    pub(super) fn redirected(&mut self, scene: &mut Scene<'_>, mut fork: Fork, response: &Response) {
        let from_phone = matches!(fork.leg.party.kind, PartyKind::Extension(_));
        let next = match fork.redirects.next(response) {
            Ok(next) => next,
            // A phone that forwards its calls to nowhere takes none.
            Err(Outcome::BadRedirect) if from_phone => return self.fork_failed(scene, fork, Outcome::Unavailable),
            Err(outcome) => return self.fork_failed(scene, fork, outcome),
        };
        if !from_phone && !scene.core.is_own(&next) {
            return self.follow(scene, fork, next);
        }
        // Where one member of a hunt group sends its calls is not where the group's go.
        if self.setup.as_ref().is_some_and(|setup| setup.itinerary.is_hunting()) {
            return self.fork_failed(scene, fork, Outcome::Unavailable);
        }
        // A phone that forwards by itself, or a peer that points back into the node: the number is dialled here, and who
        // forwarded is told on.
        let to = next.number().unwrap_or_default();
        let reason = Diversion::all(&response.headers).first().map(|diversion| diversion.reason.clone());
        let reason = reason.filter(|reason| *reason != DiversionReason::Unknown).unwrap_or(DiversionReason::Deflection);
        if let Some(side) = fork.leg.side.take() {
            side.close(scene);
        }
        let from = fork.leg.party.extension().unwrap_or(&fork.leg.party.number);
        self.deflect(scene, from, &to, reason);
    }

    /// Calls the next target: another Request-URI, and all else as before. To, identity and diversion headers stay,
    /// or the next server would not know whose mailbox is wanted.
    pub(super) fn follow(&mut self, scene: &mut Scene<'_>, mut fork: Fork, next: Uri) {
        let PartyKind::Route(route) = fork.leg.party.kind else { return self.fork_failed(scene, fork, Outcome::Loop) };
        fork.redirects.hops = fork.redirects.hops.saturating_add(1);
        fork.redirects.visited.push(next.clone());
        let adds_history = scene
            .core
            .configuration
            .routes
            .get(&route)
            .and_then(|route| route.sip.as_ref())
            .is_some_and(|sip| sip.history_redirects);
        if adds_history {
            let mut history = History::read(&fork.plan.headers);
            if !history.entries.is_empty() {
                history.retarget(Reason::sip(302, "Moved Temporarily"), next.clone(), Change::Rc);
                history.write(&mut fork.plan.headers);
            }
        }
        fork.plan.request_uri = next.clone();
        fork.plan.next_hop = None;
        fork.plan.route.clear();
        // Where others could take the call, this one is waited for as long as any of them.
        if fork.servers.as_ref().is_some_and(Servers::has_others) {
            fork.plan.policy.last_try = fork.plan.policy.per_try;
        }
        fork.plan.avoid.clear();
        scene
            .core
            .emit(scene.now, Event::CallRedirected { call: self.id, to: next.to_string(), hop: fork.redirects.hops });
        match scene.core.endpoint.invite(fork.plan.clone(), scene.now.instant) {
            Ok(dialog) => {
                fork.leg.dialog = dialog;
                scene.index.insert(dialog, self.id, Role::Fork, &fork.leg.party);
                if let Some(setup) = &mut self.setup {
                    setup.forks.push(fork);
                }
            }
            Err(error) => {
                tracing::warn!(%error, "a redirect can't be followed");
                fork.redirects.alternatives.clear();
                self.fork_failed(scene, fork, Outcome::TrunkFailed);
            }
        }
    }
}
