use super::rig::*;
use media::MediaCommand;
use sip::endpoint::{Body, CallEvent, CallRef};
use sip::{Headers, Method, Name, Transport, sipfrag};
use std::time::Duration;

/// A caller who talks with the UM server.
fn with_um(forced: bool) -> (Rig, Peer, CallRef, Peer, CallRef) {
    let mut rig = Rig::lab();
    let setting = if forced { "yes" } else { "no" };
    rig.set_route(55, |set| set.forced_gateway = Some(setting.into()));
    let caller = rig.phone("27001", "127.0.0.1:5071");
    let um = rig.peer(UM, Transport::Tcp);
    let calling = rig.call(caller, "27001", "43333");
    rig.run_ms(20);
    let (at_um, _) = rig.incoming(um);
    rig.answer(um, at_um);
    assert!(rig.answered(caller, calling).is_some());
    rig.call_events(um, at_um);
    rig.media.take();
    (rig, caller, calling, um, at_um)
}

fn refer(rig: &mut Rig, peer: Peer, call: CallRef, to: &str) {
    let mut headers = Headers::new();
    headers.push(Name::ReferTo, to);
    headers.push(Name::ReferredBy, "<sip:43333@127.0.222.4>");
    rig.with(peer, |endpoint, now| endpoint.request_in_call(call, Method::Refer, &headers, None, now)).unwrap();
    rig.run_ms(20);
}

/// The answer to the REFER and what NOTIFYs said, each NOTIFY answered.
fn progress(rig: &mut Rig, peer: Peer, call: CallRef) -> (Option<u16>, Vec<u16>) {
    let (mut answer, mut told) = (None, Vec::new());
    for event in rig.call_events(peer, call) {
        match event {
            CallEvent::Response { response, .. } => answer = Some(response.status),
            CallEvent::Request { transaction, request } if request.method == Method::Notify => {
                assert_eq!(request.headers.get(&Name::Event).unwrap().as_str(), "refer");
                told.extend(sipfrag::status(&request.body));
                rig.with(peer, |endpoint, now| endpoint.respond(transaction, request.response(200), now)).unwrap();
            }
            _ => {}
        }
    }
    rig.run_ms(20);
    (answer, told)
}

/// Answers what the node offers within a call: the number of offers.
fn answer_offers(rig: &mut Rig, peer: Peer, call: CallRef, port: u16) -> usize {
    let offers = rig.call_events(peer, call).iter().filter(|event| matches!(event, CallEvent::Offer { .. })).count();
    if offers > 0 {
        let body = Body::sdp(sdp_of(port, 9, "sendrecv"));
        rig.with(peer, |endpoint, now| endpoint.answer_offer(call, 200, &Headers::new(), Some(body), now)).unwrap();
        rig.run_ms(20);
    }
    offers
}

#[test]
fn the_um_server_transfers_the_caller_to_an_extension() {
    let (mut rig, caller, calling, um, at_um) = with_um(false);
    let target = rig.phone("27010", "127.0.0.1:5072");
    refer(&mut rig, um, at_um, "<sip:27010@127.0.222.10>");
    let (called, invite) = rig.incoming(target);
    assert_eq!(invite.from().unwrap().uri.number().as_deref(), Some("27001"), "the caller calls, not the server");
    assert!(invite.headers.has(&Name::ReferredBy));
    assert_eq!(progress(&mut rig, um, at_um), (Some(202), vec![100]));
    rig.ring(target, called);
    rig.answer(target, called);
    assert_eq!(progress(&mut rig, um, at_um).1, [180, 200]);
    assert_eq!(answer_offers(&mut rig, caller, calling, 15071), 1, "the caller's media goes to the target now");
    rig.hang_up(um, at_um);
    let calls = rig.calls();
    assert_eq!((calls.len(), calls[0].to[0].number.as_str()), (1, "27010"));
    rig.hang_up(target, called);
    assert!(rig.ended(caller, calling));
    assert!(rig.calls().is_empty());
}

#[test]
fn a_transfer_at_the_gateway_moves_the_relay() {
    let (mut rig, caller, calling, um, at_um) = with_um(true);
    let target = rig.phone("27010", "127.0.0.1:5072");
    refer(&mut rig, um, at_um, "<sip:27010@127.0.222.10>");
    let (called, _) = rig.incoming(target);
    rig.answer(target, called);
    assert_eq!(answer_offers(&mut rig, caller, calling, 15071), 0, "the caller notices nothing");
    let commands = rig.media.take();
    assert!(commands.iter().any(|command| matches!(command, MediaCommand::Relay { .. })), "{commands:?}");
    let closed = commands.iter().filter(|command| matches!(command, MediaCommand::Close { .. })).count();
    assert_eq!(closed, 1, "the server's session");
}

