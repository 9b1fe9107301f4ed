//! What a test has at hand: phones, the words that are spoken and heard, the mailbox, the record.

use crate::handset::Handset;
use crate::journal::Journal;
use crate::ladder::Ladder;
use crate::outcome::{Outcome, Stop};
use crate::rest::{Message, Rest};
use crate::target::{Target, TlsSettings, Transport};
use crate::voice::{Saying, Speaker, Voice, Words};
use event::Sink;
use phone::{Behaviour, Phone, PhoneConfig, Plan};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng};
use speech::{Person, Phrase, Prompt, Sound};
use std::cell::RefCell;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Time from the end of a call to its message being in the mailbox.
const DELIVERY: Duration = Duration::from_secs(10);
/// How alike what was spoken and what was recorded must be.
const LIKENESS: f64 = 0.8;

pub(crate) struct Stage<'a> {
    pub target: &'a Target,
    pub voice: &'a Voice,
    pub rest: Option<&'a Rest>,
    pub ladder: &'a Ladder,
    pub journal: Journal,
    random: RefCell<StdRng>,
}

/// Which of the suite's phones: each has a place, for its address.
struct Seat<'a> {
    extension: &'a str,
    password: &'a str,
    place: u8,
    register: bool,
    subscribe: bool,
}

impl<'a> Stage<'a> {
    pub fn new(target: &'a Target, voice: &'a Voice, rest: Option<&'a Rest>, ladder: &'a Ladder) -> Stage<'a> {
        let random = RefCell::new(StdRng::from_seed(rand::random()));
        Stage { target, voice, rest, ladder, journal: Journal::begin(), random }
    }

    // ---- phones ----

    /// The subscriber's phone: registered, rings until the caller gives up.
    pub fn subscriber(&self) -> Outcome<Handset> {
        let user = &self.target.subscriber;
        self.sits_down(&Seat {
            extension: &user.extension,
            password: &user.password,
            place: 0,
            register: true,
            subscribe: false,
        })
    }

    /// A second phone of the subscriber's, which is not called but subscribes to the lamp (RFC 3842).
    pub fn watcher(&self) -> Outcome<Handset> {
        let user = &self.target.subscriber;
        self.sits_down(&Seat {
            extension: &user.extension,
            password: &user.password,
            place: 3,
            register: false,
            subscribe: true,
        })
    }

    /// The other user's.
    pub fn caller(&self) -> Outcome<Handset> {
        let user = &self.target.caller;
        self.sits_down(&Seat {
            extension: &user.extension,
            password: &user.password,
            place: 1,
            register: true,
            subscribe: false,
        })
    }

    /// That of somebody without a mailbox.
    pub fn stranger(&self) -> Outcome<Handset> {
        let user = &self.target.stranger;
        self.sits_down(&Seat {
            extension: &user.extension,
            password: &user.password,
            place: 2,
            register: true,
            subscribe: false,
        })
    }

    /// The far end of a trunk, which the PBX or the UM server knows by its address alone.
    pub fn far_end(&self, number: &str, bind: IpAddr, port: u16, transport: Transport) -> Outcome<Handset> {
        let config = PhoneConfig { user: number.to_owned(), bind, port, transport: transport.sip(), ..self.config()? };
        self.start(config, format!("{number} at {bind}:{port}"))
    }

    fn sits_down(&self, seat: &Seat<'_>) -> Outcome<Handset> {
        let config = PhoneConfig {
            user: seat.extension.to_owned(),
            password: seat.password.to_owned(),
            bind: self.target.bind(seat.place),
            register: seat.register,
            subscribe: seat.subscribe,
            ..self.config()?
        };
        let mut handset = self.start(config, seat.extension.to_owned())?;
        if seat.register {
            handset.is_registered()?;
        }
        Ok(handset)
    }

    fn config(&self) -> Outcome<PhoneConfig> {
        let tls = self.target.tls.as_ref().map(TlsSettings::open).transpose();
        Ok(PhoneConfig {
            tls: tls.map_err(|error| Stop::NotTested(error.to_string()))?,
            user: String::new(),
            password: String::new(),
            server: self.target.server(),
            transport: self.target.pbx.transport.sip(),
            bind: self.target.suite.bind,
            port: 0,
            behaviour: Behaviour::Ring,
            plan: Plan::default(),
            register: false,
            subscribe: false,
            srtp: self.target.suite.srtp,
            seed: self.random.borrow_mut().random(),
        })
    }

    fn start(&self, config: PhoneConfig, name: String) -> Outcome<Handset> {
        // With REST the halves tell of all messages themselves.
        let watch = self.rest.is_none().then(|| Arc::new(self.ladder.clone()) as Arc<dyn Sink>);
        let phone = Phone::start_watched(config, watch)
            .map_err(|error| Stop::NotTested(format!("the phone {name} can't start: {error}")))?;
        Ok(Handset::new(phone, name, self.journal.clone(), self.target.prompt()))
    }

    // ---- what is said ----

    pub fn says(&self, phrases: impl IntoIterator<Item = Phrase>) -> Saying {
        self.voice.says(phrases.into_iter().collect())
    }

    /// What stands first in voice access and attendant.
    pub fn earcon(&self) -> Phrase {
        Sound::Earcon.into()
    }

    /// Somebody's name as the server says it; left out where it speaks with a voice that is not known here.
    pub fn name(&self, name: &str, number: &str) -> Person {
        self.voice.person(name, number).unwrap_or_else(|| {
            if self.voice.recognises() {
                self.journal.remark(format!(
                    "The name {name} is spoken by a voice that is not known here; it was not checked."
                ));
            }
            Person::default()
        })
    }

    /// The system's greeting of the subscriber.
    pub fn greeting(&self) -> Saying {
        let user = &self.target.subscriber;
        self.says([Prompt::Greeting.with("name", self.name(&user.name, &user.extension))])
    }

    /// Somebody who says commands.
    pub fn speaker(&self) -> Outcome<Speaker> {
        Speaker::find().ok_or_else(|| Stop::NotTested("to speak, the suite needs flite or espeak-ng here".into()))
    }

    pub fn words(&self) -> Words {
        self.voice.words(&mut self.random.borrow_mut())
    }

    // ---- what tests have in common ----

    /// Calls the subscriber, whom nobody answers for, hears the greeting and the tone, speaks, hangs up.
    pub fn leaves_message(&self, caller: &mut Handset, words: &Words) -> Outcome {
        caller.calls(&self.target.subscriber.extension);
        caller.is_answered(self.target.ring())?;
        caller.hears_first(&self.greeting())?;
        caller.hears_the_tone()?;
        caller.speaks(words)?;
        caller.hangs_up()
    }

    /// As that, at a subscriber who is busy, by somebody who knows the greeting.
    pub fn leaves_message_quickly(&self, caller: &mut Handset, called: &mut Handset, words: &Words) -> Outcome {
        caller.calls(&self.target.subscriber.extension);
        called.is_called(self.target.ring())?;
        called.refuses_as_busy();
        caller.is_answered(self.target.ring())?;
        caller.hears_first(&self.greeting().beginning())?;
        if self.voice.recognises() {
            caller.presses("#");
        }
        caller.hears_the_tone()?;
        caller.speaks(words)?;
        caller.hangs_up()
    }

    /// The subscriber's mailbox, where nothing was new, with one message that was left now; the phone, and the words.
    pub fn one_new_message(&self) -> Outcome<(Inbox<'_>, Handset, Words)> {
        let inbox = self.mailbox()?;
        inbox.has_nothing_new()?;
        let words = self.words();
        let mut phone = self.subscriber()?;
        self.leaves_message_quickly(&mut self.caller()?, &mut phone, &words)?;
        inbox.receives(&words)?;
        Ok((inbox, phone, words))
    }

    /// Calls voice mail from the subscriber's own phone and logs on, up to the number of messages.
    pub fn logs_on(&self, subscriber: &mut Handset) -> Outcome {
        subscriber.calls(&self.target.numbers.voice_mail);
        subscriber.is_answered(Duration::from_secs(10))?;
        subscriber.hears(&self.says([Prompt::EnterPinOrStar.into()]).beginning())?;
        subscriber.presses_pin(&self.target.subscriber.pin);
        Ok(())
    }

    /// The main menu's beginning says how many new messages there are; any number will do. Ten are recognised.
    pub fn hears_counts(&self, handset: &mut Handset) -> Outcome<u32> {
        let counts: Vec<Saying> =
            (0..=10_u32).map(|count| self.says([Prompt::CountNew.with("count", count)])).collect();
        handset.hears_one_of(&counts).map(|count| u32::try_from(count).unwrap_or_default())
    }

    /// The mailbox as it is before a test leaves something there.
    pub fn mailbox(&self) -> Outcome<Inbox<'_>> {
        let mut inbox = Inbox { stage: self, before: Vec::new() };
        if let Some(rest) = self.rest {
            let messages = rest.messages(&self.target.subscriber.extension);
            inbox.before = messages.map_err(|error| Stop::NotTested(error.to_string()))?;
        }
        Ok(inbox)
    }
}

