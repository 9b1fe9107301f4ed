//! Numbers: what may be dialled, and where it leads.

mod analysis;
mod digits;

pub(crate) use analysis::{Analysis, Choice, analyse, is_emergency};
pub use digits::{Digits, DigitsError};

use crate::routes::NumberTypes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a number was initiated as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum NumberType {
    /// Extension series.
    Ex,
    /// External destination.
    Ed,
    /// Emergency number: calls to it always go out.
    Sos,
}

impl NumberType {
    pub fn from_name(name: &str) -> Option<NumberType> {
        match name.to_ascii_uppercase().as_str() {
            "EX" => Some(NumberType::Ex),
            "ED" => Some(NumberType::Ed),
            "SOS" => Some(NumberType::Sos),
            _ => None,
        }
    }

    /// As `number_initiate` takes it.
    pub fn name(self) -> &'static str {
        match self {
            NumberType::Ex => "EX",
            NumberType::Ed => "ED",
            NumberType::Sos => "SOS",
        }
    }

    /// As `number_print` heads it.
    pub fn title(self) -> &'static str {
        match self {
            NumberType::Ex => "extension series",
            NumberType::Ed => "external destination code",
            NumberType::Sos => "emergency number",
        }
    }

    /// Whether it leads to routes by `RODDI`.
    pub fn is_external(self) -> bool {
        matches!(self, NumberType::Ed | NumberType::Sos)
    }
}

/// A number, or a series of them, in the number plan; the map's key is its first number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NumberEntry {
    pub number_type: NumberType,
    /// The last of a series, of as many digits as the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
}

impl NumberEntry {
    /// Whether `number` is in the series that starts at `first`. Equal lengths compare as numbers do.
    pub fn covers(&self, first: &str, number: &str) -> bool {
        let last = self.last.as_deref().unwrap_or(first);
        number.len() == first.len() && first <= number && number <= last
    }
}

/// How many digits the numbers have that begin with some digits, those among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NumberLength {
    pub min: u32,
    pub max: u32,
}

/// Whether a number is as long as the longest of its beginnings that has a length says; without one it may be any.
pub(crate) fn length_allows(lengths: &BTreeMap<String, NumberLength>, dialled: &str) -> bool {
    // Few numbers have lengths, and none a beginning of more than 20 digits.
    let longest = (1..=dialled.len().min(20)).rev().find_map(|count| lengths.get(dialled.get(..count)?));
    let digits = u32::try_from(dialled.len()).unwrap_or(u32::MAX);
    longest.is_none_or(|length| (length.min..=length.max).contains(&digits))
}

/// One way to an external destination (`RODDI`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DestinationEntry {
    pub route: u32,
    /// Position of the first dialled digit to send, from 1.
    pub srt: u32,
    /// Digits sent before them.
    #[serde(default)]
    pub pre: String,
    #[serde(default)]
    pub adc: String,
    #[serde(default)]
    pub cust: String,
    #[serde(default)]
    pub trc: String,
}

impl DestinationEntry {
    /// The types of called and calling number, which choose among a route's URIs: ADC's second digit, and its third
    /// (public types, 0 to 4) or fourth (private types, 5 to 7).
    pub fn types(&self) -> NumberTypes {
        let digit = |at: usize| self.adc.as_bytes().get(at).map_or(0, |digit| digit.wrapping_sub(b'0')).min(7);
        let called = digit(1);
        let calling = if called >= 5 { digit(3) } else { digit(2) };
        NumberTypes { called, calling }
    }
}
