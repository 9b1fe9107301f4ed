//! Commands to a half's media engine, changed on their way.

use super::{Fault, Half};
use media::{Control, Direction, MediaCommand, OpenError, SessionId};
use std::net::{IpAddr, SocketAddr};

/// Samples of the tone that asks to speak: nothing else that is played is that long.
const TONE: usize = 3_200;

/// The engine's door with faults in it.
pub(crate) struct Tampered<C> {
    control: C,
    half: Half,
    faults: Vec<Fault>,
    /// The UM servers, as the node's media knows them.
    um: Vec<IpAddr>,
}

impl<C: Control> Tampered<C> {
    pub fn new(control: C, half: Half, faults: &[Fault], um: Vec<IpAddr>) -> Tampered<C> {
        Tampered { control, half, faults: faults.to_vec(), um }
    }

    fn tamper(&self, fault: Fault, command: &mut MediaCommand) {
        match (self.half, fault, command) {
            // What the node does not know to be an event it does not pass on.
            (Half::Node, Fault::KeysStripped, MediaCommand::Connect { stream, .. }) => {
                (stream.dtmf, stream.dtmf_receive) = (None, None);
            }
            (Half::Node, Fault::SilentToPhones, MediaCommand::Connect { stream, .. })
                if !self.um.contains(&stream.remote.ip()) =>
            {
                stream.direction = Direction::ReceiveOnly;
            }
            (Half::Um, Fault::DeafUm, MediaCommand::Connect { stream, .. }) => stream.direction = Direction::SendOnly,
            (Half::Um, Fault::NoTone, MediaCommand::Play { clips, .. }) => clips.retain(|clip| clip.len() != TONE),
            _ => {}
        }
    }
}

impl<C: Control> Control for Tampered<C> {
    fn open(&mut self) -> Result<(SessionId, SocketAddr), OpenError> {
        self.control.open()
    }

    fn command(&mut self, mut command: MediaCommand) {
        for fault in &self.faults {
            self.tamper(*fault, &mut command);
        }
        self.control.command(command);
    }
}
