//! `earcon replay`: runs a recorded call again, and says where it goes otherwise than it went.

use crate::cli::ReplayArguments;
use crate::failure::Failure;
use journal::replay::{Report, Stage, describe, journal_of, run as run_call};
use journal::{Folder, Found, Journal, Recorded, Sought, find};
use std::io::Write;
use std::path::Path;
use std::time::Instant;
use time::OffsetDateTime;

pub fn run(arguments: &ReplayArguments) -> Result<(), Failure> {
    let call = match &arguments.call {
        Some(id) if Path::new(id).is_file() => {
            let bytes = std::fs::read(id).map_err(Failure::from_error)?;
            if let Some(file) = &arguments.as_test {
                return keep(&bytes, file);
            }
            journal::read(&bytes, Instant::now()).map_err(Failure::from_error)?
        }
        Some(id) if !arguments.list => {
            let found = one(&all(arguments.data.as_deref())?, id, arguments.role.as_deref())?;
            if let Some(file) = &arguments.as_test {
                return keep(found.bytes(), file);
            }
            found.read(Instant::now()).map_err(Failure::from_error)?
        }
        _ => return list(&all(arguments.data.as_deref())?, arguments.role.as_deref()),
    };
    let report = replay(&call, arguments.step)?;
    if report.is_equal() {
        println!("{} steps, all as they were", report.steps);
        return Ok(());
    }
    let which: Vec<String> = report.differing.iter().map(usize::to_string).collect();
    println!("{} steps; otherwise than recorded: {}", report.steps, which.join(", "));
    Err(Failure::silent())
}

/// All recorded calls of a data folder, the lab's when none is named.
pub fn all(data: Option<&Path>) -> Result<Vec<Found>, Failure> {
    let folder = match data {
        Some(folder) => folder.to_owned(),
        None => lab::folder::of_lab().map_err(Failure::from_error)?,
    };
    Folder::open(&folder).and_then(|folder| folder.all()).map_err(Failure::from_error)
}

pub fn one(all: &[Found], id: &str, role: Option<&str>) -> Result<Found, Failure> {
    match find(all, id, role) {
        Sought::One(found) => Ok(*found),
        Sought::Several(ids) => Err(Failure::new(format!("several calls begin so: {}", ids.join(", ")))),
        Sought::Nothing => Err(Failure::new(format!(
            "no recorded call is {id:?}: `earcon replay --list` shows those that there are (a call is written three seconds after its end)"
        ))),
    }
}

/// One line a call, the newest last.
pub fn list(all: &[Found], role: Option<&str>) -> Result<(), Failure> {
    let mut out = std::io::stdout();
    for found in all.iter().filter(|found| role.is_none_or(|role| found.header.role == role)) {
        let header = &found.header;
        let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(header.began_ns)).ok();
        let at = at.map(|at| {
            let (hour, minute, second, milli) = at.time().as_hms_milli();
            format!("{} {hour:02}:{minute:02}:{second:02}.{milli:03}", at.date())
        });
        let name = found.names().first().cloned().unwrap_or_else(|| header.role.clone());
        let id = header.call_ids.first().map(String::as_str).unwrap_or_default();
        let line = format!(
            "{}  {name:<10} {:>8} → {:<8} {:>8.1} s  {:<22} {id}",
            at.unwrap_or_default(),
            header.from,
            header.to,
            header.took_ms as f64 / 1000.0,
            header.outcome,
        );
        if writeln!(out, "{line}").is_err() {
            break;
        }
    }
    Ok(())
}

fn keep(bytes: &[u8], file: &Path) -> Result<(), Failure> {
    let cannot = |error: std::io::Error| Failure::new(format!("{} can't be written: {error}", file.display()));
    std::fs::write(file, bytes).map_err(cannot)?;
    println!("{}: in tests/journals/, `cargo test -p earcon --test journals` runs it from now on", file.display());
    Ok(())
}

fn replay(call: &Recorded, step: bool) -> Result<Report, Failure> {
    let again = journal_of(call);
    let mut stage = stage(call, again.clone())?;
    Ok(run_call(&mut *stage, &again, call, &mut |number, after, done| {
        print!("{}", describe(number, after, done));
        if step {
            let _ = std::io::stdout().flush();
            // At the end of the input it runs to its end.
            let _ = std::io::stdin().read_line(&mut String::new());
        }
    }))
}

/// The role that the call was recorded by, made anew from the record.
fn stage(call: &Recorded, journal: Journal) -> Result<Box<dyn Stage>, Failure> {
    match call.setup.role.as_str() {
        "node" => Ok(Box::new(pbx::replay::NodeStage::new(call, journal).map_err(Failure::from_error)?)),
        "um" => {
            let speech = speech::Speech::open(speech::Options::shipped_only()).map_err(Failure::from_error)?;
            Ok(Box::new(um::replay::UmStage::new(call, journal, speech).map_err(Failure::from_error)?))
        }
        other => {
            Err(Failure::new(format!("the call was recorded by a role {other:?}, which this version does not know")))
        }
    }
}