/// The subscriber's mailbox, and what a test has left in it: that goes when it is dropped.
pub(crate) struct Inbox<'a> {
    stage: &'a Stage<'a>,
    before: Vec<Message>,
}

impl Inbox<'_> {
    /// Some tests want nothing new to be there.
    pub fn has_nothing_new(&self) -> Outcome {
        match self.before.iter().filter(|message| !message.read).count() {
            0 => Ok(()),
            new => Err(Stop::NotTested(format!("the mailbox has {new} new messages: the test wants none"))),
        }
    }

    /// The message with these words, as REST has it; None without REST.
    pub fn receives(&self, words: &Words) -> Outcome<Option<Message>> {
        let Some(rest) = self.stage.rest else { return Ok(None) };
        let mailbox = &self.stage.target.subscriber.extension;
        let deadline = Instant::now() + DELIVERY;
        let message = loop {
            if let Some(message) = self.new_messages(rest).into_iter().next() {
                break message;
            }
            if Instant::now() > deadline {
                let limit = DELIVERY.as_secs();
                return Err(Stop::Failed(format!("no message was in the mailbox {limit} s after the call")));
            }
            std::thread::sleep(Duration::from_millis(100));
        };
        let stored = rest.audio(mailbox, &message.id).map_err(|error| Stop::Failed(error.to_string()))?;
        let stored = media::Clip::from_wav(&stored)
            .map_err(|error| Stop::Failed(format!("the stored message can't be read: {error}")))?;
        let likeness = words.template.likeness(stored.samples());
        if likeness < LIKENESS {
            let length = stored.duration().as_secs_f64();
            return Err(Stop::Failed(format!(
                "the stored message ({length:.1} s) is not what was spoken: likeness {likeness:.2}"
            )));
        }
        let seconds = stored.duration().as_secs_f64();
        self.stage.journal.step(format!("the message is in the mailbox, {seconds:.1} s, likeness {likeness:.2}"));
        Ok(Some(message))
    }

    /// What the test has left there was deleted by phone. Without REST nobody sees.
    pub fn is_as_before(&self) -> Outcome {
        // What was asked for a moment ago may still be on its way to the disk.
        std::thread::sleep(Duration::from_millis(200));
        match self.stage.rest.map_or(0, |rest| self.new_messages(rest).len()) {
            0 => Ok(()),
            _ => Err(Stop::Failed("the message was deleted by phone, but is still in the mailbox".into())),
        }
    }

    /// Logs on, hears whom the message is from and what was said, and deletes it.
    pub fn is_heard_by_phone(&self, phone: &mut Handset, from: Phrase, words: &Words) -> Outcome {
        self.opens_voice_mail(phone)?;
        phone.hears_first(&self.stage.says([Prompt::NewMessage.into(), from]))?;
        self.hears_and_deletes(phone, words)
    }

    /// As that, whoever it is from.
    pub fn is_deleted_by_phone(&self, phone: &mut Handset, words: &Words) -> Outcome {
        self.opens_voice_mail(phone)?;
        self.hears_and_deletes(phone, words)
    }

    /// Logs on and, once the main menu has told the counts, goes to the messages.
    fn opens_voice_mail(&self, phone: &mut Handset) -> Outcome {
        self.stage.logs_on(phone)?;
        self.stage.hears_counts(phone)?;
        phone.presses("1");
        Ok(())
    }

    fn hears_and_deletes(&self, phone: &mut Handset, words: &Words) -> Outcome {
        phone.hears_words(words)?;
        phone.presses("7");
        phone.hears(&self.stage.says([Prompt::Deleted.into()]))?;
        phone.hangs_up()
    }

    fn new_messages(&self, rest: &Rest) -> Vec<Message> {
        let messages = rest.messages(&self.stage.target.subscriber.extension).unwrap_or_default();
        messages.into_iter().filter(|message| !self.before.iter().any(|old| old.id == message.id)).collect()
    }
}

impl Drop for Inbox<'_> {
    fn drop(&mut self) {
        let Some(rest) = self.stage.rest else { return };
        for message in self.new_messages(rest) {
            // One that is gone already is gone.
            let _ = rest.delete(&self.stage.target.subscriber.extension, &message.id);
        }
    }
}
