use super::{Answer, Command, CommandError, Outcome, check};
use crate::configuration::{Configuration, Edit};
use crate::provisioning::{File, Form};
use serde::{Deserialize, Serialize};

/// `ip_phone_parameter -i | -c | -e | -p`: a line of a phone file, in place of what Earcon would write, or beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum IpPhoneParameter {
    Initiate(IpPhoneParameterSet),
    Change(IpPhoneParameterSet),
    /// Without `key`: all lines of the file.
    End {
        file: String,
        #[serde(default)]
        key: Option<String>,
    },
    Print {
        #[serde(default)]
        file: Option<String>,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IpPhoneParameterSet {
    /// `aastra.cfg` (all phones), a model such as `6867i.cfg`, or one phone: `00085D123456.cfg`.
    pub file: String,
    /// As the phone's manual has it: `sip line1 vmail`.
    pub key: String,
    pub value: String,
}

/// Lines that a file may have beside Earcon's own.
const MOST: usize = 500;

impl IpPhoneParameter {
    pub(super) fn run(self, configuration: &Configuration) -> Outcome {
        match self {
            IpPhoneParameter::Initiate(set) => {
                let (file, key) = (file(configuration, &set.file)?, key(&set.key)?);
                if configuration.phone_parameters.get(&file).is_some_and(|lines| lines.contains_key(&key)) {
                    let mend = "change it with ip_phone_parameter -c";
                    return Err(CommandError::already_assigned("key", key, mend));
                }
                fill(configuration, file, key, set)
            }
            IpPhoneParameter::Change(set) => {
                let (file, key) = (file(configuration, &set.file)?, key(&set.key)?);
                assigned(configuration, &file, &key)?;
                fill(configuration, file, key, set)
            }
            IpPhoneParameter::End { file: name, key: which } => {
                let file = file(configuration, &name)?;
                let Some(mut lines) = configuration.phone_parameters.get(&file).cloned() else {
                    return Err(CommandError::not_assigned("file", file, "it has no lines of its own"));
                };
                match which {
                    None => lines.clear(),
                    Some(text) => {
                        let key = key(&text)?;
                        assigned(configuration, &file, &key)?;
                        lines.remove(&key);
                    }
                }
                Ok((vec![Edit::PhoneParameters(file, lines)], Answer::done()))
            }
            IpPhoneParameter::Print { file: name } => {
                let one = name.map(|name| file(configuration, &name)).transpose()?;
                let files = configuration.phone_parameters.iter();
                let rows =
                    files.filter(|(file, _)| one.as_ref().is_none_or(|one| one == *file)).flat_map(|(file, lines)| {
                        lines.iter().map(|(key, value)| vec![file.clone(), key.clone(), value.clone()])
                    });
                Ok((Vec::new(), Answer::table("", &["File", "Key", "Value"], rows.collect())))
            }
        }
    }
}

/// The name of a file that can have lines of its own.
fn file(configuration: &Configuration, name: &str) -> Result<String, CommandError> {
    match File::named(name) {
        Some(File::Phone(mac, Form::Aastra)) if !configuration.phones.contains_key(mac.as_str()) => {
            Err(CommandError::not_assigned("file", name, "initiate the phone with ip_phone -i first"))
        }
        Some(file @ (File::Common | File::Model(_) | File::Phone(_, Form::Aastra))) => Ok(file.name()),
        Some(File::Phone(..)) | None => {
            let mend = "give aastra.cfg, a model such as 6867i.cfg, or a phone's 00085D123456.cfg";
            Err(CommandError::invalid("file", name, mend))
        }
    }
}

/// A key, in lower case: phones read them in any.
fn key(text: &str) -> Result<String, CommandError> {
    let key = text.trim().to_ascii_lowercase();
    let good = |c: char| c.is_ascii_alphanumeric() || " -_!^".contains(c);
    if key.is_empty() || key.len() > 80 || !key.chars().all(good) {
        let mend = "give a key of the phone's manual, such as \"sip line1 vmail\"";
        return Err(CommandError::invalid("key", text, mend));
    }
    // These files are read by everybody who can reach the server, and printed.
    if key.contains("password") || key.contains("private key") {
        let mend = "no secret is kept here: ip_phone --auth-code sets a phone's SIP password";
        return Err(CommandError::invalid("key", key, mend));
    }
    Ok(key)
}

fn assigned(configuration: &Configuration, file: &str, key: &str) -> Result<(), CommandError> {
    if configuration.phone_parameters.get(file).is_some_and(|lines| lines.contains_key(key)) {
        return Ok(());
    }
    Err(CommandError::not_assigned("key", key, "ip_phone_parameter -p shows which there are"))
}

fn fill(configuration: &Configuration, file: String, key: String, set: IpPhoneParameterSet) -> Outcome {
    let value = check::text("value", &set.value, 1000)?;
    let mut lines = configuration.phone_parameters.get(&file).cloned().unwrap_or_default();
    lines.insert(key, value);
    if lines.len() > MOST {
        return Err(CommandError::invalid("key", set.key, format!("a file has at most {MOST} lines of its own")));
    }
    Ok((vec![Edit::PhoneParameters(file, lines)], Answer::done()))
}

pub(super) fn export(configuration: &Configuration) -> Vec<Command> {
    let lines = configuration.phone_parameters.iter().flat_map(|(file, lines)| {
        lines.iter().map(|(key, value)| IpPhoneParameterSet {
            file: file.clone(),
            key: key.clone(),
            value: value.clone(),
        })
    });
    lines.map(|set| Command::IpPhoneParameter(IpPhoneParameter::Initiate(set))).collect()
}
