//! The checks that handlers share. Each names the parameter and says which form it takes.

use super::CommandError;
use crate::configuration::{Configuration, ExtensionEntry};
use crate::numbers::{Analysis, Digits, analyse};
use crate::routes::Route;
use std::ops::RangeInclusive;

/// Exactly `count` decimal digits.
pub(super) fn digits(parameter: &str, value: &str, count: usize) -> Result<String, CommandError> {
    if value.len() == count && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(value.to_owned());
    }
    Err(CommandError::invalid(parameter, value, format!("give {count} digits")))
}

/// Exactly `count` hexadecimal digits.
pub(super) fn hex_digits(parameter: &str, value: &str, count: usize) -> Result<String, CommandError> {
    if value.len() == count && value.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(value.to_ascii_uppercase());
    }
    Err(CommandError::invalid(parameter, value, format!("give {count} hexadecimal digits")))
}

/// A value or `default`, within `range`.
pub(super) fn within(
    parameter: &str,
    value: Option<u32>,
    default: u32,
    range: RangeInclusive<u32>,
) -> Result<u32, CommandError> {
    let value = value.unwrap_or(default);
    if range.contains(&value) {
        return Ok(value);
    }
    Err(CommandError::invalid(parameter, value, format!("give a number from {} to {}", range.start(), range.end())))
}

pub(super) fn route_number(parameter: &str, route: u32) -> Result<u32, CommandError> {
    within(parameter, Some(route), 0, 1..=250)
}

/// A number of the number plan: 1 to 20 digits, `*` and `#` allowed.
pub(super) fn plan_number(parameter: &str, value: &str) -> Result<String, CommandError> {
    if (1..=20).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit() || b"*#".contains(&byte)) {
        return Ok(value.to_owned());
    }
    Err(CommandError::invalid(parameter, value, "give a number of 1 to 20 digits"))
}

/// The form of an extension's number: 2 to 20 digits.
pub(super) fn directory_number(parameter: &str, value: &str) -> Result<String, CommandError> {
    if value.is_empty() {
        return Err(CommandError::missing(parameter, "give the extension's number"));
    }
    if (2..=20).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(value.to_owned());
    }
    Err(CommandError::invalid(parameter, value, "give a number of 2 to 20 digits"))
}

/// An extension that exists, as a copy to change.
pub(super) fn extension(
    configuration: &Configuration,
    parameter: &str,
    dir: &str,
) -> Result<Box<ExtensionEntry>, CommandError> {
    let dir = directory_number(parameter, dir)?;
    match configuration.extensions.get(&dir) {
        Some(entry) => Ok(Box::new(entry.clone())),
        None => Err(CommandError::not_assigned(parameter, dir, "initiate it with extension -i first")),
    }
}

/// A route that exists, as a copy to change.
pub(super) fn route(configuration: &Configuration, parameter: &str, route: u32) -> Result<Box<Route>, CommandError> {
    let route = route_number(parameter, route)?;
    match configuration.routes.get(&route) {
        Some(entry) => Ok(Box::new(entry.clone())),
        None => Err(CommandError::not_assigned(parameter, route, "initiate the route with ROCAI first")),
    }
}

/// A number that calls can be sent on to: an extension, or one with an external destination.
pub(super) fn reachable(configuration: &Configuration, parameter: &str, value: &str) -> Result<String, CommandError> {
    let number =
        Digits::parse(value).map_err(|error| CommandError::invalid(parameter, value, format!("the number {error}")))?;
    if analyse(configuration, &number) == Analysis::Vacant {
        let mend = "it is neither an extension nor has it an external destination (number_initiate, RODDI)";
        return Err(CommandError::not_assigned(parameter, value, mend));
    }
    Ok(number.to_string())
}

/// A text without control characters, of at most `most` characters.
pub(super) fn text(parameter: &str, value: &str, most: usize) -> Result<String, CommandError> {
    let value = value.trim();
    if value.chars().count() > most || value.chars().any(char::is_control) {
        return Err(CommandError::invalid(parameter, value, format!("give at most {most} printable characters")));
    }
    Ok(value.to_owned())
}

/// `yes` or `no`, for prints.
pub(super) fn yes_no(value: bool) -> String {
    if value { "yes".into() } else { "no".into() }
}
