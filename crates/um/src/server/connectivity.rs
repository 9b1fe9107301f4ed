//! Test-UMConnectivity: OPTIONS to a gateway or to this server itself over real sockets, or a call that is hung up when it
//! is answered.

use super::Server;
use crate::commands::connectivity::{Connectivity, RINGING_S};
use crate::commands::dial_plan::{DialPlan, VoipSecurity};
use crate::commands::ip_gateway::Gateway;
use crate::commands::{Answer, Command, CommandError, Reply};
use crate::router::Stage;
use event::Now;
use media::{MediaCommand, SessionId};
use rand::RngExt as _;
use sdp::Security;
use sip::endpoint::{Body, CallEvent, CallRef, ClientRef, Failure, OutgoingCall, OutgoingRequest, TargetPolicy};
use sip::{Headers, Host, Method, NameAddr, Transport, Uri};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Tests under way at most.
const MOST_TESTS: usize = 8;
/// Short enough for whoever waits at a shell.
const OPTIONS_WITHIN: Duration = Duration::from_secs(5);

/// A test under way.
struct Test {
    target: String,
    sent: Instant,
    /// Until the first answer.
    latency: Option<Duration>,
    reply: Reply,
}

/// A test that is a call.
struct TestCall {
    hop: usize,
    leg: CallRef,
    session: SessionId,
    test: Test,
}

/// All tests under way.
#[derive(Default)]
pub(crate) struct Tests {
    options: Vec<((usize, ClientRef), Test)>,
    /// By the number that alarms know them by.
    calls: BTreeMap<u64, TestCall>,
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Test {
    fn end(self, method: &str, status: Option<u16>, answered: Option<Instant>, reason: String) {
        let succeeded = reason.is_empty();
        (self.reply)(Ok(Answer::Connectivity(Connectivity {
            target: self.target,
            method: method.into(),
            succeeded,
            status,
            latency_ms: self.latency.map(milliseconds),
            answered_ms: answered.map(|at| milliseconds(at.saturating_duration_since(self.sent))),
            reason,
        })));
    }
}

impl Server {
    pub(super) fn test_connectivity(&mut self, command: Command, reply: Reply, now: Now) {
        let Command::TestConnectivity { gateway, phone, call_router, timeout } = command else {
            return reply(Err(CommandError::Busy));
        };
        if self.tests.options.len() + self.tests.calls.len() >= MOST_TESTS {
            return reply(Err(CommandError::Busy));
        }
        let gateway = match gateway.map(|name| self.configuration.gateways.require("UMIPGateway", &name).cloned()) {
            None => None,
            Some(Ok(_)) if call_router => {
                return reply(Err(CommandError::bad("CallRouter", "write either -CallRouter or -UMIPGateway")));
            }
            Some(Ok(gateway)) => Some(gateway),
            Some(Err(error)) => return reply(Err(error)),
        };
        match (gateway, phone) {
            (Some(gateway), Some(phone)) => self.test_call(&gateway, &phone, timeout, reply, now),
            (Some(gateway), None) => {
                let uri = gateway.address.parse::<Host>().map(|host| {
                    let (transport, port) = self.gateway_way(&gateway);
                    without_user(host).with_port(port).with_transport(transport)
                });
                match uri {
                    Ok(uri) => self.test_options(gateway.name.clone(), uri, Stage::Service, reply, now),
                    Err(_) => reply(Err(CommandError::bad("UMIPGateway", "its address is no host"))),
                }
            }
            (None, Some(_)) => reply(Err(CommandError::bad("Phone", "write -UMIPGateway, too"))),
            (None, None) => {
                // The one asks the other, by way of the network.
                let (asked, asking) =
                    if call_router { (Stage::Router, Stage::Service) } else { (Stage::Service, Stage::Router) };
                let listeners = if call_router { &self.addresses.router } else { &self.addresses.service };
                let Some(listener) = listeners.first() else {
                    return reply(Err(CommandError::bad("CallRouter", "this server has no such part")));
                };
                let host = Host::from(listener.addr.ip());
                let uri = without_user(host).with_port(listener.addr.port()).with_transport(listener.transport);
                let target = if asked == Stage::Router { "call router" } else { "UM service" };
                self.test_options(target.into(), uri, asking, reply, now);
            }
        }
    }

