//! Telephones behind a SIP gateway, which baresip plays: two extensions behind one contact, whose keys are tones in the audio.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;
use tests_crash::Call;
use tests_foreign::baresip::Baresip;
use tests_foreign::{Lab, LabOptions, audio};

const NET: u8 = 93;
const PIN: &str = "730417";

/// A lab with gateway 27500, and 27100 (with a mailbox) and 27101 behind it.
fn lab_with_a_gateway() -> Lab {
    let lab = Lab::start(NET, LabOptions { ring_time: 10, ..LabOptions::default() });
    lab.mdsh("number_initiate -numbertype EX -number 27100..27101");
    lab.mdsh("number_initiate -numbertype EX -number 27500");
    lab.mdsh("extension -i -d 27500");
    lab.mdsh("ip_extension -i -d 27500 --protocol SIP");
    lab.mdsh("auth_code -i -d 27500 --auth-code moon-27500");
    for behind in ["27100", "27101"] {
        lab.mdsh(&format!("extension -i -d {behind}"));
        lab.mdsh(&format!("ip_extension -i -d {behind} --protocol SIP --gateway 27500 --inband-dtmf yes"));
    }
    for cmdlet in [
        "New-Mailbox -Name Kitchen -Alias kitchen -PrimarySmtpAddress kitchen@moon.galaxy -Phone 27100".to_owned(),
        format!(
            "Enable-UMMailbox -Identity kitchen -UMMailboxPolicy 'Integration_MX-ONE Default Policy' -Extensions 27100 \
             -PIN {PIN} -PINExpired $false"
        ),
    ] {
        let output = lab.shell("umsh", &cmdlet);
        assert!(output.status.success(), "{cmdlet}: {}", String::from_utf8_lossy(&output.stderr));
    }
    lab
}

#[test]
fn keys_as_tones_arrive_as_rfc_4733_and_the_lamp_becomes_stutter_dial_tone() {
    let lab = lab_with_a_gateway();
    let mut anna = Baresip::start("27000", &lab.node(), NET.into(), false, None);
    // Four seconds, since voice mail asks for the PIN first; then the keys, then nothing for long.
    let keys = [vec![0; 8000 * 4], audio::dtmf(&format!("{PIN}#")), vec![0; 8000 * 60]].concat();
    let file = lab.data.file("keys.wav");
    audio::write_wav(&file, &keys);
    let account = |number: &str| {
        let node = lab.node();
        format!(
            "<sip:{number}@{node};transport=udp>;auth_user=27500;auth_pass=moon-27500;regint=60;mwi=yes;audio_codecs=pcma;outbound=\"sip:{node};transport=udp\""
        )
    };
    let accounts = [account("27101"), account("27100")].join("\n");
    let mut gateway = Baresip::with_account("27500", &accounts, NET.into(), Some(&file));

    // To a number behind the gateway: it rings there, and what is pressed there is heard here.
    anna.dial(&lab, "27100");
    gateway.answer();
    anna.established();
    for key in format!("{PIN}#").chars() {
        let heard = anna.wait_for("CALL_DTMF_START", Duration::from_secs(10));
        assert_eq!(heard["param"], key.to_string());
    }
    anna.hang_up();
    gateway.closed();

    // The same keys as a PIN, out of the gateway to voice mail: who calls is known, so the PIN is all that it asks for.
    gateway.command("dial", &format!("sip:43334@{}", lab.node()));
    gateway.established();
    lab.process.wait_for("logged_on", Duration::from_secs(20));
    gateway.hang_up();

    // A message: the gateway is told, for that number.
    let mut call = Call::divert(&lab.node(), &lab.um(), "27100").unwrap();
    call.wait_for_the_tone(Duration::from_secs(20), Duration::from_millis(300));
    call.speak(&audio::g711(&audio::tone(620.0, 2), "al"), || true);
    call.hang_up();
    lab.wait_for_messages("27100", 1, Duration::from_secs(3));
    gateway.process.wait_for("Messages-Waiting: yes", Duration::from_secs(8));
}
