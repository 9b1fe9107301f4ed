use super::rig::*;
use sip::endpoint::{Body, OutgoingRequest};
use sip::header::Expires;
use sip::message_summary::{Counts, MessageSummary};
use sip::{Method, Name, NameAddr, Request, Transport};
use std::collections::BTreeSet;
use std::time::Duration;

const PHONE: &str = "127.0.0.1:5071";

fn summary(new: u32, old: u32) -> Body {
    let counts = Counts { new, old, urgent: None };
    Body::new("application/simple-message-summary", MessageSummary::voice(None, counts).to_bytes())
}

/// A NOTIFY as UM servers send it: out of dialog; the status that it is answered with.
fn notify(rig: &mut Rig, from: Peer, extension: &str, body: Body) -> u16 {
    rig.request(from, Method::Notify, extension, extension, None, |request| {
        request.headers.push(Name::Event, "message-summary");
        request.headers.push(Name::SubscriptionState, "terminated");
        request.body = Some(body);
    });
    rig.run_ms(100);
    rig.responses(from).last().unwrap().status
}

/// What a phone was told, each once: who does not answer is told again.
fn notifies(rig: &Rig, at: &str) -> Vec<Request> {
    let mut all = rig.sent_to(at, &Method::Notify);
    let mut seen = BTreeSet::new();
    all.retain(|notify| seen.insert((notify.call_id().unwrap().to_string(), notify.cseq().unwrap().seq)));
    all
}

fn told(notify: &Request) -> MessageSummary {
    MessageSummary::parse(&notify.body).unwrap()
}

fn counts(notify: &Request) -> (bool, u32, u32) {
    let summary = told(notify);
    let voice = summary.voice.unwrap();
    (summary.waiting, voice.new, voice.old)
}

fn subscribe(rig: &mut Rig, phone: Peer, extension: &str, at: &str) {
    let aor = NameAddr::new(uri(&format!("sip:{extension}@{DOMAIN}")));
    let mut request = OutgoingRequest::new(Method::Subscribe, aor.clone(), aor, sip::ListenerId(0));
    request.headers.push(Name::Event, "message-summary");
    request.next_hop = Some(sip::endpoint::NextHop::Uri(uri(&format!("sip:{NODE}"))));
    request.login = Some(sip::endpoint::Login::new(extension, format!("moon-{extension}")));
    let _ = at;
    rig.with(phone, |endpoint, now| endpoint.subscribe(request, Duration::from_secs(600), now)).unwrap();
    rig.run_ms(100);
}

#[test]
fn the_um_servers_counts_light_the_lamp_and_reach_the_phone_unsolicited() {
    let mut rig = Rig::lab();
    let um = rig.peer("127.0.222.4:5062", Transport::Tcp);
    rig.phone("27000", PHONE);
    assert_eq!(rig.sent_to(PHONE, &Method::Notify).len(), 0, "there is nothing to be told of yet");
    assert_eq!(notify(&mut rig, um, "27000", summary(2, 3)), 200);
    let all = rig.sent_to(PHONE, &Method::Notify);
    let last = all.last().unwrap();
    assert_eq!(counts(last), (true, 2, 3));
    assert_eq!(told(last).account.unwrap().to_string(), "sip:43334@moon.galaxy");
    assert_eq!(last.uri.to_string(), "sip:27000@127.0.0.1:5071;transport=udp");
    assert_eq!(last.headers.get(&Name::SubscriptionState).unwrap().as_str(), "terminated");
    let lamp = rig.status("27000").lamp;
    assert!(lamp.on && (lamp.new, lamp.old) == (2, 3));
    assert!(rig.told_names().contains(&"lamp_changed".to_owned()));

    assert_eq!(notify(&mut rig, um, "27000", summary(0, 5)), 200);
    assert_eq!(counts(rig.sent_to(PHONE, &Method::Notify).last().unwrap()), (false, 0, 5));
}

#[test]
fn a_phone_that_stays_is_told_of_a_lamp_that_is_on_and_not_of_one_that_is_off() {
    let mut rig = Rig::lab();
    let um = rig.peer("127.0.222.4:5062", Transport::Tcp);
    notify(&mut rig, um, "27000", summary(2, 3));
    let phone = rig.phone("27000", PHONE);
    rig.run_ms(600);
    let refresh = |rig: &mut Rig| {
        rig.register(phone, "27000", "moon-27000", 3600);
        rig.run_ms(600);
        notifies(rig, PHONE).iter().map(counts).collect::<Vec<_>>()
    };
    assert_eq!(refresh(&mut rig), [(true, 2, 3), (true, 2, 3)]);
    notify(&mut rig, um, "27000", summary(0, 5));
    assert_eq!(refresh(&mut rig), [(true, 2, 3), (true, 2, 3), (false, 0, 5)]);
}

#[test]
fn a_phone_that_registers_is_told_of_its_lamp_half_a_second_after_the_answer() {
    let mut rig = Rig::lab();
    let um = rig.peer("127.0.222.4:5062", Transport::Tcp);
    notify(&mut rig, um, "27000", summary(2, 3));
    rig.phone("27000", PHONE);
    rig.run_ms(400);
    assert!(rig.sent_to(PHONE, &Method::Notify).is_empty());
    rig.run_ms(100);
    assert_eq!(notifies(&rig, PHONE).iter().map(counts).collect::<Vec<_>>(), [(true, 2, 3)]);
}

