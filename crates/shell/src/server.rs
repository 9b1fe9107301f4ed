//! A shell on a Unix socket in the data folder of its process.
//!
//! Only root and the user who runs the process are let in, by the credentials that the kernel vouches for; the socket's
//! mode says so too. A few sessions at once are enough: the next waits outside until one leaves.

use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;

use crate::protocol::{Greeting, MAX_LINE, Request, Response};
use crate::script;
use crate::session::{Language, Shell};

/// Sessions at once.
const SESSIONS: usize = 16;

/// Responses that may wait for their client.
const RESPONSES: usize = 64;

/// Why a shell is not served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The path is longer than a Unix socket's may be (107 bytes): use a data folder with a shorter path.
    #[error("{} is too long for a socket: use a data folder with a shorter path", .0.display())]
    PathTooLong(PathBuf),
    /// Another process answers there: it uses this data folder.
    #[error("{} is in use: another process runs in this data folder", .0.display())]
    InUse(PathBuf),
    /// The folder is not writable, or does not exist.
    #[error("{}: {error}", path.display())]
    Io { path: PathBuf, error: io::Error },
}

/// Where the shell of a process is reached: `mdsh.sock` or `umsh.sock` in its data folder.
pub fn socket_path(data: &Path, language: Language) -> PathBuf {
    data.join(format!("{}.sock", language.name()))
}

/// A served shell. Dropped, it takes no more sessions and removes its socket.
#[derive(Debug)]
pub struct Server {
    path: PathBuf,
    accepting: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
        // Gone already, or not: either way nobody is served.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Serves `shell` at `path` until the returned value is dropped. Within a tokio runtime.
///
/// # Errors
/// [`ServeError`]
pub async fn serve(path: &Path, shell: Shell) -> Result<Server, ServeError> {
    let failed = |error| ServeError::Io { path: path.into(), error };
    // sun_path has 108 bytes with its NUL.
    if path.as_os_str().len() > 107 {
        return Err(ServeError::PathTooLong(path.into()));
    }
    if UnixStream::connect(path).await.is_ok() {
        return Err(ServeError::InUse(path.into()));
    }
    // What a killed process left behind; there may be nothing.
    let _ = std::fs::remove_file(path);
    let listener = UnixListener::bind(path).map_err(failed)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    let owner = std::fs::metadata(path).map_err(failed)?.uid();

    let places = Arc::new(Semaphore::new(SESSIONS));
    let accepting = tokio::spawn(async move {
        loop {
            let Ok(place) = places.clone().acquire_owned().await else { return };
            // An accept that fails (no file descriptor left) must not spin.
            let Ok((stream, _)) = listener.accept().await else {
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                continue;
            };
            if !stream.peer_cred().is_ok_and(|peer| peer.uid() == 0 || peer.uid() == owner) {
                continue;
            }
            let shell = shell.clone();
            tokio::spawn(async move {
                let _place = place;
                // A session that breaks is over; there is nobody left to tell.
                let _ = session(stream, shell).await;
            });
        }
    });
    Ok(Server { path: path.into(), accepting })
}

async fn session(stream: UnixStream, shell: Shell) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    let greeting = Greeting { language: shell.language(), version: env!("CARGO_PKG_VERSION").into() };
    write.write_all(&line(&greeting)?).await?;
    let mut goes_on = false;
    loop {
        let mut bytes = Vec::new();
        let limit = u64::try_from(MAX_LINE).unwrap_or(u64::MAX);
        (&mut read).take(limit).read_until(b'\n', &mut bytes).await?;
        if bytes.last() != Some(&b'\n') {
            return Ok(());
        }
        let Ok(request) = serde_json::from_slice::<Request>(&bytes) else {
            write.write_all(&line(&Response::Refused("not a request".into()))?).await?;
            return Ok(());
        };
        // Commands are waited for, so they run where waiting is allowed; their answers come as they are ready.
        let (send, mut responses) = mpsc::channel(RESPONSES);
        let shell = shell.clone();
        let running = tokio::task::spawn_blocking(move || {
            let all = execute(&shell, request, &send, &mut goes_on);
            (all, goes_on)
        });
        // What is there at once is written at once.
        let mut ready = Vec::new();
        while responses.recv_many(&mut ready, RESPONSES).await > 0 {
            let mut bytes = Vec::new();
            for response in ready.drain(..) {
                bytes.append(&mut line(&response)?);
            }
            write.write_all(&bytes).await?;
        }
        let all;
        (all, goes_on) = running.await.unwrap_or((false, goes_on));
        write.write_all(&line(&Response::Done(all))?).await?;
    }
}

/// Executes a script; whether all of it was executed. It stops at what is refused, unless it `goes_on` (which it may
/// say itself), and when nobody listens any more.
fn execute(shell: &Shell, request: Request, send: &mpsc::Sender<Response>, goes_on: &mut bool) -> bool {
    let statements = match request {
        Request::Statements(statements) => Ok(statements),
        Request::Script(script) => shell.language().statements(&script),
        Request::GoOn => {
            *goes_on = true;
            return true;
        }
    };
    let statements = match statements {
        Ok(statements) => statements,
        Err(fault) => {
            let _ = send.blocking_send(Response::Refused(fault.to_string()));
            return false;
        }
    };
    script::run_through(shell, statements, goes_on, &mut |_, result| {
        let mut responses: Box<dyn Iterator<Item = Response>> = match result {
            Ok(said) => Box::new(pieces(said.to_string()).map(Response::Said)),
            Err(fault) => Box::new(std::iter::once(Response::Refused(fault.to_string()))),
        };
        responses.try_for_each(|response| send.blocking_send(response)).is_ok()
    })
}

/// A long text (the export of a large system) in pieces that fit into a line of the socket, whatever is escaped in them.
fn pieces(text: String) -> impl Iterator<Item = String> {
    let mut rest = text;
    let mut first = true;
    std::iter::from_fn(move || {
        if rest.is_empty() && !first {
            return None;
        }
        first = false;
        let mut at = rest.len().min(MAX_LINE / 8);
        while !rest.is_char_boundary(at) {
            at -= 1;
        }
        let tail = rest.split_off(at);
        Some(std::mem::replace(&mut rest, tail))
    })
}

fn line(message: &impl serde::Serialize) -> io::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec(message).map_err(io::Error::other)?;
    bytes.push(b'\n');
    Ok(bytes)
}
