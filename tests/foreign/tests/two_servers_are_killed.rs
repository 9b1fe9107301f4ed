//! Two UM servers that share a PostgreSQL, behind a node that finds them by SRV: killed and started in turn under 200 calls.
//! Each new call is answered, and what was accepted is there once.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tests_crash::{Call, Caller};
use tests_foreign::audio;
use tests_foreign::pair::{Pair, SOON, wait};
use tests_foreign::sipp::Sipp;

const NET: u8 = 180;
const CALLS: usize = 200;
const AT_ONCE: usize = 14;
/// A caller who spoke for so long has left a message, whatever happened then: a second of it is loud, and the last second
/// before a crash may be lost.
const ACCEPTED: Duration = Duration::from_millis(2000);
const SPOKEN: Duration = Duration::from_millis(2600);
/// What a recording may lack of what was spoken: what the caller says before the server listens.
const WHOLE: f64 = 2.2;
/// Samples that are compared at a time: a quarter of a second.
const PIECE: usize = 2000;
/// A server that lived for so long after the caller had hung up has heard of it.
const HEARD: Duration = Duration::from_secs(1);

/// A call, as its caller saw it.
struct Left {
    server: usize,
    answered: Instant,
    begun: Instant,
    ended: Instant,
}

impl Left {
    /// When its server was killed under it, if it was.
    fn cut(&self, kills: &[(usize, Instant)], until: Instant) -> Option<Instant> {
        let its = kills.iter().filter(|(server, at)| *server == self.server && (self.answered..until).contains(at));
        its.map(|(_, at)| *at).min()
    }

    fn is_accepted(&self, kills: &[(usize, Instant)]) -> bool {
        let end = self.cut(kills, self.ended).unwrap_or(self.ended);
        end.saturating_duration_since(self.begun) >= ACCEPTED
    }

    fn is_whole(&self, kills: &[(usize, Instant)]) -> bool {
        self.cut(kills, self.ended + HEARD).is_none()
    }
}

/// Calls Anna, who has no phone, waits for the tone, speaks, and hangs up.
fn leave(from: &str, speech: &[u8]) -> Left {
    let (tie, node) = (format!("127.0.{NET}.90"), format!("127.0.{NET}.10"));
    let address = format!("<sip:{from}@{tie}>");
    let caller = Caller { from: &address, asserted: &address };
    let mut call = Call::place(&caller, &tie, &node, "27000", "").unwrap_or_else(|lost| panic!("{from}: {lost:?}"));
    let answered = Instant::now();
    // The node leaves the media to the two ends: so much is seen of who answered.
    let server = match call.media_address().ip().to_string().rsplit('.').next() {
        Some("4") => 0,
        Some("5") => 1,
        _ => panic!("media of {from} is at {}", call.media_address()),
    };
    call.wait_for_the_tone(Duration::from_secs(15), Duration::from_millis(400));
    let begun = Instant::now();
    call.speak(speech, || begun.elapsed() < SPOKEN);
    let ended = Instant::now();
    call.hang_up();
    Left { server, answered, begun, ended }
}

