use super::*;
use crate::commands::dial_plan::{DialByName, MatchedName};
use crate::dialogue::caller::{Match, Subscriber, TransferEnd};
use crate::dialogue::script::{Script, subscriber};
use crate::rules::Denied;

fn scene() -> Attendant {
    Attendant {
        greeting: vec![Prompt::AttendantWelcome.into()],
        digits: 5,
        failures: 3,
        subscribers: true,
        any_extension: true,
        ..Attendant::default()
    }
}

fn call(scene: Attendant) -> Script {
    Script::start(|_| {}, |caller| auto_attendant(caller, scene))
}

#[test]
fn an_extension_is_transferred_to() {
    let mut call = call(scene());
    call.hears("thank you for calling").presses("27001").hears("connecting you to Björn Åkesson").listens();
    assert_eq!(call.transferring.as_ref().map(|(_, to)| to.as_str()), Some("27001"));
    call.transferred(TransferEnd::Done);
    assert!(call.over);
}

#[test]
fn an_extension_that_is_no_users_is_tried_when_that_is_allowed() {
    let mut any = call(scene());
    any.presses("27010").listens();
    assert!(any.transferring.is_some());
    let mut users = call(Attendant { any_extension: false, ..scene() });
    users.presses("27010").hears("nobody with that extension");
}

#[test]
fn a_number_that_the_pbx_does_not_know_gives_the_menu_back() {
    let mut call = call(scene());
    call.presses("27001").listens().transferred(TransferEnd::Invalid);
    call.hears("nobody with that extension").hears("enter the extension");
}

#[test]
fn busy_and_no_answer_are_told() {
    let mut call = call(scene());
    call.presses("27001").listens().transferred(TransferEnd::Busy).hears("busy");
    call.presses("27001").listens().transferred(TransferEnd::NoAnswer).hears("Nobody answers");
}

#[test]
fn three_bad_inputs_end_politely() {
    let mut call = call(scene());
    call.presses("12#").hears("nobody with that").presses("12#").presses("12#").hears("Goodbye").listens();
    assert!(call.over);
}

#[test]
fn silence_ends_it_too() {
    let mut call = call(scene());
    call.waits(Duration::from_secs(60));
    assert!(call.over);
}

#[test]
fn zero_is_the_operator_unless_an_extension_begins_with_it() {
    let mut operator = call(Attendant { operator: Some("9".into()), ..scene() });
    operator.presses("0").waits(Duration::from_secs(3));
    assert_eq!(operator.transferring.as_ref().map(|(_, to)| to.as_str()), Some("9"));
    let mut extension = call(Attendant { operator: Some("9".into()), ..scene() });
    extension.presses("01234").listens();
    assert_eq!(extension.transferring.as_ref().map(|(_, to)| to.as_str()), Some("01234"));
}

fn searching() -> Attendant {
    let search = Search {
        list: None,
        plan: None,
        primary: DialByName::LastFirst,
        secondary: DialByName::None,
        detail: MatchedName::None,
        digits: 5,
        failures: 3,
        colleague: false,
    };
    let messages = Messages { idle: Duration::from_secs(5), max: Duration::from_secs(60) };
    Attendant { search: Some(search), messages: Some(messages), ..scene() }
}

/// A call in which 25... finds Björn Åkesson.
fn call_to_search(scene: Attendant) -> Script {
    let found = Match { subscriber: subscriber("27001", "Björn Åkesson"), detail: None };
    Script::start(
        move |script| script.directory = vec![("2537766".into(), found)],
        |caller| auto_attendant(caller, scene),
    )
}

#[test]
fn pound_searches_by_name_and_one_calls() {
    let mut call = call_to_search(searching());
    call.hears("search by name, press pound").presses("#").hears("last name first").presses("25#");
    call.hears("Björn Åkesson To call, press one").presses("1").hears("connecting you to Björn Åkesson").listens();
    assert_eq!(call.transferring.as_ref().map(|(_, to)| to.as_str()), Some("27001"));
}

#[test]
fn a_message_can_be_left_without_ringing() {
    let mut call = call_to_search(searching());
    call.presses("#25#").presses("2").hears("Björn Åkesson is not available");
    assert_eq!(call.take_done(), ["answer for 27001"]);
}

#[test]
fn who_is_busy_or_away_takes_a_message_where_the_pbx_has_not_seen_to_it() {
    for (end, word) in [(TransferEnd::Busy, "busy"), (TransferEnd::NoAnswer, "Nobody answers")] {
        let mut call = call_to_search(searching());
        call.presses("27001").listens().transferred(end).hears(word).listens().hears("is not available");
        assert_eq!(call.take_done(), ["answer for 27001"]);
    }
}

#[test]
fn who_may_only_be_called_is_called_without_a_question() {
    let mut call = call_to_search(Attendant { messages: None, ..searching() });
    call.presses("#25#").hears("connecting you");
}

