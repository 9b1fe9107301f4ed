//! Handshakes that are under way: each holds memory and costs a signature, so there are few at once.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Handshakes at once, and of one source.
const MOST: usize = 128;
const OF_SOURCE: usize = 32;

/// Counts them: 128 at once, 32 of one source.
#[derive(Clone, Default)]
pub struct HalfOpen(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// A place among them; free again when dropped.
pub struct Place {
    half_open: HalfOpen,
    source: IpAddr,
}

impl HalfOpen {
    /// A place for one more handshake; none if there are too many.
    pub fn enter(&self, source: IpAddr) -> Option<Place> {
        let mut sources = self.lock();
        if sources.values().sum::<usize>() >= MOST {
            return None;
        }
        let count = sources.entry(source).or_default();
        if *count >= OF_SOURCE {
            return None;
        }
        *count += 1;
        Some(Place { half_open: self.clone(), source })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        // Each change to the map is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut sources = self.half_open.lock();
        if let Some(count) = sources.get_mut(&self.source) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                sources.remove(&self.source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_source_can_not_take_all_places_and_all_sources_not_more_than_there_are() {
        let half_open = HalfOpen::default();
        let source = |n: u8| IpAddr::from([192, 0, 2, n]);
        let mut places: Vec<Place> = Vec::new();
        places.extend(std::iter::from_fn(|| half_open.enter(source(1))));
        assert_eq!(places.len(), OF_SOURCE);
        for n in 2..50 {
            places.extend(std::iter::from_fn(|| half_open.enter(source(n))));
        }
        assert_eq!(places.len(), MOST);
        places.clear();
        assert!(half_open.enter(source(1)).is_some() && half_open.lock().is_empty());
    }
}
