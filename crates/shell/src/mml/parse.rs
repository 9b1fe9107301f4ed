//! From the words of a line to the command that it stands for.

use std::ops::Range;

use serde_json::{Map, Value, json};

use super::lexer::{self, Line, Pair, Word};
use super::table::{self, COMMAND_SLIPS, Form, Kind, PARAMETER_SLIPS, Parameter, Slip};
use crate::fault::Fault;
use crate::net::Net;

/// A line understood.
#[derive(Clone, Debug)]
pub(crate) struct Parsed {
    /// The command as JSON: see the table.
    pub json: Value,
    /// What was read otherwise than it was written, one sentence each.
    pub notes: Vec<String>,
    pub form: &'static Form,
    pub given: Vec<Given>,
    pub secrets: Vec<Range<usize>>,
    /// The end of the line, where something missing would stand.
    pub end: usize,
}

/// A parameter that was given, for pointing at it later.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub parameter: &'static Parameter,
    pub span: Range<usize>,
}

/// A fault, and what of the line must not be shown with it.
pub(crate) struct Refused {
    pub fault: Fault,
    pub secrets: Vec<Range<usize>>,
}

/// What is being put together.
struct Builder<'a> {
    form: &'static Form,
    net: Option<&'a Net>,
    fields: Map<String, Value>,
    notes: Vec<String>,
    given: Vec<Given>,
    secrets: Vec<Range<usize>>,
}

/// Reads a statement. Addresses of the guide's net are read by `net`.
pub(crate) fn parse(text: &str, net: Option<&Net>) -> Result<Parsed, Refused> {
    let plain = |fault| Refused { fault, secrets: Vec::new() };
    match lexer::lex(text).map_err(plain)? {
        Line::Mml { name, pairs } => mml(text, &name, pairs, net),
        Line::Unix { name, words } => unix(text, &name, words, net),
    }
}

fn mml(text: &str, name: &Word, pairs: Vec<Pair>, net: Option<&Net>) -> Result<Parsed, Refused> {
    let form = table::forms(&name.text)
        .find(|form| form.mml)
        .ok_or_else(|| Refused { fault: unknown(name), secrets: Vec::new() })?;
    let mut builder = Builder::new(form, net);
    for Pair { name, value } in pairs {
        let Some(value) = value else {
            let fault = Fault::new(format!("NOT ACCEPTED: {}: write {}=value", name.text, name.text), name.span);
            return Err(builder.refuse(fault));
        };
        let (parameter, index) = match builder.parameter(&name) {
            Ok(found) => found,
            Err(fault) => return Err(builder.refuse(fault)),
        };
        if let Err(fault) = builder.set(parameter, index, &name, &value) {
            return Err(builder.refuse(fault));
        }
    }
    builder.finish(text)
}

fn unix(text: &str, name: &Word, words: Vec<Word>, net: Option<&Net>) -> Result<Parsed, Refused> {
    let plain = |fault| Refused { fault, secrets: Vec::new() };
    let slip = COMMAND_SLIPS.iter().find(|slip| slip.wrong.eq_ignore_ascii_case(&name.text));
    let command = slip.map_or(name.text.as_str(), |slip| slip.right);
    let forms: Vec<&'static Form> = table::forms(command).filter(|form| !form.mml).collect();
    if forms.is_empty() {
        return Err(plain(unknown(name)));
    }
    let mut words: std::collections::VecDeque<Word> = words.into();
    let form = match forms.as_slice() {
        [only] if only.switch.is_none() => *only,
        several => {
            let switch = |word: &Word| several.iter().find(|form| !word.quoted && form.is_switch(&word.text)).copied();
            let Some(at) = words.iter().position(|word| switch(word).is_some()) else {
                let switches: Vec<&str> = several.iter().filter_map(|form| form.switch).collect();
                let mend = format!("NOT ACCEPTED: {command} needs one of {}", switches.join(", "));
                return Err(plain(Fault::new(mend, name.span.clone())));
            };
            let form = words.get(at).and_then(switch).unwrap_or(several[0]);
            // `-import FILE` says what to do and with what: it stays among the options.
            if form.switch_parameter().is_none() {
                words.remove(at);
            }
            form
        }
    };
    let mut builder = Builder::new(form, net);
    if let Some(Slip { wrong, right }) = slip {
        builder.notes.push(format!("warning: {wrong} is written {right}; read so"));
    }
    while let Some(word) = words.pop_front() {
        match builder.option(word, &mut words) {
            Ok(()) => {}
            Err(fault) => return Err(builder.refuse(fault)),
        }
    }
    builder.finish(text)
}

