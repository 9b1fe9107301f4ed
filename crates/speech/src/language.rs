//! The languages that are spoken: a folder of prompts and a grammar each.

use time::OffsetDateTime;

use crate::english::English;
use crate::speaker::Clock;
use crate::swedish::Swedish;

/// A language that prompts are there for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Language {
    #[default]
    English,
    Swedish,
}

impl Language {
    pub const ALL: [Language; 2] = [Language::English, Language::Swedish];

    /// Its folder under `prompts/`, which is its code of ISO 639.
    pub fn code(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Swedish => "sv",
        }
    }

    /// The language of a tag such as `sv-SE` or `en` (BCP 47), whatever its region; `None`: there are no prompts in it.
    pub fn of_tag(tag: &str) -> Option<Language> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        Language::ALL.into_iter().find(|language| language.code().eq_ignore_ascii_case(primary))
    }

    pub(crate) fn grammar(self) -> &'static dyn Grammar {
        match self {
            Language::English => &English,
            Language::Swedish => &Swedish,
        }
    }
}

/// A message of calendar.ftl with the words for each of its variables.
pub(crate) struct Sentence {
    pub id: &'static str,
    pub words: Vec<(&'static str, Vec<String>)>,
}

impl Sentence {
    /// Of [`Grammar::day`]: the same day without its time.
    pub(crate) fn without_time(self) -> Sentence {
        let id = match self.id {
            "calendar-today" => "calendar-day-today",
            "calendar-yesterday" => "calendar-day-yesterday",
            "calendar-tomorrow" => "calendar-day-tomorrow",
            "calendar-weekday" => "calendar-day-weekday",
            "calendar-date" => "calendar-day-date",
            "calendar-date-year" => "calendar-day-date-year",
            other => other,
        };
        Sentence { id, ..self }
    }
}

/// How a language says numbers, days and times: which words of its catalogue, in which order.
pub(crate) trait Grammar {
    /// The words of a cardinal number, by message id.
    fn cardinal(&self, number: u32) -> Vec<String>;

    /// The day of `at` as somebody says it at `now`; its `time` is left to [`Grammar::time_of_day`].
    fn day(&self, at: OffsetDateTime, now: OffsetDateTime) -> Sentence;

    /// The time of day, rounded down to the minute.
    fn time_of_day(&self, at: OffsetDateTime, clock: Clock) -> Sentence;

    /// How times are told where nobody chose.
    fn clock(&self) -> Clock;
}

/// The words of a telephone number, digit by digit; what is no key is passed over. The same in every language.
pub(crate) fn digits(text: &str) -> Vec<String> {
    text.chars()
        .filter_map(|key| match key {
            '0'..='9' => Some(format!("number-{key}")),
            '*' => Some("digit-star".into()),
            '#' => Some("digit-pound".into()),
            '+' => Some("digit-plus".into()),
            _ => None,
        })
        .collect()
}

/// The words of a minute: below ten they are words of their own ("oh five").
pub(crate) fn minutes(grammar: &dyn Grammar, minute: u8) -> Vec<String> {
    match minute {
        1..=9 => vec![format!("minute-{minute}")],
        _ => grammar.cardinal(u32::from(minute)),
    }
}
