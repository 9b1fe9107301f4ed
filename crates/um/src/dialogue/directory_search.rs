//! Directory search (fact sheet 4.5): the caller spells a name on the keypad and chooses among those who are meant.
//! Its keys are [`MENU`] and [`CHOICE`].
//!
//! The search also begins by itself after a pause, and as soon as three keys leave one person.

use super::caller::{Caller, Match, Subscriber};
use super::groups::Group;
use super::menu::{Key, Menu, Pressed};
use super::people::spoken;
use super::voice::{Command, Commands, People};
use crate::commands::dial_plan::{DialByName, MatchedName};
use crate::people::directory::MOST_FOUND;
use speech::{Phrase, Prompt, Value};
use std::sync::Arc;
use std::time::Duration;

/// What the search must know.
#[derive(Clone, Debug)]
pub(crate) struct Search {
    /// Of this address list only.
    pub(crate) list: Option<String>,
    /// The dial plan that is searched; `None`: all.
    pub(crate) plan: Option<String>,
    /// How names are spelt; not [`DialByName::None`].
    pub(crate) primary: DialByName,
    /// The other way, where there is one.
    pub(crate) secondary: DialByName,
    /// What tells namesakes apart.
    pub(crate) detail: MatchedName,
    /// Digits in an extension.
    pub(crate) digits: usize,
    /// Wrong inputs before the call is ended.
    pub(crate) failures: u32,
    /// Whoever searches has logged on: he finds groups, and those whom other callers must not be led to.
    pub(crate) colleague: bool,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Person(Subscriber),
    /// Only where a colleague searches.
    Group(Group),
    /// Digits that were dialled instead.
    Extension(String),
    /// The caller wants to go back.
    Back,
    /// Too many wrong inputs; nothing was said yet.
    Failed,
}

pub(super) const MENU: Menu<()> = Menu {
    name: "Directory search",
    about: "The caller spells a name on the keypad. Letters beyond what makes it one person's are still the name's.",
    keys: &[
        Key::other("2 to 9", "the letters of the name"),
        Key::other("#", "that was the name; so is a pause of 4 s, and 1.5 s once three keys leave one person"),
        Key::other("# first, then digits", "an extension instead of a name"),
        Key::other("## first", "the other way to spell: the alias, or the name in the other order"),
        Key::other("0 first", "repeat"),
        Key::other("*", "back").to("Auto attendant"),
        Key::other(
            "a department, spoken",
            "its people: one is found, up to nine are read out, of more only they may be named",
        ),
        Key::other("several people", "are told apart").to("Choice among people"),
        Key::other("one person", "is found").to("Call or message"),
    ],
};

pub(super) const CHOICE: Menu<Does> = Menu {
    name: "Choice among people",
    about: "Up to nine people fit what was spelt. Namesakes are told apart as the dial plan or the attendant says.",
    keys: &[
        Key::other("1 to 9", "that person").to("Call or message"),
        Key::new("0", Does::Repeat, "repeat"),
        Key::new("*", Does::Back, "search again").to("Directory search"),
    ],
};

#[derive(Clone, Copy, Debug)]
pub(super) enum Does {
    Repeat,
    Back,
}

/// How long somebody may look for the next letter.
pub(super) const NEXT_LETTER: Duration = Duration::from_secs(4);
/// How long somebody who still types a name that is known already is waited for.
const TYPES_ON: Duration = Duration::from_millis(1500);
/// Keys from which on a single match is taken without waiting for more.
pub(super) const ENOUGH: usize = 3;
/// Longest name, in keys.
pub(super) const MOST_KEYS: usize = 40;

/// What the caller has typed.
enum Typed {
    Name(String),
    Extension(String),
    /// Said, not typed: the people of a department.
    Department(People),
    /// The other way to spell.
    Other,
    Repeat,
    Back,
    Nothing,
}

