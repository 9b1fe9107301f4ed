use super::rig::*;
use sip::endpoint::CallEvent;
use sip::{Headers, Method, Name, Transport};
use std::collections::BTreeSet;
use std::time::Duration;

/// The To tags of all responses to a phone's INVITEs that were not challenges.
fn to_tags(rig: &Rig, at: &str) -> BTreeSet<String> {
    let responses = rig.responses_to(at, &Method::Invite).into_iter().filter(|r| r.status > 100 && r.status != 401);
    responses.filter_map(|response| Some(response.to_tag()?.to_string())).collect()
}

#[test]
fn an_extension_rings_answers_talks_and_hangs_up() {
    let mut rig = Rig::lab();
    let (a, b) = (rig.phone("27010", "127.0.0.1:5071"), rig.phone("27001", "127.0.0.1:5072"));
    rig.told();
    let calling = rig.call(a, "27010", "27001");
    rig.run_ms(20);
    let (called, invite) = rig.incoming(b);
    assert_eq!(invite.uri.to_string(), "sip:27001@127.0.0.1:5072;transport=udp");
    let from = invite.from().unwrap();
    assert_eq!((from.display.as_deref(), from.uri.number().as_deref()), (Some("Name27010 Åkesson"), Some("27010")));
    rig.ring(b, called);
    assert_eq!(rig.calls()[0].state, "ringing");
    rig.answer(b, called);
    let events = rig.call_events(a, calling);
    assert!(matches!(&events[0], CallEvent::Provisional { response, .. } if response.status == 180), "{events:?}");
    let answer = events.iter().find_map(|event| match event {
        CallEvent::Answered { response, .. } => Some(response),
        _ => None,
    });
    let body = String::from_utf8(answer.unwrap().body.to_vec()).unwrap();
    assert!(body.contains("m=audio 25072 "), "the media goes past the node: {body}");
    assert_eq!(rig.calls()[0].state, "connected");
    rig.hang_up(a, calling);
    assert!(rig.ended(b, called));
    assert!(rig.calls().is_empty());
    let names = rig.told_names();
    for name in ["call_started", "call_ringing", "call_answered", "call_ended"] {
        assert!(names.contains(&name.to_owned()), "{name} in {names:?}");
    }
    assert_eq!(rig.media.opened(), 0);
}

#[test]
fn busy_vacant_and_unregistered_are_told_apart() {
    let mut rig = Rig::lab();
    let (a, b) = (rig.phone("27010", "127.0.0.1:5071"), rig.phone("27001", "127.0.0.1:5072"));
    let calling = rig.call(a, "27010", "27001");
    rig.run_ms(20);
    let (called, _) = rig.incoming(b);
    rig.reject(b, called, 486);
    assert_eq!(rig.rejected(a, calling).unwrap().status, 486);

    let calling = rig.call(a, "27010", "99999");
    rig.run_ms(20);
    assert_eq!(rig.rejected(a, calling).unwrap().status, 404);

    rig.register(b, "27001", "moon-27001", 0);
    rig.run_ms(50);
    let calling = rig.call(a, "27010", "27001");
    rig.run_ms(20);
    assert_eq!(rig.rejected(a, calling).unwrap().status, 480);
    assert!(rig.calls().is_empty());
}

