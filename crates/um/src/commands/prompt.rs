//! UMPrompt: audio of a dial plan or an auto attendant (fact sheet 2.8), kept as G.711.

use super::forms::{FILE, is_file};
use super::table::{self, Cmdlet, Parameter};
use super::value::Check as _;
use super::{Answer, Command, CommandError, Outcome};
use crate::configuration::{Configuration, Object};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rtp::Codec;
use serde::{Deserialize, Serialize};
use state::Change;

/// Whose prompt it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Owner {
    DialPlan,
    Attendant,
}

/// A stored prompt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prompt {
    pub owner: Owner,
    pub owner_name: String,
    /// Its file name, which the owner's settings name it by.
    pub file: String,
    /// A WAV file of µ-law at 8 kHz, in base64.
    pub wav: String,
    pub seconds: u32,
    /// Its length to the sample, 8,000 a second.
    #[serde(default)]
    pub samples: u32,
}

impl Prompt {
    /// What is heard. Without the sound, as a record of a call has it, silence of the same length.
    pub(crate) fn audio(&self) -> Option<speech::Audio> {
        if self.wav.is_empty() {
            let samples = usize::try_from(self.samples).unwrap_or(0).min(MOST_SAMPLES);
            return Some(speech::Audio::from_samples(vec![0; samples]));
        }
        let wav = BASE64_STANDARD.decode(&self.wav).ok()?;
        ::mailbox::read_wav(&wav).ok().map(speech::Audio::from_samples)
    }

    /// The same without its sound.
    pub(crate) fn silent(&self) -> Prompt {
        let samples = match self.samples {
            // Kept before its length was.
            0 => self.audio().map_or(0, |audio| u32::try_from(audio.samples().len()).unwrap_or(0)),
            known => known,
        };
        Prompt { wav: String::new(), samples, ..self.clone() }
    }
}

impl Object for Prompt {
    const KIND: &'static str = "prompt";
    const NOUN: &'static str = "UMPrompt";

    fn name(&self) -> &str {
        &self.file
    }

    fn key(&self) -> String {
        key(self.owner, &self.owner_name, &self.file)
    }
}

pub(crate) fn key(owner: Owner, name: &str, file: &str) -> String {
    let kind = match owner {
        Owner::DialPlan => "plan",
        Owner::Attendant => "attendant",
    };
    // A backslash is in no name.
    format!("{kind}\\{}\\{}", name.to_lowercase(), file.to_lowercase())
}

/// Longest prompt.
const MOST_SECONDS: u32 = 240;
const MOST_SAMPLES: usize = MOST_SECONDS as usize * 8000;
/// Of one dial plan or attendant.
const MOST_PROMPTS: usize = 50;
/// Of the whole server: they are kept in memory.
const MOST_OF_ALL: usize = 500;

pub(super) fn cmdlets() -> Vec<Cmdlet> {
    let owners = || {
        let attendant = Parameter::of::<String>("UMAutoAttendant", "Of this auto attendant.");
        vec![
            table::dial_plan("Of this dial plan."),
            attendant.written("the name of an auto attendant").naming("UMAutoAttendant"),
        ]
    };
    let file = |help| {
        let file = Parameter::of::<String>("PromptFileName", help);
        file.written(FILE.mend).needed()
    };
    let number =
        Parameter::of::<String>("Number", "Whom to ring: an extension, or a number that dialling rules allow.");
    let data =
        Parameter::of::<String>("PromptFileData", "The WAV file in base64; in umsh -Path FILE reads it from there.");
    let import = Cmdlet::new("Import-UMPrompt", "Stores a prompt of a dial plan or an auto attendant.", owners());
    let note = "PCM of 8 to 48 kHz or G.711, at most four minutes. Settings of the dial plan or attendant name it by its file \
                name.";
    vec![
        import.and(vec![file("What it is called."), data.written("base64").needed()]).note(note),
        Cmdlet::new(
            "Export-UMPrompt",
            "Fetches a prompt: its WAV file in base64; in umsh -Path FILE writes it there.",
            owners(),
        )
        .and(vec![file("Which one.")]),
        Cmdlet::new("Start-UMPromptRecording", "Rings a telephone, where a prompt is recorded and put to use by keys.", owners())
            .and(vec![file("What it is called."), number.written("a telephone number").needed()])
            .note("Where TUIPromptEditingEnabled of the dial plan allows it. Its dialling rules, or the attendant's, decide which numbers are rung."),
        Cmdlet::new("Get-UMPrompt", "Shows which prompts there are.", owners()),
        Cmdlet::new("Remove-UMPrompt", "Removes a prompt.", owners()).and(vec![file("Which one.")]).asks(),
    ]
}

pub(super) fn commands(configuration: &Configuration) -> Vec<Command> {
    let prompts = configuration.prompts.iter().map(|prompt| {
        let name = Some(prompt.owner_name.clone());
        let (dial_plan, attendant) = match prompt.owner {
            Owner::DialPlan => (name, None),
            Owner::Attendant => (None, name),
        };
        Command::ImportPrompt {
            dial_plan,
            attendant,
            prompt_file_name: prompt.file.clone(),
            prompt_file_data: prompt.wav.clone(),
        }
    });
    prompts.collect()
}

/// The one that a command names, by its name as it was given.
fn owner(
    configuration: &Configuration,
    dial_plan: Option<&str>,
    attendant: Option<&str>,
) -> Result<(Owner, String), CommandError> {
    match (dial_plan, attendant) {
        (Some(plan), None) => Ok((Owner::DialPlan, configuration.dial_plans.require("UMDialPlan", plan)?.name.clone())),
        (None, Some(name)) => {
            Ok((Owner::Attendant, configuration.attendants.require("UMAutoAttendant", name)?.name.clone()))
        }
        _ => Err(CommandError::bad("UMDialPlan", "write either -UMDialPlan or -UMAutoAttendant")),
    }
}

