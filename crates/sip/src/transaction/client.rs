//! Our requests on their way: the client half of [`Transactions`].

use super::invite_client::{Action as InviteAction, InviteClient, State as InviteState};
use super::layer::{Transactions, number_of, transmit_id};
use super::non_invite_client::{Action as PlainAction, NonInviteClient, State as PlainState};
use super::timers::{Actions, Timers};
use super::{ClientId, Failure, Output};
use crate::flow::{Destination, Flow, Transmit, Transport, TransportError};
use crate::{Headers, Method, Name, Request, Response, Text};
use bytes::Bytes;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// 18.1.1: a larger request must not go by UDP unless the peer has nothing else.
const LARGEST_FOR_UDP: usize = 1300;
/// How long a peer that refused TCP is spared the next attempt, and how many such peers are remembered.
const TCP_REFUSED_FOR: Duration = Duration::from_secs(60);
const TCP_REFUSED_PEERS: usize = 1000;

#[derive(Debug)]
enum Machine {
    Invite(InviteClient),
    Plain(NonInviteClient),
}

/// What a machine of either kind may want.
#[derive(Clone, Copy)]
enum Want {
    Send,
    Ack,
    Deliver,
    Fail(Failure),
}

impl Machine {
    fn start(method: &Method, timers: Timers, reliable: bool, now: Instant) -> Machine {
        // The first sending is the caller's; the machines ask for no more than that at their start.
        if *method == Method::Invite {
            Machine::Invite(InviteClient::start(timers, reliable, now).0)
        } else {
            Machine::Plain(NonInviteClient::start(timers, reliable, now).0)
        }
    }

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

    fn heard_nothing(&self) -> bool {
        match self {
            Machine::Invite(machine) => machine.state() == InviteState::Calling,
            Machine::Plain(machine) => machine.state() == PlainState::Trying,
        }
    }

    fn response(&mut self, status: u16, now: Instant) -> Wants {
        match self {
            Machine::Invite(machine) => Wants::invite(machine.response(status, now), None),
            Machine::Plain(machine) => Wants::plain(machine.response(status, now), None),
        }
    }

    fn timeout(&mut self, now: Instant) -> Wants {
        match self {
            Machine::Invite(machine) => Wants::invite(machine.timeout(now), None),
            Machine::Plain(machine) => Wants::plain(machine.timeout(now), None),
        }
    }

    fn transport_failed(&mut self, error: TransportError) -> Wants {
        match self {
            Machine::Invite(machine) => Wants::invite(machine.transport_failed(), Some(error)),
            Machine::Plain(machine) => Wants::plain(machine.transport_failed(), Some(error)),
        }
    }
}

struct Wants([Option<Want>; 3]);

impl Wants {
    fn invite(actions: Actions<InviteAction>, error: Option<TransportError>) -> Wants {
        let mut wants = [None; 3];
        for (slot, action) in wants.iter_mut().zip(actions) {
            *slot = Some(match action {
                InviteAction::SendInvite => Want::Send,
                InviteAction::SendAck => Want::Ack,
                InviteAction::Deliver => Want::Deliver,
                InviteAction::Timeout => Want::Fail(Failure::Timeout),
                InviteAction::TransportFailed => Want::Fail(Failure::Transport(error.unwrap_or(TransportError::Other))),
            });
        }
        Wants(wants)
    }

    fn plain(actions: Actions<PlainAction>, error: Option<TransportError>) -> Wants {
        let mut wants = [None; 3];
        for (slot, action) in wants.iter_mut().zip(actions) {
            *slot = Some(match action {
                PlainAction::SendRequest => Want::Send,
                PlainAction::Deliver => Want::Deliver,
                PlainAction::Timeout => Want::Fail(Failure::Timeout),
                PlainAction::TransportFailed => Want::Fail(Failure::Transport(error.unwrap_or(TransportError::Other))),
            });
        }
        Wants(wants)
    }
}

