use crate::flow::{Destination, Transport, TransportError};
use crate::transaction::rig::*;
use crate::transaction::{Failure, Output};
use crate::{Headers, Message, Method, Name};

fn from_peer(transport: Transport) -> crate::Flow {
    match transport {
        Transport::Udp => udp_from("127.0.222.4:5060"),
        _ => tcp_from("127.0.222.4:5060", 9),
    }
}

#[test]
fn a_request_gets_a_via_of_the_way_that_it_takes() {
    let mut table = table();
    table.request(outgoing("OPTIONS"), to_peer(Transport::Udp), t0());
    table.request(outgoing("OPTIONS"), to_peer(Transport::Tcp), t0());
    let said = said(&mut table);
    let vias: Vec<_> = said.sent.iter().map(|sent| parsed_request(&sent.bytes).top_via().unwrap()).collect();
    assert_eq!(vias[0].transport, "UDP");
    assert_eq!(vias[0].rport(), Some(None));
    assert_eq!(vias[1].transport, "TCP");
    assert_eq!((vias[1].host.to_string(), vias[1].port), ("127.0.222.10".to_owned(), Some(5060)));
    assert!(vias[0].unique_branch().is_some());
    assert_ne!(vias[0].branch(), vias[1].branch());
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let mut sent = Vec::new();
    for _ in 0..2 {
        let mut table = table();
        table.request(outgoing("INVITE"), to_peer(Transport::Udp), t0());
        sent.push(said(&mut table).only().bytes.clone());
    }
    assert_eq!(sent[0], sent[1]);
}

#[test]
fn an_invite_is_repeated_until_a_provisional_response_and_its_responses_come_up() {
    let mut table = table();
    let id = table.request(outgoing("INVITE"), to_peer(Transport::Udp), t0());
    let invite = said(&mut table).only().bytes.clone();
    assert_eq!(run(&mut table, t0() + ms(1600)).len(), 2);
    table.receive(Ok(Message::Response(response(&invite, 180))), from_peer(Transport::Udp), t0() + ms(1700));
    let ringing = said(&mut table);
    assert!(
        matches!(&ringing.told[..], [Output::Response { transaction, response, .. }] if *transaction == id && response.status == 180)
    );
    assert_eq!(run(&mut table, t0() + seconds(100)), []);
}

#[test]
fn a_refusal_is_acknowledged_in_the_invites_transaction_each_time_it_comes() {
    let mut table = table();
    let mut invite = outgoing("INVITE");
    invite.headers.push(Name::Route, "<sip:127.0.222.4;lr>");
    table.request(invite, to_peer(Transport::Udp), t0());
    let invite = said(&mut table).only().bytes.clone();
    let refusal = response(&invite, 486);
    for copy in 0..2 {
        table.receive(Ok(Message::Response(refusal.clone())), from_peer(Transport::Udp), t0() + ms(500 * copy));
        let said = said(&mut table);
        // 17.1.1.3, item by item.
        let (ack, invite) = (parsed_request(&said.only().bytes), parsed_request(&invite));
        assert_eq!((ack.method, &ack.uri), (Method::Ack, &invite.uri));
        assert_eq!(ack.headers.lines(&Name::Via).count(), 1);
        assert_eq!(ack.headers.get(&Name::Via), invite.headers.get(&Name::Via));
        assert_eq!(ack.headers.get(&Name::To), refusal.headers.get(&Name::To));
        assert_eq!(ack.headers.get(&Name::From), invite.headers.get(&Name::From));
        assert_eq!(ack.headers.get(&Name::CallId), invite.headers.get(&Name::CallId));
        assert_eq!(ack.headers.get(&Name::CSeq).unwrap(), &"1 ACK");
        assert_eq!(ack.headers.get(&Name::Route), invite.headers.get(&Name::Route));
        assert_eq!(said.told.len(), usize::from(copy == 0), "copies are not handed up");
    }
    run(&mut table, t0() + seconds(40));
    assert!(table.is_empty());
}

#[test]
fn a_response_with_another_branch_or_two_vias_is_dropped() {
    let mut table = table();
    table.request(outgoing("OPTIONS"), to_peer(Transport::Udp), t0());
    let options = said(&mut table).only().bytes.clone();
    let mut foreign = response(&options, 200);
    foreign.headers.set(Name::Via, "SIP/2.0/UDP 127.0.222.10;branch=z9hG4bKother");
    let mut forwarded = response(&options, 200);
    forwarded.headers.push(Name::Via, "SIP/2.0/UDP 127.0.222.99;branch=z9hG4bKother");
    for stray in [foreign, forwarded] {
        table.receive(Ok(Message::Response(stray)), from_peer(Transport::Udp), t0());
        assert!(said(&mut table).is_silent());
    }
}