pub(super) async fn directory_search(caller: &Caller, scene: &Search) -> Outcome {
    let mut order = scene.primary;
    let mut opening: Vec<Phrase> = Vec::new();
    let mut before = String::new();
    // Said, a name is its owner's extension; a department leads to its people.
    let mut people = caller.people(scene).await;
    let mut names = named(&people);
    let mut failures = 0;
    while failures < scene.failures {
        match before.is_empty() {
            true => caller.listen(&names),
            false => caller.deaf(),
        }
        if before.is_empty() {
            if caller.hears() {
                opening.push(Prompt::VoiceSayName.into());
            }
            opening.push(how_to_spell(order).into());
        }
        caller.play(std::mem::take(&mut opening)).await;
        let keys = match typed(caller, scene, order, &before, &people).await {
            Typed::Name(keys) => keys,
            Typed::Extension(digits) => return Outcome::Extension(digits),
            Typed::Back => return Outcome::Back,
            Typed::Repeat => {
                before.clear();
                continue;
            }
            Typed::Department(within) => {
                if let [only] = within.0.as_slice() {
                    return Outcome::Person(only.clone());
                }
                if within.0.len() <= MOST_FOUND {
                    let mut told = Vec::new();
                    for person in &within.0 {
                        told.push((spoken(caller, person).await.into(), None));
                    }
                    match choose(caller, told, within.choices(), scene.failures).await {
                        Choice::One(index) => {
                            if let Some(person) = within.0.get(index) {
                                return Outcome::Person(person.clone());
                            }
                        }
                        Choice::Back => {}
                        Choice::Failed => return Outcome::Failed,
                    }
                } else {
                    // They are too many to be read out: now only they may be named.
                    people = within;
                    names = named(&people);
                }
                continue;
            }
            Typed::Other => {
                order = match (order == scene.primary, scene.secondary) {
                    (true, DialByName::None) | (false, _) => scene.primary,
                    (true, secondary) => secondary,
                };
                before.clear();
                continue;
            }
            Typed::Nothing => {
                failures += 1;
                before.clear();
                opening.push(Prompt::NoInput.into());
                continue;
            }
        };
        let hits = caller.search(scene, order, &keys).await;
        before.clear();
        match (hits.people.as_slice(), hits.groups.as_slice()) {
            ([], []) => {
                failures += 1;
                caller.forget_keys();
                opening.push(Prompt::SearchNobody.into());
            }
            _ if hits.more => {
                // No mistake: the name only has to go on.
                before = keys;
                opening.push(Prompt::SearchTooMany.into());
            }
            ([only], []) => return Outcome::Person(only.subscriber.clone()),
            ([], [only]) => return Outcome::Group(only.clone()),
            (people, groups) => {
                let mut told: Vec<(Value, Option<String>)> = Vec::with_capacity(people.len() + groups.len());
                for Match { subscriber, detail } in people {
                    told.push((spoken(caller, subscriber).await.into(), detail.clone()));
                }
                told.extend(groups.iter().map(|group| (group.spoken().into(), None)));
                match choose(caller, told, Vec::new(), scene.failures).await {
                    Choice::One(index) => {
                        if let Some(Match { subscriber, .. }) = people.get(index) {
                            return Outcome::Person(subscriber.clone());
                        }
                        if let Some(group) = index.checked_sub(people.len()).and_then(|index| groups.get(index)) {
                            return Outcome::Group(group.clone());
                        }
                    }
                    Choice::Back => {}
                    Choice::Failed => return Outcome::Failed,
                }
            }
        }
    }
    Outcome::Failed
}

fn named(people: &People) -> Arc<Commands> {
    Commands::new([people.commands("#"), people.departments("")].concat())
}

fn how_to_spell(order: DialByName) -> Prompt {
    match order {
        DialByName::FirstLast => Prompt::SearchFirstLast,
        DialByName::SMTPAddress => Prompt::SearchAlias,
        DialByName::LastFirst | DialByName::None => Prompt::SearchLastFirst,
    }
}

