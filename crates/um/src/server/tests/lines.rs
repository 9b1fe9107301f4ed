//! Fax machines, and lines on which nobody is any more.

use super::rig::{DIVERTED, Rig, TestCall, WORKER, pbx};
use crate::commands::call_record::CallType;
use crate::storage::Parcel;
use mailbox::MessageKind;
use media::{LineSignal, MediaCommand, MediaEvent, RecordEnd};
use sip::{Method, Name, Request};
use std::time::Duration;

fn with_partner() -> Rig {
    let mut rig = Rig::lab();
    let partner = ("FaxServerURI", "sip:fax.moon.galaxy:5060;transport=tcp");
    rig.done("Set-UMMailboxPolicy", &[("Identity", "MX Default Policy"), partner]);
    rig
}

fn fax(rig: &mut Rig, call: &TestCall) {
    rig.take_sent();
    rig.media_event(MediaEvent::Line { session: call.session, signal: LineSignal::Fax });
}

fn refer(rig: &mut Rig) -> Option<Request> {
    rig.take_requests().into_iter().find(|request| request.method == Method::Refer)
}

fn delivered(rig: &Rig) -> Vec<Parcel> {
    rig.shelf.0.lock().unwrap().delivered.clone()
}

fn call_type(rig: &Rig) -> CallType {
    rig.ledger.0.lock().unwrap().last().expect("a record").call_type
}

/// The PBX takes the REFER, and the partner answers so.
fn partner_answers(rig: &mut Rig, call: &TestCall, refer: &Request, line: &str) {
    let text = String::from_utf8(refer.response(202).to_bytes().to_vec()).unwrap().replace("\r\n", "\n");
    rig.receive(&text, WORKER, pbx());
    let rest = format!(
        "Event: refer\nSubscription-State: terminated;reason=noresource\nContent-Type: message/sipfrag\nContent-Length: {}\n\n{line}",
        line.len()
    );
    rig.receive(&call.request("NOTIFY", 2, &rest), WORKER, pbx());
}

#[test]
fn a_fax_machine_is_handed_to_the_partner_who_is_told_whose_fax_it_is() {
    let mut rig = with_partner();
    let call = rig.call("43334", DIVERTED);
    fax(&mut rig, &call);
    let refer = refer(&mut rig).expect("a REFER");
    assert_eq!(refer.headers.get(&Name::ReferTo).unwrap(), &"<sip:27000@fax.moon.galaxy:5060;transport=tcp>");
    partner_answers(&mut rig, &call, &refer, "SIP/2.0 200 OK");
    assert!(rig.take_requests().iter().any(|request| request.method == Method::Bye));
    assert_eq!(delivered(&rig).len(), 0, "the partner mails it: nothing was missed");
    assert_eq!(call_type(&rig), CallType::Fax);
}

#[test]
fn a_partner_who_does_not_take_it_leaves_a_missed_call() {
    let mut rig = with_partner();
    let call = rig.call("43334", DIVERTED);
    fax(&mut rig, &call);
    let refer = refer(&mut rig).expect("a REFER");
    partner_answers(&mut rig, &call, &refer, "SIP/2.0 503 Service Unavailable");
    assert_eq!(delivered(&rig)[0].letter.kind, MessageKind::MissedCall);
}

#[test]
fn a_partner_of_whom_nothing_is_heard_leaves_a_missed_call() {
    let mut rig = with_partner();
    let call = rig.call("43334", DIVERTED);
    fax(&mut rig, &call);
    rig.later(Duration::from_secs(60));
    assert_eq!(delivered(&rig)[0].letter.kind, MessageKind::MissedCall);
}

#[test]
fn without_a_partner_or_where_faxes_are_not_allowed_it_is_a_missed_call_and_never_squeal() {
    let off: [&[(&str, &str)]; 4] = [
        &[],
        &[("", "Set-UMMailboxPolicy"), ("Identity", "MX Default Policy"), ("AllowFax", "false")],
        &[("", "Set-UMMailbox"), ("Identity", "Anna"), ("FaxEnabled", "false")],
        &[("", "Set-UMDialPlan"), ("Identity", "MX"), ("FaxEnabled", "false")],
    ];
    for setting in off {
        let mut rig = if setting.is_empty() { Rig::lab() } else { with_partner() };
        if let [(_, cmdlet), parameters @ ..] = setting {
            rig.done(cmdlet, parameters);
        }
        let call = rig.call("43334", DIVERTED);
        let recording = rig.recording(&call);
        fax(&mut rig, &call);
        assert!(rig.take_requests().iter().any(|request| request.method == Method::Bye), "{setting:?}");
        rig.record_ended(&call, recording, RecordEnd::Stopped, 8);
        rig.durable(recording);
        let delivered = delivered(&rig);
        assert_eq!(delivered.len(), 1, "{setting:?}");
        assert_eq!(delivered[0].letter.kind, MessageKind::MissedCall, "{setting:?}");
        assert_eq!(rig.shelf.0.lock().unwrap().discarded, [recording], "{setting:?}");
    }
}

