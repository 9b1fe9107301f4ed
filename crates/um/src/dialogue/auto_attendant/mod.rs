//! The auto attendant (fact sheet 5): a welcome, perhaps an announcement, then a menu: keys that an administrator chose, an
//! extension, a name, the operator, voice access. The same menu serves callers who leave call answering by `*`, and those
//! without a mailbox in voice access by `#`.

mod reach;
#[cfg(test)]
mod tests;

use super::FIRST_KEY;
use super::caller::{Caller, Subscriber};
use super::directory_search::Search;
use super::menu::{Key, Menu, Pressed};
use super::subscriber_logon::{Access, subscriber_logon};
use super::voice::{Command, Commands, offer};
pub(super) use reach::CALL_OR_MESSAGE;
use reach::Wanted;
use speech::{Audio, Person, Phrase, Prompt};
use std::sync::Arc;
use std::time::Duration;

#[derive(Clone, Copy, Debug)]
pub(super) enum Does {
    Operator,
    Search,
    Access,
}

pub(super) const MENU: Menu<Does> = Menu {
    name: "Auto attendant",
    about: "After the welcome. What is not offered (no operator in these hours, no directory) is a wrong key.",
    keys: &[
        Key::other(
            "1 to 9",
            "what the attendant's key mapping says: an extension, another attendant, a user, his voice mail, an \
             announcement, the location, the business hours",
        ),
        Key::other("an extension", "is called, and who is busy or away takes a message"),
        Key::new("0", Does::Operator, "the operator: the attendant's, else the dial plan's")
            .says("voice-word-operator", &["operator"]),
        Key::new("#", Does::Search, "search by name")
            .to("Directory search")
            .says("voice-word-directory", &["directory"]),
        Key::new("*", Does::Access, "voice access, where the attendant leads there")
            .says("voice-word-voice-mail", &["voice mail"]),
        Key::other(
            "a name, where callers may speak",
            "is asked for, then it is what its key or its extension is: a department of the key mapping, a person; of the directory, a department is that of its people",
        ),
        Key::other("nothing for 5 s", "what the mapping says for no key in time, else the menu again"),
        Key::other("three wrong inputs", "the operator where one may be called, else goodbye"),
    ],
};

/// How long a key that is an action waits for another digit, where extensions may be dialled.
const ALONE: Duration = Duration::from_millis(1500);

/// What the attendant must know.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attendant {
    /// Nothing for callers who were welcomed already.
    pub(crate) greeting: Vec<Phrase>,
    pub(crate) announcement: Option<Announcement>,
    /// The menu as somebody recorded it; else it is spoken from what there is.
    pub(crate) own_menu: Option<Arc<Audio>>,
    pub(crate) keys: Vec<MenuKey>,
    pub(crate) location: Option<String>,
    /// The business hours, in words.
    pub(crate) hours: Vec<Phrase>,
    /// Digits in an extension.
    pub(crate) digits: usize,
    /// Wrong inputs before the call is ended.
    pub(crate) failures: u32,
    /// Callers may speak.
    pub(crate) voice: bool,
    /// Who takes over callers who spoke, and go on by keys.
    pub(crate) fallback: Option<String>,
    pub(crate) operator: Option<String>,
    /// Whether users of the plan may be called.
    pub(crate) subscribers: bool,
    /// Whether any extension of the right length may be called.
    pub(crate) any_extension: bool,
    /// How names are searched for; `None`: not at all.
    pub(crate) search: Option<Search>,
    /// Whether messages may be left, and how long; `None`: not at all.
    pub(crate) messages: Option<Messages>,
    /// How messages are recorded where a key leads to somebody's voice mail.
    pub(crate) recording: Messages,
    /// Where `*` leads, if anywhere.
    pub(crate) access: Option<Access>,
}

/// What follows the welcome.
#[derive(Clone, Debug)]
pub(crate) struct Announcement {
    pub(crate) audio: Arc<Audio>,
    pub(crate) uninterruptible: bool,
}

impl Announcement {
    /// Plays it after an opening: with what follows, or by itself where nobody may cut it short.
    pub(super) async fn after(this: Option<&Announcement>, caller: &Caller, opening: &mut Vec<Phrase>) {
        match this {
            Some(Announcement { audio, uninterruptible: true }) => {
                caller.play(std::mem::take(opening)).await;
                caller.announce(vec![audio.clone().into()]).await;
            }
            Some(Announcement { audio, uninterruptible: false }) => opening.push(audio.clone().into()),
            None => {}
        }
    }
}

