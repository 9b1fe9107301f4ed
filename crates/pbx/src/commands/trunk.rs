use super::{Answer, Command, CommandError, Outcome, check};
use crate::configuration::{Configuration, Edit};
use crate::routes::TrunkEntry;
use serde::{Deserialize, Serialize};

/// `ROEQI`, `ROEQE`, `ROEDP`: a route's trunk individuals. As many calls at once as it has individuals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum Trunk {
    Initiate(TrunkSet),
    /// Removes the individuals named, or all of the route without `tru`.
    End {
        rou: u32,
        #[serde(default)]
        tru: Option<String>,
    },
    Print {
        #[serde(default)]
        rou: Option<u32>,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrunkSet {
    pub rou: u32,
    /// LIM-sequence: `1-1`, a list `1-1&1-5`, a range `1-1&&1-30`.
    pub tru: String,
    /// Kept and printed only.
    pub equ: Option<String>,
    pub ip: Option<String>,
    pub inddat: Option<String>,
    pub cntrl: Option<String>,
}

/// More trunk individuals than any route has are a slip of the finger.
const MOST: usize = 10_000;

/// INDDAT of an individual that has none.
const NO_DATA: &str = "000000000000";

impl Trunk {
    pub(super) fn run(self, configuration: &Configuration) -> Outcome {
        match self {
            Trunk::Initiate(set) => initiate(configuration, set),
            Trunk::End { rou, tru } => {
                let mut route = check::route(configuration, "ROU", rou)?;
                match tru {
                    None => route.trunks.clear(),
                    Some(tru) => {
                        for (lim, sequence) in individuals(&tru)? {
                            let before = route.trunks.len();
                            route.trunks.retain(|trunk| (trunk.lim, trunk.sequence) != (lim, sequence));
                            if route.trunks.len() == before {
                                let name = format!("{lim}-{sequence}");
                                return Err(CommandError::not_assigned("TRU", name, "ROEDP shows which are"));
                            }
                        }
                    }
                }
                Ok((vec![Edit::Route(rou, Some(route))], Answer::done()))
            }
            Trunk::Print { rou } => {
                let mut rows = Vec::new();
                for (number, route) in configuration.routes.iter().filter(|(n, _)| rou.is_none_or(|rou| rou == **n)) {
                    for trunk in &route.trunks {
                        let name = format!("{:03}-{}", trunk.lim, trunk.sequence);
                        rows.push(vec![
                            number.to_string(),
                            name,
                            trunk.equ.clone(),
                            trunk.ip.clone(),
                            format!("H'{}", trunk.inddat),
                            trunk.cntrl.clone(),
                        ]);
                    }
                }
                Ok((Vec::new(), Answer::table("", &["ROU", "TRU", "EQU", "IP ADDRESS", "INDDAT", "CNTRL"], rows)))
            }
        }
    }
}

fn initiate(configuration: &Configuration, set: TrunkSet) -> Outcome {
    let mut route = check::route(configuration, "ROU", set.rou)?;
    if route.data.is_none() {
        return Err(CommandError::not_assigned("ROU", set.rou, "initiate its line type with RODAI first"));
    }
    let inddat = match set.inddat {
        Some(value) => check::hex_digits("INDDAT", &value, 12)?,
        None => NO_DATA.into(),
    };
    let equ = check::text("EQU", &set.equ.unwrap_or_default(), 20)?;
    let ip = check::text("IP", &set.ip.unwrap_or_default(), 45)?;
    let cntrl = check::text("CNTRL", &set.cntrl.unwrap_or_default(), 20)?;
    for (lim, sequence) in individuals(&set.tru)? {
        if route.trunks.iter().any(|trunk| (trunk.lim, trunk.sequence) == (lim, sequence)) {
            let name = format!("{lim}-{sequence}");
            return Err(CommandError::already_assigned("TRU", name, "ROEDP shows which are; ROEQE ends them"));
        }
        let (equ, ip, inddat, cntrl) = (equ.clone(), ip.clone(), inddat.clone(), cntrl.clone());
        route.trunks.push(TrunkEntry { lim, sequence, equ, ip, inddat, cntrl });
    }
    if route.trunks.len() > MOST {
        return Err(CommandError::invalid("TRU", set.tru, format!("a route has at most {MOST} individuals")));
    }
    Ok((vec![Edit::Route(set.rou, Some(route))], Answer::done()))
}

/// `1-1`, `1-1&1-5`, `1-1&&1-30`, and their mixtures. `&` lists, `&&` goes from one to the other of the same LIM.
fn individuals(text: &str) -> Result<Vec<(u32, u32)>, CommandError> {
    if text.is_empty() {
        return Err(CommandError::missing("TRU", "give the trunk individuals, such as 1-1&&1-30"));
    }
    let wrong = |mend: &str| CommandError::invalid("TRU", text, mend);
    let one = |name: &str| {
        let (lim, sequence) = name.trim().split_once('-')?;
        let lim = lim.parse().ok().filter(|lim| (1..=124).contains(lim))?;
        Some((lim, sequence.parse::<u32>().ok().filter(|sequence| (1..=9999).contains(sequence))?))
    };
    let form = "give LIM-number, such as 1-1, 1-1&1-2 or 1-1&&1-30 (LIM 1 to 124, number 1 to 9999)";
    let mut found = Vec::new();
    // "&&" first: what is left between single "&" is one individual or one range.
    let marked = text.replace("&&", "~");
    for part in marked.split('&') {
        let (first, last) = part.split_once('~').unwrap_or((part, part));
        let (lim, from) = one(first).ok_or_else(|| wrong(form))?;
        let (other, upto) = one(last).ok_or_else(|| wrong(form))?;
        if lim != other || from > upto {
            return Err(wrong("a range goes upwards within one LIM"));
        }
        found.extend((from..=upto).map(|sequence| (lim, sequence)));
        if found.len() > MOST {
            return Err(wrong("these are more individuals than a route can have"));
        }
    }
    Ok(found)
}

/// A command for each run of individuals that have the same data, so that their order (of selection) is kept.
pub(super) fn export(configuration: &Configuration) -> Vec<Command> {
    let kept = |value: &String| Some(value.clone()).filter(|value| !value.is_empty());
    let mut commands = Vec::new();
    for (rou, route) in &configuration.routes {
        let same = |a: &TrunkEntry, b: &TrunkEntry| {
            (&a.equ, &a.ip, &a.inddat, &a.cntrl) == (&b.equ, &b.ip, &b.inddat, &b.cntrl)
        };
        for run in route.trunks.chunk_by(same) {
            let Some(first) = run.first() else { continue };
            commands.push(Command::Trunk(Trunk::Initiate(TrunkSet {
                rou: *rou,
                tru: written(run),
                equ: kept(&first.equ),
                ip: kept(&first.ip),
                inddat: kept(&first.inddat).filter(|data| data != NO_DATA),
                cntrl: kept(&first.cntrl),
            })));
        }
    }
    commands
}

/// The inverse of [`individuals`].
fn written(run: &[TrunkEntry]) -> String {
    let follows = |a: &TrunkEntry, b: &TrunkEntry| a.lim == b.lim && a.sequence.checked_add(1) == Some(b.sequence);
    let name = |trunk: &TrunkEntry| format!("{}-{}", trunk.lim, trunk.sequence);
    let ranges = run.chunk_by(follows).filter_map(|range| match range {
        [] => None,
        [one] => Some(name(one)),
        [first, .., last] => Some(format!("{}&&{}", name(first), name(last))),
    });
    ranges.collect::<Vec<_>>().join("&")
}
