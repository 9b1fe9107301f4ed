//! TLS between two roles over real sockets, and whatever can be wrong with a peer.
#![allow(clippy::unwrap_used)] // tests

mod rig;

use event::{Event, TlsProblem};
use net::SipInput;
use net::tls::{ClientCertificate, Credentials, Tls};
use rig::certificates::*;
use rig::*;
use sip::flow::{Destination, Transport, TransportError};
use sip::{Name, Text};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// To whoever has one of these names, by TLS.
fn to(remote: SocketAddr, names: &[&str]) -> Destination {
    let names = names.iter().map(|name| Text::from(*name)).collect();
    Destination::Address { transport: Transport::Tls, listener: LISTENER, remote, names }
}

fn call_id(message: &sip::Message) -> String {
    message.headers().get(&Name::CallId).unwrap().to_string()
}

/// A MESSAGE whose Via offers the connection for requests the other way, to this port.
fn offering_alias(call_id: &str, port: u16) -> String {
    message(call_id, "").replace("127.0.0.1:5060;branch", &format!("127.0.0.1:{port};alias;branch"))
}

/// A role that shows a sound certificate for its address and a name, and asks the same of its peers.
fn sound(authority: &Authority, ip: &str, name: &str) -> Tls {
    tls(ClientCertificate::Required, Some(authority.issue(&Wish::of(&[name, ip]))), &[authority])
}

#[test]
fn a_message_goes_by_tls_and_requests_both_ways_share_one_handshake() {
    let ca = Authority::new("Moon CA");
    let (config, told) = secure("127.0.78.1", sound(&ca, "127.0.78.1", "a.moon.galaxy"));
    let a = Node::start(config);
    let (config, _) = secure("127.0.78.2", sound(&ca, "127.0.78.2", "b.moon.galaxy"));
    let b = Node::start(config);
    a.send(1, to(b.addr, &["b.moon.galaxy"]), offering_alias("there", a.addr.port()));
    let (first, flow) = b.hear_message();
    assert_eq!((call_id(&first).as_str(), flow.transport), ("there", Transport::Tls));
    assert_eq!(flow.remote.ip(), a.addr.ip());
    // RFC 5923: what b sends to a's own port goes by the connection that is there, for a has shown that it is a.
    b.send(2, to(a.addr, &["a.moon.galaxy"]), message("back", ""));
    assert_eq!(call_id(&a.hear_message().0), "back");
    b.send(3, to(a.addr, &[]), message("by-address", ""));
    assert_eq!(call_id(&a.hear_message().0), "by-address");
    for n in 0..5 {
        a.send(10 + n, to(b.addr, &["b.moon.galaxy"]), message(&n.to_string(), ""));
        b.hear_message();
    }
    assert_eq!(told.handshakes(), [false], "a warm trunk does no handshake");
}

#[test]
fn what_is_meant_for_somebody_else_does_not_go_by_a_connection_that_leads_to_the_same_address() {
    let ca = Authority::new("Moon CA");
    let (config, told) = secure("127.0.78.3", sound(&ca, "127.0.78.3", "a.moon.galaxy"));
    let a = Node::start(config);
    let (config, _) = secure("127.0.78.4", sound(&ca, "127.0.78.4", "b.moon.galaxy"));
    let b = Node::start(config);
    a.send(1, to(b.addr, &["b.moon.galaxy"]), message("there", ""));
    b.hear_message();
    a.send(2, to(b.addr, &["c.moon.galaxy"]), message("for c", ""));
    assert!(matches!(a.hear(), SipInput::TransmitFailed { id: 2, error: TransportError::Insecure }));
    let said = told.failure(TlsProblem::WrongName);
    assert!(said.contains("not for c.moon.galaxy, but for b.moon.galaxy, 127.0.78.4"), "{said}");
}

#[test]
fn a_cold_trunk_resumes_what_was_agreed_on_before() {
    let ca = Authority::new("Moon CA");
    let (config, told) = secure("127.0.78.5", sound(&ca, "127.0.78.5", "a.moon.galaxy"));
    let a = Node::start(config);
    let (config, _) = secure("127.0.78.6", sound(&ca, "127.0.78.6", "b.moon.galaxy"));
    let b = Node::answering(config);
    for n in 1..3 {
        a.send(n, to(b.addr, &["b.moon.galaxy"]), message(&n.to_string(), ""));
        b.hear_message();
        // The answer comes after the session tickets.
        let (_, flow) = a.hear_message();
        a.act(net::Action::CloseFlow(flow));
        assert!(matches!(a.hear(), SipInput::FlowClosed(_)));
    }
    assert_eq!(told.handshakes(), [false, true]);
}

