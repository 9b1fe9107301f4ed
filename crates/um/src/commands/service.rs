//! UMService and UMCallRouterSettings: settings of this server (fact sheet 2.7).

use super::dial_plan::UriType;
use super::settings::settings;
use super::table::{Cmdlet, Parameter};
use super::value::{Any, Length, Range, choices};
use super::{Answer, Command, CommandError, Outcome};
use crate::configuration::Configuration;

choices! {
    /// Whether the server takes calls.
    ServiceStatus {
        Enabled,
        /// New calls are refused with 503; those in progress were cut off when it was disabled at once.
        Disabled,
        /// Calls in progress go on, new ones are refused (drain).
        NoNewCalls,
    }
}
choices! {
    /// Which transports are listened on.
    StartupMode { TCP, TLS, Dual }
}
choices! {
    /// Which addresses are used.
    Family { IPv4Only, IPv6Only, Any }
}

settings! {
    /// What Set-UMService changes.
    ServiceSettings, ServiceChanges {
        "MaxCallsAllowed" max_calls_allowed: u32 = 100, Range(0, 10_000), "Calls at once; more are refused with 503. (Exchange's limit is 200.)";
        "Status" status: ServiceStatus = ServiceStatus::Enabled, Any, "Whether calls are taken; for maintenance.";
        "ActiveWorker" active_worker: u32 = 1, Range(1, 2), "Which of the two workers takes new calls (um.toml has their ports: 5065 and 5067); those in progress stay where they are.";
        "DialPlans" dial_plans: Vec<String> = Vec::new(), Length(64), "SipName dial plans that the server is trusted for.", idle, plans;
        "UMStartupMode" um_startup_mode: StartupMode = StartupMode::TCP, Any, "Which transports are listened on; um.toml says it for now.", idle;
        "IPAddressFamily" ip_address_family: Family = Family::Any, Any, "Which addresses are used; um.toml says it for now.", idle;
        "GrammarGenerationSchedule" grammar_generation_schedule: Vec<String> = Vec::new(), Length(64), "When names are prepared for speech; none: daily, 2:00 to 2:30.", idle;
        "SIPAccessService" sip_access_service: Option<String> = None, Length(255), "The nearest SIP access service, as HOST:PORT.", idle;
        "IrmLogEnabled" irm_log_enabled: bool = true, Any, "Whether protected messages are logged.", idle;
        "IrmLogMaxAge" irm_log_max_age: u32 = 30, Range(0, 3650), "Days that such logs are kept.", idle;
        "IrmLogMaxDirectorySize" irm_log_max_directory_size: u32 = 250, Range(0, 1_000_000), "Megabytes of all such logs.", idle;
        "IrmLogMaxFileSize" irm_log_max_file_size: u32 = 10, Range(0, 1_000_000), "Megabytes of one.", idle;
        "IrmLogPath" irm_log_path: Option<String> = None, Length(255), "Where they are.", idle;
    }
}

settings! {
    /// What Set-UMCallRouterSettings changes.
    RouterSettings, RouterChanges {
        "SipTcpListeningPort" sip_tcp_listening_port: u32 = 5060, Range(0, 65_535), "The router's TCP port; um.toml says it for now.", idle;
        "SipTlsListeningPort" sip_tls_listening_port: u32 = 5061, Range(0, 65_535), "The router's TLS port; um.toml says it for now.", idle;
        "UMStartupMode" um_startup_mode: StartupMode = StartupMode::TCP, Any, "Which transports the router listens on.", idle;
        "IPAddressFamily" ip_address_family: Family = Family::Any, Any, "Which addresses the router uses.", idle;
        "MaxCallsAllowed" max_calls_allowed: Option<u32> = None, Range(0, 10_000), "Obsolete: the service's limit holds.", idle;
        "DialPlans" dial_plans: Vec<String> = Vec::new(), Length(64), "SipName dial plans that the router is trusted for.", idle, plans;
        "UMPodRedirectTemplate" um_pod_redirect_template: Option<String> = None, Length(255), "The host that redirects name, in hosted pods.", idle;
    }
}

pub(super) fn cmdlets() -> Vec<Cmdlet> {
    let this = |name| vec![Parameter::of::<String>(name, "This server; may be left out.").written("a text")];
    let immediate = Parameter::of::<bool>("Immediate", "Cut calls off. Else they go on, and new ones are refused.");
    vec![
        Cmdlet::new("Get-UMService", "Shows the settings of this server.", this("Identity")).alias(&["Get-UMServer"]),
        Cmdlet::new("Set-UMService", "Changes the settings of this server.", this("Identity"))
            .and(ServiceChanges::parameters())
            .alias(&["Set-UMServer"]),
        Cmdlet::new("Enable-UMService", "Takes calls again.", this("Identity")).alias(&["Enable-UMServer"]),
        Cmdlet::new("Disable-UMService", "Takes no more calls, for maintenance.", this("Identity"))
            .and(vec![immediate.by_default("False")])
            .alias(&["Disable-UMServer"])
            .note("Calls are refused with 503, so that a PBX with a second server goes there. Status becomes Disabled with -Immediate, else NoNewCalls.")
            .asks(),
        Cmdlet::new("Get-UMCallRouterSettings", "Shows the settings of the call router.", this("Server")),
        Cmdlet::new("Set-UMCallRouterSettings", "Changes the settings of the call router.", this("Server"))
            .and(RouterChanges::parameters()),
    ]
}

pub(super) fn commands(configuration: &Configuration) -> Vec<Command> {
    let service = configuration.service.changes_from(&ServiceSettings::default());
    let router = configuration.router.changes_from(&RouterSettings::default());
    let mut commands = Vec::new();
    if service != ServiceChanges::default() {
        commands.push(Command::SetService { identity: None, changes: Box::new(service) });
    }
    if router != RouterChanges::default() {
        commands.push(Command::SetRouter { server: None, changes: Box::new(router) });
    }
    commands
}

pub(super) fn set(configuration: &mut Configuration, changes: ServiceChanges) -> Outcome {
    let mut service = configuration.service.clone();
    service.apply(changes)?;
    check_plans(configuration, &service.dial_plans)?;
    let mut stored = Vec::new();
    configuration.put_service(service, &mut stored);
    Ok((Answer::Done(()), stored))
}

pub(super) fn set_status(configuration: &mut Configuration, status: ServiceStatus) -> Outcome {
    set(configuration, ServiceChanges { status: Some(status), ..ServiceChanges::default() })
}

pub(super) fn set_router(configuration: &mut Configuration, changes: RouterChanges) -> Outcome {
    let mut router = configuration.router.clone();
    router.apply(changes)?;
    check_plans(configuration, &router.dial_plans)?;
    let mut stored = Vec::new();
    configuration.put_router(router, &mut stored);
    Ok((Answer::Done(()), stored))
}

/// As Exchange has it: every server serves all other plans, so naming one is an error.
fn check_plans(configuration: &Configuration, plans: &[String]) -> Result<(), CommandError> {
    for plan in plans {
        if configuration.dial_plans.require("DialPlans", plan)?.uri_type != UriType::SipName {
            let mend = format!("{plan:?} is no SipName dial plan: every server serves it anyway");
            return Err(CommandError::bad("DialPlans", mend));
        }
    }
    Ok(())
}
