//! Help and completion from the table.

use std::fmt::Write as _;

use super::table::{self, Form, Kind};

/// Help for one command, or the list of all.
pub(crate) fn help(topic: Option<&str>) -> Result<String, String> {
    let mut text = String::new();
    let Some(topic) = topic else {
        text.push_str("Commands (help NAME tells more; exit leaves):\n\n");
        for form in table::all() {
            let name = form.switch.map_or(form.name.to_string(), |switch| format!("{} {switch}", form.name));
            let _ = writeln!(text, "  {name:<20} {}", form.summary);
        }
        text.push_str(
            "\nMML commands end with ;  & lists values, && goes from one to the other. # begins a comment.\n",
        );
        return Ok(text);
    };
    let topic = topic.trim_end_matches([';', ':']);
    let forms: Vec<&Form> = table::forms(topic).collect();
    if forms.is_empty() {
        return Err(format!("NOT ACCEPTED: {topic} is not a command here; help lists the commands"));
    }
    for form in forms {
        let _ = writeln!(text, "{}\n  {}.", usage(form), form.summary);
        for parameter in form.parameters {
            let need = if parameter.required { " (needed)" } else { "" };
            let _ = writeln!(text, "    {:<28} {}{need}", form.written(parameter), parameter.help);
        }
        text.push('\n');
    }
    Ok(text)
}

pub(super) fn usage(form: &Form) -> String {
    let needed = form.parameters.iter().filter(|parameter| parameter.required);
    if form.mml {
        let needed: Vec<String> = needed.map(|parameter| format!("{}=", form.written(parameter))).collect();
        let more = if form.parameters.iter().any(|parameter| !parameter.required) { "[,...]" } else { "" };
        return format!("{}:{}{more};", form.name, needed.join(","));
    }
    let mut text = form.name.to_string();
    if let Some(switch) = form.switch.filter(|_| form.switch_parameter().is_none()) {
        let _ = write!(text, " {switch}");
    }
    for parameter in needed {
        let _ = write!(text, " {} VALUE", form.written(parameter));
    }
    if form.parameters.iter().any(|parameter| !parameter.required) {
        text.push_str(" [...]");
    }
    text
}

/// What can stand where the cursor is: what is to be replaced (bytes of `line`), and by what, with a help text each.
pub(crate) fn complete(line: &str, cursor: usize) -> (usize, Vec<(String, String)>) {
    let before = line.get(..cursor).unwrap_or(line);
    let command_end = before.find([' ', '\t', ':']);
    let Some(command_end) = command_end else {
        let start = before.len() - before.trim_start().len();
        let word = before.trim_start().to_ascii_lowercase();
        let mut found: Vec<(String, String)> = Vec::new();
        for form in table::all().filter(|form| form.name.to_ascii_lowercase().starts_with(&word)) {
            let text = if form.mml { format!("{}:", form.name) } else { format!("{} ", form.name) };
            if !found.iter().any(|(known, _)| *known == text) {
                found.push((text, form.summary.into()));
            }
        }
        return (start, found);
    };
    let name = before.get(..command_end).unwrap_or_default().trim();
    let forms: Vec<&Form> = table::forms(name).collect();
    let mml = forms.iter().any(|form| form.mml);
    let separators: &[char] = if mml { &[',', ':'] } else { &[' ', '\t'] };
    let start = before.rfind(separators).map_or(0, |at| at + 1);
    let word = before.get(start..).unwrap_or_default();
    let (start, word) = (start + word.len() - word.trim_start().len(), word.trim_start());
    if mml {
        let found = forms
            .iter()
            .flat_map(|form| form.parameters.iter().map(|p| (format!("{}=", form.written(p)), p.help.into())));
        return (start, found.filter(|(text, _): &(String, String)| begins(text, word)).collect());
    }
    let chosen = forms
        .iter()
        .find(|form| form.switch.is_none() || before.split_whitespace().any(|given| Some(given) == form.switch));
    let found: Vec<(String, String)> = match chosen {
        None => forms.iter().filter_map(|form| Some((format!("{} ", form.switch?), form.summary.into()))).collect(),
        Some(form) => form
            .parameters
            .iter()
            .flat_map(|parameter| {
                let count = if parameter.kind == Kind::Eight { 8 } else { 1 };
                (0..count).map(move |index| {
                    let written = form.written(parameter);
                    let stem = if count == 8 { format!("{}{index}", written.trim_end_matches('0')) } else { written };
                    (format!("{stem} "), parameter.help.to_string())
                })
            })
            .collect(),
    };
    (start, found.into_iter().filter(|(text, _)| begins(text, word)).collect())
}

/// Whether `word` begins `text`, however many dashes either has.
fn begins(text: &str, word: &str) -> bool {
    let bare = |text: &str| text.trim_start_matches('-').to_ascii_lowercase();
    (word.is_empty() || word.starts_with('-') || !text.starts_with('-')) && bare(text).starts_with(&bare(word))
}
