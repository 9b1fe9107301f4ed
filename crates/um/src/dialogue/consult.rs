//! Asking for mail, calendar and contacts, and having said what they say.

use super::caller::{Ask, Authority, Caller, Reply, RequestId, TransferEnd};
use super::personal::{Left, User};
use crate::personal_information::{Answer, Contact, Private, Question};
use crate::storage::{StoreAnswer, StoreRequest};
use mailbox::MailboxId;
use speech::{Audio, Language, Person, Prompt, Value};
use std::sync::Arc;
use std::time::Duration;

/// Who waits longer than this is told to.
const SOON: Duration = Duration::from_secs(2);
/// A source that has not answered then, counted from there, does not.
const WITHIN: Duration = Duration::from_secs(8);
/// How long text to speech may take for a line, or for a part of a text.
const SPOKEN_WITHIN: Duration = Duration::from_secs(5);

impl Caller {
    /// What the source says. Who waits is told to; a source that takes too long is away.
    pub(super) async fn consult(&self, user: &User, question: Question) -> Answer {
        let id = self.ask_source(user.subscriber.mailbox.clone(), question);
        let mut reply = self.reply_within(id, SOON).await;
        if reply.is_none() {
            self.play_with(vec![Prompt::OneMoment.into()], false).await;
            reply = self.reply_within(id, WITHIN).await;
        }
        match reply {
            Some(Reply::Consulted(answer)) => *answer,
            _ => Answer::Unavailable("no answer in time".into()),
        }
    }

    /// Puts a question whose answer is waited for by [`Caller::reply_within`].
    pub(super) fn ask_source(&self, owner: MailboxId, question: Question) -> RequestId {
        self.post(Ask::Consult(owner, Box::new(question)))
    }

    /// Has something done; who can't have it is told.
    pub(super) async fn done(&self, user: &User, question: Question) -> bool {
        let done = self.consult(user, question).await == Answer::Done;
        if !done {
            self.play(vec![Prompt::SourceNotDone.into()]).await;
        }
        done
    }

    /// Has a text spoken, to be waited for by [`Caller::spoken`].
    pub(super) fn begin_to_speak(&self, text: &str, language: Language) -> RequestId {
        self.post(Ask::Store(StoreRequest::Speak(Private(text.to_owned()), language)))
    }

    /// What is being spoken, if it can be.
    pub(super) async fn spoken(&self, id: RequestId) -> Option<Arc<Audio>> {
        match self.stored_within(id, SPOKEN_WITHIN).await {
            Ok(StoreAnswer::Audio(audio)) if !audio.is_empty() => Some(audio),
            _ => None,
        }
    }

    /// A line of somebody's own, such as a subject; nothing where it can't be spoken.
    pub(super) async fn line(&self, text: &str, language: Language) -> Option<Value> {
        self.spoken(self.begin_to_speak(text, language)).await.map(Value::Audio)
    }
}

/// The language that something is written in, as far as it says.
pub(super) fn written_in(tag: Option<&str>, user: &User) -> Language {
    tag.and_then(Language::of_tag).unwrap_or(user.personal.language)
}

/// Somebody who is no user, as he is spoken of; `None`: there is no name.
pub(super) async fn named(caller: &Caller, user: &User, contact: &Contact) -> Option<Person> {
    if contact.name.is_empty() {
        return None;
    }
    let recorded = caller.spoken(caller.begin_to_speak(&contact.name, user.personal.language)).await;
    Some(Person { name: Some(contact.name.clone()), recorded, number: contact.numbers().next().cloned() })
}

/// Connects with the first of these numbers that the user may have called; what is to be said when that fails.
pub(super) async fn call_one_of<'a>(
    caller: &Caller,
    user: &User,
    who: Person,
    numbers: impl IntoIterator<Item = &'a String>,
) -> Result<Left, Prompt> {
    let mut why = Prompt::PlayerNoCall;
    for number in numbers {
        let by = Authority::Owner(user.subscriber.mailbox.clone());
        match caller.may_dial(by, number.clone()).await {
            Ok(dialled) => return connect(caller, who, dialled).await,
            Err(_) => why = Prompt::NumberNotAllowed,
        }
    }
    Err(why)
}

/// Connects with somebody by what is dialled for him; what is to be said when that fails.
pub(super) async fn connect(caller: &Caller, who: Person, dialled: String) -> Result<Left, Prompt> {
    caller.announce(vec![Prompt::TransferringTo.with("name", who)]).await;
    match caller.transfer(dialled).await {
        TransferEnd::Done => Ok(Left::HungUp),
        TransferEnd::Busy => Err(Prompt::Busy),
        TransferEnd::NoAnswer => Err(Prompt::NoAnswer),
        TransferEnd::Invalid => Err(Prompt::InvalidExtension),
        TransferEnd::Failed => Err(Prompt::TransferFailed),
    }
}
