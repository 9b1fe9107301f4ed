use crate::flow::{Destination, Flow, Transport, TransportError};
use crate::transaction::rig::*;
use crate::transaction::{Output, RespondError, ServerFailure, ServerId, Transactions};
use crate::{Message, Method, Name, Request, Response, parse_datagram};
use bytes::Bytes;

const VIA: &str = "UDP 127.0.222.4:5060;branch=z9hG4bK1";

fn receive(table: &mut Transactions, request: Request, flow: Flow) -> Said {
    table.receive(Ok(Message::Request(request)), flow, t0());
    said(table)
}

fn peer_flow() -> Flow {
    udp_from("127.0.222.4:5060")
}

/// An INVITE that has arrived, with its 100 sent.
fn invited(table: &mut Transactions, via: &str, flow: Flow) -> (ServerId, Request) {
    let said = receive(table, request("INVITE", via), flow);
    assert_eq!(said.lines(), ["SIP/2.0 100 Trying"]);
    match said.told.into_iter().next() {
        Some(Output::Request { transaction, request, .. }) => (transaction, request),
        other => panic!("{other:?}"),
    }
}

fn respond(table: &mut Transactions, transaction: ServerId, request: &Request, status: u16) -> Said {
    table.respond(transaction, request.response(status), t0()).unwrap();
    said(table)
}

fn sent_response(bytes: &Bytes) -> Response {
    match parsed(bytes) {
        Message::Response(response) => response,
        other => panic!("{other}"),
    }
}

#[test]
fn an_invite_gets_its_100_before_the_user_hears_of_it() {
    let mut table = table();
    table.receive(Ok(Message::Request(request("INVITE", VIA))), peer_flow(), t0());
    assert!(matches!(table.poll(), Some(Output::Transmit(sent)) if line(&sent.bytes) == "SIP/2.0 100 Trying"));
    assert!(matches!(table.poll(), Some(Output::Request { .. })));
}

#[test]
fn copies_of_an_invite_are_answered_with_the_last_response_and_not_handed_up() {
    let mut table = table();
    let (id, invite) = invited(&mut table, VIA, peer_flow());
    let copy = receive(&mut table, request("INVITE", VIA), peer_flow());
    assert_eq!((copy.lines(), copy.told.len()), (vec!["SIP/2.0 100 Trying".to_owned()], 0));
    respond(&mut table, id, &invite, 180);
    let copy = receive(&mut table, request("INVITE", VIA), peer_flow());
    assert_eq!((copy.lines(), copy.told.len()), (vec!["SIP/2.0 180 Ringing".to_owned()], 0));
    respond(&mut table, id, &invite, 200);
    assert!(receive(&mut table, request("INVITE", VIA), peer_flow()).is_silent());
}

#[test]
fn requests_are_the_same_by_branch_sender_and_method() {
    let mut table = table();
    invited(&mut table, VIA, peer_flow());
    for (method, via) in [
        ("INVITE", "UDP 127.0.222.4:5060;branch=z9hG4bK2"),
        ("INVITE", "UDP 127.0.222.5:5060;branch=z9hG4bK1"),
        ("INVITE", "UDP 127.0.222.4:5070;branch=z9hG4bK1"),
        ("OPTIONS", VIA),
    ] {
        let said = receive(&mut table, request(method, via), peer_flow());
        assert!(matches!(&said.told[..], [Output::Request { .. }]), "{method} {via}");
    }
    let shouted = receive(&mut table, request("INVITE", "UDP 127.0.222.4:5060;branch=Z9HG4BK1"), peer_flow());
    assert!(shouted.told.is_empty(), "parameters have no case");
}

#[test]
fn a_peer_of_rfc_2543_is_matched_by_everything_that_its_copies_share() {
    let via = "UDP 127.0.222.4:5060";
    let mut table = table();
    let (id, invite) = invited(&mut table, via, peer_flow());
    assert!(receive(&mut table, request("INVITE", via), peer_flow()).told.is_empty());

    let mut other_call = request("INVITE", via);
    other_call.headers.set(Name::CallId, "c2");
    assert!(matches!(&receive(&mut table, other_call, peer_flow()).told[..], [Output::Request { .. }]));
    let mut next = request("INVITE", via);
    next.headers.set(Name::CSeq, "2 INVITE");
    assert!(matches!(&receive(&mut table, next, peer_flow()).told[..], [Output::Request { .. }]));

    let refusal = respond(&mut table, id, &invite, 486);
    let mut ack = request("ACK", via);
    ack.headers.set(Name::CSeq, "1 ACK");
    ack.headers.set(Name::To, sent_response(&refusal.only().bytes).headers.get(&Name::To).unwrap());
    assert!(receive(&mut table, ack, peer_flow()).is_silent(), "the ACK of a refusal ends here");
    assert!(!run(&mut table, t0() + seconds(4)).iter().any(|(_, line)| line.contains("486")));
}

