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
}

const DIVERSION: Thing = Thing {
    command: "diversion",
    parameter: "dir",
    called: "diversion",
    columns: &["Destination", "On Busy", "On No Reply", "Immediate"],
    row: |entry| {
        let diversion = entry.diversion.as_ref()?;
        let flags = [diversion.busy, diversion.no_reply, diversion.immediate].map(check::yes_no);
        Some(std::iter::once(diversion.destination.clone()).chain(flags).collect())
    },
    remove: |entry| entry.diversion = None,
};

impl Verb<DiversionSet> {
    pub(super) fn run(self, configuration: &Configuration) -> Outcome {
        self.run_on(&DIVERSION, configuration, |set| &set.dir, |set, entry| fill(configuration, set, entry))
    }
}

fn fill(configuration: &Configuration, set: DiversionSet, entry: &mut ExtensionEntry) -> Result<(), CommandError> {
    if entry.diversion.is_none() && set.div_destination_number.is_none() {
        return Err(CommandError::missing("div-destination-number", "give the number to divert to"));
    }
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
    Ok(())
}

pub(super) fn export(configuration: &Configuration) -> Vec<Command> {
    let initiate = |(dir, entry): (&String, &ExtensionEntry)| {
        let diversion = entry.diversion.as_ref()?;
        Some(Command::Diversion(Diversion::Initiate(DiversionSet {
            dir: dir.clone(),
            div_destination_number: Some(diversion.destination.clone()),
            div_immediate: Some(diversion.immediate),
            div_busy: Some(diversion.busy),
            div_noreply: Some(diversion.no_reply),
        })))
    };
    configuration.extensions.iter().filter_map(initiate).collect()
}
