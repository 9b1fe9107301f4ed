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
        let total: u32 = group.map(|record| u32::from(record.weight)).sum();
        let draw = if total == 0 { 0 } else { rng.random_range(0..=total) };
        let mut sum = 0;
        let chosen = records.iter().position(|record| {
            sum += u32::from(record.weight);
            sum >= draw
        });
        ordered.push(records.remove(chosen.unwrap_or(0)));
    }
    ordered
}
