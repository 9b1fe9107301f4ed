//! What the tests of calls share.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;

use sip::endpoint::*;
use sip::flow::ListenerId;
use sip::message::*;
use sip::testing::*;

pub const OFFER: &str = "v=0 offer";
pub const ANSWER: &str = "v=0 answer";
pub const UDP: &str = "<sip:bob@10.0.0.2>";
pub const TCP: &str = "<sip:bob@10.0.0.2;transport=tcp>";

pub fn call_to(to: &str) -> OutgoingCall {
    let from = address("\"Alice\" <sip:alice@10.0.0.1>");
    OutgoingCall::new(from, address(to), Some(Body::sdp(OFFER)), ListenerId(0))
}

pub fn dial(pair: &mut Pair, to: &str) -> CallRef {
    pair.net.with(pair.alice, |alice, now| alice.invite(call_to(to), now)).unwrap()
}

/// A call that Bob answered at once; who has it there and here.
pub fn talk(pair: &mut Pair, to: &str) -> (CallRef, CallRef) {
    let ours = dial(pair, to);
    pair.net.run_ms(10);
    let (theirs, ..) = pair.net.incoming(pair.bob);
    pair.net.with(pair.bob, |bob, now| bob.accept(theirs, &none(), Some(Body::sdp(ANSWER)), now)).unwrap();
    pair.net.run_ms(10);
    let events = pair.net.call_events(pair.alice, ours);
    assert!(matches!(&events[..], [CallEvent::Answered { .. }]), "{events:?}");
    let events = pair.net.call_events(pair.bob, theirs);
    assert!(matches!(&events[..], [CallEvent::Acknowledged { .. }]), "{events:?}");
    (ours, theirs)
}

pub fn assert_forgotten(pair: &mut Pair) {
    pair.net.run(Duration::from_secs(80));
    assert!(pair.net.endpoint(pair.alice).is_idle(), "the caller remembers something");
    assert!(pair.net.endpoint(pair.bob).is_idle(), "the called remembers something");
    assert_eq!(pair.net.endpoint(pair.alice).deadline(), None);
    assert_eq!(pair.net.endpoint(pair.bob).deadline(), None);
}

/// Alice, and somebody at 10.0.0.9 whose part the test plays by hand.
pub struct Alone {
    pub net: Network,
    pub alice: NodeId,
}

pub const ALICE: &str = "10.0.0.1:5060";
pub const THEM: &str = "10.0.0.9:5060";

impl Alone {
    pub fn new() -> Alone {
        let mut net = Network::new(1);
        let alice = net.add(ALICE);
        Alone { net, alice }
    }

    pub fn dial(&mut self) -> CallRef {
        self.net.with(self.alice, |alice, now| alice.invite(call_to("<sip:bob@10.0.0.9>"), now)).unwrap()
    }

    /// Answers the last request of that method, as the far end with this tag and Contact would.
    pub fn answer(&mut self, method: &str, status: u16, tag: &str, change: impl FnOnce(&mut Response)) {
        let request = self.net.last(method).expect("never sent").request().unwrap();
        let mut response = request.response(status);
        if !tag.is_empty() {
            response.set_to_tag(tag);
        }
        response.headers.push(Name::Contact, format!("<sip:{tag}@10.0.0.9>"));
        change(&mut response);
        self.net.inject_message(THEM, ALICE, response);
        self.net.run_ms(10);
    }

    /// A request within the dialog that the INVITE and `tag` made.
    pub fn request(&mut self, method: Method, tag: &str, seq: u32, change: impl FnOnce(&mut Request)) {
        let invite = self.net.sent.iter().find(|sent| sent.label() == "INVITE").unwrap().request().unwrap();
        let mut request = Request::new(method.clone(), "sip:alice@10.0.0.1".parse().unwrap());
        let headers = &mut request.headers;
        headers.push(Name::Via, format!("SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK{method}{seq}{tag}"));
        headers.push(Name::MaxForwards, sip::Text::from_static("70"));
        let mut them = invite.to().unwrap().0;
        them.set_tag(tag);
        headers.push(Name::From, them.to_string());
        headers.push(Name::To, invite.headers.get(&Name::From).unwrap().clone());
        headers.push(Name::CallId, invite.call_id().unwrap());
        headers.push(Name::CSeq, format!("{seq} {method}"));
        headers.push(Name::Contact, format!("<sip:{tag}@10.0.0.9>"));
        change(&mut request);
        self.net.inject_message(THEM, ALICE, request);
        self.net.run_ms(10);
    }

    pub fn events(&mut self, call: CallRef) -> Vec<CallEvent> {
        self.net.call_events(self.alice, call)
    }
}