#[test]
fn a_response_to_the_cancel_is_not_taken_for_one_to_the_invite() {
    let mut table = table();
    let id = table.request(outgoing("INVITE"), to_peer(Transport::Tcp), t0());
    let invite = said(&mut table).only().bytes.clone();
    table.receive(Ok(Message::Response(response(&invite, 100))), from_peer(Transport::Tcp), t0());
    table.cancel(id, Headers::new(), t0());
    let sent = said(&mut table).sent;
    let cancel = &sent.last().unwrap().bytes;
    assert_eq!(parsed_request(cancel).method, Method::Cancel);
    table.receive(Ok(Message::Response(response(cancel, 200))), from_peer(Transport::Tcp), t0());
    assert!(said(&mut table).is_silent());
    table.receive(Ok(Message::Response(response(&invite, 487))), from_peer(Transport::Tcp), t0());
    let ended = said(&mut table);
    assert_eq!(ended.lines(), ["ACK sip:43334@127.0.222.10 SIP/2.0"]);
    assert!(matches!(&ended.told[..], [Output::Response { response, .. }] if response.status == 487));
    assert!(table.is_empty());
}

#[test]
fn cancel_waits_for_a_provisional_response() {
    let mut table = table();
    let id = table.request(outgoing("INVITE"), to_peer(Transport::Udp), t0());
    let invite = said(&mut table).only().bytes.clone();
    let mut extra = Headers::new();
    extra.push(Name::Reason, "SIP;cause=200");
    table.cancel(id, extra, t0() + ms(10));
    assert!(said(&mut table).is_silent());
    table.receive(Ok(Message::Response(response(&invite, 100))), from_peer(Transport::Udp), t0() + ms(20));
    let said = said(&mut table);
    let (cancel, invite) = (parsed_request(&said.only().bytes), parsed_request(&invite));
    // 9.1, item by item.
    assert_eq!((cancel.method, &cancel.uri), (Method::Cancel, &invite.uri));
    for name in [Name::Via, Name::To, Name::From, Name::CallId] {
        assert_eq!(cancel.headers.lines(&name).count(), 1);
        assert_eq!(cancel.headers.get(&name), invite.headers.get(&name));
    }
    assert_eq!(cancel.headers.get(&Name::CSeq).unwrap(), &"1 CANCEL");
    assert_eq!(cancel.headers.get(&Name::Reason).unwrap(), &"SIP;cause=200");
}

#[test]
fn cancel_after_the_answer_does_nothing() {
    let mut table = table();
    let id = table.request(outgoing("INVITE"), to_peer(Transport::Udp), t0());
    let invite = said(&mut table).only().bytes.clone();
    table.receive(Ok(Message::Response(response(&invite, 200))), from_peer(Transport::Udp), t0());
    said(&mut table);
    table.cancel(id, Headers::new(), t0());
    assert!(said(&mut table).is_silent());
}

#[test]
fn a_cancelled_invite_that_stays_unanswered_fails_after_64_t1() {
    let mut table = table();
    let id = table.request(outgoing("INVITE"), to_peer(Transport::Tcp), t0());
    let invite = said(&mut table).only().bytes.clone();
    table.receive(Ok(Message::Response(response(&invite, 180))), from_peer(Transport::Tcp), t0());
    table.cancel(id, Headers::new(), t0());
    said(&mut table);
    table.handle_timeout(t0() + seconds(32));
    let told = said(&mut table).told;
    assert!(matches!(&told[..], [Output::Failed { transaction, failure: Failure::Timeout }] if *transaction == id));
    assert!(table.is_empty());
}

#[test]
fn every_2xx_comes_up_and_after_timer_m_as_a_stray() {
    let mut table = table();
    table.request(outgoing("INVITE"), to_peer(Transport::Udp), t0());
    let invite = said(&mut table).only().bytes.clone();
    for at in [ms(0), ms(500), seconds(31)] {
        table.receive(Ok(Message::Response(response(&invite, 200))), from_peer(Transport::Udp), t0() + at);
        assert!(matches!(&said(&mut table).told[..], [Output::Response { .. }]));
    }
    table.handle_timeout(t0() + seconds(32));
    assert!(table.is_empty());
    table.receive(Ok(Message::Response(response(&invite, 200))), from_peer(Transport::Udp), t0() + seconds(33));
    assert!(matches!(&said(&mut table).told[..], [Output::Stray { .. }]));
}

