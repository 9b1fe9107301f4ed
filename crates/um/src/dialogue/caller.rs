//! What a dialogue can ask for, and how it waits for it.
//!
//! A dialogue and its call talk over a desk: the dialogue puts requests on it and the call answers, each when its turn
//! comes. Both run on the role's thread, one after the other, so the desk's mutex is never waited for; it is one only
//! because a role may be made on another thread than the one it runs on.

use super::auto_attendant::Attendant;
use super::directory_search::Search;
use super::groups::{Group, Members};
use super::personal::{Draft, Personal, Reception};
use super::voice::{COMMAND_END, Came, Commands, SPEAKS, Spoken};
use crate::commands::dial_plan::{DialByName, MatchedName};
use crate::commands::mailbox::UmMailboxChanges;
use crate::commands::prompt::Target;
use crate::people::PinProblem;
use crate::personal_information::{Answer, Question};
use crate::rules::Denied;
use crate::storage::{StoreAnswer, StoreFailure, StoreRequest, StoreResult};
use event::Now;
use mailbox::MailboxId;
use media::{PlayEnd, RecordEnd};
use speech::recognition::Grammar;
use speech::{Audio, Clock, Language, Phrase};
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// Keys typed ahead that are kept; more are dropped.
const MOST_KEYS: usize = 64;

/// Names a request on the desk in its reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RequestId(u64);

/// What a dialogue asks of its call.
#[derive(Clone, Debug)]
pub(crate) enum Ask {
    /// Answered by `Played`.
    Play {
        phrases: Vec<Phrase>,
        barge_in: bool,
    },
    /// Records another part of the message. Answered by `Recorded`.
    Record {
        idle: Duration,
        max: Duration,
    },
    /// What was recorded so far, to be heard. Answered by `Audio`.
    Replay,
    /// Answered by `Stored`.
    Store(StoreRequest),
    /// Who has this extension? Answered by `Found`.
    Find(String),
    /// Whose name, spelt in this order, begins with these keys? Answered by `Matches`.
    Search {
        plan: Option<String>,
        list: Option<String>,
        order: DialByName,
        keys: String,
        detail: MatchedName,
        colleague: bool,
    },
    /// Who gets what this user sends to a group? Answered by `Members`.
    Members {
        group: String,
        from: MailboxId,
    },
    /// Who may be named by voice, of a dial plan or of all, and of an address list or of all. Answered by `People`.
    People {
        plan: Option<String>,
        list: Option<String>,
    },
    /// What somebody's mail, calendar or contacts say. Answered by `Consulted`.
    Consult(MailboxId, Box<Question>),
    /// From now on this may be said, or nothing. Told, not asked.
    Listen(Option<Arc<Grammar>>),
    /// Records something that becomes no message: a greeting, a name. Answered by `Taped`.
    Tape {
        idle: Duration,
        max: Duration,
    },
    /// From now on what is recorded is this message of a user, or belongs to the call again. Told, not asked.
    Write(Option<Box<Draft>>),
    /// What a user who has logged on may do, and how. Answered by `Personal`.
    Personal(MailboxId),
    /// What a source is to be asked before a caller of this mailbox is greeted. Answered by `Questions`.
    Inquire(MailboxId),
    /// What is to be looked at before a caller of this mailbox is greeted, with what the source answered. Answered by `Reception`.
    Receive(MailboxId, Vec<Answer>),
    /// A user changes his settings. Answered by `Changed`.
    Change(MailboxId, Box<UmMailboxChanges>),
    /// The first-time set-up of a mailbox is done. Told, not asked.
    SetUp(MailboxId),
    /// What is said from now on is said in this language, and times so. Told, not asked.
    Speak(Language, Option<Clock>),
    /// A prompt was recorded. Answered by `Changed`.
    KeepPrompt(Target, Arc<Audio>),
    /// What is said from now on is for this user, in his language; `None`: for whoever calls, in the plan's. Told, not asked.
    SpeakTo(Option<MailboxId>),
    /// Answered by `Pin`.
    CheckPin {
        mailbox: MailboxId,
        pin: String,
    },
    /// Answered by `PinChanged`.
    ChangePin {
        mailbox: MailboxId,
        pin: String,
    },
    /// Answered by `Transferred`.
    Transfer(String),
    /// A SIP URI gets the call, whatever the gateway can do. Answered by `Transferred`.
    HandOver(String),
    /// May this number be called, and how is it dialled? Answered by `MayDial`.
    MayDial {
        by: Authority,
        number: String,
    },
    /// Another attendant takes over, if it answers. Answered by `Attendant`.
    Attendant(String),
    /// Answered by `Rung`, if the caller was not connected.
    Ring(Ring),
    /// Of somebody who was rung: he takes the call. Told, not asked.
    Take,
    /// Whether two PINs are the same: asked, because the journal has neither. Answered by `Same`.
    Same(bool),
    /// Keys from this one on, counted from the call's first, are a secret, or are none any more. Told, not asked.
    Secret {
        from: usize,
        secret: bool,
    },
    /// These are told, not asked: they have no reply. From now on the call is to this mailbox: what is recorded goes there.
    AnswerFor(MailboxId),
    Discard,
    Urgent(bool),
    Private(bool),
    Send,
}

