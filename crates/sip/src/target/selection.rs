//! One request's way through its targets.

use super::grey_list::GreyList;
use super::srv;
use super::{Answer, Candidate, Greyed, Heard, Policy, Query, QueryId, SrvRecord, Step, Target, Trouble};
use crate::flow::{Listener, ListenerId, Transport};
use crate::{Chance, Host};
use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// How long the DNS may take altogether; what is unanswered by then counts as failed.
const RESOLVE_LIMIT: Duration = Duration::from_secs(10);
/// How many SRV records, and how many targets, a request looks at.
const MOST_RECORDS: usize = 16;
const MOST_CANDIDATES: usize = 32;
/// How many reports of grey-listing wait to be fetched; older ones are dropped.
const MOST_REPORTS: usize = 64;

/// What all selections of one SIP entity share.
#[derive(Debug)]
pub struct Selector {
    listeners: Vec<Listener>,
    grey: GreyList,
    rng: Chance,
    queries: u64,
    /// Counts up with each list of addresses, and says which of them is first.
    rotation: usize,
    greyed: VecDeque<Greyed>,
    recovered: VecDeque<Candidate>,
}

impl Selector {
    pub fn new(listeners: Vec<Listener>, seed: [u8; 32]) -> Selector {
        Selector::with_chance(listeners, Chance::new(seed))
    }

    /// The same with dice that may be watched.
    pub fn with_chance(listeners: Vec<Listener>, chance: Chance) -> Selector {
        Selector {
            listeners,
            grey: GreyList::default(),
            rng: chance,
            queries: 0,
            rotation: 0,
            greyed: VecDeque::new(),
            recovered: VecDeque::new(),
        }
    }

    /// Begins to look for the target of a request that leaves by `listener`.
    pub fn start(&mut self, target: &Target, listener: ListenerId, policy: Policy, now: Instant) -> (Selection, Step) {
        self.start_avoiding(target, listener, policy, Vec::new(), now)
    }

    /// The same, but never to one of `avoid`, not even as the last: the request was there already.
    pub fn start_avoiding(
        &mut self,
        target: &Target,
        listener: ListenerId,
        policy: Policy,
        avoid: Vec<Candidate>,
        now: Instant,
    ) -> (Selection, Step) {
        let mut selection = Selection { listener, policy, avoid, state: State::Over, fallback: None };
        let step = selection.begin(self, target, now);
        (selection, step)
    }

    /// What was put on the grey list since the last call, oldest first.
    pub fn take_greyed(&mut self) -> Option<Greyed> {
        self.greyed.pop_front()
    }

    /// What has left the grey list since the last call because it showed life, oldest first.
    pub fn take_recovered(&mut self) -> Option<Candidate> {
        self.recovered.pop_front()
    }

    /// A target was found dead, or drained, by other means than a request on its way: it is passed over for so long.
    pub fn distrust(&mut self, target: Candidate, for_: Duration, now: Instant) {
        if !for_.is_zero() {
            self.add_grey(target, for_, now);
        }
    }

    fn trust(&mut self, target: &Candidate) {
        // Other calls have put it there: what a call finds is written down with it.
        let listed = self.grey.remove(target);
        if self.rng.shared(listed.into()) != 0 {
            if self.recovered.len() >= MOST_REPORTS {
                self.recovered.pop_front();
            }
            self.recovered.push_back(*target);
        }
    }

    /// The grey list, for display.
    pub fn grey_list(&self) -> &GreyList {
        &self.grey
    }

    fn add_grey(&mut self, target: Candidate, for_: Duration, now: Instant) {
        let known = self.grey.until(&target, now).is_some();
        let greyed = self.grey.add(target, for_, now);
        if self.rng.shared(known.into()) != 0 {
            return;
        }
        if self.greyed.len() >= MOST_REPORTS {
            self.greyed.pop_front();
        }
        self.greyed.push_back(greyed);
    }

    fn query(&mut self, query: Query) -> (QueryId, Query) {
        self.queries = self.rng.next_after(self.queries);
        (QueryId(self.queries), query)
    }

