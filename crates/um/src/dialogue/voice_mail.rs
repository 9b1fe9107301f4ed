//! The messages, new ones first (fact sheet 4.3): [`MENU`] after each of them or while it plays, and [`MORE`] behind 00.
//!
//! A message is read when it was heard to its end, or when `#` (or a jump to the previous one) went on from it. Hanging
//! up in the middle leaves it new. A deleted one stays in reach until the call ends: 7 on it brings it back.

use super::caller::Caller;
use super::compose;
use super::menu::{Key, Menu, Pressed};
use super::person;
use super::personal::{Left, User, give_up};
use super::player::{self, Heard, player};
use super::voice::{Command, Commands, offer};
use super::{FIRST_KEY, SECOND_KEY};
use crate::dialogue::Subscriber;
use crate::storage::{StoreAnswer, StoreRequest};
use mailbox::Message;
use speech::{Person, Phrase, Prompt, Value};
use std::sync::Arc;
use std::time::Duration;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Does {
    Next,
    Delete,
    Reply,
    KeepNew,
    More,
    Repeat,
    Back,
}

pub(crate) const MENU: Menu<Does> = Menu {
    name: "A message",
    about: "After a message, or while it plays.",
    keys: &[
        Key::new("#", Does::Next, "the next one").says("voice-word-next", &["next"]),
        Key::new("7", Does::Delete, "delete; on a deleted one (“undelete”): bring it back, until the call ends")
            .says_and_is_asked("voice-word-delete", &["delete"]),
        Key::new("8", Does::Reply, "reply").to("After recording").says("voice-word-reply", &["reply"]),
        Key::new("9", Does::KeepNew, "keep as new").says("voice-word-mark-as-unread", &["mark as unread"]),
        Key::new("00", Does::More, "more").to("More choices").says("voice-word-more-options", &["more options"]),
        Key::new("0", Does::Repeat, "repeat").says("voice-word-repeat", &["repeat"]),
        Key::new("*", Does::Back, "back").to("Main menu").says("voice-word-main-menu", &["main menu"]),
    ],
};

#[derive(Clone, Copy, Debug)]
pub(crate) enum More {
    Replay,
    Previous,
    CallSender,
    Envelope,
    Forward,
    Flag,
}

pub(crate) const MORE: Menu<More> = Menu {
    name: "More choices",
    about: "Behind `00` of a message; the keys may follow at once, and what is said needs no `00`.",
    keys: &[
        Key::new("1", More::Replay, "from its start").says("voice-word-replay", &["replay", "play"]),
        Key::new("11", More::Previous, "the previous one").says("voice-word-previous", &["previous"]),
        Key::new("2", More::CallSender, "call whoever left it").says("voice-word-call-sender", &["call sender"]),
        Key::new("5", More::Envelope, "from whom, when, how long")
            .says("voice-word-envelope", &["envelope information", "read the header"]),
        Key::new("6", More::Forward, "send it on with a comment; not private or protected ones")
            .to("A message to be")
            .says("voice-word-forward", &["forward"]),
        Key::new("44", More::Flag, "flag for later, or no more").says("voice-word-flag", &["flag for follow up"]),
    ],
};

/// Where to go from a message.
enum Next {
    Forward,
    Back,
    Menu,
    Over,
}

pub(super) async fn voice_mail(caller: &Caller, user: &mut User, messages: Vec<Message>) -> Left {
    let first_saved = messages.iter().position(|message| message.read).unwrap_or(messages.len());
    let mut states: Vec<State> = messages.into_iter().map(State::new).collect();
    let mut at = 0;
    let mut opening: Vec<Phrase> = Vec::new();
    loop {
        let saved = at >= first_saved;
        let Some(state) = states.get_mut(at) else {
            caller.play(vec![Prompt::NoMoreMessages.into()]).await;
            return Left::ToMenu;
        };
        let mut visit = Visit { caller, user, saved };
        match visit.run(state, std::mem::take(&mut opening)).await {
            Next::Forward => {
                // Deleted ones are passed over.
                at += 1;
                while states.get(at).is_some_and(|state| state.deleted) {
                    at += 1;
                }
                if !saved && at >= first_saved {
                    opening.push(Prompt::NoMoreNewMessages.into());
                    if at < states.len() {
                        opening.push(Prompt::SavedMessages.into());
                    }
                }
            }
            // Deleted ones are not passed over: this is how they are brought back.
            Next::Back if at > 0 => at -= 1,
            Next::Back => opening.push(Prompt::NoPreviousMessage.into()),
            Next::Menu => return Left::ToMenu,
            Next::Over => return Left::HungUp,
        }
    }
}

