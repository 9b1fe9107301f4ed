//! A key of an attendant's menu as it is configured (fact sheet 2.5): `Sales,77899`, or with all its fields
//! `Key,Name,Extension,AutoAttendant,file.wav,Phrases,VoiceMailOf,User,Location,Hours`.

use super::forms::key_of;

/// What is done when a key is pressed, or none in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyMapping {
    /// `1` to `9`; `-`: no key in time.
    pub(crate) key: char,
    /// What the spoken menu calls it.
    pub(crate) name: String,
    /// A prompt that is played first.
    pub(crate) file: Option<String>,
    pub(crate) then: Then,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// Nothing more than the prompt; the menu comes again.
    Menu,
    Extension(String),
    Attendant(String),
    /// A message for this user: his mailbox's name, alias, address or extension.
    VoiceMailOf(String),
    /// This user is called.
    User(String),
    Location,
    Hours,
}

/// The extension of [`KeyMapping`] in the long form, and what follows it.
const FIELDS: usize = 8;

impl KeyMapping {
    /// `index` is its place in the list: the short form counts from key 1.
    pub(crate) fn parse(text: &str, index: usize) -> Option<KeyMapping> {
        let parts: Vec<&str> = text.split(',').map(str::trim).collect();
        let key = key_of(text, index).chars().next()?;
        let (name, rest) = match parts.as_slice() {
            [name, extension] => (*name, vec![*extension]),
            [_, name, rest @ ..] if rest.len() <= FIELDS => (*name, rest.to_vec()),
            _ => return None,
        };
        let field = |index: usize| rest.get(index).filter(|field| !field.is_empty()).map(|field| (*field).to_owned());
        let set = |index| {
            field(index).is_some_and(|text| matches!(text.to_ascii_lowercase().as_str(), "1" | "true" | "$true"))
        };
        let then = None
            .or_else(|| field(0).map(Then::Extension))
            .or_else(|| field(1).map(Then::Attendant))
            .or_else(|| field(4).map(Then::VoiceMailOf))
            .or_else(|| field(5).map(Then::User))
            .or_else(|| set(6).then_some(Then::Location))
            .or_else(|| set(7).then_some(Then::Hours));
        Some(KeyMapping { key, name: name.to_owned(), file: field(2), then: then.unwrap_or(Then::Menu) })
    }

    /// Those of a list. What is not sound was refused when it was set.
    pub(crate) fn all(list: &[String]) -> Vec<KeyMapping> {
        list.iter().enumerate().filter_map(|(index, text)| KeyMapping::parse(text, index)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_is_an_action_and_the_short_form_counts_its_keys() {
        let all = KeyMapping::all(&[
            "Sales,77899".into(),
            "2,Night,,Night attendant".into(),
            "3,Anna,,,,,anna@moon.galaxy".into(),
            "4,Björn,,,,,,27001".into(),
            "5,Where,,,,,,,1".into(),
            "6,When,,,,,,,,1".into(),
            "7,News,,,news.wav".into(),
            "-,Operator,27010,,sorry.wav".into(),
        ]);
        let does: Vec<(char, &Then, Option<&str>)> =
            all.iter().map(|key| (key.key, &key.then, key.file.as_deref())).collect();
        assert_eq!(
            does,
            [
                ('1', &Then::Extension("77899".into()), None),
                ('2', &Then::Attendant("Night attendant".into()), None),
                ('3', &Then::VoiceMailOf("anna@moon.galaxy".into()), None),
                ('4', &Then::User("27001".into()), None),
                ('5', &Then::Location, None),
                ('6', &Then::Hours, None),
                ('7', &Then::Menu, Some("news.wav")),
                ('-', &Then::Extension("27010".into()), Some("sorry.wav")),
            ]
        );
    }
}
