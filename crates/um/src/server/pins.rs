//! PINs: one check at a time for a mailbox, whatever the door, so that failures are counted one by one; hashing is done
//! elsewhere and answered by ticket.

use super::Server;
use super::reload::{Again, Refused};
use crate::commands::mailbox::Mailbox;
use crate::commands::value::Limit;
use crate::commands::{Answer, CommandError, Door, PinVerdict, Reply as CommandReply, mailbox as mailboxes, pin};
use crate::dialogue::{PinCheck, Reply, RequestId};
use crate::people::hashing::NOBODY;
use crate::people::{HashAnswer, HashJob, PinProblem, PinRecord, check_rules, made_up};
use event::{Event, Now};
use mailbox::MailboxId;
use rand::RngExt as _;
use state::Change;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Checks of one mailbox that may wait; more are told that the server is busy.
const MOST_WAITING: usize = 8;

/// Who asked for a check.
enum Asker {
    Dialogue(u64, RequestId),
    Command(CommandReply),
}

struct Check {
    pin: String,
    door: Door,
    asker: Asker,
}

/// What a hash is made or checked for.
enum Job {
    /// The first of the mailbox's queue.
    Check(String),
    /// Nobody's PIN is checked, so that the answer takes as long as if there were a mailbox.
    Nobody(CommandReply),
    /// A PIN is set by a command.
    Set(Box<Setting>),
    /// A PIN is changed by phone.
    Change { call: u64, request: RequestId, mailbox: String },
}

/// A command that sets a PIN.
pub(super) struct Setting {
    /// For Enable-UMMailbox: the extensions. What else has changed since is looked at again when the hash is there.
    pub(super) enabling: Option<Vec<String>>,
    pub(super) mailbox: String,
    pub(super) policy: String,
    pub(super) made_up: Option<String>,
    pub(super) expired: bool,
    pub(super) locked: Option<bool>,
    pub(super) parameter: &'static str,
    /// Only the rules are checked.
    pub(super) validate_only: bool,
    pub(super) reply: CommandReply,
}

/// Checks that wait, by mailbox; the first of each is being hashed.
#[derive(Default)]
pub(crate) struct PinChecks {
    queues: BTreeMap<String, VecDeque<Check>>,
    jobs: BTreeMap<u64, Job>,
    /// Counts and PINs that another server's were in the way of.
    pub(super) refused: Refused<(String, Again)>,
}

impl Server {
    // ---- checking ----

    pub(crate) fn check_pin_by_phone(
        &mut self,
        call: u64,
        request: RequestId,
        mailbox: MailboxId,
        pin: String,
        now: Now,
    ) -> Option<PinCheck> {
        let Some(owner) = self.configuration.by_mailbox_id(&mailbox).cloned() else { return Some(PinCheck::Wrong) };
        self.check_pin(&owner, Check { pin, door: Door::Phone, asker: Asker::Dialogue(call, request) }, now);
        None
    }

    pub(super) fn verify_pin(&mut self, identity: &str, pin: String, door: Door, reply: CommandReply, now: Now) {
        let owner = self.configuration.find_mailbox(identity).filter(|mailbox| mailbox.um.is_some()).cloned();
        match owner {
            Some(owner) => self.check_pin(&owner, Check { pin, door, asker: Asker::Command(reply) }, now),
            None => {
                let ticket = self.next_number();
                match self.hasher.submit(HashJob::Verify { pin, hash: NOBODY.into() }, ticket) {
                    Ok(()) => {
                        self.pins.jobs.insert(ticket, Job::Nobody(reply));
                    }
                    Err(_) => reply(Err(CommandError::Busy)),
                }
            }
        }
    }

    fn check_pin(&mut self, owner: &Mailbox, check: Check, now: Now) {
        let key = owner.name.to_lowercase();
        if self.configuration.pins.get(&key).is_none_or(|record| record.locked) {
            return self.checked(owner, check.asker, PinCheck::Locked, now);
        }
        let queue = self.pins.queues.entry(key.clone()).or_default();
        if queue.len() >= MOST_WAITING {
            return self.checked(owner, check.asker, PinCheck::Busy, now);
        }
        queue.push_back(check);
        if queue.len() == 1 {
            self.check_next(&key, now);
        }
    }

    /// Has the first of a mailbox's queue hashed. Without one, the queue goes.
    fn check_next(&mut self, key: &str, now: Now) {
        loop {
            let Some(queue) = self.pins.queues.get(key) else { return };
            let Some(check) = queue.front() else {
                self.pins.queues.remove(key);
                return;
            };
            let record = self.configuration.pins.get(key).filter(|record| !record.locked);
            let submitted = record.map(|record| {
                let job = HashJob::Verify { pin: check.pin.clone(), hash: record.hash.clone() };
                let ticket = self.random.next_after(self.last);
                self.last = ticket;
                self.hasher.submit(job, ticket).map(|()| ticket)
            });
            let refused = match submitted {
                Some(Ok(ticket)) => {
                    self.pins.jobs.insert(ticket, Job::Check(key.to_owned()));
                    return;
                }
                Some(Err(_)) => PinCheck::Busy,
                None => PinCheck::Locked,
            };
            let check = self.pins.queues.get_mut(key).and_then(VecDeque::pop_front);
            if let (Some(check), Some(owner)) = (check, self.configuration.mailboxes.get(key).cloned()) {
                self.checked(&owner, check.asker, refused, now);
            }
        }
    }

