use super::body;
use crate::Shared;
use crate::error::ApiError;
use crate::principal::Principal;
use crate::range;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use mailbox::GreetingKind;
use serde::Deserialize;

/// Bytes of a greeting's file at most: five minutes of 48 kHz mono.
const FILE: usize = 32 << 20;

#[derive(Deserialize)]
pub struct Which {
    /// personal (when left out), oof, name.
    kind: Option<String>,
}

impl Which {
    fn kind(&self) -> Result<GreetingKind, ApiError> {
        let kind = self.kind.as_deref().unwrap_or("personal");
        kind.parse().map_err(|error: mailbox::GreetingKindError| ApiError::bad(error.to_string(), "mend kind"))
    }
}

pub async fn put(
    State(app): State<Shared>,
    principal: Principal,
    Path(name): Path<String>,
    Query(which): Query<Which>,
    request: Body,
) -> Result<StatusCode, ApiError> {
    let kind = which.kind()?;
    let mailbox = app.mailbox(&principal, &name).await?;
    let file = body(request, FILE).await?;
    app.parts.mailboxes.put_greeting(&mailbox, kind, file).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub async fn get(
    State(app): State<Shared>,
    principal: Principal,
    Path(name): Path<String>,
    Query(which): Query<Which>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let kind = which.kind()?;
    let mailbox = app.mailbox(&principal, &name).await?;
    match app.parts.mailboxes.greeting(&mailbox, kind).await? {
        Some(file) => Ok(range::respond(&headers, file, "audio/wav")),
        None => Err(ApiError::new(
            StatusCode::NOT_FOUND,
            "no such greeting is recorded; callers hear the system's",
            "PUT a WAV file here to have one",
        )),
    }
}

pub async fn delete(
    State(app): State<Shared>,
    principal: Principal,
    Path(name): Path<String>,
    Query(which): Query<Which>,
) -> Result<StatusCode, ApiError> {
    let kind = which.kind()?;
    let mailbox = app.mailbox(&principal, &name).await?;
    app.parts.mailboxes.delete_greeting(&mailbox, kind).await?;
    Ok(StatusCode::NO_CONTENT)
}
