use super::Test;
use crate::handset::Handset;
use crate::outcome::{Outcome, Stop};
use crate::stage::Stage;
use speech::Prompt;

pub(super) const TEST: Test = Test {
    number: "2",
    title: "Voice user interface",
    text: "Navigate mailbox using the Voice User Interface (VUI).",
    scenario: "a UM-enabled extension calls the pilot number, and speaks",
    features: "subscriber access (Outlook Voice Access) by speech: playing, marking and deleting messages",
    run,
};

fn run(stage: &Stage<'_>) -> Outcome {
    // Before anything is left or changed.
    let spoken = stage.speaker()?;
    let (inbox, mut phone, words) = stage.one_new_message()?;
    stage.logs_on(&mut phone)?;
    stage.hears_counts(&mut phone)?;
    begins_by(stage, &mut phone, Prompt::VoicePreferred, Prompt::KeysPreferred)?;
    let done = by_voice(stage, &mut phone, &spoken, &words);
    // Whatever came of it: the subscriber is left as he was.
    let _ = phone.hangs_up();
    stage.logs_on(&mut phone)?;
    stage.hears_counts(&mut phone)?;
    begins_by(stage, &mut phone, Prompt::KeysPreferred, Prompt::VoicePreferred)?;
    phone.hangs_up()?;
    done?;
    inbox.is_as_before()
}

/// Personal options: 4 turns over whether the subscriber begins by voice.
fn begins_by(stage: &Stage<'_>, phone: &mut Handset, wanted: Prompt, other: Prompt) -> Outcome {
    phone.presses("6");
    phone.hears(&stage.says([Prompt::OptionsMenu.into()]).beginning())?;
    phone.presses("4");
    let sayings = [stage.says([wanted.into()]), stage.says([other.into()])];
    if phone.hears_one_of(&sayings)? == 1 {
        phone.presses("4");
        phone.hears(&sayings[0])?;
    }
    Ok(())
}

fn by_voice(
    stage: &Stage<'_>,
    phone: &mut Handset,
    spoken: &crate::voice::Speaker,
    words: &crate::voice::Words,
) -> Outcome {
    let menu = stage.says([Prompt::VoiceSay.into()]);
    phone.presses("*");
    if phone.hears_one_of(&[menu.clone(), stage.says([Prompt::MainMenu.into()])])? == 1 {
        return Err(Stop::NotApplicable("the server goes by keys only: it has no recogniser".into()));
    }
    phone.says(spoken, "voice mail")?;
    phone.hears(&stage.says([Prompt::NewMessage.into()]))?;
    phone.hears_words(words)?;
    phone.hears(&stage.says([Prompt::EndOfMessage.into(), Prompt::VoiceSay.into()]))?;

    // Once more; kept as new; back to the main menu, and in again.
    phone.says(spoken, "replay")?;
    phone.hears_words(words)?;
    phone.says(spoken, "mark as unread")?;
    phone.hears(&stage.says([Prompt::MarkedUnread.into()]))?;
    phone.says(spoken, "main menu")?;
    phone.hears(&menu)?;
    phone.says(spoken, "voice mail")?;
    phone.hears(&stage.says([Prompt::NewMessage.into()]))?;

    // What it is not asked for it does not do, and what destroys it asks for.
    phone.says(spoken, "the weather is nice today")?;
    phone.hears(&stage.says([Prompt::VoiceNotUnderstood.into()]))?;
    phone.says(spoken, "delete")?;
    phone.hears(&stage.says([Prompt::VoiceDidYouSay.into()]))?;
    phone.hears(&stage.says([Prompt::VoiceYesOrNo.into()]))?;
    phone.says(spoken, "yes")?;
    phone.hears(&stage.says([Prompt::Deleted.into()]))
}
