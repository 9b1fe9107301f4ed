use super::*;
use sip::{ListenerId, Message, Transport};

fn now() -> Now {
    Now { instant: Instant::now(), wall: std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000) }
}

fn flow(port: u16, connection: Option<u64>) -> Flow {
    Flow {
        transport: if connection.is_some() { Transport::Tcp } else { Transport::Udp },
        listener: ListenerId(0),
        local: "127.0.222.10:5060".parse().unwrap(),
        remote: format!("127.0.0.1:{port}").parse().unwrap(),
        connection,
    }
}

fn request(call_id: &str, cseq: u32, lines: &str) -> Request {
    let text = format!(
        "REGISTER sip:moon.galaxy SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n\
         From: <sip:27000@moon.galaxy>;tag=1\r\nTo: <sip:27000@moon.galaxy>\r\nCall-ID: {call_id}\r\n\
         CSeq: {cseq} REGISTER\r\n{lines}Content-Length: 0\r\n\r\n"
    );
    match sip::parse_datagram(text.into()).unwrap() {
        Message::Request(request) => request,
        Message::Response(_) => panic!("not a request"),
    }
}

struct Rig {
    registrar: Registrar,
    now: Now,
    cseq: u32,
}

impl Rig {
    fn new() -> Rig {
        Rig { registrar: Registrar::default(), now: now(), cseq: 0 }
    }

    fn register(&mut self, lines: &str) -> Result<Registered, RegisterError> {
        self.cseq += 1;
        let request = request("a", self.cseq, lines);
        self.registrar.register("27000", 4, &request, &flow(5070, None), self.now)
    }

    fn contacts(&self) -> Vec<String> {
        self.registrar.contacts("27000", self.now.instant).iter().map(|b| b.uri.to_string()).collect()
    }
}

#[test]
fn a_refresh_is_no_beginning_but_a_phone_that_has_started_anew_is() {
    let mut rig = Rig::new();
    let contact = "Contact: <sip:27000@127.0.0.1:5070>\r\n";
    assert!(rig.register(contact).unwrap().begins);
    assert!(!rig.register(contact).unwrap().begins);
    let restarted = request("b", 1, contact);
    assert!(rig.registrar.register("27000", 4, &restarted, &flow(5070, None), rig.now).unwrap().begins);
    assert!(!rig.register("Contact: *\r\nExpires: 0\r\n").unwrap().begins);
}

#[test]
fn a_source_is_known_for_as_long_as_one_phone_is_registered_from_it() {
    let mut rig = Rig::new();
    let source = flow(5070, None).remote;
    assert!(!rig.registrar.knows_source(source));
    rig.register("Contact: <sip:27000@127.0.0.1:5070>, <sip:27000@127.0.0.1:5071>\r\n").unwrap();
    rig.register("Contact: <sip:27000@127.0.0.1:5070>\r\nExpires: 0\r\n").unwrap();
    assert!(rig.registrar.knows_source(source));
    rig.now = rig.now.later(Duration::from_secs(3601));
    rig.registrar.expire(rig.now.instant);
    assert!(!rig.registrar.knows_source(source));
}

#[test]
fn several_contacts_the_preferred_first() {
    let mut rig = Rig::new();
    rig.register("Contact: <sip:27000@127.0.0.1:5070>;q=0.2, <sip:27000@127.0.0.1:5071>\r\n").unwrap();
    rig.register("Contact: <sip:27000@127.0.0.1:5072>;q=0.5\r\nExpires: 600\r\n").unwrap();
    assert_eq!(rig.contacts(), ["sip:27000@127.0.0.1:5071", "sip:27000@127.0.0.1:5072", "sip:27000@127.0.0.1:5070"]);
    let mut headers = Headers::new();
    rig.registrar.list("27000", &mut headers, rig.now.instant);
    let listed: Vec<u32> = headers.all_typed::<Contact>().filter_map(|c| c.ok()?.address()?.expires()).collect();
    assert_eq!(listed, [3600, 600, 3600]);
}

#[test]
fn a_contact_expires_and_is_refreshed() {
    let mut rig = Rig::new();
    rig.register("Contact: <sip:27000@127.0.0.1:5070>;expires=60\r\n").unwrap();
    rig.now = rig.now.later(Duration::from_secs(59));
    rig.register("Contact: <sip:27000@127.0.0.1:5070>;expires=60\r\n").unwrap();
    rig.now = rig.now.later(Duration::from_secs(59));
    assert_eq!(rig.contacts().len(), 1);
    rig.now = rig.now.later(Duration::from_secs(1));
    assert!(rig.contacts().is_empty());
    assert!(rig.registrar.deadline().is_some_and(|at| at <= rig.now.instant));
    let gone = rig.registrar.expire(rig.now.instant);
    assert_eq!(gone, [("27000".to_owned(), "sip:27000@127.0.0.1:5070".to_owned())]);
    assert_eq!(rig.registrar.deadline(), None);
}

#[test]
fn the_star_unregisters_all_and_only_alone_with_expires_0() {
    let mut rig = Rig::new();
    rig.register("Contact: <sip:27000@127.0.0.1:5070>\r\n").unwrap();
    assert_eq!(rig.register("Contact: *\r\nExpires: 60\r\n"), Err(RegisterError::Malformed));
    assert_eq!(rig.register("Contact: *\r\n"), Err(RegisterError::Malformed));
    assert_eq!(rig.register("Contact: *, <sip:27000@127.0.0.1:5071>\r\nExpires: 0\r\n"), Err(RegisterError::Malformed));
    assert_eq!(rig.contacts().len(), 1);
    assert_eq!(rig.register("Contact: *\r\nExpires: 0\r\n").unwrap().removed.len(), 1);
    assert!(rig.contacts().is_empty());
}

