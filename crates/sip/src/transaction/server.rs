//! Requests of others on their way to an answer: the server half of [`Transactions`].

use super::invite_server::{Action as InviteAction, InviteServer, State as InviteState};
use super::key::ServerKey;
use super::layer::{Transactions, number_of, transmit_id};
use super::non_invite_server::{Action as PlainAction, NonInviteServer, State as PlainState};
use super::timers::Actions;
use super::{Output, RespondError, ServerFailure, ServerId};
use crate::flow::{Destination, Flow, Transmit, TransportError};
use crate::{Malformed, Method, Name, Request, Response, Text, Via};
use bytes::Bytes;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

#[derive(Debug)]
enum Machine {
    Invite(InviteServer),
    Plain(NonInviteServer),
}

impl Machine {
    fn deadline(&self) -> Option<Instant> {
        match self {
            Machine::Invite(machine) => machine.deadline(),
            Machine::Plain(machine) => machine.deadline(),
        }
    }

    fn is_over(&self) -> bool {
        match self {
            Machine::Invite(machine) => machine.state() == InviteState::Terminated,
            Machine::Plain(machine) => machine.state() == PlainState::Terminated,
        }
    }

    fn again(&mut self) -> Actions<InviteAction> {
        match self {
            Machine::Invite(machine) => machine.invite_again(),
            Machine::Plain(machine) => as_invite(machine.request_again()),
        }
    }

    fn respond(&mut self, status: u16, now: Instant) -> Actions<InviteAction> {
        match self {
            Machine::Invite(machine) => machine.respond(status, now),
            Machine::Plain(machine) => as_invite(machine.respond(status, now)),
        }
    }

    fn timeout(&mut self, now: Instant) -> Actions<InviteAction> {
        match self {
            Machine::Invite(machine) => machine.timeout(now),
            Machine::Plain(machine) => as_invite(machine.timeout(now)),
        }
    }

    fn transport_failed(&mut self) -> Actions<InviteAction> {
        match self {
            Machine::Invite(machine) => machine.transport_failed(),
            Machine::Plain(machine) => as_invite(machine.transport_failed()),
        }
    }
}

/// The actions of the plain machine are some of those that the INVITE machine has.
fn as_invite(actions: Actions<PlainAction>) -> Actions<InviteAction> {
    match actions.into_iter().next() {
        Some(PlainAction::SendResponse) => Actions::of([InviteAction::SendResponse]),
        Some(PlainAction::SendAgain) => Actions::of([InviteAction::SendAgain]),
        Some(PlainAction::TransportFailed) => Actions::of([InviteAction::TransportFailed]),
        None => Actions::none(),
    }
}

/// One server transaction with what it may have to send again.
#[derive(Debug)]
pub(super) struct Server {
    machine: Machine,
    key: Arc<ServerKey>,
    source: IpAddr,
    /// Whether `source` is counted against the cap.
    counted: bool,
    /// What the request's To had.
    to_tag: Option<Text>,
    local_tag: Text,
    to: Destination,
    /// Where the response goes when the connection is gone (18.2.2).
    fallback: Option<SocketAddr>,
    attempt: u8,
    trying: Option<Bytes>,
    last: Bytes,
}

impl Transactions {
    /// Answers a request. The local tag is put into To when the request had none and the status is above 100. For an INVITE,
    /// call again with a 2xx or a provisional response to repeat it (13.3.1.4, RFC 3262 3).
    pub fn respond(&mut self, transaction: ServerId, mut response: Response, now: Instant) -> Result<(), RespondError> {
        let server = self.servers.get_mut(&transaction.0).ok_or(RespondError::Unknown)?;
        let actions = server.machine.respond(response.status, now);
        if actions == Actions::none() {
            return Err(RespondError::Answered);
        }
        if response.status > 100 && server.to_tag.is_none() {
            response.set_to_tag(&server.local_tag);
        }
        server.last = response.to_bytes();
        server.trying = None;
        self.act(transaction.0, actions, None);
        self.rearm_server(transaction.0);
        Ok(())
    }

