//! A prompt of the attendant is recorded with a real phone, and is what the attendant's next caller hears.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;
use tests_foreign::baresip::Baresip;
use tests_foreign::{Lab, LabOptions, audio};

/// What Anna's phone speaks all the time, as her prompt.
const PROMPT: f64 = 940.0;
const NET: u8 = 140;

#[test]
fn a_prompt_recorded_by_phone_greets_the_next_caller() {
    let lab = Lab::start(NET, LabOptions { ring_time: 30, ..LabOptions::default() });
    let mut anna = Baresip::with_tone(&lab, "27000", NET.into(), PROMPT);
    let record =
        "Start-UMPromptRecording -UMAutoAttendant 'MX-ONE Auto Attendant' -PromptFileName open.wav -Number 27000";
    let denied = lab.shell("umsh", record);
    assert!(!denied.status.success(), "nobody has allowed it");
    assert!(String::from_utf8_lossy(&denied.stderr).contains("TUIPromptEditingEnabled"), "{denied:?}");
    umsh(&lab, "Get-UMDialPlan | Set-UMDialPlan -TUIPromptEditingEnabled $true");
    umsh(&lab, record);
    anna.answer_within(Duration::from_secs(30));
    // What to do, and the tone: then three seconds of hers.
    std::thread::sleep(Duration::from_secs(7));
    anna.press("#");
    std::thread::sleep(Duration::from_secs(1));
    anna.press("2");
    anna.closed();
    assert!(umsh(&lab, "Get-UMPrompt").contains("open.wav"));
    umsh(
        &lab,
        "Set-UMAutoAttendant 'MX-ONE Auto Attendant' -BusinessHoursWelcomeGreetingEnabled $true \
         -BusinessHoursWelcomeGreetingFilename open.wav",
    );
    let mut bjorn = Baresip::start("27001", &lab.node(), NET.into(), false, None);
    bjorn.dial(&lab, "43333");
    bjorn.established();
    std::thread::sleep(Duration::from_secs(3));
    bjorn.hang_up();
    let heard = audio::decode(&bjorn.heard());
    let hers = heard.windows(4000).step_by(4000).filter(|half| audio::tone_share(half, PROMPT) > 0.9).count();
    assert!(hers >= 2, "a second of her tone at least: {hers} halves of a second");
}

fn umsh(lab: &Lab, line: &str) -> String {
    let output = lab.shell("umsh", line);
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