/// A client that believes the authority talks to a server that shows this; the problem that it finds.
fn shown_to_a_client(ca: &Authority, ip: [&str; 2], shows: Credentials, problem: TlsProblem) -> String {
    let (config, told) = secure(ip[0], sound(ca, ip[0], "a.moon.galaxy"));
    let a = Node::start(config);
    let (config, _) = secure(ip[1], tls(ClientCertificate::NotAsked, Some(shows), &[]));
    let b = Node::start(config);
    a.send(1, to(b.addr, &["b.moon.galaxy"]), message("never", ""));
    assert!(matches!(a.hear(), SipInput::TransmitFailed { id: 1, error: TransportError::Insecure }));
    assert!(b.try_hear(Duration::from_millis(50)).is_none(), "not a word was said");
    told.failure(problem)
}

#[test]
fn a_server_s_certificate_that_proves_nothing_is_refused_each_with_its_own_sentence() {
    let (ca, stranger) = (Authority::new("Moon CA"), Authority::new("Mars CA"));
    let wish = || Wish::of(&["b.moon.galaxy"]);
    let ip = ["127.0.78.7", "127.0.78.8"];
    let expired = ca.issue(&Wish { years: (2020, 2021), ..wish() });
    let said = shown_to_a_client(&ca, ip, expired, TlsProblem::Expired);
    assert!(said.contains("has expired: have it renewed"), "{said}");
    let early = ca.issue(&Wish { years: (2090, 2099), ..wish() });
    let said = shown_to_a_client(&ca, ip, early, TlsProblem::NotYetValid);
    assert!(said.contains("not valid yet: look at the clocks"), "{said}");
    let said = shown_to_a_client(&ca, ip, self_signed(&wish()), TlsProblem::SelfSigned);
    assert!(said.contains("signed by itself"), "{said}");
    let said = shown_to_a_client(&ca, ip, stranger.issue(&wish()), TlsProblem::UnknownAuthority);
    assert!(said.contains("a CA that is not trusted here"), "{said}");
    let said = shown_to_a_client(&ca, ip, ca.issue(&Wish::of(&["*.lab.moon.galaxy"])), TlsProblem::WrongName);
    assert!(said.contains("not for b.moon.galaxy, but for *.lab.moon.galaxy"), "{said}");
}

#[test]
fn a_server_that_asks_for_a_certificate_takes_no_client_without_a_good_one() {
    let (ca, stranger) = (Authority::new("Moon CA"), Authority::new("Mars CA"));
    let (config, told) = secure("127.0.78.9", sound(&ca, "127.0.78.9", "b.moon.galaxy"));
    let b = Node::start(config);
    let cases = [
        (None, TlsProblem::NoCertificate),
        (Some(stranger.issue(&Wish::of(&["a.moon.galaxy"]))), TlsProblem::UnknownAuthority),
        (Some(self_signed(&Wish::of(&["a.moon.galaxy"]))), TlsProblem::SelfSigned),
        (Some(ca.issue(&Wish { years: (2020, 2021), ..Wish::of(&["a"]) })), TlsProblem::Expired),
    ];
    for (shows, problem) in cases {
        let (config, of_client) = secure("127.0.78.10", tls(ClientCertificate::NotAsked, shows, &[&ca]));
        let a = Node::start(config);
        a.send(1, to(b.addr, &["b.moon.galaxy"]), message("never", ""));
        told.failure(problem);
        let said = of_client.failure(TlsProblem::OursRefused);
        assert!(said.contains("it refuses our certificate"), "{said}");
    }
    assert!(b.try_hear(Duration::from_millis(50)).is_none());
}

#[test]
fn a_telephone_needs_no_certificate_where_one_is_asked_for_but_a_bad_one_is_refused() {
    let (ca, stranger) = (Authority::new("Moon CA"), Authority::new("Mars CA"));
    let node = tls(ClientCertificate::Asked, Some(ca.issue(&Wish::of(&["127.0.78.11"]))), &[&ca]);
    let (config, told) = secure("127.0.78.11", node);
    let node = Node::start(config);
    let (config, _) = secure("127.0.78.12", tls(ClientCertificate::NotAsked, None, &[&ca]));
    let phone = Node::start(config);
    phone.send(1, to(node.addr, &[]), offering_alias("register", phone.addr.port()));
    let (_, flow) = node.hear_message();
    // Whoever shows no certificate is spoken to by the connection that it came on, and is not believed to be its address.
    node.send(2, Destination::Flow(flow), message("ring", ""));
    assert_eq!(call_id(&phone.hear_message().0), "ring");
    let liar = tls(ClientCertificate::NotAsked, Some(stranger.issue(&Wish::of(&["x"]))), &[&ca]);
    let (config, _) = secure("127.0.78.13", liar);
    let liar = Node::start(config);
    liar.send(1, to(node.addr, &[]), message("never", ""));
    told.failure(TlsProblem::UnknownAuthority);
}

