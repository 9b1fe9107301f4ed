use super::{Answer, CommandError, Outcome, check};
use crate::configuration::{Configuration, Edit};
use serde::{Deserialize, Serialize};

/// `diversion -i | -c | -e | -p`: an extension without a call list sends its calls on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum Diversion {
    Initiate(DiversionSet),
    Change(DiversionSet),
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
pub struct DiversionSet {
    pub dir: String,
    pub div_destination_number: Option<String>,
    pub div_immediate: Option<bool>,
    pub div_busy: Option<bool>,
    pub div_noreply: Option<bool>,
}

impl Diversion {
    pub(super) fn run(self, configuration: &Configuration) -> Outcome {
        match self {
            Diversion::Initiate(set) => {
                if check::extension(configuration, "dir", &set.dir)?.diversion.is_some() {
                    return Err(CommandError::already_assigned("dir", set.dir, "change it with diversion -c"));
                }
                if set.div_destination_number.is_none() {
                    return Err(CommandError::missing("div-destination-number", "give the number to divert to"));
                }
                fill(configuration, set)
            }
            Diversion::Change(set) => {
                if check::extension(configuration, "dir", &set.dir)?.diversion.is_none() {
                    return Err(CommandError::not_assigned("dir", set.dir, "initiate it with diversion -i first"));
                }
                fill(configuration, set)
            }
            Diversion::End { dir } => {
                let mut entry = check::extension(configuration, "dir", &dir)?;
                if entry.diversion.take().is_none() {
                    return Err(CommandError::not_assigned("dir", dir, "it has no diversion"));
                }
                Ok((vec![Edit::Extension(dir, Some(entry))], Answer::done()))
            }
            Diversion::Print { dir } => {
                if let Some(dir) = &dir {
                    check::extension(configuration, "dir", dir)?;
                }
                let mut rows = Vec::new();
                for (number, entry) in
                    configuration.extensions.iter().filter(|(n, _)| dir.as_ref().is_none_or(|d| d == *n))
                {
                    if let Some(diversion) = &entry.diversion {
                        rows.push(vec![
                            number.clone(),
                            diversion.destination.clone(),
                            check::yes_no(diversion.busy),
                            check::yes_no(diversion.no_reply),
                            check::yes_no(diversion.immediate),
                        ]);
                    }
                }
                Ok((
                    Vec::new(),
                    Answer::table("", &["Dir", "Destination", "On Busy", "On No Reply", "Immediate"], rows),
                ))
            }
        }
    }
}

fn fill(configuration: &Configuration, set: DiversionSet) -> Outcome {
    let mut entry = check::extension(configuration, "dir", &set.dir)?;
    let mut diversion = entry.diversion.take().unwrap_or_default();
    if let Some(destination) = set.div_destination_number {
        diversion.destination = check::reachable(configuration, "div-destination-number", &destination)?;
        if diversion.destination == set.dir {
            let mend = "an extension can't divert to itself";
            return Err(CommandError::invalid("div-destination-number", destination, mend));
        }
    }
    diversion.immediate = set.div_immediate.unwrap_or(diversion.immediate);
    diversion.busy = set.div_busy.unwrap_or(diversion.busy);
    diversion.no_reply = set.div_noreply.unwrap_or(diversion.no_reply);
    if !(diversion.immediate || diversion.busy || diversion.no_reply) {
        let mend = "divert at least one of immediate, busy and noreply";
        return Err(CommandError::missing("div-noreply", mend));
    }
    entry.diversion = Some(diversion);
    Ok((vec![Edit::Extension(set.dir, Some(entry))], Answer::done()))
}
