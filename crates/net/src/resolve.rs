//! Look-ups by hickory-resolver. All that Earcon knows of that crate is in this file: its interface moves.

use crate::Dns;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RData;
use sip::target::{Answer, Query, SrvRecord};
use std::net::SocketAddr;
use std::time::Duration;

/// Asks the name servers; without any (no /etc/resolv.conf), every answer is "failed".
pub(crate) struct Resolver {
    inner: Option<TokioResolver>,
}

impl Resolver {
    pub fn new(dns: &Dns) -> Resolver {
        let builder = match dns {
            Dns::System => TokioResolver::builder_tokio(),
            Dns::Servers(servers) => {
                let servers = servers.iter().copied().map(name_server).collect();
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
        Resolver { inner: inner.ok() }
    }

    pub async fn ask(&self, question: &Query) -> Answer {
        let Some(resolver) = &self.inner else { return Answer::Failed };
        match question {
            Query::Srv(name) => match resolver.srv_lookup(rooted(name)).await {
                Ok(found) => Answer::Srv(found.answers().iter().filter_map(|record| srv(&record.data)).collect()),
                Err(_) => Answer::Failed,
            },
            Query::Addresses(name) => match resolver.lookup_ip(rooted(name)).await {
                Ok(found) => Answer::Addresses(found.iter().collect()),
                Err(_) => Answer::Failed,
            },
        }
    }
}

/// With the final dot: no search list is tried.
fn rooted(name: &str) -> String {
    format!("{}.", name.trim_end_matches('.'))
}

fn name_server(server: SocketAddr) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = server.port();
        connection
    });
    NameServerConfig::new(server.ip(), true, connections.into())
}

fn adjust(options: &mut ResolverOpts) {
    options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    // A caller waits: 2 s, twice, is what a call can stand.
    options.timeout = Duration::from_secs(2);
    options.attempts = 2;
    // A name that was missing a moment ago may be there now: mended zones work at once.
    options.negative_max_ttl = Some(Duration::from_secs(5));
}

fn srv(data: &RData) -> Option<SrvRecord> {
    let RData::SRV(srv) = data else { return None };
    Some(SrvRecord { priority: srv.priority, weight: srv.weight, port: srv.port, target: srv.target.to_utf8() })
}