#[test]
fn all_phones_of_an_extension_ring_and_the_first_to_answer_has_the_call() {
    let mut rig = Rig::lab();
    let a = rig.phone("27010", "127.0.0.1:5071");
    let (b, c) = (rig.phone("27001", "127.0.0.1:5072"), rig.phone("27001", "127.0.0.1:5073"));
    let calling = rig.call(a, "27010", "27001");
    rig.run_ms(20);
    let ((at_b, _), (at_c, _)) = (rig.incoming(b), rig.incoming(c));
    rig.ring(b, at_b);
    rig.ring(c, at_c);
    rig.answer(c, at_c);
    assert!(rig.answered(a, calling).is_some());
    let events = rig.call_events(b, at_b);
    assert!(events.iter().any(|event| matches!(event, CallEvent::Cancelled { .. })), "{events:?}");
    assert_eq!(to_tags(&rig, "127.0.0.1:5071").len(), 1);
    let cancel = rig.sent_to("127.0.0.1:5072", &Method::Cancel).remove(0);
    assert!(cancel.headers.get(&Name::Reason).unwrap().contains("cause=200"), "no missed call there");
    let rings = rig.responses_to("127.0.0.1:5071", &Method::Invite).iter().filter(|r| r.status == 180).count();
    assert_eq!(rings, 1);
}

#[test]
fn two_phones_that_answer_at_once_leave_one_call() {
    let mut rig = Rig::lab();
    let a = rig.phone("27010", "127.0.0.1:5071");
    let (b, c) = (rig.phone("27001", "127.0.0.1:5072"), rig.phone("27001", "127.0.0.1:5073"));
    let calling = rig.call(a, "27010", "27001");
    rig.run_ms(20);
    let ((at_b, _), (at_c, _)) = (rig.incoming(b), rig.incoming(c));
    for (phone, call) in [(b, at_b), (c, at_c)] {
        let body = sip::endpoint::Body::sdp(sdp(30000));
        rig.with(phone, |endpoint, now| endpoint.accept(call, &Headers::new(), Some(body), now)).unwrap();
    }
    rig.run_ms(500);
    assert!(rig.answered(a, calling).is_some());
    let ended = [rig.ended(b, at_b), rig.ended(c, at_c)];
    assert_eq!(ended.iter().filter(|ended| **ended).count(), 1, "the second one is ended: {ended:?}");
    assert_eq!(rig.calls().len(), 1);
}

#[test]
fn one_phone_that_declines_speaks_for_all() {
    let mut rig = Rig::lab();
    let a = rig.phone("27010", "127.0.0.1:5071");
    let (b, c) = (rig.phone("27001", "127.0.0.1:5072"), rig.phone("27001", "127.0.0.1:5073"));
    let calling = rig.call(a, "27010", "27001");
    rig.run_ms(20);
    let ((at_b, _), (at_c, _)) = (rig.incoming(b), rig.incoming(c));
    rig.reject(b, at_b, 603);
    assert_eq!(rig.rejected(a, calling).unwrap().status, 603);
    assert!(rig.call_events(c, at_c).iter().any(|event| matches!(event, CallEvent::Cancelled { .. })));
}

#[test]
fn a_busy_phone_leaves_the_others_ringing() {
    let mut rig = Rig::lab();
    let a = rig.phone("27010", "127.0.0.1:5071");
    let (b, c) = (rig.phone("27001", "127.0.0.1:5072"), rig.phone("27001", "127.0.0.1:5073"));
    let calling = rig.call(a, "27010", "27001");
    rig.run_ms(20);
    let ((at_b, _), (at_c, _)) = (rig.incoming(b), rig.incoming(c));
    rig.reject(b, at_b, 486);
    assert!(rig.rejected(a, calling).is_none());
    rig.answer(c, at_c);
    assert!(rig.answered(a, calling).is_some());
}

#[test]
fn a_caller_who_cancels_ends_all_ringing() {
    let mut rig = Rig::lab();
    let (a, b) = (rig.phone("27010", "127.0.0.1:5071"), rig.phone("27001", "127.0.0.1:5072"));
    let calling = rig.call(a, "27010", "27001");
    rig.run_ms(20);
    let (called, _) = rig.incoming(b);
    rig.ring(b, called);
    rig.hang_up(a, calling);
    rig.run_ms(100);
    assert!(rig.call_events(b, called).iter().any(|event| matches!(event, CallEvent::Cancelled { .. })));
    assert_eq!(rig.rejected(a, calling).unwrap().status, 487);
    assert!(rig.calls().is_empty());
}

