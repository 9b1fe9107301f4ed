use super::{Answer, Command, CommandError, Outcome};
use crate::configuration::{Configuration, Edit};
use crate::system::Licence;
use serde::{Deserialize, Serialize};

/// `license_status` (what is in use, see [`super::Status`]) counts against what this sets: `license_limit -set | -remove |
/// -print`. Everything is unlimited unless a limit is set; a limit that is set is kept to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum LicenseLimit {
    Set {
        /// `SIP_TRUNK`, `SIP_TRUNK_CHANNELS`, `IP_EXTENSION` or `VOIP_ENCRYPTION`.
        license: String,
        /// 0 to 1000000.
        limit: u32,
    },
    Remove {
        license: String,
    },
    Print {},
}

const MOST: u32 = 1_000_000;

impl LicenseLimit {
    pub(super) fn run(self, configuration: &Configuration) -> Outcome {
        let mut system = configuration.system.clone();
        match self {
            LicenseLimit::Set { license, limit } => {
                let licence = known(&license)?;
                if limit > MOST {
                    return Err(CommandError::invalid("limit", limit, format!("give a number from 0 to {MOST}")));
                }
                // Channels in use change from moment to moment; the rest is configured, and must be ended first.
                let used = used(configuration, licence);
                if u32::try_from(used).unwrap_or(u32::MAX) > limit {
                    let mend = format!("{used} are configured: end some first");
                    return Err(CommandError::in_use("limit", limit, mend));
                }
                system.limits.insert(licence, limit);
            }
            LicenseLimit::Remove { license } => {
                let licence = known(&license)?;
                if system.limits.remove(&licence).is_none() {
                    return Err(CommandError::not_assigned("license", licence.name(), "it has no limit"));
                }
            }
            LicenseLimit::Print {} => {
                let rows = system.limits.iter().map(|(licence, limit)| vec![licence.name().into(), limit.to_string()]);
                return Ok((Vec::new(), Answer::table("", &["License", "Limit"], rows.collect())));
            }
        }
        Ok((vec![Edit::System(Box::new(system))], Answer::done()))
    }
}

fn known(name: &str) -> Result<Licence, CommandError> {
    let names = Licence::ALL.map(Licence::name).join(", ");
    Licence::parse(name).ok_or_else(|| CommandError::invalid("license", name, format!("give one of {names}")))
}

/// How many of what a licence counts are configured.
pub(crate) fn used(configuration: &Configuration, licence: Licence) -> usize {
    match licence {
        Licence::SipTrunk => configuration.routes.values().filter(|route| route.sip.is_some()).count(),
        Licence::SipTrunkChannels => 0,
        Licence::IpExtension => configuration.extensions.values().filter(|entry| entry.ip).count(),
        Licence::VoipEncryption => configuration.system.encryption.len(),
    }
}

/// Refuses one more of what a licence counts, beyond the limit that was set.
pub(crate) fn one_more_within_limit(
    configuration: &Configuration,
    parameter: &str,
    value: impl ToString,
    licence: Licence,
) -> Result<(), CommandError> {
    // Counted only where there is a limit: a large system is configured by many commands.
    let Some(limit) = configuration.system.limits.get(&licence) else { return Ok(()) };
    if used(configuration, licence) < usize::try_from(*limit).unwrap_or(usize::MAX) {
        return Ok(());
    }
    let mend = format!("the licence {} is limited to {limit}: license_status shows what is in use", licence.name());
    Err(CommandError::invalid(parameter, value, mend))
}

/// Last of all: whatever is configured was within its limit.
pub(super) fn export(configuration: &Configuration) -> Vec<Command> {
    let set = |(licence, limit): (&Licence, &u32)| {
        Command::LicenseLimit(LicenseLimit::Set { license: licence.name().to_owned(), limit: *limit })
    };
    configuration.system.limits.iter().map(set).collect()
}
