//! Spoken commands. What may be said stands in the tables of the keys, and *means* those keys: a command that was understood
//! is typed, so that a dialogue reads the one as the other. What was understood half is asked for first, and so is what
//! destroys something and whoever is named.

use super::FIRST_KEY;
use super::caller::{Ask, Caller, Reply, Subscriber};
use super::directory_search::Search;
use media::PlayEnd;
use speech::recognition::{Grammar, Heard};
use speech::{Person, Phrase, Prompt, Value};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// So long is waited for what somebody says who has begun: the longest utterance, and until it is understood.
pub(super) const SPEAKS: Duration = Duration::from_secs(15);
/// As many times in a row somebody is asked to say it again; then he is asked for keys.
const MOST_MISHEARD: u32 = 3;
/// Between two commands that are offered.
const BETWEEN: Duration = Duration::from_millis(250);
/// Ends what was typed for a command: no second key is waited for. No telephone has it.
pub(super) const COMMAND_END: char = ' ';
/// What is typed for the first department of the directory, by its name; the next character for the next. No telephone has them.
const FIRST_DEPARTMENT: char = '\u{e000}';

/// What the recogniser made of what was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spoken {
    Heard(Heard),
    /// It could not be asked.
    Failed,
}

/// One thing to say.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    /// In the words of the grammar.
    pub(super) words: String,
    /// The keys that it means.
    pub(super) keys: String,
    /// How it is said back.
    pub(super) said: Value,
    /// It is done only once it was said to be right.
    pub(super) asked: bool,
    /// A name, of any language.
    pub(super) name: bool,
}

impl Command {
    /// Somebody who may be named, and the keys that reach him.
    fn person(person: &Subscriber, keys: String) -> Command {
        let said = Person::new(person.name.clone(), person.extension.clone()).into();
        Command { words: person.name.clone(), keys, said, asked: true, name: true }
    }
}

/// All that may be said now.
#[derive(Clone, Debug)]
pub(crate) struct Commands {
    grammar: Arc<Grammar>,
    commands: Vec<Command>,
}

impl Commands {
    pub(super) fn new(commands: Vec<Command>) -> Arc<Commands> {
        let grammar =
            Arc::new(Grammar::with_names(commands.iter().map(|command| (command.words.as_str(), command.name))));
        Arc::new(Commands { grammar, commands })
    }
}

/// What was said: yes, or no.
const YES_NO: [(&str, char); 6] =
    [("yes", '1'), ("no", '2'), ("yeah", '1'), ("correct", '1'), ("nope", '2'), ("wrong", '2')];

fn yes_no() -> Arc<Commands> {
    let command = |(words, key): (&str, char)| Command {
        words: words.to_owned(),
        keys: key.to_string(),
        said: Value::Text(words.to_owned()),
        asked: false,
        name: false,
    };
    Commands::new(YES_NO.into_iter().map(command).collect())
}

/// Commands as they are offered: "You can say: ...".
pub(super) fn offer(words: impl IntoIterator<Item = &'static str>) -> Vec<Phrase> {
    let words = words.into_iter().flat_map(|word| [Value::Word(word).into(), Phrase::Pause(BETWEEN)]);
    std::iter::once(Prompt::VoiceSay.into()).chain(words).collect()
}

/// What came first.
pub(super) enum Came {
    Key(char),
    Spoken(Spoken),
    Nothing,
}

impl Caller {
    /// Spoken commands are of use from now on, or no more. They are there only while something is listened for.
    pub(super) fn use_voice(&self, on: bool) {
        if !on {
            self.deaf();
        }
        self.desk().voice = on;
    }

    /// Whether the caller may speak to this dialogue.
    pub(super) fn hears(&self) -> bool {
        self.desk().voice
    }

    /// From now on these may be said, where anything may.
    pub(super) fn listen(&self, commands: &Arc<Commands>) {
        if commands.grammar.is_empty() {
            return self.deaf();
        }
        {
            let mut desk = self.desk();
            let same = desk.commands.as_ref().is_some_and(|now| now.grammar == commands.grammar);
            if !desk.voice {
                return;
            }
            desk.commands = Some(commands.clone());
            if same {
                return;
            }
            (desk.said, desk.speaking) = (None, None);
        }
        self.post(Ask::Listen(Some(commands.grammar.clone())));
    }

