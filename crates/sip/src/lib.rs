//! SIP without I/O: grammar, transactions, dialogs, calls, digest, target selection and failover.

pub mod flow;
