use serde::Serialize;
use std::net::{IpAddr, SocketAddr};

/// How much an event matters to whoever runs the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Everyday happenings: a call, a registration.
    Info,
    /// Something was refused or went wrong for one call, message or peer.
    Warning,
    /// Something is broken until a person mends it.
    Error,
}

/// What happened. Serialises as `{"event": "<name>", ...fields}` (snake case), which is also its form in logs and SSE.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    // ---- SIP, either half -------------------------------------------------------------------------------------
    /// One message on the wire, for the ladder of `earcon trace`. `summary` is the start line; `by` the role's name.
    SipMessage {
        by: String,
        call_id: String,
        sent: bool,
        local: SocketAddr,
        remote: SocketAddr,
        transport: String,
        summary: String,
        cseq: String,
    },
    /// A message that could not be parsed; `answered` is the status sent, if the RFC allows one.
    SipMalformed { by: String, remote: SocketAddr, reason: String, answered: Option<u16> },
    /// Messages from outside were dropped because the inbox was full.
    SipDropped { by: String, count: u64 },
    /// Recorded calls went from the journal before their time: it is full, or could not be written.
    JournalDropped { by: String, calls: u64, reason: String },
    /// A target did not answer and is passed over for `seconds`.
    TargetGreyListed { by: String, target: SocketAddr, seconds: u64 },
    /// A target that was passed over shows life again.
    TargetAnswersAgain { by: String, target: SocketAddr },
    /// A name could not be looked up.
    NameNotResolved { by: String, name: String, reason: String },
    /// The resolver fails: what it said `age_s` seconds ago is used.
    NameBridged { by: String, name: String, age_s: u64 },
    /// A name has more records than are looked at.
    NameCut { by: String, name: String, records: usize, used: usize },

    // ---- the node -----------------------------------------------------------------------------------------------
    /// A phone registered a contact (or refreshed it).
    Registered { extension: String, contact: String, source: SocketAddr, expires_s: u32 },
    /// A contact expired or was removed.
    Unregistered { extension: String, contact: String, expired: bool },
    /// A REGISTER or call failed authentication.
    AuthenticationFailed { extension: String, source: SocketAddr, method: String },
    /// A request was refused because its source is neither a phone nor matched by a route.
    SourceRefused { source: SocketAddr, method: String, reason: String },
    /// A call was started. `call` is the role's own number for it, the same in all events of the call.
    CallStarted { call: u64, from: String, to: String, call_id: String },
    /// A party of the call rings.
    CallRinging { call: u64, at: String },
    /// The call was answered by `at`.
    CallAnswered { call: u64, at: String },
    /// The call went on to another destination (`reason`: no-answer, busy, immediate, ...).
    CallDiverted { call: u64, from: String, to: String, reason: String },
    /// A 302 was followed.
    CallRedirected { call: u64, to: String, hop: u32 },
    /// Where a server redirected the call took it not: the next server of the route is asked.
    CallRetried { call: u64, route: u32 },
    /// The call ended. `cause`: answered-and-cleared, cancelled, busy, no-answer, rejected, failed ...
    CallEnded { call: u64, cause: String, status: Option<u16>, duration_ms: u64 },
    /// A trunk had no free individual, or its peer refused.
    RouteUnavailable { route: u32, reason: String },
    /// A route's peer answers again.
    RouteAvailable { route: u32 },
    /// A phone, or a stranger, was given a file of the provisioning server. `secrets`: with SIP password and token.
    ProvisioningFetched { source: IpAddr, file: String, extension: Option<String>, secure: bool, secrets: bool },
    /// The provisioning server gave nothing: no such file, or no proof that it is the phone that asks.
    ProvisioningRefused { source: IpAddr, file: String, reason: String },
    /// Somebody asked in vain for so many phones' files that he seems to guess: for `seconds` only a token helps him.
    ProvisioningBlocked { source: IpAddr, failures: u32, seconds: u64 },
    /// A provider took the node's registration of a number (again).
    RouteRegistered { route: u32, number: String, expires_s: u32 },
    /// A provider did not take it; tried again in `retry_s`. Told once until it works again.
    RouteRegistrationFailed { route: u32, number: String, reason: String, retry_s: u64 },
    /// Somebody called an emergency number; told for each route that is tried.
    EmergencyCall { call: u64, from: String, to: String, route: u32 },
    /// The lamp of an extension was set by the voice mail system.
    LampChanged { extension: String, on: bool, new: u32, old: u32 },

    /// Something is wrong until it is mended; `severity` is 1 (to be known) to 4 (calls or data are being lost).
    AlarmRaised { subject: String, text: String, severity: u32 },
    /// It is mended, or somebody has taken note of it.
    AlarmCleared { subject: String },

    /// Two parties could not agree on media, and why: `party` offered or answered what the node does not take from it.
    MediaRefused { call: u64, party: String, reason: String },

    // ---- the UM server ------------------------------------------------------------------------------------------
    /// The UM server took a call. `kind`: call-answering, subscriber-access, auto-attendant.
    UmCallStarted { call: u64, kind: String, from: String, pilot: String, call_id: String, gateway: String },
    /// The UM server refused a call; `warning` is the text of its Warning header.
    UmCallRefused { source: SocketAddr, pilot: String, status: u16, warning: String },
    /// A gateway did not take a call of the server's own: the next one is asked.
    UmCallRetried { call: u64, gateway: String },
    /// A UM call ended.
    UmCallEnded { call: u64, kind: String, cause: String, duration_ms: u64 },
    /// Play on phone: how far the call has come (`Connecting`, `Alerted`, `Connected`, `Disconnected`), and why nobody heard
    /// the message (`None`, `UserBusy`, `NoAnswer`, `Other`).
    PlayOnPhone { mailbox: String, call: u64, phone: String, message: String, state: String, failure: String },
    /// A message is durable in a mailbox.
    MessageDelivered { mailbox: String, message: String, from: String, duration_ms: u64, recovered: bool },
    /// A call to a mailbox ended without a message.
    MissedCall { mailbox: String, from: String, from_name: Option<String>, call_id: String },
    /// A message could not be delivered yet; it stays in the spool and is tried again.
    DeliveryDelayed { mailbox: String, reason: String },
    /// A message's read flag changed. `by`: phone, web, imap.
    MessageRead { mailbox: String, message: String, read: bool },
    /// A message was deleted.
    MessageDeleted { mailbox: String, message: String },
    /// A subscriber logged on. `door`: phone, web, imap.
    LoggedOn { mailbox: String, door: String },
    /// A wrong PIN. `failures` counts across calls and doors since the last success.
    PinRejected { mailbox: String, door: String, failures: u32 },
    /// So many wrong PINs that the PIN should be reset: an administrator sets a new one.
    PinResetDue { mailbox: String },
    /// Too many wrong PINs: the mailbox is locked until an administrator unlocks it.
    MailboxLocked { mailbox: String },
    /// The counts were sent to the PBX (NOTIFY answered with `status`).
    LampSent { mailbox: String, new: u32, old: u32, status: u16 },
    /// The counts could not be sent to any gateway.
    LampFailed { mailbox: String, reason: String },

    // ---- either half --------------------------------------------------------------------------------------------
    /// Packets of an SRTP stream were dropped, counted since the call's media began: `forged` are not authentic (changed
    /// on their way, of another key, or in the clear), `replayed` were there before. `session` is the media session.
    SrtpDropped { by: String, session: u64, forged: u64, replayed: u64 },

    // ---- either process -----------------------------------------------------------------------------------------
    /// A command changed the configuration. `by`: who gave it (shell user, REST principal, script).
    CommandRun { by: String, command: String, accepted: bool },
    /// Another server changed the configuration to something that this one can't read: it is of a newer version.
    ConfigurationUnreadable { reason: String },
    /// A new certificate was found in its file, and is in use.
    CertificateRead { file: String },
    /// A certificate expires or has expired, or a new one in its place can't be used.
    CertificateProblem { file: String, reason: String },
    /// Call records could not be written.
    CallRecordsLost { reason: String },
    /// A TLS connection was made. `incoming`: the peer opened it. `resumed`: by what an earlier one had agreed on. `certificate`: whose
    /// the peer showed.
    TlsConnected {
        by: String,
        peer: SocketAddr,
        incoming: bool,
        version: String,
        resumed: bool,
        certificate: Option<String>,
    },
    /// A TLS connection was not made: what is wrong, and what to mend.
    TlsFailed { by: String, peer: SocketAddr, incoming: bool, problem: TlsProblem, reason: String },
    /// A connection was refused or ended for a cap or a framing error.
    ConnectionRefused { source: IpAddr, reason: String },
    /// The process ends when its calls in progress have; no new ones are taken.
    Draining { calls: usize },
    /// The process is ready.
    Started { role: String },
    /// The process stops.
    Stopped { role: String },
}

