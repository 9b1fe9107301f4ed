//! Data folders: one for each half, and nothing of it readable by others.

use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It cannot be created: a parent is missing its rights, or is a file.
    #[error("the data folder {path} can't be created: {source}")]
    Create { path: PathBuf, source: io::Error },
    /// It is there, but nothing can be written into it.
    #[error("the data folder {path} can't be written: {source}")]
    Write { path: PathBuf, source: io::Error },
    /// There is something of that name that is no folder.
    #[error("the data folder {path} is not a folder")]
    NotAFolder { path: PathBuf },
    /// Neither XDG_DATA_HOME nor HOME says where data of a user is kept.
    #[error("nobody says where to keep data: give --data DIR, or set HOME")]
    NoHome,
}

/// Makes the folder (mode 0700) and proves that it can be written.
pub fn prepare(path: &Path) -> Result<(), FolderError> {
    let create = |source| FolderError::Create { path: path.to_owned(), source };
    if path.exists() && !path.is_dir() {
        return Err(FolderError::NotAFolder { path: path.to_owned() });
    }
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(create)?;
    let write = |source| FolderError::Write { path: path.to_owned(), source };
    let probe = path.join(".writable");
    std::fs::write(&probe, b"").map_err(write)?;
    std::fs::remove_file(&probe).map_err(write)?;
    // A folder that was there before may have been open to others; its recordings and keys are not theirs.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).map_err(write)
}

/// Where the lab keeps its data when nobody says otherwise: `earcon/lab` in the user's data folder (XDG base
/// directories: XDG_DATA_HOME, else ~/.local/share).
pub fn of_lab() -> Result<PathBuf, FolderError> {
    let home = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    home("XDG_DATA_HOME")
        .or_else(|| home("HOME").map(|home| home.join(".local/share")))
        .map(|base| base.join("earcon/lab"))
        .ok_or(FolderError::NoHome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_in_the_place_of_the_folder_is_said_to_be_no_folder() {
        let file = std::env::temp_dir().join(format!("earcon-folder-{}", std::process::id()));
        std::fs::write(&file, b"").unwrap();
        let error = prepare(&file).unwrap_err().to_string();
        assert!(error.ends_with("is not a folder"), "{error}");
        assert!(prepare(&file.join("under")).unwrap_err().to_string().contains("can't be created"));
        std::fs::remove_file(&file).unwrap();
    }

    #[test]
    fn a_folder_is_closed_to_others() {
        let folder = std::env::temp_dir().join(format!("earcon-folder-mode-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
        prepare(&folder).unwrap();
        assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
