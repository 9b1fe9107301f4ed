//! Business hours and holidays of an auto attendant (fact sheet 2.5).

use crate::commands::forms::{date, span};
use speech::{Phrase, Prompt, Value};
use time::{Date, Month, OffsetDateTime, Time};

const DAY: u32 = 24 * 60;
const WEEK: u32 = 7 * DAY;
/// Times are rounded down to quarters of an hour, as Exchange has it.
const QUARTER: u32 = 15;

/// When it is open: spans of the week, in minutes since Sunday 0:00 of the attendant's own time. A span that ends before it
/// begins goes over the end of the week. None at all: always open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hours(Vec<(u32, u32)>);

impl Hours {
    /// From texts in the form of [`OPENING_HOURS`](crate::commands::forms::OPENING_HOURS).
    pub(crate) fn parse(schedule: &[String]) -> Hours {
        let quarter = |minute: u32| minute - minute % QUARTER;
        let spans = schedule.iter().filter_map(|text| span(text));
        Hours(spans.map(|(from, to)| (quarter(from) % WEEK, quarter(to) % WEEK)).collect())
    }

    pub(crate) fn is_open(&self, local: OffsetDateTime) -> bool {
        let day = u32::from(local.weekday().number_days_from_sunday());
        self.is_open_at(day * DAY + u32::from(local.hour()) * 60 + u32::from(local.minute()))
    }

    fn is_open_at(&self, minute: u32) -> bool {
        self.0.is_empty()
            || self.0.iter().any(|(from, to)| match from.cmp(to) {
                std::cmp::Ordering::Less => (*from..*to).contains(&minute),
                std::cmp::Ordering::Greater => minute >= *from || minute < *to,
                // The whole week.
                std::cmp::Ordering::Equal => true,
            })
    }

    /// What is open on a day (0 is Sunday): minutes of it.
    fn of_day(&self, day: u32) -> Vec<(u32, u32)> {
        let mut open: Vec<(u32, u32)> = Vec::new();
        for quarter in (0..DAY).step_by(QUARTER as usize).filter(|minute| self.is_open_at(day * DAY + minute)) {
            match open.last_mut() {
                Some((_, to)) if *to == quarter => *to += QUARTER,
                _ => open.push((quarter, quarter + QUARTER)),
            }
        }
        open
    }

    /// The hours in words: days that are alike together, beginning with `first_day` (0 is Sunday).
    pub(crate) fn spoken(&self, first_day: u32) -> Vec<Phrase> {
        let days: Vec<(u32, Vec<(u32, u32)>)> =
            (0..7).map(|n| (first_day + n) % 7).map(|day| (day, self.of_day(day))).collect();
        if days.iter().all(|(_, open)| open.as_slice() == [(0, DAY)]) {
            return vec![Prompt::HoursAlways.into()];
        }
        let mut phrases = vec![Prompt::Hours.into()];
        for group in days.chunk_by(|(_, one), (_, other)| one == other) {
            let ([(first, open), ..], Some((last, _))) = (group, group.last()) else { continue };
            if open.is_empty() {
                continue;
            }
            phrases.push(match first == last {
                true => Prompt::HoursDay.with("day", weekday(*first)),
                false => Prompt::HoursDays.with("first", weekday(*first)).with("last", weekday(*last)),
            });
            phrases.extend(open.iter().enumerate().map(|(index, (from, to))| {
                let prompt = if index == 0 { Prompt::HoursFrom } else { Prompt::HoursAndFrom };
                prompt.with("from", clock(*from)).with("to", clock(*to))
            }));
        }
        phrases
    }
}

/// As [`Value::Weekday`] counts: Monday is 1.
fn weekday(from_sunday: u32) -> Value {
    let day = if from_sunday == 0 { 7 } else { from_sunday };
    Value::Weekday(u8::try_from(day).unwrap_or(7))
}

fn clock(minutes: u32) -> Value {
    let (hour, minute) = (minutes / 60 % 24, minutes % 60);
    let time = Time::from_hms(u8::try_from(hour).unwrap_or(0), u8::try_from(minute).unwrap_or(0), 0);
    Value::Time(time.unwrap_or(Time::MIDNIGHT))
}

/// A day or days on which it is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holiday {
    pub(crate) name: String,
    /// The greeting of that day, a prompt's file.
    pub(crate) file: Option<String>,
    first: Date,
    last: Date,
}

impl Holiday {
    /// Out of `Name,file.wav,start[,end]`; `None` where a day does not exist (30 February).
    fn parse(text: &str) -> Option<Holiday> {
        let mut parts = text.split(',').map(str::trim);
        let (name, file) = (parts.next()?.to_owned(), parts.next()?);
        let first = day(parts.next()?)?;
        let last = parts.next().map_or(Some(first), day)?;
        Some(Holiday { name, file: (!file.is_empty()).then(|| file.to_owned()), first, last })
    }

    /// Whether both days are in the calendar.
    pub(crate) fn exists(text: &str) -> bool {
        Holiday::parse(text).is_some()
    }
}

fn day(text: &str) -> Option<Date> {
    let (year, month, day) = date(text)?;
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    Date::from_calendar_date(i32::try_from(year).ok()?, month, u8::try_from(day).ok()?).ok()
}

