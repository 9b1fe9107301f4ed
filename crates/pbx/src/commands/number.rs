use super::{Answer, Command, CommandError, Outcome, Table, check, references};
use crate::configuration::{Configuration, Edit};
use crate::numbers::{NumberEntry, NumberType};
use serde::{Deserialize, Serialize};

/// `number_initiate -numbertype T -number N`, `number_end -number N`, `number_print [-number N]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum Number {
    /// `numbertype`: `EX` (extension series), `ED` (external destination) or `SOS` (emergency number). `number`: one number, or for `EX` also a
    /// range `27000..27099`.
    Initiate {
        numbertype: String,
        number: String,
    },
    End {
        number: String,
    },
    Print {
        #[serde(default)]
        number: Option<String>,
    },
}

impl Number {
    pub(super) fn run(self, configuration: &Configuration) -> Outcome {
        match self {
            Number::Initiate { numbertype, number } => {
                // A longer code takes numbers away from a shorter one.
                let outcome = initiate(configuration, &numbertype, &number);
                references::keeping_all_reachable(configuration, "number", &number, outcome)
            }
            Number::End { number } => end(configuration, &number),
            Number::Print { number } => Ok((Vec::new(), print(configuration, number.as_deref()))),
        }
    }
}

fn initiate(configuration: &Configuration, numbertype: &str, number: &str) -> Outcome {
    let number_type = NumberType::from_name(numbertype).ok_or_else(|| {
        CommandError::invalid(
            "numbertype",
            numbertype,
            "give EX (extension), ED (external destination) or SOS (emergency number)",
        )
    })?;
    let (first, last) = series(number)?;
    if last.is_some() && number_type != NumberType::Ex {
        return Err(CommandError::invalid("number", number, "only extensions (EX) come in series"));
    }
    let upto = last.as_deref().unwrap_or(&first);
    // Series of one length never overlap each other: beside those that begin within this one, only the last that begins
    // before it may reach into it.
    let same_length = |(key, _): &(&String, &NumberEntry)| key.len() == first.len();
    let within = configuration.numbers.range(first.clone()..=upto.to_owned()).any(|entry| same_length(&entry));
    let before = configuration.numbers.range(..first.clone()).rev().find(same_length);
    if within || before.is_some_and(|(key, entry)| entry.covers(key, &first)) {
        return Err(CommandError::already_assigned("number", number, "end it with number_end, or give another"));
    }
    if number_type.is_external() && configuration.extensions.contains_key(&first) {
        return Err(CommandError::already_assigned("number", number, "an extension has this number"));
    }
    Ok((vec![Edit::Number(first, Some(NumberEntry { number_type, last }))], Answer::done()))
}

/// `27000`, `27000..27099`, and the older `27000&&27099` and `27000-27099`.
fn series(number: &str) -> Result<(String, Option<String>), CommandError> {
    if number.is_empty() {
        return Err(CommandError::missing("number", "give the number to initiate"));
    }
    let Some((first, last)) = ["..", "&&", "-"].into_iter().find_map(|between| number.split_once(between)) else {
        return Ok((check::plan_number("number", number)?, None));
    };
    let first = check::directory_number("number", first.trim())?;
    let last = check::directory_number("number", last.trim())?;
    if first.len() != last.len() || first > last {
        return Err(CommandError::invalid("number", number, "a series goes upwards between numbers of one length"));
    }
    Ok((first, Some(last)))
}

fn end(configuration: &Configuration, number: &str) -> Outcome {
    let (first, _) = series(number)?;
    let Some(entry) = configuration.numbers.get(&first) else {
        return Err(CommandError::not_assigned("number", number, "number_print shows which numbers are"));
    };
    if configuration.destinations.contains_key(&first) {
        return Err(CommandError::in_use("number", number, "end its destination with RODDE first"));
    }
    if entry.number_type == NumberType::Ed
        && let Some(longer) = configuration.number_lengths.keys().find(|longer| longer.starts_with(&first))
    {
        let mend = format!("end the lengths of {longer} with number_data_end first");
        return Err(CommandError::in_use("number", number, mend));
    }
    if entry.number_type == NumberType::Ex
        && let Some((dir, _)) = configuration.extensions.iter().find(|(dir, _)| entry.covers(&first, dir))
    {
        return Err(CommandError::in_use("number", number, format!("end extension {dir} first")));
    }
    Ok((vec![Edit::Number(first, None)], Answer::done()))
}

fn print(configuration: &Configuration, number: Option<&str>) -> Answer {
    let shown = |first: &str, entry: &NumberEntry| number.is_none_or(|wanted| entry.covers(first, wanted));
    let rows = configuration
        .numbers
        .iter()
        .filter(|(first, entry)| shown(first, entry))
        .map(|(first, entry)| {
            let series = entry.last.as_ref().map_or(first.clone(), |last| format!("{first} - {last}"));
            vec![series, entry.number_type.title().to_owned()]
        })
        .collect();
    let mut tables = vec![Table::new("", &["Number", "Type"], rows)];
    let lengths = configuration.number_lengths.iter().filter(|(begin, _)| number.is_none_or(|n| n.starts_with(*begin)));
    let lengths: Vec<Vec<String>> =
        lengths.map(|(begin, length)| vec![begin.clone(), length.min.to_string(), length.max.to_string()]).collect();
    if !lengths.is_empty() {
        tables.push(Table::new("External number length", &["ExtNumber", "Min", "Max"], lengths));
    }
    Answer::Tables { tables }
}

pub(super) fn export(configuration: &Configuration) -> Vec<Command> {
    let initiate = |(first, entry): (&String, &NumberEntry)| {
        let number = entry.last.as_ref().map_or(first.clone(), |last| format!("{first}..{last}"));
        Command::Number(Number::Initiate { numbertype: entry.number_type.name().into(), number })
    };
    configuration.numbers.iter().map(initiate).collect()
}
