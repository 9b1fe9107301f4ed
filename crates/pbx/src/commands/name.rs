use super::verb::{Thing, Verb};
use super::{Command, CommandError, Outcome, check};
use crate::configuration::{Configuration, ExtensionEntry, NameEntry};
use serde::{Deserialize, Serialize};

/// `name -i | -c | -e | -p`: the name shown for a number.
pub type Name = Verb<NameSet>;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NameSet {
    pub dir: String,
    /// First name; up to 20 characters.
    pub name1: Option<String>,
    /// Last name; up to 20 characters.
    pub name2: Option<String>,
    /// `dir`.
    pub number_type: Option<String>,
}

const NAME: Thing = Thing {
    command: "name",
    parameter: "d",
    called: "name",
    columns: &["Name1", "Name2", "NumberType"],
    row: |entry| {
        let name = entry.name.as_ref()?;
        Some(vec![name.name1.clone(), name.name2.clone(), name.number_type.clone()])
    },
    remove: |entry| entry.name = None,
};

impl Verb<NameSet> {
    pub(super) fn run(self, configuration: &Configuration) -> Outcome {
        self.run_on(&NAME, configuration, |set| &set.dir, fill)
    }
}

fn fill(set: NameSet, entry: &mut ExtensionEntry) -> Result<(), CommandError> {
    if entry.name.is_none() && set.name1.is_none() && set.name2.is_none() {
        return Err(CommandError::missing("name1", "give at least one of name1 and name2"));
    }
    let mut name = entry.name.take().unwrap_or_else(|| NameEntry { number_type: "dir".into(), ..NameEntry::default() });
    if let Some(name1) = set.name1 {
        name.name1 = check::text("name1", &name1, 20)?;
    }
    if let Some(name2) = set.name2 {
        name.name2 = check::text("name2", &name2, 20)?;
    }
    if let Some(number_type) = set.number_type
        && !number_type.eq_ignore_ascii_case("dir")
    {
        return Err(CommandError::invalid("number-type", number_type, "give dir"));
    }
    entry.name = Some(name);
    Ok(())
}

pub(super) fn export(configuration: &Configuration) -> Vec<Command> {
    let initiate = |(dir, entry): (&String, &ExtensionEntry)| {
        let name = entry.name.as_ref()?;
        Some(Command::Name(Name::Initiate(NameSet {
            dir: dir.clone(),
            name1: Some(name.name1.clone()),
            name2: Some(name.name2.clone()).filter(|name2| !name2.is_empty()),
            number_type: Some(name.number_type.clone()),
        })))
    };
    configuration.extensions.iter().filter_map(initiate).collect()
}
