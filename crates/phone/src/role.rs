//! The phone as a role: what happens to it, and what it does about it.

#[cfg(test)]
mod tests;
mod transferee;

use crate::config::{Behaviour, PhoneConfig};
use crate::conversation::{Conversation, PLAN};
use crate::event::PhoneEvent;
use crate::heard::Heard;
use crate::registration::{Outcome, Registration};
use event::Now;
use media::{Clip, Control, MediaEvent, PlayEnd, RecordEnd};
use net::{Action, Input, Role, SipInput};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sdp::{OwnKeys, Security, Suite};
use sip::diversion::Diversion;
use sip::endpoint::{
    CallEvent, CallRef, ClientRef, Endpoint, Event, Login, NextHop, OutgoingCall, OutgoingRequest, Output, ServerRef,
    SubscriptionEvent,
};
use sip::message_summary::{self, MessageSummary};
use sip::{Headers, ListenerId, Method, Name, NameAddr, Request, Response, Uri};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

/// How long the phone waits, at its end, for BYE and unregistration to be answered.
const FAREWELL: Duration = Duration::from_millis(800);

pub(crate) enum Command {
    Call(String),
    /// To a URI as it stands, not by way of the PBX, with further headers.
    CallAt(Uri, Headers),
    Answer,
    Reject(u16),
    /// Refuses with 302 and this Contact.
    Redirect(String),
    HangUp,
    Keys(String),
    Play(Arc<Clip>),
    Hold(bool),
    Transfer(String),
    Quit,
}

pub(crate) enum Own {
    Media(MediaEvent),
    Command(Command),
}

pub(crate) struct PhoneRole {
    config: PhoneConfig,
    endpoint: Endpoint,
    media: Box<dyn Control + Send>,
    events: Sender<PhoneEvent>,
    contact: String,
    registration: Option<Registration>,
    registering: Option<ClientRef>,
    /// When it subscribes to its lamp: at once, as soon as it runs.
    subscribe_at: Option<Instant>,
    conversation: Option<Conversation>,
    /// The call whose far end transfers us, until the new one is up.
    aside: Option<Conversation>,
    /// When an incoming call that rings is answered.
    answer_at: Option<Instant>,
    quitting: Option<Instant>,
    actions: VecDeque<Action>,
    /// What was heard in all calls, in order.
    heard: Heard,
    number: u64,
    /// Draws the keys of SRTP.
    keys: StdRng,
}

impl PhoneRole {
    pub fn new(
        config: PhoneConfig,
        endpoint: Endpoint,
        local: SocketAddr,
        media: Box<dyn Control + Send>,
        events: Sender<PhoneEvent>,
        heard: Heard,
        now: Instant,
    ) -> PhoneRole {
        let contact = format!("sip:{}@{local};transport={}", config.user, config.transport.parameter());
        let name = u64::from_le_bytes(first_eight(&config.seed));
        let registration = config.register.then(|| Registration::new(format!("{name:016x}@{}", local.ip()), now));
        PhoneRole {
            endpoint,
            media,
            events,
            contact,
            registration,
            registering: None,
            subscribe_at: config.subscribe.then_some(now),
            conversation: None,
            aside: None,
            answer_at: None,
            quitting: None,
            actions: VecDeque::new(),
            heard,
            number: name >> 16,
            // Another series than the endpoint's, which has the seed itself.
            keys: StdRng::from_seed(config.seed.map(|byte| byte ^ 0xa5)),
            config,
        }
    }

    fn tell(&self, event: PhoneEvent) {
        // Nobody listening any more is no fault: the phone goes on until told to quit.
        let _ = self.events.send(event);
    }

    fn server(&self) -> Uri {
        Uri::sip_host(self.config.server.ip().into())
            .with_port(self.config.server.port())
            .with_transport(self.config.transport)
    }

    fn address(&self, user: &str) -> NameAddr {
        NameAddr::new(Uri::sip(user, self.config.server.ip().into()))
    }

