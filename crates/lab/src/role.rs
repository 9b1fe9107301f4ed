//! A running role: its thread, and how it is ended.

use net::{Inbox, Net, Role};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Ends with its owner: told to stop, then waited for.
pub struct Running {
    stop: Box<dyn Fn() + Send + Sync>,
    thread: Option<JoinHandle<()>>,
    ended: Ended,
}

/// Whether a role's thread has ended; clones tell of the same.
#[derive(Clone, Debug, Default)]
pub struct Ended(Arc<AtomicBool>);

impl Ended {
    pub fn is(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Says so when the thread ends, also by a panic.
struct Tells(Ended);

impl Drop for Tells {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Release);
    }
}

impl Running {
    /// Drives `role` on a thread of its own. `stop` puts the role's stop into its inbox.
    pub fn start<R>(
        name: &str,
        mut role: R,
        inbox: Inbox<R::Own>,
        net: Net,
        stop: impl Fn() + Send + Sync + 'static,
    ) -> std::io::Result<Running>
    where
        R: Role + Send + 'static,
    {
        let ended = Ended::default();
        let tells = Tells(ended.clone());
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            let _tells = tells;
            net::run(&mut role, inbox, net);
        })?;
        Ok(Running { stop: Box::new(stop), thread: Some(thread), ended })
    }

    /// For whoever wants to know it without holding the role.
    pub fn ended(&self) -> Ended {
        self.ended.clone()
    }

    /// The role ends by itself when it has been told to.
    pub fn wait(&self, limit: Duration, give_up: impl Fn() -> bool) {
        let until = Instant::now() + limit;
        while !self.has_ended() && Instant::now() < until && !give_up() {
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Whether the role's thread has ended by itself, which only a fault makes it do.
    pub fn has_ended(&self) -> bool {
        self.ended.is()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        (self.stop)();
        if let Some(thread) = self.thread.take() {
            // A panic there was printed by its own thread.
            let _ = thread.join();
        }
    }
}
