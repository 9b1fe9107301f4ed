//! What voice access must know of the user who has logged on, and what it asks on his behalf.

use super::caller::{Ask, Caller, Recorded, Reply, Subscriber};
use super::directory_search::Search;
use super::player::Pace;
use crate::commands::mailbox::UmMailboxChanges;
use crate::commands::prompt::Target;
use crate::personal_information::Answer;
use crate::storage::Letter;
use crate::time_zone::TimeZone;
use mailbox::{GreetingKind, MailboxId, MessageId, MessageKind};
use media::RecordEnd;
use speech::{Audio, Clock, Language, Person, Prompt, Value};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// How long a source may take to say who calls, and whether the called user is free.
const KNOWN_WITHIN: Duration = Duration::from_secs(1);

/// How a user is served, and what he may do.
#[derive(Clone, Debug)]
pub(crate) struct Personal {
    pub(crate) language: Language,
    /// None: as the language tells times.
    pub(crate) clock: Option<Clock>,
    pub(crate) zone: TimeZone,
    /// Callers hear the out-of-office greeting.
    pub(crate) out_of_office: bool,
    pub(crate) prefers_voice: bool,
    /// Spoken commands can be had: allowed, installed, and in his language.
    pub(crate) voice: bool,
    /// He has not recorded name and greeting yet, and is asked to.
    pub(crate) set_up_due: bool,
    /// In so many days his PIN expires; only when that is soon.
    pub(crate) pin_days: Option<u32>,
    /// What there is beside voice mail, and may be heard.
    pub(crate) areas: Areas,
    /// Mail and meetings may be answered by voice.
    pub(crate) voice_replies: bool,
    /// How people are searched for; none: they can't be.
    pub(crate) directory: Option<Search>,
    /// Wrong inputs before the call is ended.
    pub(crate) failures: u32,
    /// Of a recording.
    pub(crate) idle: Duration,
    pub(crate) longest_message: Duration,
    pub(crate) longest_greeting: Duration,
}

/// What a user may hear beside voice mail, where a source has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Areas {
    pub(crate) mail: bool,
    pub(crate) calendar: bool,
    pub(crate) contacts: bool,
}

/// A user who has logged on.
pub(super) struct User {
    pub(super) subscriber: Subscriber,
    pub(super) personal: Personal,
    /// How fast he hears messages.
    pub(super) pace: Pace,
}

/// How a caller left a menu of voice access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    /// Back to where he came from.
    ToMenu,
    /// Silence or wrong keys for too long: goodbye was said. Or he is somebody else's now.
    HungUp,
}

/// Too many wrong inputs.
pub(super) async fn give_up(caller: &Caller) -> Left {
    caller.announce(vec![Prompt::TooManyFailures.into()]).await;
    Left::HungUp
}

impl Personal {
    /// A time as it is told to him now.
    pub(super) fn moment(&self, at: SystemTime, now: SystemTime) -> Value {
        Value::Moment { at: self.zone.local(at), now: self.zone.local(now) }
    }
}

/// A message that a user who has logged on writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Draft {
    pub(crate) from: Subscriber,
    /// At least one.
    pub(crate) to: Vec<MailboxId>,
    /// What is forwarded with it.
    pub(crate) attached: Option<(MailboxId, MessageId)>,
}

/// What is looked at before a caller of a mailbox is greeted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reception {
    /// The call answering rule that holds.
    pub(crate) rule: Option<RuleScene>,
    /// Bytes that the mailbox may hold.
    pub(crate) quota: Option<u64>,
    /// Callers without a number leave no messages here.
    pub(crate) refused: bool,
    /// Who calls, as he is announced.
    pub(crate) caller: Person,
}

/// A call answering rule, for one call.
#[derive(Clone, Debug)]
pub(crate) struct RuleScene {
    /// Where its own greeting is, if it has one.
    pub(crate) greeting: GreetingKind,
    /// Whether a key stops the greeting.
    pub(crate) interrupt: bool,
    pub(crate) keys: Vec<(char, RuleAction)>,
    /// What each key is for, where the greeting does not say it.
    pub(crate) said: Vec<(char, String)>,
}

