//! Placing a call of the server's own: which gateway it is offered to, and which one next when that one can't take it.

use super::call::{Beginning, Call, Kind};
use super::identity::CallerId;
use super::outcall::{For, Outcall};
use crate::commands::call_record::ReasonForCall;
use crate::commands::dial_plan::DialPlan;
use crate::commands::ip_gateway::{Gateway, GatewayStatus};
use crate::dialogue::Dialogue;
use crate::router::Stage;
use crate::server::Server;
use crate::server::gateways::patience;
use event::{Event, Now};
use media::MediaCommand;
use rand::RngExt as _;
use sip::endpoint::{Body, CallRef, OutgoingCall};
use sip::{Host, NameAddr, Uri};
use speech::Language;
use std::sync::Arc;
use std::time::Duration;

/// A call to place.
pub(crate) struct Placing {
    pub(crate) waits: For,
    pub(crate) kind: Kind,
    /// As it is dialled.
    pub(crate) number: String,
    pub(crate) rings: Duration,
    /// Asked first, unless it was silent a moment ago.
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) plan: Arc<DialPlan>,
    /// Who is said to call, in From.
    pub(crate) from: CallerId,
    pub(crate) language: Language,
    /// What whoever answers talks with; `None`: the caller who waits.
    pub(crate) dialogue: Option<Dialogue>,
}

/// Why a call could not even be placed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PlaceError {
    /// OutcallsAllowed is off, or the gateway is disabled.
    #[error("no gateway takes calls from this server: OutcallsAllowed, Status")]
    NoGateway,
    /// No media port, no room for another call, or the gateway's address is no host.
    #[error("no call can be placed at the moment: {0}")]
    NotNow(String),
}

/// What an INVITE says, whichever gateway it goes to.
struct Invitation<'a> {
    to: &'a str,
    from: &'a CallerId,
    offer: &'a sdp::Session,
}

impl Server {
    /// The gateways of the plan that calls may be placed through.
    fn gateways_for(&self, plan: &DialPlan) -> Vec<Arc<Gateway>> {
        let groups =
            self.configuration.hunt_groups.iter().filter(|group| group.dial_plan.eq_ignore_ascii_case(&plan.name));
        let mut gateways: Vec<Arc<Gateway>> = Vec::new();
        for gateway in groups.filter_map(|group| self.configuration.gateways.get(&group.gateway)) {
            if takes_calls(gateway) && !gateways.iter().any(|other| other.name == gateway.name) {
                gateways.push(gateway.clone());
            }
        }
        gateways
    }

    /// The one that a call of the server's own is for, unless it is silent: that is looked at when the call is placed.
    pub(crate) fn gateway_for(&self, plan: &DialPlan) -> Option<Arc<Gateway>> {
        self.gateways_for(plan).into_iter().next()
    }

    /// The gateway that a call goes to now, and whether it is the last that is left; not to those that were tried.
    fn choose(
        &self,
        plan: &DialPlan,
        preferred: &Arc<Gateway>,
        tried: &[String],
        now: Now,
    ) -> Option<(Arc<Gateway>, bool)> {
        let others = self.gateways_for(plan).into_iter().filter(|other| other.name != preferred.name);
        let all = Some(preferred.clone()).filter(|gateway| takes_calls(gateway)).into_iter().chain(others);
        let left: Vec<Arc<Gateway>> = all.filter(|gateway| !tried.contains(&gateway.name)).collect();
        let first = left.first()?.clone();
        let name = self.in_order(left.clone(), now.instant).first().map(|gateway| gateway.name.clone());
        // Other calls have found out who is silent: what this one sees of it is written down with it.
        let at = left.iter().position(|gateway| Some(&gateway.name) == name.as_ref()).unwrap_or_default();
        let at = usize::try_from(self.random.shared(at as u64)).unwrap_or_default();
        Some((left.get(at).cloned().unwrap_or(first), left.len() == 1))
    }

