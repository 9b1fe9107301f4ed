//! A PostgreSQL of a test's own: Debian's programs on a folder and a Unix socket that nobody else has, as a user without
//! rights. It ends with the test, and leaves nothing behind.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a harness: a failure here is the test's failure

use std::io;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// PostgreSQL refuses to run as root: then it runs as Debian's `nobody`.
const NOBODY: u32 = 65534;

/// A running server with an empty database, or several.
pub struct Cluster {
    folder: tempfile::TempDir,
    process: Option<Child>,
    databases: AtomicU32,
    /// Where it listens beside its socket, and what it says of TLS.
    listens: Vec<String>,
}

impl Cluster {
    pub fn start() -> Cluster {
        Cluster::started(Vec::new(), &[])
    }

    /// One that listens at an address of the loopback net, too: with a certificate and its key (PEM) by TLS and without, else
    /// without only.
    pub fn listening(address: &str, port: u16, pair: Option<(&Path, &Path)>) -> Cluster {
        let mut listens = vec![format!("listen_addresses={address}"), format!("port={port}")];
        let mut files = Vec::new();
        if let Some((certificate, key)) = pair {
            listens.extend(["ssl=on", "ssl_cert_file=server.crt", "ssl_key_file=server.key"].map(str::to_owned));
            files.extend([("server.crt", certificate), ("server.key", key)]);
        }
        Cluster::started(listens, &files)
    }

    fn started(listens: Vec<String>, files: &[(&str, &Path)]) -> Cluster {
        // The path of a socket has at most 107 bytes.
        let folder = tempfile::Builder::new().prefix("earcon-pg").tempdir_in("/tmp").unwrap();
        let data = folder.path().join("data");
        if is_root() {
            chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let mut initdb = program("initdb", folder.path());
        initdb
            .args(["--no-sync", "--auth=trust", "--username=earcon", "--encoding=UTF8", "--locale=C", "-D"])
            .arg(&data);
        let made = initdb.output().unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        for (name, from) in files {
            // It believes in no key that others can read, and its own only.
            let to = data.join(name);
            std::fs::copy(from, &to).unwrap();
            std::fs::set_permissions(&to, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
            if is_root() {
                chown(&to, Some(NOBODY), Some(NOBODY)).unwrap();
            }
        }
        if !listens.is_empty() {
            let access = data.join("pg_hba.conf");
            let rules = std::fs::read_to_string(&access).unwrap();
            std::fs::write(&access, format!("{rules}\nhost all all 127.0.0.0/8 trust\n")).unwrap();
        }
        let mut cluster = Cluster { folder, process: None, databases: AtomicU32::new(0), listens };
        cluster.resume();
        cluster
    }

    /// The URL of a new, empty database.
    pub fn database(&self) -> String {
        let name = format!("test{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let made = self.psql("postgres", &format!("CREATE DATABASE {name}"));
        assert!(made, "CREATE DATABASE {name}");
        self.url(&name)
    }

    /// The URL of a database of this server.
    pub fn url(&self, database: &str) -> String {
        let socket = self.folder.path().display().to_string().replace('/', "%2F");
        format!("postgres://earcon@{socket}/{database}")
    }

    /// Whether `psql` takes a statement.
    pub fn psql(&self, database: &str, statement: &str) -> bool {
        let mut psql = program("psql", self.folder.path());
        if let Some(port) = self.listens.iter().find_map(|setting| setting.strip_prefix("port=")) {
            psql.args(["-p", port]);
        }
        psql.args(["-qtA", "-v", "ON_ERROR_STOP=1", "-U", "earcon", "-d", database, "-c", statement, "-h"]);
        psql.arg(self.folder.path()).output().unwrap().status.success()
    }

    /// Ends it at once, as a crash does.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // SIGQUIT: its children end with it, and it recovers at the next start.
            let pid = libc::pid_t::try_from(process.id()).unwrap();
            #[allow(unsafe_code)] // SAFETY: kill takes two numbers; the child is ours and not yet waited for.
            unsafe {
                libc::kill(pid, libc::SIGQUIT);
            }
            process.wait().unwrap();
        }
    }

    /// Starts it again on what it has.
    pub fn resume(&mut self) {
        let mut postgres = program("postgres", self.folder.path());
        postgres.args(["-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=60"]);
        for setting in &self.listens {
            postgres.args(["-c", setting]);
        }
        postgres.arg("-k");
        postgres.arg(self.folder.path()).arg("-D").arg(self.folder.path().join("data"));
        let log = std::fs::File::create(self.folder.path().join("log")).unwrap();
        // An aborted test leaves none running. The test's own thread starts it, which lives as long as it is needed.
        #[allow(unsafe_code)]
        // SAFETY: prctl takes numbers and touches no memory: it may be called between fork and exec.
        unsafe {
            postgres.pre_exec(|| match libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGQUIT) {
                0 => Ok(()),
                _ => Err(io::Error::last_os_error()),
            });
        }
        self.process = Some(postgres.stdout(Stdio::null()).stderr(log).spawn().unwrap());
        let end = Instant::now() + Duration::from_secs(30);
        while !self.psql("postgres", "SELECT 1") {
            let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(Instant::now() < end, "PostgreSQL does not start: {log}");
            std::thread::sleep(Duration::from_millis(30));
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop();
    }
}

fn is_root() -> bool {
    #[allow(unsafe_code)] // SAFETY: geteuid takes nothing and cannot fail.
    let user = unsafe { libc::geteuid() };
    user == 0
}

/// One of Debian's programs, which are not on the PATH; the newest version of them.
fn program(name: &str, folder: &Path) -> Command {
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .expect("no PostgreSQL here: `cargo xtask test` installs Debian's")
        .map(|version| version.unwrap().path().join("bin").join(name))
        .filter(|path| path.is_file())
        .collect();
    versions.sort();
    let mut command = Command::new(versions.pop().expect("no PostgreSQL here: `cargo xtask test` installs Debian's"));
    command.current_dir(folder).env_remove("PGHOST").stdin(Stdio::null());
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}