#[test]
fn a_cancel_that_crosses_the_answer_leaves_nothing() {
    let mut rig = Rig::lab();
    let (a, b) = (rig.phone("27010", "127.0.0.1:5071"), rig.phone("27001", "127.0.0.1:5072"));
    let calling = rig.call(a, "27010", "27001");
    rig.run_ms(20);
    let (called, _) = rig.incoming(b);
    rig.ring(b, called);
    // Both at the same moment: the CANCEL reaches the node when the 200 does.
    let body = sip::endpoint::Body::sdp(sdp(30000));
    rig.with(b, |endpoint, now| endpoint.accept(called, &Headers::new(), Some(body), now)).unwrap();
    rig.with(a, |endpoint, now| endpoint.hangup(calling, &Headers::new(), now)).unwrap();
    rig.run(Duration::from_secs(2));
    assert!(rig.calls().is_empty(), "{:?}", rig.calls());
    assert!(rig.ended(b, called));
}

#[test]
fn nobody_answers_and_the_call_list_goes_on_to_voice_mail() {
    let mut rig = Rig::lab();
    let (a, b) = (rig.phone("27001", "127.0.0.1:5071"), rig.phone("27000", "127.0.0.1:5072"));
    let um = rig.peer(UM, Transport::Tcp);
    let calling = rig.call(a, "27001", "27000");
    rig.run_ms(20);
    let (called, _) = rig.incoming(b);
    rig.ring(b, called);
    rig.run(RING - Duration::from_millis(100));
    assert!(rig.try_incoming(um).is_none(), "it still rings");
    rig.run_ms(200);
    assert!(rig.call_events(b, called).iter().any(|event| matches!(event, CallEvent::Cancelled { .. })));
    let (at_um, invite) = rig.incoming(um);
    assert_eq!(invite.uri.to_string(), "sip:43334@127.0.222.4;transport=tcp");
    let diversion = invite.headers.get(&Name::Diversion).unwrap().to_string();
    assert!(diversion.contains("<sip:27000@moon.galaxy>") && diversion.contains("reason=no-answer"), "{diversion}");
    let history: Vec<String> = invite.headers.lines(&Name::HistoryInfo).map(|line| line.to_string()).collect();
    assert_eq!(history.len(), 2, "{history:?}");
    assert!(history[0].contains("sip:27000@moon.galaxy?Reason=SIP%3Bcause%3D408"), "{history:?}");
    assert!(history[1].contains("43334") && history[1].contains("cause=408"), "{history:?}");
    let asserted = invite.headers.get(&Name::PAssertedIdentity).unwrap().to_string();
    assert!(asserted.contains("<sip:27001@moon.galaxy>"), "{asserted}");
    rig.answer(um, at_um);
    assert!(rig.answered(a, calling).is_some());
    assert_eq!(to_tags(&rig, "127.0.0.1:5071").len(), 1, "one To tag over phone and trunk");
    rig.hang_up(a, calling);
    assert!(rig.ended(um, at_um));
}

#[test]
fn busy_goes_where_the_position_says() {
    let mut rig = Rig::lab();
    let (a, b) = (rig.phone("27001", "127.0.0.1:5071"), rig.phone("27000", "127.0.0.1:5072"));
    let um = rig.peer(UM, Transport::Tcp);
    rig.call(a, "27001", "27000");
    rig.run_ms(20);
    let (called, _) = rig.incoming(b);
    rig.reject(b, called, 486);
    let (_, invite) = rig.incoming(um);
    assert!(invite.headers.get(&Name::Diversion).unwrap().contains("reason=user-busy"));
}

#[test]
fn a_phone_that_is_not_there_goes_to_voice_mail_at_once() {
    let mut rig = Rig::lab();
    let a = rig.phone("27001", "127.0.0.1:5071");
    let um = rig.peer(UM, Transport::Tcp);
    rig.call(a, "27001", "27000");
    rig.run_ms(20);
    let (_, invite) = rig.incoming(um);
    assert!(invite.headers.get(&Name::Diversion).unwrap().contains("reason=unavailable"));
}

