use super::{Answer, Command, CommandError, Outcome, check, references};
use crate::configuration::{Configuration, Edit, HuntGroup as Group, Member, Selection};
use serde::{Deserialize, Serialize};

/// `hunt_group -i | -c | -e | -p`: a number that stands for several extensions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum HuntGroup {
    Initiate(HuntGroupSet),
    Change(HuntGroupSet),
    End {
        group: String,
    },
    Print {
        #[serde(default)]
        group: Option<String>,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HuntGroupSet {
    /// The group's number, 2 to 20 digits, that nothing else has.
    pub group: String,
    pub name: Option<String>,
    /// Extensions, parted by commas, in the order in which they are tried; at most 64.
    pub members: Option<String>,
    /// Those of the members that take no calls of the group for now, parted by commas; empty: all take them.
    pub members_off: Option<String>,
    /// `parallel` (default), `sequential` or `cyclic`.
    pub selection: Option<String>,
    /// Seconds, 1 to 180: of each member in turn, or of all together. Without: the node's ring time.
    pub ringing_time: Option<u32>,
    /// Where a call goes when all members are busy; empty: nowhere, the caller hears busy tone.
    pub overflow_busy: Option<String>,
    /// Where it goes when nobody answers or nobody is there; empty: nowhere.
    pub overflow_noreply: Option<String>,
}

const MOST_MEMBERS: usize = 64;
const COLUMNS: [&str; 8] = ["Group", "Name", "Selection", "Members", "Off", "Time", "OverflowBusy", "OverflowNoReply"];

impl HuntGroup {
    pub(super) fn run(self, configuration: &Configuration) -> Outcome {
        match self {
            HuntGroup::Initiate(set) => {
                let number = check::directory_number("group", &set.group)?;
                if configuration.hunt_groups.contains_key(&number) {
                    return Err(CommandError::already_assigned("group", number, "change it with hunt_group -c"));
                }
                if configuration.extensions.contains_key(&number) {
                    let mend = "it is an extension: choose another number";
                    return Err(CommandError::already_assigned("group", number, mend));
                }
                if set.members.as_deref().unwrap_or_default().is_empty() {
                    return Err(CommandError::missing("members", "name the extensions of the group, parted by commas"));
                }
                fill(configuration, set, Group::default())
            }
            HuntGroup::Change(set) => {
                let old = group(configuration, &set.group)?.clone();
                fill(configuration, set, old)
            }
            HuntGroup::End { group: number } => {
                group(configuration, &number)?;
                references::nobody_leads_to(configuration, "group", &number)?;
                Ok((vec![Edit::HuntGroup(number, None)], Answer::done()))
            }
            HuntGroup::Print { group: number } => {
                if let Some(number) = &number {
                    group(configuration, number)?;
                }
                let groups = configuration.hunt_groups.iter();
                let rows = groups.filter(|(other, _)| number.as_ref().is_none_or(|number| number == *other)).map(row);
                Ok((Vec::new(), Answer::table("", &COLUMNS, rows.collect())))
            }
        }
    }
}

fn group<'a>(configuration: &'a Configuration, number: &str) -> Result<&'a Group, CommandError> {
    let number = check::directory_number("group", number)?;
    let mend = "initiate it with hunt_group -i first";
    configuration.hunt_groups.get(&number).ok_or_else(|| CommandError::not_assigned("group", number, mend))
}