    /// A hash was made or checked.
    pub(super) fn hashed(&mut self, ticket: u64, answer: HashAnswer, now: Now) {
        match self.pins.jobs.remove(&ticket) {
            Some(Job::Check(key)) => {
                let check = self.pins.queues.get_mut(&key).and_then(VecDeque::pop_front);
                if let (Some(check), Some(owner)) = (check, self.configuration.mailboxes.get(&key).cloned()) {
                    let verdict = self.count(&owner, check.door, answer == HashAnswer::Right, now);
                    self.checked(&owner, check.asker, verdict, now);
                }
                self.check_next(&key, now);
            }
            Some(Job::Nobody(reply)) => reply(Ok(Answer::PinVerdict(PinVerdict::Wrong))),
            Some(Job::Set(setting)) => self.set_pin_hashed(*setting, answer, now),
            Some(Job::Change { call, request, mailbox }) => {
                let result = self.change_pin_hashed(&mailbox, answer, now);
                self.reply(call, request, Reply::PinChanged(result), now);
            }
            None => {}
        }
    }

    /// Counts a right or wrong PIN, over calls and doors, and locks the mailbox when there were too many wrong ones.
    fn count(&mut self, owner: &Arc<Mailbox>, door: Door, right: bool, now: Now) -> PinCheck {
        let mailbox = store_name(owner);
        let key = owner.name.to_lowercase();
        let policy = owner.um.as_ref().and_then(|um| self.configuration.policy_of(um)).cloned();
        let (Some(mut record), Some(policy)) = (self.configuration.pins.get(&key).cloned(), policy) else {
            return PinCheck::Wrong;
        };
        if right {
            let expired = record.is_expired(&policy, now);
            if record.failures > 0 {
                record.failures = 0;
                self.keep_pin(&key, record, None);
            }
            self.emit(now, Event::LoggedOn { mailbox, door: door.name().into() });
            return PinCheck::Right { expired };
        }
        record.failures = record.failures.saturating_add(1);
        let failures = record.failures;
        record.locked = matches!(policy.max_logon_attempts, Limit::Of(most) if failures >= most);
        let locked = record.locked;
        self.keep_pin(&key, record, Some(Again::Failure));
        self.emit(now, Event::PinRejected { mailbox: mailbox.clone(), door: door.name().into(), failures });
        if policy.logon_failures_before_pin_reset == Limit::Of(failures) && failures > 0 {
            // The new PIN would have to be mailed; until mail is sent, an administrator is told instead.
            self.emit(now, Event::PinResetDue { mailbox: mailbox.clone() });
        }
        if locked {
            self.emit(now, Event::MailboxLocked { mailbox });
            return PinCheck::Locked;
        }
        PinCheck::Wrong
    }

    /// `again`: what is done if another server has changed it at the same time.
    pub(super) fn keep_pin(&mut self, key: &str, record: PinRecord, again: Option<Again>) {
        let mut changes = Vec::new();
        self.configuration.put_pin(key, record, &mut changes);
        // Nobody waits for it: a count that is lost with the disk is lost with everything else.
        let (refused, key) = (self.pins.refused.clone(), key.to_owned());
        let done = move |result| {
            if let (Err(state::CommitError::Conflict), Some(again)) = (result, again) {
                refused.push((key, again));
            }
        };
        self.store.commit(changes, Box::new(done));
    }

    fn checked(&mut self, owner: &Mailbox, asker: Asker, check: PinCheck, now: Now) {
        match asker {
            Asker::Dialogue(call, request) => self.later(call, request, Reply::Pin(check), now),
            Asker::Command(reply) => reply(match check {
                PinCheck::Right { expired } => {
                    Ok(Answer::PinVerdict(PinVerdict::Right { mailbox: store_name(owner), expired }))
                }
                PinCheck::Wrong => Ok(Answer::PinVerdict(PinVerdict::Wrong)),
                PinCheck::Locked => Ok(Answer::PinVerdict(PinVerdict::Locked)),
                PinCheck::Busy => Err(CommandError::Busy),
            }),
        }
    }

    /// A reply that may come while the dialogue itself is asking: put down now, given when it waits.
    fn later(&mut self, call: u64, request: RequestId, reply: Reply, now: Now) {
        if self.calls.get(&call).is_some_and(|call| call.dialogue.is_some()) {
            self.reply(call, request, reply, now);
        } else {
            self.replies.push_back((call, request, reply));
        }
    }

    // ---- changing ----

