//! The node among phones and UM servers, on a virtual clock.

mod administering;
mod alternatives;
mod by_tls;
mod calling;
mod chance;
mod configuring;
mod draining;
mod early_media;
mod encrypting;
mod failover;
mod gateway;
mod groups;
mod holding;
mod lamps;
mod provisioning;
mod public_trunk;
mod registering;
mod rig;
mod scripts;
mod services;
mod terminals;
mod transferring;
mod trunk;
