//! The servers behind a route's name: the one that a call was sent to may redirect it (302) and die then, or its worker
//! may. The call goes back to the others (RFC 3263 4.3 goes on beyond the first hop).

use super::call::{Call, PartyKind};
use super::redirect::Redirects;
use super::setup::Fork;
use super::{Role, Scene};
use event::Event;
use sip::endpoint::OutgoingCall;
use sip::flow::Flow;
use sip::target::Candidate;

/// Where a fork may go back to.
#[derive(Clone, Debug)]
pub(crate) struct Servers {
    /// As it was before any redirect.
    plan: OutgoingCall,
    /// Servers that redirected it, the last one latest.
    tried: Vec<Candidate>,
    /// How many there are that were not tried.
    left: usize,
}

impl Servers {
    /// A server has redirected: where it is, and how many others there are.
    pub fn redirected(fork: &mut Fork, flow: Option<&Flow>, others: usize) {
        // Only the first hop is the name's; what follows is the server's own business.
        if fork.redirects.is_under_way() {
            return;
        }
        let Some(flow) = flow else { return };
        let tried = Candidate { transport: flow.transport, remote: flow.remote };
        match &mut fork.servers {
            Some(servers) => {
                servers.tried.push(tried);
                servers.left = others;
            }
            None => fork.servers = Some(Servers { plan: fork.plan.clone(), tried: vec![tried], left: others }),
        }
    }

    /// Whether others are left.
    pub fn has_others(&self) -> bool {
        self.left > 0
    }
}

impl Call {
    /// Where a redirect led is nobody who can take the call: the next server of the name is asked, and the one that led
    /// there passed over for a while. Gives the fork back when there is no other.
    pub(super) fn next_server(&mut self, scene: &mut Scene<'_>, mut fork: Fork) -> Option<Fork> {
        let PartyKind::Route(route) = fork.leg.party.kind else { return Some(fork) };
        let Some(servers) = fork.servers.as_ref().filter(|servers| servers.has_others()) else { return Some(fork) };
        if !fork.redirects.is_under_way() {
            return Some(fork);
        }
        let now = scene.now.instant;
        let policy = servers.plan.policy;
        if let Some(last) = servers.tried.last().filter(|_| policy.grey_list) {
            scene.core.endpoint.distrust(*last, policy.grey_for, now);
        }
        let (mut plan, tried) = (servers.plan.clone(), servers.tried.clone());
        plan.call_id.clone_from(&fork.plan.call_id);
        plan.avoid = tried;
        let Ok(dialog) = scene.core.endpoint.invite(plan.clone(), now) else { return Some(fork) };
        fork.redirects = Redirects::starting(&plan.request_uri);
        fork.plan = plan;
        fork.leg.dialog = dialog;
        scene.index.insert(dialog, self.id, Role::Fork, &fork.leg.party);
        scene.core.emit(scene.now, Event::CallRetried { call: self.id, route });
        if let Some(setup) = &mut self.setup {
            setup.forks.push(fork);
        }
        None
    }
}
