//! Tokens that the administrator makes for programs and people.

use super::json;
use crate::Shared;
use crate::error::ApiError;
use crate::principal::Principal;
use crate::tokens::Made;
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    name: String,
    mailbox: Option<String>,
}

#[derive(Serialize)]
pub struct Shown {
    number: String,
    #[serde(flatten)]
    made: Made,
    /// Shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

pub async fn list(State(app): State<Shared>, principal: Principal) -> Result<Json<Vec<Shown>>, ApiError> {
    principal.admin()?;
    let tokens = app.tokens.list().into_iter().map(|(number, made)| Shown { number, made, token: None });
    Ok(Json(tokens.collect()))
}

pub async fn make(
    State(app): State<Shared>,
    principal: Principal,
    body: Body,
) -> Result<(StatusCode, Json<Shown>), ApiError> {
    principal.admin()?;
    let new: New = json(body).await?;
    let mailbox = match new.mailbox {
        Some(name) => Some(app.mailbox(&principal, &name).await?),
        None => None,
    };
    let made = Made { name: new.name, mailbox };
    let (number, token) = app.tokens.make(made.clone()).await?;
    Ok((StatusCode::CREATED, Json(Shown { number, made, token: Some(token) })))
}

pub async fn remove(
    State(app): State<Shared>,
    principal: Principal,
    Path(number): Path<String>,
) -> Result<StatusCode, ApiError> {
    principal.admin()?;
    if app.tokens.remove(&number).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::new(StatusCode::NOT_FOUND, "there is no such token", "GET /api/v1/tokens lists them"))
    }
}