    /// Nothing may be said for now: somebody records, or types what is secret.
    pub(super) fn deaf(&self) {
        let listened = {
            let mut desk = self.desk();
            (desk.said, desk.speaking) = (None, None);
            desk.commands.take()
        };
        if listened.is_some() {
            self.post(Ask::Listen(None));
        }
    }

    /// Whether something was said, or is being said, and no key counts more.
    fn is_spoken_to(&self) -> bool {
        let mut desk = self.desk();
        desk.said.is_some() || desk.speaking.is_some() && !desk.has_keys()
    }

    /// Takes in what was said, or is being said: types its keys, or says why not.
    pub(super) async fn settle(&self) {
        while self.is_spoken_to() {
            match self.key_or_speech(Duration::ZERO).await {
                // Boxed: it plays, and what plays settles.
                Came::Spoken(said) => Box::pin(self.understand(said)).await,
                Came::Key(key) => return self.put_back(key),
                // What it was never came back.
                Came::Nothing => self.desk().speaking = None,
            }
        }
    }

    /// A key that was taken and is another's.
    pub(super) fn put_back(&self, key: char) {
        self.desk().put_back(key);
    }

    pub(super) async fn understand(&self, said: Spoken) {
        let Some(commands) = self.desk().commands.clone() else { return };
        match said {
            Spoken::Heard(Heard::Phrase { phrase, sure }) => {
                let Some(command) = commands.commands.get(phrase) else { return };
                if sure && !command.asked || self.is_right(command).await {
                    self.desk().misheard = 0;
                    return self.type_command(&command.keys);
                }
                self.listen(&commands);
                if self.hears() {
                    self.misheard(Prompt::VoiceAgain).await;
                }
            }
            Spoken::Heard(Heard::Unclear) => self.misheard(Prompt::VoiceNotUnderstood).await,
            Spoken::Failed => self.keys_only(Prompt::VoiceUnavailable).await,
        }
    }

    async fn misheard(&self, apology: Prompt) {
        let times = {
            let mut desk = self.desk();
            desk.misheard += 1;
            desk.misheard
        };
        match times {
            MOST_MISHEARD.. => self.keys_only(Prompt::VoiceKeys).await,
            _ => {
                self.play_with(vec![apology.into()], true).await;
            }
        }
    }

    /// The rest of the call goes by keys.
    async fn keys_only(&self, why: Prompt) {
        self.use_voice(false);
        self.desk().by_keys = true;
        self.play_with(vec![why.into()], true).await;
    }

    /// Whether to wait for no key, since the caller has not heard which there are.
    pub(super) fn is_to_be_told_keys(&self) -> bool {
        let mut desk = self.desk();
        std::mem::take(&mut desk.by_keys) && !desk.has_keys()
    }

    fn type_command(&self, keys: &str) {
        let mut desk = self.desk();
        desk.type_for_caller(keys);
        desk.type_for_caller(&COMMAND_END.to_string());
    }

    /// Asks whether this is what was said. Whoever presses a key wants to go on by keys.
    async fn is_right(&self, command: &Command) -> bool {
        self.listen(&yes_no());
        let question = || -> Vec<Phrase> {
            vec![Prompt::VoiceDidYouSay.into(), command.said.clone().into(), Prompt::VoiceYesOrNo.into()]
        };
        for _ in 0..2 {
            self.play_with(question(), true).await;
            match self.key_or_speech(FIRST_KEY).await {
                Came::Spoken(Spoken::Heard(Heard::Phrase { phrase, sure: true })) => {
                    return YES_NO.get(phrase).is_some_and(|(_, key)| *key == '1');
                }
                Came::Spoken(Spoken::Heard(_)) | Came::Nothing => {}
                Came::Spoken(Spoken::Failed) => break,
                Came::Key(key) => {
                    self.desk().put_back(key);
                    break;
                }
            }
        }
        false
    }

    /// What stops a play by speech is here when it was said and understood.
    pub(super) async fn play_and_listen(&self, phrases: Vec<Phrase>) -> super::caller::Played {
        let mut played = self.play_with(phrases, true).await;
        if played.reason == PlayEnd::Speech {
            self.settle().await;
            if self.desk().has_keys() {
                played.reason = PlayEnd::Key;
            }
        }
        played
    }

