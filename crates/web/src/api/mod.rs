//! The REST interface: `/api/v1/`.

mod events;
mod greeting;
mod messages;
mod roles;
mod session;
mod tokens;

pub use session::{SignIn, end_cookie, sign_in_with, start_cookie};

use crate::Shared;
use crate::error::ApiError;
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::StatusCode;
use axum::routing::{delete, get, post, put};
use serde::de::DeserializeOwned;

/// Bytes of a JSON body at most.
const JSON: usize = 64 << 10;

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
    // The limit stops reading: what is beyond it is never held.
    to_bytes(body, limit).await.map_err(|error| {
        let too_long =
            std::error::Error::source(&error).is_some_and(|source| source.to_string().contains("length limit"));
        if too_long {
            ApiError::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "the request's body is too long",
                format!("send at most {limit} bytes"),
            )
        } else {
            ApiError::bad("the request's body could not be read", "send it again")
        }
    })
}

async fn json<T: DeserializeOwned>(request: Body) -> Result<T, ApiError> {
    let bytes = body(request, JSON).await?;
    serde_json::from_slice(&bytes).map_err(|error| {
        ApiError::bad(format!("the request's body is not what it should be: {error}"), "mend the JSON")
    })
}
