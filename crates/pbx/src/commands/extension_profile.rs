use super::{Answer, Command, CommandError, Outcome, check};
use crate::configuration::{Configuration, Edit};
use crate::services::ExtensionProfile as Profile;
use serde::{Deserialize, Serialize};

/// `extension_profile -i | -c | -e | -p`: what the extensions with this `csp` may do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum ExtensionProfile {
    Initiate(ExtensionProfileSet),
    Change(ExtensionProfileSet),
    End {
        csp: u32,
    },
    Print {
        #[serde(default)]
        csp: Option<u32>,
    },
}

/// What is not named keeps its value; in a new profile it is what holds without one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExtensionProfileSet {
    /// 0 to 500.
    pub csp: u32,
    /// 10 digits; kept only.
    pub ext_traf: Option<String>,
    /// 30 digits, 0 forbids. 8: manual message waiting; 12: do not disturb; 17: media always by the node; 27: transfer; 28:
    /// transfer to the public network. The others are kept only.
    pub ext_serv: Option<String>,
    /// 15 digits, 0 forbids. 1: external follow-me; 2: follow-me; 3: bypass diversion; 9, 10, 11: diversion direct, at busy,
    /// on no answer. The others are kept only.
    pub ext_cdiv: Option<String>,
    /// 7 digits. 1: the number is withheld. The others are kept only.
    pub ext_npres: Option<String>,
    /// 6 digits; kept only.
    pub ext_roc: Option<String>,
}

const COLUMNS: [&str; 6] = ["Csp", "ext-traf", "ext-serv", "ext-cdiv", "ext-npres", "ext-roc"];

impl ExtensionProfile {
    pub(super) fn run(self, configuration: &Configuration) -> Outcome {
        let assigned = |csp: u32| {
            let mend = "initiate it with extension_profile -i first";
            configuration.profiles.get(&csp).ok_or_else(|| CommandError::not_assigned("csp", csp, mend))
        };
        match self {
            ExtensionProfile::Initiate(set) => {
                let csp = check::within("csp", Some(set.csp), 0, 0..=500)?;
                if configuration.profiles.contains_key(&csp) {
                    return Err(CommandError::already_assigned("csp", csp, "change it with extension_profile -c"));
                }
                fill(set, Profile::default())
            }
            ExtensionProfile::Change(set) => {
                let old = assigned(set.csp)?.clone();
                fill(set, old)
            }
            ExtensionProfile::End { csp } => {
                assigned(csp)?;
                // Without it the extensions would suddenly may more, or less, than somebody decided.
                if let Some((user, _)) = configuration.extensions.iter().find(|(_, entry)| entry.csp == csp && csp != 0)
                {
                    let mend = format!("extension {user} has it: give its users another csp with extension -c first");
                    return Err(CommandError::in_use("csp", csp, mend));
                }
                Ok((vec![Edit::Profile(csp, None)], Answer::done()))
            }
            ExtensionProfile::Print { csp } => {
                csp.map(|csp| assigned(csp).map(|_| ())).transpose()?;
                let profiles =
                    configuration.profiles.iter().filter(|(number, _)| csp.is_none_or(|csp| csp == **number));
                let row = |(number, profile): (&u32, &Profile)| {
                    let Profile { traf, serv, cdiv, npres, roc } = profile.clone();
                    vec![number.to_string(), traf, serv, cdiv, npres, roc]
                };
                Ok((Vec::new(), Answer::table("", &COLUMNS, profiles.map(row).collect())))
            }
        }
    }
}

fn fill(set: ExtensionProfileSet, mut profile: Profile) -> Outcome {
    for (parameter, value, count, place) in [
        ("ext-traf", set.ext_traf, 10, &mut profile.traf),
        ("ext-serv", set.ext_serv, 30, &mut profile.serv),
        ("ext-cdiv", set.ext_cdiv, 15, &mut profile.cdiv),
        ("ext-npres", set.ext_npres, 7, &mut profile.npres),
        ("ext-roc", set.ext_roc, 6, &mut profile.roc),
    ] {
        if let Some(digits) = value {
            *place = check::digits(parameter, &digits, count)?;
        }
    }
    Ok((vec![Edit::Profile(set.csp, Some(profile))], Answer::done()))
}

/// The commands that make all profiles again.
pub(super) fn export(configuration: &Configuration) -> Vec<Command> {
    let set = |(csp, profile): (&u32, &Profile)| {
        let Profile { traf, serv, cdiv, npres, roc } = profile.clone();
        ExtensionProfileSet {
            csp: *csp,
            ext_traf: Some(traf),
            ext_serv: Some(serv),
            ext_cdiv: Some(cdiv),
            ext_npres: Some(npres),
            ext_roc: Some(roc),
        }
    };
    configuration.profiles.iter().map(set).map(ExtensionProfile::Initiate).map(Command::ExtensionProfile).collect()
}
