use super::license::one_more_within_limit;
use super::{Answer, Command, CommandError, Outcome};
use crate::configuration::{Configuration, Edit};
use crate::system::Licence;
use serde::{Deserialize, Serialize};

/// `media_encryption_enable`, `media_encryption_disable`, `media_encryption_print`: whose media is SRTP. Calls that do
/// not have it are refused with 488, unless it is asked for at best effort.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum MediaEncryption {
    Enable {
        #[serde(rename = "type")]
        traffic: String,
        /// `required` (default) or `best-effort`.
        #[serde(default)]
        mode: Option<String>,
    },
    Disable {
        #[serde(rename = "type")]
        traffic: String,
    },
    Print {
        #[serde(rename = "type", default)]
        traffic: Option<String>,
    },
}

/// As `-type` names them, and as the printout does.
const TRAFFIC: [(&str, &str); 2] = [("route", "trunk"), ("extension", "extension")];

impl MediaEncryption {
    pub(super) fn run(self, configuration: &Configuration) -> Outcome {
        let mut system = configuration.system.clone();
        let answer = match self {
            MediaEncryption::Enable { traffic, mode } => {
                let name = known(&traffic)?;
                let best_effort = is_best_effort(mode.as_deref())?;
                let new = system.encryption.insert(name.to_owned());
                let before = system.best_effort.contains(name);
                if !new && before == best_effort {
                    return Err(CommandError::already_assigned("type", name, "media_encryption_print shows it"));
                }
                if new {
                    one_more_within_limit(configuration, "type", name, Licence::VoipEncryption)?;
                }
                if best_effort {
                    system.best_effort.insert(name.to_owned());
                } else {
                    system.best_effort.remove(name);
                }
                let notes = match name {
                    "route" => not_about(configuration),
                    _ => Vec::new(),
                };
                Answer::Done { notes }
            }
            MediaEncryption::Disable { traffic } => {
                let name = known(&traffic)?;
                if !system.encryption.remove(name) {
                    return Err(CommandError::not_assigned("type", name, "media encryption is not enabled for it"));
                }
                system.best_effort.remove(name);
                Answer::done()
            }
            MediaEncryption::Print { traffic } => {
                let wanted = traffic.map(|traffic| known(&traffic)).transpose()?;
                let lines = TRAFFIC.iter().filter(|(name, _)| wanted.is_none_or(|wanted| wanted == *name));
                let rows = lines.map(|(name, shown)| {
                    let word = match (system.encryption.contains(*name), system.best_effort.contains(*name)) {
                        (true, false) => "enabled",
                        (true, true) => "enabled at best effort",
                        (false, _) => "disabled",
                    };
                    vec![format!("Media encryption is {word} for {shown}")]
                });
                return Ok((Vec::new(), Answer::table("", &[""], rows.collect())));
            }
        };
        Ok((vec![Edit::System(Box::new(system))], answer))
    }
}

fn is_best_effort(mode: Option<&str>) -> Result<bool, CommandError> {
    match mode.map(str::to_ascii_lowercase).as_deref() {
        None | Some("required") => Ok(false),
        Some("best-effort") => Ok(true),
        Some(other) => Err(CommandError::invalid("mode", other, "give required or best-effort")),
    }
}

/// The routes that stay in the clear: keys that travel in the clear protect nothing (RFC 4568 7).
fn not_about(configuration: &Configuration) -> Vec<String> {
    let clear =
        configuration.routes.iter().filter(|(_, route)| route.sip.as_ref().is_some_and(|sip| !sip.may_be_encrypted()));
    let clear: Vec<String> = clear.map(|(number, _)| number.to_string()).collect();
    if clear.is_empty() {
        return Vec::new();
    }
    let routes = clear.join(", ");
    vec![format!(
        "Routes without TLS stay unencrypted: {routes}. Profile ExchangeUM_TLS_SRTP or -protocol tls changes that."
    )]
}

fn known(traffic: &str) -> Result<&'static str, CommandError> {
    let known = TRAFFIC.iter().map(|(name, _)| *name).find(|name| name.eq_ignore_ascii_case(traffic));
    known.ok_or_else(|| CommandError::invalid("type", traffic, "give route or extension"))
}

pub(super) fn export(configuration: &Configuration) -> Vec<Command> {
    let system = &configuration.system;
    let enable = |traffic: &String| {
        let mode = system.best_effort.contains(traffic).then(|| "best-effort".to_owned());
        Command::MediaEncryption(MediaEncryption::Enable { traffic: traffic.clone(), mode })
    };
    system.encryption.iter().map(enable).collect()
}