#[test]
fn an_older_request_of_the_same_call_id_changes_nothing() {
    let mut rig = Rig::new();
    let contact = "Contact: <sip:27000@127.0.0.1:5070>\r\n";
    let register = |rig: &mut Rig, call_id, cseq, lines: &str| {
        rig.registrar.register("27000", 4, &request(call_id, cseq, lines), &flow(5070, None), rig.now)
    };
    register(&mut rig, "a", 5, contact).unwrap();
    assert_eq!(register(&mut rig, "a", 5, contact), Err(RegisterError::OutOfOrder));
    assert_eq!(register(&mut rig, "a", 4, "Contact: *\r\nExpires: 0\r\n"), Err(RegisterError::OutOfOrder));
    // Another contact before it in the same request is not added either.
    let both = "Contact: <sip:27000@127.0.0.1:5071>, <sip:27000@127.0.0.1:5070>\r\n";
    assert_eq!(register(&mut rig, "a", 4, both), Err(RegisterError::OutOfOrder));
    assert_eq!(rig.contacts().len(), 1);
    register(&mut rig, "b", 1, contact).unwrap();
    assert_eq!(rig.contacts().len(), 1, "a restarted phone has a new Call-ID and starts counting anew");
}

#[test]
fn too_brief_is_refused_and_too_long_is_shortened() {
    let mut rig = Rig::new();
    let error = rig.register("Contact: <sip:27000@127.0.0.1:5070>;expires=30\r\n").unwrap_err();
    let response = error.response(&request("a", 1, ""));
    assert_eq!((response.status, response.headers.get(&Name::MinExpires).unwrap().as_str()), (423, "60"));
    let changed = rig.register("Contact: <sip:27000@127.0.0.1:5070>;expires=4294967295\r\n").unwrap();
    assert_eq!(changed.added, [("sip:27000@127.0.0.1:5070".to_owned(), 7200)]);
}

#[test]
fn a_query_changes_nothing() {
    let mut rig = Rig::new();
    rig.register("Contact: <sip:27000@127.0.0.1:5070>\r\n").unwrap();
    assert_eq!(rig.register("").unwrap(), Registered::default());
    assert_eq!(rig.contacts().len(), 1);
}

#[test]
fn beyond_the_cap_the_oldest_makes_room() {
    let mut rig = Rig::new();
    for port in 5070..5075 {
        rig.now = rig.now.later(Duration::from_secs(1));
        rig.register(&format!("Contact: <sip:27000@127.0.0.1:{port}>\r\n")).unwrap();
    }
    assert_eq!(rig.contacts().len(), 4);
    assert!(!rig.contacts().contains(&"sip:27000@127.0.0.1:5070".to_owned()));
}

#[test]
fn contacts_outlive_a_restart_but_their_connections_do_not() {
    let mut rig = Rig::new();
    rig.register("Contact: <sip:27000@127.0.0.1:5070>;expires=600\r\n").unwrap();
    let mut hidden = request("n", 1, "Contact: <sip:27000@10.0.0.5:5060>;expires=600\r\n");
    hidden.headers.set(Name::Via, "SIP/2.0/UDP 10.0.0.5:5060;branch=z9hG4bK1");
    rig.registrar.register("27000", 4, &hidden, &flow(31000, None), rig.now).unwrap();
    let tcp = request("t", 1, "Contact: <sip:27000@127.0.0.1:5071;transport=tcp>;expires=100\r\n");
    rig.registrar.register("27000", 4, &tcp, &flow(40000, Some(7)), rig.now).unwrap();
    let store = Store::memory();
    store.commit_now(vec![rig.registrar.change("27000")]).unwrap();

    let later = rig.now.later(Duration::from_secs(50));
    let loaded = Registrar::load(&store, later).unwrap();
    let hops: Vec<sip::endpoint::NextHop> =
        loaded.contacts("27000", later.instant).iter().map(|binding| binding.next_hop()).collect();
    use sip::endpoint::NextHop;
    let by_flow: Vec<u16> = hops
        .iter()
        .filter_map(|hop| match hop {
            NextHop::Flow(flow) => Some(flow.remote.port()),
            NextHop::Uri(_) => None,
        })
        .collect();
    assert_eq!(by_flow, [31000], "the contact behind NAT goes by where it registered from");
    assert!(hops.iter().any(|hop| matches!(hop, NextHop::Uri(uri) if uri.port == Some(5070))));
    assert!(hops.iter().any(|hop| matches!(hop, NextHop::Uri(uri) if uri.port == Some(5071))));
    assert_eq!(loaded.deadline(), Some(later.instant + Duration::from_secs(50)));
    let much_later = rig.now.later(Duration::from_secs(700));
    assert!(Registrar::load(&store, much_later).unwrap().contacts("27000", much_later.instant).is_empty());
}

#[test]
fn a_closed_connection_is_not_used_again() {
    let mut rig = Rig::new();
    let tcp = request("t", 1, "Contact: <sip:27000@127.0.0.1:5071>\r\n");
    rig.registrar.register("27000", 4, &tcp, &flow(40000, Some(7)), rig.now).unwrap();
    let hop = |rig: &Rig| rig.registrar.contacts("27000", rig.now.instant)[0].next_hop();
    use sip::endpoint::NextHop;
    assert!(matches!(hop(&rig), NextHop::Flow(_)));
    rig.registrar.flow_closed(&flow(40000, Some(7)));
    let NextHop::Uri(uri) = hop(&rig) else { panic!("the closed connection is still used") };
    assert_eq!(uri.transport(), Some(Transport::Tcp));
}
