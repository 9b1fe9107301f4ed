//! Goes to every point of every menu that a caller can come to: from each point, every key, silence, listening, speaking, and
//! every outcome of a transfer. The tests walk with it, hang up everywhere, and see that every key of every table was pressed.

use super::auto_attendant::{Announcement, Attendant, MenuKey, Messages, Then, auto_attendant};
use super::call_answering::{Answering, call_answering};
use super::caller::{Match, PinCheck, Rung, TransferEnd};
use super::directory_search::Search;
use super::find_me::find_me;
use super::groups::Group;
use super::menu;
use super::personal::{Areas, Personal, RuleAction, RuleScene};
use super::play_on_phone::play_on_phone;
use super::script::{Script, anna, appointment, contact, letter, message, personal, speech, subscriber};
use super::subscriber_logon::{Access, subscriber_logon};
use crate::personal_information::{Contact, Mail, Meeting};
use mailbox::{GreetingKind, MessageId};
use media::RecordEnd;
use speech::{Audio, Phrase, Prompt, Value};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// A step of a caller, or of what he waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Act {
    /// Hears what is said to its end.
    Listen,
    Key(char),
    /// A number, a PIN or a name in one go.
    Type(&'static str),
    /// Speaks, and is silent until the recording ends.
    Speak,
    Silence,
    /// The transfer, or whoever is rung, comes to nothing.
    Fails,
    Busy,
}

/// A point, and the shortest way to it.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    pub(crate) way: Vec<Act>,
}

/// A way into the menus.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entrance {
    pub(crate) name: &'static str,
    start: fn() -> Script,
    /// What is typed besides single keys.
    typed: &'static [&'static str],
}

pub(crate) const ENTRANCES: &[Entrance] = &[
    Entrance { name: "attendant", start: attendant, typed: &["27001", "99999", "253#"] },
    Entrance { name: "call answering", start: answering, typed: &["27001"] },
    Entrance { name: "rule", start: rule, typed: &[] },
    Entrance { name: "logon", start: stranger, typed: &["27000#", "1#"] },
    Entrance { name: "voice access", start: access, typed: &["253#", "72537#", "#27001", "951357#"] },
    Entrance { name: "mail", start: mail, typed: &["#27001"] },
    Entrance { name: "calendar", start: calendar, typed: &["#27001"] },
    Entrance { name: "contacts", start: contacts, typed: &["232#", "#27001"] },
    Entrance { name: "first time", start: first_time, typed: &["951357#"] },
    Entrance { name: "find me", start: found, typed: &[] },
    Entrance { name: "prompt", start: super::prompt_recording::tests::rung, typed: &[] },
    Entrance { name: "play on phone", start: played, typed: &[] },
];

/// More points than any entrance has: a walk that comes here goes round in circles.
const MOST: usize = 3000;

impl Script {
    /// Where the caller is: what was said last and whether it is still said, what is under way, and the keys of a line of some
    /// table that are pressed already.
    fn point(&self) -> String {
        let typed = self.typed.as_str();
        let begun = menu::lines().any(|(_, keys)| keys.len() > typed.len() && keys.starts_with(typed));
        format!(
            "{} | {} {:?} {:?} {} {} | {}",
            speech().transcript(&self.readable(&self.last_said).into_iter().map(without_number).collect::<Vec<_>>()),
            if self.said().is_empty() { "silent" } else { "speaking" },
            self.recording(),
            self.taping(),
            self.transferring.is_some(),
            self.ringing.is_some(),
            if begun { typed } else { "" },
        )
    }

