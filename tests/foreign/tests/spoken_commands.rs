//! The acceptance suite speaks to a lab, by flite, over SIP and RTP; PocketSphinx in the lab's helper process understands it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;
use std::process::Command;
use tests_foreign::process::{Scratch, earcon};

const NET: u8 = 193;
/// What Debian's pocketsphinx-en-us installs.
const MODEL: &str = "/usr/share/pocketsphinx/model/en-us/en-us/mdef";

#[test]
fn a_mailbox_is_navigated_by_voice() {
    assert!(Path::new(MODEL).exists(), "pocketsphinx-en-us is not installed: cargo xtask test installs it");
    let folder = Scratch::new("spoken-commands");
    let report = folder.file("out");
    let output = Command::new(earcon())
        .args(["verify", "--net", &format!("127.0.{NET}"), "--only", "2", "--report", report.to_str().unwrap()])
        .output()
        .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains("1 P"), "{said}");
}
