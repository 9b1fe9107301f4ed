//! DistributionGroup: people, and groups of people, who get a message together (fact sheet 4.6).
//!
//! Groups and mailboxes share their names, so that a member is named without saying which it is.

use super::mailbox::Mailbox;
use super::settings::settings;
use super::table::{self, Cmdlet, Parameter};
use super::value::{Any, Length, ListChange, Value as _};
use super::{Answer, Command, CommandError, Outcome};
use crate::configuration::{Configuration, Object};
use serde::{Deserialize, Serialize};
use state::Change;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DistributionGroup {
    /// Fixed when it is made.
    #[serde(rename = "Name")]
    pub name: String,
    /// Names of mailboxes and of groups, in the order in which they came in.
    #[serde(rename = "Members", default)]
    pub members: Vec<String>,
    #[serde(flatten)]
    pub settings: GroupSettings,
}

impl std::ops::Deref for DistributionGroup {
    type Target = GroupSettings;
    fn deref(&self) -> &GroupSettings {
        &self.settings
    }
}

settings! {
    /// What New-DistributionGroup and Set-DistributionGroup set.
    GroupSettings, GroupChanges {
        "DisplayName" display_name: Option<String> = None, Length(256), "What the group is called when it is spoken of and searched for; none: Name.";
        "Alias" alias: Option<String> = None, Length(64), "The name before the @ of mail addresses.";
        "PrimarySmtpAddress" primary_smtp_address: Option<String> = None, Length(255), "The mail address.";
        "AddressListMembership" address_lists: Vec<String> = Vec::new(), Length(64), "The address lists that the group is in: `ContactScope AddressList` searches one of them.";
        "HiddenFromAddressListsEnabled" hidden: bool = false, Any, "Whether searches pass the group over.";
        "AcceptMessagesOnlyFromSendersOrMembers" accepts_from: Vec<String> = Vec::new(), Length(64), "Who may send to the group: mailboxes, and groups for all who are in them; none: every user.";
    }
}

/// A member, as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MemberView {
    pub name: String,
    /// `UserMailbox` or `MailUniversalDistributionGroup`, as Exchange has it.
    pub recipient_type: &'static str,
}

/// Everybody whom a group reaches.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reached {
    /// Each once, in the order of their names; only who has voice mail.
    pub(crate) people: Vec<Arc<Mailbox>>,
    /// The group, and those within it.
    pub(crate) groups: Vec<Arc<DistributionGroup>>,
}

const NOUN: &str = "DistributionGroup";
/// Of one group.
const MOST_MEMBERS: usize = 1000;
/// Of the whole server.
const MOST_GROUPS: usize = 5000;

pub(super) fn cmdlets() -> Vec<Cmdlet> {
    let member = || {
        let member = Parameter::of::<String>("Member", "Who: a user, or another group.");
        member.written("what a mailbox or a group is known by").naming("Mailbox").needed()
    };
    let members = |help| Parameter::of::<Vec<String>>("Members", help);
    vec![
        Cmdlet::new("New-DistributionGroup", "Makes a group of users, who get messages together.", vec![table::name()])
            .and(vec![members("Users and other groups.")])
            .and(GroupChanges::parameters()),
        Cmdlet::new("Get-DistributionGroup", "Shows groups.", table::identity_or_all(NOUN)),
        Cmdlet::new("Set-DistributionGroup", "Changes a group.", table::identity(NOUN)).and(GroupChanges::parameters()),
        Cmdlet::new("Remove-DistributionGroup", "Removes a group; its members stay.", table::identity(NOUN)).asks(),
        Cmdlet::new("Add-DistributionGroupMember", "Takes somebody into a group.", table::identity(NOUN))
            .and(vec![member()])
            .note("A group that would be in itself, by whatever way, is refused."),
        Cmdlet::new("Get-DistributionGroupMember", "Shows who is in a group.", table::identity(NOUN)),
        Cmdlet::new("Remove-DistributionGroupMember", "Takes somebody out of a group.", table::identity(NOUN))
            .and(vec![member()])
            .asks(),
        Cmdlet::new(
            "Update-DistributionGroupMember",
            "Says who is in a group, instead of who was.",
            table::identity(NOUN),
        )
        .and(vec![members("Users and other groups.").needed()]),
    ]
}