/// What is answered.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Played(Played),
    Recorded(Recorded),
    Audio(Result<Arc<Audio>, StoreFailure>),
    Taped(Recorded, Arc<Audio>),
    /// None: he is no user any more.
    Personal(Option<Box<Personal>>),
    Reception(Box<Reception>),
    /// Whether it was done.
    Changed(bool),
    Stored(StoreResult),
    Found(Option<Subscriber>),
    Matches(Hits),
    Members(Members),
    People(Vec<Subscriber>),
    Questions(Vec<Question>),
    Consulted(Box<Answer>),
    Pin(PinCheck),
    PinChanged(Result<(), PinProblem>),
    Same(bool),
    Transferred(TransferEnd),
    MayDial(Result<String, Denied>),
    Attendant(Option<Box<Attendant>>),
    Rung(Rung),
}

/// How far a play came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Played {
    pub(crate) reason: PlayEnd,
    pub(crate) played: Duration,
}

/// How a part of a recording ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Recorded {
    pub(crate) reason: RecordEnd,
    pub(crate) duration: Duration,
    pub(crate) loud: Duration,
}

/// An own user who is known by extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Subscriber {
    pub(crate) mailbox: MailboxId,
    pub(crate) name: String,
    pub(crate) extension: String,
    /// May ring in.
    pub(crate) access: bool,
    /// Callers who are no users may be led to him.
    pub(crate) reachable: bool,
    pub(crate) department: Option<String>,
}

/// Somebody that a directory search has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Match {
    pub(crate) subscriber: Subscriber,
    /// What tells him from a namesake.
    pub(crate) detail: Option<String>,
}

/// All that a directory search has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hits {
    pub(crate) people: Vec<Match>,
    /// A colleague's search finds groups, too.
    pub(crate) groups: Vec<Group>,
    /// There are more than these.
    pub(crate) more: bool,
}

/// What a PIN turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PinCheck {
    Right {
        expired: bool,
    },
    Wrong,
    Locked,
    /// Too many are being checked.
    Busy,
}

/// How a transfer ended for the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TransferEnd {
    /// The caller is with somebody else now.
    Done,
    Busy,
    NoAnswer,
    /// There is no such number.
    Invalid,
    Failed,
}

/// By whose rights a number is dialled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Authority {
    /// Whoever has called: the attendant's rights, or the dial plan's.
    Caller,
    /// A user's, by his mailbox policy.
    Owner(MailboxId),
}

/// Somebody whom the server rings for the caller (find-me). Both are connected by the server, which stays between them.
#[derive(Clone, Debug)]
pub(crate) struct Ring {
    /// As it is dialled: what [`Caller::may_dial`] gave.
    pub(crate) number: String,
    /// How long it rings.
    pub(crate) within: Duration,
    /// Said to whoever answers, who then takes the call by 1 or declines it by 2. `None`: he is connected at once.
    pub(crate) offer: Option<Vec<Phrase>>,
}

/// Why the caller was not connected with whom was rung. (Once connected, the call ends when either hangs up.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rung {
    /// The called party pressed 2, nothing, or hung up.
    Declined,
    Busy,
    NoAnswer,
    /// There is no such number.
    Invalid,
    Failed,
}