#[test]
fn a_transferor_who_stays_is_shown_the_door() {
    let (mut rig, caller, calling, um, at_um) = with_um(false);
    let target = rig.phone("27010", "127.0.0.1:5072");
    refer(&mut rig, um, at_um, "<sip:27010@127.0.222.10>");
    let (called, _) = rig.incoming(target);
    rig.answer(target, called);
    progress(&mut rig, um, at_um);
    answer_offers(&mut rig, caller, calling, 15071);
    rig.run(Duration::from_secs(6));
    assert!(rig.ended(um, at_um));
    assert_eq!(rig.calls().len(), 1);
}

#[test]
fn an_unanswered_transfer_goes_to_the_targets_voice_mail() {
    let (mut rig, _caller, _calling, um, at_um) = with_um(false);
    let target = rig.phone("27000", "127.0.0.1:5072");
    refer(&mut rig, um, at_um, "<sip:27000@127.0.222.10>");
    rig.incoming(target);
    rig.run(RING + Duration::from_millis(100));
    let (_, invite) = rig.incoming(um);
    assert_eq!(invite.uri.number().as_deref(), Some("43334"));
    let diversion = invite.headers.get(&Name::Diversion).unwrap();
    assert!(diversion.contains("27000") && diversion.contains("no-answer"), "{diversion}");
}

#[test]
fn a_vacant_target_is_reported_and_the_caller_stays_with_the_server() {
    let (mut rig, caller, calling, um, at_um) = with_um(false);
    refer(&mut rig, um, at_um, "<sip:99999@127.0.222.10>");
    assert_eq!(progress(&mut rig, um, at_um), (Some(202), vec![100, 404]));
    assert_eq!(rig.calls().len(), 1);
    assert!(!rig.ended(caller, calling));
    refer(&mut rig, um, at_um, "<sip:anna@127.0.222.10>");
    assert_eq!(progress(&mut rig, um, at_um), (Some(202), vec![100, 404]));
}

#[test]
fn a_transferor_who_left_early_does_not_stop_the_transfer() {
    let (mut rig, caller, calling, um, at_um) = with_um(false);
    let target = rig.phone("27010", "127.0.0.1:5072");
    refer(&mut rig, um, at_um, "<sip:27010@127.0.222.10>");
    let (called, _) = rig.incoming(target);
    rig.hang_up(um, at_um);
    assert!(!rig.ended(caller, calling));
    rig.answer(target, called);
    answer_offers(&mut rig, caller, calling, 15071);
    assert_eq!(rig.calls()[0].to[0].number, "27010");

    let (mut rig, caller, calling, um, at_um) = with_um(false);
    let target = rig.phone("27010", "127.0.0.1:5072");
    refer(&mut rig, um, at_um, "<sip:27010@127.0.222.10>");
    let (called, _) = rig.incoming(target);
    rig.hang_up(um, at_um);
    rig.reject(target, called, 486);
    assert!(rig.ended(caller, calling), "nobody is left to talk to");
    assert!(rig.calls().is_empty());
}

#[test]
fn a_phone_transfers_the_one_who_called_it() {
    let mut rig = Rig::lab();
    let (a, b) = (rig.phone("27000", "127.0.0.1:5071"), rig.phone("27001", "127.0.0.1:5072"));
    let c = rig.phone("27010", "127.0.0.1:5073");
    let (calling, called) = rig.connect(a, "27000", b, "27001");
    refer(&mut rig, b, called, "<sip:27010@moon.galaxy>");
    let (at_c, invite) = rig.incoming(c);
    assert_eq!(invite.from().unwrap().uri.number().as_deref(), Some("27000"));
    rig.answer(c, at_c);
    assert_eq!(progress(&mut rig, b, called).1, [100, 200]);
    assert_eq!(answer_offers(&mut rig, a, calling, 15071), 1);
    assert_eq!(rig.calls().len(), 1);
}

#[test]
fn a_phone_transfers_the_one_whom_it_called() {
    let mut rig = Rig::lab();
    let (a, b) = (rig.phone("27000", "127.0.0.1:5071"), rig.phone("27001", "127.0.0.1:5072"));
    let c = rig.phone("27010", "127.0.0.1:5073");
    let (calling, called) = rig.connect(a, "27000", b, "27001");
    refer(&mut rig, a, calling, "<sip:27010@moon.galaxy>");
    let (at_c, invite) = rig.incoming(c);
    assert_eq!(invite.from().unwrap().uri.number().as_deref(), Some("27001"));
    rig.answer(c, at_c);
    answer_offers(&mut rig, b, called, 25072);
    rig.hang_up(a, calling);
    assert_eq!(rig.calls().len(), 1);
    rig.hang_up(b, called);
    assert!(rig.ended(c, at_c));
}

