//! `cargo xtask prompts`: renders the prompt catalogue once, for the audio files that the repository ships.
//!
//! The work is done by the `render` example of the `speech` crate, where catalogue, voice and sound are at home.

use std::path::Path;
use std::process::Command;

/// Renders what is missing in `prompts/<language>` and removes what no sentence needs; to render one anew, delete its file.
///
/// # Errors
/// In a sentence: no voice is installed, a sentence could not be spoken, a file not written.
pub fn run() -> Result<(), String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let status = Command::new(cargo)
        .current_dir(root)
        .args(["run", "--quiet", "--package", "speech", "--example", "render", "--", "prompts"])
        .status()
        .map_err(|error| format!("cargo could not be run: {error}"))?;
    if status.success() { Ok(()) } else { Err("the prompts were not rendered; the lines above say why".into()) }
}
