//! Earcon: an open Direct-SIP phone system with unified messaging.

mod certs;
mod cli;
mod console;
mod failure;
mod faults;
mod import;
mod ladder;
mod phone;
mod replay;
mod serve;
mod shells;
mod stop;
mod temporary;
mod trace;
mod verify;

use clap::Parser;
use cli::{Cli, Command, LabArguments};
use shell::Language;
use std::io::IsTerminal;
use std::process::ExitCode;

fn main() -> ExitCode {
    // To standard error: standard output is what the subcommand prints. RUST_LOG chooses, by target and level.
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| "info,hickory_resolver=warn,hickory_server=warn".into());
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours).init();
    let command = Cli::parse().command;
    let done = match command {
        None => serve::lab(LabArguments::default()),
        Some(Command::Lab(arguments)) => serve::lab(arguments),
        Some(Command::Node(arguments)) => serve::node(&arguments),
        Some(Command::Um(arguments)) => serve::um(&arguments),
        Some(Command::UmImport(arguments)) => import::run(&arguments),
        Some(Command::Mdsh(arguments)) => shells::run(&arguments, Language::Mdsh),
        Some(Command::Umsh(arguments)) => shells::run(&arguments, Language::Umsh),
        Some(Command::Phone(arguments)) => phone::run(arguments),
        Some(Command::Trace(arguments)) => trace::run(&arguments),
        Some(Command::Replay(arguments)) => replay::run(&arguments),
        Some(Command::Certs(command)) => certs::run(&command),
        Some(Command::Recognise) => {
            // A server that has gone is no failure of its helper.
            let _ = speech::recognition::serve(std::io::stdin().lock(), std::io::stdout().lock());
            Ok(())
        }
        Some(Command::Verify(arguments)) => verify::run(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.to_string().is_empty() {
                eprintln!("earcon: {failure}");
            }
            ExitCode::from(failure.code)
        }
    }
}