    /// As [`Transactions::respond`], and keeps nothing: a copy of the request is a new one, and gets an answer of its own with the
    /// same To tag. RFC 3261 8.2.7 allows it for challenges, so that who has proven nothing takes no memory. Of an INVITE, whose
    /// ACK must be known, and on a connection, where nothing is kept anyway, it is the same as `respond`.
    pub fn respond_statelessly(
        &mut self,
        transaction: ServerId,
        response: Response,
        now: Instant,
    ) -> Result<(), RespondError> {
        let server = self.servers.get_mut(&transaction.0).ok_or(RespondError::Unknown)?;
        if matches!(server.machine, Machine::Plain(_)) {
            // It makes no dialog, so it may be guessed.
            let mut hasher = DefaultHasher::new();
            server.key.hash(&mut hasher);
            server.local_tag = Text::from(format!("{:016x}", hasher.finish()));
        }
        self.respond(transaction, response, now)?;
        if let Some(Machine::Plain(machine)) = self.servers.get_mut(&transaction.0).map(|server| &mut server.machine) {
            machine.forget();
            self.rearm_server(transaction.0);
        }
        Ok(())
    }

    /// The To tag of our responses to this request: of all of them the same.
    pub fn local_tag(&self, transaction: ServerId) -> Option<&Text> {
        self.servers.get(&transaction.0).map(|server| &server.local_tag)
    }

    pub(super) fn receive_request(&mut self, mut request: Request, flow: Flow, now: Instant) {
        // Without a Via there is nobody to answer.
        let Some(via) = request.top_via() else { return };
        let method = match &request.method {
            Method::Ack => Method::Invite,
            other => other.clone(),
        };
        let Some(key) = ServerKey::of(&request, &via, method) else { return };
        let via = stamp(via, &flow);
        request.headers.remove_first_value(&Name::Via);
        request.headers.push_front(Name::Via, via.to_string());

        let found = self.server_keys.get(&key).copied().filter(|number| self.is_same(*number, &key, &request));
        match (found, &request.method) {
            (Some(number), Method::Ack) => self.receive_ack(number, request, flow, now),
            (None, Method::Ack) => self.output(Output::Ack { transaction: None, request, flow }),
            (Some(number), _) => self.receive_again(number, &flow),
            (None, Method::Cancel) => self.receive_cancel(key, request, &via, flow, now),
            (None, _) => self.receive_new(key, request, &via, flow, now),
        }
    }

    /// 17.2.3 for peers of RFC 2543: the To tags must agree, too. That of an ACK is the one which our response gave.
    fn is_same(&self, number: u64, key: &ServerKey, request: &Request) -> bool {
        let Some(server) = self.servers.get(&number) else { return false };
        if !key.is_old() {
            return true;
        }
        let tag = request.to_tag();
        match request.method {
            Method::Ack => tag.as_ref() == Some(server.to_tag.as_ref().unwrap_or(&server.local_tag)),
            _ => tag == server.to_tag,
        }
    }

    fn receive_new(&mut self, key: ServerKey, request: Request, via: &Via, flow: Flow, now: Instant) {
        let to_tag = request.to_tag();
        if !self.has_room(flow.remote.ip(), to_tag.is_some()) {
            return self.refuse(&request, via, &flow);
        }
        let reliable = flow.transport.is_reliable();
        let timers = self.config.timers;
        let (machine, actions) = if request.method == Method::Invite {
            let (machine, actions) = InviteServer::start(timers, reliable, self.config.trying, now);
            (Machine::Invite(machine), actions)
        } else {
            (Machine::Plain(NonInviteServer::start(timers, reliable)), Actions::none())
        };
        let trying = (request.method == Method::Invite).then(|| request.response(100).to_bytes());
        let (number, local_tag) = self.insert(key, machine, to_tag, via, &flow, trying);
        self.act(number, actions, None);
        self.rearm_server(number);
        self.output(Output::Request { transaction: ServerId(number), request, flow, local_tag });
    }

    fn insert(
        &mut self,
        key: ServerKey,
        machine: Machine,
        to_tag: Option<Text>,
        via: &Via,
        flow: &Flow,
        trying: Option<Bytes>,
    ) -> (u64, Text) {
        let number = self.new_number();
        let local_tag = to_tag.as_deref().map(Text::from).unwrap_or_else(|| self.new_tag());
        let source = flow.remote.ip();
        let counted = !self.exempt.contains(&source);
        if counted {
            *self.per_source.entry(source).or_default() += 1;
        }
        let (to, fallback) = way_back(via, flow);
        let key = Arc::new(key);
        let server = Server {
            machine,
            key: key.clone(),
            source,
            counted,
            // A copy: it must not keep the whole request in memory for as long as its answer.
            to_tag: to_tag.as_deref().map(Text::from),
            local_tag: local_tag.clone(),
            to,
            fallback,
            attempt: 0,
            trying,
            last: Bytes::new(),
        };
        self.servers.insert(number, Box::new(server));
        self.server_keys.insert(key, number);
        (number, local_tag)
    }

