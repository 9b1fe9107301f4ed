//! One mail's turn: read out, and what its keys do.

use super::caller::Caller;
use super::consult::{call_one_of, named};
use super::directory_search::{Outcome, directory_search};
use super::mail::{Does, MENU, MORE, More, State};
use super::menu::Pressed;
use super::note::{Note, note};
use super::personal::{Left, User, give_up};
use super::player::{self, Heard, player};
use super::reader::Text;
use super::voice::{Command, Commands, offer};
use super::{FIRST_KEY, SECOND_KEY};
use crate::personal_information::{Attendance, Mark, Question};
use speech::{Language, Phrase, Prompt, Value};
use std::sync::Arc;
use std::time::Duration;

/// Where to go from a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Forward,
    /// On, past all mail of its conversation.
    WithoutConversation,
    /// The next one that is unread.
    Unread,
    Back,
    /// All mail of somebody.
    Find,
    Menu,
    Over,
}

pub(super) struct Visit<'a> {
    pub(super) caller: &'a Caller,
    pub(super) user: &'a mut User,
}

impl Visit<'_> {
    pub(super) async fn run(&mut self, state: &mut State, opening: Vec<Phrase>) -> Next {
        let mut failures = 0;
        let mut text = Text::new(&state.mail.text.0, state.language);
        text.begin(self.caller);
        let mut header = opening;
        header.extend(self.header(state).await);
        if text.is_empty() {
            header.push(Prompt::MailEmpty.into());
        }
        // What the next round of the menu starts with; the first round starts with the mail.
        let mut play = Some(header);
        loop {
            self.caller.listen(&commands(state));
            let mut key = None;
            if let Some(header) = play.take() {
                match player(self.caller, header, &mut text, &mut self.user.pace).await {
                    Heard::ToTheEnd => self.read(state).await,
                    Heard::Key(pressed) => key = Some(pressed),
                    Heard::Previous => {
                        self.read(state).await;
                        return Next::Back;
                    }
                    // Fact sheet 4.4: what can't be read leads to the main menu.
                    Heard::Broken => {
                        self.caller.announce(vec![Prompt::MailUnreadable.into()]).await;
                        return Next::Menu;
                    }
                }
            }
            let pressed = match key {
                Some(key) => MENU.read_from(self.caller, key).await,
                None => {
                    self.caller.play(self.choices(state)).await;
                    MENU.read(self.caller, FIRST_KEY).await
                }
            };
            match pressed {
                Pressed::Does(Does::Next) => {
                    self.read(state).await;
                    return Next::Forward;
                }
                Pressed::Does(Does::Accept) if state.mail.invites.is_some() => {
                    self.attend(state, Attendance::Accepted, Prompt::MeetingAccepted).await;
                }
                Pressed::Does(Does::Tentative) if state.mail.invites.is_some() => {
                    self.attend(state, Attendance::Tentative, Prompt::MeetingTentative).await;
                }
                Pressed::Does(Does::Delete) => {
                    if self.delete(state).await {
                        return Next::Forward;
                    }
                }
                Pressed::Does(Does::Reply) => {
                    if self.reply(state, false).await == Left::HungUp {
                        return Next::Over;
                    }
                }
                Pressed::Does(Does::KeepUnread) => {
                    if self.mark(state, Mark::Unread).await {
                        (state.kept_unread, state.mail.read) = (true, false);
                        self.say(Prompt::MarkedUnread).await;
                    }
                }
                Pressed::Does(Does::More) => match self.more().await {
                    Some(More::Replay) => play = Some(Vec::new()),
                    Some(More::Previous) => {
                        self.read(state).await;
                        return Next::Back;
                    }
                    Some(More::NextUnread) => {
                        self.read(state).await;
                        return Next::Unread;
                    }
                    Some(More::FindByName) => {
                        self.read(state).await;
                        return Next::Find;
                    }
                    Some(More::CallSender) => match self.call_sender(state).await {
                        Ok(_) => return Next::Over,
                        Err(why) => self.say(why).await,
                    },
                    Some(More::Envelope) => drop(self.caller.play(self.envelope(state).await).await),
                    Some(More::Language) => {
                        let (other, said) = other_language(state.language);
                        state.language = other;
                        text = Text::new(&state.mail.text.0, other);
                        text.begin(self.caller);
                        play = Some(vec![said.into()]);
                    }
                    Some(More::Forward) => {
                        let left = self.forward(state).await;
                        if left == Left::HungUp {
                            return Next::Over;
                        }
                    }
                    Some(More::Flag) => self.flag(state).await,
                    Some(More::DeleteConversation) => {
                        let deleted = self.mark(state, Mark::ConversationDeleted).await;
                        if deleted {
                            state.gone = true;
                            self.say(Prompt::MailConversationDeleted).await;
                            return Next::WithoutConversation;
                        }
                    }
                    Some(More::HideConversation) => {
                        state.gone = true;
                        self.say(Prompt::MailConversationHidden).await;
                        return Next::WithoutConversation;
                    }
                    Some(More::ReplyAll) => {
                        let left = self.reply(state, true).await;
                        if left == Left::HungUp {
                            return Next::Over;
                        }
                    }
                    None => {}
                },
                Pressed::Does(Does::Repeat) => {}
                Pressed::Does(Does::Back) => return Next::Menu,
                missed @ (Pressed::Does(_) | Pressed::Unknown | Pressed::Nothing) => {
                    failures += 1;
                    let remark = missed.remark(self.caller);
                    self.caller.play(vec![remark]).await;
                }
            }
            if failures >= self.user.personal.failures {
                give_up(self.caller).await;
                return Next::Over;
            }
        }
    }

    async fn say(&self, prompt: Prompt) {
        self.caller.play(vec![prompt.into()]).await;
    }

    /// What is pressed behind 00; the choices are said when nothing follows.
    async fn more(&self) -> Option<More> {
        // What is said has come whole.
        let at_once = if self.caller.hears() { Duration::ZERO } else { SECOND_KEY };
        let mut pressed = MORE.read(self.caller, at_once).await;
        if matches!(pressed, Pressed::Nothing) {
            match self.caller.hears() {
                true => drop(self.caller.play(offer(MORE.words(|_| true))).await),
                false => {
                    let choices = [Prompt::MailMore, Prompt::MailMoreStill, Prompt::MailMoreConversation];
                    self.caller.play(choices.map(Phrase::from).to_vec()).await;
                }
            }
            pressed = MORE.read(self.caller, FIRST_KEY).await;
        }
        match pressed {
            Pressed::Does(more) => Some(more),
            Pressed::Unknown => {
                self.say(Prompt::InvalidKey).await;
                None
            }
            Pressed::Nothing => None,
        }
    }

    // ---- what is said ----

    /// From whom, about what.
    async fn header(&self, state: &State) -> Vec<Phrase> {
        let mail = &state.mail;
        let subject = self.caller.begin_to_speak(&mail.subject.0, state.language);
        let mut phrases = vec![self.from(state).await];
        match (mail.subject.0.is_empty(), self.caller.spoken(subject).await) {
            (true, _) => phrases.push(Prompt::MailNoSubject.into()),
            (false, Some(subject)) => phrases.push(Prompt::MailSubject.with("subject", subject)),
            (false, None) => {}
        }
        if mail.urgent {
            phrases.push(Prompt::MailUrgent.into());
        }
        if let (Some(begins), Some(now)) = (mail.invites, self.caller.now()) {
            phrases.push(Prompt::MailInvitation.with("when", self.user.personal.moment(begins, now.wall)));
        }
        phrases
    }

    async fn from(&self, state: &State) -> Phrase {
        match named(self.caller, self.user, &state.mail.from).await {
            Some(person) => Prompt::MailFrom.with("caller", person),
            None => Prompt::MailFromUnknown.into(),
        }
    }

    async fn envelope(&self, state: &State) -> Vec<Phrase> {
        let mut phrases = vec![self.from(state).await];
        if let Some(now) = self.caller.now() {
            phrases.push(Prompt::Received.with("when", self.user.personal.moment(state.mail.received, now.wall)));
        }
        phrases
    }

    fn choices(&self, state: &State) -> Vec<Phrase> {
        let mut menu: Vec<Phrase> = vec![Prompt::MailEnd.into()];
        match (self.caller.hears(), state.mail.invites) {
            (true, _) => menu.extend(offer(words(state))),
            (false, Some(_)) => menu.extend([Prompt::MailMenuInvitation.into(), Prompt::MailMenuInvited.into()]),
            (false, None) => menu.push(Prompt::MailMenu.into()),
        }
        menu
    }

    // ---- what is done ----

    async fn mark(&self, state: &State, mark: Mark) -> bool {
        self.caller.done(self.user, Question::Mark { item: state.mail.item.clone(), mark }).await
    }

    async fn read(&self, state: &mut State) {
        if !state.mail.read && !state.kept_unread {
            // A source that can't do it leaves the mail unread: it is offered again next time, which loses nothing.
            let question = Question::Mark { item: state.mail.item.clone(), mark: Mark::Read };
            self.caller.ask_source(self.user.subscriber.mailbox.clone(), question);
            state.mail.read = true;
        }
    }

    async fn attend(&self, state: &State, attendance: Attendance, said: Prompt) -> bool {
        let done = self.caller.done(self.user, Question::Attend { item: state.mail.item.clone(), attendance }).await;
        if done {
            self.say(said).await;
        }
        done
    }

    async fn delete(&self, state: &mut State) -> bool {
        let invites = state.mail.invites.is_some();
        if invites && !self.attend(state, Attendance::Declined, Prompt::MeetingDeclined).await {
            return false;
        }
        state.gone = self.mark(state, Mark::Deleted).await;
        if state.gone && !invites {
            self.say(Prompt::Deleted).await;
        }
        state.gone
    }

    async fn flag(&self, state: &mut State) {
        let flagged = !state.mail.flagged;
        if self.mark(state, if flagged { Mark::Flagged } else { Mark::Unflagged }).await {
            state.mail.flagged = flagged;
            self.say(if flagged { Prompt::PlayerFlagged } else { Prompt::PlayerUnflagged }).await;
        }
    }

    async fn call_sender(&self, state: &State) -> Result<Left, Prompt> {
        let from = &state.mail.from;
        let who = named(self.caller, self.user, from).await.unwrap_or_default();
        call_one_of(self.caller, self.user, who, from.numbers()).await
    }

    async fn reply(&self, state: &State, all: bool) -> Left {
        reply(self.caller, self.user, &state.mail.item, all).await
    }

    async fn forward(&self, state: &State) -> Left {
        forward(self.caller, self.user, &state.mail.item).await
    }
}

