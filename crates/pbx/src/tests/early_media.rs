//! What a callee sounds before it answers.

use super::rig::*;
use sip::endpoint::{Body, CallEvent, CallRef};
use sip::{Headers, Method, Response, Transport};

fn progress(rig: &mut Rig, peer: Peer, call: CallRef, status: u16, port: u16) {
    let body = Body::sdp(sdp(port));
    rig.with(peer, |endpoint, now| endpoint.progress(call, status, &Headers::new(), Some(body), now)).unwrap();
    rig.run_ms(20);
}

/// Provisional responses that came to a phone: status and audio port, 0 without a description.
fn heard(rig: &Rig, at: &str) -> Vec<(u16, u16)> {
    let port = |response: &Response| {
        let text = String::from_utf8(response.body.to_vec()).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("m=audio ").map(str::to_owned));
        line.and_then(|line| line.split(' ').next()?.parse().ok()).unwrap_or_default()
    };
    let responses = rig.responses_to(at, &Method::Invite).into_iter();
    responses.filter(|r| (101..200).contains(&r.status)).map(|r| (r.status, port(&r))).collect()
}

const CALLER: &str = "127.0.0.1:5071";

#[test]
fn one_target_is_heard_before_it_answers() {
    let mut rig = Rig::lab();
    let (a, um) = (rig.phone("27001", CALLER), rig.peer(UM, Transport::Tcp));
    let calling = rig.call(a, "27001", "43334");
    rig.run_ms(20);
    let (at_um, _) = rig.incoming(um);
    progress(&mut rig, um, at_um, 183, 30000);
    assert_eq!(heard(&rig, CALLER), [(183, 30000)]);
    let body = Body::sdp(sdp(30000));
    rig.with(um, |endpoint, now| endpoint.accept(at_um, &Headers::new(), Some(body), now)).unwrap();
    rig.run_ms(50);
    assert!(rig.answered(a, calling).is_some());
    assert_eq!(rig.sent_to(CALLER, &Method::Invite).len(), 0, "no offer follows: the description was the right one");
}

#[test]
fn at_the_gateway_it_is_the_nodes_own_description_that_stays() {
    let mut rig = Rig::lab();
    rig.set_route(55, |set| set.forced_gateway = Some("yes".into()));
    let (a, um) = (rig.phone("27001", CALLER), rig.peer(UM, Transport::Tcp));
    let calling = rig.call(a, "27001", "43334");
    rig.run_ms(20);
    let (at_um, _) = rig.incoming(um);
    progress(&mut rig, um, at_um, 183, 30000);
    let early = heard(&rig, CALLER);
    assert!(early.len() == 1 && early[0].1 >= 20000, "{early:?}");
    rig.answer(um, at_um);
    let answer = rig.answered(a, calling).unwrap();
    assert!(String::from_utf8(answer.body.to_vec()).unwrap().contains(&format!("m=audio {} ", early[0].1)));
}

#[test]
fn of_two_targets_none_is_heard() {
    let mut rig = Rig::lab();
    let a = rig.phone("27010", CALLER);
    let (b, c) = (rig.phone("27001", "127.0.0.1:5072"), rig.phone("27001", "127.0.0.1:5073"));
    rig.call(a, "27010", "27001");
    rig.run_ms(20);
    let ((at_b, _), (_at_c, _)) = (rig.incoming(b), rig.incoming(c));
    progress(&mut rig, b, at_b, 183, 30000);
    assert_eq!(heard(&rig, CALLER), [(180, 0)]);
}

#[test]
fn ringing_after_an_announcement_is_told() {
    let mut rig = Rig::lab();
    let (a, um) = (rig.phone("27001", CALLER), rig.peer(UM, Transport::Tcp));
    rig.call(a, "27001", "43334");
    rig.run_ms(20);
    let (at_um, _) = rig.incoming(um);
    progress(&mut rig, um, at_um, 183, 30000);
    rig.ring(um, at_um);
    rig.ring(um, at_um);
    assert_eq!(heard(&rig, CALLER), [(183, 30000), (180, 0)]);
}

#[test]
fn another_target_that_answers_is_offered_to_a_caller_who_heard_the_first() {
    let mut rig = Rig::lab();
    let (a, b) = (rig.phone("27001", CALLER), rig.phone("27000", "127.0.0.1:5072"));
    let um = rig.peer(UM, Transport::Tcp);
    let calling = rig.call(a, "27001", "27000");
    rig.run_ms(20);
    let (called, _) = rig.incoming(b);
    progress(&mut rig, b, called, 183, 30000);
    rig.reject(b, called, 486);
    let (at_um, _) = rig.incoming(um);
    rig.answer(um, at_um);
    rig.run_ms(50);
    let events = rig.call_events(a, calling);
    assert!(events.iter().any(|event| matches!(event, CallEvent::Answered { .. })), "{events:?}");
    let offer = events.iter().find_map(|event| match event {
        CallEvent::Offer { request } => Some(String::from_utf8(request.body.to_vec()).unwrap()),
        _ => None,
    });
    assert!(offer.unwrap().contains("m=audio 25060 "), "the one who answered");
}
