//! What stands behind a pipe and is no cmdlet of the server: `Where-Object`, `Select-Object`, `Sort-Object`,
//! `Measure-Object`, `Format-List`, `Format-Table`, `Out-Null`.

use std::cmp::Ordering;
use std::fmt::Write as _;
use std::ops::Range;

use um::commands::Given;

use super::parse::{Argument, Stage};
use crate::fault::Fault;

/// An object: names and values.
pub(super) type Record = Vec<(String, String)>;

/// What flows through a pipe.
pub(super) enum Flow {
    Objects(Vec<Record>),
    /// Printed already: nothing more can be done with it than to print it.
    Text(String),
}

/// Columns of a table for which nobody named any.
const COLUMNS: usize = 5;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Where,
    Select,
    Sort,
    Measure,
    List,
    Table,
    Nothing,
}

/// Names and help, for completion.
pub(super) const STAGES: [(&str, &str); 7] = [
    ("Format-List", "Prints properties, one a line."),
    ("Format-Table", "Prints properties as a table."),
    ("Where-Object", "Keeps the objects for which something holds: Where-Object { $_.Name -like 'A*' }."),
    ("Select-Object", "Keeps some properties, or the -First so many objects."),
    ("Sort-Object", "Sorts by a property."),
    ("Measure-Object", "Counts the objects."),
    ("Out-Null", "Prints nothing."),
];

pub(super) fn how(name: &str) -> Option<How> {
    match name.to_ascii_lowercase().as_str() {
        "format-list" | "fl" => Some(How::List),
        "format-table" | "ft" => Some(How::Table),
        "select-object" | "select" => Some(How::Select),
        "where-object" | "where" | "?" => Some(How::Where),
        "sort-object" | "sort" => Some(How::Sort),
        "measure-object" | "measure" => Some(How::Measure),
        "out-null" => Some(How::Nothing),
        _ => None,
    }
}

pub(super) fn run(how: How, stage: &Stage, flow: Flow) -> Result<Flow, Fault> {
    let Flow::Objects(mut records) = flow else {
        return match how {
            How::Nothing => Ok(Flow::Text(String::new())),
            _ => Err(Fault::new("what comes here is text, and has no properties", stage.span.clone())),
        };
    };
    match how {
        How::Where => {
            let conditions = conditions(stage)?;
            if let Some(first) = records.first() {
                conditions
                    .iter()
                    .try_for_each(|condition| known(first, &condition.property, &condition.span).map(drop))?;
            }
            records.retain(|record| holds(&conditions, record));
            Ok(Flow::Objects(records))
        }
        How::Select => select(stage, records),
        How::Sort => {
            let descending = stage.arguments.iter().any(|argument| begins("Descending", &argument.name));
            let properties = properties(stage, &["Descending"])?;
            for (property, span) in properties.iter().rev() {
                if let Some(first) = records.first() {
                    known(first, property, span)?;
                }
                records.sort_by(|a, b| {
                    let order = compare(value(a, property), value(b, property));
                    if descending { order.reverse() } else { order }
                });
            }
            Ok(Flow::Objects(records))
        }
        How::Measure => Ok(Flow::Objects(vec![vec![("Count".into(), records.len().to_string())]])),
        How::Nothing => Ok(Flow::Text(String::new())),
        How::List | How::Table => {
            let chosen = chosen(&records, &properties(stage, &["AutoSize", "Wrap"])?)?;
            let all = || names(&records);
            Ok(Flow::Text(match how {
                How::Table => {
                    let first = all().into_iter().take(COLUMNS).collect();
                    table(&records, &if chosen.is_empty() { first } else { chosen })
                }
                _ => list(&records, &if chosen.is_empty() { all() } else { chosen }),
            }))
        }
    }
}

/// Objects with all their properties, as they are printed when nothing else is asked for.
pub(super) fn print(records: &[Record]) -> String {
    list(records, &names(records))
}

// ---- Where-Object ----

struct Condition {
    property: String,
    span: Range<usize>,
    test: Test,
    /// What it is joined to those before it by; the first one's means nothing.
    and: bool,
}

enum Test {
    /// Without an operator: it is true.
    IsTrue,
    Operator(String, String),
}

