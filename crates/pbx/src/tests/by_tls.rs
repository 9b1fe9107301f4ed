//! Phones by TLS: what they are told to come back by, and that they are reached by TLS and by nothing else.

use super::rig::*;
use sip::endpoint::{Body, OutgoingCall};
use sip::header::Contact;
use sip::message_summary::{Counts, MessageSummary};
use sip::{Method, Name, NameAddr, Request, Transport, Uri};

const PHONE: &str = "127.0.0.1:5071";
const OTHER: &str = "127.0.0.1:5072";
const UM_SERVICE: &str = "127.0.222.4:5062";

fn secured(rig: &mut Rig, number: &str, at: &str) -> Peer {
    let phone = rig.peer(at, Transport::Tls);
    rig.register(phone, number, &format!("moon-{number}"), 3600);
    rig.run_ms(50);
    assert_eq!(rig.responses(phone).last().map(|response| response.status), Some(200), "registered");
    rig.events_of(phone);
    phone
}

/// Where the sender of a message wants what comes next.
fn contact(headers: &sip::Headers) -> Uri {
    match headers.all_typed::<Contact>().flatten().next() {
        Some(Contact::Address(address)) => address.uri,
        other => panic!("{other:?}"),
    }
}

fn is_by_tls(request: &Request) {
    assert_eq!(request.uri.transport(), Some(Transport::Tls), "{}", request.uri);
    assert!(request.headers.get(&Name::Via).unwrap().starts_with("SIP/2.0/TLS "), "{request:?}");
}

#[test]
fn a_phone_by_tls_registers_and_is_called_and_hung_up_on_by_tls() {
    let mut rig = Rig::lab();
    let phone = secured(&mut rig, "27000", PHONE);
    let caller = rig.phone("27001", OTHER);
    let calling = rig.call(caller, "27001", "27000");
    rig.run_ms(20);
    let (at_phone, invite) = rig.incoming(phone);
    is_by_tls(&invite);
    assert_eq!(
        contact(&invite.headers).transport(),
        Some(Transport::Tls),
        "what the phone sends in the call comes by TLS"
    );
    rig.answer(phone, at_phone);
    let answer = rig.answered(caller, calling).unwrap();
    assert_ne!(contact(&answer.headers).transport(), Some(Transport::Tls), "the caller goes on by UDP");
    rig.hang_up(caller, calling);
    rig.run_ms(50);
    rig.sent_to(PHONE, &Method::Bye).iter().for_each(is_by_tls);
    assert_eq!(rig.sent_to(PHONE, &Method::Bye).len(), 1);
}

#[test]
fn a_phone_by_tls_sees_its_lamp_by_tls() {
    let mut rig = Rig::lab();
    secured(&mut rig, "27000", PHONE);
    let um = rig.peer(UM_SERVICE, Transport::Tcp);
    let counts = Counts { new: 1, old: 0, urgent: None };
    let body = Body::new("application/simple-message-summary", MessageSummary::voice(None, counts).to_bytes());
    rig.request(um, Method::Notify, "27000", "27000", None, |request| {
        request.headers.push(Name::Event, "message-summary");
        request.headers.push(Name::SubscriptionState, "terminated");
        request.body = Some(body);
    });
    rig.run_ms(100);
    let told = rig.sent_to(PHONE, &Method::Notify);
    is_by_tls(told.last().expect("the lamp"));
}

/// RFC 3261 8.1.1.8, 12.1.1: who calls a sips URI gets one to come back by.
#[test]
fn a_call_to_a_sips_uri_has_sips_contacts() {
    let mut rig = Rig::lab();
    let phone = secured(&mut rig, "27000", PHONE);
    let caller = secured(&mut rig, "27001", OTHER);
    let to_sips = |call: &mut OutgoingCall| {
        call.to = NameAddr::new(uri(&format!("sips:27000@{DOMAIN}")));
        call.request_uri = call.to.uri.clone();
    };
    let calling = rig.call_with(caller, "27001", "27000", to_sips);
    rig.run_ms(20);
    let (at_phone, _) = rig.incoming(phone);
    rig.answer(phone, at_phone);
    let answer = rig.answered(caller, calling).unwrap();
    assert!(contact(&answer.headers).is_sips(), "{answer:?}");
    rig.hang_up(caller, calling);
    rig.run_ms(50);
    assert_eq!(rig.calls().len(), 0);
}
