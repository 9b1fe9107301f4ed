//! Play on phone: a message is played to whoever answers the number that its owner gave (fact sheet 3.7).

use crate::dialogue::TransferEnd;
use crate::server::Server;
use event::Now;

impl Server {
    pub(super) fn play_on_phone_rings(&mut self, _number: u64, _now: Now) {}

    pub(super) fn play_on_phone_answered(&mut self, _number: u64, _now: Now) {}

    pub(super) fn play_on_phone_failed(&mut self, _number: u64, _end: TransferEnd, _now: Now) {}
}