#[test]
fn the_ack_of_a_refusal_is_absorbed_and_ends_the_repeating() {
    let mut table = table();
    let (id, invite) = invited(&mut table, VIA, peer_flow());
    respond(&mut table, id, &invite, 404);
    assert_eq!(run(&mut table, t0() + ms(1500)).len(), 2);
    assert!(receive(&mut table, request("ACK", VIA), peer_flow()).is_silent());
    assert_eq!(run(&mut table, t0() + seconds(60)), []);
    assert!(table.is_empty());
}

#[test]
fn a_refusal_that_nobody_acknowledges_is_reported_and_forgotten() {
    let mut table = table();
    let (id, invite) = invited(&mut table, VIA, peer_flow());
    respond(&mut table, id, &invite, 404);
    table.handle_timeout(t0() + seconds(32));
    let told = said(&mut table).told;
    assert!(
        matches!(&told[..], [Output::ServerFailed { transaction, failure: ServerFailure::NoAck }] if *transaction == id)
    );
    assert!(table.is_empty());
}

#[test]
fn the_ack_of_a_2xx_comes_up_by_whichever_branch() {
    let mut table = table();
    let (id, invite) = invited(&mut table, VIA, peer_flow());
    respond(&mut table, id, &invite, 200);
    let own_branch = receive(&mut table, request("ACK", "UDP 127.0.222.4:5060;branch=z9hG4bK9"), peer_flow());
    assert!(matches!(&own_branch.told[..], [Output::Ack { transaction: None, .. }]));
    let invites_branch = receive(&mut table, request("ACK", VIA), peer_flow());
    assert!(matches!(&invites_branch.told[..], [Output::Ack { transaction: Some(found), .. }] if *found == id));
}

#[test]
fn all_responses_to_one_request_have_one_tag_and_100_has_none() {
    let mut table = table();
    let said = receive(&mut table, request("INVITE", VIA), peer_flow());
    assert_eq!(sent_response(&said.sent[0].bytes).to_tag(), None);
    let Some(Output::Request { transaction, request: invite, local_tag, .. }) = said.told.into_iter().next() else {
        panic!()
    };
    for status in [180, 183, 200, 200] {
        let sent = respond(&mut table, transaction, &invite, status);
        assert_eq!(sent_response(&sent.only().bytes).to_tag().as_ref(), Some(&local_tag));
    }
    assert_eq!(table.local_tag(transaction), Some(&local_tag));
}

#[test]
fn a_request_within_a_dialog_keeps_its_to_tag() {
    let mut table = table();
    let mut bye = request("BYE", VIA);
    bye.headers.set(Name::To, "<sip:43334@127.0.222.10>;tag=ours");
    let said = receive(&mut table, bye, peer_flow());
    let Some(Output::Request { transaction, request, local_tag, .. }) = said.told.into_iter().next() else { panic!() };
    assert_eq!(local_tag, "ours");
    let sent = respond(&mut table, transaction, &request, 200);
    assert_eq!(sent_response(&sent.only().bytes).to_tag().unwrap(), "ours");
}

#[test]
fn a_second_final_response_is_refused() {
    let mut table = table();
    let (id, invite) = invited(&mut table, VIA, peer_flow());
    respond(&mut table, id, &invite, 486);
    assert_eq!(table.respond(id, invite.response(200), t0()), Err(RespondError::Answered));
    assert_eq!(table.respond(ServerId(999), invite.response(200), t0()), Err(RespondError::Unknown));
}

#[test]
fn a_cancel_is_answered_200_with_the_invites_tag_and_comes_up_once() {
    let mut table = table();
    let (id, invite) = invited(&mut table, VIA, peer_flow());
    let cancelled = receive(&mut table, request("CANCEL", VIA), peer_flow());
    assert_eq!(cancelled.lines(), ["SIP/2.0 200 OK"]);
    let tag = sent_response(&cancelled.only().bytes).to_tag();
    assert_eq!(tag.as_ref(), table.local_tag(id));
    assert!(matches!(&cancelled.told[..], [Output::Cancel { transaction, .. }] if *transaction == id));

    let copy = receive(&mut table, request("CANCEL", VIA), peer_flow());
    assert_eq!((copy.lines(), copy.told.len()), (vec!["SIP/2.0 200 OK".to_owned()], 0));
    let ended = respond(&mut table, id, &invite, 487);
    assert_eq!(sent_response(&ended.only().bytes).to_tag(), tag);
}

