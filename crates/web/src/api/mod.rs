//! The REST interface: `/api/v1/`.

mod events;
mod greeting;
mod messages;
mod play_on_phone;
mod roles;
mod session;
mod tokens;

pub use session::{SignIn, end_cookie, sign_in_with, start_cookie};

use crate::Shared;
use crate::error::ApiError;
use axum::Router;
use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::http::StatusCode;
use axum::routing::{delete, get, post, put};
use serde::de::DeserializeOwned;
use std::time::Duration;

/// Bytes of a JSON body at most.
const JSON: usize = 64 << 10;
/// Within this a body must have come, however long it is.
const PATIENCE: Duration = Duration::from_secs(120);

pub fn router() -> Router<Shared> {
    Router::new()
        .route("/session", get(session::show).post(session::begin).delete(session::end))
        .route("/mailboxes", get(messages::mailboxes))
        .route("/mailboxes/{mailbox}", get(messages::mailbox))
        .route("/mailboxes/{mailbox}/messages", get(messages::list))
        .route(
            "/mailboxes/{mailbox}/messages/{id}",
            get(messages::get).patch(messages::change).delete(messages::delete),
        )
        .route("/mailboxes/{mailbox}/messages/{id}/audio", get(messages::audio))
        .route("/mailboxes/{mailbox}/messages/{id}/mime", get(messages::mime))
        .route("/mailboxes/{mailbox}/messages/{id}/play-on-phone", post(play_on_phone::start))
        .route("/mailboxes/{mailbox}/greeting/play-on-phone", post(play_on_phone::record))
        .route("/mailboxes/{mailbox}/play-on-phone", get(play_on_phone::show).delete(play_on_phone::stop))
        .route("/mailboxes/{mailbox}/greeting", put(greeting::put).get(greeting::get).delete(greeting::delete))
        .route("/extensions", get(roles::extensions))
        .route("/calls", get(roles::calls))
        .route("/node/commands", post(roles::node_command))
        .route("/um/commands", post(roles::um_command))
        .route("/events", get(events::follow))
        .route("/tokens", get(tokens::list).post(tokens::make))
        .route("/tokens/{number}", delete(tokens::remove))
        .fallback(async || {
            ApiError::new(StatusCode::NOT_FOUND, "there is nothing at this path", "docs/rest.md lists the paths")
        })
        .method_not_allowed_fallback(async || {
            ApiError::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "this path does not take this method",
                "the Allow header says which it takes",
            )
        })
}

/// A request's body, whole, of at most `limit` bytes.
async fn body(body: Body, limit: usize) -> Result<Bytes, ApiError> {
    let too_long = || {
        ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the request's body is too long",
            format!("send at most {limit} bytes"),
        )
    };
    // By its Content-Length, before any of it is read.
    if usize::try_from(body.size_hint().lower()).is_ok_and(|length| length > limit) {
        return Err(too_long());
    }
    match tokio::time::timeout(PATIENCE, to_bytes(body, limit)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        // What is beyond the limit was never held.
        Ok(Err(error)) if error.to_string().contains("length limit") => Err(too_long()),
        Ok(Err(_)) => Err(ApiError::bad("the request's body could not be read", "send it again")),
        Err(_) => Err(ApiError::new(StatusCode::REQUEST_TIMEOUT, "the request's body did not come", "send it again")),
    }
}

async fn json<T: DeserializeOwned>(request: Body) -> Result<T, ApiError> {
    json_of(request, JSON).await
}

/// JSON of at most `limit` bytes.
async fn json_of<T: DeserializeOwned>(request: Body, limit: usize) -> Result<T, ApiError> {
    let bytes = body(request, limit).await?;
    serde_json::from_slice(&bytes).map_err(|error| {
        ApiError::bad(format!("the request's body is not what it should be: {error}"), "mend the JSON")
    })
}
