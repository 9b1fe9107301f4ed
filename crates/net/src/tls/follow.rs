//! Looks after certificates in files: what has changed is read again, and an end that comes near is told.

use super::Tls;
use super::certificate::CertificateInfo;
use super::credentials::{CertificateSource, Credentials, TlsError, TlsFiles, authorities};
use event::{Event, Now, Sink};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use time::OffsetDateTime;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(2);
/// How often an end that is near is told.
const DAILY: Duration = Duration::from_secs(24 * 3600);

/// The files of one role.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsSource {
    /// Certificate and key; without, they come from elsewhere (`mxone_certificate`).
    pub certificate: Option<CertificateSource>,
    /// PEM files with the certificates of CAs that peers' certificates may be signed by.
    pub trusted: Vec<PathBuf>,
}

impl TlsSource {
    fn paths(&self) -> Vec<&Path> {
        let mut paths: Vec<&Path> = self.trusted.iter().map(PathBuf::as_path).collect();
        match &self.certificate {
            Some(CertificateSource::Pem(TlsFiles { certificate, key })) => {
                paths.extend([certificate.as_path(), key.as_path()]);
            }
            Some(CertificateSource::Pkcs12 { file, password_file }) => {
                paths.push(file);
                paths.extend(password_file.as_deref());
            }
            None => {}
        }
        paths
    }

    fn read(&self, tls: &Tls) -> Result<(), TlsError> {
        let credentials = self.certificate.as_ref().map(Credentials::read).transpose()?;
        let mut trusted = Vec::new();
        for path in &self.trusted {
            trusted.push((path.clone(), authorities(path)?));
        }
        tls.set_files(credentials, trusted)
    }
}

/// Inode, length and time of change of each file: by which a replaced one is known.
#[derive(PartialEq, Eq)]
struct Stamp(Vec<Option<(u64, u64, SystemTime)>>);

impl Stamp {
    fn of(source: &TlsSource) -> Stamp {
        let stamp = |path: &&Path| {
            let metadata = std::fs::metadata(path).ok()?;
            Some((metadata.ino(), metadata.len(), metadata.modified().ok()?))
        };
        Stamp(source.paths().iter().map(stamp).collect())
    }
}

/// What is said of the certificate in use when it changes, and daily: the certificate, and what is wrong with it.
pub type Tell = Box<dyn Fn(&CertificateInfo, Option<String>) + Send>;

/// Reads the files into `tls`; what is returned then follows their changes and the certificate's end, until nobody else holds
/// `tls`. It is to be spawned on a runtime.
pub fn follow(
    tls: &Tls,
    source: TlsSource,
    events: Arc<dyn Sink>,
    tell: Option<Tell>,
) -> Result<impl Future<Output = ()> + Send + 'static + use<>, TlsError> {
    let stamp = Stamp::of(&source);
    source.read(tls)?;
    let follower = Follower { tls: tls.clone(), source, events, tell, stamp, told: None };
    Ok(follower.run())
}

struct Follower {
    tls: Tls,
    source: TlsSource,
    events: Arc<dyn Sink>,
    tell: Option<Tell>,
    stamp: Stamp,
    /// Of which certificate was last told, and when.
    told: Option<(CertificateInfo, Instant)>,
}

impl Follower {
    async fn run(mut self) {
        let mut look = tokio::time::interval(LOOK);
        let mut changed: Option<Stamp> = None;
        while self.tls.is_shared() {
            self.watch_the_end();
            look.tick().await;
            let now = Stamp::of(&self.source);
            if now == self.stamp {
                changed = None;
                continue;
            }
            match self.source.read(&self.tls) {
                Ok(()) => {
                    (self.stamp, self.told, changed) = (now, None, None);
                    self.events.emit(Now::read(), Event::CertificateRead { file: self.shown() });
                }
                // Several files are not replaced at once: only what stays wrong is told.
                Err(_) if changed.as_ref() != Some(&now) => changed = Some(now),
                Err(error) => {
                    self.stamp = now;
                    self.refused(format!("{error}; the old certificate stays in use"));
                }
            }
        }
    }

    /// An expired certificate is shown all the same: calls must not end for it, and peers say what is wrong.
    fn watch_the_end(&mut self) {
        let Some(info) = self.tls.certificate() else { return };
        if self.told.as_ref().is_some_and(|(told, at)| *told == info && at.elapsed() < DAILY) {
            return;
        }
        let warning = info.warning(OffsetDateTime::from(SystemTime::now()));
        if let Some(warning) = &warning {
            self.refused(warning.clone());
        }
        if let Some(tell) = &self.tell {
            tell(&info, warning);
        }
        self.told = Some((info, Instant::now()));
    }

    fn shown(&self) -> String {
        match &self.source.certificate {
            Some(CertificateSource::Pem(files)) => files.certificate.display().to_string(),
            Some(CertificateSource::Pkcs12 { file, .. }) => file.display().to_string(),
            None => self.tls.certificate().map(|info| info.subject).unwrap_or_default(),
        }
    }

    fn refused(&self, reason: String) {
        self.events.emit(Now::read(), Event::CertificateProblem { file: self.shown(), reason });
    }
}
