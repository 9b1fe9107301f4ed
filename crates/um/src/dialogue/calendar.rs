//! The calendar by phone (fact sheet 4.4): today's meetings from now on, and those of the days after: [`MENU`] after each, [`MORE`]
//! behind 00, and [`CLEAR`].

use super::FIRST_KEY;
use super::calendar_visit::{Next, Visit};
use super::caller::Caller;
use super::menu::{Key, Menu, Pressed};
use super::personal::{Left, User, give_up};
use super::voice::Commands;
use crate::personal_information::{Answer, Meeting, Question};
use speech::{Phrase, Prompt, Value};
use std::time::{Duration, SystemTime};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Does {
    Next,
    NextDay,
    Again,
    CallPlace,
    Late,
    Accept,
    Tentative,
    Details,
    Decline,
    More,
    Repeat,
    Back,
}

pub(crate) const MENU: Menu<Does> = Menu {
    name: "A meeting",
    about: "After a meeting was told, or on a day without any.",
    keys: &[
        Key::new("#", Does::Next, "the next one").says("voice-word-next", &["next"]),
        Key::new("##", Does::NextDay, "the next day").says("voice-word-next-day", &["next day"]),
        Key::new("1", Does::Again, "tell it again").says("voice-word-replay", &["replay", "play"]),
        Key::new("2", Does::CallPlace, "call where it is").says("voice-word-call-location", &["call location"]),
        Key::new("3", Does::Late, "tell all that one will be late: then the minutes")
            .says("voice-word-i-will-be-late", &["i will be late", "i'll be late"]),
        Key::new("4", Does::Accept, "accept").says("voice-word-accept", &["accept"]),
        Key::new("44", Does::Tentative, "accept tentatively")
            .says("voice-word-accept-as-tentative", &["accept as tentative"]),
        Key::new("5", Does::Details, "read the details").to("Details").says("voice-word-details", &["details"]),
        Key::new("7", Does::Decline, "decline; the own meeting (“cancel meeting”): cancel it")
            .says_and_is_asked("voice-word-decline", &["decline", "cancel meeting"]),
        Key::new("00", Does::More, "more")
            .to("More about a meeting")
            .says("voice-word-more-options", &["more options"]),
        Key::new("0", Does::Repeat, "repeat").says("voice-word-repeat", &["repeat"]),
        Key::new("*", Does::Back, "back").to("Main menu").says("voice-word-main-menu", &["main menu"]),
    ],
};

#[derive(Clone, Copy, Debug)]
pub(crate) enum More {
    Previous,
    CallOrganizer,
    Attendance,
    Forward,
    Clear,
    Reply,
    ReplyAll,
}

pub(crate) const MORE: Menu<More> = Menu {
    name: "More about a meeting",
    about: "Behind `00` of a meeting; the keys may follow at once, and what is said needs no `00`.",
    keys: &[
        Key::new("11", More::Previous, "the previous one").says("voice-word-previous", &["previous"]),
        Key::new("22", More::CallOrganizer, "call whoever has called it")
            .says("voice-word-call-organizer", &["call organizer"]),
        Key::new("55", More::Attendance, "who comes").says("voice-word-attendance", &["attendance"]),
        Key::new("6", More::Forward, "send it on to a user or group, with a comment")
            .to("A spoken answer")
            .says("voice-word-forward", &["forward"]),
        Key::new("77", More::Clear, "clear the calendar")
            .to("Clear the calendar")
            .says("voice-word-clear-calendar", &["clear calendar"]),
        Key::new("8", More::Reply, "answer whoever has called it by voice, where that is allowed")
            .to("A spoken answer")
            .says("voice-word-reply", &["reply"]),
        Key::new("88", More::ReplyAll, "answer everybody by voice, where that is allowed")
            .to("A spoken answer")
            .says("voice-word-reply-all", &["reply all"]),
    ],
};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Clears {
    Hours,
    Days,
    Back,
}

