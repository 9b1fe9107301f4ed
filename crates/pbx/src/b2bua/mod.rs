//! Call control. The node is a back-to-back user agent: every party has a dialog with the node, and the node decides
//! who is connected to whom.
//!
//! [`Calls`] finds the call that an event belongs to; [`call::Call`] holds one. The ideas are a file each: who calls
//! (`caller`), who can be rung (`target`), ringing them (`ring`, `setup`) and what they do (`fork`), what is said of the caller and of diversions (`identity`), redirects
//! (`redirect`), connecting (`connect`), hold and other changes of media (`hold`), media by the node
//! (`forced_gateway`) and whose is encrypted (`media_security`), transfer.

mod call;
mod caller;
mod connect;
mod describe;
mod early_media;
mod feature;
mod forced_gateway;
mod fork;
mod hold;
mod identity;
mod media_security;
mod pickup;
mod redirect;
mod ring;
mod servers;
mod service_call;
mod setup;
mod target;
mod tones;
mod transfer;
mod waiting_tone;

use crate::commands::{CallParty, CallStatus, CommandError};
use crate::core::Core;
use call::{Call, Party, PartyKind};
use caller::Admitted;
use event::Now;
use service_call::ServiceCalls;
use sip::endpoint::{CallEvent, CallRef};
use sip::{Flow, Request};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// All calls in progress.
#[derive(Default)]
pub(crate) struct Calls {
    calls: BTreeMap<u64, Call>,
    index: Index,
    services: ServiceCalls,
    /// When each call wants to be woken.
    timers: BTreeSet<(Instant, u64)>,
    last: u64,
}

/// Which call a dialog belongs to, and which trunk individual it takes.
#[derive(Default)]
pub(crate) struct Index {
    entries: BTreeMap<CallRef, Entry>,
    used: BTreeMap<u32, usize>,
    /// The most trunk individuals that were taken at once.
    peak: usize,
}

#[derive(Clone, Debug)]
struct Entry {
    call: u64,
    role: Role,
    route: Option<u32>,
    extension: Option<String>,
}

/// What a dialog is in its call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Caller,
    Callee,
    /// Somebody who is being called.
    Fork,
    /// A transferor whose work is done.
    Leaving,
}

impl Index {
    pub fn insert(&mut self, dialog: CallRef, call: u64, role: Role, party: &Party) {
        let extension = party.extension().map(str::to_owned);
        let route = match party.kind {
            PartyKind::Extension(_) => None,
            PartyKind::Route(route) => Some(route),
        };
        if let Some(route) = route {
            let used = self.used.entry(route).or_default();
            *used = used.saturating_add(1);
            self.peak = self.peak.max(self.channels());
        }
        self.entries.insert(dialog, Entry { call, role, route, extension });
    }

    /// The dialog is over: its trunk individual is free.
    pub fn remove(&mut self, dialog: CallRef) {
        let Some(route) = self.entries.remove(&dialog).and_then(|entry| entry.route) else { return };
        if let Some(used) = self.used.get_mut(&route) {
            *used = used.saturating_sub(1);
            if *used == 0 {
                self.used.remove(&route);
            }
        }
    }

    pub fn set(&mut self, dialog: CallRef, call: u64, role: Role) {
        if let Some(entry) = self.entries.get_mut(&dialog) {
            (entry.call, entry.role) = (call, role);
        }
    }

    /// Trunk individuals taken on a route.
    pub fn used(&self, route: u32) -> usize {
        self.used.get(&route).copied().unwrap_or_default()
    }

    /// Trunk individuals taken on all routes.
    pub fn channels(&self) -> usize {
        self.used.values().sum()
    }

    /// Dialogs of an extension.
    pub fn of_extension(&self, number: &str) -> usize {
        self.entries.values().filter(|entry| entry.extension.as_deref() == Some(number)).count()
    }

    /// Lines of an extension that are in use: the calls that it is in, but for this one.
    pub fn lines(&self, number: &str, but: u64) -> usize {
        let own = self.entries.values().filter(|entry| entry.call != but && entry.extension.as_deref() == Some(number));
        own.map(|entry| entry.call).collect::<BTreeSet<_>>().len()
    }
}

/// What a call works with while something happens to it.
pub(crate) struct Scene<'a> {
    pub core: &'a mut Core,
    pub index: &'a mut Index,
    pub now: Now,
    /// Set by a transfer with Replaces: the other call, whose remaining party comes over.
    pub replaced: Option<transfer::Replaced>,
}

