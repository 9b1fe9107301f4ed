//! What an entity gets that it could not work out from its inputs: random numbers, numbers of its own series, and what it
//! reads of things that other calls change. All of it passes one [`Watch`], so that whoever records a call can write it
//! down, and whoever runs the call again can give the same back.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng, TryRng};
use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// Drawn at random.
    Random,
    /// The next of a series that counts up: numbers of calls, transactions, tickets.
    Series,
    /// Read from what other calls change: trunk individuals in use, the grey list.
    Shared,
}

/// Sees every such value before it is used. Called on the role's own thread only.
pub trait Watch: Send + Sync {
    /// What is used in the place of `fresh`: `fresh` itself, unless a recorded call is run again.
    fn pass(&self, origin: Origin, fresh: u64) -> u64;
}

/// The dice of one part of an entity. Parts that share a watch are made with [`Chance::child`].
pub struct Chance {
    rng: StdRng,
    watch: Option<Arc<dyn Watch>>,
}

impl Chance {
    /// Dice that nobody watches. `seed` must be unpredictable outside tests.
    pub fn new(seed: [u8; 32]) -> Chance {
        Chance { rng: StdRng::from_seed(seed), watch: None }
    }

    pub fn watched(seed: [u8; 32], watch: Arc<dyn Watch>) -> Chance {
        Chance { rng: StdRng::from_seed(seed), watch: Some(watch) }
    }

    /// Dice for another part, seeded by these and watched by the same.
    pub fn child(&mut self) -> Chance {
        let mut seed = [0; 32];
        self.rng.fill_bytes(&mut seed);
        Chance { rng: StdRng::from_seed(seed), watch: self.watch.clone() }
    }

    /// The next of a series: the one after `last`.
    pub fn next_after(&self, last: u64) -> u64 {
        // A process does not live to count to 2^64.
        self.pass(Origin::Series, last.wrapping_add(1))
    }

    /// Something that was read of what other calls change.
    pub fn shared(&self, value: u64) -> u64 {
        self.pass(Origin::Shared, value)
    }

    fn pass(&self, origin: Origin, fresh: u64) -> u64 {
        self.watch.as_ref().map_or(fresh, |watch| watch.pass(origin, fresh))
    }
}

impl TryRng for Chance {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let fresh = self.rng.next_u32();
        // What is given back was 32 bits wide when it was recorded.
        Ok(self.pass(Origin::Random, fresh.into()) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let fresh = self.rng.next_u64();
        Ok(self.pass(Origin::Random, fresh))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            let number = self.try_next_u64()?.to_le_bytes();
            chunk.copy_from_slice(number.get(..chunk.len()).unwrap_or_default());
        }
        Ok(())
    }
}

impl fmt::Debug for Chance {
    /// Neither the seed nor what comes next: tags and branches must stay unpredictable.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chance").field("watched", &self.watch.is_some()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt;
    use std::sync::Mutex;

    /// Writes down, or gives back.
    #[derive(Default)]
    struct Tape {
        written: Mutex<Vec<u64>>,
        back: Option<Mutex<std::vec::IntoIter<u64>>>,
    }

    impl Watch for Tape {
        fn pass(&self, _: Origin, fresh: u64) -> u64 {
            let value = self.back.as_ref().and_then(|back| back.lock().unwrap().next()).unwrap_or(fresh);
            self.written.lock().unwrap().push(value);
            value
        }
    }

    fn drawn(chance: &mut Chance) -> (u64, u32, u128, u64, [u8; 11]) {
        let mut bytes = [0; 11];
        chance.fill_bytes(&mut bytes);
        (chance.random(), chance.random(), chance.random(), chance.random_range(210..=400), bytes)
    }

    #[test]
    fn the_same_seed_gives_the_same_numbers_watched_or_not() {
        let tape = Arc::new(Tape::default());
        assert_eq!(drawn(&mut Chance::new([1; 32])), drawn(&mut Chance::watched([1; 32], tape)));
    }

    #[test]
    fn what_was_recorded_is_given_back_whatever_the_seed() {
        let tape = Arc::new(Tape::default());
        let mut parent = Chance::watched([1; 32], tape.clone());
        let (child, own) = (drawn(&mut parent.child()), drawn(&mut parent));
        let written = tape.written.lock().unwrap().clone();
        let back = Arc::new(Tape { back: Some(Mutex::new(written.into_iter())), ..Tape::default() });
        let mut again = Chance::watched([2; 32], back);
        assert_eq!((drawn(&mut again.child()), drawn(&mut again)), (child, own));
    }

    #[test]
    fn series_count_up() {
        let chance = Chance::new([1; 32]);
        assert_eq!((chance.next_after(0), chance.next_after(7), chance.shared(3)), (1, 8, 3));
    }
}