pub(crate) const CLEAR: Menu<Clears> = Menu {
    name: "Clear the calendar",
    about: "All meetings until then are declined, and one's own are cancelled. It is asked for first: 1 does it.",
    keys: &[
        Key::new("1", Clears::Hours, "the next hours: then how many, 1 to 24"),
        Key::new("2", Clears::Days, "days: then how many, 1 to 31, counting today"),
        Key::new("*", Clears::Back, "leave it as it is").to("A meeting"),
    ],
};

/// Days from today on that can be come to.
const LAST_DAY: u32 = 366;
const HOUR: Duration = Duration::from_secs(3600);

pub(super) async fn calendar(caller: &Caller, user: &mut User) -> Left {
    // How many days after today.
    let mut later = 0;
    loop {
        let Some(now) = caller.now().map(|now| now.wall) else { return Left::ToMenu };
        let zone = &user.personal.zone;
        let (Some(from), Some(until)) = (zone.day(now, later), zone.day(now, later + 1)) else { return Left::ToMenu };
        let Answer::Meetings(meetings) = caller.consult(user, Question::Meetings { from, until }).await else {
            caller.play(vec![Prompt::SourceUnavailable.into()]).await;
            return Left::ToMenu;
        };
        match one_day(caller, user, meetings, from).await {
            Next::Day if later < LAST_DAY => later += 1,
            // What was there may be gone.
            Next::Anew => {}
            Next::Over => return Left::HungUp,
            _ => return Left::ToMenu,
        }
    }
}

async fn one_day(caller: &Caller, user: &mut User, mut meetings: Vec<Meeting>, day: SystemTime) -> Next {
    let Some(now) = caller.now().map(|now| now.wall) else { return Next::Menu };
    let count = u32::try_from(meetings.len()).unwrap_or(u32::MAX);
    let at = Value::Day { at: user.personal.zone.local(day), now: user.personal.zone.local(now) };
    let mut opening: Vec<Phrase> = vec![Prompt::MeetingsOfDay.with("count", count).with("day", at)];
    // Of today's those that are not over; the others are reached by 00 11.
    let over = |meeting: &Meeting| meeting.begins.checked_add(meeting.length).is_some_and(|ends| ends <= now);
    let mut place = meetings.iter().position(|meeting| !over(meeting)).unwrap_or(meetings.len().saturating_sub(1));
    loop {
        let last = place + 1 >= meetings.len();
        let mut visit = Visit { caller, user };
        let next = match meetings.get_mut(place) {
            Some(meeting) => visit.run(meeting, std::mem::take(&mut opening)).await,
            None => visit.run_empty(std::mem::take(&mut opening)).await,
        };
        match next {
            Next::Meeting if last => opening.push(Prompt::MeetingNoMore.into()),
            Next::Meeting => place += 1,
            Next::Back if place == 0 => opening.push(Prompt::MeetingNoPrevious.into()),
            Next::Back => place -= 1,
            Next::Gone => {
                meetings.remove(place);
                place = place.min(meetings.len().saturating_sub(1));
                if meetings.is_empty() {
                    return Next::Anew;
                }
            }
            Next::Clear => match clear(caller, user).await {
                Cleared::Done => return Next::Anew,
                Cleared::Left => {}
                Cleared::Failed => {
                    give_up(caller).await;
                    return Next::Over;
                }
            },
            Next::Day | Next::Anew | Next::Menu | Next::Over => return next,
        }
    }
}

enum Cleared {
    Done,
    Left,
    /// Too many wrong inputs.
    Failed,
}