    /// What the listener speaks, UDP first (RFC 3263 4.1's default), then TCP; TLS alone when it must be.
    fn transports(&self, listener: ListenerId, secure: bool) -> impl Iterator<Item = Transport> {
        [Transport::Udp, Transport::Tcp, Transport::Tls].into_iter().filter(move |transport| {
            (*transport == Transport::Tls || !secure)
                && self.listeners.iter().any(|own| own.id == listener && own.transport == *transport)
        })
    }

    /// Whether the listener's own address is of the same family: a socket reaches no other.
    fn reaches(&self, listener: ListenerId, transport: Transport, remote: IpAddr) -> bool {
        self.listeners
            .iter()
            .any(|own| own.id == listener && own.transport == transport && own.addr.is_ipv4() == remote.is_ipv4())
    }

    /// The list, beginning with another address each time: the DNS server may not rotate it.
    fn rotated(&mut self, mut addresses: Vec<IpAddr>) -> Vec<IpAddr> {
        if addresses.len() > 1 {
            let by = self.rng.shared(self.rotation as u64) as usize % addresses.len();
            self.rotation = self.rotation.wrapping_add(1);
            addresses.rotate_left(by);
        }
        addresses
    }
}

/// One request on its way to a target.
#[derive(Debug)]
pub struct Selection {
    listener: ListenerId,
    policy: Policy,
    avoid: Vec<Candidate>,
    state: State,
    /// The host's own addresses, asked for when there are no SRV records (RFC 3263 4.2).
    fallback: Option<(String, Transport)>,
}

#[derive(Debug)]
enum State {
    /// SRV look-ups, in order of preference.
    Services {
        asked: Vec<(QueryId, Transport, Option<Answer>)>,
        deadline: Instant,
    },
    /// Address look-ups, in order of preference.
    Hosts {
        asked: Vec<(QueryId, Transport, u16, Option<Answer>)>,
        deadline: Instant,
    },
    /// A target is being tried; `deadline` until it is heard.
    Trying {
        current: Candidate,
        deadline: Option<Instant>,
        /// What was heard of it, if anything.
        heard: Option<Heard>,
        others: Vec<Candidate>,
    },
    Over,
}

impl Selection {
    fn begin(&mut self, selector: &mut Selector, target: &Target, now: Instant) -> Step {
        let transports: Vec<Transport> = match target.transport {
            // RFC 3261 26.2.2: `transport=tcp` in a SIPS URI means TLS over TCP.
            Some(transport) if !target.secure => {
                selector.transports(self.listener, false).filter(|own| *own == transport).collect()
            }
            _ => selector.transports(self.listener, target.secure).collect(),
        };
        let Some(&default) = transports.first() else { return Step::Exhausted };
        match (&target.host, target.port) {
            // tel: URIs have no host.
            (Host::Name(name), _) if name.is_empty() => Step::Exhausted,
            (Host::Name(name), Some(port)) => {
                let asked = selector.query(Query::Addresses(name.to_string()));
                self.state =
                    State::Hosts { asked: vec![(asked.0, default, port, None)], deadline: now + RESOLVE_LIMIT };
                Step::Resolve(vec![asked])
            }
            (Host::Name(name), None) => {
                self.fallback = Some((name.to_string(), default));
                // TLS is asked for only when it is meant: a call must not become secure, or not, by chance of the DNS.
                let mut queries = Vec::new();
                let mut asked = Vec::new();
                for transport in transports {
                    let service = match transport {
                        Transport::Udp => "_sip._udp",
                        Transport::Tcp => "_sip._tcp",
                        Transport::Tls if target.secure || target.transport.is_some() => "_sips._tcp",
                        Transport::Tls => continue,
                    };
                    let query = selector.query(Query::Srv(format!("{service}.{name}")));
                    asked.push((query.0, transport, None));
                    queries.push(query);
                }
                if queries.is_empty() {
                    return self.ask_fallback(selector, now);
                }
                self.state = State::Services { asked, deadline: now + RESOLVE_LIMIT };
                Step::Resolve(queries)
            }
            (host, port) => {
                let Some(ip) = host.ip() else { return Step::Exhausted };
                let remote = SocketAddr::new(ip, port.unwrap_or(default.default_port()));
                if !selector.reaches(self.listener, default, ip) {
                    return Step::Exhausted;
                }
                self.try_next(selector, vec![Candidate { transport: default, remote }], now)
            }
        }
    }

