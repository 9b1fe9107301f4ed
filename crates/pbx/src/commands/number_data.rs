use super::{Answer, Command, CommandError, Outcome, check, references};
use crate::configuration::{Configuration, Edit};
use crate::numbers::{NumberLength, NumberType};
use serde::{Deserialize, Serialize};

/// `number_data_initiate`, `number_data_change`, `number_data_end`, `number_data_print`: how long external numbers are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum NumberData {
    Initiate(NumberDataSet),
    Change(NumberDataSet),
    End {
        externalnumber: String,
    },
    Print {
        #[serde(default)]
        externalnumber: Option<String>,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NumberDataSet {
    /// What the numbers begin with: an external destination, or digits that begin with one.
    pub externalnumber: String,
    /// Digits of the whole number, 1 to 20, the access code among them.
    pub minlength: Option<u32>,
    pub maxlength: Option<u32>,
}

impl NumberData {
    pub(super) fn run(self, configuration: &Configuration) -> Outcome {
        match self {
            NumberData::Initiate(set) => {
                let number = check::plan_number("externalnumber", &set.externalnumber)?;
                if configuration.number_lengths.contains_key(&number) {
                    let mend = "change it with number_data_change";
                    return Err(CommandError::already_assigned("externalnumber", number, mend));
                }
                let external = |(code, entry): (&String, &crate::numbers::NumberEntry)| {
                    entry.number_type == NumberType::Ed && number.starts_with(code.as_str())
                };
                if !configuration.numbers.iter().any(external) {
                    let mend = "it begins with no external destination (number_initiate -numbertype ED)";
                    return Err(CommandError::not_assigned("externalnumber", number, mend));
                }
                for (parameter, missing) in
                    [("minlength", set.minlength.is_none()), ("maxlength", set.maxlength.is_none())]
                {
                    if missing {
                        return Err(CommandError::missing(parameter, "give minlength and maxlength"));
                    }
                }
                fill(configuration, number, &set, NumberLength { min: 1, max: 20 })
            }
            NumberData::Change(set) => {
                let old = assigned(configuration, &set.externalnumber)?;
                fill(configuration, set.externalnumber.clone(), &set, old)
            }
            NumberData::End { externalnumber } => {
                assigned(configuration, &externalnumber)?;
                Ok((vec![Edit::NumberLength(externalnumber, None)], Answer::done()))
            }
            NumberData::Print { externalnumber } => {
                if let Some(number) = &externalnumber {
                    assigned(configuration, number)?;
                }
                let rows = configuration
                    .number_lengths
                    .iter()
                    .filter(|(number, _)| externalnumber.as_ref().is_none_or(|wanted| wanted == *number))
                    .map(|(number, length)| vec![number.clone(), length.min.to_string(), length.max.to_string()]);
                Ok((Vec::new(), Answer::table("", &["ExtNumber", "Min", "Max"], rows.collect())))
            }
        }
    }
}

fn assigned(configuration: &Configuration, number: &str) -> Result<NumberLength, CommandError> {
    configuration.number_lengths.get(number).copied().ok_or_else(|| {
        CommandError::not_assigned("externalnumber", number, "number_data_print shows which have lengths")
    })
}

fn fill(configuration: &Configuration, number: String, set: &NumberDataSet, old: NumberLength) -> Outcome {
    let min = check::within("minlength", set.minlength, old.min, 1..=20)?;
    let max = check::within("maxlength", set.maxlength, old.max, 1..=20)?;
    if min > max {
        return Err(CommandError::invalid("minlength", min, format!("it is beyond maxlength, which is {max}")));
    }
    let outcome = Ok((vec![Edit::NumberLength(number.clone(), Some(NumberLength { min, max }))], Answer::done()));
    references::keeping_all_reachable(configuration, "externalnumber", &number, outcome)
}

pub(super) fn export(configuration: &Configuration) -> Vec<Command> {
    let initiate = |(number, length): (&String, &NumberLength)| {
        Command::NumberData(NumberData::Initiate(NumberDataSet {
            externalnumber: number.clone(),
            minlength: Some(length.min),
            maxlength: Some(length.max),
        }))
    };
    configuration.number_lengths.iter().map(initiate).collect()
}
