//! What a UM server has kept in its own folder is copied to where several servers share it.

use crate::settings::{SettingsError, UmSettings, value};
use mailbox::{AudioError, AudioPlace, Copied, CopyError, Mailboxes};
use state::{OpenError, Store};
use std::path::{Path, PathBuf};
use tokio::runtime::Handle;

/// What was copied, and what was there already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Where to.
    pub server: String,
    /// Objects of the configuration, PINs and tokens.
    pub values: usize,
    pub values_present: usize,
    pub mailboxes: Copied,
}

/// Why nothing, or not all, was copied. Copied again, it goes on where it was cut short.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// There is nowhere to copy it to.
    #[error("the configuration names no store: add the PostgreSQL to copy into, store = \"postgres://…\"")]
    NoStore,
    /// It never served alone, or `data` is another folder.
    #[error("there is nothing to copy in {0}: it has neither state.db nor mailboxes/mailbox.db")]
    Nothing(PathBuf),
    /// Either is in use by a server that runs, damaged, away, or refuses.
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Audio(#[from] AudioError),
    #[error("the configuration was not copied: {0}")]
    Configuration(#[from] um::import::ImportError),
    #[error("not all mailboxes were copied: {0}")]
    Mailboxes(#[from] CopyError),
}

/// Copies recordings, mailboxes and configuration from `data` to `store` and `audio` of the settings. `recordings` is where
/// recordings were kept, by path or URL, if not in `data`. Waits until all is durable.
///
/// # Errors
/// [`ImportError`]
pub fn import(settings: &UmSettings, recordings: Option<&str>, runtime: &Handle) -> Result<Imported, ImportError> {
    let wrong = |key, message: &str| value(Path::new("um.toml"), key, message);
    let server = settings.server().map_err(|error| wrong("store", &error.to_string()))?.ok_or(ImportError::NoStore)?;
    let (state, folder) = (settings.data.join("state.db"), settings.data.join("mailboxes"));
    if !state.exists() && !folder.join("mailbox.db").exists() {
        return Err(ImportError::Nothing(settings.data.clone()));
    }
    let own = AudioPlace::Folder(folder.join("audio"));
    let from = recordings
        .map(str::parse)
        .transpose()
        .map_err(|error: mailbox::AudioUrlError| wrong("--recordings", &error.to_string()))?;
    let to = settings.audio_place().map_err(|error| wrong("audio", &error.to_string()))?;
    let (from, to) = (from.unwrap_or_else(|| own.clone()).open()?, to.unwrap_or(own).open()?);

    let (alone, shared) = (Store::open(&state)?, Store::connect(&server, &settings.name())?);
    // Refused before anything is copied; entered when what it refers to is there.
    let configuration = um::import::Import::prepare(&alone, &shared, &[web::TOKENS])?;
    let mailboxes = runtime.block_on(async {
        let (alone, shared) = (Mailboxes::open_with(&folder, from).await?, Mailboxes::connect(&server, to).await?);
        let copied = alone.copy_to(&shared).await;
        alone.close().await;
        shared.close().await;
        Ok::<_, ImportError>(copied?)
    })?;
    let values_present = configuration.present;
    Ok(Imported { server: server.to_string(), values: configuration.commit(&shared)?, values_present, mailboxes })
}