#[test]
fn direct_media_comes_to_the_gateway_when_the_target_is_behind_it() {
    let mut rig = Rig::lab();
    rig.set_route(55, |set| set.forced_gateway = Some("yes".into()));
    let um = rig.peer(UM, Transport::Tcp);
    let (a, b) = (rig.phone("27000", "127.0.0.1:5071"), rig.phone("27001", "127.0.0.1:5072"));
    let (calling, called) = rig.connect(a, "27000", b, "27001");
    refer(&mut rig, b, called, "<sip:43333@moon.galaxy>");
    let (at_um, _) = rig.incoming(um);
    rig.answer(um, at_um);
    assert_eq!(answer_offers(&mut rig, a, calling, 15071), 1);
    let commands = rig.media.take();
    let connected = commands.iter().filter(|command| matches!(command, MediaCommand::Connect { .. })).count();
    assert_eq!(connected, 2, "{commands:?}");
    assert!(commands.iter().any(|command| matches!(command, MediaCommand::Relay { .. })));
}

#[test]
fn an_attended_transfer_joins_the_two_whom_the_transferor_talked_with() {
    let mut rig = Rig::lab();
    let (a, b) = (rig.phone("27000", "127.0.0.1:5071"), rig.phone("27001", "127.0.0.1:5072"));
    let c = rig.phone("27010", "127.0.0.1:5073");
    let (a_to_b, b_of_a) = rig.connect(a, "27000", b, "27001");
    let (b_to_c, c_of_b) = rig.connect(b, "27001", c, "27010");
    let info = rig.with(b, |endpoint, _| endpoint.call_info(b_to_c)).unwrap();
    let replaces = format!("{};to-tag={};from-tag={}", info.call_id, info.remote_tag.unwrap(), info.local_tag);
    let escaped = sip::escape(&replaces, sip::UriPart::Header);
    refer(&mut rig, b, b_of_a, &format!("<sip:27010@moon.galaxy?Replaces={escaped}>"));
    assert_eq!(progress(&mut rig, b, b_of_a), (Some(202), vec![100, 200]));
    answer_offers(&mut rig, a, a_to_b, 15071);
    answer_offers(&mut rig, c, c_of_b, 25073);
    rig.run(Duration::from_secs(6));
    assert!(rig.ended(b, b_to_c));
    let calls = rig.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!((calls[0].from.number.as_str(), calls[0].to[0].number.as_str()), ("27000", "27010"));
    rig.hang_up(a, a_to_b);
    assert!(rig.ended(c, c_of_b));
}

#[test]
fn a_refer_that_can_not_be_done_is_refused() {
    let (mut rig, _caller, _calling, um, at_um) = with_um(false);
    let mut headers = Headers::new();
    headers.push(Name::Subject, "no Refer-To");
    rig.with(um, |endpoint, now| endpoint.request_in_call(at_um, Method::Refer, &headers, None, now)).unwrap();
    rig.run_ms(20);
    assert_eq!(progress(&mut rig, um, at_um).0, Some(400));
}

/// What a session plays now: cadences differ in their length.
fn plays(rig: &Rig) -> Vec<Duration> {
    let commands = rig.media.take();
    let plays = commands.iter().filter_map(|command| match command {
        MediaCommand::Play { clips, repeat: true, .. } => Some(clips[0].duration()),
        _ => None,
    });
    plays.collect()
}

const RINGBACK: Duration = Duration::from_secs(5);
const HOLD: Duration = Duration::from_secs(10);

#[test]
fn who_waits_at_the_gateway_hears_ringback_and_then_the_target() {
    let (mut rig, _caller, _calling, um, at_um) = with_um(true);
    let target = rig.phone("27010", "127.0.0.1:5072");
    refer(&mut rig, um, at_um, "<sip:27010@127.0.222.10>");
    let (called, _) = rig.incoming(target);
    rig.ring(target, called);
    assert_eq!(plays(&rig), [RINGBACK]);
    rig.answer(target, called);
    let commands = rig.media.take();
    let stop = commands.iter().position(|command| matches!(command, MediaCommand::StopPlay { .. }));
    let relay = commands.iter().rposition(|command| matches!(command, MediaCommand::Relay { .. }));
    assert!(stop.unwrap() < relay.unwrap(), "{commands:?}");
}

