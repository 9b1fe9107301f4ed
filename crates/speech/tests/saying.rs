//! What is said, in words and in sound.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;
use std::time::Duration;

use speech::{Audio, Clock, Language, Options, Person, Phrase, Prompt, Sound, Speech, Value};
use time::macros::datetime;
use time::{Date, Month, OffsetDateTime};

fn shipped() -> Speech {
    Speech::open(Options::shipped_only()).unwrap()
}

fn words(phrase: impl Into<Phrase>) -> String {
    shipped().transcript(&[phrase.into()])
}

fn seconds(audio: &[Arc<Audio>]) -> f64 {
    audio.iter().map(|piece| piece.duration().as_secs_f64()).sum()
}

/// A value for an argument of that name, from what ships.
fn some(argument: &str) -> Value {
    match argument {
        "count" | "key" => Value::Number(21),
        "digits" => Value::Digits("27000".into()),
        "when" => Value::Moment { at: datetime!(2026-11-22 16:15 UTC), now: datetime!(2026-11-22 18:00 UTC) },
        _ => Value::Person(Person::new("Anna Svensson", "27000")),
    }
}

#[test]
fn every_prompt_is_in_every_catalogue_with_its_values_and_has_sound() {
    let languages = Language::ALL.map(|language| (language, shipped().in_language(language)));
    for (prompt, (language, speech)) in Prompt::ALL.iter().flat_map(|prompt| languages.iter().map(move |l| (prompt, l)))
    {
        let phrase =
            prompt.arguments().iter().fold(Phrase::from(*prompt), |phrase, name| phrase.with(name, some(name)));
        let text = speech.transcript(std::slice::from_ref(&phrase));
        assert!(!text.is_empty() && !text.contains('{'), "{language:?} {prompt:?}: {text:?}");
        assert!(seconds(&speech.say(&[phrase])) > 0.3, "{language:?} {prompt:?}");
    }
}

/// Every fragment with its rendered audio, in every language.
fn rendered() -> impl Iterator<Item = (Language, String, Audio)> {
    let fragments =
        |language| Speech::fragments(language).unwrap().into_iter().map(move |fragment| (language, fragment));
    Language::ALL.into_iter().flat_map(fragments).map(|(language, fragment)| {
        let (folder, code) = (concat!(env!("CARGO_MANIFEST_DIR"), "/../../prompts"), language.code());
        let bytes = std::fs::read(format!("{folder}/{code}/{}.wav", fragment.file))
            .unwrap_or_else(|_| panic!("{:?}: run cargo xtask prompts", fragment.text));
        (language, fragment.text, Audio::from_wav(&bytes).unwrap())
    })
}

#[test]
fn every_fragment_of_the_catalogues_ships_as_audio() {
    for (language, text, audio) in rendered() {
        assert!(audio.duration() > Duration::from_millis(150), "{language:?} {text}");
        assert!(audio.duration() < Duration::from_secs(20), "{language:?} {text}");
    }
    let summary = shipped().summary();
    for language in Language::ALL {
        assert!(summary.contains(&format!(
            "{}: {} prompts",
            language.code(),
            Speech::fragments(language).unwrap().len()
        )));
    }
}

#[test]
fn counts_are_said_in_proper_plurals() {
    let count = |number| words(Prompt::CountNew.with("count", number));
    assert_eq!(count(0), "You have no new messages.");
    assert_eq!(count(1), "You have one new message.");
    assert_eq!(count(2), "You have two new messages.");
    assert_eq!(count(21), "You have twenty one new messages.");
    assert_eq!(count(305), "You have three hundred and five new messages.");
}

#[test]
fn numbers_are_put_together_as_english_does() {
    let number = |number| words(Value::Number(number));
    assert_eq!(number(0), "zero");
    assert_eq!(number(100), "one hundred");
    assert_eq!(number(999), "nine hundred and ninety nine");
    assert_eq!(number(1_000), "one thousand");
    assert_eq!(number(12_034), "twelve thousand and thirty four");
    assert_eq!(number(345_678), "three hundred and forty five thousand six hundred and seventy eight");
    assert_eq!(number(1_000_000), "one zero zero zero zero zero zero");
}

#[test]
fn a_telephone_number_is_said_key_by_key() {
    assert_eq!(words(Phrase::digits("+46 8-12*#x")), "plus four six eight one two star pound");
}

