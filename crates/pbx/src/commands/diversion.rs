use super::verb::{Thing, Verb};
use super::{Command, CommandError, Outcome, check};
use crate::configuration::{Configuration, ExtensionEntry};
use serde::{Deserialize, Serialize};

/// `diversion -i | -c | -e | -p`: an extension without a call list sends its calls on.
pub type Diversion = Verb<DiversionSet>;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DiversionSet {
    pub dir: String,
    pub div_destination_number: Option<String>,
    pub div_immediate: Option<bool>,
    pub div_busy: Option<bool>,
    pub div_noreply: Option<bool>,
    /// Where all calls go by the user's own wish, before all else; empty: no more.
    pub follow_me: Option<String>,
}

const DIVERSION: Thing = Thing {
    command: "diversion",
    parameter: "dir",
    called: "diversion",
    columns: &["Destination", "On Busy", "On No Reply", "Immediate", "Follow-me"],
    row: |entry| {
        let diversion = entry.diversion.as_ref()?;
        let flags = [diversion.busy, diversion.no_reply, diversion.immediate].map(check::yes_no);
        let or_none = |number: &str| if number.is_empty() { "-".to_owned() } else { number.to_owned() };
        let follow_me = or_none(diversion.follow_me.as_deref().unwrap_or_default());
        Some(std::iter::once(or_none(&diversion.destination)).chain(flags).chain([follow_me]).collect())
    },
    remove: |entry| entry.diversion = None,
};

impl Verb<DiversionSet> {
    pub(super) fn run(self, configuration: &Configuration) -> Outcome {
        self.run_on(&DIVERSION, configuration, |set| &set.dir, |set, entry| fill(configuration, set, entry))
    }
}

fn fill(configuration: &Configuration, set: DiversionSet, entry: &mut ExtensionEntry) -> Result<(), CommandError> {
    let mut diversion = entry.diversion.take().unwrap_or_default();
    let conditions = [set.div_immediate, set.div_busy, set.div_noreply];
    if let Some(destination) = set.div_destination_number {
        diversion.destination = elsewhere(configuration, "div-destination-number", &set.dir, &destination)?;
    }
    if let Some(number) = set.follow_me {
        diversion.follow_me = match number.as_str() {
            "" => None,
            number => Some(elsewhere(configuration, "follow-me", &set.dir, number)?),
        };
    }
    diversion.immediate = set.div_immediate.unwrap_or(diversion.immediate);
    diversion.busy = set.div_busy.unwrap_or(diversion.busy);
    diversion.no_reply = set.div_noreply.unwrap_or(diversion.no_reply);
    let diverts = diversion.immediate || diversion.busy || diversion.no_reply;
    if diversion.destination.is_empty() && (diverts || diversion.follow_me.is_none()) {
        return Err(CommandError::missing("div-destination-number", "give the number to divert to"));
    }
    // With all three switched off in so many words, the number waits for the user's service code.
    if !diverts && diversion.follow_me.is_none() && conditions.iter().all(Option::is_none) {
        let mend = "divert at least one of immediate, busy and noreply";
        return Err(CommandError::missing("div-noreply", mend));
    }
    entry.diversion = Some(diversion);
    Ok(())
}

pub(super) fn export(configuration: &Configuration) -> Vec<Command> {
    let initiate = |(dir, entry): (&String, &ExtensionEntry)| {
        let diversion = entry.diversion.as_ref()?;
        Some(Command::Diversion(Diversion::Initiate(DiversionSet {
            dir: dir.clone(),
            div_destination_number: Some(diversion.destination.clone()).filter(|number| !number.is_empty()),
            div_immediate: Some(diversion.immediate),
            div_busy: Some(diversion.busy),
            div_noreply: Some(diversion.no_reply),
            follow_me: diversion.follow_me.clone(),
        })))
    };
    configuration.extensions.iter().filter_map(initiate).collect()
}

/// A number that calls can be sent on to, and not the extension's own.
fn elsewhere(
    configuration: &Configuration,
    parameter: &'static str,
    dir: &str,
    number: &str,
) -> Result<String, CommandError> {
    let number = check::reachable(configuration, parameter, number)?;
    if number == dir {
        return Err(CommandError::invalid(parameter, number, "an extension can't divert to itself"));
    }
    Ok(number)
}
