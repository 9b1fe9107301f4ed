//! baresip with mandatory SRTP (libsrtp): it leaves a message and hears it, talks, before and after a hold,
//! with a phone that has SRTP too, and one without it is refused; tshark sees RTP/SAVP. Linphone, which changes its keys.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;
use tests_foreign::baresip::Baresip;
use tests_foreign::capture::{Capture, Captured};
use tests_foreign::linphone::Linphone;
use tests_foreign::process::PATIENCE;
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

/// The keys of the first crypto line of every offer that a phone has made.
fn keys_offered(captured: &Captured, port: u16) -> BTreeSet<String> {
    let offers = format!("sip.Method == INVITE && udp.srcport == {port}");
    let attributes = captured.tshark(&["-Y", &offers, "-T", "fields", "-e", "sdp.media_attr"]);
    let key = |line: &str| Some(line.split_once("inline:")?.1.split([',', '|', ' ']).next()?.to_owned());
    attributes.lines().filter_map(key).collect()
}

/// A tone is as loud as it was, and there is nothing beside it: what was heard of it in each of these seconds.
fn sounds_the_same(heard: &[i16], hertz: f64, seconds: [Range<usize>; 2]) {
    let levels = seconds.map(|second| {
        let second = &heard[second];
        let share = audio::tone_share(second, hertz);
        assert!(share > 0.9, "{hertz} Hz are {share:.2} of it");
        let power = second.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / second.len() as f64;
        10.0 * power.log10()
    });
    assert!((levels[0] - levels[1]).abs() < 1.0, "{levels:?} dB");
}

/// Linphone draws new keys for hold and for resume; both sides go on hearing each other as before.
#[test]
fn a_phone_that_changes_its_keys_with_every_offer_is_heard_and_hears_as_before() {
    const NET: u8 = 154;
    let lab = Lab::start(NET, LabOptions { ring_time: 15, ..LabOptions::default() });
    lab.mdsh("media_encryption_enable -type extension");
    let tone = lab.data.file("tone.wav");
    audio::write_wav(&tone, &audio::tone(440.0, 60));
    let capture = Capture::start(NET, &lab.data.file("new-keys.pcapng"));
    let mut anna = Linphone::encrypted("27000", &lab.node(), NET.into(), &tone);
    let mut bjorn = encrypted(&lab, "27001", NET, 700.0);
    let [before, after] = ["before.wav", "after.wav"].map(|name| lab.data.file(name));
    anna.record(&before);
    anna.command(&format!("call sip:27001@{}", lab.node()));
    bjorn.answer();
    anna.wait_for("Media streams established");
    std::thread::sleep(Duration::from_secs(4));
    anna.command("pause 1");
    anna.wait_for("is now paused");
    std::thread::sleep(Duration::from_secs(1));
    anna.record(&after);
    anna.command("resume 1");
    std::thread::sleep(Duration::from_secs(5));
    anna.command("terminate");
    bjorn.closed();
    anna.command("quit");
    anna.process.wait(PATIENCE);

    let keys = keys_offered(&capture.stop(), anna.sip_port());
    assert_eq!(keys.len(), 3, "at the start, for hold, for resume: {keys:?}");
    std::thread::sleep(Duration::from_millis(1500));
    let heard = audio::decode(&bjorn.heard());
    let end = heard.len() - 4000;
    sounds_the_same(&heard, 440.0, [12_000..20_000, end - 8000..end]);
    let heard = [before, after].map(|file| audio::decode(&std::fs::read(file).unwrap()));
    let both = [&heard[0][12_000..20_000], &heard[1][12_000..20_000]].concat();
    sounds_the_same(&both, 700.0, [0..8000, 8000..16_000]);
    // Nothing was sent under a wrong key: but for one packet of baresip's, which it sends before it has any.
    let dropped = lab.process.output();
    let dropped: Vec<&str> = dropped.lines().filter(|line| line.contains("srtp_dropped")).collect();
    assert!(dropped.len() <= 1 && dropped.iter().all(|line| line.contains("\"forged\":1,")), "{dropped:?}");
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
    let capture = Capture::start(NET, &lab.data.file("same-keys.pcapng"));
    let mut anna = encrypted(&lab, "27000", NET, 440.0);
    let mut bjorn = encrypted(&lab, "27001", NET, 700.0);
    anna.dial(&lab, "27001");
    bjorn.answer();
    anna.established();
    std::thread::sleep(Duration::from_secs(3));
    // baresip keeps its keys over hold and resume. (Without a loudspeaker baresip records nothing that comes after
    // its own hold: what anna heard is from before, what bjorn heard from after it.)
    anna.command("hold", "");
    std::thread::sleep(Duration::from_secs(2));
    anna.command("resume", "");
    std::thread::sleep(Duration::from_secs(4));
    anna.hang_up();
    bjorn.closed();
    assert!(anna.heard_tone(700.0) > 0.9, "{}", anna.heard_tone(700.0));
    assert!(bjorn.heard_tone(440.0) > 0.9, "{}", bjorn.heard_tone(440.0));
    assert_eq!(keys_offered(&capture.stop(), anna.sip_port()).len(), 1);

    let mut clear = Baresip::with_tone(&lab, "27010", NET.into(), 900.0);
    clear.dial(&lab, "27001");
    let why = clear.closed();
    assert!(why.contains("488"), "{why}");
}
