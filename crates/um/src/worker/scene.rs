//! What an attendant's dialogue must know, read from the configuration for this moment: the hours decide the greeting, the keys
//! and the operator; own prompts take the place of what would be spoken.

use super::answer::search;
use crate::commands::auto_attendant::{AttendantStatus, AutoAttendant};
use crate::commands::dial_plan::{Announcement as Announced, DialPlan};
use crate::commands::key_mapping::{self, KeyMapping};
use crate::commands::prompt::Owner;
use crate::dialogue::{Access, Announcement, Attendant, MenuKey, Messages, Then};
use crate::hours::{Hours, first_day, holiday};
use crate::server::Server;
use crate::time_zone::TimeZone;
use event::Now;
use speech::{Audio, Phrase, Prompt, Sound, Value};
use std::sync::Arc;

impl Server {
    /// The attendant that a menu leads to; it has the call from now on.
    pub(crate) fn next_attendant(&mut self, number: u64, name: &str, now: Now) -> Option<Box<Attendant>> {
        let attendant = self.configuration.attendants.get(name)?.clone();
        if attendant.status == AttendantStatus::Disabled {
            return None;
        }
        let plan = self.configuration.dial_plans.get(&attendant.dial_plan)?.clone();
        let caller = self.calls.get(&number)?.caller.clone();
        let access = self.plan_scene(&plan, &caller).access;
        let scene = self.attendant_scene(&attendant, &plan, access, now);
        let call = self.calls.get_mut(&number)?;
        call.language = attendant.language(&plan);
        call.attendant = Some(attendant.name.clone());
        call.plan = plan;
        Some(Box::new(scene))
    }

    pub(super) fn attendant_scene(
        &mut self,
        attendant: &AutoAttendant,
        plan: &DialPlan,
        access: Access,
        now: Now,
    ) -> Attendant {
        let voice = attendant.speech_enabled && self.voice(attendant.language(plan), plan);
        let local = TimeZone::of_either(attendant.time_zone.as_deref(), self.time_zone.as_deref()).local(now.wall);
        let hours = Hours::parse(&attendant.business_hours_schedule);
        let holiday = holiday(&attendant.holiday_schedule, local);
        let open = holiday.is_none() && hours.is_open(local);
        let mut file = |enabled: bool, file: &Option<String>| -> Option<Arc<Audio>> {
            self.prompt(Owner::Attendant, &attendant.name, file.as_deref().filter(|_| enabled)?)
        };
        let business_greeting = file(
            attendant.business_hours_welcome_greeting_enabled,
            &attendant.business_hours_welcome_greeting_filename,
        );
        let after_greeting =
            file(attendant.after_hours_welcome_greeting_enabled, &attendant.after_hours_welcome_greeting_filename);
        let business_menu = file(
            attendant.business_hours_main_menu_custom_prompt_enabled,
            &attendant.business_hours_main_menu_custom_prompt_filename,
        );
        let after_menu = file(
            attendant.after_hours_main_menu_custom_prompt_enabled,
            &attendant.after_hours_main_menu_custom_prompt_filename,
        );
        let announced = attendant.info_announcement_enabled;
        let announcement = file(announced != Announced::False, &attendant.info_announcement_filename);
        let days_greeting = holiday.as_ref().and_then(|holiday| file(true, &holiday.file));
        let greeting = match (open, holiday.is_some()) {
            (true, _) => business_greeting.map_or_else(|| welcome(attendant, None), own),
            (false, false) => after_greeting.map_or_else(|| welcome(attendant, Some(Prompt::AttendantClosed)), own),
            // Fact sheet 5: the holiday's greeting, then the one after hours.
            (false, true) => {
                let day = days_greeting.map_or_else(|| welcome(attendant, Some(Prompt::AttendantHoliday)), own);
                day.into_iter().chain(after_greeting.map(Phrase::from)).collect()
            }
        };
        let (own_menu, keys_enabled, keys, operator_allowed) = match open {
            true => (
                business_menu,
                attendant.business_hours_key_mapping_enabled,
                &attendant.business_hours_key_mapping,
                attendant.business_hours_transfer_to_operator_enabled,
            ),
            false => (
                after_menu,
                attendant.after_hours_key_mapping_enabled,
                &attendant.after_hours_key_mapping,
                attendant.after_hours_transfer_to_operator_enabled,
            ),
        };
        let keys = if keys_enabled { KeyMapping::all(keys) } else { Vec::new() };
        let keys = keys.into_iter().map(|key| self.menu_key(&attendant.name, key)).collect();
        // The operator chain.
        let operator = attendant.operator_extension.clone().or_else(|| plan.operator_extension.clone());
        let list = attendant.contact_address_list.as_deref();
        let search = search(plan, (attendant.contact_scope, list), attendant.matched_name_selection_method);
        let reached = attendant.call_someone_enabled || attendant.send_voice_msg_enabled;
        let recording = Messages::of(plan);
        Attendant {
            greeting,
            announcement: announcement
                .map(|audio| Announcement { audio, uninterruptible: announced == Announced::Uninterruptible }),
            own_menu,
            keys,
            location: attendant.business_location.clone(),
            hours: hours.spoken(first_day(attendant.week_start_day.as_deref())),
            digits: usize::try_from(plan.digits).unwrap_or(20),
            failures: plan.input_failures_before_disconnect,
            voice,
            fallback: attendant.dtmf_fallback_auto_attendant.clone(),
            operator: operator.filter(|_| operator_allowed),
            subscribers: attendant.allow_dial_plan_subscribers && attendant.call_someone_enabled,
            any_extension: attendant.allow_extensions && attendant.call_someone_enabled,
            // Fact sheet 2.5: with neither calls nor messages there is nothing to search for.
            search: search.filter(|_| attendant.name_lookup_enabled && reached),
            messages: attendant.send_voice_msg_enabled.then_some(recording),
            recording,
            access: attendant.star_out_to_dial_plan_enabled.then_some(access),
        }
    }

