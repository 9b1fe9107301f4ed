//! Whose turn it is to tell the PBX about a mailbox. Where several servers have one store, all of them hear of a change,
//! and one sends: it holds a lease, which another takes over when it expires. Time is the database's, so that the servers'
//! clocks need not agree.

use crate::{Counts, MailboxError, MailboxId, Mailboxes, ModSeq, Unavailable};
use database::values;
use std::time::Duration;

/// A lease without news of its holder. Longer than a NOTIFY is tried at one gateway after the other.
const LEASE: Duration = Duration::from_secs(30);
/// Who asks to tell anew is not let to do what another server has just done.
const JUST_NOW: Duration = Duration::from_secs(60);

/// What a server that wants to tell is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It is its turn: with these counts, which are of this modification sequence or later.
    Tell(Counts, ModSeq),
    /// The PBX knows.
    Known,
    /// Another server is at it. Ask again after this, should it have died.
    Other(Duration),
}

macro_rules! now_ms {
    () => {
        "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"
    };
}

impl Mailboxes {
    /// Asks for the turn at a mailbox's lamp, for the server `me`. `anew`: also when the PBX has been told what there is,
    /// since it may have forgotten. A store of one server's own always gives the turn.
    pub async fn lamp_turn(&self, mailbox: &MailboxId, me: &str, anew: bool) -> Result<Turn, MailboxError> {
        if !self.reader.pool.is_postgres() {
            let modseq = self.status(mailbox).await?.modseq;
            return Ok(Turn::Tell(self.counts(mailbox).await?, modseq));
        }
        self.status(mailbox).await?;
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
        let claimed: Option<(i64, i64)> = self
            .reader
            .pool
            .optional(claim, values![mailbox.as_str(), me, ms(LEASE)])
            .await
            .map_err(Unavailable::from)?;
        let Some((told, since)) = claimed else {
            let left = concat!("SELECT until_ms - ", now_ms!(), " FROM lamp WHERE mailbox = $1");
            let left: Option<(i64,)> =
                self.reader.pool.optional(left, values![mailbox.as_str()]).await.map_err(Unavailable::from)?;
            // A moment later, so that it has expired then.
            let left = left.map_or(0, |(left,)| left.clamp(0, ms(LEASE)).unsigned_abs());
            return Ok(Turn::Other(Duration::from_millis(left.saturating_add(100))));
        };
        // The sequence first: the counts are of it, or newer.
        let modseq = self.status(mailbox).await?.modseq;
        let known = told.unsigned_abs() >= modseq.0 && (!anew || since < ms(JUST_NOW));
        if known {
            self.lamp_told(mailbox, me, None).await?;
            return Ok(Turn::Known);
        }
        Ok(Turn::Tell(self.counts(mailbox).await?, modseq))
    }

    /// Ends the turn: the PBX was told what [`Turn::Tell`] gave, or (None) was not. False: the lease had expired, and another
    /// server may have told in between what is older than what was told now, or newer: ask anew.
    pub async fn lamp_told(&self, mailbox: &MailboxId, me: &str, told: Option<ModSeq>) -> Result<bool, Unavailable> {
        if !self.reader.pool.is_postgres() {
            return Ok(true);
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

fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