#[derive(Debug, PartialEq)]
enum Cancel {
    No,
    /// Wanted, but nothing was heard of the INVITE yet (9.1).
    Wanted(Headers),
    Sent,
}

/// One client transaction with what it may have to send again.
#[derive(Debug)]
pub(super) struct Client {
    machine: Machine,
    method: Method,
    branch: Text,
    /// As it was sent, Via included. Emptied when nothing can be needed of it any more.
    request: Option<Request>,
    bytes: Bytes,
    ack: Option<Bytes>,
    to: Destination,
    /// The UDP destination that this request takes when TCP, chosen for its size, is refused.
    udp: Option<Destination>,
    /// Counts the ways that were tried: a failure of an earlier one is no news.
    attempt: u8,
    renewed: bool,
    cancel: Cancel,
    abandoned: bool,
    /// Nobody waits for the result: our own CANCEL.
    silent: bool,
}

impl Client {
    pub fn deadline(&self) -> Option<Instant> {
        self.machine.deadline()
    }
}

impl Transactions {
    /// Sends a request in a transaction of its own; the Via is added here. Not for ACK (see [`Transactions::send_ack`]).
    ///
    /// A request of more than 1,300 bytes to a UDP [`Destination::Address`] goes by TCP if the listener has TCP and the
    /// peer takes it, else by UDP after all (18.1.1). A [`Destination::Flow`] is kept to.
    pub fn request(&mut self, request: Request, to: Destination, now: Instant) -> ClientId {
        let branch = self.new_branch();
        let number = self.begin(request, to, branch, false, now);
        ClientId(number)
    }

    /// Cancels an INVITE: a CANCEL goes out as soon as a provisional response has come (9.1), with the headers `extra`
    /// (Reason, for example). The INVITE then ends by its own final response, or by [`Output::Failed`] after 64*T1.
    pub fn cancel(&mut self, transaction: ClientId, extra: Headers, now: Instant) {
        let Some(client) = self.clients.get_mut(&transaction.0) else { return };
        if client.cancel != Cancel::No {
            return;
        }
        let Machine::Invite(machine) = &client.machine else { return };
        match machine.state() {
            InviteState::Calling => client.cancel = Cancel::Wanted(extra),
            InviteState::Proceeding => self.send_cancel(transaction.0, extra, now),
            InviteState::Completed | InviteState::Accepted | InviteState::Terminated => {}
        }
    }

    /// Stops waiting, silently, because the next target is being tried: no copies are sent any more; a provisional response
    /// is answered with CANCEL; a 2xx comes up as [`Output::Stray`]; nothing else is reported.
    pub fn abandon(&mut self, transaction: ClientId, now: Instant) {
        let Some(client) = self.clients.get_mut(&transaction.0) else { return };
        client.abandoned = true;
        match &mut client.machine {
            Machine::Invite(machine) => {
                machine.hush();
                self.rearm(transaction.0);
                self.cancel(transaction, Headers::new(), now);
            }
            Machine::Plain(_) => self.drop_client(transaction.0),
        }
    }

    /// Sends the ACK of a 2xx: adds the Via and keeps no state (13.2.2.4). To repeat it, call again.
    pub fn send_ack(&mut self, mut request: Request, to: Destination) {
        let branch = self.new_branch();
        let Some(via) = self.via(&to, &branch) else { return };
        request.headers.push_front(Name::Via, via);
        self.output(Output::Transmit(Transmit { id: transmit_id(0, 0), to, bytes: request.to_bytes() }));
    }

