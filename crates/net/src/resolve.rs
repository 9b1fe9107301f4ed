//! Look-ups by hickory-resolver. All that Earcon knows of that crate is in this file: its interface moves.

use crate::Dns;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RData;
use sip::target::{Answer, Query, SrvRecord};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Asks the name servers; without any (no /etc/resolv.conf), every answer is "failed".
pub(crate) struct Resolver {
    inner: Option<TokioResolver>,
}

impl Resolver {
    /// `own` is the role's address: it asks from there, like everything else that it does.
    pub fn new(dns: &Dns, own: Option<IpAddr>) -> Resolver {
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
    // A name that was missing a moment ago may be there now: mended zones work at once.
    options.negative_max_ttl = Some(Duration::from_secs(5));
}

fn srv(data: &RData) -> Option<SrvRecord> {
    let RData::SRV(srv) = data else { return None };
    Some(SrvRecord { priority: srv.priority, weight: srv.weight, port: srv.port, target: srv.target.to_utf8() })
}
