//! The browser's pages. Every page works without script as far as reading and signing in go; script adds playing in
//! place, marking, deleting, and the live view.

use crate::api::{end_cookie, sign_in_with, start_cookie};
use crate::error::ApiError;
use crate::listen::Peer;
use crate::principal::Principal;
use crate::{App, Shared};
use askama::Template;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Form, Router};
use mailbox::{Counts, GreetingKind, MailboxId, Message, Order};
use pbx::commands::{CallStatus, ExtensionStatus};
use rust_embed::RustEmbed;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use um::commands::CallView;

#[derive(RustEmbed)]
#[folder = "static/"]
struct Static;

pub fn router() -> Router<Shared> {
    Router::new()
        .route("/", get(home))
        .route("/mailboxes/{mailbox}", get(mailbox))
        .route("/sign-in", post(sign_in))
        .route("/sign-out", post(sign_out))
        .route("/parts/messages/{mailbox}", get(messages))
        .route("/parts/greeting/{mailbox}", get(greeting))
        .route("/parts/extensions", get(extensions))
        .route("/parts/calls", get(calls))
        .route("/parts/mailboxes", get(mailboxes))
        .route("/static/{file}", get(file))
        .fallback(async || {
            problem(ApiError::new(StatusCode::NOT_FOUND, "There is no such page.", "Go to the start page."))
        })
}

/// A page, or a part of one.
pub struct Page<T>(pub T);

