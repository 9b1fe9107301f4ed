//! The parts of the server, each a SIP entity with transactions of its own: a peer that repeats Call-ID and CSeq on each
//! of them sends no merged request (RFC 3261 8.2.2.2).

use crate::router::Stage;
use crate::service::Addresses;
use net::SipInput;
use sip::Chance;
use sip::endpoint::{Endpoint, EndpointConfig};
use sip::flow::{Listener, ListenerId};
use sip::target::{Answer, QueryId};
use sip::transaction::Timers;
use sip::{Method, Text};
use std::time::Instant;

/// One part.
pub struct Hop {
    pub(crate) stage: Stage,
    pub(crate) listener: ListenerId,
    pub(crate) endpoint: Endpoint,
}

/// Ids of different endpoints are told apart by their highest byte.
const SHIFT: u32 = 56;
/// In the place of an endpoint: the server's own look-ups.
const OWN: u64 = 0xff;

pub(crate) fn join(hop: usize, id: u64) -> u64 {
    (u64::try_from(hop).unwrap_or(OWN) << SHIFT) | (id & ((1 << SHIFT) - 1))
}

pub(crate) fn split(id: u64) -> Option<(usize, u64)> {
    let hop = usize::try_from(id >> SHIFT).ok()?;
    Some((hop, id & ((1 << SHIFT) - 1)))
}

pub(crate) fn own_query(number: u64) -> QueryId {
    QueryId((OWN << SHIFT) | number)
}

/// Router, service, workers; parts without a listener are left out.
pub(crate) fn hops(addresses: &Addresses, user_agent: &str, timers: Timers, chance: &mut Chance) -> Vec<Hop> {
    let workers = addresses.workers.iter().map(|listeners| (Stage::Worker, listeners));
    [(Stage::Router, &addresses.router), (Stage::Service, &addresses.service)]
        .into_iter()
        .chain(workers)
        .filter_map(|(stage, listeners)| hop(stage, listeners, user_agent, timers, chance))
        .collect()
}

/// Hands what came by SIP to the part that it is for. Gives back what the DNS said to the server itself.
pub(crate) fn hand(hops: &mut [Hop], input: SipInput, now: Instant) -> Option<(QueryId, Answer)> {
    match input {
        SipInput::Received { message, flow, .. } => {
            if let Some(hop) = hops.iter_mut().find(|hop| hop.listener == flow.listener) {
                hop.endpoint.receive(message, flow, now);
            }
        }
        SipInput::TransmitFailed { id, error } => {
            if let Some((hop, id)) = split(id)
                && let Some(hop) = hops.get_mut(hop)
            {
                hop.endpoint.transmit_failed(id, error, now);
            }
        }
        SipInput::FlowClosed(flow) => {
            if let Some(hop) = hops.iter_mut().find(|hop| hop.listener == flow.listener) {
                hop.endpoint.flow_closed(&flow, now);
            }
        }
        SipInput::Resolved { query, answer } => match split(query.0) {
            Some((hop, id)) if hop < hops.len() => {
                if let Some(hop) = hops.get_mut(hop) {
                    hop.endpoint.resolved(QueryId(id), answer, now);
                }
            }
            _ => return Some((query, answer)),
        },
    }
    None
}

fn hop(stage: Stage, listeners: &[Listener], user_agent: &str, timers: Timers, chance: &mut Chance) -> Option<Hop> {
    let listener = listeners.first()?.id;
    let mut config = EndpointConfig::new(listeners.to_vec(), Text::from(user_agent));
    // Those of a UM server: it is nobody's registrar, and only itself asks for transfers and subscriptions.
    config
        .allow
        .retain(|method| !matches!(method, Method::Refer | Method::Subscribe | Method::Message | Method::Register));
    // A stranger is told 403, not what a gateway could ask for.
    config.refuses_itself = true;
    config.timers = timers;
    // Strangers are refused at once, and gateways are exempt from per-source caps: MaxCallsAllowed is the cap.
    config.limits.unanswered_per_source = usize::MAX;
    config.limits.calls = 20_000;
    Some(Hop { stage, listener, endpoint: Endpoint::with_chance(config, chance.child()) })
}
