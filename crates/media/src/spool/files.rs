//! The file layer under the spool: little enough that a test can put one in its place that loses what was not synced.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A folder of append-only files.
pub trait Files: Send + Sync {
    /// The names in the folder, in any order.
    fn list(&self) -> io::Result<Vec<String>>;
    /// Makes a new, empty file; one of that name must not exist. It is only sure to exist after `sync_folder`.
    fn create(&self, name: &str) -> io::Result<Box<dyn Append>>;
    fn read(&self, name: &str) -> io::Result<Vec<u8>>;
    /// Exactly so many bytes.
    fn read_at(&self, name: &str, offset: u64, length: usize) -> io::Result<Vec<u8>>;
    /// Pieces of one file, each an offset and so many bytes, handed over in their order.
    fn read_pieces(&self, name: &str, pieces: &[(u64, usize)], take: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        pieces.iter().try_for_each(|(offset, length)| {
            take(&self.read_at(name, *offset, *length)?);
            Ok(())
        })
    }
    /// It is only sure to be gone after `sync_folder`.
    fn remove(&self, name: &str) -> io::Result<()>;
    fn sync_folder(&self) -> io::Result<()>;
}

/// A file that is written at its end.
pub trait Append: Send {
    /// All of it, or an error after which any part of it may have been written.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// What was appended before is on the disk when this returns. After an error none of it need be.
    fn sync(&mut self) -> io::Result<()>;
}

/// A real folder, held by this process alone.
pub struct Disk {
    path: PathBuf,
    folder: File,
    /// Locked as long as it is open.
    _lock: File,
}

impl Disk {
    /// Makes the folder if there is none; `WouldBlock` when another process holds it.
    pub fn open(path: &Path) -> io::Result<Disk> {
        std::fs::create_dir_all(path)?;
        let lock = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path.join("lock"))?;
        lock.try_lock().map_err(io::Error::from)?;
        Ok(Disk { path: path.to_owned(), folder: File::open(path)?, _lock: lock })
    }
}

impl Files for Disk {
    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.path)? {
            // Names that are no UTF-8 are none of ours.
            names.extend(entry?.file_name().into_string().ok());
        }
        Ok(names)
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn Append>> {
        // Recordings are nobody else's business on this machine.
        let file = OpenOptions::new().create_new(true).append(true).mode(0o600).open(self.path.join(name))?;
        Ok(Box::new(DiskFile(file)))
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        std::fs::read(self.path.join(name))
    }

    fn read_at(&self, name: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        File::open(self.path.join(name))?.read_exact_at(&mut bytes, offset)?;
        Ok(bytes)
    }

    fn read_pieces(&self, name: &str, pieces: &[(u64, usize)], take: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        // A message has two pieces a second: opening the file for each cost more than reading them.
        let file = File::open(self.path.join(name))?;
        let mut bytes = Vec::new();
        pieces.iter().try_for_each(|(offset, length)| {
            bytes.resize(*length, 0);
            file.read_exact_at(&mut bytes, *offset)?;
            take(&bytes);
            Ok(())
        })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        std::fs::remove_file(self.path.join(name))
    }

    fn sync_folder(&self) -> io::Result<()> {
        self.folder.sync_all()
    }
}

struct DiskFile(File);

impl Append for DiskFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        // fdatasync: it also syncs the length, without which the data could not be read.
        self.0.sync_data()
    }
}
