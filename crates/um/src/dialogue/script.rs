//! A scripted caller for tests: hears what the dialogue says, presses keys, speaks, waits on a virtual clock. The stores
//! and people behind the dialogue are lists in memory.

use super::auto_attendant::Attendant;
use super::caller::{
    Ask, Caller, Dialogue, Hits, Match, PinCheck, Played, Recorded, Reply, RequestId, Ring, Rung, Subscriber,
    TransferEnd,
};
use super::directory_search::Search;
use super::groups::{Group, Members, Refusal};
use super::personal::{Areas, Personal, Reception};
use super::subscriber_logon::{Access, subscriber_logon};
use super::voice::Spoken;
use crate::commands::dial_plan::{DialByName, MatchedName};
use crate::people::PinProblem;
use crate::people::directory::MOST_FOUND;
use crate::personal_information::{Answer, Attendance, Busy, Contact, Mail, Meeting, Private, Question, is_spelt};
use crate::rules::Denied;
use crate::storage::{Greeting, StoreAnswer, StoreFailure, StoreRequest};
use event::Now;
use mailbox::{GreetingKind, MailboxId, Message, MessageId, ModSeq, Uid};
use media::{PlayEnd, RecordEnd};
use speech::recognition::{Grammar, Heard};
use speech::{Audio, Language, Options, Person, Phrase, Speech, Value};
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

pub(crate) struct Script {
    dialogue: Dialogue,
    now: Now,
    playing: Option<(RequestId, Vec<Phrase>, bool)>,
    /// What was said last, and what was pressed since.
    pub(super) last_said: Vec<Phrase>,
    pub(super) typed: String,
    recording: Option<(RequestId, Duration)>,
    taping: Option<(RequestId, Duration)>,
    /// What was recorded as greetings.
    pub(crate) recorded: BTreeMap<GreetingKind, Arc<Audio>>,
    /// Of whoever logs on.
    pub(crate) personal: Option<Personal>,
    /// Before a caller is greeted.
    pub(crate) reception: Reception,
    /// For whom what is said was from then on.
    spoken_to: Vec<Option<String>>,
    /// Bytes in the mailbox.
    pub(crate) usage: u64,
    pub(crate) transferring: Option<(RequestId, String)>,
    /// Who is being rung.
    pub(crate) ringing: Option<(RequestId, Ring)>,
    /// The attendants that there are.
    pub(crate) attendants: Vec<(String, Attendant)>,
    /// Why no number may be dialled.
    pub(crate) denied: Option<Denied>,
    /// What the dialogue asked the store for that changes something, and what it told its call.
    pub(crate) done: Vec<String>,
    pub(crate) messages: Vec<Message>,
    pub(crate) greeting: Option<Arc<Audio>>,
    /// The store answers nothing.
    pub(crate) store_silent: bool,
    pub(crate) subscribers: Vec<Subscriber>,
    /// Whom a search finds, by the keys of the name.
    pub(crate) directory: Vec<(String, Match)>,
    /// What groups there are, by the keys of their names, and who is in them.
    pub(crate) groups: Vec<(String, Group, Members)>,
    /// What PIN checks say, one after the other; then wrong.
    pub(crate) pins: VecDeque<PinCheck>,
    pub(crate) new_pin: Result<(), PinProblem>,
    /// What the source has, of whomever: contacts are found by their names' keys.
    pub(crate) contacts: Vec<Contact>,
    pub(crate) mail: Vec<Mail>,
    pub(crate) meetings: Vec<Meeting>,
    /// The source answers nothing, for now.
    pub(crate) source_silent: bool,
    unanswered: Vec<(RequestId, Question)>,
    /// Nothing in the calendar can be read from then on.
    pub(crate) source_ends: Option<SystemTime>,
    /// The source says only this, whatever it is asked.
    pub(crate) source_says: Option<Answer>,
    /// What it was asked.
    pub(crate) consulted: Vec<String>,
    /// What was spoken by text to speech: so that it can be read.
    voiced: Vec<(Arc<Audio>, String, Language)>,
    /// What may be said, as it was last listened for.
    pub(crate) grammar: Option<Arc<Grammar>>,
    pub(crate) over: bool,
}

