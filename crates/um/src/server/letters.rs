//! What becomes of messages on their way to mailboxes: who gets them, whether they are protected, and calls that left none.

use super::Server;
use crate::commands::mailbox_policy::Protect;
use crate::storage::{Addressee, Letter, Parcel};
use crate::worker::call::Call;
use crate::worker::delivery::Ready;
use event::{Event, Now};
use mailbox::{MailboxId, MessageId, MessageKind};
use state::Change;

/// The kind of missed calls in the server's state.
pub(crate) const MISSED: &str = "missed_call";

impl Server {
    pub(super) fn parcel(&self, Ready { letter, parts, quiet, recovered }: Ready) -> Parcel {
        let addressee = |mailbox: &MailboxId| {
            let owner = self.configuration.by_mailbox_id(mailbox);
            let policy = owner.and_then(|owner| self.configuration.policy_of(owner.um.as_ref()?));
            let allowed = letter.kind.is_voice() && policy.is_some_and(|policy| policy.allow_voice_mail_preview);
            Addressee {
                mailbox: mailbox.clone(),
                name: owner.map(|owner| owner.shown_name()),
                address: owner.and_then(|owner| owner.primary_smtp_address.clone()),
                preview: owner.filter(|_| allowed).map(|owner| self.configuration.language_of(owner)),
            }
        };
        let to = std::iter::once(&letter.mailbox).chain(&letter.also).map(addressee).collect();
        Parcel { protected: self.is_protected(&letter), to, letter, parts, quiet, recovered }
    }

    /// Fact sheet 3.6: of a user's message his own policy decides, of a caller's the recipient's.
    fn is_protected(&self, letter: &Letter) -> bool {
        let decides = letter.sender.as_ref().unwrap_or(&letter.mailbox);
        let um = self.configuration.by_mailbox_id(decides).and_then(|mailbox| mailbox.um.as_ref());
        let Some(policy) = um.and_then(|um| self.configuration.policy_of(um)) else { return false };
        let protect = match letter.sender {
            Some(_) => policy.protect_authenticated_voice_mail,
            None => policy.protect_unauthenticated_voice_mail,
        };
        match protect {
            Protect::None => false,
            Protect::Private => letter.private,
            Protect::All => letter.kind.is_voice(),
        }
    }

    /// A call to a mailbox that left no message.
    pub(crate) fn missed(&mut self, call: &Call, now: Now) {
        let Some(mailbox) = call.mailbox.clone() else { return };
        let caller = call.caller.user.as_ref().and_then(|user| user.um.as_ref());
        if caller.is_some_and(|um| um.mailbox == mailbox) {
            // Whoever calls his own mailbox has not missed himself.
            return;
        }
        let letter = Letter::of_call(call, mailbox, MessageKind::MissedCall, MessageId(0), now);
        self.missed_call(letter, now);
    }

    /// It is told at once, and becomes a message where mailbox and policy say so.
    pub(super) fn missed_call(&mut self, letter: Letter, now: Now) {
        self.emit(
            now,
            Event::MissedCall {
                mailbox: letter.mailbox.to_string(),
                from: letter.from_number.clone().unwrap_or_default(),
                from_name: letter.from_name.clone(),
                call_id: letter.call_id.clone(),
            },
        );
        let Some(owner) = self.configuration.by_mailbox_id(&letter.mailbox) else { return };
        let policy = owner.um.as_ref().and_then(|um| self.configuration.policy_of(um));
        let wanted = owner.um_settings.missed_call_notification_enabled
            && policy.is_some_and(|policy| policy.allow_missed_call_notifications);
        if wanted {
            let message = MessageId(self.random_id());
            let letter = Letter { message, kind: MessageKind::MissedCall, urgent: false, private: false, ..letter };
            // On disk until the mailbox has it: there is no recording in the spool to tell of it.
            if let Ok(value) = serde_json::to_string(&letter) {
                self.store.commit(vec![Change::put(MISSED, message.to_string(), value)], Box::new(|_| {}));
            }
            self.deliveries.post(letter);
        }
    }

    /// Missed calls that no mailbox had taken when the server ended. Delivered twice, they are there once.
    pub(super) fn recover_missed(&mut self) {
        for (key, value) in self.store.load(MISSED) {
            match serde_json::from_str::<Letter>(&value) {
                Ok(letter) => self.deliveries.post(letter),
                Err(_) => self.store.commit(vec![Change::remove(MISSED, key)], Box::new(|_| {})),
            }
        }
    }

    /// A mailbox has the missed call.
    pub(super) fn missed_call_kept(&mut self, message: MessageId) {
        self.store.commit(vec![Change::remove(MISSED, message.to_string())], Box::new(|_| {}));
    }
}
