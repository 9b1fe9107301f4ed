//! What the tests of this module share: a virtual clock.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// The moment at which every test starts.
pub fn t0() -> Instant {
    static START: OnceLock<Instant> = OnceLock::new();
    *START.get_or_init(Instant::now)
}

pub fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

pub fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}
