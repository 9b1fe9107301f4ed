//! Renders the prompt catalogues.

pub fn run() -> Result<(), String> {
    Err("not here yet".into())
}
