//! A [`Control`] for tests: it opens sessions that exist on paper only, and remembers what was asked of it.

use crate::{Control, MediaCommand, OpenError, SessionId};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

/// Clones are the same fake: give one to the role and keep one.
#[derive(Clone, Debug, Default)]
pub struct FakeMedia {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    opened: u64,
    full: bool,
    address: Option<IpAddr>,
    commands: Vec<MediaCommand>,
}

impl FakeMedia {
    pub fn new() -> FakeMedia {
        FakeMedia::default()
    }

    /// Sessions get ports of this address (127.0.0.1 unless told).
    pub fn at(address: IpAddr) -> FakeMedia {
        let fake = FakeMedia::default();
        fake.with(|inner| inner.address = Some(address));
        fake
    }

    /// What was asked since the last call, in order.
    pub fn take(&self) -> Vec<MediaCommand> {
        self.with(|inner| std::mem::take(&mut inner.commands))
    }

    /// How many sessions were ever opened; the n-th has `SessionId(n)`, counted from 1.
    pub fn opened(&self) -> u64 {
        self.with(|inner| inner.opened)
    }

    /// From now on `open` fails for want of ports (or works again).
    pub fn set_full(&self, full: bool) {
        self.with(|inner| inner.full = full);
    }

    fn with<T>(&self, f: impl FnOnce(&mut Inner) -> T) -> T {
        f(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Control for FakeMedia {
    fn open(&mut self) -> Result<(SessionId, SocketAddr), OpenError> {
        self.with(|inner| {
            if inner.full {
                return Err(OpenError::NoPort);
            }
            inner.opened += 1;
            let port = 20000 + (inner.opened * 2 % 20000) as u16;
            let address = inner.address.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
            Ok((SessionId(inner.opened), SocketAddr::new(address, port)))
        })
    }

    fn command(&mut self, command: MediaCommand) {
        self.with(|inner| inner.commands.push(command));
    }
}
