//! How English says numbers, days and times.

use time::OffsetDateTime;

use crate::language::{Grammar, Sentence, digits, minutes};
use crate::speaker::Clock;

pub(crate) struct English;

impl Grammar for English {
    fn cardinal(&self, number: u32) -> Vec<String> {
        match number {
            0..=99 => vec![format!("number-{number}")],
            100..=999 => {
                let mut words = vec![format!("number-{}", number / 100), "number-hundred".into()];
                if !number.is_multiple_of(100) {
                    words.push("number-and".into());
                    words.push(format!("number-{}", number % 100));
                }
                words
            }
            1_000..=999_999 => {
                let mut words = self.cardinal(number / 1_000);
                words.push("number-thousand".into());
                match number % 1_000 {
                    0 => {}
                    rest @ 1..=99 => {
                        words.push("number-and".into());
                        words.extend(self.cardinal(rest));
                    }
                    rest => words.extend(self.cardinal(rest)),
                }
                words
            }
            // Nobody has a million messages; digit by digit it is still right.
            _ => digits(&number.to_string()),
        }
    }

    fn day(&self, at: OffsetDateTime, now: OffsetDateTime) -> Sentence {
        let days = (now.date() - at.date()).whole_days();
        let weekday = vec![format!("calendar-weekday-{}", at.weekday().number_from_monday())];
        let month = vec![format!("calendar-month-{}", u8::from(at.month()))];
        let ordinal = vec![format!("ordinal-{}", at.day())];
        match days {
            0 => Sentence { id: "calendar-today", words: vec![] },
            1 => Sentence { id: "calendar-yesterday", words: vec![] },
            -1 => Sentence { id: "calendar-tomorrow", words: vec![] },
            2..=6 | -6..=-2 => Sentence { id: "calendar-weekday", words: vec![("weekday", weekday)] },
            // A date within half a year needs no year.
            7..=180 | -180..=-7 => Sentence {
                id: "calendar-date",
                words: vec![("weekday", weekday), ("month", month), ("ordinal", ordinal)],
            },
            _ => Sentence {
                id: "calendar-date-year",
                words: vec![("month", month), ("ordinal", ordinal), ("year", year(self, at.year()))],
            },
        }
    }

    fn time_of_day(&self, at: OffsetDateTime, clock: Clock) -> Sentence {
        let (hour, minute) = (at.hour(), at.minute());
        let minutes = minutes(self, minute);
        match clock {
            Clock::Twelve if hour == 0 && minute == 0 => Sentence { id: "calendar-midnight", words: vec![] },
            Clock::Twelve if hour == 12 && minute == 0 => Sentence { id: "calendar-noon", words: vec![] },
            Clock::Twelve => {
                let shown = if hour.is_multiple_of(12) { 12 } else { hour % 12 };
                let half = if hour < 12 { "calendar-am" } else { "calendar-pm" };
                let mut words = vec![("hour", self.cardinal(u32::from(shown)))];
                if minute > 0 {
                    words.push(("minute", minutes));
                }
                words.push(("half", vec![half.into()]));
                Sentence { id: if minute > 0 { "calendar-time-12" } else { "calendar-time-12-full" }, words }
            }
            Clock::TwentyFour => {
                let mut words = vec![("hour", self.cardinal(u32::from(hour)))];
                if minute > 0 {
                    words.push(("minute", minutes));
                }
                Sentence { id: if minute > 0 { "calendar-time-24" } else { "calendar-time-24-full" }, words }
            }
        }
    }

    fn clock(&self) -> Clock {
        Clock::Twelve
    }
}

/// "twenty twenty-six", "two thousand and five".
fn year(grammar: &English, year: i32) -> Vec<String> {
    let year = year.unsigned_abs();
    match (year / 100, year % 100) {
        (century @ 10..=99, rest @ 10..) => {
            let mut words = grammar.cardinal(century);
            words.extend(grammar.cardinal(rest));
            words
        }
        _ => grammar.cardinal(year),
    }
}