async fn typed(caller: &Caller, scene: &Search, order: DialByName, before: &str, people: &People) -> Typed {
    let mut keys = before.to_owned();
    loop {
        let key = caller.key(NEXT_LETTER).await;
        match key {
            Some('#') if keys.is_empty() => {
                return match caller.key(NEXT_LETTER).await {
                    Some('#') => Typed::Other,
                    Some('*') => Typed::Back,
                    Some(digit) => match caller.number(scene.digits, Some(digit)).await {
                        Some(digits) if !digits.is_empty() => Typed::Extension(digits),
                        _ => Typed::Nothing,
                    },
                    None => Typed::Nothing,
                };
            }
            Some('#') => return Typed::Name(keys),
            Some('*') => return Typed::Back,
            Some('0') if keys.is_empty() => return Typed::Repeat,
            Some(key) => match people.in_department(key) {
                Some(within) => return Typed::Department(within),
                None => keys.push(key),
            },
            None if keys.len() > before.len() => return Typed::Name(keys),
            None => return Typed::Nothing,
        }
        if keys.len() >= MOST_KEYS {
            return Typed::Name(keys);
        }
        if keys.len() >= ENOUGH {
            let hits = caller.search(scene, order, &keys).await;
            if hits.people.len() + hits.groups.len() == 1 && !hits.more {
                return Typed::Name(rest(caller, keys).await);
            }
        }
    }
}

/// Somebody who types a name does not stop where it has become clear: the letters after that are still the name's.
pub(super) async fn rest(caller: &Caller, mut keys: String) -> String {
    while let Some(key) = caller.key(TYPES_ON).await {
        match key {
            '#' => break,
            _ if keys.len() < MOST_KEYS => keys.push(key),
            _ => {}
        }
    }
    keys
}

pub(super) enum Choice {
    /// Which of those who were told, from 0 on.
    One(usize),
    Back,
    Failed,
}

