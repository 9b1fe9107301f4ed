//! The unified messaging server: it answers calls that a PBX diverts to it, takes messages, plays them, and tells the PBX
//! about them. It meets the PBX in SIP and RTP only.
//!
//! [`Server`] is the role: one signalling thread (see [`net::Role`]). A call comes to the `router`, is sent on to the
//! `service` and by it to a `worker`, which answers it and runs a `dialogue` with the caller; the `storage` keeps
//! what was said, and `message_waiting` tells the PBX.

pub mod commands;
pub mod configuration;
mod dialogue;
mod hours;
pub mod import;
mod journal;
mod message_waiting;
pub mod people;
pub mod personal_information;
pub mod records;
pub mod replay;
mod router;
mod rules;
mod server;
mod service;
pub mod storage;
mod time_zone;
mod worker;

pub use dialogue::{menus_page, spoken_menus};
pub use rules::Denied;
pub use server::{Closed, Own, Server, UmConfig};
pub use service::Addresses;
pub use time_zone::of_this_machine as time_zone_of_this_machine;
