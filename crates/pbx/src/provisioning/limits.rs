//! How often a source may ask, and how often it may be wrong.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// Requests of a source within [`WINDOW`]: a floor of phones behind one address that start together, four files each.
pub(crate) const REQUESTS: u32 = 1200;
/// Phone files that a source asked for in vain within [`WINDOW`] before it must prove itself by a token.
pub(crate) const FAILURES: u32 = 20;
pub(crate) const WINDOW: Duration = Duration::from_secs(600);
/// Sources that are counted; beyond it the oldest is forgotten.
const SOURCES: usize = 4096;

#[derive(Default)]
pub(crate) struct Limits {
    sources: BTreeMap<IpAddr, Counted>,
}

#[derive(Clone, Copy)]
struct Counted {
    since: Instant,
    requests: u32,
    failures: u32,
}

impl Limits {
    /// Counts a request. False: the source has had its share for now.
    pub fn admit(&mut self, source: IpAddr, now: Instant) -> bool {
        let counted = self.of(source, now);
        counted.requests = counted.requests.saturating_add(1);
        counted.requests <= REQUESTS
    }

    /// Counts a failure. True: it was the one too many.
    pub fn failed(&mut self, source: IpAddr, now: Instant) -> bool {
        let counted = self.of(source, now);
        counted.failures = counted.failures.saturating_add(1);
        counted.failures == FAILURES
    }

    /// Whether the source has guessed too often.
    pub fn is_blocked(&mut self, source: IpAddr, now: Instant) -> bool {
        self.of(source, now).failures >= FAILURES
    }

    fn of(&mut self, source: IpAddr, now: Instant) -> &mut Counted {
        let source = subscriber(source);
        let recent = |counted: &Counted| now.saturating_duration_since(counted.since) < WINDOW;
        if self.sources.len() >= SOURCES && !self.sources.contains_key(&source) {
            self.sources.retain(|_, counted| recent(counted));
            if self.sources.len() >= SOURCES
                && let Some(oldest) = self.sources.iter().min_by_key(|(_, counted)| counted.since).map(|(key, _)| *key)
            {
                self.sources.remove(&oldest);
            }
        }
        let fresh = Counted { since: now, requests: 0, failures: 0 };
        let counted = self.sources.entry(source).or_insert(fresh);
        if !recent(counted) {
            *counted = fresh;
        }
        counted
    }
}

/// RFC 6177: a subscriber of IPv6 has a /64 at least, so its addresses count as one.
fn subscriber(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_that_guesses_is_blocked_for_a_while_and_no_other_is() {
        let (mut limits, now) = (Limits::default(), Instant::now());
        let [one, two] = ["192.0.2.1", "192.0.2.2"].map(|text| text.parse().unwrap());
        let told = (0..FAILURES * 2).filter(|_| limits.failed(one, now)).count();
        assert_eq!(told, 1, "the alarm is raised once");
        assert!(limits.is_blocked(one, now) && !limits.is_blocked(two, now));
        assert!(!limits.is_blocked(one, now + WINDOW));
    }

    #[test]
    fn changing_the_address_within_a_subscribers_net_does_not_help() {
        let (mut limits, now) = (Limits::default(), Instant::now());
        for host in 0..FAILURES {
            limits.failed(format!("2001:db8::{host:x}").parse().unwrap(), now);
        }
        assert!(limits.is_blocked("2001:db8::ffff".parse().unwrap(), now));
        assert!(!limits.is_blocked("2001:db8:0:1::1".parse().unwrap(), now));
    }

    #[test]
    fn strangers_take_a_bounded_amount_of_memory() {
        let (mut limits, now) = (Limits::default(), Instant::now());
        for source in 0..5000_u32 {
            limits.admit(IpAddr::from(source.to_be_bytes()), now);
        }
        assert!(limits.sources.len() <= SOURCES);
    }
}
