//! A shell bound to what executes its commands.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::fault::{Fault, Located, Statement};
use crate::net::Net;
use crate::{mml, powershell, script};

/// How long a command may take: storing on a slow disk, hashing a PIN.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

/// Hands over a command; its reply is called once, from any thread.
pub(crate) type Execute<C, A, E> = Arc<dyn Fn(C, Box<dyn FnOnce(Result<A, E>) + Send>) + Send + Sync>;

/// Which of the two languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// The node's: MML and unix-style lines.
    Mdsh,
    /// The UM server's: cmdlets in PowerShell's syntax.
    Umsh,
}

impl Language {
    /// `mdsh` or `umsh`: the subcommand, the prompt, and the socket's name.
    pub fn name(self) -> &'static str {
        match self {
            Language::Mdsh => "mdsh",
            Language::Umsh => "umsh",
        }
    }

    /// The statements of a script, comments left out.
    pub fn statements(self, script: &str) -> Result<Vec<Statement>, Located> {
        match self {
            Language::Mdsh => Ok(mml::statements(script)),
            Language::Umsh => powershell::statements(script),
        }
    }

    /// Whether somebody who typed this has more to type (an open quote, a line that breaks off).
    pub fn breaks_off(self, text: &str) -> bool {
        match self {
            Language::Mdsh => mml::breaks_off(text),
            Language::Umsh => powershell::breaks_off(text),
        }
    }

    /// The text with stars for the secrets in it (SIP passwords, PINs). Of a text that cannot be read, and that may have
    /// some, only its first word is left.
    pub fn masked(self, text: &str) -> String {
        if self == Language::Umsh {
            return powershell::masked(text);
        }
        let Ok(statements) = self.statements(text) else { return mentioned(text) };
        let mut shown = text.to_string();
        for statement in statements {
            let secrets = mml::secrets(&statement.text);
            let Some(secrets) = secrets else { return mentioned(text) };
            for secret in secrets.into_iter().filter_map(|span| statement.text.get(span)).filter(|s| !s.is_empty()) {
                shown = shown.replace(secret, "****");
            }
        }
        shown
    }

    /// What a person is asked before this is carried out; `None` when nobody has to be asked.
    pub fn question(self, text: &str) -> Option<String> {
        match self {
            Language::Mdsh => None,
            Language::Umsh => powershell::question(text),
        }
    }

    /// The reference page of the language's commands, as Markdown.
    pub fn reference(self) -> String {
        match self {
            Language::Mdsh => mml::reference(),
            Language::Umsh => powershell::reference(),
        }
    }

    /// Whether a statement says that scripts go on after an error, or that they stop there; most say neither.
    pub(crate) fn goes_on(self, statement: &Statement) -> Option<bool> {
        match self {
            Language::Mdsh => mml::goes_on(statement),
            Language::Umsh => None,
        }
    }

    /// What can stand at the cursor: from which byte of the line on it is replaced, and by what, each with a help text.
    pub fn complete(self, line: &str, cursor: usize) -> (usize, Vec<(String, String)>) {
        self.complete_with(line, cursor, &mut |_| None)
    }

    /// The same with the names of objects: `ask` has a line executed, and gives what it prints.
    pub fn complete_with(
        self,
        line: &str,
        cursor: usize,
        ask: &mut dyn FnMut(&str) -> Option<String>,
    ) -> (usize, Vec<(String, String)>) {
        match self {
            Language::Mdsh => mml::complete(line, cursor),
            Language::Umsh => powershell::complete(line, cursor, ask),
        }
    }
}

fn mentioned(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    match ["auth", "pin", "password"].iter().any(|word| lower.contains(word)) {
        true => text.split_whitespace().next().unwrap_or_default().into(),
        false => text.into(),
    }
}

/// What executes the commands of a language.
#[derive(Clone)]
enum Executor {
    Node(mml::Node),
    Server(powershell::Server),
}

/// A shell: a language, and what executes its commands. Cheap to clone.
#[derive(Clone)]
pub struct Shell {
    executor: Executor,
    /// The node's way for many commands at once.
    scripts: Option<mml::Scripts>,
    net: Option<Net>,
    data: Option<PathBuf>,
}

/// What a statement printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    pub output: String,
    /// What was read otherwise than it was written.
    pub notes: Vec<String>,
}

impl Said {
    pub(crate) fn text(output: String) -> Said {
        Said { output, notes: Vec::new() }
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for note in &self.notes {
            writeln!(f, "# {note}")?;
        }
        write!(f, "{}", self.output)
    }
}

/// A statement refused, before it is told where in the script it stands.
pub(crate) struct Refusal {
    pub fault: Fault,
    pub secrets: Vec<Range<usize>>,
    pub notes: Vec<String>,
}