pub(crate) fn speech() -> &'static Speech {
    static SPEECH: OnceLock<Speech> = OnceLock::new();
    SPEECH.get_or_init(|| Speech::open(Options::shipped_only()).unwrap())
}

pub(crate) fn anna() -> Subscriber {
    subscriber("27000", "Anna Svensson")
}

pub(crate) fn subscriber(extension: &str, name: &str) -> Subscriber {
    Subscriber {
        mailbox: MailboxId::parse(extension).unwrap(),
        name: name.into(),
        extension: extension.into(),
        access: true,
        reachable: true,
        department: None,
    }
}

/// Everything allowed, nothing special.
pub(crate) fn personal() -> Personal {
    Personal {
        language: speech::Language::English,
        clock: None,
        zone: Default::default(),
        out_of_office: false,
        prefers_voice: false,
        voice: false,
        areas: Areas::default(),
        voice_replies: true,
        set_up_due: false,
        pin_days: None,
        directory: Some(Search {
            plan: Some("MX".into()),
            list: None,
            primary: DialByName::LastFirst,
            secondary: DialByName::None,
            detail: MatchedName::None,
            digits: 5,
            failures: 3,
            colleague: true,
        }),
        failures: 3,
        idle: Duration::from_secs(5),
        longest_message: Duration::from_secs(1200),
        longest_greeting: Duration::from_secs(300),
    }
}

pub(crate) fn message(id: u128, read: bool) -> Message {
    Message {
        id: MessageId(id),
        mailbox: MailboxId::parse("27000").unwrap(),
        uid: Uid(1),
        modseq: ModSeq(1),
        from_number: Some("27001".into()),
        from_name: Some("Björn Åkesson".into()),
        subject: String::new(),
        received: std::time::SystemTime::UNIX_EPOCH,
        duration_ms: 10_000,
        kind: mailbox::MessageKind::CallAnswering,
        read,
        urgent: false,
        private: false,
        protected: false,
        flagged: false,
        preview: None,
        deleted: false,
        size: 0,
    }
}

/// Somebody who is no user.
pub(crate) fn contact(name: &str, mobile: Option<&str>) -> Contact {
    Contact { name: name.into(), mobile: mobile.map(Into::into), ..Contact::default() }
}

/// An unread mail.
pub(crate) fn letter(item: &str, subject: &str, text: &str) -> Mail {
    Mail {
        item: item.into(),
        from: contact("Cecilia Holm", Some("0701234567")),
        subject: Private(subject.into()),
        received: SystemTime::UNIX_EPOCH,
        text: Private(text.into()),
        language: None,
        read: false,
        flagged: false,
        urgent: false,
        conversation: None,
        invites: None,
    }
}

/// Half an hour, called by somebody else.
pub(crate) fn appointment(item: &str, subject: &str) -> Meeting {
    Meeting {
        item: item.into(),
        subject: Private(subject.into()),
        begins: SystemTime::UNIX_EPOCH,
        length: Duration::from_secs(1800),
        all_day: false,
        location: Some(Private("Blue room".into())),
        location_number: Some("28000".into()),
        organizer: contact("Cecilia Holm", Some("0701234567")),
        own: false,
        answer: None,
        text: Private("Bring the figures".into()),
        language: None,
        attendees: Vec::new(),
    }
}

/// Ten seconds of message.
fn audio() -> Arc<Audio> {
    Arc::new(Audio::from_samples(vec![1000; 80_000]))
}

impl Script {
    /// Anna calls from her own phone, and presses the PIN that she is asked for.
    pub(crate) fn own_phone(setup: impl FnOnce(&mut Script)) -> Script {
        let access = Access {
            from: Some(anna()),
            digits: 5,
            failures: 3,
            logon_failures: 3,
            elsewhere: None,
            ..Access::default()
        };
        let mut script = Script::start(setup, |caller| subscriber_logon(caller, access));
        script.presses("730146#");
        script
    }

