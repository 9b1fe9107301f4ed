//! The ways to the node and to the UM server: a command goes in, its answer comes back through a callback.

use crate::App;
use crate::error::ApiError;
use axum::http::StatusCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// Hands the node a command of somebody (for the audit). It must return at once; the reply is called when the command is
/// done.
pub type NodeDoor = Arc<dyn Fn(pbx::commands::Command, String, pbx::commands::Reply) + Send + Sync>;
/// The same for the UM server.
pub type UmDoor = Arc<dyn Fn(um::commands::Command, String, um::commands::Reply) + Send + Sync>;

/// Who asks what the pages show.
const PAGES: &str = "web";

/// A role answers within milliseconds; one that does not is stuck or gone.
const PATIENCE: Duration = Duration::from_secs(10);
/// Test-UMConnectivity calls a phone, and may be told to let it ring for half an hour.
const OF_A_CALL: Duration = Duration::from_secs(1830);

impl App {
    pub async fn ask_node(&self, command: pbx::commands::Command) -> Result<pbx::commands::Answer, ApiError> {
        self.command_node(command, PAGES).await
    }

    pub async fn ask_um(&self, command: um::commands::Command) -> Result<um::commands::Answer, ApiError> {
        self.command_um(command, PAGES).await
    }

    /// A command that somebody gave.
    pub async fn command_node(
        &self,
        command: pbx::commands::Command,
        by: &str,
    ) -> Result<pbx::commands::Answer, ApiError> {
        let door = self.parts.node.as_ref().ok_or_else(|| {
            ApiError::new(StatusCode::NOT_FOUND, "the PBX is not part of this process", "ask the web server of the PBX")
        })?;
        let (sender, answer) = oneshot::channel();
        // Who waits may have gone; then nobody needs the answer.
        door(command, by.to_owned(), Box::new(move |result| drop(sender.send(result))));
        wait(answer, PATIENCE).await?.map_err(ApiError::from)
    }

    pub async fn command_um(&self, command: um::commands::Command, by: &str) -> Result<um::commands::Answer, ApiError> {
        let calls = matches!(command, um::commands::Command::TestConnectivity { .. });
        let patience = if calls { OF_A_CALL } else { PATIENCE };
        let (sender, answer) = oneshot::channel();
        (self.parts.um)(command, by.to_owned(), Box::new(move |result| drop(sender.send(result))));
        wait(answer, patience).await?.map_err(ApiError::from)
    }
}

async fn wait<T>(answer: oneshot::Receiver<T>, patience: Duration) -> Result<T, ApiError> {
    match tokio::time::timeout(patience, answer).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(_)) | Err(_) => Err(ApiError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "the server did not answer",
            "try again; if it stays so, look at its log",
        )),
    }
}