/// What can be wrong with a TLS handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TlsProblem {
    /// The peer's certificate has expired.
    Expired,
    /// It begins in the future.
    NotYetValid,
    /// It is signed by itself.
    SelfSigned,
    /// It is signed by a CA that is not trusted here.
    UnknownAuthority,
    /// It is somebody else's.
    WrongName,
    /// It is damaged, revoked, or issued for something else.
    Unusable,
    /// The peer shows none, and must.
    NoCertificate,
    /// The peer refuses ours.
    OursRefused,
    /// We have none, or trust nobody.
    NotConfigured,
    /// The peer speaks SIP without TLS.
    PlainText,
    /// Nothing newer than TLS 1.1.
    OldVersion,
    /// No cipher or key exchange in common.
    Incompatible,
    /// The handshake was not done in time.
    Timeout,
    /// Too many handshakes at once.
    TooMany,
    /// The connection broke, or what came was no TLS.
    Broken,
}

impl Event {
    /// The name that log, metric and page use: the variant in snake case.
    pub fn name(&self) -> String {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::Object(fields)) => {
                fields.get("event").and_then(|name| name.as_str()).unwrap_or_default().to_owned()
            }
            _ => String::new(),
        }
    }

    pub fn level(&self) -> Level {
        use Event::*;
        match self {
            // A person should look at once: who needs help may need it from the house, too.
            EmergencyCall { .. } | ProvisioningBlocked { .. } => Level::Error,
            RouteRegistrationFailed { .. }
            | SipMalformed { .. }
            | SipDropped { .. }
            | JournalDropped { .. }
            | TargetGreyListed { .. }
            | NameNotResolved { .. }
            | NameBridged { .. }
            | NameCut { .. }
            | AuthenticationFailed { .. }
            | SourceRefused { .. }
            | MediaRefused { .. }
            | SrtpDropped { .. }
            | RouteUnavailable { .. }
            | AlarmRaised { .. }
            | ProvisioningRefused { .. }
            | UmCallRefused { .. }
            | DeliveryDelayed { .. }
            | PinRejected { .. }
            | PinResetDue { .. }
            | MailboxLocked { .. }
            | LampFailed { .. }
            | CertificateProblem { .. }
            | CallRecordsLost { .. }
            | TlsFailed { .. }
            | ConfigurationUnreadable { .. }
            | ConnectionRefused { .. } => Level::Warning,
            _ => Level::Info,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_named_by_its_variant_everywhere() {
        let event = Event::MailboxLocked { mailbox: "27000".into() };
        assert_eq!(event.name(), "mailbox_locked");
        assert_eq!(serde_json::to_string(&event).unwrap(), r#"{"event":"mailbox_locked","mailbox":"27000"}"#);
    }
}
