use super::{Answer, Command, CommandError, Outcome, check};
use crate::configuration::{Configuration, Edit};
use crate::system::DiversionSettings;
use serde::{Deserialize, Serialize};

/// `diversion_system -c | -e | -p`: how long a call rings before it counts as not answered. End brings the defaults back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum DiversionSystem {
    Change(DiversionSystemSet),
    End {},
    Print {},
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DiversionSystemSet {
    /// Seconds, 1 to 180; without it the ring time of the node's settings holds.
    pub no_reply_time: Option<u32>,
    /// The same once the call has been diverted.
    pub second_no_reply_time: Option<u32>,
    /// This and the next are kept and printed only.
    pub network_chaining: Option<u32>,
    pub priority: Option<u32>,
}

impl DiversionSystem {
    pub(super) fn run(self, configuration: &Configuration) -> Outcome {
        let mut system = configuration.system.clone();
        match self {
            DiversionSystem::Change(set) => {
                if set == DiversionSystemSet::default() {
                    return Err(CommandError::missing("no-reply-time", "give at least one parameter to change"));
                }
                let diversion = &mut system.diversion;
                for (parameter, value, place) in [
                    ("no-reply-time", set.no_reply_time, &mut diversion.no_reply_time),
                    ("second-no-reply-time", set.second_no_reply_time, &mut diversion.second_no_reply_time),
                ] {
                    if value.is_some() {
                        *place = Some(check::within(parameter, value, 0, 1..=180)?);
                    }
                }
                diversion.network_chaining =
                    check::within("network-chaining", set.network_chaining, diversion.network_chaining, 0..=9)?;
                diversion.priority = check::within("priority", set.priority, diversion.priority, 0..=9)?;
            }
            DiversionSystem::End {} => system.diversion = DiversionSettings::default(),
            DiversionSystem::Print {} => {
                let seconds =
                    |time: Option<u32>| time.map_or_else(|| "the node's".to_owned(), |time| format!("{time} s"));
                let diversion = &system.diversion;
                let row = vec![
                    seconds(diversion.no_reply_time),
                    seconds(diversion.second_no_reply_time.or(diversion.no_reply_time)),
                    diversion.network_chaining.to_string(),
                    diversion.priority.to_string(),
                ];
                let columns = ["NoReplyTime", "SecondNoReplyTime", "NetworkChaining", "Priority"];
                return Ok((Vec::new(), Answer::table("", &columns, vec![row])));
            }
        }
        Ok((vec![Edit::System(Box::new(system))], Answer::done()))
    }
}

pub(super) fn export(configuration: &Configuration) -> Vec<Command> {
    let diversion = &configuration.system.diversion;
    if *diversion == DiversionSettings::default() {
        return Vec::new();
    }
    vec![Command::DiversionSystem(DiversionSystem::Change(DiversionSystemSet {
        no_reply_time: diversion.no_reply_time,
        second_no_reply_time: diversion.second_no_reply_time,
        network_chaining: Some(diversion.network_chaining),
        priority: Some(diversion.priority),
    }))]
}
