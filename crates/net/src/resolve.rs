//! Look-ups: by hickory-resolver, whose cache keeps to the records' lifetimes, and bridged by the last good answer where it
//! fails. All that Earcon's roles know of that crate is in this file: its interface moves.

use crate::Dns;
use crate::last_good::{Bridge, LastGood};
use event::{Event, Now, Sink};
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RData;
use sip::target::{Answer, Query, SrvRecord};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// How long a caller waits for an answer to a question that was answered before: after that the former one is used (RFC
/// 8767 5, the client response timer; 1.8 s there, for web pages).
const BRIDGE_AFTER: Duration = Duration::from_millis(500);
/// How long a look-up may take altogether, over all tries and CNAMEs.
const LONGEST: Duration = Duration::from_secs(8);
/// Records that are taken of one answer; the rest is left out.
const MOST_RECORDS: usize = 32;
/// How often a name's trouble is told of at most.
const TELL_EVERY: Duration = Duration::from_secs(30);

/// Asks the name servers; without any (no /etc/resolv.conf), every answer is "failed".
pub(crate) struct Resolver {
    inner: Option<TokioResolver>,
    by: String,
    events: Option<Arc<dyn Sink>>,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    last_good: LastGood,
    /// What was told last, and when: one name that does not resolve must not fill the log.
    told: Option<(String, Instant)>,
}

/// Why there is no answer.
enum Trouble {
    /// The DNS says that there is nothing of this name.
    Nothing,
    /// Nobody answered, or the answer is none: in a few words.
    Failed(String),
}

impl Resolver {
    /// `own` is the role's address: it asks from there, like everything else that it does. `by` and `events`: who is told
    /// of names that can't be looked up, and in whose name.
    pub fn new(dns: &Dns, own: Option<IpAddr>, by: String, events: Option<Arc<dyn Sink>>) -> Resolver {
        let builder = match dns {
            Dns::System => TokioResolver::builder_tokio(),
            Dns::Servers(servers) => {
                let servers = servers.iter().map(|server| name_server(*server, own)).collect();
                let config = ResolverConfig::from_parts(None, Vec::new(), servers);
                Ok(TokioResolver::builder_with_config(config, TokioRuntimeProvider::default()))
            }
        };
        let inner = builder.and_then(|mut builder| {
            adjust(builder.options_mut());
            builder.build()
        });
        if let Err(error) = &inner {
            tracing::warn!("names can't be looked up: {error}");
        }
        Resolver { inner: inner.ok(), by, events, memory: Mutex::default() }
    }

    /// Answers within [`LONGEST`], and within [`BRIDGE_AFTER`] what it has answered before.
    pub async fn ask(self: &Arc<Self>, question: Query) -> Answer {
        let known = self.memory().last_good.find(&question, Instant::now());
        if let Some(known) = known.as_ref().filter(|known| known.failing && !known.due) {
            return self.bridge(&question, known);
        }
        let (resolver, asked) = (self.clone(), question.clone());
        // On its own: when it takes long, the next caller may find what it found.
        let mut look_up = tokio::spawn(async move { resolver.look_up(&asked).await });
        let Some(known) = known else { return look_up.await.unwrap_or(Answer::Failed) };
        let patience = if known.failing { Duration::ZERO } else { BRIDGE_AFTER };
        match timeout(patience, &mut look_up).await {
            Ok(Ok(answer)) if answer != Answer::Failed => answer,
            // What the DNS has refuted is forgotten, and not bridged.
            _ => match self.memory().last_good.find(&question, Instant::now()) {
                Some(known) => self.bridge(&question, &known),
                None => Answer::Failed,
            },
        }
    }

    fn bridge(&self, question: &Query, known: &Bridge) -> Answer {
        let name = name_of(question).to_owned();
        self.tell(Event::NameBridged { by: self.by.clone(), name: name.clone(), age_s: known.age.as_secs() }, name);
        known.answer.clone()
    }