    /// What requests to a gateway go over, and to which port: by TLS where a dial plan that it serves protects its signalling.
    pub(crate) fn gateway_way(&self, gateway: &Gateway) -> (Transport, u16) {
        let secure = self.plans_of(gateway).any(|plan| plan.voip_security != VoipSecurity::Unsecured);
        gateway.way(secure, self.addresses.service.first().map_or(Transport::Tcp, |listener| listener.transport))
    }

    /// The dial plans that it serves.
    fn plans_of(&self, gateway: &Gateway) -> impl Iterator<Item = &Arc<DialPlan>> {
        let configuration = &self.configuration;
        let name = gateway.name.clone();
        let groups = configuration.hunt_groups.iter().filter(move |group| group.gateway.eq_ignore_ascii_case(&name));
        groups.filter_map(|group| configuration.dial_plans.get(&group.dial_plan))
    }

    fn test_options(&mut self, target: String, uri: Uri, from: Stage, reply: Reply, now: Now) {
        let index = self.hops.iter().position(|hop| hop.stage == from).unwrap_or(0);
        let own = NameAddr::new(without_user(self.host.clone()));
        let Some(hop) = self.hops.get_mut(index) else { return reply(Err(CommandError::Busy)) };
        let mut request = OutgoingRequest::new(Method::Options, own, NameAddr::new(uri), hop.listener);
        request.policy = test_policy();
        let test = Test { target, sent: now.instant, latency: None, reply };
        match hop.endpoint.request(request, now.instant) {
            Ok(transaction) => self.tests.options.push(((index, transaction), test)),
            Err(error) => test.end("OPTIONS", None, None, error.to_string()),
        }
    }

    /// The answer to an OPTIONS of ours, or that there is none. Whether it was one.
    pub(super) fn test_answered(
        &mut self,
        hop: usize,
        transaction: ClientRef,
        result: &Result<u16, Failure>,
        now: Now,
    ) -> bool {
        let Some(place) = self.tests.options.iter().position(|(of, _)| *of == (hop, transaction)) else { return false };
        let (_, mut test) = self.tests.options.remove(place);
        match result {
            Ok(status) => {
                test.latency = Some(now.instant.saturating_duration_since(test.sent));
                // 401 and its like: SIP gets through, and the peer is alive.
                let fault = match status {
                    408 | 500.. => format!("it answered {status}"),
                    403 => "it answered 403: it does not know this server".into(),
                    _ => String::new(),
                };
                test.end("OPTIONS", Some(*status), None, fault);
            }
            Err(failure) => test.end("OPTIONS", None, None, failure.to_string()),
        }
        true
    }

    // ---- a call ----

