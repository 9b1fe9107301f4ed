//! A node and its peers in a network of the mind: every message takes a millisecond, and nothing waits for real.

use crate::commands::*;
use crate::{Node, NodeConfig, Own};
use event::{Event, Now, Sink};
use journal::{Door, Journal, Recorded};
use media::fake::FakeMedia;
use net::{Action, Input, Role, SipInput};
use sip::endpoint::Event as EndpointEvent;
use sip::endpoint::{
    Body, CallEvent, CallRef, ClientRef, Endpoint, EndpointConfig, Login, NextHop, OutgoingCall, OutgoingRequest,
    Output,
};
use sip::flow::{Listener, TransportError};
use sip::header::{Contact, Expires};
use sip::target::{Answer as DnsAnswer, Query};
use sip::{
    Destination, Flow, Headers, ListenerId, Message, Method, Name, NameAddr, Request, Response, Transmit, Transport,
    Uri, parse_datagram,
};
use state::{KeyFile, Store};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

pub const NODE: &str = "127.0.222.10:5060";
pub const UM: &str = "127.0.222.4:5060";
pub const DOMAIN: &str = "moon.galaxy";
/// What a call list position rings here.
pub const RING: Duration = Duration::from_secs(12);

/// One of the node's peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Peer(usize);

struct PeerState {
    endpoint: Endpoint,
    addr: SocketAddr,
    transport: Transport,
    events: Vec<EndpointEvent>,
    /// What it answers OPTIONS by; else the test answers.
    options: Option<u16>,
}

/// A message on its way, or one that went.
#[derive(Clone, Debug)]
pub struct Sent {
    pub to: SocketAddr,
    pub message: Message,
}

#[derive(Default)]
struct Recorder(Mutex<Vec<Event>>);

