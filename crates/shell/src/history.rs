//! The history of a person's lines, without the secrets in them.
//!
//! It is a file in the data folder, readable by its owner alone. SIP passwords and PINs are kept nowhere else in the
//! clear, so they are not kept here: a line goes in with stars in their place.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use reedline::{
    FileBackedHistory, History, HistoryItem, HistoryItemId, HistorySessionId, ReedlineError, Result, SearchQuery,
};

use crate::session::Language;

/// Lines kept.
const LINES: usize = 2_000;

pub(crate) struct Discreet {
    language: Language,
    file: FileBackedHistory,
}

impl Discreet {
    /// The history in `path`, which is made with mode 0600 when it is not there.
    pub(crate) fn open(path: &Path, language: Language) -> io::Result<Discreet> {
        OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
        let failed = |error: ReedlineError| io::Error::other(error.to_string());
        let file = FileBackedHistory::with_file(LINES, path.into()).map_err(failed)?;
        Ok(Discreet { language, file })
    }
}

impl History for Discreet {
    fn save(&mut self, mut item: HistoryItem) -> Result<HistoryItem> {
        item.command_line = self.language.masked(&item.command_line);
        self.file.save(item)
    }

    fn load(&self, id: HistoryItemId) -> Result<HistoryItem> {
        self.file.load(id)
    }

    fn count(&self, query: SearchQuery) -> Result<i64> {
        self.file.count(query)
    }

    fn search(&self, query: SearchQuery) -> Result<Vec<HistoryItem>> {
        self.file.search(query)
    }

    fn update(&mut self, id: HistoryItemId, updater: &dyn Fn(HistoryItem) -> HistoryItem) -> Result<()> {
        self.file.update(id, updater)
    }

    fn clear(&mut self) -> Result<()> {
        self.file.clear()
    }

    fn delete(&mut self, id: HistoryItemId) -> Result<()> {
        self.file.delete(id)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync()
    }

    fn session(&self) -> Option<HistorySessionId> {
        self.file.session()
    }
}
