//! The node as a customer: it registers its numbers at a provider (RFC 3261 10.2), keeps that alive, and takes it back.

use super::SipRouteEntry;
use crate::core::Core;
use event::{Event, Now};
use sip::endpoint::{ClientRef, Login, NextHop, OutgoingRequest, TargetPolicy};
use sip::header::{Contact, Expires, MinExpires, RetryAfter};
use sip::{Host, Method, NameAddr, Response, Text, Uri};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Seconds that a registration is asked for where the route does not say.
const DEFAULT_TIMER: u32 = 3600;
/// The first wait after a failure; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_secs(30);
/// The longest wait for a provider that is not there: it should be noticed soon when it is back.
const LONGEST_SILENT: Duration = Duration::from_secs(300);
/// The longest wait for one that refuses us: that needs a person, and providers lock out who insists.
const LONGEST_REFUSED: Duration = Duration::from_secs(1800);
/// A registration is refreshed this long before its end, or at half its time when that is sooner.
const MARGIN: Duration = Duration::from_secs(60);

/// Everything that the node has registered elsewhere, by route and number.
#[derive(Default)]
pub(crate) struct Registrations {
    lines: BTreeMap<(u32, String), Line>,
    asked: BTreeMap<ClientRef, (u32, String)>,
}

/// One number at one provider.
struct Line {
    plan: Plan,
    call_id: Text,
    cseq: u32,
    /// When to ask (again).
    next: Instant,
    asking: bool,
    /// Until when the provider holds it.
    until: Option<Instant>,
    /// Failures in a row.
    failures: u32,
    /// The shortest expiry that the provider takes, if it said so.
    least: u32,
}

/// What a REGISTER of a line is made from; a line whose plan changes is registered anew.
#[derive(Clone, PartialEq)]
struct Plan {
    registrar: Uri,
    next_hop: Option<NextHop>,
    /// The address of record.
    aor: Uri,
    contact: Uri,
    login: Option<Login>,
    expires: u32,
    policy: TargetPolicy,
    peer_name: Option<Text>,
}

impl Plan {
    fn request(&self, core: &Core, call_id: &Text, cseq: u32, expires: u32) -> OutgoingRequest {
        let aor = NameAddr::new(self.aor.clone());
        let mut request = OutgoingRequest::new(Method::Register, aor.clone(), aor, core.listener);
        request.request_uri = self.registrar.clone();
        request.next_hop.clone_from(&self.next_hop);
        request.peer_name.clone_from(&self.peer_name);
        request.headers.push_typed(&Contact::Address(NameAddr::new(self.contact.clone())));
        request.headers.push_typed(&Expires(expires));
        request.login.clone_from(&self.login);
        request.policy = self.policy;
        // 10.2.4: refreshes have one Call-ID, and count up.
        request.call_id = Some(call_id.clone());
        request.cseq = Some(cseq);
        request
    }
}

/// How a REGISTER ended.
enum End {
    /// For so many seconds.
    Granted(u32),
    /// 423: ask for at least so many seconds.
    TooBrief(u32),
    /// The provider does not want us: as we are, waiting alone does not help.
    Refused(String),
    /// Nobody there, or overloaded.
    Failed { reason: String, retry_after: Option<Duration> },
}

impl Registrations {
    /// The routes as they are now: new lines are registered at once, those that are gone unregistered.
    pub fn configure(&mut self, core: &mut Core, now: Now) {
        let mut wanted = BTreeMap::new();
        for (number, route) in &core.configuration.routes {
            if let Some(sip) = route.sip.as_ref().filter(|sip| sip.registers()) {
                wanted.extend(plans(core, *number, sip).into_iter().map(|(line, plan)| ((*number, line), plan)));
            }
        }
        let old = std::mem::take(&mut self.lines);
        for (key, line) in old {
            match wanted.get(&key) {
                Some(plan) if *plan == line.plan => {
                    wanted.remove(&key);
                    self.lines.insert(key, line);
                }
                _ => unregister(core, &line, now),
            }
        }
        for (index, ((route, number), plan)) in wanted.into_iter().enumerate() {
            // After a restart it must be another: the registrar would take the numbers, from 1 again, for old ones.
            let call_id = Text::from(format!("{}.{route}.{index}@{}", now.unix_ms(), core.host));
            let next = now.instant;
            let line = Line { plan, call_id, cseq: 0, next, asking: false, until: None, failures: 0, least: 0 };
            self.lines.insert((route, number), line);
        }
        let lines = &self.lines;
        self.asked.retain(|_, key| lines.contains_key(key));
    }