#[test]
fn who_comes_from_a_gateway_s_address_has_the_gateway_s_certificate() {
    let ca = Authority::new("Moon CA");
    let (config, told) = secure("127.0.78.30", sound(&ca, "127.0.78.30", "um.moon.galaxy"));
    let um = Node::start(config);
    let knows = |names: &[&str]| {
        let names = names.iter().map(|name| Text::from(*name)).collect();
        let gateway = net::KnownPeer { address: [127, 0, 78, 31].into(), names: Some(names), must_show: true };
        um.act(net::Action::Peers(vec![gateway]));
        // What a role does is done in its order: with the answer to this the peers are known.
        um.send(99, by(Transport::Udp, "127.0.78.31:9".parse().unwrap()), message("known", ""));
    };
    let comes = |shows: &[&str], text: &str| {
        let (config, _) =
            secure("127.0.78.31", tls(ClientCertificate::NotAsked, Some(ca.issue(&Wish::of(shows))), &[&ca]));
        let gateway = Node::start(config);
        gateway.send(1, to(um.addr, &["um.moon.galaxy"]), message(text, ""));
        gateway
    };
    let settle = || assert!(matches!(um.hear(), SipInput::TransmitFailed { id: 99, .. }));
    knows(&[]);
    settle();
    let gateway = comes(&["mx-one.moon.galaxy", "127.0.78.31"], "its-address");
    assert_eq!(call_id(&um.hear_message().0), "its-address");
    let _other = comes(&["mx-two.moon.galaxy"], "never");
    let said = told.failure(TlsProblem::WrongName);
    assert!(
        said.contains("not for 127.0.78.31, but for mx-two.moon.galaxy") && said.contains("-CertificateName"),
        "{said}"
    );

    // -CertificateName: a name that the certificate has in the address's place. The connection under another's ends.
    drop(gateway);
    while !matches!(um.hear(), SipInput::FlowClosed(_)) {}
    knows(&["mx-two.moon.galaxy"]);
    settle();
    let second = comes(&["mx-two.moon.galaxy"], "its-name");
    assert_eq!(call_id(&um.hear_message().0), "its-name");
    knows(&["mx-three.moon.galaxy"]);
    let closed = (0..3).any(|_| matches!(second.hear(), SipInput::FlowClosed(_)));
    assert!(closed, "it is not the gateway any more");
}

#[test]
fn a_gateway_that_shows_no_certificate_is_not_believed_by_its_address_where_telephones_need_none() {
    let ca = Authority::new("Moon CA");
    let node = tls(ClientCertificate::Asked, Some(ca.issue(&Wish::of(&["127.0.78.32"]))), &[&ca]);
    let (config, told) = secure("127.0.78.32", node);
    let node = Node::start(config);
    let knows = |must_show| {
        let address = [127, 0, 78, 33].into();
        node.act(net::Action::Peers(vec![net::KnownPeer { address, names: None, must_show }]));
        node.send(99, by(Transport::Udp, "127.0.78.33:9".parse().unwrap()), message("known", ""));
        while !matches!(node.hear(), SipInput::TransmitFailed { id: 99, .. }) {}
    };
    let (config, _) = secure("127.0.78.33", tls(ClientCertificate::NotAsked, None, &[&ca]));
    let peer = Node::start(config);
    knows(false);
    peer.send(1, to(node.addr, &[]), message("telephone", ""));
    assert_eq!(call_id(&node.hear_message().0), "telephone");
    // From now on it is a route's address: what is open under no certificate ends, and nothing new comes.
    knows(true);
    let closed = (0..3).any(|_| matches!(peer.hear(), SipInput::FlowClosed(_)));
    assert!(closed);
    peer.send(2, to(node.addr, &[]), message("never", ""));
    let said = told.failure(TlsProblem::NoCertificate);
    assert!(said.contains("127.0.78.33 is the address of a gateway or of a route by TLS"), "{said}");
    let (config, _) = secure("127.0.78.33", sound(&ca, "127.0.78.33", "um.moon.galaxy"));
    let proven = Node::start(config);
    proven.send(3, to(node.addr, &[]), message("proven", ""));
    let heard = std::iter::from_fn(|| Some(node.hear())).find_map(|input| match input {
        SipInput::Received { message: Ok(message), .. } => Some(call_id(&message)),
        _ => None,
    });
    assert_eq!(heard.as_deref(), Some("proven"));
}