/// Declines and cancels everything for hours or days.
async fn clear(caller: &Caller, user: &User) -> Cleared {
    // By keys: it can't be undone.
    caller.listen(&Commands::new(Vec::new()));
    let mut opening: Vec<Phrase> = Vec::new();
    let mut failures = 0;
    while failures < user.personal.failures {
        opening.push(Prompt::ClearAsk.into());
        caller.play(std::mem::take(&mut opening)).await;
        let (ask, most) = match CLEAR.read(caller, FIRST_KEY).await {
            Pressed::Does(Clears::Hours) => (Prompt::ClearHours, 24),
            Pressed::Does(Clears::Days) => (Prompt::ClearDays, 31),
            Pressed::Does(Clears::Back) => {
                caller.play(vec![Prompt::NotCleared.into()]).await;
                return Cleared::Left;
            }
            missed @ (Pressed::Unknown | Pressed::Nothing) => {
                failures += 1;
                opening.push(missed.remark(caller));
                continue;
            }
        };
        caller.play(vec![ask.into()]).await;
        let number = caller.number(2, None).await.and_then(|digits| digits.parse().ok());
        let (Some(number), Some(now)) = (number.filter(|number| (1..=most).contains(number)), caller.now()) else {
            failures += 1;
            opening.push(Prompt::NoInput.into());
            continue;
        };
        let until = match most {
            24 => now.wall.checked_add(HOUR * number),
            _ => user.personal.zone.day(now.wall, number),
        };
        let Some(until) = until else { return Cleared::Left };
        let at = || user.personal.moment(until, now.wall);
        caller.play(vec![Prompt::ClearSure.with("until", at())]).await;
        if caller.key(FIRST_KEY).await != Some('1') {
            caller.play(vec![Prompt::NotCleared.into()]).await;
            return Cleared::Left;
        }
        if !caller.done(user, Question::Clear { from: now.wall, until }).await {
            return Cleared::Left;
        }
        caller.play(vec![Prompt::Cleared.with("until", at())]).await;
        return Cleared::Done;
    }
    Cleared::Failed
}

#[cfg(test)]
mod tests {
    use crate::dialogue::caller::{PinCheck, TransferEnd};
    use crate::dialogue::personal::{Areas, Personal};
    use crate::dialogue::script::{Script, appointment, message, personal};
    use crate::personal_information::{Answer, Attendance, Attendee, Meeting, Private};
    use std::time::Duration;

    /// Anna, an hour before each of the meetings, which follow on each other by hours; the day is the script's.
    fn call_of(meetings: Vec<Meeting>, personal: Personal) -> Script {
        Script::own_phone(move |script| {
            script.pins = [PinCheck::Right { expired: false }].into();
            script.messages = vec![message(1, false)];
            script.personal = Some(Personal { areas: Areas { calendar: true, ..Areas::default() }, ..personal });
            script.at_six_in_the_morning();
            let now = script.wall();
            script.meetings = meetings;
            for (hour, meeting) in (1_u64..).zip(&mut script.meetings) {
                meeting.begins = now + Duration::from_secs(3600 * hour);
            }
        })
    }

    fn two() -> Vec<Meeting> {
        let own = Meeting { own: true, ..appointment("2", "Review") };
        vec![appointment("1", "Budget"), own]
    }

    /// The first meeting is being told.
    fn hearing(meetings: Vec<Meeting>) -> Script {
        let mut call = call_of(meetings, personal());
        call.presses("3");
        call
    }

    #[test]
    fn todays_meetings_are_told_with_time_place_and_who_called_them() {
        let mut call = hearing(two());
        call.hears("You have two meetings today").hears("Budget").hears("From seven AM to seven thirty AM");
        call.hears("Place: Blue room").hears("Called by Cecilia Holm").listens().hears("To accept, press four");
        call.presses("#").passes(Duration::from_millis(1300)).hears("Review").hears("called it yourself");
        call.listens().hears("To cancel it, press seven");
        call.presses("#").passes(Duration::from_millis(1300)).hears("no more meetings on this day").hears("Review");
    }

    #[test]
    fn in_swedish_it_is_told_as_swedes_do() {
        let mut call = call_of(two(), Personal { language: speech::Language::Swedish, ..personal() });
        call.presses("3");
        let said = call.said_in(speech::Language::Swedish);
        for words in ["Du har två möten i dag", "Från sju noll noll till sju trettio", "Sammankallat av Cecilia Holm"]
        {
            assert!(said.contains(words), "{said}");
        }
    }

