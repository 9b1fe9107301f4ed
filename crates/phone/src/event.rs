use sip::message_summary::MessageSummary;
use std::fmt;

/// What happens to a phone, in order. Each prints as the line that `earcon phone` shows.
#[derive(Clone, Debug, PartialEq)]
pub enum PhoneEvent {
    /// The PBX took the registration, for so many seconds.
    Registered { expires_s: u32 },
    /// The PBX refused it.
    RegistrationFailed { reason: String },
    /// The PBX told of waiting messages: within the phone's subscription, or unasked.
    Lamp { summary: MessageSummary, subscribed: bool },
    /// Somebody calls. `from`: the name that is shown, else the number. `diverted_from`: the number that was dialled, when
    /// the call was sent on to this phone (the newest Diversion, RFC 5806).
    Incoming { from: String, number: String, diverted_from: Option<String> },
    /// A provisional response to the phone's own call.
    Progress { status: u16 },
    /// A call is up, either way.
    Answered { with: String },
    /// The phone's own call was sent elsewhere (3xx). It does not follow: `Failed` comes next.
    Redirected { status: u16, contact: String },
    /// The phone's own call failed.
    Failed { status: u16, reason: String },
    /// The far end pressed a key.
    Key { digit: char },
    /// The far end changed the media: hold or resume.
    Held { held: bool },
    /// What there was to play was played.
    Played,
    /// The far end transfers this phone to a number; the call to it begins.
    Referred { to: String },
    /// How a transfer goes (RFC 3515): one that this phone asked for, as the far end reports it; or one of this phone that
    /// failed, so that the first call goes on.
    Transfer { status: u16 },
    /// The call is over. `by_us`: this phone hung up.
    Ended { by_us: bool },
}

impl PhoneEvent {
    /// This phone has one line.
    pub(crate) fn busy() -> PhoneEvent {
        PhoneEvent::Failed { status: 491, reason: "a call is up already".into() }
    }
}

impl fmt::Display for PhoneEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PhoneEvent::Registered { expires_s } => write!(f, "registered for {expires_s} s"),
            PhoneEvent::RegistrationFailed { reason } => write!(f, "not registered: {reason}"),
            PhoneEvent::Lamp { summary, .. } => {
                let counts = summary.voice.unwrap_or_default();
                let lamp = if summary.waiting { "on" } else { "off" };
                write!(f, "lamp {lamp}: {} new, {} saved", counts.new, counts.old)
            }
            PhoneEvent::Incoming { from, diverted_from: None, .. } => write!(f, "called by {from}"),
            PhoneEvent::Incoming { from, diverted_from: Some(to), .. } => write!(f, "called by {from} for {to}"),
            PhoneEvent::Progress { status: 180 } => f.write_str("it rings"),
            PhoneEvent::Progress { status } => write!(f, "progress {status}"),
            PhoneEvent::Answered { with } => write!(f, "connected with {with}"),
            PhoneEvent::Redirected { status, contact } => write!(f, "sent on by {status} to {contact}"),
            PhoneEvent::Failed { status, reason } => write!(f, "not connected: {status} {reason}"),
            PhoneEvent::Key { digit } => write!(f, "far end pressed {digit}"),
            PhoneEvent::Held { held: true } => f.write_str("held"),
            PhoneEvent::Held { held: false } => f.write_str("resumed"),
            PhoneEvent::Played => f.write_str("played"),
            PhoneEvent::Referred { to } => write!(f, "transferred to {to}"),
            PhoneEvent::Transfer { status } => write!(f, "transfer: {status}"),
            PhoneEvent::Ended { by_us: true } => f.write_str("hung up"),
            PhoneEvent::Ended { by_us: false } => f.write_str("the far end hung up"),
        }
    }
}
