//! What a shell line or a REST call gives for a parameter, and how it becomes a typed value.

use serde::{Deserialize, Serialize};
use speech::Language;

/// A parameter's value as it was written, before anybody knows its type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Given {
    /// `$true`, `$false`, or a switch without a value (true).
    Bool(bool),
    /// A word or a quoted string; numbers too.
    Text(String),
    /// `a,b,c` or `@("a","b")`.
    List(Vec<String>),
    /// `$null`: takes a value away.
    Null,
}

impl From<&str> for Given {
    fn from(text: &str) -> Given {
        Given::Text(text.to_owned())
    }
}

/// A type that a parameter can have. `read` says in one clause what to mend.
pub trait Value: Sized + Clone {
    fn read(given: &Given) -> Result<Self, String>;
    fn show(&self) -> String;
    /// What may be written, for help: `$true or $false`, `a number`.
    fn syntax() -> String;
}

impl Value for bool {
    fn read(given: &Given) -> Result<bool, String> {
        match given {
            Given::Bool(value) => Ok(*value),
            Given::Text(text) => match text.to_ascii_lowercase().as_str() {
                "true" | "$true" | "1" => Ok(true),
                "false" | "$false" | "0" => Ok(false),
                _ => Err("write $true or $false".into()),
            },
            _ => Err("write $true or $false".into()),
        }
    }

    fn show(&self) -> String {
        if *self { "True".into() } else { "False".into() }
    }

    fn syntax() -> String {
        "$true or $false".into()
    }
}

impl Value for u32 {
    fn read(given: &Given) -> Result<u32, String> {
        match given {
            Given::Text(text) => text.trim().parse().map_err(|_| "write a whole number".into()),
            _ => Err("write a whole number".into()),
        }
    }

    fn show(&self) -> String {
        self.to_string()
    }

    fn syntax() -> String {
        "a number".into()
    }
}

impl Value for String {
    fn read(given: &Given) -> Result<String, String> {
        match given {
            Given::Text(text) if !text.trim().is_empty() => Ok(text.trim().to_owned()),
            Given::Text(_) | Given::Null => Err("write a text that is not empty".into()),
            Given::Bool(_) => Err("write a text after it".into()),
            Given::List(_) => Err("write one text, not a list".into()),
        }
    }

    fn show(&self) -> String {
        self.clone()
    }

    fn syntax() -> String {
        "a text".into()
    }
}

impl<T: Value> Value for Option<T> {
    fn read(given: &Given) -> Result<Option<T>, String> {
        match given {
            Given::Null => Ok(None),
            Given::Text(text) if text.is_empty() => Ok(None),
            other => T::read(other).map(Some),
        }
    }

    fn show(&self) -> String {
        self.as_ref().map(Value::show).unwrap_or_default()
    }

    fn syntax() -> String {
        format!("{}, or $null for none", T::syntax())
    }
}

impl Value for Vec<String> {
    fn read(given: &Given) -> Result<Vec<String>, String> {
        match given {
            Given::Null => Ok(Vec::new()),
            Given::List(items) => {
                Ok(items.iter().map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect())
            }
            Given::Text(text) => Ok(vec![text.trim().to_owned()]),
            Given::Bool(_) => Err("write a list: a,b,c".into()),
        }
    }

    fn show(&self) -> String {
        format!("{{{}}}", self.join(", "))
    }

    fn syntax() -> String {
        "a list: a,b,c".into()
    }
}

/// A number, or no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Limit {
    Unlimited,
    #[serde(untagged)]
    Of(u32),
}

impl Value for Limit {
    fn read(given: &Given) -> Result<Limit, String> {
        match given {
            Given::Text(text) if text.eq_ignore_ascii_case("unlimited") => Ok(Limit::Unlimited),
            other => u32::read(other).map(Limit::Of).map_err(|_| "write a whole number or Unlimited".into()),
        }
    }

    fn show(&self) -> String {
        match self {
            Limit::Unlimited => "Unlimited".into(),
            Limit::Of(value) => value.to_string(),
        }
    }

    fn syntax() -> String {
        "a number or Unlimited".into()
    }
}

