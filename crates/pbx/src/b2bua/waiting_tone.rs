//! What a party hears that waits: ringback while it is being transferred, two beeps now and then while it is on hold.

use super::call::{Call, Exchange, Leg, PartyKind};
use super::forced_gateway::Side;
use super::{Role, Scene, tones};
use sdp::{Codec, Session};
use sip::Headers;

/// What the node sounds to somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WaitingTone {
    /// The caller hears that somebody is being called. `borrowed`: its media comes to the node for nothing else.
    Ringback { borrowed: bool },
    /// This party was put on hold.
    Hold { party: Role },
}

/// What is done when the caller's media has come to the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Later {
    /// The transfer's target answered meanwhile.
    Join,
    /// The transfer failed meanwhile.
    Restore,
}

impl Call {
    /// The target of a transfer rings: the party that waits hears it.
    pub(super) fn sound_ringback(&mut self, scene: &mut Scene<'_>) {
        if matches!(self.tone, Some(WaitingTone::Ringback { .. })) {
            return;
        }
        self.end_tone(scene);
        if let Some(side) = self.caller.side.as_ref().filter(|side| side.is_connected()) {
            side.part(scene);
            side.play(scene, &tones::RINGBACK, true);
            self.tone = Some(WaitingTone::Ringback { borrowed: false });
            return;
        }
        // Media that goes from phone to phone comes here for as long as it rings.
        if self.exchange != Exchange::Idle || self.caller.theirs.is_none() {
            return;
        }
        let Ok(mut side) = Side::open(scene, &self.caller.party.kind, vec![Codec::Pcma, Codec::Pcmu]) else { return };
        side.serves(scene.core, self.caller.dialog, &self.caller.party.kind);
        let body = side.offer(self.caller.ours.as_ref());
        let offered = scene.core.endpoint.offer(self.caller.dialog, &Headers::new(), Some(body), scene.now.instant);
        if offered.is_err() {
            return side.close(scene);
        }
        side.play(scene, &tones::RINGBACK, true);
        self.caller.side = Some(side);
        self.exchange = Exchange::Anchoring { to: Role::Caller };
        self.tone = Some(WaitingTone::Ringback { borrowed: true });
    }

    /// Whether the caller's media is at the node only to hear a tone.
    fn is_borrowed(&self) -> bool {
        self.tone == Some(WaitingTone::Ringback { borrowed: true })
    }

    /// Whether something has to wait until the caller's media has come to the node.
    pub(super) fn postpones(&mut self, what: Later) -> bool {
        let anchoring = self.is_borrowed() && matches!(self.exchange, Exchange::Anchoring { .. });
        if anchoring {
            self.later = Some(what);
        }
        anchoring
    }

    /// The caller's media came to the node for a tone, or did not; what waited for it is done.
    pub(super) fn borrowed(&mut self, scene: &mut Scene<'_>, theirs: Option<&Session>) {
        let accepted = match (theirs, &mut self.caller.side) {
            (Some(theirs), Some(side)) => side.accept(scene, theirs).is_ok(),
            _ => false,
        };
        if !accepted {
            self.return_media(scene);
            self.tone = None;
        }
        match self.later.take() {
            Some(Later::Join) => self.join(scene),
            Some(Later::Restore) => self.restore(scene),
            None => {}
        }
    }

    /// Lends the caller's media back: what was last described by the node's side is what comes before the next
    /// description.
    fn return_media(&mut self, scene: &mut Scene<'_>) {
        if let Some(side) = self.caller.side.take() {
            self.caller.ours = side.close_with_last(scene).or(self.caller.ours.take());
        }
    }

    /// Before the media of both parties is connected: no tone, and no borrowed media unless it stays at the node.
    pub(super) fn ready_to_join(&mut self, scene: &mut Scene<'_>) {
        let borrowed = self.is_borrowed();
        self.end_tone(scene);
        let stays = self.callee.as_ref().and_then(|leg| leg.side.as_ref()).is_some_and(Side::is_connected);
        if borrowed && !stays {
            self.return_media(scene);
        }
    }

    /// A transfer failed: the party that waited is back where it was.
    pub(super) fn restore(&mut self, scene: &mut Scene<'_>) {
        if self.postpones(Later::Restore) {
            return;
        }
        let Some(WaitingTone::Ringback { borrowed }) = self.tone else { return };
        self.end_tone(scene);
        if !borrowed {
            return self.relay(scene);
        }
        self.return_media(scene);
        // Just as it was described: whoever holds the call goes on holding it.
        let Some(theirs) = self.callee.as_ref().and_then(|leg| leg.theirs.clone()) else { return };
        let body = self.caller.describe(&theirs);
        self.exchange = Exchange::Joining;
        self.offer_to(scene, Role::Caller, body);
    }

    pub(super) fn end_tone(&mut self, scene: &mut Scene<'_>) {
        let side = match self.tone.take() {
            None => return,
            Some(WaitingTone::Ringback { .. }) => self.caller.side.as_ref(),
            Some(WaitingTone::Hold { party }) => self.leg(party).and_then(|leg| leg.side.as_ref()),
        };
        if let Some(side) = side {
            side.silence(scene);
        }
    }

    /// A party at the gateway put the call on hold, or resumed it: the other one hears which.
    pub(super) fn hold_changed(&mut self, scene: &mut Scene<'_>, by: Role, offer: Option<&Session>) {
        let other = if by == Role::Caller { Role::Callee } else { Role::Caller };
        let direction = offer.and_then(|offer| Some(offer.direction_of(offer.audio()?.1)));
        let Some(direction) = direction else { return };
        let held = Some(WaitingTone::Hold { party: other });
        if direction.receives() {
            if self.tone == held {
                self.end_tone(scene);
                self.relay(scene);
            }
            return;
        }
        // A trunk that still sends sends its own music.
        let music = direction.sends() && self.leg(by).is_some_and(|leg| matches!(leg.party.kind, PartyKind::Route(_)));
        let recorded = self.leg(other).is_some_and(|leg| is_voice_mail(scene, leg));
        if self.tone.is_some() || music || recorded {
            return;
        }
        let Some(side) = self.leg(other).and_then(|leg| leg.side.as_ref()).filter(|side| side.is_connected()) else {
            return;
        };
        side.part(scene);
        side.play(scene, &tones::HOLD, true);
        self.tone = held;
    }
}

/// Whether a party is a voice mail system: nobody there listens to beeps, and a message would have them in it.
fn is_voice_mail(scene: &Scene<'_>, leg: &Leg) -> bool {
    let PartyKind::Route(route) = leg.party.kind else { return false };
    let sip = scene.core.configuration.routes.get(&route).and_then(|route| route.sip.as_ref());
    sip.is_some_and(|sip| sip.mwinumber.is_some())
}
