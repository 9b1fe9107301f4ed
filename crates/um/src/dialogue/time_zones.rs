//! Choosing a time zone by keys: whoever is asked what time it is where he is names his zone without knowing that it has a
//! name. Where several fit, the cities are offered.

use super::FIRST_KEY;
use super::caller::Caller;
use super::personal::{Left, User, give_up};
use crate::commands::mailbox::UmMailboxChanges;
use crate::time_zone::TimeZone;
use speech::{Phrase, Prompt, Value};
use std::time::SystemTime;

/// Zones that are offered: the name in the database, and the word of the catalogue (zones.ftl).
pub(super) const ZONES: &[(&str, &str)] = &[
    ("Pacific/Honolulu", "zone-honolulu"),
    ("America/Anchorage", "zone-anchorage"),
    ("America/Los_Angeles", "zone-los-angeles"),
    ("America/Denver", "zone-denver"),
    ("America/Chicago", "zone-chicago"),
    ("America/New_York", "zone-new-york"),
    ("America/Halifax", "zone-halifax"),
    ("America/Sao_Paulo", "zone-sao-paulo"),
    ("Atlantic/Azores", "zone-azores"),
    ("Europe/London", "zone-london"),
    ("Europe/Stockholm", "zone-stockholm"),
    ("Europe/Helsinki", "zone-helsinki"),
    ("Europe/Istanbul", "zone-istanbul"),
    ("Africa/Johannesburg", "zone-johannesburg"),
    ("Asia/Dubai", "zone-dubai"),
    ("Asia/Karachi", "zone-karachi"),
    ("Asia/Kolkata", "zone-delhi"),
    ("Asia/Dhaka", "zone-dhaka"),
    ("Asia/Bangkok", "zone-bangkok"),
    ("Asia/Shanghai", "zone-shanghai"),
    ("Asia/Tokyo", "zone-tokyo"),
    ("Australia/Sydney", "zone-sydney"),
    ("Pacific/Auckland", "zone-auckland"),
    ("UTC", "zone-utc"),
];

/// A clock that somebody reads off may be so wrong.
const WRONG_MINUTES: i32 = 10;
const DAY: i32 = 24 * 60;

/// Keys 1 to 9.
const CHOICES: usize = 9;

pub(super) async fn time_zone(caller: &Caller, user: &mut User) -> Left {
    let mut opening: Vec<Phrase> = Vec::new();
    for _ in 0..user.personal.failures {
        let Some(now) = caller.now() else { return Left::ToMenu };
        let shown = user.personal.zone.local(now.wall).time();
        opening.extend([Prompt::TimeNow.with("time", Value::Time(shown)), Prompt::EnterTime.into()]);
        caller.play(std::mem::take(&mut opening)).await;
        let entered = match caller.number(4, None).await {
            Some(star) if star == "*" => return Left::ToMenu,
            Some(digits) => digits,
            None => {
                opening.push(Prompt::NoInput.into());
                continue;
            }
        };
        let zones = minutes(&entered).map(|minutes| fitting(minutes, now.wall)).unwrap_or_default();
        let chosen = match zones.as_slice() {
            [] => {
                opening.push(Prompt::NoTimeZone.into());
                continue;
            }
            [only] => Some(*only),
            several => choose(caller, several).await,
        };
        let Some((name, word)) = chosen else { continue };
        let changes = UmMailboxChanges { time_zone: Some(Some(name.to_owned())), ..Default::default() };
        if caller.change(user.subscriber.mailbox.clone(), changes).await {
            user.personal.zone = TimeZone::of(Some(name));
            caller.play(vec![Prompt::TimeZoneIs.with("city", Value::Word(word))]).await;
        }
        return Left::ToMenu;
    }
    give_up(caller).await
}

async fn choose(caller: &Caller, zones: &[(&'static str, &'static str)]) -> Option<(&'static str, &'static str)> {
    let choices = (1_u32..)
        .zip(zones)
        .map(|(key, (_, word))| Prompt::TimeZoneChoice.with("city", Value::Word(word)).with("key", key));
    caller.play(choices.collect()).await;
    let key = caller.key(FIRST_KEY).await?.to_digit(10)?;
    zones.get(usize::try_from(key.checked_sub(1)?).ok()?).copied()
}

/// Minutes since midnight of four digits, or of three where the first is left out.
fn minutes(digits: &str) -> Option<i32> {
    let number: i32 = digits.parse().ok()?;
    let (hours, minutes) = (number / 100, number % 100);
    ((3..=4).contains(&digits.len()) && hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

/// Where it is that time now.
fn fitting(minutes: i32, now: SystemTime) -> Vec<(&'static str, &'static str)> {
    let fits = |name: &str| {
        let local = TimeZone::of(Some(name)).local(now);
        let there = i32::from(local.hour()) * 60 + i32::from(local.minute());
        let apart = (minutes - there).rem_euclid(DAY);
        apart.min(DAY - apart) <= WRONG_MINUTES
    };
    ZONES.iter().copied().filter(|(name, _)| fits(name)).take(CHOICES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn every_zone_is_in_the_database() {
        for (name, _) in ZONES {
            assert!(TimeZone::named(name).is_some(), "{name}");
        }
    }

    #[test]
    fn four_digits_are_a_time() {
        assert_eq!(minutes("1530"), Some(930));
        assert_eq!(minutes("900"), Some(540));
        for bad in ["2400", "1260", "15", ""] {
            assert_eq!(minutes(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_time_there_tells_the_zone_also_over_midnight() {
        // 2026-01-01 12:00 UTC.
        let noon = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_268_800);
        assert_eq!(fitting(13 * 60 + 4, noon), [("Europe/Stockholm", "zone-stockholm")]);
        assert_eq!(fitting(60, noon), [("Pacific/Auckland", "zone-auckland")]);
        assert_eq!(fitting(12 * 60, noon).len(), 2, "London and UTC");
        assert!(fitting(12 * 60 + 30, noon).is_empty());
    }
}
