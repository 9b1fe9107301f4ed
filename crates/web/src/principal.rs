//! Who asks, and what he may see: the administrator everything, a user the own mailbox.

use crate::error::ApiError;
use crate::listen::Peer;
use crate::tokens::Bearer;
use crate::{App, Shared};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Method, header};
use mailbox::{MailboxError, MailboxId};
use std::time::Instant;
use um::commands::{Answer, Command, MailboxView};

pub const COOKIE: &str = "earcon_session";

#[derive(Clone, Debug, PartialEq)]
pub enum Principal {
    /// Under the name that the audit has: `web`, or `web:` and the name of the token that was made for somebody.
    Admin(String),
    User(User),
}

/// The owner of a mailbox.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    pub mailbox: MailboxId,
    /// What the mailbox is also called: its name at the UM server, its extensions.
    pub names: Vec<String>,
    pub display_name: String,
}

/// The cookie that the request brought, if any.
pub fn cookie(parts: &Parts) -> Option<&str> {
    let lines = parts.headers.get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(';')).find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == COOKIE).then_some(value)
    })
}

impl FromRequestParts<Shared> for Principal {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Principal, ApiError> {
        let now = Instant::now();
        if let Some(line) = parts.headers.get(header::AUTHORIZATION) {
            let source = parts.extensions.get::<Peer>().map(|peer| peer.address.ip());
            if source.is_some_and(|source| app.sessions.must_wait(source, now)) {
                return Err(ApiError::busy("too many wrong tokens came from your address"));
            }
            let token = line.to_str().ok().and_then(|line| line.split_once(' '));
            let bearer = token
                .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
                .and_then(|(_, token)| app.tokens.find(token.trim()));
            return match bearer {
                Some(Bearer::Admin(by)) => Ok(Principal::Admin(by)),
                Some(Bearer::Mailbox(mailbox)) => Ok(Principal::User(app.user(mailbox).await?)),
                None => {
                    if let Some(source) = source {
                        app.sessions.failed(source, now);
                    }
                    Err(ApiError::unauthorized())
                }
            };
        }
        let principal = cookie(parts).and_then(|cookie| app.sessions.find(cookie, now));
        let principal = principal.ok_or_else(ApiError::unauthorized)?;
        // A cookie comes along by itself, so a change must show where it was asked for: browsers say so in Origin,
        // which the guard has compared with our own address.
        let reads = matches!(parts.method, Method::GET | Method::HEAD);
        if !reads && !parts.headers.contains_key(header::ORIGIN) {
            return Err(crate::guard::foreign_origin());
        }
        Ok(principal)
    }
}

impl Principal {
    /// The administrator's name for the audit. Everybody else is refused.
    pub fn admin(&self) -> Result<&str, ApiError> {
        match self {
            Principal::Admin(by) => Ok(by),
            Principal::User(_) => Err(ApiError::forbidden()),
        }
    }
}

impl App {
    /// The mailbox that a request names, if its sender may see it.
    pub async fn mailbox(&self, principal: &Principal, name: &str) -> Result<MailboxId, ApiError> {
        match principal {
            // Whether others have a mailbox is not told.
            Principal::User(user) if !user.is_called(name) => Err(ApiError::forbidden()),
            Principal::User(user) => Ok(user.mailbox.clone()),
            Principal::Admin(_) => Ok(self.find(name).await?.ok_or_else(ApiError::no_mailbox)?.0),
        }
    }

    /// A mailbox by its name in the store, or by any name that the UM server knows it by.
    pub async fn find(&self, name: &str) -> Result<Option<(MailboxId, Option<MailboxView>)>, ApiError> {
        let command = Command::GetMailbox { identity: Some(name.to_owned()) };
        let view = match self.ask_um(command).await {
            Ok(Answer::Mailboxes(views)) => views.into_iter().next(),
            Ok(_) => None,
            Err(error) if error.status.is_client_error() => None,
            Err(error) => return Err(error),
        };
        let known = view.as_ref().and_then(|view| view.mailbox.as_deref());
        let Ok(id) = MailboxId::parse(known.unwrap_or(name)) else { return Ok(None) };
        match self.parts.mailboxes.status(&id).await {
            Ok(_) => Ok(Some((id, view))),
            Err(MailboxError::NoMailbox) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The owner of a mailbox.
    pub async fn user(&self, mailbox: MailboxId) -> Result<User, ApiError> {
        let view = self.find(mailbox.as_str()).await?.and_then(|(_, view)| view);
        let Some(view) = view else {
            return Ok(User { display_name: mailbox.to_string(), names: Vec::new(), mailbox });
        };
        let names = std::iter::once(view.name).chain(view.extensions).collect();
        Ok(User { mailbox, names, display_name: view.display_name })
    }
}

impl User {
    pub fn is_called(&self, name: &str) -> bool {
        self.mailbox.as_str() == name || self.names.iter().any(|known| known == name)
    }
}