#[test]
fn an_alias_without_a_certificate_leads_nowhere() {
    let ca = Authority::new("Moon CA");
    let node = tls(ClientCertificate::Asked, Some(ca.issue(&Wish::of(&["127.0.78.14"]))), &[&ca]);
    let (config, told) = secure("127.0.78.14", node);
    let node = Node::start(config);
    let (config, _) = secure("127.0.78.15", tls(ClientCertificate::NotAsked, None, &[&ca]));
    let thief = Node::start(config);
    let (config, _) = secure("127.0.78.15", sound(&ca, "127.0.78.15", "um.moon.galaxy"));
    let um = Node::start(config);
    thief.send(1, to(node.addr, &[]), offering_alias("hello", um.addr.port()));
    node.hear_message();
    node.send(2, to(um.addr, &["um.moon.galaxy"]), message("secret", ""));
    assert_eq!(call_id(&um.hear_message().0), "secret");
    assert!(thief.try_hear(Duration::from_millis(50)).is_none());
    assert_eq!(told.handshakes().len(), 2);
}

#[test]
fn a_new_certificate_is_shown_to_new_connections_and_the_old_ones_go_on() {
    let ca = Authority::new("Moon CA");
    let ours = tls(ClientCertificate::NotAsked, Some(ca.issue(&Wish::of(&["old.moon.galaxy"]))), &[]);
    let (config, _) = secure("127.0.78.16", ours.clone());
    let b = Node::start(config);
    let (config, told) = secure("127.0.78.17", tls(ClientCertificate::NotAsked, None, &[&ca]));
    let a = Node::start(config);
    a.send(1, to(b.addr, &["old.moon.galaxy"]), message("before", ""));
    let (_, flow) = b.hear_message();
    ours.set_imported(Some(ca.issue(&Wish::of(&["new.moon.galaxy"]))), Vec::new(), "test").unwrap();
    a.send(2, to(b.addr, &["old.moon.galaxy"]), message("still", ""));
    assert_eq!(b.hear_message().1, flow);
    a.send(3, to(b.addr, &["new.moon.galaxy"]), message("after", ""));
    assert_ne!(b.hear_message().1, flow);
    assert_eq!(told.handshakes(), [false, false], "what was agreed on under the old certificate is not resumed");
}

/// A server with short limits, which must go on whatever strangers do to it.
fn besieged(ip: &str) -> (Node, std::sync::Arc<Told>, Authority) {
    let ca = Authority::new("Moon CA");
    let server = tls(ClientCertificate::Asked, Some(ca.issue(&Wish::of(&[ip]))), &[&ca]);
    let (mut config, told) = secure(ip, server);
    config.limits.handshake = Duration::from_millis(300);
    config.exempt = vec![[127, 0, 78, 99].into()];
    (Node::start(config), told, ca)
}

fn reads_nothing(stream: &mut TcpStream) {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut sink = Vec::new();
    // Closed by its end or by reset; an alert may come before.
    let _ = stream.read_to_end(&mut sink);
    assert!(!String::from_utf8_lossy(&sink).contains("SIP/2.0"));
}

#[test]
fn plain_text_on_the_tls_port_is_refused_with_the_port_to_use() {
    let (node, told, _) = besieged("127.0.78.20");
    let mut stream = TcpStream::connect(node.addr).unwrap();
    stream.write_all(message("plain", "").as_bytes()).unwrap();
    reads_nothing(&mut stream);
    let said = told.failure(TlsProblem::PlainText);
    assert!(said.contains("plain text on a TLS port") && said.contains("5060"), "{said}");
    assert!(node.try_hear(Duration::from_millis(20)).is_none());
}

#[test]
fn tls_on_the_port_for_tcp_is_refused_with_the_port_to_use() {
    let (node, told, _) = besieged("127.0.78.21");
    let tcp = node.listeners.iter().find(|own| own.transport == Transport::Tcp).unwrap().addr;
    let mut stream = TcpStream::connect(tcp).unwrap();
    stream.write_all(&hello([3, 3])).unwrap();
    reads_nothing(&mut stream);
    let said = told.all(|event| match event {
        Event::ConnectionRefused { reason, .. } => Some(reason.clone()),
        _ => None,
    });
    assert!(said[0].contains("5061"), "{said:?}");
}