#[test]
fn diversions_one_after_another_name_all_who_diverted_the_newest_first() {
    let mut rig = Rig::lab();
    rig.divert("27010", "27000", |diversion| diversion.div_immediate = Some(true));
    let a = rig.phone("27001", "127.0.0.1:5071");
    let um = rig.peer(UM, Transport::Tcp);
    rig.call(a, "27001", "27010");
    rig.run_ms(20);
    let (_, invite) = rig.incoming(um);
    let diversions: Vec<String> = invite.headers.lines(&Name::Diversion).map(|line| line.to_string()).collect();
    assert_eq!(diversions.len(), 2);
    assert!(diversions[0].contains("27000") && diversions[0].contains("unavailable"), "{diversions:?}");
    assert!(diversions[1].contains("27010") && diversions[1].contains("unconditional"), "{diversions:?}");
}

#[test]
fn diverting_in_a_circle_is_found() {
    let mut rig = Rig::lab();
    rig.divert("27010", "27001", |diversion| diversion.div_immediate = Some(true));
    rig.divert("27001", "27010", |diversion| diversion.div_immediate = Some(true));
    let a = rig.phone("27000", "127.0.0.1:5071");
    let calling = rig.call(a, "27000", "27010");
    rig.run_ms(20);
    assert_eq!(rig.rejected(a, calling).unwrap().status, 482);
}

#[test]
fn a_phone_that_forwards_by_302_diverts() {
    let mut rig = Rig::lab();
    let (a, b) = (rig.phone("27001", "127.0.0.1:5071"), rig.phone("27010", "127.0.0.1:5072"));
    let um = rig.peer(UM, Transport::Tcp);
    rig.call(a, "27001", "27010");
    rig.run_ms(20);
    let (called, _) = rig.incoming(b);
    rig.redirect(b, called, "sip:43334@moon.galaxy");
    let (_, invite) = rig.incoming(um);
    let diversion = invite.headers.get(&Name::Diversion).unwrap().to_string();
    assert!(diversion.contains("27010") && diversion.contains("deflection"), "{diversion}");
}

#[test]
fn a_phones_own_diversion_header_is_not_believed() {
    let mut rig = Rig::lab();
    let a = rig.phone("27001", "127.0.0.1:5071");
    let um = rig.peer(UM, Transport::Tcp);
    rig.call_with(a, "27001", "43334", |call| {
        call.headers.push(Name::Diversion, "<sip:27000@moon.galaxy>;reason=no-answer");
        call.headers.push(Name::PAssertedIdentity, "<sip:27000@moon.galaxy>");
    });
    rig.run_ms(20);
    let (_, invite) = rig.incoming(um);
    assert!(!invite.headers.has(&Name::Diversion));
    assert!(invite.headers.get(&Name::PAssertedIdentity).unwrap().contains("27001"));
}

#[test]
fn early_media_of_a_target_is_not_passed_on() {
    let mut rig = Rig::lab();
    let (a, b) = (rig.phone("27001", "127.0.0.1:5071"), rig.phone("27000", "127.0.0.1:5072"));
    let um = rig.peer(UM, Transport::Tcp);
    let calling = rig.call_with(a, "27001", "27000", |call| call.headers.push(Name::Require, "100rel"));
    rig.run_ms(20);
    let (called, _) = rig.incoming(b);
    let body = sip::endpoint::Body::sdp(sdp(30000));
    rig.with(b, |endpoint, now| endpoint.progress(called, 183, &Headers::new(), Some(body), now)).unwrap();
    rig.run_ms(100);
    rig.reject(b, called, 486);
    let (at_um, _) = rig.incoming(um);
    rig.answer(um, at_um);
    rig.run_ms(100);
    for response in rig.responses_to("127.0.0.1:5071", &Method::Invite) {
        assert!(response.status >= 200 || response.body.is_empty(), "{response:?}");
    }
    assert!(rig.answered(a, calling).is_some());
    assert_eq!(to_tags(&rig, "127.0.0.1:5071").len(), 1);
}