#[test]
fn a_cancel_after_the_final_response_is_answered_and_goes_no_further() {
    let mut table = table();
    let (id, invite) = invited(&mut table, VIA, peer_flow());
    respond(&mut table, id, &invite, 200);
    let late = receive(&mut table, request("CANCEL", VIA), peer_flow());
    assert_eq!((late.lines(), late.told.len()), (vec!["SIP/2.0 200 OK".to_owned()], 0));
}

#[test]
fn a_cancel_of_nothing_is_answered_481() {
    let mut table = table();
    let said = receive(&mut table, request("CANCEL", VIA), peer_flow());
    assert_eq!(said.lines(), ["SIP/2.0 481 Call/Transaction Does Not Exist"]);
    assert!(said.told.is_empty());
}

#[test]
fn a_cancel_of_rfc_2543_finds_its_invite() {
    let via = "UDP 127.0.222.4:5060";
    let mut table = table();
    let (id, _) = invited(&mut table, via, udp_from("127.0.222.4:40000"));
    let said = receive(&mut table, request("CANCEL", via), udp_from("127.0.222.4:40000"));
    assert!(matches!(&said.told[..], [Output::Cancel { transaction, .. }] if *transaction == id));
}

#[test]
fn copies_of_other_requests_wait_for_the_answer_and_then_get_it_again() {
    let mut table = table();
    let first = receive(&mut table, request("OPTIONS", VIA), peer_flow());
    let Some(Output::Request { transaction, request: options, .. }) = first.told.into_iter().next() else { panic!() };
    assert!(receive(&mut table, request("OPTIONS", VIA), peer_flow()).is_silent());
    respond(&mut table, transaction, &options, 200);
    let copy = receive(&mut table, request("OPTIONS", VIA), peer_flow());
    assert_eq!((copy.lines(), copy.told.len()), (vec!["SIP/2.0 200 OK".to_owned()], 0));
    table.handle_timeout(t0() + seconds(32));
    assert!(table.is_empty());
}

#[test]
fn responses_go_where_rport_received_or_sent_by_say() {
    // Via as sent, where it came from, where the answer goes, and what the Via says then.
    let rows = [
        (
            "UDP 10.0.0.7:5060;branch=z9hG4bKa;rport",
            "127.0.0.9:40000",
            "127.0.0.9:40000",
            Some("127.0.0.9"),
            Some(40000),
        ),
        ("UDP 10.0.0.7:5070;branch=z9hG4bKb", "127.0.0.9:40000", "127.0.0.9:5070", Some("127.0.0.9"), None),
        ("UDP 127.0.0.9:5070;branch=z9hG4bKc", "127.0.0.9:40000", "127.0.0.9:5070", None, None),
        ("UDP phone.moon.galaxy;branch=z9hG4bKd", "127.0.0.9:40000", "127.0.0.9:5060", Some("127.0.0.9"), None),
        ("UDP 127.0.0.9;branch=z9hG4bKe;rport", "127.0.0.9:5060", "127.0.0.9:5060", Some("127.0.0.9"), Some(5060)),
        ("UDP 127.0.0.9;branch=z9hG4bKf;received=8.8.8.8", "127.0.0.9:5060", "127.0.0.9:5060", None, None),
        ("UDP 127.0.0.9;branch=z9hG4bKg;maddr=8.8.8.8", "127.0.0.9:5060", "127.0.0.9:5060", None, None),
    ];
    for (via, source, goes_to, received, rport) in rows {
        let mut table = table();
        let said = receive(&mut table, request("INVITE", via), udp_from(source));
        let sent = said.only();
        assert_eq!(sent.to.remote(), goes_to.parse().unwrap(), "{via}");
        let via = sent_response(&sent.bytes).top_via().unwrap();
        assert_eq!(via.received(), received.map(|ip| ip.parse().unwrap()), "{via}");
        assert_eq!(via.rport().flatten(), rport, "{via}");
    }
}

#[test]
fn the_second_via_of_a_request_stays_as_it_is() {
    let mut table = table();
    let both = format!("{VIA};rport, SIP/2.0/TCP 10.1.1.1;branch=z9hG4bKx;rport");
    let said = receive(&mut table, request("INVITE", &both), peer_flow());
    let vias: Vec<_> = sent_response(&said.only().bytes).headers.values(&Name::Via).map(String::from).collect();
    assert_eq!(vias.len(), 2);
    assert!(vias[0].contains("received=127.0.222.4"));
    assert_eq!(vias[1], "SIP/2.0/TCP 10.1.1.1;branch=z9hG4bKx;rport");
}