/// Up to nine people and groups, each with a key, and with what tells one from a namesake. `names`: how they may be said.
pub(super) async fn choose(
    caller: &Caller,
    told: Vec<(Value, Option<String>)>,
    names: Vec<Command>,
    most_failures: u32,
) -> Choice {
    caller.listen(&Commands::new(names));
    let known = told.len();
    let mut list: Vec<Phrase> = Vec::new();
    for (key, (name, detail)) in (1_u32..).zip(told) {
        let phrase = match detail {
            Some(detail) => {
                Prompt::SearchChoiceDetail.with("name", name).with("detail", Value::Text(detail)).with("key", key)
            }
            None => Prompt::SearchChoice.with("name", name).with("key", key),
        };
        list.push(phrase);
    }
    list.push(Prompt::SearchAgain.into());
    let mut opening = Vec::new();
    let mut failures = 0;
    while failures < most_failures {
        let mut phrases = std::mem::take(&mut opening);
        phrases.extend(list.iter().cloned());
        caller.play(phrases).await;
        let Some(key) = caller.key(super::FIRST_KEY).await else {
            failures += 1;
            opening.push(Prompt::NoInput.into());
            continue;
        };
        match CHOICE.read_from(caller, key).await {
            Pressed::Does(Does::Back) => return Choice::Back,
            Pressed::Does(Does::Repeat) => {}
            Pressed::Unknown | Pressed::Nothing => {
                let index = key.to_digit(10).and_then(|digit| usize::try_from(digit).ok()?.checked_sub(1));
                if let Some(index) = index.filter(|index| *index < known) {
                    return Choice::One(index);
                }
                failures += 1;
                caller.forget_keys();
                opening.push(Prompt::InvalidKey.into());
            }
        }
    }
    Choice::Failed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialogue::script::{Script, subscriber};

    fn scene() -> Search {
        Search {
            list: None,
            plan: Some("MX".into()),
            primary: DialByName::LastFirst,
            secondary: DialByName::SMTPAddress,
            detail: MatchedName::Department,
            digits: 5,
            failures: 3,
            colleague: false,
        }
    }

    /// Says what came of the search, as a last sentence.
    fn search(people: &[(&str, &str, &str, Option<&str>)]) -> Script {
        let people = people.iter().map(|(keys, extension, name, detail)| {
            let detail = detail.map(str::to_owned);
            ((*keys).to_owned(), Match { subscriber: subscriber(extension, name), detail })
        });
        let people: Vec<_> = people.collect();
        Script::start(
            move |script| script.directory = people,
            |caller| async move {
                let outcome = directory_search(&caller, &scene()).await;
                if let Outcome::Person(found) = &outcome {
                    caller.answer_for(found.mailbox.clone());
                }
                caller.announce(vec![Value::Text(format!("{outcome:?}")).into()]).await;
            },
        )
    }

    fn two() -> Script {
        search(&[("7836776", "27000", "Anna Svensson", None), ("2537", "27001", "Björn Åkesson", None)])
    }

    #[test]
    fn a_name_is_known_as_soon_as_three_keys_leave_one_person() {
        let mut call = two();
        call.hears("last name first").presses("783");
        assert_eq!(call.take_done(), [""; 0], "more of the name may come");
        call.waits(TYPES_ON);
        assert_eq!(call.take_done(), ["answer for 27000"]);
    }

    #[test]
    fn whoever_types_on_types_the_name_and_not_the_next_menu() {
        let mut call = two();
        call.presses("7836776").presses("#").hears("27000");
    }

    #[test]
    fn pound_ends_a_short_name() {
        let mut call = two();
        call.presses("25#").hears("27001");
    }

    #[test]
    fn namesakes_are_told_apart_by_what_the_plan_says() {
        let mut call =
            search(&[("2374", "27000", "Eva Berg", Some("Sales")), ("2374", "27001", "Eva Berg", Some("Stores"))]);
        call.presses("2374#").hears("For Eva Berg Sales press one").hears("For Eva Berg Stores press two");
        call.presses("2").hears("27001");
    }

    #[test]
    fn too_many_ask_for_more_of_the_name_and_go_on_from_there() {
        let many: Vec<(String, String)> = (0..12).map(|n| (format!("23748{n}"), format!("272{n:02}"))).collect();
        let people: Vec<_> = many.iter().map(|(k, e)| (k.as_str(), e.as_str(), "Eva Berg", None)).collect();
        let mut call = search(&people);
        call.presses("2374#").hears("more of the name").presses("83#").hears("27203");
    }

    #[test]
    fn nobody_is_said_so_and_the_third_time_ends_it() {
        let mut call = two();
        call.presses("999#").hears("nobody by that name").presses("999#").presses("999#").hears("Failed");
    }

    #[test]
    fn pound_first_dials_an_extension_and_twice_spells_the_other_way() {
        let mut extension = two();
        extension.presses("#27001").hears("Extension(\"27001\")");
        let mut alias = two();
        alias.presses("##").hears("mail address");
    }

    #[test]
    fn star_goes_back_and_silence_ends() {
        let mut back = two();
        back.presses("*").hears("Back");
        let mut silent = two();
        silent.waits(Duration::from_secs(60));
        assert!(silent.over);
    }

    /// A caller who is heard, and this many people in Sales, one in Stores.
    fn departments(sales: usize) -> Script {
        let mut people = vec![subscriber("27900", "Eva Berg")];
        people[0].department = Some("Stores".into());
        for number in 0..sales {
            let name =
                format!("Person {}", ["Anna", "Bo", "Cia", "Dan", "Eli", "Finn", "Gun", "Hans", "Ida", "Jan"][number]);
            let person = subscriber(&format!("2700{number}"), &name);
            people.push(Subscriber { department: Some("Sales".into()), ..person });
        }
        Script::start(
            move |script| script.subscribers = people,
            |caller| async move {
                caller.use_voice(true);
                let outcome = directory_search(&caller, &scene()).await;
                caller.announce(vec![Value::Text(format!("{outcome:?}")).into()]).await;
            },
        )
    }

    #[test]
    fn a_department_of_one_is_that_person() {
        departments(2).says("stores").hears("27900");
    }

    #[test]
    fn the_people_of_a_department_are_read_out_and_chosen_by_key_or_name() {
        departments(3).says("sales").hears("For Person Bo press two").presses("2").hears("27001");
        let mut call = departments(3);
        call.says("sales").hears("For Person Bo press two");
        assert!(!call.may_say("eva berg"), "she is in another department");
        call.says("person cia").hears("Did you say").says("yes").hears("27002");
    }

    #[test]
    fn of_a_large_department_only_its_people_may_be_named() {
        let mut call = departments(10);
        assert!(call.may_say("eva berg"));
        call.says("sales").hears("Say a name");
        assert!(!call.may_say("eva berg") && call.may_say("person anna"));
        call.says("person anna").says("yes").hears("27000");
    }
}
