//! What a phone is told at its start.

use net::tls::Tls;
use sip::Transport;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// Who the phone is and where its PBX is.
#[derive(Clone, Debug)]
pub struct PhoneConfig {
    /// SIP user: the extension.
    pub user: String,
    pub password: String,
    /// The PBX.
    pub server: SocketAddr,
    /// UDP, TCP or TLS.
    pub transport: Transport,
    /// With TLS: whom the phone believes, and what it shows. Only who is called by others has to have a certificate.
    pub tls: Option<Tls>,
    /// The phone's own address; the ports of its media are any free ones.
    pub bind: IpAddr,
    /// Its SIP port; 0: any free one. The far end of a trunk has a fixed one.
    pub port: u16,
    /// What it does when it is called.
    pub behaviour: Behaviour,
    /// What it does once a call is up, whoever called.
    pub plan: Plan,
    /// Register at start, refresh, unregister at the end. A caller needs no registration.
    pub register: bool,
    /// Subscribe to the message summary (RFC 3842), beside taking unsolicited notifications.
    pub subscribe: bool,
    /// Media is SRTP, offered and taken; other calls are refused. Else it is RTP.
    pub srtp: bool,
    /// For tags, branches, nonces, SSRCs and keys.
    pub seed: [u8; 32],
}

/// What a phone does when it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Rings until the caller gives up.
    Ring,
    /// Rings this long, then answers.
    AnswerAfter(Duration),
    /// Answers 486 at once.
    Busy,
}

/// What a phone does once a call is up.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Keys to press (RFC 4733); a comma waits a second.
    pub keys: Option<String>,
    /// Audio to play once the far end has been quiet for a moment: a greeting and its tone are let pass.
    pub play: Option<Arc<media::Clip>>,
    /// Hang up this long after the answer.
    pub duration: Option<Duration>,
}