/// `Name -eq 'x'`, and more of them behind `-and` and `-or`, from the left to the right.
fn conditions(stage: &Stage) -> Result<Vec<Condition>, Fault> {
    let mut conditions = Vec::new();
    let mut and = true;
    let mut arguments = stage.arguments.iter().peekable();
    loop {
        let Some(property) = arguments.next() else {
            return Err(Fault::new("a property is expected: Where-Object { $_.Name -eq 'x' }", stage.end..stage.end));
        };
        let named = property.name.is_empty() || begins("Property", &property.name);
        let Given::Text(name) = &property.value else {
            return Err(Fault::new("a property is expected here: $_.Name", property.span.clone()));
        };
        if !named {
            return Err(Fault::new("a property is expected here: $_.Name", property.span.clone()));
        }
        let mut condition = Condition { property: name.clone(), span: property.span.clone(), test: Test::IsTrue, and };
        if let Some(operator) = arguments.next_if(|next| !joins(next)) {
            const KNOWN: [&str; 12] =
                ["eq", "ne", "like", "notlike", "gt", "ge", "lt", "le", "contains", "notcontains", "match", "notmatch"];
            let name = operator.name.to_ascii_lowercase();
            if !KNOWN.contains(&name.as_str()) {
                let message = format!("-{} is not a comparison here; there are -{}", operator.name, KNOWN.join(", -"));
                return Err(Fault::new(message, operator.name_span.clone()));
            }
            if name.ends_with("match") {
                let message = "regular expressions are not known here: use -like with * and ?";
                return Err(Fault::new(message, operator.name_span.clone()));
            }
            let text = match &operator.value {
                Given::Text(text) => text.clone(),
                Given::Bool(value) => if *value { "True" } else { "False" }.into(),
                Given::Null => String::new(),
                _ => return Err(Fault::new("one value is compared with", operator.span.clone())),
            };
            condition.test = Test::Operator(name, text);
        }
        conditions.push(condition);
        match arguments.next_if(|next| joins(next)) {
            None if arguments.peek().is_none() => return Ok(conditions),
            None => {
                let span = arguments.peek().map_or(stage.span.clone(), |next| next.span.clone());
                return Err(Fault::new("-and or -or is expected here", span));
            }
            Some(joint) => and = joint.name.eq_ignore_ascii_case("and"),
        }
    }
}

fn joins(argument: &Argument) -> bool {
    ["and", "or"].iter().any(|joint| joint.eq_ignore_ascii_case(&argument.name))
}

fn holds(conditions: &[Condition], record: &Record) -> bool {
    let mut result = true;
    for (index, condition) in conditions.iter().enumerate() {
        let this = test(condition, record);
        result = match (index, condition.and) {
            (0, _) => this,
            (_, true) => result && this,
            (_, false) => result || this,
        };
    }
    result
}

fn test(condition: &Condition, record: &Record) -> bool {
    let is = value(record, &condition.property);
    let Test::Operator(operator, wanted) = &condition.test else { return is.eq_ignore_ascii_case("true") };
    let among = || items(is).iter().any(|item| item.eq_ignore_ascii_case(wanted));
    match operator.as_str() {
        "eq" => compare(is, wanted) == Ordering::Equal,
        "ne" => compare(is, wanted) != Ordering::Equal,
        "like" => like(is, wanted),
        "notlike" => !like(is, wanted),
        "gt" => compare(is, wanted) == Ordering::Greater,
        "ge" => compare(is, wanted) != Ordering::Less,
        "lt" => compare(is, wanted) == Ordering::Less,
        "le" => compare(is, wanted) != Ordering::Greater,
        "contains" => among(),
        _ => !among(),
    }
}

/// Numbers as numbers, all else in any case. A list of one is that one.
fn compare(a: &str, b: &str) -> Ordering {
    let plain = |text: &str| match items(text).as_slice() {
        [only] => only.to_lowercase(),
        _ => text.to_lowercase(),
    };
    let (a, b) = (plain(a), plain(b));
    match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => a.total_cmp(&b),
        _ => a.cmp(&b),
    }
}

/// The items of a list as it is printed: `{a, b}`.
fn items(text: &str) -> Vec<&str> {
    match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
        Some("") => Vec::new(),
        Some(inner) => inner.split(", ").collect(),
        None => vec![text],
    }
}

/// `*` for any text, `?` for any character, in any case.
pub(super) fn like(text: &str, pattern: &str) -> bool {
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let pattern: Vec<char> = pattern.to_lowercase().chars().collect();
    // The place of the last star, and how far of the text it has taken.
    let (mut at, mut p, mut star): (usize, usize, Option<(usize, usize)>) = (0, 0, None);
    while at < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, at));
                p += 1;
            }
            Some(c) if *c == '?' || Some(c) == text.get(at) => {
                at += 1;
                p += 1;
            }
            _ => match star {
                None => return false,
                Some((place, taken)) => {
                    star = Some((place, taken + 1));
                    at = taken + 1;
                    p = place + 1;
                }
            },
        }
    }
    pattern.get(p..).is_none_or(|rest| rest.iter().all(|c| *c == '*'))
}

// ---- Select-Object ----

