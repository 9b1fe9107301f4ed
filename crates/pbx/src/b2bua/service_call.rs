//! A phone that dialled a service code: what it asked for is done elsewhere; here it hears how that went.

use super::Scene;
use super::forced_gateway::Side;
use super::tones;
use crate::commands::CommandError;
use crate::core::Errand;
use media::Clip;
use sdp::{Codec, Session};
use sip::endpoint::{CallEvent, CallRef, EndCause};
use sip::header::Warning;
use sip::{Headers, Name};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Codes that wait for the store, or sound, at once. A phone needs a line for each.
const MOST: usize = 10_000;

/// How a code went.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// Done, or the answer to the question is yes.
    Accepted,
    /// The answer is no.
    Nothing,
    Refused(CommandError),
}

/// All phones that dialled a code and have not hung up.
#[derive(Default)]
pub(crate) struct ServiceCalls {
    calls: BTreeMap<CallRef, ServiceCall>,
    /// Those whose codes are being carried out, by the ticket of that.
    waiting: BTreeMap<u64, CallRef>,
}

struct ServiceCall {
    extension: String,
    theirs: Option<Session>,
    /// Set once the tone sounds.
    sounding: Option<Sounding>,
}

struct Sounding {
    side: Side,
    until: Instant,
    /// The refusal that follows the tone; `None`: the call was answered, and is ended.
    refusal: Option<(u16, Headers)>,
}

impl ServiceCalls {
    /// Somebody dialled a code that changes something; [`ServiceCalls::confirmed`] follows.
    pub fn start(
        &mut self,
        scene: &mut Scene<'_>,
        dialog: CallRef,
        extension: String,
        digits: String,
        theirs: Option<Session>,
    ) {
        if self.calls.len() >= MOST {
            let _ = scene.core.endpoint.reject(dialog, 503, &Headers::new(), scene.now.instant);
            return;
        }
        let ticket = scene.core.ticket("has a service code carried out");
        scene.core.send_on(Errand::Procedure { ticket, dir: extension.clone(), digits });
        self.waiting.insert(ticket, dialog);
        self.calls.insert(dialog, ServiceCall { extension, theirs, sounding: None });
    }

    /// Somebody dialled a code whose outcome is known at once.
    pub fn answer(
        &mut self,
        scene: &mut Scene<'_>,
        dialog: CallRef,
        extension: String,
        theirs: Option<Session>,
        outcome: &Outcome,
    ) {
        self.calls.insert(dialog, ServiceCall { extension, theirs, sounding: None });
        self.done(scene, dialog, outcome);
    }

    /// What somebody dialled was carried out, or not.
    pub fn confirmed(&mut self, scene: &mut Scene<'_>, ticket: u64, outcome: &Outcome) {
        if let Some(dialog) = self.waiting.remove(&ticket) {
            self.done(scene, dialog, outcome);
        }
    }

    /// How it went. Accepted codes are answered with a tone; refused ones sound theirs before the refusal, as far as the
    /// phone takes early media.
    fn done(&mut self, scene: &mut Scene<'_>, dialog: CallRef, outcome: &Outcome) {
        let Some(call) = self.calls.get_mut(&dialog) else { return };
        let refusal = match outcome {
            Outcome::Refused(error) => Some(refusal(scene, error)),
            _ => None,
        };
        let clip: &Arc<Clip> = match outcome {
            Outcome::Accepted => &tones::ACCEPTED,
            Outcome::Nothing => &tones::NOTHING,
            Outcome::Refused(_) => &tones::REFUSED,
        };
        let now = scene.now.instant;
        let described = call.theirs.is_some() || refusal.is_none();
        let kind = super::call::PartyKind::Extension(call.extension.clone());
        let opened = described.then(|| Side::open(scene, &kind, vec![Codec::Pcma, Codec::Pcmu]).ok()).flatten();
        let Some(mut side) = opened else {
            let (status, headers) = refusal.unwrap_or((480, Headers::new()));
            let _ = scene.core.endpoint.reject(dialog, status, &headers, now);
            self.calls.remove(&dialog);
            return;
        };
        side.serves(scene.core, dialog, &kind);
        let body = match &call.theirs {
            Some(offer) => side.answer(scene, offer, None),
            // RFC 3261 13.2.1: an INVITE without offer is answered with one.
            None => Ok(side.offer(None)),
        };
        let Ok(body) = body else {
            side.close(scene);
            let (status, headers) = refusal.unwrap_or((488, Headers::new()));
            let _ = scene.core.endpoint.reject(dialog, status, &headers, now);
            self.calls.remove(&dialog);
            return;
        };
        let sent = match &refusal {
            Some(_) => scene.core.endpoint.preview(dialog, 183, &Headers::new(), Some(body), now),
            None => scene.core.endpoint.accept(dialog, &Headers::new(), Some(body), now),
        };
        // Hung up meanwhile: `Cancelled` is on its way.
        if sent.is_err() {
            return side.close(scene);
        }
        side.play(scene, clip, false);
        // A moment longer than the tone, which has to arrive.
        let length = clip.duration().saturating_add(Duration::from_millis(300));
        let until = now.checked_add(length).unwrap_or(now);
        call.sounding = Some(Sounding { side, until, refusal });
    }

