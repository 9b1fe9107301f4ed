//! Mail by phone (fact sheet 4.3): the unread ones, newest first, each read out: [`MENU`] after it or while it is read, and
//! [`MORE`] behind 00. Mail is read when it was heard to its end, or when `#` went on from it.

use super::caller::Caller;
use super::consult::{named, written_in};
use super::contact_search::{Whom, contact_search};
use super::mail_visit::{Next, Visit};
use super::menu::{Key, Menu};
use super::personal::{Left, User, give_up};
use crate::personal_information::{Answer, Mail, Question};
use speech::{Language, Phrase, Prompt};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Does {
    Next,
    Accept,
    Tentative,
    Delete,
    Reply,
    KeepUnread,
    More,
    Repeat,
    Back,
}

pub(crate) const MENU: Menu<Does> = Menu {
    name: "A mail",
    about: "After a mail, or while it is read out.",
    keys: &[
        Key::new("#", Does::Next, "the next one").says("voice-word-next", &["next"]),
        Key::new("4", Does::Accept, "of an invitation: accept").says("voice-word-accept", &["accept"]),
        Key::new("44", Does::Tentative, "of an invitation: accept tentatively")
            .says("voice-word-accept-as-tentative", &["accept as tentative"]),
        Key::new("7", Does::Delete, "delete; an invitation (“decline”): decline and delete")
            .says_and_is_asked("voice-word-delete", &["delete", "decline"]),
        Key::new("8", Does::Reply, "answer by voice, where that is allowed")
            .to("A spoken answer")
            .says("voice-word-reply", &["reply"]),
        Key::new("9", Does::KeepUnread, "keep as unread").says("voice-word-mark-as-unread", &["mark as unread"]),
        Key::new("00", Does::More, "more").to("More about mail").says("voice-word-more-options", &["more options"]),
        Key::new("0", Does::Repeat, "repeat").says("voice-word-repeat", &["repeat"]),
        Key::new("*", Does::Back, "back").to("Main menu").says("voice-word-main-menu", &["main menu"]),
    ],
};

#[derive(Clone, Copy, Debug)]
pub(crate) enum More {
    Replay,
    Previous,
    CallSender,
    FindByName,
    Envelope,
    Language,
    Forward,
    Flag,
    DeleteConversation,
    ReplyAll,
    HideConversation,
    NextUnread,
}

pub(crate) const MORE: Menu<More> = Menu {
    name: "More about mail",
    about: "Behind `00` of a mail; the keys may follow at once, and what is said needs no `00`.",
    keys: &[
        Key::new("1", More::Replay, "from its start").says("voice-word-replay", &["replay", "play"]),
        Key::new("11", More::Previous, "the previous one").says("voice-word-previous", &["previous"]),
        Key::new("2", More::CallSender, "call whoever sent it").says("voice-word-call-sender", &["call sender"]),
        Key::new("3", More::FindByName, "all mail of somebody")
            .to("Contact search")
            .says("voice-word-find-by-name", &["find by name"]),
        Key::new("5", More::Envelope, "from whom, and when")
            .says("voice-word-envelope", &["envelope information", "read the header"]),
        Key::new("55", More::Language, "read it in another language")
            .says("voice-word-select-language", &["select language"]),
        Key::new("6", More::Forward, "send it on to a user or group, with a comment")
            .to("A spoken answer")
            .says("voice-word-forward", &["forward"]),
        Key::new("44", More::Flag, "flag for later, or no more").says("voice-word-flag", &["flag for follow up"]),
        Key::new("77", More::DeleteConversation, "delete its whole conversation")
            .says_and_is_asked("voice-word-delete-conversation", &["delete conversation"]),
        Key::new("88", More::ReplyAll, "answer everybody by voice, where that is allowed")
            .to("A spoken answer")
            .says("voice-word-reply-all", &["reply all"]),
        Key::new("99", More::HideConversation, "hear no more of its conversation in this call")
            .says("voice-word-hide-conversation", &["hide conversation"]),
        Key::new("##", More::NextUnread, "the next unread one").says("voice-word-next-unread", &["next unread"]),
    ],
};

