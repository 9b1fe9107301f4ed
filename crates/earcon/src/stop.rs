//! Ctrl-C and SIGTERM as a flag.

use crate::failure::Failure;
use std::sync::atomic::{AtomicBool, Ordering};

static STOP: AtomicBool = AtomicBool::new(false);

/// The flag that the first Ctrl-C or SIGTERM sets; a second one ends the process at once.
pub fn flag() -> Result<&'static AtomicBool, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::from_error)?;
    std::thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            runtime.block_on(async {
                if asked_to_stop().await.is_ok() {
                    STOP.store(true, Ordering::Relaxed);
                    if asked_to_stop().await.is_ok() {
                        std::process::exit(130);
                    }
                }
            });
        })
        .map_err(Failure::from_error)?;
    Ok(&STOP)
}

/// Waits for Ctrl-C or SIGTERM.
pub async fn asked_to_stop() -> std::io::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed,
        _ = terminate.recv() => Ok(()),
    }
}
