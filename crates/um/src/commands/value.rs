//! What a shell line or a REST call gives for a parameter, and how it becomes a typed value.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use speech::Language;

/// A parameter's value as it was written, before anybody knows its type.
#[derive(Clone, Debug, PartialEq)]
pub enum Given {
    /// `$true`, `$false`, or a switch without a value (true).
    Bool(bool),
    /// A word or a quoted string; numbers too.
    Text(String),
    /// `a,b,c` or `@("a","b")`.
    List(Vec<String>),
    /// `@{Add="a","b"; Remove="c"}`: names and lists.
    Table(Vec<(String, Vec<String>)>),
    /// `$null`: takes a value away.
    Null,
}

impl From<&str> for Given {
    fn from(text: &str) -> Given {
        Given::Text(text.to_owned())
    }
}

/// A type that a parameter can have.
pub trait Value: Sized + Clone + Serialize {
    /// What a command may bring: another value, or, for a list, what is added to it and removed from it.
    type Change: Serialize + DeserializeOwned;
    /// A refusal says in one clause what to mend.
    fn read(given: &Given) -> Result<Self::Change, String>;
    /// The value after the change.
    fn changed(&self, change: Self::Change) -> Self;
    fn show(&self) -> String;
    /// What may be written, for help: `$true or $false`, `a number`.
    fn syntax() -> String;
    /// The words that may be written, for completion; none where anything else may be.
    fn choices() -> &'static [&'static str] {
        &[]
    }
}

/// For types whose change is simply another value.
macro_rules! another {
    () => {
        type Change = Self;
        fn changed(&self, change: Self) -> Self {
            change
        }
    };
}
pub(crate) use another;

impl Value for bool {
    another!();

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

    fn choices() -> &'static [&'static str] {
        &["$true", "$false"]
    }
}

impl Value for u32 {
    another!();

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
    another!();

    fn read(given: &Given) -> Result<String, String> {
        match given {
            Given::Text(text) if !text.trim().is_empty() => Ok(text.trim().to_owned()),
            Given::Text(_) | Given::Null => Err("write a text that is not empty".into()),
            Given::Bool(_) => Err("write a text after it".into()),
            Given::List(_) | Given::Table(_) => Err("write one text, not a list".into()),
        }
    }

    fn show(&self) -> String {
        self.clone()
    }

    fn syntax() -> String {
        "a text".into()
    }
}

impl<T: Value<Change = T> + DeserializeOwned> Value for Option<T> {
    another!();

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

    fn choices() -> &'static [&'static str] {
        T::choices()
    }
}

/// What a command does to a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ListChange {
    /// The list is this from now on.
    To(Vec<String>),
    By(Difference),
}

/// What is added to a list and removed from it. What is there already is not added again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Difference {
    pub add: Vec<String>,
    pub remove: Vec<String>,
}

impl From<Vec<String>> for ListChange {
    fn from(list: Vec<String>) -> ListChange {
        ListChange::To(list)
    }
}

impl Value for Vec<String> {
    type Change = ListChange;

    fn read(given: &Given) -> Result<ListChange, String> {
        const MEND: &str = "write a list: a,b,c or @{Add=\"a\"; Remove=\"b\"}";
        let sound = |items: &[String]| -> Vec<String> {
            items.iter().map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
        };
        match given {
            Given::Null => Ok(Vec::new().into()),
            Given::List(items) => Ok(sound(items).into()),
            Given::Text(text) => Ok(sound(std::slice::from_ref(text)).into()),
            Given::Table(entries) => {
                let mut by = Difference::default();
                for (name, items) in entries {
                    match name.to_ascii_lowercase().as_str() {
                        "add" => by.add.extend(sound(items)),
                        "remove" => by.remove.extend(sound(items)),
                        _ => return Err(MEND.into()),
                    }
                }
                Ok(ListChange::By(by))
            }
            Given::Bool(_) => Err(MEND.into()),
        }
    }

    fn changed(&self, change: ListChange) -> Vec<String> {
        match change {
            ListChange::To(list) => list,
            ListChange::By(Difference { add, remove }) => {
                let among = |list: &[String], item: &String| list.iter().any(|other| other.eq_ignore_ascii_case(item));
                let mut list: Vec<String> = self.iter().filter(|item| !among(&remove, item)).cloned().collect();
                for item in add {
                    if !among(&list, &item) {
                        list.push(item);
                    }
                }
                list
            }
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
    another!();

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
            $crate::commands::value::another!();

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
                Self::choices().join(", ")
            }

            fn choices() -> &'static [&'static str] {
                &[$(stringify!($variant)),+]
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

impl Check<Option<u32>> for Range {
    fn check(&self, value: &Option<u32>) -> Result<(), String> {
        value.as_ref().map_or(Ok(()), |value| self.check(value))
    }
    fn range(&self) -> String {
        Check::<u32>::range(self)
    }
}

/// A text of at most so many characters, none of them a control character.
pub struct Length(pub usize);
impl Check<String> for Length {
    fn check(&self, value: &String) -> Result<(), String> {
        if value.chars().any(char::is_control) {
            Err("leave out control characters".into())
        } else if value.trim().is_empty() || value.trim() != value {
            // What a shell reads never has them: a value must be the same by whichever door it came.
            Err("write a text that is not empty, without blanks around it".into())
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
        impl $crate::commands::value::Check<Option<String>> for $check {
            fn check(&self, value: &Option<String>) -> Result<(), String> {
                value.as_ref().map_or(Ok(()), |value| $crate::commands::value::Check::<String>::check(self, value))
            }
            fn range(&self) -> String {
                $crate::commands::value::Check::<String>::range(self)
            }
        }
        impl $crate::commands::value::Check<Vec<String>> for $check {
            fn check(&self, value: &Vec<String>) -> Result<(), String> {
                if value.len() > $crate::commands::value::MOST_ITEMS {
                    return Err(format!("write at most {} items", $crate::commands::value::MOST_ITEMS));
                }
                value.iter().try_for_each(|value| $crate::commands::value::Check::<String>::check(self, value))
            }
            fn range(&self) -> String {
                format!("each {}", $crate::commands::value::Check::<String>::range(self))
            }
        }
    )+};
}
pub(crate) use of_each;
of_each!(Length, Digits, LanguageTag);

/// How long a list may be.
pub(crate) const MOST_ITEMS: usize = 1000;
