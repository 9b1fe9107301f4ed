//! Phones on a virtual clock, with a wire between them that loses nothing, a fake media engine, and a registrar of a few
//! lines.

use super::*;
use crate::config::Plan;
use media::{MediaCommand, OpenError, RecordingId, SessionId};
use sip::digest::{Challenge, Credentials, Ha1, Nonces, Verdict};
use sip::flow::{Destination, Flow, Listener, Transmit};
use sip::{Contact, EndpointConfig, Message, Transport, parse_datagram};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

type Commands = Arc<Mutex<Vec<MediaCommand>>>;

struct FakeMedia {
    opened: u64,
    address: SocketAddr,
    commands: Commands,
}

impl Control for FakeMedia {
    fn open(&mut self) -> Result<(SessionId, SocketAddr), OpenError> {
        self.opened += 1;
        let port = 40000 + 2 * self.opened as u16;
        Ok((SessionId(self.opened), SocketAddr::new(self.address.ip(), port)))
    }

    fn command(&mut self, command: MediaCommand) {
        self.commands.lock().unwrap().push(command);
    }
}

struct Seat {
    address: SocketAddr,
    role: PhoneRole,
    events: Receiver<PhoneEvent>,
    commands: Commands,
    stopped: bool,
}

impl Seat {
    fn events(&self) -> Vec<PhoneEvent> {
        self.events.try_iter().collect()
    }
}

/// Answers REGISTER and SUBSCRIBE with a challenge, then 200.
struct Registrar {
    address: SocketAddr,
    nonces: Nonces,
    ha1: Ha1,
    /// Expires of each REGISTER that was accepted.
    accepted: Vec<u32>,
    challenged: usize,
}

impl Registrar {
    fn answer(&mut self, request: &Request, now: Instant) -> Response {
        let verdict = Credentials::for_realm(&request.headers, "moon.galaxy")
            .map(|c| self.nonces.judge(&c, &self.ha1, &request.method, &request.uri, now));
        let mut response = request.response(if verdict == Some(Verdict::Accepted) { 200 } else { 401 });
        response.set_to_tag("registrar");
        if response.status == 401 {
            self.challenged += 1;
            for challenge in self.nonces.challenges(
                "moon.galaxy",
                &[sip::digest::Algorithm::Sha256, sip::digest::Algorithm::Md5],
                verdict == Some(Verdict::Stale),
                false,
                now,
            ) {
                challenge.push_to(&mut response.headers);
            }
            assert!(Challenge::strongest(&response.headers).is_some());
        } else if request.method == Method::Subscribe {
            response.headers.push(Name::Expires, "3600");
            response.headers.push(Name::Contact, "<sip:127.0.222.10>");
        } else if let Some(Contact::Address(contact)) = request.headers.sound::<Contact>() {
            self.accepted.push(contact.expires().unwrap());
            response.headers.push(Name::Contact, contact.to_string());
        }
        response
    }
}

struct Net {
    now: Now,
    seats: Vec<Seat>,
    registrar: Registrar,
}

fn address(host: u8) -> SocketAddr {
    SocketAddr::from(([127, 0, 222, host], 5060))
}

const REGISTRAR: u8 = 10;

impl Net {
    fn new() -> Net {
        let now = Now { instant: Instant::now(), wall: std::time::SystemTime::UNIX_EPOCH };
        let registrar = Registrar {
            address: address(REGISTRAR),
            nonces: Nonces::new([1; 32], now.instant),
            ha1: Ha1::new("27000", "moon.galaxy", "moon-27000"),
            accepted: Vec::new(),
            challenged: 0,
        };
        Net { now, seats: Vec::new(), registrar }
    }

    /// A phone at host `host`, whose PBX is at host `server`.
    fn phone(&mut self, host: u8, server: u8, change: impl FnOnce(&mut PhoneConfig)) -> usize {
        let mut config = PhoneConfig {
            user: format!("270{host:02}"),
            password: "moon-27000".into(),
            server: address(server),
            transport: Transport::Udp,
            bind: address(host).ip(),
            port: 5060,
            behaviour: Behaviour::AnswerAfter(Duration::ZERO),
            plan: Plan::default(),
            register: false,
            subscribe: false,
            tls: None,
            srtp: false,
            seed: [host; 32],
        };
        change(&mut config);
        let listener = Listener { id: ListenerId(0), transport: Transport::Udp, addr: address(host) };
        let mut endpoint = EndpointConfig::new(vec![listener], "test");
        endpoint.session_expires = None;
        let endpoint = Endpoint::new(endpoint, config.seed);
        let commands = Commands::default();
        let media = FakeMedia { opened: 0, address: address(host), commands: commands.clone() };
        let (tell, events) = channel();
        let tapes = Heard::default();
        let role = PhoneRole::new(config, endpoint, address(host), Box::new(media), tell, tapes, self.now.instant);
        self.seats.push(Seat { address: address(host), role, events, commands, stopped: false });
        self.input(self.seats.len() - 1, Input::Timeout);
        self.seats.len() - 1
    }

