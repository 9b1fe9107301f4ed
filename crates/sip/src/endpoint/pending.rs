//! Requests of peers that wait for the owner's answer, and those that were seen lately.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use crate::flow::Flow;
use crate::message::header::From;
use crate::message::{CSeq, CallId, Headers, Request, Response};
use crate::transaction::ServerId;

/// A request that was handed up.
#[derive(Debug)]
pub(crate) struct Pending {
    pub request: Request,
    pub flow: Flow,
    /// The peer has given up by then.
    pub until: Instant,
}

/// All of them. Transactions are numbered in order, so the oldest is the first.
#[derive(Debug, Default)]
pub(crate) struct Waiting(BTreeMap<ServerId, Pending>);

/// How many are remembered: as many as the transaction layer takes by itself.
const MAX_WAITING: usize = 250_000;

impl Waiting {
    pub fn insert(&mut self, server: ServerId, pending: Pending) {
        if self.0.len() >= MAX_WAITING {
            self.0.pop_first();
        }
        self.0.insert(server, pending);
    }

    pub fn take(&mut self, server: ServerId) -> Option<Pending> {
        self.0.remove(&server)
    }

    pub fn has(&self, server: ServerId) -> bool {
        self.0.contains_key(&server)
    }

    /// Takes one that no peer waits for any more.
    pub fn pop_expired(&mut self, now: Instant) -> Option<(ServerId, Pending)> {
        self.0.first_key_value().filter(|(_, pending)| pending.until <= now)?;
        self.0.pop_first()
    }

    pub fn oldest(&self) -> Option<Instant> {
        self.0.first_key_value().map(|(_, pending)| pending.until)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// From tag, Call-ID and CSeq in one piece: a copy, since a slice would keep the whole request in memory.
type Key = Arc<str>;

/// Requests that are being served, for RFC 3261 8.2.2.2: the same request by another path is merged, and answered 482.
#[derive(Debug, Default)]
pub(crate) struct Merged {
    seen: HashMap<Key, ServerId>,
    order: VecDeque<(Instant, Key)>,
}

/// How many are remembered; the oldest goes first.
const MAX_SEEN: usize = 250_000;

impl Merged {
    /// Takes note of a request without To tag; `true` when it is a copy of one that came by another path.
    pub fn is_copy(&mut self, request: &Request, server: ServerId, until: Instant) -> bool {
        let Some(key) = key(&request.headers) else { return false };
        if self.seen.contains_key(&key) {
            return true;
        }
        if self.order.len() >= MAX_SEEN {
            self.pop();
        }
        self.seen.insert(key.clone(), server);
        self.order.push_back((until, key));
        false
    }

    /// Refused: a client may ask again with the same number, and some do after a challenge.
    pub fn done(&mut self, response: &Response) {
        if let Some(key) = key(&response.headers) {
            self.seen.remove(&key);
        }
    }

    pub fn expire(&mut self, now: Instant) {
        while self.order.front().is_some_and(|(until, _)| *until <= now) {
            self.pop();
        }
    }

    fn pop(&mut self) {
        if let Some((_, key)) = self.order.pop_front() {
            self.seen.remove(&key);
        }
    }

    pub fn oldest(&self) -> Option<Instant> {
        self.order.front().map(|(until, _)| *until)
    }

    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}

fn key(headers: &Headers) -> Option<Key> {
    let CSeq { seq, .. } = headers.sound()?;
    let CallId(call_id) = headers.sound()?;
    let From(from) = headers.sound()?;
    // No tag has a line end in it.
    Some(format!("{seq} {}\n{call_id}", from.params.text("tag")?).into())
}
