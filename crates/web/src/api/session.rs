//! Signing in and out.

use super::json;
use crate::error::ApiError;
use crate::listen::Peer;
use crate::principal::{COOKIE, Principal, cookie};
use crate::sessions::LIFETIME;
use crate::tokens::Bearer;
use crate::{App, Shared};
use axum::Extension;
use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::time::Instant;
use um::commands::{Answer, Command, Door, PinVerdict};

/// Extension and PIN, or a token.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    #[serde(default)]
    pub extension: String,
    #[serde(default)]
    pub pin: String,
    #[serde(default)]
    pub token: String,
}

/// Who is signed in.
#[derive(Serialize)]
pub struct Who {
    role: &'static str,
    /// The user's own.
    mailbox: Option<String>,
    name: Option<String>,
}

impl From<Principal> for Who {
    fn from(principal: Principal) -> Who {
        match principal {
            Principal::Admin(_) => Who { role: "administrator", mailbox: None, name: None },
            Principal::User(user) => {
                Who { role: "user", mailbox: Some(user.mailbox.to_string()), name: Some(user.display_name) }
            }
        }
    }
}

pub async fn show(principal: Principal) -> Json<Who> {
    Json(principal.into())
}

pub async fn begin(
    State(app): State<Shared>,
    Extension(peer): Extension<Peer>,
    body: Body,
) -> Result<Response, ApiError> {
    let sign_in: SignIn = json(body).await?;
    let principal = sign_in_with(&app, &sign_in, peer.address.ip()).await?;
    let who = Json(Who::from(principal.clone()));
    let mut response = (StatusCode::CREATED, who).into_response();
    start_cookie(&app, principal, &mut response)?;
    Ok(response)
}

pub async fn end(State(app): State<Shared>, request: Request) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    end_cookie(&app, request, &mut response);
    response
}

/// Checks what a person signs in with. Wrong PINs are counted by the UM server, together with those of the phone.
pub async fn sign_in_with(app: &App, sign_in: &SignIn, source: IpAddr) -> Result<Principal, ApiError> {
    let now = Instant::now();
    if app.sessions.must_wait(source, now) {
        return Err(ApiError::busy("too many wrong sign-ins came from your address"));
    }
    let wrong = |error: &str, hint: &str| {
        app.sessions.failed(source, now);
        ApiError::new(StatusCode::UNAUTHORIZED, error, hint)
    };
    if !sign_in.token.is_empty() {
        return match app.tokens.find(sign_in.token.trim()) {
            Some(Bearer::Admin(by)) => Ok(Principal::Admin(by)),
            Some(Bearer::Mailbox(mailbox)) => Ok(Principal::User(app.user(mailbox).await?)),
            None => Err(wrong("this token opens nothing", "look it up in the configuration")),
        };
    }
    let extension = sign_in.extension.trim();
    if extension.is_empty() || sign_in.pin.is_empty() {
        return Err(ApiError::bad("extension or PIN is missing", "give both, or a token"));
    }
    let command =
        Command::VerifyPin { identity: extension.to_owned(), pin: sign_in.pin.trim().to_owned(), door: Door::Web };
    match app.ask_um(command).await? {
        Answer::PinVerdict(PinVerdict::Right { mailbox, .. }) => {
            let Some((id, _)) = app.find(&mailbox).await? else { return Err(ApiError::no_mailbox()) };
            let mut user = app.user(id).await?;
            user.names.push(extension.to_owned());
            Ok(Principal::User(user))
        }
        Answer::PinVerdict(PinVerdict::Locked) => Err(ApiError::new(
            StatusCode::LOCKED,
            "the mailbox is locked after too many wrong PINs",
            "ask your administrator to unlock it",
        )),
        _ => Err(wrong("extension or PIN is wrong", "try again; after some wrong PINs the mailbox is locked")),
    }
}

/// Begins a session, and lets the response carry its cookie.
pub fn start_cookie(app: &App, principal: Principal, response: &mut Response) -> Result<(), ApiError> {
    let value = app.sessions.begin(principal, Instant::now())?;
    set_cookie(app, response, &value, LIFETIME.as_secs());
    Ok(())
}

/// Ends the session of a request, and lets the response remove its cookie.
pub fn end_cookie(app: &App, request: Request, response: &mut Response) {
    let (parts, _) = request.into_parts();
    if let Some(cookie) = cookie(&parts) {
        app.sessions.end(cookie);
    }
    set_cookie(app, response, "", 0);
}

fn set_cookie(app: &App, response: &mut Response, value: &str, seconds: u64) {
    let secure = if app.settings.is_secure() { "; Secure" } else { "" };
    let cookie = format!("{COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
}
