//! A role that tells the test what it hears and does what the test says, on real sockets.
#![allow(dead_code)] // each test file uses its own part
#![allow(clippy::unwrap_used, clippy::expect_used)] // tests

pub mod certificates;

use event::Now;
use net::{Action, Inbox, InboxSender, Input, Limits, Net, NetConfig, Role, SipInput, inbox, run};
use sip::flow::{Destination, Flow, Listener, ListenerId, Transmit, Transport};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub const LISTENER: ListenerId = ListenerId(0);
/// How long a test waits for what must come.
pub const PATIENCE: Duration = Duration::from_secs(5);

pub struct Puppet {
    heard: Sender<SipInput>,
    actions: VecDeque<Action>,
    /// Answers each request by the way that it came, with 200.
    answers: bool,
    /// Sleeps this long in each input: a role that can't keep up.
    slow: Duration,
}

impl Role for Puppet {
    type Own = Vec<Action>;

    fn input(&mut self, input: Input<Vec<Action>>, _now: Now) {
        match input {
            Input::Own(actions) => self.actions.extend(actions),
            Input::Sip(input) => {
                std::thread::sleep(self.slow);
                if let (true, SipInput::Received { message: Ok(sip::Message::Request(request)), flow, .. }) =
                    (self.answers, &input)
                {
                    let transmit = Transmit {
                        id: 1,
                        to: Destination::Flow(flow.clone()),
                        bytes: request.response(200).to_bytes(),
                    };
                    self.actions.push_back(Action::Transmit(transmit));
                }
                let _ = self.heard.send(input);
            }
            Input::Timeout => {}
        }
    }

    fn deadline(&self) -> Option<Instant> {
        None
    }

    fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }
}

/// A running role.
pub struct Node {
    pub addr: SocketAddr,
    pub listeners: Vec<Listener>,
    sender: InboxSender<Vec<Action>>,
    heard: Receiver<SipInput>,
    thread: Option<JoinHandle<()>>,
}

pub fn listeners(ip: &str) -> Vec<Listener> {
    let addr = format!("{ip}:0").parse().unwrap();
    [Transport::Tcp, Transport::Udp].map(|transport| Listener { id: LISTENER, transport, addr }).into()
}

pub fn config(ip: &str) -> NetConfig {
    NetConfig::new("test", listeners(ip))
}

pub fn with_limits(ip: &str, limits: Limits) -> NetConfig {
    NetConfig { limits, ..config(ip) }
}

impl Node {
    pub fn start(config: NetConfig) -> Node {
        Node::with(config, false, Duration::ZERO)
    }

    pub fn answering(config: NetConfig) -> Node {
        Node::with(config, true, Duration::ZERO)
    }

    pub fn with(config: NetConfig, answers: bool, slow: Duration) -> Node {
        let (sender, receiver): (InboxSender<Vec<Action>>, Inbox<Vec<Action>>) = inbox();
        let net = Net::start(config, sender.clone()).unwrap();
        let listeners = net.listeners().to_vec();
        let (heard_sender, heard) = channel();
        let thread = std::thread::spawn(move || {
            let mut role = Puppet { heard: heard_sender, actions: VecDeque::new(), answers, slow };
            run(&mut role, receiver, net);
        });
        Node { addr: listeners[0].addr, listeners, sender, heard, thread: Some(thread) }
    }

    pub fn act(&self, action: Action) {
        self.sender.own(vec![action]);
    }

    pub fn send(&self, id: u64, to: Destination, bytes: impl Into<bytes::Bytes>) {
        self.act(Action::Transmit(Transmit { id, to, bytes: bytes.into() }));
    }

    pub fn hear(&self) -> SipInput {
        self.heard.recv_timeout(PATIENCE).expect("nothing heard")
    }

    pub fn try_hear(&self, within: Duration) -> Option<SipInput> {
        self.heard.recv_timeout(within).ok()
    }

    /// The next message that arrives, which must be sound.
    pub fn hear_message(&self) -> (sip::Message, Flow) {
        match self.hear() {
            SipInput::Received { message, flow, .. } => (message.unwrap(), flow),
            other => panic!("{other:?}"),
        }
    }

    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.act(Action::Stop);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if self.thread.is_some() {
            self.end();
        }
    }
}

pub fn by(transport: Transport, remote: SocketAddr) -> Destination {
    Destination::address(transport, LISTENER, remote)
}

/// A MESSAGE with this body.
pub fn message(call_id: &str, body: &str) -> String {
    format!(
        "MESSAGE sip:43334@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:5060;branch=z9hG4bK{call_id}\r\n\
         From: <sip:27001@moon.galaxy>;tag=1\r\nTo: <sip:43334@moon.galaxy>\r\nCall-ID: {call_id}\r\n\
         CSeq: 1 MESSAGE\r\nMax-Forwards: 70\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}
