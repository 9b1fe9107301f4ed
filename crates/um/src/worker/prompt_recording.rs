//! Prompts recorded by phone: the server rings whoever speaks them, as for play on phone.

use super::call::Kind;
use super::outcall::For;
use super::placing::Placing;
use super::play_on_phone::RINGS;
use crate::commands::CommandError;
use crate::commands::prompt::{Owner, Target};
use crate::dialogue::{Dialogue, record_prompt};
use crate::rules::Rights;
use crate::server::Server;
use event::{Event, Now};
use speech::Audio;
use std::time::Duration;

impl Server {
    pub(crate) fn record_prompt(
        &mut self,
        of: (Option<&str>, Option<&str>),
        file: String,
        number: &str,
        now: Now,
    ) -> Result<(), CommandError> {
        let prompt = Target::named(&self.configuration, of, file)?;
        let attendant = match prompt.owner {
            Owner::Attendant => self.configuration.attendants.get(&prompt.owner_name).cloned(),
            Owner::DialPlan => None,
        };
        let plan = attendant.as_ref().map_or(prompt.owner_name.as_str(), |attendant| attendant.dial_plan.as_str());
        let plan = self.configuration.dial_plans.require("UMDialPlan", plan)?.clone();
        if !plan.tui_prompt_editing_enabled {
            let mend = format!("TUIPromptEditingEnabled of {:?} does not allow it", plan.name);
            return Err(CommandError::bad("UMDialPlan", mend));
        }
        let rights = match &attendant {
            Some(attendant) => Rights::of_attendant(&plan, attendant),
            None => Rights::of_plan(&plan),
        };
        let is_user = |extension: &str| self.configuration.by_extension(&plan.name, extension).is_some();
        let dialled = rights
            .dial(number, is_user)
            .map_err(|denied| CommandError::bad("Number", format!("{number:?}: {denied}")))?;
        let (gateway, from) = self.way_out(&plan)?;
        let idle = Duration::from_secs(u64::from(plan.recording_idle_timeout));
        let placing = Placing {
            waits: For::PlayOnPhone,
            kind: Kind::PlayOnPhone,
            number: dialled,
            rings: RINGS,
            gateway,
            from,
            language: attendant.map_or_else(|| plan.language(), |attendant| attendant.language(&plan)),
            plan,
            dialogue: Some(Dialogue::start(|caller| record_prompt(caller, prompt, idle))),
        };
        self.place(placing, now).map_err(|error| CommandError::NoCall { reason: error.to_string() })?;
        Ok(())
    }

    /// It is in use with the next call. Whether it was kept.
    pub(super) fn keep_prompt(&mut self, prompt: Target, audio: &Audio, now: Now) -> bool {
        let Ok(changes) = prompt.keep(&mut self.configuration, audio.samples()) else { return false };
        self.configuration.index();
        self.configuration_changed(now);
        // Nobody waits for it: a prompt that is lost with the disk is lost with everything else.
        self.store.commit(changes, Box::new(|_| {}));
        self.emit(now, Event::CommandRun { by: "phone".into(), command: "Import-UMPrompt".into(), accepted: true });
        true
    }
}
