//! The lamp: counts that the voice mail system sends are kept on disk, and told to phones by subscription (RFC 3842)
//! and unsolicited. Lamps that colleagues light are kept in `manual`; whoever has just registered waits in `newcomers`.

mod manual;
mod newcomers;
mod watchers;

pub(crate) use manual::{KIND as BY_HAND, ManualWaiting};

use crate::commands::Lamp;
use crate::configuration::{LoadError, change, load_kind};
use crate::core::{Core, Source};
use crate::requests::{refusal, with_events};
use crate::services::{LampBy, Service};
use crate::terminals::{self, Reach};
use event::{Event, Now};
use newcomers::{Newcomer, Newcomers};
use sip::endpoint::{Body, OutgoingRequest, ServerRef, SubscriptionEvent, SubscriptionRef};
use sip::header::{Expires, SubscriptionState};
use sip::message_summary::{self, Counts, MessageSummary};
use sip::{Flow, Headers, Method, Name, NameAddr, Request, Response, Uri};
use state::Store;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use watchers::Watchers;

const KIND: &str = "lamp";
/// What a phone gets that names no expiry, in seconds (RFC 3842 3.4 suggests hours to days).
const DEFAULT_EXPIRES: u32 = 3600;
/// The shortest subscription, in seconds.
const MIN_EXPIRES: u32 = 60;
/// The longest, in seconds.
const MAX_EXPIRES: u32 = 86_400;
/// Subscriptions of one extension; beyond it the oldest ends.
const MOST: usize = 16;

/// Lamps and who is told of them.
#[derive(Default)]
pub(crate) struct MessageWaiting {
    lamps: BTreeMap<String, Lamp>,
    watchers: Watchers,
    newcomers: Newcomers,
}

impl MessageWaiting {
    pub fn load(store: &Store) -> Result<MessageWaiting, LoadError> {
        Ok(MessageWaiting { lamps: load_kind(store, KIND)?, ..MessageWaiting::default() })
    }

    pub fn lamp(&self, extension: &str) -> Lamp {
        self.lamps.get(extension).copied().unwrap_or_default()
    }

    /// How many lamps are on, lit by messages or by colleagues.
    pub fn lit(&self, manual: &ManualWaiting) -> usize {
        let by_messages = self.lamps.iter().filter(|(_, lamp)| lamp.on).map(|(at, _)| at.as_str());
        by_messages.chain(manual.lit()).collect::<BTreeSet<&str>>().len()
    }

    /// A NOTIFY with counts. From a matched route only: whoever may set lamps may annoy everybody. The ticket under
    /// which the counts are kept, and whose they are; or the refusal.
    pub fn notified(
        &mut self,
        core: &mut Core,
        request: &Request,
        flow: &Flow,
        now: Now,
    ) -> Result<(u64, String), Box<Response>> {
        if core.matched(request, flow).is_none() {
            core.refuse(request, flow, "lamps are set by matched routes only", now);
            return Err(Box::new(request.response(403)));
        }
        match core.source(request, flow, now) {
            Source::Route(_) => {}
            source => return Err(Box::new(refusal(core, request, source, now))),
        }
        let refused = |status| Box::new(with_events(request.response(status)));
        if !is_summary(request) {
            return Err(refused(489));
        }
        let extension = request.uri.number().unwrap_or_default();
        if !core.configuration.extensions.contains_key(&extension) {
            return Err(refused(404));
        }
        let summary = MessageSummary::parse(&request.body).map_err(|_| refused(400))?;
        let counts = summary.voice.unwrap_or_default();
        let (urgent_new, urgent_old) = counts.urgent.unwrap_or_default();
        let lamp = Lamp { on: summary.waiting, new: counts.new, old: counts.old, urgent_new, urgent_old };
        if self.lamp(&extension) != lamp {
            let event = Event::LampChanged { extension: extension.clone(), on: lamp.on, new: lamp.new, old: lamp.old };
            core.emit(now, event);
        }
        self.lamps.insert(extension.clone(), lamp);
        let ticket = core.keep(vec![change(KIND, extension.clone(), Some(&lamp))]);
        Ok((ticket, extension))
    }