    /// The answer to one of this selection's queries came.
    pub fn answered(&mut self, selector: &mut Selector, query: QueryId, answer: Answer, now: Instant) -> Step {
        match &mut self.state {
            State::Services { asked, .. } => {
                let Some(slot) = asked.iter_mut().find(|(id, ..)| *id == query) else { return Step::Wait };
                slot.2 = Some(answer);
                if asked.iter().any(|(.., answer)| answer.is_none()) {
                    return Step::Wait;
                }
                self.services_known(selector, now)
            }
            State::Hosts { asked, .. } => {
                let Some(slot) = asked.iter_mut().find(|(id, ..)| *id == query) else { return Step::Wait };
                slot.3 = Some(answer);
                if asked.iter().any(|(.., answer)| answer.is_none()) {
                    return Step::Wait;
                }
                self.hosts_known(selector, now)
            }
            State::Trying { .. } | State::Over => Step::Wait,
        }
    }

    /// Whether this query is one of this selection's.
    pub fn asked(&self, query: QueryId) -> bool {
        match &self.state {
            State::Services { asked, .. } => asked.iter().any(|(id, ..)| *id == query),
            State::Hosts { asked, .. } => asked.iter().any(|(id, ..)| *id == query),
            State::Trying { .. } | State::Over => false,
        }
    }

    /// The target that is being tried.
    pub fn current(&self) -> Option<Candidate> {
        match &self.state {
            State::Trying { current, .. } => Some(*current),
            _ => None,
        }
    }

    /// The targets that may be tried, the current one first.
    pub fn candidates(&self) -> Vec<Candidate> {
        match &self.state {
            State::Trying { current, others, .. } => std::iter::once(current).chain(others).copied().collect(),
            _ => Vec::new(),
        }
    }

    /// Whether the current target has said nothing but 100, and is not waited for without limit: it counts as lost when
    /// its connection is.
    pub fn only_trying(&self) -> bool {
        matches!(&self.state, State::Trying { heard: Some(Heard::Trying), .. }) && self.policy.progress.is_some()
    }

    /// How many targets are left beside the current one.
    pub fn others(&self) -> usize {
        match &self.state {
            State::Trying { others, .. } => others.len(),
            _ => 0,
        }
    }

    /// A response came, any response: the target lives, and the request is its own now.
    pub fn heard(&mut self, selector: &mut Selector, news: Heard, now: Instant) {
        let State::Trying { current, deadline, heard, .. } = &mut self.state else { return };
        match (heard.replace(news), news) {
            // A 100 that comes again, or late, is no news.
            (Some(before), Heard::Trying) => *heard = Some(before),
            (Some(_), Heard::Progress) => *deadline = None,
            (None, _) => {
                selector.trust(current);
                *deadline = self.policy.progress.filter(|_| news == Heard::Trying).map(|limit| now + limit);
            }
        }
    }

    /// The current target is given up.
    pub fn failed(&mut self, selector: &mut Selector, trouble: Trouble, now: Instant) -> Step {
        let State::Trying { current, others, .. } = &mut self.state else { return Step::Wait };
        let (current, others) = (*current, std::mem::take(others));
        let grey = match trouble {
            Trouble::Silent | Trouble::Transport => Some(self.policy.grey_for),
            // RFC 3261 21.5.4: without Retry-After a 503 says nothing of the next request.
            Trouble::Unavailable { retry_after } => retry_after,
        };
        if let Some(for_) = grey.filter(|for_| self.policy.grey_list && !for_.is_zero()) {
            selector.add_grey(current, for_, now);
        }
        self.try_next(selector, others, now)
    }

