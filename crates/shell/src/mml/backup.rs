//! `data_backup` and `data_restore`: the configuration as a file in the data folder.
//!
//! A backup is an export between a first line that says what it is and a last one that says that it is whole. It is
//! written beside its place and moved there, so that there is no half of one. A restore hands all its commands to the
//! node at once, which takes them all or none.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use pbx::commands::{Command, Config};

use super::{lexer, parse, table};

/// The first line.
const MARK: &str = "# Earcon node backup, form 1";
/// Larger than any export, in bytes.
const LARGEST: u64 = 1 << 30;
const FOLDER: &str = "backup";

/// Where a backup of that name lies in a data folder. Names make no paths.
fn place(data: &Path, name: &str) -> Result<PathBuf, String> {
    let good = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if !(1..=80).contains(&name.len()) || name.starts_with('.') || !name.chars().all(good) {
        return Err(format!(
            "NOT ACCEPTED: file {name}: give a name of letters, digits, - and _ without a path: backups lie in the data folder's {FOLDER}"
        ));
    }
    Ok(data.join(FOLDER).join(name))
}

/// Writes an export as a backup; says where it is.
pub(super) fn write(data: &Path, name: &str, export: &str) -> Result<String, String> {
    let path = place(data, name)?;
    if path.exists() {
        return Err(format!(
            "NOT ACCEPTED: file {name} ALREADY ASSIGNED: give another name, or remove {}",
            path.display()
        ));
    }
    let text = format!("{MARK}\n{export}# END {}\n", export.lines().count());
    written(&path, &text).map_err(|error| format!("NOT EXECUTED: {}: {error}", path.display()))?;
    Ok(format!("{}\nEXECUTED\n", path.display()))
}

fn written(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let aside = folder.join(format!(".new-{}", std::process::id()));
    let done = (|| {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        // Nobody's backup is written over, not even one that came to be a moment ago.
        fs::hard_link(&aside, path)?;
        File::open(folder)?.sync_all()
    })();
    // It has its place now, or is of no use.
    let _ = fs::remove_file(&aside);
    done
}

/// The names of the backups, one a line.
pub(super) fn list(data: &Path) -> String {
    let entries = fs::read_dir(data.join(FOLDER)).into_iter().flatten().filter_map(Result::ok);
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| !name.starts_with('.')).collect();
    names.sort();
    names.into_iter().map(|name| name + "\n").chain(["END\n".to_owned()]).collect()
}

/// The command that brings a backup's configuration back. Refuses what is no backup, and what is not whole.
pub(super) fn read(data: &Path, name: &str) -> Result<Command, String> {
    let path = place(data, name)?;
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => {
            format!("NOT ACCEPTED: file {name} NOT ASSIGNED: data_backup_print shows which there are")
        }
        _ => format!("NOT EXECUTED: {}: {error}", path.display()),
    };
    let mut text = String::new();
    File::open(&path).and_then(|file| file.take(LARGEST).read_to_string(&mut text)).map_err(unreadable)?;
    let foreign = || format!("NOT ACCEPTED: file {name}: it is no backup of an Earcon node");
    let body = text.strip_prefix(MARK).and_then(|rest| rest.strip_prefix('\n')).ok_or_else(foreign)?;
    let cut = || format!("NOT ACCEPTED: file {name}: it is not whole: its last line is missing or wrong");
    let (export, end) = body.trim_end_matches('\n').rsplit_once('\n').ok_or_else(cut)?;
    if end.strip_prefix("# END ").and_then(|count| count.parse().ok()) != Some(export.lines().count()) {
        return Err(cut());
    }
    let mut commands = Vec::new();
    for statement in lexer::statements(export, table::is_command, table::stands_alone) {
        let wrong = |reason: String| format!("NOT ACCEPTED: file {name}, line {}: {reason}", statement.line + 1);
        let parsed = parse::parse(&statement.text, None).map_err(|refused| wrong(refused.fault.message))?;
        commands.push(serde_json::from_value(parsed.json).map_err(|error| wrong(error.to_string()))?);
    }
    Ok(Command::Config(Config::Restore { commands }))
}
