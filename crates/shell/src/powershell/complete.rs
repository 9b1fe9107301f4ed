//! Completion: cmdlets, parameters, values, and the names of objects, which are asked of the server.

use um::commands::{Cmdlet, Parameter, cmdlet, cmdlets};

use super::objects::{self, How, STAGES};
use super::write::word;

/// What can stand where the cursor is: what is to be replaced (bytes of `line`), and by what, with a help text each. `ask`
/// has a line executed and gives what it prints.
pub(crate) fn complete(
    line: &str,
    cursor: usize,
    ask: &mut dyn FnMut(&str) -> Option<String>,
) -> (usize, Vec<(String, String)>) {
    let before = line.get(..cursor).unwrap_or(line);
    let words = words(before);
    let stage_start = words.iter().rposition(|word| word.ends_stage).map_or(0, |at| at + 1);
    let stage = words.get(stage_start..).unwrap_or_default();
    let fresh = Word { start: before.len(), text: String::new(), ends_stage: false, open: true };
    let (last, given) = match stage.split_last() {
        Some((last, given)) if last.open => (last, given),
        _ => (&fresh, stage),
    };
    let Some(name) = given.first() else {
        return (last.start, names(&last.text, stage_start > 0));
    };
    let Some(cmdlet) = cmdlet(&name.text) else {
        let help = name.text.eq_ignore_ascii_case("help") || name.text.eq_ignore_ascii_case("get-help");
        let found = match objects::how(&name.text) {
            Some(how) if how != How::Nothing => properties(words.get(..stage_start).unwrap_or_default(), last),
            _ if help => names(&last.text, false),
            _ => Vec::new(),
        };
        return (last.start, found);
    };
    if let Some(stem) = last.text.strip_prefix('-') {
        return (last.start, parameters(cmdlet, stem, given));
    }
    let parameter = match given.last() {
        Some(before) if given.len() > 1 && before.text.starts_with('-') => {
            cmdlet.parameter(before.text.trim_start_matches('-').trim_end_matches(':')).ok()
        }
        _ if given.len() == 1 => cmdlet.first(),
        _ => None,
    };
    let mut found = parameter.map(|parameter| values(parameter, last, ask)).unwrap_or_default();
    let switch = parameter.is_none_or(|parameter| parameter.choices.contains(&"$true"));
    if last.text.is_empty() && (found.is_empty() || switch || given.len() == 1) {
        found.extend(parameters(cmdlet, "", given));
    }
    (last.start, found)
}

/// A word as far as it was typed.
struct Word {
    start: usize,
    /// Without its quotes.
    text: String,
    /// A pipe or a semicolon.
    ends_stage: bool,
    /// The cursor stands at its end.
    open: bool,
}

/// Splits at blanks outside of quotes; commas part words, too, so that each item of a list is completed.
fn words(before: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut current: Option<Word> = None;
    let mut quote = None;
    for (at, c) in before.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), c) => current.get_or_insert_with(|| Word::at(at)).text.push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                current.get_or_insert_with(|| Word::at(at));
            }
            (None, c) if c.is_whitespace() || matches!(c, '|' | ';' | ',') => {
                words.extend(current.take().filter(|_| c != ','));
                if matches!(c, '|' | ';') {
                    words.push(Word { ends_stage: true, ..Word::at(at) });
                }
            }
            (None, c) => current.get_or_insert_with(|| Word::at(at)).text.push(c),
        }
    }
    words.extend(current.map(|word| Word { open: true, ..word }));
    words
}

impl Word {
    fn at(start: usize) -> Word {
        Word { start, text: String::new(), ends_stage: false, open: false }
    }
}

fn begins(text: &str, stem: &str) -> bool {
    text.get(..stem.len()).is_some_and(|head| head.eq_ignore_ascii_case(stem))
}

fn names(stem: &str, piped: bool) -> Vec<(String, String)> {
    let cmdlets = cmdlets().iter().map(|cmdlet| (cmdlet.name, cmdlet.summary));
    let builtin = [
        ("Get-Help", "Tells about a cmdlet."),
        ("Get-Command", "Lists cmdlets."),
        ("export", "Prints everything as a script."),
    ];
    let others: &[(&str, &str)] = if piped { &STAGES } else { &builtin };
    let all = cmdlets.chain(others.iter().copied()).filter(|(name, _)| begins(name, stem));
    all.map(|(name, help)| (format!("{name} "), help.to_owned())).collect()
}

fn parameters(cmdlet: &Cmdlet, stem: &str, given: &[Word]) -> Vec<(String, String)> {
    let written = |name: &str| given.iter().any(|word| word.text.trim_start_matches('-').eq_ignore_ascii_case(name));
    let own = cmdlet.parameters.iter().map(|parameter| {
        let idle = if parameter.idle { "; no effect yet" } else { "" };
        (parameter.name, format!("{} ({}{idle})", parameter.help, parameter.syntax))
    });
    let common = [("WhatIf", "Only check."), ("Confirm", "$false: do not ask.")];
    let common = common.into_iter().filter(|_| !stem.is_empty()).map(|(name, help)| (name, help.to_owned()));
    let found = own.chain(common).filter(|(name, _)| begins(name, stem) && !written(name));
    found.map(|(name, help)| (format!("-{name} "), help)).collect()
}

fn values(parameter: &Parameter, typed: &Word, ask: &mut dyn FnMut(&str) -> Option<String>) -> Vec<(String, String)> {
    let choices = parameter.choices.iter().filter(|choice| begins(choice, &typed.text));
    let mut found: Vec<(String, String)> =
        choices.map(|choice| (format!("{choice} "), parameter.help.to_owned())).collect();
    if let Some(noun) = parameter.names {
        let property = if noun == "UMPrompt" { "PromptFileName" } else { "Name" };
        let printed = ask(&format!("Get-{noun} | Select-Object -ExpandProperty {property}")).unwrap_or_default();
        let names = printed.lines().filter(|name| begins(name, &typed.text));
        found.extend(names.map(|name| (format!("{} ", word(name)), noun.to_owned())));
    }
    found
}

/// What objects of the cmdlet before the pipe have: known for the settings that its Set can change.
fn properties(before: &[Word], typed: &Word) -> Vec<(String, String)> {
    let get = before.iter().rev().skip(1).find_map(|word| cmdlet(&word.text));
    let set = get.and_then(|get| cmdlet(&get.name.replacen("Get-", "Set-", 1))).or(get);
    let stem = typed.text.trim_start_matches("{").trim_start_matches("$_.");
    let all = set.into_iter().flat_map(|cmdlet| &cmdlet.parameters).map(|parameter| (parameter.name, parameter.help));
    let own = [("Name", "What it is called.")].into_iter().chain(all.filter(|(name, _)| *name != "Identity"));
    let prefix = if typed.text.starts_with("$_.") { "$_." } else { "" };
    own.filter(|(name, _)| begins(name, stem))
        .map(|(name, help)| (format!("{prefix}{name} "), help.to_owned()))
        .collect()
}