/// A key of the attendant's own, ready to be carried out.
#[derive(Clone, Debug)]
pub(crate) struct MenuKey {
    /// `-`: no key in time.
    pub(crate) key: char,
    pub(crate) name: String,
    /// Played first.
    pub(crate) prompt: Option<Arc<Audio>>,
    pub(crate) then: Then,
}

#[derive(Clone, Debug)]
pub(crate) enum Then {
    /// The menu again.
    Menu,
    Number(String),
    User(Subscriber),
    VoiceMail(Subscriber),
    Attendant(String),
    Location,
    Hours,
    /// Whoever it led to is not there any more.
    Nowhere,
}

/// How messages are recorded.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Messages {
    pub(crate) idle: Duration,
    pub(crate) max: Duration,
}

/// How a part of the menu ended.
enum Ended {
    /// The call is over, or somebody else's.
    Over,
    /// Back to the menu with a word on why, which counts as a failure.
    Again(Prompt),
    /// Back to the menu; nothing went wrong.
    Back,
    /// Another attendant takes over.
    Next(Box<Attendant>),
    Access(Box<Access>),
}

pub(crate) async fn auto_attendant(caller: Caller, mut scene: Attendant) {
    // Attendants may lead to each other without end: MaxCallDuration ends the call.
    loop {
        match attend(&caller, &scene).await {
            Ended::Next(next) => scene = *next,
            Ended::Access(access) => return subscriber_logon(caller, *access).await,
            Ended::Over | Ended::Again(_) | Ended::Back => return,
        }
    }
}

async fn attend(caller: &Caller, scene: &Attendant) -> Ended {
    let mut opening = scene.greeting.clone();
    Announcement::after(scene.announcement.as_ref(), caller, &mut opening).await;
    caller.use_voice(scene.voice);
    let commands = scene.commands(caller).await;
    let mut failures = 0;
    while failures < scene.failures {
        caller.listen(&commands);
        opening.extend(if caller.hears() { scene.spoken_menu() } else { scene.menu() });
        caller.play(std::mem::take(&mut opening)).await;
        let key = caller.key(FIRST_KEY).await;
        if scene.voice
            && !caller.hears()
            && let Some(next) = fallback(caller, scene, key).await
        {
            return Ended::Next(next);
        }
        // What follows has its own questions.
        caller.deaf();
        let ended = match key {
            Some(key) => pressed(caller, scene, key).await,
            None => match scene.mapped('-') {
                // Whoever is silent through it all is let go in the end.
                Some(silent) => match mapped(caller, scene, silent).await {
                    Ended::Back => Ended::Again(Prompt::StillThere),
                    ended => ended,
                },
                None => Ended::Again(Prompt::NoInput),
            },
        };
        match ended {
            Ended::Back => {}
            Ended::Again(why) => {
                failures += 1;
                caller.forget_keys();
                opening.push(why.into());
            }
            left => return left,
        }
    }
    if let Some(operator) = &scene.operator {
        caller.announce(std::mem::take(&mut opening)).await;
        match reach::number(caller, scene, operator).await {
            Ended::Again(why) => opening.push(why.into()),
            left => return left,
        }
    }
    opening.push(Prompt::TooManyFailures.into());
    caller.announce(opening).await;
    Ended::Over
}

/// The attendant for those who go on by keys, with the key that they have pressed.
async fn fallback(caller: &Caller, scene: &Attendant, key: Option<char>) -> Option<Box<Attendant>> {
    let next = caller.attendant(scene.fallback.clone()?).await?;
    if let Some(key) = key {
        caller.put_back(key);
    }
    Some(next)
}

impl Attendant {
    /// What may be said: the menu's words, the names of its keys, people and their departments.
    async fn commands(&self, caller: &Caller) -> Arc<Commands> {
        let mut commands = MENU.commands("", |does| self.offers(does));
        commands.extend(self.keys.iter().filter(|line| line.key.is_ascii_digit()).map(|line| Command {
            words: line.name.clone(),
            keys: line.key.to_string(),
            said: Person { name: Some(line.name.clone()), ..Person::default() }.into(),
            asked: false,
            name: true,
        }));
        if let Some(search) = self.search.as_ref().filter(|_| self.subscribers) {
            let people = caller.people(search).await;
            commands.extend(people.commands(""));
            commands.extend(people.departments("#"));
        }
        Commands::new(commands)
    }

    fn offers(&self, does: Does) -> bool {
        match does {
            Does::Operator => self.operator.is_some(),
            Does::Search => self.search.is_some(),
            Does::Access => self.access.is_some(),
        }
    }

