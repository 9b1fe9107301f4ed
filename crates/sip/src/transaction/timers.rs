use std::time::Duration;

/// The base values of RFC 3261 table 4, from which all timers of all machines follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timers {
    /// Estimate of the round trip: the first retransmission interval.
    pub t1: Duration,
    /// The largest retransmission interval of non-INVITE requests and INVITE responses.
    pub t2: Duration,
    /// How long a message may stay in the network.
    pub t4: Duration,
    /// Timer D: how long an INVITE client absorbs repeated final responses on UDP (at least 32 s).
    pub d: Duration,
}

impl Default for Timers {
    fn default() -> Timers {
        Timers {
            t1: Duration::from_millis(500),
            t2: Duration::from_secs(4),
            t4: Duration::from_secs(5),
            d: Duration::from_secs(32),
        }
    }
}

impl Timers {
    /// 64 * T1: timers B, F, H, J, L and M; 32 s by default.
    pub fn limit(&self) -> Duration {
        self.t1.saturating_mul(64)
    }

    /// Doubles a retransmission interval up to T2 (timers E and G).
    pub(super) fn doubled(&self, interval: Duration) -> Duration {
        interval.saturating_mul(2).min(self.t2)
    }
}

/// What a machine wants done after one event, in order. No event asks for more than three things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actions<A> {
    slots: [Option<A>; 3],
}

impl<A: Copy> Actions<A> {
    pub(super) fn none() -> Actions<A> {
        Actions { slots: [None; 3] }
    }

    pub(super) fn of<const N: usize>(actions: [A; N]) -> Actions<A> {
        const { assert!(N <= 3) };
        let mut slots = [None; 3];
        for (slot, action) in slots.iter_mut().zip(actions) {
            *slot = Some(action);
        }
        Actions { slots }
    }
}

impl<A> IntoIterator for Actions<A> {
    type Item = A;
    type IntoIter = std::iter::Flatten<std::array::IntoIter<Option<A>, 3>>;

    fn into_iter(self) -> Self::IntoIter {
        self.slots.into_iter().flatten()
    }
}

/// The earlier of two deadlines, where `None` never comes.
pub(super) fn earlier(a: Option<std::time::Instant>, b: Option<std::time::Instant>) -> Option<std::time::Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, None) | (None, one) => one,
    }
}

/// Whether a timer that may be off has come due.
pub(super) fn due(timer: Option<std::time::Instant>, now: std::time::Instant) -> bool {
    timer.is_some_and(|at| at <= now)
}
