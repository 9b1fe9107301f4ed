//! SIP without I/O: grammar, transactions, dialogs, calls, digest, target selection and failover.

pub mod digest;
pub mod flow;
pub mod message;
pub mod text;
pub mod transaction;

pub use flow::{Destination, Flow, ListenerId, Transmit, Transport};
pub use message::*;
pub use text::Text;
