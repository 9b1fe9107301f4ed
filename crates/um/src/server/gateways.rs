//! Which gateway a lamp, or a call of the server's own, is offered to first: those that were silent a moment ago come last.
//! The rules are those of a route towards several servers (docs/failover.md); a gateway takes the place of a server.

use super::Server;
use crate::commands::ip_gateway::Gateway;
use event::{Event, Now};
use sip::endpoint::TargetPolicy;
use sip::target::Candidate;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a gateway that has said 100 to a call, and nothing else, is waited for: longer than a UM server, for a PBX may
/// have to ask a public network first.
const PROGRESS_AFTER: Duration = Duration::from_secs(20);

/// How long a gateway is waited for; `last`: when there is no other.
pub(crate) fn patience(last: bool) -> TargetPolicy {
    let trunk = TargetPolicy::trunk();
    let last_try = if last { trunk.last_try } else { trunk.per_try };
    TargetPolicy { last_try, progress: Some(PROGRESS_AFTER), ..trunk }
}

impl Server {
    /// The gateways as they are to be asked: those that are grey last, of these the one first whose time is over first.
    pub(crate) fn in_order(&self, mut gateways: Vec<Arc<Gateway>>, now: Instant) -> Vec<Arc<Gateway>> {
        if gateways.len() > 1 {
            gateways.sort_by_key(|gateway| self.grey_until(gateway, now));
        }
        gateways
    }

    /// Grey for one part of the server is grey for all. A gateway whose name stands for several nodes is, when all of them are.
    fn grey_until(&self, gateway: &Gateway, now: Instant) -> Option<Instant> {
        let (transport, port) = self.gateway_way(gateway);
        let addresses = self.addresses_of(&gateway.address);
        let candidates = addresses.into_iter().map(|ip| Candidate { transport, remote: SocketAddr::new(ip, port) });
        let candidates: Vec<Candidate> = candidates.collect();
        let of_part = |hop: &super::Hop| {
            candidates.iter().map(|candidate| hop.endpoint.grey_until(candidate, now)).min().flatten()
        };
        self.hops.iter().filter_map(of_part).max()
    }

    /// What the parts of the server have found out about their peers since the last look.
    pub(super) fn tell_of_targets(&mut self, now: Now) {
        for hop in &mut self.hops {
            while let Some(greyed) = hop.endpoint.take_greyed() {
                let (target, seconds) = (greyed.target.remote, greyed.for_.as_secs());
                self.sink.emit(now, Event::TargetGreyListed { by: self.name.clone(), target, seconds });
            }
            while let Some(target) = hop.endpoint.take_recovered() {
                let target = target.remote;
                self.sink.emit(now, Event::TargetAnswersAgain { by: self.name.clone(), target });
            }
        }
    }
}