/// An enum whose variants are written by their names, in any case.
macro_rules! choices {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[allow(clippy::upper_case_acronyms)]
        pub enum $name { $($(#[$doc])* $variant),+ }

        impl $crate::commands::value::Value for $name {
            fn read(given: &$crate::commands::value::Given) -> Result<$name, String> {
                if let $crate::commands::value::Given::Text(text) = given {
                    $(if text.eq_ignore_ascii_case(stringify!($variant)) { return Ok($name::$variant); })+
                }
                Err(format!("write {}", Self::syntax()))
            }

            fn show(&self) -> String {
                match self { $($name::$variant => stringify!($variant).to_owned()),+ }
            }

            fn syntax() -> String {
                [$(stringify!($variant)),+].join(", ")
            }
        }
    };
}
pub(crate) use choices;

/// What a value must keep to beyond its type.
pub trait Check<T> {
    fn check(&self, value: &T) -> Result<(), String>;
    /// For help; empty when there is nothing to add to the type's own syntax.
    fn range(&self) -> String;
}

/// Nothing beyond the type.
pub struct Any;
impl<T> Check<T> for Any {
    fn check(&self, _: &T) -> Result<(), String> {
        Ok(())
    }
    fn range(&self) -> String {
        String::new()
    }
}

/// A number from the first to the second, both included.
pub struct Range(pub u32, pub u32);
impl Check<u32> for Range {
    fn check(&self, value: &u32) -> Result<(), String> {
        if (self.0..=self.1).contains(value) {
            Ok(())
        } else {
            Err(format!("write a number from {} to {}", self.0, self.1))
        }
    }
    fn range(&self) -> String {
        format!("{} to {}", self.0, self.1)
    }
}
impl Check<Limit> for Range {
    fn check(&self, value: &Limit) -> Result<(), String> {
        match value {
            Limit::Unlimited => Ok(()),
            Limit::Of(value) => self.check(value).map_err(|mend| format!("{mend}, or Unlimited")),
        }
    }
    fn range(&self) -> String {
        format!("{} to {}, or Unlimited", self.0, self.1)
    }
}

/// A text of at most so many characters, none of them a control character.
pub struct Length(pub usize);
impl Check<String> for Length {
    fn check(&self, value: &String) -> Result<(), String> {
        if value.chars().any(char::is_control) {
            Err("leave out control characters".into())
        } else if value.chars().count() > self.0 {
            Err(format!("write at most {} characters", self.0))
        } else {
            Ok(())
        }
    }
    fn range(&self) -> String {
        format!("at most {} characters", self.0)
    }
}

/// The tag (BCP 47) of a language that there are prompts in.
pub struct LanguageTag;
impl Check<String> for LanguageTag {
    fn check(&self, value: &String) -> Result<(), String> {
        Length(16).check(value)?;
        match Language::of_tag(value) {
            Some(_) => Ok(()),
            None => Err(format!("there are no prompts in that language: {}", Check::<String>::range(self))),
        }
    }
    fn range(&self) -> String {
        let codes: Vec<&str> = Language::ALL.iter().map(|language| language.code()).collect();
        format!("write a tag such as en-US that begins with {}", codes.join(" or "))
    }
}

/// Digits only, from so many to so many.
pub struct Digits(pub usize, pub usize);
impl Check<String> for Digits {
    fn check(&self, value: &String) -> Result<(), String> {
        if value.bytes().all(|byte| byte.is_ascii_digit()) && (self.0..=self.1).contains(&value.len()) {
            Ok(())
        } else {
            Err(format!("write {} digits", <Digits as Check<String>>::range(self)))
        }
    }
    fn range(&self) -> String {
        format!("{} to {}", self.0, self.1)
    }
}

macro_rules! of_each {
    ($($check:ty),+) => {$(
        impl Check<Option<String>> for $check {
            fn check(&self, value: &Option<String>) -> Result<(), String> {
                value.as_ref().map_or(Ok(()), |value| Check::<String>::check(self, value))
            }
            fn range(&self) -> String {
                Check::<String>::range(self)
            }
        }
        impl Check<Vec<String>> for $check {
            fn check(&self, value: &Vec<String>) -> Result<(), String> {
                if value.len() > MOST_ITEMS {
                    return Err(format!("write at most {MOST_ITEMS} items"));
                }
                value.iter().try_for_each(|value| Check::<String>::check(self, value))
            }
            fn range(&self) -> String {
                format!("each {}", Check::<String>::range(self))
            }
        }
    )+};
}
of_each!(Length, Digits, LanguageTag);

/// How long a list may be.
const MOST_ITEMS: usize = 1000;