fn select(stage: &Stage, mut records: Vec<Record>) -> Result<Flow, Fault> {
    let find = |name: &str| stage.arguments.iter().find(|argument| begins(name, &argument.name));
    for name in ["First", "Last"] {
        let Some(argument) = find(name) else { continue };
        let number = match &argument.value {
            Given::Text(text) => text.parse::<usize>().ok(),
            _ => None,
        };
        let Some(number) = number else { return Err(Fault::new("write a whole number", argument.span.clone())) };
        match name {
            "First" => records.truncate(number),
            _ => drop(records.drain(..records.len().saturating_sub(number))),
        }
    }
    if let Some(argument) = find("ExpandProperty") {
        let Given::Text(property) = &argument.value else {
            return Err(Fault::new("write the name of one property", argument.span.clone()));
        };
        if let Some(first) = records.first() {
            known(first, property, &argument.span)?;
        }
        let values = records.iter().flat_map(|record| items(value(record, property)));
        return Ok(Flow::Text(values.map(|value| format!("{value}\n")).collect()));
    }
    let chosen = chosen(&records, &properties(stage, &["First", "Last"])?)?;
    if chosen.is_empty() {
        return Ok(Flow::Objects(records));
    }
    let kept = records.iter().map(|record| {
        let of = |name: &String| (name.clone(), value(record, name).to_owned());
        chosen.iter().map(of).collect()
    });
    Ok(Flow::Objects(kept.collect()))
}

// ---- properties ----

/// Whether a parameter was written, in full or by its beginning.
fn begins(name: &str, written: &str) -> bool {
    !written.is_empty() && name.get(..written.len()).is_some_and(|start| start.eq_ignore_ascii_case(written))
}

/// The properties that are named, by `-Property` or without.
fn properties(stage: &Stage, other: &[&str]) -> Result<Vec<(String, Range<usize>)>, Fault> {
    let mut properties = Vec::new();
    for argument in &stage.arguments {
        let named = argument.name.is_empty() || begins("Property", &argument.name);
        match &argument.value {
            _ if other.iter().any(|other| begins(other, &argument.name)) => {}
            Given::Text(text) if named => properties.push((text.clone(), argument.span.clone())),
            Given::List(texts) if named => {
                properties.extend(texts.iter().map(|text| (text.clone(), argument.span.clone())));
            }
            _ => {
                let message = format!("{} takes names of properties", stage.name);
                return Err(Fault::new(message, argument.name_span.clone()));
            }
        }
    }
    Ok(properties)
}

/// All properties that there are, in the order in which they come.
fn names(records: &[Record]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (name, _) in records.iter().flatten() {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

/// The properties meant: in any case, with `*` for many.
fn chosen(records: &[Record], written: &[(String, Range<usize>)]) -> Result<Vec<String>, Fault> {
    let all = names(records);
    let mut chosen = Vec::new();
    for (pattern, span) in written {
        let found: Vec<&String> = all.iter().filter(|name| like(name, pattern)).collect();
        if found.is_empty() && !records.is_empty() {
            return Err(unknown(pattern, &all, span));
        }
        chosen.extend(found.into_iter().cloned());
    }
    Ok(chosen)
}

fn known<'r>(record: &'r Record, property: &str, span: &Range<usize>) -> Result<&'r str, Fault> {
    let found = record.iter().find(|(name, _)| name.eq_ignore_ascii_case(property));
    let names = || record.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    found.map(|(_, value)| value.as_str()).ok_or_else(|| unknown(property, &names(), span))
}

fn unknown(property: &str, all: &[String], span: &Range<usize>) -> Fault {
    Fault::new(format!("{property} is not a property here; there are {}", all.join(", ")), span.clone())
}

pub(super) fn value<'r>(record: &'r Record, property: &str) -> &'r str {
    record.iter().find(|(name, _)| name.eq_ignore_ascii_case(property)).map_or("", |(_, value)| value)
}

// ---- printing ----

fn list(records: &[Record], properties: &[String]) -> String {
    let width = properties.iter().map(|name| name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for (index, record) in records.iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        for property in properties {
            if record.iter().any(|(name, _)| name == property) {
                let line = format!("{property:<width$} : {}", value(record, property));
                let _ = writeln!(text, "{}", line.trim_end());
            }
        }
    }
    text
}

fn table(records: &[Record], properties: &[String]) -> String {
    let widths: Vec<usize> = properties
        .iter()
        .map(|property| {
            let longest = records.iter().map(|record| value(record, property).chars().count()).max();
            longest.unwrap_or_default().max(property.len())
        })
        .collect();
    let mut text = String::new();
    let mut row = |cells: Vec<&str>| {
        let mut line = String::new();
        for (cell, width) in cells.iter().zip(&widths) {
            let pad = width.saturating_sub(cell.chars().count()) + 1;
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', pad));
        }
        let _ = writeln!(text, "{}", line.trim_end());
    };
    let rules: Vec<String> = properties.iter().map(|property| "-".repeat(property.len())).collect();
    row(properties.iter().map(String::as_str).collect());
    row(rules.iter().map(String::as_str).collect());
    for record in records {
        row(properties.iter().map(|property| value(record, property)).collect());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::like;

    #[test]
    fn a_pattern_has_stars_and_question_marks() {
        for (text, pattern) in [("Anna", "a*"), ("Anna", "*NN*"), ("Anna", "?nna"), ("", "*"), ("aXbXc", "a*x*c")] {
            assert!(like(text, pattern), "{text} {pattern}");
        }
        for (text, pattern) in [("Anna", "nn"), ("Anna", "?"), ("Anna", "*b*"), ("a", "")] {
            assert!(!like(text, pattern), "{text} {pattern}");
        }
    }
}