    /// Takes everything back: the node stops.
    pub fn end_all(&mut self, core: &mut Core, now: Now) {
        for line in std::mem::take(&mut self.lines).into_values() {
            unregister(core, &line, now);
        }
        self.asked.clear();
    }

    pub fn deadline(&self) -> Option<Instant> {
        self.lines.values().filter(|line| !line.asking).map(|line| line.next).min()
    }

    pub fn handle_timeout(&mut self, core: &mut Core, now: Now) {
        for (key, line) in self.lines.iter_mut().filter(|(_, line)| !line.asking && line.next <= now.instant) {
            line.cseq = line.cseq.wrapping_add(1);
            let expires = line.plan.expires.max(line.least);
            let request = line.plan.request(core, &line.call_id, line.cseq, expires);
            match core.endpoint.request(request, now.instant) {
                Ok(client) => {
                    // A challenge is answered with the next number, inside.
                    line.cseq = line.cseq.wrapping_add(4);
                    line.asking = true;
                    self.asked.insert(client, key.clone());
                }
                Err(error) => {
                    tracing::warn!(%error, route = key.0, "no REGISTER");
                    line.next = now.instant.checked_add(FIRST_WAIT).unwrap_or(now.instant);
                }
            }
        }
    }

    /// The final response to a REGISTER of ours; `None`: none will come.
    pub fn answered(&mut self, core: &mut Core, client: ClientRef, response: Option<&Response>, now: Now) {
        let Some(key) = self.asked.remove(&client) else { return };
        let Some(line) = self.lines.get_mut(&key) else { return };
        line.asking = false;
        let end = judge(response, &line.plan);
        let (route, number) = key;
        let in_time = |wait: Duration| now.instant.checked_add(wait).unwrap_or(now.instant);
        match end {
            End::Granted(seconds) => {
                let granted = Duration::from_secs(seconds.into());
                line.next = in_time(granted.saturating_sub(MARGIN).max(granted / 2));
                if line.until.is_none() || line.failures > 0 {
                    core.emit(now, Event::RouteRegistered { route, number, expires_s: seconds });
                }
                line.until = Some(in_time(granted));
                line.failures = 0;
            }
            // 10.2.8: at once, with what it asks for; but not for ever.
            End::TooBrief(least) if least > line.least && least <= 86_400 => {
                line.least = least;
                line.next = now.instant;
            }
            End::TooBrief(_) => {
                line.fail(core, route, number, "its 423 can't be satisfied".into(), LONGEST_REFUSED, None, now)
            }
            End::Refused(reason) => line.fail(core, route, number, reason, LONGEST_REFUSED, None, now),
            End::Failed { reason, retry_after } => {
                line.fail(core, route, number, reason, LONGEST_SILENT, retry_after, now);
            }
        }
        let holds = |line: &Line| line.until.is_some_and(|until| until > now.instant);
        let any = self.lines.iter().any(|((of, _), line)| *of == route && holds(line));
        core.health.registered(route, any);
    }

    /// A route's lines: number, whether the provider holds it, seconds left.
    pub fn of_route(&self, route: u32, now: Instant) -> impl Iterator<Item = (&str, Option<u64>)> {
        let lines = self.lines.iter().filter(move |((of, _), _)| *of == route);
        lines.map(move |((_, number), line)| {
            let left = line.until.and_then(|until| until.checked_duration_since(now));
            (number.as_str(), left.map(|left| left.as_secs()))
        })
    }
}

impl Line {
    /// Told once until it works again; tried again later and later.
    #[allow(clippy::too_many_arguments)]
    fn fail(
        &mut self,
        core: &Core,
        route: u32,
        number: String,
        reason: String,
        longest: Duration,
        retry_after: Option<Duration>,
        now: Now,
    ) {
        let doubled = FIRST_WAIT.saturating_mul(1 << self.failures.min(10));
        let wait = doubled.min(longest).max(retry_after.unwrap_or_default().min(LONGEST_REFUSED));
        if self.failures == 0 {
            let retry_s = wait.as_secs();
            core.emit(now, Event::RouteRegistrationFailed { route, number, reason, retry_s });
        }
        self.failures = self.failures.saturating_add(1);
        self.next = now.instant.checked_add(wait).unwrap_or(now.instant);
    }
}

