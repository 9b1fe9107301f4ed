//! `-Path FILE` of Import-UMPrompt and Export-UMPrompt: the WAV file is read or written here, so that nobody has to type
//! base64. It is a file of the machine that the server runs on, reached with the rights of its user.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use um::commands::Given;

use super::parse::{Argument, Stage};
use crate::fault::Fault;

/// Longest file that is read; what a prompt may hold is far less.
const LONGEST: u64 = 64 * 1024 * 1024;

/// Where the answer goes.
pub(super) struct Save {
    path: PathBuf,
    span: std::ops::Range<usize>,
}

/// Puts a file's content in the place of `-Path`, or takes note of where the answer goes.
pub(super) fn take(stage: &mut Stage) -> Result<Option<Save>, Fault> {
    let import = stage.name.eq_ignore_ascii_case("Import-UMPrompt");
    if !import && !stage.name.eq_ignore_ascii_case("Export-UMPrompt") {
        return Ok(None);
    }
    let Some(place) = stage.arguments.iter().position(|argument| argument.name.eq_ignore_ascii_case("Path")) else {
        return Ok(None);
    };
    let Argument { value, span, name_span, .. } = stage.arguments.remove(place);
    let path = match &value {
        Given::Text(path) if Path::new(path).is_absolute() => PathBuf::from(path),
        _ => return Err(Fault::new("write the whole path of a file of the server's machine, from / on", span)),
    };
    if !import {
        return Ok(Some(Save { path, span }));
    }
    let failed = |error: std::io::Error| Fault::new(format!("{}: {error}", path.display()), span.clone());
    if fs::metadata(&path).map_err(failed)?.len() > LONGEST {
        return Err(Fault::new("the file is too long for a prompt", span));
    }
    let content = base64(&fs::read(&path).map_err(failed)?);
    stage.arguments.push(Argument { name: "PromptFileData".into(), value: Given::Text(content), name_span, span });
    Ok(None)
}

impl Save {
    /// Writes the file; one that is there already is left alone.
    pub(super) fn write(&self, content: &str) -> Result<String, Fault> {
        let failed = |error: std::io::Error| Fault::new(format!("{}: {error}", self.path.display()), self.span.clone());
        let bytes = unbase64(content).ok_or_else(|| Fault::nowhere("the prompt is damaged"))?;
        let mut file = fs::OpenOptions::new().write(true).create_new(true).open(&self.path).map_err(failed)?;
        file.write_all(&bytes).map_err(failed)?;
        Ok(format!("written: {}\n", self.path.display()))
    }
}

fn base64(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

fn unbase64(text: &str) -> Option<Vec<u8>> {
    BASE64_STANDARD.decode(text).ok()
}
