//! Starts a role's journal.

use crate::settings::JournalSettings;
use event::Sink;
use journal::{Journal, Writer};
use std::io;
use std::path::Path;
use std::sync::Arc;

/// The journal for the role, and its writer, which must outlive the role. A limit of 0 records nothing.
pub fn start(
    role: &'static str,
    data: &Path,
    settings: JournalSettings,
    sink: Arc<dyn Sink>,
) -> io::Result<(Journal, Option<Writer>)> {
    if settings.limit == 0 {
        return Ok((Journal::off(), None));
    }
    let writer = Writer::start(data, u64::from(settings.limit) << 20, role, sink)?;
    Ok((Journal::recording(role, writer.door()), Some(writer)))
}