fn unregister(core: &mut Core, line: &Line, now: Now) {
    if line.until.is_none() && !line.asking {
        return;
    }
    let request = line.plan.request(core, &line.call_id, line.cseq.wrapping_add(1), 0);
    // Nobody waits for the answer: what is not taken back expires.
    let _ = core.endpoint.request(request, now.instant);
}

/// The lines of a route and how each is registered.
fn plans(core: &Core, number: u32, sip: &SipRouteEntry) -> Vec<(String, Plan)> {
    let Some(template) = sip.registerstring.as_deref().or_else(|| Some(sip.uristring.get(&0)?.as_str())) else {
        return Vec::new();
    };
    let names = if sip.numbers.is_empty() { sip.authname.iter().cloned().collect() } else { sip.numbers.clone() };
    let login = core.vault.login(number, sip);
    let Some(address) = core.addresses.first() else { return Vec::new() };
    let plan = |name: &String| {
        let filled = super::fill_in(template, name)?;
        let mut registrar = Uri { user: None, ..filled.clone() };
        registrar.port = sip.registerport.or(registrar.port);
        let aor = Uri { port: None, params: sip::Params::for_uri(), host: aor_host(sip, &filled.host), ..filled };
        let next_hop = sip.next_hop(&registrar).or_else(|| {
            (sip.transport() != sip::Transport::Udp && !registrar.params.has("transport"))
                .then(|| NextHop::Uri(registrar.clone().with_transport(sip.transport())))
        });
        let mut contact = Uri::sip(name, address.ip().into()).with_port(address.port());
        if sip.transport() != sip::Transport::Udp {
            contact = contact.with_transport(sip.transport());
        }
        let expires = sip.timer.unwrap_or(DEFAULT_TIMER);
        // A registration that fails puts no host on the grey list: calls find out by themselves.
        let policy = TargetPolicy { grey_list: false, ..sip.policy() };
        let peer_name = sip.peername.as_deref().map(Text::from);
        let login = login.clone();
        Some((name.clone(), Plan { registrar, next_hop, aor, contact, login, expires, policy, peer_name }))
    };
    names.iter().filter_map(plan).collect()
}

/// The domain of the address of record: the one that was set, or the registrar's own.
fn aor_host(sip: &SipRouteEntry, registrar: &Host) -> Host {
    sip.localdomain.as_deref().and_then(|domain| domain.parse().ok()).unwrap_or_else(|| registrar.clone())
}

fn judge(response: Option<&Response>, plan: &Plan) -> End {
    let Some(response) = response else {
        return End::Failed { reason: "the registrar does not answer".into(), retry_after: None };
    };
    let answer = || format!("the registrar answered {} {}", response.status, response.reason);
    match response.status {
        200..=299 => End::Granted(granted(response, plan)),
        423 => End::TooBrief(response.headers.sound::<MinExpires>().map_or(0, |least| least.0)),
        401 | 407 => End::Refused(format!("{}: mend -authname, -password or -realm", answer())),
        403 | 404 | 400..=407 | 409..=479 => End::Refused(answer()),
        _ => {
            let after = response.headers.sound::<RetryAfter>().map(|after| Duration::from_secs(after.0.into()));
            End::Failed { reason: answer(), retry_after: after }
        }
    }
}

/// 10.2.4: the registrar says in Contact, or else in Expires, for how long.
fn granted(response: &Response, plan: &Plan) -> u32 {
    let contacts = response.headers.all_typed::<Contact>().filter_map(|contact| contact.ok()?.address());
    let own = contacts.filter(|contact| contact.uri.same_as(&plan.contact)).find_map(|contact| contact.expires());
    let said = own.or_else(|| response.headers.sound::<Expires>().map(|expires| expires.0));
    // A registrar that says 0 or nothing is asked again before long, but not at once.
    said.unwrap_or(plan.expires).clamp(20, 86_400)
}
