use event::Now;
use serde::{Deserialize, Serialize};
use sip::endpoint::NextHop;
use sip::{Flow, ListenerId, Transport, Uri};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// One contact of an extension.
#[derive(Clone, Debug)]
pub(crate) struct Binding {
    pub uri: Uri,
    /// What the REGISTER came on.
    pub flow: Flow,
    /// The contact is not where the phone really is: requests go back by the flow, through the NAT.
    pub behind_nat: bool,
    pub call_id: String,
    pub cseq: u32,
    /// Thousandths.
    pub q: u16,
    pub expires: Instant,
    /// The same for the store.
    pub expires_unix_ms: u64,
    pub refreshed: Instant,
    pub user_agent: String,
}

/// A contact as the store keeps it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Stored {
    uri: String,
    transport: String,
    listener: u8,
    local: SocketAddr,
    remote: SocketAddr,
    #[serde(default)]
    behind_nat: bool,
    call_id: String,
    cseq: u32,
    q: u16,
    expires_unix_ms: u64,
    user_agent: String,
}

/// A contact as the journal keeps it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Recorded {
    #[serde(flatten)]
    stored: Stored,
    connection: Option<u64>,
}

impl Binding {
    /// Where requests to the contact go.
    pub fn next_hop(&self) -> NextHop {
        // A phone's connection lives in one process only; UDP's pair of addresses outlives a restart.
        let by_flow = match self.flow.transport {
            Transport::Udp => self.behind_nat,
            // Phones name ports in their contacts that they don't listen on; the connection is sure to reach them.
            Transport::Tcp | Transport::Tls => self.flow.connection.is_some(),
        };
        if by_flow {
            return NextHop::Flow(self.flow.clone());
        }
        let uri = self.uri.clone();
        NextHop::Uri(if uri.params.has("transport") { uri } else { uri.with_transport(self.flow.transport) })
    }

    /// As the status command shows it.
    pub fn status(&self, now: Instant) -> crate::commands::Contact {
        crate::commands::Contact {
            uri: self.uri.to_string(),
            source: format!("{} {}", self.flow.transport, self.flow.remote),
            expires_s: self.expires.saturating_duration_since(now).as_secs(),
            user_agent: self.user_agent.clone(),
        }
    }

    pub(super) fn to_stored(&self) -> Stored {
        Stored {
            uri: self.uri.to_string(),
            transport: self.flow.transport.parameter().to_owned(),
            listener: self.flow.listener.0,
            local: self.flow.local,
            remote: self.flow.remote,
            behind_nat: self.behind_nat,
            call_id: self.call_id.clone(),
            cseq: self.cseq,
            q: self.q,
            expires_unix_ms: self.expires_unix_ms,
            user_agent: self.user_agent.clone(),
        }
    }

    /// As the journal keeps it: the process goes on there, so its connection is of use.
    pub(super) fn to_recorded(&self) -> Recorded {
        Recorded { stored: self.to_stored(), connection: self.flow.connection }
    }

    pub(super) fn from_recorded(recorded: Recorded, now: Now) -> Option<Binding> {
        let mut binding = Binding::from_stored(recorded.stored, now)?;
        binding.flow.connection = recorded.connection;
        Some(binding)
    }

    /// `None` when it has expired, or can't be read.
    pub(super) fn from_stored(stored: Stored, now: Now) -> Option<Binding> {
        let left = stored.expires_unix_ms.checked_sub(now.unix_ms()).filter(|left| *left > 0)?;
        // A clock that was set back must not make a registration last for ever.
        let left = Duration::from_millis(left).min(Duration::from_secs(super::MAX_EXPIRES.into()));
        let flow = Flow {
            transport: Transport::parse(&stored.transport)?,
            listener: ListenerId(stored.listener),
            local: stored.local,
            remote: stored.remote,
            connection: None,
        };
        Some(Binding {
            uri: stored.uri.parse().ok()?,
            flow,
            behind_nat: stored.behind_nat,
            call_id: stored.call_id,
            cseq: stored.cseq,
            q: stored.q,
            expires: now.instant.checked_add(left)?,
            expires_unix_ms: stored.expires_unix_ms,
            refreshed: now.instant,
            user_agent: stored.user_agent,
        })
    }
}