#[derive(Debug, Default)]
pub(super) struct Desk {
    now: Option<Now>,
    next: u64,
    asks: VecDeque<(RequestId, Ask)>,
    /// Nearly always at most one: a dialogue waits for one thing at a time.
    replies: Vec<(RequestId, Reply)>,
    keys: VecDeque<Typed>,
    /// Keys that the caller has pressed and that were taken off `keys` since the beginning.
    taken: usize,
    alarm: Option<Instant>,
    /// The caller may speak.
    pub(super) voice: bool,
    /// What may be said now.
    pub(super) commands: Option<Arc<Commands>>,
    /// What was said, and nobody has asked for yet.
    pub(super) said: Option<Spoken>,
    /// Somebody has begun to speak; what he says is waited for until then.
    pub(super) speaking: Option<Instant>,
    /// How often in a row it was not understood.
    pub(super) misheard: u32,
    /// It goes on by keys, which the menu has not said yet.
    pub(super) by_keys: bool,
}

#[derive(Clone, Copy, Debug)]
struct Typed {
    key: char,
    /// It stands for what was said: the caller did not press it.
    spoken: bool,
}

impl Desk {
    fn take_key(&mut self) -> Option<char> {
        let typed = self.keys.pop_front()?;
        self.taken += usize::from(!typed.spoken);
        Some(typed.key)
    }

    /// The end of a command matters to whoever waits for a second key, and to nobody else.
    fn drop_command_end(&mut self) {
        while self.keys.front().is_some_and(|typed| typed.key == COMMAND_END) {
            self.keys.pop_front();
        }
    }

    pub(super) fn has_keys(&mut self) -> bool {
        self.drop_command_end();
        !self.keys.is_empty()
    }

    /// Keys for what was said.
    pub(super) fn type_for_caller(&mut self, keys: &str) {
        self.keys.extend(keys.chars().map(|key| Typed { key, spoken: true }));
    }

    /// A key that was taken too early.
    pub(super) fn put_back(&mut self, key: char) {
        self.taken = self.taken.saturating_sub(1);
        self.keys.push_front(Typed { key, spoken: false });
    }
}

/// The dialogue's end of the desk. Clones are the same caller.
#[derive(Clone)]
pub(crate) struct Caller {
    desk: Arc<Mutex<Desk>>,
}

impl Caller {
    pub(super) fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn post(&self, ask: Ask) -> RequestId {
        let mut desk = self.desk();
        desk.next += 1;
        let id = RequestId(desk.next);
        desk.asks.push_back((id, ask));
        id
    }

    pub(super) async fn ask(&self, ask: Ask) -> Reply {
        let id = self.post(ask);
        poll_fn(|_| self.poll_reply(id)).await
    }

    fn poll_reply(&self, id: RequestId) -> Poll<Reply> {
        let mut desk = self.desk();
        match desk.replies.iter().position(|(answered, _)| *answered == id) {
            Some(index) => Poll::Ready(desk.replies.swap_remove(index).1),
            None => Poll::Pending,
        }
    }

    /// The time of what happened last.
    pub(crate) fn now(&self) -> Option<Now> {
        self.desk().now
    }

    // ---- hearing and speaking ----

    /// Plays; a key stops it, and a key typed ahead keeps it from starting. So does what is said, where something may be.
    pub(crate) async fn play(&self, phrases: Vec<Phrase>) -> Played {
        self.settle().await;
        if self.desk().has_keys() {
            return Played { reason: PlayEnd::Key, played: Duration::ZERO };
        }
        let played = self.play_and_listen(phrases).await;
        if played.reason == PlayEnd::Key && !self.desk().has_keys() {
            self.key_is_there().await;
        }
        played
    }

