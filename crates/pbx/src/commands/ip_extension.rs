use super::{Answer, CommandError, Outcome, check};
use crate::configuration::{Configuration, Edit};
use serde::{Deserialize, Serialize};

/// `ip_extension -i | -c | -e | -p`: makes an extension one that registers by SIP.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum IpExtension {
    Initiate(IpExtensionSet),
    Change(IpExtensionSet),
    End {
        dir: String,
    },
    Print {
        #[serde(default)]
        dir: Option<String>,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IpExtensionSet {
    pub dir: String,
    /// `SIP` (default).
    pub protocol: Option<String>,
}

impl IpExtension {
    pub(super) fn run(self, configuration: &Configuration) -> Outcome {
        match self {
            IpExtension::Initiate(set) => {
                let mut entry = check::extension(configuration, "d", &set.dir)?;
                if entry.ip {
                    return Err(CommandError::already_assigned("d", set.dir, "it is an IP extension already"));
                }
                protocol(set.protocol.as_deref())?;
                entry.ip = true;
                Ok((vec![Edit::Extension(set.dir, Some(entry))], Answer::done()))
            }
            IpExtension::Change(set) => {
                assigned(configuration, &set.dir)?;
                protocol(set.protocol.as_deref())?;
                Ok((Vec::new(), Answer::done()))
            }
            IpExtension::End { dir } => {
                assigned(configuration, &dir)?;
                let mut entry = check::extension(configuration, "d", &dir)?;
                entry.ip = false;
                Ok((vec![Edit::Extension(dir, Some(entry))], Answer::done()))
            }
            IpExtension::Print { dir } => {
                if let Some(dir) = &dir {
                    check::extension(configuration, "d", dir)?;
                }
                let rows = configuration
                    .extensions
                    .iter()
                    .filter(|(number, entry)| entry.ip && dir.as_ref().is_none_or(|dir| dir == *number))
                    .map(|(number, _)| vec![number.clone(), "SIP".into()]);
                Ok((Vec::new(), Answer::table("", &["Dir", "Protocol"], rows.collect())))
            }
        }
    }
}

fn assigned(configuration: &Configuration, dir: &str) -> Result<(), CommandError> {
    if check::extension(configuration, "d", dir)?.ip {
        return Ok(());
    }
    Err(CommandError::not_assigned("d", dir, "initiate it with ip_extension -i first"))
}

fn protocol(protocol: Option<&str>) -> Result<(), CommandError> {
    match protocol {
        Some(other) if !other.eq_ignore_ascii_case("SIP") => {
            Err(CommandError::invalid("protocol", other, "give SIP, the one protocol there is"))
        }
        _ => Ok(()),
    }
}
