//! Writes call records into CSV files: one a day and output, in a folder of their own.
//!
//! A thread writes, the node only hands over. Files are bounded in size and number: the oldest go.

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use pbx::{CALL_RECORD_HEADER, CallRecord};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Records that may wait for the disk; more are lost, and said to be.
const QUEUE: usize = 8192;
/// A file of one day that grows beyond this goes on in another, in bytes.
const LARGEST: u64 = 64 << 20;
/// Files of one output that are kept.
const KEPT: usize = 400;

/// The way to the writer. It ends with its last clone.
#[derive(Clone)]
pub struct CallRecords {
    lines: Sender<Line>,
    queue: Receiver<Line>,
}

/// Of which file, of which day.
type Line = (String, String, String);

impl CallRecords {
    pub fn start(folder: PathBuf) -> io::Result<CallRecords> {
        let (lines, inbox) = bounded::<Line>(QUEUE);
        let queue = inbox.clone();
        std::thread::Builder::new().name("call-records".into()).spawn(move || {
            for (file, day, line) in inbox {
                if let Err(error) = append(&folder, &file, &day, &line) {
                    tracing::error!(%error, file, "a call record could not be written");
                }
            }
        })?;
        Ok(CallRecords { lines, queue })
    }

    /// Tells how many wait for the disk, for as long as it is asked.
    pub fn waiting(&self) -> impl Fn() -> usize + Send + Sync + use<> {
        let queue = self.queue.clone();
        move || queue.len()
    }

    /// Hands a record over.
    pub fn write(&self, file: &str, record: &CallRecord) {
        let line = (file.to_owned(), pbx::day(record.started), record.csv());
        if let Err(TrySendError::Full(_)) = self.lines.try_send(line) {
            tracing::error!(file, "a call record is lost: the disk does not keep up");
        }
    }
}

fn append(folder: &Path, file: &str, day: &str, line: &str) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let path = with_room(folder, file, day);
    let new = !path.exists();
    let mut out = OpenOptions::new().append(true).create(true).mode(0o600).open(&path)?;
    if new {
        out.write_all(CALL_RECORD_HEADER.as_bytes())?;
        forget_oldest(folder, file)?;
    }
    // One write a record: whoever reads the file meanwhile sees whole lines.
    out.write_all(line.as_bytes())
}

/// The day's file, or the first of its continuations that has room.
fn with_room(folder: &Path, file: &str, day: &str) -> PathBuf {
    let mut path = folder.join(format!("{file}.{day}.csv"));
    for part in 2..u32::MAX {
        if fs::metadata(&path).map_or(0, |metadata| metadata.len()) < LARGEST {
            break;
        }
        path = folder.join(format!("{file}.{day}.{part}.csv"));
    }
    path
}

fn forget_oldest(folder: &Path, file: &str) -> io::Result<()> {
    let prefix = format!("{file}.2");
    let mut files: Vec<PathBuf> = fs::read_dir(folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&prefix)))
        .collect();
    files.sort();
    let surplus = files.len().saturating_sub(KEPT);
    files.iter().take(surplus).try_for_each(fs::remove_file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            Folder(std::env::temp_dir().join(format!("call-records-{name}-{}", std::process::id())))
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_day_has_a_file_that_begins_with_its_header_and_is_its_owners_alone() {
        let folder = Folder::new("day");
        for line in ["a\n", "b\n"] {
            append(&folder.0, "calls", "2026-11-22", line).unwrap();
        }
        append(&folder.0, "calls", "2026-11-23", "c\n").unwrap();
        let path = folder.0.join("calls.2026-11-22.csv");
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{CALL_RECORD_HEADER}a\nb\n"));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(folder.0.join("calls.2026-11-23.csv").exists());
    }

    #[test]
    fn a_large_file_goes_on_in_another_and_the_oldest_go() {
        let folder = Folder::new("large");
        append(&folder.0, "calls", "2026-11-22", "a\n").unwrap();
        let path = folder.0.join("calls.2026-11-22.csv");
        OpenOptions::new().write(true).open(&path).unwrap().set_len(LARGEST).unwrap();
        append(&folder.0, "calls", "2026-11-22", "b\n").unwrap();
        assert!(folder.0.join("calls.2026-11-22.2.csv").exists());
        for n in 0..KEPT {
            fs::write(folder.0.join(format!("calls.2030-{n:04}.csv")), "").unwrap();
        }
        append(&folder.0, "calls", "2031-01-01", "c\n").unwrap();
        assert_eq!(fs::read_dir(&folder.0).unwrap().count(), KEPT);
        assert!(!path.exists());
    }
}
