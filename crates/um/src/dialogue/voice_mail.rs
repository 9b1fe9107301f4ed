//! The messages, new ones first (fact sheet 4.3).
//!
//! | key | after (or while) a message plays |
//! |---|---|
//! | # | next |
//! | 7 | delete |
//! | 9 | mark as unread |
//! | 00 5 | envelope: from whom, when, how long |
//! | 00 1 | replay |
//! | 00 11 | previous |
//! | 0 | repeat the menu |
//! | * | main menu |
//!
//! A message is read when it was heard to its end, or when `#` (or a jump to the previous one) went on from it. Hanging
//! up in the middle leaves it new.

use super::caller::{Caller, Subscriber};
use super::player::{Heard, player};
use super::{FIRST_KEY, SECOND_KEY};
use crate::storage::{StoreAnswer, StoreRequest};
use mailbox::Message;
use speech::{Person, Phrase, Prompt, Value};
use time::OffsetDateTime;

/// How the caller left the messages.
pub(super) enum Left {
    /// To the main menu.
    ToMenu,
    /// Silent for too long: goodbye was said.
    HungUp,
}

/// Where to go from a message.
enum Next {
    Forward,
    Back,
    Menu,
    Over,
}

pub(super) async fn voice_mail(
    caller: &Caller,
    subscriber: &Subscriber,
    messages: Vec<Message>,
    most_failures: u32,
) -> Left {
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
        let visit = Visit { caller, subscriber, saved, most_failures };
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
            Next::Back => match (0..at).rev().find(|index| states.get(*index).is_some_and(|state| !state.deleted)) {
                Some(previous) => at = previous,
                None => opening.push(Prompt::NoPreviousMessage.into()),
            },
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
    subscriber: &'a Subscriber,
    saved: bool,
    most_failures: u32,
}

