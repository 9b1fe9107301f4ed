//! The acceptance suite speaks to a lab, by flite, over SIP and RTP, in clear and by TLS with SRTP; PocketSphinx in the lab's
//! helper process understands it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;
use std::process::Command;
use tests_foreign::process::earcon;

/// What Debian's pocketsphinx-en-us installs.
const MODEL: &str = "/usr/share/pocketsphinx/model/en-us/en-us/mdef";

/// The suite's test 2, which a test of the crate `verify` can't run: the recogniser is a process of the program itself.
fn passes(net: u8, way: Option<&str>) {
    assert!(Path::new(MODEL).exists(), "pocketsphinx-en-us is not installed: cargo xtask test installs it");
    let mut verify = Command::new(earcon());
    verify.args(["verify", "--net", &format!("127.0.{net}"), "--only", "2"]).args(way);
    let output = verify.output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains("1 P"), "{said}");
}

#[test]
fn a_mailbox_is_navigated_by_voice() {
    passes(193, None);
}

#[test]
fn a_mailbox_is_navigated_by_voice_over_tls_and_srtp() {
    passes(151, Some("--secure"));
}
