//! The README's second command: everything that says whether Earcon works.

use crate::{fuzz, install};
use std::path::PathBuf;
use std::process::Command;

pub fn run(only: Option<&str>) -> Result<(), String> {
    install::run()?;
    step("formatting", tool("cargo").args(["fmt", "--all", "--check"]))?;
    step(
        "clippy",
        tool("cargo").args(["clippy", "--quiet", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]),
    )?;
    // The foreign phones call the real binary: it is built first, so that no test waits for a build.
    step("build", tool("cargo").args(["build", "--quiet", "--locked", "--package", "earcon"]))?;
    if only.is_none() {
        fuzz::run(20)?;
    }
    let mut tests = tool("cargo");
    tests.args(["nextest", "run", "--workspace", "--locked", "--no-fail-fast"]);
    if let Some(filter) = only {
        tests.arg(filter);
    }
    step("tests", &mut tests)
}

fn step(name: &str, command: &mut Command) -> Result<(), String> {
    println!("xtask: {name}");
    if succeeds(command) { Ok(()) } else { Err(format!("{name} failed; the lines above say where")) }
}

pub fn succeeds(command: &mut Command) -> bool {
    match command.status() {
        Ok(status) => status.success(),
        Err(error) => {
            eprintln!("xtask: cannot start {:?}: {error}", command.get_program());
            false
        }
    }
}

/// A command that runs in the repository's root, wherever cargo was called.
pub fn tool(program: &str) -> Command {
    let mut command = Command::new(program);
    command.current_dir(repository());
    command
}

pub fn repository() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map(PathBuf::from).unwrap_or(here)
}

pub fn root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.starts_with(b"0\n"))
}
