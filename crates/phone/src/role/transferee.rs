//! Being transferred (RFC 3515): the far end of a call asks this phone to call somebody else in its place.

use super::PhoneRole;
use crate::conversation::Conversation;
use crate::event::PhoneEvent;
use sip::endpoint::{Body, CallRef, ServerRef};
use sip::header::{ReferTo, SubscriptionState};
use sip::{Headers, Method, Name, NameAddr, Request, Uri, sipfrag};
use std::time::Instant;

/// Seconds that the transfer may take, as told to who asked for it.
const PATIENCE: u32 = 60;

impl PhoneRole {
    /// A REFER came within the call that is up. The call is put aside, not ended: when the new one fails, it goes on.
    pub(super) fn referred(&mut self, transaction: ServerRef, request: &Request, now: Instant) {
        let target = match request.headers.typed::<ReferTo>() {
            Some(Ok(target)) => target.0,
            // RFC 3515 2.4.1: without exactly one sound Refer-To it is a bad request.
            _ => return self.respond(transaction, request, 400, now),
        };
        let up = self.conversation.as_ref().is_some_and(|conversation| conversation.answered);
        if !up || self.aside.is_some() || !target.uri.is_sip() {
            return self.respond(transaction, request, 603, now);
        }
        self.respond(transaction, request, 202, now);
        let Some(referrer) = self.conversation.take() else { return };
        let call = referrer.call;
        self.aside = Some(referrer);
        self.report(call, 100, now);
        self.tell(PhoneEvent::Referred { to: number_of(&target.uri) });
        let mut headers = Headers::new();
        if let Some(by) = request.headers.get(&Name::ReferredBy) {
            headers.push(Name::ReferredBy, by);
        }
        if let Some(replaces) = target.uri.header_field("Replaces") {
            headers.push(Name::Replaces, &*replaces);
        }
        let uri = Uri { headers: None, ..target.uri };
        self.call_address(NameAddr { uri, ..target }, headers, now);
    }

    /// The call that was asked for is up: who asked is told, and let go.
    pub(super) fn transfer_succeeded(&mut self, now: Instant) {
        let Some(referrer) = self.aside.take() else { return };
        self.report(referrer.call, 200, now);
        let call = referrer.call;
        self.ignore_race(|endpoint| endpoint.hangup(call, &Headers::new(), now));
        self.put_away(referrer);
    }

    /// The call that was asked for failed: who asked is told, and the first call goes on. Says whether there was one.
    pub(super) fn transfer_failed(&mut self, status: u16, now: Instant) -> bool {
        let Some(referrer) = self.aside.take() else { return false };
        self.report(referrer.call, status, now);
        if let Some(failed) = self.conversation.replace(referrer) {
            self.put_away(failed);
        }
        self.tell(PhoneEvent::Transfer { status });
        true
    }

    /// The call that is put aside ended: its far end does not wait for the outcome (RFC 5589 6.1).
    pub(super) fn aside_ended(&mut self) {
        if let Some(referrer) = self.aside.take() {
            self.put_away(referrer);
        }
    }

    pub(super) fn is_aside(&self, call: CallRef) -> bool {
        self.aside.as_ref().is_some_and(|conversation| conversation.call == call)
    }

    /// Closes a conversation's media; what was heard is kept.
    pub(super) fn put_away(&mut self, conversation: Conversation) {
        conversation.close(&mut *self.media);
    }

    /// The NOTIFY that RFC 3515 2.4.4 wants at once, and with each outcome.
    fn report(&mut self, call: CallRef, status: u16, now: Instant) {
        let mut headers = Headers::new();
        headers.push(Name::Event, "refer");
        headers.push_typed(&match status {
            100..200 => SubscriptionState::active(PATIENCE),
            _ => SubscriptionState::terminated(Some("noresource")),
        });
        let body = Some(Body::new(sipfrag::CONTENT_TYPE, sipfrag::status_line(status)));
        self.ignore_race(|endpoint| endpoint.request_in_call(call, Method::Notify, &headers, body, now));
    }
}

fn number_of(uri: &Uri) -> String {
    uri.number().unwrap_or_else(|| uri.to_string())
}