impl Calls {
    /// A peer's INVITE.
    pub fn incoming(&mut self, core: &mut Core, dialog: CallRef, request: &Request, flow: &Flow, now: Now) {
        self.last = core.chance.next_after(self.last);
        let id = self.last;
        let mut scene = Scene { core, index: &mut self.index, now, replaced: None };
        match caller::admit(&mut scene, id, dialog, request, flow) {
            Admitted::No => {}
            Admitted::Call(call) => self.put_back(*call),
            Admitted::Pickup(leg) => self.with_scene(core, now, |calls, scene| calls.pick_up(scene, leg)),
            Admitted::Replaces(leg, replaces, by) => {
                self.with_scene(core, now, |calls, scene| calls.replace(scene, &replaces, by, leg));
            }
            Admitted::Procedure(leg, digits) => {
                self.services.start(&mut scene, dialog, leg.party.number, digits, leg.theirs);
            }
            Admitted::Answer(leg, outcome) => {
                self.services.answer(&mut scene, dialog, leg.party.number, leg.theirs, &outcome);
            }
        }
    }

    /// Does something that concerns calls and their index at once.
    fn with_scene(&mut self, core: &mut Core, now: Now, act: impl FnOnce(&mut Calls, &mut Scene<'_>)) {
        let mut index = std::mem::take(&mut self.index);
        let mut scene = Scene { core, index: &mut index, now, replaced: None };
        act(self, &mut scene);
        self.index = index;
    }

    /// Something happened to a dialog.
    pub fn event(&mut self, core: &mut Core, dialog: CallRef, event: CallEvent, now: Now) {
        let Some(entry) = self.index.entries.get(&dialog) else {
            if self.services.has(dialog) {
                let mut scene = Scene { core, index: &mut self.index, now, replaced: None };
                self.services.event(&mut scene, dialog, &event);
            }
            // A dialog that was given up: an answer that crossed our CANCEL is for the endpoint to end.
            return;
        };
        let (id, role) = (entry.call, entry.role);
        core.journal.touch(journal::Key::Call(id));
        let Some(mut call) = self.take(id) else { return };
        let mut scene = Scene { core, index: &mut self.index, now, replaced: None };
        call.event(&mut scene, dialog, role, event);
        if let Some(replaced) = scene.replaced.take()
            && let Some(mut other) = self.take(replaced.call)
        {
            let mut scene = Scene { core, index: &mut self.index, now, replaced: None };
            call.take_over(&mut scene, &mut other, &replaced);
            self.put_back(other);
        }
        self.put_back(call);
    }

    /// Which call a dialog belongs to.
    pub fn call_of(index: &Index, dialog: CallRef) -> Option<u64> {
        index.entries.get(&dialog).map(|entry| entry.call)
    }

    pub fn deadline(&self) -> Option<Instant> {
        self.timers.first().map(|(at, _)| *at).into_iter().chain(self.services.deadline()).min()
    }

    /// A service code that a phone dialled is carried out, or not.
    pub fn service_done(&mut self, core: &mut Core, ticket: u64, result: Result<(), CommandError>, now: Now) {
        let outcome = result.map_or_else(service_call::Outcome::Refused, |()| service_call::Outcome::Accepted);
        let mut scene = Scene { core, index: &mut self.index, now, replaced: None };
        self.services.confirmed(&mut scene, ticket, &outcome);
    }

    /// The first call that is due; false when none is.
    pub fn handle_one_timeout(&mut self, core: &mut Core, now: Now) -> bool {
        let Some((_, id)) = self.timers.first().copied().filter(|(at, _)| *at <= now.instant) else {
            let due = self.services.deadline().is_some_and(|at| at <= now.instant);
            let mut scene = Scene { core, index: &mut self.index, now, replaced: None };
            self.services.handle_timeout(&mut scene);
            return due;
        };
        core.journal.touch(journal::Key::Call(id));
        let Some(mut call) = self.take(id) else {
            self.timers.pop_first();
            return true;
        };
        let mut scene = Scene { core, index: &mut self.index, now, replaced: None };
        call.handle_timeout(&mut scene);
        self.put_back(call);
        true
    }

    fn take(&mut self, id: u64) -> Option<Call> {
        let call = self.calls.remove(&id)?;
        if let Some(at) = call.timer {
            self.timers.remove(&(at, id));
        }
        Some(call)
    }

    fn put_back(&mut self, mut call: Call) {
        if call.is_over() {
            return;
        }
        call.timer = call.deadline();
        if let Some(at) = call.timer {
            self.timers.insert((at, call.id));
        }
        self.calls.insert(call.id, call);
    }

    /// Ends everything: the node stops.
    pub fn end_all(&mut self, core: &mut Core, now: Now) {
        let mut scene = Scene { core, index: &mut self.index, now, replaced: None };
        self.services.end_all(&mut scene);
        let all: Vec<u64> = self.calls.keys().copied().collect();
        for id in all {
            let Some(mut call) = self.take(id) else { continue };
            let mut scene = Scene { core, index: &mut self.index, now, replaced: None };
            call.end(&mut scene, None, "node-stopped", None, None);
            self.put_back(call);
        }
    }

    /// Dialogs and trunk individuals that are taken: both 0 when nobody talks.
    #[cfg(test)]
    pub fn taken(&self) -> (usize, usize) {
        (self.index.entries.len(), self.index.used.values().sum())
    }

    /// Trunk individuals taken on a route, for its status.
    pub fn on_route(&self, route: u32) -> usize {
        self.index.used(route)
    }

    /// Dialogs of an extension, for its status.
    pub fn of_extension(&self, number: &str) -> u32 {
        u32::try_from(self.index.of_extension(number)).unwrap_or(u32::MAX)
    }

    /// Calls in progress, oldest first.
    pub fn status(&self, now: Now) -> Vec<CallStatus> {
        let party = |party: &Party| CallParty {
            number: party.number.clone(),
            name: party.name.clone(),
            route: match party.kind {
                PartyKind::Route(route) => Some(route),
                PartyKind::Extension(_) => None,
            },
        };
        let status = |call: &Call| CallStatus {
            call: call.id,
            call_id: call.call_id.clone(),
            from: party(&call.caller.party),
            to: call.called().map(party).collect(),
            dialled: call.dialled.clone(),
            state: call.state().to_owned(),
            duration_ms: u64::try_from(now.instant.saturating_duration_since(call.started.instant).as_millis())
                .unwrap_or(u64::MAX),
            gateway: call.is_anchored(),
        };
        self.calls.values().filter(|call| call.is_alive()).map(status).collect()
    }

    /// The calls that a number is in, a row a party: state, who, RTP address and that of the node which it sends to, codec,
    /// direct or by the gateway.
    pub fn trace(&self, number: &str) -> Vec<Vec<String>> {
        let mut rows = Vec::new();
        let is_in = |call: &Call| {
            let mut parties = std::iter::once(&call.caller.party).chain(call.called());
            call.is_alive() && parties.any(|party| party.number == number || party.extension() == Some(number))
        };
        for call in self.calls.values().filter(|call| is_in(call)) {
            let media = if call.is_anchored() { "gateway" } else { "direct" };
            let legs = call.callee.iter().map(|leg| ("called", leg));
            for (role, leg) in std::iter::once(("caller", &call.caller)).chain(legs) {
                let route = match leg.party.kind {
                    PartyKind::Route(route) => route.to_string(),
                    PartyKind::Extension(_) => "-".into(),
                };
                let (address, codec) = leg.theirs.as_ref().and_then(audio_of).unwrap_or(("-".into(), "-"));
                let node = leg.side.as_ref().map_or("-".into(), |side| side.address().to_string());
                let (id, state) = (call.id.to_string(), call.state().to_owned());
                let party = [leg.party.number.clone(), route, address, node, codec.to_owned(), media.to_owned()];
                rows.push([id, state, role.to_owned()].into_iter().chain(party).collect());
            }
        }
        rows
    }

    /// Trunk individuals taken now, and the most since the start.
    pub fn channels(&self) -> (usize, usize) {
        (self.index.channels(), self.index.peak)
    }

    pub fn count(&self) -> usize {
        self.calls.len()
    }
}

/// Where a party wants its audio, and the codec that it likes best.
fn audio_of(session: &sdp::Session) -> Option<(String, &'static str)> {
    let (_, media) = session.audio()?;
    let host = match session.connection_of(media)? {
        sdp::Address::Ip(ip) => ip.to_string(),
        sdp::Address::Name(name) => name.to_string(),
    };
    let codec = media.payloads().find_map(|payload| payload.codec()).map_or("-", sdp::Codec::name);
    Some((format!("{host}:{}", media.port), codec))
}
