//! Menus as tables of keys and of what may be said for them, each written once: a dialogue reads the caller's keys by its table,
//! takes what may be said from it, and docs/menus.md is drawn from all of them.

use super::SECOND_KEY;
use super::caller::Caller;
use super::voice::Command;
use speech::{Phrase, Prompt, Value};
use std::time::Duration;

/// A menu. `A` is what its keys can mean.
pub(crate) struct Menu<A: 'static> {
    /// Its heading in the drawing; other menus' keys lead to it by this name.
    pub(crate) name: &'static str,
    /// A sentence on when the caller is in it.
    pub(crate) about: &'static str,
    pub(crate) keys: &'static [Key<A>],
}

/// A line of a menu.
pub(crate) struct Key<A> {
    keys: &'static str,
    /// `None`: a line of the drawing only.
    does: Option<A>,
    help: &'static str,
    to: Option<&'static str>,
    says: Option<Says>,
}

/// What may be said for a line's keys.
#[derive(Clone, Copy)]
struct Says {
    /// How it is offered: a word of the catalogue.
    word: &'static str,
    /// All ways to say it, for the recogniser.
    ways: &'static [&'static str],
    /// It is done only once the caller has said that it is right.
    asked: bool,
}

impl<A: Copy> Key<A> {
    /// What is pressed, one key after the other (`1`, `00`, `0011`), what it means, and how the drawing says that.
    pub(crate) const fn new(keys: &'static str, does: A, help: &'static str) -> Key<A> {
        Key { keys, does: Some(does), help, to: None, says: None }
    }

    /// A line that no table can read, such as `an extension` or `nothing for 5 s`: the dialogue sees to it itself.
    pub(crate) const fn other(what: &'static str, help: &'static str) -> Key<A> {
        Key { keys: what, does: None, help, to: None, says: None }
    }

    /// The menu that it leads to.
    pub(crate) const fn to(self, menu: &'static str) -> Key<A> {
        Key { to: Some(menu), ..self }
    }

    /// What may be said instead: the word of the catalogue by which it is offered, and all ways to say it.
    pub(crate) const fn says(self, word: &'static str, ways: &'static [&'static str]) -> Key<A> {
        Key { says: Some(Says { word, ways, asked: false }), ..self }
    }

    /// The same; it can't be undone, and is asked for first.
    pub(crate) const fn says_and_is_asked(self, word: &'static str, ways: &'static [&'static str]) -> Key<A> {
        Key { says: Some(Says { word, ways, asked: true }), ..self }
    }
}

/// What the caller pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pressed<A> {
    Does(A),
    /// What the menu does not have.
    Unknown,
    /// Nothing in time.
    Nothing,
}

impl<A> Pressed<A> {
    /// What the menu begins with when it is played again, since this was no choice. What was typed ahead of a wrong key is
    /// forgotten with it.
    pub(crate) fn remark(&self, caller: &Caller) -> Phrase {
        match self {
            Pressed::Nothing => Prompt::StillThere.into(),
            Pressed::Does(_) | Pressed::Unknown => {
                caller.forget_keys();
                Prompt::InvalidKey.into()
            }
        }
    }
}

impl<A: Copy> Menu<A> {
    /// What the caller wants, if he presses something within this time.
    pub(crate) async fn read(&self, caller: &Caller, within: Duration) -> Pressed<A> {
        match caller.key(within).await {
            Some(first) => self.read_from(caller, first).await,
            None => Pressed::Nothing,
        }
    }

    /// The same when the first key is known already. A key that may be the first of several waits for the next one; what
    /// does not belong to this menu is left for whoever reads next.
    pub(crate) async fn read_from(&self, caller: &Caller, first: char) -> Pressed<A> {
        let mut typed = String::from(first);
        while self.begins(&typed, true) {
            let Some(next) = caller.peek(SECOND_KEY).await else { break };
            typed.push(next);
            if !self.begins(&typed, false) {
                typed.pop();
                break;
            }
            caller.key(Duration::ZERO).await;
        }
        let line = self.keys.iter().find(|line| line.keys == typed);
        #[cfg(test)]
        PRESSED.with_borrow_mut(|pressed| pressed.extend(line.map(|line| (self.name, line.keys))));
        line.and_then(|line| line.does).map_or(Pressed::Unknown, Pressed::Does)
    }

    /// Whether a line begins with these keys; `longer`: and goes on.
    fn begins(&self, typed: &str, longer: bool) -> bool {
        self.keys.iter().any(|line| {
            line.does.is_some() && line.keys.starts_with(typed) && (!longer || line.keys.len() > typed.len())
        })
    }

    /// What may be said for the lines that are offered. `before`: keys that lead to this menu.
    pub(crate) fn commands(&self, before: &str, offered: impl Fn(A) -> bool) -> Vec<Command> {
        let mut commands = Vec::new();
        for line in self.keys.iter().filter(|line| line.does.is_some_and(&offered)) {
            let Some(says) = line.says else { continue };
            commands.extend(says.ways.iter().map(|way| Command {
                words: (*way).to_owned(),
                keys: format!("{before}{}", line.keys),
                said: Value::Word(says.word),
                asked: says.asked,
                name: false,
            }));
        }
        commands
    }

    /// What is offered to be said, by the words of the catalogue.
    pub(crate) fn words(&self, offered: impl Fn(A) -> bool) -> Vec<&'static str> {
        let lines = self.keys.iter().filter(|line| line.does.is_some_and(&offered));
        lines.filter_map(|line| line.says.map(|says| says.word)).collect()
    }

    pub(crate) fn drawn(&self) -> Drawn {
        let rows = self.keys.iter().map(|line| Row {
            keys: line.keys,
            pressed: line.does.is_some(),
            help: line.help,
            to: line.to,
            says: line.says.map(|says| says.ways).unwrap_or_default(),
        });
        Drawn { name: self.name, about: self.about, rows: rows.collect() }
    }
}

