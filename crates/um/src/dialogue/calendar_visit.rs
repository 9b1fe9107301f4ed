//! One meeting's turn: told, and what its keys do.

use super::calendar::{Does, MENU, MORE, More};
use super::caller::Caller;
use super::consult::{call_one_of, named, written_in};
use super::mail_visit::{forward, other_language, reply};
use super::menu::{Key, Menu, Pressed};
use super::personal::{Left, User, give_up};
use super::player::{Heard, player};
use super::reader::Text;
use super::voice::{Command, Commands, offer};
use super::{FIRST_KEY, SECOND_KEY};
use crate::personal_information::{Attendance, Meeting, Question};
use speech::{Person, Phrase, Prompt, Value};
use std::sync::Arc;
use std::time::Duration;

/// Where to go from a meeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Meeting,
    Day,
    Back,
    /// It was declined or cancelled.
    Gone,
    /// The calendar is to be cleared.
    Clear,
    /// The same day, read again.
    Anew,
    Menu,
    Over,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum InDetails {
    Language,
    Menu,
}

pub(crate) const DETAILS: Menu<InDetails> = Menu {
    name: "Details",
    about: "While a meeting's details are read out, beside the keys of “While a message plays”. Other keys mean what they mean after \
            the meeting.",
    keys: &[
        Key::new("55", InDetails::Language, "in another language"),
        Key::new("0", InDetails::Menu, "back").to("A meeting"),
    ],
};

/// Who comes, at most.
const MOST_ATTENDEES: usize = 20;
/// The latest that somebody may be, in minutes.
const LATEST: u32 = 600;

pub(super) struct Visit<'a> {
    pub(super) caller: &'a Caller,
    pub(super) user: &'a mut User,
}

