//! Recordings in a store that speaks S3: moto's server, which knows nothing of Earcon.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::process::Command;
use std::time::Duration;
use tests_crash::Call;
use tests_foreign::audio;
use tests_foreign::pair::{Pair, SOON, wait};
use tests_foreign::process::{Process, repository};

const NET: u8 = 187;
const ENDPOINT: &str = "http://127.0.187.9:5000";

fn moto() -> Process {
    let program = repository().join("target/moto/bin/moto_server");
    assert!(program.exists(), "no moto here: `cargo xtask install` installs it");
    let process = Process::start(Command::new(program).args(["-H", "127.0.187.9", "-p", "5000"]));
    process.wait_for("Running on", SOON);
    process
}

fn curl(arguments: &[&str]) -> String {
    let output =
        Command::new("curl").args(["--silent", "--fail", "--max-time", "20"]).args(arguments).output().unwrap();
    assert!(output.status.success(), "curl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn make_the_bucket() {
    curl(&["--request", "PUT", &format!("{ENDPOINT}/voice")]);
}

fn leave(pair: &Pair, server: usize, speech: &[i16]) {
    let mut call = Call::divert(&format!("127.0.{NET}.10"), &pair.address(server), "27000").unwrap();
    call.wait_for_the_tone(Duration::from_secs(20), Duration::from_millis(400));
    call.speak(&audio::g711(speech, "al"), || true);
    call.hang_up();
}

#[test]
fn recordings_are_objects_that_both_servers_read_and_wait_in_the_spool_while_the_store_does_not_take_them() {
    let mut store = moto();
    make_the_bucket();
    let url = format!("s3://voice/um?endpoint={ENDPOINT}&region=eu-north-1&timeout=3");
    let pair = Pair::prepare(NET, "", Some(&url));
    pair.run(0);
    pair.configure();
    pair.run(1);
    let speech = audio::speech(3);
    leave(&pair, 0, &speech);
    let first = wait(SOON, "the message", || pair.messages(1).pop());
    let (likeness, _) = audio::correlation(&speech[..20_000], &audio::decode(&pair.audio(1, &first).body));
    assert!(likeness > 0.9, "heard through the other server: {likeness:.2}");
    assert!(curl(&[&format!("{ENDPOINT}/voice?list-type=2")]).contains("<Key>um/messages/"));

    // Away, and then back without what it had: the bucket, too.
    store.kill();
    leave(&pair, 0, &speech);
    pair.wait_for(0, "delivery_delayed");
    store = moto();
    pair.wait_for(0, "the place for recordings is not there");
    assert_eq!(pair.messages(1).len(), 1, "not a message without its recording");
    make_the_bucket();
    let messages = wait(SOON * 2, "delivered later", || Some(pair.messages(1)).filter(|all| all.len() == 2));
    let second = messages.iter().find(|message| message["id"] != first["id"]).unwrap();
    let (likeness, _) = audio::correlation(&speech[..20_000], &audio::decode(&pair.audio(1, second).body));
    assert!(likeness > 0.9, "what was spoken: {likeness:.2}");
    let gone = pair.audio(0, &first);
    assert!(gone.status >= 500 && gone.text().contains("is gone"), "{}: {}", gone.status, gone.text());
    store.kill();
}