    /// Asks, and remembers what came of it.
    async fn look_up(&self, question: &Query) -> Answer {
        let found = match timeout(LONGEST, self.look_up_now(question)).await {
            Ok(found) => found,
            Err(_) => Err(Trouble::Failed(format!("no answer in {} s", LONGEST.as_secs()))),
        };
        let now = Instant::now();
        match found {
            Ok(answer) => {
                let answer = self.within_bounds(question, answer);
                self.memory().last_good.answered(question, &answer, now);
                answer
            }
            Err(Trouble::Nothing) => {
                self.memory().last_good.refuted(question);
                // That a domain has no SRV records is nothing to tell of (RFC 3263 4.2).
                if let Query::Addresses(name) = question {
                    self.tell_failure(name, "there is no such name, or it has no address".to_owned());
                }
                Answer::Failed
            }
            Err(Trouble::Failed(reason)) => {
                self.memory().last_good.failed(question, now);
                self.tell_failure(name_of(question), reason);
                Answer::Failed
            }
        }
    }

    async fn look_up_now(&self, question: &Query) -> Result<Answer, Trouble> {
        let Some(resolver) = &self.inner else { return Err(Trouble::Failed("there is no name server".into())) };
        match question {
            Query::Srv(name) => {
                let found = resolver.srv_lookup(rooted(name)).await.map_err(trouble)?;
                let mut records: Vec<SrvRecord> =
                    found.answers().iter().filter_map(|record| srv(&record.data)).collect();
                // What is cut off is what would be tried last.
                records.sort_by_key(|record| record.priority);
                Ok(Answer::Srv(records))
            }
            Query::Addresses(name) => {
                let found = resolver.lookup_ip(rooted(name)).await.map_err(trouble)?;
                Ok(Answer::Addresses(found.iter().collect()))
            }
        }
    }

    fn within_bounds(&self, question: &Query, mut answer: Answer) -> Answer {
        let records = match &mut answer {
            Answer::Srv(records) => (records.len(), records.truncate(MOST_RECORDS)).0,
            Answer::Addresses(addresses) => (addresses.len(), addresses.truncate(MOST_RECORDS)).0,
            Answer::Failed => 0,
        };
        if records > MOST_RECORDS {
            let name = name_of(question).to_owned();
            self.tell(Event::NameCut { by: self.by.clone(), name: name.clone(), records, used: MOST_RECORDS }, name);
        }
        answer
    }

    fn tell_failure(&self, name: &str, reason: String) {
        self.tell(
            Event::NameNotResolved { by: self.by.clone(), name: name.to_owned(), reason: reason.clone() },
            format!("{name} {reason}"),
        );
    }

    /// Tells of something, unless the same was told a moment ago.
    fn tell(&self, event: Event, what: String) {
        let Some(events) = &self.events else { return };
        let now = Now::read();
        let mut memory = self.memory();
        let what = format!("{} {what}", event.name());
        let told = memory.told.as_ref().filter(|(told, _)| *told == what);
        if told.is_none_or(|(_, at)| now.instant.saturating_duration_since(*at) >= TELL_EVERY) {
            memory.told = Some((what, now.instant));
            drop(memory);
            events.emit(now, event);
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        // Nothing that runs under the lock can leave it at odds.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn name_of(question: &Query) -> &str {
    let (Query::Srv(name) | Query::Addresses(name)) = question;
    name
}

fn trouble(error: NetError) -> Trouble {
    if error.is_no_records_found() { Trouble::Nothing } else { Trouble::Failed(error.to_string()) }
}

/// With the final dot: no search list is tried.
fn rooted(name: &str) -> String {
    format!("{}.", name.trim_end_matches('.'))
}

fn name_server(server: SocketAddr, own: Option<IpAddr>) -> NameServerConfig {
    // A loopback address reaches loopback servers only, and no other address does reach those of another family.
    let own = own.filter(|own| own.is_loopback() == server.ip().is_loopback() && own.is_ipv4() == server.is_ipv4());
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = server.port();
        connection.bind_addr = own.map(|own| SocketAddr::new(own, 0));
        connection
    });
    NameServerConfig::new(server.ip(), true, connections.into())
}

fn adjust(options: &mut ResolverOpts) {
    options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    // A caller waits: 2 s, twice, is what a call can stand.
    options.timeout = Duration::from_secs(2);
    options.attempts = 2;
    // RFC 8767 4: a record that claims to live for years is a slip, or a lie.
    options.positive_max_ttl = Some(Duration::from_secs(24 * 3600));
    // A name that was missing a moment ago may be there now: mended zones work at once.
    options.negative_max_ttl = Some(Duration::from_secs(5));
}

fn srv(data: &RData) -> Option<SrvRecord> {
    let RData::SRV(srv) = data else { return None };
    Some(SrvRecord { priority: srv.priority, weight: srv.weight, port: srv.port, target: srv.target.to_utf8() })
}
