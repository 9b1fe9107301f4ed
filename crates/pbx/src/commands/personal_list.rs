use super::verb::{Thing, Verb};
use super::{Command, CommandError, Outcome};
use crate::configuration::{Configuration, ExtensionEntry};
use serde::{Deserialize, Serialize};

/// `personal_list -i | -c | -e | -p`: which of an extension's call lists is in use. Without: list 1.
pub type PersonalList = Verb<PersonalListSet>;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PersonalListSet {
    pub dir: String,
    /// A call list that the extension has.
    pub list: u32,
}

const PERSONAL_LIST: Thing = Thing {
    command: "personal_list",
    parameter: "d",
    called: "list that was chosen",
    columns: &["List"],
    row: |entry| Some(vec![entry.personal_list?.to_string()]),
    remove: |entry| entry.personal_list = None,
};

fn fill(set: PersonalListSet, entry: &mut ExtensionEntry) -> Result<(), CommandError> {
    if !entry.call_lists.contains_key(set.list) {
        let mend = "the extension has no such call list: make it with call_list -i first";
        return Err(CommandError::not_assigned("list", set.list, mend));
    }
    entry.personal_list = Some(set.list);
    Ok(())
}

impl Verb<PersonalListSet> {
    pub(super) fn run(self, configuration: &Configuration) -> Outcome {
        self.run_on(&PERSONAL_LIST, configuration, |set| &set.dir, fill)
    }
}

pub(super) fn export(configuration: &Configuration) -> Vec<Command> {
    let initiate = |(dir, entry): (&String, &ExtensionEntry)| {
        let set = PersonalListSet { dir: dir.clone(), list: entry.personal_list? };
        Some(Command::PersonalList(PersonalList::Initiate(set)))
    };
    configuration.extensions.iter().filter_map(initiate).collect()
}
