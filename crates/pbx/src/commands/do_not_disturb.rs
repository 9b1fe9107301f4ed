use super::verb::{Thing, Verb};
use super::{Command, CommandError, Outcome, check};
use crate::configuration::{Configuration, ExtensionEntry};
use serde::{Deserialize, Serialize};

/// `do_not_disturb -i | -e | -p`: the extension rings for nobody.
pub type DoNotDisturb = Verb<DoNotDisturbSet>;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DoNotDisturbSet {
    pub dir: String,
}

const DO_NOT_DISTURB: Thing = Thing {
    command: "do_not_disturb",
    parameter: "dir",
    called: "do not disturb",
    columns: &["Dnd"],
    row: |entry| entry.do_not_disturb.then(|| vec![check::yes_no(true)]),
    remove: |entry| entry.do_not_disturb = false,
};

fn fill(_: DoNotDisturbSet, entry: &mut ExtensionEntry) -> Result<(), CommandError> {
    entry.do_not_disturb = true;
    Ok(())
}

impl Verb<DoNotDisturbSet> {
    pub(super) fn run(self, configuration: &Configuration) -> Outcome {
        self.run_on(&DO_NOT_DISTURB, configuration, |set| &set.dir, fill)
    }
}

pub(super) fn export(configuration: &Configuration) -> Vec<Command> {
    let initiate = |(dir, entry): (&String, &ExtensionEntry)| {
        let set = entry.do_not_disturb.then(|| DoNotDisturbSet { dir: dir.clone() })?;
        Some(Command::DoNotDisturb(DoNotDisturb::Initiate(set)))
    };
    configuration.extensions.iter().filter_map(initiate).collect()
}
