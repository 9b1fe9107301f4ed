//! A running role: its thread, and how it is ended.

use net::{Inbox, Net, Role};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Ends with its owner: told to stop, then waited for.
pub struct Running {
    stop: Box<dyn Fn() + Send + Sync>,
    thread: Option<JoinHandle<()>>,
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
        let thread =
            std::thread::Builder::new().name(name.to_owned()).spawn(move || net::run(&mut role, inbox, net))?;
        Ok(Running { stop: Box::new(stop), thread: Some(thread) })
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
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
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
