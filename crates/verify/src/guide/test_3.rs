use super::Test;
use crate::outcome::Outcome;
use crate::stage::Stage;
use speech::Prompt;

pub(super) const TEST: Test = Test {
    number: "3",
    title: "Telephone user interface",
    text: "Navigate mailbox using the Telephony User Interface (TUI).",
    scenario: "a UM-enabled extension calls the pilot number, and presses keys",
    features: "subscriber access (Outlook Voice Access) by touch tone: playing, marking and deleting messages",
    run,
};

fn run(stage: &Stage<'_>) -> Outcome {
    let (inbox, mut phone, words) = stage.one_new_message()?;
    stage.logs_on(&mut phone)?;
    phone.hears_first(&stage.says([Prompt::CountNew.with("count", 1_u32)]))?;
    phone.presses("1");
    phone.hears(&stage.says([Prompt::NewMessage.into()]))?;
    phone.hears_words(&words)?;
    phone.hears(&stage.says([Prompt::EndOfMessage.into(), Prompt::PlayerMenu.into()]).beginning())?;

    // Once more; kept as new; back to the main menu, and in again.
    phone.presses("001");
    phone.hears_words(&words)?;
    phone.presses("9");
    phone.hears(&stage.says([Prompt::MarkedUnread.into()]))?;
    phone.presses("*");
    phone.hears(&stage.says([Prompt::MainMenu.into()]).beginning())?;
    phone.presses("1");
    phone.hears(&stage.says([Prompt::NewMessage.into()]))?;

    phone.presses("7");
    phone.hears(&stage.says([Prompt::Deleted.into()]))?;
    phone.hangs_up()?;
    inbox.is_as_before()
}
