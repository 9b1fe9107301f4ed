use super::{CallStatus, Command, ExtensionStatus};
use serde::{Deserialize, Serialize};
use std::fmt::{self, Display, Formatter};

/// What a command answers. Display is what the shell prints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// The change is durable. `notes` say what the caller may not have expected, one sentence each.
    Done { notes: Vec<String> },
    /// A print. Empty tables print their headings.
    Tables { tables: Vec<Table> },
    /// Commands, to be given one after the other; `notes` come before them as comments.
    Script { notes: Vec<String>, commands: Vec<Command> },
    /// Answer of `Status::Extensions`, by number.
    Extensions { extensions: Vec<ExtensionStatus> },
    /// Answer of `Status::Calls`, oldest first.
    Calls { calls: Vec<CallStatus> },
}

/// A table as printouts show it: headings, then rows of as many cells.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// A line above the headings; empty for none.
    pub title: String,
    pub columns: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

impl Answer {
    /// A change done, with nothing to remark.
    pub fn done() -> Answer {
        Answer::Done { notes: Vec::new() }
    }

    pub(crate) fn table(title: &str, columns: &[&str], rows: Vec<Vec<String>>) -> Answer {
        Answer::Tables { tables: vec![Table::new(title, columns, rows)] }
    }
}

impl Table {
    pub(crate) fn new(title: &str, columns: &[&str], rows: Vec<Vec<String>>) -> Table {
        Table { title: title.into(), columns: columns.iter().map(|name| (*name).to_owned()).collect(), rows }
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if !self.title.is_empty() {
            writeln!(f, "{}", self.title)?;
        }
        let mut widths: Vec<usize> = self.columns.iter().map(|name| name.chars().count()).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let headings = self.columns.iter().any(|name| !name.is_empty()).then_some(&self.columns);
        for line in headings.into_iter().chain(&self.rows) {
            let mut text = String::new();
            for (cell, width) in line.iter().zip(&widths) {
                text.push_str(cell);
                let pad = width.saturating_sub(cell.chars().count()).saturating_add(2);
                text.extend(std::iter::repeat_n(' ', pad));
            }
            writeln!(f, "{}", text.trim_end())?;
        }
        Ok(())
    }
}

impl Display for Answer {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Answer::Done { notes } => {
                for note in notes {
                    writeln!(f, "{note}")?;
                }
                writeln!(f, "EXECUTED")
            }
            Answer::Tables { tables } => {
                for table in tables {
                    write!(f, "{table}")?;
                }
                writeln!(f, "END")
            }
            // As JSON, a line each; the shell writes them in its own language.
            Answer::Script { notes, commands } => {
                notes.iter().try_for_each(|note| writeln!(f, "# {note}"))?;
                commands
                    .iter()
                    .try_for_each(|command| writeln!(f, "{}", serde_json::to_string(command).unwrap_or_default()))
            }
            Answer::Extensions { extensions } => {
                let rows = extensions
                    .iter()
                    .map(|e| {
                        let lamp = if e.lamp.on { format!("on {}/{}", e.lamp.new, e.lamp.old) } else { "off".into() };
                        let contacts: Vec<&str> = e.contacts.iter().map(|c| c.uri.as_str()).collect();
                        let where_ = if contacts.is_empty() { "Not registered".to_owned() } else { contacts.join(" ") };
                        vec![e.number.clone(), e.name.clone(), lamp, where_]
                    })
                    .collect();
                write!(f, "{}", Table::new("", &["Dir", "Name", "Lamp", "Registered"], rows))?;
                writeln!(f, "END")
            }
            Answer::Calls { calls } => {
                let rows = calls
                    .iter()
                    .map(|c| {
                        let to = c.to.iter().map(|party| party.number.as_str()).collect::<Vec<_>>().join(",");
                        let seconds = c.duration_ms.checked_div(1000).unwrap_or_default();
                        vec![c.call.to_string(), c.state.clone(), c.from.number.clone(), to, format!("{seconds} s")]
                    })
                    .collect();
                write!(f, "{}", Table::new("", &["Call", "State", "From", "To", "Time"], rows))?;
                writeln!(f, "END")
            }
        }
    }
}
