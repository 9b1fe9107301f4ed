//! Media by the node: each party gets a description of the node's own, and the media engine relays between them. It
//! passes RFC 4733 on, and converts where the parties' codecs differ.

use super::Scene;
use super::call::PartyKind;
use super::media_security;
use crate::core::Core;
use media::{Clip, MediaCommand, PlayId, SessionId, Source, Stream};
use rand::Rng;
use sdp::{Agreed, AnswerError, Codec, Local, Negotiated, OfferError, Session};
use sip::endpoint::{Body, CallRef};
use std::net::SocketAddr;
use std::sync::Arc;

/// One party's side of the relay.
pub(crate) struct Side {
    pub session: SessionId,
    local: Local,
    /// The last description that we sent.
    last: Option<Session>,
    connected: bool,
    /// The keys that its media is encrypted with.
    agreed: Option<Agreed>,
    /// The phone's dialog; a trunk's media comes from where it says.
    phone: Option<CallRef>,
    /// Its keys come as tones, even where events were agreed.
    inband_keys: bool,
}

impl Side {
    /// Opens a media session for a party that may use these codecs; whether it is encrypted is a matter of its kind.
    pub fn open(scene: &mut Scene<'_>, kind: &PartyKind, codecs: Vec<Codec>) -> Result<Side, media::OpenError> {
        let (session, address) = scene.core.media.open()?;
        let mut local = Local::new(address.ip(), address.port(), session.0);
        local.codecs = codecs;
        local.security = media_security::security(scene.core, kind);
        Ok(Side { session, local, last: None, connected: false, agreed: None, phone: None, inband_keys: false })
    }

    /// Takes media in the clear, too: whoever calls for help is heard, however he does it.
    pub fn relax(&mut self) {
        self.local.security = std::mem::take(&mut self.local.security).relaxed();
    }

    /// The party is a phone, which may be behind a NAT, or send its keys as tones.
    pub fn serves(&mut self, core: &Core, dialog: CallRef, kind: &PartyKind) {
        self.phone = matches!(kind, PartyKind::Extension(_)).then_some(dialog);
        self.inband_keys = has_inband_keys(core, kind);
    }

    /// Where the node takes the party's audio.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::new(self.local.addr, self.local.port)
    }

    pub fn is_connected(&self) -> bool {
        self.connected
    }

    /// Our offer: a first one, or one within the dialog that had `before`.
    pub fn offer(&mut self, before: Option<&Session>) -> Body {
        let session = match self.last.as_ref().or(before) {
            Some(last) => sdp::reoffer(&self.local, last),
            None => sdp::offer(&self.local),
        };
        self.send(session)
    }

    /// Our answer to the party's offer; its media is connected with it.
    pub fn answer(
        &mut self,
        scene: &mut Scene<'_>,
        offer: &Session,
        before: Option<&Session>,
    ) -> Result<Body, OfferError> {
        let keys = &mut scene.core.keys;
        let random = |bytes: &mut [u8]| keys.fill_bytes(bytes);
        let (mut session, negotiated) = sdp::answer_again(offer, &mut self.local, self.agreed.as_ref(), random)?;
        if let Some(last) = self.last.as_ref().or(before) {
            session.follow(last);
        }
        self.connect(scene, &negotiated);
        Ok(self.send(session))
    }

    /// The party's answer to our offer.
    pub fn accept(&mut self, scene: &mut Scene<'_>, answer: &Session) -> Result<(), AnswerError> {
        let negotiated = sdp::accept(&self.local, answer)?;
        self.connect(scene, &negotiated);
        Ok(())
    }

    fn send(&mut self, session: Session) -> Body {
        let body = Body::sdp(session.to_bytes());
        self.last = Some(session);
        body
    }

    fn connect(&mut self, scene: &mut Scene<'_>, agreed: &Negotiated) {
        let mut stream = Stream::from(agreed);
        // A phone whose signalling comes from elsewhere than its description says is behind a NAT, and so is its media.
        let flow = self.phone.and_then(|dialog| scene.core.endpoint.call_info(dialog)).and_then(|info| info.flow);
        if flow.is_some_and(|flow| flow.remote.ip() != agreed.remote.ip()) {
            stream.source = Source::FirstSeen;
        }
        // Who agreed to no events presses keys as tones, whatever its extension says of it; heard are they only where the
        // other side takes events.
        stream.inband_keys = self.inband_keys || stream.dtmf_receive.is_none();
        self.connected = true;
        self.agreed = agreed.srtp;
        scene.core.media.command(MediaCommand::Connect { session: self.session, stream });
    }

    /// Plays the clip to the party; `repeat`: until [`Side::silence`].
    pub fn play(&self, scene: &mut Scene<'_>, clip: &Arc<Clip>, repeat: bool) {
        let (session, clips) = (self.session, vec![clip.clone()]);
        // Nobody waits for its end, so its number says nothing.
        let play = PlayId(self.session.0);
        scene.core.media.command(MediaCommand::Play { session, play, clips, barge_in: false, repeat });
    }

    pub fn silence(&self, scene: &mut Scene<'_>) {
        scene.core.media.command(MediaCommand::StopPlay { session: self.session });
    }

    /// Nothing that the other party says comes here any more.
    pub fn part(&self, scene: &mut Scene<'_>) {
        scene.core.media.command(MediaCommand::Unrelay { session: self.session });
    }

    /// What comes in on one goes out on the other.
    pub fn relay(&self, scene: &mut Scene<'_>, other: &Side) {
        scene.core.media.command(MediaCommand::Relay { a: self.session, b: other.session });
    }

    /// Closes it; what it described last, to count on from.
    pub fn close_with_last(mut self, scene: &mut Scene<'_>) -> Option<Session> {
        let last = self.last.take();
        self.close(scene);
        last
    }

    pub fn close(self, scene: &mut Scene<'_>) {
        scene.core.media.command(MediaCommand::Close { session: self.session });
    }
}

/// Whether the keys of this party's telephone come as tones, so that its media has to pass the node to be heard.
pub(super) fn has_inband_keys(core: &Core, kind: &PartyKind) -> bool {
    let PartyKind::Extension(dir) = kind else { return false };
    core.configuration.extensions.get(dir).is_some_and(|entry| entry.inband_dtmf)
}