    fn menu_key(&mut self, attendant: &str, mapping: KeyMapping) -> MenuKey {
        use key_mapping::Then as Mapped;
        let prompt = mapping.file.and_then(|file| self.prompt(Owner::Attendant, attendant, &file));
        let user = |identity: &str| {
            let mailbox = self.configuration.find_mailbox(identity)?;
            self.subscriber(mailbox)
        };
        let then = match mapping.then {
            Mapped::Menu => Then::Menu,
            Mapped::Extension(number) => Then::Number(number),
            Mapped::Attendant(name) => Then::Attendant(name),
            Mapped::VoiceMailOf(identity) => user(&identity).map_or(Then::Nowhere, Then::VoiceMail),
            Mapped::User(identity) => user(&identity).map_or(Then::Nowhere, Then::User),
            Mapped::Location => Then::Location,
            Mapped::Hours => Then::Hours,
        };
        MenuKey { key: mapping.key, name: mapping.name, prompt, then }
    }

    /// A prompt that somebody brought. It is taken apart once, and shared by all calls that hear it.
    pub(super) fn prompt(&mut self, owner: Owner, name: &str, file: &str) -> Option<Arc<Audio>> {
        let prompt = self.configuration.prompt(owner, name, file)?.clone();
        self.sounds.prompt(&prompt)
    }

    /// What a call is spoken in: this user's language, or the attendant's or plan's.
    pub(super) fn language_for(&self, number: u64, user: Option<&mailbox::MailboxId>) -> Option<speech::Language> {
        if let Some(owner) = user.and_then(|user| self.configuration.by_mailbox_id(user)) {
            self.tell_mailboxes(std::slice::from_ref(owner));
            return Some(self.configuration.own_language(owner));
        }
        let call = self.calls.get(&number)?;
        let attendant = call.attendant.as_ref().and_then(|name| self.configuration.attendants.get(name));
        Some(attendant.map_or_else(|| call.plan.language(), |attendant| attendant.language(&call.plan)))
    }

    /// A dial plan's own welcome, and its announcement.
    pub(super) fn plan_prompts(&mut self, plan: &DialPlan) -> (Option<Arc<Audio>>, Option<Announcement>) {
        let mut file = |enabled: bool, file: &Option<String>| {
            self.prompt(Owner::DialPlan, &plan.name, file.as_deref().filter(|_| enabled)?)
        };
        let welcome = file(plan.welcome_greeting_enabled, &plan.welcome_greeting_filename);
        let announced = plan.info_announcement_enabled;
        let announcement = file(announced != Announced::False, &plan.info_announcement_filename)
            .map(|audio| Announcement { audio, uninterruptible: announced == Announced::Uninterruptible });
        (welcome, announcement)
    }

    /// Has the words of attendants spoken before the first call that needs them.
    pub(crate) fn prepare_attendants(&self) {
        for attendant in self.configuration.attendants.iter() {
            let Some(plan) = self.configuration.dial_plans.get(&attendant.dial_plan) else { continue };
            let language = attendant.language(plan);
            let texts = attendant.business_name.iter().chain(&attendant.business_location);
            texts.for_each(|text| self.sounds.prepare_text(text, language));
            let keys = [&attendant.business_hours_key_mapping, &attendant.after_hours_key_mapping];
            let keys = keys.into_iter().flat_map(|keys| KeyMapping::all(keys));
            keys.for_each(|key| self.sounds.prepare(&key.name, language));
        }
    }
}

fn own(audio: Arc<Audio>) -> Vec<Phrase> {
    vec![audio.into()]
}

/// The welcome as it is spoken, and what follows it.
fn welcome(attendant: &AutoAttendant, more: Option<Prompt>) -> Vec<Phrase> {
    let welcome = match &attendant.business_name {
        Some(business) => Prompt::AttendantWelcomeBusiness.with("business", Value::Text(business.clone())),
        None => Prompt::AttendantWelcome.into(),
    };
    [Sound::Earcon.into(), welcome].into_iter().chain(more.map(Phrase::from)).collect()
}

impl Messages {
    /// As the plan has messages recorded.
    pub(super) fn of(plan: &DialPlan) -> Messages {
        Messages {
            idle: std::time::Duration::from_secs(u64::from(plan.recording_idle_timeout)),
            max: std::time::Duration::from_secs(u64::from(plan.max_recording_duration) * 60),
        }
    }
}
