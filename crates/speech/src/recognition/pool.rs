//! The server's side: threads with a helper process each. A helper that ends, hangs or talks nonsense is ended and
//! replaced; whoever waited is told that nothing was recognised.

use super::wire::{self, Answer, MOST_SAMPLES, Question};
use super::{Grammar, Heard, Recogniser, RecognitionError, installed_model};
use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// How long a helper may take to load its model, on a machine that is busy.
const START_WITHIN: Duration = Duration::from_secs(20);
/// How long one may take for an utterance: a caller who waits longer has given up.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// How long one may take to get to know a grammar: text to speech may have to read out hundreds of names
/// in four languages.
const PREPARE_WITHIN: Duration = Duration::from_secs(45);
/// Utterances that may wait.
const MOST_WAITING: usize = 16;
/// After a helper that failed at once another is started so much later.
const PAUSE: Duration = Duration::from_secs(10);

/// Told what was heard, by ticket, on a thread of the pool's.
pub type Answers = Arc<dyn Fn(u64, Result<Heard, RecognitionError>) + Send + Sync>;

enum Job {
    Prepare(Arc<Grammar>),
    Hear { samples: Arc<Vec<i16>>, grammar: Arc<Grammar>, ticket: u64 },
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    closed: bool,
}

struct Shared {
    program: PathBuf,
    arguments: Vec<OsString>,
    queue: Mutex<Queue>,
    work: Condvar,
    /// The last helper that was started did start.
    ready: AtomicBool,
    answers: Answers,
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> Option<Job> {
        let mut queue = self.queue();
        loop {
            if queue.closed {
                return None;
            }
            if let Some(job) = queue.jobs.pop_front() {
                return Some(job);
            }
            queue = self.work.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// PocketSphinx in helper processes. The first starts when the first grammar is prepared.
pub struct Helpers {
    shared: Arc<Shared>,
}

impl Helpers {
    /// `program` with `arguments` is a process that runs [`serve`](super::serve) on its pipes. `None`: PocketSphinx and
    /// its model are not installed.
    ///
    /// # Errors
    /// The system starts no thread.
    pub fn start(
        program: PathBuf,
        arguments: Vec<OsString>,
        processes: usize,
        answers: Answers,
    ) -> io::Result<Option<Helpers>> {
        if installed_model().is_none() {
            return Ok(None);
        }
        Helpers::start_any(program, arguments, processes, answers).map(Some)
    }

    /// The same, whatever is installed.
    fn start_any(
        program: PathBuf,
        arguments: Vec<OsString>,
        processes: usize,
        answers: Answers,
    ) -> io::Result<Helpers> {
        let (queue, work) = Default::default();
        let shared = Shared { program, arguments, queue, work, ready: AtomicBool::new(true), answers };
        let shared = Arc::new(shared);
        for number in 1..=processes.max(1) {
            let shared = shared.clone();
            thread::Builder::new().name(format!("recogniser-{number}")).spawn(move || run(&shared))?;
        }
        Ok(Helpers { shared })
    }
}

impl Recogniser for Helpers {
    fn is_ready(&self) -> bool {
        self.shared.ready.load(Ordering::Relaxed)
    }

    fn prepare(&mut self, grammar: &Arc<Grammar>) {
        let mut queue = self.shared.queue();
        if queue.jobs.len() < MOST_WAITING {
            queue.jobs.push_back(Job::Prepare(grammar.clone()));
            self.shared.work.notify_one();
        }
    }

    fn submit(&mut self, samples: Arc<Vec<i16>>, grammar: &Arc<Grammar>, ticket: u64) {
        let mut queue = self.shared.queue();
        if queue.jobs.len() >= MOST_WAITING {
            drop(queue);
            return (self.shared.answers)(ticket, Err(RecognitionError::Busy));
        }
        queue.jobs.push_back(Job::Hear { samples, grammar: grammar.clone(), ticket });
        self.shared.work.notify_one();
    }
}

impl Drop for Helpers {
    fn drop(&mut self) {
        self.shared.queue().closed = true;
        self.shared.work.notify_all();
    }
}

/// A helper process, and the threads at its pipes, so that nobody waits for it longer than he wants.
struct Helper {
    child: Child,
    /// To the thread that writes: a helper that hangs may not read either.
    questions: mpsc::Sender<(Question, Arc<Vec<i16>>)>,
    answers: mpsc::Receiver<io::Result<Answer>>,
}

impl Drop for Helper {
    fn drop(&mut self) {
        // Its threads end with its pipes. `wait` leaves no zombie.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Helper {
    fn start(shared: &Shared) -> Result<Helper, RecognitionError> {
        let failed = |error: io::Error| RecognitionError::Failed(error.to_string());
        let mut child = Command::new(&shared.program)
            .args(&shared.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed)?;
        let pipes = (child.stdin.take(), child.stdout.take());
        let (send, answers) = mpsc::channel();
        let (questions, asked) = mpsc::channel::<(Question, Arc<Vec<i16>>)>();
        let helper = Helper { child, questions, answers };
        let (Some(mut stdin), Some(mut stdout)) = pipes else {
            return Err(RecognitionError::Failed("no pipes".into()));
        };
        let write = move || {
            while let Ok((question, samples)) = asked.recv() {
                let samples = samples.get(..question.samples).unwrap_or_default();
                // Its silence shows that it is gone.
                if wire::write(&mut stdin, &question, samples).is_err() {
                    return;
                }
            }
        };
        thread::Builder::new().name("recogniser-pipe".into()).spawn(write).map_err(failed)?;
        let read = move || {
            loop {
                let answer = wire::read(&mut stdout);
                let over = answer.is_err();
                if send.send(answer).is_err() || over {
                    return;
                }
            }
        };
        thread::Builder::new().name("recogniser-pipe".into()).spawn(read).map_err(failed)?;
        match helper.answer(START_WITHIN)? {
            Answer::Ready => Ok(helper),
            Answer::Missing(why) => Err(RecognitionError::Missing(why)),
            other => Err(RecognitionError::Failed(format!("it began with {other:?}"))),
        }
    }

    fn answer(&self, within: Duration) -> Result<Answer, RecognitionError> {
        match self.answers.recv_timeout(within) {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(RecognitionError::Failed(error.to_string())),
            Err(_) => Err(RecognitionError::Failed("it took too long".into())),
        }
    }

    fn ask(&self, grammar: &Grammar, samples: Arc<Vec<i16>>, within: Duration) -> Result<Answer, RecognitionError> {
        let question = Question { grammar: grammar.clone(), samples: samples.len().min(MOST_SAMPLES) };
        // A writer that has ended is a helper that does not answer.
        let _ = self.questions.send((question, samples));
        self.answer(within)
    }
}

fn run(shared: &Shared) {
    let mut helper: Option<Helper> = None;
    let mut failed: Option<(Instant, RecognitionError)> = None;
    while let Some(job) = shared.next() {
        if helper.is_none() {
            match &failed {
                Some((since, error)) if since.elapsed() < PAUSE => {
                    refuse(shared, &job, error.clone());
                    continue;
                }
                _ => {}
            }
            match Helper::start(shared) {
                Ok(started) => {
                    helper = Some(started);
                    failed = None;
                    shared.ready.store(true, Ordering::Relaxed);
                }
                Err(error) => {
                    tracing::warn!(%error, "spoken commands");
                    shared.ready.store(false, Ordering::Relaxed);
                    failed = Some((Instant::now(), error.clone()));
                    refuse(shared, &job, error);
                    continue;
                }
            }
        }
        let Some(running) = &helper else { continue };
        if let Err(error) = serve_job(shared, running, &job) {
            tracing::warn!(%error, "the recogniser is started anew");
            helper = None;
            refuse(shared, &job, error);
        }
    }
}

fn serve_job(shared: &Shared, helper: &Helper, job: &Job) -> Result<(), RecognitionError> {
    match job {
        Job::Prepare(grammar) => match helper.ask(grammar, Arc::default(), PREPARE_WITHIN)? {
            Answer::Prepared => Ok(()),
            other => Err(RecognitionError::Failed(format!("it answered {other:?}"))),
        },
        Job::Hear { samples, grammar, ticket } => {
            let heard = match samples.is_empty() {
                true => Heard::Unclear,
                false => match helper.ask(grammar, samples.clone(), ANSWER_WITHIN)? {
                    // Only what was asked for is believed.
                    Answer::Heard(Some((phrase, sure))) if phrase < grammar.len() => Heard::Phrase { phrase, sure },
                    Answer::Heard(_) => Heard::Unclear,
                    other => return Err(RecognitionError::Failed(format!("it answered {other:?}"))),
                },
            };
            (shared.answers)(*ticket, Ok(heard));
            Ok(())
        }
    }
}

fn refuse(shared: &Shared, job: &Job, error: RecognitionError) {
    if let Job::Hear { ticket, .. } = job {
        (shared.answers)(*ticket, Err(error));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Told = mpsc::Receiver<(u64, Result<Heard, RecognitionError>)>;

    /// A pool whose helper is this shell script, and its answers.
    fn pool(script: &str) -> (Helpers, Told) {
        let (send, receive) = mpsc::channel();
        let answers: Answers = Arc::new(move |ticket, heard| {
            let _ = send.send((ticket, heard));
        });
        let arguments = vec!["-c".into(), script.into()];
        (Helpers::start_any("/bin/sh".into(), arguments, 1, answers).unwrap(), receive)
    }

    fn message(json: &str) -> String {
        let length: String = (json.len() as u32).to_le_bytes().iter().map(|byte| format!("\\{byte:03o}")).collect();
        format!("printf '{length}{json}'")
    }

    fn asked(script: &str) -> (Result<Heard, RecognitionError>, bool) {
        let (mut pool, answers) = pool(script);
        let grammar = Arc::new(Grammar::new(["next", "delete"]));
        pool.submit(Arc::new(vec![0; 8000]), &grammar, 7);
        let (ticket, heard) = answers.recv_timeout(Duration::from_secs(60)).unwrap();
        assert_eq!(ticket, 7);
        (heard, pool.is_ready())
    }

    #[test]
    fn what_the_helper_heard_is_told() {
        let script = format!("{}; {}; exec cat >/dev/null", message("\"Ready\""), message("{\"Heard\":[1,true]}"));
        assert_eq!(asked(&script), (Ok(Heard::Phrase { phrase: 1, sure: true }), true));
    }

    #[test]
    fn a_phrase_that_the_grammar_has_not_is_not_believed() {
        let script = format!("{}; {}; exec cat >/dev/null", message("\"Ready\""), message("{\"Heard\":[2,true]}"));
        assert_eq!(asked(&script).0, Ok(Heard::Unclear));
    }

    #[test]
    fn a_helper_that_dies_at_once_is_told_of_and_not_ready() {
        let (heard, ready) = asked("exit 1");
        assert!(matches!(heard, Err(RecognitionError::Failed(_))) && !ready);
    }

    #[test]
    fn one_that_lacks_its_model_says_so() {
        let (heard, ready) = asked(&message("{\"Missing\":\"no model\"}"));
        assert_eq!(heard, Err(RecognitionError::Missing("no model".into())));
        assert!(!ready);
    }

    #[test]
    fn one_that_dies_or_talks_nonsense_under_a_question_costs_that_answer_only() {
        let dies = format!("{}; head -c 10 >/dev/null", message("\"Ready\""));
        let nonsense = format!("{}; echo nonsense of some length", message("\"Ready\""));
        for script in [dies, nonsense] {
            let (heard, ready) = asked(&script);
            assert!(matches!(heard, Err(RecognitionError::Failed(_))) && ready, "{heard:?}");
        }
    }

    #[test]
    fn one_that_hangs_is_ended() {
        let (heard, _) = asked(&format!("{}; exec sleep 600", message("\"Ready\"")));
        assert_eq!(heard, Err(RecognitionError::Failed("it took too long".into())));
    }

    #[test]
    fn more_than_can_be_heard_in_time_is_refused() {
        let (mut pool, answers) = pool("exec sleep 600");
        let grammar = Arc::new(Grammar::new(["next"]));
        for ticket in 0..40 {
            pool.submit(Arc::new(vec![0; 80]), &grammar, ticket);
        }
        let (_, heard) = answers.recv_timeout(Duration::from_secs(60)).unwrap();
        assert_eq!(heard, Err(RecognitionError::Busy));
    }
}
