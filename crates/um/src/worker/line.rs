//! What a line says of itself: a fax machine calls, or nobody is there any more.

use super::call::Kind;
use crate::commands::mailbox_policy::MailboxPolicy;
use crate::dialogue::{Dialogue, fax};
use crate::server::Server;
use event::Now;
use media::{LineSignal, MediaCommand};
use sip::{Text, Uri};
use std::sync::Arc;
use std::time::Duration;

impl Server {
    pub(crate) fn line_says(&mut self, number: u64, signal: LineSignal, now: Now) {
        match signal {
            LineSignal::Fax => self.fax(number, now),
            LineSignal::Dead { since, .. } => self.line_dead(number, since, now),
        }
    }

    /// The exchange's tone tells that the caller has hung up: so does the server. What was recorded of the tone is no part of
    /// the message.
    fn line_dead(&mut self, number: u64, since: Duration, now: Now) {
        let Some(call) = self.calls.get(&number).filter(|call| call.peer.is_none()) else { return };
        if call.recording.is_some() {
            let cut_ms = u32::try_from(since.as_millis()).unwrap_or(u32::MAX);
            self.annotate(number, |letter| letter.cut_ms = cut_ms);
        }
        self.hang_up_because(number, "line-dead", now);
    }

    /// A fax machine calls, as its tone, its event or its T.38 offer says. It is handed to the fax partner; without one, the
    /// owner of the mailbox that was called has a missed call. At an attendant or voice access, where no mailbox was called, it
    /// is left to the menus then: they end such calls.
    pub(super) fn fax(&mut self, number: u64, now: Now) {
        let partner = self.fax_partner(number);
        let Some(call) = self.calls.get_mut(&number) else { return };
        if call.fax || call.peer.is_some() || (call.mailbox.is_none() && partner.is_none()) {
            return;
        }
        call.fax = true;
        let session = call.session;
        (call.play, call.recording, call.taping) = (None, None, None);
        // What was recorded is squeal.
        self.discard(number);
        self.media.command(MediaCommand::StopPlay { session });
        self.media.command(MediaCommand::StopRecord { session });
        let Some(partner) = partner else {
            return self.hang_up_because(number, "fax", now);
        };
        let Some(call) = self.calls.get_mut(&number) else { return };
        let before = call.dialogue.take().or_else(|| call.waiting.take());
        call.transfer = None;
        call.dialogue = Some(Dialogue::instead_of(before, |caller| fax(caller, partner)));
        self.drive(number, now);
    }

    /// Where faxes go: for the mailbox that was called plan, policy and mailbox must all allow it. At an attendant or voice access
    /// it is the first policy of the dial plan that has a partner. The partner knows by the user part whose fax it is, or which
    /// pilot number was called, unless the setting has one of its own.
    fn fax_partner(&self, number: u64) -> Option<String> {
        let call = self.calls.get(&number).filter(|call| call.plan.fax_enabled)?;
        let (policy, user) = match (&call.mailbox, call.kind) {
            (Some(mailbox), _) => {
                let owner = self.configuration.by_mailbox_id(mailbox).filter(|owner| owner.um_settings.fax_enabled)?;
                let policy = self.configuration.policy_of(owner.um.as_ref()?)?;
                (policy, owner.primary_extension()?)
            }
            (None, Kind::AutoAttendant | Kind::SubscriberAccess) => {
                let has_partner = |policy: &&Arc<MailboxPolicy>| {
                    policy.dial_plan.eq_ignore_ascii_case(&call.plan.name)
                        && policy.allow_fax
                        && policy.fax_server_uri.is_some()
                };
                (self.configuration.policies.iter().find(has_partner)?, call.pilot.as_str())
            }
            _ => return None,
        };
        let partner = policy.fax_server_uri.as_deref().filter(|_| policy.allow_fax)?;
        let mut uri = Uri::parse(&Text::from(partner)).ok()?;
        if uri.user.is_none() {
            uri.user = Some(Text::from(user));
        }
        Some(uri.to_string())
    }
}