/// The groups, and then who is in them and who may write to them: those may be groups that come later.
pub(super) fn commands(configuration: &Configuration) -> Vec<Command> {
    let groups = || configuration.groups.iter();
    let plain = |group: &DistributionGroup| GroupSettings { accepts_from: Vec::new(), ..group.settings.clone() };
    let made = groups().map(|group| Command::NewGroup {
        name: group.name.clone(),
        members: None,
        changes: Box::new(plain(group).changes_from(&GroupSettings::default())),
    });
    let filled = groups().filter(|group| !group.members.is_empty()).map(|group| Command::UpdateGroupMembers {
        identity: group.name.clone(),
        members: group.members.clone().into(),
    });
    let guarded = groups().filter(|group| !group.accepts_from.is_empty()).map(|group| Command::SetGroup {
        identity: group.name.clone(),
        changes: Box::new(group.settings.changes_from(&plain(group))),
    });
    made.chain(filled).chain(guarded).collect()
}

pub(super) fn new(
    configuration: &mut Configuration,
    name: String,
    members: Option<ListChange>,
    changes: GroupChanges,
) -> Outcome {
    configuration.groups.check_new(&name)?;
    if configuration.mailboxes.get(&name).is_some() {
        return Err(CommandError::Exists { parameter: "Name".into(), kind: Mailbox::NOUN.into(), name });
    }
    if configuration.groups.iter().count() >= MOST_GROUPS {
        return Err(CommandError::bad("Name", format!("there are {MOST_GROUPS} groups: remove one first")));
    }
    let mut group = DistributionGroup { name, members: Vec::new(), settings: GroupSettings::default() };
    if let Some(members) = members {
        group.members = named(configuration, "Members", &group.members.changed(members))?;
    }
    keep(configuration, group, changes, |group| Answer::Groups(vec![group]))
}

pub(super) fn get(configuration: &Configuration, identity: Option<&str>) -> Outcome {
    let groups = match identity {
        Some(identity) => vec![DistributionGroup::clone(configuration.require_group(identity)?)],
        None => configuration.groups.select(None)?,
    };
    Ok((Answer::Groups(groups), Vec::new()))
}

pub(super) fn set(configuration: &mut Configuration, identity: &str, changes: GroupChanges) -> Outcome {
    let group = DistributionGroup::clone(configuration.require_group(identity)?);
    keep(configuration, group, changes, |_| Answer::Done(()))
}

/// Its name goes out of the groups that it was in.
pub(super) fn remove(configuration: &mut Configuration, identity: &str) -> Outcome {
    let name = configuration.require_group(identity)?.name.clone();
    let mut stored = Vec::new();
    forget(configuration, &name, &mut stored);
    configuration.groups.remove(&name, &mut stored);
    Ok((Answer::Done(()), stored))
}

pub(super) fn add_member(configuration: &mut Configuration, identity: &str, member: &str) -> Outcome {
    let mut group = DistributionGroup::clone(configuration.require_group(identity)?);
    let member = configuration.recipient("Member", member)?;
    if group.members.contains(&member) {
        return Err(CommandError::bad("Member", format!("{member:?} is in {:?} already", group.name)));
    }
    group.members.push(member);
    keep(configuration, group, GroupChanges::default(), |_| Answer::Done(()))
}