impl<T: Template> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        match self.0.render() {
            Ok(html) => Html(html).into_response(),
            Err(error) => {
                tracing::error!(%error, "a page could not be rendered");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    problem: Option<ApiError>,
    extension: String,
    administrator: bool,
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    problem: ApiError,
}

#[derive(Template)]
#[template(path = "mailbox.html")]
struct MailboxPage {
    mailbox: MailboxId,
    name: String,
    administrator: bool,
    messages: MessagesPart,
    greeting: GreetingPart,
}

#[derive(Template)]
#[template(path = "admin.html")]
struct AdminPage {
    /// None without a node.
    alarms: Option<crate::admin::TablePart>,
    has_node: bool,
    mailboxes: MailboxesPart,
    extensions: ExtensionsPart,
    calls: CallsPart,
}

#[derive(Template)]
#[template(path = "parts/messages.html")]
struct MessagesPart {
    mailbox: MailboxId,
    messages: Vec<MessageView>,
    new: usize,
}

struct MessageView {
    /// Not a missed call.
    voice: bool,
    protected: bool,
    flagged: bool,
    /// What a transcriber has made of it, and whether it is not sure.
    preview: Option<String>,
    unsure: bool,
    id: String,
    from: String,
    /// The number, when the name stands in `from`.
    number: Option<String>,
    received: String,
    received_iso: String,
    duration: String,
    /// "1 minute 5 seconds", for those who listen to the page.
    duration_spoken: String,
    read: bool,
    urgent: bool,
    private: bool,
}

#[derive(Template)]
#[template(path = "parts/greeting.html")]
struct GreetingPart {
    mailbox: MailboxId,
    recorded: bool,
}

#[derive(Template)]
#[template(path = "parts/mailboxes.html")]
struct MailboxesPart {
    mailboxes: Vec<(String, String, Counts)>,
}

#[derive(Template)]
#[template(path = "parts/extensions.html")]
pub struct ExtensionsPart {
    extensions: Vec<ExtensionStatus>,
}

#[derive(Template)]
#[template(path = "parts/calls.html")]
struct CallsPart {
    node: Vec<CallStatus>,
    um: Vec<CallView>,
}

fn clock(milliseconds: u64) -> String {
    // A started second counts, as in the message's subject.
    let seconds = milliseconds.div_ceil(1000);
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

fn spoken(milliseconds: u64) -> String {
    let seconds = milliseconds.div_ceil(1000);
    let counted = |count: u64, unit: &str| match count {
        0 => String::new(),
        1 => format!("1 {unit}"),
        count => format!("{count} {unit}s"),
    };
    let text = format!("{} {}", counted(seconds / 60, "minute"), counted(seconds % 60, "second"));
    match text.trim() {
        "" => "0 seconds".into(),
        text => text.to_owned(),
    }
}

impl From<&Message> for MessageView {
    fn from(message: &Message) -> MessageView {
        let received = OffsetDateTime::from(message.received);
        let name = message.from_name.as_deref().filter(|name| !name.is_empty());
        let number = message.from_number.as_deref().filter(|number| !number.is_empty());
        let milliseconds = u64::from(message.duration_ms);
        MessageView {
            voice: message.kind.is_voice(),
            protected: message.protected,
            flagged: message.flagged,
            preview: message.preview.as_ref().map(|preview| preview.text.clone()),
            unsure: message.preview.as_ref().is_some_and(mailbox::Preview::is_unsure),
            id: message.id.to_string(),
            from: name.or(number).unwrap_or("Anonymous caller").to_owned(),
            number: name.and(number).map(str::to_owned),
            received: received
                .format(format_description!("[year]-[month]-[day] [hour]:[minute] UTC"))
                .unwrap_or_default(),
            received_iso: received.format(&Rfc3339).unwrap_or_default(),
            duration: clock(milliseconds),
            duration_spoken: spoken(milliseconds),
            read: message.read,
            urgent: message.urgent,
            private: message.private,
        }
    }
}

impl App {
    async fn messages_part(&self, mailbox: MailboxId) -> Result<MessagesPart, ApiError> {
        let messages = self.parts.mailboxes.list(&mailbox, Order::NewestFirst).await?;
        let new = messages.iter().filter(|message| !message.read && message.kind.is_voice()).count();
        Ok(MessagesPart { mailbox, messages: messages.iter().map(MessageView::from).collect(), new })
    }

    async fn greeting_part(&self, mailbox: MailboxId) -> Result<GreetingPart, ApiError> {
        let recorded = self.parts.mailboxes.greeting(&mailbox, GreetingKind::Personal).await?.is_some();
        Ok(GreetingPart { mailbox, recorded })
    }

    async fn mailboxes_part(&self) -> Result<MailboxesPart, ApiError> {
        let mut mailboxes = Vec::new();
        for id in self.parts.mailboxes.mailboxes().await? {
            let counts = self.parts.mailboxes.counts(&id).await?;
            let name = self.user(id.clone()).await?.display_name;
            mailboxes.push((id.to_string(), name, counts));
        }
        Ok(MailboxesPart { mailboxes })
    }

    pub async fn extensions_part(&self) -> Result<ExtensionsPart, ApiError> {
        let extensions = if self.parts.node.is_some() { self.extensions().await? } else { Vec::new() };
        Ok(ExtensionsPart { extensions })
    }

    async fn calls_part(&self) -> Result<CallsPart, ApiError> {
        let node = if self.parts.node.is_some() { self.node_calls().await? } else { Vec::new() };
        Ok(CallsPart { node, um: self.um_calls().await? })
    }

    async fn mailbox_page(&self, principal: &Principal, name: &str) -> Result<MailboxPage, ApiError> {
        let mailbox = self.mailbox(principal, name).await?;
        let (name, administrator) = match principal {
            Principal::User(user) => (user.display_name.clone(), false),
            Principal::Admin(_) => (self.user(mailbox.clone()).await?.display_name, true),
        };
        Ok(MailboxPage {
            name,
            administrator,
            messages: self.messages_part(mailbox.clone()).await?,
            greeting: self.greeting_part(mailbox.clone()).await?,
            mailbox,
        })
    }

    async fn admin_page(&self) -> Result<AdminPage, ApiError> {
        let alarms = match self.parts.node {
            Some(_) => Some(self.table_part("alarms").await?),
            None => None,
        };
        Ok(AdminPage {
            alarms,
            has_node: self.parts.node.is_some(),
            mailboxes: self.mailboxes_part().await?,
            extensions: self.extensions_part().await?,
            calls: self.calls_part().await?,
        })
    }
}

fn problem(problem: ApiError) -> Response {
    let status = problem.status;
    (status, Page(ProblemPage { problem })).into_response()
}

pub fn page<T: Template>(result: Result<T, ApiError>) -> Response {
    match result {
        Ok(page) => Page(page).into_response(),
        Err(error) => problem(error),
    }
}

async fn home(State(app): State<Shared>, principal: Result<Principal, ApiError>) -> Response {
    match principal {
        Ok(Principal::Admin(_)) => page(app.admin_page().await),
        Ok(user @ Principal::User(_)) => {
            let own = if let Principal::User(user) = &user { user.mailbox.to_string() } else { String::new() };
            page(app.mailbox_page(&user, &own).await)
        }
        Err(_) => Page(SignInPage { problem: None, extension: String::new(), administrator: false }).into_response(),
    }
}

async fn mailbox(
    State(app): State<Shared>,
    principal: Result<Principal, ApiError>,
    Path(name): Path<String>,
) -> Response {
    match principal {
        Ok(principal) => page(app.mailbox_page(&principal, &name).await),
        Err(_) => Redirect::to("/").into_response(),
    }
}

async fn sign_in(
    State(app): State<Shared>,
    Extension(peer): Extension<Peer>,
    Form(form): Form<crate::api::SignIn>,
) -> Response {
    let result = match sign_in_with(&app, &form, peer.address.ip()).await {
        Ok(principal) => {
            let mut response = Redirect::to("/").into_response();
            start_cookie(&app, principal, &mut response).map(|()| response)
        }
        Err(error) => Err(error),
    };
    result.unwrap_or_else(|error| {
        let administrator = !form.token.is_empty();
        let status = error.status;
        (status, Page(SignInPage { problem: Some(error), extension: form.extension, administrator })).into_response()
    })
}

async fn sign_out(State(app): State<Shared>, request: Request) -> Response {
    let mut response = Redirect::to("/").into_response();
    end_cookie(&app, request, &mut response);
    response
}

async fn messages(
    State(app): State<Shared>,
    principal: Principal,
    Path(name): Path<String>,
) -> Result<Response, ApiError> {
    let mailbox = app.mailbox(&principal, &name).await?;
    Ok(Page(app.messages_part(mailbox).await?).into_response())
}

async fn greeting(
    State(app): State<Shared>,
    principal: Principal,
    Path(name): Path<String>,
) -> Result<Response, ApiError> {
    let mailbox = app.mailbox(&principal, &name).await?;
    Ok(Page(app.greeting_part(mailbox).await?).into_response())
}

async fn mailboxes(State(app): State<Shared>, principal: Principal) -> Result<Response, ApiError> {
    principal.admin()?;
    Ok(Page(app.mailboxes_part().await?).into_response())
}

async fn extensions(State(app): State<Shared>, principal: Principal) -> Result<Response, ApiError> {
    principal.admin()?;
    Ok(Page(app.extensions_part().await?).into_response())
}

async fn calls(State(app): State<Shared>, principal: Principal) -> Result<Response, ApiError> {
    principal.admin()?;
    Ok(Page(app.calls_part().await?).into_response())
}

async fn file(Path(name): Path<String>) -> Response {
    let Some(file) = Static::get(&name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let content_type = match name.rsplit_once('.') {
        Some((_, "css")) => "text/css; charset=utf-8",
        Some((_, "js")) => "text/javascript; charset=utf-8",
        Some((_, "svg")) => "image/svg+xml",
        _ => "application/octet-stream",
    };
    let mut response = file.data.into_owned().into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    // Small, and never of another version than the page.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_a_clock_and_as_words() {
        assert_eq!((clock(1), spoken(1)), ("0:01".into(), "1 second".into()));
        assert_eq!((clock(65_000), spoken(65_000)), ("1:05".into(), "1 minute 5 seconds".into()));
        assert_eq!((clock(120_000), spoken(120_000)), ("2:00".into(), "2 minutes".into()));
        assert_eq!(spoken(0), "0 seconds");
    }
}