fn unknown(name: &Word) -> Fault {
    let lower = name.text.to_ascii_lowercase();
    let mut near: Vec<&str> = table::all()
        .map(|form| form.name)
        .filter(|known| {
            let known = known.to_ascii_lowercase();
            let shared = known.chars().zip(lower.chars()).take_while(|(a, b)| a == b).count();
            shared >= 3 || (!lower.is_empty() && known.contains(&lower))
        })
        .collect();
    near.dedup();
    let hint =
        if near.is_empty() { "help lists the commands".into() } else { format!("there are {}", near.join(", ")) };
    Fault::new(format!("NOT ACCEPTED: {} is not a command here; {hint}", name.text), name.span.clone())
}

impl<'a> Builder<'a> {
    fn new(form: &'static Form, net: Option<&'a Net>) -> Builder<'a> {
        let fields =
            Map::from_iter([("command".to_string(), json!(form.command)), ("verb".to_string(), json!(form.verb))]);
        Builder { form, net, fields, notes: Vec::new(), given: Vec::new(), secrets: Vec::new() }
    }

    fn refuse(self, fault: Fault) -> Refused {
        Refused { fault, secrets: self.secrets }
    }

    /// The form's parameter of that name; a known slip is read as what was meant.
    fn parameter(&mut self, name: &Word) -> Result<(&'static Parameter, usize), Fault> {
        let bare = name.text.trim_start_matches('-');
        if let Some(found) = self.form.parameter(bare) {
            return Ok(found);
        }
        let slip = PARAMETER_SLIPS.iter().find(|slip| slip.wrong.eq_ignore_ascii_case(bare));
        if let Some((slip, found)) = slip.and_then(|slip| Some((slip, self.form.parameter(slip.right)?))) {
            self.notes.push(format!("warning: {} is written {}; read so", slip.wrong, slip.right));
            return Ok(found);
        }
        let known: Vec<String> = self.form.parameters.iter().map(|parameter| self.form.written(parameter)).collect();
        let known = if known.is_empty() { "it takes none".into() } else { format!("it has {}", known.join(", ")) };
        let command = match self.form.switch {
            Some(switch) => format!("{} {switch}", self.form.name),
            None => self.form.name.into(),
        };
        Err(Fault::new(
            format!("NOT ACCEPTED: {} is not a parameter of {command}; {known}", name.text),
            name.span.clone(),
        ))
    }

    /// A unix-style option: `-name value`, `--name value`, `--name=value`.
    fn option(&mut self, word: Word, rest: &mut std::collections::VecDeque<Word>) -> Result<(), Fault> {
        if word.quoted || !word.text.starts_with('-') {
            let message = format!("NOT ACCEPTED: {}: a value without an option before it", word.text);
            return Err(Fault::new(message, word.span));
        }
        let (name, value) = match word.text.split_once('=') {
            Some((name, value)) => {
                let at = word.span.start + name.len();
                let value = Word { text: value.into(), span: at + 1..word.span.end, quoted: true };
                (Word { text: name.into(), span: word.span.start..at, quoted: false }, Some(value))
            }
            None => (word, None),
        };
        let (parameter, index) = self.parameter(&name)?;
        let next = |rest: &mut std::collections::VecDeque<Word>| {
            let follows = rest.front().is_some_and(|next| next.quoted || !next.text.starts_with('-'));
            if follows { rest.pop_front() } else { None }
        };
        let value = value.or_else(|| next(rest));
        match (value, parameter.kind) {
            (Some(value), _) => self.set(parameter, index, &name, &value),
            (None, Kind::MaybeText) => {
                let nothing = Word { text: String::new(), span: name.span.clone(), quoted: true };
                self.set(parameter, index, &name, &nothing)
            }
            (None, _) => {
                let message = format!("NOT ACCEPTED: {} has no value: {}", name.text, parameter.help);
                Err(Fault::new(message, name.span))
            }
        }
    }

    fn set(&mut self, parameter: &'static Parameter, index: usize, name: &Word, value: &Word) -> Result<(), Fault> {
        let shown = name.text.trim_start_matches('-');
        if parameter.kind == Kind::Secret {
            self.secrets.push(value.span.clone());
        }
        let twice = self.given.iter().any(|given| std::ptr::eq(given.parameter, parameter));
        if twice && parameter.kind != Kind::Eight {
            return Err(Fault::new(format!("NOT ACCEPTED: {shown} is given twice"), name.span.clone()));
        }
        self.given.push(Given { parameter, span: value.span.clone() });
        let mut text = value.text.clone();
        if parameter.kind != Kind::Secret
            && let Some((read, notes)) = self.net.and_then(|net| net.read(&text))
        {
            text = read;
            for note in notes {
                if !self.notes.contains(&note) {
                    self.notes.push(note);
                }
            }
        }
        let wrong =
            |mend: &str| Fault::new(format!("NOT ACCEPTED: {shown} {}: {mend}", value.text), value.span.clone());
        let json = match parameter.kind {
            Kind::Text | Kind::Secret | Kind::MaybeText => json!(text),
            Kind::TextOrAll | Kind::NumberOrAll if text.eq_ignore_ascii_case("all") => return Ok(()),
            Kind::TextOrAll => json!(text),
            Kind::Number | Kind::NumberOrAll => {
                let number = text.parse::<u32>().map_err(|_| wrong("give a whole number"))?;
                json!(number)
            }
            Kind::Port => json!(text.parse::<u16>().map_err(|_| wrong("give a number from 0 to 65535"))?),
            Kind::YesNo => match text.to_ascii_lowercase().as_str() {
                "yes" | "true" | "1" | "on" => json!(true),
                "no" | "false" | "0" | "off" => json!(false),
                _ => return Err(wrong("give yes or no, or true or false")),
            },
            Kind::Individuals => {
                placeholder(&text, value, shown)?;
                json!(text)
            }
            Kind::Eight => {
                let slots = self
                    .fields
                    .entry(parameter.field)
                    .or_insert_with(|| json!([null, null, null, null, null, null, null, null]));
                if let Some(slot) = slots.get_mut(index) {
                    if !slot.is_null() {
                        return Err(Fault::new(format!("NOT ACCEPTED: {shown} is given twice"), name.span.clone()));
                    }
                    *slot = json!(text);
                }
                return Ok(());
            }
        };
        if !parameter.field.is_empty() {
            self.fields.insert(parameter.field.into(), json);
        }
        Ok(())
    }

    fn finish(self, text: &str) -> Result<Parsed, Refused> {
        let end = text.trim_end().trim_end_matches(';').len();
        let missing = self.form.parameters.iter().find(|parameter| {
            parameter.required && !self.given.iter().any(|given| std::ptr::eq(given.parameter, *parameter))
        });
        if let Some(parameter) = missing {
            let written = self.form.written(parameter);
            let fault = Fault::new(format!("NOT ACCEPTED: {written} is missing: {}", parameter.help), end..end);
            return Err(self.refuse(fault));
        }
        Ok(Parsed {
            json: Value::Object(self.fields),
            notes: self.notes,
            form: self.form,
            given: self.given,
            secrets: self.secrets,
            end,
        })
    }
}