#[test]
fn star_in_the_search_gives_the_menu_back() {
    let mut call = call_to_search(searching());
    call.presses("#*").hears("enter the extension");
}

// ---- the menu ----

fn audio(seconds: usize) -> Arc<Audio> {
    Arc::new(Audio::from_samples(vec![500; seconds * 8000]))
}

fn line(key: char, name: &str, then: Then) -> MenuKey {
    MenuKey { key, name: name.into(), prompt: None, then }
}

/// Everything that a key can mean.
fn menu() -> Attendant {
    Attendant {
        keys: vec![
            line('1', "Sales", Then::Number("27010".into())),
            line('2', "the night attendant", Then::Attendant("Night".into())),
            line('3', "Anna's voice mail", Then::VoiceMail(subscriber("27000", "Anna Svensson"))),
            line('4', "Björn", Then::User(subscriber("27001", "Björn Åkesson"))),
            line('5', "Location", Then::Location),
            line('6', "Hours", Then::Hours),
            MenuKey { prompt: Some(audio(3)), ..line('7', "News", Then::Menu) },
            line('8', "Abroad", Then::Number("004721000000".into())),
            line('9', "Gone", Then::Nowhere),
        ],
        location: Some("Moon Street 1".into()),
        hours: vec![Prompt::HoursAlways.into()],
        operator: Some("9".into()),
        access: Some(Access {
            from: None,
            digits: 5,
            failures: 3,
            logon_failures: 3,
            elsewhere: None,
            ..Access::default()
        }),
        ..searching()
    }
}

fn call_to_menu(scene: Attendant) -> Script {
    let night = Attendant { greeting: vec![Prompt::AttendantClosed.into()], ..super::tests::scene() };
    Script::start(
        move |script| script.attendants = vec![("Night".into(), night)],
        |caller| auto_attendant(caller, scene),
    )
}

/// What follows a key: said, or called.
const MENU_MAP: &[(&str, &str)] = &[
    ("1", "connecting you to 27010"),
    ("2", "We are closed"),
    ("3", "Anna Svensson is not available"),
    ("4", "connecting you to Björn Åkesson"),
    ("5", "Moon Street 1"),
    ("6", "We are always open"),
    ("7", "[audio]"),
    ("8", "connecting you to 004721000000"),
    ("9", "that call did not go through"),
    ("0", "connecting you to 9"),
    ("#", "last name first"),
    ("*", "Welcome to Earcon"),
    ("27001", "connecting you to Björn Åkesson"),
    ("12345", "connecting you to 12345"),
    ("A", "That key does nothing here"),
];

#[test]
fn every_key_leads_where_the_map_says() {
    for (keys, follows) in MENU_MAP {
        let mut call = call_to_menu(menu());
        call.presses(keys).passes(ALONE).hears(follows);
    }
}

#[test]
fn every_key_can_be_typed_ahead_during_the_welcome() {
    for (keys, follows) in MENU_MAP {
        let mut call = call_to_menu(menu());
        call.hears("thank you for calling").presses_after(keys, Duration::from_millis(10)).passes(ALONE).hears(follows);
    }
}

#[test]
fn the_menu_is_told_from_the_settings() {
    let mut call = call_to_menu(menu());
    call.hears("For Sales press one").hears("For our opening hours, press six").hears("hear where we are, press five");
    call.hears("For the operator").hears("by name, press pound").hears("your own mailbox, press star");
}

#[test]
fn a_menu_that_somebody_recorded_takes_its_place() {
    let mut call = call_to_menu(Attendant { own_menu: Some(audio(4)), ..menu() });
    call.hears("[audio]");
    assert!(!call.said().contains("press"), "{}", call.said());
}

#[test]
fn where_no_extension_may_be_dialled_a_key_counts_at_once() {
    let mut call = call_to_menu(Attendant { subscribers: false, any_extension: false, ..menu() });
    call.presses("5").hears("Moon Street 1");
}

#[test]
fn a_key_with_pound_behind_it_is_that_key() {
    let mut call = call_to_menu(menu());
    call.presses("5#").hears("Moon Street 1").listens().hears("For Sales");
}

#[test]
fn announcements_give_the_menu_back_and_count_as_nothing_wrong() {
    let mut call = call_to_menu(menu());
    for _ in 0..5 {
        call.presses("6").passes(ALONE).hears("always open").listens().hears("For Sales");
    }
}

#[test]
fn no_key_in_time_does_what_the_mapping_says() {
    let keys = vec![line('-', "Nobody", Then::Number("27010".into()))];
    let mut call = call_to_menu(Attendant { keys, ..scene() });
    call.listens().passes(FIRST_KEY).hears("connecting you to 27010");
}

#[test]
fn who_is_silent_through_an_announcement_is_let_go_in_the_end() {
    let keys = vec![line('-', "Nobody", Then::Hours)];
    let mut call = call_to_menu(Attendant { keys, ..scene() });
    call.waits(Duration::from_secs(300));
    assert!(call.over);
}