#[derive(Clone, Debug)]
pub(crate) enum RuleAction {
    Transfer(String),
    /// Numbers to be rung one after the other, and how long each.
    FindMe(Vec<(String, Duration)>),
    Message,
}

impl Draft {
    /// What a caller's letter becomes when this user writes it; `address` is his own.
    pub(crate) fn letter(&self, letter: Letter, address: Option<String>) -> Letter {
        Letter {
            from_number: Some(self.from.extension.clone()),
            from_name: Some(self.from.name.clone()),
            from_address: address,
            kind: MessageKind::Composed,
            sender: Some(self.from.mailbox.clone()),
            also: self.to.iter().skip(1).cloned().collect(),
            attached: self.attached.clone(),
            ..letter
        }
    }
}

impl Caller {
    pub(super) async fn tape(&self, idle: Duration, max: Duration) -> (Recorded, Arc<Audio>) {
        self.deaf();
        match self.ask(Ask::Tape { idle, max }).await {
            Reply::Taped(recorded, audio) => (recorded, audio),
            _ => {
                let nothing = Recorded { reason: RecordEnd::Failed, duration: Duration::ZERO, loud: Duration::ZERO };
                (nothing, Arc::new(Audio::silence(Duration::ZERO)))
            }
        }
    }

    /// From now on what is recorded is this message; `None`: nothing more is written.
    pub(super) fn write(&self, draft: Option<Draft>) {
        self.post(Ask::Write(draft.map(Box::new)));
    }

    pub(super) async fn personal(&self, mailbox: MailboxId) -> Option<Personal> {
        match self.ask(Ask::Personal(mailbox)).await {
            Reply::Personal(personal) => personal.map(|personal| *personal),
            _ => None,
        }
    }

    /// Whether the change was made.
    pub(super) async fn change(&self, mailbox: MailboxId, changes: UmMailboxChanges) -> bool {
        matches!(self.ask(Ask::Change(mailbox, Box::new(changes))).await, Reply::Changed(true))
    }

    /// Before somebody is greeted who calls this user; the source is asked who that is.
    pub(super) async fn receive_caller(&self, mailbox: MailboxId) -> Reception {
        let questions = match self.ask(Ask::Inquire(mailbox.clone())).await {
            Reply::Questions(questions) => questions,
            _ => Vec::new(),
        };
        let asked: Vec<_> = questions.into_iter().map(|question| self.ask_source(mailbox.clone(), question)).collect();
        let mut answers = Vec::with_capacity(asked.len());
        for id in asked {
            // Somebody calls, and waits to be greeted: who does not answer soon has nothing to say.
            if let Some(Reply::Consulted(answer)) = self.reply_within(id, KNOWN_WITHIN).await {
                answers.push(*answer);
            }
        }
        self.receive_with(mailbox, answers).await
    }

    /// Before a colleague who is known leaves a message.
    pub(super) async fn receive(&self, mailbox: MailboxId) -> Reception {
        self.receive_with(mailbox, Vec::new()).await
    }

    async fn receive_with(&self, mailbox: MailboxId, answers: Vec<Answer>) -> Reception {
        match self.ask(Ask::Receive(mailbox, answers)).await {
            Reply::Reception(reception) => *reception,
            _ => Reception::default(),
        }
    }

    pub(super) fn set_up(&self, mailbox: MailboxId) {
        self.post(Ask::SetUp(mailbox));
    }

    /// Whether it is in use now.
    pub(super) async fn keep_prompt(&self, prompt: Target, audio: Arc<Audio>) -> bool {
        matches!(self.ask(Ask::KeepPrompt(prompt, audio)).await, Reply::Changed(true))
    }

    pub(super) fn speak_to(&self, user: Option<MailboxId>) {
        self.post(Ask::SpeakTo(user));
    }

    pub(super) fn speak(&self, language: Language, clock: Option<Clock>) {
        self.post(Ask::Speak(language, clock));
    }
}