/// Mail that is heard in one go, at most.
const MOST: usize = 50;

/// A mail as this call knows it.
pub(super) struct State {
    pub(super) mail: Mail,
    /// 9 was pressed: going on from it must not make it read again.
    pub(super) kept_unread: bool,
    /// Deleted, or of a conversation that is hidden.
    pub(super) gone: bool,
    pub(super) language: Language,
}

pub(super) async fn mail(caller: &Caller, user: &mut User) -> Left {
    let mut of = None;
    loop {
        let question = Question::Mail { from: of.clone(), most: MOST };
        let Answer::Mail(mails) = caller.consult(user, question).await else {
            caller.play(vec![Prompt::SourceUnavailable.into()]).await;
            return Left::ToMenu;
        };
        if mails.is_empty() {
            caller.play(vec![none(caller, user, of).await]).await;
            return Left::ToMenu;
        }
        match hear(caller, user, mails).await {
            Next::Find => {
                let found = contact_search(caller, user).await;
                of = match found {
                    Whom::Contact(contact) => Some(contact.name),
                    Whom::User(person) => Some(person.name),
                    Whom::Group(_) | Whom::Back => None,
                    Whom::Failed => return give_up(caller).await,
                };
            }
            Next::Over => return Left::HungUp,
            _ => return Left::ToMenu,
        }
    }
}

/// That there is no mail, or none of somebody.
async fn none(caller: &Caller, user: &User, of: Option<String>) -> Phrase {
    let Some(name) = of else { return Prompt::MailCount.with("count", 0) };
    let who = crate::personal_information::Contact { name, ..Default::default() };
    Prompt::MailNoneFrom.with("name", named(caller, user, &who).await.unwrap_or_default())
}

/// One after the other.
async fn hear(caller: &Caller, user: &mut User, mails: Vec<Mail>) -> Next {
    let state = |mail: Mail| State {
        language: written_in(mail.language.as_deref(), user),
        mail,
        kept_unread: false,
        gone: false,
    };
    let mut states: Vec<State> = mails.into_iter().map(state).collect();
    let mut at = 0;
    let mut opening: Vec<Phrase> = Vec::new();
    loop {
        let Some(state) = states.get_mut(at) else {
            caller.play(vec![Prompt::MailNoMore.into()]).await;
            return Next::Menu;
        };
        let next = Visit { caller, user }.run(state, std::mem::take(&mut opening)).await;
        if state.gone
            && let Some(conversation) =
                state.mail.conversation.clone().filter(|_| matches!(next, Next::WithoutConversation))
        {
            let same = states.iter_mut().filter(|state| state.mail.conversation.as_ref() == Some(&conversation));
            same.for_each(|state| state.gone = true);
        }
        // What is gone is passed over.
        let there = |state: &State| !state.gone;
        let found = match next {
            Next::Forward | Next::WithoutConversation => {
                states.iter().skip(at + 1).position(there).map(|further| at + 1 + further)
            }
            Next::Unread => {
                let unread = |state: &State| there(state) && !state.mail.read;
                states.iter().skip(at + 1).position(unread).map(|further| at + 1 + further)
            }
            Next::Back => match states.get(..at).and_then(|before| before.iter().rposition(there)) {
                Some(before) => Some(before),
                None => {
                    opening.push(Prompt::MailNoPrevious.into());
                    Some(at)
                }
            },
            Next::Menu | Next::Over | Next::Find => return next,
        };
        at = found.unwrap_or(states.len());
    }
}

#[cfg(test)]
mod tests {
    use crate::dialogue::caller::{PinCheck, TransferEnd};
    use crate::dialogue::personal::{Areas, Personal};
    use crate::dialogue::script::{Script, contact, letter, message, personal};
    use crate::personal_information::{Answer, Mail, Private};
    use std::time::{Duration, SystemTime};

    fn call(mails: Vec<Mail>) -> Script {
        call_of(mails, personal())
    }

