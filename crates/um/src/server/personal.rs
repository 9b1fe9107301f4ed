//! What a user who has logged on by phone is, and what he changes of himself.

use super::Server;
use crate::commands::dial_plan::MatchedName;
use crate::commands::mailbox::{Mailbox, TimeFormat, UmMailboxChanges};
use crate::dialogue::{Personal, Search};
use crate::storage::Greeting;
use crate::time_zone::TimeZone;
use crate::worker::answer::{plan_scope, search};
use event::{Event, Now};
use mailbox::MailboxId;
use speech::{Audio, Clock, Language};
use std::sync::Arc;
use std::time::Duration;

/// A recorded greeting that is shorter than this is none.
const SHORTEST_GREETING: Duration = Duration::from_millis(200);
/// So many days before a PIN expires its owner is told.
const WARNED_DAYS: u32 = 7;

impl Server {
    /// None: the mailbox is not enabled any more.
    pub(crate) fn personal(&self, call: u64, mailbox: &MailboxId, now: Now) -> Option<Personal> {
        let owner = self.configuration.by_mailbox_id(mailbox)?.clone();
        self.tell_mailboxes(std::slice::from_ref(&owner));
        let um = owner.um.as_ref()?;
        let policy = self.configuration.policy_of(um)?;
        // What menus allow follows the number that was called.
        let plan = self.calls.get(&call)?.plan.clone();
        let settings = &owner.um_settings;
        let pin = self.configuration.pins.get(&owner.name.to_lowercase());
        let minutes = |minutes: u32| Duration::from_secs(u64::from(minutes) * 60);
        let directory = search(&plan, plan_scope(&plan), MatchedName::InheritFromDialPlan);
        Some(Personal {
            language: self.configuration.own_language(&owner),
            clock: settings.time_format.map(|format| match format {
                TimeFormat::TwelveHours => Clock::Twelve,
                TimeFormat::TwentyFourHours => Clock::TwentyFour,
            }),
            zone: TimeZone::of_either(settings.time_zone.as_deref(), self.time_zone.as_deref()),
            out_of_office: settings.out_of_office_greeting_enabled,
            prefers_voice: settings.voice_commands_preferred,
            voice: policy.allow_automatic_speech_recognition
                && settings.automatic_speech_recognition_enabled
                && self.voice(self.configuration.own_language(&owner), &plan),
            set_up_due: um.set_up_due,
            pin_days: pin.and_then(|pin| pin.days_left(policy, now)).filter(|days| *days <= WARNED_DAYS),
            areas: self.areas(mailbox),
            voice_replies: policy.allow_voice_response_to_other_message_types,
            directory: directory
                .filter(|_| policy.allow_tui_access_to_directory)
                .map(|search| Search { colleague: true, ..search }),
            failures: plan.input_failures_before_disconnect,
            idle: Duration::from_secs(u64::from(plan.recording_idle_timeout)),
            longest_message: minutes(plan.max_recording_duration),
            longest_greeting: minutes(policy.max_greeting_duration),
        })
    }

    /// Changes what Set-UMMailbox changes. Whether it was done.
    pub(crate) fn change_by_phone(&mut self, mailbox: &MailboxId, changes: UmMailboxChanges, now: Now) -> bool {
        self.change_mailbox(mailbox, now, |owner| owner.um_settings.apply(changes).is_ok())
    }

    /// Name and greeting are recorded, or declined.
    pub(crate) fn set_up(&mut self, mailbox: &MailboxId, now: Now) {
        self.change_mailbox(mailbox, now, |owner| {
            owner.um.as_mut().is_some_and(|um| {
                um.set_up_due = false;
                true
            })
        });
    }

    fn change_mailbox(&mut self, mailbox: &MailboxId, now: Now, change: impl FnOnce(&mut Mailbox) -> bool) -> bool {
        let Some(owner) = self.configuration.by_mailbox_id(mailbox) else { return false };
        let mut owner = Mailbox::clone(owner);
        if !change(&mut owner) {
            return false;
        }
        let mut changes = Vec::new();
        self.configuration.mailboxes.put(owner, &mut changes);
        self.configuration.index();
        self.configuration_changed(now);
        // Nobody waits for it: a setting that is lost with the disk is lost with everything else.
        self.store.commit(changes, Box::new(|_| {}));
        self.emit(now, Event::CommandRun { by: mailbox.to_string(), command: "Set-UMMailbox".into(), accepted: true });
        true
    }

    /// What callers hear of what the owner has recorded: the out-of-office greeting while that is on, his own where he
    /// wants it heard. A greeting of no length is none.
    pub(crate) fn chosen_greeting(&self, mailbox: &MailboxId, greeting: Greeting) -> Greeting {
        let whole = |audio: Option<Arc<Audio>>| audio.filter(|audio| audio.duration() >= SHORTEST_GREETING);
        let Greeting { personal, oof, name } = greeting;
        let settings = self.configuration.by_mailbox_id(mailbox).map(|owner| owner.um_settings.clone());
        let settings = settings.unwrap_or_default();
        let oof = whole(oof).filter(|_| settings.out_of_office_greeting_enabled);
        let personal = whole(personal).filter(|_| settings.personal_greeting_enabled);
        Greeting { personal: oof.or(personal), oof: None, name: whole(name) }
    }
}

impl crate::configuration::Configuration {
    /// What a user who has logged on hears.
    pub(crate) fn own_language(&self, mailbox: &Mailbox) -> Language {
        let own = mailbox.um_settings.language.as_deref().and_then(Language::of_tag);
        own.unwrap_or_else(|| self.language_of(mailbox))
    }
}
