//! baresip with mandatory SRTP (libsrtp): it leaves a message and hears it, talks, before and after a hold,
//! with a phone that has SRTP too, and one without it is refused; tshark sees RTP/SAVP.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;
use tests_foreign::baresip::Baresip;
use tests_foreign::capture::Capture;
use tests_foreign::{Lab, LabOptions, audio};

/// A phone of the lab's that takes and makes encrypted calls only.
fn encrypted(lab: &Lab, user: &str, net: u8, hertz: f64) -> Baresip {
    let file = lab.data.file(&format!("tone-{user}.wav"));
    audio::write_wav(&file, &audio::tone(hertz, 60));
    let node = lab.node();
    let account = format!(
        "<sip:{user}@{node};transport=udp>;auth_user={user};auth_pass=moon-{user};regint=60;mwi=yes;mediaenc=srtp-mand;audio_codecs=pcma,pcmu;outbound=\"sip:{node};transport=udp\""
    );
    Baresip::with_account(user, &account, net.into(), Some(&file))
}

#[test]
fn a_message_is_left_and_heard_by_srtp() {
    const NET: u8 = 160;
    let lab = Lab::start(NET, LabOptions { ring_time: 2, ..LabOptions::default() });
    lab.mdsh("media_encryption_enable -type extension");
    let capture = Capture::start(NET, &lab.data.file("srtp.pcapng"));

    // 27001 is diverted to the mailbox of 27000, speaks a tone, and hangs up.
    let mut caller = encrypted(&lab, "27001", NET, 620.0);
    caller.dial(&lab, "27000");
    caller.wait_for("CALL_ESTABLISHED", Duration::from_secs(15));
    std::thread::sleep(Duration::from_secs(12));
    caller.hang_up();
    let message = lab.wait_for_messages("27000", 1, Duration::from_secs(5)).remove(0);
    assert_eq!(message["read"], false);

    // 27000 listens to it.
    let mut owner = encrypted(&lab, "27000", NET, 300.0);
    owner.process.wait_for("Messages-Waiting: yes", Duration::from_secs(8));
    owner.dial(&lab, "43334");
    owner.wait_for("CALL_ESTABLISHED", Duration::from_secs(10));
    std::thread::sleep(Duration::from_secs(4));
    owner.press("730146#1");
    let heard_to_the_end = (0..400).any(|_| {
        std::thread::sleep(Duration::from_millis(100));
        lab.messages("27000")[0]["read"] == true
    });
    owner.hang_up();
    assert!(heard_to_the_end, "keys pass, and the message was heard; baresip printed:\n{}", owner.process.output());
    owner.command("quit", "");
    owner.process.wait(Duration::from_secs(5));
    let heard = audio::decode(&owner.heard());
    let likeness = heard.windows(8000).step_by(2000).map(|second| audio::tone_share(second, 620.0)).fold(0.0, f64::max);
    assert!(likeness > 0.9, "the message itself was heard: a second of it is its tone by {likeness:.2}");

    let captured = capture.stop();
    let media = captured.tshark(&["-Y", "sdp", "-T", "fields", "-e", "sdp.media.proto"]);
    assert!(media.contains("RTP/SAVP"), "{media}");
    assert!(captured.faults().is_empty(), "{:?}", captured.faults());
}

#[test]
fn two_phones_talk_by_srtp_and_one_without_it_is_refused() {
    const NET: u8 = 161;
    let lab = Lab::start(NET, LabOptions { ring_time: 15, ..LabOptions::default() });
    lab.mdsh("media_encryption_enable -type extension");
    let mut anna = encrypted(&lab, "27000", NET, 440.0);
    let mut bjorn = encrypted(&lab, "27001", NET, 700.0);
    anna.dial(&lab, "27001");
    bjorn.answer();
    anna.established();
    std::thread::sleep(Duration::from_secs(3));
    // Hold and resume are re-INVITEs with crypto lines of baresip's. (Without a loudspeaker baresip records nothing that comes after
    // its own hold: what anna heard is from before, what bjorn heard from after it.)
    anna.command("hold", "");
    std::thread::sleep(Duration::from_secs(2));
    anna.command("resume", "");
    std::thread::sleep(Duration::from_secs(4));
    anna.hang_up();
    bjorn.closed();
    assert!(anna.heard_tone(700.0) > 0.9, "{}", anna.heard_tone(700.0));
    assert!(bjorn.heard_tone(440.0) > 0.9, "{}", bjorn.heard_tone(440.0));

    let mut clear = Baresip::with_tone(&lab, "27010", NET.into(), 900.0);
    clear.dial(&lab, "27001");
    let why = clear.closed();
    assert!(why.contains("488"), "{why}");
}
