//! `earcon mdsh` and `earcon umsh`: reach the shell of a running process through its data folder.

use crate::cli::ShellArguments;
use crate::failure::Failure;
use shell::{Language, client, socket_path};
use std::path::PathBuf;

pub fn run(arguments: &ShellArguments, language: Language) -> Result<(), Failure> {
    let folder = folder(arguments, language)?;
    match client::run(&folder, language, arguments.command.as_deref(), arguments.go_on) {
        Ok(true) => Ok(()),
        // What was refused was printed where it was refused.
        Ok(false) => Err(Failure::silent()),
        Err(error) => Err(Failure::from_error(error)),
    }
}

/// The folder of the half that is meant: as given, or within the lab's.
fn folder(arguments: &ShellArguments, language: Language) -> Result<PathBuf, Failure> {
    let given = match &arguments.data {
        Some(folder) => folder.clone(),
        None => lab::folder::of_lab().map_err(Failure::from_error)?,
    };
    let half = given.join(match language {
        Language::Mdsh => "node",
        Language::Umsh => "um1",
    });
    Ok(if socket_path(&half, language).exists() { half } else { given })
}
