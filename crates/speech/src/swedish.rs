//! How Swedish says numbers, days and times.

use time::OffsetDateTime;

use crate::language::{Grammar, Sentence, digits, minutes};
use crate::speaker::Clock;

pub(crate) struct Swedish;

impl Grammar for Swedish {
    fn cardinal(&self, number: u32) -> Vec<String> {
        match number {
            0..=99 => vec![format!("number-{number}")],
            100..=999 => {
                let mut words = vec![format!("number-{}", number / 100), "number-hundred".into()];
                if !number.is_multiple_of(100) {
                    words.push(format!("number-{}", number % 100));
                }
                words
            }
            1_000..=999_999 => {
                let mut words = self.cardinal(number / 1_000);
                words.push("number-thousand".into());
                if !number.is_multiple_of(1_000) {
                    words.extend(self.cardinal(number % 1_000));
                }
                words
            }
            // Nobody has a million messages; digit by digit it is still right.
            _ => digits(&number.to_string()),
        }
    }

    fn day(&self, at: OffsetDateTime, now: OffsetDateTime) -> Sentence {
        let days = (now.date() - at.date()).whole_days();
        let weekday = at.weekday().number_from_monday();
        let month = vec![format!("calendar-month-{}", u8::from(at.month()))];
        let ordinal = vec![format!("ordinal-{}", at.day())];
        match days {
            0 => Sentence { id: "calendar-today", words: vec![] },
            1 => Sentence { id: "calendar-yesterday", words: vec![] },
            -1 => Sentence { id: "calendar-tomorrow", words: vec![] },
            2..=6 | -6..=-2 => {
                let which = if days > 0 { "last" } else { "next" };
                let weekday = vec![format!("calendar-{which}-weekday-{weekday}")];
                Sentence { id: "calendar-weekday", words: vec![("weekday", weekday)] }
            }
            // A date within half a year needs no year.
            7..=180 | -180..=-7 => {
                let weekday = vec![format!("calendar-weekday-{weekday}")];
                let words = vec![("weekday", weekday), ("ordinal", ordinal), ("month", month)];
                Sentence { id: "calendar-date", words }
            }
            _ => {
                let words = vec![("ordinal", ordinal), ("month", month), ("year", year(self, at.year()))];
                Sentence { id: "calendar-date-year", words }
            }
        }
    }

    fn time_of_day(&self, at: OffsetDateTime, clock: Clock) -> Sentence {
        let (hour, minute) = (at.hour(), at.minute());
        let spoken = |hour: u8| ("hour", self.cardinal(u32::from(hour)));
        match (clock, hour, minute) {
            (Clock::TwentyFour, _, 0) => Sentence { id: "calendar-time-24-full", words: vec![spoken(hour)] },
            (Clock::TwentyFour, _, _) => {
                Sentence { id: "calendar-time-24", words: vec![spoken(hour), ("minute", minutes(self, minute))] }
            }
            (Clock::Twelve, 0, 0) => Sentence { id: "calendar-midnight", words: vec![] },
            (Clock::Twelve, 12, 0) => Sentence { id: "calendar-noon", words: vec![] },
            (Clock::Twelve, _, _) => {
                let mut words = vec![spoken(if hour.is_multiple_of(12) { 12 } else { hour % 12 })];
                if minute > 0 {
                    words.push(("minute", minutes(self, minute)));
                }
                words.push(("half", vec![part_of_day(hour).into()]));
                Sentence { id: if minute > 0 { "calendar-time-12" } else { "calendar-time-12-full" }, words }
            }
        }
    }

    fn clock(&self) -> Clock {
        Clock::TwentyFour
    }
}

/// "nittonhundra nittioåtta", "tjugohundra tjugosex": from 1100 on a year is counted in hundreds.
fn year(grammar: &Swedish, year: i32) -> Vec<String> {
    let year = year.unsigned_abs();
    match (year / 100, year % 100) {
        (century @ 11..=99, rest) => {
            let mut words = vec![format!("number-{century}"), "number-hundred".into()];
            if rest > 0 {
                words.extend(grammar.cardinal(rest));
            }
            words
        }
        _ => grammar.cardinal(year),
    }
}

fn part_of_day(hour: u8) -> &'static str {
    match hour {
        0..=4 => "calendar-at-night",
        5..=8 => "calendar-in-the-morning",
        9..=11 => "calendar-in-the-forenoon",
        12..=17 => "calendar-in-the-afternoon",
        _ => "calendar-in-the-evening",
    }
}
