//! Connections and datagrams over real sockets of the loopback net.
#![allow(clippy::unwrap_used)] // tests

mod rig;

use net::{Action, Dns, InboxSender, Limits, Net, SipInput, StartError, inbox};
use rig::*;
use sip::flow::{Destination, Transport, TransportError};
use sip::target::{Answer, Query, QueryId};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

fn connect(node: &Node) -> TcpStream {
    let stream = TcpStream::connect(node.addr).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn call_id(message: &sip::Message) -> String {
    message.headers().get(&sip::Name::CallId).unwrap().to_string()
}

/// Reads until the peer closes; true when it did (in whichever way).
fn is_closed(stream: &mut TcpStream) -> bool {
    let mut sink = [0; 4096];
    loop {
        match stream.read(&mut sink) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }
}

#[test]
fn a_message_that_comes_in_pieces_is_one_and_two_in_one_piece_are_two() {
    let node = Node::start(config("127.0.77.1"));
    let mut stream = connect(&node);
    let text = message("pieces", "a body");
    for piece in text.as_bytes().chunks(37) {
        stream.write_all(piece).unwrap();
        stream.flush().unwrap();
        std::thread::yield_now();
    }
    let (first, flow) = node.hear_message();
    assert_eq!(call_id(&first), "pieces");
    assert_eq!(first.body(), "a body");
    assert_eq!(flow.remote, stream.local_addr().unwrap());
    assert_eq!(flow.local, node.addr);

    let two = message("one", "1") + &message("two", "2");
    stream.write_all(two.as_bytes()).unwrap();
    assert_eq!(call_id(&node.hear_message().0), "one");
    let (second, again) = node.hear_message();
    assert_eq!((call_id(&second), again), ("two".to_owned(), flow));
}

#[test]
fn an_answer_goes_by_the_connection_that_the_request_came_on() {
    let node = Node::answering(config("127.0.77.2"));
    let mut stream = connect(&node);
    stream.write_all(message("a", "").as_bytes()).unwrap();
    let mut buffer = [0; 4096];
    let read = stream.read(&mut buffer).unwrap();
    assert!(buffer[..read].starts_with(b"SIP/2.0 200 OK\r\n"));
}

#[test]
fn a_ping_is_answered_by_a_pong() {
    let node = Node::start(config("127.0.77.3"));
    let mut stream = connect(&node);
    stream.write_all(b"\r\n\r\n").unwrap();
    let mut pong = [0; 2];
    stream.read_exact(&mut pong).unwrap();
    assert_eq!(&pong, b"\r\n");
}

#[test]
fn both_sides_keep_one_connection_and_know_each_other_by_address() {
    let a = Node::start(config("127.0.77.4"));
    let b = Node::start(config("127.0.77.5"));
    let mut flows = Vec::new();
    for id in 0..3 {
        a.send(id + 1, by(Transport::Tcp, b.addr), message(&format!("m{id}"), ""));
        flows.push(b.hear_message().1);
    }
    assert_eq!(flows[0].remote.ip(), a.addr.ip(), "bound to the role's own address");
    assert!(flows.windows(2).all(|pair| pair[0] == pair[1]), "one connection");
    b.send(9, Destination::Flow(flows[0].clone()), message("back", ""));
    assert_eq!(call_id(&a.hear_message().0), "back");
}

#[test]
fn messages_queued_before_the_connection_is_made_arrive_in_order() {
    let a = Node::start(config("127.0.77.6"));
    let b = Node::start(config("127.0.77.7"));
    for n in 0..50 {
        a.send(n + 1, by(Transport::Tcp, b.addr), message(&n.to_string(), ""));
    }
    for n in 0..50 {
        assert_eq!(call_id(&b.hear_message().0), n.to_string());
    }
}

#[test]
fn after_the_peer_has_restarted_a_new_connection_is_made() {
    let a = Node::start(config("127.0.77.8"));
    let b = Node::start(config("127.0.77.9"));
    let addr = b.addr;
    a.send(1, by(Transport::Tcp, addr), message("before", ""));
    b.hear_message();
    b.stop();
    assert!(matches!(a.hear(), SipInput::FlowClosed(flow) if flow.remote == addr));
    a.send(2, by(Transport::Tcp, addr), message("lost", ""));
    assert!(matches!(a.hear(), SipInput::TransmitFailed { id: 2, error: TransportError::Refused }));

    let mut again = config("127.0.77.9");
    again.listeners.iter_mut().for_each(|listener| listener.addr = addr);
    let b = Node::start(again);
    a.send(3, by(Transport::Tcp, addr), message("after", ""));
    assert_eq!(call_id(&b.hear_message().0), "after");
}

#[test]
fn a_closed_flow_takes_nothing_more() {
    let node = Node::start(config("127.0.77.10"));
    let mut stream = connect(&node);
    stream.write_all(message("a", "").as_bytes()).unwrap();
    let (_, flow) = node.hear_message();
    node.act(Action::CloseFlow(flow.clone()));
    assert!(is_closed(&mut stream));
    assert!(matches!(node.hear(), SipInput::FlowClosed(closed) if closed == flow));
    node.send(5, Destination::Flow(flow), message("late", ""));
    assert!(matches!(node.hear(), SipInput::TransmitFailed { id: 5, error: TransportError::Closed }));
}

#[test]
fn what_was_sent_before_a_flow_is_closed_is_still_written() {
    let node = Node::start(config("127.0.77.11"));
    let mut stream = connect(&node);
    stream.write_all(message("a", "").as_bytes()).unwrap();
    let (_, flow) = node.hear_message();
    node.send(1, Destination::Flow(flow.clone()), message("farewell", ""));
    node.act(Action::CloseFlow(flow));
    let mut all = String::new();
    stream.read_to_string(&mut all).unwrap();
    assert!(all.contains("Call-ID: farewell"));
}

#[test]
fn a_peer_that_does_not_read_loses_its_own_connection_and_hinders_nobody() {
    let limits = Limits { queue: 20, write: Duration::from_secs(60), ..Limits::default() };
    let node = Node::start(with_limits("127.0.77.12", limits));
    let mut deaf = connect(&node);
    deaf.write_all(message("deaf", "").as_bytes()).unwrap();
    let (_, to_deaf) = node.hear_message();
    let mut good = connect(&node);
    good.write_all(message("good", "").as_bytes()).unwrap();
    let (_, to_good) = node.hear_message();

    let large = message("large", &"x".repeat(50_000));
    let mut sent = 0;
    let failure = loop {
        sent += 1;
        assert!(sent < 1000, "the queue never filled");
        node.send(sent, Destination::Flow(to_deaf.clone()), large.clone());
        if let Ok(failure) = node_failure(&node) {
            break failure;
        }
    };
    assert_eq!(failure, TransportError::QueueFull);
    node.send(9999, Destination::Flow(to_good), message("still here", ""));
    let mut buffer = [0; 4096];
    let read = good.read(&mut buffer).unwrap();
    assert!(String::from_utf8_lossy(&buffer[..read]).contains("still here"));
    // Every message that was queued and not written is reported, and then the flow.
    loop {
        match node.hear() {
            SipInput::TransmitFailed { error, .. } => assert_eq!(error, TransportError::QueueFull),
            SipInput::FlowClosed(flow) => break assert_eq!(flow, to_deaf),
            other => panic!("{other:?}"),
        }
    }
}

fn node_failure(node: &Node) -> Result<TransportError, ()> {
    match node.try_hear(Duration::from_millis(2)) {
        Some(SipInput::TransmitFailed { error, .. }) => Ok(error),
        _ => Err(()),
    }
}

#[test]
fn a_stalled_write_ends_the_connection() {
    let limits = Limits { write: Duration::from_millis(100), ..Limits::default() };
    let node = Node::start(with_limits("127.0.77.13", limits));
    let mut deaf = connect(&node);
    deaf.write_all(message("deaf", "").as_bytes()).unwrap();
    let (_, flow) = node.hear_message();
    let large = message("large", &"x".repeat(60_000));
    for id in 1..200 {
        node.send(id, Destination::Flow(flow.clone()), large.clone());
    }
    let failed = node.hear();
    assert!(matches!(failed, SipInput::TransmitFailed { error: TransportError::QueueFull, .. }), "{failed:?}");
}

#[test]
fn lost_framing_ends_the_connection_after_the_answer() {
    let node = Node::start(config("127.0.77.14"));
    for lie in ["-1", "99999999999", "abc", "5\r\nContent-Length: 6"] {
        let mut stream = connect(&node);
        let text = message("lie", "").replace("Content-Length: 0", &format!("Content-Length: {lie}"));
        stream.write_all(text.as_bytes()).unwrap();
        let SipInput::Received { message, flow, .. } = node.hear() else { panic!() };
        let malformed = message.unwrap_err();
        assert!(malformed.is_fatal());
        node.send(1, Destination::Flow(flow), malformed.answer().unwrap().to_bytes());
        let mut all = String::new();
        stream.read_to_string(&mut all).unwrap();
        assert!(all.starts_with("SIP/2.0 4"), "{lie}: {all}");
        assert!(matches!(node.hear(), SipInput::FlowClosed(_)));
    }
}

#[test]
fn a_message_that_never_ends_is_cut_off() {
    let node = Node::start(config("127.0.77.15"));
    let mut stream = connect(&node);
    let endless = "MESSAGE sip:a@b SIP/2.0\r\nSubject: ".to_owned() + &"x".repeat(200_000);
    // The connection may be closed before all is written.
    let _ = stream.write_all(endless.as_bytes());
    assert!(is_closed(&mut stream));
}

#[test]
fn a_stranger_who_says_nothing_is_sent_away_and_one_who_has_spoken_stays() {
    let limits = Limits { half_open: Duration::from_millis(150), ..Limits::default() };
    let node = Node::start(with_limits("127.0.77.16", limits));
    let mut spoken = connect(&node);
    spoken.write_all(message("a", "").as_bytes()).unwrap();
    node.hear_message();
    let mut silent = connect(&node);
    let mut half = connect(&node);
    half.write_all(b"MESSAGE sip:a@b SIP/2.0\r\n").unwrap();
    assert!(is_closed(&mut silent));
    assert!(is_closed(&mut half));
    spoken.write_all(message("b", "").as_bytes()).unwrap();
    assert_eq!(call_id(&node.hear_message().0), "b");
}

#[test]
fn an_idle_connection_is_closed() {
    let limits = Limits { idle: Duration::from_millis(150), ..Limits::default() };
    let node = Node::start(with_limits("127.0.77.17", limits));
    let mut stream = connect(&node);
    stream.write_all(message("a", "").as_bytes()).unwrap();
    node.hear_message();
    assert!(is_closed(&mut stream));
    assert!(matches!(node.hear(), SipInput::FlowClosed(_)));
}

#[test]
fn connections_are_capped_per_source_unless_it_is_exempt() {
    let limits = Limits { connections_per_source: 2, ..Limits::default() };
    let node = Node::start(with_limits("127.0.77.18", limits));
    let mut streams: Vec<_> = (0..3).map(|_| connect(&node)).collect();
    assert!(is_closed(&mut streams[2]));
    streams[0].write_all(message("a", "").as_bytes()).unwrap();
    node.hear_message();

    let address = streams[0].local_addr().unwrap().ip();
    node.act(Action::Peers(vec![net::KnownPeer { address, names: None, must_show: false }]));
    // The role takes things in order: once this is heard, the exemption is in force.
    streams[0].write_all(message("b", "").as_bytes()).unwrap();
    node.hear_message();
    let mut fourth = connect(&node);
    fourth.write_all(message("c", "").as_bytes()).unwrap();
    assert_eq!(call_id(&node.hear_message().0), "c");
}

#[test]
fn a_role_that_can_not_keep_up_loses_no_message_of_a_connection() {
    let node = Node::with(config("127.0.77.19"), false, Duration::from_micros(20));
    let mut stream = connect(&node);
    let count = 10_000;
    let writer = std::thread::spawn(move || {
        for n in 0..count {
            stream.write_all(message(&n.to_string(), "").as_bytes()).unwrap();
        }
        stream
    });
    for n in 0..count {
        assert_eq!(call_id(&node.hear_message().0), n.to_string());
    }
    writer.join().unwrap();
}

#[test]
fn datagrams_go_both_ways_from_the_roles_own_port() {
    let a = Node::start(config("127.0.77.20"));
    let b = Node::answering(config("127.0.77.21"));
    let udp = |node: &Node| node.listeners.iter().find(|own| own.transport == Transport::Udp).unwrap().addr;
    a.send(1, by(Transport::Udp, udp(&b)), message("dgram", ""));
    let (_, flow) = b.hear_message();
    assert_eq!((flow.remote, flow.local), (udp(&a), udp(&b)));
    let (answer, _) = a.hear_message();
    assert!(matches!(answer, sip::Message::Response(response) if response.status == 200));
}

#[test]
fn a_keep_alive_datagram_is_not_handed_up_and_noise_is_as_malformed() {
    let node = Node::start(config("127.0.77.22"));
    let socket = UdpSocket::bind("127.0.77.23:0").unwrap();
    let to = node.listeners.iter().find(|own| own.transport == Transport::Udp).unwrap().addr;
    socket.send_to(b"\r\n\r\n", to).unwrap();
    socket.send_to(b"hello?", to).unwrap();
    assert!(matches!(node.hear(), SipInput::Received { message: Err(_), .. }));
}

#[test]
fn a_datagram_that_is_too_large_is_reported() {
    let node = Node::start(config("127.0.77.24"));
    let to: SocketAddr = "127.0.77.25:5060".parse().unwrap();
    node.send(3, by(Transport::Udp, to), vec![b'x'; 70_000]);
    assert!(matches!(node.hear(), SipInput::TransmitFailed { id: 3, error: TransportError::TooLarge }));
}

#[test]
fn tls_is_refused_clearly() {
    let node = Node::start(config("127.0.77.26"));
    node.send(3, by(Transport::Tls, node.addr), message("a", ""));
    assert!(matches!(node.hear(), SipInput::TransmitFailed { id: 3, error: TransportError::Unsupported }));

    let mut config = config("127.0.77.26");
    config.listeners[0].transport = Transport::Tls;
    let (sender, _inbox): (InboxSender<()>, _) = inbox();
    assert!(matches!(Net::start(config, sender), Err(StartError::NoTls { .. })));
}

#[test]
fn a_port_that_is_taken_is_named_in_one_sentence() {
    for transport in [Transport::Tcp, Transport::Udp] {
        let tcp = TcpListener::bind("127.0.77.27:0").unwrap();
        let addr = tcp.local_addr().unwrap();
        let _udp = UdpSocket::bind(addr).unwrap();
        let mut config = config("127.0.77.27");
        config.listeners.retain(|listener| listener.transport == transport);
        config.listeners[0].addr = addr;
        let (sender, _inbox): (InboxSender<()>, _) = inbox();
        let Err(error) = Net::start(config, sender) else { panic!("{transport} {addr} was free") };
        assert_eq!(error.to_string(), format!("{transport} {addr} is taken: another program listens there"));
    }
}

#[test]
fn an_address_that_is_not_ours_is_named_in_one_sentence() {
    let mut config = config("127.0.77.28");
    config.listeners.iter_mut().for_each(|listener| listener.addr = "192.0.2.1:5060".parse().unwrap());
    let (sender, _inbox): (InboxSender<()>, _) = inbox();
    let Err(error) = Net::start(config, sender) else { panic!() };
    assert_eq!(error.to_string(), "192.0.2.1:5060 is not an address of this machine");
}

#[test]
fn the_dns_is_asked_and_its_answers_come_back() {
    let server = UdpSocket::bind("127.0.77.29:0").unwrap();
    let dns = Dns::Servers(vec![server.local_addr().unwrap()]);
    std::thread::spawn(move || serve_dns(&server));
    let node = Node::start(net::NetConfig { dns, ..config("127.0.77.30") });
    let ask = |query, question| {
        node.act(Action::Resolve { query: QueryId(query), question });
        match node.hear() {
            SipInput::Resolved { query: QueryId(answered), answer } if answered == query => answer,
            other => panic!("{other:?}"),
        }
    };
    let addresses = ask(1, Query::Addresses("um.moon.galaxy".into()));
    assert_eq!(addresses, Answer::Addresses(vec!["127.0.222.4".parse().unwrap()]));
    let Answer::Srv(records) = ask(2, Query::Srv("_sip._tcp.moon.galaxy".into())) else { panic!() };
    assert_eq!((records[0].priority, records[0].weight, records[0].port), (10, 20, 5060));
    assert_eq!(records[0].target.trim_end_matches('.'), "um.moon.galaxy");
    assert_eq!(ask(3, Query::Addresses("nobody.moon.galaxy".into())), Answer::Failed);
}

/// A name server that knows one A and one SRV record.
fn serve_dns(socket: &UdpSocket) {
    let mut buffer = [0; 1500];
    while let Ok((size, from)) = socket.recv_from(&mut buffer) {
        assert_eq!(from.ip().to_string(), "127.0.77.30", "asked from the role's own address");
        let query = &buffer[..size];
        let name_end = 12 + query[12..].iter().position(|byte| *byte == 0).unwrap();
        let question = &query[12..name_end + 5];
        let kind = u16::from_be_bytes([query[name_end + 1], query[name_end + 2]]);
        let name = String::from_utf8_lossy(&query[12..name_end]).into_owned();
        let um = b"\x02um\x04moon\x06galaxy\x00";
        let data: Option<Vec<u8>> = match kind {
            1 if name.starts_with("\u{2}um") => Some(vec![127, 0, 222, 4]),
            33 => Some([&[0, 10, 0, 20, 0x13, 0xc4][..], um].concat()),
            _ => None,
        };
        let exists = name.starts_with("\u{2}um") || kind == 33;
        let mut answer = query[..2].to_vec();
        answer.extend([0x85, if exists { 0x80 } else { 0x83 }, 0, 1, 0, u8::from(data.is_some()), 0, 0, 0, 0]);
        answer.extend(question);
        if let Some(data) = data {
            answer.extend([0xc0, 12]);
            answer.extend(kind.to_be_bytes());
            answer.extend([0, 1, 0, 0, 0, 0]);
            answer.extend((data.len() as u16).to_be_bytes());
            answer.extend(data);
        }
        socket.send_to(&answer, from).unwrap();
    }
}

#[test]
fn the_ladder_is_told_of_every_message_while_somebody_listens() {
    let bus = event::Bus::new();
    let events = std::sync::Arc::new(bus.clone());
    let node = Node::answering(net::NetConfig { events: Some(events), ..config("127.0.77.31") });
    let mut stream = connect(&node);
    stream.write_all(message("unheard", "").as_bytes()).unwrap();
    node.hear_message();
    // Its answer is out, too.
    assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
    let ladder = bus.subscribe();
    stream.write_all(message("heard", "").as_bytes()).unwrap();
    let rows: Vec<_> = (0..2)
        .map(|_| match ladder.records.recv_timeout(PATIENCE).unwrap().event {
            event::Event::SipMessage { call_id, sent, summary, cseq, by, .. } => (by, sent, summary, call_id, cseq),
            other => panic!("{other:?}"),
        })
        .collect();
    let row =
        |sent, summary: &str| ("test".to_owned(), sent, summary.to_owned(), "heard".to_owned(), "1 MESSAGE".to_owned());
    assert_eq!(rows, [row(false, "MESSAGE sip:43334@127.0.0.1"), row(true, "200 OK")]);
}

#[test]
fn a_stopped_role_gives_its_ports_back_at_once() {
    let node = Node::start(config("127.0.77.32"));
    let mut stream = connect(&node);
    stream.write_all(message("a", "").as_bytes()).unwrap();
    node.hear_message();
    let addr = node.addr;
    let begun = Instant::now();
    node.stop();
    assert!(begun.elapsed() < Duration::from_secs(2));
    let mut again = config("127.0.77.32");
    again.listeners.iter_mut().for_each(|listener| listener.addr = addr);
    Node::start(again);
}
