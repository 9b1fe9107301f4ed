//! A server that was alone goes on with what it has in PostgreSQL, where another joins it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::process::Command;
use std::time::Duration;
use tests_crash::Call;
use tests_foreign::audio;
use tests_foreign::pair::{Pair, SOON, wait};
use tests_foreign::process::earcon;

const NET: u8 = 189;

fn import(pair: &Pair, config: &str) -> (bool, String) {
    let config = pair.scratch.file(config);
    let output = Command::new(earcon()).arg("um-import").arg("--config").arg(config).output().unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    (output.status.success(), said)
}

fn leave(pair: &Pair, server: usize, speech: &[i16]) {
    let mut call = Call::divert(&format!("127.0.{NET}.10"), &pair.address(server), "27000").unwrap();
    call.wait_for_the_tone(SOON, Duration::from_millis(400));
    call.speak(&audio::g711(speech, "al"), || true);
    call.hang_up();
}

#[test]
fn what_a_server_kept_in_its_own_folder_is_copied_once_and_both_servers_go_on_with_it() {
    let pair = Pair::prepare(NET, "", None);
    let shared = std::fs::read_to_string(pair.scratch.file("um0.toml")).unwrap();
    let alone: String = shared
        .lines()
        .filter(|line| !line.starts_with("store") && !line.starts_with("audio"))
        .map(|line| format!("{line}\n"))
        .collect();
    let config = |text: &str| std::fs::write(pair.scratch.file("um0.toml"), text).unwrap();

    // Nothing there yet, and nowhere to copy to.
    let (done, said) = import(&pair, "um0.toml");
    assert!(!done && said.contains("there is nothing to copy in"), "{said}");
    config(&alone);
    pair.run(0);
    pair.configure();
    pair.umsh(0, "Set-UMService -MaxCallsAllowed 77");
    let (done, said) = import(&pair, "um0.toml");
    assert!(!done && said.contains("names no store: add the PostgreSQL to copy into"), "{said}");
    let speech = [620.0, 850.0].map(|tone| audio::tone(tone, 3));
    for (count, speech) in speech.iter().enumerate() {
        leave(&pair, 0, speech);
        wait(SOON, "the message", || (pair.messages(0).len() == count + 1).then_some(()));
    }
    let left = pair.messages(0);
    config(&shared);
    let (done, said) = import(&pair, "um0.toml");
    assert!(!done && said.contains("is in use by another process"), "{said}");
    pair.kill(0);

    let (done, said) = import(&pair, "um0.toml");
    assert!(done && said.contains("2 mailboxes, 2 messages, 1 greetings; 0 were there already"), "{said}");
    assert!(said.contains("3 recordings"), "{said}");
    let (done, said) = import(&pair, "um0.toml");
    assert!(done && said.contains("0 mailboxes, 0 messages, 0 greetings; 5 were there already"), "again: {said}");
    assert!(said.contains("0 values of the configuration"), "again: {said}");

    pair.run(0);
    pair.run(1);
    for server in 0..2 {
        let found = pair.messages(server);
        let ids =
            |messages: &[serde_json::Value]| messages.iter().map(|message| message["id"].clone()).collect::<Vec<_>>();
        assert_eq!(ids(&found), ids(&left));
        for (message, tone) in found.iter().rev().zip([620.0, 850.0]) {
            let samples = audio::decode(&pair.audio(server, message).body);
            assert!(audio::tone_share(&samples[8000..16_000], tone) > 0.9, "what was spoken");
        }
    }
    let calls = |server| pair.umsh(server, "Get-UMService | Format-List MaxCallsAllowed");
    assert!(calls(0).contains("77") && !calls(1).contains("77"), "a server's own settings stay its own");
    leave(&pair, 1, &speech[0]);
    wait(SOON, "a message through the other", || (pair.messages(0).len() == 3).then_some(()));

    // It was used since: copied again, nothing is mixed up.
    pair.umsh(0, "Set-UMIPGateway MX-ONE -Port 5070");
    let (done, said) = import(&pair, "um0.toml");
    assert!(!done && said.contains("differs: it was changed there since it was copied"), "{said}");
    assert_eq!(pair.messages(0).len(), 3);
}