/// Answers a mail or meeting by voice.
pub(super) async fn reply(caller: &Caller, user: &User, item: &str, all: bool) -> Left {
    if !user.personal.voice_replies {
        caller.play(vec![Prompt::MailNoReply.into()]).await;
        return Left::ToMenu;
    }
    match note(caller, user, Prompt::RecordAfterTone).await {
        Note::Spoken(voice) => {
            if caller.done(user, Question::Reply { item: item.to_owned(), all, voice }).await {
                caller.play(vec![Prompt::MailAnswerSent.into()]).await;
            }
            Left::ToMenu
        }
        Note::Nothing => Left::ToMenu,
        Note::Failed => give_up(caller).await,
    }
}

/// Sends a mail or meeting on to a user or group.
pub(super) async fn forward(caller: &Caller, user: &User, item: &str) -> Left {
    let Some(search) = &user.personal.directory else {
        caller.play(vec![Prompt::SourceNotDone.into()]).await;
        return Left::ToMenu;
    };
    let to = match directory_search(caller, search).await {
        Outcome::Person(person) => Some(vec![person.mailbox]),
        Outcome::Extension(number) => caller.find(number).await.map(|person| vec![person.mailbox]),
        Outcome::Group(group) => match caller.members(&group, user.subscriber.mailbox.clone()).await {
            Ok(members) => Some(members.into_iter().map(|person| person.mailbox).collect()),
            Err(_) => None,
        },
        Outcome::Back => return Left::ToMenu,
        Outcome::Failed => return give_up(caller).await,
    };
    let Some(to) = to else {
        caller.play(vec![Prompt::UnknownExtension.into()]).await;
        return Left::ToMenu;
    };
    match note(caller, user, Prompt::ComposeComment).await {
        Note::Spoken(voice) => {
            let question = Question::Forward { item: item.to_owned(), to, voice };
            if caller.done(user, question).await {
                caller.play(vec![Prompt::MailForwarded.into()]).await;
            }
            Left::ToMenu
        }
        Note::Nothing => Left::ToMenu,
        Note::Failed => give_up(caller).await,
    }
}

