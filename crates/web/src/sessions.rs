//! Who has signed in by the page, and who has failed to.

use crate::error::ApiError;
use crate::principal::Principal;
use crate::tokens::{Hash, hash, secret};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a sign-in lasts.
pub const LIFETIME: Duration = Duration::from_secs(12 * 3600);
/// Sessions at most; the oldest makes room.
const MOST: usize = 10_000;
/// Failed sign-ins that a source may have in a minute. Wrong PINs lock their mailbox besides, over all doors.
const FAILURES: u32 = 20;
const WINDOW: Duration = Duration::from_secs(60);
/// Sources whose failures are counted at most; the oldest makes room.
const SOURCES: usize = 4096;

#[derive(Default)]
pub struct Sessions {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    sessions: HashMap<Hash, Session>,
    failures: HashMap<IpAddr, Failures>,
}

struct Session {
    principal: Principal,
    begun: Instant,
}

struct Failures {
    since: Instant,
    count: u32,
}

impl Sessions {
    /// Begins a session. Returns the cookie's value, whose hash alone is kept.
    pub fn begin(&self, principal: Principal, now: Instant) -> Result<String, ApiError> {
        let cookie = secret()?;
        let mut inner = self.lock();
        if inner.sessions.len() >= MOST {
            inner.sessions.retain(|_, session| session.lives(now));
        }
        if inner.sessions.len() >= MOST
            && let Some(oldest) = inner.sessions.iter().min_by_key(|(_, session)| session.begun).map(|(key, _)| *key)
        {
            inner.sessions.remove(&oldest);
        }
        inner.sessions.insert(hash(&cookie), Session { principal, begun: now });
        Ok(cookie)
    }

    pub fn find(&self, cookie: &str, now: Instant) -> Option<Principal> {
        self.lock().sessions.get(&hash(cookie)).filter(|session| session.lives(now)).map(|s| s.principal.clone())
    }

    pub fn end(&self, cookie: &str) {
        self.lock().sessions.remove(&hash(cookie));
    }

    /// Whether a source has failed so often that it must wait.
    pub fn must_wait(&self, source: IpAddr, now: Instant) -> bool {
        self.lock().failures.get(&source).is_some_and(|failures| failures.recent(now) && failures.count >= FAILURES)
    }

    pub fn failed(&self, source: IpAddr, now: Instant) {
        let mut inner = self.lock();
        if inner.failures.len() >= SOURCES && !inner.failures.contains_key(&source) {
            inner.failures.retain(|_, failures| failures.recent(now));
            if inner.failures.len() >= SOURCES
                && let Some(oldest) = inner.failures.iter().min_by_key(|(_, f)| f.since).map(|(source, _)| *source)
            {
                inner.failures.remove(&oldest);
            }
        }
        let failures = inner.failures.entry(source).or_insert(Failures { since: now, count: 0 });
        if !failures.recent(now) {
            *failures = Failures { since: now, count: 0 };
        }
        failures.count = failures.count.saturating_add(1);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Each change to the maps is whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    fn lives(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.begun) < LIFETIME
    }
}

impl Failures {
    fn recent(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) < WINDOW
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_by_itself_and_when_asked() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        let cookie = sessions.begin(Principal::Admin("web".into()), now).unwrap();
        assert_eq!(sessions.find(&cookie, now), Some(Principal::Admin("web".into())));
        assert_eq!(sessions.find(&cookie, now + LIFETIME), None);
        assert_eq!(sessions.find("guess", now), None);
        sessions.end(&cookie);
        assert_eq!(sessions.find(&cookie, now), None);
    }

    #[test]
    fn a_source_that_keeps_failing_waits_a_minute_and_no_other_does() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        let [source, other] = ["192.0.2.1", "192.0.2.2"].map(|text| text.parse::<IpAddr>().unwrap());
        for _ in 0..FAILURES {
            assert!(!sessions.must_wait(source, now));
            sessions.failed(source, now);
        }
        assert!(sessions.must_wait(source, now) && !sessions.must_wait(other, now));
        assert!(!sessions.must_wait(source, now + WINDOW));
    }
}