    fn login(&self) -> Option<Login> {
        Some(Login::new(self.config.user.clone(), self.config.password.clone()))
    }

    fn request(&self, method: Method) -> OutgoingRequest {
        let me = self.address(&self.config.user);
        let mut request = OutgoingRequest::new(method, me.clone(), me, ListenerId(0));
        request.next_hop = Some(NextHop::Uri(self.server()));
        request.login = self.login();
        request
    }

    // ---- registration and lamp ----

    fn register(&mut self, now: Instant) {
        let Some(registration) = &mut self.registration else { return };
        let Some(headers) = registration.next(&self.contact, now) else { return };
        self.send_register(headers, now);
    }

    fn send_register(&mut self, headers: Headers, now: Instant) {
        let mut request = self.request(Method::Register);
        request.request_uri = Uri::sip_host(self.config.server.ip().into());
        request.headers = headers;
        if let Some(registration) = &self.registration {
            request.call_id = Some(registration.call_id.clone().into());
            request.cseq = Some(registration.cseq);
        }
        self.registering = self.endpoint.request(request, now).ok();
    }

    fn subscribe(&mut self, now: Instant) {
        if self.subscribe_at.take().is_none() {
            return;
        }
        let mut request = self.request(Method::Subscribe);
        request.headers.push(Name::Event, message_summary::EVENT);
        request.headers.push(Name::Accept, message_summary::CONTENT_TYPE);
        // A refusal comes as an event; here nothing can fail but a cap that one phone does not reach.
        let _ = self.endpoint.subscribe(request, Duration::from_secs(3600), now);
    }

    fn notified(&self, request: &Request, subscribed: bool) {
        if let Ok(summary) = MessageSummary::parse(&request.body) {
            self.tell(PhoneEvent::Lamp { summary, subscribed });
        }
    }

    // ---- calls ----

    fn call(&mut self, number: &str, now: Instant) {
        if self.conversation.is_some() {
            return self.tell(PhoneEvent::busy());
        }
        self.call_address(self.address(number), Headers::new(), now);
    }

    /// By way of the PBX.
    fn call_address(&mut self, to: NameAddr, headers: Headers, now: Instant) {
        self.place(to, headers, Some(NextHop::Uri(self.server())), now);
    }

    /// Fresh keys for a call, if media is SRTP.
    fn security(&mut self) -> Security {
        if !self.config.srtp {
            return Security::Clear;
        }
        Security::Required(OwnKeys::draw(&Suite::ALL, |bytes| self.keys.fill_bytes(bytes)))
    }

    fn place(&mut self, to: NameAddr, headers: Headers, next_hop: Option<NextHop>, now: Instant) {
        let (session, rtp) = match self.media.open() {
            Ok(opened) => opened,
            Err(error) => return self.failed(503, error.to_string(), now),
        };
        self.number += 1;
        let security = self.security();
        let far_end = to.uri.number().unwrap_or_else(|| to.uri.to_string());
        let mut conversation =
            Conversation::new(CallRef(0), true, far_end, session, rtp, (self.number, security), self.heard.clone());
        let me = self.address(&self.config.user);
        let mut call = OutgoingCall::new(me, to, Some(conversation.description()), ListenerId(0));
        call.headers = headers;
        call.next_hop = next_hop;
        call.login = self.login();
        match self.endpoint.invite(call, now) {
            Ok(reference) => {
                conversation.call = reference;
                self.conversation = Some(conversation);
            }
            Err(error) => {
                conversation.close(&mut *self.media);
                self.failed(500, error.to_string(), now);
            }
        }
    }

    /// A call of ours came to nothing. One that somebody transferred us to gives the first call back.
    fn failed(&mut self, status: u16, reason: String, now: Instant) {
        if !self.transfer_failed(status, now) {
            self.over(PhoneEvent::Failed { status, reason });
        }
    }

