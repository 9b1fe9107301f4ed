//! Who may call, and what becomes of the call: refused, redirected, answered. The call router, the service and the
//! workers ask the same questions in the same order; they differ in where they send the caller on to.

use crate::commands::auto_attendant::{AttendantStatus, AutoAttendant};
use crate::commands::dial_plan::{DialPlan, VoipSecurity};
use crate::commands::ip_gateway::{Gateway, GatewayStatus};
use crate::commands::service::ServiceStatus;
use crate::configuration::{Configuration, pilot_is};
use sip::{Request, Transport};
use std::sync::Arc;

/// Which part of the server a call has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// 5060: knows where the service is.
    Router,
    /// 5062: knows which worker takes calls.
    Service,
    /// 5065, 5067: answers.
    Worker,
}

/// What becomes of an INVITE.
#[derive(Clone, Debug)]
pub(crate) enum Decision {
    Refuse(Refusal),
    /// 302 to another part of this server.
    Redirect {
        to: Stage,
        pilot: String,
    },
    Answer(Accepted),
}

/// A call that may be taken.
#[derive(Clone, Debug)]
pub(crate) struct Accepted {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) plan: Arc<DialPlan>,
    /// None: a hunt group's pilot, which is call answering or voice access.
    pub(crate) attendant: Option<Arc<AutoAttendant>>,
    /// As it was dialled.
    pub(crate) pilot: String,
}

/// Why a call is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    /// For the Warning header and the event.
    pub(crate) warning: String,
    /// Seconds, for statuses that may pass: the PBX moves on to another server.
    pub(crate) retry_after: Option<u32>,
}

impl Refusal {
    pub(crate) fn new(status: u16, warning: impl Into<String>) -> Refusal {
        Refusal { status, warning: warning.into(), retry_after: None }
    }

    pub(crate) fn for_now(status: u16, warning: impl Into<String>, seconds: u32) -> Refusal {
        Refusal { status, warning: warning.into(), retry_after: Some(seconds) }
    }
}

/// How long a PBX should look elsewhere when this server is full or drained.
const RETRY_AFTER_S: u32 = 30;

/// The number that was dialled: the Request-URI's user part, else that of To.
pub(crate) fn dialled(request: &Request) -> String {
    let of_to = || request.to().and_then(|to| to.uri.number());
    request.uri.number().filter(|number| !number.is_empty()).or_else(of_to).unwrap_or_default()
}

/// In this order: is the peer a known gateway, is the pilot one of a hunt group of that gateway (or an auto attendant's
/// of its dial plans), which dial plan follows, is there room.
pub(crate) fn decide(
    configuration: &Configuration,
    gateway: Option<&Arc<Gateway>>,
    request: &Request,
    transport: Transport,
    stage: Stage,
    calls: usize,
) -> Decision {
    match accept(configuration, gateway, request, transport, calls) {
        Err(refusal) => Decision::Refuse(refusal),
        Ok(accepted) => match next(stage, accepted.gateway.redirects) {
            Some(to) => Decision::Redirect { to, pilot: accepted.pilot },
            None => Decision::Answer(accepted),
        },
    }
}

/// Where a call goes on to from here; None: it is answered here. With two redirects as Exchange has it: router, service,
/// worker; with one: router (or service), worker; with none: whoever is called answers.
fn next(stage: Stage, redirects: u32) -> Option<Stage> {
    match (stage, redirects) {
        (Stage::Worker, _) | (_, 0) => None,
        (Stage::Router, 1) | (Stage::Service, _) => Some(Stage::Worker),
        (Stage::Router, _) => Some(Stage::Service),
    }
}

/// Why a gateway's calls should go to another server for now, or nothing.
pub(crate) fn drained(configuration: &Configuration, gateway: &Gateway) -> Option<Refusal> {
    if gateway.status == GatewayStatus::NoNewCalls {
        let warning = format!("UM IP gateway {} takes no new calls", gateway.name);
        return Some(Refusal::for_now(503, warning, RETRY_AFTER_S));
    }
    let maintained = configuration.service.status != ServiceStatus::Enabled;
    maintained.then(|| Refusal::for_now(503, "the server takes no new calls: it is under maintenance", RETRY_AFTER_S))
}