    #[test]
    fn every_key_of_a_meeting_does_what_the_map_says() {
        for (keys, words, done) in [
            ("#", "Review", ""),
            ("##", "no meetings tomorrow", ""),
            ("1", "Budget", ""),
            ("2", "connecting you to", ""),
            ("3", "How many minutes", ""),
            ("4", "You have accepted", "Attend 1 Accepted"),
            ("44", "tentatively", "Attend 1 Tentative"),
            ("5", "Bring the figures", ""),
            ("7", "You have declined", "Attend 1 Declined"),
            ("0", "For the next meeting", ""),
            ("*", "messages, press one", ""),
            ("0011", "first meeting of the day", ""),
            ("0022", "connecting you to Cecilia Holm", ""),
            ("0055", "David may come", ""),
            ("006", "Spell the name", ""),
            ("0077", "clear the next hours", ""),
            ("008", "speak after the tone", ""),
            ("0088", "speak after the tone", ""),
            ("9", "does nothing", ""),
        ] {
            let mut meetings = two();
            meetings[0].attendees = vec![Attendee { name: "David".into(), answer: Some(Attendance::Tentative) }];
            let mut call = hearing(meetings);
            call.listens().hears("For the next meeting").presses(keys);
            if matches!(keys, "#" | "4" | "0" | "008") {
                call.passes(Duration::from_millis(1300));
            }
            call.hears(words);
            assert_eq!(call.take_done().concat(), done, "{keys}");
        }
    }

    #[test]
    fn the_own_meeting_is_cancelled() {
        let mut call = hearing(two().split_off(1));
        call.listens().presses("7").hears("The meeting is cancelled.").listens();
        assert_eq!(call.take_done(), ["Attend 2 Declined"]);
        call.hears("meeting");
    }

    #[test]
    fn all_are_told_that_one_is_late() {
        let mut call = hearing(two());
        call.listens().presses("3").presses("15#").hears("fifteen minutes late");
        assert_eq!(call.take_done(), ["Late 1 15"]);
        let mut nothing = hearing(two());
        nothing.listens().presses("3").presses("0#").hears("did not hear");
        assert_eq!(nothing.take_done(), [""; 0]);
    }

    #[test]
    fn the_calendar_is_cleared_once_it_is_sure() {
        let mut call = hearing(two());
        call.listens()
            .presses("0077")
            .presses("1")
            .hears("How many hours")
            .presses("3#")
            .hears("until today at nine AM");
        assert_eq!(call.take_done(), [""; 0]);
        call.presses("1");
        assert_eq!(call.take_done(), ["Clear 3 h"]);
        call.hears("is clear until today at nine AM");
        let mut days = hearing(two());
        days.listens().presses("00772").presses("2#").hears("until on").presses("1");
        assert_eq!(days.take_done(), ["Clear 42 h"]);
        for (keys, words) in [("*", "stays as it is"), ("13#2", "stays as it is"), ("199#", "clear the next hours")] {
            let mut left = hearing(two());
            left.listens().presses("0077").presses(keys).hears(words);
            assert_eq!(left.take_done(), [""; 0]);
        }
    }

    #[test]
    fn details_are_read_with_a_player_of_their_own() {
        let mut call = hearing(two());
        call.listens().presses("5").hears("Bring the figures").presses("2").hears("To go on, press two").presses("2");
        call.hears("[audio]").presses("55").hears("Read in Swedish").listens().hears("Bring the figures");
        assert_eq!(call.spoken_in("Bring the figures"), Some(speech::Language::Swedish));
        call.presses("0").hears("For the next meeting");
        let mut none = hearing(vec![Meeting { text: Private(String::new()), ..appointment("1", "Budget") }]);
        none.listens().presses("5").hears("nothing more about it");
    }