/// The next language that texts can be read in, and what is said then.
pub(super) fn other_language(language: Language) -> (Language, Prompt) {
    match language {
        Language::English => (Language::Swedish, Prompt::MailInSwedish),
        Language::Swedish => (Language::English, Prompt::MailInEnglish),
    }
}

const DECLINE: &str = "voice-word-decline";

/// What keys mean here: those of invitations only on one.
fn offered(state: &State, does: Does) -> bool {
    state.mail.invites.is_some() || !matches!(does, Does::Accept | Does::Tentative)
}

fn words(state: &State) -> Vec<&'static str> {
    let words = MENU.words(|does| offered(state, does) && !matches!(does, Does::Repeat | Does::Back));
    let decline = |word| if state.mail.invites.is_some() && word == "voice-word-delete" { DECLINE } else { word };
    words.into_iter().map(decline).collect()
}

/// What may be said of a mail: both menus at once, and the player's.
fn commands(state: &State) -> Arc<Commands> {
    let invites = state.mail.invites.is_some();
    let mut all = MENU.commands("", |does| offered(state, does));
    // The same key is said otherwise of an invitation.
    all.retain(|command: &Command| command.words != if invites { "delete" } else { "decline" });
    for command in all.iter_mut().filter(|command| command.words == "decline") {
        command.said = Value::Word(DECLINE);
    }
    all.extend(player::MENU.commands("", |_| true));
    all.extend(MORE.commands("00", |_| true));
    Commands::new(all)
}
