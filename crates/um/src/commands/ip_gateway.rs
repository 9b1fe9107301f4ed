//! UMIPGateway: a PBX that the server takes calls from (fact sheet 2.2), with three settings of our own.

use super::hunt_group::HuntGroup;
use super::settings::settings;
use super::table::{self, Cmdlet, Parameter};
use super::value::{Any, Length, Range, choices};
use super::{Answer, Command, CommandError, Outcome};
use crate::configuration::Configuration;
use serde::{Deserialize, Serialize};
use sip::flow::PeerNames;
use sip::{Text, Transport};

choices! {
    /// Which address family the gateway's name is looked up for.
    AddressFamily { IPv4Only, IPv6Only, Any }
}
choices! {
    /// Whether the gateway's calls are taken.
    GatewayStatus {
        Enabled,
        /// Calls in progress go on, all else is refused.
        Disabled,
        /// Calls in progress go on, new ones are refused (drain).
        NoNewCalls,
    }
}
choices! {
    /// Which of several diversions names the mailbox.
    DiversionChoice {
        /// The party that was dialled first, as Exchange has it.
        First,
        /// The party that diverted last.
        Last,
    }
}

choices! {
    /// How callers are transferred.
    TransferMethod {
        /// The PBX is told to call (REFER), and tells how it went.
        Refer,
        /// This server calls, and stays between both.
        Bridge,
    }
}

/// A gateway. Read settings through `Deref`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gateway {
    #[serde(rename = "Name")]
    pub name: String,
    #[serde(flatten)]
    pub settings: GatewaySettings,
}

impl std::ops::Deref for Gateway {
    type Target = GatewaySettings;
    fn deref(&self) -> &GatewaySettings {
        &self.settings
    }
}

settings! {
    /// What Set-UMIPGateway changes.
    GatewaySettings, GatewayChanges {
        "Address" address: String = String::new(), Length(255), "IP address, or host name.";
        "IPAddressFamily" ip_address_family: AddressFamily = AddressFamily::IPv4Only, Any, "Which addresses a host name is looked up for.", idle;
        "Port" port: u32 = 5060, Range(0, 65_535), "Where requests to the gateway are sent; 0 is 5060. By TLS, 0 and 5060 are 5061.";
        "CertificateName" certificate_name: Option<String> = None, Length(255), "By TLS, the name that its certificate has where Address is an IP address that is not in it.";
        "Status" status: GatewayStatus = GatewayStatus::Enabled, Any, "Whether its calls are taken.";
        "OutcallsAllowed" outcalls_allowed: bool = true, Any, "Whether calls may be placed through it (not: transfers).";
        "MessageWaitingIndicatorAllowed" message_waiting_indicator_allowed: bool = true, Any, "Whether lamps are sent to it.";
        "DelayedSourcePartyInfoEnabled" delayed_source_party_info_enabled: bool = false, Any, "Whether it sends who calls later than the INVITE.", idle;
        "Simulator" simulator: bool = false, Any, "Whether it is a test client.", idle;
        "Redirects" redirects: u32 = 2, Range(0, 2), "How many redirects a call goes through: 2 router and service, 1 router only, 0 answered in place.";
        "DiversionChoice" diversion_choice: DiversionChoice = DiversionChoice::First, Any, "Which of several diversions names the mailbox.";
        "TransferMethod" transfer_method: TransferMethod = TransferMethod::Refer, Any, "How callers are transferred: by REFER, or, where the PBX can't do that, by a call of this server's that it bridges.";
    }
}

const NOUN: &str = "UMIPGateway";

pub(super) fn cmdlets() -> Vec<Cmdlet> {
    let plan = table::dial_plan("Makes a default hunt group without a pilot in that plan too.");
    let immediate = Parameter::of::<bool>("Immediate", "Cut its calls off. Else they go on, and new ones are refused.");
    vec![
        Cmdlet::new("New-UMIPGateway", "Makes known a PBX to take calls from.", vec![table::name(), plan])
            .and(GatewayChanges::parameters())
            .needs("Address"),
        Cmdlet::new("Get-UMIPGateway", "Shows gateways.", table::identity_or_all(NOUN)),
        Cmdlet::new("Set-UMIPGateway", "Changes a gateway.", table::identity(NOUN)).and(GatewayChanges::parameters()),
        Cmdlet::new("Enable-UMIPGateway", "Takes a gateway's calls again.", table::identity(NOUN)),
        Cmdlet::new("Disable-UMIPGateway", "Takes no more calls from a gateway.", table::identity(NOUN))
            .and(vec![immediate.by_default("False")])
            .note("Status becomes Disabled with -Immediate, else NoNewCalls.")
            .asks(),
        Cmdlet::new("Remove-UMIPGateway", "Removes a gateway and its hunt groups.", table::identity(NOUN)).asks(),
    ]
}

/// What makes the gateways anew; hunt groups have commands of their own.
pub(super) fn commands(configuration: &Configuration) -> Vec<Command> {
    let gateways = configuration.gateways.iter().map(|gateway| {
        // Before anything else it has an address.
        let mut changes = gateway.settings.changes_from(&GatewaySettings::default());
        changes.address = Some(gateway.address.clone());
        Command::NewGateway { name: gateway.name.clone(), dial_plan: None, changes: Box::new(changes) }
    });
    gateways.collect()
}

