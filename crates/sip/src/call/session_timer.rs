//! Session timers (RFC 4028): who refreshes, when, and when the session counts as dead.

use std::time::{Duration, Instant};

use crate::Text;
use crate::message::header::{MinSe, Refresher, SessionExpires};
use crate::message::{Headers, Name};

/// RFC 4028 5: no interval is shorter, whoever asks.
pub const LEAST: Duration = Duration::from_secs(90);

/// What we want of session timers.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    /// The interval that we ask for; `None`: only what the peer asks.
    pub interval: Option<Duration>,
    /// The least that we take.
    pub least: Duration,
}

/// What a timer wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// We are the refresher, and half of the interval is over.
    Refresh,
    /// Nobody refreshed: send BYE.
    Expired,
}

/// The running timer of one session; default: none agreed.
#[derive(Clone, Debug, Default)]
pub struct SessionTimer {
    interval: Option<Duration>,
    we_refresh: bool,
    refresh_at: Option<Instant>,
    expire_at: Option<Instant>,
}

impl SessionTimer {
    /// No session timer runs.
    pub fn off() -> SessionTimer {
        SessionTimer::default()
    }

    fn start(interval: Duration, we_refresh: bool, now: Instant) -> SessionTimer {
        // 7.2: the refresher acts at half of the interval; 10: the other waits until shortly before the end, the
        // smaller of 32 s and a third earlier.
        let margin = Duration::from_secs(32).min(interval / 3);
        SessionTimer {
            interval: Some(interval),
            we_refresh,
            refresh_at: we_refresh.then(|| now + interval / 2),
            expire_at: Some(now + interval.saturating_sub(margin)),
        }
    }