    fn incoming(&mut self, call: CallRef, request: &Request, now: Instant) {
        if self.conversation.is_some() || self.config.behaviour == Behaviour::Busy {
            return self.ignore_race(|endpoint| endpoint.reject(call, 486, &Headers::new(), now));
        }
        let caller = request.from().map(|from| from.0);
        let number = caller.as_ref().and_then(|caller| caller.uri.number()).unwrap_or_default();
        let named = caller.and_then(|caller| caller.display).map(|name| name.to_string());
        let from = named.unwrap_or_else(|| if number.is_empty() { "somebody".into() } else { number.clone() });
        let diverted_from = Diversion::all(&request.headers).first().and_then(Diversion::number);
        let (session, rtp) = match self.media.open() {
            Ok(opened) => opened,
            Err(_) => return self.ignore_race(|endpoint| endpoint.reject(call, 503, &Headers::new(), now)),
        };
        self.number += 1;
        let security = self.security();
        let mut conversation =
            Conversation::new(call, false, from.clone(), session, rtp, (self.number, security), self.heard.clone());
        if !request.body.is_empty()
            && let Err(refusal) = conversation.take_offer(&request.body, &mut *self.media)
        {
            conversation.close(&mut *self.media);
            let warning = refusal.warning(&self.config.user);
            return self.ignore_race(|endpoint| endpoint.reject(call, 488, &warning, now));
        }
        self.conversation = Some(conversation);
        self.ignore_race(|endpoint| endpoint.progress(call, 180, &Headers::new(), None, now));
        if let Behaviour::AnswerAfter(ring) = self.config.behaviour {
            self.answer_at = Some(now + ring);
        }
        self.tell(PhoneEvent::Incoming { from, number, diverted_from });
    }

    fn answer(&mut self, now: Instant) {
        self.answer_at = None;
        let Some(conversation) = &mut self.conversation else { return };
        if conversation.outgoing || conversation.answered {
            return;
        }
        conversation.answered = true;
        let (call, description, with) = (conversation.call, conversation.description(), conversation.far_end.clone());
        self.ignore_race(|endpoint| endpoint.accept(call, &Headers::new(), Some(description), now));
        self.tell(PhoneEvent::Answered { with });
        self.start(now);
    }

    fn reject(&mut self, status: u16, headers: &Headers, now: Instant) {
        let ringing = self.conversation.as_ref().filter(|call| !call.outgoing && !call.answered);
        if let Some(call) = ringing.map(|call| call.call) {
            self.ignore_race(|endpoint| endpoint.reject(call, status, headers, now));
            self.over(PhoneEvent::Ended { by_us: true });
        }
    }

    fn start(&mut self, now: Instant) {
        if let Some(conversation) = &mut self.conversation {
            conversation.start(&self.config.plan, &mut *self.media, now);
        }
    }

    fn hang_up(&mut self, now: Instant) {
        let Some(conversation) = &self.conversation else { return };
        let call = conversation.call;
        if !conversation.outgoing && !conversation.answered {
            self.ignore_race(|endpoint| endpoint.reject(call, 603, &Headers::new(), now));
        } else {
            self.ignore_race(|endpoint| endpoint.hangup(call, &Headers::new(), now));
        }
        if let Some(aside) = self.aside.take() {
            self.ignore_race(|endpoint| endpoint.hangup(aside.call, &Headers::new(), now));
            self.put_away(aside);
        }
        self.over(PhoneEvent::Ended { by_us: true });
    }

    /// The conversation is over for the user, whatever SIP still says.
    fn over(&mut self, event: PhoneEvent) {
        let over = self.conversation.take();
        let told = over.is_some() || matches!(event, PhoneEvent::Failed { .. });
        if let Some(conversation) = over {
            self.put_away(conversation);
            self.answer_at = None;
        }
        if told {
            self.tell(event);
        }
    }