#[test]
fn a_response_on_a_closed_connection_goes_to_the_via_by_a_new_one() {
    let via = "TCP 127.0.222.4:5060;branch=z9hG4bK1";
    let flow = tcp_from("127.0.222.4:41000", 3);
    let mut table = table();
    let (id, invite) = invited(&mut table, via, flow.clone());
    let sent = respond(&mut table, id, &invite, 200).only().clone();
    assert_eq!(sent.to, Destination::Flow(flow));
    table.transmit_failed(sent.id, TransportError::Closed, t0());
    let again = said(&mut table);
    assert_eq!(again.only().to, to_peer(Transport::Tcp));
    assert_eq!(again.only().bytes, sent.bytes);
    table.transmit_failed(again.only().id, TransportError::Refused, t0());
    let told = said(&mut table).told;
    let refused = ServerFailure::Transport(TransportError::Refused);
    assert!(matches!(&told[..], [Output::ServerFailed { failure, .. }] if *failure == refused));
}

#[test]
fn a_copy_by_a_new_connection_moves_the_answer_there() {
    let via = "TCP 127.0.222.4:5060;branch=z9hG4bK1";
    let mut table = table();
    let (id, invite) = invited(&mut table, via, tcp_from("127.0.222.4:41000", 3));
    let newer = tcp_from("127.0.222.4:41001", 4);
    receive(&mut table, request("INVITE", via), newer.clone());
    assert_eq!(respond(&mut table, id, &invite, 180).only().to, Destination::Flow(newer));
}

#[test]
fn beyond_its_cap_a_source_gets_503_and_its_neighbour_does_not() {
    let mut config = config();
    config.limits.per_source = 2;
    let mut table = Transactions::new(config, [1; 32]);
    for n in 0..2 {
        receive(&mut table, request("OPTIONS", &format!("{VIA}{n}")), peer_flow());
    }
    let refused = receive(&mut table, request("INVITE", VIA), peer_flow());
    assert!(refused.told.is_empty());
    let answer = sent_response(&refused.only().bytes);
    assert_eq!(answer.status, 503);
    assert_eq!(answer.headers.get(&Name::RetryAfter).unwrap(), &"5");
    assert!(answer.to_tag().is_some());
    assert_eq!(table.len(), 2);
    assert_eq!(receive(&mut table, request("INVITE", VIA), udp_from("127.0.222.5:5060")).told.len(), 1);

    table.exempt(["127.0.222.4".parse().unwrap()]);
    let other = request("INVITE", "UDP 127.0.222.4:5060;branch=z9hG4bKz");
    assert_eq!(receive(&mut table, other, peer_flow()).told.len(), 1);
}

#[test]
fn what_is_over_no_longer_counts_against_the_cap() {
    let mut config = config();
    config.limits.per_source = 1;
    let mut table = Transactions::new(config, [1; 32]);
    for n in 0..5 {
        let via = format!("TCP 127.0.222.4:5060;branch=z9hG4bK{n}");
        let said = receive(&mut table, request("OPTIONS", &via), tcp_from("127.0.222.4:41000", 3));
        let Some(Output::Request { transaction, request, .. }) = said.told.into_iter().next() else { panic!("{n}") };
        respond(&mut table, transaction, &request, 200);
    }
}

#[test]
fn a_challenge_leaves_nothing_behind_and_its_copy_has_the_same_tag() {
    let mut table = table();
    let mut tags = Vec::new();
    for _ in 0..2 {
        let told = receive(&mut table, request("REGISTER", VIA), peer_flow()).told;
        let Some(Output::Request { transaction, request, .. }) = told.into_iter().next() else { panic!() };
        table.respond_statelessly(transaction, request.response(401), t0()).unwrap();
        tags.push(sent_response(&said(&mut table).only().bytes).to_tag().unwrap());
        assert_eq!((table.len(), table.deadline()), (0, None));
    }
    assert_eq!(tags[0], tags[1]);
}

#[test]
fn a_challenged_invite_waits_for_its_ack_all_the_same() {
    let mut table = table();
    let (id, invite) = invited(&mut table, VIA, peer_flow());
    table.respond_statelessly(id, invite.response(401), t0()).unwrap();
    assert_eq!(said(&mut table).lines(), ["SIP/2.0 401 Unauthorized"]);
    assert_eq!(receive(&mut table, request("INVITE", VIA), peer_flow()).lines(), ["SIP/2.0 401 Unauthorized"]);
    assert!(table.deadline().is_some());
}

