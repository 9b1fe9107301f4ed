//! The other end of a shell's socket: one command, a script, or a person at a terminal.

use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use reedline::{
    ColumnarMenu, Completer, CompletionResult, DefaultPrompt, DefaultPromptSegment, Emacs, KeyCode, KeyModifiers,
    MenuBuilder, Reedline, ReedlineEvent, ReedlineMenu, Signal, Span, Suggestion, ValidationResult, Validator,
    default_emacs_keybindings,
};

use crate::history::Discreet;
use crate::protocol::{Greeting, MAX_LINE, MAX_REQUEST, Request, Response};
use crate::server::socket_path;
use crate::session::Language;

/// Why a shell could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No process listens in that data folder: start it first, or name the folder that it uses.
    #[error("nothing runs in {}: start it first, or name its data folder with --data", .0.display())]
    NotRunning(PathBuf),
    /// The socket belongs to another user.
    #[error("{} belongs to another user: run as that user, or as root", .0.display())]
    NotAllowed(PathBuf),
    /// The process ended, or turned the session away.
    #[error("the process has ended the session")]
    Ended,
    /// What came is not this protocol, or not this language.
    #[error("{} is no {} shell", path.display(), language.name())]
    Stranger { path: PathBuf, language: Language },
    /// The terminal, standard input or output.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// A session with a running process.
pub struct Client {
    language: Language,
    read: BufReader<UnixStream>,
    write: UnixStream,
    /// Whether parts of a script are sent after one in which something was refused.
    goes_on: bool,
}

impl Client {
    /// Reaches the process that uses the data folder `data`.
    ///
    /// # Errors
    /// [`ClientError`]
    pub fn connect(data: &Path, language: Language) -> Result<Client, ClientError> {
        let path = socket_path(data, language);
        let write = UnixStream::connect(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => ClientError::NotRunning(data.into()),
            io::ErrorKind::PermissionDenied => ClientError::NotAllowed(path.clone()),
            _ => ClientError::Io(error),
        })?;
        let mut client = Client { language, read: BufReader::new(write.try_clone()?), write, goes_on: false };
        let greeting = client.line()?;
        match serde_json::from_str::<Greeting>(&greeting) {
            Ok(greeting) if greeting.language == language => Ok(client),
            _ => Err(ClientError::Stranger { path, language }),
        }
    }

    /// Has a script executed; what each statement prints goes to `out`, why one was refused to `err`. Whether all of
    /// it was executed.
    ///
    /// # Errors
    /// [`ClientError`]
    pub fn run(&mut self, script: &str, out: &mut dyn Write, err: &mut dyn Write) -> Result<bool, ClientError> {
        if script.len() <= MAX_REQUEST {
            return self.request(&Request::Script(script.into()), out, err);
        }
        let statements = match self.language.statements(script) {
            Ok(statements) => statements,
            Err(fault) => {
                writeln!(err, "{fault}")?;
                return Ok(false);
            }
        };
        let (mut size, mut all) = (0, true);
        let mut part = Vec::new();
        for statement in statements {
            size += statement.text.len();
            part.push(statement);
            if size >= MAX_REQUEST {
                size = 0;
                all &= self.request(&Request::Statements(std::mem::take(&mut part)), out, err)?;
                if !(all || self.goes_on) {
                    return Ok(false);
                }
            }
        }
        Ok(self.request(&Request::Statements(part), out, err)? && all)
    }

    /// From now on scripts do not stop at what is refused.
    ///
    /// # Errors
    /// [`ClientError`]
    pub fn go_on(&mut self) -> Result<(), ClientError> {
        self.goes_on = true;
        self.request(&Request::GoOn, &mut io::sink(), &mut io::sink()).map(drop)
    }

    fn request(&mut self, request: &Request, out: &mut dyn Write, err: &mut dyn Write) -> Result<bool, ClientError> {
        let mut request = serde_json::to_vec(request).map_err(io::Error::other)?;
        request.push(b'\n');
        self.write.write_all(&request).map_err(|_| ClientError::Ended)?;
        loop {
            let line = self.line()?;
            let stranger = |_| ClientError::Io(io::Error::other("the process answered in no known form"));
            match serde_json::from_str(&line).map_err(stranger)? {
                Response::Said(text) => {
                    out.write_all(text.as_bytes())?;
                    // Nothing more is here to be read: whoever looks on sees all of it.
                    if self.read.buffer().is_empty() {
                        out.flush()?;
                    }
                }
                Response::Refused(text) => writeln!(err, "{text}")?,
                Response::Done(all) => return Ok(all),
            }
        }
    }

    fn line(&mut self) -> Result<String, ClientError> {
        let mut line = String::new();
        let limit = u64::try_from(MAX_LINE).unwrap_or(u64::MAX);
        let read = (&mut self.read).take(limit).read_line(&mut line);
        match read {
            Ok(_) if line.ends_with('\n') => Ok(line),
            _ => Err(ClientError::Ended),
        }
    }
}