#[test]
fn a_phone_that_subscribes_once_it_is_registered_is_told_by_that_alone() {
    let mut rig = Rig::lab();
    let um = rig.peer("127.0.222.4:5062", Transport::Tcp);
    notify(&mut rig, um, "27000", summary(2, 3));
    let phone = rig.phone("27000", PHONE);
    subscribe(&mut rig, phone, "27000", PHONE);
    // Another phone of the extension has not.
    const OTHER: &str = "127.0.0.1:5072";
    rig.phone("27000", OTHER);
    rig.run_ms(1000);
    let told = |rig: &Rig, at| {
        let notifies = notifies(rig, at);
        let states = notifies.iter().map(|notify| notify.headers.get(&Name::SubscriptionState).unwrap().to_string());
        states.map(|state| state.split(';').next().unwrap().to_owned()).collect::<Vec<String>>()
    };
    assert_eq!(told(&rig, PHONE), ["active"]);
    assert_eq!(told(&rig, OTHER), ["terminated"]);
}

#[test]
fn lamps_are_set_by_matched_routes_only() {
    let mut rig = Rig::lab();
    let phone = rig.phone("27001", PHONE);
    rig.told();
    assert_eq!(notify(&mut rig, phone, "27000", summary(9, 0)), 403);
    let stranger = rig.peer("127.0.222.5:5060", Transport::Tcp);
    assert_eq!(notify(&mut rig, stranger, "27000", summary(9, 0)), 403);
    assert_eq!(rig.told_names().iter().filter(|name| *name == "source_refused").count(), 2);
    assert!(!rig.status("27000").lamp.on);
}

#[test]
fn a_notify_that_means_nothing_changes_nothing() {
    let mut rig = Rig::lab();
    let um = rig.peer("127.0.222.4:5062", Transport::Tcp);
    assert_eq!(notify(&mut rig, um, "27999", summary(1, 0)), 404);
    assert_eq!(notify(&mut rig, um, "27000", Body::new("text/plain", &b"hello"[..])), 400);
    rig.request(um, Method::Notify, "27000", "27000", None, |request| {
        request.headers.push(Name::Event, "presence");
        request.headers.push(Name::SubscriptionState, "terminated");
    });
    rig.run_ms(100);
    let response = rig.responses(um).pop().unwrap();
    assert_eq!(response.status, 489);
    assert_eq!(response.headers.get(&Name::AllowEvents).unwrap().as_str(), "message-summary");
}

#[test]
fn a_phone_that_subscribes_is_told_at_once_and_at_every_change() {
    let mut rig = Rig::lab();
    let um = rig.peer("127.0.222.4:5062", Transport::Tcp);
    notify(&mut rig, um, "27000", summary(1, 0));
    let phone = rig.peer(PHONE, Transport::Udp);
    subscribe(&mut rig, phone, "27000", PHONE);
    let first = rig.sent_to(PHONE, &Method::Notify);
    assert_eq!(first.iter().map(counts).collect::<Vec<_>>(), [(true, 1, 0)]);
    assert!(first[0].headers.get(&Name::SubscriptionState).unwrap().starts_with("active"));
    notify(&mut rig, um, "27000", summary(0, 1));
    assert_eq!(rig.sent_to(PHONE, &Method::Notify).last().map(counts), Some((false, 0, 1)));
}

#[test]
fn right_after_a_kill_a_new_subscription_gets_the_counts_with_the_um_server_stopped() {
    let mut rig = Rig::lab();
    let um = rig.peer("127.0.222.4:5062", Transport::Tcp);
    notify(&mut rig, um, "27000", summary(4, 1));
    rig.restart();
    rig.dead.insert("127.0.222.4".parse().unwrap());
    let phone = rig.peer(PHONE, Transport::Udp);
    subscribe(&mut rig, phone, "27000", PHONE);
    assert_eq!(notifies(&rig, PHONE).iter().map(counts).collect::<Vec<_>>(), [(true, 4, 1)]);
}

#[test]
fn after_a_kill_a_change_reaches_the_phone_that_had_registered_before() {
    let mut rig = Rig::lab();
    let um = rig.peer("127.0.222.4:5062", Transport::Tcp);
    rig.phone("27000", PHONE);
    rig.restart();
    notify(&mut rig, um, "27000", summary(1, 0));
    assert_eq!(rig.sent_to(PHONE, &Method::Notify).last().map(counts), Some((true, 1, 0)));
}

#[test]
fn a_phone_may_watch_its_own_lamp_only() {
    let mut rig = Rig::lab();
    let phone = rig.phone("27001", PHONE);
    for (to, status) in [("27000", 403), ("43334", 200), ("27001", 200)] {
        rig.request(phone, Method::Subscribe, "27001", to, Some("moon-27001"), |request| {
            request.headers.push(Name::Event, "message-summary");
            request.headers.push_typed(&Expires(600));
        });
        rig.run_ms(100);
        assert_eq!(rig.responses(phone).last().unwrap().status, status, "{to}");
    }
    rig.request(phone, Method::Subscribe, "27001", "27001", Some("moon-27001"), |request| {
        request.headers.push(Name::Event, "dialog");
    });
    rig.run_ms(100);
    assert_eq!(rig.responses(phone).last().unwrap().status, 489);
}