    fn call_of(mails: Vec<Mail>, personal: Personal) -> Script {
        Script::own_phone(move |script| {
            script.pins = [PinCheck::Right { expired: false }].into();
            script.messages = vec![message(1, false)];
            script.personal =
                Some(Personal { areas: Areas { mail: true, calendar: false, contacts: true }, ..personal });
            script.contacts = vec![contact("Cecilia Holm", Some("0701234567"))];
            script.mail = mails;
        })
    }

    fn two() -> Vec<Mail> {
        vec![letter("1", "Budget", "The figures are there."), letter("2", "Lunch", "Shall we go at noon?")]
    }

    /// The first mail's header is being said.
    fn hearing(mails: Vec<Mail>) -> Script {
        let mut call = call(mails);
        call.presses("2").hears("Mail from Cecilia Holm");
        call
    }

    #[test]
    fn mail_is_read_out_with_sender_and_subject_and_is_read_then() {
        let mut call = hearing(two());
        call.hears("Subject: Budget").listens().hears("The figures are there.");
        assert_eq!(call.take_done(), [""; 0]);
        call.listens();
        assert_eq!(call.take_done(), ["Mark 1 Read"]);
        call.hears("End of mail").presses("#").hears("Subject: Lunch").presses("#").hears("no more mail");
    }

    #[test]
    fn every_key_after_a_mail_does_what_the_map_says() {
        for (keys, words, done) in [
            ("#", "Subject: Lunch", vec!["Mark 1 Read"]),
            ("7", "Deleted", vec!["Mark 1 Read", "Mark 1 Deleted"]),
            ("8", "speak after the tone", vec!["Mark 1 Read"]),
            ("9", "Kept as new", vec!["Mark 1 Read", "Mark 1 Unread"]),
            ("0", "End of mail", vec!["Mark 1 Read"]),
            ("*", "messages, press one", vec!["Mark 1 Read"]),
            ("001", "The figures", vec!["Mark 1 Read"]),
            ("0011", "This is the first mail", vec!["Mark 1 Read"]),
            ("002", "connecting you to Cecilia Holm", vec!["Mark 1 Read"]),
            ("003", "spell the name", vec!["Mark 1 Read"]),
            ("005", "Received", vec!["Mark 1 Read"]),
            ("0055", "Read in Swedish", vec!["Mark 1 Read"]),
            ("006", "Spell the name", vec!["Mark 1 Read"]),
            ("0044", "Marked for later", vec!["Mark 1 Read", "Mark 1 Flagged"]),
            ("0077", "conversation is deleted", vec!["Mark 1 Read", "Mark 1 ConversationDeleted"]),
            ("0088", "speak after the tone", vec!["Mark 1 Read"]),
            ("0099", "no more of this conversation", vec!["Mark 1 Read"]),
            ("00##", "Subject: Lunch", vec!["Mark 1 Read"]),
            ("1", "does nothing", vec!["Mark 1 Read"]),
            ("4", "does nothing", vec!["Mark 1 Read"]),
        ] {
            let mut call = hearing(two());
            call.listens().listens().hears("End of mail").presses(keys);
            if matches!(keys, "001" | "0" | "005" | "4" | "002") {
                call.passes(Duration::from_millis(1300));
            }
            call.hears(words);
            assert_eq!(call.take_done(), done, "{keys}");
        }
    }

    #[test]
    fn a_long_mail_comes_in_parts_among_which_one_moves_as_in_a_message() {
        let text = "This is a sentence of a long mail that is read. ".repeat(20);
        let mut call = hearing(vec![letter("1", "Long", &text)]);
        call.listens().hears("This is a sentence");
        // Each part lasts ten seconds here.
        call.presses_after("3", Duration::from_secs(9)).passes(Duration::from_millis(1300));
        call.hears("This is a sentence").presses_after("1", Duration::from_secs(1));
        call.passes(Duration::from_millis(1300)).hears("[audio]").presses("2").hears("To go on, press two");
        call.presses("2").hears("[audio]").presses("33");
        assert_eq!(call.take_done(), ["Mark 1 Read"]);
        call.hears("End of mail").presses("6").hears("does nothing");
    }

