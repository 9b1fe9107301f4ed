use super::rig::*;
use sip::endpoint::{Body, CallEvent, CallRef, ServerRef};
use sip::{Headers, Method, Request};

fn talking() -> (Rig, Peer, CallRef, Peer, CallRef) {
    let mut rig = Rig::lab();
    let (a, b) = (rig.phone("27010", "127.0.0.1:5071"), rig.phone("27001", "127.0.0.1:5072"));
    let (calling, called) = rig.connect(a, "27010", b, "27001");
    (rig, a, calling, b, called)
}

fn offer(rig: &mut Rig, peer: Peer, call: CallRef, version: u32, direction: &str) {
    let body = Body::sdp(sdp_of(15071, version, direction));
    rig.with(peer, |endpoint, now| endpoint.offer(call, &Headers::new(), Some(body), now)).unwrap();
    rig.run_ms(20);
}

fn offered(rig: &mut Rig, peer: Peer, call: CallRef) -> Option<Request> {
    rig.call_events(peer, call).into_iter().find_map(|event| match event {
        CallEvent::Offer { request } => Some(request),
        _ => None,
    })
}

fn answered(rig: &mut Rig, peer: Peer, call: CallRef) -> Option<(u16, String)> {
    rig.call_events(peer, call).into_iter().find_map(|event| match event {
        CallEvent::Answer { response } => Some((response.status, String::from_utf8(response.body.to_vec()).unwrap())),
        _ => None,
    })
}

#[test]
fn hold_and_resume_pass_from_phone_to_phone() {
    let (mut rig, a, calling, b, called) = talking();
    for (version, wanted, reply) in [(2, "sendonly", "recvonly"), (3, "sendrecv", "sendrecv")] {
        offer(&mut rig, a, calling, version, wanted);
        let request = offered(&mut rig, b, called).expect("passed on");
        let text = String::from_utf8(request.body.to_vec()).unwrap();
        assert!(text.contains(&format!("a={wanted}")), "{text}");
        let session: String = text.lines().nth(1).unwrap().to_owned();
        assert!(session.contains(&format!(" {version} IN IP4")), "one version up each time: {session}");
        let body = Body::sdp(sdp_of(25072, version, reply));
        rig.with(b, |endpoint, now| endpoint.answer_offer(called, 200, &Headers::new(), Some(body), now)).unwrap();
        rig.run_ms(20);
        let (status, text) = answered(&mut rig, a, calling).expect("answered");
        assert!(status == 200 && text.contains(&format!("a={reply}")), "{status} {text}");
    }
}

#[test]
fn a_refused_change_leaves_the_call() {
    let (mut rig, a, calling, b, called) = talking();
    offer(&mut rig, a, calling, 2, "sendonly");
    offered(&mut rig, b, called).expect("passed on");
    rig.with(b, |endpoint, now| endpoint.answer_offer(called, 488, &Headers::new(), None, now)).unwrap();
    rig.run_ms(20);
    assert_eq!(answered(&mut rig, a, calling).unwrap().0, 488);
    assert_eq!(rig.calls().len(), 1);
}

#[test]
fn both_changing_at_once_is_settled() {
    let (mut rig, a, calling, b, called) = talking();
    let hold = |version| Body::sdp(sdp_of(15071, version, "sendonly"));
    rig.with(a, |endpoint, now| endpoint.offer(calling, &Headers::new(), Some(hold(2)), now)).unwrap();
    rig.with(b, |endpoint, now| endpoint.offer(called, &Headers::new(), Some(hold(2)), now)).unwrap();
    // Each gets 491 of the node or passes through, and tries again at its own time (RFC 3261 14.1).
    let mut settled = 0;
    for _ in 0..60 {
        rig.run_ms(100);
        for (peer, call) in [(a, calling), (b, called)] {
            for event in rig.call_events(peer, call) {
                match event {
                    CallEvent::Offer { .. } => {
                        let body = Body::sdp(sdp_of(25072, 5, "recvonly"));
                        let _ = rig.with(peer, |endpoint, now| {
                            endpoint.answer_offer(call, 200, &Headers::new(), Some(body), now)
                        });
                    }
                    CallEvent::Answer { response } if response.status == 200 => settled += 1,
                    _ => {}
                }
            }
        }
    }
    assert_eq!(settled, 2, "both changes came through");
    assert_eq!(rig.calls().len(), 1);
}

#[test]
fn a_party_that_asks_for_an_offer_gets_the_other_ones() {
    let (mut rig, a, calling, b, called) = talking();
    rig.with(a, |endpoint, now| endpoint.offer(calling, &Headers::new(), None, now)).unwrap();
    rig.run_ms(20);
    let request = offered(&mut rig, b, called).expect("asked");
    assert!(request.body.is_empty());
    let theirs = Body::sdp(sdp_of(32000, 2, "sendrecv"));
    rig.with(b, |endpoint, now| endpoint.answer_offer(called, 200, &Headers::new(), Some(theirs), now)).unwrap();
    rig.run_ms(20);
    let (status, text) = answered(&mut rig, a, calling).unwrap();
    assert!(status == 200 && text.contains("m=audio 32000 "), "{text}");
    let reply = Body::sdp(sdp_of(33000, 2, "sendrecv"));
    rig.with(a, |endpoint, now| endpoint.acknowledge(calling, Some(reply), now)).unwrap();
    rig.run_ms(20);
    let bodies: Vec<String> = rig
        .call_events(b, called)
        .into_iter()
        .filter_map(|event| match event {
            CallEvent::Acknowledged { body } => String::from_utf8(body.to_vec()).ok(),
            _ => None,
        })
        .collect();
    assert!(bodies.iter().any(|body| body.contains("m=audio 33000 ")), "{bodies:?}");
}

#[test]
fn info_is_passed_on_and_its_answer_comes_back() {
    let (mut rig, a, calling, b, called) = talking();
    let key = Body::new("application/dtmf-relay", &b"Signal=5\r\nDuration=160\r\n"[..]);
    rig.with(a, |endpoint, now| endpoint.request_in_call(calling, Method::Info, &Headers::new(), Some(key), now))
        .unwrap();
    rig.run_ms(20);
    let (transaction, request): (ServerRef, Request) = rig
        .call_events(b, called)
        .into_iter()
        .find_map(|event| match event {
            CallEvent::Request { transaction, request } => Some((transaction, request)),
            _ => None,
        })
        .expect("passed on");
    assert_eq!(&request.body[..], b"Signal=5\r\nDuration=160\r\n");
    rig.with(b, |endpoint, now| endpoint.respond(transaction, request.response(200), now)).unwrap();
    rig.run_ms(20);
    let status = rig.call_events(a, calling).into_iter().find_map(|event| match event {
        CallEvent::Response { response, .. } => Some(response.status),
        _ => None,
    });
    assert_eq!(status, Some(200));
}
