//! People: their PINs and lock-out. Mailboxes, extensions and names are in the [configuration](crate::configuration).

pub(crate) mod directory;
pub mod hashing;
pub(crate) mod keypad;
mod pin;

pub(crate) use directory::Directory;
pub use hashing::{HashAnswer, HashJob, Hasher, Pool, PoolFull, is_hash};
pub use pin::{PinProblem, PinRecord, check_rules, made_up};