#[test]
fn three_bad_inputs_lead_to_the_operator_where_there_is_one() {
    let mut call = call_to_menu(Attendant { any_extension: false, subscribers: false, ..menu() });
    call.presses("9").presses("9").presses("9").listens_until("connecting you to 9").listens();
    assert_eq!(call.transferring.as_ref().map(|(_, to)| to.as_str()), Some("9"));
    call.transferred(TransferEnd::NoAnswer).hears("Goodbye").listens();
    assert!(call.over);
}

#[test]
fn a_number_outside_is_called_by_the_dialling_rules_only() {
    let mut call = call_to_menu(menu());
    call.denied = Some(Denied::NoRule);
    call.presses("8").passes(ALONE).hears("can't call that number");
    call.presses("1").passes(ALONE).hears("connecting you to 27010");
}

#[test]
fn attendants_may_be_nested_and_one_that_does_not_answer_gives_the_menu_back() {
    let mut call = call_to_menu(menu());
    call.presses("2").passes(ALONE).hears("We are closed").hears("enter the extension").presses("27001").listens();
    assert_eq!(call.transferring.as_ref().map(|(_, to)| to.as_str()), Some("27001"));
    let mut nobody = call_to_menu(menu());
    nobody.attendants.clear();
    nobody.presses("2").passes(ALONE).hears("did not go through").hears("For Sales");
}

// ---- the announcement ----

fn announcing(uninterruptible: bool) -> Script {
    call(Attendant { announcement: Some(Announcement { audio: audio(6), uninterruptible }), ..menu() })
}

#[test]
fn an_announcement_that_may_be_interrupted_is_part_of_the_opening() {
    let mut call = announcing(false);
    call.hears("thank you for calling").hears("[audio]").hears("For Sales");
    call.presses("5").passes(ALONE).hears("Moon Street 1");
}

#[test]
fn one_that_may_not_is_heard_to_its_end_and_keys_wait_for_it() {
    let mut call = announcing(true);
    call.presses("5").hears("[audio]");
    call.presses("#").hears("[audio]").listens().passes(ALONE).hears("Moon Street 1");
}

// ---- bad input ----

/// Every way of a caller through the menu, cut off after each step: nothing is left that could go on, nothing panics.
#[test]
fn hanging_up_is_possible_at_every_point() {
    for (keys, _) in MENU_MAP {
        for steps in 0..keys.len() + 4 {
            let mut call = call_to_menu(menu());
            for (step, key) in keys.chars().chain("111".chars()).take(steps).enumerate() {
                if call.over {
                    break;
                }
                call.presses(&key.to_string());
                if step % 2 == 1 && !call.said().is_empty() && !call.over {
                    call.listens();
                }
            }
            // The dialogue is dropped where it stands, as the call does it.
            drop(call);
        }
    }
}

#[test]
fn mashed_keys_end_politely_or_at_somebody() {
    for mashed in ["1234567890*#", "*****", "#####", "0000000", "*#*#*#*#", "999999999999999999999999", "ABCDABCD"] {
        let mut call = call_to_menu(menu());
        for _ in 0..40 {
            if call.over || call.transferring.is_some() || call.recording().is_some() {
                break;
            }
            call.presses(mashed);
            call.waits(Duration::from_secs(2));
        }
        // Whoever mashes on is led on or let go; an open menu waits for MaxCallDuration at most.
        call.waits(Duration::from_secs(600));
        let ended = call.over || call.transferring.is_some() || call.recording().is_some();
        assert!(ended, "{mashed}: {:?}", call.said());
    }
}

/// Nobody else than colleagues may be put through to Björn.
fn a_call_for_colleagues_only(operator: Option<&str>) -> Script {
    let scene = Attendant { operator: operator.map(Into::into), ..searching() };
    let setup = |script: &mut Script| {
        let bjorn = Subscriber { reachable: false, ..subscriber("27001", "Björn Åkesson") };
        script.directory = vec![("2537766".into(), Match { subscriber: bjorn.clone(), detail: None })];
        script.subscribers = vec![bjorn];
    };
    Script::start(setup, |caller| auto_attendant(caller, scene))
}

#[test]
fn whoever_is_there_for_colleagues_only_is_neither_found_nor_called() {
    let mut call = a_call_for_colleagues_only(None);
    call.presses("#253#").hears("nobody by that name");
    call.presses("*27001").hears("can't connect you").hears("enter the extension");
}

#[test]
fn instead_of_whoever_is_there_for_colleagues_only_the_operator_answers() {
    let mut call = a_call_for_colleagues_only(Some("27009"));
    call.presses("27001").hears("can't connect you").listens().listens();
    assert_eq!(call.transferring.as_ref().map(|(_, to)| to.as_str()), Some("27009"));
}
