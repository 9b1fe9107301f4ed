//! A shell over its socket: what is executed, what the client sees, and who is let in.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use pbx::commands::{Answer, Command, CommandError};
use shell::client::{Client, ClientError};
use shell::{Language, ServeError, Server, Shell, serve, socket_path};

type Seen = Arc<Mutex<Vec<Command>>>;

/// A folder of the test's own, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("shell-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn shell() -> (Shell, Seen) {
    let seen = Seen::default();
    let commands = seen.clone();
    let shell = Shell::node(move |command, reply| {
        commands.lock().unwrap().push(command);
        // From another thread, as the node does.
        std::thread::spawn(move || reply(Ok(Answer::done())));
    });
    (shell, seen)
}

async fn served(folder: &Path) -> (Server, Seen) {
    let (shell, seen) = shell();
    (serve(&socket_path(folder, Language::Mdsh), shell).await.unwrap(), seen)
}

/// Runs a script as a client; whether all was executed, and what came on the two outputs.
async fn run(folder: &Path, script: &str) -> (bool, String, String) {
    let (folder, script) = (folder.to_owned(), script.to_owned());
    tokio::task::spawn_blocking(move || {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let done = Client::connect(&folder, Language::Mdsh).unwrap().run(&script, &mut out, &mut err).unwrap();
        (done, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
    })
    .await
    .unwrap()
}

async fn connect(folder: &Path, language: Language) -> Result<(), ClientError> {
    let folder = folder.to_owned();
    tokio::task::spawn_blocking(move || Client::connect(&folder, language).map(drop)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_is_executed_over_the_socket() {
    let folder = Folder::new("script");
    let (_server, seen) = served(&folder.0).await;
    let (done, out, err) = run(&folder.0, "number_print\nROCAP;\n").await;
    assert_eq!((done, out.as_str(), err.as_str()), (true, "EXECUTED\nEXECUTED\n", ""));
    assert_eq!(seen.lock().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_stops_at_what_is_refused_and_the_client_knows() {
    let folder = Folder::new("refused");
    let (_server, seen) = served(&folder.0).await;
    let (done, out, err) = run(&folder.0, "number_print\nROCAP:ROU=x;\nnumber_print\n").await;
    assert!(!done && out == "EXECUTED\n" && err.contains("line 2, column 11"), "{err}");
    assert_eq!(seen.lock().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_goes_on_says_what_was_refused_and_does_the_rest() {
    let folder = Folder::new("goes-on");
    let (_server, seen) = served(&folder.0).await;
    let path = folder.0.clone();
    let (done, out, err) = tokio::task::spawn_blocking(move || {
        let mut client = Client::connect(&path, Language::Mdsh).unwrap();
        client.go_on().unwrap();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let done = client.run("number_print\nROCAP:ROU=x;\nnumber_print\n", &mut out, &mut err).unwrap();
        (done, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
    })
    .await
    .unwrap();
    assert!(!done && out == "EXECUTED\nEXECUTED\n" && err.contains("line 2, column 11"), "{out}{err}");
    assert_eq!(seen.lock().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_socket_is_its_owners_alone() {
    let folder = Folder::new("mode");
    let (_server, _) = served(&folder.0).await;
    let mode = std::fs::metadata(socket_path(&folder.0, Language::Mdsh)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_process_left_is_replaced_and_a_living_one_is_not() {
    let folder = Folder::new("stale");
    let path = socket_path(&folder.0, Language::Mdsh);
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let (server, _) = served(&folder.0).await;
    assert!(matches!(serve(&path, shell().0).await, Err(ServeError::InUse(_))));
    drop(server);
    assert!(!path.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_running_is_said_in_a_sentence() {
    let folder = Folder::new("none");
    let said = connect(&folder.0, Language::Mdsh).await.unwrap_err().to_string();
    assert!(said.starts_with("nothing runs in "), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_of_the_other_language_is_told_apart() {
    let folder = Folder::new("language");
    let path = socket_path(&folder.0, Language::Umsh);
    let _server = serve(&path, shell().0).await.unwrap();
    assert!(matches!(connect(&folder.0, Language::Umsh).await, Err(ClientError::Stranger { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn noise_ends_its_own_session_and_no_other() {
    let folder = Folder::new("noise");
    let (_server, _) = served(&folder.0).await;
    let path = socket_path(&folder.0, Language::Mdsh);
    tokio::task::spawn_blocking(move || {
        for noise in [&b"GET / HTTP/1.0\r\n\r\n"[..], b"{\"script\": 5}\n", b"\xff\xfe\n", b"{"] {
            let _ = UnixStream::connect(&path).unwrap().write_all(noise);
        }
    })
    .await
    .unwrap();
    assert!(run(&folder.0, "number_print").await.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_too_long_for_a_socket_is_said_in_a_sentence() {
    let path = Path::new("/tmp").join("x".repeat(120));
    assert!(matches!(serve(&path, shell().0).await, Err(ServeError::PathTooLong(_))));
}

/// A node that takes scripts, and refuses one extension.
fn shell_with_scripts(refused: &'static str) -> (Shell, Seen) {
    let (shell, seen) = shell();
    let commands = seen.clone();
    let shell = shell.with_scripts(move |script, reply| {
        let mut results = Vec::new();
        for command in script {
            let error =
                matches!(&command, Command::Extension(pbx::commands::Extension::Initiate(set)) if set.dir == refused)
                    .then(|| CommandError::NotKept { reason: "it is the one".into() });
            commands.lock().unwrap().push(command);
            let ended = error.is_some();
            results.push(error.map_or_else(|| Ok(Answer::done()), Err));
            if ended {
                break;
            }
        }
        std::thread::spawn(move || reply(results));
    });
    (shell, seen)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_too_long_for_a_line_goes_in_parts_and_stops_where_it_is_refused() {
    let folder = Folder::new("long");
    let (shell, seen) = shell_with_scripts("39990");
    let _server = serve(&socket_path(&folder.0, Language::Mdsh), shell).await.unwrap();
    let script: String = (10_000..40_000).map(|number| format!("extension -i -d {number}\n")).collect();
    let (done, out, err) = run(&folder.0, &script).await;
    assert!(!done);
    assert!(err.contains("it is the one") && err.contains("line 29991"), "{err}");
    assert_eq!(seen.lock().unwrap().len(), 29_991, "nothing after it is handed over");
    assert_eq!(out.lines().count() % 29_990, 0, "each that was executed says so");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_in_a_script_is_asked_in_its_turn_and_a_fault_stops_it_there() {
    let folder = Folder::new("turn");
    let (shell, seen) = shell_with_scripts("none");
    let _server = serve(&socket_path(&folder.0, Language::Mdsh), shell).await.unwrap();
    let script =
        "extension -i -d 27000\nextension -p\nextension -i -d 27001\nextension -i -x 5\nextension -i -d 27002\n";
    let (done, _, err) = run(&folder.0, script).await;
    assert!(!done && err.contains("line 4"), "{err}");
    let queries: Vec<bool> = seen.lock().unwrap().iter().map(Command::is_query).collect();
    assert_eq!(queries, [false, true, false]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_that_is_killed_in_mid_command_has_done_nothing_of_it() {
    let folder = Folder::new("killed");
    let (_server, seen) = served(&folder.0).await;
    let path = socket_path(&folder.0, Language::Mdsh);
    tokio::task::spawn_blocking(move || {
        // All but the last byte of a request: what a killed client may have sent.
        let request = br#"{"script":"number_initiate -numbertype ED -number 43334"}"#;
        let mut stream = UnixStream::connect(&path).unwrap();
        stream.write_all(request).unwrap();
    })
    .await
    .unwrap();
    // Sessions are served in their order: this one is answered after the other has been given up.
    assert!(run(&folder.0, "number_print").await.0);
    assert_eq!(seen.lock().unwrap().len(), 1, "only what came whole");
}
