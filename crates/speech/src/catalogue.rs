//! The sentences: fluent messages taken apart into what is spoken as one piece.
//!
//! A message is formatted with markers where its values go; the text between two markers is a *fragment*, and each
//! fragment is one audio file. So the plural rules choose the right sentence for the number, the language chooses the
//! order of words, and `cargo xtask prompts` can list every fragment that there will ever be.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};
use unic_langid::LanguageIdentifier;

use crate::language::Language;

/// Opens and closes the place of a value in a formatted message; no text holds these.
const OPEN: char = '\u{1}';
const CLOSE: char = '\u{2}';

/// A piece of text that is spoken in one breath, and the file that holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// Name of the file, without directory and extension.
    pub file: String,
    /// The text, as it stands in the catalogue.
    pub text: String,
    /// The text as a voice has to be told to say it.
    pub spoken: String,
}

/// What a message turns into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A fragment's text.
    Text(String),
    /// The value at that place of the arguments.
    Argument(usize),
    /// A number that the message speaks.
    Number(u32),
    /// A comma or full stop by itself.
    Pause(Break),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Break {
    Short,
    Long,
}

/// A message's argument: the number itself where plurals hang on it, else only its place.
pub(crate) enum Argument {
    Number(u32),
    Spoken,
}

pub(crate) struct Catalogue {
    bundle: FluentBundle<FluentResource>,
}

impl Catalogue {
    /// A language's catalogue that is in the binary.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence.
    pub(crate) fn open(language: Language) -> Result<Catalogue, String> {
        let identifier: LanguageIdentifier = language.code().parse().map_err(|error| format!("{error:?}"))?;
        let mut bundle = FluentBundle::new_concurrent(vec![identifier]);
        bundle.set_use_isolating(false);
        bundle.set_formatter(Some(|value, _| match value {
            // Truncation cannot happen: only u32 are handed in.
            FluentValue::Number(number) => Some(format!("{OPEN}n{}{CLOSE}", number.value as u32)),
            _ => None,
        }));
        for (name, source) in crate::shipped::catalogue(language) {
            let resource = parse(language, name, source)?;
            let code = language.code();
            bundle.add_resource(resource).map_err(|errors| format!("prompts/{code}/{name}.ftl: {errors:?}"))?;
        }
        Ok(Catalogue { bundle })
    }

    /// The pieces of message `id`; empty when there is none.
    pub(crate) fn pieces(&self, id: &str, arguments: &[(&str, Argument)]) -> Vec<Piece> {
        let Some(pattern) = self.bundle.get_message(id).and_then(|message| message.value()) else {
            tracing::error!(id, "no such prompt");
            return Vec::new();
        };
        let mut values = FluentArgs::new();
        for (index, (name, argument)) in arguments.iter().enumerate() {
            let value = match argument {
                Argument::Number(number) => FluentValue::from(*number),
                Argument::Spoken => FluentValue::from(format!("{OPEN}a{index}{CLOSE}")),
            };
            values.set(*name, value);
        }
        let mut errors = Vec::new();
        let text = self.bundle.format_pattern(pattern, Some(&values), &mut errors);
        for error in &errors {
            tracing::error!(id, %error, "prompt without one of its values");
        }
        split(&text)
    }

    /// The text of a message without values: a word.
    pub(crate) fn word(&self, id: &str) -> Option<Piece> {
        self.pieces(id, &[]).into_iter().next()
    }
}

fn parse(language: Language, name: &str, source: &str) -> Result<FluentResource, String> {
    FluentResource::try_new(source.to_string()).map_err(|(_, errors)| {
        let first = errors.first().map_or(String::new(), |error| error.to_string());
        format!("prompts/{}/{name}.ftl: {first}", language.code())
    })
}

/// Every fragment of a language's catalogue, once, by file name.
pub(crate) fn fragments(language: Language) -> Result<Vec<Fragment>, String> {
    let mut all = BTreeMap::new();
    for (name, source) in crate::shipped::catalogue(language) {
        for entry in parse(language, name, source)?.entries() {
            let Entry::Message(message) = entry else { continue };
            let respelled = message.attributes.iter().find(|attribute| attribute.id.name == "spoken");
            let respelled = respelled.and_then(|attribute| expand(&attribute.value).into_iter().next());
            let Some(pattern) = &message.value else { continue };
            for sentence in expand(pattern) {
                for piece in split(&sentence) {
                    let Piece::Text(text) = piece else { continue };
                    let spoken = respelled.clone().unwrap_or_else(|| text.clone());
                    let file = file_name(&text);
                    all.insert(file.clone(), Fragment { file, text, spoken });
                }
            }
        }
    }
    Ok(all.into_values().collect())
}

/// Every sentence that a pattern can become, with markers for its values.
fn expand(pattern: &Pattern<&str>) -> Vec<String> {
    let mut sentences = vec![String::new()];
    for element in &pattern.elements {
        let endings = match element {
            PatternElement::TextElement { value } => vec![(*value).to_string()],
            PatternElement::Placeable { expression: Expression::Select { variants, .. } } => {
                variants.iter().flat_map(|variant| expand(&variant.value)).collect()
            }
            PatternElement::Placeable { expression: Expression::Inline(InlineExpression::StringLiteral { value }) } => {
                vec![(*value).to_string()]
            }
            PatternElement::Placeable { .. } => vec![format!("{OPEN}a0{CLOSE}")],
        };
        sentences = sentences
            .iter()
            .flat_map(|sentence| endings.iter().map(move |ending| format!("{sentence}{ending}")))
            .collect();
    }
    sentences
}

/// Takes a formatted message apart at its markers.
fn split(formatted: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = formatted;
    while let Some((text, after)) = rest.split_once(OPEN) {
        push_text(&mut pieces, text);
        let (marker, after) = after.split_once(CLOSE).unwrap_or((after, ""));
        let number = marker.get(1..).and_then(|digits| digits.parse::<u32>().ok());
        match (marker.chars().next(), number) {
            (Some('n'), Some(number)) => pieces.push(Piece::Number(number)),
            (Some('a'), Some(index)) => pieces.push(Piece::Argument(usize::try_from(index).unwrap_or(usize::MAX))),
            _ => {}
        }
        rest = after;
    }
    push_text(&mut pieces, rest);
    pieces
}

/// A fragment, after the punctuation that closes the value before it: "{ $name }, please wait."
fn push_text(pieces: &mut Vec<Piece>, text: &str) {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let bare = text.trim_start_matches(['.', ',', ';', ':', '!', '?']);
    if bare.len() < text.len() {
        let long = text.starts_with(['.', '!', '?', ':']);
        pieces.push(Piece::Pause(if long { Break::Long } else { Break::Short }));
    }
    let bare = bare.trim();
    if !bare.is_empty() {
        pieces.push(Piece::Text(bare.into()));
    }
}

/// The audio file of a text: readable, and different for texts that differ only in punctuation.
pub(crate) fn file_name(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let mut name = String::new();
    for word in text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        if name.len() + word.len() > 40 {
            break;
        }
        if !name.is_empty() {
            name.push('-');
        }
        name.push_str(word);
    }
    // FNV-1a, 32 bit: tells fragments apart, nothing more.
    let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let _ = write!(name, ".{hash:08x}");
    name
}