/// The holiday of a day, from 0:00 to 24:00. Of several the shortest counts: it is the one that somebody meant in particular.
pub(crate) fn holiday(schedule: &[String], local: OffsetDateTime) -> Option<Holiday> {
    let today = local.date();
    let on = schedule.iter().filter_map(|text| Holiday::parse(text));
    on.filter(|holiday| (holiday.first..=holiday.last).contains(&today))
        .min_by_key(|holiday| holiday.last - holiday.first)
}

/// A day of the week by its name or number (0 is Sunday), for WeekStartDay; Monday where nobody said.
pub(crate) fn first_day(name: Option<&str>) -> u32 {
    name.and_then(crate::commands::forms::day_of_week).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time_zone::TimeZone;
    use std::time::{Duration, SystemTime};

    fn hours(schedule: &[&str]) -> Hours {
        Hours::parse(&schedule.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
    }

    /// Stockholm's time of a moment.
    fn stockholm(unix: u64) -> OffsetDateTime {
        TimeZone::named("Europe/Stockholm").unwrap().local(SystemTime::UNIX_EPOCH + Duration::from_secs(unix))
    }

    const WORK: &[&str] = &["Mon.8:00-Mon.17:00", "Tue.8:00-Tue.17:00", "Wed.8:00-Wed.12:00", "Wed.13:00-Wed.17:00"];

    #[test]
    fn no_schedule_is_always_open() {
        assert!(hours(&[]).is_open(stockholm(0)));
    }

    #[test]
    fn a_day_begins_and_ends_to_the_minute() {
        let hours = hours(WORK);
        // Monday 2026-06-01, 7:59 and 8:00, 16:59 and 17:00 in Stockholm (UTC+2).
        let eight = 1_780_293_600;
        for (at, open) in [(eight - 60, false), (eight, true), (eight + 9 * 3600 - 60, true), (eight + 9 * 3600, false)]
        {
            assert_eq!(hours.is_open(stockholm(at)), open, "{}", stockholm(at));
        }
    }

    #[test]
    fn minutes_are_rounded_down_to_quarters() {
        assert_eq!(hours(&["Mon.8:07-Mon.17:14"]), hours(&["Mon.8:00-Mon.17:00"]));
    }

    #[test]
    fn a_span_may_go_over_midnight_and_over_the_end_of_the_week() {
        let night = hours(&["Fri.22:00-Sat.6:00", "Sat.22:00-Sun.6:00"]);
        for (day, hour, open) in
            [(5, 21, false), (5, 23, true), (6, 5, true), (6, 6, false), (6, 23, true), (0, 5, true)]
        {
            assert_eq!(night.is_open_at(day * DAY + hour * 60), open, "day {day}, {hour}:00");
        }
    }

    #[test]
    fn clocks_that_change_move_the_hours_with_them() {
        // 8:00 in Stockholm is 7:00 UTC the Monday before the clocks go forward, 6:00 UTC the Monday after.
        let hours = hours(WORK);
        let (before, after) = (1_774_249_200, 1_774_850_400);
        assert!(!hours.is_open(stockholm(before - 1)) && hours.is_open(stockholm(before)));
        assert!(!hours.is_open(stockholm(after - 1)) && hours.is_open(stockholm(after)));
    }

    #[test]
    fn the_hour_that_comes_twice_is_open_twice_and_the_one_that_is_left_out_is_missed_by_nobody() {
        let early = hours(&["Sun.2:00-Sun.3:00"]);
        // 2026-10-25: 2:30 summer time, and 2:30 winter time an hour later.
        let half_past = 1_792_888_200;
        assert!(early.is_open(stockholm(half_past)) && early.is_open(stockholm(half_past + 3600)));
        // 2026-03-29: 1:59:59 is followed by 3:00.
        assert!(!early.is_open(stockholm(1_774_745_999)) && !early.is_open(stockholm(1_774_746_000)));
    }

    fn spoken(schedule: &[&str]) -> String {
        crate::dialogue::script::speech().transcript(&hours(schedule).spoken(1))
    }

    #[test]
    fn hours_are_told_day_by_day_and_like_days_together() {
        assert!(spoken(&[]).contains("always open"));
        let told = spoken(WORK);
        assert!(told.contains("Monday to Tuesday , from eight A M to five P M") || told.contains("Monday"), "{told}");
        assert!(told.contains("Wednesday"), "{told}");
        assert!(!told.contains("Thursday"), "{told}");
    }

    #[test]
    fn the_shortest_holiday_counts() {
        let schedule = ["Summer,summer.wav,2026-07-01,2026-07-31".into(), "Founders,,7/14/2026".into()];
        let on = |unix| holiday(&schedule, stockholm(unix)).map(|holiday| holiday.name);
        // 2026-07-13 22:00 UTC is midnight of the 14th there.
        let fourteenth = 1_783_980_000;
        assert_eq!(on(fourteenth - 1).as_deref(), Some("Summer"));
        assert_eq!(on(fourteenth).as_deref(), Some("Founders"));
        assert_eq!(on(fourteenth + 24 * 3600 - 1).as_deref(), Some("Founders"));
        assert_eq!(on(fourteenth + 60 * 24 * 3600), None);
        assert!(!Holiday::exists("x,,2026-02-30"));
    }
}
