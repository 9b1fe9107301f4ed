//! Encrypted media: `media_encryption_enable` for routes and extensions.

use super::rig::*;
use crate::commands::{Command, MediaEncryption, Number};
use ::sdp::{Local, OwnKeys, Security, Session, Suite};
use event::Event;
use media::{MediaCommand, Srtp};
use sip::endpoint::{Body, CallEvent, CallRef};
use sip::{Headers, Name, Transport};

fn enable(rig: &mut Rig, traffic: &str, mode: Option<&str>) {
    let mode = mode.map(str::to_owned);
    rig.run_command(Command::MediaEncryption(MediaEncryption::Enable { traffic: traffic.into(), mode }));
}

/// A lab whose trunk is made for SRTP, by TCP so that the rig can speak it.
fn secured() -> (Rig, Peer, Peer) {
    let mut rig = Rig::lab();
    rig.set_route(55, |set| {
        set.profile = Some("ExchangeUM_TLS_SRTP".into());
        set.protocol = Some("tcp".into());
        set.remoteport = Some(5060);
        set.forced_gateway = Some("profile".into());
    });
    enable(&mut rig, "route", None);
    let caller = rig.phone("27001", "127.0.0.1:5071");
    let um = rig.peer(UM, Transport::Tcp);
    (rig, caller, um)
}

/// A party that has SRTP with keys of this fill.
fn party(port: u16, fill: u8) -> Local {
    let keys = OwnKeys::draw(&[Suite::AesCm128HmacSha1_80], |bytes| bytes.fill(fill));
    let security = Security::Required(keys);
    Local { security, ..Local::new("127.0.0.9".parse().unwrap(), port, 7) }
}

fn read(body: &[u8]) -> Session {
    Session::parse(body).unwrap()
}

/// The keys of what was connected since the last call, in order.
fn connected(rig: &Rig) -> Vec<Option<Srtp>> {
    let connects = rig.media.take().into_iter().filter_map(|command| match command {
        MediaCommand::Connect { stream, .. } => Some(stream.srtp),
        _ => None,
    });
    connects.collect()
}

fn answer_with(rig: &mut Rig, peer: Peer, call: CallRef, offer: &[u8], local: &Local) {
    let (answer, _) = ::sdp::answer(&read(offer), local).unwrap();
    let body = Body::sdp(answer.to_bytes());
    rig.with(peer, |endpoint, now| endpoint.accept(call, &Headers::new(), Some(body), now)).unwrap();
    rig.run_ms(20);
}

/// The call is up, the trunk's media encrypted and the phone's not.
fn talking() -> (Rig, Peer, CallRef, Peer, CallRef) {
    let (mut rig, caller, um) = secured();
    let calling = rig.call(caller, "27001", "43334");
    rig.run_ms(20);
    let (at_um, invite) = rig.incoming(um);
    answer_with(&mut rig, um, at_um, &invite.body, &party(25060, 1));
    assert!(rig.answered(caller, calling).is_some());
    rig.call_events(um, at_um);
    (rig, caller, calling, um, at_um)
}

#[test]
fn a_phone_without_srtp_reaches_a_trunk_that_has_nothing_else() {
    let (mut rig, caller, um) = secured();
    let calling = rig.call(caller, "27001", "43334");
    rig.run_ms(20);
    let (at_um, invite) = rig.incoming(um);
    let offer = read(&invite.body);
    assert_eq!(offer.media[0].protocol, "RTP/SAVP");
    assert_eq!(offer.media[0].cryptos().filter_map(Result::ok).count(), 4);
    answer_with(&mut rig, um, at_um, &invite.body, &party(25060, 1));
    let answer = rig.answered(caller, calling).unwrap();
    let answer = read(&answer.body);
    assert_eq!((answer.media[0].protocol.as_str(), answer.media[0].cryptos().count()), ("RTP/AVP", 0));
    let keys = connected(&rig);
    assert_eq!(keys.iter().filter(|keys| keys.is_some()).count(), 1, "{keys:?}");
    assert!(rig.calls()[0].gateway);
}

#[test]
fn without_the_command_the_same_trunk_is_rtp() {
    let (mut rig, caller, um) = secured();
    rig.run_command(Command::MediaEncryption(MediaEncryption::Disable { traffic: "route".into() }));
    rig.call(caller, "27001", "43334");
    rig.run_ms(20);
    assert_eq!(read(&rig.incoming(um).1.body).media[0].protocol, "RTP/AVP");
}

#[test]
fn an_invite_in_the_clear_on_an_encrypted_trunk_is_refused_in_words() {
    let (mut rig, _, um) = secured();
    let call = rig.call(um, "43334", "27001");
    rig.run_ms(20);
    let refusal = rig.rejected(um, call).unwrap();
    assert_eq!(refusal.status, 488);
    assert!(refusal.headers.get(&Name::Warning).unwrap().contains("SRTP is required"), "{refusal:?}");
    let said =
        |event: &Event| matches!(event, Event::SourceRefused { reason, .. } if reason.contains("routes, and 55"));
    assert!(rig.told().iter().any(said));
}

#[test]
fn an_answer_in_the_clear_is_no_answer_to_an_encrypted_offer() {
    let (mut rig, caller, um) = secured();
    let calling = rig.call(caller, "27001", "43334");
    rig.run_ms(20);
    let (at_um, _) = rig.incoming(um);
    rig.answer(um, at_um);
    rig.run_ms(100);
    assert_eq!(rig.rejected(caller, calling).unwrap().status, 488);
    assert!(rig.ended(um, at_um));
    let said = |event: &Event| matches!(event, Event::MediaRefused { party, .. } if party == "43334");
    assert!(rig.told().iter().any(said), "{:?}", rig.told());
}