/// Which prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) owner: Owner,
    pub(crate) owner_name: String,
    pub(crate) file: String,
}

impl Target {
    #[cfg(test)]
    pub(crate) fn of_attendant(name: &str, file: &str) -> Target {
        Target { owner: Owner::Attendant, owner_name: name.into(), file: file.into() }
    }

    /// The one that a command names; it need not be there yet.
    pub(crate) fn named(
        configuration: &Configuration,
        (dial_plan, attendant): (Option<&str>, Option<&str>),
        file: String,
    ) -> Result<Target, CommandError> {
        let (owner, owner_name) = owner(configuration, dial_plan, attendant)?;
        FILE.check(&file).map_err(|mend| CommandError::bad("PromptFileName", mend))?;
        Ok(Target { owner, owner_name, file })
    }

    /// Keeps it, in place of what was there by that name.
    pub(crate) fn keep(self, configuration: &mut Configuration, samples: &[i16]) -> Result<Vec<Change>, CommandError> {
        let Target { owner, owner_name, file } = self;
        let seconds = u32::try_from(samples.len().div_ceil(8000)).unwrap_or(u32::MAX);
        if seconds > MOST_SECONDS {
            let mend = format!("a prompt is at most {MOST_SECONDS} seconds long, this one {seconds}");
            return Err(CommandError::bad("PromptFileData", mend));
        }
        let is_new = configuration.prompts.get(&key(owner, &owner_name, &file)).is_none();
        let of_owner = |prompt: &&std::sync::Arc<Prompt>| prompt.owner == owner && prompt.owner_name == owner_name;
        if is_new && configuration.prompts.iter().filter(of_owner).count() >= MOST_PROMPTS {
            let mend = format!("{owner_name:?} has {MOST_PROMPTS} prompts: remove one first");
            return Err(CommandError::bad("PromptFileName", mend));
        }
        if is_new && configuration.prompts.iter().count() >= MOST_OF_ALL {
            let mend = format!("there are {MOST_OF_ALL} prompts: remove one first");
            return Err(CommandError::bad("PromptFileName", mend));
        }
        let encoded = rtp::encode(Codec::Pcmu, samples);
        let wav = BASE64_STANDARD.encode(media::wav::write_g711(Codec::Pcmu, &encoded));
        let length = u32::try_from(samples.len()).unwrap_or(u32::MAX);
        let mut stored = Vec::new();
        configuration.prompts.put(Prompt { owner, owner_name, file, wav, seconds, samples: length }, &mut stored);
        Ok(stored)
    }
}

pub(super) fn import(
    configuration: &mut Configuration,
    (dial_plan, attendant): (Option<&str>, Option<&str>),
    file: String,
    data: &str,
) -> Outcome {
    let bad = |mend: String| CommandError::bad("PromptFileData", mend);
    let target = Target::named(configuration, (dial_plan, attendant), file)?;
    let wav = BASE64_STANDARD.decode(data.trim()).map_err(|_| bad("write a WAV file in base64".into()))?;
    let samples = ::mailbox::read_wav(&wav).map_err(|error| bad(error.to_string()))?;
    Ok((Answer::Done(()), target.keep(configuration, &samples)?))
}

pub(super) fn export(
    configuration: &Configuration,
    (dial_plan, attendant): (Option<&str>, Option<&str>),
    file: &str,
) -> Outcome {
    let (owner, name) = owner(configuration, dial_plan, attendant)?;
    let prompt = configuration.prompts.get(&key(owner, &name, file)).ok_or_else(|| not_found(file))?;
    Ok((Answer::Prompt(Prompt::clone(prompt)), Vec::new()))
}

pub(super) fn get(configuration: &Configuration, dial_plan: Option<&str>, attendant: Option<&str>) -> Outcome {
    let of = match (dial_plan, attendant) {
        (None, None) => None,
        _ => Some(owner(configuration, dial_plan, attendant)?),
    };
    let is_of =
        |prompt: &Prompt| of.as_ref().is_none_or(|(owner, name)| prompt.owner == *owner && prompt.owner_name == *name);
    let prompts = configuration.prompts.iter().filter(|prompt| is_of(prompt));
    let without_audio = prompts.map(|prompt| Prompt { wav: String::new(), ..Prompt::clone(prompt) });
    Ok((Answer::Prompts(without_audio.collect()), Vec::new()))
}

pub(super) fn remove(
    configuration: &mut Configuration,
    (dial_plan, attendant): (Option<&str>, Option<&str>),
    file: &str,
) -> Outcome {
    let (owner, name) = owner(configuration, dial_plan, attendant)?;
    let key = key(owner, &name, file);
    if !is_file(file) || configuration.prompts.get(&key).is_none() {
        return Err(not_found(file));
    }
    let mut stored = Vec::new();
    configuration.prompts.remove(&key, &mut stored);
    Ok((Answer::Done(()), stored))
}

/// The prompts of a plan or an attendant go with it.
pub(super) fn remove_of(configuration: &mut Configuration, owner: Owner, name: &str, stored: &mut Vec<Change>) {
    let theirs =
        |prompt: &&std::sync::Arc<Prompt>| prompt.owner == owner && prompt.owner_name.eq_ignore_ascii_case(name);
    let keys: Vec<String> = configuration.prompts.iter().filter(theirs).map(|prompt| prompt.key()).collect();
    keys.iter().for_each(|key| configuration.prompts.remove(key, stored));
}

fn not_found(file: &str) -> CommandError {
    CommandError::NotFound { parameter: "PromptFileName".into(), kind: "UMPrompt".into(), identity: file.into() }
}