    #[test]
    fn hanging_up_midway_leaves_it_unread() {
        let mut call = hearing(two());
        call.listens().hears("The figures");
        assert_eq!(call.take_done(), [""; 0]);
    }

    #[test]
    fn an_invitation_says_when_and_is_answered() {
        let invitation = |_| {
            let begins = SystemTime::now() + Duration::from_secs(86_400);
            vec![Mail { invites: Some(begins), ..letter("1", "Review", "Please come.") }, two().remove(1)]
        };
        let mut call = hearing(invitation(()));
        call.hears("invites you to a meeting tomorrow").listens().listens().hears("To accept, press four");
        call.presses("4").passes(Duration::from_millis(1300)).hears("You have accepted.");
        assert_eq!(call.take_done(), ["Mark 1 Read", "Attend 1 Accepted"]);
        let mut call = hearing(invitation(()));
        call.listens().listens().presses("44").hears("tentatively");
        assert_eq!(call.take_done(), ["Mark 1 Read", "Attend 1 Tentative"]);
        let mut call = hearing(invitation(()));
        call.listens().listens().presses("7").hears("You have declined.").listens().hears("Lunch");
        assert_eq!(call.take_done(), ["Mark 1 Read", "Attend 1 Declined", "Mark 1 Deleted"]);
    }

    #[test]
    fn an_answer_is_recorded_heard_and_sent() {
        let mut call = hearing(two());
        call.listens().listens().presses("8").listens().presses("#").hears("To send it, press one");
        call.presses("2").hears("[audio]").listens().presses("1").hears("answer has been sent");
        assert_eq!(call.take_done(), ["Mark 1 Read", "Reply 1 to the sender"]);
        let mut call = hearing(two());
        call.listens().listens().presses("0088").listens().presses("#").presses("1");
        assert_eq!(call.take_done(), ["Mark 1 Read", "Reply 1 to all"]);
        let mut call = hearing(two());
        call.listens().listens().presses("8").listens().presses("#").presses("*").hears("End of mail");
        assert_eq!(call.take_done(), ["Mark 1 Read"]);
    }

    #[test]
    fn answers_by_voice_may_be_forbidden() {
        let mut call = call_of(two(), Personal { voice_replies: false, ..personal() });
        call.presses("2").listens().listens().presses("8").hears("can't be answered by voice");
    }

    #[test]
    fn it_is_sent_on_to_a_user_with_a_comment() {
        let mut call = hearing(two());
        call.listens().listens().presses("006").hears("Spell the name").presses("#27001");
        call.hears("what you want to add").listens().presses("#").presses("1").hears("sent on");
        assert_eq!(call.take_done(), ["Mark 1 Read", "Forward 1 to 27001"]);
    }

    #[test]
    fn the_sender_is_called_where_that_is_allowed() {
        let mut call = hearing(two());
        call.listens().listens().presses("002").listens();
        assert_eq!(call.transferring.as_ref().map(|(_, to)| to.as_str()), Some("0701234567"));
        call.transferred(TransferEnd::Busy).hears("busy");
        let mut denied = hearing(two());
        denied.denied = Some(crate::rules::Denied::NoRule);
        denied.listens().listens().presses("002").hears("can't call that number");
    }

    #[test]
    fn a_conversation_is_passed_over_once_it_is_hidden() {
        let mut mails = two();
        mails.push(Mail { conversation: Some("c".into()), ..letter("3", "Budget again", "More.") });
        mails[0].conversation = Some("c".into());
        let mut call = hearing(mails);
        call.listens().listens().presses("0099").listens().hears("Lunch").presses("#").hears("no more mail");
    }

    #[test]
    fn all_mail_of_somebody_is_found_by_name() {
        let mut call = hearing(two());
        call.listens().listens().presses("003").hears("spell the name").presses("232#");
        assert_eq!(call.take_done(), ["Mark 1 Read"]);
        call.hears("Mail from Cecilia");
        assert!(call.consulted.iter().any(|asked| asked.contains("Some(\"Cecilia Holm\")")), "{:?}", call.consulted);
    }