    fn call_event(&mut self, call: CallRef, event: CallEvent, now: Instant) {
        let Some(conversation) = self.conversation.as_mut().filter(|conversation| conversation.call == call) else {
            match event {
                CallEvent::Ended { .. } if self.is_aside(call) => self.aside_ended(),
                // The rest of a call that this phone hung up, or that waits for a transfer: its requests want an answer.
                CallEvent::Request { transaction, request } => self.respond(transaction, &request, 481, now),
                _ => {}
            }
            return;
        };
        match event {
            CallEvent::Provisional { response, .. } => {
                if !response.body.is_empty() {
                    // Early media that cannot be taken is not heard; the answer counts.
                    let _ = conversation.take_answer(&response.body, &mut *self.media);
                }
                self.tell(PhoneEvent::Progress { status: response.status });
            }
            CallEvent::Answered { response, .. } => {
                conversation.answered = true;
                let with = conversation.far_end.clone();
                let taken =
                    response.body.is_empty() || conversation.take_answer(&response.body, &mut *self.media).is_ok();
                if !taken {
                    self.ignore_race(|endpoint| endpoint.hangup(call, &Headers::new(), now));
                    return self.failed(488, "the answer's media can't be used".into(), now);
                }
                self.tell(PhoneEvent::Answered { with });
                self.transfer_succeeded(now);
                self.start(now);
            }
            CallEvent::Rejected { response, .. } => {
                if (300..400).contains(&response.status) {
                    let contact = response.headers.get(&Name::Contact).map(ToString::to_string).unwrap_or_default();
                    self.tell(PhoneEvent::Redirected { status: response.status, contact });
                }
                self.failed(response.status, response.reason.to_string(), now);
            }
            CallEvent::Acknowledged { body } => {
                if !body.is_empty() {
                    let _ = conversation.take_answer(&body, &mut *self.media);
                }
                self.offer_hold(now);
            }
            CallEvent::Cancelled { .. } | CallEvent::Ended { .. } => {
                // The call that a transfer wanted was lost on its way: the first one goes on.
                if !self.transfer_failed(487, now) {
                    self.over(PhoneEvent::Ended { by_us: false });
                }
            }
            CallEvent::Offer { request } => {
                let none = Headers::new();
                let (status, headers, body, held) = if request.body.is_empty() {
                    (200, none, Some(conversation.description()), None)
                } else {
                    match conversation.take_offer(&request.body, &mut *self.media) {
                        Ok(held) => (200, none, Some(conversation.description()), Some(held)),
                        Err(refusal) => (488, refusal.warning(&self.config.user), None, None),
                    }
                };
                self.ignore_race(|endpoint| endpoint.answer_offer(call, status, &headers, body, now));
                if let Some(held) = held {
                    self.tell(PhoneEvent::Held { held });
                }
            }
            CallEvent::Answer { response } => {
                if response.is_success() && !response.body.is_empty() {
                    let _ = conversation.take_answer(&response.body, &mut *self.media);
                }
                self.offer_hold(now);
            }
            CallEvent::Request { transaction, request } => self.request_in_call(transaction, &request, now),
            CallEvent::Response { .. }
            | CallEvent::Failed { .. }
            | CallEvent::ProvisionalAcknowledged { .. }
            | CallEvent::OfferWithdrawn => {}
        }
    }

    /// Offers the hold or resume that is wanted. While another offer is under way it can't be; it is tried again after that.
    fn offer_hold(&mut self, now: Instant) {
        let Some(conversation) = &mut self.conversation else { return };
        let Some(held) = conversation.wanted_hold else { return };
        let (call, body) = (conversation.call, conversation.hold(held));
        if self.endpoint.offer(call, &Headers::new(), Some(body), now).is_ok() {
            conversation.wanted_hold = None;
        }
    }

    fn request_in_call(&mut self, transaction: ServerRef, request: &Request, now: Instant) {
        let status = match request.method {
            Method::Refer => return self.referred(transaction, request, now),
            Method::Notify => {
                if let Some(status) = sip::sipfrag::status(&request.body) {
                    self.tell(PhoneEvent::Transfer { status });
                }
                200
            }
            Method::Info | Method::Options | Method::Message => 200,
            _ => 405,
        };
        self.respond(transaction, request, status, now);
    }

