//! Every journal in `tests/journals/` is a call that went right once: it goes so again.
#![allow(clippy::unwrap_used)]

use std::process::Command;

#[test]
fn every_recorded_call_goes_as_it_went() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/journals");
    let mut failed = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let file = file.unwrap().path();
        if file.extension().is_none_or(|extension| extension != "journal") {
            continue;
        }
        let done = Command::new(env!("CARGO_BIN_EXE_earcon")).arg("replay").arg(&file).output().unwrap();
        if !done.status.success() {
            failed.push(format!("{}\n{}", file.display(), String::from_utf8_lossy(&done.stdout)));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
