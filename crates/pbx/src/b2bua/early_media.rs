//! What a callee sounds before it answers: announcements and tones of a trunk, a phone's own ringback.

use super::Scene;
use super::call::Call;
use super::describe;
use super::setup::Purpose;
use sip::endpoint::{Body, CallRef};
use sip::{Name, Response};

impl Call {
    /// The description for the caller, where a provisional response brings one and exactly one target rings: of several
    /// the caller could hear only one, and it might be the wrong one. It goes on as a preview (RFC 3261 13.2.1), never
    /// as an answer: this target may yet be given up for another.
    pub(super) fn early_media(&mut self, scene: &mut Scene<'_>, dialog: CallRef, response: &Response) -> Option<Body> {
        let theirs = describe::read(&response.body).ok().flatten()?;
        let offer = self.caller.theirs.clone();
        let setup = self.setup.as_mut()?;
        let alone = setup.purpose == Purpose::Answer && setup.forks.len() == 1;
        let fork = setup.fork(dialog)?;
        // Without an offer of ours it is one, and no time for it.
        fork.plan.body.as_ref()?;
        if response.headers.lists(&Name::Require, "100rel") {
            // RFC 3262 5: this is the answer, and the 2xx may leave it out.
            fork.leg.theirs = Some(theirs.clone());
        }
        if !alone {
            return None;
        }
        let offer = offer?;
        let Some(side) = &mut fork.leg.side else {
            setup.previewed = Some(dialog);
            return Some(self.caller.describe(&theirs));
        };
        side.accept(scene, &theirs).ok()?;
        let own = self.caller.side.as_mut()?;
        let body = own.answer(scene, &offer, None).ok()?;
        own.relay(scene, side);
        Some(body)
    }
}