/// A menu without its meaning.
pub(crate) struct Drawn {
    name: &'static str,
    about: &'static str,
    rows: Vec<Row>,
}

struct Row {
    keys: &'static str,
    pressed: bool,
    help: &'static str,
    to: Option<&'static str>,
    says: &'static [&'static str],
}

#[cfg(test)]
thread_local! {
    /// The lines of menus that were pressed, by menu and keys.
    static PRESSED: std::cell::RefCell<std::collections::BTreeSet<(&'static str, &'static str)>> = Default::default();
}

#[cfg(test)]
pub(super) fn pressed() -> std::collections::BTreeSet<(&'static str, &'static str)> {
    PRESSED.with_borrow(Clone::clone)
}

/// Every line that can be pressed, of all menus, by menu and keys.
#[cfg(test)]
pub(super) fn lines() -> impl Iterator<Item = (&'static str, &'static str)> {
    super::menus().into_iter().flat_map(|menu| {
        let pressed = menu.rows.into_iter().filter(|row| row.pressed);
        pressed.map(move |row| (menu.name, row.keys))
    })
}

/// docs/menus.md: how the menus lead to each other, and the keys of each.
pub(crate) fn page(menus: &[Drawn]) -> String {
    let mut page = String::from(
        "# The menus\n\nWritten by `cargo xtask docs` from the tables that the dialogues read keys and spoken commands by. What a \
         key is for in one sentence stands in [keys.md](keys.md), what speaking needs in [voice.md](voice.md).\n\n```mermaid\nflowchart LR\n",
    );
    let node = |name: &str| name.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    for menu in menus {
        page.push_str(&format!("    {}[\"{}\"]\n", node(menu.name), menu.name));
    }
    for menu in menus {
        for row in &menu.rows {
            if let Some(to) = row.to {
                page.push_str(&format!("    {} -- \"{}\" --> {}\n", node(menu.name), row.keys, node(to)));
            }
        }
    }
    page.push_str("```\n");
    for menu in menus {
        // Only menus to which one can speak have a column for it.
        let spoken = menu.rows.iter().any(|row| !row.says.is_empty());
        let head = if spoken { "| key | say | |\n|---|---|---|" } else { "| key | |\n|---|---|" };
        page.push_str(&format!("\n## {}\n\n{}\n\n{head}\n", menu.name, menu.about));
        for row in &menu.rows {
            let keys = if row.pressed { format!("`{}`", spaced(row.keys)) } else { row.keys.to_owned() };
            let to =
                row.to.map(|to| format!(" → [{to}](#{})", to.to_lowercase().replace(' ', "-"))).unwrap_or_default();
            let says: Vec<String> = row.says.iter().map(|way| format!("“{way}”")).collect();
            let says = if spoken { format!(" {} |", says.join(", ")) } else { String::new() };
            page.push_str(&format!("| {keys} |{says} {}{to} |\n", row.help));
        }
    }
    page
}

/// `0011` as it is written: `00 11`.
fn spaced(keys: &str) -> String {
    match keys.strip_prefix("00") {
        Some(rest) if !rest.is_empty() => format!("00 {rest}"),
        _ => keys.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialogue::script::Script;
    use speech::Value;

    #[derive(Clone, Copy, Debug)]
    enum Does {
        Repeat,
        More,
        Replay,
        Previous,
        Rewind,
    }

    const MENU: Menu<Does> = Menu {
        name: "A menu",
        about: "For this test.",
        keys: &[
            Key::new("0", Does::Repeat, "repeat"),
            Key::new("00", Does::More, "more").says("voice-word-more", &["more options", "more"]),
            Key::new("001", Does::Replay, "replay"),
            Key::new("0011", Does::Previous, "previous"),
            Key::new("1", Does::Rewind, "rewind").to("A menu"),
            Key::other("nothing", "is said again"),
        ],
    };

    /// Says what was read.
    fn reading() -> Script {
        Script::start(
            |_| {},
            |caller| async move {
                loop {
                    let pressed = MENU.read(&caller, Duration::from_secs(5)).await;
                    caller.announce(vec![Value::Text(format!("{pressed:?}")).into()]).await;
                }
            },
        )
    }

    #[test]
    fn the_longest_line_that_was_pressed_is_meant() {
        let second = SECOND_KEY + Duration::from_millis(1);
        for (keys, does) in [
            ("0", "Repeat"),
            ("00", "More"),
            ("001", "Replay"),
            ("0011", "Previous"),
            ("1", "Rewind"),
            ("7", "Unknown"),
        ] {
            let mut call = reading();
            call.presses(keys);
            if !["0011", "1", "7"].contains(&keys) {
                assert_eq!(call.said(), "", "{keys}: more may come");
                call.passes(second);
            }
            call.hears(does);
        }
    }

    #[test]
    fn what_does_not_belong_to_a_line_is_left_for_the_next() {
        let mut call = reading();
        call.presses("0017").hears("Replay").listens().hears("Unknown");
    }

    #[test]
    fn silence_is_nothing() {
        let mut call = reading();
        call.passes(Duration::from_secs(5)).hears("Nothing");
    }

    #[test]
    fn the_page_draws_lines_and_ways() {
        let page = page(&[MENU.drawn()]);
        assert!(page.contains("| `00 11` |  | previous |"), "{page}");
        assert!(page.contains("| `00` | “more options”, “more” | more |"), "{page}");
        assert!(page.contains("| nothing |  | is said again |"), "{page}");
        assert!(page.contains("a_menu -- \"1\" --> a_menu"), "{page}");
    }
}