    /// A phone's SUBSCRIBE: 200, and at once the counts as they are, whether or not the voice mail system is there.
    pub fn subscribe(
        &mut self,
        core: &mut Core,
        transaction: ServerRef,
        request: &Request,
        flow: &Flow,
        now: Now,
    ) -> Result<(), Box<Response>> {
        let refused = |status| Box::new(with_events(request.response(status)));
        // A voice mail system may read lamps of nobody: it sets them.
        let claimed = request.from().and_then(|from| from.uri.number()).unwrap_or_default();
        let extension = match core.extension(request, &claimed, flow, now) {
            Source::Extension(extension) => extension,
            source => return Err(Box::new(refusal(core, request, source, now))),
        };
        if !is_summary(request) {
            return Err(refused(489));
        }
        // Its own lamp, whether it names itself or the voice mail number; not a colleague's.
        let named = request.uri.number().unwrap_or_default();
        if named != extension && core.configuration.extensions.contains_key(&named) {
            core.refuse(request, flow, "an extension may watch its own lamp only", now);
            return Err(refused(403));
        }
        let asked = request.headers.sound::<Expires>().map_or(DEFAULT_EXPIRES, |expires| expires.0);
        if asked > 0 && asked < MIN_EXPIRES {
            let mut response = refused(423);
            response.headers.push(Name::MinExpires, MIN_EXPIRES.to_string());
            return Err(response);
        }
        let expires = Duration::from_secs(asked.min(MAX_EXPIRES).into());
        let accepted = core.endpoint.accept_subscription(transaction, expires, &Headers::new(), now.instant);
        let Ok(subscription) = accepted else { return Err(refused(503)) };
        let own = self.watchers.of(&extension);
        if own.len() >= MOST
            && let Some(oldest) = own.first()
        {
            self.watchers.remove(*oldest);
            let _ = core.endpoint.end_subscription(*oldest, "deactivated", now.instant);
        }
        self.watchers.insert(subscription, &extension, flow.remote);
        let body = self.body(core, &extension);
        let _ = core.endpoint.notify(subscription, Some(body), now.instant);
        Ok(())
    }

    pub fn subscription(
        &mut self,
        core: &mut Core,
        subscription: SubscriptionRef,
        event: &SubscriptionEvent,
        now: Now,
    ) {
        match event {
            SubscriptionEvent::Refreshed { .. } => {
                if let Some(extension) = self.watchers.extension(subscription) {
                    let body = self.body(core, extension);
                    let _ = core.endpoint.notify(subscription, Some(body), now.instant);
                }
            }
            SubscriptionEvent::Ended { .. } => {
                self.watchers.remove(subscription);
            }
            SubscriptionEvent::Accepted { .. } | SubscriptionEvent::Notified { .. } => {}
        }
    }

    /// Tells all phones of an extension how it stands.
    pub fn tell(&mut self, core: &mut Core, extension: &str, now: Now) {
        let body = self.body(core, extension);
        for subscription in self.watchers.of(extension) {
            let _ = core.endpoint.notify(subscription, Some(body.clone()), now.instant);
        }
        self.tell_unasked(core, extension, terminals::reach(core, extension, now.instant), now);
    }

    /// Tells these phones, whether or not they have subscribed.
    fn tell_unasked(&self, core: &mut Core, extension: &str, phones: Vec<Reach>, now: Now) {
        let body = self.body(core, extension);
        for Reach { uri, next_hop, listener } in phones {
            let own = core.uri(extension);
            let mut request =
                OutgoingRequest::new(Method::Notify, NameAddr::new(own.clone()), NameAddr::new(own), listener);
            request.request_uri = uri;
            request.next_hop = Some(next_hop);
            request.headers.push(Name::Event, message_summary::EVENT);
            // No subscription stands behind it, so none goes on.
            request.headers.push_typed(&SubscriptionState::terminated(None));
            request.body = Some(body.clone());
            let _ = core.endpoint.request(request, now.instant);
        }
    }

    /// A colleague lights the lamp of `at` or puts it out, or its owner does.
    pub fn by_hand(&mut self, core: &mut Core, at: &str, by: &LampBy, now: Now) {
        let was = core.manual_waiting.is_lit(at);
        let change = match by {
            LampBy::Lit(by) => core.manual_waiting.light(at, by),
            LampBy::Withdrawn(by) => core.manual_waiting.put_out(at, Some(by)),
            LampBy::Cancelled => core.manual_waiting.put_out(at, None),
        };
        core.keep_quietly(vec![change]);
        if was != core.manual_waiting.is_lit(at) {
            let lamp = self.lamp(at);
            let on = lamp.on || !was;
            core.emit(now, Event::LampChanged { extension: at.to_owned(), on, new: lamp.new, old: lamp.old });
            self.tell(core, at, now);
        }
    }