#[test]
fn who_waits_at_the_gateway_is_back_where_it_was_when_the_target_refuses() {
    let (mut rig, _caller, _calling, um, at_um) = with_um(true);
    let target = rig.phone("27010", "127.0.0.1:5072");
    refer(&mut rig, um, at_um, "<sip:27010@127.0.222.10>");
    let (called, _) = rig.incoming(target);
    rig.ring(target, called);
    rig.media.take();
    rig.reject(target, called, 486);
    assert_eq!(progress(&mut rig, um, at_um).1, [100, 180, 486]);
    let commands = rig.media.take();
    assert!(commands.iter().any(|command| matches!(command, MediaCommand::Relay { .. })), "{commands:?}");
    assert_eq!(rig.calls().len(), 1);
}

/// 27000 and 27001 talk; 27001 transfers to 27010, which rings.
fn ringing_transfer() -> (Rig, [(Peer, CallRef); 3]) {
    let mut rig = Rig::lab();
    let (a, b) = (rig.phone("27000", "127.0.0.1:5071"), rig.phone("27001", "127.0.0.1:5072"));
    let c = rig.phone("27010", "127.0.0.1:5073");
    let (calling, called) = rig.connect(a, "27000", b, "27001");
    refer(&mut rig, b, called, "<sip:27010@moon.galaxy>");
    let (at_c, _) = rig.incoming(c);
    rig.ring(c, at_c);
    (rig, [(a, calling), (b, called), (c, at_c)])
}

#[test]
fn media_comes_to_the_node_for_the_ringback_and_goes_back_to_the_phones() {
    let (mut rig, [(a, calling), (b, called), (c, at_c)]) = ringing_transfer();
    assert_eq!(plays(&rig), [RINGBACK]);
    assert_eq!(answer_offers(&mut rig, a, calling, 15071), 1, "to hear it");
    rig.answer(c, at_c);
    assert_eq!(answer_offers(&mut rig, a, calling, 15071), 1, "to talk with the target");
    assert_eq!(progress(&mut rig, b, called).1, [100, 180, 200]);
    let commands = rig.media.take();
    assert!(commands.iter().any(|command| matches!(command, MediaCommand::Close { .. })), "{commands:?}");
    assert!(!commands.iter().any(|command| matches!(command, MediaCommand::Relay { .. })), "{commands:?}");
    assert!(!rig.calls()[0].gateway);
    let offers = rig.sent_to("127.0.0.1:5071", &Method::Invite);
    let versions: Vec<String> = offers
        .iter()
        .map(|offer| String::from_utf8(offer.body.to_vec()).unwrap().lines().nth(1).unwrap().to_owned())
        .collect();
    assert_eq!(versions.len(), 2);
    let number = |line: &String| line.split(' ').nth(2).unwrap().parse::<u64>().unwrap();
    assert_eq!(number(&versions[1]), number(&versions[0]) + 1, "one version up each time: {versions:?}");
}

#[test]
fn a_target_that_answers_before_the_ringback_is_agreed_on_waits_for_it() {
    let (mut rig, [(a, calling), _, (c, at_c)]) = ringing_transfer();
    rig.answer(c, at_c);
    assert_eq!(answer_offers(&mut rig, a, calling, 15071), 1);
    assert_eq!(answer_offers(&mut rig, a, calling, 15071), 1);
    assert_eq!(rig.calls()[0].to[0].number, "27010");
    rig.hang_up(a, calling);
    assert!(rig.ended(c, at_c));
}

#[test]
fn phones_talk_on_directly_when_a_transfer_fails() {
    let (mut rig, [(a, calling), (b, called), (c, at_c)]) = ringing_transfer();
    assert_eq!(answer_offers(&mut rig, a, calling, 15071), 1);
    rig.reject(c, at_c, 486);
    assert_eq!(progress(&mut rig, b, called).1, [100, 180, 486]);
    let back = rig.sent_to("127.0.0.1:5071", &Method::Invite).pop().unwrap();
    assert!(String::from_utf8(back.body.to_vec()).unwrap().contains("m=audio 25072 "), "the transferor's own media");
    assert_eq!(answer_offers(&mut rig, a, calling, 15071), 1);
    assert!(!rig.calls()[0].gateway);
    rig.hang_up(b, called);
    assert!(rig.ended(a, calling));
}

