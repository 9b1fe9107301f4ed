//! SIGKILL at random: fifty times during recordings, fifty times between hang-up and delivery. After each restart every
//! message is there once, up to its last second.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::time::{Duration, Instant};
use tests_crash::Call;
use tests_foreign::{Lab, LabOptions, audio};

/// Kills of one test: five tests of ten run side by side, each with a lab of its own.
const KILLS: u32 = 10;
/// Calls that are being recorded when the process dies.
const CALLS: usize = 4;
/// A recording is synced every second; what was said before that is safe.
const LAST_SECOND: f64 = 1.2;

macro_rules! fifty_kills {
    ($($during:ident $after:ident $net:literal),*) => { $(
        #[test]
        fn $during() {
            kills($net, |random| (Duration::from_millis(random.random_range(2800..4800)), false));
        }
        #[test]
        fn $after() {
            kills($net + 10, |random| (Duration::from_micros(random.random_range(0..60_000)), true));
        }
    )* };
}

fifty_kills!(
    during_recordings_1 between_hang_up_and_delivery_1 41,
    during_recordings_2 between_hang_up_and_delivery_2 42,
    during_recordings_3 between_hang_up_and_delivery_3 43,
    during_recordings_4 between_hang_up_and_delivery_4 44,
    during_recordings_5 between_hang_up_and_delivery_5 45
);

/// `when` draws how long after the start of speech (long enough that what is safe is a message: a second of it is louder
/// than -40 dBm0), or after hanging up (`true`), the process is killed.
fn kills(net: u8, when: impl Fn(&mut StdRng) -> (Duration, bool)) {
    let mut random = StdRng::seed_from_u64(u64::from(net));
    let mut lab = Lab::start(net, LabOptions::default());
    // A short greeting: the test is about recording.
    let greeting: Vec<i16> = (0..1600).map(|n| if n % 16 < 8 { 3000 } else { -3000 }).collect();
    let wav = lab.data.file("greeting.wav");
    audio::write_wav(&wav, &greeting);
    let put = lab.rest("PUT", "/api/v1/mailboxes/27000/greeting", Some(&std::fs::read(&wav).unwrap()), "audio/wav");
    assert!(put.status < 300, "{}", String::from_utf8_lossy(&put.body));
    let speech = audio::g711(&audio::speech(6), "al");

    let mut expected = 0;
    for kill in 1..=KILLS {
        let (delay, hung_up) = when(&mut random);
        let mut calls: Vec<Call> = (0..CALLS).map(|_| Call::divert(&lab.node(), &lab.um(), "27000").unwrap()).collect();
        for call in &calls {
            call.wait_for_the_tone(Duration::from_secs(15), Duration::from_millis(250));
        }
        let spoken = if hung_up { Duration::from_millis(2000) } else { delay };
        let start = Instant::now();
        std::thread::scope(|threads| {
            for call in &calls {
                threads.spawn(|| call.speak(&speech, || start.elapsed() < spoken));
            }
        });
        if hung_up {
            for call in &mut calls {
                call.hang_up();
            }
            std::thread::sleep(delay);
        }
        lab.kill_and_restart();
        expected += CALLS;
        let messages = lab.wait_for_messages("27000", expected, Duration::from_secs(10));
        assert_eq!(messages.len(), expected, "after kill {kill} every message is there once");
        for message in &messages[..CALLS] {
            let seconds = message["duration_s"].as_f64().unwrap();
            assert!(
                seconds > spoken.as_secs_f64() - LAST_SECOND,
                "kill {kill}: {seconds} s are there of {spoken:?} spoken: {message}"
            );
        }
    }
}