    /// Sends the INVITE. The number is that of the call.
    pub(crate) fn place(&mut self, placing: Placing, now: Now) -> Result<u64, PlaceError> {
        let Placing { waits, kind, number: to, rings, gateway, plan, from, language, dialogue } = placing;
        let (gateway, last) = self.choose(&plan, &gateway, &[], now).ok_or(PlaceError::NoGateway)?;
        let caller = waits.caller().and_then(|caller| self.calls.get(&caller)).map(|call| call.hop);
        let hop = caller.or_else(|| self.hops.iter().position(|hop| hop.stage == Stage::Worker)).unwrap_or(0);
        let (session, address) = self.media.open().map_err(|error| PlaceError::NotNow(error.to_string()))?;
        let mut local = sdp::Local::new(address.ip(), address.port(), self.random.random::<u64>() >> 2);
        local.security = self.security(&plan);
        let description = sdp::offer(&local);
        let invitation = Invitation { to: &to, from: &from, offer: &description };
        let leg = match self.invite(hop, &invitation, &gateway, last, now) {
            Ok(leg) => leg,
            Err(error) => {
                self.media.command(MediaCommand::Close { session });
                return Err(error);
            }
        };
        let number = self.next_number();
        let rings_until = Some(now.instant + rings);
        let beginning = Beginning {
            number,
            kind,
            hop,
            leg,
            gateway,
            plan,
            pilot: to,
            caller: from,
            language,
            session,
            local,
            description,
            dialogue,
        };
        let call = Call {
            reason: ReasonForCall::Outbound,
            outcall: Some(Outcall { waits, tried: Vec::new(), rings_until }),
            ..Call::new(beginning, now)
        };
        self.begin(call, now);
        Ok(number)
    }

    fn invite(
        &mut self,
        hop: usize,
        invitation: &Invitation<'_>,
        gateway: &Gateway,
        last: bool,
        now: Now,
    ) -> Result<CallRef, PlaceError> {
        let Invitation { to, from, offer } = invitation;
        let host: Host =
            gateway.address.parse().map_err(|_| PlaceError::NotNow("the gateway's address is no host".into()))?;
        let (transport, port) = self.gateway_way(gateway);
        let uri = Uri::sip(to, host).with_port(port).with_transport(transport);
        let user = from.number.as_deref().unwrap_or("anonymous");
        let mut own = NameAddr::new(Uri::sip(user, self.host.clone()));
        own.display = from.name.as_deref().map(Into::into);
        let hop = self.hops.get_mut(hop).ok_or(PlaceError::NoGateway)?;
        let mut call = OutgoingCall::new(own, NameAddr::new(uri), Some(Body::sdp(offer.to_bytes())), hop.listener);
        call.peer_name = gateway.certificate_name.as_deref().map(Into::into);
        call.policy = patience(last);
        hop.endpoint.invite(call, now.instant).map_err(|error| PlaceError::NotNow(error.to_string()))
    }

    /// Offers a call that its gateway could not take to the next one; false: none is left. Whoever waits hears ringing on.
    pub(super) fn offer_to_next(&mut self, number: u64, now: Now) -> bool {
        let Some(call) = self.calls.get(&number) else { return false };
        let Some(outcall) = call.outcall.as_ref().filter(|outcall| outcall.rings_until.is_some()) else { return false };
        let mut tried = outcall.tried.clone();
        tried.push(call.gateway.name.clone());
        let Some((gateway, last)) = self.choose(&call.plan, &call.gateway, &tried, now) else { return false };
        let (hop, before) = (call.hop, call.leg);
        let (to, from, offer) = (call.pilot.clone(), call.caller.clone(), call.description.clone());
        let Some(offer) = offer else { return false };
        let invitation = Invitation { to: &to, from: &from, offer: &offer };
        let Ok(leg) = self.invite(hop, &invitation, &gateway, last, now) else { return false };
        self.by_leg.remove(&(hop, before));
        self.by_leg.insert((hop, leg), number);
        self.emit(now, Event::UmCallRetried { call: number, gateway: gateway.name.clone() });
        if let Some(call) = self.calls.get_mut(&number) {
            (call.leg, call.gateway) = (leg, gateway);
            if let Some(outcall) = &mut call.outcall {
                outcall.tried = tried;
            }
        }
        true
    }
}

fn takes_calls(gateway: &Gateway) -> bool {
    gateway.outcalls_allowed && gateway.status == GatewayStatus::Enabled
}
