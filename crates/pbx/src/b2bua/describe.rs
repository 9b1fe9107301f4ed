//! Session descriptions that are passed from one party to the other (direct media).

use super::call::Leg;
use sdp::{Codec, Direction, Session};
use sip::endpoint::Body;

/// A body's description; `None` for an empty body.
pub(super) fn read(body: &[u8]) -> Result<Option<Session>, &'static str> {
    if body.is_empty() {
        return Ok(None);
    }
    Session::parse(body).map(Some).map_err(|_| "the session description can't be read")
}

impl Leg {
    /// What `from` described, as this party gets it: under the session id that it knows us by, the version counted up
    /// when anything differs from what it had before (RFC 3264 8).
    pub fn describe(&mut self, from: &Session) -> Body {
        let mut session = from.clone();
        match &self.ours {
            Some(before) => session.follow(before),
            None => {
                session.origin.username = "-".into();
                session.origin.session_id = self.dialog.0.to_string();
                session.origin.version = "1".into();
            }
        }
        let body = Body::sdp(session.to_bytes());
        self.ours = Some(session);
        body
    }
}

/// Whether both say the same about media; who says it is not compared.
pub(super) fn same_media(a: &Session, b: &Session) -> bool {
    let bare = |session: &Session| Session { origin: sdp::Origin::default(), ..session.clone() };
    bare(a) == bare(b)
}

/// Leaves only these codecs (and key events) in the audio stream, if any of them is there.
pub(super) fn restrict(session: &mut Session, codecs: &[Codec]) {
    let Some((index, _)) = session.audio() else { return };
    let Some(media) = session.media.get_mut(index) else { return };
    let allowed = |payload: &sdp::Payload| payload.codec().is_some_and(|codec| codecs.contains(&codec));
    if !media.payloads().any(|payload| allowed(&payload)) {
        return;
    }
    let kept: Vec<String> = media
        .payloads()
        .filter(|payload| allowed(payload) || payload.is_telephone_event())
        .map(|payload| payload.number.to_string())
        .collect();
    media.formats.retain(|format| kept.contains(format));
    media.attributes.retain(|attribute| {
        let about_format = ["rtpmap", "fmtp"].iter().any(|name| attribute.name.eq_ignore_ascii_case(name));
        let format = attribute.value.as_deref().and_then(|value| value.split_whitespace().next()).unwrap_or_default();
        !about_format || kept.iter().any(|kept| kept == format)
    });
}

/// The description as an offer to somebody new: a party that was on hold when it was transferred is not any more.
pub(super) fn awake(session: &Session) -> Session {
    let mut session = session.clone();
    let names = [Direction::SendOnly, Direction::RecvOnly, Direction::Inactive].map(Direction::name);
    let holds = |name: &str| names.iter().any(|direction| name.eq_ignore_ascii_case(direction));
    session.attributes.retain(|attribute| !holds(&attribute.name));
    for media in &mut session.media {
        media.attributes.retain(|attribute| !holds(&attribute.name));
    }
    session
}