    #[test]
    fn a_day_without_meetings_leads_to_the_next() {
        let mut call = hearing(Vec::new());
        call.hears("no meetings today").hears("For the next day").presses("##").hears("no meetings tomorrow");
        call.presses("##").hears("no meetings on").presses("0077").hears("clear the next hours").presses("*");
        call.listens().presses("*").hears("messages, press one");
    }

    #[test]
    fn what_is_over_today_is_behind() {
        let mut call = call_of(two(), personal());
        let now = call.wall();
        call.meetings[0].begins = now - Duration::from_secs(7200);
        call.presses("3").hears("Review").listens().presses("0011").hears("Budget");
    }

    #[test]
    fn whole_days_and_several_have_times_of_their_own() {
        let day = Duration::from_secs(86_400);
        let mut call = hearing(vec![Meeting { all_day: true, length: day, ..appointment("1", "Holiday") }]);
        call.hears("All day.");
        let mut call = hearing(vec![Meeting { length: day * 2, ..appointment("1", "Fair") }]);
        call.hears("It begins today at seven AM and ends on");
    }

    #[test]
    fn who_called_it_and_the_place_are_called_where_that_is_allowed() {
        let mut call = hearing(two());
        call.listens().presses("2").listens();
        assert_eq!(call.transferring.as_ref().map(|(_, to)| to.as_str()), Some("28000"));
        call.transferred(TransferEnd::NoAnswer).hears("Nobody answers");
        let mut meetings = two();
        meetings[0].location_number = None;
        let mut call = hearing(meetings);
        call.listens().presses("2").hears("no number").listens().presses("0022").listens();
        assert_eq!(call.transferring.as_ref().map(|(_, to)| to.as_str()), Some("0701234567"));
    }

    #[test]
    fn a_source_that_hangs_answers_nonsense_or_is_away_leads_back() {
        let mut hangs = call_of(two(), personal());
        hangs.source_silent = true;
        hangs.presses("3").passes(Duration::from_secs(2)).hears("One moment").listens().passes(Duration::from_secs(9));
        hangs.hears("can't be reached").listens().hears("messages, press one");
        for answer in [Answer::Unavailable("away".into()), Answer::Mail(Vec::new())] {
            let mut call = call_of(two(), personal());
            call.source_says = Some(answer);
            call.presses("3").hears("can't be reached").listens().hears("messages, press one");
        }
        let mut late = hearing(two());
        late.listens();
        late.source_says = Some(Answer::Unavailable("read only".into()));
        late.presses("4").passes(Duration::from_millis(1300)).hears("could not be done");
    }

    #[test]
    fn every_command_of_a_meeting_does_what_its_keys_do() {
        for (command, words) in [
            ("next", "Review"),
            ("next day", "no meetings tomorrow"),
            ("replay", "Budget"),
            ("call location", "connecting you"),
            ("i'll be late", "How many minutes"),
            ("accept", "You have accepted"),
            ("accept as tentative", "tentatively"),
            ("details", "Bring the figures"),
            ("decline", "Did you say"),
            ("previous", "first meeting"),
            ("call organizer", "connecting you to Cecilia"),
            ("attendance", "Nobody else"),
            ("forward", "Say a name"),
            ("clear calendar", "clear the next hours"),
            ("reply", "speak after the tone"),
            ("reply all", "speak after the tone"),
            ("more options", "You can say"),
            ("main menu", "You can say"),
        ] {
            let mut call = call_of(two(), Personal { voice: true, prefers_voice: true, ..personal() });
            call.says("calendar").hears("two meetings").listens().says(command).hears(words);
        }
    }

    #[test]
    fn hours_of_another_zone_are_the_listeners() {
        let zone = crate::time_zone::TimeZone::of(Some("Asia/Calcutta"));
        let mut call = call_of(two(), Personal { zone, ..personal() });
        call.presses("3").hears("From twelve thirty PM to one PM");
    }
}
