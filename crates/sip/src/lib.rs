//! SIP without I/O: grammar, transactions, dialogs, calls, digest, target selection and failover.

pub(crate) mod call;
pub mod chance;
pub mod dialog;
pub mod digest;
pub mod diversion;
pub mod endpoint;
pub mod flow;
pub mod history_info;
pub mod message;
pub mod message_summary;
pub mod sipfrag;
pub mod target;
pub mod testing;
pub mod text;
pub mod transaction;

pub use chance::{Chance, Watch};
pub use endpoint::{Endpoint, EndpointConfig};
pub use flow::{Destination, Flow, ListenerId, Transmit, Transport};
pub use message::*;
pub use text::Text;
