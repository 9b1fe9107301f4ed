//! A command as a line: the inverse of `parse`, by the same table.

use pbx::commands::Command;
use serde_json::Value;

use super::table::{self, Form, Kind, Parameter};

/// The line that is read as this command; `None` for one that the table has no form for (a test holds it to have all).
pub(crate) fn line(command: &Command) -> Option<String> {
    let json = serde_json::to_value(command).ok()?;
    let field = |name: &str| json.get(name).and_then(Value::as_str).unwrap_or_default();
    let (command, verb) = (field("command"), field("verb"));
    table::all().filter(|form| form.command == command && form.verb == verb).find_map(|form| with_form(form, &json))
}

/// The line in one form; `None` when a field has a value that no parameter of it takes.
fn with_form(form: &Form, json: &Value) -> Option<String> {
    let mut given = Vec::new();
    for (field, value) in json.as_object()? {
        if matches!(field.as_str(), "command" | "verb") || is_nothing(value) {
            continue;
        }
        form.parameters.iter().find(|parameter| parameter.field == field)?;
    }
    for parameter in form.parameters.iter().filter(|parameter| !parameter.field.is_empty()) {
        let value = json.get(parameter.field).unwrap_or(&Value::Null);
        match (parameter.kind, value) {
            (Kind::Eight, Value::Array(slots)) => {
                for (index, slot) in slots.iter().enumerate().filter_map(|(i, slot)| Some((i, slot.as_str()?))) {
                    let name = form.written(parameter);
                    given.push((format!("{}{index}", name.trim_end_matches('0')), slot.to_owned()));
                }
            }
            (_, value) => given.extend(text(parameter, value).map(|text| (form.written(parameter), text))),
        }
    }
    Some(if form.mml { mml(form, &given) } else { unix(form, &given) })
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(slots) => slots.iter().all(Value::is_null),
        _ => false,
    }
}

fn text(parameter: &Parameter, value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) if parameter.kind == Kind::YesNo => Some(if *truth { "yes" } else { "no" }.into()),
        _ => None,
    }
}

fn mml(form: &Form, given: &[(String, String)]) -> String {
    let pairs: Vec<String> = given.iter().map(|(name, value)| format!("{name}={}", quoted(value, ",;"))).collect();
    if pairs.is_empty() { format!("{};", form.name) } else { format!("{}:{};", form.name, pairs.join(",")) }
}

fn unix(form: &Form, given: &[(String, String)]) -> String {
    let mut line = form.name.to_owned();
    for word in form.switch.iter().map(|switch| (*switch).to_owned()) {
        line.push(' ');
        line.push_str(&word);
    }
    for (name, value) in given {
        line.push(' ');
        line.push_str(name);
        line.push(' ');
        line.push_str(&quoted(value, ";\\"));
    }
    line
}

/// The value as it stands, or in quotes (a quote in it doubled) where it would be read as something else.
fn quoted(value: &str, special: &str) -> String {
    let plain = !value.is_empty()
        && !value.starts_with(['-', '#'])
        && !value.contains(|c: char| c.is_whitespace() || c == '"' || c == '\'' || special.contains(c));
    if plain { value.to_owned() } else { format!("\"{}\"", value.replace('"', "\"\"")) }
}
