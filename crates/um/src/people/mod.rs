//! People: their PINs and lock-out. Mailboxes, extensions and names are in the [configuration](crate::configuration).

pub mod hashing;
mod pin;

pub use hashing::{HashAnswer, HashJob, Hasher, Pool, PoolFull};
pub use pin::{PinProblem, PinRecord, check_rules, made_up};