    /// When [`Selection::timeout`] wants to be called next.
    pub fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Services { deadline, .. } | State::Hosts { deadline, .. } => Some(*deadline),
            State::Trying { deadline, .. } => *deadline,
            State::Over => None,
        }
    }

    /// The deadline has come: the target was silent, or the DNS was.
    pub fn timeout(&mut self, selector: &mut Selector, now: Instant) -> Step {
        if self.deadline().is_none_or(|deadline| deadline > now) {
            return Step::Wait;
        }
        match &self.state {
            State::Services { .. } => self.services_known(selector, now),
            State::Hosts { .. } => self.hosts_known(selector, now),
            State::Trying { .. } => self.failed(selector, Trouble::Silent, now),
            State::Over => Step::Wait,
        }
    }

    /// RFC 3263 4.1, 4.2: the records of the most preferred transport that has any; without any, the host's own addresses.
    fn services_known(&mut self, selector: &mut Selector, now: Instant) -> Step {
        let State::Services { asked, .. } = std::mem::replace(&mut self.state, State::Over) else { return Step::Wait };
        let found = asked.into_iter().find_map(|(_, transport, answer)| match answer {
            Some(Answer::Srv(records)) if !records.is_empty() => Some((transport, records)),
            _ => None,
        });
        let Some((transport, records)) = found else { return self.ask_fallback(selector, now) };
        let records: Vec<SrvRecord> = srv::order(records, &mut selector.rng);
        let mut queries = Vec::new();
        let mut asked = Vec::new();
        for record in records.into_iter().take(MOST_RECORDS) {
            let name = record.target.trim_end_matches('.').to_owned();
            let query = selector.query(Query::Addresses(name));
            asked.push((query.0, transport, record.port, None));
            queries.push(query);
        }
        if queries.is_empty() {
            // All of them say that the service is not offered.
            return Step::Exhausted;
        }
        self.state = State::Hosts { asked, deadline: now + RESOLVE_LIMIT };
        Step::Resolve(queries)
    }

    fn ask_fallback(&mut self, selector: &mut Selector, now: Instant) -> Step {
        let Some((name, transport)) = self.fallback.take() else { return Step::Exhausted };
        let query = selector.query(Query::Addresses(name));
        self.state = State::Hosts {
            asked: vec![(query.0, transport, transport.default_port(), None)],
            deadline: now + RESOLVE_LIMIT,
        };
        Step::Resolve(vec![query])
    }

    fn hosts_known(&mut self, selector: &mut Selector, now: Instant) -> Step {
        let State::Hosts { asked, .. } = std::mem::replace(&mut self.state, State::Over) else { return Step::Wait };
        let mut candidates: Vec<Candidate> = Vec::new();
        for (_, transport, port, answer) in asked {
            let Some(Answer::Addresses(addresses)) = answer else { continue };
            let addresses =
                addresses.into_iter().filter(|ip| selector.reaches(self.listener, transport, *ip)).collect();
            for ip in selector.rotated(addresses) {
                let candidate = Candidate { transport, remote: SocketAddr::new(ip, port) };
                if !candidates.contains(&candidate) && candidates.len() < MOST_CANDIDATES {
                    candidates.push(candidate);
                }
            }
        }
        self.try_next(selector, candidates, now)
    }

    /// The first that is not grey; when all are, the one that is soonest white again.
    fn try_next(&mut self, selector: &mut Selector, mut others: Vec<Candidate>, now: Instant) -> Step {
        others.retain(|candidate| !self.avoid.contains(candidate));
        if others.is_empty() {
            self.state = State::Over;
            return Step::Exhausted;
        }
        let mut chosen = 0;
        if self.policy.grey_list && others.len() > 1 {
            let until = |candidate: &Candidate| selector.grey.until(candidate, now);
            let best = others.iter().enumerate().min_by_key(|(_, candidate)| until(candidate));
            let best = best.map_or(0, |(at, _)| at);
            // In a call that is run again there may be fewer.
            chosen = (selector.rng.shared(best as u64) as usize).min(others.len() - 1);
        }
        let current = others.remove(chosen);
        let patience = if others.is_empty() { self.policy.last_try } else { self.policy.per_try };
        self.state = State::Trying { current, deadline: Some(now + patience), heard: None, others };
        Step::Try(current)
    }
}
