//! The server's nonces: each carries when it was issued and a mark that only this server can make, so that issuing one
//! to anybody who asks takes no memory. Memory is taken by those that came back with right credentials, for counting.

use super::{Algorithm, Challenge, Credentials, Ha1, hex, same_secret};
use crate::{Method, Text, Uri};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long a nonce is good for.
const LIFETIME: Duration = Duration::from_secs(300);
/// How many nonces in use are remembered.
const REMEMBERED: usize = 20_000;

/// What credentials are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Accepted,
    /// The password is right, the nonce is too old, or its count was seen before: challenge again with stale=true.
    Stale,
    /// Wrong password, or credentials for something else.
    Wrong,
}

/// When it was issued (milliseconds after the start), and a number.
type Id = (u64, u64);

/// Issues nonces and judges credentials.
#[derive(Debug)]
pub struct Nonces {
    secret: [u8; 32],
    start: Instant,
    serial: u64,
    used: BTreeMap<Id, Counts>,
    /// Nonces up to this one are stale, unless remembered: they made room for others.
    forgotten: Id,
}

/// The counts seen with a nonce: the highest, and which of the 64 up to it. UDP may turn the order of requests around.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    highest: u32,
    seen: u64,
}

impl Counts {
    /// Whether this count is new; then it is noted.
    fn take(&mut self, nc: u32) -> bool {
        if nc == 0 {
            return false;
        }
        if nc > self.highest {
            let shift = nc - self.highest;
            self.seen = if shift < 64 { self.seen << shift } else { 0 } | 1;
            self.highest = nc;
            return true;
        }
        let back = self.highest - nc;
        if back >= 64 || self.seen & (1 << back) != 0 {
            return false;
        }
        self.seen |= 1 << back;
        true
    }
}

impl Nonces {
    /// `seed` must be random: nonces of an earlier process are stale then, and nobody can make his own.
    pub fn new(seed: [u8; 32], now: Instant) -> Nonces {
        Nonces { secret: seed, start: now, serial: 0, used: BTreeMap::new(), forgotten: (0, 0) }
    }

    /// The challenges of a 401 (or 407, when `proxy`), one for each of `algorithms`, to be
    /// written in this order: RFC 8760 2.4 has the client take the topmost that it supports.
    pub fn challenges(
        &mut self,
        realm: &str,
        algorithms: &[Algorithm],
        stale: bool,
        proxy: bool,
        now: Instant,
    ) -> Vec<Challenge> {
        let realm = Text::from(realm);
        algorithms
            .iter()
            .map(|&algorithm| Challenge {
                realm: realm.clone(),
                nonce: Text::from(self.issue(now)),
                algorithm,
                auth: true,
                opaque: None,
                stale,
                proxy,
            })
            .collect()
    }

    /// Judges credentials that came with a request. Say [`Verdict::Wrong`] also for users that don't exist: judge them
    /// against any HA1.
    pub fn judge(&mut self, c: &Credentials, ha1: &Ha1, method: &Method, uri: &Uri, now: Instant) -> Verdict {
        if !c.matches(ha1, method) || !c.is_for(uri) {
            return Verdict::Wrong;
        }
        let oldest = self.elapsed(now).saturating_sub(LIFETIME.as_millis() as u64);
        while self.used.first_key_value().is_some_and(|(id, _)| id.0 < oldest) {
            self.forget_oldest();
        }
        let Some(id) = self.read(&c.nonce).filter(|id| id.0 >= oldest) else { return Verdict::Stale };
        if !self.used.contains_key(&id) && id <= self.forgotten {
            return Verdict::Stale;
        }
        // RFC 2069's answer has no count: all that can be asked of it is a young nonce.
        let Some(protection) = &c.protection else { return Verdict::Accepted };
        if !self.used.entry(id).or_default().take(protection.nc) {
            return Verdict::Stale;
        }
        if self.used.len() > REMEMBERED {
            self.forget_oldest();
        }
        Verdict::Accepted
    }

    fn forget_oldest(&mut self) {
        if let Some((id, _)) = self.used.pop_first() {
            self.forgotten = self.forgotten.max(id);
        }
    }

    fn elapsed(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.start).as_millis() as u64
    }

    fn issue(&mut self, now: Instant) -> String {
        self.serial += 1;
        let id = (self.elapsed(now), self.serial);
        format!("{:x}.{:x}.{}", id.0, id.1, self.mark(id))
    }

    fn read(&self, nonce: &str) -> Option<Id> {
        let mut parts = nonce.splitn(3, '.');
        let issued = u64::from_str_radix(parts.next()?, 16).ok()?;
        let serial = u64::from_str_radix(parts.next()?, 16).ok()?;
        same_secret(parts.next()?, &self.mark((issued, serial))).then_some((issued, serial))
    }

    /// Half of a SHA-256 over secret and message; both have a fixed length, and half is hidden, so that nothing can be
    /// appended.
    fn mark(&self, id: Id) -> String {
        let mut hash = Sha256::new();
        hash.update(self.secret);
        hash.update(id.0.to_be_bytes());
        hash.update(id.1.to_be_bytes());
        hex(&hash.finalize()[..16])
    }
}
