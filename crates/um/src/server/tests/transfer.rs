use super::rig::{Rig, TestCall, WORKER, pbx};
use media::MediaCommand;
use sip::{Method, Name, Request};

/// The attendant was given an extension, and said whom it connects to.
fn referring() -> (Rig, TestCall, Request) {
    let mut rig = Rig::lab();
    let call = rig.call("43333", "");
    rig.press(&call, "27001");
    rig.take_sent();
    rig.listen(call.session);
    let refer = rig.take_requests().into_iter().find(|request| request.method == Method::Refer).expect("a REFER");
    (rig, call, refer)
}

fn accepted(rig: &mut Rig, refer: &Request) {
    let text = String::from_utf8(refer.response(202).to_bytes().to_vec()).unwrap().replace("\r\n", "\n");
    rig.receive(&text, WORKER, pbx());
}

fn news(rig: &mut Rig, call: &TestCall, cseq: u32, line: &str) -> u16 {
    let body = format!("{line}\n");
    let rest = format!(
        "Event: refer\nSubscription-State: active;expires=60\nContact: <sip:27001@127.0.222.10>\n\
         Content-Type: message/sipfrag;version=2.0\nContent-Length: {}\n\n{body}",
        body.replace('\n', "\r\n").len()
    );
    rig.receive(&call.request("NOTIFY", cseq, &rest), WORKER, pbx());
    rig.take_sent()
        .iter()
        .filter_map(|(_, message)| message.as_response())
        .map(|response| response.status)
        .next_back()
        .unwrap_or(0)
}

#[test]
fn the_refer_names_the_number_at_the_peers_host() {
    let (_, _, refer) = referring();
    assert_eq!(refer.headers.get(&Name::ReferTo).unwrap(), &"<sip:27001@127.0.222.10>");
    assert!(refer.headers.has(&Name::ReferredBy));
}

#[test]
fn a_transfer_that_succeeds_ends_our_call() {
    let (mut rig, call, refer) = referring();
    accepted(&mut rig, &refer);
    assert_eq!(news(&mut rig, &call, 2, "SIP/2.0 180 Ringing"), 200);
    let body = "SIP/2.0 200 OK";
    let rest = format!(
        "Event: refer\nSubscription-State: terminated\nContent-Type: message/sipfrag\nContent-Length: {}\n\n{body}",
        body.len()
    );
    rig.receive(&call.request("NOTIFY", 3, &rest), WORKER, pbx());
    assert!(rig.take_requests().iter().any(|request| request.method == Method::Bye));
}

#[test]
fn a_transfer_that_fails_gives_the_menu_back() {
    let (mut rig, call, refer) = referring();
    accepted(&mut rig, &refer);
    assert_eq!(news(&mut rig, &call, 2, "SIP/2.0 404 Not Found"), 200);
    let commands = rig.media.take();
    assert!(commands.iter().any(|command| matches!(command, MediaCommand::Play { .. })), "{commands:?}");
}

#[test]
fn a_pbx_that_refuses_the_refer_gives_the_menu_back() {
    let (mut rig, _, refer) = referring();
    let text = String::from_utf8(refer.response(603).to_bytes().to_vec()).unwrap().replace("\r\n", "\n");
    rig.receive(&text, WORKER, pbx());
    assert!(rig.media.take().iter().any(|command| matches!(command, MediaCommand::Play { .. })));
}
