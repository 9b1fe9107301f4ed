use super::json;
use crate::Shared;
use crate::error::ApiError;
use crate::principal::Principal;
use crate::range;
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use event::{Event, Now, Sink};
use mailbox::{Counts, MailboxId, Message, MessageId, MessageKind, Order, Preview};
use serde::{Deserialize, Serialize};
use std::time::SystemTime;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A message as the interface shows it.
#[derive(Debug, Serialize)]
pub struct View {
    pub id: String,
    /// Null: the caller was anonymous.
    pub from_number: Option<String>,
    pub from_name: Option<String>,
    pub subject: String,
    /// RFC 3339, UTC.
    pub received: String,
    /// Seconds, to the millisecond.
    pub duration_s: f64,
    pub read: bool,
    pub urgent: bool,
    pub private: bool,
    /// Heard here and by phone only.
    pub protected: bool,
    pub flagged: bool,
    pub kind: MessageKind,
    /// Its text, where a transcriber has made one.
    pub preview: Option<Preview>,
}

pub fn view(message: &Message) -> View {
    let received = OffsetDateTime::from(message.received);
    View {
        id: message.id.to_string(),
        from_number: message.from_number.as_deref().map(str::to_owned),
        from_name: message.from_name.as_deref().map(str::to_owned),
        subject: message.subject.clone(),
        received: received.format(&Rfc3339).unwrap_or_default(),
        duration_s: f64::from(message.duration_ms) / 1000.0,
        read: message.read,
        urgent: message.urgent,
        private: message.private,
        protected: message.protected,
        flagged: message.flagged,
        kind: message.kind,
        preview: message.preview.clone(),
    }
}

#[derive(Serialize)]
pub struct MailboxView {
    mailbox: MailboxId,
    #[serde(flatten)]
    counts: Counts,
}

async fn show(app: &Shared, mailbox: MailboxId) -> Result<MailboxView, ApiError> {
    let counts = app.parts.mailboxes.counts(&mailbox).await?;
    Ok(MailboxView { mailbox, counts })
}

pub async fn mailboxes(State(app): State<Shared>, principal: Principal) -> Result<Json<Vec<MailboxView>>, ApiError> {
    let ids = match principal {
        Principal::Admin(_) => app.parts.mailboxes.mailboxes().await?,
        Principal::User(user) => vec![user.mailbox],
    };
    let mut views = Vec::with_capacity(ids.len());
    for id in ids {
        views.push(show(&app, id).await?);
    }
    Ok(Json(views))
}

pub async fn mailbox(
    State(app): State<Shared>,
    principal: Principal,
    Path(name): Path<String>,
) -> Result<Json<MailboxView>, ApiError> {
    let mailbox = app.mailbox(&principal, &name).await?;
    Ok(Json(show(&app, mailbox).await?))
}

/// Which messages are listed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// voice (when left out), missed_call, all.
    #[serde(default)]
    kind: Kinds,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kinds {
    #[default]
    Voice,
    MissedCall,
    All,
}

pub async fn list(
    State(app): State<Shared>,
    principal: Principal,
    Path(name): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Vec<View>>, ApiError> {
    let mailbox = app.mailbox(&principal, &name).await?;
    let messages = app.parts.mailboxes.list(&mailbox, Order::NewestFirst).await?;
    let listed = messages.iter().filter(|message| match wanted.kind {
        Kinds::Voice => message.kind.is_voice(),
        Kinds::MissedCall => !message.kind.is_voice(),
        Kinds::All => true,
    });
    Ok(Json(listed.map(view).collect()))
}

/// Mailbox and message of a path.
async fn place(
    app: &Shared,
    principal: &Principal,
    (name, id): &(String, String),
) -> Result<(MailboxId, MessageId), ApiError> {
    let mailbox = app.mailbox(principal, name).await?;
    let id = id.parse().map_err(|_| ApiError::no_message())?;
    Ok((mailbox, id))
}

pub async fn get(
    State(app): State<Shared>,
    principal: Principal,
    Path(path): Path<(String, String)>,
) -> Result<Json<View>, ApiError> {
    let (mailbox, id) = place(&app, &principal, &path).await?;
    Ok(Json(view(&app.parts.mailboxes.get(&mailbox, id).await?)))
}

/// What may be changed of a message. What is left out stays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Changes {
    read: Option<bool>,
    flagged: Option<bool>,
    /// false brings a deleted message back.
    deleted: Option<bool>,
}

pub async fn change(
    State(app): State<Shared>,
    principal: Principal,
    Path(path): Path<(String, String)>,
    body: Body,
) -> Result<Json<View>, ApiError> {
    let (mailbox, id) = place(&app, &principal, &path).await?;
    let changes: Changes = json(body).await?;
    let store = &app.parts.mailboxes;
    if let Some(read) = changes.read {
        let was_read = store.get(&mailbox, id).await?.read;
        store.set_read(&mailbox, id, read).await?;
        if was_read != read {
            app.tell(Event::MessageRead { mailbox: mailbox.to_string(), message: id.to_string(), read });
        }
    }
    if let Some(flagged) = changes.flagged {
        store.set_flagged(&mailbox, id, flagged).await?;
    }
    match changes.deleted {
        Some(true) => app.delete(&mailbox, id).await?,
        Some(false) => store.undelete(&mailbox, id).await?,
        None => {}
    }
    Ok(Json(view(&store.get(&mailbox, id).await?)))
}

pub async fn delete(
    State(app): State<Shared>,
    principal: Principal,
    Path(path): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let (mailbox, id) = place(&app, &principal, &path).await?;
    app.delete(&mailbox, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl crate::App {
    async fn delete(&self, mailbox: &MailboxId, id: MessageId) -> Result<(), ApiError> {
        self.parts.mailboxes.delete(mailbox, id, SystemTime::now()).await?;
        self.tell(Event::MessageDeleted { mailbox: mailbox.to_string(), message: id.to_string() });
        Ok(())
    }

    fn tell(&self, event: Event) {
        self.parts.events.emit(Now::read(), event);
    }
}

pub async fn audio(
    State(app): State<Shared>,
    principal: Principal,
    Path(path): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let (mailbox, id) = place(&app, &principal, &path).await?;
    let file = app.parts.mailboxes.audio(&mailbox, id).await?;
    Ok(range::respond(&headers, file, "audio/wav"))
}

pub async fn mime(
    State(app): State<Shared>,
    principal: Principal,
    Path(path): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let (mailbox, id) = place(&app, &principal, &path).await?;
    if app.parts.mailboxes.get(&mailbox, id).await?.protected {
        return Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "the message is protected: it can't be saved or sent on",
            "listen to it here or by phone",
        ));
    }
    let mut response = app.parts.mailboxes.mime(&mailbox, id).await?.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("message/rfc822"));
    if let Ok(name) = HeaderValue::from_str(&format!("attachment; filename=\"{id}.eml\"")) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}
