use super::{Answer, Command, CommandError, Outcome, check, references};
use crate::configuration::{Configuration, Edit};
use crate::numbers::DestinationEntry;
use serde::{Deserialize, Serialize};

/// `RODDI`, `RODDC`, `RODDE`, `RODDP`: which route an external destination takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum Destination {
    Initiate(DestinationSet),
    Change(DestinationSet),
    /// Without `cho`: all choices of the destination.
    End {
        dest: String,
        #[serde(default)]
        cho: Option<u32>,
    },
    Print {
        #[serde(default)]
        dest: Option<String>,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DestinationSet {
    /// A number initiated as ED or SOS.
    pub dest: String,
    pub rou: Option<u32>,
    /// Order of choice, 0 (first, default) to 7.
    pub cho: Option<u32>,
    /// 28 digits.
    pub adc: Option<String>,
    /// Position of the first dialled digit to send, from 1 (default).
    pub srt: Option<u32>,
    /// Digits sent before them.
    pub pre: Option<String>,
    pub cust: Option<String>,
    pub trc: Option<String>,
}

impl Destination {
    pub(super) fn run(self, configuration: &Configuration) -> Outcome {
        match self {
            Destination::Initiate(set) => {
                let cho = check::within("CHO", set.cho, 0, 0..=7)?;
                let code = external(configuration, &set.dest)?;
                if configuration.destinations.get(&code).is_some_and(|ways| ways.contains_key(&cho)) {
                    return Err(CommandError::already_assigned(
                        "CHO",
                        cho,
                        "change it with RODDC, or give another CHO",
                    ));
                }
                for (parameter, missing) in [("ROU", set.rou.is_none()), ("ADC", set.adc.is_none())] {
                    if missing {
                        return Err(CommandError::missing(parameter, "RODDI needs DEST, ROU and ADC"));
                    }
                }
                fill(configuration, set, code, cho, DestinationEntry { srt: 1, ..DestinationEntry::default() })
            }
            Destination::Change(set) => {
                let cho = check::within("CHO", set.cho, 0, 0..=7)?;
                let code = external(configuration, &set.dest)?;
                let way = configuration.destinations.get(&code).and_then(|ways| ways.get(&cho)).cloned();
                let way =
                    way.ok_or_else(|| CommandError::not_assigned("DEST", &set.dest, "initiate it with RODDI first"))?;
                let dest = set.dest.clone();
                let outcome = fill(configuration, set, code, cho, way);
                references::keeping_all_reachable(configuration, "DEST", &dest, outcome)
            }
            Destination::End { dest, cho } => {
                let Some(ways) = configuration.destinations.get(&dest) else {
                    return Err(CommandError::not_assigned("DEST", dest, "RODDP shows which are"));
                };
                let mut ways = ways.clone();
                match cho {
                    None => ways.clear(),
                    Some(cho) => {
                        if ways.remove(&cho).is_none() {
                            return Err(CommandError::not_assigned("CHO", cho, "RODDP shows which are"));
                        }
                    }
                }
                let outcome = Ok((vec![Edit::Destination(dest.clone(), ways)], Answer::done()));
                references::keeping_all_reachable(configuration, "DEST", &dest, outcome)
            }
            Destination::Print { dest } => {
                let mut rows = Vec::new();
                for (code, ways) in
                    configuration.destinations.iter().filter(|(c, _)| dest.as_ref().is_none_or(|d| d == *c))
                {
                    for (cho, way) in ways {
                        rows.push(vec![
                            code.clone(),
                            way.route.to_string(),
                            cho.to_string(),
                            way.cust.clone(),
                            way.adc.clone(),
                            way.trc.clone(),
                            way.srt.to_string(),
                            way.pre.clone(),
                        ]);
                    }
                }
                let columns = ["DEST", "ROU", "CHO", "CUST", "ADC", "TRC", "SRT", "PRE"];
                Ok((Vec::new(), Answer::table("", &columns, rows)))
            }
        }
    }
}

/// Refuses to end a route that destinations or mobile extensions lead to.
pub(super) fn nobody_leads_to(configuration: &Configuration, parameter: &str, route: u32) -> Result<(), CommandError> {
    super::ip_extension::no_mobile_by(configuration, parameter, route)?;
    let leads = configuration.destinations.iter().filter(|(_, ways)| ways.values().any(|way| way.route == route));
    let codes: Vec<&str> = leads.map(|(dest, _)| dest.as_str()).collect();
    if codes.is_empty() {
        return Ok(());
    }
    let mend = format!("destinations {} lead to it: end them with RODDE first", codes.join(", "));
    Err(CommandError::in_use(parameter, route, mend))
}

fn external(configuration: &Configuration, dest: &str) -> Result<String, CommandError> {
    let code = check::plan_number("DEST", dest)?;
    match configuration.numbers.get(&code) {
        Some(entry) if entry.number_type.is_external() => Ok(code),
        _ => Err(CommandError::not_assigned(
            "DEST",
            dest,
            "initiate it with number_initiate -numbertype ED (or SOS) first",
        )),
    }
}

fn fill(
    configuration: &Configuration,
    set: DestinationSet,
    code: String,
    cho: u32,
    mut way: DestinationEntry,
) -> Outcome {
    if let Some(rou) = set.rou {
        check::route(configuration, "ROU", rou)?;
        way.route = rou;
    }
    if let Some(adc) = set.adc {
        way.adc = check::digits("ADC", &adc, 28)?;
    }
    if let Some(srt) = set.srt {
        way.srt = check::within("SRT", Some(srt), 1, 1..=20)?;
    }
    if let Some(pre) = set.pre {
        if pre.len() > 12 || !pre.bytes().all(|byte| byte.is_ascii_digit() || b"*#".contains(&byte)) {
            return Err(CommandError::invalid("PRE", pre, "give at most 12 digits"));
        }
        way.pre = pre;
    }
    if let Some(cust) = set.cust {
        way.cust = check::text("CUST", &cust, 5)?;
    }
    if let Some(trc) = set.trc {
        way.trc = check::text("TRC", &trc, 5)?;
    }
    let mut ways = configuration.destinations.get(&code).cloned().unwrap_or_default();
    ways.insert(cho, way);
    Ok((vec![Edit::Destination(code, ways)], Answer::done()))
}

pub(super) fn export(configuration: &Configuration) -> Vec<Command> {
    let kept = |value: &String| Some(value.clone()).filter(|value| !value.is_empty());
    let mut commands = Vec::new();
    for (dest, ways) in &configuration.destinations {
        for (cho, way) in ways {
            commands.push(Command::Destination(Destination::Initiate(DestinationSet {
                dest: dest.clone(),
                rou: Some(way.route),
                cho: Some(*cho).filter(|cho| *cho != 0),
                adc: Some(way.adc.clone()),
                srt: Some(way.srt),
                pre: kept(&way.pre),
                cust: kept(&way.cust),
                trc: kept(&way.trc),
            })));
        }
    }
    commands
}