    /// Everybody who may be named in a search; nobody where the caller is not heard.
    pub(super) async fn people(&self, search: &Search) -> People {
        if !self.hears() {
            return People(Vec::new());
        }
        match self.ask(Ask::People { plan: search.plan.clone(), list: search.list.clone() }).await {
            Reply::People(mut people) => {
                people.retain(|person| search.colleague || person.reachable);
                People(people)
            }
            _ => People(Vec::new()),
        }
    }
}

/// People who may be named, and so may their departments.
pub(super) struct People(pub(super) Vec<Subscriber>);

impl People {
    /// The names, with the keys that reach their owners: `before`, and the extension. Namesakes can't be told apart by their
    /// name: they are searched for by keys.
    pub(super) fn commands(&self, before: &str) -> Vec<Command> {
        let unique = self.0.iter().filter(|person| self.is_only(person));
        unique.map(|person| Command::person(person, format!("{before}{}", person.extension))).collect()
    }

    fn is_only(&self, person: &Subscriber) -> bool {
        self.0.iter().filter(|other| other.name == person.name).count() == 1
    }

    /// The names, with the keys of a list that is read out: from 1 on.
    pub(super) fn choices(&self) -> Vec<Command> {
        let unique = (1..).zip(&self.0).filter(|(_, person)| self.is_only(person));
        unique.map(|(key, person): (u32, _)| Command::person(person, key.to_string())).collect()
    }

    /// The departments, each with a key that no telephone has: `search`, which leads to the directory, and its place.
    pub(super) fn departments(&self, search: &str) -> Vec<Command> {
        let keys = (FIRST_DEPARTMENT..).zip(self.all_departments());
        let command = |(key, name): (char, &str)| Command {
            words: name.to_owned(),
            keys: format!("{search}{key}"),
            said: Value::Text(name.to_owned()),
            asked: false,
            name: true,
        };
        keys.map(command).collect()
    }

    fn all_departments(&self) -> BTreeSet<&str> {
        self.0.iter().filter_map(|person| person.department.as_deref()).collect()
    }

    /// Who is in the department whose key this is; `None`: it is none's.
    pub(super) fn in_department(&self, key: char) -> Option<People> {
        let place = u32::from(key).checked_sub(u32::from(FIRST_DEPARTMENT))?;
        let all = self.all_departments();
        let name = all.into_iter().nth(usize::try_from(place).ok()?)?;
        let people = self.0.iter().filter(|person| person.department.as_deref() == Some(name));
        Some(People(people.cloned().collect()))
    }
}

#[cfg(test)]
mod tests {
    use crate::dialogue::caller::PinCheck;
    use crate::dialogue::personal::Personal;
    use crate::dialogue::script::{Script, message, personal};
    use std::time::Duration;

    fn call_of(personal: Personal) -> Script {
        let setup = |script: &mut Script| {
            script.pins = [PinCheck::Right { expired: false }].into();
            script.messages = vec![message(1, false), message(2, true)];
            script.personal = Some(personal);
        };
        Script::own_phone(setup)
    }

    /// Anna has logged on, begins by voice, and hears the main menu.
    fn call() -> Script {
        call_of(Personal { prefers_voice: true, voice: true, ..personal() })
    }

    fn hearing_a_message() -> Script {
        let mut call = call();
        call.says("voice mail").hears("New message").listens();
        call
    }

    #[test]
    fn the_main_menu_offers_what_may_be_said() {
        let mut call = call();
        call.hears("You have one new message").hears("You can say").hears("voice mail").hears("personal options");
        call.hears("use the keys");
        assert!(!call.said().contains("press one") && !call.said().contains("email"));
    }

    #[test]
    fn every_command_of_the_main_menu_leads_where_its_key_does() {
        for (command, words) in [
            ("voice mail", "New message"),
            ("messages", "New message"),
            ("directory", "Say a name"),
            ("find by name", "Say a name"),
            ("send a message", "Say a name"),
            ("compose", "Say a name"),
            ("personal options", "out-of-office greeting on or off, press one"),
            ("repeat", "You can say"),
            ("main menu", "You can say"),
        ] {
            call().says(command).hears(words);
        }
    }