    /// What the menu offers to be said.
    fn spoken_menu(&self) -> Vec<Phrase> {
        if let Some(recorded) = &self.own_menu {
            return vec![recorded.clone().into()];
        }
        let mut menu = Vec::new();
        if self.search.is_some() && self.subscribers {
            menu.push(Prompt::VoiceAttendant.into());
        }
        menu.extend(offer(MENU.words(|does| self.offers(does))));
        for line in self.keys.iter().filter(|line| line.key.is_ascii_digit()) {
            let name = Person { name: Some(line.name.clone()), ..Person::default() };
            menu.push(speech::Value::from(name).into());
        }
        menu.push(Prompt::VoiceOrKeys.into());
        menu
    }

    /// What the menu offers, in words.
    fn menu(&self) -> Vec<Phrase> {
        if let Some(recorded) = &self.own_menu {
            return vec![recorded.clone().into()];
        }
        let keys = self.keys.iter().filter_map(|line| {
            let key = line.key.to_digit(10)?;
            Some(match &line.then {
                Then::Location => Prompt::AttendantKeyLocation.with("key", key),
                Then::Hours => Prompt::AttendantKeyHours.with("key", key),
                Then::Number(number) => {
                    Prompt::AttendantKey.with("name", Person::new(&line.name, number)).with("key", key)
                }
                _ => {
                    let name = Person { name: Some(line.name.clone()), ..Person::default() };
                    Prompt::AttendantKey.with("name", name).with("key", key)
                }
            })
        });
        let mut menu: Vec<Phrase> = keys.collect();
        let others = [
            (self.dials(), Prompt::AttendantEnterExtension),
            (self.search.is_some(), Prompt::AttendantSearch),
            (self.operator.is_some(), Prompt::AttendantOperator),
            (self.access.is_some(), Prompt::AttendantAccess),
        ];
        menu.extend(others.into_iter().filter(|(offered, _)| *offered).map(|(_, prompt)| Phrase::from(prompt)));
        menu
    }

    /// Whether extensions may be dialled.
    fn dials(&self) -> bool {
        self.subscribers || self.any_extension
    }

    fn mapped(&self, key: char) -> Option<&MenuKey> {
        self.keys.iter().find(|line| line.key == key)
    }
}

/// What a first key leads to.
async fn pressed(caller: &Caller, scene: &Attendant, key: char) -> Ended {
    let line = scene.mapped(key);
    if key.is_ascii_digit() && scene.dials() {
        // An extension may begin with a key that is an action by itself.
        let alone = (line.is_some() || key == '0') && !matches!(caller.peek(ALONE).await, Some('0'..='9'));
        if !alone {
            let number = caller.number(scene.digits, Some(key)).await.unwrap_or_default();
            return reach::extension(caller, scene, &number).await;
        }
        if caller.peek(Duration::ZERO).await == Some('#') {
            caller.key(Duration::ZERO).await;
        }
    }
    if let Some(line) = line {
        return mapped(caller, scene, line).await;
    }
    match MENU.read_from(caller, key).await {
        Pressed::Does(Does::Operator) => match &scene.operator {
            Some(operator) => reach::number(caller, scene, operator).await,
            None => Ended::Again(Prompt::NoOperator),
        },
        Pressed::Does(Does::Search) if scene.search.is_some() => reach::by_name(caller, scene).await,
        Pressed::Does(Does::Access) if scene.access.is_some() => {
            scene.access.clone().map_or(Ended::Over, |access| Ended::Access(Box::new(access)))
        }
        _ => Ended::Again(Prompt::InvalidKey),
    }
}

async fn mapped(caller: &Caller, scene: &Attendant, line: &MenuKey) -> Ended {
    if let Some(prompt) = &line.prompt {
        caller.play(vec![prompt.clone().into()]).await;
    }
    match &line.then {
        Then::Menu => Ended::Back,
        Then::Location => {
            let location = match &scene.location {
                Some(location) => Prompt::AttendantLocation.with("location", speech::Value::Text(location.clone())),
                None => Prompt::AttendantNoLocation.into(),
            };
            caller.play(vec![location]).await;
            Ended::Back
        }
        Then::Hours => {
            caller.play(scene.hours.clone()).await;
            Ended::Back
        }
        Then::Number(number) => reach::number(caller, scene, number).await,
        Then::User(user) => reach::connect(caller, scene, Wanted::User(user.clone())).await,
        Then::VoiceMail(user) => reach::message_for(caller, scene, user.clone(), scene.recording).await,
        Then::Attendant(name) => match caller.attendant(name.clone()).await {
            Some(next) => Ended::Next(next),
            None => Ended::Again(Prompt::TransferFailed),
        },
        Then::Nowhere => Ended::Again(Prompt::TransferFailed),
    }
}
