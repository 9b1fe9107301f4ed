//! Argon2 on a small pool of threads: a hash takes tens of milliseconds of CPU on purpose, which no signalling thread
//! has. Jobs are bounded; each is answered by an event with its ticket.

use argon2::{Algorithm, Argon2, Params, Version};
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

/// Names the question in its answer.
pub type HashTicket = u64;

/// What is to be hashed. Salts come from the role's own random numbers.
#[derive(Clone)]
pub enum HashJob {
    /// Is `pin` the one that `hash` was made of?
    Verify { pin: String, hash: String },
    /// Hashes a new PIN, unless it is one of `history`.
    Make { pin: String, salt: [u8; 16], history: Vec<String> },
}

/// The answer to a [`HashJob`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HashAnswer {
    Right,
    Wrong,
    Made(String),
    /// It is one of the history.
    UsedBefore,
}

/// More jobs wait than the pool takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many PINs are being checked")]
pub struct PoolFull;

/// Whoever hashes: the pool, or a test's stand-in.
pub trait Hasher {
    fn submit(&mut self, job: HashJob, ticket: HashTicket) -> Result<(), PoolFull>;
}

/// How hard a hash is: 19 MiB, two passes (OWASP's second choice for Argon2id). It stands in every hash, so it may
/// change without old hashes being lost.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
/// What a damaged hash may ask for at most.
const MOST_MEMORY_KIB: u32 = 256 * 1024;
const MOST_PASSES: u32 = 16;

/// A hash that no PIN has: checked against when there is no such mailbox, so that the answer takes as long.
pub const NOBODY: &str = concat!(
    "argon2id$19456$2$00000000000000000000000000000000$",
    "0000000000000000000000000000000000000000000000000000000000000000"
);

/// Threads that hash.
pub struct Pool {
    jobs: Option<Sender<(HashJob, HashTicket)>>,
    queue: Receiver<(HashJob, HashTicket)>,
    threads: Vec<JoinHandle<()>>,
}

