use super::{Answer, CommandError, Outcome, check};
use crate::configuration::{Configuration, Edit, ExtensionEntry};
use serde::{Deserialize, Serialize};

/// `-i`, `-c`, `-e` and `-p` of an extension, or of something that an extension has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum Verb<Set> {
    Initiate(Set),
    Change(Set),
    End {
        dir: String,
    },
    Print {
        #[serde(default)]
        dir: Option<String>,
    },
}

/// What an extension may have once: a name, a secret, a diversion. All are set, ended and printed alike.
pub(super) struct Thing {
    /// The command's name.
    pub command: &'static str,
    /// The parameter that says which extension.
    pub parameter: &'static str,
    /// As in "it has no name".
    pub called: &'static str,
    /// The table's columns after the number.
    pub columns: &'static [&'static str],
    /// What stands in them; `None`: the extension has no such thing.
    pub row: fn(&ExtensionEntry) -> Option<Vec<String>>,
    pub remove: fn(&mut ExtensionEntry),
}

impl<Set> Verb<Set> {
    /// Runs the verb on `thing`; `fill` writes what a checked `Set` says into the extension that `dir` reads from it.
    pub(super) fn run_on(
        self,
        thing: &Thing,
        configuration: &Configuration,
        dir: fn(&Set) -> &str,
        fill: impl FnOnce(Set, &mut ExtensionEntry) -> Result<(), CommandError>,
    ) -> Outcome {
        let Thing { command, parameter, called, .. } = thing;
        let extension = |dir: &str| check::extension(configuration, parameter, dir);
        let changed = |dir, entry| Ok((vec![Edit::Extension(dir, Some(entry))], Answer::done()));
        match self {
            Verb::Initiate(set) => {
                let dir = dir(&set).to_owned();
                let mut entry = extension(&dir)?;
                if (thing.row)(&entry).is_some() {
                    return Err(CommandError::already_assigned(
                        parameter,
                        dir,
                        &format!("change it with {command} -c"),
                    ));
                }
                fill(set, &mut entry)?;
                changed(dir, entry)
            }
            Verb::Change(set) => {
                let dir = dir(&set).to_owned();
                let mut entry = extension(&dir)?;
                if (thing.row)(&entry).is_none() {
                    let mend = &format!("initiate it with {command} -i first");
                    return Err(CommandError::not_assigned(parameter, dir, mend));
                }
                fill(set, &mut entry)?;
                changed(dir, entry)
            }
            Verb::End { dir } => {
                let mut entry = extension(&dir)?;
                if (thing.row)(&entry).is_none() {
                    return Err(CommandError::not_assigned(parameter, dir, &format!("it has no {called}")));
                }
                (thing.remove)(&mut entry);
                changed(dir, entry)
            }
            Verb::Print { dir } => {
                let rows = extensions(configuration, parameter, dir.as_deref())?
                    .filter_map(|(number, entry)| {
                        let row = (thing.row)(entry)?;
                        Some(std::iter::once(number.clone()).chain(row).collect())
                    })
                    .collect();
                let columns: Vec<&str> = std::iter::once("Dir").chain(thing.columns.iter().copied()).collect();
                Ok((Vec::new(), Answer::table("", &columns, rows)))
            }
        }
    }
}

/// The extensions that a print is about: `dir`, which must exist, or all.
pub(super) fn extensions<'a>(
    configuration: &'a Configuration,
    parameter: &str,
    dir: Option<&str>,
) -> Result<impl Iterator<Item = (&'a String, &'a ExtensionEntry)>, CommandError> {
    let dir = dir.map(|dir| check::extension(configuration, parameter, dir).map(|_| dir.to_owned())).transpose()?;
    Ok(configuration.extensions.iter().filter(move |(number, _)| dir.as_ref().is_none_or(|dir| dir == *number)))
}
