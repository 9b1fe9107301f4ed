//! The inverse of reading: a command as a line, by the same table, and a configuration as a script.

use serde_json::Value as Json;
use um::commands::{Command, Given};

/// The line that is read as this command.
fn line(command: &Command) -> String {
    let mut line = command.cmdlet().to_owned();
    for (parameter, value) in command.parameters() {
        let written = match &value {
            Json::Bool(value) => Given::Bool(*value),
            Json::String(text) => Given::Text(text.clone()),
            _ => Given::Null,
        };
        if !parameter.required && written != Given::Null && parameter.is_default(&written) {
            continue;
        }
        line.push_str(&format!(" -{} {}", parameter.name, json(&value)));
    }
    line
}

/// The script that makes a configuration anew on an empty folder.
pub(super) fn script(commands: &[Command]) -> String {
    let mut text = String::from(
        "# The configuration of a UM server, for umsh: it makes the same on an empty data folder.\n\
         # It holds secrets (hashes of PINs): keep it as carefully as the data folder. Messages are not in it.\n",
    );
    let mut noun = "";
    for command in commands {
        let of = command.cmdlet().split('-').nth(1).unwrap_or_default();
        let of = of.trim_end_matches("PIN").trim_start_matches("UM");
        if of != noun {
            text.push('\n');
            noun = of;
        }
        text.push_str(&line(command));
        text.push('\n');
    }
    text
}

/// A value as it is written.
pub(super) fn given(value: &Given) -> String {
    match value {
        Given::Bool(value) => truth(*value).into(),
        Given::Text(text) => word(text),
        Given::List(items) => list(items),
        Given::Table(entries) => {
            let entries: Vec<String> = entries.iter().map(|(name, items)| format!("{name}={}", list(items))).collect();
            format!("@{{{}}}", entries.join("; "))
        }
        Given::Null => "$null".into(),
    }
}

fn json(value: &Json) -> String {
    let texts = |values: &[Json]| -> Vec<String> {
        values.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).collect()
    };
    match value {
        Json::Null => "$null".into(),
        Json::Bool(value) => truth(*value).into(),
        Json::Number(number) => number.to_string(),
        Json::String(text) => word(text),
        Json::Array(values) => list(&texts(values)),
        Json::Object(fields) => {
            let entries =
                fields.iter().map(|(name, value)| (name.clone(), texts(value.as_array().map_or(&[], Vec::as_slice))));
            given(&Given::Table(entries.collect()))
        }
    }
}

fn truth(value: bool) -> &'static str {
    if value { "$true" } else { "$false" }
}

fn list(items: &[String]) -> String {
    match items {
        [] => "@()".into(),
        // One that could be read as a text alone is one all the same.
        items => items.iter().map(|item| word(item)).collect::<Vec<_>>().join(","),
    }
}

/// Bare where nothing in it means anything to PowerShell, else in single quotes, in which nothing does.
pub(super) fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | '-' | '+' | '/');
    let bare = text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(plain);
    if bare { text.to_owned() } else { format!("'{}'", text.replace('\'', "''")) }
}