    #[test]
    fn mail_in_another_language_is_read_in_it() {
        let mut call = hearing(vec![Mail { language: Some("sv-SE".into()), ..letter("1", "Lunch", "Hej.") }]);
        call.listens();
        assert_eq!(call.spoken_in("Hej."), Some(speech::Language::Swedish));
        call.listens().presses("0055").hears("Read in English").listens().hears("Hej.");
        assert_eq!(call.spoken_in("Hej."), Some(speech::Language::English));
    }

    #[test]
    fn without_unread_mail_it_says_so() {
        let mut call = call(Vec::new());
        call.presses("2").hears("no unread mail").listens().hears("messages, press one");
    }

    #[test]
    fn mail_without_text_or_sender_can_be_heard() {
        let mut mail = letter("1", "", "");
        mail.from = Default::default();
        let mut call = call(vec![mail]);
        call.presses("2").hears("somebody unknown").hears("Without a subject").hears("no text");
        call.presses("#").hears("no more mail");
    }

    #[test]
    fn what_can_t_be_spoken_leads_to_the_main_menu() {
        let mut call = hearing(vec![letter("1", "Secret", "unspeakable")]);
        call.listens().hears("can't be read out").listens().hears("messages, press one");
    }

    #[test]
    fn a_source_that_is_slow_has_the_caller_told_to_wait() {
        let mut call = call(two());
        call.source_silent = true;
        call.presses("2").passes(Duration::from_secs(2)).hears("One moment").listens();
        call.source_answers().hears("Mail from Cecilia");
    }

    #[test]
    fn a_source_that_hangs_answers_nonsense_or_is_away_leads_back() {
        let mut hangs = call(two());
        hangs.source_silent = true;
        hangs.presses("2").passes(Duration::from_secs(2)).listens().passes(Duration::from_secs(9));
        hangs.hears("can't be reached").listens().hears("messages, press one");
        // What comes now is nobody's.
        hangs.source_answers().presses("1").hears("New message");
        for answer in [Answer::Unavailable("away".into()), Answer::Done, Answer::Contacts(vec![contact("X", None)])] {
            let mut call = call(two());
            call.source_says = Some(answer);
            call.presses("2").hears("can't be reached").listens().hears("messages, press one");
        }
    }

    #[test]
    fn what_can_t_be_done_is_said() {
        let mut call = hearing(two());
        call.listens().listens();
        call.source_says = Some(Answer::Unavailable("read only".into()));
        call.presses("7").hears("could not be done").listens().hears("End of mail");
    }

    #[test]
    fn every_command_of_mail_does_what_its_keys_do() {
        for (command, words) in [
            ("next", "Lunch"),
            ("mark as unread", "Kept as new"),
            ("reply", "speak after the tone"),
            ("reply all", "speak after the tone"),
            ("previous", "first mail"),
            ("call sender", "connecting you"),
            ("find by name", "spell the name"),
            ("envelope information", "Received"),
            ("select language", "Read in Swedish"),
            ("forward", "Say a name"),
            ("flag for follow up", "Marked for later"),
            ("hide conversation", "no more of this"),
            ("next unread", "Lunch"),
            ("more options", "You can say"),
            ("main menu", "You can say"),
            ("delete", "Did you say"),
            ("delete conversation", "Did you say"),
        ] {
            let mut call = call_of(two(), Personal { voice: true, prefers_voice: true, ..personal() });
            call.says("email").hears("Mail from").listens().listens().says(command).hears(words);
            assert!(!call.may_say("accept"), "it is no invitation");
        }
    }

    #[test]
    fn private_text_is_not_in_what_is_written_down() {
        let asked = format!("{:?}", crate::storage::StoreRequest::Speak(Private("secret".into()), Default::default()));
        assert!(!asked.contains("secret"), "{asked}");
    }
}
