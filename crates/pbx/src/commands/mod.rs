//! The node's commands: what a shell line, a REST call and a page button become before anything looks at them.
//!
//! A command is checked in one place, changes everything or nothing, and is answered when the change is durable. The
//! names of the variants and fields are those of the guide's commands; the shells and the REST interface only translate.

mod alarm;
mod answer;
mod auth_code;
mod call_information;
mod call_list;
mod check;
mod destination;
mod diversion;
mod diversion_system;
mod do_not_disturb;
mod error;
mod export;
mod extension;
mod extension_procedure;
mod extension_profile;
mod hunt_group;
mod ip_extension;
mod ip_phone;
mod ip_phone_parameter;
mod license;
mod maintenance;
mod media_encryption;
mod mxone_certificate;
mod name;
mod number;
mod number_data;
mod personal_list;
mod pickup_group;
mod references;
mod route_category;
mod route_data;
mod secret;
mod service_code;
mod sip_route;
mod status;
mod trunk;
mod verb;

pub use alarm::Alarm;
pub use answer::{Answer, Table};
pub use auth_code::{AuthCode, AuthCodeSet};
pub use call_information::{CallInformation, OutputSet};
pub use call_list::{CallList, CallListSet};
pub use destination::{Destination, DestinationSet};
pub use diversion::{Diversion, DiversionSet};
pub use diversion_system::{DiversionSystem, DiversionSystemSet};
pub use do_not_disturb::{DoNotDisturb, DoNotDisturbSet};
pub use error::CommandError;
pub use export::Config;
pub use extension::{Extension, ExtensionSet};
pub use extension_procedure::ExtensionProcedure;
pub use extension_profile::{ExtensionProfile, ExtensionProfileSet};
pub use hunt_group::{HuntGroup, HuntGroupSet};
pub use ip_extension::{IpExtension, IpExtensionSet};
pub use ip_phone::{IpPhone, IpPhoneSet};
pub use ip_phone_parameter::{IpPhoneParameter, IpPhoneParameterSet};
pub use license::LicenseLimit;
pub(crate) use license::used as licences_used;
pub use maintenance::Maintenance;
pub use media_encryption::MediaEncryption;
pub use mxone_certificate::MxoneCertificate;
pub(crate) use mxone_certificate::credentials;
pub use name::{Name, NameSet};
pub use number::Number;
pub use number_data::{NumberData, NumberDataSet};
pub use personal_list::{PersonalList, PersonalListSet};
pub use pickup_group::{PickupGroup, PickupGroupSet};
pub use route_category::{RouteCategory, RouteCategorySet};
pub use route_data::{RouteData, RouteDataSet};
pub use secret::Secret;
pub use service_code::{ServiceCode, ServiceCodeSet};
pub use sip_route::{SipRoute, SipRouteSet};
pub use status::{CallParty, CallStatus, Contact, ExtensionStatus, Lamp, Status};
pub use trunk::{Trunk, TrunkSet};
pub use verb::Verb;

use crate::authentication::Vault;
use crate::configuration::{Configuration, Edit};
use serde::{Deserialize, Serialize};

/// A command to the node. As JSON: `{"command": "call_list", "verb": "initiate", "dir": "27000", ...}`.
///
/// Verbs without parameters have braces: beside the tag of a variant without any serde would take whatever is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// `number_initiate`, `number_end`, `number_print`.
    Number(Number),
    /// `ROCAI`, `ROCAC`, `ROCAE`, `ROCAP`: route category.
    RouteCategory(RouteCategory),
    /// `RODAI`, `RODAC`, `RODAE`, `RODAP`: route data (line type).
    RouteData(RouteData),
    /// `ROEQI`, `ROEQE`, `ROEDP`: trunk individuals.
    Trunk(Trunk),
    /// `RODDI`, `RODDC`, `RODDE`, `RODDP`: external destination to route.
    Destination(Destination),
    /// `sip_route -set | -print | -remove`.
    SipRoute(SipRoute),
    /// `call_list -i | -c | -e | -p`.
    CallList(CallList),
    /// `extension -i | -c | -e | -p`.
    Extension(Extension),
    /// `ip_extension -i | -c | -e | -p`.
    IpExtension(IpExtension),
    /// `ip_phone -i | -c | -e | -p`.
    IpPhone(IpPhone),
    /// `ip_phone_parameter -i | -c | -e | -p`.
    IpPhoneParameter(IpPhoneParameter),
    /// `name -i | -c | -e | -p`.
    Name(Name),
    /// `auth_code -i | -c | -e | -p`.
    AuthCode(AuthCode),
    /// `diversion -i | -c | -e | -p`.
    Diversion(Diversion),
    /// `number_data_initiate`, `number_data_change`, `number_data_end`, `number_data_print`.
    NumberData(NumberData),
    /// `diversion_system -c | -e | -p`.
    DiversionSystem(DiversionSystem),
    /// `media_encryption_enable`, `media_encryption_disable`, `media_encryption_print`.
    MediaEncryption(MediaEncryption),
    /// `mxone_certificate -import | -end | -print`.
    MxoneCertificate(MxoneCertificate),
    /// `maintenance -i | -e | -p`.
    Maintenance(Maintenance),
    /// `license_limit -set | -remove | -print`.
    LicenseLimit(LicenseLimit),
    /// `callinfo_output_set`, `callinfo_status_set`, `callinfo_output_remove`, `callinfo_output_print`.
    CallInformation(CallInformation),
    /// `alarm -p | -e`.
    Alarm(Alarm),
    /// `export`.
    Config(Config),
    /// `do_not_disturb -i | -e | -p`.
    DoNotDisturb(DoNotDisturb),
    /// `personal_list -i | -c | -e | -p`.
    PersonalList(PersonalList),
    /// `hunt_group -i | -c | -e | -p`.
    HuntGroup(HuntGroup),
    /// `pickup_group -i | -c | -e | -p`.
    PickupGroup(PickupGroup),
    /// `extension_profile -i | -c | -e | -p`: common service profiles.
    ExtensionProfile(ExtensionProfile),
    /// `service_code -i | -c | -e | -p`.
    ServiceCode(ServiceCode),
    /// `extension_procedure`.
    ExtensionProcedure(ExtensionProcedure),
    /// What is going on: extensions with registrations and lamps, calls in progress.
    Status(Status),
}