impl Pool {
    /// `answer` is called on the pool's threads. `waiting` jobs may queue; more are refused.
    pub fn start(
        threads: usize,
        waiting: usize,
        answer: impl Fn(HashTicket, HashAnswer) + Send + Sync + 'static,
    ) -> std::io::Result<Pool> {
        let (jobs, queue) = bounded(waiting);
        let answer = Arc::new(answer);
        let threads = (0..threads.max(1))
            .map(|_| {
                let (inbox, answer) = (queue.clone(), answer.clone());
                thread::Builder::new().name("um-hash".into()).spawn(move || {
                    for (job, ticket) in inbox {
                        answer(ticket, run(&job));
                    }
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Pool { jobs: Some(jobs), queue, threads })
    }

    /// Tells how many jobs wait, for as long as it is asked.
    pub fn waiting(&self) -> impl Fn() -> usize + Send + Sync + use<> {
        let queue = self.queue.clone();
        move || queue.len()
    }
}

impl Hasher for Pool {
    fn submit(&mut self, job: HashJob, ticket: HashTicket) -> Result<(), PoolFull> {
        let Some(jobs) = &self.jobs else { return Err(PoolFull) };
        jobs.try_send((job, ticket)).map_err(|error| match error {
            TrySendError::Full(_) | TrySendError::Disconnected(_) => PoolFull,
        })
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.jobs = None;
        for thread in self.threads.drain(..) {
            // A panic there was its own report.
            let _ = thread.join();
        }
    }
}

/// Does a job here and now.
pub fn run(job: &HashJob) -> HashAnswer {
    match job {
        HashJob::Verify { pin, hash } => {
            if verify(pin, hash) {
                HashAnswer::Right
            } else {
                HashAnswer::Wrong
            }
        }
        HashJob::Make { pin, salt, history } => {
            if history.iter().any(|hash| verify(pin, hash)) {
                HashAnswer::UsedBefore
            } else {
                make(pin, salt).map_or(HashAnswer::Wrong, HashAnswer::Made)
            }
        }
    }
}

fn make(pin: &str, salt: &[u8; 16]) -> Option<String> {
    let digest = digest(pin, salt, MEMORY_KIB, PASSES)?;
    Some(format!("argon2id${MEMORY_KIB}${PASSES}${}${}", hex(salt), hex(&digest)))
}

fn verify(pin: &str, hash: &str) -> bool {
    let mut parts = hash.split('$');
    let (Some("argon2id"), Some(memory), Some(passes), Some(salt), Some(wanted), None) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let (Ok(memory), Ok(passes)) = (memory.parse::<u32>(), passes.parse::<u32>()) else { return false };
    let (Some(salt), Some(wanted)) = (unhex(salt), unhex(wanted)) else { return false };
    if memory > MOST_MEMORY_KIB || passes > MOST_PASSES {
        return false;
    }
    let Some(digest) = digest(pin, &salt, memory, passes) else { return false };
    // Every byte is looked at, so that the time tells nothing.
    digest.len() == wanted.len() && digest.iter().zip(&wanted).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}

/// Whether this is what [`run`] makes of a PIN.
pub fn is_hash(text: &str) -> bool {
    let parts: Vec<&str> = text.split('$').collect();
    let ["argon2id", memory, passes, salt, digest] = parts.as_slice() else { return false };
    let number = |text: &str, most: u32| text.parse::<u32>().is_ok_and(|number| (1..=most).contains(&number));
    let bytes = |text: &str| !text.is_empty() && text.len() <= 128 && unhex(text).is_some();
    number(memory, MOST_MEMORY_KIB) && number(passes, MOST_PASSES) && bytes(salt) && bytes(digest)
}

fn digest(pin: &str, salt: &[u8], memory: u32, passes: u32) -> Option<[u8; 32]> {
    let params = Params::new(memory, passes, 1, Some(32)).ok()?;
    let mut digest = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(pin.as_bytes(), salt, &mut digest)
        .ok()?;
    Some(digest)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_right_wrong_or_used_before() {
        let HashAnswer::Made(hash) = run(&HashJob::Make { pin: "730146".into(), salt: [3; 16], history: Vec::new() })
        else {
            panic!("not made")
        };
        assert!(!hash.contains("730146"));
        let verify = |pin: &str| run(&HashJob::Verify { pin: pin.into(), hash: hash.clone() });
        assert_eq!(verify("730146"), HashAnswer::Right);
        assert_eq!(verify("730147"), HashAnswer::Wrong);
        let again = HashJob::Make { pin: "730146".into(), salt: [4; 16], history: vec![hash.clone()] };
        assert_eq!(run(&again), HashAnswer::UsedBefore);
    }

    #[test]
    fn a_damaged_hash_is_wrong_and_asks_for_no_gigabytes() {
        for hash in ["", "argon2id$4294967295$2$00$00", "argon2id$x$2$00$00", "argon2id$8$1$0$0", NOBODY] {
            assert_eq!(run(&HashJob::Verify { pin: "1".into(), hash: hash.into() }), HashAnswer::Wrong);
        }
    }

    #[test]
    fn the_pool_answers_by_ticket_and_refuses_what_it_cannot_queue() {
        let (sender, answers) = std::sync::mpsc::channel();
        let (release, gate) = bounded::<()>(0);
        let answer = move |ticket, answer| {
            gate.recv().unwrap();
            sender.send((ticket, answer)).unwrap();
        };
        let mut pool = Pool::start(1, 1, answer).unwrap();
        let job = || HashJob::Verify { pin: "1".into(), hash: String::new() };
        pool.submit(job(), 1).unwrap();
        // One is with the thread or still queued; at most one more fits beside it.
        let more: Vec<_> = (2..5).map(|ticket| pool.submit(job(), ticket)).collect();
        assert!(more.contains(&Err(PoolFull)));
        let taken = 1 + more.iter().filter(|result| result.is_ok()).count();
        for _ in 0..taken {
            release.send(()).unwrap();
        }
        assert_eq!(answers.iter().take(taken).count(), taken);
    }
}
