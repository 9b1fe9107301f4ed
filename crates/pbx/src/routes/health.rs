//! Which routes are down, by what supervision, calls and registrations have seen. A call with several choices takes those
//! that work first; one that is down is tried when nothing else is left, since what was seen may be old.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// How long a route is passed over after a call found nobody there: as long as a host is grey (the guide: 32 s).
const PASSED_OVER: Duration = Duration::from_secs(32);

#[derive(Debug, Default)]
pub(crate) struct Health {
    /// Their peers do not answer OPTIONS.
    silent: BTreeSet<u32>,
    /// A call failed there; until when it is passed over.
    failed: BTreeMap<u32, Instant>,
    /// The provider does not take our registration.
    unregistered: BTreeSet<u32>,
}

impl Health {
    pub fn is_down(&self, route: u32, now: Instant) -> bool {
        self.silent.contains(&route)
            || self.unregistered.contains(&route)
            || self.failed.get(&route).is_some_and(|until| *until > now)
    }

    /// The peer answers OPTIONS, or not. What calls found before is forgotten when it answers.
    pub fn supervised(&mut self, route: u32, alive: bool) {
        if alive {
            self.silent.remove(&route);
            self.failed.remove(&route);
        } else {
            self.silent.insert(route);
        }
    }

    /// A call reached the peer, or not.
    pub fn called(&mut self, route: u32, reached: bool, now: Instant) {
        if reached {
            // Better than an answer to OPTIONS.
            self.failed.remove(&route);
            self.silent.remove(&route);
        } else if let Some(until) = now.checked_add(PASSED_OVER) {
            self.failed.insert(route, until);
        }
    }

    /// Whether any of the route's registrations holds, where it should register.
    pub fn registered(&mut self, route: u32, registered: bool) {
        if registered {
            self.unregistered.remove(&route);
        } else {
            self.unregistered.insert(route);
        }
    }

    /// Forgets routes that are no more, and what is not watched any more.
    pub fn keep(
        &mut self,
        exists: impl Fn(u32) -> bool,
        supervised: impl Fn(u32) -> bool,
        registers: impl Fn(u32) -> bool,
    ) {
        self.failed.retain(|route, _| exists(*route));
        self.silent.retain(|route| supervised(*route));
        self.unregistered.retain(|route| registers(*route));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_where_a_call_failed_is_passed_over_for_32_seconds_or_until_it_shows_life() {
        let (mut health, now) = (Health::default(), Instant::now());
        health.called(1, false, now);
        assert!(health.is_down(1, now + Duration::from_secs(31)));
        assert!(!health.is_down(1, now + Duration::from_secs(32)));
        health.called(1, false, now);
        health.supervised(1, true);
        assert!(!health.is_down(1, now));
    }

    #[test]
    fn a_silent_peer_is_down_until_it_answers_or_a_call_gets_through() {
        let (mut health, now) = (Health::default(), Instant::now());
        health.supervised(1, false);
        assert!(health.is_down(1, now + Duration::from_secs(3600)));
        health.supervised(1, true);
        assert!(!health.is_down(1, now));
        health.supervised(1, false);
        health.called(1, true, now);
        assert!(!health.is_down(1, now));
    }
}