/// What `earcon mdsh` and `earcon umsh` do: `command` (of `-c`) when there is one, else standard input as a script, else
/// a person. Whether all was executed: the exit code. With `go_on` a script does not stop at what is refused.
///
/// # Errors
/// [`ClientError`]
pub fn run(data: &Path, language: Language, command: Option<&str>, go_on: bool) -> Result<bool, ClientError> {
    let mut client = Client::connect(data, language)?;
    let (mut out, mut err) = (io::stdout(), io::stderr());
    if go_on {
        client.go_on()?;
    }
    if let Some(command) = command {
        return client.run(command, &mut out, &mut err);
    }
    if !io::stdin().is_terminal() {
        let mut script = String::new();
        io::stdin().read_to_string(&mut script)?;
        return client.run(&script, &mut out, &mut err);
    }
    person(&mut client, data)
}

/// A person at a terminal: history in the data folder, completion by Tab, lines that break off go on.
fn person(client: &mut Client, data: &Path) -> Result<bool, ClientError> {
    let language = client.language;
    let mut keys = default_emacs_keybindings();
    let tab = vec![ReedlineEvent::Menu("completion".into()), ReedlineEvent::MenuNext];
    keys.add_binding(KeyModifiers::NONE, KeyCode::Tab, ReedlineEvent::UntilFound(tab));
    let menu = ColumnarMenu::default().with_name("completion").with_columns(3);
    let mut editor = Reedline::create()
        .with_completer(Box::new(Completion { language, names: Client::connect(data, language).ok() }))
        .with_validator(Box::new(LineEnds(language)))
        .with_menu(ReedlineMenu::EngineCompleter(Box::new(menu)))
        .with_quick_completions(true)
        .with_partial_completions(true)
        .with_edit_mode(Box::new(Emacs::new(keys)));
    let history = data.join(format!("{}.history", language.name()));
    // Without a history (a folder that cannot be written) the shell still works.
    if let Ok(history) = Discreet::open(&history, language) {
        editor = editor.with_history(Box::new(history));
    }
    let prompt = DefaultPrompt::new(DefaultPromptSegment::Basic(language.name().into()), DefaultPromptSegment::Empty);
    println!("{}: help lists the commands, Tab completes, exit leaves.", language.name());
    let (mut out, mut err) = (io::stdout(), io::stderr());
    loop {
        match editor.read_line(&prompt)? {
            Signal::Success(text) => match text.trim() {
                "" => {}
                "exit" | "quit" | "exit;" | "quit;" => return Ok(true),
                text if !confirmed(language.question(text))? => {}
                text => drop(client.run(text, &mut out, &mut err)?),
            },
            Signal::CtrlD => return Ok(true),
            _ => {}
        }
    }
}

/// Asks; whether the answer is yes. Enter alone is yes, as in PowerShell; the end of input is no.
fn confirmed(question: Option<String>) -> io::Result<bool> {
    let Some(question) = question else { return Ok(true) };
    loop {
        print!("{question}");
        io::stdout().flush()?;
        let mut answer = String::new();
        if io::stdin().read_line(&mut answer)? == 0 {
            return Ok(false);
        }
        match answer.trim().to_ascii_lowercase().as_str() {
            "" | "y" | "yes" => return Ok(true),
            "n" | "no" => return Ok(false),
            _ => {}
        }
    }
}

/// Completion by a language's table; names of objects over a session of its own.
struct Completion {
    language: Language,
    names: Option<Client>,
}

impl Completer for Completion {
    fn complete(&mut self, line: &str, position: usize) -> CompletionResult {
        let names = &mut self.names;
        let mut ask = |line: &str| {
            let (mut out, mut err) = (Vec::new(), Vec::new());
            let done = names.as_mut()?.run(line, &mut out, &mut err).ok()?;
            String::from_utf8(out).ok().filter(|_| done)
        };
        let (start, found) = self.language.complete_with(line, position, &mut ask);
        let span = Span { start: start.min(position), end: position };
        let suggestions: Vec<Suggestion> = found
            .into_iter()
            .map(|(value, help)| Suggestion { value, description: Some(help), span, ..Suggestion::default() })
            .collect();
        CompletionResult::fresh(suggestions)
    }
}

/// Whether a line goes on.
struct LineEnds(Language);

impl Validator for LineEnds {
    fn validate(&self, line: &str) -> ValidationResult {
        if self.0.breaks_off(line) { ValidationResult::Incomplete } else { ValidationResult::Complete }
    }
}