    /// A key stops a play when it is pressed, and is reported when it is let go, or held for as long as keys are measured.
    /// What is asked for next must find it.
    async fn key_is_there(&self) {
        let mut until = None;
        poll_fn(|_| {
            let mut desk = self.desk();
            let Some(now) = desk.now.map(|now| now.instant) else { return Poll::Pending };
            let until = *until.get_or_insert(now + LONGEST_KEY);
            let there = desk.has_keys() || now >= until;
            desk.alarm = (!there).then_some(until);
            if there { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Plays to the end, whatever is pressed.
    pub(crate) async fn announce(&self, phrases: Vec<Phrase>) {
        self.play_with(phrases, false).await;
    }

    pub(super) async fn play_with(&self, phrases: Vec<Phrase>, barge_in: bool) -> Played {
        match self.ask(Ask::Play { phrases, barge_in }).await {
            Reply::Played(played) => played,
            _ => Played { reason: PlayEnd::Stopped, played: Duration::ZERO },
        }
    }

    /// The next key, typed ahead or pressed within this time, or typed for what was said.
    pub(crate) async fn key(&self, within: Duration) -> Option<char> {
        loop {
            if self.is_to_be_told_keys() {
                return None;
            }
            match self.key_or_speech(within).await {
                Came::Key(key) => return Some(key),
                Came::Nothing => return None,
                Came::Spoken(said) => Box::pin(self.understand(said)).await,
            }
        }
    }

    /// The next key, or what was said; whoever has begun to speak is waited for.
    pub(super) async fn key_or_speech(&self, within: Duration) -> Came {
        let mut until = None;
        poll_fn(|_| {
            let mut desk = self.desk();
            desk.drop_command_end();
            let came = match (desk.take_key(), desk.said.take()) {
                (Some(key), said) => {
                    desk.said = said;
                    Some(Came::Key(key))
                }
                (None, said) => said.map(Came::Spoken),
            };
            let Some(now) = desk.now.map(|now| now.instant) else { return Poll::Pending };
            let until = *until.get_or_insert(now + within);
            let until = desk.speaking.map_or(until, |speaking| until.max(speaking));
            let came = came.or_else(|| (now >= until).then_some(Came::Nothing));
            desk.alarm = came.is_none().then_some(until);
            came.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    /// The next key, left where it is.
    pub(crate) async fn peek(&self, within: Duration) -> Option<char> {
        let mut until = None;
        poll_fn(|_| {
            let mut desk = self.desk();
            let Some(now) = desk.now.map(|now| now.instant) else { return Poll::Pending };
            let until = *until.get_or_insert(now + within);
            let key = desk.keys.front().map(|typed| typed.key);
            let over = key.is_some() || now >= until;
            desk.alarm = (!over).then_some(until);
            desk.drop_command_end();
            if over { Poll::Ready(key.filter(|key| *key != COMMAND_END)) } else { Poll::Pending }
        })
        .await
    }

    /// A number: up to `most` digits, ended by `#`, by the last digit, or by a pause. A `*` is a number of its own.
    pub(crate) async fn number(&self, most: usize, first: Option<char>) -> Option<String> {
        let mut digits = String::new();
        let mut next = match first {
            Some(key) => Some(key),
            None => self.key(FIRST_DIGIT).await,
        };
        next?;
        while let Some(key) = next {
            match key {
                '#' => break,
                '*' if digits.is_empty() => return Some("*".into()),
                '0'..='9' => digits.push(key),
                _ => {}
            }
            if digits.len() >= most {
                // A # after the last digit belongs to the number, not to the next menu.
                self.drop_ahead('#');
                break;
            }
            next = self.key(super::NEXT_KEY).await;
        }
        Some(digits)
    }

    /// A PIN: up to 24 digits, the first within this time. It does not get into the journal.
    pub(crate) async fn pin(&self, within: Duration) -> Option<String> {
        self.deaf();
        let from = self.desk().taken;
        self.post(Ask::Secret { from, secret: true });
        let pin = match self.key(within).await {
            Some(first) => self.number(24, Some(first)).await,
            None => None,
        };
        let from = self.desk().taken;
        self.post(Ask::Secret { from, secret: false });
        pin
    }

    /// Whether two PINs are the same.
    pub(crate) async fn same(&self, first: &str, again: Option<&str>) -> bool {
        match self.ask(Ask::Same(again == Some(first))).await {
            Reply::Same(same) => same,
            _ => false,
        }
    }

    fn drop_ahead(&self, key: char) {
        let mut desk = self.desk();
        if desk.keys.front().is_some_and(|typed| typed.key == key) {
            desk.take_key();
        }
    }

    /// Forgets what was typed ahead.
    pub(crate) fn forget_keys(&self) {
        let mut desk = self.desk();
        while desk.take_key().is_some() {}
    }

    // ---- the message ----

    pub(crate) async fn record(&self, idle: Duration, max: Duration) -> Recorded {
        self.deaf();
        match self.ask(Ask::Record { idle, max }).await {
            Reply::Recorded(recorded) => recorded,
            _ => Recorded { reason: RecordEnd::Failed, duration: Duration::ZERO, loud: Duration::ZERO },
        }
    }

    pub(crate) async fn replay(&self) -> Result<Arc<Audio>, StoreFailure> {
        match self.ask(Ask::Replay).await {
            Reply::Audio(audio) => audio,
            _ => Err(StoreFailure::NoMessage),
        }
    }

    /// Throws away what was recorded.
    pub(crate) fn discard(&self) {
        self.post(Ask::Discard);
    }

    pub(crate) fn set_urgent(&self, urgent: bool) {
        self.post(Ask::Urgent(urgent));
    }

    pub(crate) fn set_private(&self, private: bool) {
        self.post(Ask::Private(private));
    }

    /// From now on the call is one to this user: what is recorded goes to him.
    pub(crate) fn answer_for(&self, mailbox: MailboxId) {
        self.post(Ask::AnswerFor(mailbox));
    }

    /// Delivers now instead of at the end of the call.
    pub(crate) fn send(&self) {
        self.post(Ask::Send);
    }

    // ---- stores and people ----

    pub(crate) async fn store(&self, request: StoreRequest) -> StoreResult {
        match self.ask(Ask::Store(request)).await {
            Reply::Stored(result) => result,
            _ => Ok(StoreAnswer::Done),
        }
    }

    /// The same, given up after a while: the caller hears something else then.
    pub(crate) async fn store_within(&self, request: StoreRequest, within: Duration) -> StoreResult {
        let id = self.post(Ask::Store(request));
        self.stored_within(id, within).await
    }

    /// What the store answers to what it was asked before, if it does within this time from now.
    pub(super) async fn stored_within(&self, id: RequestId, within: Duration) -> StoreResult {
        match self.reply_within(id, within).await {
            Some(Reply::Stored(result)) => result,
            Some(_) => Ok(StoreAnswer::Done),
            None => Err(StoreFailure::Unavailable("no answer in time".into())),
        }
    }

    /// The reply to a request that was put before, if it comes within this time from now.
    pub(super) async fn reply_within(&self, id: RequestId, within: Duration) -> Option<Reply> {
        let mut until = None;
        poll_fn(|_| {
            if let Poll::Ready(reply) = self.poll_reply(id) {
                self.desk().alarm = None;
                return Poll::Ready(Some(reply));
            }
            let mut desk = self.desk();
            let Some(now) = desk.now.map(|now| now.instant) else { return Poll::Pending };
            let until = *until.get_or_insert(now + within);
            if now >= until {
                desk.alarm = None;
                return Poll::Ready(None);
            }
            desk.alarm = Some(until);
            Poll::Pending
        })
        .await
    }

    pub(crate) async fn find(&self, extension: String) -> Option<Subscriber> {
        match self.ask(Ask::Find(extension)).await {
            Reply::Found(found) => found,
            _ => None,
        }
    }

    pub(crate) async fn search(&self, scene: &Search, order: DialByName, keys: &str) -> Hits {
        let Search { plan, list, detail, colleague, .. } = scene.clone();
        match self.ask(Ask::Search { plan, list, order, keys: keys.to_owned(), detail, colleague }).await {
            Reply::Matches(hits) => hits,
            _ => Hits::default(),
        }
    }

    pub(crate) async fn check_pin(&self, mailbox: MailboxId, pin: String) -> PinCheck {
        match self.ask(Ask::CheckPin { mailbox, pin }).await {
            Reply::Pin(check) => check,
            _ => PinCheck::Busy,
        }
    }

    pub(crate) async fn change_pin(&self, mailbox: MailboxId, pin: String) -> Result<(), PinProblem> {
        match self.ask(Ask::ChangePin { mailbox, pin }).await {
            Reply::PinChanged(result) => result,
            _ => Err(PinProblem::Busy),
        }
    }

    pub(crate) async fn transfer(&self, number: String) -> TransferEnd {
        self.deaf();
        match self.ask(Ask::Transfer(number)).await {
            Reply::Transferred(end) => end,
            _ => TransferEnd::Failed,
        }
    }
}

impl Caller {
    // ---- calling others ----

    /// Hands the call to a SIP URI.
    pub(crate) async fn hand_over(&self, uri: String) -> TransferEnd {
        match self.ask(Ask::HandOver(uri)).await {
            Reply::Transferred(end) => end,
            _ => TransferEnd::Failed,
        }
    }

    /// How a number is dialled, or why it may not be.
    pub(crate) async fn may_dial(&self, by: Authority, number: String) -> Result<String, Denied> {
        match self.ask(Ask::MayDial { by, number }).await {
            Reply::MayDial(result) => result,
            _ => Err(Denied::NoRule),
        }
    }

    /// The attendant of this name, as it is at this hour; `None`: it does not answer.
    pub(crate) async fn attendant(&self, name: String) -> Option<Box<Attendant>> {
        match self.ask(Ask::Attendant(name)).await {
            Reply::Attendant(attendant) => attendant,
            _ => None,
        }
    }

    /// Rings somebody while the caller hears that it rings. Comes back only when they were not connected.
    pub(crate) async fn ring(&self, ring: Ring) -> Rung {
        self.deaf();
        match self.ask(Ask::Ring(ring)).await {
            Reply::Rung(rung) => rung,
            _ => Rung::Failed,
        }
    }

    /// Takes the call that was offered: the dialogue ends with it.
    pub(crate) async fn take(&self) -> std::convert::Infallible {
        self.post(Ask::Take);
        std::future::pending().await
    }
}

/// A key is reported after five seconds at most.
const LONGEST_KEY: Duration = Duration::from_secs(6);
/// How long a number waits for its first digit.
const FIRST_DIGIT: Duration = Duration::from_secs(7);

/// A running dialogue: the call's end of the desk, and the future.
pub(crate) struct Dialogue {
    future: Pin<Box<dyn Future<Output = ()> + Send>>,
    desk: Arc<Mutex<Desk>>,
}

impl Dialogue {
    pub(crate) fn start<F>(dialogue: impl FnOnce(Caller) -> F) -> Dialogue
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Dialogue::at(Desk::default(), dialogue)
    }

    /// Another dialogue of the same call: replies to the first and keys that it took are not the other's.
    pub(crate) fn instead_of<F>(before: Option<Dialogue>, dialogue: impl FnOnce(Caller) -> F) -> Dialogue
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let before = before.map(|before| std::mem::take(&mut *before.desk())).unwrap_or_default();
        let desk =
            Desk { now: before.now, next: before.next, taken: before.taken + before.keys.len(), ..Desk::default() };
        Dialogue::at(desk, dialogue)
    }

    fn at<F>(desk: Desk, dialogue: impl FnOnce(Caller) -> F) -> Dialogue
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let desk = Arc::new(Mutex::new(desk));
        Dialogue { future: Box::pin(dialogue(Caller { desk: desk.clone() })), desk }
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the dialogue go on as far as it can. True: it has said goodbye, and must not be polled again.
    pub(crate) fn poll(&mut self, now: Now) -> bool {
        self.desk().now = Some(now);
        // Nothing wakes: whoever changes the desk polls.
        let mut context = Context::from_waker(Waker::noop());
        self.future.as_mut().poll(&mut context).is_ready()
    }

    /// The next thing that it asks for.
    pub(crate) fn next_ask(&mut self) -> Option<(RequestId, Ask)> {
        self.desk().asks.pop_front()
    }

    /// Poll afterwards.
    pub(crate) fn reply(&mut self, id: RequestId, reply: Reply) {
        self.desk().replies.push((id, reply));
    }

    /// Poll afterwards. False: so many keys wait that this one is lost.
    pub(crate) fn key(&mut self, key: char) -> bool {
        let mut desk = self.desk();
        if desk.commands.take().is_some() {
            // Whoever presses a key where he could speak goes on by keys.
            (desk.voice, desk.said, desk.speaking) = (false, None, None);
            desk.next += 1;
            let id = RequestId(desk.next);
            desk.asks.push_back((id, Ask::Listen(None)));
        }
        let room = desk.keys.len() < MOST_KEYS;
        if room {
            desk.keys.push_back(Typed { key, spoken: false });
        }
        room
    }

    /// The caller has begun to speak. Poll afterwards.
    pub(crate) fn speaking(&mut self, now: Now) {
        let mut desk = self.desk();
        if desk.commands.is_some() {
            desk.speaking = Some(now.instant + SPEAKS);
        }
    }

    /// What he said. Poll afterwards.
    pub(crate) fn said(&mut self, said: Spoken) {
        let mut desk = self.desk();
        if desk.commands.is_some() {
            (desk.said, desk.speaking) = (Some(said), None);
        }
    }

    /// How many keys were taken so far.
    pub(crate) fn taken(&self) -> usize {
        self.desk().taken
    }

    /// When it wants to be polled though nothing happened.
    pub(crate) fn alarm(&self) -> Option<Instant> {
        self.desk().alarm
    }
}