    pub(crate) fn start<F>(setup: impl FnOnce(&mut Script), dialogue: impl FnOnce(Caller) -> F) -> Script
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let mut script = Script {
            dialogue: Dialogue::start(dialogue),
            now: Now::read(),
            playing: None,
            last_said: Vec::new(),
            typed: String::new(),
            recording: None,
            taping: None,
            recorded: BTreeMap::new(),
            personal: Some(personal()),
            reception: Reception::default(),
            spoken_to: Vec::new(),
            usage: 0,
            transferring: None,
            ringing: None,
            attendants: Vec::new(),
            denied: None,
            done: Vec::new(),
            messages: Vec::new(),
            greeting: None,
            store_silent: false,
            subscribers: vec![anna(), subscriber("27001", "Björn Åkesson")],
            directory: Vec::new(),
            groups: Vec::new(),
            pins: VecDeque::new(),
            new_pin: Ok(()),
            contacts: Vec::new(),
            mail: Vec::new(),
            meetings: Vec::new(),
            source_silent: false,
            unanswered: Vec::new(),
            source_ends: None,
            source_says: None,
            consulted: Vec::new(),
            voiced: Vec::new(),
            grammar: None,
            over: false,
        };
        setup(&mut script);
        script.go_on();
        script
    }

    fn go_on(&mut self) {
        loop {
            assert!(!self.over, "the dialogue has ended");
            self.over = self.dialogue.poll(self.now);
            let mut answered = false;
            while let Some((id, ask)) = self.dialogue.next_ask() {
                if let Some(reply) = self.answer(id, ask) {
                    self.dialogue.reply(id, reply);
                    answered = true;
                }
            }
            if self.over || !answered {
                return;
            }
        }
    }

    fn answer(&mut self, id: RequestId, ask: Ask) -> Option<Reply> {
        match ask {
            Ask::Play { phrases, barge_in } => {
                self.last_said.clone_from(&phrases);
                self.typed.clear();
                self.playing = Some((id, phrases, barge_in));
                None
            }
            Ask::Record { max, .. } => {
                self.recording = Some((id, max));
                None
            }
            Ask::Replay => Some(Reply::Audio(Ok(audio()))),
            Ask::Store(request) => self.store(request).map(Reply::Stored),
            Ask::Find(extension) => {
                Some(Reply::Found(self.subscribers.iter().find(|s| s.extension == extension).cloned()))
            }
            Ask::Search { keys, colleague, .. } => {
                let found = self.directory.iter().filter(|(spelt, _)| spelt.starts_with(&keys));
                let mut found: Vec<Match> = found.map(|(_, person)| person.clone()).collect();
                let more = found.len() > MOST_FOUND;
                found.truncate(MOST_FOUND);
                found.retain(|found| colleague || found.subscriber.reachable);
                let groups = self.groups.iter().filter(|(spelt, ..)| colleague && spelt.starts_with(&keys));
                let groups = groups.map(|(_, group, _)| group.clone()).collect();
                Some(Reply::Matches(Hits { people: found, groups, more }))
            }
            Ask::Members { group, .. } => {
                let known = self.groups.iter().find(|(_, known, _)| known.name == group);
                Some(Reply::Members(known.map_or(Err(Refusal::Empty), |(.., members)| members.clone())))
            }
            Ask::People { .. } => Some(Reply::People(self.subscribers.clone())),
            Ask::Consult(_, question) => {
                self.consulted.push(format!("{question:?}"));
                if self.source_silent {
                    self.unanswered.push((id, *question));
                    return None;
                }
                Some(Reply::Consulted(Box::new(self.source(&question))))
            }
            Ask::Listen(grammar) => {
                self.grammar = grammar;
                None
            }
            Ask::Tape { max, .. } => {
                self.taping = Some((id, max));
                None
            }
            Ask::Write(draft) => match draft {
                Some(draft) => {
                    let to: Vec<&str> = draft.to.iter().map(MailboxId::as_str).collect();
                    let what = if draft.attached.is_some() { "forward" } else { "write" };
                    self.note(&format!("{what} to {}", to.join(", ")))
                }
                None => None,
            },
            Ask::Personal(_) => Some(Reply::Personal(self.personal.clone().map(Box::new))),
            Ask::Change(_, changes) => {
                if let Some(personal) = &mut self.personal {
                    personal.out_of_office = changes.out_of_office_greeting_enabled.unwrap_or(personal.out_of_office);
                    personal.prefers_voice = changes.voice_commands_preferred.unwrap_or(personal.prefers_voice);
                }
                self.done.push(format!("set {}", serde_json::to_string(&changes).unwrap()));
                Some(Reply::Changed(true))
            }
            Ask::Inquire(_) => Some(Reply::Questions(Vec::new())),
            Ask::Receive(..) => Some(Reply::Reception(Box::new(self.reception.clone()))),
            Ask::SetUp(_) => self.note("set up"),
            Ask::Speak(..) => None,
            Ask::KeepPrompt(prompt, _) => {
                self.done.push(format!("prompt {} of {}", prompt.file, prompt.owner_name));
                Some(Reply::Changed(true))
            }
            Ask::SpeakTo(user) => {
                self.spoken_to.push(user.map(|user| user.to_string()));
                None
            }
            Ask::AnswerFor(mailbox) => self.note(&format!("answer for {mailbox}")),
            Ask::CheckPin { .. } => Some(Reply::Pin(self.pins.pop_front().unwrap_or(PinCheck::Wrong))),
            Ask::ChangePin { pin, .. } => {
                self.done.push(format!("pin {pin}"));
                Some(Reply::PinChanged(self.new_pin))
            }
            Ask::Same(same) => Some(Reply::Same(same)),
            Ask::Secret { .. } => None,
            Ask::Transfer(to) | Ask::HandOver(to) => {
                self.transferring = Some((id, to));
                None
            }
            Ask::MayDial { number, .. } => {
                let denied = self.denied;
                Some(Reply::MayDial(denied.map_or(Ok(number), Err)))
            }
            Ask::Attendant(name) => Some(Reply::Attendant(
                self.attendants.iter().find(|(own, _)| *own == name).map(|(_, a)| Box::new(a.clone())),
            )),
            Ask::Ring(ring) => {
                self.ringing = Some((id, ring));
                None
            }
            Ask::Take => self.note("take"),
            Ask::Discard => self.note("discard"),
            Ask::Urgent(on) => self.note(if on { "urgent" } else { "not urgent" }),
            Ask::Private(on) => self.note(if on { "private" } else { "not private" }),
            Ask::Send => self.note("send"),
        }
    }

    fn note(&mut self, what: &str) -> Option<Reply> {
        self.done.push(what.into());
        None
    }

    fn store(&mut self, request: StoreRequest) -> Option<Result<StoreAnswer, StoreFailure>> {
        if self.store_silent {
            return None;
        }
        Some(Ok(match request {
            StoreRequest::Greeting(_) => {
                StoreAnswer::Greeting(Greeting { personal: self.greeting.clone(), oof: None, name: None })
            }
            StoreRequest::List(_) => StoreAnswer::Messages(self.messages.clone()),
            StoreRequest::Audio(..) => StoreAnswer::Audio(audio()),
            StoreRequest::SetRead(_, id, read) => {
                self.done.push(format!("{} {}", if read { "read" } else { "unread" }, id.0));
                StoreAnswer::Done
            }
            StoreRequest::Delete(_, id) => {
                self.done.push(format!("delete {}", id.0));
                StoreAnswer::Done
            }
            StoreRequest::SetFlagged(_, id, flagged) => {
                self.done.push(format!("{} {}", if flagged { "flag" } else { "unflag" }, id.0));
                StoreAnswer::Done
            }
            StoreRequest::Undelete(_, id) => {
                self.done.push(format!("undelete {}", id.0));
                StoreAnswer::Done
            }
            StoreRequest::Recorded(_, kind) => match self.recorded.get(&kind) {
                Some(audio) => StoreAnswer::Audio(audio.clone()),
                None => return Some(Err(StoreFailure::NoMessage)),
            },
            StoreRequest::PutGreeting(_, kind, audio) => {
                self.done.push(format!("greeting {}", kind.as_str()));
                self.recorded.insert(kind, audio);
                StoreAnswer::Done
            }
            StoreRequest::RemoveGreeting(_, kind) => {
                self.done.push(format!("no greeting {}", kind.as_str()));
                self.recorded.remove(&kind);
                StoreAnswer::Done
            }
            StoreRequest::Speak(text, _) if text.0 == "unspeakable" || text.0.is_empty() => {
                return Some(Err(StoreFailure::Damaged("it can't be spoken".into())));
            }
            StoreRequest::Speak(text, language) => {
                let spoken = audio();
                self.voiced.push((spoken.clone(), text.0, language));
                StoreAnswer::Audio(spoken)
            }
            StoreRequest::Usage(_) => StoreAnswer::Usage(self.usage),
            StoreRequest::Stretch(audio, percent) => {
                self.done.push(format!("at {percent}"));
                StoreAnswer::Audio(audio)
            }
            other => panic!("{other:?}"),
        }))
    }

    /// The dialogue is saying this now (a part of it, in words).
    #[track_caller]
    pub(crate) fn hears(&mut self, words: &str) -> &mut Script {
        let said = self.said();
        assert!(said.contains(words), "expected {words:?}, heard {said:?}");
        self
    }

    pub(crate) fn said(&self) -> String {
        self.said_in(Language::English)
    }

    /// The same, in the words of a language.
    pub(crate) fn said_in(&self, language: Language) -> String {
        let read = |phrases: &Vec<Phrase>| speech().in_language(language).transcript(&self.readable(phrases));
        self.playing.as_ref().map(|(_, phrases, _)| read(phrases)).unwrap_or_default()
    }

    /// What text to speech has spoken, as text again.
    pub(super) fn readable(&self, phrases: &[Phrase]) -> Vec<Phrase> {
        let text = |audio: &Arc<Audio>| {
            let voiced = self.voiced.iter().find(|(spoken, ..)| Arc::ptr_eq(spoken, audio));
            voiced.map(|(_, text, _)| Value::Text(text.clone()))
        };
        let value = |value: &Value| match value {
            Value::Audio(audio) => text(audio).unwrap_or_else(|| value.clone()),
            Value::Person(Person { name: None, recorded: Some(audio), .. }) => {
                text(audio).unwrap_or_else(|| value.clone())
            }
            other => other.clone(),
        };
        let phrase = |phrase: &Phrase| match phrase {
            Phrase::Audio(audio) => text(audio).map_or_else(|| phrase.clone(), Phrase::Value),
            Phrase::Value(of) => Phrase::Value(value(of)),
            Phrase::Prompt(prompt, values) => {
                Phrase::Prompt(*prompt, values.iter().map(|(name, of)| (*name, value(of))).collect())
            }
            other => other.clone(),
        };
        phrases.iter().map(phrase).collect()
    }

    /// The language in which this was spoken last.
    pub(crate) fn spoken_in(&self, words: &str) -> Option<Language> {
        self.voiced.iter().rev().find(|(_, text, _)| text.contains(words)).map(|(.., language)| *language)
    }

    /// What the clock shows.
    pub(crate) fn wall(&self) -> SystemTime {
        self.now.wall
    }

    /// The clock shows six in the morning of a Monday, UTC.
    pub(crate) fn at_six_in_the_morning(&mut self) {
        self.now.wall = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_413_600);
    }

    /// The source answers what it was asked meanwhile, and from now on.
    #[track_caller]
    pub(crate) fn source_answers(&mut self) -> &mut Script {
        self.source_silent = false;
        for (id, question) in std::mem::take(&mut self.unanswered) {
            let answer = self.source(&question);
            self.dialogue.reply(id, Reply::Consulted(Box::new(answer)));
        }
        self.go_on();
        self
    }

    fn source(&mut self, question: &Question) -> Answer {
        if let Some(answer) = &self.source_says {
            return answer.clone();
        }
        let within = |meeting: &&Meeting, from: SystemTime, until: SystemTime| (from..until).contains(&meeting.begins);
        match question {
            Question::Caller { number } => {
                let same = |contact: &&Contact| contact.numbers().any(|own| own == number);
                return Answer::Contacts(self.contacts.iter().filter(same).cloned().collect());
            }
            Question::Contacts { keys } => {
                let spelt = |contact: &&Contact| is_spelt(&contact.name, keys);
                return Answer::Contacts(self.contacts.iter().filter(spelt).cloned().collect());
            }
            Question::Overview { from, until } => {
                let unread = self.mail.len() as u32;
                let next = self.meetings.iter().find(|meeting| within(meeting, *from, *until)).map(|next| next.begins);
                return Answer::Overview { unread, next };
            }
            Question::Status { .. } => return Answer::Status { busy: Busy::Free, working: None },
            Question::Mail { from, .. } => {
                let of = |mail: &&Mail| from.as_ref().is_none_or(|name| mail.from.name == *name);
                return Answer::Mail(self.mail.iter().filter(of).cloned().collect());
            }
            Question::Meetings { from, .. } if self.source_ends.is_some_and(|ends| ends <= *from) => {
                return Answer::Unavailable("no further".into());
            }
            Question::Meetings { from, until } => {
                let meetings = self.meetings.iter().filter(|meeting| within(meeting, *from, *until));
                return Answer::Meetings(meetings.cloned().collect());
            }
            Question::Mark { item, mark } => self.done.push(format!("Mark {item} {mark:?}")),
            Question::Attend { item, attendance } => {
                self.meetings.retain(|meeting| *attendance != Attendance::Declined || meeting.item != *item);
                self.done.push(format!("Attend {item} {attendance:?}"));
            }
            Question::Late { item, by } => self.done.push(format!("Late {item} {}", by.as_secs() / 60)),
            Question::Clear { from, until } => {
                let hours = (until.duration_since(*from).unwrap().as_secs() + 1800) / 3600;
                self.done.push(format!("Clear {hours} h"));
            }
            Question::Reply { item, all, .. } => {
                self.done.push(format!("Reply {item} to {}", if *all { "all" } else { "the sender" }));
            }
            Question::Forward { item, to, .. } => {
                let to: Vec<&str> = to.iter().map(MailboxId::as_str).collect();
                self.done.push(format!("Forward {item} to {}", to.join(", ")));
            }
        }
        Answer::Done
    }

    /// What is being said is heard to its end.
    pub(crate) fn listens(&mut self) -> &mut Script {
        self.played(PlayEnd::Finished, Duration::from_secs(10));
        self
    }

    /// Everything that is said is heard to its end, until this is said.
    #[track_caller]
    pub(crate) fn listens_until(&mut self, words: &str) -> &mut Script {
        for _ in 0..50 {
            if self.said().contains(words) {
                return self;
            }
            assert!(self.playing.is_some(), "nothing is said, and {words:?} was not");
            self.listens();
        }
        panic!("{words:?} was never said")
    }

    fn played(&mut self, reason: PlayEnd, played: Duration) {
        let (id, ..) = self.playing.take().expect("something is playing");
        self.now = self.now.later(played);
        self.dialogue.reply(id, Reply::Played(Played { reason, played }));
        self.go_on();
    }

    /// Presses keys, one after the other without a pause.
    #[track_caller]
    pub(crate) fn presses(&mut self, keys: &str) -> &mut Script {
        self.presses_after(keys, Duration::from_secs(3))
    }

    /// The same, when this much of what is said was heard.
    #[track_caller]
    pub(crate) fn presses_after(&mut self, keys: &str, heard: Duration) -> &mut Script {
        for key in keys.chars() {
            if key == '#' && (self.recording.is_some() || self.taping.is_some()) {
                self.recorded_now(Recorded { reason: RecordEnd::Key, duration: heard, loud: Duration::from_secs(1) });
            }
            if matches!(self.playing, Some((_, _, true))) {
                self.played(PlayEnd::Key, heard);
            }
            self.typed.push(key);
            self.dialogue.key(key);
            if !self.over {
                self.go_on();
            }
        }
        self
    }

    /// Says something: what it was is understood for sure where it is a phrase of what is listened for, else not at all.
    #[track_caller]
    pub(crate) fn says(&mut self, words: &str) -> &mut Script {
        let phrase = self.place(words);
        self.is_heard(phrase.map_or(Heard::Unclear, |phrase| Heard::Phrase { phrase, sure: true }))
    }

    /// Says a phrase so that it may have been another.
    #[track_caller]
    pub(crate) fn mumbles(&mut self, words: &str) -> &mut Script {
        let phrase = self.place(words).expect("it may be said");
        self.is_heard(Heard::Phrase { phrase, sure: false })
    }

    /// Whether something may be said now.
    pub(crate) fn may_say(&self, words: &str) -> bool {
        self.place(words).is_some()
    }

    fn place(&self, words: &str) -> Option<usize> {
        let grammar = self.grammar.as_ref()?;
        (0..grammar.len()).find(|place| grammar.phrase(*place).as_deref() == Some(words))
    }

    #[track_caller]
    fn is_heard(&mut self, heard: Heard) -> &mut Script {
        self.speaks_and(Spoken::Heard(heard))
    }

    /// Says something while the recogniser does not work.
    #[track_caller]
    pub(crate) fn says_to_nobody(&mut self) -> &mut Script {
        self.speaks_and(Spoken::Failed)
    }

    #[track_caller]
    fn speaks_and(&mut self, spoken: Spoken) -> &mut Script {
        assert!(self.grammar.is_some(), "nobody listens");
        self.dialogue.speaking(self.now);
        self.go_on();
        if matches!(self.playing, Some((_, _, true))) {
            self.played(PlayEnd::Speech, Duration::from_secs(3));
        }
        self.now = self.now.later(Duration::from_secs(1));
        self.dialogue.said(spoken);
        self.go_on();
        self
    }

    /// Speaks into a recording until it ends by itself.
    #[track_caller]
    pub(crate) fn speaks(&mut self, duration: Duration, reason: RecordEnd) -> &mut Script {
        self.now = self.now.later(duration);
        let loud = if reason == RecordEnd::Idle { Duration::ZERO } else { duration };
        self.recorded_now(Recorded { reason, duration, loud });
        self
    }

    #[track_caller]
    fn recorded_now(&mut self, recorded: Recorded) {
        match (self.recording.take(), self.taping.take()) {
            (Some((id, _)), _) => self.dialogue.reply(id, Reply::Recorded(recorded)),
            (None, Some((id, _))) => {
                let audio = Arc::new(Audio::silence(recorded.duration));
                self.dialogue.reply(id, Reply::Taped(recorded, audio));
            }
            (None, None) => panic!("nothing is being recorded"),
        }
        self.go_on();
    }

    /// The longest that the greeting under way may be.
    pub(crate) fn taping(&self) -> Option<Duration> {
        self.taping.map(|(_, max)| max)
    }

    /// The longest that the recording under way may be.
    pub(crate) fn recording(&self) -> Option<Duration> {
        self.recording.map(|(_, max)| max)
    }

    /// Does nothing for a while; prompts run through meanwhile.
    pub(crate) fn waits(&mut self, duration: Duration) -> &mut Script {
        let until = self.now.later(duration);
        while !self.over {
            if self.playing.is_some() {
                self.listens();
                continue;
            }
            match self.dialogue.alarm() {
                Some(alarm) if alarm <= until.instant => {
                    self.now = self.now.later(alarm.saturating_duration_since(self.now.instant));
                    self.go_on();
                }
                _ => break,
            }
        }
        self
    }

    /// What became of the transfer.
    #[track_caller]
    pub(crate) fn transferred(&mut self, end: TransferEnd) -> &mut Script {
        let (id, _) = self.transferring.take().expect("a transfer is under way");
        self.dialogue.reply(id, Reply::Transferred(end));
        self.go_on();
        self
    }

    /// What became of who was rung.
    #[track_caller]
    pub(crate) fn rung(&mut self, end: Rung) -> &mut Script {
        let (id, _) = self.ringing.take().expect("somebody is being rung");
        self.dialogue.reply(id, Reply::Rung(end));
        self.go_on();
        self
    }

    /// So much time goes by, or as much as there is to wait for; what is being said is not heard to its end.
    pub(crate) fn passes(&mut self, duration: Duration) -> &mut Script {
        let until = self.now.later(duration);
        while let Some(alarm) = self.dialogue.alarm().filter(|alarm| !self.over && *alarm <= until.instant) {
            self.now = self.now.later(alarm.saturating_duration_since(self.now.instant));
            self.go_on();
        }
        self
    }

    pub(crate) fn take_spoken_to(&mut self) -> Vec<Option<String>> {
        std::mem::take(&mut self.spoken_to)
    }

    /// What was done since the last look.
    pub(crate) fn take_done(&mut self) -> Vec<String> {
        std::mem::take(&mut self.done)
    }
}