/// The server ends.
pub(crate) fn ending() -> Refusal {
    Refusal::for_now(503, "the server takes no new calls: it is being stopped", RETRY_AFTER_S)
}

fn accept(
    configuration: &Configuration,
    gateway: Option<&Arc<Gateway>>,
    request: &Request,
    transport: Transport,
    calls: usize,
) -> Result<Accepted, Refusal> {
    let gateway = gateway.ok_or_else(|| Refusal::new(403, "not a configured UM IP gateway"))?.clone();
    match gateway.status {
        GatewayStatus::Enabled => {}
        GatewayStatus::Disabled => {
            return Err(Refusal::new(403, format!("UM IP gateway {} is disabled", gateway.name)));
        }
        GatewayStatus::NoNewCalls => return Err(drained(configuration, &gateway).unwrap_or_else(ending)),
    }
    let pilot = dialled(request);
    let (plan, attendant) = plan_of(configuration, &gateway, &pilot)?;
    if let Some(attendant) = &attendant
        && attendant.status == AttendantStatus::Disabled
    {
        return Err(Refusal::new(480, format!("auto attendant {} is disabled", attendant.name)));
    }
    // Fact sheet 1.8: a mode takes its own signalling, neither less nor more.
    match (plan.voip_security, transport) {
        (VoipSecurity::Unsecured, Transport::Tls) => {
            let warning = format!("dial plan {} is Unsecured: it takes calls by TCP or UDP, not over TLS", plan.name);
            return Err(Refusal::new(403, warning));
        }
        (VoipSecurity::SIPSecured | VoipSecurity::Secured, Transport::Tcp | Transport::Udp) => {
            return Err(Refusal::new(403, format!("dial plan {} takes calls over TLS only", plan.name)));
        }
        (VoipSecurity::Unsecured, _) | (_, Transport::Tls) => {}
    }
    if let Some(refusal) = drained(configuration, &gateway) {
        return Err(refusal);
    }
    if calls == usize::MAX {
        return Err(ending());
    }
    if calls >= usize::try_from(configuration.service.max_calls_allowed).unwrap_or(usize::MAX) {
        return Err(Refusal::for_now(503, "the maximum number of calls is reached", RETRY_AFTER_S));
    }
    Ok(Accepted { gateway, plan, attendant, pilot })
}

type PlanAndAttendant = (Arc<DialPlan>, Option<Arc<AutoAttendant>>);

fn plan_of(configuration: &Configuration, gateway: &Gateway, pilot: &str) -> Result<PlanAndAttendant, Refusal> {
    let groups = || configuration.hunt_groups.iter().filter(|group| group.gateway.eq_ignore_ascii_case(&gateway.name));
    let lost = |plan: &str| Refusal::new(404, format!("there is no dial plan {plan}"));
    if let Some(group) = groups().find(|group| group.pilot.as_deref().is_some_and(|theirs| pilot_is(theirs, pilot))) {
        let plan = configuration.dial_plans.get(&group.dial_plan).ok_or_else(|| lost(&group.dial_plan))?;
        return Ok((plan.clone(), None));
    }
    // An auto attendant is reached through every gateway that a hunt group ties to its plan.
    let of_gateway = |plan: &str| groups().any(|group| group.dial_plan.eq_ignore_ascii_case(plan));
    let attendant = configuration.attendants.iter().find(|attendant| {
        of_gateway(&attendant.dial_plan) && attendant.pilot_identifier_list.iter().any(|theirs| pilot_is(theirs, pilot))
    });
    match attendant {
        Some(attendant) => {
            let plan = configuration.dial_plans.get(&attendant.dial_plan).ok_or_else(|| lost(&attendant.dial_plan))?;
            Ok((plan.clone(), Some(attendant.clone())))
        }
        None => {
            let warning = format!("no hunt group of UM IP gateway {} has the pilot {pilot}", gateway.name);
            Err(Refusal::new(404, warning))
        }
    }
}