/// A ClientHello of this version, without extensions (RFC 5246 7.4.1.2).
fn hello(version: [u8; 2]) -> Vec<u8> {
    let mut body = version.to_vec();
    body.extend([7; 32]);
    // No session; TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA; no compression.
    body.extend([0, 0, 2, 0xc0, 0x13, 1, 0]);
    let length = u8::try_from(body.len()).unwrap();
    let mut record = vec![22, 3, 1, 0, length + 4, 1, 0, 0, length];
    record.extend(body);
    record
}

#[test]
fn tls_1_1_is_refused_by_name() {
    let (node, told, _) = besieged("127.0.78.22");
    let mut stream = TcpStream::connect(node.addr).unwrap();
    stream.write_all(&hello([3, 2])).unwrap();
    reads_nothing(&mut stream);
    let said = told.failure(TlsProblem::OldVersion);
    assert!(said.contains("enable TLS 1.2 or 1.3"), "{said}");
}

#[test]
fn noise_is_refused_and_a_silent_peer_is_not_waited_for_for_ever() {
    let (node, told, _) = besieged("127.0.78.23");
    let mut noise = TcpStream::connect(node.addr).unwrap();
    noise.write_all(&[22, 3, 1, 0, 5, 0xff, 0xff, 0xff, 0xff, 0xff]).unwrap();
    reads_nothing(&mut noise);
    told.failure(TlsProblem::Broken);
    let mut silent = TcpStream::connect(node.addr).unwrap();
    silent.write_all(&hello([3, 3])[..20]).unwrap();
    reads_nothing(&mut silent);
    let said = told.failure(TlsProblem::Timeout);
    assert!(said.contains("handshake was not done"), "{said}");
}

#[test]
fn handshakes_begun_by_the_thousand_keep_out_neither_gateways_nor_others() {
    let (node, told, ca) = besieged("127.0.78.24");
    let mut opened = Vec::new();
    for _ in 0..1500 {
        opened.push(TcpStream::connect(node.addr).unwrap());
    }
    told.failure(TlsProblem::TooMany);
    for (ip, name) in [("127.0.78.99", "gateway"), ("127.0.78.25", "somebody")] {
        let (config, _) = secure(ip, tls(ClientCertificate::NotAsked, None, &[&ca]));
        let peer = Node::start(config);
        let began = Instant::now();
        peer.send(1, to(node.addr, &[]), message(name, ""));
        assert_eq!(call_id(&node.hear_message().0), name);
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    }
    assert!(told.failures().len() < 60, "strangers do not fill the log");
}

#[test]
fn keep_alive_keeps_an_idle_connection_open_and_without_it_the_peer_closes_it() {
    let ca = Authority::new("Moon CA");
    let (mut config, _) = secure("127.0.78.26", sound(&ca, "127.0.78.26", "b.moon.galaxy"));
    config.limits.idle = Duration::from_millis(300);
    let b = Node::start(config);
    for (keep_alive, stays) in [(50, true), (60_000, false)] {
        let (mut config, told) = secure("127.0.78.27", sound(&ca, "127.0.78.27", "a.moon.galaxy"));
        config.limits.keep_alive = Duration::from_millis(keep_alive);
        let a = Node::start(config);
        a.send(1, to(b.addr, &["b.moon.galaxy"]), message("first", ""));
        b.hear_message();
        std::thread::sleep(Duration::from_millis(700));
        a.send(2, to(b.addr, &["b.moon.galaxy"]), message("second", ""));
        while !matches!(b.hear(), SipInput::Received { message: Ok(message), .. } if call_id(&message) == "second") {}
        assert_eq!(told.handshakes().len() == 1, stays);
    }
}

#[test]
fn without_a_certificate_the_port_says_what_is_missing() {
    let ca = Authority::new("Moon CA");
    let (config, told) = secure("127.0.78.28", tls(ClientCertificate::Asked, None, &[&ca]));
    let node = Node::start(config);
    let (config, _) = secure("127.0.78.29", tls(ClientCertificate::NotAsked, None, &[&ca]));
    let peer = Node::start(config);
    peer.send(1, to(node.addr, &[]), message("never", ""));
    let said = told.failure(TlsProblem::NotConfigured);
    assert!(said.contains("mxone_certificate -import"), "{said}");
    assert!(matches!(peer.hear(), SipInput::TransmitFailed { id: 1, .. }));
}
