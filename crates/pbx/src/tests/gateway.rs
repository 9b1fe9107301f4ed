use super::rig::*;
use crate::commands::{Answer, Command, Status};
use media::MediaCommand;
use sip::endpoint::{Body, CallEvent, CallRef};
use sip::{Headers, Method, Transport};

/// A lab whose route has the forced gateway, as the profile says.
fn forced() -> (Rig, Peer, Peer) {
    let mut rig = Rig::lab();
    rig.set_route(55, |set| set.forced_gateway = Some("profile".into()));
    let caller = rig.phone("27001", "127.0.0.1:5071");
    let um = rig.peer(UM, Transport::Tcp);
    (rig, caller, um)
}

fn body(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn connect(rig: &mut Rig, caller: Peer, um: Peer) -> (CallRef, CallRef) {
    let calling = rig.call(caller, "27001", "43334");
    rig.run_ms(20);
    let (at_um, _) = rig.incoming(um);
    rig.answer(um, at_um);
    assert!(rig.answered(caller, calling).is_some());
    rig.call_events(um, at_um);
    (calling, at_um)
}

#[test]
fn each_side_gets_a_description_of_the_nodes_own_and_media_is_relayed() {
    let (mut rig, caller, um) = forced();
    let calling = rig.call(caller, "27001", "43334");
    rig.run_ms(20);
    let (at_um, invite) = rig.incoming(um);
    let offer = body(&invite.body);
    assert!(offer.contains("c=IN IP4 127.0.222.10") && !offer.contains("m=audio 15071"), "{offer}");
    assert!(offer.contains("telephone-event"), "{offer}");
    rig.answer(um, at_um);
    let answer = body(&rig.answered(caller, calling).unwrap().body);
    assert!(answer.contains("c=IN IP4 127.0.222.10") && !answer.contains("m=audio 25060"), "{answer}");
    let commands = rig.media.take();
    let connected: Vec<_> = commands
        .iter()
        .filter_map(|command| match command {
            MediaCommand::Connect { session, stream } => Some((*session, stream.remote.port(), stream.dtmf)),
            _ => None,
        })
        .collect();
    assert_eq!(connected.len(), 2);
    assert!(connected.iter().any(|(_, port, dtmf)| *port == 25060 && *dtmf == Some(101)), "{connected:?}");
    assert!(connected.iter().any(|(_, port, _)| *port == 15071), "{connected:?}");
    assert!(commands.iter().any(|command| matches!(command, MediaCommand::Relay { .. })));
    assert!(rig.calls()[0].gateway);
    let Answer::Tables { tables } = rig.run_command(Command::Status(Status::Trace { dir: "27001".into() })) else {
        panic!("call_trace prints a table");
    };
    let port = |description: &str| {
        let line = description.lines().find_map(|line| line.strip_prefix("m=audio ")).unwrap();
        format!("127.0.222.10:{}", line.split(' ').next().unwrap())
    };
    let rtp = |row: &[String]| (row[5].clone(), row[6].clone());
    let traced: Vec<_> = tables[0].rows.iter().map(|row| rtp(row)).collect();
    let expected = [("127.0.0.1:15071".to_owned(), port(&answer)), ("127.0.0.1:25060".to_owned(), port(&offer))];
    assert_eq!(traced, expected, "each party's address, and the node's own for it");

    rig.hang_up(caller, calling);
    assert!(rig.ended(um, at_um));
    let closed = rig.media.take().iter().filter(|command| matches!(command, MediaCommand::Close { .. })).count();
    assert_eq!(closed, 2, "both sessions are given back");
}

#[test]
fn sides_with_different_codecs_are_converted() {
    let (mut rig, caller, um) = forced();
    rig.set_route(55, |set| set.codecs = Some("PCMU".into()));
    let calling = rig.call(caller, "27001", "43334");
    rig.run_ms(20);
    let (at_um, invite) = rig.incoming(um);
    assert!(body(&invite.body).contains("PCMU") && !body(&invite.body).contains("PCMA"));
    let answer = body(&sdp(30000)).replace(" 8 0 101", " 0 101").replace("a=rtpmap:8 PCMA/8000\r\n", "");
    let answer = Body::sdp(answer.into_bytes());
    rig.with(um, |endpoint, now| endpoint.accept(at_um, &Headers::new(), Some(answer), now)).unwrap();
    rig.run_ms(20);
    assert!(rig.answered(caller, calling).is_some());
    let codecs: Vec<_> = rig
        .media
        .take()
        .into_iter()
        .filter_map(|command| match command {
            MediaCommand::Connect { stream, .. } => Some(stream.codec),
            _ => None,
        })
        .collect();
    assert_eq!(codecs, [media::Codec::Pcmu, media::Codec::Pcma]);
}

#[test]
fn the_keys_of_a_phone_without_telephone_events_are_heard_as_tones() {
    let (mut rig, caller, um) = forced();
    let offer = body(&sdp(15071))
        .replace(" 8 0 101", " 8 0")
        .replace("a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n", "");
    rig.call_with(caller, "27001", "43334", |call| call.body = Some(Body::sdp(offer.into_bytes())));
    rig.run_ms(20);
    let (at_um, _) = rig.incoming(um);
    rig.answer(um, at_um);
    let mut streams = rig
        .media
        .take()
        .into_iter()
        .filter_map(|command| match command {
            MediaCommand::Connect { stream, .. } => Some((stream.remote.port(), stream.inband_keys)),
            _ => None,
        })
        .collect::<Vec<_>>();
    streams.sort_unstable();
    assert_eq!(streams, [(15071, true), (25060, false)]);
}

#[test]
fn without_forced_gateway_the_routes_codecs_filter_the_offer() {
    let mut rig = Rig::lab();
    rig.set_route(55, |set| set.codecs = Some("PCMU".into()));
    let caller = rig.phone("27001", "127.0.0.1:5071");
    let um = rig.peer(UM, Transport::Tcp);
    rig.call(caller, "27001", "43334");
    rig.run_ms(20);
    let (_, invite) = rig.incoming(um);
    let offer = body(&invite.body);
    assert!(offer.contains("m=audio 15071 RTP/AVP 0 101\r\n") && !offer.contains("PCMA"), "{offer}");
}

#[test]
fn hold_at_the_gateway_is_answered_by_the_node() {
    let (mut rig, caller, um) = forced();
    let (calling, at_um) = connect(&mut rig, caller, um);
    rig.media.take();
    let hold = Body::sdp(sdp_of(15071, 2, "sendonly"));
    rig.with(caller, |endpoint, now| endpoint.offer(calling, &Headers::new(), Some(hold), now)).unwrap();
    rig.run_ms(50);
    let answers: Vec<_> = rig.call_events(caller, calling);
    let answer = answers.iter().find_map(|event| match event {
        CallEvent::Answer { response } => Some(response),
        _ => None,
    });
    let answer = answer.unwrap();
    assert_eq!(answer.status, 200);
    assert!(body(&answer.body).contains("a=recvonly"), "{}", body(&answer.body));
    assert!(rig.call_events(um, at_um).is_empty(), "the other side is not troubled");
    let directions: Vec<_> = rig
        .media
        .take()
        .into_iter()
        .filter_map(|command| match command {
            MediaCommand::Connect { stream, .. } => Some(stream.direction),
            _ => None,
        })
        .collect();
    assert_eq!(directions, [media::Direction::ReceiveOnly]);
}

#[test]
fn a_caller_without_an_offer_is_offered_the_nodes() {
    let (mut rig, caller, um) = forced();
    let calling = rig.call_with(caller, "27001", "43334", |call| call.body = None);
    rig.run_ms(20);
    let (at_um, invite) = rig.incoming(um);
    assert!(!invite.body.is_empty());
    rig.answer(um, at_um);
    let offer = body(&rig.answered(caller, calling).unwrap().body);
    assert!(offer.contains("127.0.222.10"), "{offer}");
    rig.media.take();
    let answer = Body::sdp(sdp(31000));
    rig.with(caller, |endpoint, now| endpoint.acknowledge(calling, Some(answer), now)).unwrap();
    rig.run_ms(20);
    assert!(matches!(&rig.media.take()[..], [MediaCommand::Connect { stream, .. }] if stream.remote.port() == 31000));
}

#[test]
fn no_media_port_is_no_circuit() {
    let (mut rig, caller, _um) = forced();
    rig.media.set_full(true);
    let calling = rig.call(caller, "27001", "43334");
    rig.run_ms(20);
    assert_eq!(rig.rejected(caller, calling).unwrap().status, 480);
}

#[test]
fn sessions_of_targets_that_were_given_up_are_closed() {
    let (mut rig, caller, um) = forced();
    let calling = rig.call(caller, "27001", "43334");
    rig.run_ms(20);
    let (at_um, _) = rig.incoming(um);
    rig.reject(um, at_um, 486);
    assert_eq!(rig.rejected(caller, calling).unwrap().status, 486);
    let opened = rig.media.opened();
    let closed = rig.media.take().iter().filter(|command| matches!(command, MediaCommand::Close { .. })).count();
    assert_eq!((opened, closed), (2, 2));
}

#[test]
fn a_redirected_call_keeps_its_media_session() {
    let (mut rig, caller, um) = forced();
    let worker = rig.peer("127.0.222.4:5065", Transport::Tcp);
    let calling = rig.call(caller, "27001", "43334");
    rig.run_ms(20);
    let (at_um, _) = rig.incoming(um);
    rig.redirect(um, at_um, "sip:43334@127.0.222.4:5065;transport=tcp");
    let (at_worker, _) = rig.incoming(worker);
    rig.answer(worker, at_worker);
    assert!(rig.answered(caller, calling).is_some());
    assert_eq!(rig.media.opened(), 2);
    let bodies: Vec<_> = rig.sent_to(UM, &Method::Invite).into_iter().map(|invite| invite.body).collect();
    assert_eq!(bodies[0], rig.sent_to("127.0.222.4:5065", &Method::Invite)[0].body);
}
