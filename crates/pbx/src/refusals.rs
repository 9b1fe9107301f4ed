//! How often strangers are told of. Each refusal is an event, which goes to log, pages and audit: whoever is refused a
//! thousand times a second must not fill them.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Refusals of one source that are told of in its minute.
const OF_SOURCE: u32 = 10;
const MINUTE: Duration = Duration::from_secs(60);
/// Refusals of all sources together that are told of in a second.
const OF_ALL: u32 = 50;
const SECOND: Duration = Duration::from_secs(1);
/// Sources that are remembered; beyond it all are forgotten, which the limit of all makes good.
const REMEMBERED: usize = 10_000;

/// Counts them.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    sources: BTreeMap<IpAddr, (Instant, u32)>,
    all: Option<(Instant, u32)>,
}

impl Refusals {
    /// Another one: whether to tell of it.
    pub fn tells(&mut self, source: IpAddr, now: Instant) -> bool {
        if self.sources.len() >= REMEMBERED && !self.sources.contains_key(&source) {
            self.sources.retain(|_, (begun, _)| now.saturating_duration_since(*begun) < MINUTE);
            if self.sources.len() >= REMEMBERED {
                self.sources.clear();
            }
        }
        let of_source = count(self.sources.entry(source).or_insert((now, 0)), MINUTE, now) <= OF_SOURCE;
        of_source && count(self.all.get_or_insert((now, 0)), SECOND, now) <= OF_ALL
    }
}

/// Counts one more in the present period; how many there are with it.
fn count((begun, count): &mut (Instant, u32), period: Duration, now: Instant) -> u32 {
    if now.saturating_duration_since(*begun) >= period {
        (*begun, *count) = (now, 0);
    }
    *count = count.saturating_add(1);
    *count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(n: usize) -> IpAddr {
        IpAddr::from(u32::try_from(n).unwrap().to_be_bytes())
    }

    #[test]
    fn a_source_is_told_of_ten_times_a_minute() {
        let (mut refusals, start) = (Refusals::default(), Instant::now());
        let told = (0..1000).filter(|n| refusals.tells(source(1), start + Duration::from_millis(n * 50))).count();
        assert_eq!(told, 10);
        assert!(refusals.tells(source(2), start + Duration::from_secs(50)));
        assert!(refusals.tells(source(1), start + MINUTE));
    }

    #[test]
    fn a_flood_from_everywhere_is_told_of_fifty_times_a_second_and_takes_no_more_memory() {
        let (mut refusals, start) = (Refusals::default(), Instant::now());
        let told = (0..50_000).filter(|n| refusals.tells(source(*n), start)).count();
        assert_eq!(told, 50);
        assert!(refusals.sources.len() <= REMEMBERED);
        assert!(refusals.tells(source(60_000), start + SECOND));
    }
}