fn fill(configuration: &Configuration, set: HuntGroupSet, mut group: Group) -> Outcome {
    if let Some(name) = set.name {
        group.name = check::text("name", &name, 20)?;
    }
    if let Some(selection) = set.selection {
        let mend = "give parallel, sequential or cyclic";
        group.selection =
            selection_of(&selection).ok_or_else(|| CommandError::invalid("selection", selection, mend))?;
    }
    if let Some(members) = set.members {
        let old = std::mem::take(&mut group.members);
        for dir in named(&members) {
            check::extension(configuration, "members", dir)?;
            if group.members.iter().any(|member| member.dir == dir) {
                return Err(CommandError::invalid("members", dir, "name each member once"));
            }
            let on = old.iter().find(|member| member.dir == dir).is_none_or(|member| member.on);
            group.members.push(Member { dir: dir.to_owned(), on });
        }
        if group.members.is_empty() || group.members.len() > MOST_MEMBERS {
            return Err(CommandError::invalid("members", members, format!("name 1 to {MOST_MEMBERS} extensions")));
        }
    }
    if let Some(off) = set.members_off {
        for dir in named(&off) {
            if !group.members.iter().any(|member| member.dir == dir) {
                return Err(CommandError::not_assigned("members-off", dir, "it is no member of the group"));
            }
        }
        for member in &mut group.members {
            member.on = !named(&off).any(|dir| dir == member.dir);
        }
    }
    if let Some(seconds) = set.ringing_time {
        group.ringing_time = Some(check::within("ringing-time", Some(seconds), 0, 1..=180)?);
    }
    for (parameter, value, place) in [
        ("overflow-busy", set.overflow_busy, &mut group.overflow_busy),
        ("overflow-noreply", set.overflow_noreply, &mut group.overflow_no_reply),
    ] {
        match value {
            None => {}
            Some(number) if number.is_empty() => *place = None,
            Some(number) if number == set.group => {
                return Err(CommandError::invalid(parameter, number, "a group can't overflow to itself"));
            }
            Some(number) => *place = Some(check::reachable(configuration, parameter, &number)?),
        }
    }
    Ok((vec![Edit::HuntGroup(set.group, Some(group))], Answer::done()))
}

/// The names in a list that is parted by commas.
pub(super) fn named(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|name| !name.is_empty())
}

fn list(group: &Group, which: impl Fn(&Member) -> bool) -> String {
    let members: Vec<&str> =
        group.members.iter().filter(|member| which(member)).map(|member| member.dir.as_str()).collect();
    members.join(",")
}

fn selection_of(name: &str) -> Option<Selection> {
    let all = [Selection::Parallel, Selection::Sequential, Selection::Cyclic];
    all.into_iter().find(|selection| selection_name(*selection).eq_ignore_ascii_case(name))
}

fn selection_name(selection: Selection) -> &'static str {
    match selection {
        Selection::Parallel => "parallel",
        Selection::Sequential => "sequential",
        Selection::Cyclic => "cyclic",
    }
}

fn row((number, group): (&String, &Group)) -> Vec<String> {
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
    vec![
        number.clone(),
        group.name.clone(),
        selection_name(group.selection).into(),
        list(group, |_| true),
        Some(list(group, |member| !member.on)).filter(|off| !off.is_empty()).unwrap_or_else(|| "-".into()),
        group.ringing_time.map_or_else(|| "-".into(), |seconds| seconds.to_string()),
        or_none(&group.overflow_busy),
        or_none(&group.overflow_no_reply),
    ]
}

/// The commands that make all groups again. A group may overflow to another one: overflows come when all are there.
pub(super) fn export(configuration: &Configuration) -> Vec<Command> {
    let mut commands = Vec::new();
    for (number, group) in &configuration.hunt_groups {
        let set = HuntGroupSet {
            group: number.clone(),
            name: Some(group.name.clone()).filter(|name| !name.is_empty()),
            members: Some(list(group, |_| true)),
            members_off: Some(list(group, |member| !member.on)).filter(|off| !off.is_empty()),
            selection: Some(selection_name(group.selection).into()),
            ringing_time: group.ringing_time,
            ..HuntGroupSet::default()
        };
        commands.push(Command::HuntGroup(HuntGroup::Initiate(set)));
    }
    for (number, group) in &configuration.hunt_groups {
        if group.overflow_busy.is_some() || group.overflow_no_reply.is_some() {
            let set = HuntGroupSet {
                group: number.clone(),
                overflow_busy: group.overflow_busy.clone(),
                overflow_noreply: group.overflow_no_reply.clone(),
                ..HuntGroupSet::default()
            };
            commands.push(Command::HuntGroup(HuntGroup::Change(set)));
        }
    }
    commands
}
