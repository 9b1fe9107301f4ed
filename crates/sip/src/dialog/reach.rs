//! Where requests within a dialog go: to where Route or Contact say, or back by the flow that the peer spoke on.

use std::net::IpAddr;

use super::Dialog;
use crate::flow::{Flow, Transport};
use crate::message::{Name, Request, Uri, Via};

/// Where a request goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reach<'a> {
    /// By this flow; when its connection is gone, by the URI.
    Flow(&'a Flow, &'a Uri),
    /// To where this URI leads (RFC 3263).
    Uri(&'a Uri),
}

pub(super) fn reach(dialog: &Dialog) -> Reach<'_> {
    // RFC 3261 12.2.1.1: the first route, else the target, is the next hop.
    let next = dialog.routes.first().map_or(&dialog.remote_target, |route| &route.uri);
    let flow = &dialog.flow;
    if dialog.routes.is_empty() && dialog.pinned {
        return Reach::Flow(flow, next);
    }
    // The peer wants its requests by another transport than it used.
    // RFC 3261 26.2.2: whatever a sips URI says, it is by TLS.
    let wanted = if next.is_sips() { Some(Transport::Tls) } else { next.transport() };
    if wanted.is_some_and(|transport| transport != flow.transport) {
        return Reach::Uri(next);
    }
    match next.host.ip() {
        // The connection that is there already leads to this host.
        Some(ip) if ip == flow.remote.ip() && flow.connection.is_some() => Reach::Flow(flow, next),
        Some(ip)
            if ip == flow.remote.ip() && next.port.unwrap_or(flow.transport.default_port()) == flow.remote.port() =>
        {
            Reach::Flow(flow, next)
        }
        // A private address behind a public one is a peer that does not know of its NAT.
        Some(ip) if dialog.routes.is_empty() && is_private(ip) && !is_private(flow.remote.ip()) => {
            Reach::Flow(flow, next)
        }
        _ => Reach::Uri(next),
    }
}

/// Whether the sender of a request can only be reached by the flow that it came in on: it came without proxies, and
/// from elsewhere than its Via or Contact say.
pub fn is_behind_nat(request: &Request, contact: &Uri, flow: &Flow) -> bool {
    if request.headers.values(&Name::Via).nth(1).is_some() || request.headers.has(&Name::RecordRoute) {
        return false;
    }
    let Some(via) = request.headers.sound::<Via>() else { return false };
    match contact.host.ip() {
        // A name that only the peer's own network may know; the flow is known to work.
        None => true,
        Some(ip) if ip != flow.remote.ip() => via.host.ip() != Some(flow.remote.ip()),
        Some(_) => {
            let says = via.port.unwrap_or(flow.transport.default_port());
            flow.connection.is_none() && says != flow.remote.port()
        }
    }
}

/// Addresses that mean something only within one network (RFC 1918, 6598, 3927, 4193).
fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let shared = ip.octets()[0] == 100 && ip.octets()[1] & 0xc0 == 64;
            ip.is_private() || ip.is_loopback() || ip.is_link_local() || shared || ip.is_unspecified()
        }
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unspecified() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}
