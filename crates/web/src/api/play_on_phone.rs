//! Play on phone: the UM server rings a number that the user gives, and plays a message there.

use super::json;
use crate::Shared;
use crate::error::ApiError;
use crate::principal::Principal;
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use mailbox::MailboxId;
use serde::Deserialize;
use um::commands::play_on_phone::{PhoneCall, PhoneGreeting};
use um::commands::{Answer, Command};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// An extension, or a number that the dialling rules allow.
    number: String,
}

/// Begins to ring: how that goes is told by events and by [`show`].
pub async fn start(
    State(app): State<Shared>,
    principal: Principal,
    Path((name, message)): Path<(String, String)>,
    body: Body,
) -> Result<(StatusCode, Json<PhoneCall>), ApiError> {
    let mailbox = app.mailbox(&principal, &name).await?;
    let id = message.parse().map_err(|_| ApiError::no_message())?;
    let Wanted { number } = json(body).await?;
    // Of this mailbox, and there: nobody's phone rings for nothing.
    app.parts.mailboxes.get(&mailbox, id).await?;
    let identity = app.owner(&mailbox).await?;
    let command = Command::StartPlayOnPhone { identity, number, message: Some(message), greeting: None };
    let call = app.phone_call(command).await?;
    Ok((StatusCode::ACCEPTED, Json(call)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// personal (when left out), oof, name.
    kind: Option<String>,
}

/// Begins to ring for a greeting to be recorded.
pub async fn record(
    State(app): State<Shared>,
    principal: Principal,
    Path(name): Path<String>,
    Query(which): Query<Which>,
    body: Body,
) -> Result<(StatusCode, Json<PhoneCall>), ApiError> {
    let mailbox = app.mailbox(&principal, &name).await?;
    let greeting = match which.kind.as_deref() {
        None | Some("personal") => PhoneGreeting::Personal,
        Some("oof") => PhoneGreeting::Oof,
        Some("name") => PhoneGreeting::Name,
        Some(_) => return Err(ApiError::bad("no such greeting", "write kind as personal, oof or name")),
    };
    let Wanted { number } = json(body).await?;
    let identity = app.owner(&mailbox).await?;
    let command = Command::StartPlayOnPhone { identity, number, message: None, greeting: Some(greeting) };
    Ok((StatusCode::ACCEPTED, Json(app.phone_call(command).await?)))
}

pub async fn show(
    State(app): State<Shared>,
    principal: Principal,
    Path(name): Path<String>,
) -> Result<Json<PhoneCall>, ApiError> {
    let mailbox = app.mailbox(&principal, &name).await?;
    let command = Command::GetPlayOnPhone { identity: app.owner(&mailbox).await? };
    Ok(Json(app.phone_call(command).await?))
}

/// Hangs up.
pub async fn stop(
    State(app): State<Shared>,
    principal: Principal,
    Path(name): Path<String>,
) -> Result<Json<PhoneCall>, ApiError> {
    let mailbox = app.mailbox(&principal, &name).await?;
    let command = Command::StopPlayOnPhone { identity: app.owner(&mailbox).await? };
    Ok(Json(app.phone_call(command).await?))
}

impl crate::App {
    /// What the UM server calls a mailbox of the store.
    async fn owner(&self, mailbox: &MailboxId) -> Result<String, ApiError> {
        let view = self.find(mailbox.as_str()).await?.and_then(|(_, view)| view);
        view.map(|view| view.name).ok_or_else(ApiError::no_mailbox)
    }

    async fn phone_call(&self, command: Command) -> Result<PhoneCall, ApiError> {
        match self.ask_um(command).await? {
            Answer::PhoneCall(call) => Ok(call),
            _ => Err(ApiError::unavailable("the UM server answered something else")),
        }
    }
}