    fn has_room(&self, source: IpAddr, within_dialog: bool) -> bool {
        let limits = &self.config.limits;
        let exempt = self.exempt.contains(&source);
        // Strangers who fill the table must not keep out calls in progress, nor the gateways.
        let reserve = if within_dialog || exempt { limits.total / 4 } else { 0 };
        let of_source = self.per_source.get(&source).copied().unwrap_or(0);
        self.servers.len() < limits.total.saturating_add(reserve) && (of_source < limits.per_source || exempt)
    }

    /// 503 at the door, without a trace: a copy of the request is refused anew.
    fn refuse(&mut self, request: &Request, via: &Via, flow: &Flow) {
        let mut response = request.response(503);
        let tag = self.new_tag();
        response.set_to_tag(&tag);
        response.headers.push(Name::RetryAfter, self.config.limits.retry_after.to_string());
        self.output(Output::Transmit(Transmit {
            id: transmit_id(0, 0),
            to: way_back(via, flow).0,
            bytes: response.to_bytes(),
        }));
    }

    fn receive_again(&mut self, number: u64, flow: &Flow) {
        let Some(server) = self.servers.get_mut(&number) else { return };
        if flow.transport.is_reliable() && server.to.transport() == flow.transport {
            // The peer may have lost the connection and come back by another.
            server.to = Destination::Flow(flow.clone());
        }
        let actions = server.machine.again();
        self.act(number, actions, None);
        self.rearm_server(number);
    }

    fn receive_ack(&mut self, number: u64, request: Request, flow: Flow, now: Instant) {
        let Some(server) = self.servers.get_mut(&number) else { return };
        let Machine::Invite(machine) = &mut server.machine else { return };
        let actions = machine.ack(now);
        if actions == Actions::of([InviteAction::DeliverAck]) {
            self.output(Output::Ack { transaction: Some(ServerId(number)), request, flow });
        }
        self.rearm_server(number);
    }

    /// 9.2: the CANCEL is answered here, 200 when its INVITE is known, else 481.
    fn receive_cancel(&mut self, key: ServerKey, request: Request, via: &Via, flow: Flow, now: Instant) {
        let invite_key = key.with_method(Method::Invite);
        let invite = self.server_keys.get(&invite_key).copied();
        let invite = invite.filter(|number| self.is_same(*number, &invite_key, &request));
        if invite.is_none() && !self.has_room(flow.remote.ip(), request.to_tag().is_some()) {
            return self.refuse(&request, via, &flow);
        }
        let machine = Machine::Plain(NonInviteServer::start(self.config.timers, flow.transport.is_reliable()));
        let to_tag = request.to_tag();
        let (number, _) = self.insert(key, machine, to_tag, via, &flow, None);
        let invite = invite.and_then(|number| Some((number, self.servers.get(&number)?)));
        let mut response = request.response(if invite.is_some() { 200 } else { 481 });
        let mut cancelled = None;
        if let Some((invite, server)) = invite {
            // 9.2: the To tag of this answer and of the INVITE's should be the same.
            response.set_to_tag(&server.local_tag);
            // A CANCEL after the final response has no effect.
            let pending = matches!(&server.machine, Machine::Invite(m) if m.state() == InviteState::Proceeding);
            cancelled = pending.then_some(ServerId(invite));
        }
        // It can't fail: the transaction is new.
        let _ = self.respond(ServerId(number), response, now);
        if let Some(transaction) = cancelled {
            self.output(Output::Cancel { transaction, request, flow });
        }
    }

    /// Answers what could not be parsed, if the RFC allows an answer, and keeps nothing.
    pub(super) fn receive_malformed(&mut self, malformed: &Malformed, flow: &Flow) {
        let Some(mut response) = malformed.answer() else { return };
        let to = match response.top_via() {
            Some(via) => {
                let via = stamp(via, flow);
                response.headers.remove_first_value(&Name::Via);
                response.headers.push_front(Name::Via, via.to_string());
                way_back(&via, flow).0
            }
            // RFC 4475 3.1.2.1: 400 all the same; where the message came from is the only place there is.
            None => Destination::Flow(flow.clone()),
        };
        self.output(Output::Transmit(Transmit { id: transmit_id(0, 0), to, bytes: response.to_bytes() }));
    }