impl Visit<'_> {
    /// On a day without any.
    pub(super) async fn run_empty(&mut self, opening: Vec<Phrase>) -> Next {
        let mut opening = opening;
        let mut failures = 0;
        let possible = |does: Does| matches!(does, Does::NextDay | Does::Repeat | Does::Back | Does::More);
        while failures < self.user.personal.failures {
            let mut commands = MENU.commands("", possible);
            commands.extend(MORE.commands("00", |more| matches!(more, More::Clear)));
            self.caller.listen(&Commands::new(commands));
            match self.caller.hears() {
                true => opening.extend(offer(MENU.words(|does| matches!(does, Does::NextDay)))),
                false => opening.push(Prompt::MeetingMenuEmpty.into()),
            }
            self.caller.play(std::mem::take(&mut opening)).await;
            match MENU.read(self.caller, FIRST_KEY).await {
                Pressed::Does(Does::Next | Does::NextDay) => return Next::Day,
                Pressed::Does(Does::Back) => return Next::Menu,
                Pressed::Does(Does::Repeat) => failures = 0,
                Pressed::Does(Does::More) => match self.more().await {
                    Some(More::Clear) => return Next::Clear,
                    _ => failures += 1,
                },
                missed => {
                    failures += 1;
                    opening.push(missed.remark(self.caller));
                }
            }
        }
        give_up(self.caller).await;
        Next::Over
    }

    pub(super) async fn run(&mut self, meeting: &mut Meeting, opening: Vec<Phrase>) -> Next {
        let told = self.told(meeting).await;
        // What the next round of the menu starts with.
        let mut opening = opening;
        opening.extend(told.iter().cloned());
        let mut pressed_ahead = None;
        let mut failures = 0;
        while failures < self.user.personal.failures {
            self.caller.listen(&commands(meeting));
            let pressed = match pressed_ahead.take() {
                Some(key) => MENU.read_from(self.caller, key).await,
                None => {
                    // What is told is stopped by a key, and so is the menu after it.
                    if !opening.is_empty() {
                        self.caller.play(std::mem::take(&mut opening)).await;
                    }
                    self.caller.play(self.choices(meeting)).await;
                    MENU.read(self.caller, FIRST_KEY).await
                }
            };
            let item = meeting.item.clone();
            match pressed {
                Pressed::Does(Does::Next) => return Next::Meeting,
                Pressed::Does(Does::NextDay) => return Next::Day,
                Pressed::Does(Does::Again) => opening.extend(told.iter().cloned()),
                Pressed::Does(Does::CallPlace) => {
                    let place = self.place(meeting).await;
                    match call_one_of(self.caller, self.user, place, &meeting.location_number).await {
                        Ok(_) => return Next::Over,
                        Err(why) => opening.push(why.into()),
                    }
                }
                Pressed::Does(Does::Late) => opening.extend(self.late(&item).await),
                Pressed::Does(Does::Accept) if !meeting.own => {
                    self.attend(meeting, Attendance::Accepted, Prompt::MeetingAccepted).await;
                }
                Pressed::Does(Does::Tentative) if !meeting.own => {
                    self.attend(meeting, Attendance::Tentative, Prompt::MeetingTentative).await;
                }
                Pressed::Does(Does::Decline) => {
                    let said = if meeting.own { Prompt::MeetingCancelled } else { Prompt::MeetingDeclined };
                    if self.attend(meeting, Attendance::Declined, said).await {
                        return Next::Gone;
                    }
                }
                Pressed::Does(Does::Details) => match self.details(meeting).await {
                    Read::Heard => {}
                    Read::Key(key) => pressed_ahead = Some(key),
                    Read::Broken => return Next::Menu,
                },
                Pressed::Does(Does::More) => match self.more().await {
                    Some(More::Previous) => return Next::Back,
                    Some(More::CallOrganizer) => {
                        let who = named(self.caller, self.user, &meeting.organizer).await.unwrap_or_default();
                        match call_one_of(self.caller, self.user, who, meeting.organizer.numbers()).await {
                            Ok(_) => return Next::Over,
                            Err(why) => opening.push(why.into()),
                        }
                    }
                    Some(More::Attendance) => opening.extend(self.attendance(meeting).await),
                    Some(More::Forward) => {
                        let left = forward(self.caller, self.user, &item).await;
                        if left == Left::HungUp {
                            return Next::Over;
                        }
                    }
                    Some(More::Clear) => return Next::Clear,
                    Some(more @ (More::Reply | More::ReplyAll)) => {
                        let all = matches!(more, More::ReplyAll);
                        if reply(self.caller, self.user, &item, all).await == Left::HungUp {
                            return Next::Over;
                        }
                    }
                    None => {}
                },
                Pressed::Does(Does::Repeat) => {}
                Pressed::Does(Does::Back) => return Next::Menu,
                missed @ (Pressed::Does(_) | Pressed::Unknown | Pressed::Nothing) => {
                    failures += 1;
                    opening.push(missed.remark(self.caller));
                }
            }
        }
        give_up(self.caller).await;
        Next::Over
    }

    /// What is pressed behind 00; the choices are said when nothing follows.
    async fn more(&self) -> Option<More> {
        // What is said has come whole.
        let at_once = if self.caller.hears() { Duration::ZERO } else { SECOND_KEY };
        let mut pressed = MORE.read(self.caller, at_once).await;
        if matches!(pressed, Pressed::Nothing) {
            let choices = match self.caller.hears() {
                true => offer(MORE.words(|_| true)),
                false => vec![Prompt::MeetingMore.into(), Prompt::MeetingMoreStill.into()],
            };
            self.caller.play(choices).await;
            pressed = MORE.read(self.caller, FIRST_KEY).await;
        }
        match pressed {
            Pressed::Does(more) => Some(more),
            Pressed::Unknown => {
                self.caller.play(vec![Prompt::InvalidKey.into()]).await;
                None
            }
            Pressed::Nothing => None,
        }
    }

    // ---- what is said ----

    /// What, when, where, by whom.
    async fn told(&self, meeting: &Meeting) -> Vec<Phrase> {
        let language = written_in(meeting.language.as_deref(), self.user);
        let subject = self.caller.begin_to_speak(&meeting.subject.0, language);
        let place = meeting.location.as_ref().map(|place| self.caller.begin_to_speak(&place.0, language));
        let mut phrases: Vec<Phrase> = Vec::new();
        match self.caller.spoken(subject).await {
            Some(subject) => phrases.extend([subject.into(), Phrase::Pause(Duration::from_millis(250))]),
            None => phrases.push(Prompt::MailNoSubject.into()),
        }
        phrases.extend(self.times(meeting));
        if let Some(place) = place
            && let Some(place) = self.caller.spoken(place).await
        {
            phrases.push(Prompt::MeetingPlace.with("place", place));
        }
        match named(self.caller, self.user, &meeting.organizer).await {
            _ if meeting.own => phrases.push(Prompt::MeetingOwn.into()),
            Some(organizer) => phrases.push(Prompt::MeetingOrganizer.with("name", organizer)),
            None => {}
        }
        phrases.extend(match meeting.answer.filter(|_| !meeting.own) {
            Some(Attendance::Accepted) => Some(Phrase::from(Prompt::MeetingAccepted)),
            Some(Attendance::Tentative) => Some(Prompt::MeetingTentative.into()),
            Some(Attendance::Declined) => Some(Prompt::MeetingDeclined.into()),
            None => None,
        });
        phrases
    }

    fn times(&self, meeting: &Meeting) -> Option<Phrase> {
        let now = self.caller.now()?.wall;
        let ends = meeting.begins.checked_add(meeting.length)?;
        let zone = &self.user.personal.zone;
        let (from, to) = (zone.local(meeting.begins), zone.local(ends));
        Some(match meeting.all_day {
            true => Prompt::MeetingAllDay.into(),
            false if from.date() == to.date() => {
                Prompt::MeetingTimes.with("from", Value::Time(from.time())).with("to", Value::Time(to.time()))
            }
            false => {
                let moment = |at| self.user.personal.moment(at, now);
                Prompt::MeetingSpan.with("from", moment(meeting.begins)).with("to", moment(ends))
            }
        })
    }

    fn choices(&self, meeting: &Meeting) -> Vec<Phrase> {
        if self.caller.hears() {
            let shown = |does| offered(meeting, does) && !matches!(does, Does::Repeat | Does::Back);
            return offer(MENU.words(shown).into_iter().map(|word| said_here(meeting, word)));
        }
        let answer = if meeting.own { Prompt::MeetingMenuCancel } else { Prompt::MeetingMenuAnswer };
        vec![answer.into(), Prompt::MeetingMenu.into(), Prompt::MeetingMenuStill.into()]
    }

    /// Where it is, as who is called there is spoken of.
    async fn place(&self, meeting: &Meeting) -> Person {
        let Some(place) = &meeting.location else {
            return Person { number: meeting.location_number.clone(), ..Person::default() };
        };
        let language = written_in(meeting.language.as_deref(), self.user);
        let recorded = self.caller.spoken(self.caller.begin_to_speak(&place.0, language)).await;
        Person { name: None, recorded, number: meeting.location_number.clone() }
    }

    async fn attendance(&self, meeting: &Meeting) -> Vec<Phrase> {
        let language = self.user.personal.language;
        let attendees = meeting.attendees.iter().take(MOST_ATTENDEES);
        let names: Vec<_> =
            attendees.map(|attendee| (attendee, self.caller.begin_to_speak(&attendee.name, language))).collect();
        let mut phrases = Vec::new();
        for (attendee, name) in names {
            let recorded = self.caller.spoken(name).await;
            let prompt = match attendee.answer {
                Some(Attendance::Accepted) => Prompt::AttendsYes,
                Some(Attendance::Tentative) => Prompt::AttendsMaybe,
                Some(Attendance::Declined) => Prompt::AttendsNo,
                None => Prompt::AttendsOpen,
            };
            phrases.push(prompt.with("name", Person { name: Some(attendee.name.clone()), recorded, number: None }));
        }
        if phrases.is_empty() {
            phrases.push(Prompt::AttendsNobody.into());
        }
        phrases
    }

    /// Reads the details out.
    async fn details(&mut self, meeting: &Meeting) -> Read {
        let mut language = written_in(meeting.language.as_deref(), self.user);
        let mut header = Vec::new();
        loop {
            let mut text = Text::new(&meeting.text.0, language);
            if text.is_empty() {
                self.caller.play(vec![Prompt::MeetingNoDetails.into()]).await;
                return Read::Heard;
            }
            match player(self.caller, std::mem::take(&mut header), &mut text, &mut self.user.pace).await {
                Heard::ToTheEnd => return Read::Heard,
                Heard::Previous => {}
                Heard::Broken => {
                    self.caller.announce(vec![Prompt::MailUnreadable.into()]).await;
                    return Read::Broken;
                }
                // 5 may be the first of 55.
                Heard::Key(key) => match DETAILS.read_from(self.caller, key).await {
                    Pressed::Does(InDetails::Language) => {
                        let (other, said) = other_language(language);
                        language = other;
                        header.push(said.into());
                    }
                    Pressed::Does(InDetails::Menu) => return Read::Heard,
                    Pressed::Unknown | Pressed::Nothing => return Read::Key(key),
                },
            }
        }
    }

    // ---- what is done ----

    async fn attend(&self, meeting: &mut Meeting, attendance: Attendance, said: Prompt) -> bool {
        let done = self.caller.done(self.user, Question::Attend { item: meeting.item.clone(), attendance }).await;
        if done {
            meeting.answer = Some(attendance);
            self.caller.play(vec![said.into()]).await;
        }
        done
    }

    /// Asks by how much, and tells all. Gives what is to be said of it.
    async fn late(&self, item: &str) -> Option<Phrase> {
        self.caller.play(vec![Prompt::LateAsk.into()]).await;
        let minutes = self.caller.number(3, None).await.and_then(|digits| digits.parse::<u32>().ok());
        let Some(minutes) = minutes.filter(|minutes| (1..=LATEST).contains(minutes)) else {
            return Some(Prompt::NoInput.into());
        };
        let by = Duration::from_secs(u64::from(minutes) * 60);
        let told = self.caller.done(self.user, Question::Late { item: item.to_owned(), by }).await;
        told.then(|| Prompt::LateTold.with("count", minutes))
    }
}

/// How reading the details ended.
enum Read {
    Heard,
    /// A key that is the meeting's.
    Key(char),
    Broken,
}

/// What keys mean here: one's own meeting is not accepted.
fn offered(meeting: &Meeting, does: Does) -> bool {
    !meeting.own || !matches!(does, Does::Accept | Does::Tentative)
}

const CANCEL: &str = "voice-word-cancel-meeting";

/// The same key is said otherwise of one's own meeting.
fn said_here(meeting: &Meeting, word: &'static str) -> &'static str {
    if meeting.own && word == "voice-word-decline" { CANCEL } else { word }
}

/// What may be said of a meeting: both menus at once.
fn commands(meeting: &Meeting) -> Arc<Commands> {
    let mut all = MENU.commands("", |does| offered(meeting, does));
    all.retain(|command: &Command| command.words != if meeting.own { "decline" } else { "cancel meeting" });
    for command in all.iter_mut().filter(|command| command.words == "cancel meeting") {
        command.said = Value::Word(CANCEL);
    }
    all.extend(MORE.commands("00", |_| true));
    Commands::new(all)
}
