//! The order of SRV records (RFC 2782).

use super::SrvRecord;
use crate::Chance;
use rand::RngExt;

/// Orders records by priority, and at random by weight among those of the same priority. Records that say "not offered"
/// (target `.`) are left out.
pub fn order(mut records: Vec<SrvRecord>, rng: &mut Chance) -> Vec<SrvRecord> {
    records.retain(|record| !matches!(record.target.as_str(), "." | ""));
    // RFC 2782 puts weight 0 first in each draw, so that it has a small chance beside others.
    records.sort_by_key(|record| (record.priority, record.weight));
    let mut ordered = Vec::with_capacity(records.len());
    while let Some(priority) = records.first().map(|record| record.priority) {
        let group = records.iter().take_while(|record| record.priority == priority);
        let (size, total) =
            group.fold((0, 0_u32), |(size, total), record| (size + 1, total + u32::from(record.weight)));
        let chosen = if total == 0 {
            // Nobody said anything of shares: equal ones.
            rng.random_range(0..size)
        } else {
            // RFC 2782 draws from 0, which would give the first of two records of weight 1 two calls of three; so it
            // is done only where there is a record of weight 0, whose small chance it is.
            let least = records.first().map_or(1, |first| u32::from(first.weight > 0));
            let draw = rng.random_range(least..=total);
            let mut sum = 0;
            let chosen = records.iter().position(|record| {
                sum += u32::from(record.weight);
                sum >= draw
            });
            chosen.unwrap_or(0)
        };
        ordered.push(records.remove(chosen));
    }
    ordered
}