#[test]
fn a_caller_without_an_offer_gets_the_callees() {
    let mut rig = Rig::lab();
    let (a, b) = (rig.phone("27010", "127.0.0.1:5071"), rig.phone("27001", "127.0.0.1:5072"));
    let calling = rig.call_with(a, "27010", "27001", |call| call.body = None);
    rig.run_ms(20);
    let (called, invite) = rig.incoming(b);
    assert!(invite.body.is_empty());
    rig.answer(b, called);
    let offer = rig.answered(a, calling).unwrap();
    assert!(!offer.body.is_empty());
    let answer = sip::endpoint::Body::sdp(sdp(31000));
    rig.with(a, |endpoint, now| endpoint.acknowledge(calling, Some(answer), now)).unwrap();
    rig.run_ms(20);
    let bodies: Vec<String> = rig
        .call_events(b, called)
        .into_iter()
        .filter_map(|event| match event {
            CallEvent::Acknowledged { body } => String::from_utf8(body.to_vec()).ok(),
            _ => None,
        })
        .collect();
    assert!(bodies.iter().any(|body| body.contains("m=audio 31000 ")), "{bodies:?}");
}

#[test]
fn a_spent_max_forwards_ends_the_call() {
    let mut rig = Rig::lab();
    let um = rig.peer(UM, Transport::Tcp);
    let calling = rig.call_with(um, "5551", "27001", |call| {
        call.login = None;
        call.headers.push(Name::MaxForwards, "0");
    });
    rig.run_ms(20);
    assert_eq!(rig.rejected(um, calling).unwrap().status, 483);
}

#[test]
fn an_unreadable_description_is_refused_with_a_warning() {
    let mut rig = Rig::lab();
    let (a, _b) = (rig.phone("27010", "127.0.0.1:5071"), rig.phone("27001", "127.0.0.1:5072"));
    let calling = rig.call_with(a, "27010", "27001", |call| {
        call.body = Some(sip::endpoint::Body::sdp(&b"what is this"[..]));
    });
    rig.run_ms(50);
    let refusal = rig.rejected(a, calling).unwrap();
    assert_eq!(refusal.status, 488);
    assert!(refusal.headers.has(&Name::Warning));
}

#[test]
fn the_caller_sees_who_answered() {
    let mut rig = Rig::lab();
    rig.divert("27010", "27001", |diversion| diversion.div_immediate = Some(true));
    let (a, b) = (rig.phone("27000", "127.0.0.1:5071"), rig.phone("27001", "127.0.0.1:5072"));
    let calling = rig.call(a, "27000", "27010");
    rig.run_ms(20);
    let (called, _) = rig.incoming(b);
    rig.answer(b, called);
    let answer = rig.answered(a, calling).unwrap();
    let who = answer.headers.get(&Name::PAssertedIdentity).unwrap().to_string();
    assert!(who.contains("Name27001 Åkesson") && who.contains("<sip:27001@moon.galaxy>"), "{who}");
}

#[test]
fn an_anonymous_phone_is_known_by_its_credentials() {
    let mut rig = Rig::lab();
    let (a, b) = (rig.phone("27010", "127.0.0.1:5071"), rig.phone("27001", "127.0.0.1:5072"));
    rig.call_with(a, "27010", "27001", |call| {
        call.from = sip::NameAddr::new(uri("sip:anonymous@anonymous.invalid"));
    });
    rig.run_ms(50);
    let (_, invite) = rig.incoming(b);
    assert_eq!(invite.from().unwrap().uri.user_unescaped().unwrap(), "anonymous");
    assert_eq!(rig.calls()[0].from.number, "27010");
}
