//! What umsh prints, kept in files: every cmdlet's help, the printouts of a configuration, and the reference page. To write
//! them anew: `EARCON_GOLDEN=write cargo nextest run -p shell golden`, and look at what has changed.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod server;

use server::Rig;
use std::path::Path;
use um::commands::cmdlets;

#[track_caller]
fn same(file: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("EARCON_GOLDEN").is_some_and(|value| value == "write") {
        std::fs::write(&path, text).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = kept.lines().zip(text.lines()).position(|(kept, now)| kept != now);
    let line = differs.unwrap_or_else(|| kept.lines().count().min(text.lines().count()));
    assert!(
        kept == text,
        "{file} is not up to date, from line {} on: it has {:?}, and should have {:?}",
        line + 1,
        kept.lines().nth(line),
        text.lines().nth(line)
    );
}

#[test]
fn golden_help() {
    let rig = Rig::new();
    let mut text = rig.run("help");
    for cmdlet in cmdlets() {
        text.push('\n');
        text.push_str(&rig.run(&format!("Get-Help {}", cmdlet.name)));
    }
    same("tests/golden/umsh-help.txt", &text);
}

#[test]
fn golden_printouts() {
    let rig = Rig::new();
    rig.run(include_str!("../../../lab/exchange-um.ps1"));
    let mut text = String::new();
    for line in include_str!("golden/umsh-lines.ps1").lines() {
        let said = rig.try_line(line).unwrap_or_else(|error| format!("{error}\n"));
        text.push_str(&format!("umsh> {line}\n{said}\n"));
    }
    same("tests/golden/umsh-printouts.txt", &text);
}

#[test]
fn golden_reference_page() {
    same("../../docs/umsh.md", &shell::Language::Umsh.reference());
}
