//! What is said: by the UM server (to be recognised) and by the suite's callers (to be found again in the message).

use crate::hearing::Template;
use crate::outcome::{Outcome, Stop};
use crate::target::Prompts;
use media::Clip;
use rand::RngExt as _;
use rand::rngs::StdRng;
use speech::{Espeak, Flite, Options, Person, Phrase, Speech, Value};
use std::sync::Arc;

/// Samples of a prompt's beginning that tell it from others: 1.2 s.
const BEGINNING: usize = 9_600;

/// Something that a phone may hear.
#[derive(Clone, Debug)]
pub(crate) struct Saying {
    /// In words, for the record.
    pub text: String,
    /// None: what this server's voice sounds like is not known.
    pub template: Option<Template>,
}

impl Saying {
    /// Only its first words: for who presses a key before the end.
    pub fn beginning(&self) -> Saying {
        let template = self.template.as_ref().map(|template| template.beginning(BEGINNING));
        Saying { text: format!("{} ...", self.text.split('.').next().unwrap_or_default()), template }
    }
}

/// What a caller of the suite says: digits in a random order, so that one message is not taken for another.
#[derive(Clone, Debug)]
pub(crate) struct Words {
    pub digits: String,
    pub clip: Arc<Clip>,
    pub template: Template,
}

/// Somebody who says commands: no voice that the server's recogniser was tuned on, and none of its prompts'.
pub(crate) struct Speaker {
    voice: Arc<dyn speech::Voice>,
}

impl Speaker {
    /// `None`: nothing that speaks is installed.
    pub fn find() -> Option<Speaker> {
        let flite = Flite::speaking_as("rms").map(|voice| Arc::new(voice) as Arc<dyn speech::Voice>);
        let voice = flite.or_else(|| Espeak::speaking_as("en-gb").map(|voice| Arc::new(voice) as _))?;
        Some(Speaker { voice })
    }

    pub fn speaks(&self, text: &str) -> Outcome<Arc<Clip>> {
        let audio = self.voice.speak(text).map_err(|error| Stop::NotTested(error.to_string()))?;
        Ok(Arc::new(Clip::from_samples(audio.samples().to_vec())))
    }
}

pub(crate) struct Voice {
    speech: Speech,
    prompts: Prompts,
}

impl Voice {
    pub fn new(prompts: Prompts) -> Result<Voice, speech::OpenError> {
        Ok(Voice { speech: Speech::open(Options::shipped_only())?, prompts })
    }

    /// Whether the server's prompts can be recognised at all.
    pub fn recognises(&self) -> bool {
        self.prompts == Prompts::Earcon
    }

    pub fn says(&self, phrases: Vec<Phrase>) -> Saying {
        let template = self.recognises().then(|| Template::new(self.samples(&phrases)));
        Saying { text: self.speech.transcript(&phrases), template: template.filter(|template| !template.is_empty()) }
    }

    /// A person as the server speaks of him, if it does so with audio that ships: None when the name would be
    /// synthesised there, by whatever voice is installed.
    pub fn person(&self, name: &str, number: &str) -> Option<Person> {
        let named = Person { name: Some(name.to_owned()), ..Person::default() };
        let known = !self.samples(&[Phrase::Value(Value::Person(named))]).is_empty();
        known.then(|| Person::new(name, number))
    }

    pub fn words(&self, random: &mut StdRng) -> Words {
        let mut digits: Vec<char> = "1234567890".chars().collect();
        for last in (1..digits.len()).rev() {
            digits.swap(last, random.random_range(0..=last));
        }
        let digits: String = digits.into_iter().take(8).collect();
        let samples = self.samples(&[Phrase::digits(digits.clone())]);
        Words { digits, template: Template::new(samples.clone()), clip: Arc::new(Clip::from_samples(samples)) }
    }

    fn samples(&self, phrases: &[Phrase]) -> Vec<i16> {
        self.speech.say(phrases).iter().flat_map(|audio| audio.samples().iter().copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn each_message_is_other_words() {
        let voice = Voice::new(Prompts::Earcon).unwrap();
        let mut random = StdRng::seed_from_u64(1);
        let (one, other) = (voice.words(&mut random), voice.words(&mut random));
        assert_ne!(one.digits, other.digits);
        assert!(one.template.likeness(one.clip.samples()) > 0.99);
        assert_eq!(one.template.likeness(other.clip.samples()), 0.0);
    }

    #[test]
    fn a_name_is_recognised_where_it_ships() {
        let voice = Voice::new(Prompts::Earcon).unwrap();
        assert!(voice.person("Anna Svensson", "27000").is_some());
        assert!(voice.person("Somebody Unheard-of", "27000").is_none());
    }
}