    fn input(&mut self, seat: usize, input: Input<Own>) {
        self.seats[seat].role.input(input, self.now);
        self.settle();
    }

    fn command(&mut self, seat: usize, command: Command) {
        self.input(seat, Input::Own(Own::Command(command)));
    }

    /// Carries messages until nobody has any more to send.
    fn settle(&mut self) {
        for _ in 0..1000 {
            let Some((from, action)) =
                self.seats.iter_mut().enumerate().find_map(|(i, s)| Some((i, s.role.poll_action()?)))
            else {
                return;
            };
            match action {
                Action::Transmit(transmit) => self.carry(from, transmit),
                Action::Stop => self.seats[from].stopped = true,
                other => panic!("a phone on literal addresses wants {other:?}"),
            }
        }
        panic!("the phones never stop talking");
    }

    fn carry(&mut self, from: usize, transmit: Transmit) {
        let to = match &transmit.to {
            Destination::Flow(flow) => flow.remote,
            Destination::Address { remote, .. } => *remote,
        };
        let message = parse_datagram(transmit.bytes);
        if to == self.registrar.address {
            if let Ok(Message::Request(request)) = message {
                let answer = self.registrar.answer(&request, self.now.instant);
                let subscribed = request.method == Method::Subscribe && answer.is_success();
                self.deliver(from, to, Ok(Message::Response(answer)));
                if subscribed {
                    self.deliver(from, to, Ok(Message::Request(first_notify(&request))));
                }
            }
            return;
        }
        let source = self.seats[from].address;
        // Nobody else there: the network swallows it.
        if let Some(seat) = self.seats.iter().position(|seat| seat.address == to) {
            self.deliver(seat, source, message);
        }
    }

    fn deliver(&mut self, seat: usize, remote: SocketAddr, message: Result<Message, sip::Malformed>) {
        let local = self.seats[seat].address;
        let flow = Flow { transport: Transport::Udp, listener: ListenerId(0), local, remote, connection: None };
        self.seats[seat]
            .role
            .input(Input::Sip(SipInput::Received { message, wire: Default::default(), flow }), self.now);
    }

    /// Lets time pass, waking whoever asked to be woken.
    fn pass(&mut self, duration: Duration) {
        let end = self.now.instant + duration;
        loop {
            let next = self.seats.iter().filter(|s| !s.stopped).filter_map(|seat| seat.role.deadline()).min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            // A deadline in the past must not stop the clock.
            let step = next.saturating_duration_since(self.now.instant).max(Duration::from_millis(1));
            self.now = self.now.later(step);
            for seat in 0..self.seats.len() {
                if !self.seats[seat].stopped {
                    self.input(seat, Input::Timeout);
                }
            }
        }
        self.now = self.now.later(end.saturating_duration_since(self.now.instant));
    }
}

/// The NOTIFY that follows an accepted SUBSCRIBE at once (RFC 6665 4.2.1.2).
fn first_notify(subscribe: &Request) -> Request {
    let mut notify = Request::new(Method::Notify, "sip:27000@127.0.222.0:5060".parse().unwrap());
    let (from, to) = (subscribe.from().unwrap().0, subscribe.to().unwrap().0);
    notify.headers.push(Name::Via, "SIP/2.0/UDP 127.0.222.10:5060;branch=z9hG4bKnotify");
    notify.headers.push(Name::From, to.with_tag("registrar").to_string());
    notify.headers.push(Name::To, from.to_string());
    notify.headers.push(Name::CallId, subscribe.call_id().unwrap());
    notify.headers.push(Name::CSeq, "1 NOTIFY");
    notify.headers.push(Name::Contact, "<sip:127.0.222.10>");
    notify.headers.push(Name::Event, message_summary::EVENT);
    notify.headers.push(Name::SubscriptionState, "active;expires=3600");
    let summary = MessageSummary::voice(None, message_summary::Counts { new: 3, old: 4, urgent: None });
    notify.set_body(message_summary::CONTENT_TYPE, summary.to_bytes());
    notify
}