/// The guide writes `1-1&&1-xx`: how many individuals is the reader's to say, so nothing is assumed.
fn placeholder(text: &str, value: &Word, shown: &str) -> Result<(), Fault> {
    let Some(at) = text.find(|c: char| c.is_ascii_alphabetic()) else { return Ok(()) };
    let (before, rest) = text.split_at(at);
    let run: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
    let message = if before.ends_with('-') && run.bytes().all(|b| b.eq_ignore_ascii_case(&b'x')) {
        format!(
            "NOT ACCEPTED: {shown} {text}: {run} stands for the number of the last trunk individual: write it as a number, which is how many calls the route can carry at once, such as {before}30"
        )
    } else {
        format!("NOT ACCEPTED: {shown} {text}: give LIM-number, such as 1-1, 1-1&1-2 or 1-1&&1-30")
    };
    // Of a value in quotes, the place includes them.
    let start = value.span.start + at + usize::from(value.quoted && value.span.len() > text.len());
    Err(Fault::new(message, start..start + run.len()))
}

impl Parsed {
    /// A fault that the command itself found, at the parameter that it names.
    pub(crate) fn fault(&self, message: String, parameter: Option<&str>) -> Fault {
        let Some(name) = parameter else { return Fault::nowhere(message) };
        let bare = name.trim_start_matches('-');
        let matches = |parameter: &Parameter| {
            parameter.field.eq_ignore_ascii_case(&bare.replace('-', "_"))
                || parameter.names.iter().any(|known| {
                    known.eq_ignore_ascii_case(bare) || bare.starts_with(known) && parameter.kind == Kind::Eight
                })
        };
        let place = self.given.iter().find(|given| matches(given.parameter)).map(|given| given.span.clone());
        Fault::new(message, place.unwrap_or(self.end..self.end))
    }
}
