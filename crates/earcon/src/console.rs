//! The lab's console: cables are pulled and plugged by lines on standard input.

use lab::Cables;
use std::io::{BufRead, IsTerminal};

/// Reads standard input until it ends. Not where reading would stop the process: in the background of a terminal.
pub fn listen(cables: Cables) {
    if !cables.any() || in_the_background() {
        return;
    }
    // It waits for a line that may never come, so nobody waits for it.
    let started = std::thread::Builder::new().name("console".into()).spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if !line.trim().is_empty() {
                println!("{}", cables.command(&line));
            }
        }
    });
    if let Err(error) = started {
        tracing::warn!("no console: {error}");
    }
}

/// Whether this process is behind another one of its terminal (proc(5): fields 5 and 8 of `stat`, the process group and
/// that of the terminal's foreground).
fn in_the_background() -> bool {
    if !std::io::stdin().is_terminal() {
        return false;
    }
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name in parentheses may hold anything, blanks too.
    let fields: Vec<&str> = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
    fields.get(2) != fields.get(5)
}