    /// Does it, where it can be done.
    fn act(&mut self, act: Act) {
        if self.over {
            return;
        }
        let waits = self.transferring.is_some() || self.ringing.is_some();
        match act {
            Act::Listen if !self.said().is_empty() => {
                self.listens();
            }
            Act::Key(key) => {
                self.presses(key.encode_utf8(&mut [0; 4]));
            }
            Act::Type(keys) => {
                self.presses(keys);
            }
            Act::Speak if self.recording().is_some() || self.taping().is_some() => {
                self.speaks(Duration::from_secs(8), RecordEnd::Stopped);
            }
            Act::Silence if !waits && self.recording().is_none() && self.taping().is_none() => {
                self.waits(Duration::from_secs(8));
            }
            Act::Fails | Act::Busy if self.transferring.is_some() => {
                self.transferred(if act == Act::Busy { TransferEnd::Busy } else { TransferEnd::Invalid });
            }
            Act::Fails if self.ringing.is_some() => {
                self.rung(Rung::Declined);
            }
            _ => {}
        }
    }
}

/// What a caller types as a number leads to one point, whatever the number is.
fn without_number(phrase: Phrase) -> Phrase {
    match phrase {
        Phrase::Prompt(prompt @ (Prompt::LateTold | Prompt::ClearSure | Prompt::Cleared), _) => {
            Value::Text(prompt.id().into()).into()
        }
        other => other,
    }
}

/// All points behind an entrance.
pub(crate) fn walk(entrance: Entrance) -> Vec<Point> {
    let mut acts = vec![Act::Listen, Act::Silence, Act::Speak, Act::Fails, Act::Busy];
    acts.extend("0123456789*#".chars().map(Act::Key));
    acts.extend(entrance.typed.iter().map(|keys| Act::Type(keys)));
    let mut known = BTreeSet::from([(entrance.start)().point()]);
    let mut points = vec![Point { way: Vec::new() }];
    let mut next = VecDeque::from([Vec::new()]);
    while let Some(way) = next.pop_front() {
        for act in &acts {
            let mut script = (entrance.start)();
            for step in way.iter().chain([act]) {
                script.act(*step);
            }
            if script.over || !known.insert(script.point()) {
                continue;
            }
            let way: Vec<Act> = way.iter().copied().chain([*act]).collect();
            points.push(Point { way: way.clone() });
            next.push_back(way);
            assert!(points.len() < MOST, "{}: {:?}", entrance.name, script.point());
        }
    }
    points
}

// ---- the entrances ----

fn people(script: &mut Script) {
    let match_of = |extension: &str, name: &str| Match { subscriber: subscriber(extension, name), detail: None };
    script.directory =
        vec![("253".into(), match_of("27001", "Björn Åkesson")), ("2536".into(), match_of("27002", "Björn Ek"))];
    script.groups = vec![("72537".into(), Group { name: "sales".into(), shown: "Sales".into() }, Ok(vec![anna()]))];
    script.pins = [PinCheck::Right { expired: false }].into();
    script.messages = vec![message(1, false), message(2, true)];
}

fn search() -> Option<Search> {
    personal().directory
}

fn somewhere() -> Attendant {
    let messages = Messages { idle: Duration::from_secs(5), max: Duration::from_secs(60) };
    Attendant {
        digits: 5,
        failures: 3,
        subscribers: true,
        operator: Some("27009".into()),
        search: search(),
        messages: Some(messages),
        recording: messages,
        ..Attendant::default()
    }
}

fn attendant() -> Script {
    let audio = Arc::new(Audio::silence(Duration::from_secs(1)));
    let key = |key: char, then: Then| MenuKey { key, name: "a matter".into(), prompt: None, then };
    let keys = vec![
        key('1', Then::Number("27005".into())),
        key('2', Then::Location),
        key('3', Then::Hours),
        key('4', Then::VoiceMail(anna())),
        key('5', Then::User(anna())),
        key('6', Then::Attendant("second".into())),
        key('7', Then::Nowhere),
        key('8', Then::Menu),
    ];
    let scene = Attendant {
        greeting: vec![Prompt::AttendantWelcome.into()],
        announcement: Some(Announcement { audio, uninterruptible: true }),
        keys,
        hours: vec![Prompt::HoursAlways.into()],
        access: Some(Access {
            from: None,
            digits: 5,
            failures: 3,
            logon_failures: 3,
            elsewhere: None,
            ..Access::default()
        }),
        ..somewhere()
    };
    let setup = |script: &mut Script| {
        people(script);
        script.attendants = vec![("second".into(), somewhere())];
    };
    Script::start(setup, |caller| auto_attendant(caller, scene))
}

