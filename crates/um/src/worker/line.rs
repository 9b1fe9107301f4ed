//! What a line says of itself: a fax machine calls, or nobody is there any more.

use crate::dialogue::{Dialogue, fax};
use crate::server::Server;
use event::Now;
use media::{LineSignal, MediaCommand};
use sip::{Text, Uri};
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
    /// owner has a missed call. Who is with an attendant's or voice access' menus has reached no mailbox that a fax could be
    /// for: they end such calls.
    pub(super) fn fax(&mut self, number: u64, now: Now) {
        let Some(call) = self.calls.get_mut(&number) else { return };
        if call.fax || call.peer.is_some() || call.mailbox.is_none() {
            return;
        }
        call.fax = true;
        let session = call.session;
        (call.play, call.recording, call.taping) = (None, None, None);
        // What was recorded is squeal.
        self.discard(number);
        self.media.command(MediaCommand::StopPlay { session });
        self.media.command(MediaCommand::StopRecord { session });
        let Some(partner) = self.fax_partner(number) else {
            return self.hang_up_because(number, "fax", now);
        };
        let Some(call) = self.calls.get_mut(&number) else { return };
        let before = call.dialogue.take().or_else(|| call.waiting.take());
        call.transfer = None;
        call.dialogue = Some(Dialogue::instead_of(before, |caller| fax(caller, partner)));
        self.drive(number, now);
    }

    /// Where faxes for the mailbox that was called go: plan, policy and mailbox must all allow it. The partner knows by the
    /// user part whose fax it is, unless the setting has one of its own.
    fn fax_partner(&self, number: u64) -> Option<String> {
        let call = self.calls.get(&number)?;
        let owner = self.configuration.by_mailbox_id(call.mailbox.as_ref()?)?;
        let policy = self.configuration.policy_of(owner.um.as_ref()?)?;
        let allowed = call.plan.fax_enabled && policy.allow_fax && owner.um_settings.fax_enabled;
        let partner = policy.fax_server_uri.as_deref().filter(|_| allowed)?;
        let mut uri = Uri::parse(&Text::from(partner)).ok()?;
        if uri.user.is_none() {
            uri.user = owner.primary_extension().map(Text::from);
        }
        Some(uri.to_string())
    }
}