    /// A phone registered. One that `begins` is told how it stands, one that refreshes only of a lamp that is on; nobody of a lamp
    /// that never was. Thousands come at once when the power does.
    pub fn registered(&mut self, core: &Core, extension: &str, from: SocketAddr, begins: bool, now: Now) {
        let newcomer = Newcomer { extension: extension.to_owned(), from, begins };
        if self.is_told(core, &newcomer) || self.lit_behind(core, extension).next().is_some() {
            self.newcomers.add(newcomer, now.instant);
        }
    }

    fn is_told(&self, core: &Core, newcomer: &Newcomer) -> bool {
        let extension = &newcomer.extension;
        let on = self.lamp(extension).on || core.manual_waiting.is_lit(extension);
        on || (newcomer.begins && self.lamps.contains_key(extension))
    }

    /// A gateway's phones begin without stutter tone: it hears of those only that have messages.
    fn lit_behind<'a>(&'a self, core: &'a Core, gateway: &str) -> impl Iterator<Item = &'a String> {
        core.terminals.members(gateway).filter(|dir| self.lamp(dir).on)
    }

    pub fn deadline(&self) -> Option<Instant> {
        self.newcomers.deadline()
    }

    /// Tells those that have registered some time ago.
    pub fn handle_timeout(&mut self, core: &mut Core, now: Now) {
        while let Some(newcomer) = self.newcomers.take_due(now.instant) {
            let Newcomer { extension, from, .. } = &newcomer;
            // It has subscribed meanwhile, and was told so.
            if self.is_told(core, &newcomer) && !self.watchers.has(extension, *from) {
                let phones = terminals::registered_from(core, extension, *from, now.instant);
                self.tell_unasked(core, extension, phones, now);
            }
            let members: Vec<String> = self.lit_behind(core, extension).cloned().collect();
            for dir in members {
                self.tell(core, &dir, now);
            }
        }
    }

    /// The extension is no more.
    pub fn forget(&mut self, core: &mut Core, extension: &str, now: Now) {
        for subscription in self.watchers.of(extension) {
            self.watchers.remove(subscription);
            let _ = core.endpoint.end_subscription(subscription, "noresource", now.instant);
        }
        if core.manual_waiting.is_lit(extension) {
            let change = core.manual_waiting.put_out(extension, None);
            core.keep_quietly(vec![change]);
        }
        if self.lamps.remove(extension).is_some() {
            core.keep_quietly(vec![change::<Lamp>(KIND, extension.to_owned(), None)]);
        }
    }

    fn body(&self, core: &Core, extension: &str) -> Body {
        let lamp = self.lamp(extension);
        let urgent = (lamp.urgent_new, lamp.urgent_old);
        let urgent = Some(urgent).filter(|urgent| *urgent != (0, 0));
        let counts = Counts { new: lamp.new, old: lamp.old, urgent };
        let by_hand = core.manual_waiting.is_lit(extension);
        // What the message key dials: the voice mail, or, when nothing waits there, the colleague.
        let dial_back = core.configuration.service_codes.code_of(Service::DialBack).filter(|_| by_hand && !lamp.on);
        let account = dial_back.map(|code| core.uri(&code)).or_else(|| account(core));
        let summary = MessageSummary { waiting: lamp.on || by_hand, ..MessageSummary::voice(account, counts) };
        Body::new(message_summary::CONTENT_TYPE, summary.to_bytes())
    }
}

fn is_summary(request: &Request) -> bool {
    request.headers.sound::<sip::header::Event>().is_some_and(|event| event.is(message_summary::EVENT))
}

/// The number to dial for the messages: the `mwinumber` of the first route that has one.
fn account(core: &Core) -> Option<Uri> {
    let number = core.configuration.routes.values().find_map(|route| route.sip.as_ref()?.mwinumber.as_deref());
    number.map(|number| core.uri(number))
}