    pub fn has(&self, dialog: CallRef) -> bool {
        self.calls.contains_key(&dialog)
    }

    pub fn event(&mut self, scene: &mut Scene<'_>, dialog: CallRef, event: &CallEvent) {
        let now = scene.now.instant;
        match event {
            CallEvent::Acknowledged { body } => {
                let sounding = self.calls.get_mut(&dialog).and_then(|call| call.sounding.as_mut());
                if let Some(sounding) = sounding
                    && let Ok(Some(answer)) = super::describe::read(body)
                {
                    // Media that can't be agreed on: the tone is not heard, what was asked for is done all the same.
                    let _ = sounding.side.accept(scene, &answer);
                }
            }
            CallEvent::Cancelled { .. }
            | CallEvent::Ended { cause: EndCause::Bye(_) }
            | CallEvent::Ended { cause: EndCause::Lost }
            | CallEvent::Ended { .. } => self.forget(scene, dialog),
            CallEvent::Offer { .. } => {
                let _ = scene.core.endpoint.answer_offer(dialog, 488, &Headers::new(), None, now);
            }
            CallEvent::Request { transaction, request } => {
                let _ = scene.core.endpoint.respond(*transaction, request.response(501), now);
            }
            _ => {}
        }
    }

    fn forget(&mut self, scene: &mut Scene<'_>, dialog: CallRef) {
        if let Some(sounding) = self.calls.remove(&dialog).and_then(|call| call.sounding) {
            sounding.side.close(scene);
        }
    }

    pub fn deadline(&self) -> Option<Instant> {
        self.calls.values().filter_map(|call| Some(call.sounding.as_ref()?.until)).min()
    }

    pub fn handle_timeout(&mut self, scene: &mut Scene<'_>) {
        let now = scene.now.instant;
        let over = |call: &ServiceCall| call.sounding.as_ref().is_some_and(|sounding| sounding.until <= now);
        let due: Vec<CallRef> = self.calls.iter().filter(|(_, call)| over(call)).map(|(dialog, _)| *dialog).collect();
        for dialog in due {
            let Some(sounding) = self.calls.remove(&dialog).and_then(|call| call.sounding) else { continue };
            // Over already: the phone was faster.
            let _ = match &sounding.refusal {
                Some((status, headers)) => scene.core.endpoint.reject(dialog, *status, headers, now),
                None => scene.core.endpoint.hangup(dialog, &Headers::new(), now),
            };
            sounding.side.close(scene);
        }
    }

    pub fn end_all(&mut self, scene: &mut Scene<'_>) {
        let all: Vec<CallRef> = self.calls.keys().copied().collect();
        for dialog in all {
            let _ = scene.core.endpoint.hangup(dialog, &Headers::new(), scene.now.instant);
            self.forget(scene, dialog);
        }
    }
}

/// The status that says why, with the sentence for phones that show it.
fn refusal(scene: &Scene<'_>, error: &CommandError) -> (u16, Headers) {
    let status = match error {
        CommandError::NotAssigned { .. } => 404,
        CommandError::NotKept { .. } => 503,
        _ => 403,
    };
    let mut headers = Headers::new();
    let warning = Warning { code: 399, agent: scene.core.host.to_string().into(), text: error.to_string().into() };
    headers.push(Name::Warning, warning.to_string());
    (status, headers)
}
