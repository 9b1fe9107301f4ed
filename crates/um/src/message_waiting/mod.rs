//! When to tell the PBX about waiting messages (fact sheet 3.9): as soon as a mailbox changes, all of them at the start,
//! and each once more every six hours. A pure machine: mailboxes and time in, what to do out.
//!
//! One mailbox has at most one question or NOTIFY under way; what changes meanwhile is looked at again afterwards, once.

use mailbox::MailboxId;
use sip::message_summary::Counts;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

/// Every lamp is sent again this often, so that a PBX that lost its memory is right again.
pub(crate) const REFRESH: Duration = Duration::from_secs(6 * 3600);
/// How long gateways are tried before it is an error.
pub(crate) const GIVE_UP: Duration = Duration::from_secs(300);
/// The pause after all gateways of the plan were tried.
pub(crate) const PAUSE: Duration = Duration::from_secs(10);
/// Mailboxes that are counted or sent at once: the refresh of many must not flood the PBX.
const MOST_BUSY: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Known to the PBX; refreshed at its time.
    Idle,
    /// In line to be counted.
    Queued,
    /// The store is counting.
    Counting,
    /// A NOTIFY is out: which of the gateways.
    Sending { counts: Counts, gateway: usize },
    /// Another server is telling the PBX.
    Waiting,
    /// Every gateway failed; tried again after a pause.
    Pausing { counts: Counts },
}

#[derive(Clone, Copy, Debug)]
struct Lamp {
    state: State,
    /// It changed while something was under way.
    again: bool,
    /// To be told also if another server has done so: at the start, and at the refresh.
    anew: bool,
    /// Since when gateways have been failing.
    failing_since: Option<Instant>,
    /// Its entry among the timers.
    timer: Option<Instant>,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Do {
    /// Ask the store; answer by [`Lamps::counted`]. The flag: also what the PBX has been told by another server.
    Count(MailboxId, bool),
    /// Send to the n-th gateway of the mailbox's dial plan; answer by [`Lamps::sent`]. There may be no n-th.
    Send { mailbox: MailboxId, counts: Counts, gateway: usize },
    /// Nobody took it for five minutes.
    GaveUp(MailboxId),
}

/// What asking the store came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counted {
    Counts(Counts),
    /// Another server has told the PBX.
    Known,
    /// Another server is about to; ask again after this.
    Other(Duration),
    /// The store could not say.
    Down,
}

/// All lamps of this server's mailboxes.
#[derive(Default)]
pub(crate) struct Lamps {
    lamps: BTreeMap<MailboxId, Lamp>,
    queue: VecDeque<MailboxId>,
    busy: usize,
    timers: BTreeSet<(Instant, MailboxId)>,
    todo: VecDeque<Do>,
}

impl Lamps {
    /// Mailboxes that wait to be counted and sent, or are.
    pub(crate) fn pending(&self) -> usize {
        self.queue.len().saturating_add(self.busy)
    }

    /// The mailbox changed, or is to be told about whatever it holds.
    pub(crate) fn changed(&mut self, mailbox: MailboxId, anew: bool) {
        let fresh = Lamp { state: State::Idle, again: false, anew, failing_since: None, timer: None };
        let lamp = self.lamps.entry(mailbox.clone()).or_insert(fresh);
        lamp.anew |= anew;
        match lamp.state {
            State::Idle => self.enqueue(mailbox),
            State::Pausing { .. } => {
                // Newer counts have a better claim than the ones that nobody took.
                self.set_timer(&mailbox, None);
                self.enqueue(mailbox);
            }
            // Whoever is at it hears of the change, too; looked at once it should be done.
            State::Queued | State::Waiting => {}
            State::Counting | State::Sending { .. } => lamp.again = true,
        }
    }

    /// The mailbox has no lamp any more.
    pub(crate) fn forget(&mut self, mailbox: &MailboxId) {
        self.set_timer(mailbox, None);
        if let Some(lamp) = self.lamps.remove(mailbox)
            && matches!(lamp.state, State::Counting | State::Sending { .. })
        {
            self.busy = self.busy.saturating_sub(1);
            self.start_next();
        }
    }

    fn enqueue(&mut self, mailbox: MailboxId) {
        if let Some(lamp) = self.lamps.get_mut(&mailbox) {
            lamp.state = State::Queued;
        }
        self.queue.push_back(mailbox);
        self.start_next();
    }