    /// `branch` is new, or that of the INVITE which this CANCEL is for.
    fn begin(&mut self, request: Request, to: Destination, branch: Text, silent: bool, now: Instant) -> u64 {
        let number = self.new_number();
        let Some(via) = self.via(&to, &branch) else {
            let failure = Failure::Transport(TransportError::Unsupported);
            self.output(Output::Failed { transaction: ClientId(number), failure });
            return number;
        };
        let mut sent = request;
        sent.headers.push_front(Name::Via, via);
        let mut bytes = sent.to_bytes();
        let (mut to, mut udp) = (to, None);
        if bytes.len() > LARGEST_FOR_UDP
            && let Some(tcp) = self.tcp_instead(&to, now)
            && let Some(via) = self.via(&tcp, &branch)
        {
            sent.headers.remove_first_value(&Name::Via);
            sent.headers.push_front(Name::Via, via);
            bytes = sent.to_bytes();
            udp = Some(std::mem::replace(&mut to, tcp));
        }
        let client = Client {
            machine: Machine::start(&sent.method, self.config.timers, to.transport().is_reliable(), now),
            method: sent.method.clone(),
            branch: branch.clone(),
            request: Some(sent),
            bytes: bytes.clone(),
            ack: None,
            to: to.clone(),
            udp,
            attempt: 0,
            renewed: false,
            cancel: Cancel::No,
            abandoned: false,
            silent,
        };
        self.client_keys.insert((branch, client.method == Method::Cancel), number);
        self.clients.insert(number, client);
        self.output(Output::Transmit(Transmit { id: transmit_id(number, 0), to, bytes }));
        self.rearm(number);
        number
    }

    /// The same peer by TCP, unless it is known to refuse that or we have no TCP ourselves.
    fn tcp_instead(&mut self, to: &Destination, now: Instant) -> Option<Destination> {
        let Destination::Address { transport: Transport::Udp, listener, remote, .. } = *to else { return None };
        if !self.speaks(listener, Transport::Tcp) {
            return None;
        }
        let refused = self.tcp_refused.get(&remote).is_some_and(|until| *until > now);
        if self.rng.shared(refused.into()) != 0 {
            return None;
        }
        Some(Destination::address(Transport::Tcp, listener, remote))
    }

    fn remember_tcp_refused(&mut self, peer: SocketAddr, now: Instant) {
        if self.tcp_refused.len() >= TCP_REFUSED_PEERS {
            self.tcp_refused.retain(|_, until| *until > now);
        }
        if self.tcp_refused.len() >= TCP_REFUSED_PEERS {
            self.tcp_refused.pop_first();
        }
        self.tcp_refused.insert(peer, now + TCP_REFUSED_FOR);
    }

    pub(super) fn receive_response(&mut self, response: Response, flow: Flow, now: Instant) {
        // 8.1.3.3: with more than one Via it was not meant for us.
        let mut vias = response.headers.values(&Name::Via);
        let (Some(_), None) = (vias.next(), vias.next()) else { return };
        drop(vias);
        let (Some(via), Some(cseq)) = (response.top_via(), response.cseq()) else { return };
        let Some(branch) = via.branch() else { return };
        let key = (Text::from(branch), cseq.method == Method::Cancel);
        let found = self.client_keys.get(&key).copied();
        // 17.1.3: the CSeq's method tells a CANCEL's response from that of its INVITE.
        let client = found.and_then(|number| Some((number, self.clients.get_mut(&number)?)));
        let Some((number, client)) = client.filter(|(_, client)| client.method == cseq.method) else {
            return self.stray(response, flow, &cseq.method);
        };
        if let Machine::Invite(machine) = &client.machine
            && machine.state() == InviteState::Completed
            && response.is_success()
        {
            // A proxy passes on every 2xx, even after it passed on a refusal (16.7).
            return self.stray(response, flow, &cseq.method);
        }
        let wants = client.machine.response(response.status, now);
        client.udp = None;
        if client.machine.is_over() || response.is_success() {
            client.bytes = Bytes::new();
        }
        let mut delivered = false;
        for want in wants.0.into_iter().flatten() {
            match want {
                Want::Ack => self.acknowledge(number, &response),
                Want::Deliver => delivered = true,
                Want::Send | Want::Fail(_) => {}
            }
        }
        if delivered {
            self.deliver(number, response, flow, now);
        }
        self.rearm(number);
    }