/// Disable-UMIPGateway -Immediate; the calls are the servers'.
pub(super) fn cut_off(configuration: &mut Configuration, identity: &str) -> Outcome {
    let (answer, mut stored) = set_status(configuration, identity, GatewayStatus::Disabled)?;
    configuration.put_cut(identity, &mut stored);
    Ok((answer, stored))
}

/// Enable-UMIPGateway, and Disable-UMIPGateway while calls go on.
pub(super) fn set_status(configuration: &mut Configuration, identity: &str, status: GatewayStatus) -> Outcome {
    set(configuration, identity, GatewayChanges { status: Some(status), ..GatewayChanges::default() })
}

pub(super) fn new(
    configuration: &mut Configuration,
    name: String,
    dial_plan: Option<String>,
    changes: GatewayChanges,
) -> Outcome {
    configuration.gateways.check_new(&name)?;
    let dial_plan = match dial_plan {
        Some(plan) => Some(configuration.dial_plans.require("UMDialPlan", &plan)?.name.clone()),
        None => None,
    };
    if changes.address.is_none() {
        return Err(CommandError::Missing { cmdlet: "New-UMIPGateway".into(), parameter: "Address".into() });
    }
    let mut gateway = Gateway { name, settings: GatewaySettings::default() };
    gateway.settings.apply(changes)?;
    gateway.check(configuration)?;
    let mut stored = Vec::new();
    if let Some(plan) = &dial_plan {
        // As Exchange has it: a gateway made with a plan gets a hunt group without a pilot.
        let group = HuntGroup {
            name: format!("{} Default Hunt Group", gateway.name),
            dial_plan: plan.clone(),
            gateway: gateway.name.clone(),
            pilot: None,
        };
        if configuration.hunt_groups.get(&group.name).is_none() {
            configuration.hunt_groups.put(group, &mut stored);
        }
    }
    configuration.gateways.put(gateway.clone(), &mut stored);
    Ok((Answer::Gateways(vec![gateway]), stored))
}

pub(super) fn set(configuration: &mut Configuration, identity: &str, changes: GatewayChanges) -> Outcome {
    let mut gateway = Gateway::clone(configuration.gateways.require("Identity", identity)?);
    gateway.settings.apply(changes)?;
    gateway.check(configuration)?;
    let mut stored = Vec::new();
    configuration.gateways.put(gateway, &mut stored);
    Ok((Answer::Done(()), stored))
}

pub(super) fn remove(configuration: &mut Configuration, identity: &str) -> Outcome {
    let name = configuration.gateways.require("Identity", identity)?.name.clone();
    let groups: Vec<String> = configuration
        .hunt_groups
        .iter()
        .filter(|group| group.gateway.eq_ignore_ascii_case(&name))
        .map(|group| group.name.clone())
        .collect();
    let mut stored = Vec::new();
    for group in groups {
        configuration.hunt_groups.remove(&group, &mut stored);
    }
    configuration.gateways.remove(&name, &mut stored);
    Ok((Answer::Done(()), stored))
}

impl Gateway {
    fn check(&self, configuration: &Configuration) -> Result<(), CommandError> {
        let host: Result<sip::Host, _> = self.address.parse();
        if host.is_err() {
            return Err(CommandError::bad("Address", "write an IP address or a host name"));
        }
        // The source address tells gateways apart (Exchange logs event 1175 for this).
        let twin = configuration.gateways.iter().find(|other| {
            !other.name.eq_ignore_ascii_case(&self.name) && other.address.eq_ignore_ascii_case(&self.address)
        });
        match twin {
            Some(twin) => Err(CommandError::bad("Address", format!("{:?} has this address already", twin.name))),
            None => Ok(()),
        }
    }

    /// How requests to it go, and to which port: by TLS where the dial plan protects its signalling, and `otherwise` as the
    /// server does. Exchange has 5061 set by hand; who leaves the default means it, too.
    pub(crate) fn way(&self, secure: bool, otherwise: Transport) -> (Transport, u16) {
        match (secure, self.sip_port()) {
            (true, 5060) => (Transport::Tls, Transport::Tls.default_port()),
            (true, port) => (Transport::Tls, port),
            (false, port) => (otherwise, port),
        }
    }

    /// Whom its certificate must be for when it calls: the name that it is known by. Without one it is its address.
    pub(crate) fn peer_names(&self) -> PeerNames {
        let name = self.certificate_name.as_deref().map(Text::from);
        match self.address.parse() {
            Ok(host) => PeerNames::of(&host, name.as_ref()),
            Err(_) => name.into_iter().collect(),
        }
    }

    /// The port that requests are sent to.
    pub fn sip_port(&self) -> u16 {
        u16::try_from(self.port).ok().filter(|port| *port != 0).unwrap_or(5060)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_of_a_protected_dial_plan_is_reached_by_tls_at_its_port_or_at_that_of_tls() {
        let of_port =
            |port| Gateway { name: "MX-ONE".into(), settings: GatewaySettings { port, ..Default::default() } };
        assert_eq!(of_port(5060).way(true, Transport::Tcp), (Transport::Tls, 5061));
        assert_eq!(of_port(5071).way(true, Transport::Tcp), (Transport::Tls, 5071));
        assert_eq!(of_port(5060).way(false, Transport::Tcp), (Transport::Tcp, 5060));
    }
}
