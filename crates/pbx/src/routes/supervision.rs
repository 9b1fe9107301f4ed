//! Supervision: each route's peer is asked by OPTIONS now and then, so that a dead one is known before somebody calls.

use super::NumberTypes;
use crate::alarms::AlarmKind;
use crate::core::Core;
use event::{Event, Now};
use sip::endpoint::{ClientRef, OutgoingRequest, TargetPolicy};
use sip::{Method, NameAddr, Uri};
use std::collections::BTreeMap;
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
            watches.insert(*number, Watch { next, interval, down: old.is_some_and(|old| old.down) });
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
            // A question nobody waits for puts no host on the grey list: calls find out by themselves.
            request.policy = TargetPolicy { grey_list: false, ..sip.policy() };
            if let Ok(client) = core.endpoint.request(request, now) {
                self.asked.insert(client, *number);
            }
        }
    }

    /// An answer came (any final response is a sign of life), or none will.
    pub fn answered(&mut self, core: &mut Core, client: ClientRef, alive: bool, now: Now) {
        let Some(route) = self.asked.remove(&client) else { return };
        let Some(watch) = self.watches.get_mut(&route) else { return };
        core.health.supervised(route, alive);
        if watch.down == alive {
            watch.down = !alive;
            let reason = "the peer does not answer OPTIONS".to_owned();
            let subject = format!("route {route}");
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
    }
}
