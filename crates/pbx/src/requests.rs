//! Requests outside calls. Every method is checked; what is not named here is refused.

use crate::core::{Core, Source};
use crate::message_waiting::MessageWaiting;
use event::{Event, Now};
use sip::endpoint::ServerRef;
use sip::{Flow, Method, Request, Response};

/// Answers a request, or says what waits for the store: the ticket, the request, and whose counts it brings.
pub(crate) fn answer(
    core: &mut Core,
    waiting: &mut MessageWaiting,
    transaction: ServerRef,
    request: Request,
    flow: &Flow,
    now: Now,
) -> Option<(u64, Request, String)> {
    let response = match request.method {
        Method::Register => register(core, waiting, &request, flow, now),
        Method::Notify => match waiting.notified(core, &request, flow, now) {
            Ok((ticket, extension)) => return Some((ticket, request, extension)),
            Err(response) => *response,
        },
        Method::Subscribe => match waiting.subscribe(core, transaction, &request, flow, now) {
            Ok(()) => return None,
            Err(response) => *response,
        },
        Method::Options => match options_source(core, &request, flow, now) {
            // Supervision should send calls elsewhere before one is refused.
            Source::Extension(_) | Source::Route(_) => match core.resting() {
                Some(reason) => {
                    let mut response = request.response(503);
                    response.headers.extend(&core.rest_headers(reason));
                    response
                }
                None => request.response(200),
            },
            source => refusal(core, &request, source, now),
        },
        // Known senders are told that the node does not do this; others that they are not known.
        _ => match core.source(&request, flow, now) {
            Source::Extension(_) | Source::Route(_) => request.response(501),
            source => refusal(core, &request, source, now),
        },
    };
    // Over already: the peer gave up.
    let _ = core.endpoint.respond(transaction, response, now.instant);
    None
}

/// Phones keep their NAT open by OPTIONS, and don't authenticate it: where they registered from is enough.
fn options_source(core: &mut Core, request: &Request, flow: &Flow, now: Now) -> Source {
    if core.registrar.knows_source(flow.remote) {
        return Source::Extension(String::new());
    }
    core.source(request, flow, now)
}

/// The answer to somebody who is not (yet) known.
pub(crate) fn refusal(core: &mut Core, request: &Request, source: Source, now: Now) -> Response {
    match core.challenges(request, &source, now) {
        Some(challenges) => {
            let mut response = request.response(401);
            response.headers.extend(&challenges);
            response
        }
        None => request.response(403),
    }
}

/// RFC 6665 7.2.1: 489 says which event packages there are.
pub(crate) fn with_events(mut response: Response) -> Response {
    if response.status == 489 {
        response.headers.push(sip::Name::AllowEvents, sip::message_summary::EVENT);
    }
    response
}

/// RFC 3261 10.3. The address of record is the To header's; who registers it must be it.
fn register(core: &mut Core, waiting: &mut MessageWaiting, request: &Request, flow: &Flow, now: Now) -> Response {
    let dir = request.to().and_then(|to| to.uri.number()).unwrap_or_default();
    match core.extension(request, &dir, flow, now) {
        Source::Extension(_) => {}
        source => return refusal(core, request, source, now),
    }
    let most = core.configuration.extensions.get(&dir).map_or(0, |entry| entry.max_terminals);
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let changed = match core.registrar.register(&dir, most, request, flow, now) {
        Ok(changed) => changed,
        Err(error) => return error.response(request),
    };
    let mut response = request.response(200);
    core.registrar.list(&dir, &mut response.headers, now.instant);
    if !changed.added.is_empty() || !changed.removed.is_empty() {
        let change = core.registrar.change(&dir);
        core.keep_quietly(vec![change]);
    }
    for contact in changed.removed {
        core.emit(now, Event::Unregistered { extension: dir.clone(), contact, expired: false });
    }
    for (contact, expires_s) in &changed.added {
        let (extension, contact) = (dir.clone(), contact.clone());
        core.emit(now, Event::Registered { extension, contact, source: flow.remote, expires_s: *expires_s });
    }
    if !changed.added.is_empty() {
        waiting.registered(core, &dir, flow.remote, changed.begins, now);
    }
    response
}
