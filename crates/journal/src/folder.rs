//! Finds recorded calls in data folders.

use crate::text::{self, Header, ReadError, Recorded};
use crate::writer::{FOLDER, calls, journals};
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The journals of a data folder: of a node, of a UM server, or of the lab, which has both.
#[derive(Clone, Debug)]
pub struct Folder {
    folders: Vec<PathBuf>,
}

/// A call that was found.
#[derive(Clone, Debug)]
pub struct Found {
    pub header: Header,
    bytes: Vec<u8>,
}

/// What was looked for, and what there is.
#[derive(Clone, Debug)]
pub enum Sought {
    /// This one.
    One(Box<Found>),
    /// Several begin so: their Call-IDs.
    Several(Vec<String>),
    Nothing,
}

impl Folder {
    /// `data` is a data folder; one of the lab holds those of its roles.
    pub fn open(data: &Path) -> io::Result<Folder> {
        let mut folders = vec![data.join(FOLDER)];
        if let Ok(entries) = std::fs::read_dir(data) {
            let mut below: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path().join(FOLDER))).collect();
            below.sort();
            folders.extend(below);
        }
        folders.retain(|folder| folder.is_dir());
        if folders.is_empty() {
            let message = format!("{} holds no journal", data.display());
            return Err(io::Error::new(io::ErrorKind::NotFound, message));
        }
        Ok(Folder { folders })
    }

    /// All calls, oldest first.
    pub fn all(&self) -> io::Result<Vec<Found>> {
        let mut found = Vec::new();
        for folder in &self.folders {
            for (_, path) in journals(folder)? {
                let bytes = match std::fs::read(&path) {
                    Ok(bytes) => bytes,
                    // The writer removed it meanwhile: it was the oldest.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    Err(error) => return Err(error),
                };
                found.extend(calls(&bytes).map(|(header, bytes)| Found { header, bytes: bytes.to_vec() }));
            }
        }
        found.sort_by_key(|found| found.header.began_ns);
        Ok(found)
    }
}

impl Found {
    pub fn read(&self, base: Instant) -> Result<Recorded, ReadError> {
        text::read(&self.bytes, base)
    }

    /// As it stands in the file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// `node:17`, `um:17`: the role and its number of the call.
    pub fn names(&self) -> Vec<String> {
        self.header.calls.iter().map(|call| format!("{}:{call}", self.header.role)).collect()
    }

    fn is_exactly(&self, id: &str) -> bool {
        self.header.call_ids.iter().any(|own| own == id)
            || self.names().iter().any(|name| name == id)
            || self.header.calls.iter().any(|call| call.to_string() == id)
    }

    fn begins_with(&self, id: &str) -> bool {
        self.header.call_ids.iter().any(|own| own.starts_with(id))
    }
}

/// The call with this Call-ID (or the beginning of it), or this number of a role's. Numbers begin anew with each start of the role: the
/// newest call counts. `role` leaves others out.
pub fn find(found: &[Found], id: &str, role: Option<&str>) -> Sought {
    let fits = |found: &&Found| role.is_none_or(|role| found.header.role == role);
    if let Some(one) = found.iter().rev().filter(fits).find(|found| found.is_exactly(id)) {
        return Sought::One(Box::new(one.clone()));
    }
    let alike: Vec<&Found> = found.iter().filter(fits).filter(|found| found.begins_with(id)).collect();
    match alike.as_slice() {
        [] => Sought::Nothing,
        [one] => Sought::One(Box::new((*one).clone())),
        several => Sought::Several(several.iter().filter_map(|found| found.header.call_ids.first().cloned()).collect()),
    }
}

/// The call, and what other roles recorded of it: those that share a Call-ID with it, and with those.
pub fn together(all: &[Found], one: &Found) -> Vec<Found> {
    let mut ids: BTreeSet<&str> = one.header.call_ids.iter().map(String::as_str).collect();
    // A call has few roles: this comes to rest at once.
    for _ in 0..8 {
        let before = ids.len();
        for found in all {
            if found.header.call_ids.iter().any(|id| ids.contains(id.as_str())) {
                ids.extend(found.header.call_ids.iter().map(String::as_str));
            }
        }
        if ids.len() == before {
            break;
        }
    }
    all.iter().filter(|found| found.header.call_ids.iter().any(|id| ids.contains(id.as_str()))).cloned().collect()
}