#[test]
fn a_peer_that_holds_keeps_the_keys_and_one_that_changes_its_own_gets_another_of_ours() {
    let (mut rig, _, _, um, at_um) = talking();
    let first = connected(&rig).into_iter().flatten().next().unwrap();
    let offer = |rig: &mut Rig, fill: u8, direction| {
        let local = Local { direction, version: 8 + u64::from(fill), ..party(25060, fill) };
        let body = Body::sdp(::sdp::offer(&local).to_bytes());
        rig.with(um, |endpoint, now| endpoint.offer(at_um, &Headers::new(), Some(body), now)).unwrap();
        rig.run_ms(20);
        let answered = rig.call_events(um, at_um).into_iter().find_map(|event| match event {
            CallEvent::Answer { response } => Some(response),
            _ => None,
        });
        assert_eq!(answered.unwrap().status, 200);
        connected(rig).into_iter().flatten().next().unwrap()
    };
    let held = offer(&mut rig, 1, ::sdp::Direction::SendOnly);
    assert_eq!(held, first, "hold and resume keep the keys");
    let resumed = offer(&mut rig, 2, ::sdp::Direction::SendRecv);
    assert_ne!(resumed.receive, first.receive);
    assert_ne!(resumed.send, first.send);
}

#[test]
fn an_offer_in_the_clear_within_an_encrypted_call_changes_nothing() {
    let (mut rig, _, _, um, at_um) = talking();
    connected(&rig);
    let body = Body::sdp(sdp(25060));
    rig.with(um, |endpoint, now| endpoint.offer(at_um, &Headers::new(), Some(body), now)).unwrap();
    rig.run_ms(20);
    let statuses: Vec<u16> = rig
        .call_events(um, at_um)
        .iter()
        .filter_map(|event| match event {
            CallEvent::Answer { response } => Some(response.status),
            _ => None,
        })
        .collect();
    assert_eq!(statuses, [488]);
    assert!(connected(&rig).is_empty());
    assert_eq!(rig.calls().len(), 1, "the call goes on");
}

#[test]
fn phones_are_encrypted_each_with_keys_of_its_own() {
    let (mut rig, caller, _) = secured();
    enable(&mut rig, "extension", None);
    let callee = rig.phone("27000", "127.0.0.1:5072");
    let clear = rig.call(caller, "27001", "27000");
    rig.run_ms(20);
    assert_eq!(rig.rejected(caller, clear).unwrap().status, 488);
    let offer = ::sdp::offer(&party(15071, 5)).to_bytes();
    let calling = rig.call_with(caller, "27001", "27000", |call| call.body = Some(Body::sdp(offer.clone())));
    rig.run_ms(20);
    let (at_callee, invite) = rig.incoming(callee);
    assert_eq!(read(&invite.body).media[0].protocol, "RTP/SAVP");
    answer_with(&mut rig, callee, at_callee, &invite.body, &party(15072, 6));
    let answer = rig.answered(caller, calling).unwrap();
    assert!(::sdp::accept(&party(15071, 5), &read(&answer.body)).unwrap().srtp.is_some());
    let keys: Vec<Srtp> = connected(&rig).into_iter().flatten().collect();
    assert_eq!(keys.len(), 2);
    assert_ne!(keys[0].send, keys[1].send);
}

#[test]
fn whoever_calls_for_help_is_heard_in_the_clear_too() {
    let mut rig = Rig::lab();
    rig.run_command(Command::Number(Number::Initiate { numbertype: "SOS".into(), number: "112".into() }));
    enable(&mut rig, "extension", None);
    let caller = rig.phone("27001", "127.0.0.1:5071");
    let call = rig.call(caller, "27001", "112");
    rig.run_ms(20);
    let refused = rig.rejected(caller, call).map(|refusal| refusal.status);
    assert_ne!(refused, Some(488));
}

#[test]
fn at_best_effort_phones_with_and_without_srtp_are_taken() {
    let (mut rig, caller, um) = secured();
    enable(&mut rig, "extension", Some("best-effort"));
    for offer in [sdp(15071), ::sdp::offer(&party(15071, 5)).to_bytes()] {
        let calling = rig.call_with(caller, "27001", "43334", |call| call.body = Some(Body::sdp(offer.clone())));
        rig.run_ms(20);
        let (at_um, invite) = rig.incoming(um);
        answer_with(&mut rig, um, at_um, &invite.body, &party(25060, 1));
        assert!(rig.answered(caller, calling).is_some());
        rig.hang_up(caller, calling);
        rig.run_ms(100);
    }
}

#[test]
fn keys_are_in_no_record_of_the_call() {
    let (mut rig, caller, calling, um, at_um) = talking();
    let sent = rig.sent_to(UM, &sip::Method::Invite);
    let body = String::from_utf8(sent[0].body.to_vec()).unwrap();
    let key = body.split("inline:").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    rig.hang_up(caller, calling);
    assert!(rig.ended(um, at_um));
    rig.run(std::time::Duration::from_secs(10));
    let recorded = rig.recorded();
    assert!(!recorded.is_empty());
    let report = replayed(&recorded[0]);
    assert!(!report.0.contains(&key), "a key is in the journal");
}
