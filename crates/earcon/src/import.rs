//! `earcon um-import`.

use crate::cli::ImportArguments;
use crate::failure::Failure;
use lab::settings::UmSettings;

pub fn run(arguments: &ImportArguments) -> Result<(), Failure> {
    let settings = UmSettings::read(&arguments.config).map_err(Failure::from_error)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(Failure::from_error)?;
    let imported =
        lab::import(&settings, arguments.recordings.as_deref(), runtime.handle()).map_err(Failure::from_error)?;
    let copied = imported.mailboxes;
    println!(
        "copied from {} to {}\n  {} mailboxes, {} messages, {} greetings; {} were there already\n  {} recordings\n  \
         {} values of the configuration, PINs and tokens; {} were there already",
        settings.data.display(),
        imported.server,
        copied.mailboxes,
        copied.messages,
        copied.greetings,
        copied.present,
        copied.recordings,
        imported.values,
        imported.values_present,
    );
    if copied.gone > 0 {
        println!(
            "  {} recordings were not found: if they are kept elsewhere, run it again with --recordings",
            copied.gone
        );
    }
    Ok(())
}
