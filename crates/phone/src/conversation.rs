//! One call of the phone: its media session, its offers and answers, and what it plays, presses and records.

use crate::config::Plan;
use crate::heard::Heard;
use media::{
    Clip, Control, MediaCommand, PlayId, RecordLimits, RecordTo, RecordingId, SessionId, Source, Stream, Tape,
};
use sdp::Security;
use sdp::{Local, Negotiated, Session};
use sip::Headers;
use sip::endpoint::{Body, CallRef};
use sip::header::Warning;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the far end must be quiet before the phone plays: longer than a pause between two sentences of a greeting, and the
/// tone is over by then.
const QUIET: Duration = Duration::from_millis(1200);
/// What counts as quiet, in dBm0.
const QUIET_DBM0: f32 = -40.0;
/// RFC 4733 keys: how long each, and the gap to the next.
const KEY: Duration = Duration::from_millis(100);
const GAP: Duration = Duration::from_millis(100);
/// What the plan plays; what is played on command has other numbers.
pub(crate) const PLAN: PlayId = PlayId(1);
const ON_COMMAND: PlayId = PlayId(2);

pub(crate) struct Conversation {
    pub call: CallRef,
    pub outgoing: bool,
    pub answered: bool,
    pub far_end: String,
    session: SessionId,
    local: Local,
    ours: Session,
    started: bool,
    pub hang_up_at: Option<Instant>,
    /// To hold (or to resume) as soon as no other offer is under way.
    pub wanted_hold: Option<bool>,
    /// Where what is heard goes, in pieces: the ear for quiet ends one and the next begins.
    heard: Heard,
    pieces: u32,
}

/// Why a description cannot be taken; the text is for a Warning.
pub(crate) struct NotAcceptable(pub String);

impl NotAcceptable {
    /// The header that tells the peer (RFC 3261 20.43); `agent` is who says so.
    pub fn warning(&self, agent: &str) -> Headers {
        let mut headers = Headers::new();
        headers.push_typed(&Warning::miscellaneous(agent, self.0.as_str()));
        headers
    }
}

impl Conversation {
    /// `rtp` is where the session listens.
    pub fn new(
        call: CallRef,
        outgoing: bool,
        far_end: String,
        session: SessionId,
        rtp: SocketAddr,
        // For `o=`, and how media is to be.
        (number, security): (u64, Security),
        heard: Heard,
    ) -> Conversation {
        let local = Local { security, ..Local::new(rtp.ip(), rtp.port(), number) };
        let ours = sdp::offer(&local);
        Conversation {
            call,
            outgoing,
            answered: false,
            far_end,
            session,
            local,
            ours,
            started: false,
            hang_up_at: None,
            wanted_hold: None,
            heard,
            pieces: 0,
        }
    }

    pub fn session(&self) -> SessionId {
        self.session
    }

    /// Our present description: the offer of an outgoing call, or what was last agreed.
    pub fn description(&self) -> Body {
        Body::sdp(self.ours.to_bytes())
    }

    /// The peer answered our offer.
    pub fn take_answer(&mut self, body: &[u8], media: &mut dyn Control) -> Result<(), NotAcceptable> {
        let answer = Session::parse(body).map_err(|error| NotAcceptable(error.to_string()))?;
        let agreed = sdp::accept(&self.local, &answer).map_err(|error| NotAcceptable(error.to_string()))?;
        self.connect(&agreed, media);
        Ok(())
    }

    /// The peer offers: our answer, and whether it holds us now.
    pub fn take_offer(&mut self, body: &[u8], media: &mut dyn Control) -> Result<bool, NotAcceptable> {
        let offer = Session::parse(body).map_err(|error| NotAcceptable(error.to_string()))?;
        let (mut answer, agreed) =
            sdp::answer(&offer, &self.local).map_err(|error| NotAcceptable(error.to_string()))?;
        answer.follow(&self.ours);
        self.ours = answer;
        self.connect(&agreed, media);
        Ok(agreed.held)
    }

    /// A new offer of ours that holds the peer, or takes it back.
    pub fn hold(&mut self, held: bool) -> Body {
        self.local.direction = if held { sdp::Direction::SendOnly } else { sdp::Direction::SendRecv };
        self.ours = sdp::reoffer(&self.local, &self.ours);
        self.description()
    }

    fn connect(&mut self, agreed: &Negotiated, media: &mut dyn Control) {
        let stream = Stream { source: Source::FirstSeen, ..Stream::from(agreed) };
        media.command(MediaCommand::Connect { session: self.session, stream });
    }

    /// The call is up: press, listen, and wait for quiet before playing.
    pub fn start(&mut self, plan: &Plan, media: &mut dyn Control, now: Instant) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        if let Some(keys) = &plan.keys {
            self.press(keys, media);
        }
        let idle = if plan.play.is_some() { QUIET } else { Duration::from_secs(24 * 3600) };
        self.listen(idle, media);
        self.hang_up_at = plan.duration.map(|duration| now + duration);
    }

    pub fn press(&self, keys: &str, media: &mut dyn Control) {
        media.command(MediaCommand::SendKeys { session: self.session, keys: keys.to_owned(), tone: KEY, gap: GAP });
    }

    fn listen(&mut self, idle: Duration, media: &mut dyn Control) {
        let tape = Tape::new();
        self.heard.begin(tape.clone());
        self.pieces += 1;
        let limits = RecordLimits {
            idle,
            max: Duration::from_secs(24 * 3600),
            level_dbm0: QUIET_DBM0,
            stop_keys: media::Keys::NONE,
        };
        // The number names a piece within this call; nothing of it outlives the process.
        let recording = RecordingId(u128::from(self.session.0) << 32 | u128::from(self.pieces));
        media.command(MediaCommand::Record {
            session: self.session,
            recording,
            to: RecordTo::Tape(tape),
            meta: Default::default(),
            limits,
        });
    }

    /// The far end is quiet: play, and go on listening.
    pub fn quiet(&mut self, plan: &Plan, media: &mut dyn Control) {
        self.listen(Duration::from_secs(24 * 3600), media);
        if let Some(clip) = &plan.play {
            let clips = vec![clip.clone()];
            media.command(MediaCommand::Play {
                session: self.session,
                play: PLAN,
                clips,
                barge_in: false,
                repeat: false,
            });
        }
    }

    /// Plays at once, in place of what is playing.
    pub fn play(&self, clip: Arc<Clip>, media: &mut dyn Control) {
        let (session, clips) = (self.session, vec![clip]);
        media.command(MediaCommand::Play { session, play: ON_COMMAND, clips, barge_in: false, repeat: false });
    }

    pub fn close(&self, media: &mut dyn Control) {
        media.command(MediaCommand::Close { session: self.session });
        if self.pieces > 0 {
            self.heard.close(self.session);
        }
    }
}