fn sent_by(message: &Value) -> String {
    message["from_number"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn two_hundred_calls_are_answered_and_their_messages_there_once_while_the_servers_are_killed_in_turn() {
    let pair = Pair::start(NET);
    let node = pair.node();
    let spoken = audio::speech(6);
    let speech = audio::g711(&spoken, "al");
    let (next, over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let calls: Mutex<BTreeMap<String, Left>> = Mutex::default();
    let kills: Mutex<Vec<(usize, Instant)>> = Mutex::default();
    std::thread::scope(|threads| {
        let callers: Vec<_> = (0..AT_ONCE)
            .map(|_| {
                threads.spawn(|| {
                    loop {
                        let number = next.fetch_add(1, Ordering::SeqCst);
                        if number >= CALLS {
                            return;
                        }
                        let from = format!("{}", 50_000 + number);
                        let left = leave(&from, &speech);
                        calls.lock().unwrap().insert(from, left);
                    }
                })
            })
            .collect();
        let killer = threads.spawn(|| {
            let mut random = StdRng::seed_from_u64(4);
            for server in [0, 1].into_iter().cycle() {
                std::thread::sleep(Duration::from_millis(random.random_range(1500..4500)));
                if over.load(Ordering::SeqCst) {
                    return;
                }
                pair.kill(server);
                kills.lock().unwrap().push((server, Instant::now()));
                std::thread::sleep(Duration::from_millis(random.random_range(0..1000)));
                pair.run(server);
            }
        });
        let results: Vec<_> = callers.into_iter().map(|caller| caller.join()).collect();
        over.store(true, Ordering::SeqCst);
        killer.join().unwrap();
        if let Some(panic) = results.into_iter().find_map(Result::err) {
            println!("{}", node.output());
            std::panic::resume_unwind(panic);
        }
    });

    let (calls, kills) = (calls.into_inner().unwrap(), kills.into_inner().unwrap());
    assert_eq!(calls.len(), CALLS, "each was answered");
    let by_caller = || {
        let mut found = BTreeMap::<String, Vec<Value>>::new();
        pair.messages(1).into_iter().for_each(|message| found.entry(sent_by(&message)).or_default().push(message));
        found
    };
    let accepted: Vec<&String> =
        calls.iter().filter(|(_, call)| call.is_accepted(&kills)).map(|(from, _)| from).collect();
    wait(Duration::from_secs(60), "every accepted message", || {
        let there = by_caller();
        accepted.iter().all(|from| there.contains_key(*from)).then_some(())
    });
    // What is in a spool yet, of calls cut short, comes too: it must not come twice.
    std::thread::sleep(Duration::from_secs(3));
    let there = by_caller();
    let whole = calls.values().filter(|call| call.is_whole(&kills)).count();
    println!("{} kills, {} calls accepted, {whole} whole, {} messages", kills.len(), accepted.len(), there.len());
    for (from, messages) in &there {
        assert_eq!(messages.len(), 1, "the message of {from} is there once");
        let (call, seconds) = (&calls[from], messages[0]["duration_s"].as_f64().unwrap());
        if call.is_whole(&kills) {
            assert!(seconds >= WHOLE, "the message of {from} is whole: {seconds} s");
        }
    }
    assert!(kills.len() >= 10 && accepted.len() >= CALLS / 2, "the test has tested something");

    // Both know the same, and what is stored is what was spoken.
    let listed = |server| pair.messages(server).iter().map(|message| message["id"].clone()).collect::<Vec<_>>();
    wait(SOON, "both servers list the same", || (listed(0) == listed(1)).then_some(()));
    let some = calls.iter().filter(|(_, call)| call.is_whole(&kills)).step_by(10);
    for (n, (from, _)) in some.enumerate() {
        let answer = pair.audio(n % 2, &there[from][0]);
        assert_eq!(answer.status, 200, "{}", answer.text());
        // Piece by piece: where the machine kept the caller from speaking for a moment there is a gap, and the rest is later.
        let heard = audio::decode(&answer.body);
        let pieces = spoken[..16_000].chunks_exact(PIECE).map(|piece| audio::correlation(piece, &heard).0);
        let mut likeness: Vec<f64> = pieces.collect();
        likeness.sort_by(f64::total_cmp);
        assert!(likeness[likeness.len() / 2] > 0.9, "the message of {from} is what was spoken: {likeness:.2?}");
    }
    // The node's lamp shows as many: one of the servers has told it.
    wait(Duration::from_secs(90), "the lamp", || {
        Sipp::new("subscribes", &format!("127.0.{NET}.10:5060"), &format!("127.0.{NET}.70"), 5073, false)
            .key("new", &there.len().to_string())
            .user("27000")
            .arguments(&["-auth_uri", &format!("27000@127.0.{NET}.10:5060")])
            .once()
            .start()
            .wait(SOON)?
            .success()
            .then_some(())
    });
}