#[test]
fn an_offer_of_t38_is_a_fax_and_the_call_stays_as_it_was_until_the_partner_has_it() {
    let mut rig = with_partner();
    let call = rig.call("43334", DIVERTED);
    rig.take_sent();
    let body = "v=0\no=- 1 2 IN IP4 127.0.222.10\ns=-\nc=IN IP4 127.0.222.10\nt=0 0\nm=image 30002 udptl t38\na=T38FaxVersion:0\n";
    let rest = format!(
        "Contact: <sip:27001@127.0.222.10:5060;transport=tcp>\nContent-Type: application/sdp\nContent-Length: {}\n\n{body}",
        body.replace('\n', "\r\n").len()
    );
    rig.receive(&call.request("INVITE", 2, &rest), WORKER, pbx());
    let sent = rig.take_sent();
    let statuses: Vec<u16> = sent.iter().filter_map(|(_, message)| message.as_response()).map(|r| r.status).collect();
    assert!(statuses.contains(&488), "{statuses:?}");
    let refer =
        sent.iter().filter_map(|(_, message)| message.as_request()).find(|r| r.method == Method::Refer).cloned();
    partner_answers(&mut rig, &call, &refer.expect("a REFER"), "SIP/2.0 200 OK");
    assert_eq!(delivered(&rig).len(), 0);
}

#[test]
fn a_fax_machine_at_the_attendant_or_voice_access_is_handed_to_the_partner_too() {
    for pilot in ["43333", "43334"] {
        let mut rig = with_partner();
        let call = rig.call(pilot, "From: <sip:0701234567@127.0.222.10>;tag=pbx");
        fax(&mut rig, &call);
        let refer = refer(&mut rig).expect("a REFER");
        let to = format!("<sip:{pilot}@fax.moon.galaxy:5060;transport=tcp>");
        assert_eq!(refer.headers.get(&Name::ReferTo).unwrap().as_str(), to);
        rig.hang_up(&call);
        assert_eq!(delivered(&rig).len(), 0, "nobody has missed it");
    }
}

#[test]
fn a_fax_machine_at_the_attendant_is_left_to_its_menu_where_there_is_no_partner() {
    for allowed in [&[("FaxServerURI", "")][..], &[("AllowFax", "false")]] {
        let mut rig = with_partner();
        rig.done("Set-UMMailboxPolicy", &[&[("Identity", "MX Default Policy")], allowed].concat());
        let call = rig.call("43333", "");
        fax(&mut rig, &call);
        assert!(refer(&mut rig).is_none());
        rig.hang_up(&call);
    }
}

#[test]
fn a_dead_line_is_hung_up_and_its_tone_is_cut_off_the_message() {
    let mut rig = Rig::lab();
    let call = rig.call("43334", DIVERTED);
    let recording = rig.recording(&call);
    rig.take_sent();
    let (since, loud) = (Duration::from_millis(3100), Duration::from_millis(1600));
    rig.media_event(MediaEvent::Line { session: call.session, signal: LineSignal::Dead { since, loud } });
    assert!(rig.take_requests().iter().any(|request| request.method == Method::Bye));
    let noted = rig.media.take().iter().any(|command| {
        matches!(command, MediaCommand::Annotate { meta, .. } if String::from_utf8_lossy(meta).contains("\"cut_ms\":3100"))
    });
    assert!(noted, "also after a crash it is cut off");
    rig.record_ended(&call, recording, RecordEnd::Stopped, 9);
    rig.durable(recording);
    let delivered = delivered(&rig);
    assert_eq!((delivered.len(), delivered[0].letter.cut_ms), (1, 3100));
    assert_eq!(rig.ledger.0.lock().unwrap()[0].drop_call_reason, "line-dead");
}

#[test]
fn a_dead_line_in_a_menu_is_hung_up_on() {
    let mut rig = Rig::lab();
    let call = rig.call("43333", "");
    rig.take_sent();
    let (since, loud) = (Duration::from_secs(3), Duration::from_secs(3));
    rig.media_event(MediaEvent::Line { session: call.session, signal: LineSignal::Dead { since, loud } });
    assert!(rig.take_requests().iter().any(|request| request.method == Method::Bye));
}

#[test]
fn the_partner_is_written_as_a_sip_uri() {
    let mut rig = Rig::lab();
    let set = [("Identity", "MX Default Policy"), ("FaxServerURI", "fax.moon.galaxy")];
    assert_eq!(rig.command("Set-UMMailboxPolicy", &set).unwrap_err().parameter(), Some("FaxServerURI"));
}
