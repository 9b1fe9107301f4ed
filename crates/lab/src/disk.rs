//! Watches how much of the data folder's disk is free, and tells the node.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// How often it looks.
const INTERVAL: Duration = Duration::from_secs(60);

/// Watches until it is dropped.
pub struct DiskWatch {
    /// Its end wakes the thread.
    _stop: Sender<()>,
}

impl DiskWatch {
    /// `tell` is called with the bytes that are free and those that there are, at once and then every minute.
    pub fn start(folder: PathBuf, tell: impl Fn(u64, u64) + Send + 'static) -> std::io::Result<DiskWatch> {
        let (stop, stopped) = channel::<()>();
        std::thread::Builder::new().name("disk-watch".into()).spawn(move || {
            loop {
                if let Some((free, total)) = free_and_total(&folder) {
                    tell(free, total);
                }
                if stopped.recv_timeout(INTERVAL) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        })?;
        Ok(DiskWatch { _stop: stop })
    }
}

/// In bytes; free is what others than root may still use. `None` where the system does not say.
fn free_and_total(folder: &Path) -> Option<(u64, u64)> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some((disk.f_bavail.checked_mul(disk.f_frsize)?, disk.f_blocks.checked_mul(disk.f_frsize)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_has_at_least_what_is_free_of_it() {
        let (free, total) = free_and_total(&std::env::temp_dir()).unwrap();
        assert!(free <= total && total > 0);
        assert_eq!(free_and_total(Path::new("/no/such/folder")), None);
    }
}