#[test]
fn when_all_is_full_calls_in_progress_still_get_through() {
    let mut config = config();
    config.limits.total = 4;
    let mut table = Transactions::new(config, [1; 32]);
    for n in 0..4 {
        receive(&mut table, request("OPTIONS", &format!("{VIA}{n}")), peer_flow());
    }
    let refused = receive(&mut table, request("INVITE", VIA), peer_flow());
    assert_eq!(refused.lines(), ["SIP/2.0 503 Service Unavailable"]);
    let mut bye = request("BYE", VIA);
    bye.headers.set(Name::To, "<sip:43334@127.0.222.10>;tag=ours");
    assert_eq!(receive(&mut table, bye.clone(), peer_flow()).told.len(), 1);
    bye.headers.set(Name::Via, format!("SIP/2.0/{VIA}x"));
    assert_eq!(receive(&mut table, bye, peer_flow()).lines(), ["SIP/2.0 503 Service Unavailable"]);
}

#[test]
fn two_tables_in_one_process_do_not_know_each_other() {
    // The UM server's router, service and worker see the same Call-ID and CSeq, even the same branch.
    for _ in 0..3 {
        invited(&mut table(), VIA, peer_flow());
    }
}

#[test]
fn a_malformed_request_is_answered_to_where_it_came_from() {
    let text = "INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.7:5060;branch=z9hG4bKa;rport\r\nFrom: <sip:a@b>;tag=1\r\n\
                To: <sip:a@b>\r\nCall-ID: c\r\nCSeq: nonsense\r\n\r\n";
    let mut table = table();
    let malformed = parse_datagram(Bytes::from(text)).unwrap_err();
    table.receive(Err(malformed), udp_from("127.0.0.9:40000"), t0());
    let said = said(&mut table);
    // The answer repeats the faulty CSeq, so it can't be parsed itself.
    assert!(line(&said.only().bytes).starts_with("SIP/2.0 400 "));
    assert_eq!(said.only().to.remote(), "127.0.0.9:40000".parse().unwrap());
    assert!(said.told.is_empty());
    assert!(table.is_empty());
}

#[test]
fn many_transactions_expire_in_order_of_time() {
    let mut table = table();
    for n in 0..3000 {
        let via = format!("{VIA}{n}");
        let said = receive(&mut table, request("OPTIONS", &via), peer_flow());
        let Some(Output::Request { transaction, request, .. }) = said.told.into_iter().next() else { panic!() };
        table.respond(transaction, request.response(200), t0() + ms(n)).unwrap();
    }
    said(&mut table);
    table.handle_timeout(t0() + seconds(32) + ms(1000));
    assert_eq!(table.len(), 1999);
    assert_eq!(table.deadline(), Some(t0() + seconds(32) + ms(1001)));
}

#[test]
fn an_ack_is_never_answered() {
    let mut table = table();
    let said = receive(&mut table, request("ACK", VIA), peer_flow());
    assert!(said.sent.is_empty());
    assert_eq!(request("ACK", VIA).method, Method::Ack);
}

#[test]
fn when_strangers_have_filled_the_table_a_gateway_still_gets_through() {
    let mut config = config();
    config.limits.total = 4;
    let mut table = Transactions::new(config, [1; 32]);
    for n in 0..4 {
        receive(&mut table, request("OPTIONS", &format!("{VIA}{n}")), peer_flow());
    }
    table.exempt(["127.0.222.4".parse().unwrap()]);
    assert_eq!(receive(&mut table, request("INVITE", VIA), peer_flow()).told.len(), 1);
}

/// By hand: `cargo test --release -p sip --lib transactions_a_second -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn transactions_a_second() {
    let mut config = config();
    config.limits = crate::transaction::Limits { per_source: usize::MAX, total: usize::MAX, retry_after: 5 };
    let mut table = Transactions::new(config, [1; 32]);
    let count = 100_000;
    let requests: Vec<_> = (0..count).map(|n| request("INVITE", &format!("{VIA}{n}"))).collect();
    let begun = std::time::Instant::now();
    for invite in requests {
        table.receive(Ok(Message::Request(invite)), peer_flow(), t0());
        while let Some(output) = table.poll() {
            if let Output::Request { transaction, request, .. } = output {
                table.respond(transaction, request.response(200), t0()).unwrap();
            }
        }
    }
    let each = begun.elapsed() / count;
    println!("{each:?} an INVITE with 100 and 200, {count} transactions alive at the end");
    let begun = std::time::Instant::now();
    table.handle_timeout(t0() + seconds(40));
    println!("{:?} to let each of them expire", begun.elapsed() / count);
}