impl Visit<'_> {
    async fn run(&self, state: &mut State, opening: Vec<Phrase>) -> Next {
        let mailbox = || self.subscriber.mailbox.clone();
        let mut header = opening;
        header.extend(self.header(&state.message));
        let audio = match self.caller.store(StoreRequest::Audio(mailbox(), state.message.id)).await {
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
            let mut key = None;
            if let Some(header) = play.take() {
                match player(self.caller, header, &audio).await {
                    Heard::ToTheEnd => self.read(state).await,
                    Heard::Key(pressed) => key = Some(pressed),
                    Heard::Previous => {
                        self.went_on(state).await;
                        return Next::Back;
                    }
                }
            }
            let key = match key {
                Some(key) => Some(key),
                None => {
                    self.caller.play(vec![Prompt::EndOfMessage.into(), Prompt::PlayerMenu.into()]).await;
                    self.caller.key(FIRST_KEY).await
                }
            };
            match key {
                Some('#') => {
                    self.went_on(state).await;
                    return Next::Forward;
                }
                Some('7') => match self.caller.store(StoreRequest::Delete(mailbox(), state.message.id)).await {
                    Ok(_) => {
                        state.deleted = true;
                        self.caller.play(vec![Prompt::Deleted.into()]).await;
                        return Next::Forward;
                    }
                    Err(_) => self.caller.announce(vec![Prompt::MailboxUnreachable.into()]).await,
                },
                Some('9') => match self.set_read(state, false).await {
                    true => {
                        state.kept_unread = true;
                        self.caller.play(vec![Prompt::MarkedUnread.into()]).await;
                    }
                    false => self.caller.announce(vec![Prompt::MailboxUnreachable.into()]).await,
                },
                Some('0') => match self.more().await {
                    Some(More::Envelope) => {
                        self.caller.play(self.envelope(&state.message)).await;
                    }
                    Some(More::Replay) => play = Some(Vec::new()),
                    Some(More::Previous) => {
                        self.went_on(state).await;
                        return Next::Back;
                    }
                    None => {}
                },
                Some('*') => return Next::Menu,
                Some(_) => {
                    failures += 1;
                    self.caller.forget_keys();
                    self.caller.play(vec![Prompt::InvalidKey.into()]).await;
                }
                None => {
                    failures += 1;
                    self.caller.play(vec![Prompt::StillThere.into()]).await;
                }
            }
            if failures >= self.most_failures {
                self.caller.announce(vec![Prompt::ThankYouGoodbye.into()]).await;
                return Next::Over;
            }
        }
    }

    /// What follows a first 0: nothing (repeat the menu), or a second 0 and one of the keys behind it.
    async fn more(&self) -> Option<More> {
        if self.caller.key(SECOND_KEY).await != Some('0') {
            return None;
        }
        let key = match self.caller.key(SECOND_KEY).await {
            Some(key) => Some(key),
            None => {
                self.caller.play(vec![Prompt::PlayerMore.into()]).await;
                self.caller.key(FIRST_KEY).await
            }
        };
        match key? {
            '5' => Some(More::Envelope),
            '1' => match self.caller.key(SECOND_KEY).await {
                Some('1') => Some(More::Previous),
                _ => Some(More::Replay),
            },
            _ => {
                self.caller.play(vec![Prompt::InvalidKey.into()]).await;
                None
            }
        }
    }

    async fn went_on(&self, state: &mut State) {
        self.read(state).await;
    }

    async fn read(&self, state: &mut State) {
        if !state.message.read && !state.kept_unread {
            // A store that is down leaves the message new: it is offered again next time, which loses nothing.
            self.set_read(state, true).await;
        }
    }

    async fn set_read(&self, state: &mut State, read: bool) -> bool {
        let request = StoreRequest::SetRead(self.subscriber.mailbox.clone(), state.message.id, read);
        let done = self.caller.store(request).await.is_ok();
        if done {
            state.message.read = read;
        }
        done
    }

    fn header(&self, message: &Message) -> Vec<Phrase> {
        let mut phrases = vec![if self.saved { Prompt::SavedMessage } else { Prompt::NewMessage }.into()];
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
            // The server's zone is not known without a database of zones: times are UTC until time zones are a setting.
            let at = OffsetDateTime::from(message.received);
            phrases.push(Prompt::Received.with("when", Value::Moment { at, now: OffsetDateTime::from(now.wall) }));
        }
        let seconds = (message.duration_ms / 1000).max(1);
        phrases.push(match seconds {
            0..120 => Prompt::LengthSeconds.with("count", seconds),
            _ => Prompt::LengthMinutes.with("count", (seconds + 30) / 60),
        });
        phrases
    }
}

enum More {
    Envelope,
    Replay,
    Previous,
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
    use crate::dialogue::script::{Script, anna, message};
    use crate::dialogue::subscriber_logon::{Access, subscriber_logon};
    use std::time::Duration;

    /// Logged on, and past the counts: the first message's header is being said.
    fn hearing(messages: &[(u128, bool)]) -> Script {
        let messages = messages.iter().map(|(id, read)| message(*id, *read)).collect();
        let setup = move |script: &mut Script| {
            script.pins = [PinCheck::Right { expired: false }].into();
            script.messages = messages;
        };
        let access = Access { from: Some(anna()), digits: 5, failures: 3, logon_failures: 3, elsewhere: None };
        let mut script = Script::start(setup, |caller| subscriber_logon(caller, access));
        script.presses("730146#").listens();
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
        call.listens_until("To hear your messages, press one");
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
        call.listens().presses("*").hears("press one").presses("1").hears("New message");
    }

    #[test]
    fn an_empty_mailbox_says_so() {
        let mut call = hearing(&[]);
        assert!(!call.over);
        call.presses("1").hears("no messages");
    }

    #[test]
    fn somebody_who_fell_asleep_is_let_go() {
        let mut call = hearing(&[(1, false)]);
        call.waits(Duration::from_secs(600));
        assert!(call.over);
        assert_eq!(call.take_done(), ["read 1"]);
    }
}
