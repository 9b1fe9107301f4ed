//! Why a half, or the lab, did not start. Each prints as one sentence that says what to mend.

use crate::folder::FolderError;
use crate::settings::SettingsError;

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The TOML file is not taken.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The data folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The configuration or the mailboxes cannot be opened: damaged, in use, of a newer version.
    #[error(transparent)]
    Database(#[from] state::OpenError),
    /// Recordings can't be kept where the configuration says.
    #[error(transparent)]
    Audio(#[from] mailbox::AudioError),
    /// The key file is missing, damaged or open to others.
    #[error(transparent)]
    Key(#[from] state::KeyFileError),
    /// The spool cannot be opened.
    #[error(transparent)]
    Spool(#[from] media::spool::SpoolError),
    /// A certificate, its key or a CA's certificate can't be used.
    #[error("TLS for SIP can't start: {0}")]
    Tls(#[from] net::tls::TlsError),
    /// The lab's own certificates could not be made.
    #[error(transparent)]
    Certificate(#[from] crate::certificates::CertificateFault),
    /// A SIP port is taken, or the address is not this machine's.
    #[error(transparent)]
    Net(#[from] net::StartError),
    /// The media engine did not start.
    #[error(transparent)]
    Media(#[from] media::StartError),
    /// What the configuration database holds is damaged.
    #[error("the configuration can't be read: {0}")]
    Configuration(String),
    /// The shipped prompts are damaged.
    #[error("the prompts can't be read: {0}")]
    Speech(String),
    /// The shell's socket cannot be served.
    #[error(transparent)]
    Shell(#[from] shell::ServeError),
    /// The web page's port is taken, or its token file is not usable.
    #[error("{0}")]
    Web(String),
    /// The phones' files can't be served: a port is taken, a certificate is wrong.
    #[error("{0}")]
    Provisioning(String),
    /// The lab's own script was refused: the data folder holds something else.
    #[error("the lab's script {script} was refused: {reason}")]
    Script { script: &'static str, reason: String },
    /// Another program is the lab's DNS server's port.
    #[error("the lab's DNS server can't listen on {at}: {source}")]
    Dns { at: std::net::SocketAddr, source: std::io::Error },
    /// The system gives no thread or socket.
    #[error("{0}")]
    System(#[from] std::io::Error),
}