#[test]
fn a_2xx_that_a_proxy_passes_on_after_a_refusal_comes_up_as_a_stray() {
    let mut table = table();
    table.request(outgoing("INVITE"), to_peer(Transport::Udp), t0());
    let invite = said(&mut table).only().bytes.clone();
    table.receive(Ok(Message::Response(response(&invite, 603))), from_peer(Transport::Udp), t0());
    said(&mut table);
    table.receive(Ok(Message::Response(response(&invite, 200))), from_peer(Transport::Udp), t0() + ms(5));
    assert!(matches!(&said(&mut table).told[..], [Output::Stray { .. }]));
}

#[test]
fn an_abandoned_invite_is_silent_and_cancels_whoever_wakes_up() {
    let mut table = table();
    let id = table.request(outgoing("INVITE"), to_peer(Transport::Udp), t0());
    let invite = said(&mut table).only().bytes.clone();
    run(&mut table, t0() + ms(3900));
    table.abandon(id, t0() + seconds(4));
    assert_eq!(run(&mut table, t0() + seconds(20)), []);
    table.receive(Ok(Message::Response(response(&invite, 180))), from_peer(Transport::Udp), t0() + seconds(20));
    let woken = said(&mut table);
    assert_eq!(woken.lines(), ["CANCEL sip:43334@127.0.222.10 SIP/2.0"]);
    assert!(woken.told.is_empty());
    table.receive(Ok(Message::Response(response(&invite, 487))), from_peer(Transport::Udp), t0() + seconds(20));
    let over = said(&mut table);
    assert_eq!(over.lines(), ["ACK sip:43334@127.0.222.10 SIP/2.0"]);
    assert!(over.told.is_empty());
}

#[test]
fn an_abandoned_invite_that_is_answered_comes_up_as_a_stray() {
    let mut table = table();
    let id = table.request(outgoing("INVITE"), to_peer(Transport::Udp), t0());
    let invite = said(&mut table).only().bytes.clone();
    table.abandon(id, t0() + seconds(4));
    table.receive(Ok(Message::Response(response(&invite, 200))), from_peer(Transport::Udp), t0() + seconds(5));
    assert!(matches!(&said(&mut table).told[..], [Output::Stray { .. }]));
}

#[test]
fn an_abandoned_invite_that_nobody_answers_ends_without_a_word() {
    let mut table = table();
    let id = table.request(outgoing("INVITE"), to_peer(Transport::Udp), t0());
    said(&mut table);
    table.abandon(id, t0() + seconds(4));
    table.handle_timeout(t0() + seconds(32));
    assert!(said(&mut table).is_silent());
    assert!(table.is_empty());
}

#[test]
fn nobody_answering_is_a_timeout_at_32_s_for_either_kind() {
    for method in ["INVITE", "REGISTER"] {
        let mut table = table();
        let id = table.request(outgoing(method), to_peer(Transport::Tcp), t0());
        said(&mut table);
        assert_eq!(table.deadline(), Some(t0() + seconds(32)));
        table.handle_timeout(t0() + seconds(32));
        let told = said(&mut table).told;
        assert!(matches!(&told[..], [Output::Failed { transaction, failure: Failure::Timeout }] if *transaction == id));
        assert!(table.is_empty());
    }
}

fn large(method: &str) -> crate::Request {
    let mut request = outgoing(method);
    request.set_body("text/plain", vec![b'x'; 1300].into());
    request
}

#[test]
fn a_large_request_goes_by_tcp_where_the_peer_has_it() {
    let mut table = table();
    table.request(large("INVITE"), to_peer(Transport::Udp), t0());
    let said = said(&mut table);
    assert_eq!(said.only().to, to_peer(Transport::Tcp));
    assert_eq!(parsed_request(&said.only().bytes).top_via().unwrap().transport, "TCP");
}

#[test]
fn a_large_request_to_a_flow_keeps_to_it() {
    let mut table = table();
    let flow = Destination::Flow(udp_from("127.0.0.9:40000"));
    table.request(large("INVITE"), flow.clone(), t0());
    assert_eq!(said(&mut table).only().to, flow);
}