#[test]
fn an_envelope_says_the_day_as_people_do() {
    let now = datetime!(2026-11-22 18:00 UTC);
    let at = |at: OffsetDateTime| words(Value::Moment { at, now });
    assert_eq!(at(datetime!(2026-11-22 9:05 UTC)), "today at nine oh five AM");
    assert_eq!(at(datetime!(2026-11-22 0:00 UTC)), "today at midnight");
    assert_eq!(at(datetime!(2026-11-22 12:00 UTC)), "today at noon");
    assert_eq!(at(datetime!(2026-11-22 12:01 UTC)), "today at twelve oh one PM");
    assert_eq!(at(datetime!(2026-11-21 23:30 UTC)), "yesterday at eleven thirty PM");
    assert_eq!(at(datetime!(2026-11-18 14:00 UTC)), "on Wednesday at two PM");
    assert_eq!(at(datetime!(2026-11-02 14:45 UTC)), "on Monday November second at two forty five PM");
    assert_eq!(
        at(datetime!(2025-02-28 14:45 UTC)),
        "on February twenty eighth twenty twenty five at two forty five PM"
    );
    assert_eq!(
        at(datetime!(2007-02-28 14:45 UTC)),
        "on February twenty eighth two thousand and seven at two forty five PM"
    );
}

#[test]
fn what_is_to_come_is_said_as_people_do() {
    let now = datetime!(2026-11-22 18:00 UTC);
    let at = |at: OffsetDateTime| (words(Value::Moment { at, now }), words(Value::Day { at, now }));
    let said = |moment: &str, day: &str| (moment.to_owned(), day.to_owned());
    assert_eq!(at(datetime!(2026-11-22 19:00 UTC)), said("today at seven PM", "today"));
    assert_eq!(at(datetime!(2026-11-21 19:00 UTC)), said("yesterday at seven PM", "yesterday"));
    assert_eq!(at(datetime!(2026-11-23 9:00 UTC)), said("tomorrow at nine AM", "tomorrow"));
    assert_eq!(at(datetime!(2026-11-25 9:00 UTC)), said("on Wednesday at nine AM", "on Wednesday"));
    assert_eq!(
        at(datetime!(2026-12-02 9:00 UTC)),
        said("on Wednesday December second at nine AM", "on Wednesday December second")
    );
    assert_eq!(at(datetime!(2027-12-02 9:00 UTC)).1, "on December second twenty twenty seven");
    let swedish = |at: OffsetDateTime| (in_swedish(Value::Moment { at, now }), in_swedish(Value::Day { at, now }));
    assert_eq!(swedish(datetime!(2026-11-22 19:00 UTC)).1, "i dag");
    assert_eq!(swedish(datetime!(2026-11-23 9:00 UTC)), said("i morgon klockan nio noll noll", "i morgon"));
    assert_eq!(swedish(datetime!(2026-11-25 9:00 UTC)), said("på onsdag klockan nio noll noll", "på onsdag"));
    assert_eq!(swedish(datetime!(2026-12-02 9:00 UTC)).1, "onsdagen den andra december");
    assert_eq!(swedish(datetime!(2026-11-18 9:00 UTC)).1, "i onsdags");
}

#[test]
fn a_time_is_said_at_the_listeners_offset() {
    let now = datetime!(2026-11-22 0:30 +1);
    let at = datetime!(2026-11-21 22:10 UTC);
    assert_eq!(words(Value::Moment { at, now }), "yesterday at eleven ten PM");
}

#[test]
fn a_day_of_twenty_four_hours_is_said_as_one() {
    let speech = Speech::open(Options { clock: Some(Clock::TwentyFour), ..Options::shipped_only() }).unwrap();
    let now = datetime!(2026-11-22 18:00 UTC);
    let at = |at| speech.transcript(&[Value::Moment { at, now }.into()]);
    assert_eq!(at(datetime!(2026-11-22 17:05 UTC)), "today at seventeen oh five");
    assert_eq!(at(datetime!(2026-11-22 17:00 UTC)), "today at seventeen hundred hours");
}

#[test]
fn every_day_and_minute_of_a_year_can_be_said() {
    let speech = shipped();
    let now = datetime!(2026-12-31 23:59 UTC);
    let mut date = Date::from_calendar_date(2026, Month::January, 1).unwrap();
    for step in 0..364_u32 {
        let at = date.with_hms((step % 24) as u8, (step % 60) as u8, 0).unwrap().assume_utc();
        let text = speech.transcript(&[Value::Moment { at, now }.into()]);
        let month = at.month().to_string();
        assert!(now - at < time::Duration::days(7) || text.contains(&month), "{text}");
        assert!(text.split(' ').count() >= 4 || text.ends_with("noon") || text.ends_with("midnight"), "{text}");
        date = date.next_day().unwrap();
    }
}

#[test]
fn a_person_is_spoken_by_the_best_there_is() {
    let speech = shipped();
    let own = Arc::new(Audio::from_samples(vec![7; 800]));
    let recorded = Person { recorded: Some(own.clone()), ..Person::new("Anna Svensson", "27000") };
    let say = |person: Person| speech.say(&[Value::Person(person).into()]);
    assert!(Arc::ptr_eq(&say(recorded)[0], &own));
    assert_eq!(say(Person::new("Anna Svensson", "27000")).len(), 1);
    assert_eq!(say(Person::new("Björn Åkesson", "27001")).len(), 1);
    assert_eq!(say(Person::new("zoë o'neil", "27010")).len(), 1);
    assert_eq!(say(Person::new("Nobody Known", "27002")).len(), 5, "by extension, digit by digit");
    assert_eq!(say(Person::number("27002")).len(), 5);
    assert_eq!(say(Person::default()).len(), 0);
}

