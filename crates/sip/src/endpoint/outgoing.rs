//! What the owner gives for a new request or call of ours.

use std::time::Duration;

use bytes::Bytes;

use crate::Text;
use crate::flow::{Flow, ListenerId};
use crate::message::{Headers, Method, NameAddr, Uri};
use crate::target::{Candidate, GREY_FOR};

/// A message body with its media type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// Content-Type.
    pub content_type: Text,
    /// The bytes; cheap to clone.
    pub bytes: Bytes,
}

impl Body {
    /// An `application/sdp` body.
    pub fn sdp(bytes: impl Into<Bytes>) -> Self {
        Body { content_type: Text::from_static("application/sdp"), bytes: bytes.into() }
    }

    /// A body of any type.
    pub fn new(content_type: impl Into<Text>, bytes: impl Into<Bytes>) -> Self {
        Body { content_type: content_type.into(), bytes: bytes.into() }
    }
}

/// Where a request goes when neither its route nor its Request-URI says so.
#[derive(Clone, Debug, PartialEq)]
pub enum NextHop {
    /// Over this flow: a registered phone behind NAT or on its own connection.
    Flow(Flow),
    /// To where this URI leads (RFC 3263): an outbound proxy, a trunk.
    Uri(Uri),
}

/// How long targets are waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetPolicy {
    /// No response at all in this time: the next target (the guide: 4 s).
    pub per_try: Duration,
    /// The same for the last target.
    pub last_try: Duration,
    /// How long a target that said 100 may take to say more before the next is tried; `None`: without limit.
    pub progress: Option<Duration>,
    /// Put a silent or refusing target on the grey list, and skip those that are on it.
    pub grey_list: bool,
    /// How long it is on it (the guide: 32 s).
    pub grey_for: Duration,
    /// Put `100rel` in Supported of our INVITE.
    pub reliable_provisional: bool,
}

impl Default for TargetPolicy {
    /// A phone as the target: one address, Timer B and F as in RFC 3261, no grey list.
    fn default() -> Self {
        TargetPolicy {
            per_try: Duration::from_secs(32),
            last_try: Duration::from_secs(32),
            progress: None,
            grey_list: false,
            grey_for: GREY_FOR,
            reliable_provisional: true,
        }
    }
}

impl TargetPolicy {
    /// A trunk as the target: next address after 4 s, 9 s for the last, 32 s on the grey list.
    pub fn trunk() -> Self {
        TargetPolicy {
            per_try: Duration::from_secs(4),
            last_try: Duration::from_secs(9),
            grey_list: true,
            ..TargetPolicy::default()
        }
    }
}

/// Who we are when a peer challenges us (401, 407).
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The user name of the Authorization.
    pub user: Text,
    /// The password in clear; a phone knows it.
    pub password: Text,
    /// Challenges of another realm are not answered, so that the password's hash goes to nobody else; `None`: of any.
    pub realm: Option<Text>,
}

impl Login {
    /// A login for whatever realm asks.
    pub fn new(user: impl Into<Text>, password: impl Into<Text>) -> Self {
        Login { user: user.into(), password: password.into(), realm: None }
    }
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("user", &self.user).finish_non_exhaustive()
    }
}

/// A call of ours. Via, Max-Forwards, Call-ID, CSeq, tags, Contact, Allow, Supported, User-Agent and the session timer are the
/// endpoint's; what `headers` has of Max-Forwards is kept, of the others ignored.
#[derive(Clone, Debug)]
pub struct OutgoingCall {
    /// The Request-URI.
    pub request_uri: Uri,
    /// Where it goes, else by `route`, else by `request_uri`.
    pub next_hop: Option<NextHop>,
    /// From; its tag is made by the endpoint.
    pub from: NameAddr,
    /// To; without tag.
    pub to: NameAddr,
    /// Further headers, in order: Diversion, History-Info, P-Asserted-Identity, …
    pub headers: Headers,
    /// The offer; `None` is a late offer.
    pub body: Option<Body>,
    /// A preloaded route set.
    pub route: Vec<NameAddr>,
    /// Which of our listeners speaks.
    pub listener: ListenerId,
    /// Failover.
    pub policy: TargetPolicy,
    /// Targets that are not tried: an earlier INVITE of the same call was there.
    pub avoid: Vec<Candidate>,
    /// The Call-ID; made by the endpoint when `None`.
    pub call_id: Option<Text>,
    /// Used when challenged; `None` reports 401 and 407 as they are.
    pub login: Option<Login>,
    /// User part of our Contact; that of `from` when `None`.
    pub contact_user: Option<Text>,
    /// It may go beyond the cap of calls, into the reserve.
    pub urgent: bool,
    /// By TLS, the name that the peer's certificate may be for beside the next hop's host: of a route that dials an address.
    pub peer_name: Option<Text>,
}

impl OutgoingCall {
    /// A call to `to`, whose URI is the Request-URI and names the target.
    pub fn new(from: NameAddr, to: NameAddr, body: Option<Body>, listener: ListenerId) -> Self {
        OutgoingCall {
            request_uri: to.uri.clone(),
            next_hop: None,
            from,
            to,
            headers: Headers::default(),
            body,
            route: Vec::new(),
            listener,
            policy: TargetPolicy::default(),
            avoid: Vec::new(),
            call_id: None,
            login: None,
            contact_user: None,
            urgent: false,
            peer_name: None,
        }
    }
}

/// A request of ours outside every dialog: REGISTER, OPTIONS, NOTIFY, MESSAGE, SUBSCRIBE by hand. Fields as in [`OutgoingCall`].
#[derive(Clone, Debug)]
pub struct OutgoingRequest {
    /// Its method; not INVITE, ACK, CANCEL, BYE or PRACK.
    pub method: Method,
    /// The Request-URI.
    pub request_uri: Uri,
    /// Where it goes, else by `route`, else by `request_uri`.
    pub next_hop: Option<NextHop>,
    /// From; a tag is added when it has none.
    pub from: NameAddr,
    /// To.
    pub to: NameAddr,
    /// Further headers. A Contact here is kept (REGISTER), else the endpoint adds its own.
    pub headers: Headers,
    /// The body.
    pub body: Option<Body>,
    /// A preloaded route set.
    pub route: Vec<NameAddr>,
    /// Which of our listeners speaks.
    pub listener: ListenerId,
    /// Failover.
    pub policy: TargetPolicy,
    /// The Call-ID; made by the endpoint when `None`. A registration keeps one over its refreshes.
    pub call_id: Option<Text>,
    /// The sequence number; made by the endpoint when `None`.
    pub cseq: Option<u32>,
    /// Used when challenged; `None` reports 401 and 407 as they are.
    pub login: Option<Login>,
    /// By TLS, a name that the peer's certificate may be for.
    pub peer_name: Option<Text>,
}

impl OutgoingRequest {
    /// A request to `to`, whose URI is the Request-URI and names the target.
    pub fn new(method: Method, from: NameAddr, to: NameAddr, listener: ListenerId) -> Self {
        OutgoingRequest {
            method,
            request_uri: to.uri.clone(),
            next_hop: None,
            from,
            to,
            headers: Headers::default(),
            body: None,
            route: Vec::new(),
            listener,
            policy: TargetPolicy::default(),
            call_id: None,
            cseq: None,
            login: None,
            peer_name: None,
        }
    }
}