    fn deliver(&mut self, number: u64, response: Response, flow: Flow, now: Instant) {
        let Some(client) = self.clients.get_mut(&number) else { return };
        if response.is_provisional() {
            if let Cancel::Wanted(extra) = &mut client.cancel {
                let extra = std::mem::take(extra);
                client.cancel = Cancel::No;
                self.send_cancel(number, extra, now);
            }
        } else if client.method == Method::Invite && response.is_success() {
            // Its ACK and all that follows are the user's: only the key is needed here.
            client.request = None;
        }
        let Some(client) = self.clients.get(&number) else { return };
        match (client.silent, client.abandoned) {
            (true, _) => {}
            (false, false) => self.output(Output::Response { transaction: ClientId(number), response, flow }),
            (false, true) if response.is_success() => self.output(Output::Stray { response, flow }),
            (false, true) => {}
        }
    }

    fn stray(&mut self, response: Response, flow: Flow, method: &Method) {
        if *method == Method::Invite && response.is_success() {
            self.output(Output::Stray { response, flow });
        }
    }

    /// 17.1.1.3: the ACK of a refusal goes the way of its INVITE, in the INVITE's transaction.
    fn acknowledge(&mut self, number: u64, response: &Response) {
        let Some(client) = self.clients.get_mut(&number) else { return };
        let bytes = match (&client.ack, &client.request) {
            (Some(bytes), _) => bytes.clone(),
            (None, Some(invite)) => {
                let mut ack = within(invite, Method::Ack);
                if let Some(to) = response.headers.get(&Name::To) {
                    ack.headers.set(Name::To, to);
                }
                client.ack.insert(ack.to_bytes()).clone()
            }
            (None, None) => return,
        };
        let transmit = Transmit { id: transmit_id(number, client.attempt), to: client.to.clone(), bytes };
        self.output(Output::Transmit(transmit));
    }

    /// 9.1: the CANCEL has the INVITE's branch, and goes where the INVITE went.
    fn send_cancel(&mut self, number: u64, extra: Headers, now: Instant) {
        let Some(client) = self.clients.get_mut(&number) else { return };
        let Some(invite) = &client.request else { return };
        let mut cancel = within(invite, Method::Cancel);
        cancel.headers.remove(&Name::Via);
        cancel.headers.extend(&extra);
        client.cancel = Cancel::Sent;
        if let Machine::Invite(machine) = &mut client.machine {
            machine.cancelled(now);
        }
        let (to, branch) = (client.to.clone(), client.branch.clone());
        self.begin(cancel, to, branch, true, now);
        self.rearm(number);
    }

    pub(super) fn client_timeout(&mut self, number: u64, now: Instant) {
        let Some(client) = self.clients.get_mut(&number) else { return };
        let wants = client.machine.timeout(now);
        self.carry_out(number, wants);
        self.rearm(number);
    }

    pub(super) fn client_transmit_failed(&mut self, id: u64, error: TransportError, now: Instant) {
        let (number, attempt) = number_of(id);
        let Some(client) = self.clients.get(&number) else { return };
        if client.attempt != attempt {
            return;
        }
        self.client_way_failed(number, error, now);
    }

    /// A connection that we had sent by is closed: whoever heard nothing yet will hear nothing by it.
    pub(super) fn client_flow_closed(&mut self, flow: &Flow, now: Instant) {
        let lost: Vec<u64> = self
            .clients
            .iter()
            .filter(|(_, client)| {
                client.machine.heard_nothing()
                    && client.to.transport() == flow.transport
                    && client.to.listener() == flow.listener
                    && client.to.remote() == flow.remote
                    && match &client.to {
                        Destination::Flow(own) => own.connection == flow.connection,
                        Destination::Address { .. } => true,
                    }
            })
            .map(|(number, _)| *number)
            .collect();
        for number in lost {
            self.client_way_failed(number, TransportError::Closed, now);
        }
    }