fn plain(_: &mut PhoneConfig) {}

/// Calls a number that answers at once.
fn connect(net: &mut Net, caller: usize, number: &str) {
    net.command(caller, Command::Call(number.into()));
    net.pass(Duration::from_millis(10));
    assert!(net.seats[caller].events().contains(&answered(number)));
}

fn called_by(number: &str) -> PhoneEvent {
    PhoneEvent::Incoming { from: number.into(), number: number.into(), diverted_from: None }
}

fn answered(number: &str) -> PhoneEvent {
    PhoneEvent::Answered { with: number.into() }
}

#[test]
fn a_phone_registers_with_the_password_refreshes_and_unregisters() {
    let mut net = Net::new();
    let phone = net.phone(0, REGISTRAR, |config| config.register = true);
    assert_eq!(net.seats[phone].events(), [PhoneEvent::Registered { expires_s: 300 }]);
    assert_eq!((net.registrar.challenged, &net.registrar.accepted[..]), (1, &[300][..]));
    net.pass(Duration::from_secs(3600));
    let refreshes = net.registrar.accepted.len();
    assert!((14..=16).contains(&refreshes), "{refreshes} registrations in an hour of 240 s each");
    net.command(phone, Command::Quit);
    assert_eq!(net.registrar.accepted.last(), Some(&0));
    assert!(net.seats[phone].stopped);
}

#[test]
fn a_wrong_password_is_told_and_tried_again_later() {
    let mut net = Net::new();
    let phone = net.phone(0, REGISTRAR, |config| {
        config.register = true;
        config.password = "moon-27001".into();
    });
    let events = net.seats[phone].events();
    assert!(matches!(&events[..], [PhoneEvent::RegistrationFailed { reason }] if reason.contains("401")), "{events:?}");
    net.pass(Duration::from_secs(35));
    assert_eq!(net.seats[phone].events().len(), 3);
}

#[test]
fn a_call_rings_for_its_time_is_answered_and_ends() {
    let mut net = Net::new();
    let called = net.phone(0, REGISTRAR, |config| config.behaviour = Behaviour::AnswerAfter(Duration::from_secs(5)));
    let caller = net.phone(1, 0, plain);
    net.command(caller, Command::Call("27000".into()));
    assert_eq!(net.seats[called].events(), [called_by("27001")]);
    assert_eq!(net.seats[caller].events(), [PhoneEvent::Progress { status: 180 }]);
    net.pass(Duration::from_millis(4900));
    assert_eq!(net.seats[caller].events(), []);
    net.pass(Duration::from_millis(200));
    assert_eq!(net.seats[caller].events(), [answered("27000")]);
    assert_eq!(net.seats[called].events(), [answered("27001")]);
    net.command(called, Command::HangUp);
    assert_eq!(net.seats[called].events(), [PhoneEvent::Ended { by_us: true }]);
    assert_eq!(net.seats[caller].events(), [PhoneEvent::Ended { by_us: false }]);
    for seat in [caller, called] {
        let commands = net.seats[seat].commands.lock().unwrap();
        assert!(matches!(commands.last(), Some(MediaCommand::Close { .. })));
    }
}

#[test]
fn a_call_ends_after_its_duration() {
    let mut net = Net::new();
    net.phone(0, REGISTRAR, plain);
    let caller = net.phone(1, 0, |config| config.plan.duration = Some(Duration::from_secs(30)));
    connect(&mut net, caller, "27000");
    net.pass(Duration::from_secs(29));
    assert_eq!(net.seats[caller].events(), []);
    net.pass(Duration::from_secs(2));
    assert_eq!(net.seats[caller].events(), [PhoneEvent::Ended { by_us: true }]);
}

