//! `earcon phone`: one phone with a plan, printing what happens, until its call is over.

use crate::{Behaviour, Phone, PhoneConfig, PhoneEvent, Plan, StartError};
use net::tls::{ClientCertificate, Tls, TlsError};
use sip::Transport;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What `earcon phone` was told on its command line.
#[derive(Clone, Debug)]
pub struct Options {
    pub user: String,
    pub password: String,
    pub server: SocketAddr,
    pub bind: IpAddr,
    pub tcp: bool,
    /// SIP over TLS: the PEM file of the CA that the PBX's certificate is signed by.
    pub tls: Option<PathBuf>,
    /// Number to call; `None`: wait for calls.
    pub call: Option<String>,
    /// WAV to play once the far end is quiet.
    pub play: Option<PathBuf>,
    /// Keys to press once the call is up.
    pub keys: Option<String>,
    /// WAV to write what was heard to.
    pub record: Option<PathBuf>,
    pub answer: bool,
    /// How long it rings before it answers.
    pub ring: Option<Duration>,
    pub duration: Option<Duration>,
    /// SRTP only.
    pub srtp: bool,
    pub seed: [u8; 32],
}

/// Why `earcon phone` ends with failure.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Start(#[from] StartError),
    /// The file of the CA is not there, or holds no certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The file to play is not there or is no WAV.
    #[error("{file} can't be played: {reason}")]
    Play { file: PathBuf, reason: String },
    /// The file for what was heard can't be written.
    #[error("{file} can't be written: {source}")]
    Record { file: PathBuf, source: std::io::Error },
    /// The PBX refused the registration (wrong password, unknown extension) or did not answer.
    #[error("{user} is not registered at {server}: {reason}")]
    NotRegistered { user: String, server: SocketAddr, reason: String },
    /// The call was refused or not answered.
    #[error("not connected: {status} {reason}")]
    NotConnected { status: u16, reason: String },
}

/// Runs the phone until its call is over, its ring time is over, or `stop` is set (Ctrl-C).
pub fn run(options: Options, stop: &AtomicBool, mut print: impl FnMut(&str)) -> Result<(), RunError> {
    let play = match &options.play {
        Some(file) => Some(Arc::new(read(file)?)),
        None => None,
    };
    let tls = options.tls.as_deref().map(believing).transpose()?;
    let config = PhoneConfig {
        user: options.user.clone(),
        password: options.password,
        server: options.server,
        transport: match (&tls, options.tcp) {
            (Some(_), _) => Transport::Tls,
            (None, true) => Transport::Tcp,
            (None, false) => Transport::Udp,
        },
        tls,
        bind: options.bind,
        port: 0,
        behaviour: match options.ring {
            Some(ring) if options.answer => Behaviour::AnswerAfter(ring),
            None if options.answer => Behaviour::AnswerAfter(Duration::ZERO),
            _ => Behaviour::Ring,
        },
        plan: Plan { keys: options.keys, play, duration: options.duration },
        register: true,
        subscribe: options.call.is_none(),
        srtp: options.srtp,
        seed: options.seed,
    };
    let phone = Phone::start(config)?;
    print(&format!("registering {} at {}", options.user, options.server));
    let mut waiting_for_call = options.call.clone();
    let mut lamp = None;
    let ended = loop {
        if stop.load(Ordering::Relaxed) {
            break Ok(());
        }
        let Some(event) = phone.next(Duration::from_millis(200)) else { continue };
        match &event {
            // What ends the phone is said once, as its error.
            PhoneEvent::RegistrationFailed { .. } | PhoneEvent::Failed { .. } => {}
            // A PBX tells by subscription and without one; the lamp is the same.
            PhoneEvent::Lamp { summary, .. } if lamp.as_ref() == Some(summary) => {}
            PhoneEvent::Lamp { summary, .. } => {
                print(&event.to_string());
                lamp = Some(summary.clone());
            }
            _ => print(&event.to_string()),
        }
        match event {
            PhoneEvent::Registered { .. } => {
                if let Some(number) = waiting_for_call.take() {
                    phone.call(&number);
                }
            }
            PhoneEvent::RegistrationFailed { reason } => {
                break Err(RunError::NotRegistered { user: options.user, server: options.server, reason });
            }
            PhoneEvent::Failed { status, reason } => break Err(RunError::NotConnected { status, reason }),
            // A phone that waits goes on waiting: the next caller may come.
            PhoneEvent::Ended { .. } if options.call.is_some() => break Ok(()),
            _ => {}
        }
    };
    if let Some(file) = options.record {
        phone.hang_up();
        // The last words are on the tape once the session is closed.
        while phone.next(Duration::from_millis(200)).is_some() {}
        std::fs::write(&file, wav(&phone.heard())).map_err(|source| RunError::Record { file, source })?;
    }
    ended
}

/// Shows no certificate: the PBX knows a phone by its password.
fn believing(ca: &Path) -> Result<Tls, TlsError> {
    let tls = Tls::new(ClientCertificate::NotAsked, &[])?;
    tls.set_files(None, vec![(ca.to_owned(), net::tls::authorities(ca)?)])?;
    Ok(tls)
}

fn read(file: &Path) -> Result<media::Clip, RunError> {
    let failed = |reason: String| RunError::Play { file: file.to_owned(), reason };
    let bytes = std::fs::read(file).map_err(|error| failed(error.to_string()))?;
    media::Clip::from_wav(&bytes).map_err(|error| failed(error.to_string()))
}

/// 16 bits linear, 8 kHz, mono.
fn wav(samples: &[i16]) -> Vec<u8> {
    let spec =
        hound::WavSpec { channels: 1, sample_rate: 8000, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
    let mut bytes = std::io::Cursor::new(Vec::new());
    if let Ok(mut writer) = hound::WavWriter::new(&mut bytes, spec) {
        // Writing to memory does not fail.
        let _ = samples.iter().try_for_each(|sample| writer.write_sample(*sample)).and_then(|()| writer.finalize());
    }
    bytes.into_inner()
}