#[test]
fn the_greeting_of_a_stranger_without_text_to_speech_names_the_extension() {
    let speech = shipped();
    let greeting = speech.say(&[Prompt::Greeting.with("name", Person::new("Nobody Known", "27002"))]);
    assert_eq!(greeting.len(), 6);
}

#[test]
fn the_same_prompt_is_the_same_sound_each_time() {
    let speech = shipped();
    let once = speech.say(&[Prompt::EnterPin.into()]);
    let again = speech.say(&[Prompt::EnterPin.into()]);
    assert!(Arc::ptr_eq(&once[0], &again[0]));
}

#[test]
fn the_earcon_is_a_second_and_a_half_and_not_too_loud() {
    let earcon = shipped().earcon();
    assert_eq!(earcon.duration(), Duration::from_millis(1500));
    let peak = earcon.samples().iter().map(|sample| sample.unsigned_abs()).max().unwrap();
    assert!((8_000..24_000).contains(&peak), "{peak}");
    assert!(earcon.samples()[0].unsigned_abs() < 400 && earcon.samples().last().unwrap().unsigned_abs() < 400);
}

#[test]
fn sounds_and_pauses_are_as_long_as_they_are_asked_to_be() {
    let speech = shipped();
    let audio = speech.say(&[Sound::RecordTone.into(), Phrase::Pause(Duration::from_millis(300))]);
    assert!((seconds(&audio) - 0.7).abs() < 1e-9);
}

#[test]
fn all_prompts_are_about_as_loud() {
    for (language, text, audio) in rendered() {
        let frames = audio
            .samples()
            .chunks(160)
            .map(|frame| (frame.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / frame.len() as f64).sqrt());
        let loudest = frames.fold(0.0, f64::max);
        assert!((3_000.0..16_000.0).contains(&loudest), "{language:?} {text}: {loudest}");
    }
}

fn in_swedish(phrase: impl Into<Phrase>) -> String {
    shipped().in_language(Language::Swedish).transcript(&[phrase.into()])
}

#[test]
fn swedish_counts_and_numbers_are_put_together_as_swedish_does() {
    let count = |number| in_swedish(Prompt::CountNew.with("count", number));
    assert_eq!(count(0), "Du har inga nya meddelanden.");
    assert_eq!(count(1), "Du har ett nytt meddelande.");
    assert_eq!(count(21), "Du har tjugoett nya meddelanden.");
    assert_eq!(in_swedish(Value::Number(305)), "tre hundra fem");
    assert_eq!(in_swedish(Value::Number(12_034)), "tolv tusen trettiofyra");
    assert_eq!(in_swedish(Phrase::digits("43334*#")), "fyra tre tre tre fyra stjärna fyrkant");
}

#[test]
fn a_swedish_envelope_says_the_day_and_the_time_as_swedes_do() {
    let now = datetime!(2026-11-22 18:00 UTC);
    let at = |at: OffsetDateTime| in_swedish(Value::Moment { at, now });
    assert_eq!(at(datetime!(2026-11-22 9:05 UTC)), "i dag klockan nio noll fem");
    assert_eq!(at(datetime!(2026-11-21 14:00 UTC)), "i går klockan fjorton noll noll");
    assert_eq!(at(datetime!(2026-11-18 14:30 UTC)), "i onsdags klockan fjorton trettio");
    assert_eq!(at(datetime!(2026-11-02 14:45 UTC)), "måndagen den andra november klockan fjorton fyrtiofem");
    assert_eq!(
        at(datetime!(1998-02-28 14:45 UTC)),
        "den tjugoåttonde februari nitton hundra nittioåtta klockan fjorton fyrtiofem"
    );
    let twelve = Speech::open(Options { clock: Some(Clock::Twelve), ..Options::shipped_only() }).unwrap();
    let at = |at| twelve.in_language(Language::Swedish).transcript(&[Value::Moment { at, now }.into()]);
    assert_eq!(at(datetime!(2026-11-22 0:00 UTC)), "i dag klockan tolv på natten");
    assert_eq!(at(datetime!(2026-11-22 14:45 UTC)), "i dag klockan två fyrtiofem på eftermiddagen");
}

#[test]
fn a_language_is_known_by_its_tag_whatever_the_region() {
    assert_eq!(Language::of_tag("sv-SE"), Some(Language::Swedish));
    assert_eq!(Language::of_tag("EN-gb"), Some(Language::English));
    assert_eq!(Language::of_tag("de-DE"), None);
    assert_eq!(Language::of_tag(""), None);
}