    fn transfer(&mut self, number: &str, now: Instant) {
        let Some(conversation) = &self.conversation else { return };
        let call = conversation.call;
        let mut headers = Headers::new();
        headers.push(Name::ReferTo, self.address(number).to_string());
        headers.push(Name::ReferredBy, self.address(&self.config.user).to_string());
        self.ignore_race(|endpoint| endpoint.request_in_call(call, Method::Refer, &headers, None, now));
    }

    fn respond(&mut self, transaction: ServerRef, request: &Request, status: u16, now: Instant) {
        let response: Response = request.response(status);
        self.ignore_race(|endpoint| endpoint.respond(transaction, response, now));
    }

    /// A command that the endpoint refuses came too late: the peer ended the call meanwhile, and that comes as an event.
    fn ignore_race<T>(&mut self, command: impl FnOnce(&mut Endpoint) -> Result<T, sip::endpoint::CommandError>) {
        let _ = command(&mut self.endpoint);
    }

    // ---- inputs ----

    fn sip(&mut self, input: SipInput, now: Instant) {
        match input {
            SipInput::Received { message, flow, .. } => self.endpoint.receive(message, flow, now),
            SipInput::TransmitFailed { id, error } => self.endpoint.transmit_failed(id, error, now),
            SipInput::FlowClosed(flow) => self.endpoint.flow_closed(&flow, now),
            SipInput::Resolved { query, answer } => self.endpoint.resolved(query, answer, now),
        }
    }

    fn media_event(&mut self, event: MediaEvent, now: Instant) {
        if let MediaEvent::RecordEnded { session, reason: RecordEnd::Closed, .. } = event {
            return self.heard.complete(session);
        }
        let Some(conversation) = &mut self.conversation else { return };
        match event {
            MediaEvent::RecordEnded { session, reason: RecordEnd::Idle, .. } if session == conversation.session() => {
                conversation.quiet(&self.config.plan, &mut *self.media);
            }
            MediaEvent::PlayEnded { session, play, reason, .. } if session == conversation.session() => {
                if reason == PlayEnd::Finished {
                    self.tell(PhoneEvent::Played);
                }
                // A plan that only plays is done; the last packet is let arrive first.
                if play == PLAN
                    && self.config.plan.duration.is_none()
                    && let Some(conversation) = &mut self.conversation
                {
                    conversation.hang_up_at = Some(now + Duration::from_millis(300));
                }
            }
            MediaEvent::Key { session, digit, .. } if session == conversation.session() => {
                self.tell(PhoneEvent::Key { digit })
            }
            _ => {}
        }
    }

    fn command(&mut self, command: Command, now: Instant) {
        match command {
            Command::Call(number) => self.call(&number, now),
            Command::CallAt(uri, headers) if self.conversation.is_none() => {
                self.place(NameAddr::new(uri), headers, None, now);
            }
            Command::CallAt(..) => self.tell(PhoneEvent::busy()),
            Command::Answer => self.answer(now),
            Command::Reject(status) => self.reject(status, &Headers::new(), now),
            Command::Redirect(contact) => {
                let mut headers = Headers::new();
                headers.push(Name::Contact, contact);
                self.reject(302, &headers, now);
            }
            Command::HangUp => self.hang_up(now),
            Command::Keys(keys) => {
                if let Some(conversation) = &self.conversation {
                    conversation.press(&keys, &mut *self.media);
                }
            }
            Command::Play(clip) => {
                if let Some(conversation) = &self.conversation {
                    conversation.play(clip, &mut *self.media);
                }
            }
            Command::Hold(held) => {
                if let Some(conversation) = self.conversation.as_mut().filter(|conversation| conversation.answered) {
                    conversation.wanted_hold = Some(held);
                    self.offer_hold(now);
                }
            }
            Command::Transfer(number) => self.transfer(&number, now),
            Command::Quit => {
                self.hang_up(now);
                if let Some(headers) = self.registration.as_mut().map(|registration| registration.last(&self.contact)) {
                    self.send_register(headers, now);
                }
                self.quitting = Some(now + FAREWELL);
            }
        }
    }

