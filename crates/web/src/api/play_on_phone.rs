//! Play on phone: the UM server rings a number that the user gives, and plays a message there.

use super::json;
use crate::Shared;
use crate::error::ApiError;
use crate::principal::Principal;
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use mailbox::MailboxId;
use serde::Deserialize;
use um::commands::play_on_phone::PhoneCall;
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
    let command = Command::StartPlayOnPhone { identity: app.owner(&mailbox).await?, number, message };
    let call = app.phone_call(command).await?;
    Ok((StatusCode::ACCEPTED, Json(call)))
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
