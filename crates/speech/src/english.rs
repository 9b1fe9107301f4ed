//! How English says numbers, days and times: which words of the catalogue, in which order.

use time::OffsetDateTime;

use crate::speaker::Clock;

/// The words of a cardinal number, by message id.
pub(crate) fn cardinal(number: u32) -> Vec<String> {
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
            let mut words = cardinal(number / 1_000);
            words.push("number-thousand".into());
            match number % 1_000 {
                0 => {}
                rest @ 1..=99 => {
                    words.push("number-and".into());
                    words.extend(cardinal(rest));
                }
                rest => words.extend(cardinal(rest)),
            }
            words
        }
        // Nobody has a million messages; digit by digit it is still right.
        _ => digits(&number.to_string()),
    }
}

/// The words of a year: "twenty twenty-six", "two thousand and five".
pub(crate) fn year(year: i32) -> Vec<String> {
    let year = year.unsigned_abs();
    match (year / 100, year % 100) {
        (century @ 10..=99, rest @ 10..) => {
            let mut words = cardinal(century);
            words.extend(cardinal(rest));
            words
        }
        _ => cardinal(year),
    }
}

/// The words of a telephone number, digit by digit; what is no key is passed over.
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

/// A message of calendar.ftl with the words for each of its variables.
pub(crate) struct Sentence {
    pub id: &'static str,
    pub words: Vec<(&'static str, Vec<String>)>,
}

/// The day of `at` as somebody says it at `now`; its `time` is left to [`time_of_day`].
pub(crate) fn day(at: OffsetDateTime, now: OffsetDateTime) -> Sentence {
    let days = (now.date() - at.date()).whole_days();
    let weekday = vec![format!("calendar-weekday-{}", at.weekday().number_from_monday())];
    let month = vec![format!("calendar-month-{}", u8::from(at.month()))];
    let ordinal = vec![format!("ordinal-{}", at.day())];
    match days {
        0 => Sentence { id: "calendar-today", words: vec![] },
        1 => Sentence { id: "calendar-yesterday", words: vec![] },
        2..=6 => Sentence { id: "calendar-weekday", words: vec![("weekday", weekday)] },
        // A date within half a year needs no year; a clock that was wrong (a date to come) gets one.
        7..=180 => {
            Sentence { id: "calendar-date", words: vec![("weekday", weekday), ("month", month), ("ordinal", ordinal)] }
        }
        _ => Sentence {
            id: "calendar-date-year",
            words: vec![("month", month), ("ordinal", ordinal), ("year", year(at.year()))],
        },
    }
}

/// The time of day, rounded down to the minute.
pub(crate) fn time_of_day(at: OffsetDateTime, clock: Clock) -> Sentence {
    let (hour, minute) = (at.hour(), at.minute());
    let minutes = match minute {
        1..=9 => vec![format!("minute-{minute}")],
        _ => cardinal(u32::from(minute)),
    };
    match clock {
        Clock::Twelve if hour == 0 && minute == 0 => Sentence { id: "calendar-midnight", words: vec![] },
        Clock::Twelve if hour == 12 && minute == 0 => Sentence { id: "calendar-noon", words: vec![] },
        Clock::Twelve => {
            let shown = if hour.is_multiple_of(12) { 12 } else { hour % 12 };
            let half = if hour < 12 { "calendar-am" } else { "calendar-pm" };
            let mut words = vec![("hour", cardinal(u32::from(shown)))];
            if minute > 0 {
                words.push(("minute", minutes));
            }
            words.push(("half", vec![half.into()]));
            Sentence { id: if minute > 0 { "calendar-time-12" } else { "calendar-time-12-full" }, words }
        }
        Clock::TwentyFour => {
            let mut words = vec![("hour", cardinal(u32::from(hour)))];
            if minute > 0 {
                words.push(("minute", minutes));
            }
            Sentence { id: if minute > 0 { "calendar-time-24" } else { "calendar-time-24-full" }, words }
        }
    }
}