pub(super) fn remove_member(configuration: &mut Configuration, identity: &str, member: &str) -> Outcome {
    let mut group = DistributionGroup::clone(configuration.require_group(identity)?);
    let member = configuration.recipient("Member", member)?;
    let before = group.members.len();
    group.members.retain(|other| *other != member);
    if group.members.len() == before {
        return Err(CommandError::bad("Member", format!("{member:?} is not in {:?}", group.name)));
    }
    keep(configuration, group, GroupChanges::default(), |_| Answer::Done(()))
}

pub(super) fn update_members(configuration: &mut Configuration, identity: &str, members: ListChange) -> Outcome {
    let mut group = DistributionGroup::clone(configuration.require_group(identity)?);
    group.members = named(configuration, "Members", &group.members.changed(members))?;
    keep(configuration, group, GroupChanges::default(), |_| Answer::Done(()))
}

pub(super) fn members(configuration: &Configuration, identity: &str) -> Outcome {
    let group = configuration.require_group(identity)?;
    let view = |name: &String| MemberView {
        name: name.clone(),
        recipient_type: match configuration.groups.get(name) {
            Some(_) => "MailUniversalDistributionGroup",
            None => "UserMailbox",
        },
    };
    Ok((Answer::Members(group.members.iter().map(view).collect()), Vec::new()))
}

/// Whoever goes, a mailbox or a group, is in no group any more, and writes to none.
pub(super) fn forget(configuration: &mut Configuration, gone: &str, stored: &mut Vec<Change>) {
    let names = |group: &DistributionGroup| {
        group.members.iter().chain(&group.accepts_from).any(|name| name.eq_ignore_ascii_case(gone))
    };
    let with: Vec<DistributionGroup> =
        configuration.groups.iter().filter(|group| names(group)).map(|group| DistributionGroup::clone(group)).collect();
    for mut group in with {
        group.members.retain(|name| !name.eq_ignore_ascii_case(gone));
        let guarded = !group.settings.accepts_from.is_empty();
        group.settings.accepts_from.retain(|name| !name.eq_ignore_ascii_case(gone));
        if guarded && group.settings.accepts_from.is_empty() {
            // Nobody is left who may write to it: it must not become everybody.
            group.settings.accepts_from.push(group.name.clone());
        }
        configuration.groups.put(group, stored);
    }
}

/// Checks a group and keeps it.
fn keep(
    configuration: &mut Configuration,
    mut group: DistributionGroup,
    changes: GroupChanges,
    answer: impl FnOnce(DistributionGroup) -> Answer,
) -> Outcome {
    group.settings.apply(changes)?;
    // It may name itself: its members only.
    let own = |name: &String| name.eq_ignore_ascii_case(&group.name);
    let (own, others): (Vec<String>, Vec<String>) = group.settings.accepts_from.iter().cloned().partition(own);
    let mut accepted = named(configuration, "AcceptMessagesOnlyFromSendersOrMembers", &others)?;
    accepted.extend(own.first().map(|_| group.name.clone()));
    group.settings.accepts_from = accepted;
    if group.members.len() > MOST_MEMBERS {
        return Err(CommandError::bad("Members", format!("a group has at most {MOST_MEMBERS} members")));
    }
    let reaches_itself = group.members.iter().any(|member| {
        let within = configuration.groups.get(member).map(|within| configuration.reached(within).groups);
        let same = |name: &str| name.eq_ignore_ascii_case(&group.name);
        same(member) || within.is_some_and(|within| within.iter().any(|other| same(&other.name)))
    });
    if reaches_itself {
        return Err(CommandError::bad("Member", format!("{:?} would be in itself", group.name)));
    }
    let others = || configuration.groups.iter().filter(|other| other.name != group.name);
    let alike = |ours: &Option<String>, theirs: &Option<String>| match (ours, theirs) {
        (Some(ours), Some(theirs)) => ours.eq_ignore_ascii_case(theirs),
        _ => false,
    };
    type Of = fn(&GroupSettings) -> &Option<String>;
    let unique: [(&str, Of); 2] =
        [("Alias", |settings| &settings.alias), ("PrimarySmtpAddress", |settings| &settings.primary_smtp_address)];
    for (parameter, of) in unique {
        if let Some(other) = others().find(|other| alike(of(&group.settings), of(&other.settings))) {
            return Err(CommandError::bad(parameter, format!("{:?} has it already", other.name)));
        }
    }
    let mut stored = Vec::new();
    configuration.groups.put(group.clone(), &mut stored);
    Ok((answer(group), stored))
}

