//! Help and printouts of the node's commands, as they stand in a file that people read: tests/golden/mdsh.txt.
//!
//! Each line `mdsh> ...` of it is executed on a real node, in order, and what is printed must be what follows.
//! `cargo xtask docs` writes the file anew. (trycmd starts a program a case; these need one node that keeps what it was
//! told, on a clock that stands still and without a port, so the file is run within the test.)
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod node;

use node::Rig;
use std::path::Path;

const PROMPT: &str = "mdsh> ";

fn path() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/mdsh.txt")
}

/// The names of all commands, as `help` lists them.
fn names(rig: &Rig) -> Vec<String> {
    let all = rig.run("help");
    let mut names: Vec<String> = all
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .collect();
    names.dedup();
    names
}

#[test]
fn help_and_printouts_are_as_the_file_has_them() {
    let written = std::fs::read_to_string(path()).unwrap_or_default();
    let rig = Rig::lab();
    let mut lines: Vec<String> =
        written.lines().filter_map(|line| line.strip_prefix(PROMPT)).map(str::to_owned).collect();
    let write = std::env::var_os("EARCON_GOLDEN").is_some_and(|value| value == "write");
    for name in names(&rig) {
        let help = format!("help {name}");
        if !lines.contains(&help) {
            assert!(write, "{name} has no help in the file: run `cargo xtask docs`");
            lines.push(help);
        }
    }
    let mut said = String::new();
    for line in &lines {
        let outcome = rig.run_on(line);
        said.push_str(&format!("{PROMPT}{line}\n"));
        for one in outcome {
            match one {
                Ok(output) => said.push_str(&output),
                Err(fault) => said.push_str(&format!("{fault}\n")),
            }
        }
        said.push('\n');
    }
    if write {
        return std::fs::write(path(), said).unwrap();
    }
    for (number, (is, was)) in (1..).zip(said.lines().zip(written.lines())) {
        assert_eq!(is, was, "line {number} of tests/golden/mdsh.txt; if it is right so: `cargo xtask docs`");
    }
    assert_eq!(said.lines().count(), written.lines().count());
}
