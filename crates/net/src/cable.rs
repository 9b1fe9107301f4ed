//! The cable between a role and its network, which may be pulled: nothing leaves then, nothing is heard, and no peer is
//! told. For the lab, and for tests of failover.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::watch;

/// A handle on the cable of one role; clones are the same cable. Plugged at first.
///
/// Pulled, datagrams are lost both ways; connections neither read nor write, are neither made nor taken, and are not
/// closed either. Who connected meanwhile has spoken to nobody: that connection ends when the cable is plugged again,
/// while older ones go on. What the operating system does by itself (it completes handshakes, and acknowledges what it
/// buffers) is beyond it: for a host that is silent altogether, take its network interface down.
#[derive(Clone, Debug)]
pub struct Cable {
    plugged: Arc<watch::Sender<bool>>,
    /// The same for who may not wait for a lock: a media thread, for each packet.
    pulled: Arc<AtomicBool>,
}

impl Default for Cable {
    fn default() -> Cable {
        Cable { plugged: Arc::new(watch::Sender::new(true)), pulled: Arc::default() }
    }
}

impl Cable {
    pub fn pull(&self) {
        self.pulled.store(true, Ordering::SeqCst);
        self.plugged.send_replace(false);
    }

    pub fn plug(&self) {
        self.pulled.store(false, Ordering::SeqCst);
        self.plugged.send_replace(true);
    }

    pub fn is_pulled(&self) -> bool {
        self.pulled.load(Ordering::Relaxed)
    }

    /// Set while the cable is pulled: for the media, which goes by the same cable and does not know of `net`.
    pub fn flag(&self) -> Arc<AtomicBool> {
        self.pulled.clone()
    }

    /// Waits while it is pulled; at once otherwise.
    pub(crate) async fn until_plugged(&self) {
        if self.is_pulled() {
            // The sender is ours, too: it can't be gone.
            let _ = self.plugged.subscribe().wait_for(|plugged| *plugged).await;
        }
    }
}
