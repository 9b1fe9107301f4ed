//! `Format-List`, `Format-Table`, `Select-Object`, `Out-Null`: how objects are printed.

use std::fmt::Write as _;

use um::commands::Given;

use super::Record;
use super::parse::Stage;
use crate::fault::Fault;

/// Columns of a table for which nobody named any.
const COLUMNS: usize = 5;

enum How {
    List,
    Table,
    Nothing,
}

fn how(name: &str) -> Option<How> {
    match name.to_ascii_lowercase().as_str() {
        "format-list" | "fl" | "select-object" | "select" => Some(How::List),
        "format-table" | "ft" => Some(How::Table),
        "out-null" => Some(How::Nothing),
        _ => None,
    }
}

pub(super) fn is_format(name: &str) -> bool {
    how(name).is_some()
}

/// Prints the objects with the properties that were asked for; all of them, when none were.
pub(super) fn run(stage: &Stage, records: &[Record]) -> Result<String, Fault> {
    let how = how(&stage.name);
    let mut properties: Vec<(String, std::ops::Range<usize>)> = Vec::new();
    for argument in &stage.arguments {
        let named = argument.name.is_empty() || argument.name.eq_ignore_ascii_case("Property");
        let ignored = ["AutoSize", "Wrap"].iter().any(|name| name.eq_ignore_ascii_case(&argument.name));
        match &argument.value {
            _ if ignored => {}
            Given::Text(text) if named => properties.push((text.clone(), argument.span.clone())),
            Given::List(texts) if named => {
                properties.extend(texts.iter().map(|text| (text.clone(), argument.span.clone())))
            }
            _ => {
                let message = format!("{} takes names of properties", stage.name);
                return Err(Fault::new(message, argument.name_span.clone()));
            }
        }
    }
    let known: Vec<&str> =
        records.first().map(|record| record.iter().map(|(name, _)| name.as_str()).collect()).unwrap_or_default();
    let mut chosen: Vec<&str> = Vec::new();
    for (property, span) in &properties {
        let matching: Vec<&str> = match property.strip_suffix('*') {
            Some(stem) => known.iter().copied().filter(|name| starts(name, stem)).collect(),
            None => known.iter().copied().filter(|name| name.eq_ignore_ascii_case(property)).collect(),
        };
        if matching.is_empty() && !records.is_empty() {
            let message = format!("{property} is not a property here; there are {}", known.join(", "));
            return Err(Fault::new(message, span.clone()));
        }
        chosen.extend(matching);
    }
    Ok(match how {
        None | Some(How::Nothing) => String::new(),
        Some(How::List) => list(records, if chosen.is_empty() { &known } else { &chosen }),
        Some(How::Table) => {
            let first = known.get(..COLUMNS.min(known.len())).unwrap_or_default();
            table(records, if chosen.is_empty() { first } else { &chosen })
        }
    })
}

fn starts(name: &str, stem: &str) -> bool {
    name.get(..stem.len()).is_some_and(|start| start.eq_ignore_ascii_case(stem))
}

fn value<'r>(record: &'r Record, property: &str) -> &'r str {
    record.iter().find(|(name, _)| name == property).map_or("", |(_, value)| value)
}

fn list(records: &[Record], properties: &[&str]) -> String {
    let width = properties.iter().map(|name| name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for (index, record) in records.iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        for property in properties {
            let _ = writeln!(text, "{property:<width$} : {}", value(record, property));
        }
    }
    text
}

fn table(records: &[Record], properties: &[&str]) -> String {
    let widths: Vec<usize> = properties
        .iter()
        .map(|property| {
            let longest = records.iter().map(|record| value(record, property).chars().count()).max();
            longest.unwrap_or_default().max(property.len())
        })
        .collect();
    let mut text = String::new();
    let mut row = |cells: Vec<String>| {
        let mut line = String::new();
        for (cell, width) in cells.iter().zip(&widths) {
            let pad = width.saturating_sub(cell.chars().count()) + 1;
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', pad));
        }
        let _ = writeln!(text, "{}", line.trim_end());
    };
    row(properties.iter().map(|property| (*property).to_string()).collect());
    row(properties.iter().map(|property| "-".repeat(property.len())).collect());
    for record in records {
        row(properties.iter().map(|property| value(record, property).to_string()).collect());
    }
    text
}