impl Command {
    /// Whether the command only reads.
    pub fn is_query(&self) -> bool {
        matches!(
            self,
            Command::Number(Number::Print { .. })
                | Command::RouteCategory(RouteCategory::Print { .. })
                | Command::RouteData(RouteData::Print { .. })
                | Command::Trunk(Trunk::Print { .. })
                | Command::Destination(Destination::Print { .. })
                | Command::SipRoute(SipRoute::Print { .. })
                | Command::CallList(CallList::Print { .. })
                | Command::Extension(Extension::Print { .. })
                | Command::IpExtension(IpExtension::Print { .. })
                | Command::IpPhone(IpPhone::Print { .. })
                | Command::IpPhoneParameter(IpPhoneParameter::Print { .. })
                | Command::Name(Name::Print { .. })
                | Command::AuthCode(AuthCode::Print { .. })
                | Command::Diversion(Diversion::Print { .. })
                | Command::NumberData(NumberData::Print { .. })
                | Command::DiversionSystem(DiversionSystem::Print {})
                | Command::MediaEncryption(MediaEncryption::Print { .. })
                | Command::Maintenance(Maintenance::Print {})
                | Command::MxoneCertificate(MxoneCertificate::Print {})
                | Command::LicenseLimit(LicenseLimit::Print {})
                | Command::CallInformation(CallInformation::Print {})
                | Command::Alarm(Alarm::Print { .. })
                | Command::Config(Config::Export {})
                | Command::DoNotDisturb(DoNotDisturb::Print { .. })
                | Command::PersonalList(PersonalList::Print { .. })
                | Command::HuntGroup(HuntGroup::Print { .. })
                | Command::PickupGroup(PickupGroup::Print { .. })
                | Command::ExtensionProfile(ExtensionProfile::Print { .. })
                | Command::ServiceCode(ServiceCode::Print { .. })
                | Command::Status(_)
        )
    }

    /// Whether it only changes the configuration, so that a script may hand in many at once.
    pub fn is_edit(&self) -> bool {
        // One by one: whoever adds a family says here which it is.
        match self {
            Command::Number(_)
            | Command::RouteCategory(_)
            | Command::RouteData(_)
            | Command::Trunk(_)
            | Command::Destination(_)
            | Command::SipRoute(_)
            | Command::CallList(_)
            | Command::Extension(_)
            | Command::IpExtension(_)
            | Command::IpPhone(_)
            | Command::IpPhoneParameter(_)
            | Command::Name(_)
            | Command::AuthCode(_)
            | Command::Diversion(_)
            | Command::NumberData(_)
            | Command::DiversionSystem(_)
            | Command::MediaEncryption(_)
            | Command::Maintenance(_)
            | Command::MxoneCertificate(_)
            | Command::LicenseLimit(_)
            | Command::CallInformation(_)
            | Command::DoNotDisturb(_)
            | Command::PersonalList(_)
            | Command::HuntGroup(_)
            | Command::PickupGroup(_)
            | Command::ExtensionProfile(_)
            | Command::ServiceCode(_) => !self.is_query(),
            // These act on the running node, or only tell.
            Command::Alarm(_) | Command::Config(_) | Command::ExtensionProcedure(_) | Command::Status(_) => false,
        }
    }

