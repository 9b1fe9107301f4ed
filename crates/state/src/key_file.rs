use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use rand::TryRng;
use rand::rngs::SysRng;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

const NAME: &str = "key";
const KEY: usize = 32;
const NONCE: usize = 24;

/// Why there is no key. Each is one sentence for the administrator.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file can't be read or created.
    #[error("the key file {path} can't be used: {reason}")]
    Io { path: PathBuf, reason: io::Error },
    /// Others than its owner may read or write it: `chmod 600` after asking who has read it.
    #[error("the key file {path} has mode {mode:04o}, which lets others read it; it must be 0600")]
    Mode { path: PathBuf, mode: u32 },
    /// It does not hold 32 bytes: restore it from a backup. Without it the sealed passwords are lost.
    #[error("the key file {path} is damaged: it has {length} bytes instead of {KEY}")]
    Length { path: PathBuf, length: usize },
    /// The operating system gave no random bytes.
    #[error("no random bytes for a new key: {0}")]
    Random(String),
}

/// Why a sealed value can't be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnsealError {
    /// It is no sealed value at all.
    #[error("not a sealed value")]
    Malformed,
    /// It was sealed with another key or for another context, or was changed.
    #[error("the sealed value was changed, or belongs to another key file or place")]
    Rejected,
}

/// The key of a data folder: what the store's secrets (digest HA1, tokens) are sealed with.
pub struct KeyFile {
    cipher: XChaCha20Poly1305,
}

impl KeyFile {
    /// Reads the key of a data folder. In a folder without one, makes one (32 random bytes, mode 0600, synced).
    pub fn open_or_create(folder: &Path) -> Result<KeyFile, KeyFileError> {
        let path = folder.join(NAME);
        let failed = |reason| KeyFileError::Io { path: path.clone(), reason };
        match File::open(&path) {
            Ok(file) => KeyFile::read(file, &path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(folder).map_err(failed)?;
                create(folder, &path)?;
                // What another process may have created in between counts, not ours.
                KeyFile::read(File::open(&path).map_err(failed)?, &path)
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// A key handed in, for tests.
    pub fn from_bytes(key: [u8; KEY]) -> KeyFile {
        KeyFile { cipher: XChaCha20Poly1305::new(&key.into()) }
    }

    fn read(file: File, path: &Path) -> Result<KeyFile, KeyFileError> {
        let failed = |reason| KeyFileError::Io { path: path.to_owned(), reason };
        let mode = file.metadata().map_err(failed)?.mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(KeyFileError::Mode { path: path.to_owned(), mode });
        }
        let mut bytes = Vec::new();
        file.take(1024).read_to_end(&mut bytes).map_err(failed)?;
        let key: [u8; KEY] = bytes
            .try_into()
            .map_err(|bytes: Vec<u8>| KeyFileError::Length { path: path.to_owned(), length: bytes.len() })?;
        Ok(KeyFile::from_bytes(key))
    }

    /// Encrypts a secret for one place. `context` names the place ("extension/27000/ha1") and must be given again to
    /// open it, so that a sealed value copied elsewhere is refused. The result is hexadecimal text.
    pub fn seal(&self, secret: &[u8], context: &str) -> Result<String, KeyFileError> {
        let mut nonce = [0; NONCE];
        random(&mut nonce)?;
        let sealed = self
            .cipher
            .encrypt(&XNonce::from(nonce), Payload { msg: secret, aad: context.as_bytes() })
            // Only a message of more than 256 GiB fails.
            .map_err(|_| KeyFileError::Random("the secret is too long".into()))?;
        let mut text = String::with_capacity(2 * (NONCE + sealed.len()));
        for byte in nonce.iter().chain(&sealed) {
            // Writing to a String can't fail.
            let _ = write!(text, "{byte:02x}");
        }
        Ok(text)
    }

    /// Decrypts what [`KeyFile::seal`] returned for the same context.
    pub fn open(&self, sealed: &str, context: &str) -> Result<Vec<u8>, UnsealError> {
        let bytes = unhex(sealed).ok_or(UnsealError::Malformed)?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE>().ok_or(UnsealError::Malformed)?;
        self.cipher
            .decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: context.as_bytes() })
            .map_err(|_| UnsealError::Rejected)
    }
}

fn create(folder: &Path, path: &Path) -> Result<(), KeyFileError> {
    let failed = |reason| KeyFileError::Io { path: path.to_owned(), reason };
    let mut key = [0; KEY];
    random(&mut key)?;
    // Written aside and linked into place, so that a crash never leaves half a key under the name.
    let aside = folder.join(format!("{NAME}.new-{}", std::process::id()));
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
        file.write_all(&key)?;
        file.sync_all()?;
        match fs::hard_link(&aside, path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => File::open(folder)?.sync_all(),
        }
    })();
    // Gone already if writing failed early.
    let _ = fs::remove_file(&aside);
    written.map_err(failed)
}

/// A secret of so many random bytes, as hexadecimal text.
pub fn random_hex(bytes: usize) -> Result<String, KeyFileError> {
    let mut secret = vec![0; bytes];
    random(&mut secret)?;
    Ok(secret.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn random(bytes: &mut [u8]) -> Result<(), KeyFileError> {
    SysRng.try_fill_bytes(bytes).map_err(|error| KeyFileError::Random(error.to_string()))
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_secret_is_opened_only_by_its_key_and_for_its_context() {
        let folder = tempfile::tempdir().unwrap();
        let key = KeyFile::open_or_create(folder.path()).unwrap();
        let sealed = key.seal(b"HA1", "extension/27000").unwrap();
        let again = KeyFile::open_or_create(folder.path()).unwrap();
        assert_eq!(again.open(&sealed, "extension/27000").unwrap(), b"HA1");
        assert_eq!(again.open(&sealed, "extension/27001"), Err(UnsealError::Rejected));
        assert_eq!(KeyFile::from_bytes([7; 32]).open(&sealed, "extension/27000"), Err(UnsealError::Rejected));
        assert_ne!(key.seal(b"HA1", "extension/27000").unwrap(), sealed, "a nonce of its own each time");
    }

    #[test]
    fn a_changed_or_strange_value_is_refused() {
        let key = KeyFile::from_bytes([1; 32]);
        let sealed = key.seal(b"secret", "c").unwrap();
        let changed = if sealed.ends_with('0') { '1' } else { '0' };
        let changed = format!("{}{changed}", &sealed[..sealed.len() - 1]);
        assert_eq!(key.open(&changed, "c"), Err(UnsealError::Rejected));
        for strange in ["", "0", "zz", "00", "äö", &sealed[1..]] {
            assert_eq!(key.open(strange, "c"), Err(UnsealError::Malformed), "{strange}");
        }
    }

    #[test]
    fn the_file_is_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        KeyFile::open_or_create(folder.path()).unwrap();
        let path = folder.path().join(NAME);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing left aside");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = KeyFile::open_or_create(folder.path()).err().unwrap();
        assert!(error.to_string().contains("has mode 0640"), "{error}");
    }

    #[test]
    fn a_cut_off_key_is_called_damaged() {
        let folder = tempfile::tempdir().unwrap();
        KeyFile::open_or_create(folder.path()).unwrap();
        let path = folder.path().join(NAME);
        let key = fs::read(&path).unwrap();
        fs::write(&path, &key[..20]).unwrap();
        let error = KeyFile::open_or_create(folder.path()).err().unwrap();
        assert!(matches!(error, KeyFileError::Length { length: 20, .. }));
    }
}
