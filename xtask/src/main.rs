//! `cargo xtask COMMAND`: what the project does to itself.

mod docs;
mod fuzz;
mod install;
mod prompts;
mod test;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  test [--only FILTER]   install what the tests need, check style, fuzz for 20 s a target, run every test
  install                only install what the tests need (apt, cargo)
  fuzz [SECONDS]         run each fuzz target (default 20 s)
  docs                   write docs/mdsh.md, docs/umsh.md and the golden files of the shells again
  prompts                render the prompt catalogues to audio again (flite, sox)
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["test"] => test::run(None),
        ["test", "--only", filter] => test::run(Some(filter)),
        ["install"] => install::run(),
        ["fuzz"] => fuzz::run(20),
        ["fuzz", seconds] => match seconds.parse() {
            Ok(seconds) => fuzz::run(seconds),
            Err(_) => Err(format!("fuzz takes a number of seconds, not {seconds:?}")),
        },
        ["docs"] => docs::run(),
        ["prompts"] => prompts::run(),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}
