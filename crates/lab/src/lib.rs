//! Starts a node ([`RunningNode`]) or a UM server ([`RunningUm`]) with all that belongs to it, and the [`Lab`]: the
//! guide's setup, both in one process.

mod cable;
mod call_records;
pub mod certificates;
mod disk;
mod dns;
mod doors;
mod error;
pub mod event_socket;
mod fault;
pub mod folder;
mod import;
mod journal;
mod lab;
mod metrics;
mod node;
pub mod provisioning;
mod role;
pub mod settings;
pub mod tls;
mod um;

pub use cable::{Cables, Done};
pub use error::StartError;
pub use fault::{Fault, NoSuchFault};
pub use import::{ImportError, Imported, import};
pub use lab::{Lab, LabSettings, Pair};
pub use metrics::MetricsSettings;
pub use node::RunningNode;
pub use um::{Extras, RunningUm, Shared};
