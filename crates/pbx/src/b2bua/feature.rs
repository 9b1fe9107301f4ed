//! What a phone asks for by what it dials, beside a call to somebody: service codes (`services`).

use super::Scene;
use super::service_call::Outcome;
use crate::commands::CommandError;
use crate::core::Errand;
use crate::numbers::Digits;
use crate::services::{self, Effect, LampBy, Service};

/// What a phone that dialled wants.
pub(super) enum Wish {
    /// To call this number, and how.
    Call { number: Digits, hidden: bool, past_diversions: bool },
    /// The call that rings elsewhere.
    Pickup,
    /// Something to be changed.
    Procedure,
    /// An answer, which is known.
    Answer(Outcome),
}

/// What `extension` wants with these digits.
pub(super) fn wish(scene: &mut Scene<'_>, extension: &str, dialled: Digits) -> Wish {
    let plain = |number| Wish::Call { number, hidden: false, past_diversions: false };
    let configuration = &scene.core.configuration;
    if configuration.service_codes.find(&dialled).is_none() {
        return plain(dialled);
    }
    let number = |number: &str| Digits::parse(number).unwrap_or_else(|_| dialled.clone());
    match services::carry_out(configuration, extension, &dialled) {
        Err(error) => Wish::Answer(Outcome::Refused(error)),
        Ok(Effect::Edits(..) | Effect::Lamp { .. }) => Wish::Procedure,
        Ok(Effect::Told { active: true, .. }) => Wish::Answer(Outcome::Accepted),
        Ok(Effect::Told { active: false, .. }) => Wish::Answer(Outcome::Nothing),
        Ok(Effect::Call { service: Service::Pickup, .. }) => Wish::Pickup,
        Ok(Effect::Call { service: Service::DialBack, .. }) => {
            let Some(origin) = scene.core.manual_waiting.first(extension).map(str::to_owned) else {
                let nobody = CommandError::not_assigned("proc", &dialled, "nobody waits to be called back");
                return Wish::Answer(Outcome::Refused(nobody));
            };
            // The colleague is called: nobody waits any more.
            let by = LampBy::Withdrawn(origin.clone());
            scene.core.send_on(Errand::Lamp { at: extension.to_owned(), by });
            plain(number(&origin))
        }
        Ok(Effect::Call { service, number: called }) => Wish::Call {
            number: number(&called),
            hidden: service == Service::Clir,
            past_diversions: service == Service::BypassDiversion,
        },
    }
}