    #[test]
    fn every_command_of_a_message_does_what_its_keys_do() {
        for (command, done) in [
            ("next", "read 1"),
            ("mark as unread", "unread 1"),
            ("reply", "write to 27001"),
            ("previous", "read 1"),
            ("flag for follow up", "flag 1"),
        ] {
            let mut call = hearing_a_message();
            call.says(command);
            assert!(call.take_done().iter().any(|what| what == done), "{command}");
        }
        for (command, words) in [
            ("envelope information", "Björn"),
            ("read the header", "Björn"),
            ("call sender", "connecting you to Björn"),
            ("forward", "Say a name"),
            ("more options", "You can say"),
            ("repeat", "You can say"),
            ("end", "You can say"),
            ("main menu", "You can say"),
        ] {
            hearing_a_message().says(command).hears(words);
        }
        for command in ["replay", "play"] {
            hearing_a_message().says(command).hears("[audio]");
        }
    }

    #[test]
    fn delete_is_done_only_when_it_was_said_to_be_right() {
        let mut call = hearing_a_message();
        call.says("delete").hears("Did you say").hears("delete").hears("yes or no");
        assert_eq!(call.take_done(), [""; 0]);
        call.says("no").hears("say it again");
        assert_eq!(call.take_done(), [""; 0]);
        call.says("delete").says("yes");
        assert_eq!(call.take_done(), ["delete 1"]);
        call.listens().hears("saved message").says("previous").hears("Deleted message");
        assert!(call.may_say("undelete") && !call.may_say("delete"));
    }

    #[test]
    fn what_was_half_understood_is_asked_for_first() {
        let mut call = call();
        call.mumbles("voice mail").hears("Did you say").hears("voice mail").says("yes").hears("New message");
    }

    #[test]
    fn what_is_no_command_does_nothing_and_the_third_time_asks_for_keys() {
        let mut call = call();
        call.says("the weather is nice").hears("I did not understand");
        call.says("is it not").hears("I did not understand");
        call.says("well then").hears("use the keys").listens();
        assert!(!call.may_say("voice mail"), "it goes by keys now");
        call.hears("press one").presses("1").hears("New message");
    }

    #[test]
    fn what_was_understood_in_between_is_forgiven() {
        let mut call = call();
        for _ in 0..5 {
            call.says("what").hears("I did not understand").says("repeat").hears("You can say");
        }
    }

    #[test]
    fn an_unclear_word_does_not_end_a_message_that_plays() {
        let mut call = hearing_a_message();
        call.hears("[audio]").says("hm").hears("I did not understand").listens().hears("[audio]");
        assert_eq!(call.take_done(), [""; 0]);
    }

    #[test]
    fn any_key_falls_back_to_touch_tone_and_means_what_it_means() {
        let mut call = call();
        call.presses("1").hears("New message").listens().listens().hears("press");
        assert!(!call.may_say("next"));
    }

    #[test]
    fn a_key_in_answer_to_a_question_goes_on_by_keys() {
        let mut call = hearing_a_message();
        call.says("delete").hears("Did you say").presses("#");
        assert_eq!(call.take_done(), ["read 1"], "the key counts, what was said does not");
    }

    #[test]
    fn a_name_is_asked_for_and_then_found() {
        let mut call = call();
        call.says("directory").hears("Say a name").says("björn åkesson").hears("Did you say Björn Åkesson");
        call.says("yes").hears("Björn Åkesson").says("call").hears("connecting you to Björn");
    }

    #[test]
    fn options_and_recordings_go_by_keys_and_voice_is_there_again_after_them() {
        let mut call = call();
        call.says("personal options");
        assert!(!call.may_say("repeat"));
        call.presses("*").hears("You can say").says("voice mail").hears("New message");
    }

    #[test]
    fn a_recogniser_that_fails_leaves_the_keys_and_says_so() {
        let mut call = call();
        call.says_to_nobody().hears("not available").listens().hears("press one");
    }

    #[test]
    fn who_prefers_voice_is_told_where_there_is_none() {
        let mut call = call_of(Personal { prefers_voice: true, voice: false, ..personal() });
        call.hears("Spoken commands are not available").hears("press one");
        assert!(!call.may_say("voice mail"));
    }

    #[test]
    fn who_prefers_keys_is_not_listened_to() {
        let call = call_of(Personal { prefers_voice: false, voice: true, ..personal() });
        assert!(!call.may_say("voice mail"));
    }

    #[test]
    fn whoever_is_speaking_is_waited_for() {
        let mut call = call();
        call.listens().passes(Duration::from_millis(4900));
        call.says("voice mail").hears("New message");
    }
}
