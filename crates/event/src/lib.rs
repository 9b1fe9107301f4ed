//! Typed events: one variant a happening. Log, metric, call record, audit and live page are all fed from the same
//! stream, so that a thing which happened has one name and one set of fields everywhere.
//!
//! The two types that matter: [`Event`] (what happened) and [`Bus`] (who hears of it). [`Sample`] is a number for `/metrics`.

mod bus;
mod kind;
mod now;
mod sample;
mod tally;

pub use bus::{Bus, Record, Sink, Subscription};
pub use kind::{Event, Level, TlsProblem};
pub use now::Now;
pub use sample::{Ask, Kind, Measured, Metric, Sample};
pub use tally::Tally;
