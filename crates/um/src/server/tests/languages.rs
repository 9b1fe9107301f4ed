use super::rig::Rig;
use crate::commands::CommandError;
use crate::dialogue::script::speech;
use media::MediaCommand;
use speech::{Language, Prompt};

/// Whether the call's first words are this prompt in this language.
#[track_caller]
fn hears(rig: &mut Rig, pilot: &str, prompt: Prompt, language: Language) -> bool {
    rig.media.take();
    rig.call(pilot, "");
    let [said] = speech().in_language(language).say(&[prompt.into()]).try_into().unwrap();
    rig.media.take().iter().any(|command| match command {
        MediaCommand::Play { clips, .. } => clips.iter().any(|clip| clip.samples() == said.samples()),
        _ => false,
    })
}

#[test]
fn callers_hear_the_language_of_their_dial_plan() {
    let mut rig = Rig::lab();
    assert!(hears(&mut rig, "43334", Prompt::EnterPinOrStar, Language::English));
    rig.done("Set-UMDialPlan", &[("Identity", "MX"), ("DefaultLanguage", "sv-SE")]);
    assert!(hears(&mut rig, "43334", Prompt::EnterPinOrStar, Language::Swedish));
}

#[test]
fn who_calls_from_his_own_phone_is_asked_for_his_pin_in_his_language() {
    let mut rig = Rig::lab();
    rig.done("Set-UMMailbox", &[("Identity", "Björn"), ("Language", "sv-SE")]);
    assert!(hears(&mut rig, "43334", Prompt::EnterPinOrStar, Language::Swedish));
    assert!(hears(&mut rig, "43333", Prompt::AttendantWelcome, Language::English));
}

#[test]
fn an_attendant_speaks_its_own_language_else_that_of_its_dial_plan() {
    let mut rig = Rig::lab();
    rig.done("Set-UMDialPlan", &[("Identity", "MX"), ("DefaultLanguage", "sv-SE")]);
    assert!(hears(&mut rig, "43333", Prompt::AttendantWelcome, Language::Swedish));
    rig.done("Set-UMAutoAttendant", &[("Identity", "AA"), ("Language", "en-GB")]);
    assert!(hears(&mut rig, "43333", Prompt::AttendantWelcome, Language::English));
}

#[test]
fn a_language_without_prompts_is_refused_with_those_that_have_some() {
    let mut rig = Rig::lab();
    let refused = rig.command("Set-UMDialPlan", &[("Identity", "MX"), ("DefaultLanguage", "de-DE")]).unwrap_err();
    assert!(matches!(&refused, CommandError::Bad { parameter, .. } if parameter == "DefaultLanguage"), "{refused}");
    assert!(refused.to_string().contains("en or sv"), "{refused}");
}
