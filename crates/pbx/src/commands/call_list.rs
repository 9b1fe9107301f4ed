use super::{Answer, Command, CommandError, Outcome, check};
use crate::configuration::{Configuration, Edit, Position};
use crate::few::Few;
use serde::{Deserialize, Serialize};

/// `call_list -i | -c | -e | -p`: where a call to an extension goes, position after position.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum CallList {
    Initiate(CallListSet),
    Change(CallListSet),
    /// Without `position`: the whole list.
    End {
        dir: String,
        #[serde(default)]
        list: Option<u32>,
        #[serde(default)]
        position: Option<u32>,
    },
    Print {
        #[serde(default)]
        dir: Option<String>,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CallListSet {
    /// `-d`: the extension.
    pub dir: String,
    /// 1 to 5 (default 1; the list in use is 1).
    pub list: Option<u32>,
    pub dest_number: Option<String>,
    /// 1 to 10.
    pub position: u32,
    /// What to do at busy: 0 busy tone and stop (default), 2 to 10 go to that position (a later one), 11 stop and use
    /// the extension's own diversion.
    pub busy_position: Option<u32>,
    /// The same for a phone that does not want to be disturbed.
    pub dnd_position: Option<u32>,
    /// Seconds, 1 to 180; without it the node's ring time holds.
    pub ringing_time: Option<u32>,
    /// Three bits: internal, private network, public network. Default 111.
    pub origin: Option<String>,
    /// Whether the destination's own diversion is passed over.
    pub ird_bypass: Option<bool>,
    /// This and the rest are kept and printed only.
    pub one_call: Option<bool>,
    pub sms_support: Option<bool>,
    pub delay_seizure_list_number: Option<u32>,
    pub instant_messaging_support: Option<bool>,
    pub call_list_cdiv: Option<String>,
}

const COLUMNS: [&str; 14] = [
    "Dir",
    "List",
    "Pos",
    "DestNumber",
    "Time",
    "BusyPos",
    "DndPos",
    "OneCall",
    "Origin",
    "SmsSup",
    "Delay",
    "IrdBypass",
    "ImSup",
    "Cdiv",
];

impl CallList {
    pub(super) fn run(self, configuration: &Configuration) -> Outcome {
        match self {
            CallList::Initiate(set) => {
                let extension = check::extension(configuration, "d", &set.dir)?;
                let list = check::within("list", set.list, 1, 1..=5)?;
                if extension.call_lists.get(list).is_some_and(|list| list.contains_key(set.position)) {
                    return Err(CommandError::already_assigned(
                        "position",
                        set.position,
                        "change it with call_list -c",
                    ));
                }
                if set.dest_number.is_none() {
                    return Err(CommandError::missing("dest-number", "give the number to call at this position"));
                }
                fill(configuration, set, list, None)
            }
            CallList::Change(set) => {
                let extension = check::extension(configuration, "d", &set.dir)?;
                let list = check::within("list", set.list, 1, 1..=5)?;
                let position = extension.call_lists.get(list).and_then(|list| list.get(set.position)).cloned();
                let Some(position) = position else {
                    let mend = "initiate it with call_list -i first";
                    return Err(CommandError::not_assigned("position", set.position, mend));
                };
                fill(configuration, set, list, Some(position))
            }
            CallList::End { dir, list, position } => end(configuration, dir, list, position),
            CallList::Print { dir } => {
                if let Some(dir) = &dir {
                    check::extension(configuration, "d", dir)?;
                }
                Ok((Vec::new(), print(configuration, dir.as_deref())))
            }
        }
    }
}

fn fill(configuration: &Configuration, set: CallListSet, list: u32, old: Option<Position>) -> Outcome {
    let number = check::within("position", Some(set.position), 0, 1..=10)?;
    let mut position = old.unwrap_or_else(|| Position::to(""));
    if let Some(destination) = set.dest_number {
        position.destination = check::reachable(configuration, "dest-number", &destination)?;
    }
    for (parameter, value, place) in [
        ("busy-position", set.busy_position, &mut position.busy_position),
        ("dnd-position", set.dnd_position, &mut position.dnd_position),
    ] {
        let Some(value) = value else { continue };
        // The position jumped to must be a later one: so a walk always ends.
        if !(value == 0 || value == 11 || (value <= 10 && value > number)) {
            let mend = "give 0 (busy tone), a position after this one up to 10, or 11 (use the diversion)";
            return Err(CommandError::invalid(parameter, value, mend));
        }
        *place = value;
    }
    if let Some(seconds) = set.ringing_time {
        position.ringing_time = Some(check::within("ringing-time", Some(seconds), 0, 1..=180)?);
    }
    if let Some(origin) = set.origin {
        if origin.len() != 3 || !origin.bytes().all(|bit| matches!(bit, b'0' | b'1')) {
            return Err(CommandError::invalid("origin", origin, "give three digits 0 or 1: internal, private, public"));
        }
        position.origin = origin;
    }
    position.ird_bypass = set.ird_bypass.unwrap_or(position.ird_bypass);
    position.one_call = set.one_call.unwrap_or(position.one_call);
    position.sms_support = set.sms_support.unwrap_or(position.sms_support);
    position.instant_messaging_support = set.instant_messaging_support.unwrap_or(position.instant_messaging_support);
    if let Some(delay) = set.delay_seizure_list_number {
        position.delay_seizure_list_number = check::within("delay-seizure-list-number", Some(delay), 0, 0..=10)?;
    }
    if let Some(cdiv) = set.call_list_cdiv {
        position.call_list_cdiv = check::text("call-list-cdiv", &cdiv, 20)?;
    }
    let mut extension = check::extension(configuration, "d", &set.dir)?;
    let mut positions = extension.call_lists.remove(list).unwrap_or_default();
    positions.insert(number, position);
    extension.call_lists.insert(list, positions);
    Ok((vec![Edit::Extension(set.dir, Some(extension))], Answer::done()))
}

fn end(configuration: &Configuration, dir: String, list: Option<u32>, position: Option<u32>) -> Outcome {
    let mut extension = check::extension(configuration, "d", &dir)?;
    let list = check::within("list", list, 1, 1..=5)?;
    let Some(positions) = extension.call_lists.get_mut(list) else {
        return Err(CommandError::not_assigned("d", dir, "it has no such call list"));
    };
    match position {
        None => *positions = Few::default(),
        Some(position) => {
            if positions.remove(position).is_none() {
                return Err(CommandError::not_assigned("position", position, "call_list -p shows which are"));
            }
        }
    }
    if positions.is_empty() {
        extension.call_lists.remove(list);
        // Its user chose it; list 1 holds again.
        extension.personal_list = extension.personal_list.filter(|chosen| *chosen != list);
    }
    Ok((vec![Edit::Extension(dir, Some(extension))], Answer::done()))
}

fn print(configuration: &Configuration, dir: Option<&str>) -> Answer {
    let mut rows = Vec::new();
    for (number, extension) in configuration.extensions.iter().filter(|(n, _)| dir.is_none_or(|dir| dir == n.as_str()))
    {
        for (list, positions) in extension.call_lists.iter() {
            for (place, position) in positions.iter() {
                rows.push(vec![
                    number.clone(),
                    list.to_string(),
                    place.to_string(),
                    position.destination.clone(),
                    position.ringing_time.map_or_else(|| "-".into(), |seconds| seconds.to_string()),
                    position.busy_position.to_string(),
                    position.dnd_position.to_string(),
                    check::yes_no(position.one_call),
                    position.origin.clone(),
                    check::yes_no(position.sms_support),
                    position.delay_seizure_list_number.to_string(),
                    check::yes_no(position.ird_bypass),
                    check::yes_no(position.instant_messaging_support),
                    position.call_list_cdiv.clone(),
                ]);
            }
        }
    }
    Answer::table("", &COLUMNS, rows)
}

pub(super) fn export(configuration: &Configuration) -> Vec<Command> {
    let mut commands = Vec::new();
    for (dir, entry) in &configuration.extensions {
        for (list, positions) in entry.call_lists.iter() {
            for (place, position) in positions.iter() {
                commands.push(initiate(dir, list, place, position));
            }
        }
    }
    commands
}

/// What differs from the defaults is told; the rest would only make the line long.
fn initiate(dir: &str, list: u32, place: u32, position: &Position) -> Command {
    let number = |value: u32| Some(value).filter(|value| *value != 0);
    let flag = |value: bool| value.then_some(true);
    let text = |value: &str, default: &str| (value != default).then(|| value.to_owned());
    Command::CallList(CallList::Initiate(CallListSet {
        dir: dir.to_owned(),
        list: Some(list).filter(|list| *list != 1),
        dest_number: Some(position.destination.clone()),
        position: place,
        busy_position: number(position.busy_position),
        dnd_position: number(position.dnd_position),
        ringing_time: position.ringing_time,
        origin: text(&position.origin, "111"),
        ird_bypass: flag(position.ird_bypass),
        one_call: flag(position.one_call),
        sms_support: flag(position.sms_support),
        delay_seizure_list_number: number(position.delay_seizure_list_number),
        instant_messaging_support: flag(position.instant_messaging_support),
        call_list_cdiv: text(&position.call_list_cdiv, ""),
    }))
}
