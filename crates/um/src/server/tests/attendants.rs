use super::rig::{Rig, TestCall};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use media::{MediaCommand, PlayEnd};
use std::time::{Duration, SystemTime};

/// Monday 2026-06-01, 7:00 in Stockholm.
const MONDAY_7: u64 = 1_780_290_000;
const HOUR: u64 = 3600;

fn set(rig: &mut Rig, parameters: &[(&str, &str)]) {
    let all: Vec<(&str, &str)> = [("Identity", "AA")].into_iter().chain(parameters.iter().copied()).collect();
    rig.done("Set-UMAutoAttendant", &all);
}

/// A prompt of so many seconds.
fn import(rig: &mut Rig, file: &str, seconds: usize) {
    let wav = media::wav::write_g711(rtp::Codec::Pcmu, &vec![0x55; seconds * 8000]);
    let data = BASE64_STANDARD.encode(wav);
    let parameters = [("UMAutoAttendant", "AA"), ("PromptFileName", file), ("PromptFileData", data.as_str())];
    rig.done("Import-UMPrompt", &parameters);
}

/// How long the first thing is that the caller hears: own prompts are told apart by it.
fn first_heard(rig: &mut Rig, unix: u64) -> (TestCall, Duration) {
    rig.now.wall = SystemTime::UNIX_EPOCH + Duration::from_secs(unix);
    let call = rig.call("43333", "");
    let heard = rig.media.take().iter().find_map(|command| match command {
        MediaCommand::Play { clips, .. } => clips.first().map(|clip| clip.duration()),
        _ => None,
    });
    (call, heard.unwrap_or_default())
}

/// Open Mondays from 8 to 17 in Stockholm; a prompt of its own length for each hour.
fn with_hours() -> Rig {
    let mut rig = Rig::lab();
    for (file, seconds) in [("open.wav", 2), ("closed.wav", 3), ("midsummer.wav", 4)] {
        import(&mut rig, file, seconds);
    }
    set(
        &mut rig,
        &[
            ("TimeZone", "W. Europe Standard Time"),
            ("BusinessHoursSchedule", "Mon.8:00-Mon.17:00"),
            ("HolidaySchedule", "Midsummer,midsummer.wav,2026-06-19"),
            ("BusinessHoursWelcomeGreetingEnabled", "$true"),
            ("BusinessHoursWelcomeGreetingFilename", "open.wav"),
            ("AfterHoursWelcomeGreetingEnabled", "$true"),
            ("AfterHoursWelcomeGreetingFilename", "closed.wav"),
        ],
    );
    rig
}

#[test]
fn the_hour_where_the_attendant_is_decides_the_greeting() {
    let mut rig = with_hours();
    for (at, seconds) in [
        (MONDAY_7, 3),
        (MONDAY_7 + HOUR, 2),
        (MONDAY_7 + 10 * HOUR - 1, 2),
        (MONDAY_7 + 10 * HOUR, 3),
        // Friday the 19th at noon.
        (MONDAY_7 + 18 * 24 * HOUR + 5 * HOUR, 4),
    ] {
        let (call, heard) = first_heard(&mut rig, at);
        assert_eq!(heard.as_secs(), seconds, "{at}");
        rig.hang_up(&call);
    }
}

#[test]
fn keys_and_operator_are_those_of_the_hour() {
    let mut rig = with_hours();
    set(
        &mut rig,
        &[
            ("BusinessHoursKeyMappingEnabled", "$true"),
            ("BusinessHoursKeyMapping", "1,Sales,27010"),
            ("OperatorExtension", "27001"),
            ("BusinessHoursTransferToOperatorEnabled", "$true"),
        ],
    );
    for (at, key, transferred) in [(MONDAY_7 + HOUR, "1", true), (MONDAY_7 + HOUR, "0", true), (MONDAY_7, "0", false)] {
        rig.now.wall = SystemTime::UNIX_EPOCH + Duration::from_secs(at);
        let call = rig.call("43333", "");
        rig.press(&call, key);
        rig.later(Duration::from_millis(1600));
        rig.listen(call.session);
        let requests = rig.take_requests();
        assert_eq!(requests.iter().any(|request| request.method == sip::Method::Refer), transferred, "{at} {key}");
        rig.hang_up(&call);
        rig.take_sent();
    }
}