    pub fn deadline(&self) -> Option<Instant> {
        match (self.refresh_at, self.expire_at) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    pub fn timeout(&mut self, now: Instant) -> Option<Due> {
        if self.expire_at.is_some_and(|at| at <= now) {
            *self = SessionTimer::off();
            return Some(Due::Expired);
        }
        if self.refresh_at.is_some_and(|at| at <= now) {
            self.refresh_at = None;
            return Some(Due::Refresh);
        }
        None
    }

    /// Tries a refresh again a little later: another transaction was in its way.
    pub fn postpone(&mut self, now: Instant) {
        if self.interval.is_some() && self.we_refresh {
            self.refresh_at = Some(now + Duration::from_secs(4));
        }
    }

    /// The same timer with an interval of at least `least`: the peer refused a shorter one (7.3).
    pub fn at_least(&self, least: Option<Duration>) -> SessionTimer {
        let mut timer = self.clone();
        timer.interval = timer.interval.max(least);
        timer
    }

    /// Headers of a request of ours that may refresh: Session-Expires and Min-SE (7.1, 7.4).
    pub fn ask(&self, wish: Wish, headers: &mut Headers) {
        let Some(interval) = self.interval.or(wish.interval) else { return };
        // 7.4: within a session the roles are kept; the first request leaves the choice to the peer.
        let refresher = self.interval.map(|_| if self.we_refresh { Refresher::Uac } else { Refresher::Uas });
        headers.push_typed(&SessionExpires { seconds: seconds(interval.max(wish.least)), refresher });
        headers.push_typed(&MinSe(seconds(wish.least)));
    }

    /// A 2xx to a request of ours came (7.2): what it says runs from now on.
    pub fn agreed(response: &Headers, now: Instant) -> SessionTimer {
        match response.sound::<SessionExpires>() {
            Some(expires) => {
                let interval = Duration::from_secs(u64::from(expires.seconds)).max(LEAST);
                // 7.2: a peer that does not say who refreshes leaves it to us.
                SessionTimer::start(interval, expires.refresher != Some(Refresher::Uas), now)
            }
            // 7.2: no Session-Expires, no expiry.
            None => SessionTimer::off(),
        }
    }

    /// Answers a request of the peer's with 2xx (9): sets what runs from now on and writes the headers of the response.
    pub fn grant(wish: Wish, request: &Headers, response: &mut Headers, now: Instant) -> SessionTimer {
        let peer_knows = request.lists(&Name::Supported, "timer") || request.lists(&Name::Require, "timer");
        let asked = request.sound::<SessionExpires>();
        let floor = least_of(wish, request);
        let interval = match (&asked, wish.interval) {
            (Some(asked), wanted) => {
                let asked = Duration::from_secs(u64::from(asked.seconds));
                // 9: the interval may be lowered, but not under Min-SE, and never raised.
                wanted.map_or(asked, |wanted| wanted.min(asked)).max(floor.min(asked)).max(LEAST)
            }
            (None, Some(wanted)) => wanted.max(floor),
            (None, None) => return SessionTimer::off(),
        };
        // 9, table 2: a peer that does not know session timers can't refresh.
        let refresher = match asked.and_then(|asked| asked.refresher) {
            Some(refresher) if peer_knows => refresher,
            _ if peer_knows => Refresher::Uac,
            _ => Refresher::Uas,
        };
        if refresher == Refresher::Uac {
            // 9: then the peer must take note.
            response.push(Name::Require, Text::from_static("timer"));
        }
        response.push_typed(&SessionExpires { seconds: seconds(interval), refresher: Some(refresher) });
        SessionTimer::start(interval, refresher == Refresher::Uas, now)
    }

    /// Whether a request asks for too short an interval: to be answered 422 with our Min-SE (9).
    pub fn is_too_small(wish: Wish, request: &Headers) -> bool {
        let knows = request.lists(&Name::Supported, "timer") || request.lists(&Name::Require, "timer");
        let asked = request.sound::<SessionExpires>();
        knows && asked.is_some_and(|asked| Duration::from_secs(u64::from(asked.seconds)) < wish.least.max(LEAST))
    }

    /// The interval to ask for after a 422, from its Min-SE (7.3).
    pub fn larger(response: &Headers) -> Option<Duration> {
        response.sound::<MinSe>().map(|least| Duration::from_secs(u64::from(least.0)))
    }
}

/// The least that both sides and the proxies between take.
fn least_of(wish: Wish, request: &Headers) -> Duration {
    let theirs = request.sound::<MinSe>().map_or(LEAST, |least| Duration::from_secs(u64::from(least.0)));
    wish.least.max(theirs).max(LEAST)
}

fn seconds(interval: Duration) -> u32 {
    u32::try_from(interval.as_secs()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WISH: Wish = Wish { interval: Some(Duration::from_secs(1800)), least: LEAST };

    fn headers(lines: &[(Name, &'static str)]) -> Headers {
        lines.iter().map(|(name, value)| (name.clone(), Text::from_static(value))).collect()
    }

    #[test]
    fn the_peers_shorter_interval_is_taken_and_the_peer_refreshes() {
        let now = Instant::now();
        let request = headers(&[(Name::Supported, "timer"), (Name::SessionExpires, "120")]);
        let mut response = Headers::new();
        let timer = SessionTimer::grant(WISH, &request, &mut response, now);
        assert_eq!(response.get(&Name::SessionExpires).unwrap(), &"120;refresher=uac");
        assert!(response.lists(&Name::Require, "timer"));
        assert_eq!(timer.deadline(), Some(now + Duration::from_secs(88)));
    }

    #[test]
    fn a_peer_without_session_timers_is_refreshed_by_us() {
        let now = Instant::now();
        let mut response = Headers::new();
        let mut timer = SessionTimer::grant(WISH, &Headers::new(), &mut response, now);
        assert_eq!(response.get(&Name::SessionExpires).unwrap(), &"1800;refresher=uas");
        assert!(!response.has(&Name::Require));
        assert_eq!(timer.deadline(), Some(now + Duration::from_secs(900)));
        assert_eq!(timer.timeout(now + Duration::from_secs(900)), Some(Due::Refresh));
        assert_eq!(timer.deadline(), Some(now + Duration::from_secs(1768)));
        assert_eq!(timer.timeout(now + Duration::from_secs(1768)), Some(Due::Expired));
    }

    #[test]
    fn an_interval_under_the_least_is_too_small_only_for_peers_that_know_422() {
        let short = headers(&[(Name::Supported, "timer"), (Name::SessionExpires, "60")]);
        assert!(SessionTimer::is_too_small(WISH, &short));
        assert!(!SessionTimer::is_too_small(WISH, &headers(&[(Name::SessionExpires, "60")])));
    }

    #[test]
    fn a_hostile_interval_does_not_overflow() {
        let now = Instant::now();
        let response = headers(&[(Name::SessionExpires, "4294967295;refresher=uac")]);
        assert!(SessionTimer::agreed(&response, now).deadline().is_some());
    }
}
