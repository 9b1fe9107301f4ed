//! What can be said.

use std::sync::Arc;
use std::time::Duration;

use time::{OffsetDateTime, Time};

use crate::audio::Audio;
use crate::prompt::Prompt;

/// One thing to say; a list of them is said in order.
#[derive(Clone, Debug)]
pub enum Phrase {
    /// A sentence of the catalogue with the values of its variables.
    Prompt(Prompt, Vec<(&'static str, Value)>),
    /// A value by itself.
    Value(Value),
    Sound(Sound),
    /// Audio of one's own: a recorded greeting, a message.
    Audio(Arc<Audio>),
    Pause(Duration),
}

/// A sound that is composed, not spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sound {
    /// Earcon's own: three notes in 1.5 s, at the start of voice access and of the auto attendant.
    Earcon,
    /// "Speak now": 0.4 s.
    RecordTone,
}

/// Something that differs from call to call.
#[derive(Clone, Debug)]
pub enum Value {
    /// A cardinal number; it also chooses the plural.
    Number(u32),
    /// Said digit by digit: `0` to `9`, `*`, `#`, `+`; anything else is passed over.
    Digits(String),
    /// A time, said relative to `now`; both at the listener's offset.
    Moment {
        at: OffsetDateTime,
        now: OffsetDateTime,
    },
    /// The day of a time, said relative to `now`: "today", "on Monday"; both at the listener's offset.
    Day {
        at: OffsetDateTime,
        now: OffsetDateTime,
    },
    /// A day of the week; Monday is 1.
    Weekday(u8),
    /// A word of the catalogue, by its message's id.
    Word(&'static str),
    /// A time of day.
    Time(Time),
    Person(Person),
    /// Free text, for a text to speech back end; without one, nothing.
    Text(String),
    Audio(Arc<Audio>),
}

/// Somebody who is spoken of. The first that there is counts: the recorded name, shipped audio of the name, the text to
/// speech of it, the number digit by digit.
#[derive(Clone, Debug, Default)]
pub struct Person {
    /// The name as the directory has it.
    pub name: Option<String>,
    /// The name in the person's own voice.
    pub recorded: Option<Arc<Audio>>,
    /// Extension or telephone number.
    pub number: Option<String>,
}

impl Person {
    /// Somebody known by name and extension.
    pub fn new(name: impl Into<String>, number: impl Into<String>) -> Person {
        Person { name: Some(name.into()), recorded: None, number: Some(number.into()) }
    }

    /// Somebody of whom only the number is known.
    pub fn number(number: impl Into<String>) -> Person {
        Person { name: None, recorded: None, number: Some(number.into()) }
    }
}

impl Phrase {
    /// The same prompt with one more value; other phrases stay as they are.
    pub fn with(mut self, argument: &'static str, value: impl Into<Value>) -> Phrase {
        if let Phrase::Prompt(_, arguments) = &mut self {
            arguments.push((argument, value.into()));
        }
        self
    }

    /// A number said digit by digit.
    pub fn digits(digits: impl Into<String>) -> Phrase {
        Phrase::Value(Value::Digits(digits.into()))
    }
}

impl From<Prompt> for Phrase {
    fn from(prompt: Prompt) -> Phrase {
        Phrase::Prompt(prompt, Vec::new())
    }
}

impl From<Sound> for Phrase {
    fn from(sound: Sound) -> Phrase {
        Phrase::Sound(sound)
    }
}

impl From<Value> for Phrase {
    fn from(value: Value) -> Phrase {
        Phrase::Value(value)
    }
}

impl From<Arc<Audio>> for Phrase {
    fn from(audio: Arc<Audio>) -> Phrase {
        Phrase::Audio(audio)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Value {
        Value::Number(number)
    }
}

impl From<Person> for Value {
    fn from(person: Person) -> Value {
        Value::Person(person)
    }
}

impl From<Arc<Audio>> for Value {
    fn from(audio: Arc<Audio>) -> Value {
        Value::Audio(audio)
    }
}