impl Refusal {
    pub(crate) fn at(fault: Fault) -> Refusal {
        Refusal { fault, secrets: Vec::new(), notes: Vec::new() }
    }
}

/// Everything that a script printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transcript {
    pub entries: Vec<(Statement, Said)>,
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entries.iter().try_for_each(|(_, said)| write!(f, "{said}"))
    }
}

/// The script stopped at this statement; those before it were executed, this one and those after it not.
#[derive(Clone, Debug)]
pub struct ScriptError {
    pub fault: Located,
    /// What was executed before.
    pub done: Transcript,
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.fault)
    }
}

impl std::error::Error for ScriptError {}

impl Shell {
    /// The node's shell. `execute` hands a command to the node and calls the reply once, from whatever thread.
    pub fn node<F>(execute: F) -> Shell
    where
        F: Fn(pbx::commands::Command, pbx::commands::Reply) + Send + Sync + 'static,
    {
        Shell { executor: Executor::Node(Arc::new(execute)), scripts: None, net: None, data: None }
    }

    /// The UM server's shell. `execute` hands a command to the server and calls the reply once, from whatever thread.
    pub fn um<F>(execute: F) -> Shell
    where
        F: Fn(um::commands::Command, um::commands::Reply) + Send + Sync + 'static,
    {
        Shell { executor: Executor::Server(Arc::new(execute)), scripts: None, net: None, data: None }
    }

    /// Lets scripts hand over many commands at once, of those that only change the node's configuration. `execute` has them
    /// executed one after the other up to the first that is refused, and replies once, with a result each, when those that
    /// were not refused are durable.
    #[must_use]
    pub fn with_scripts<F>(self, execute: F) -> Shell
    where
        F: Fn(Vec<pbx::commands::Command>, pbx::commands::ScriptReply) + Send + Sync + 'static,
    {
        let scripts: mml::Scripts =
            Arc::new(move |commands, reply| execute(commands, Box::new(move |results| reply(Ok(results)))));
        Shell { scripts: Some(scripts), ..self }
    }

    pub(crate) fn scripts(&self) -> Option<(&mml::Scripts, Option<&Net>)> {
        Some((self.scripts.as_ref()?, self.net.as_ref()))
    }

    /// Reads the guide's addresses (192.168.222.x) as those of another net, and says so at each line.
    #[must_use]
    pub fn with_net(self, net: Net) -> Shell {
        Shell { net: Some(net), ..self }
    }

    /// Where the process keeps its data: backups go there.
    #[must_use]
    pub fn with_folder(self, data: PathBuf) -> Shell {
        Shell { data: Some(data), ..self }
    }

    pub fn language(&self) -> Language {
        match self.executor {
            Executor::Node(_) => Language::Mdsh,
            Executor::Server(_) => Language::Umsh,
        }
    }

    /// Executes one statement. Waits for the answer: never call it on the thread that executes commands.
    ///
    /// # Errors
    /// What is wrong and where; nothing was changed then.
    pub fn execute(&self, statement: &Statement) -> Result<Said, Located> {
        let net = self.net.as_ref();
        let result = match &self.executor {
            Executor::Node(node) => mml::run(statement, net, self.data.as_deref(), node),
            Executor::Server(server) => powershell::run(statement, net, server),
        };
        result.map_err(|refusal| located(refusal, statement))
    }

    /// Executes a script, statement by statement, and stops at the first that is refused. Waits for each.
    ///
    /// # Errors
    /// [`ScriptError`]: which statement was refused and why, and what had been done before it.
    pub fn run_script(&self, text: &str) -> Result<Transcript, Box<ScriptError>> {
        let mut done = Transcript::default();
        let statements = match self.language().statements(text) {
            Ok(statements) => statements,
            Err(fault) => return Err(Box::new(ScriptError { fault, done })),
        };
        let mut refused = None;
        let each = &mut |statement, result| match result {
            Ok(said) => {
                done.entries.push((statement, said));
                true
            }
            Err(fault) => {
                refused = Some(fault);
                false
            }
        };
        script::run(self, statements, each);
        if let Some(fault) = refused {
            return Err(Box::new(ScriptError { fault, done }));
        }
        Ok(done)
    }
}

/// A refusal with its place in the script.
pub(crate) fn located(refusal: Refusal, statement: &Statement) -> Located {
    let mut located = refusal.fault.located(statement, &refusal.secrets);
    // First how the line was read, then what is wrong with it, next to its place.
    for note in refusal.notes.iter().rev() {
        located.message = format!("# {note}\n{}", located.message);
    }
    located
}