    fn test_call(&mut self, gateway: &Gateway, phone: &str, timeout: Option<u32>, reply: Reply, now: Now) {
        let timeout = timeout.unwrap_or(RINGING_S);
        if !(5..=1800).contains(&timeout) {
            return reply(Err(CommandError::bad("Timeout", "write a number from 5 to 1800")));
        }
        if phone.is_empty() || phone.len() > 32 || !phone.bytes().all(|byte| byte.is_ascii_digit()) {
            return reply(Err(CommandError::bad("Phone", "write digits")));
        }
        if !gateway.outcalls_allowed {
            let mend = format!("{:?} has OutcallsAllowed $false", gateway.name);
            return reply(Err(CommandError::bad("UMIPGateway", mend)));
        }
        let (transport, port) = self.gateway_way(gateway);
        // As its dial plan's calls do it: SRTP where one is Secured.
        let secured = self.plans_of(gateway).find(|plan| plan.voip_security == VoipSecurity::Secured).cloned();
        let security = secured.map_or(Security::Clear, |plan| self.security(&plan));
        let index = self.hops.iter().position(|hop| hop.stage == Stage::Service).unwrap_or(0);
        let (Some(hop), Ok(host)) = (self.hops.get_mut(index), gateway.address.parse::<Host>()) else {
            return reply(Err(CommandError::bad("UMIPGateway", "its address is no host")));
        };
        let (session, address) = match self.media.open() {
            Ok(opened) => opened,
            Err(_) => return reply(Err(CommandError::Busy)),
        };
        let number = self.random.random::<u64>() >> 2;
        let local = sdp::Local { security, ..sdp::Local::new(address.ip(), address.port(), number) };
        let body = Body::sdp(sdp::offer(&local).to_bytes());
        let to = Uri::sip(phone, host.clone()).with_port(port).with_transport(transport);
        // Out of the first pilot number, which the PBX knows as this server's.
        let pilot = self
            .configuration
            .hunt_groups
            .iter()
            .find_map(|group| group.pilot.as_deref().filter(|_| group.gateway.eq_ignore_ascii_case(&gateway.name)));
        let pilot = pilot.map(crate::configuration::pilot_number).unwrap_or("test");
        let from = NameAddr::new(Uri::sip(pilot, self.host.clone()));
        let mut call = OutgoingCall::new(from, NameAddr::new(to), Some(body), hop.listener);
        call.policy = test_policy();
        call.peer_name = gateway.certificate_name.as_deref().map(Into::into);
        let test = Test { target: gateway.name.clone(), sent: now.instant, latency: None, reply };
        match hop.endpoint.invite(call, now.instant) {
            Ok(leg) => {
                let number = self.next_number();
                self.by_leg.insert((index, leg), number);
                self.tests.calls.insert(number, TestCall { hop: index, leg, session, test });
                self.alarms.insert((now.instant + Duration::from_secs(u64::from(timeout)), number));
            }
            Err(error) => {
                self.media.command(MediaCommand::Close { session });
                test.end("INVITE", None, None, error.to_string());
            }
        }
    }

    /// What happens to a test's call. Whether it was one's.
    pub(super) fn test_call_event(&mut self, number: u64, event: &CallEvent, now: Now) -> bool {
        let Some(call) = self.tests.calls.get_mut(&number) else { return false };
        let first = now.instant.saturating_duration_since(call.test.sent);
        match event {
            CallEvent::Provisional { .. } => {
                call.test.latency.get_or_insert(first);
            }
            CallEvent::Answered { response, .. } => {
                call.test.latency.get_or_insert(first);
                let status = response.status;
                self.end_test_call(number, Some(status), Some(now.instant), String::new(), now);
            }
            CallEvent::Rejected { response, failure, .. } => {
                let status = response.status;
                if failure.is_none() {
                    call.test.latency.get_or_insert(first);
                }
                let reason = match failure {
                    Some(failure) => failure.to_string(),
                    None => format!("it answered {status}"),
                };
                self.end_test_call(number, failure.is_none().then_some(status), None, reason, now);
            }
            CallEvent::Ended { .. } | CallEvent::Cancelled { .. } => {
                self.end_test_call(number, None, None, "the call was cut off".into(), now);
            }
            _ => {}
        }
        true
    }

    /// It has rung long enough.
    pub(super) fn test_call_alarm(&mut self, number: u64, now: Now) {
        let Some(call) = self.tests.calls.get(&number) else { return };
        let reason = match call.test.latency {
            Some(_) => "it rang, and nobody answered",
            None => "nothing answered",
        };
        self.end_test_call(number, None, None, reason.into(), now);
    }

    fn end_test_call(&mut self, number: u64, status: Option<u16>, answered: Option<Instant>, reason: String, now: Now) {
        let Some(call) = self.tests.calls.remove(&number) else { return };
        self.by_leg.remove(&(call.hop, call.leg));
        self.alarms.retain(|(_, of)| *of != number);
        self.media.command(MediaCommand::Close { session: call.session });
        if let Some(hop) = self.hops.get_mut(call.hop) {
            // It may be over by itself.
            let _ = hop.endpoint.hangup(call.leg, &Headers::new(), now.instant);
        }
        call.test.end("INVITE", status, answered, reason);
    }
}

fn test_policy() -> TargetPolicy {
    TargetPolicy {
        per_try: OPTIONS_WITHIN,
        last_try: OPTIONS_WITHIN,
        reliable_provisional: false,
        ..TargetPolicy::default()
    }
}

/// A server itself, and nobody on it.
fn without_user(host: Host) -> Uri {
    Uri { user: None, ..Uri::sip("", host) }
}
