use super::hunt_group::named;
use super::{Answer, Command, CommandError, Outcome, check};
use crate::configuration::{Configuration, Edit, PickupGroup as Group};
use serde::{Deserialize, Serialize};

/// `pickup_group -i | -c | -e | -p`: extensions that may take each other's calls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum PickupGroup {
    Initiate(PickupGroupSet),
    Change(PickupGroupSet),
    End {
        group: u32,
    },
    Print {
        #[serde(default)]
        group: Option<u32>,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PickupGroupSet {
    /// 1 to 1000.
    pub group: u32,
    /// Extensions, parted by commas.
    pub members: String,
}

impl PickupGroup {
    pub(super) fn run(self, configuration: &Configuration) -> Outcome {
        let assigned = |number: u32| {
            let mend = "initiate it with pickup_group -i first";
            let group = configuration.pickup_groups.get(&number);
            group.map(|_| ()).ok_or_else(|| CommandError::not_assigned("group", number, mend))
        };
        match self {
            PickupGroup::Initiate(set) => {
                let number = check::within("group", Some(set.group), 0, 1..=1000)?;
                if configuration.pickup_groups.contains_key(&number) {
                    return Err(CommandError::already_assigned("group", number, "change it with pickup_group -c"));
                }
                fill(configuration, &set)
            }
            PickupGroup::Change(set) => {
                assigned(set.group)?;
                fill(configuration, &set)
            }
            PickupGroup::End { group } => {
                assigned(group)?;
                Ok((vec![Edit::PickupGroup(group, None)], Answer::done()))
            }
            PickupGroup::Print { group } => {
                group.map(assigned).transpose()?;
                let groups = configuration.pickup_groups.iter();
                let rows = groups.filter(|(number, _)| group.is_none_or(|group| group == **number));
                let rows = rows.map(|(number, group)| vec![number.to_string(), members(group)]).collect();
                Ok((Vec::new(), Answer::table("", &["Group", "Members"], rows)))
            }
        }
    }
}

fn fill(configuration: &Configuration, set: &PickupGroupSet) -> Outcome {
    let mut group = Group::default();
    for dir in named(&set.members) {
        check::extension(configuration, "members", dir)?;
        group.members.insert(dir.to_owned());
    }
    if group.members.is_empty() {
        return Err(CommandError::missing("members", "name the extensions of the group, parted by commas"));
    }
    Ok((vec![Edit::PickupGroup(set.group, Some(group))], Answer::done()))
}

fn members(group: &Group) -> String {
    group.members.iter().map(String::as_str).collect::<Vec<_>>().join(",")
}

/// The commands that make all groups again.
pub(super) fn export(configuration: &Configuration) -> Vec<Command> {
    let set = |(number, group): (&u32, &Group)| PickupGroupSet { group: *number, members: members(group) };
    configuration.pickup_groups.iter().map(set).map(PickupGroup::Initiate).map(Command::PickupGroup).collect()
}