    fn start_next(&mut self) {
        while self.busy < MOST_BUSY
            && let Some(mailbox) = self.queue.pop_front()
        {
            if let Some(lamp) = self.lamps.get_mut(&mailbox).filter(|lamp| lamp.state == State::Queued) {
                lamp.state = State::Counting;
                self.busy += 1;
                self.todo.push_back(Do::Count(mailbox, lamp.anew));
            }
        }
    }

    /// The store has counted, or says who tells.
    pub(crate) fn counted(&mut self, mailbox: &MailboxId, counted: Counted, now: Instant) {
        let Some(lamp) = self.lamps.get_mut(mailbox).filter(|lamp| lamp.state == State::Counting) else { return };
        match counted {
            Counted::Counts(counts) if !lamp.again => {
                lamp.state = State::Sending { counts, gateway: 0 };
                self.todo.push_back(Do::Send { mailbox: mailbox.clone(), counts, gateway: 0 });
            }
            // It changed while it was counted: count again, send once.
            Counted::Counts(_) | Counted::Known if lamp.again => {
                lamp.again = false;
                self.todo.push_back(Do::Count(mailbox.clone(), lamp.anew));
            }
            Counted::Known => {
                lamp.anew = false;
                self.rest(mailbox, State::Idle, now + REFRESH);
            }
            // Should it die meanwhile, this server does it.
            Counted::Other(after) => self.rest(mailbox, State::Waiting, now + after),
            // The store is down. It is asked again after a pause, for as long as it takes.
            Counted::Counts(_) | Counted::Down => self.rest(mailbox, State::Idle, now + PAUSE),
        }
    }

    /// How a NOTIFY ended. `taken`: the PBX has it. `last`: there is no further gateway.
    pub(crate) fn sent(&mut self, mailbox: &MailboxId, taken: bool, last: bool, now: Instant) {
        let Some(lamp) = self.lamps.get_mut(mailbox) else { return };
        let State::Sending { counts, gateway } = lamp.state else { return };
        if taken {
            lamp.failing_since = None;
            lamp.anew = false;
            if std::mem::take(&mut lamp.again) {
                lamp.state = State::Counting;
                self.todo.push_back(Do::Count(mailbox.clone(), false));
                return;
            }
            return self.rest(mailbox, State::Idle, now + REFRESH);
        }
        let since = *lamp.failing_since.get_or_insert(now);
        if !last {
            let gateway = gateway + 1;
            lamp.state = State::Sending { counts, gateway };
            self.todo.push_back(Do::Send { mailbox: mailbox.clone(), counts, gateway });
        } else if now.saturating_duration_since(since) >= GIVE_UP {
            lamp.failing_since = None;
            lamp.again = false;
            self.todo.push_back(Do::GaveUp(mailbox.clone()));
            // The next change, or the refresh, tries again.
            self.rest(mailbox, State::Idle, now + REFRESH);
        } else {
            self.rest(mailbox, State::Pausing { counts }, now + PAUSE);
        }
    }

    /// Nothing under way for this mailbox until `until`, unless it changes.
    fn rest(&mut self, mailbox: &MailboxId, state: State, until: Instant) {
        if let Some(lamp) = self.lamps.get_mut(mailbox) {
            lamp.state = state;
            // A change that came while its last try failed is sent with the next one, which counts anew.
            lamp.again = false;
        }
        self.set_timer(mailbox, Some(until));
        self.busy = self.busy.saturating_sub(1);
        self.start_next();
    }

    fn set_timer(&mut self, mailbox: &MailboxId, until: Option<Instant>) {
        let Some(lamp) = self.lamps.get_mut(mailbox) else { return };
        if let Some(before) = std::mem::replace(&mut lamp.timer, until) {
            self.timers.remove(&(before, mailbox.clone()));
        }
        if let Some(until) = until {
            self.timers.insert((until, mailbox.clone()));
        }
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.timers.first().map(|(at, _)| *at)
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        while let Some((at, mailbox)) = self.timers.first().cloned() {
            if at > now {
                break;
            }
            self.set_timer(&mailbox, None);
            if let Some(lamp) = self.lamps.get_mut(&mailbox) {
                lamp.anew |= lamp.state == State::Idle;
            }
            // After a refresh time or a pause alike: what is sent is counted anew.
            self.enqueue(mailbox);
        }
    }

    pub(crate) fn next_to_do(&mut self) -> Option<Do> {
        self.todo.pop_front()
    }
}
