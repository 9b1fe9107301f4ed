//! Events by SSE. The administrator sees all of them, a user what happens to the own mailbox.

use crate::Shared;
use crate::error::ApiError;
use crate::live::Shown;
use crate::principal::{Principal, cookie};
use axum::extract::{Query, Request, State};
use axum::response::sse::{Event, Sse};
use futures_util::Stream;
use futures_util::stream::unfold;
use mailbox::{Change, Changes};
use serde::Deserialize;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Interval, interval};

/// How often a connection is tried, and whether its session has ended is looked up.
const HEARTBEAT: Duration = Duration::from_secs(15);

#[derive(Deserialize)]
pub struct Past {
    /// How many past events come first: 0 when left out, 1,000 at most.
    past: Option<usize>,
}

pub async fn follow(
    State(app): State<Shared>,
    principal: Principal,
    Query(past): Query<Past>,
    request: Request,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    let permit = app.live.followers.clone().try_acquire_owned();
    let permit = permit.map_err(|_| ApiError::unavailable("too many pages follow the events"))?;
    let (past, live) = app.live.follow(past.past.unwrap_or_default());
    let (parts, _) = request.into_parts();
    let follower = Follower {
        changes: app.parts.mailboxes.subscribe(),
        cookie: cookie(&parts).map(str::to_owned),
        principal,
        past: past.into(),
        live,
        last: 0,
        heartbeat: interval(HEARTBEAT),
        app,
        _permit: permit,
    };
    Ok(Sse::new(unfold(follower, |mut follower| async move {
        let event = follower.next().await?;
        Some((Ok(event), follower))
    })))
}

/// One open page.
struct Follower {
    app: Shared,
    principal: Principal,
    /// What the page came in with, unless by a token.
    cookie: Option<String>,
    past: VecDeque<Arc<Shown>>,
    live: Receiver<Arc<Shown>>,
    /// Number of the last event sent.
    last: u64,
    changes: Changes,
    heartbeat: Interval,
    _permit: OwnedSemaphorePermit,
}

impl Follower {
    /// The next thing to send. None: the server ends, or the session has.
    async fn next(&mut self) -> Option<Event> {
        loop {
            while let Some(shown) = self.past.pop_front() {
                if let Some(event) = self.event(&shown) {
                    return Some(event);
                }
            }
            tokio::select! {
                shown = self.live.recv() => match shown {
                    Ok(shown) => {
                        if let Some(event) = self.event(&shown) {
                            return Some(event);
                        }
                    }
                    Err(RecvError::Lagged(missed)) => {
                        return Some(Event::default().event("gap").data(format!("{{\"missed\":{missed}}}")));
                    }
                    Err(RecvError::Closed) => return None,
                },
                change = self.changes.next() => {
                    let change = change?;
                    if self.may_see(change.mailbox.as_str()) {
                        return Some(changed(&change));
                    }
                }
                _ = self.heartbeat.tick() => {
                    let ended = |cookie: &String| self.app.sessions.find(cookie, Instant::now()).is_none();
                    if self.cookie.as_ref().is_some_and(ended) {
                        return None;
                    }
                    return Some(Event::default().comment("still here"));
                }
            }
        }
    }

    fn event(&mut self, shown: &Shown) -> Option<Event> {
        if shown.number <= self.last {
            return None;
        }
        self.last = shown.number;
        let visible = match &self.principal {
            Principal::Admin(_) => true,
            Principal::User(_) => shown.mailbox.as_deref().is_some_and(|mailbox| self.may_see(mailbox)),
        };
        // Unnamed: the JSON says which it is, and a page needs one listener for all.
        visible.then(|| Event::default().id(shown.number.to_string()).data(&shown.json))
    }

    fn may_see(&self, mailbox: &str) -> bool {
        match &self.principal {
            Principal::Admin(_) => true,
            Principal::User(user) => user.is_called(mailbox),
        }
    }
}

/// A change of a mailbox: what lists of messages follow.
fn changed(change: &Change) -> Event {
    // Numbers and checked names: nothing in it can fail to serialise.
    Event::default().event("mailbox_changed").data(serde_json::to_string(change).unwrap_or_default())
}