    pub(crate) fn change_pin_by_phone(
        &mut self,
        call: u64,
        request: RequestId,
        mailbox: MailboxId,
        pin: String,
    ) -> Option<Result<(), PinProblem>> {
        let Some(owner) = self.configuration.by_mailbox_id(&mailbox).cloned() else {
            return Some(Err(PinProblem::Busy));
        };
        let um = owner.um.as_ref()?;
        let policy = self.configuration.policy_of(um).map(|policy| policy.settings.clone()).unwrap_or_default();
        // The digits are not in the journal: a call that is run again is given the verdict of then.
        let verdict = PinProblem::code(check_rules(&pin, &policy, &um.extensions));
        if let Err(problem) = PinProblem::of_code(self.random.shared(verdict)) {
            return Some(Err(problem));
        }
        let job = Job::Change { call, request, mailbox: owner.name.clone() };
        self.make(pin, &owner.name, job).err().map(|_| Err(PinProblem::Busy))
    }

    fn change_pin_hashed(&mut self, mailbox: &str, answer: HashAnswer, now: Now) -> Result<(), PinProblem> {
        let HashAnswer::Made(hash) = answer else { return Err(PinProblem::UsedBefore) };
        let key = mailbox.to_lowercase();
        let owner = self.configuration.mailboxes.get(mailbox).cloned();
        let um = owner.as_ref().and_then(|owner| owner.um.as_ref());
        let policy = um.and_then(|um| self.configuration.policy_of(um)).map(|policy| policy.settings.clone());
        let record = self.configuration.pins.get(&key).cloned().unwrap_or_default();
        let record = record.renewed(hash, &policy.unwrap_or_default(), false, now);
        self.keep_pin(&key, record.clone(), Some(Again::Renewed(record)));
        Ok(())
    }

    fn make(&mut self, pin: String, mailbox: &str, job: Job) -> Result<(), Job> {
        let history = self
            .configuration
            .pins
            .get(&mailbox.to_lowercase())
            .map(|record| record.history.clone())
            .unwrap_or_default();
        let salt: [u8; 16] = self.random.random();
        let ticket = self.next_number();
        match self.hasher.submit(HashJob::Make { pin, salt, history }, ticket) {
            Ok(()) => {
                self.pins.jobs.insert(ticket, job);
                Ok(())
            }
            Err(_) => Err(job),
        }
    }

    /// Checks a PIN that a command gave (or makes one up) and has it hashed; the reply comes when it is durable.
    pub(super) fn set_pin(&mut self, mut setting: Setting, given: Option<String>, extensions: &[String]) {
        let policy = match pin::policy(&self.configuration, &setting.policy) {
            Ok(policy) => policy,
            Err(error) => return (setting.reply)(Err(error)),
        };
        let pin = match given {
            Some(pin) => {
                if let Err(problem) = check_rules(&pin, &policy, extensions) {
                    return (setting.reply)(Err(pin::problem(setting.parameter, problem)));
                }
                pin
            }
            None => {
                let pin = made_up(&policy, extensions, &mut self.random);
                setting.made_up = Some(pin.clone());
                pin
            }
        };
        if setting.validate_only {
            return (setting.reply)(Ok(Answer::Done(())));
        }
        let mailbox = setting.mailbox.clone();
        if let Err(Job::Set(setting)) = self.make(pin, &mailbox, Job::Set(Box::new(setting))) {
            (setting.reply)(Err(CommandError::Busy));
        }
    }

    fn set_pin_hashed(&mut self, mut setting: Setting, answer: HashAnswer, now: Now) {
        let HashAnswer::Made(hash) = answer else {
            return (setting.reply)(Err(pin::problem(setting.parameter, PinProblem::UsedBefore)));
        };
        let policy = match pin::policy(&self.configuration, &setting.policy) {
            Ok(policy) => policy,
            Err(error) => return (setting.reply)(Err(error)),
        };
        let enabling = setting.enabling.take();
        let enabled = match enabling {
            None => None,
            Some(extensions) => {
                let extensions = Some(extensions.into());
                match mailboxes::enabled(&self.configuration, &setting.mailbox, &setting.policy, extensions) {
                    Ok(mut mailbox) => {
                        // As the product has it: who got a PIN that must be changed has set up nothing yet.
                        mailbox.um.iter_mut().for_each(|um| um.set_up_due = setting.expired);
                        Some(mailbox)
                    }
                    Err(error) => return (setting.reply)(Err(error)),
                }
            }
        };
        let mut changes: Vec<Change> = Vec::new();
        let key = setting.mailbox.to_lowercase();
        let before = self.configuration.pins.get(&key).cloned().unwrap_or_default();
        let mut record = before.renewed(hash, &policy, setting.expired, now);
        record.locked = setting.locked.unwrap_or(false);
        let view = pin::view(&setting.mailbox, &record, setting.made_up);
        self.configuration.put_pin(&key, record, &mut changes);
        let Some(enabled) = enabled else {
            return self.keep(changes, Ok(Answer::Pin(view)), setting.reply);
        };
        self.configuration.mailboxes.put(enabled.clone(), &mut changes);
        self.configuration.index();
        self.mailbox_enabled(&enabled, view, changes, setting.reply, now);
    }
}

/// What the store and events call a mailbox.
pub(crate) fn store_name(mailbox: &Mailbox) -> String {
    mailbox.um.as_ref().map_or_else(|| mailbox.name.clone(), |um| um.mailbox.to_string())
}
