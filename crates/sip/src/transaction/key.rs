//! Which server transaction a request belongs to (RFC 3261 17.2.3).

use crate::{Method, Request, Via};

/// What requests of one transaction have in common. ACK and CANCEL are looked up by the key of their INVITE.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum ServerKey {
    /// The branch is unique: with the sender and the method it is enough.
    Branch { branch: String, sent_by: String, method: Method },
    /// A peer of RFC 2543: all that its copies have in common. (The To tag is compared apart, since that of an ACK is
    /// ours.)
    Old { uri: String, from_tag: String, call_id: String, cseq: u32, via: String, method: Method },
}

impl ServerKey {
    /// The key of this request, as if it had `method` (an ACK is looked up as INVITE). `via` is the top Via as it was received. `None` when the request
    /// lacks what every request must have.
    pub fn of(request: &Request, via: &Via, method: Method) -> Option<ServerKey> {
        if let Some(branch) = via.unique_branch() {
            return Some(ServerKey::Branch {
                branch: branch.to_ascii_lowercase(),
                sent_by: format!("{}:{}", via.host, via.port.unwrap_or(0)).to_ascii_lowercase(),
                method,
            });
        }
        Some(ServerKey::Old {
            uri: request.uri.to_string(),
            from_tag: request.from_tag().map(String::from).unwrap_or_default(),
            call_id: request.call_id()?.into(),
            cseq: request.cseq()?.seq,
            via: via.to_string(),
            method,
        })
    }

    /// The key of the request with the other method in the same transaction: from a CANCEL to its INVITE.
    pub fn with_method(&self, other: Method) -> ServerKey {
        let mut key = self.clone();
        match &mut key {
            ServerKey::Branch { method, .. } | ServerKey::Old { method, .. } => *method = other,
        }
        key
    }

    /// Whether the key leaves it to the To tag to tell transactions apart.
    pub fn is_old(&self) -> bool {
        matches!(self, ServerKey::Old { .. })
    }
}