    /// Whether it must not be shown to those who may not register as anybody.
    pub fn holds_secrets(&self) -> bool {
        match self {
            Command::AuthCode(AuthCode::Initiate(_) | AuthCode::Change(_)) => true,
            Command::IpPhone(IpPhone::Initiate(_) | IpPhone::Change(_)) => true,
            Command::SipRoute(SipRoute::Set(set)) => set.password.is_some(),
            Command::MxoneCertificate(MxoneCertificate::Import { .. }) => true,
            _ => false,
        }
    }
}

/// What a handler returns: the edits to make, and the answer once they are durable.
pub(crate) type Outcome = Result<(Vec<Edit>, Answer), CommandError>;

impl Command {
    /// Checks the command against the configuration. Nothing is changed by it. `None` for what only the running node
    /// knows or does ([`Status`], [`Alarm`], [`ExtensionProcedure`]).
    pub(crate) fn run(self, configuration: &Configuration, vault: &Vault) -> Option<Outcome> {
        Some(match self {
            Command::Number(command) => command.run(configuration),
            Command::RouteCategory(command) => command.run(configuration),
            Command::RouteData(command) => command.run(configuration),
            Command::Trunk(command) => command.run(configuration),
            Command::Destination(command) => command.run(configuration),
            Command::SipRoute(command) => command.run(configuration, vault),
            Command::CallList(command) => command.run(configuration),
            Command::Extension(command) => command.run(configuration),
            Command::IpExtension(command) => command.run(configuration),
            Command::IpPhone(command) => command.run(configuration, vault),
            Command::IpPhoneParameter(command) => command.run(configuration),
            Command::Name(command) => command.run(configuration),
            Command::AuthCode(command) => command.run(configuration, vault),
            Command::Diversion(command) => command.run(configuration),
            Command::Config(Config::Export {}) => Ok((Vec::new(), configuration.script(vault))),
            Command::Config(Config::Restore { commands }) => export::restore(configuration, vault, commands),
            Command::NumberData(command) => command.run(configuration),
            Command::DiversionSystem(command) => command.run(configuration),
            Command::MediaEncryption(command) => command.run(configuration),
            Command::Maintenance(command) => command.run(configuration),
            Command::MxoneCertificate(command) => command.run(configuration, vault),
            Command::LicenseLimit(command) => command.run(configuration),
            Command::CallInformation(command) => command.run(configuration),
            Command::DoNotDisturb(command) => command.run(configuration),
            Command::PersonalList(command) => command.run(configuration),
            Command::HuntGroup(command) => command.run(configuration),
            Command::PickupGroup(command) => command.run(configuration),
            Command::ExtensionProfile(command) => command.run(configuration),
            Command::ServiceCode(command) => command.run(configuration),
            Command::Alarm(_) | Command::ExtensionProcedure(_) | Command::Status(_) => return None,
        })
    }
}

/// Where a command's answer goes. Called once, on the node's thread: it must hand over and return.
pub type Reply = Box<dyn FnOnce(Result<Answer, CommandError>) + Send>;

/// Where the answers of a script's commands go: one each, in order, up to the first that was refused. Called once, on the
/// node's thread.
pub type ScriptReply = Box<dyn FnOnce(Vec<Result<Answer, CommandError>>) + Send>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_as_json_says_which_verb_and_keeps_its_parameters() {
        let set = CallListSet { dir: "27000".into(), position: 1, busy_position: Some(2), ..Default::default() };
        let command = Command::CallList(CallList::Initiate(set));
        let json = serde_json::to_value(&command).unwrap();
        assert_eq!(json["command"], "call_list");
        assert_eq!(json["verb"], "initiate");
        assert_eq!(serde_json::from_value::<Command>(json).unwrap(), command);
        let uristring = [Some("sip:?@192.168.222.4".into()), None, None, None, None, None, None, None];
        let set = SipRouteSet { route: 55, uristring, ..Default::default() };
        let command = Command::SipRoute(SipRoute::Set(Box::new(set)));
        let json = serde_json::to_string(&command).unwrap();
        assert_eq!(serde_json::from_str::<Command>(&json).unwrap(), command);
    }

    #[test]
    fn a_misspelt_parameter_is_refused() {
        let text = r#"{"command": "diversion", "verb": "initiate", "dir": "27000", "div_bussy": true}"#;
        assert!(serde_json::from_str::<Command>(text).unwrap_err().to_string().contains("div_bussy"));
    }

    #[test]
    fn the_password_of_an_auth_code_is_not_in_its_debug_form() {
        let set = AuthCodeSet { dir: "27000".into(), auth_code: "moon-27000".into(), ..Default::default() };
        assert!(!format!("{:?}", Command::AuthCode(AuthCode::Initiate(set))).contains("moon"));
    }
}