/// The names of whom a list means, each once.
fn named(configuration: &Configuration, parameter: &str, list: &[String]) -> Result<Vec<String>, CommandError> {
    let mut names: Vec<String> = Vec::with_capacity(list.len());
    for identity in list {
        let name = configuration.recipient(parameter, identity)?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

impl DistributionGroup {
    /// The name that people see.
    pub fn shown_name(&self) -> &str {
        self.display_name.as_deref().unwrap_or(&self.name)
    }
}

impl Configuration {
    /// A group by name, alias or mail address.
    pub(crate) fn find_group(&self, identity: &str) -> Option<&Arc<DistributionGroup>> {
        let alike = |value: &Option<String>| value.as_ref().is_some_and(|value| value.eq_ignore_ascii_case(identity));
        let by_address = |group: &&Arc<DistributionGroup>| alike(&group.alias) || alike(&group.primary_smtp_address);
        self.groups.get(identity).or_else(|| self.groups.iter().find(by_address))
    }

    fn require_group(&self, identity: &str) -> Result<&Arc<DistributionGroup>, CommandError> {
        self.find_group(identity).ok_or_else(|| CommandError::NotFound {
            parameter: "Identity".into(),
            kind: NOUN.into(),
            identity: identity.into(),
        })
    }

    /// The name of the mailbox or the group that is known by this.
    fn recipient(&self, parameter: &str, identity: &str) -> Result<String, CommandError> {
        // A group's own name goes before what a mailbox is known by besides its name.
        let mailbox = |identity: &str| self.find_mailbox(identity).map(|mailbox| mailbox.name.clone());
        let named = self.groups.get(identity).map(|group| group.name.clone());
        let known = named.or_else(|| mailbox(identity));
        known.or_else(|| self.find_group(identity).map(|group| group.name.clone())).ok_or_else(|| {
            CommandError::NotFound {
                parameter: parameter.into(),
                kind: Mailbox::NOUN.into(),
                identity: identity.into(),
            }
        })
    }

    /// Everybody in a group, and in the groups within it. A circle, were there one, is gone round once.
    pub(crate) fn reached(&self, group: &Arc<DistributionGroup>) -> Reached {
        let mut seen = BTreeSet::from([group.key()]);
        let mut groups = vec![group.clone()];
        let mut people = BTreeMap::new();
        let mut next = 0;
        while let Some(group) = groups.get(next).cloned() {
            next += 1;
            for member in &group.members {
                if let Some(within) = self.groups.get(member) {
                    if seen.insert(within.key()) {
                        groups.push(within.clone());
                    }
                } else if let Some(mailbox) = self.mailboxes.get(member).filter(|mailbox| mailbox.um.is_some()) {
                    people.insert(mailbox.name.to_lowercase(), mailbox.clone());
                }
            }
        }
        Reached { people: people.into_values().collect(), groups }
    }

    /// Whether a user may write to a group, and the groups that this was read from.
    pub(crate) fn may_write(&self, sender: &str, group: &DistributionGroup) -> (bool, Vec<Arc<DistributionGroup>>) {
        let mut read = Vec::new();
        let mut may = group.accepts_from.is_empty();
        for name in &group.accepts_from {
            may |= name.eq_ignore_ascii_case(sender);
            let Some(of) = self.groups.get(name) else { continue };
            let reached = self.reached(of);
            may |= reached.people.iter().any(|member| member.name.eq_ignore_ascii_case(sender));
            read.extend(reached.groups);
        }
        (may, read)
    }
}
