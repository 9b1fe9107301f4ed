//! The settings of an object, written down once: the stored struct with its defaults, the set of changes that a command
//! brings, the checks, and the table that help and completion are made from.

use super::error::CommandError;
use super::value::{Given, Value};

/// One parameter of a cmdlet, for help and completion.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Parameter {
    /// As it is written after the dash.
    pub name: &'static str,
    /// What may be written, and its range.
    pub syntax: String,
    /// The value when it is not given; empty when there is none.
    pub default: String,
    pub required: bool,
    pub help: &'static str,
}

impl Parameter {
    pub(crate) fn required(name: &'static str, syntax: &str, help: &'static str) -> Parameter {
        Parameter { name, syntax: syntax.into(), default: String::new(), required: true, help }
    }

    pub(crate) fn optional(name: &'static str, syntax: &str, default: &str, help: &'static str) -> Parameter {
        Parameter { name, syntax: syntax.into(), default: default.into(), required: false, help }
    }
}

/// The parameters of one line, their names already resolved to the cmdlet's own.
pub struct Arguments {
    cmdlet: &'static str,
    given: Vec<(&'static str, Given)>,
}

impl Arguments {
    /// Resolves names: any case, and any unambiguous beginning, as PowerShell has it. A name that is empty is the
    /// value written without one, which is the identity.
    pub fn new(
        cmdlet: &'static str,
        known: &[Parameter],
        given: Vec<(String, Given)>,
    ) -> Result<Arguments, CommandError> {
        let mut resolved: Vec<(&'static str, Given)> = Vec::with_capacity(given.len());
        for (written, value) in given {
            let name = resolve(cmdlet, known, &written)?;
            if resolved.iter().any(|(other, _)| *other == name) {
                return Err(CommandError::Repeated { parameter: name.into() });
            }
            resolved.push((name, value));
        }
        Ok(Arguments { cmdlet, given: resolved })
    }

    /// The value of a parameter, if it was given.
    pub fn take<T: Value>(&mut self, name: &str) -> Result<Option<T>, CommandError> {
        let Some(index) = self.given.iter().position(|(given, _)| *given == name) else { return Ok(None) };
        let (name, value) = self.given.swap_remove(index);
        T::read(&value).map(Some).map_err(|mend| CommandError::bad(name, mend))
    }

    /// The value of a parameter that must be there.
    pub fn require<T: Value>(&mut self, name: &'static str) -> Result<T, CommandError> {
        self.take(name)?.ok_or_else(|| CommandError::Missing { cmdlet: self.cmdlet.into(), parameter: name.into() })
    }
}

fn resolve(cmdlet: &'static str, known: &[Parameter], written: &str) -> Result<&'static str, CommandError> {
    let first = ["Identity", "Name"];
    if written.is_empty() {
        let named = first.iter().find_map(|name| known.iter().find(|parameter| parameter.name == *name));
        return named.map(|parameter| parameter.name).ok_or_else(|| CommandError::Positional { cmdlet: cmdlet.into() });
    }
    if let Some(exact) = known.iter().find(|parameter| parameter.name.eq_ignore_ascii_case(written)) {
        return Ok(exact.name);
    }
    let begins = |name: &str| name.get(..written.len()).is_some_and(|start| start.eq_ignore_ascii_case(written));
    let mut candidates = known.iter().map(|parameter| parameter.name).filter(|name| begins(name));
    match (candidates.next(), candidates.next()) {
        (Some(only), None) => Ok(only),
        (Some(one), Some(other)) => {
            Err(CommandError::Ambiguous { parameter: written.into(), candidates: format!("{one}, {other}") })
        }
        (None, _) => Err(CommandError::UnknownParameter {
            cmdlet: cmdlet.into(),
            parameter: written.into(),
            known: known.iter().map(|parameter| parameter.name).collect::<Vec<_>>().join(", "),
        }),
    }
}

/// Makes the stored settings (`$settings`), the changes that a command brings (`$changes`) and what goes between.
macro_rules! settings {
    ($(#[$meta:meta])* $settings:ident, $changes:ident {
        $($wire:literal $field:ident : $ty:ty = $default:expr, $check:expr, $help:literal;)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(default)]
        pub struct $settings {
            $(#[doc = $help] #[serde(rename = $wire)] pub $field: $ty,)*
        }

        impl Default for $settings {
            fn default() -> $settings {
                $settings { $($field: $default,)* }
            }
        }

        /// What a command changes; the settings not named stay as they are.
        #[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(default)]
        pub struct $changes {
            $(#[doc = $help]
              #[serde(rename = $wire, skip_serializing_if = "Option::is_none",
                      deserialize_with = "crate::commands::settings::present")]
              pub $field: Option<$ty>,)*
        }

        impl $changes {
            pub(crate) fn read(
                arguments: &mut crate::commands::settings::Arguments,
            ) -> Result<$changes, crate::commands::CommandError> {
                Ok($changes { $($field: arguments.take($wire)?,)* })
            }

            pub(crate) fn parameters() -> Vec<crate::commands::settings::Parameter> {
                use crate::commands::value::Value as _;
                vec![$({
                    let default: $ty = $default;
                    let range = crate::commands::value::Check::<$ty>::range(&$check);
                    crate::commands::settings::Parameter {
                        name: $wire,
                        syntax: if range.is_empty() { <$ty>::syntax() } else { format!("{}, {range}", <$ty>::syntax()) },
                        default: default.show(),
                        required: false,
                        help: $help,
                    }
                },)*]
            }
        }

        impl $settings {
            /// Checks every change, then makes them all or none.
            pub(crate) fn apply(&mut self, changes: $changes) -> Result<(), crate::commands::CommandError> {
                let mut next = self.clone();
                $(if let Some(value) = changes.$field {
                    crate::commands::value::Check::<$ty>::check(&$check, &value)
                        .map_err(|mend| crate::commands::CommandError::bad($wire, mend))?;
                    next.$field = value;
                })*
                *self = next;
                Ok(())
            }

            /// Every setting with its value, for printing.
            pub fn rows(&self) -> Vec<(&'static str, String)> {
                vec![$(($wire, crate::commands::value::Value::show(&self.$field)),)*]
            }
        }
    };
}
pub(crate) use settings;

/// In JSON a field that is there is a change, also when it is null (which takes an optional value away).
pub(crate) fn present<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: serde::Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    T::deserialize(deserializer).map(Some)
}
