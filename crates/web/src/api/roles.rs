//! What the node and the UM server know, and their commands. For the administrator.

use super::{json, json_of};
use crate::Shared;
use crate::error::ApiError;
use crate::principal::Principal;
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use pbx::commands::{Answer, CallStatus, Command, ExtensionStatus, Status};
use serde::Serialize;
use um::commands::{CallView, Command as UmCommand};

/// Bytes of a UM server's command at most: an administrator's prompt comes in one, as base64.
const UM_COMMAND: usize = 16 << 20;

pub async fn extensions(
    State(app): State<Shared>,
    principal: Principal,
) -> Result<Json<Vec<ExtensionStatus>>, ApiError> {
    principal.admin()?;
    Ok(Json(app.extensions().await?))
}

/// Calls in progress, as either half sees them.
#[derive(Serialize)]
pub struct Calls {
    /// Calls through the node. Null: it is another process.
    node: Option<Vec<CallStatus>>,
    /// Calls at the UM server.
    um: Vec<CallView>,
}

pub async fn calls(State(app): State<Shared>, principal: Principal) -> Result<Json<Calls>, ApiError> {
    principal.admin()?;
    let node = match app.parts.node {
        Some(_) => Some(app.node_calls().await?),
        None => None,
    };
    Ok(Json(Calls { node, um: app.um_calls().await? }))
}

pub async fn node_command(
    State(app): State<Shared>,
    principal: Principal,
    body: Body,
) -> Result<Json<Answer>, ApiError> {
    let by = principal.admin()?.to_owned();
    Ok(Json(app.command_node(json(body).await?, &by).await?))
}

pub async fn um_command(
    State(app): State<Shared>,
    principal: Principal,
    body: Body,
) -> Result<Json<um::commands::Answer>, ApiError> {
    let by = principal.admin()?.to_owned();
    Ok(Json(app.command_um(json_of(body, UM_COMMAND).await?, &by).await?))
}

fn every_call() -> UmCommand {
    UmCommand::GetActiveCalls { server: None, instance_server: None, dial_plan: None, gateway: None }
}

impl crate::App {
    pub async fn extensions(&self) -> Result<Vec<ExtensionStatus>, ApiError> {
        match self.ask_node(Command::Status(Status::Extensions {})).await? {
            Answer::Extensions { extensions } => Ok(extensions),
            _ => Err(ApiError::unavailable("the PBX answered something else")),
        }
    }

    pub async fn node_calls(&self) -> Result<Vec<CallStatus>, ApiError> {
        match self.ask_node(Command::Status(Status::Calls {})).await? {
            Answer::Calls { calls } => Ok(calls),
            _ => Err(ApiError::unavailable("the PBX answered something else")),
        }
    }

    pub async fn um_calls(&self) -> Result<Vec<CallView>, ApiError> {
        match self.ask_um(every_call()).await? {
            um::commands::Answer::Calls(calls) => Ok(calls),
            _ => Err(ApiError::unavailable("the UM server answered something else")),
        }
    }
}