#[test]
fn a_transfer_to_somebody_who_still_rings() {
    let mut rig = Rig::lab();
    let (a, b) = (rig.phone("27000", "127.0.0.1:5071"), rig.phone("27001", "127.0.0.1:5072"));
    let c = rig.phone("27010", "127.0.0.1:5073");
    let (a_to_b, b_of_a) = rig.connect(a, "27000", b, "27001");
    let b_to_c = rig.call(b, "27001", "27010");
    rig.run_ms(20);
    let (c_of_b, _) = rig.incoming(c);
    rig.ring(c, c_of_b);
    let info = rig.with(b, |endpoint, _| endpoint.call_info(b_to_c)).unwrap();
    let replaces = format!("{};to-tag={};from-tag={}", info.call_id, info.remote_tag.unwrap(), info.local_tag);
    let escaped = sip::escape(&replaces, sip::UriPart::Header);
    refer(&mut rig, b, b_of_a, &format!("<sip:27010@moon.galaxy?Replaces={escaped}>"));
    assert_eq!(progress(&mut rig, b, b_of_a), (Some(202), vec![100, 180]));
    assert_eq!(rig.rejected(b, b_to_c).unwrap().status, 487);
    answer_offers(&mut rig, a, a_to_b, 15071);
    rig.answer(c, c_of_b);
    assert_eq!(progress(&mut rig, b, b_of_a).1, [200]);
    answer_offers(&mut rig, a, a_to_b, 15071);
    answer_offers(&mut rig, c, c_of_b, 25073);
    let calls = rig.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!((calls[0].from.number.as_str(), calls[0].to[0].number.as_str()), ("27000", "27010"));
    rig.hang_up(c, c_of_b);
    assert!(rig.ended(a, a_to_b));
    rig.run(Duration::from_secs(6));
    assert_eq!(rig.node.taken(), (0, 0));
}

#[test]
fn who_may_not_transfer_is_told_so() {
    use crate::commands::{Command, ExtensionProfile, ExtensionProfileSet};
    let mut rig = Rig::lab();
    let serv = Some("0".repeat(30));
    let set = ExtensionProfileSet { ext_serv: serv, ..Default::default() };
    rig.run_command(Command::ExtensionProfile(ExtensionProfile::Initiate(set)));
    let (a, b) = (rig.phone("27000", "127.0.0.1:5071"), rig.phone("27001", "127.0.0.1:5072"));
    let (_, called) = rig.connect(a, "27000", b, "27001");
    refer(&mut rig, b, called, "<sip:27010@moon.galaxy>");
    assert_eq!(progress(&mut rig, b, called).0, Some(403));
    assert_eq!(rig.calls().len(), 1);
}

/// A phone at the gateway puts the other one on hold, and resumes.
#[test]
fn hold_at_the_gateway_is_heard_and_ends() {
    use crate::commands::{Command, ExtensionProfile, ExtensionProfileSet};
    let mut rig = Rig::lab();
    let serv = Some("000000010001000010000000001100".into());
    let set = ExtensionProfileSet { ext_serv: serv, ..Default::default() };
    rig.run_command(Command::ExtensionProfile(ExtensionProfile::Initiate(set)));
    let (a, b) = (rig.phone("27000", "127.0.0.1:5071"), rig.phone("27001", "127.0.0.1:5072"));
    let (calling, _) = rig.connect(a, "27000", b, "27001");
    assert!(rig.calls()[0].gateway, "service digit 17: media by the node");
    rig.media.take();
    for (version, direction, heard) in [(2, "sendonly", vec![HOLD]), (3, "sendrecv", vec![])] {
        let body = Body::sdp(sdp_of(15071, version, direction));
        rig.with(a, |endpoint, now| endpoint.offer(calling, &Headers::new(), Some(body), now)).unwrap();
        rig.run_ms(20);
        let commands = rig.media.take();
        let plays: Vec<Duration> = commands
            .iter()
            .filter_map(|command| match command {
                MediaCommand::Play { clips, .. } => Some(clips[0].duration()),
                _ => None,
            })
            .collect();
        assert_eq!(plays, heard, "{direction}");
        let relayed = commands.iter().any(|command| matches!(command, MediaCommand::Relay { .. }));
        assert_eq!(relayed, direction == "sendrecv", "{commands:?}");
    }
}

#[test]
fn no_beeps_into_a_message() {
    let (mut rig, caller, calling, ..) = with_um(true);
    let body = Body::sdp(sdp_of(15071, 2, "sendonly"));
    rig.with(caller, |endpoint, now| endpoint.offer(calling, &Headers::new(), Some(body), now)).unwrap();
    rig.run_ms(20);
    assert!(plays(&rig).is_empty());
}
