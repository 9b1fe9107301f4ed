use super::rig::{Rig, SERVICE, pbx};
use crate::Own;
use mailbox::{Counts, MailboxId};
use net::Input;
use sip::{Method, Name, Request};
use std::time::Duration;

fn anna() -> MailboxId {
    MailboxId::parse("27000").unwrap()
}

fn set_counts(rig: &Rig, new: u32, old: u32) {
    rig.shelf.0.lock().unwrap().counts.insert(anna(), Counts { new, old, new_urgent: 0, old_urgent: 0 });
}

fn changed(rig: &mut Rig) {
    rig.input(Input::Own(Own::Changed { mailbox: anna(), greeting: false }));
}

fn answer(rig: &mut Rig, request: &Request, status: u16) {
    let response = request.response(status);
    let text = String::from_utf8(response.to_bytes().to_vec()).unwrap().replace("\r\n", "\n");
    rig.receive(&text, SERVICE, pbx());
}

fn notifies(rig: &mut Rig) -> Vec<Request> {
    let requests = rig.take_requests();
    requests.into_iter().filter(|request| request.method == Method::Notify).collect()
}

/// Answers every NOTIFY with 200; gives those for Anna.
fn settle(rig: &mut Rig) -> Vec<Request> {
    let mut all = Vec::new();
    loop {
        let sent = notifies(rig);
        if sent.is_empty() {
            return all;
        }
        for request in sent {
            answer(rig, &request, 200);
            if request.uri.number().as_deref() == Some("27000") {
                all.push(request);
            }
        }
    }
}

#[test]
fn a_change_is_told_to_the_gateway_at_once() {
    let mut rig = Rig::lab();
    settle(&mut rig);
    set_counts(&rig, 2, 3);
    changed(&mut rig);
    let sent = notifies(&mut rig);
    assert_eq!(sent.len(), 1);
    let notify = &sent[0];
    assert_eq!(notify.uri.to_string(), "sip:27000@127.0.222.10:5060;transport=tcp");
    assert_eq!(notify.headers.get(&Name::Event).unwrap(), &"message-summary");
    assert!(notify.headers.get(&Name::SubscriptionState).unwrap().starts_with("terminated"));
    let body = String::from_utf8(notify.body.to_vec()).unwrap();
    assert!(body.contains("Messages-Waiting: yes"), "{body}");
    assert!(body.contains("Voice-Message: 2/3 (0/0)"), "{body}");
    assert!(body.contains("Message-Account: sip:43334@127.0.222.10"), "{body}");
    let from = |name: Name| notify.headers.get(&name).unwrap().split('>').next().unwrap().to_owned();
    assert_eq!(from(Name::From), from(Name::To));
    answer(&mut rig, notify, 200);
    assert!(rig.event_names().contains(&"lamp_sent".to_owned()));
}

#[test]
fn a_restart_tells_every_lamp_with_no_new_message() {
    let mut rig = Rig::lab();
    settle(&mut rig);
    let mut rig = Rig::empty(rig.state.clone(), Vec::new());
    let sent = notifies(&mut rig);
    let numbers: Vec<_> = sent.iter().filter_map(|request| request.uri.number()).collect();
    assert_eq!(numbers, ["27000", "27001"]);
}

#[test]
fn a_lamp_is_told_again_every_six_hours() {
    let mut rig = Rig::lab();
    settle(&mut rig);
    changed(&mut rig);
    assert_eq!(settle(&mut rig).len(), 1);
    for _ in 0..2 {
        rig.later(Duration::from_secs(6 * 3600 - 1));
        assert_eq!(settle(&mut rig).len(), 0);
        rig.later(Duration::from_secs(1));
        assert_eq!(settle(&mut rig).len(), 1);
    }
}

#[test]
fn two_notifies_of_one_mailbox_are_never_under_way_together() {
    let mut rig = Rig::lab();
    settle(&mut rig);
    set_counts(&rig, 1, 0);
    changed(&mut rig);
    let first = notifies(&mut rig);
    for new in 2..10 {
        set_counts(&rig, new, 0);
        changed(&mut rig);
    }
    assert_eq!(notifies(&mut rig).len(), 0);
    answer(&mut rig, &first[0], 200);
    let second = notifies(&mut rig);
    assert_eq!(second.len(), 1, "all changes in one");
    assert!(String::from_utf8_lossy(&second[0].body).contains("9/0"));
}

#[test]
fn the_next_gateway_is_told_when_the_first_refuses() {
    let mut rig = Rig::lab();
    rig.done("New-UMIPGateway", &[("Name", "Second"), ("Address", "127.0.222.11"), ("UMDialPlan", "MX")]);
    settle(&mut rig);
    changed(&mut rig);
    let first = notifies(&mut rig);
    assert_eq!(first[0].uri.host.to_string(), "127.0.222.10");
    answer(&mut rig, &first[0], 500);
    let second = notifies(&mut rig);
    assert_eq!(second[0].uri.host.to_string(), "127.0.222.11");
}

#[test]
fn nobody_taking_it_for_five_minutes_is_an_error_and_the_next_change_tries_again() {
    let mut rig = Rig::lab();
    settle(&mut rig);
    rig.take_events();
    changed(&mut rig);
    let mut tries = 0;
    for _ in 0..400 {
        for request in notifies(&mut rig) {
            tries += 1;
            answer(&mut rig, &request, 503);
        }
        rig.later(Duration::from_secs(1));
    }
    assert!(tries > 20, "{tries}");
    let failed = rig.event_names().iter().filter(|name| *name == "lamp_failed").count();
    assert_eq!(failed, 1);
    changed(&mut rig);
    assert_eq!(notifies(&mut rig).len(), 1);
}

#[test]
fn a_480_is_taken() {
    let mut rig = Rig::lab();
    settle(&mut rig);
    rig.take_events();
    changed(&mut rig);
    let sent = notifies(&mut rig);
    answer(&mut rig, &sent[0], 480);
    assert!(rig.event_names().contains(&"lamp_sent".to_owned()));
    rig.later(Duration::from_secs(600));
    assert_eq!(notifies(&mut rig).len(), 0);
}

#[test]
fn a_policy_or_a_gateway_may_want_no_lamps() {
    let mut rig = Rig::lab();
    settle(&mut rig);
    rig.done("Set-UMIPGateway", &[("Identity", "MX-ONE"), ("MessageWaitingIndicatorAllowed", "$false")]);
    changed(&mut rig);
    assert_eq!(notifies(&mut rig).len(), 0);
}

#[test]
fn a_store_that_cannot_count_is_asked_again() {
    let mut rig = Rig::lab();
    settle(&mut rig);
    rig.shelf.0.lock().unwrap().down = true;
    changed(&mut rig);
    assert_eq!(notifies(&mut rig).len(), 0);
    rig.shelf.0.lock().unwrap().down = false;
    rig.later(Duration::from_secs(11));
    assert_eq!(notifies(&mut rig).len(), 1);
}

#[test]
fn a_mailbox_that_the_store_lost_is_made_again_and_its_lamp_is_off() {
    let mut rig = Rig::lab();
    settle(&mut rig);
    rig.shelf.0.lock().unwrap().empty = true;
    changed(&mut rig);
    let sent = notifies(&mut rig);
    assert!(String::from_utf8_lossy(&sent[0].body).contains("Messages-Waiting: no"));
}