/// A message as this call knows it.
struct State {
    message: Message,
    /// 9 was pressed: going on from it must not make it read again.
    kept_unread: bool,
    deleted: bool,
}

impl State {
    fn new(message: Message) -> State {
        State { message, kept_unread: false, deleted: false }
    }
}

/// One message's turn.
struct Visit<'a> {
    caller: &'a Caller,
    user: &'a mut User,
    saved: bool,
}

impl Visit<'_> {
    async fn run(&mut self, state: &mut State, opening: Vec<Phrase>) -> Next {
        let mut header = opening;
        header.extend(self.header(state));
        let request = StoreRequest::Audio(self.user.subscriber.mailbox.clone(), state.message.id);
        let mut audio = match self.caller.store(request).await {
            Ok(StoreAnswer::Audio(audio)) => audio,
            _ => {
                header.push(Prompt::DamagedMessage.into());
                self.caller.play(header).await;
                return Next::Forward;
            }
        };
        let mut failures = 0;
        // What the next round of the menu starts with; the first round starts with the message.
        let mut play = Some(header);
        loop {
            self.caller.listen(&commands(state));
            let mut key = None;
            if let Some(header) = play.take() {
                match player(self.caller, header, &mut audio, &mut self.user.pace).await {
                    Heard::ToTheEnd => self.read(state).await,
                    // It is one part, and that is there.
                    Heard::Broken => {}
                    Heard::Key(pressed) => key = Some(pressed),
                    Heard::Previous => {
                        self.read(state).await;
                        return Next::Back;
                    }
                }
            }
            let pressed = match key {
                Some(key) => MENU.read_from(self.caller, key).await,
                None => {
                    let mut menu: Vec<Phrase> = vec![Prompt::EndOfMessage.into()];
                    match (self.caller.hears(), state.deleted) {
                        (true, false) => menu.extend(offer(MENU.words(offered))),
                        (true, true) => menu.extend(offer([UNDELETE, "voice-word-next"])),
                        (false, true) => menu.push(Prompt::PlayerMenuDeleted.into()),
                        (false, false) => menu.push(Prompt::PlayerMenu.into()),
                    }
                    self.caller.play(menu).await;
                    MENU.read(self.caller, FIRST_KEY).await
                }
            };
            match pressed {
                Pressed::Does(Does::Next) => {
                    self.read(state).await;
                    return Next::Forward;
                }
                Pressed::Does(Does::Delete) if state.deleted => self.bring_back(state).await,
                Pressed::Does(Does::Delete) => {
                    if self.delete(state).await {
                        return Next::Forward;
                    }
                }
                Pressed::Does(Does::Reply) => match self.sender(state).await {
                    Some(sender) => {
                        if compose::write(self.caller, self.user, &[sender], None).await == Left::HungUp {
                            return Next::Over;
                        }
                    }
                    None => self.say(Prompt::PlayerNoReply).await,
                },
                Pressed::Does(Does::KeepNew) => match self.set_read(state, false).await {
                    true => {
                        state.kept_unread = true;
                        self.say(Prompt::MarkedUnread).await;
                    }
                    false => self.caller.announce(vec![Prompt::MailboxUnreachable.into()]).await,
                },
                Pressed::Does(Does::More) => match self.more().await {
                    Some(More::Replay) => play = Some(Vec::new()),
                    Some(More::Previous) => {
                        self.read(state).await;
                        return Next::Back;
                    }
                    Some(More::Envelope) => {
                        self.caller.play(self.envelope(&state.message)).await;
                    }
                    Some(More::CallSender) => match self.sender(state).await {
                        Some(sender) => match person::call(self.caller, &sender).await {
                            Ok(_) => return Next::Over,
                            Err(why) => self.say(why).await,
                        },
                        None => self.say(Prompt::PlayerNoCall).await,
                    },
                    Some(More::Forward) if state.message.private || state.message.protected => {
                        self.say(Prompt::PlayerNotForwarded).await;
                    }
                    Some(More::Forward) => {
                        let left = compose::forward(self.caller, self.user, state.message.id).await;
                        if left == Left::HungUp {
                            return Next::Over;
                        }
                    }
                    Some(More::Flag) => self.flag(state).await,
                    None => {}
                },
                Pressed::Does(Does::Repeat) => {}
                Pressed::Does(Does::Back) => return Next::Menu,
                Pressed::Unknown => {
                    failures += 1;
                    self.caller.forget_keys();
                    self.say(Prompt::InvalidKey).await;
                }
                Pressed::Nothing => {
                    failures += 1;
                    self.say(Prompt::StillThere).await;
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
                false => self.say(Prompt::PlayerMore).await,
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

    /// Whoever left it, if he has a mailbox here.
    async fn sender(&self, state: &State) -> Option<Subscriber> {
        self.caller.find(state.message.from_number.as_ref()?.as_str().to_owned()).await
    }

    async fn change(&self, request: StoreRequest) -> bool {
        let done = self.caller.store(request).await.is_ok();
        if !done {
            self.caller.announce(vec![Prompt::MailboxUnreachable.into()]).await;
        }
        done
    }

    async fn delete(&self, state: &mut State) -> bool {
        let mailbox = self.user.subscriber.mailbox.clone();
        state.deleted = self.change(StoreRequest::Delete(mailbox, state.message.id)).await;
        if state.deleted {
            self.say(Prompt::Deleted).await;
        }
        state.deleted
    }

    async fn bring_back(&self, state: &mut State) {
        let mailbox = self.user.subscriber.mailbox.clone();
        if self.change(StoreRequest::Undelete(mailbox, state.message.id)).await {
            state.deleted = false;
            self.say(Prompt::PlayerRestored).await;
        }
    }

    async fn flag(&self, state: &mut State) {
        let (mailbox, flagged) = (self.user.subscriber.mailbox.clone(), !state.message.flagged);
        if self.change(StoreRequest::SetFlagged(mailbox, state.message.id, flagged)).await {
            state.message.flagged = flagged;
            self.say(if flagged { Prompt::PlayerFlagged } else { Prompt::PlayerUnflagged }).await;
        }
    }

    async fn read(&self, state: &mut State) {
        if !state.message.read && !state.kept_unread && !state.deleted {
            // A store that is down leaves the message new: it is offered again next time, which loses nothing.
            self.set_read(state, true).await;
        }
    }

    async fn set_read(&self, state: &mut State, read: bool) -> bool {
        let request = StoreRequest::SetRead(self.user.subscriber.mailbox.clone(), state.message.id, read);
        let done = self.caller.store(request).await.is_ok();
        if done {
            state.message.read = read;
        }
        done
    }

    fn header(&self, state: &State) -> Vec<Phrase> {
        let message = &state.message;
        let opening = match (state.deleted, self.saved) {
            (true, _) => Prompt::PlayerDeletedMessage,
            (false, true) => Prompt::SavedMessage,
            (false, false) => Prompt::NewMessage,
        };
        let mut phrases: Vec<Phrase> = vec![opening.into()];
        if message.urgent {
            phrases.push(Prompt::Urgent.into());
        }
        if message.private {
            phrases.push(Prompt::Private.into());
        }
        phrases.push(from(message));
        phrases
    }

    fn envelope(&self, message: &Message) -> Vec<Phrase> {
        let mut phrases = vec![from(message)];
        if let Some(now) = self.caller.now() {
            phrases.push(Prompt::Received.with("when", self.user.personal.moment(message.received, now.wall)));
        }
        let seconds = (message.duration_ms / 1000).max(1);
        phrases.push(match seconds {
            0..120 => Prompt::LengthSeconds.with("count", seconds),
            _ => Prompt::LengthMinutes.with("count", (seconds + 30) / 60),
        });
        phrases
    }
}

const UNDELETE: &str = "voice-word-undelete";

/// What is offered after a message: the way back is always there.
fn offered(does: Does) -> bool {
    !matches!(does, Does::Repeat | Does::Back)
}

/// What may be said of a message: both menus at once.
fn commands(state: &State) -> Arc<Commands> {
    let mut all = MENU.commands("", |does| !(state.deleted && matches!(does, Does::Delete)));
    if state.deleted {
        let said = Value::Word(UNDELETE);
        all.push(Command { words: "undelete".into(), keys: "7".into(), said, asked: false, name: false });
    }
    all.extend(player::MENU.commands("", |_| true));
    all.extend(MORE.commands("00", |_| true));
    Commands::new(all)
}

fn from(message: &Message) -> Phrase {
    let name = message.from_name.as_ref().map(|name| name.as_str().to_owned());
    let number = message.from_number.as_ref().map(|number| number.as_str().to_owned());
    if name.is_none() && number.is_none() {
        return Prompt::FromUnknown.into();
    }
    Prompt::From.with("caller", Person { name, recorded: None, number })
}

#[cfg(test)]
mod tests {
    use crate::dialogue::caller::PinCheck;
    use crate::dialogue::script::{Script, message};
    use mailbox::Message;
    use std::time::Duration;

    /// Logged on, and 1 pressed: the first message's header is being said.
    fn hearing(messages: &[(u128, bool)]) -> Script {
        hearing_of(messages.iter().map(|(id, read)| message(*id, *read)).collect())
    }

    fn hearing_of(messages: Vec<Message>) -> Script {
        let setup = move |script: &mut Script| {
            script.pins = [PinCheck::Right { expired: false }].into();
            script.messages = messages;
        };
        let mut script = Script::own_phone(setup);
        script.presses("1");
        script
    }

    #[test]
    fn a_message_heard_to_its_end_is_read() {
        let mut call = hearing(&[(1, false)]);
        call.hears("New message").hears("Björn Åkesson").listens();
        assert_eq!(call.take_done(), [""; 0]);
        call.hears("[audio]").listens();
        assert_eq!(call.take_done(), ["read 1"]);
    }

    #[test]
    fn hanging_up_midway_leaves_it_new() {
        let mut call = hearing(&[(1, false)]);
        call.listens().hears("[audio]");
        assert_eq!(call.take_done(), [""; 0]);
    }

    #[test]
    fn pound_goes_on_to_the_next_and_makes_it_read() {
        let mut call = hearing(&[(1, false), (2, false)]);
        call.listens().presses("#");
        assert_eq!(call.take_done(), ["read 1"]);
        call.hears("New message");
    }

    #[test]
    fn saved_messages_follow_the_new_ones() {
        let mut call = hearing(&[(1, false), (2, true)]);
        call.listens().presses("#").hears("no more new").hears("saved").presses("#");
        assert_eq!(call.take_done(), ["read 1"]);
        call.listens_until("messages, press one");
    }

    #[test]
    fn seven_deletes_and_goes_on() {
        let mut call = hearing(&[(1, false), (2, false)]);
        call.listens().presses("7");
        assert_eq!(call.take_done(), ["delete 1"]);
        call.listens().hears("New message");
    }

    #[test]
    fn nine_keeps_it_new_also_when_going_on() {
        let mut call = hearing(&[(1, false), (2, false)]);
        call.listens().listens().presses("9");
        assert_eq!(call.take_done(), ["read 1", "unread 1"]);
        call.listens().presses("#");
        assert_eq!(call.take_done(), [""; 0]);
    }

    #[test]
    fn the_envelope_says_from_whom_and_how_long() {
        let mut call = hearing(&[(1, false)]);
        call.listens().listens().presses("005");
        call.hears("Björn Åkesson").hears("ten seconds").listens().hears("press");
    }

    #[test]
    fn replay_starts_over() {
        let mut call = hearing(&[(1, false)]);
        call.listens().listens().presses("001").waits(Duration::from_millis(1300));
        assert_eq!(call.take_done(), ["read 1"], "read once only");
    }

    #[test]
    fn previous_goes_back_and_the_first_has_none() {
        let mut call = hearing(&[(1, false), (2, false)]);
        call.listens().presses("#").listens().presses("0011");
        assert_eq!(call.take_done(), ["read 1", "read 2"]);
        call.listens().presses("0011").hears("This is the first message").listens();
    }

    #[test]
    fn two_pauses_and_goes_on_where_it_was() {
        let mut call = hearing(&[(1, false)]);
        call.listens().presses("2").hears("To go on, press two").presses("2").hears("[audio]").listens();
        assert_eq!(call.take_done(), ["read 1"]);
    }

    #[test]
    fn one_jumps_back_and_three_forward() {
        let mut call = hearing(&[(1, false)]);
        call.listens().presses("1").waits(Duration::from_millis(1200));
        assert_eq!(call.take_done(), ["read 1"], "it went on from the beginning, and to the end");
        let mut call = hearing(&[(1, false)]);
        call.listens().presses("33");
        assert_eq!(call.take_done(), ["read 1"]);
    }

    #[test]
    fn star_leads_to_the_main_menu_and_one_back() {
        let mut call = hearing(&[(1, false)]);
        call.listens().presses("*").hears("messages, press one").presses("1").hears("New message");
    }

    #[test]
    fn an_empty_mailbox_says_so() {
        let mut call = hearing(&[]);
        call.hears("no messages").hears("messages, press one");
    }

    #[test]
    fn somebody_who_fell_asleep_is_let_go() {
        let mut call = hearing(&[(1, false)]);
        call.waits(Duration::from_secs(600));
        assert!(call.over);
        assert_eq!(call.take_done(), ["read 1"]);
    }

    #[test]
    fn a_deleted_message_is_reached_by_previous_and_seven_brings_it_back() {
        let mut call = hearing(&[(1, false), (2, false)]);
        call.listens().presses("7").listens().hears("New message").listens().presses("0011");
        call.hears("Deleted message").listens().presses("7");
        assert_eq!(call.take_done(), ["delete 1", "read 2", "undelete 1"]);
        call.hears("Brought back");
    }

    #[test]
    fn slower_and_faster_go_on_at_another_pace_from_there() {
        let mut call = hearing(&[(1, false)]);
        call.listens().presses("6").hears("[audio]").presses("6").presses("4").presses("4").presses("4");
        assert_eq!(call.take_done(), ["at 125", "at 150", "at 125", "at 80"]);
    }

    #[test]
    fn a_pace_is_kept_for_the_next_message() {
        let mut call = hearing(&[(1, false), (2, false)]);
        call.listens().presses("6").presses("#").listens();
        assert_eq!(call.take_done(), ["at 125", "read 1", "at 125"]);
    }

    #[test]
    fn eight_replies_to_whoever_left_it() {
        let mut call = hearing(&[(1, false)]);
        call.listens().listens().presses("8").hears("Please speak after the tone").listens().presses("#").presses("1#");
        assert_eq!(call.take_done(), ["read 1", "write to 27001", "send"]);
        call.hears("has been sent").listens().hears("For the next message");
    }

    #[test]
    fn a_stranger_cannot_be_answered_or_called() {
        let mut stranger = message(1, false);
        stranger.from_number = Some("0701234567".into());
        let mut call = hearing_of(vec![stranger]);
        call.listens().listens().presses("8").hears("can't be answered").listens().presses("002").hears("no number");
    }

    #[test]
    fn zero_zero_two_calls_the_sender() {
        let mut call = hearing(&[(1, false)]);
        call.listens().listens().presses("002").hears("connecting you to Björn").listens();
        assert_eq!(call.transferring.as_ref().map(|(_, to)| to.as_str()), Some("27001"));
    }

    #[test]
    fn zero_zero_six_sends_it_on_with_a_comment() {
        let mut call = hearing(&[(1, false)]);
        call.listens().listens().presses("006").hears("Spell the name").presses("#27001");
        call.hears("goes to Björn").presses("1").hears("what you want to add").listens().presses("#").presses("1#");
        assert_eq!(call.take_done(), ["read 1", "forward to 27001", "send"]);
    }

    #[test]
    fn private_and_protected_messages_are_not_sent_on() {
        for (private, protected) in [(true, false), (false, true)] {
            let mut kept = message(1, false);
            (kept.private, kept.protected) = (private, protected);
            let mut call = hearing_of(vec![kept]);
            call.listens().listens().presses("006").hears("can't be sent on");
        }
    }

    #[test]
    fn zero_zero_four_four_flags_and_unflags() {
        let mut call = hearing(&[(1, true)]);
        call.listens().listens().presses("0044").hears("Marked").listens().presses("0044").hears("no longer");
        assert_eq!(call.take_done(), ["flag 1", "unflag 1"]);
    }

    #[test]
    fn zero_zero_and_a_pause_says_what_there_is_more() {
        let mut call = hearing(&[(1, false)]);
        call.listens().listens().presses("00").passes(Duration::from_millis(1300)).hears("press four four");
        call.presses("5").hears("ten seconds");
    }
}
