//! A data folder for the length of a command.

use crate::failure::Failure;
use lab::folder;
use std::path::{Path, PathBuf};

/// Removed at the end, with the recordings in it.
pub struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    /// `earcon-NAME-PID` in the system's temporary folder.
    pub fn create(name: &str) -> Result<TemporaryFolder, Failure> {
        let path = std::env::temp_dir().join(format!("earcon-{name}-{}", std::process::id()));
        folder::prepare(&path).map_err(Failure::from_error)?;
        Ok(TemporaryFolder(path))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        // What is left is in the system's temporary folder, which is cleaned.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
