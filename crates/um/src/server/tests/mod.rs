//! The whole server against a scripted PBX: SIP messages in and out, fake media, a store in memory, a virtual clock.

mod acceptance;
mod administration;
mod attendants;
mod call_answering;
mod commands;
mod delivery;
mod directory;
mod draining;
mod failover;
mod groups;
mod hang_up;
mod lamps;
mod languages;
mod lines;
mod outcalls;
mod personal_information;
mod pins;
mod redirects;
mod rig;
mod securing;
mod source;
mod spoken;
mod transfer;
mod voice_access;
