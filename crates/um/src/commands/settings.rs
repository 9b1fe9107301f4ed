//! The settings of an object, written down once: the stored struct with its defaults, the set of changes that a command
//! brings, the checks, and what the table of cmdlets knows of them.

/// Makes the stored settings (`$settings`), the changes that a command brings (`$changes`) and what goes between.
macro_rules! settings {
    ($(#[$meta:meta])* $settings:ident, $changes:ident {
        $($wire:literal $field:ident : $ty:ty = $default:expr, $check:expr, $help:literal $(, $mark:ident)*;)*
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
              pub $field: Option<<$ty as crate::commands::value::Value>::Change>,)*
        }

        impl $changes {
            /// What help, completion and parsing know of the settings. A mark after the help is a method of
            /// [`Parameter`](crate::commands::table::Parameter): `idle`.
            pub(crate) fn parameters() -> Vec<crate::commands::table::Parameter> {
                use crate::commands::table::Parameter;
                vec![$({
                    let default: $ty = $default;
                    let range = crate::commands::value::Check::<$ty>::range(&$check);
                    Parameter::setting::<$ty>($wire, $help, &default, &range) $(.$mark())*
                },)*]
            }
        }

        impl $settings {
            /// Checks every change, then makes them all or none.
            pub(crate) fn apply(&mut self, changes: $changes) -> Result<(), crate::commands::CommandError> {
                let mut next = self.clone();
                $(if let Some(change) = changes.$field {
                    let value = crate::commands::value::Value::changed(&next.$field, change);
                    crate::commands::value::Check::<$ty>::check(&$check, &value)
                        .map_err(|mend| crate::commands::CommandError::bad($wire, mend))?;
                    next.$field = value;
                })*
                *self = next;
                Ok(())
            }

            /// The changes that make these settings of `from`: what differs, and no more.
            pub(crate) fn changes_from(&self, from: &$settings) -> $changes {
                $changes {
                    $($field: (self.$field != from.$field).then(|| self.$field.clone().into()),)*
                }
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