    fn client_way_failed(&mut self, number: u64, error: TransportError, now: Instant) {
        let Some(client) = self.clients.get_mut(&number) else { return };
        let waiting = client.machine.heard_nothing();
        if waiting && let Some(udp) = client.udp.take() {
            // 18.1.1: "SHOULD retry the request, using UDP".
            let peer = client.to.remote();
            self.remember_tcp_refused(peer, now);
            return self.send_by(number, udp, now);
        }
        let again = waiting && error == TransportError::Closed && !client.renewed;
        if again && matches!(client.to, Destination::Address { .. }) {
            // The connection was an old one that the peer had closed: once more, on a new one.
            client.renewed = true;
            let to = client.to.clone();
            return self.send_by(number, to, now);
        }
        let wants = client.machine.transport_failed(error);
        self.carry_out(number, wants);
        self.rearm(number);
    }

    /// Sends the request once more from the start, by another way.
    fn send_by(&mut self, number: u64, to: Destination, now: Instant) {
        let Some(client) = self.clients.get(&number) else { return };
        let via = self.via(&to, &client.branch.clone());
        let timers = self.config.timers;
        let Some(client) = self.clients.get_mut(&number) else { return };
        if let (Some(via), Some(request)) = (via, &mut client.request) {
            request.headers.remove_first_value(&Name::Via);
            request.headers.push_front(Name::Via, via);
            client.bytes = request.to_bytes();
        }
        client.machine = Machine::start(&client.method, timers, to.transport().is_reliable(), now);
        if client.abandoned
            && let Machine::Invite(machine) = &mut client.machine
        {
            machine.hush();
        }
        client.to = to.clone();
        client.attempt = client.attempt.saturating_add(1);
        let transmit = Transmit { id: transmit_id(number, client.attempt), to, bytes: client.bytes.clone() };
        self.output(Output::Transmit(transmit));
        self.rearm(number);
    }

    fn carry_out(&mut self, number: u64, wants: Wants) {
        for want in wants.0.into_iter().flatten() {
            let Some(client) = self.clients.get(&number) else { return };
            match want {
                Want::Send => {
                    let id = transmit_id(number, client.attempt);
                    let transmit = Transmit { id, to: client.to.clone(), bytes: client.bytes.clone() };
                    self.repeated = self.repeated.wrapping_add(1);
                    self.output(Output::Transmit(transmit));
                }
                Want::Fail(failure) if !client.silent && !client.abandoned => {
                    self.output(Output::Failed { transaction: ClientId(number), failure });
                }
                Want::Fail(_) | Want::Ack | Want::Deliver => {}
            }
        }
    }

    /// Sets the timer of a client transaction anew, or forgets the transaction when it is over.
    pub(super) fn rearm(&mut self, number: u64) {
        let Some(client) = self.clients.get(&number) else { return };
        if client.machine.is_over() {
            return self.drop_client(number);
        }
        let deadline = client.deadline();
        self.wheel.set(number, deadline);
    }

    fn drop_client(&mut self, number: u64) {
        self.wheel.set(number, None);
        if let Some(client) = self.clients.remove(&number) {
            self.client_keys.remove(&(client.branch, client.method == Method::Cancel));
        }
    }
}

/// The ACK or CANCEL that belongs to an INVITE: its own copy of the headers which 9.1 and 17.1.1.3 name, no others.
fn within(invite: &Request, method: Method) -> Request {
    let mut request = Request::new(method, invite.uri.clone());
    if let Some(via) = invite.headers.values(&Name::Via).next() {
        request.headers.push(Name::Via, via);
    }
    for (name, value) in invite.headers.iter() {
        match name {
            Name::Route | Name::From | Name::To | Name::CallId | Name::MaxForwards => {
                request.headers.push(name.clone(), value);
            }
            Name::CSeq => {
                let number = value.split_ascii_whitespace().next().unwrap_or("0");
                request.headers.push(Name::CSeq, format!("{number} {}", request.method));
            }
            _ => {}
        }
    }
    request
}
