use super::rig::*;
use crate::commands::{AuthCode, AuthCodeSet, Command};
use sip::{Method, Name, Transport};
use std::time::Duration;

#[test]
fn a_phone_registers_with_its_password_and_appears_in_the_status() {
    let mut rig = Rig::lab();
    rig.phone("27001", "127.0.0.1:5071");
    let status = rig.status("27001");
    assert_eq!(status.name, "Name27001 Åkesson");
    assert_eq!(status.contacts.len(), 1);
    assert_eq!(status.contacts[0].uri, "sip:27001@127.0.0.1:5071;transport=udp");
    assert!((3595..=3600).contains(&status.contacts[0].expires_s));
    assert!(rig.told_names().contains(&"registered".to_owned()));
}

#[test]
fn phones_are_asked_for_the_digest_that_their_extensions_hash_type_says() {
    for (hash_type, asked) in
        [(None, &["MD5"][..]), (Some("sha256a1"), &["SHA-256"][..]), (Some("any"), &["SHA-256", "MD5"][..])]
    {
        let mut rig = Rig::lab();
        if let Some(hash_type) = hash_type {
            let set = AuthCodeSet {
                dir: "27001".into(),
                auth_code: "moon-27001".into(),
                hash_type: Some(hash_type.into()),
                ..Default::default()
            };
            rig.run_command(Command::AuthCode(AuthCode::Change(set)));
        }
        rig.phone("27001", "127.0.0.1:5071");
        let challenge = rig.responses_to("127.0.0.1:5071", &Method::Register).remove(0);
        assert_eq!(challenge.status, 401);
        let lines: Vec<String> = challenge.headers.lines(&Name::WwwAuthenticate).map(|line| line.to_string()).collect();
        assert_eq!(lines.len(), asked.len(), "{lines:?}");
        for (line, algorithm) in lines.iter().zip(asked) {
            assert!(line.contains(&format!("algorithm={algorithm}")), "{lines:?}");
            assert!(line.contains("realm=\"moon.galaxy\""), "{lines:?}");
        }
    }
}

#[test]
fn a_wrong_password_is_refused_and_told() {
    let mut rig = Rig::lab();
    let phone = rig.peer("127.0.0.1:5071", Transport::Udp);
    rig.register(phone, "27001", "guess", 3600);
    rig.run_ms(100);
    assert_eq!(rig.responses(phone).last().unwrap().status, 403);
    assert!(rig.status("27001").contacts.is_empty());
    assert!(rig.told_names().contains(&"authentication_failed".to_owned()));
}

#[test]
fn one_extension_can_not_register_another() {
    let mut rig = Rig::lab();
    let phone = rig.peer("127.0.0.1:5071", Transport::Udp);
    rig.request(phone, Method::Register, "27001", "27000", Some("moon-27001"), |request| {
        request.headers.push(Name::Contact, "<sip:27000@127.0.0.1:5071>");
    });
    rig.run_ms(100);
    assert_eq!(rig.responses(phone).last().unwrap().status, 403);
    assert!(rig.status("27000").contacts.is_empty());
}

#[test]
fn guessing_is_stopped_for_a_while() {
    let mut rig = Rig::lab();
    let phone = rig.peer("127.0.0.1:5071", Transport::Udp);
    for _ in 0..25 {
        rig.register(phone, "27001", "guess", 3600);
        rig.run_ms(50);
    }
    rig.register(phone, "27001", "moon-27001", 3600);
    rig.run_ms(50);
    assert_eq!(rig.responses(phone).last().unwrap().status, 403, "the right one is not even looked at");
    rig.run(Duration::from_secs(61));
    rig.register(phone, "27001", "moon-27001", 3600);
    rig.run_ms(50);
    assert_eq!(rig.responses(phone).last().unwrap().status, 200);
}

#[test]
fn a_registration_ends_by_expiry_and_is_told() {
    let mut rig = Rig::lab();
    let phone = rig.peer("127.0.0.1:5071", Transport::Udp);
    rig.register(phone, "27001", "moon-27001", 60);
    rig.run(Duration::from_secs(59));
    assert_eq!(rig.status("27001").contacts.len(), 1);
    rig.told();
    rig.run(Duration::from_secs(2));
    assert!(rig.status("27001").contacts.is_empty());
    assert!(rig.told_names().contains(&"unregistered".to_owned()));
}

