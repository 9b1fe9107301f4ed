//! Commands: one event each, checked in one place, answered when what they changed is durable.

use super::pins::Setting;
use super::{Server, Waiting};
use crate::commands::mailbox::{self, Mailbox, enabled, require_enabled};
use crate::commands::{Answer, Command, CommandError, PinView, Reply, RestoredPin, active_calls, pin, run};
use crate::storage::StoreRequest;
use crate::worker::call::Call;
use event::{Event, Now};
use state::{Change, CommitError};
use std::collections::BTreeMap;

/// A command is run so often at most when other servers change the configuration at the same moment.
const ATTEMPTS: u8 = 5;

impl Server {
    pub(super) fn command(&mut self, by: &str, command: Command, reply: Reply, now: Now) {
        let reply = self.recorded(by, &command, reply, now);
        self.run_command(command, reply, ATTEMPTS, now);
    }

    /// `attempts`: so often may it turn out that another server was at it at the same moment.
    pub(super) fn run_command(&mut self, command: Command, reply: Reply, attempts: u8, now: Now) {
        let all = matches!(command, Command::DisableService { immediate: true, .. });
        let cuts = self.configuration.cuts.clone();
        let again = (self.store.server().is_some() && attempts > 1).then(|| command.clone());
        let lamp = match &command {
            Command::SetMailbox { identity, .. } | Command::DisableMailbox { identity, .. } => {
                self.configuration.find_mailbox(identity).and_then(|mailbox| Some(mailbox.um.as_ref()?.mailbox.clone()))
            }
            _ => None,
        };
        match run(&mut self.configuration, command) {
            Ok(Ok((answer, changes))) => {
                let changed = !changes.is_empty();
                match again.filter(|_| changed) {
                    Some(command) => self.keep_or_run_again(changes, answer, reply, (command, attempts)),
                    None => self.keep(changes, Ok(answer), reply),
                }
                if changed {
                    self.configuration.index();
                    self.configuration_changed(now);
                    self.cut_off(&cuts, all, now);
                    // Its primary extension may be another one now, or it may have no lamp any more.
                    lamp.into_iter().for_each(|mailbox| self.lamp_changed(mailbox, true, now));
                }
            }
            Ok(Err(error)) => reply(Err(error)),
            Err(command) => self.command_of_server(command, reply, now),
        }
    }

    /// Commands that need more than the configuration.
    fn command_of_server(&mut self, command: Command, reply: Reply, now: Now) {
        match command {
            command @ Command::EnableMailbox { .. } => self.enable(command, reply, now),
            Command::SetPin { identity, pin, pin_expired, locked_out, restored, .. } => {
                self.set_pin_command(&identity, pin, (pin_expired, locked_out), &restored, reply);
            }
            Command::VerifyPin { identity, pin, door } => self.verify_pin(&identity, pin, door, reply, now),
            Command::RemoveUser { identity } => self.remove_user(&identity, reply),
            Command::StartPlayOnPhone { identity, number, message, greeting } => {
                let call = self.play_on_phone(&identity, number, (message.as_deref(), greeting), now);
                reply(call.map(Answer::PhoneCall));
            }
            Command::StartPromptRecording { dial_plan, attendant, prompt_file_name, number } => {
                let of = (dial_plan.as_deref(), attendant.as_deref());
                reply(self.record_prompt(of, prompt_file_name, &number, now).map(Answer::Done));
            }
            Command::GetPlayOnPhone { identity } => reply(self.phone_call(&identity).map(Answer::PhoneCall)),
            Command::StopPlayOnPhone { identity } => {
                reply(self.stop_play_on_phone(&identity, now).map(Answer::PhoneCall));
            }
            command @ Command::TestConnectivity { .. } => self.test_connectivity(command, reply, now),
            command @ Command::GetActiveCalls { .. } => {
                let filter = active_calls::filter(&self.configuration, &self.name, command);
                reply(filter.map(|takes| {
                    let calls = self.calls.values().map(|call| call.view(now));
                    Answer::Calls(calls.filter(takes).collect())
                }));
            }
            other => self.ask_records(other, reply),
        }
    }

    /// Ends all calls, or those of gateways that were told to cut them off since: on whichever server that was said.
    pub(super) fn cut_off(&mut self, before: &BTreeMap<String, u32>, all: bool, now: Now) {
        let after = &self.configuration.cuts;
        let cut = |call: &&Call| {
            let name = call.gateway.name.to_lowercase();
            all || after.get(&name) > before.get(&name)
        };
        let cut: Vec<u64> = self.calls.values().filter(cut).map(|call| call.number).collect();
        cut.into_iter().for_each(|call| self.hang_up(call, now));
    }

    /// As `keep`; if another server has changed something at the same moment, the command is run again on what is then.
    fn keep_or_run_again(
        &self,
        changes: Vec<Change>,
        answer: Answer,
        reply: Reply,
        (command, attempts): (Command, u8),
    ) {
        let refused = self.refused.clone();
        let done = move |committed: Result<(), CommitError>| match committed {
            Ok(()) => reply(Ok(answer)),
            Err(CommitError::Conflict) => refused.push((command, reply, attempts.saturating_sub(1))),
            Err(error) => reply(Err(CommandError::NotStored { reason: error.to_string() })),
        };
        self.store.commit(self.in_turn(changes), Box::new(done));
    }

    /// Of two servers that change the configuration at the same moment one is refused, whatever the two change: what one
    /// removes the other may just begin to refer to. For that, every change writes this row.
    fn in_turn(&self, mut changes: Vec<Change>) -> Vec<Change> {
        if let Some(server) = self.store.server() {
            changes.push(Change::put("configuration", "changed_by", server));
        }
        changes
    }