    fn timeout(&mut self, now: Instant) {
        self.subscribe(now);
        self.endpoint.handle_timeout(now);
        if self.answer_at.is_some_and(|at| at <= now) {
            self.answer(now);
        }
        if self.conversation.as_ref().and_then(|call| call.hang_up_at).is_some_and(|at| at <= now) {
            self.hang_up(now);
        }
        if self.quitting.is_none() {
            self.register(now);
        } else if self.quitting.is_some_and(|at| at <= now) {
            self.actions.push_back(Action::Stop);
        }
    }

    fn drain(&mut self, now: Instant) {
        while let Some(output) = self.endpoint.poll() {
            match output {
                Output::Transmit(transmit) => self.actions.push_back(Action::Transmit(transmit)),
                Output::CloseFlow(flow) => self.actions.push_back(Action::CloseFlow(flow)),
                Output::Distrust(listener, peer) => self.actions.push_back(Action::Distrust(listener, peer)),
                Output::Resolve(query, question) => self.actions.push_back(Action::Resolve { query, question }),
                Output::Event(event) => self.happened(event, now),
            }
        }
    }

    fn happened(&mut self, event: Event, now: Instant) {
        match event {
            Event::Incoming { call, request, .. } => self.incoming(call, &request, now),
            Event::Call { call, event } => self.call_event(call, event, now),
            Event::Request { transaction, request, .. } => {
                let status = if request.method == Method::Notify {
                    self.notified(&request, false);
                    200
                } else {
                    405
                };
                self.respond(transaction, &request, status, now);
            }
            Event::Response { transaction, response }
                if Some(transaction) == self.registering && response.is_final() =>
            {
                self.registering = None;
                if self.quitting.is_some() {
                    return self.actions.push_back(Action::Stop);
                }
                let Some(registration) = &mut self.registration else { return };
                match registration.answered(&self.contact, &response, now) {
                    Outcome::Registered { expires_s } => self.tell(PhoneEvent::Registered { expires_s }),
                    Outcome::Refused { reason } => self.tell(PhoneEvent::RegistrationFailed { reason }),
                }
            }
            Event::Failed { transaction, failure } if Some(transaction) == self.registering => {
                self.registering = None;
                if let Some(registration) = &mut self.registration {
                    registration.failed(now);
                }
                self.tell(PhoneEvent::RegistrationFailed { reason: failure.to_string() });
            }
            Event::Subscription { event: SubscriptionEvent::Notified { request }, .. } => self.notified(&request, true),
            _ => {}
        }
    }
}

fn first_eight(seed: &[u8; 32]) -> [u8; 8] {
    let mut eight = [0; 8];
    eight.copy_from_slice(&seed[..8]);
    eight
}

impl Role for PhoneRole {
    type Own = Own;

    fn input(&mut self, input: Input<Own>, now: Now) {
        let now = now.instant;
        match input {
            Input::Sip(input) => self.sip(input, now),
            Input::Own(Own::Media(event)) => self.media_event(event, now),
            Input::Own(Own::Command(command)) => self.command(command, now),
            Input::Timeout => {}
        }
        self.timeout(now);
        self.drain(now);
        // Nobody left to wait for: a phone without registration and call stops at once.
        if self.quitting.is_some() && self.registering.is_none() && self.endpoint.call_count() == 0 {
            self.actions.push_back(Action::Stop);
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let registration = self.registration.as_ref().filter(|_| self.quitting.is_none()).and_then(Registration::due);
        let hang_up = self.conversation.as_ref().and_then(|conversation| conversation.hang_up_at);
        let others = [hang_up, self.answer_at, self.subscribe_at, self.quitting];
        [self.endpoint.deadline(), registration].into_iter().chain(others).flatten().min()
    }

    fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }
}
