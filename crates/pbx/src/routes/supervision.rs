//! Supervision: every server behind a route is asked by OPTIONS now and then, so that a dead one is known before somebody
//! calls. Where a name stands for several, calls pass over those that do not answer (the endpoint's grey list) until they
//! do; the route itself is down when none of them does.

use super::NumberTypes;
use crate::alarms::AlarmKind;
use crate::core::Core;
use event::{Event, Now};
use sip::endpoint::{ClientRef, OutgoingRequest, Probed, Sign, TargetPolicy};
use sip::{Method, NameAddr, Uri};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Seconds between questions where the route does not say.
const DEFAULT_INTERVAL: u32 = 30;

/// The routes that are watched.
#[derive(Default)]
pub(crate) struct Supervision {
    watches: BTreeMap<u32, Watch>,
    asked: BTreeMap<ClientRef, u32>,
}

struct Watch {
    next: Instant,
    interval: Duration,
    down: bool,
    /// Which of several servers do not answer, for the alarm that one is missing.
    missing: BTreeSet<SocketAddr>,
}

impl Supervision {
    /// The routes as they are now; those that are new are first asked after their interval.
    pub fn configure(&mut self, core: &Core, now: Instant) {
        let mut watches = BTreeMap::new();
        for (number, route) in &core.configuration.routes {
            let Some(sip) = route.sip.as_ref().filter(|sip| sip.supervise.as_deref() != Some("NO_SUPERVISION")) else {
                continue;
            };
            let interval = Duration::from_secs(sip.supervisetime.unwrap_or(DEFAULT_INTERVAL).into());
            let old = self.watches.remove(number);
            let next = old.as_ref().filter(|old| old.interval == interval).map(|old| old.next);
            let Some(next) = next.or_else(|| now.checked_add(interval)) else { continue };
            let (down, missing) = old.map(|old| (old.down, old.missing)).unwrap_or_default();
            watches.insert(*number, Watch { next, interval, down, missing });
        }
        self.watches = watches;
    }

    pub fn deadline(&self) -> Option<Instant> {
        self.watches.values().map(|watch| watch.next).min()
    }

    pub fn handle_timeout(&mut self, core: &mut Core, now: Instant) {
        for (number, watch) in &mut self.watches {
            if watch.next > now {
                continue;
            }
            let Some(next) = now.checked_add(watch.interval) else { continue };
            watch.next = next;
            // One question at a time: a dead peer's may still wait.
            if self.asked.values().any(|asked| asked == number) {
                continue;
            }
            let sip = core.configuration.routes.get(number).and_then(|route| route.sip.as_ref());
            let Some((uri, sip)) =
                sip.and_then(|sip| Some((sip.request_uri("0", NumberTypes::default(), false)?, sip)))
            else {
                continue;
            };
            let target = Uri { user: None, ..uri.clone() };
            let own = NameAddr::new(Uri::sip_host(sip.domain(&core.host)));
            let mut request = OutgoingRequest::new(Method::Options, own, NameAddr::new(target), core.listener);
            request.next_hop = sip.next_hop(&uri);
            request.peer_name = sip.peername.as_deref().map(Into::into);
            // A dead server is passed over until the answer to the next question but one is due.
            let grey_for = watch.interval.saturating_mul(2).saturating_add(sip.policy().last_try);
            request.policy = TargetPolicy { grey_for, ..sip.policy() };
            if !sip.policy().grey_list {
                request.policy.grey_for = Duration::ZERO;
            }
            if let Ok(client) = core.endpoint.probe(request, now) {
                self.asked.insert(client, *number);
            }
        }
    }

    /// All servers of a route have answered, or were waited for. Any final response but 503 is a sign of life.
    pub fn answered(&mut self, core: &mut Core, client: ClientRef, targets: &[Probed], now: Now) {
        let Some(route) = self.asked.remove(&client) else { return };
        let Some(watch) = self.watches.get_mut(&route) else { return };
        let alive = targets.iter().any(|probed| probed.sign == Sign::Alive);
        core.health.supervised(route, alive);
        let subject = format!("route {route}");
        if watch.down == alive {
            watch.down = !alive;
            let reason = match targets.first().map(|probed| probed.sign) {
                None => "the name of its peer leads to no address".to_owned(),
                Some(Sign::Unavailable) => "the peer answers OPTIONS by 503: it takes no calls".to_owned(),
                Some(_) => "the peer does not answer OPTIONS".to_owned(),
            };
            if alive {
                core.clear(now, AlarmKind::RouteDown, &subject);
            } else {
                core.raise(now, AlarmKind::RouteDown, &subject, &reason);
            }
            core.emit(
                now,
                if alive { Event::RouteAvailable { route } } else { Event::RouteUnavailable { route, reason } },
            );
        }
        // With all of them missing the route's own alarm says so.
        let missing: BTreeSet<SocketAddr> = targets
            .iter()
            .filter(|probed| alive && probed.sign != Sign::Alive)
            .map(|probed| probed.target.remote)
            .collect();
        let server = |remote: &SocketAddr| format!("{subject}, server {remote}");
        for gone in missing.difference(&watch.missing) {
            core.raise(now, AlarmKind::ServerDown, &server(gone), "it does not answer OPTIONS; others take its calls");
        }
        for back in watch.missing.difference(&missing) {
            core.clear(now, AlarmKind::ServerDown, &server(back));
        }
        watch.missing = missing;
    }
}
