use super::{Answer, CommandError, Outcome, check};
use crate::configuration::{Configuration, Edit, NameEntry};
use serde::{Deserialize, Serialize};

/// `name -i | -c | -e | -p`: the name shown for a number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum Name {
    Initiate(NameSet),
    Change(NameSet),
    End {
        dir: String,
    },
    Print {
        #[serde(default)]
        dir: Option<String>,
    },
}

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

impl Name {
    pub(super) fn run(self, configuration: &Configuration) -> Outcome {
        match self {
            Name::Initiate(set) => {
                if check::extension(configuration, "d", &set.dir)?.name.is_some() {
                    return Err(CommandError::already_assigned("d", set.dir, "change it with name -c"));
                }
                if set.name1.is_none() && set.name2.is_none() {
                    return Err(CommandError::missing("name1", "give at least one of name1 and name2"));
                }
                fill(configuration, set)
            }
            Name::Change(set) => {
                if check::extension(configuration, "d", &set.dir)?.name.is_none() {
                    return Err(CommandError::not_assigned("d", set.dir, "initiate its name with name -i first"));
                }
                fill(configuration, set)
            }
            Name::End { dir } => {
                let mut entry = check::extension(configuration, "d", &dir)?;
                if entry.name.take().is_none() {
                    return Err(CommandError::not_assigned("d", dir, "it has no name"));
                }
                Ok((vec![Edit::Extension(dir, Some(entry))], Answer::done()))
            }
            Name::Print { dir } => {
                if let Some(dir) = &dir {
                    check::extension(configuration, "d", dir)?;
                }
                let mut rows = Vec::new();
                for (number, entry) in
                    configuration.extensions.iter().filter(|(n, _)| dir.as_ref().is_none_or(|d| d == *n))
                {
                    if let Some(name) = &entry.name {
                        rows.push(vec![
                            number.clone(),
                            name.name1.clone(),
                            name.name2.clone(),
                            name.number_type.clone(),
                        ]);
                    }
                }
                Ok((Vec::new(), Answer::table("", &["Dir", "Name1", "Name2", "NumberType"], rows)))
            }
        }
    }
}

fn fill(configuration: &Configuration, set: NameSet) -> Outcome {
    let mut entry = check::extension(configuration, "d", &set.dir)?;
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
    Ok((vec![Edit::Extension(set.dir, Some(entry))], Answer::done()))
}