#[test]
fn strangers_are_denied_whatever_the_method() {
    let mut rig = Rig::lab();
    let stranger = rig.peer("127.0.0.9:5060", Transport::Udp);
    for method in [Method::Options, Method::Message, Method::Refer, Method::Info, Method::Subscribe, Method::Notify] {
        rig.request(stranger, method.clone(), "mallory", "27000", None, |request| {
            request.headers.push(Name::Event, "message-summary");
            request.headers.push(Name::ReferTo, "<sip:27000@moon.galaxy>");
        });
        rig.run_ms(50);
        let status = rig.responses(stranger).last().map(|response| response.status);
        assert!(matches!(status, Some(403 | 481 | 405)), "{method}: {status:?}");
    }
    let call = rig.call_with(stranger, "mallory", "27000", |call| call.login = None);
    rig.run_ms(50);
    assert_eq!(rig.rejected(stranger, call).unwrap().status, 403);
    assert!(rig.told_names().contains(&"source_refused".to_owned()));
}

#[test]
fn a_call_without_the_right_password_is_refused() {
    let mut rig = Rig::lab();
    let phone = rig.peer("127.0.0.1:5071", Transport::Udp);
    let call = rig.call_with(phone, "27001", "27000", |call| call.login.as_mut().unwrap().password = "guess".into());
    rig.run_ms(100);
    assert_eq!(rig.rejected(phone, call).unwrap().status, 403);
    let call = rig.call_with(phone, "27001", "27000", |call| call.login = None);
    rig.run_ms(100);
    assert_eq!(rig.rejected(phone, call).unwrap().status, 401);
    assert!(rig.calls().is_empty());
}

#[test]
fn an_options_from_a_phones_address_and_from_the_trunk_is_answered() {
    let mut rig = Rig::lab();
    let phone = rig.phone("27001", "127.0.0.1:5071");
    let um = rig.peer(UM, Transport::Tcp);
    for peer in [phone, um] {
        rig.request(peer, Method::Options, "27001", "27001", None, |_| ());
        rig.run_ms(50);
        assert_eq!(rig.responses(peer).last().unwrap().status, 200);
    }
}

#[test]
fn registrations_are_there_after_a_restart() {
    let mut rig = Rig::lab();
    let phone = rig.phone("27001", "127.0.0.1:5071");
    let caller = rig.phone("27010", "127.0.0.1:5072");
    rig.restart();
    assert_eq!(rig.status("27001").contacts.len(), 1);
    let (_, called) = rig.connect(caller, "27010", phone, "27001");
    rig.hang_up(phone, called);
    assert!(rig.calls().is_empty());
}

#[test]
fn credentials_that_are_sent_again_are_stale_and_those_for_another_request_wrong() {
    let mut rig = Rig::lab();
    let ask = |cseq: u32, authorization: &str| {
        format!(
            "REGISTER sip:moon.galaxy SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:5071;branch=z9hG4bK{cseq}\nMax-Forwards: 70\n\
             From: <sip:27001@moon.galaxy>;tag=1\nTo: <sip:27001@moon.galaxy>\nCall-ID: a\nCSeq: {cseq} REGISTER\n\
             Contact: <sip:27001@127.0.0.1:5071>\n{authorization}Content-Length: 0\n\n"
        )
    };
    let status = |rig: &Rig| rig.responses_to("127.0.0.1:5071", &Method::Register).last().unwrap().clone();
    rig.hand_feed("127.0.0.1:5071", &ask(1, ""));
    let challenge = sip::digest::Challenge::strongest(&status(&rig).headers).unwrap();
    let credentials =
        challenge.answer_password("27001", "moon-27001", &Method::Register, "sip:moon.galaxy", 1, "cnonce");
    let line = format!("Authorization: {credentials}\n");
    rig.hand_feed("127.0.0.1:5071", &ask(2, &line));
    assert_eq!(status(&rig).status, 200);
    rig.hand_feed("127.0.0.1:5071", &ask(3, &line));
    let again = status(&rig);
    assert_eq!(again.status, 401, "the count was used");
    assert!(again.headers.get(&Name::WwwAuthenticate).unwrap().contains("stale"), "{again:?}");
    let other = challenge.answer_password("27001", "moon-27001", &Method::Invite, "sip:moon.galaxy", 2, "cnonce");
    rig.hand_feed("127.0.0.1:5071", &ask(4, &format!("Authorization: {other}\n")));
    assert_eq!(status(&rig).status, 403);
}
