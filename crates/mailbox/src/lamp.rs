//! Whose turn it is to tell the PBX about a mailbox. Where several servers have one store, all of them hear of a change,
//! and one sends: it holds a lease, which another takes over when it expires. Leases are rows of PostgreSQL, by its clock, so
//! that the servers' own need not agree; of servers in one process they are in memory.

use crate::{Counts, MailboxError, MailboxId, Mailboxes, ModSeq, Unavailable};
use database::values;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A lease without news of its holder. Longer than a NOTIFY is tried at one gateway after the other.
const LEASE: Duration = Duration::from_secs(30);
/// Who asks to tell anew is not let to do what another server has just done.
const JUST_NOW: Duration = Duration::from_secs(60);

/// Whoever waits for another server looks again so soon: that one may have found that it can't tell.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// What a server that wants to tell is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It is its turn: with these counts, which are of this modification sequence or later.
    Tell(Counts, ModSeq),
    /// The PBX knows.
    Known,
    /// Another server is at it. Ask again after this, should it have died, or not have reached the PBX.
    Other(Duration),
}

macro_rules! now_ms {
    () => {
        "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"
    };
}

impl Mailboxes {
    /// Asks for the turn at a mailbox's lamp, for the server `me`. `anew`: also when the PBX has been told what there is,
    /// since it may have forgotten.
    pub async fn lamp_turn(&self, mailbox: &MailboxId, me: &str, anew: bool) -> Result<Turn, MailboxError> {
        self.status(mailbox).await?;
        let claimed = match self.reader.pool.is_postgres() {
            true => self.claim(mailbox, me).await?,
            false => self.leases.claim(mailbox, me, Instant::now()),
        };
        let (told, since) = match claimed {
            Ok(claimed) => claimed,
            // A moment later, so that it has expired then.
            Err(left) => return Ok(Turn::Other(left.saturating_add(Duration::from_millis(100)).min(LOOK_AGAIN))),
        };
        // The sequence first: the counts are of it, or newer.
        let modseq = self.status(mailbox).await?.modseq;
        let known = told >= modseq && (!anew || since < JUST_NOW);
        if known {
            self.lamp_told(mailbox, me, None).await?;
            return Ok(Turn::Known);
        }
        Ok(Turn::Tell(self.counts(mailbox).await?, modseq))
    }

    /// Takes the lease: what was told last, and how long ago. Or for how long another has it.
    async fn claim(&self, mailbox: &MailboxId, me: &str) -> Result<Claimed, Unavailable> {
        let claim = concat!(
            "INSERT INTO lamp(mailbox, holder, until_ms, told, told_ms) VALUES ($1, $2, $3 + ",
            now_ms!(),
            ", 0, 0)
             ON CONFLICT (mailbox) DO UPDATE SET holder = excluded.holder, until_ms = excluded.until_ms
                WHERE lamp.holder = excluded.holder OR lamp.until_ms < ",
            now_ms!(),
            "
             RETURNING told, ",
            now_ms!(),
            " - told_ms"
        );
        let pool = &self.reader.pool;
        let claimed: Option<(i64, i64)> = pool.optional(claim, values![mailbox.as_str(), me, ms(LEASE)]).await?;
        if let Some((told, since)) = claimed {
            return Ok(Ok((ModSeq(told.unsigned_abs()), Duration::from_millis(since.max(0).unsigned_abs()))));
        }
        let left = concat!("SELECT until_ms - ", now_ms!(), " FROM lamp WHERE mailbox = $1");
        let left: Option<(i64,)> = pool.optional(left, values![mailbox.as_str()]).await?;
        Ok(Err(Duration::from_millis(left.map_or(0, |(left,)| left.max(0).unsigned_abs()))))
    }

    /// Ends the turn: the PBX was told what [`Turn::Tell`] gave, or (None) was not. False: the lease had expired, and another
    /// server may have told in between what is older than what was told now, or newer: ask anew.
    pub async fn lamp_told(&self, mailbox: &MailboxId, me: &str, told: Option<ModSeq>) -> Result<bool, Unavailable> {
        if !self.reader.pool.is_postgres() {
            return Ok(self.leases.release(mailbox, me, told, Instant::now()));
        }
        let Some(told) = told else {
            let release = "UPDATE lamp SET until_ms = 0 WHERE mailbox = $1 AND holder = $2";
            self.reader.pool.execute(release, values![mailbox.as_str(), me]).await?;
            return Ok(true);
        };
        let keep = concat!(
            "UPDATE lamp SET until_ms = 0, told = $3, told_ms = ",
            now_ms!(),
            "
             WHERE mailbox = $1 AND holder = $2 AND until_ms >= ",
            now_ms!(),
            " RETURNING told"
        );
        let told = i64::try_from(told.0).unwrap_or(i64::MAX);
        let kept: Option<(i64,)> = self.reader.pool.optional(keep, values![mailbox.as_str(), me, told]).await?;
        Ok(kept.is_some())
    }
}

/// What was told last, and how long ago; or for how long another server has the lease.
type Claimed = Result<(ModSeq, Duration), Duration>;

/// Leases of servers in one process, as the rows of PostgreSQL's table `lamp`. What was told need not outlive the process:
/// servers that start tell everything.
#[derive(Clone, Default)]
pub(crate) struct Leases(Arc<Mutex<BTreeMap<MailboxId, Lease>>>);

#[derive(Default)]
struct Lease {
    holder: String,
    /// None: nobody has it.
    until: Option<Instant>,
    told: Option<(ModSeq, Instant)>,
}

impl Leases {
    fn claim(&self, mailbox: &MailboxId, me: &str, now: Instant) -> Claimed {
        let mut leases = self.lock();
        let lease = leases.entry(mailbox.clone()).or_default();
        match lease.until {
            Some(until) if until >= now && lease.holder != me => return Err(until - now),
            _ => {}
        }
        me.clone_into(&mut lease.holder);
        lease.until = Some(now + LEASE);
        let told = lease.told.map(|(told, at)| (told, now.saturating_duration_since(at)));
        Ok(told.unwrap_or((ModSeq(0), Duration::MAX)))
    }

    /// False: it had expired, and what was told is not believed.
    fn release(&self, mailbox: &MailboxId, me: &str, told: Option<ModSeq>, now: Instant) -> bool {
        let mut leases = self.lock();
        let held = leases.get_mut(mailbox).filter(|lease| lease.holder == me);
        let Some(lease) = held.filter(|lease| told.is_none() || lease.until.is_some_and(|until| until >= now)) else {
            return told.is_none();
        };
        lease.until = None;
        lease.told = told.map(|told| (told, now)).or(lease.told);
        true
    }

    /// The mailbox is gone; another of its name begins anew.
    pub fn forget(&self, mailbox: &MailboxId) {
        self.lock().remove(mailbox);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<MailboxId, Lease>> {
        // Nothing that runs under the lock can leave it at odds.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