#[test]
fn a_large_request_goes_by_udp_after_all_when_tcp_is_refused_and_so_does_the_next_one_at_once() {
    let mut table = table();
    table.request(large("INVITE"), to_peer(Transport::Udp), t0());
    let by_tcp = said(&mut table).only().clone();
    table.transmit_failed(by_tcp.id, TransportError::Refused, t0() + ms(3));
    let again = said(&mut table);
    let by_udp = again.only();
    assert!(again.told.is_empty());
    assert_eq!(by_udp.to, to_peer(Transport::Udp));
    assert_eq!(parsed_request(&by_udp.bytes).top_via().unwrap().transport, "UDP");
    assert_eq!(parsed_request(&by_udp.bytes).headers.lines(&Name::Via).count(), 1);
    // Timer A runs now.
    assert_eq!(table.deadline(), Some(t0() + ms(503)));
    // A late word about the first way is no news.
    table.transmit_failed(by_tcp.id, TransportError::Refused, t0() + ms(4));
    assert!(said(&mut table).is_silent());

    table.request(large("MESSAGE"), to_peer(Transport::Udp), t0() + seconds(1));
    assert_eq!(said(&mut table).only().to, to_peer(Transport::Udp));
    table.request(large("MESSAGE"), to_peer(Transport::Udp), t0() + seconds(100));
    assert_eq!(said(&mut table).only().to, to_peer(Transport::Tcp), "the refusal is believed for a minute");
}

#[test]
fn a_refused_connection_is_reported_as_a_transport_failure() {
    let mut table = table();
    let id = table.request(outgoing("INVITE"), to_peer(Transport::Tcp), t0());
    let sent = said(&mut table).only().id;
    table.transmit_failed(sent, TransportError::Refused, t0());
    let told = said(&mut table).told;
    let refused = Failure::Transport(TransportError::Refused);
    assert!(
        matches!(&told[..], [Output::Failed { transaction, failure }] if *transaction == id && *failure == refused)
    );
    assert!(table.is_empty());
}

#[test]
fn a_connection_that_was_closed_meanwhile_is_replaced_once() {
    let mut table = table();
    table.request(outgoing("INVITE"), to_peer(Transport::Tcp), t0());
    let first = said(&mut table).only().clone();
    table.flow_closed(&from_peer(Transport::Tcp), t0() + ms(1));
    let second = said(&mut table);
    assert_eq!(second.only().bytes, first.bytes);
    assert_ne!(second.only().id, first.id);
    table.flow_closed(&from_peer(Transport::Tcp), t0() + ms(2));
    let told = said(&mut table).told;
    let closed = Failure::Transport(TransportError::Closed);
    assert!(matches!(&told[..], [Output::Failed { failure, .. }] if *failure == closed));
}

#[test]
fn a_closed_connection_does_not_end_a_call_that_rings() {
    let mut table = table();
    table.request(outgoing("INVITE"), to_peer(Transport::Tcp), t0());
    let invite = said(&mut table).only().bytes.clone();
    table.receive(Ok(Message::Response(response(&invite, 180))), from_peer(Transport::Tcp), t0());
    said(&mut table);
    table.flow_closed(&from_peer(Transport::Tcp), t0() + ms(1));
    assert!(said(&mut table).is_silent());
    // 18.2.2: the peer answers by a connection of its own.
    table.receive(Ok(Message::Response(response(&invite, 200))), tcp_from("127.0.222.4:40000", 10), t0() + seconds(9));
    assert!(matches!(&said(&mut table).told[..], [Output::Response { .. }]));
}

#[test]
fn a_transport_that_the_listener_lacks_fails_at_once() {
    let mut table = table();
    table.request(outgoing("INVITE"), to_peer(Transport::Tls), t0());
    let failed = said(&mut table);
    assert!(failed.sent.is_empty());
    assert!(matches!(&failed.told[..], [Output::Failed { .. }]));
    assert!(table.is_empty());
}

#[test]
fn the_ack_of_a_2xx_has_a_branch_of_its_own_and_leaves_nothing_behind() {
    let mut table = table();
    table.send_ack(outgoing("ACK"), to_peer(Transport::Udp));
    let said = said(&mut table);
    assert!(parsed_request(&said.only().bytes).top_via().unwrap().unique_branch().is_some());
    assert!(table.is_empty());
}