impl Sink for Recorder {
    fn emit(&self, _: Now, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

pub struct Rig {
    pub now: Now,
    pub node: Node,
    transports: Vec<Transport>,
    pub store: Store,
    pub media: FakeMedia,
    journal: Journal,
    /// Whether the node has ended by itself.
    pub stopped: bool,
    /// Whether the calls are run again at the end.
    pub replays: bool,
    own: Arc<Mutex<VecDeque<Own>>>,
    events: Arc<Recorder>,
    peers: Vec<PeerState>,
    /// Ordered by time.
    wire: VecDeque<(Instant, Transmission)>,
    connections: BTreeMap<(SocketAddr, SocketAddr), u64>,
    last_connection: u64,
    /// Addresses that swallow everything.
    pub dead: BTreeSet<IpAddr>,
    /// Addresses whose messages take so long to arrive.
    pub slow: BTreeMap<IpAddr, Duration>,
    /// What the DNS says.
    pub zone: BTreeMap<String, DnsAnswer>,
    pub sent: Vec<Sent>,
}

/// Flow at the receiver, and the bytes.
struct Transmission {
    flow: Flow,
    bytes: bytes::Bytes,
}

/// Runs a call again: what happened, in words, and how it went.
pub fn replayed(call: &Recorded) -> (String, journal::replay::Report) {
    let again = journal::replay::journal_of(call);
    let mut stage = crate::replay::NodeStage::new(call, again.clone()).unwrap();
    let mut text = String::new();
    let report = journal::replay::run(&mut stage, &again, call, &mut |number, after, step| {
        text.push_str(&journal::replay::describe(number, after, step));
    });
    (text, report)
}

pub fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub fn uri(text: &str) -> Uri {
    text.parse().unwrap()
}

pub fn sdp(port: u16) -> Vec<u8> {
    sdp_of(port, 1, "sendrecv")
}

pub fn sdp_of(port: u16, version: u32, direction: &str) -> Vec<u8> {
    format!(
        "v=0\r\no=- 7 {version} IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 8 0 101\r\n\
         a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na={direction}\r\n"
    )
    .into_bytes()
}

/// Everything that happens in a rig is recorded.
fn recording() -> Journal {
    Journal::recording("node", Door::none())
}

fn store_with(
    store: &Store,
    own: &Arc<Mutex<VecDeque<Own>>>,
    media: &FakeMedia,
    events: &Arc<Recorder>,
    journal: &Journal,
    transports: &[Transport],
    now: Now,
) -> Node {
    let node: SocketAddr = addr(NODE);
    let listener = |transport| Listener { id: ListenerId(0), transport, addr: node };
    let inbox = own.clone();
    Node::new(
        NodeConfig {
            domain: DOMAIN.into(),
            listeners: transports.iter().copied().map(listener).collect(),
            store: store.clone(),
            key: KeyFile::from_bytes([5; 32]),
            media: Box::new(media.clone()),
            seed: [9; 32],
            sink: events.clone(),
            own: Arc::new(move |own| inbox.lock().unwrap().push_back(own)),
            ring_time: RING,
            journal: journal.clone(),
        },
        now,
    )
    .unwrap()
}

/// Whatever a test did, its calls run again as they were.
impl Drop for Rig {
    fn drop(&mut self) {
        if self.replays && !std::thread::panicking() {
            self.replay_all();
        }
    }
}

impl Rig {
    /// The calls that were recorded so far, as they would be read from a file.
    pub fn recorded(&self) -> Vec<Recorded> {
        self.journal.close();
        let tapes = self.journal.take_finished(self.now);
        tapes.iter().map(|tape| journal::read(&journal::write(tape), self.now.instant).unwrap()).collect()
    }

    /// Runs all recorded calls again: nothing may differ.
    fn replay_all(&self) {
        for call in self.recorded() {
            let told = replayed(&call);
            assert!(told.1.is_equal(), "call {:?} runs otherwise:\n{}", call.about, told.0);
        }
    }

    /// A node without any configuration.
    pub fn bare() -> Rig {
        Rig::on(Store::memory())
    }

    /// A node without any configuration, on this store.
    pub fn on(store: Store) -> Rig {
        let now = Now { instant: Instant::now(), wall: SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000) };
        let media = FakeMedia::at("127.0.222.10".parse().unwrap());
        let (own, events) = (Arc::default(), Arc::new(Recorder::default()));
        let journal = recording();
        let transports = vec![Transport::Udp, Transport::Tcp, Transport::Tls];
        let node = store_with(&store, &own, &media, &events, &journal, &transports, now);
        Rig {
            now,
            node,
            transports,
            store,
            media,
            journal,
            stopped: false,
            replays: true,
            own,
            events,
            peers: Vec::new(),
            wire: VecDeque::new(),
            connections: BTreeMap::new(),
            last_connection: 0,
            dead: BTreeSet::new(),
            slow: BTreeMap::new(),
            zone: BTreeMap::new(),
            sent: Vec::new(),
        }
    }

    /// The guide's configuration, with 3 trunk individuals and direct media on the route, and three extensions of which
    /// 27000 has the guide's call list.
    pub fn lab() -> Rig {
        let mut rig = Rig::bare();
        for number in ["27000", "27001", "27010"] {
            rig.extension(number);
        }
        rig.route(55, "127.0.222.4", 3);
        for dest in ["43333", "43334"] {
            rig.destination(dest, 55, 0);
        }
        rig.position("27000", 1, "27000", |position| position.busy_position = Some(2));
        rig.position("27000", 2, "43334", |position| position.ird_bypass = Some(true));
        rig
    }

    pub fn extension(&mut self, number: &str) {
        let dir = || number.to_owned();
        self.run_command(Command::Extension(Extension::Initiate(ExtensionSet { dir: dir(), ..Default::default() })));
        let set = IpExtensionSet { dir: dir(), protocol: Some("SIP".into()), ..Default::default() };
        self.run_command(Command::IpExtension(IpExtension::Initiate(set)));
        let (name1, name2) = (Some(format!("Name{number}")), Some("Åkesson".into()));
        self.run_command(Command::Name(Name_::Initiate(NameSet { dir: dir(), name1, name2, number_type: None })));
        let set = AuthCodeSet { dir: dir(), auth_code: format!("moon-{number}"), ..Default::default() };
        self.run_command(Command::AuthCode(AuthCode::Initiate(set)));
    }

    /// Route `rou` to one address, over TCP, without the forced gateway.
    pub fn route(&mut self, rou: u32, ip: &str, individuals: u32) {
        let set = RouteCategorySet {
            rou,
            sel: Some("7110000000000010".into()),
            trm: Some("4".into()),
            serv: Some("3110000001".into()),
            ..Default::default()
        };
        self.run_command(Command::RouteCategory(RouteCategory::Initiate(set)));
        let set = RouteDataSet { rou, line_type: Some("TL66".into()), ..Default::default() };
        self.run_command(Command::RouteData(RouteData::Initiate(set)));
        let mut set = SipRouteSet {
            route: rou,
            profile: Some("ExchangeUM_TCP".into()),
            accept: Some("REMOTE_IP".into()),
            match_: Some(ip.into()),
            codecs: Some("PCMA,PCMU".into()),
            mwinumber: Some("43334".into()),
            forced_gateway: Some("no".into()),
            ..Default::default()
        };
        set.uristring[0] = Some(format!("sip:?@{ip}"));
        self.run_command(Command::SipRoute(SipRoute::Set(Box::new(set))));
        let set = TrunkSet { rou, tru: format!("1-1&&1-{individuals}"), ..Default::default() };
        self.run_command(Command::Trunk(Trunk::Initiate(set)));
    }

    pub fn set_route(&mut self, route: u32, change: impl FnOnce(&mut SipRouteSet)) {
        let mut set = SipRouteSet { route, ..Default::default() };
        change(&mut set);
        self.run_command(Command::SipRoute(SipRoute::Set(Box::new(set))));
    }

    pub fn destination(&mut self, dest: &str, rou: u32, cho: u32) {
        if cho == 0 {
            self.run_command(Command::Number(Number::Initiate { numbertype: "ED".into(), number: dest.into() }));
        }
        let set = DestinationSet {
            dest: dest.into(),
            rou: Some(rou),
            cho: Some(cho),
            adc: Some("0005000000000250000001010000".into()),
            srt: Some(1),
            ..Default::default()
        };
        self.run_command(Command::Destination(crate::commands::Destination::Initiate(set)));
    }

    pub fn position(&mut self, dir: &str, position: u32, to: &str, change: impl FnOnce(&mut CallListSet)) {
        let mut set = CallListSet { dir: dir.into(), position, dest_number: Some(to.into()), ..Default::default() };
        change(&mut set);
        self.run_command(Command::CallList(CallList::Initiate(set)));
    }

    pub fn divert(&mut self, dir: &str, to: &str, change: impl FnOnce(&mut DiversionSet)) {
        let mut set = DiversionSet { dir: dir.into(), div_destination_number: Some(to.into()), ..Default::default() };
        change(&mut set);
        self.run_command(Command::Diversion(Diversion::Initiate(set)));
    }

    /// A command that has to succeed.
    pub fn run_command(&mut self, command: Command) -> Answer {
        let text = format!("{command:?}");
        self.command(command).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    pub fn command(&mut self, command: Command) -> Result<Answer, CommandError> {
        let slot = Arc::new(Mutex::new(None));
        let place = slot.clone();
        let reply: Reply = Box::new(move |answer| *place.lock().unwrap() = Some(answer));
        self.input(Input::Own(Own::Command { command, by: "test".into(), reply }));
        let answer = slot.lock().unwrap().take();
        answer.expect("a command is answered")
    }

    /// Puts something into the node's inbox; what the store says to it stays there until the next input.
    pub fn hand_in(&mut self, own: Own) {
        self.node.input(Input::Own(own), self.now);
    }

    /// Starts the node again, without a port for TLS.
    pub fn restart_without_tls(&mut self) {
        self.transports.retain(|transport| *transport != Transport::Tls);
        self.restart();
    }

    /// Kills the node and starts another on the same store.
    pub fn restart(&mut self) {
        self.connections.clear();
        self.wire.clear();
        self.own.lock().unwrap().clear();
        self.replay_all();
        self.journal = recording();
        self.node =
            store_with(&self.store, &self.own, &self.media, &self.events, &self.journal, &self.transports, self.now);
    }

    /// What has been told since the last call.
    pub fn told(&self) -> Vec<Event> {
        std::mem::take(&mut *self.events.0.lock().unwrap())
    }

    pub fn told_names(&self) -> Vec<String> {
        self.told().iter().map(Event::name).collect()
    }

    pub fn calls(&mut self) -> Vec<CallStatus> {
        match self.run_command(Command::Status(Status::Calls {})) {
            Answer::Calls { calls } => calls,
            other => panic!("{other:?}"),
        }
    }

    pub fn status(&mut self, number: &str) -> ExtensionStatus {
        match self.run_command(Command::Status(Status::Extensions {})) {
            Answer::Extensions { extensions } => extensions.into_iter().find(|e| e.number == number).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    // ---- peers ----

    /// Adds a peer that speaks UDP and TCP, and prefers `transport`.
    pub fn peer(&mut self, at: &str, transport: Transport) -> Peer {
        let addr = addr(at);
        let listener = |transport| Listener { id: ListenerId(0), transport, addr };
        let config = EndpointConfig::new(
            vec![listener(Transport::Udp), listener(Transport::Tcp), listener(Transport::Tls)],
            "Peer",
        );
        let mut seed = [3; 32];
        seed[0] = self.peers.len() as u8;
        let endpoint = Endpoint::new(config, seed);
        self.peers.push(PeerState { endpoint, addr, transport, events: Vec::new(), options: None });
        Peer(self.peers.len() - 1)
    }

    /// Adds a phone that is registered.
    pub fn phone(&mut self, number: &str, at: &str) -> Peer {
        let phone = self.peer(at, Transport::Udp);
        self.register(phone, number, &format!("moon-{number}"), 3600);
        self.run_ms(50);
        let responses = self.responses(phone);
        assert_eq!(responses.last().map(|r| r.status), Some(200), "registered");
        self.events_of(phone);
        phone
    }

    pub fn with<T>(&mut self, peer: Peer, act: impl FnOnce(&mut Endpoint, Instant) -> T) -> T {
        let done = act(&mut self.peers[peer.0].endpoint, self.now.instant);
        self.drain_peer(peer.0);
        done
    }

    fn node_hop(&self, peer: Peer) -> NextHop {
        let node = addr(NODE);
        let mut hop = Uri::sip_host(node.ip().into()).with_port(node.port());
        hop = hop.with_transport(self.peers[peer.0].transport);
        NextHop::Uri(hop)
    }

    pub fn register(&mut self, peer: Peer, number: &str, password: &str, expires: u32) -> ClientRef {
        let at = self.peers[peer.0].addr;
        let contact = format!("<sip:{number}@{at};transport={}>", self.peers[peer.0].transport.parameter());
        let mut headers = Headers::new();
        headers.push(Name::Contact, contact);
        headers.push_typed(&Expires(expires));
        let aor = NameAddr::new(uri(&format!("sip:{number}@{DOMAIN}")));
        let mut request = OutgoingRequest::new(Method::Register, aor.clone(), aor, ListenerId(0));
        request.request_uri = uri(&format!("sip:{DOMAIN}"));
        request.headers = headers;
        request.next_hop = Some(self.node_hop(peer));
        request.login = Some(Login::new(number, password));
        request.call_id = Some(format!("registration-{at}").into());
        self.with(peer, |endpoint, now| endpoint.request(request, now)).unwrap()
    }

    /// A request outside calls to `to` at the node.
    pub fn request(
        &mut self,
        peer: Peer,
        method: Method,
        from: &str,
        to: &str,
        login: Option<&str>,
        change: impl FnOnce(&mut OutgoingRequest),
    ) -> ClientRef {
        let address = |number: &str| NameAddr::new(uri(&format!("sip:{number}@{DOMAIN}")));
        let mut request = OutgoingRequest::new(method, address(from), address(to), ListenerId(0));
        request.next_hop = Some(self.node_hop(peer));
        request.login = login.map(|password| Login::new(from, password));
        change(&mut request);
        self.with(peer, |endpoint, now| endpoint.request(request, now)).unwrap()
    }

    /// Calls `to`, as extension `from` with its right password.
    pub fn call(&mut self, peer: Peer, from: &str, to: &str) -> CallRef {
        self.call_with(peer, from, to, |_| ())
    }

    pub fn call_with(&mut self, peer: Peer, from: &str, to: &str, change: impl FnOnce(&mut OutgoingCall)) -> CallRef {
        let address = |number: &str| NameAddr::new(uri(&format!("sip:{number}@{DOMAIN}")));
        let body = Body::sdp(sdp(self.peers[peer.0].addr.port() + 10000));
        let mut call = OutgoingCall::new(address(from), address(to), Some(body), ListenerId(0));
        call.next_hop = Some(self.node_hop(peer));
        call.login = Some(Login::new(from, format!("moon-{from}")));
        change(&mut call);
        self.with(peer, |endpoint, now| endpoint.invite(call, now)).unwrap()
    }

    /// The call that waits at a peer, with its INVITE.
    pub fn incoming(&mut self, peer: Peer) -> (CallRef, Request) {
        self.try_incoming(peer).expect("no call came")
    }

    pub fn try_incoming(&mut self, peer: Peer) -> Option<(CallRef, Request)> {
        let events = &mut self.peers[peer.0].events;
        let at = events.iter().position(|event| matches!(event, EndpointEvent::Incoming { .. }))?;
        match events.remove(at) {
            EndpointEvent::Incoming { call, request, .. } => Some((call, request)),
            _ => None,
        }
    }

    pub fn ring(&mut self, peer: Peer, call: CallRef) {
        self.with(peer, |endpoint, now| endpoint.progress(call, 180, &Headers::new(), None, now)).unwrap();
        self.run_ms(20);
    }

    pub fn answer(&mut self, peer: Peer, call: CallRef) {
        let body = Body::sdp(sdp(self.peers[peer.0].addr.port() + 20000));
        self.with(peer, |endpoint, now| endpoint.accept(call, &Headers::new(), Some(body), now)).unwrap();
        self.run_ms(20);
    }

    pub fn reject(&mut self, peer: Peer, call: CallRef, status: u16) {
        self.with(peer, |endpoint, now| endpoint.reject(call, status, &Headers::new(), now)).unwrap();
        self.run_ms(20);
    }

    pub fn redirect(&mut self, peer: Peer, call: CallRef, to: &str) {
        let mut headers = Headers::new();
        headers.push_typed(&Contact::Address(NameAddr::new(uri(to))));
        self.with(peer, |endpoint, now| endpoint.reject(call, 302, &headers, now)).unwrap();
        self.run_ms(20);
    }

    pub fn hang_up(&mut self, peer: Peer, call: CallRef) {
        self.with(peer, |endpoint, now| endpoint.hangup(call, &Headers::new(), now)).unwrap();
        self.run_ms(20);
    }

    /// Calls and lets the other phone answer: both dialogs.
    pub fn connect(&mut self, a: Peer, from: &str, b: Peer, to: &str) -> (CallRef, CallRef) {
        let calling = self.call(a, from, to);
        self.run_ms(20);
        let (called, _) = self.incoming(b);
        self.answer(b, called);
        assert!(self.answered(a, calling).is_some(), "answered");
        self.call_events(b, called);
        (calling, called)
    }

    pub fn events_of(&mut self, peer: Peer) -> Vec<EndpointEvent> {
        std::mem::take(&mut self.peers[peer.0].events)
    }

    /// What happened to a peer's call, taking it away.
    pub fn call_events(&mut self, peer: Peer, of: CallRef) -> Vec<CallEvent> {
        let (own, others): (Vec<_>, Vec<_>) = self
            .events_of(peer)
            .into_iter()
            .partition(|event| matches!(event, EndpointEvent::Call { call, .. } if *call == of));
        self.peers[peer.0].events = others;
        own.into_iter()
            .filter_map(|event| match event {
                EndpointEvent::Call { event, .. } => Some(event),
                _ => None,
            })
            .collect()
    }

    /// The 200 to a call, taking all that happened to it away.
    pub fn answered(&mut self, peer: Peer, call: CallRef) -> Option<Response> {
        self.call_events(peer, call).into_iter().find_map(|event| match event {
            CallEvent::Answered { response, .. } => Some(response),
            _ => None,
        })
    }

    /// The final refusal of a call, taking all that happened to it away.
    pub fn rejected(&mut self, peer: Peer, call: CallRef) -> Option<Response> {
        self.call_events(peer, call).into_iter().find_map(|event| match event {
            CallEvent::Rejected { response, .. } => Some(response),
            _ => None,
        })
    }

    pub fn ended(&mut self, peer: Peer, call: CallRef) -> bool {
        self.call_events(peer, call).iter().any(|event| matches!(event, CallEvent::Ended { .. }))
    }

    /// Responses to requests outside calls, taking them away.
    pub fn responses(&mut self, peer: Peer) -> Vec<Response> {
        let (own, others): (Vec<_>, Vec<_>) =
            self.events_of(peer).into_iter().partition(|event| matches!(event, EndpointEvent::Response { .. }));
        self.peers[peer.0].events = others;
        own.into_iter()
            .filter_map(|event| match event {
                EndpointEvent::Response { response, .. } => Some(response),
                _ => None,
            })
            .collect()
    }

    /// Requests of one method that the node sent to a peer's address.
    pub fn sent_to(&self, at: &str, method: &Method) -> Vec<Request> {
        let to = addr(at);
        let requests = self.sent.iter().filter(|sent| sent.to == to).filter_map(|sent| sent.message.as_request());
        requests.filter(|request| request.method == *method).cloned().collect()
    }

    /// All responses that came to a peer's address for a method.
    pub fn responses_to(&self, at: &str, method: &Method) -> Vec<Response> {
        let to = addr(at);
        let responses = self.sent.iter().filter(|sent| sent.to == to).filter_map(|sent| sent.message.as_response());
        responses.filter(|response| response.cseq().is_some_and(|cseq| cseq.method == *method)).cloned().collect()
    }

    // ---- time ----

    pub fn run_ms(&mut self, ms: u64) {
        self.run(Duration::from_millis(ms));
    }

    pub fn run(&mut self, time: Duration) {
        let until = self.now.instant + time;
        for step in 0.. {
            assert!(step < 100_000, "the network never comes to rest");
            let wire = self.wire.front().map(|(at, _)| *at);
            let peers = self.peers.iter().filter_map(|peer| peer.endpoint.deadline());
            let next = peers.chain(self.node.deadline()).chain(wire).min();
            let Some(next) = next.filter(|next| *next <= until) else { break };
            let by = next.saturating_duration_since(self.now.instant);
            self.now = self.now.later(by);
            while let Some((_, transmission)) = self.wire.pop_front_if(|(at, _)| *at <= next) {
                self.arrive(transmission);
            }
            if self.node.deadline().is_some_and(|at| at <= next) {
                self.input(Input::Timeout);
            }
            for index in 0..self.peers.len() {
                if self.peers[index].endpoint.deadline().is_some_and(|at| at <= next) {
                    self.peers[index].endpoint.handle_timeout(next);
                    self.drain_peer(index);
                }
            }
        }
        self.now = self.now.later(until.saturating_duration_since(self.now.instant));
    }

    pub fn input(&mut self, input: Input<Own>) {
        self.node.input(input, self.now);
        loop {
            while let Some(action) = self.node.poll_action() {
                match action {
                    Action::Transmit(transmit) => {
                        if let Err((id, error)) = self.send(addr(NODE), transmit) {
                            self.node.input(Input::Sip(SipInput::TransmitFailed { id, error }), self.now);
                        }
                    }
                    Action::Resolve { query, question } => {
                        let (Query::Srv(name) | Query::Addresses(name)) = question;
                        let answer = self.zone.get(&name).cloned().unwrap_or(DnsAnswer::Failed);
                        self.node.input(Input::Sip(SipInput::Resolved { query, answer }), self.now);
                    }
                    Action::Stop => self.stopped = true,
                    Action::CloseFlow(_) | Action::Distrust(..) | Action::Peers(_) => {}
                }
            }
            let Some(own) = self.own.lock().unwrap().pop_front() else { return };
            self.node.input(Input::Own(own), self.now);
        }
    }

    /// From now on this peer answers OPTIONS by itself.
    pub fn answers_options(&mut self, peer: Peer, status: u16) {
        self.peers[peer.0].options = Some(status);
    }

    /// The connection between the node and this address breaks.
    pub fn break_connection(&mut self, at: &str) {
        let remote = addr(at);
        let (transport, listener, local) = (Transport::Tcp, ListenerId(0), addr(NODE));
        let key = if local < remote { (local, remote) } else { (remote, local) };
        let connection = self.connections.remove(&key).or(Some(0));
        let flow = Flow { transport, listener, local, remote, connection };
        self.input(Input::Sip(SipInput::FlowClosed(flow)));
    }

    /// Puts bytes of nobody's making before the node.
    pub fn hand_feed(&mut self, from: &str, text: &str) {
        let flow = Flow {
            transport: Transport::Udp,
            listener: ListenerId(0),
            local: addr(NODE),
            remote: addr(from),
            connection: None,
        };
        self.input(Input::Sip(SipInput::received(text.replace('\n', "\r\n").into(), flow)));
    }

    fn drain_peer(&mut self, index: usize) {
        while let Some(output) = self.peers[index].endpoint.poll() {
            match output {
                Output::Transmit(transmit) => {
                    let from = self.peers[index].addr;
                    if let Err((id, error)) = self.send(from, transmit) {
                        let now = self.now.instant;
                        self.peers[index].endpoint.transmit_failed(id, error, now);
                    }
                }
                Output::Resolve(query, _) => {
                    let now = self.now.instant;
                    self.peers[index].endpoint.resolved(query, DnsAnswer::Failed, now);
                }
                Output::CloseFlow(_) | Output::Distrust(..) => {}
                Output::Event(EndpointEvent::Request { transaction, request, .. })
                    if request.method == Method::Options && self.peers[index].options.is_some() =>
                {
                    let (status, now) = (self.peers[index].options.unwrap(), self.now.instant);
                    self.peers[index].endpoint.respond(transaction, request.response(status), now).unwrap();
                }
                Output::Event(event) => self.peers[index].events.push(event),
            }
        }
    }

    fn send(&mut self, from: SocketAddr, transmit: Transmit) -> Result<(), (u64, TransportError)> {
        let Transmit { id, to, bytes } = transmit;
        let message = parse_datagram(bytes.clone()).expect("something unreadable was sent");
        let (transport, remote) = (to.transport(), to.remote());
        self.sent.push(Sent { to: remote, message });
        if self.dead.contains(&remote.ip()) {
            return Ok(());
        }
        let connection = match (&to, transport) {
            (_, Transport::Udp) => None,
            (Destination::Flow(flow), _) => {
                let open = self.connections.values().any(|open| Some(*open) == flow.connection);
                Some(flow.connection.filter(|_| open).ok_or((id, TransportError::Closed))?)
            }
            (Destination::Address { .. }, _) => {
                let there = remote == addr(NODE) || self.peers.iter().any(|peer| peer.addr == remote);
                if !there {
                    return Err((id, TransportError::Refused));
                }
                let key = if from < remote { (from, remote) } else { (remote, from) };
                if !self.connections.contains_key(&key) {
                    self.last_connection += 1;
                    self.connections.insert(key, self.last_connection);
                }
                self.connections.get(&key).copied()
            }
        };
        let flow = Flow { transport, listener: ListenerId(0), local: remote, remote: from, connection };
        let delay = self.slow.get(&from.ip()).copied().unwrap_or(Duration::from_millis(1));
        let at = self.now.instant + delay;
        let place = self.wire.partition_point(|(other, _)| *other <= at);
        self.wire.insert(place, (at, Transmission { flow, bytes }));
        Ok(())
    }

    fn arrive(&mut self, transmission: Transmission) {
        let Transmission { flow, bytes } = transmission;
        if self.dead.contains(&flow.remote.ip()) {
            return;
        }
        if flow.local == addr(NODE) {
            return self.input(Input::Sip(SipInput::received(bytes, flow)));
        }
        let message = parse_datagram(bytes);
        let now = self.now.instant;
        if let Some(index) = self.peers.iter().position(|peer| peer.addr == flow.local) {
            self.peers[index].endpoint.receive(message, flow, now);
            self.drain_peer(index);
        }
    }
}

use crate::commands::Name as Name_;