    pub(super) fn server_timeout(&mut self, number: u64, now: Instant) {
        let Some(server) = self.servers.get_mut(&number) else { return };
        let actions = server.machine.timeout(now);
        self.act(number, actions, None);
        self.rearm_server(number);
    }

    pub(super) fn server_transmit_failed(&mut self, id: u64, error: TransportError) {
        let (number, attempt) = number_of(id);
        let Some(server) = self.servers.get_mut(&number) else { return };
        if server.attempt != attempt {
            return;
        }
        if let Destination::Flow(flow) = &server.to
            && let Some(remote) = server.fallback.take()
        {
            // 18.2.2: the connection is gone, so the address that the Via names gets a new one.
            server.to = Destination::address(flow.transport, flow.listener, remote);
            server.attempt = server.attempt.saturating_add(1);
            let actions = Actions::of([InviteAction::SendAgain]);
            return self.act(number, actions, None);
        }
        let actions = server.machine.transport_failed();
        self.act(number, actions, Some(error));
        self.rearm_server(number);
    }

    fn act(&mut self, number: u64, actions: Actions<InviteAction>, error: Option<TransportError>) {
        for action in actions {
            let Some(server) = self.servers.get_mut(&number) else { return };
            match action {
                InviteAction::SendTrying | InviteAction::SendResponse | InviteAction::SendAgain => {
                    if action == InviteAction::SendTrying
                        && let Some(trying) = server.trying.take()
                    {
                        server.last = trying;
                    }
                    let id = transmit_id(number, server.attempt);
                    let transmit = Transmit { id, to: server.to.clone(), bytes: server.last.clone() };
                    if action == InviteAction::SendAgain {
                        self.repeated = self.repeated.wrapping_add(1);
                    }
                    self.output(Output::Transmit(transmit));
                }
                InviteAction::NoAck => {
                    self.output(Output::ServerFailed { transaction: ServerId(number), failure: ServerFailure::NoAck })
                }
                InviteAction::TransportFailed => {
                    let failure = ServerFailure::Transport(error.unwrap_or(TransportError::Other));
                    self.output(Output::ServerFailed { transaction: ServerId(number), failure });
                }
                InviteAction::DeliverAck => {}
            }
        }
    }

    fn rearm_server(&mut self, number: u64) {
        let Some(server) = self.servers.get(&number) else { return };
        if !server.machine.is_over() {
            return self.wheel.set(number, server.machine.deadline());
        }
        self.wheel.set(number, None);
        let Some(server) = self.servers.remove(&number) else { return };
        if self.server_keys.get(&server.key) == Some(&number) {
            self.server_keys.remove(&server.key);
        }
        if server.counted
            && let Some(count) = self.per_source.get_mut(&server.source)
        {
            *count -= 1;
            if *count == 0 {
                self.per_source.remove(&server.source);
            }
        }
    }
}

/// Writes into the Via where the request came from (18.2.1, RFC 3581 4).
fn stamp(mut via: Via, flow: &Flow) -> Via {
    let source = flow.remote.ip();
    if via.rport().is_some() {
        via.params.set("rport", flow.remote.port().to_string());
        via.params.set("received", source.to_string());
    } else if via.host.ip() != Some(source) {
        via.params.set("received", source.to_string());
    } else {
        // What a peer claims about itself is not believed.
        via.params.remove("received");
    }
    via
}

/// Where responses go (18.2.2), and where when that connection is gone. `via` is stamped. `maddr` is not followed: it would let
/// anybody aim our answers at anybody.
fn way_back(via: &Via, flow: &Flow) -> (Destination, Option<SocketAddr>) {
    let port = via.port.unwrap_or(flow.transport.default_port());
    let sent_by = SocketAddr::new(flow.remote.ip(), port);
    if flow.transport.is_reliable() {
        return (Destination::Flow(flow.clone()), Some(sent_by));
    }
    let remote = if via.rport().is_some() { flow.remote } else { sent_by };
    (Destination::Flow(Flow { remote, ..flow.clone() }), None)
}