fn scene() -> Answering {
    let Messages { idle, max } = somewhere().recording;
    Answering { owner: anna(), idle, max, failures: 3, operator: Some("27009".into()), elsewhere: somewhere() }
}

fn answering() -> Script {
    Script::start(people, |caller| call_answering(caller, scene()))
}

fn rule() -> Script {
    let numbers = ["0701", "0702"].map(|number| (number.to_owned(), Duration::from_secs(20))).to_vec();
    let rule = RuleScene {
        greeting: GreetingKind::Rule(1),
        interrupt: true,
        keys: vec![
            ('1', RuleAction::Transfer("27010".into())),
            ('5', RuleAction::FindMe(numbers)),
            ('7', RuleAction::Message),
        ],
        said: vec![('1', "the reception".into())],
    };
    Script::start(|script| script.reception.rule = Some(rule), |caller| call_answering(caller, scene()))
}

fn stranger() -> Script {
    let access = Access {
        from: None,
        digits: 5,
        failures: 3,
        logon_failures: 3,
        elsewhere: Some(Box::new(somewhere())),
        ..Access::default()
    };
    Script::start(people, |caller| subscriber_logon(caller, access))
}

fn access() -> Script {
    Script::own_phone(|script| {
        people(script);
        script.personal = Some(Personal { out_of_office: true, ..personal() });
    })
}

/// Logged on, with this area, behind its key of the main menu.
fn source(areas: Areas, key: &str) -> Script {
    let mut script = Script::own_phone(|script| {
        people(script);
        script.at_six_in_the_morning();
        let now = script.wall();
        // The directory's points are come to by other ways; who sends mail on searches it.
        let directory = search().filter(|_| areas.mail);
        script.personal = Some(Personal { areas, directory, ..personal() });
        let invites = Some(now + Duration::from_secs(7200));
        script.mail = vec![Mail { invites, ..letter("1", "Review", "Please come.") }];
        let begins = |hours: u64| now + Duration::from_secs(3600 * hours);
        script.meetings = vec![Meeting { begins: begins(1), ..appointment("1", "Budget") }];
        // Tomorrow is all that can be read.
        script.source_ends = Some(begins(24));
        script.contacts = vec![
            Contact { company: Some("Holm".into()), ..contact("Cecilia Holm", Some("0701234567")) },
            Contact { office: Some("27001".into()), ..contact("Cecilia Berg", None) },
        ];
    });
    script.presses(key);
    script
}

fn mail() -> Script {
    source(Areas { mail: true, ..Areas::default() }, "2")
}

fn calendar() -> Script {
    source(Areas { calendar: true, ..Areas::default() }, "3")
}

fn contacts() -> Script {
    source(Areas { contacts: true, ..Areas::default() }, "4")
}

fn first_time() -> Script {
    Script::own_phone(|script| {
        script.pins = [PinCheck::Right { expired: true }].into();
        script.personal = Some(Personal { set_up_due: true, directory: None, ..personal() });
    })
}

fn found() -> Script {
    Script::start(|_| {}, |caller| find_me(caller, vec![Prompt::FindMeUnknown.into()]))
}

fn played() -> Script {
    Script::start(|_| {}, |caller| play_on_phone(caller, anna().mailbox, MessageId(7)))
}

#[test]
fn every_key_of_every_table_is_come_to_and_pressed() {
    let points: usize = ENTRANCES.iter().map(|entrance| walk(*entrance).len()).sum();
    assert!(points > 200, "{points} points");
    let pressed = menu::pressed();
    let missed: Vec<_> = menu::lines().filter(|line| !pressed.contains(line)).collect();
    assert!(missed.is_empty(), "{missed:?}");
}