    /// Its messages go first: if the store is down, nothing is done.
    fn remove_user(&mut self, identity: &str, reply: Reply) {
        let (id, changes) = match mailbox::remove(&mut self.configuration, identity) {
            Ok(removed) => removed,
            Err(error) => return reply(Err(error)),
        };
        self.configuration.index();
        let Some(id) = id else { return self.keep(changes, Ok(Answer::Done(())), reply) };
        let (store, changes) = (self.store.clone(), self.in_turn(changes));
        let waiting = Waiting::Command(Box::new(move |removed| {
            let done = move |committed: Result<(), CommitError>| {
                reply(match (committed, removed) {
                    (Err(error), _) => Err(CommandError::NotStored { reason: error.to_string() }),
                    (Ok(()), Err(error)) => Err(CommandError::NotStored { reason: error.to_string() }),
                    (Ok(()), Ok(_)) => Ok(Answer::Done(())),
                });
            };
            store.commit(changes, Box::new(done));
        }));
        self.ask_store(StoreRequest::Remove(id), waiting);
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
        let done = move |committed: Result<(), CommitError>| match committed {
            Ok(()) => reply(result),
            Err(error) => reply(Err(CommandError::NotStored { reason: error.to_string() })),
        };
        self.store.commit(self.in_turn(changes), Box::new(done));
    }

    fn enable(&mut self, command: Command, reply: Reply, now: Now) {
        let Command::EnableMailbox {
            identity,
            policy,
            extensions,
            pin,
            pin_expired,
            restored,
            set_up_due,
            validate_only,
            ..
        } = command
        else {
            return reply(Err(CommandError::Busy));
        };
        let checked = enabled(&self.configuration, &identity, &policy, extensions)
            .and_then(|mailbox| Ok((mailbox, restored.record(pin_expired, None, pin.as_ref())?)));
        let (mut mailbox, restored) = match checked {
            Ok((_, None)) if set_up_due.is_some() => {
                return reply(Err(CommandError::bad("SetUpDue", "write -PINHash, too")));
            }
            Ok(checked) => checked,
            Err(error) => return reply(Err(error)),
        };
        if let Some(record) = restored {
            mailbox.um.iter_mut().for_each(|um| um.set_up_due = set_up_due.unwrap_or(false));
            if validate_only {
                return reply(Ok(Answer::Done(())));
            }
            let mut changes = Vec::new();
            let view = pin::view(&mailbox.name, &record, None);
            self.configuration.put_pin(&mailbox.name, record, &mut changes);
            self.configuration.mailboxes.put(mailbox.clone(), &mut changes);
            self.configuration.index();
            return self.mailbox_enabled(&mailbox, view, changes, reply, now);
        }
        let extensions = mailbox.um.as_ref().map(|um| um.extensions.clone()).unwrap_or_default();
        let setting = Setting {
            mailbox: mailbox.name.clone(),
            policy,
            made_up: None,
            // As Exchange has it: a PIN that was made up must be changed.
            expired: pin_expired.unwrap_or(pin.is_none()),
            locked: None,
            parameter: "PIN",
            enabling: Some(extensions.clone()),
            validate_only,
            reply,
        };
        self.set_pin(setting, pin, &extensions);
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
        let (store, changes) = (self.store.clone(), self.in_turn(changes));
        let waiting = Waiting::Command(Box::new(move |created| {
            let done = move |committed: Result<(), CommitError>| match (committed, created) {
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
        self.lamp_changed(id, true, now);
    }

    fn set_pin_command(
        &mut self,
        identity: &str,
        given: Option<String>,
        (expired, locked): (Option<bool>, Option<bool>),
        restored: &RestoredPin,
        reply: Reply,
    ) {
        let checked = self.configuration.require_mailbox(identity).cloned().and_then(|mailbox| {
            let record = restored.record(expired, locked, given.as_ref())?;
            // What an export has of a mailbox that is not enabled now waits for the next time.
            let um = if record.is_some() { mailbox.um.clone() } else { Some(require_enabled(&mailbox)?.clone()) };
            Ok((mailbox, um, record))
        });
        let (mailbox, um, restored) = match checked {
            Ok(checked) => checked,
            Err(error) => return reply(Err(error)),
        };
        let key = mailbox.name.to_lowercase();
        let only_marks = given.is_none() && (expired.is_some() || locked.is_some());
        if restored.is_some() || only_marks {
            let record = restored.unwrap_or_else(|| {
                let mut record = self.configuration.pins.get(&key).cloned().unwrap_or_default();
                record.expired = expired.unwrap_or(record.expired);
                if let Some(locked) = locked {
                    record.locked = locked;
                    record.failures = if locked { record.failures } else { 0 };
                }
                record
            });
            let view = pin::view(&mailbox.name, &record, None);
            let mut changes = Vec::new();
            self.configuration.put_pin(&key, record, &mut changes);
            return self.keep(changes, Ok(Answer::Pin(view)), reply);
        }
        let Some(um) = um else { return reply(Err(CommandError::Busy)) };
        let setting = Setting {
            mailbox: mailbox.name.clone(),
            policy: um.policy.clone(),
            made_up: None,
            expired: expired.unwrap_or(given.is_none()),
            locked,
            parameter: "Pin",
            enabling: None,
            validate_only: false,
            reply,
        };
        self.set_pin(setting, given, &um.extensions);
    }
}