#[test]
fn another_attendant_takes_over_in_its_own_language_and_name() {
    let mut rig = Rig::lab();
    rig.done(
        "New-UMAutoAttendant",
        &[("Name", "Natt"), ("UMDialPlan", "MX"), ("Language", "sv-SE"), ("Status", "Enabled")],
    );
    set(&mut rig, &[("BusinessHoursKeyMappingEnabled", "$true"), ("BusinessHoursKeyMapping", "1,Night,,Natt")]);
    let call = rig.call("43333", "");
    rig.press(&call, "1");
    rig.later(Duration::from_millis(1600));
    rig.hang_up(&call);
    let records = rig.ledger.0.lock().unwrap().clone();
    assert_eq!(records.last().and_then(|record| record.auto_attendant_name.as_deref()), Some("Natt"));
}

#[test]
fn an_announcement_that_may_not_be_interrupted_is_not() {
    let mut rig = Rig::lab();
    import(&mut rig, "info.wav", 7);
    set(&mut rig, &[("InfoAnnouncementEnabled", "Uninterruptible"), ("InfoAnnouncementFilename", "info.wav")]);
    let call = rig.call("43333", "");
    let play = |rig: &Rig| {
        rig.media.take().into_iter().find_map(|command| match command {
            MediaCommand::Play { play, clips, barge_in, .. } => Some((play, clips, barge_in)),
            _ => None,
        })
    };
    let (welcome, _, barge_in) = play(&rig).unwrap();
    assert!(barge_in);
    let (session, played) = (call.session, Duration::from_secs(1));
    rig.media_event(media::MediaEvent::PlayEnded { session, play: welcome, played, reason: PlayEnd::Finished });
    let (_, clips, barge_in) = play(&rig).unwrap();
    assert!(!barge_in);
    assert_eq!(clips.first().map(|clip| clip.duration()), Some(Duration::from_secs(7)));
    rig.hang_up(&call);
}

#[test]
fn a_key_leads_to_somebodys_voice_mail() {
    let mut rig = Rig::lab();
    set(&mut rig, &[("BusinessHoursKeyMappingEnabled", "$true"), ("BusinessHoursKeyMapping", "3,Anna,,,,,27000")]);
    let call = rig.call("43333", "");
    rig.press(&call, "3");
    rig.later(Duration::from_millis(1600));
    let recording = rig.recording(&call);
    rig.record_ended(&call, recording, media::RecordEnd::Idle, 4);
    rig.durable(recording);
    rig.hang_up(&call);
    let shelf = rig.shelf.0.lock().unwrap();
    assert_eq!(shelf.delivered.first().map(|parcel| parcel.letter.mailbox.to_string()).as_deref(), Some("27000"));
}

#[test]
fn what_leads_nowhere_is_refused_when_it_is_set() {
    let mut rig = Rig::lab();
    for (parameter, value) in [
        ("BusinessHoursKeyMapping", "3,Nobody,,,,,nobody@moon.galaxy"),
        ("BusinessHoursKeyMapping", "3,Nowhere,,No such attendant"),
        ("TimeZone", "Europe/Atlantis"),
        ("HolidaySchedule", "Leap,,2026-02-30"),
        ("WeekStartDay", "Someday"),
    ] {
        let error = rig.command("Set-UMAutoAttendant", &[("Identity", "AA"), (parameter, value)]).unwrap_err();
        assert_eq!(error.parameter(), Some(parameter), "{value}: {error}");
    }
}
