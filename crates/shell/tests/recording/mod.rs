//! What a line becomes before it reaches a server: shells whose commands are written down.

use shell::Shell;
use std::sync::{Arc, Mutex};

/// The commands that came out of a shell, in order.
pub type Seen<C> = Arc<Mutex<Vec<C>>>;

/// Writes each command down, and answers it.
pub fn recorder<C, A>(answer: fn(&C) -> A) -> (Seen<C>, impl Fn(C) -> A) {
    let seen = Seen::default();
    let commands = Seen::clone(&seen);
    let record = move |command: C| {
        let answer = answer(&command);
        commands.lock().unwrap().push(command);
        answer
    };
    (seen, record)
}

/// The only command that the line becomes.
pub fn only<C>((shell, seen): (Shell, Seen<C>), line: &str) -> C {
    shell.run_script(line).unwrap_or_else(|error| panic!("{error}"));
    let mut seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 1, "{line}");
    seen.remove(0)
}

/// What is said of a line of which nothing may reach the server.
pub fn refusal<C>((shell, seen): (Shell, Seen<C>), line: &str) -> String {
    let error = shell.run_script(line).expect_err(line);
    assert!(seen.lock().unwrap().is_empty(), "{line}: something reached the server");
    error.to_string()
}