#[test]
fn a_plan_plays_once_the_far_end_is_quiet_and_hangs_up_then() {
    let mut net = Net::new();
    net.phone(0, REGISTRAR, plain);
    let caller = net.phone(1, 0, |config| {
        config.plan = Plan {
            keys: Some("12".into()),
            play: Some(Arc::new(media::Clip::from_samples(vec![0; 800]))),
            duration: None,
        };
    });
    connect(&mut net, caller, "27000");
    let commands = net.seats[caller].commands.clone();
    let count = |wanted: fn(&MediaCommand) -> bool| commands.lock().unwrap().iter().filter(|c| wanted(c)).count();
    assert_eq!(count(|c| matches!(c, MediaCommand::SendKeys { keys, .. } if keys == "12")), 1);
    assert_eq!(count(|c| matches!(c, MediaCommand::Play { .. })), 0);
    let session = SessionId(1);
    net.input(
        caller,
        Input::Own(Own::Media(MediaEvent::RecordEnded {
            session,
            recording: RecordingId(1),
            reason: RecordEnd::Idle,
            duration: Duration::ZERO,
            loud: Duration::ZERO,
        })),
    );
    assert_eq!(count(|c| matches!(c, MediaCommand::Play { .. })), 1);
    let reason = media::PlayEnd::Finished;
    let ended = MediaEvent::PlayEnded { session, play: media::PlayId(1), played: Duration::ZERO, reason };
    net.input(caller, Input::Own(Own::Media(ended)));
    net.pass(Duration::from_secs(1));
    let events = net.seats[caller].events();
    assert_eq!(events[events.len() - 2..], [PhoneEvent::Played, PhoneEvent::Ended { by_us: true }]);
}

#[test]
fn busy_phones_refuse() {
    let mut net = Net::new();
    net.phone(0, REGISTRAR, |config| config.behaviour = Behaviour::Busy);
    let caller = net.phone(1, 0, plain);
    net.command(caller, Command::Call("27000".into()));
    let events = net.seats[caller].events();
    assert!(matches!(&events[..], [PhoneEvent::Failed { status: 486, .. }]), "{events:?}");
}

#[test]
fn a_caller_gives_up_and_the_ringing_stops() {
    let mut net = Net::new();
    let called = net.phone(0, REGISTRAR, |config| config.behaviour = Behaviour::Ring);
    let caller = net.phone(1, 0, plain);
    net.command(caller, Command::Call("27000".into()));
    net.command(caller, Command::HangUp);
    assert_eq!(net.seats[called].events().last(), Some(&PhoneEvent::Ended { by_us: false }));
    assert_eq!(net.seats[caller].events().last(), Some(&PhoneEvent::Ended { by_us: true }));
}

#[test]
fn hold_and_resume_reach_the_far_end() {
    let mut net = Net::new();
    let called = net.phone(0, REGISTRAR, plain);
    let caller = net.phone(1, 0, plain);
    connect(&mut net, caller, "27000");
    net.seats[called].events();
    net.command(caller, Command::Hold(true));
    net.command(caller, Command::Hold(false));
    assert_eq!(net.seats[called].events(), [PhoneEvent::Held { held: true }, PhoneEvent::Held { held: false }]);
}

#[test]
fn a_transferred_phone_calls_and_tells_how_it_went() {
    let mut net = Net::new();
    let target = net.phone(0, REGISTRAR, plain);
    let transferee = net.phone(2, 0, plain);
    let referrer = net.phone(1, 2, plain);
    connect(&mut net, referrer, "27002");
    net.seats[transferee].events();
    net.command(referrer, Command::Transfer("27000".into()));
    net.pass(Duration::from_millis(10));
    let events = net.seats[transferee].events();
    assert_eq!(events.first(), Some(&PhoneEvent::Referred { to: "27000".into() }));
    assert_eq!(events.last(), Some(&answered("27000")));
    assert_eq!(
        net.seats[referrer].events(),
        [
            PhoneEvent::Transfer { status: 100 },
            PhoneEvent::Transfer { status: 200 },
            PhoneEvent::Ended { by_us: false }
        ]
    );
    net.command(target, Command::HangUp);
    assert_eq!(net.seats[transferee].events(), [PhoneEvent::Ended { by_us: false }]);
}

#[test]
fn a_transfer_that_fails_gives_the_first_call_back() {
    let mut net = Net::new();
    net.phone(0, REGISTRAR, |config| config.behaviour = Behaviour::Busy);
    let transferee = net.phone(2, 0, plain);
    let referrer = net.phone(1, 2, plain);
    connect(&mut net, referrer, "27002");
    net.command(referrer, Command::Transfer("27000".into()));
    assert_eq!(net.seats[referrer].events().last(), Some(&PhoneEvent::Transfer { status: 486 }));
    assert_eq!(net.seats[transferee].events().last(), Some(&PhoneEvent::Transfer { status: 486 }));
    net.command(transferee, Command::HangUp);
    assert_eq!(net.seats[referrer].events(), [PhoneEvent::Ended { by_us: false }]);
}

