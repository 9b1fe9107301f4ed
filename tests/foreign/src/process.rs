//! A child process that ends with its owner, and whose output can be waited for.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// So long is anything waited for that comes at once on a machine with nothing else to do: whoever waits for an event names
/// a limit only where it takes longer by itself.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub struct Process {
    child: Child,
    name: String,
    output: Arc<(Mutex<Vec<String>>, Condvar)>,
    readers: [JoinHandle<()>; 2],
    pub stdin: Option<ChildStdin>,
}

impl Process {
    pub fn start(command: &mut Command) -> Process {
        let name = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = spawn(std::mem::replace(command, Command::new(&name))).unwrap_or_else(|error| {
            panic!("cannot start {name}: {error}; `cargo xtask install` installs what the tests need")
        });
        let output = Arc::new((Mutex::new(Vec::new()), Condvar::new()));
        let readers = [
            collect(child.stdout.take().unwrap(), output.clone()),
            collect(child.stderr.take().unwrap(), output.clone()),
        ];
        let stdin = child.stdin.take();
        Process { child, name, output, readers, stdin }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Types a line into the program's standard input.
    pub fn type_line(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().unwrap();
        writeln!(stdin, "{line}").unwrap();
        stdin.flush().unwrap();
    }

    pub fn output(&self) -> String {
        self.output.0.lock().unwrap().join("\n")
    }

    /// Waits until a line of output contains `text`: for `limit`, and for [`PATIENCE`] at least.
    pub fn wait_for(&self, text: &str, limit: Duration) -> String {
        let limit = limit.max(PATIENCE);
        self.wait_until(limit, |lines| lines.iter().find(|line| line.contains(text)).cloned()).unwrap_or_else(|| {
            panic!("{} did not print {text:?} within {limit:?}; it printed:\n{}", self.name, self.output())
        })
    }

    pub fn wait_until<T>(&self, limit: Duration, mut found: impl FnMut(&[String]) -> Option<T>) -> Option<T> {
        let deadline = Instant::now() + limit;
        let mut lines = self.output.0.lock().unwrap();
        loop {
            if let Some(it) = found(&lines) {
                return Some(it);
            }
            let left = deadline.checked_duration_since(Instant::now())?;
            lines = self.output.1.wait_timeout(lines, left).unwrap().0;
        }
    }

    pub fn wait(&mut self, limit: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                self.read_out();
                return Some(status);
            }
            if Instant::now() > deadline {
                return None;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// A program that has ended may have printed what has not been read yet. One that it left behind may hold the pipes
    /// for ever, so the wait has an end.
    fn read_out(&self) {
        let deadline = Instant::now() + Duration::from_secs(2);
        while self.readers.iter().any(|reader| !reader.is_finished()) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Waits for the end, for [`PATIENCE`] at least, and requires success.
    pub fn must_succeed(&mut self, limit: Duration) {
        let limit = limit.max(PATIENCE);
        match self.wait(limit) {
            Some(status) if status.success() => {}
            Some(status) => panic!("{} ended with {status}; it printed:\n{}", self.name, self.output()),
            None => panic!("{} did not end within {limit:?}; it printed:\n{}", self.name, self.output()),
        }
    }

    /// SIGKILL, as a power cut would.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// SIGTERM, then up to `limit` for an orderly end.
    pub fn terminate(&mut self, limit: Duration) -> Option<ExitStatus> {
        self.signal(libc::SIGTERM);
        self.wait(limit)
    }

    #[allow(unsafe_code)]
    pub fn signal(&self, signal: i32) {
        // SAFETY: kill(2) on the id of a child that has not been waited for, so the id is still its own.
        unsafe { libc::kill(self.child.id() as libc::pid_t, signal) };
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Starts a program that ends with this process, however that ends. Linux ends it with the thread that started it: so
/// that is one that lives as long as the process.
fn spawn(mut command: Command) -> io::Result<Child> {
    type Order = (Command, Sender<io::Result<Child>>);
    static SPAWNER: OnceLock<Sender<Order>> = OnceLock::new();
    #[allow(unsafe_code)]
    // SAFETY: prctl takes numbers and touches no memory, so it may be called between fork and exec.
    unsafe {
        command.pre_exec(|| match libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        });
    }
    let spawner = SPAWNER.get_or_init(|| {
        let (orders, inbox) = channel::<Order>();
        std::thread::spawn(move || {
            for (mut command, started) in inbox {
                // Whoever asked waits below.
                let _ = started.send(command.spawn());
            }
        });
        orders
    });
    let (sender, started) = channel();
    spawner.send((command, sender)).expect("its thread never ends");
    started.recv().expect("its thread never ends")
}

fn collect(stream: impl Read + Send + 'static, output: Arc<(Mutex<Vec<String>>, Condvar)>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            output.0.lock().unwrap().push(text);
            output.1.notify_all();
            line.clear();
        }
    })
}

/// The `earcon` binary: beside the tests' own, built if it is not there.
pub fn earcon() -> PathBuf {
    if let Some(path) = std::env::var_os("EARCON_BIN") {
        return path.into();
    }
    // A test lies in `deps`, one below the binaries; a bench lies among them.
    let own = std::env::current_exe().unwrap();
    let folder = own.ancestors().skip(1).find(|folder| !folder.ends_with("deps")).unwrap();
    let path = folder.join("earcon");
    if !path.exists() {
        let built = Command::new(env!("CARGO"))
            .args(["build", "--package", "earcon"])
            .current_dir(repository())
            .status()
            .unwrap();
        assert!(built.success(), "earcon does not build");
    }
    path
}

pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap()
}

/// A folder that is removed with its owner.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new(name: &str) -> Scratch {
        let path = std::env::temp_dir().join(format!("earcon-test-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Scratch(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Kept for a look when the test failed.
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}
