use std::time::{Duration, Instant, SystemTime};

/// The time at which an input happened, handed to every state machine that needs it.
///
/// `instant` is what timers count with; `wall` is what people and headers are told. They come in together, so that a
/// test (or a replay) can move both and nothing reads a clock by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    pub instant: Instant,
    pub wall: SystemTime,
}

impl Now {
    /// Reads both clocks. Only floor 2 (`net`, `media`) and the wiring call this.
    pub fn read() -> Now {
        Now { instant: Instant::now(), wall: SystemTime::now() }
    }

    /// The same pair of clocks, `by` later: the virtual clock of the tests.
    pub fn later(self, by: Duration) -> Now {
        Now { instant: self.instant + by, wall: self.wall + by }
    }

    /// Milliseconds since 1970-01-01 UTC; 0 for a clock set before that.
    pub fn unix_ms(self) -> u64 {
        let since = self.wall.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}