#[test]
fn a_trunks_far_end_calls_with_diversion_and_is_sent_on() {
    let mut net = Net::new();
    let called = net.phone(0, REGISTRAR, |config| config.behaviour = Behaviour::Ring);
    let trunk = net.phone(1, REGISTRAR, plain);
    let mut headers = Headers::new();
    headers.push(Name::Diversion, "<sip:27010@127.0.222.10>;reason=no-answer");
    net.command(trunk, Command::CallAt("sip:27000@127.0.222.0:5060".parse().unwrap(), headers));
    let events = net.seats[called].events();
    assert_eq!(events[0].to_string(), "called by 27001 for 27010");
    net.command(called, Command::Redirect("<sip:27000@127.0.222.0:5065>".into()));
    let lines: Vec<String> = net.seats[trunk].events().iter().map(ToString::to_string).collect();
    let wanted = ["it rings", "sent on by 302 to <sip:27000@127.0.222.0:5065>", "not connected: 302 Moved Temporarily"];
    assert_eq!(lines, wanted);
}

#[test]
fn what_is_played_on_command_does_not_end_the_call() {
    let mut net = Net::new();
    net.phone(0, REGISTRAR, plain);
    let caller = net.phone(1, 0, plain);
    connect(&mut net, caller, "27000");
    net.command(caller, Command::Play(Arc::new(media::Clip::from_samples(vec![0; 800]))));
    let (session, played, reason) = (SessionId(1), Duration::ZERO, media::PlayEnd::Finished);
    let ended = MediaEvent::PlayEnded { session, play: media::PlayId(2), played, reason };
    net.input(caller, Input::Own(Own::Media(ended)));
    net.pass(Duration::from_secs(1));
    assert_eq!(net.seats[caller].events(), [PhoneEvent::Played]);
}

#[test]
fn an_unsolicited_notification_lights_the_lamp() {
    let mut net = Net::new();
    let phone = net.phone(0, REGISTRAR, plain);
    let notify = "NOTIFY sip:27000@127.0.222.0:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.222.10:5060;branch=z9hG4bK1\r\n\
        From: <sip:27000@moon.galaxy>;tag=1\r\nTo: <sip:27000@moon.galaxy>\r\nCall-ID: n1\r\nCSeq: 1 NOTIFY\r\n\
        Contact: <sip:127.0.222.10>\r\nEvent: message-summary\r\nSubscription-State: terminated\r\n\
        Content-Type: application/simple-message-summary\r\n\r\nMessages-Waiting: yes\r\nVoice-Message: 2/1 (0/0)\r\n";
    net.deliver(phone, address(REGISTRAR), parse_datagram(notify.into()));
    net.settle();
    let lines: Vec<String> = net.seats[phone].events().iter().map(ToString::to_string).collect();
    assert_eq!(lines, ["lamp on: 2 new, 1 saved"]);
}

#[test]
fn a_subscription_lights_the_lamp_behind_its_password() {
    let mut net = Net::new();
    let phone = net.phone(0, REGISTRAR, |config| config.subscribe = true);
    let lines: Vec<String> = net.seats[phone].events().iter().map(ToString::to_string).collect();
    assert_eq!(lines, ["lamp on: 3 new, 4 saved"]);
    assert_eq!(net.registrar.challenged, 1);
}

#[test]
fn an_offer_that_cannot_be_taken_is_refused_with_a_reason() {
    let mut net = Net::new();
    let phone = net.phone(0, REGISTRAR, plain);
    let sdp =
        "v=0\r\no=- 1 1 IN IP4 127.0.222.10\r\ns=-\r\nc=IN IP4 127.0.222.10\r\nt=0 0\r\nm=audio 4000 RTP/AVP 18\r\n";
    let invite = format!(
        "INVITE sip:27000@127.0.222.0:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.222.10:5060;branch=z9hG4bK2\r\n\
        From: <sip:x@moon.galaxy>;tag=1\r\nTo: <sip:27000@moon.galaxy>\r\nCall-ID: i1\r\nCSeq: 1 INVITE\r\n\
        Contact: <sip:127.0.222.10>\r\nContent-Type: application/sdp\r\n\r\n{sdp}"
    );
    net.deliver(phone, address(REGISTRAR), parse_datagram(invite.into()));
    let mut answers = Vec::new();
    while let Some(action) = net.seats[phone].role.poll_action() {
        if let Action::Transmit(transmit) = action
            && let Ok(Message::Response(response)) = parse_datagram(transmit.bytes)
        {
            answers.push((response.status, response.headers.has(&Name::Warning)));
        }
    }
    assert_eq!(answers.last(), Some(&(488, true)));
    assert_eq!(net.seats[phone].events(), []);
}
