//! Earcon: an open Direct-SIP phone system with unified messaging.

mod cli;
mod failure;
mod ladder;
mod phone;
mod stop;
mod trace;

use clap::Parser;
use cli::{Cli, Command};
use failure::Failure;
use std::process::ExitCode;

fn main() -> ExitCode {
    let command = Cli::parse().command;
    let done = match command {
        Some(Command::Phone(arguments)) => phone::run(arguments),
        Some(Command::Trace(arguments)) => trace::run(&arguments),
        _ => Err(Failure::new("not wired yet")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("earcon: {failure}");
            ExitCode::from(failure.code)
        }
    }
}
