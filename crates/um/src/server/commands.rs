//! Commands: one event each, checked in one place, answered when what they changed is durable.

use super::pins::Setting;
use super::{Server, Waiting};
use crate::commands::mailbox::{Mailbox, enabled};
use crate::commands::{Answer, Command, CommandError, PinView, Reply, pin, run};
use crate::storage::StoreRequest;
use event::{Event, Now};
use state::Change;

impl Server {
    pub(super) fn command(&mut self, by: &str, command: Command, reply: Reply, now: Now) {
        let reply = self.recorded(by, &command, reply, now);
        match run(&mut self.configuration, command) {
            Ok(Ok((answer, changes))) => {
                let changed = !changes.is_empty();
                self.keep(changes, Ok(answer), reply);
                if changed {
                    self.configuration.index();
                    self.configuration_changed(now);
                }
            }
            Ok(Err(error)) => reply(Err(error)),
            Err(Command::EnableMailbox { identity, policy, extensions, pin, pin_expired }) => {
                self.enable(&identity, &policy, extensions, (pin, pin_expired), reply);
            }
            Err(Command::SetPin { identity, pin, pin_expired, locked_out }) => {
                self.set_pin_command(&identity, pin, pin_expired, locked_out, reply);
            }
            Err(Command::VerifyPin { identity, pin, door }) => self.verify_pin(&identity, pin, door, reply, now),
            Err(_) => {
                let calls = self.calls.values().map(|call| call.view(now)).collect();
                reply(Ok(Answer::Calls(calls)));
            }
        }
    }

    /// Puts the command's record in front of its reply.
    fn recorded(&self, by: &str, command: &Command, reply: Reply, now: Now) -> Reply {
        if !command.changes() {
            return reply;
        }
        let (sink, by, name) = (self.sink.clone(), by.to_owned(), command.cmdlet().to_owned());
        Box::new(move |result| {
            sink.emit(now, Event::CommandRun { by, command: name, accepted: result.is_ok() });
            reply(result);
        })
    }

    /// Answers when the changes are durable.
    pub(super) fn keep(&self, changes: Vec<Change>, result: Result<Answer, CommandError>, reply: Reply) {
        if changes.is_empty() {
            return reply(result);
        }
        let done = move |committed: Result<(), state::CommitError>| match committed {
            Ok(()) => reply(result),
            Err(error) => reply(Err(CommandError::NotStored { reason: error.to_string() })),
        };
        self.store.commit(changes, Box::new(done));
    }

    fn enable(
        &mut self,
        identity: &str,
        policy: &str,
        extensions: Option<Vec<String>>,
        (given, expired): (Option<String>, Option<bool>),
        reply: Reply,
    ) {
        let mailbox = match enabled(&self.configuration, identity, policy, extensions) {
            Ok(mailbox) => mailbox,
            Err(error) => return reply(Err(error)),
        };
        let extensions = mailbox.um.as_ref().map(|um| um.extensions.clone()).unwrap_or_default();
        let setting = Setting {
            mailbox: mailbox.name.clone(),
            policy: policy.to_owned(),
            made_up: None,
            // As Exchange has it: a PIN that was made up must be changed.
            expired: expired.unwrap_or(given.is_none()),
            locked: None,
            parameter: "PIN",
            enabled: Some(mailbox),
            reply,
        };
        self.set_pin(setting, given, &extensions);
    }

    /// The mailbox is made in the store too before anybody is told; a store that is down makes it at the first delivery.
    pub(super) fn mailbox_enabled(
        &mut self,
        mailbox: &Mailbox,
        view: PinView,
        changes: Vec<Change>,
        reply: Reply,
        now: Now,
    ) {
        let Some(um) = &mailbox.um else { return reply(Ok(Answer::Pin(view))) };
        let store = self.store.clone();
        let waiting = Waiting::Create(Box::new(move |created| {
            let done = move |committed: Result<(), state::CommitError>| match (committed, created) {
                (Err(error), _) => reply(Err(CommandError::NotStored { reason: error.to_string() })),
                (Ok(()), Err(error)) => reply(Err(CommandError::NotStored { reason: error.to_string() })),
                (Ok(()), Ok(_)) => reply(Ok(Answer::Pin(view))),
            };
            store.commit(changes, Box::new(done));
        }));
        let id = um.mailbox.clone();
        self.ask_store(StoreRequest::Create(id.clone()), waiting);
        let language = self.configuration.language_of(mailbox);
        self.sounds.prepare(&mailbox.shown_name(), language);
        self.lamp_changed(id, now);
    }

    fn set_pin_command(
        &mut self,
        identity: &str,
        given: Option<String>,
        expired: Option<bool>,
        locked: Option<bool>,
        reply: Reply,
    ) {
        let mailbox = match self.configuration.require_mailbox(identity) {
            Ok(mailbox) => mailbox.clone(),
            Err(error) => return reply(Err(error)),
        };
        let Some(um) = &mailbox.um else {
            let mend = format!("{:?} is not enabled: use Enable-UMMailbox", mailbox.name);
            return reply(Err(CommandError::bad("Identity", mend)));
        };
        if given.is_none() && (expired.is_some() || locked.is_some()) {
            // Only the marks change.
            let key = mailbox.name.to_lowercase();
            let mut record = self.configuration.pins.get(&key).cloned().unwrap_or_default();
            record.expired = expired.unwrap_or(record.expired);
            if let Some(locked) = locked {
                record.locked = locked;
                record.failures = if locked { record.failures } else { 0 };
            }
            let view = pin::view(&mailbox.name, &record, None);
            let mut changes = Vec::new();
            self.configuration.put_pin(&key, record, &mut changes);
            return self.keep(changes, Ok(Answer::Pin(view)), reply);
        }
        let setting = Setting {
            mailbox: mailbox.name.clone(),
            policy: um.policy.clone(),
            made_up: None,
            expired: expired.unwrap_or(given.is_none()),
            locked,
            parameter: "Pin",
            enabled: None,
            reply,
        };
        self.set_pin(setting, given, &um.extensions);
    }
}
