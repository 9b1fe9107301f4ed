use super::license::one_more_within_limit;
use super::{Answer, Command, CommandError, Outcome};
use crate::configuration::{Configuration, Edit};
use crate::system::Licence;
use serde::{Deserialize, Serialize};

/// `media_encryption_enable`, `media_encryption_disable`, `media_encryption_print`: for which traffic SRTP is asked.
/// Kept and printed; media is not encrypted yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum MediaEncryption {
    Enable {
        #[serde(rename = "type")]
        traffic: String,
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
            MediaEncryption::Enable { traffic } => {
                let name = known(&traffic)?;
                if !system.encryption.insert(name.to_owned()) {
                    return Err(CommandError::already_assigned("type", name, "media_encryption_print shows it"));
                }
                one_more_within_limit(configuration, "type", name, Licence::VoipEncryption)?;
                let note = "It is kept, and has no effect yet: media goes unencrypted, and offers of SRTP get 488.";
                Answer::Done { notes: vec![note.into()] }
            }
            MediaEncryption::Disable { traffic } => {
                let name = known(&traffic)?;
                if !system.encryption.remove(name) {
                    return Err(CommandError::not_assigned("type", name, "media encryption is not enabled for it"));
                }
                Answer::done()
            }
            MediaEncryption::Print { traffic } => {
                let wanted = traffic.map(|traffic| known(&traffic)).transpose()?;
                let lines = TRAFFIC.iter().filter(|(name, _)| wanted.is_none_or(|wanted| wanted == *name));
                let rows = lines.map(|(name, shown)| {
                    let word = if system.encryption.contains(*name) { "enabled (no effect yet)" } else { "disabled" };
                    vec![format!("Media encryption is {word} for {shown}")]
                });
                return Ok((Vec::new(), Answer::table("", &[""], rows.collect())));
            }
        };
        Ok((vec![Edit::System(Box::new(system))], answer))
    }
}

fn known(traffic: &str) -> Result<&'static str, CommandError> {
    let known = TRAFFIC.iter().map(|(name, _)| *name).find(|name| name.eq_ignore_ascii_case(traffic));
    known.ok_or_else(|| CommandError::invalid("type", traffic, "give route or extension"))
}

pub(super) fn export(configuration: &Configuration) -> Vec<Command> {
    let enable = |traffic: &String| Command::MediaEncryption(MediaEncryption::Enable { traffic: traffic.clone() });
    configuration.system.encryption.iter().map(enable).collect()
}
