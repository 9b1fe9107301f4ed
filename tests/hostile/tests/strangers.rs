//! Default deny: who is neither phone nor gateway gets nothing, whatever he asks for, and an event says that he asked.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;
use tests_hostile::phone::{authorization, authorized};
use tests_hostile::{Client, Target, request};

const LIMIT: Duration = Duration::from_secs(5);
const LAMP: &str = "Messages-Waiting: yes\r\nVoice-Message: 7/0 (0/0)\r\n";

/// Each method as somebody would send it who wants something by it.
const WISHES: [(&str, &str, &str); 9] = [
    ("INVITE", "", ""),
    ("REGISTER", "", ""),
    ("SUBSCRIBE", "Event: message-summary\r\n", ""),
    (
        "NOTIFY",
        "Event: message-summary\r\nSubscription-State: terminated\r\nContent-Type: application/simple-message-summary\r\n",
        LAMP,
    ),
    ("REFER", "Refer-To: <sip:00900123@premium.example>\r\n", ""),
    ("MESSAGE", "Content-Type: text/plain\r\n", "hello"),
    ("OPTIONS", "", ""),
    ("INFO", "Content-Type: application/dtmf-relay\r\n", "Signal=1\r\n"),
    ("PUBLISH", "Event: presence\r\n", ""),
];

/// Refusals of one source that are told in a minute.
const TOLD: u32 = 10;

#[test]
fn the_node_gives_strangers_nothing_and_lamps_stay_as_they_are() {
    let mut target = Target::start(68);
    let before = target.lab.get("/api/v1/extensions");
    let door = target.node();
    let mut told = 0;
    for (from, more_from) in [("27000", "a colleague's number"), ("mallory", "no number")] {
        for (method, more, body) in WISHES {
            for tcp in [false, true] {
                let stranger = target.stranger();
                let mut client = if tcp { Client::tcp(&stranger, &door) } else { Client::udp(&stranger, &door) };
                let text = request(&client, method, &format!("sip:27000@{door}"), from, more, body);
                let answer = client.ask(&text, LIMIT).unwrap_or_else(|| panic!("no answer to {method} of {more_from}"));
                let status = answer.status();
                assert!(matches!(status, 401 | 403 | 405 | 481), "{method} of {more_from}: {:?}", answer.lines);
                if method == "INVITE" {
                    client.acknowledge(&text, &answer);
                }
                let what = |event: &serde_json::Value| {
                    event["method"] == method && event["source"] == client.local.to_string()
                };
                if status != 401 && told < TOLD {
                    target.event("source_refused", what);
                    told += 1;
                }
            }
        }
    }
    assert_eq!(target.lab.get("/api/v1/extensions"), before, "no lamp, no registration");
    assert!(target.events("lamp_changed").is_empty() && target.events("registered").is_empty());
    target.serves_as_ever();
}

#[test]
fn the_um_server_refuses_whoever_is_no_gateway_with_a_warning_and_an_event() {
    let mut target = Target::start(69);
    for port in [5060, 5062, 5065, 5067] {
        let door = target.um(port);
        for (method, more, body) in WISHES {
            for tcp in [false, true] {
                let stranger = target.stranger();
                let mut client = if tcp { Client::tcp(&stranger, &door) } else { Client::udp(&stranger, &door) };
                let text = request(&client, method, &format!("sip:43334@{door}"), "27000", more, body);
                let answer = client.ask(&text, LIMIT).unwrap_or_else(|| panic!("no answer to {method} at {door}"));
                assert_eq!(answer.status(), 403, "{method} at {door}: {:?}", answer.lines);
                let warning = answer.field("Warning").unwrap_or_default();
                assert!(warning.contains("not a configured UM IP gateway"), "{method} at {door}: {warning}");
                let (name, key) = if method == "INVITE" {
                    client.acknowledge(&text, &answer);
                    ("um_call_refused", "pilot")
                } else {
                    ("source_refused", "method")
                };
                let value = if method == "INVITE" { "43334" } else { method };
                let from = client.local.to_string();
                target.event(name, |event| event["source"] == *from && event[key] == value);
            }
        }
    }
    // A gateway is refused what no gateway wants, and told what there is.
    let mut gateway = Client::tcp(&target.lab.node(), &target.um(5060));
    let text = request(&gateway, "REGISTER", "sip:43334@um", "27000", "", "");
    let answer = gateway.ask(&text, LIMIT).unwrap();
    assert_eq!(answer.status(), 405);
    assert!(answer.field("Allow").unwrap().contains("INVITE"));
    target.serves_as_ever();
}

#[test]
fn wrong_passwords_are_capped_and_right_ones_are_good_once() {
    let mut target = Target::start(62);
    let door = target.node();
    let uri = format!("sip:{door}");
    let to = |text: String| text.replace(&format!("To: <{uri}>"), &format!("To: <sip:27000@{door}>"));
    let mut phone = Client::udp(&target.lab.address(70), &door);

    // What was heard on the wire is no key: the same Authorization again is challenged anew, and not obeyed.
    let first = to(request(&phone, "REGISTER", &uri, "27000", "Expires: 600\r\n", ""));
    let challenge = phone.ask(&first, LIMIT).unwrap();
    let right = authorization(&challenge, "REGISTER", &uri, "27000", "moon-27000", 1);
    assert_eq!(phone.ask(&authorized(&first, &right), LIMIT).unwrap().status(), 200);
    let mut thief = Client::udp(&target.stranger(), &door);
    let theft = to(request(&thief, "REGISTER", &uri, "27000", "Expires: 600\r\n", ""));
    let refused = thief.ask(&authorized(&theft, &right), LIMIT).unwrap();
    assert_eq!(refused.status(), 401, "{:?}", refused.lines);
    assert!(refused.lines.iter().any(|line| line.contains("stale=true")), "{:?}", refused.lines);
    target.event("registered", |event| event["extension"] == "27000");
    assert_eq!(target.events("registered").len(), 1);

    // For another request it is no key either.
    let elsewhere = request(&thief, "INVITE", &format!("sip:27001@{door}"), "27000", "", "");
    let answer = thief.ask(&authorized(&elsewhere, &right), LIMIT).unwrap();
    thief.acknowledge(&authorized(&elsewhere, &right), &answer);
    assert!(matches!(answer.status(), 401 | 403), "{:?}", answer.lines);

    // Guessing: from one address so many guesses a minute, and then even the right one does not help.
    let mut guesser = Client::udp(&target.lab.address(91), &door);
    let mut attempt = |password: &str| {
        let first = to(request(&guesser, "REGISTER", &uri, "27000", "Expires: 600\r\n", ""));
        let challenge = guesser.ask(&first, LIMIT).unwrap();
        let line = authorization(&challenge, "REGISTER", &uri, "27000", password, 1);
        guesser.ask(&authorized(&first, &line), LIMIT).unwrap().status()
    };
    for n in 0..20 {
        assert_eq!(attempt(&format!("sun-{n}")), 403);
    }
    assert_eq!(attempt("moon-27000"), 403, "the right password after twenty wrong ones");
    let from = target.lab.address(91);
    target.event("authentication_failed", |event| event["source"].as_str().unwrap().starts_with(&from));
    // The owner's phone, at its own address, is not locked out by it.
    let again = authorization(&challenge, "REGISTER", &uri, "27000", "moon-27000", 2);
    assert_eq!(phone.ask(&authorized(&first, &again).replace("CSeq: 2", "CSeq: 3"), LIMIT).unwrap().status(), 200);
    target.serves_as_ever();
}
