//! Subscriptions (RFC 6665), both roles.

use std::time::{Duration, Instant};

use super::attempt::Final;
use super::{Body, CommandError, Endpoint, OutgoingRequest, ServerRef, SubscriptionRef};
use crate::flow::Flow;
use crate::message::{Headers, Request};
use crate::transaction::ServerId;

pub(crate) struct Subscription {}

impl Endpoint {
    pub(crate) fn subscription_request(&mut self, _id: SubscriptionRef, server: ServerId, request: Request, _flow: Flow, now: Instant) {
        self.answer(server, request.response(481), now);
    }
    pub(crate) fn subscription_final(&mut self, _id: SubscriptionRef, _outcome: Final, _now: Instant) {}
    pub(crate) fn subscription_timeout(&mut self, _id: SubscriptionRef, _now: Instant) {}
    pub(crate) fn accept_subscribe(&mut self, _t: ServerRef, _e: Duration, _h: &Headers, _now: Instant) -> Result<SubscriptionRef, CommandError> {
        Err(CommandError::Unknown)
    }
    pub(crate) fn send_notify(&mut self, _s: SubscriptionRef, _b: Option<Body>, _now: Instant) -> Result<(), CommandError> {
        Err(CommandError::Unknown)
    }
    pub(crate) fn start_subscription(&mut self, _r: OutgoingRequest, _e: Duration, _now: Instant) -> Result<SubscriptionRef, CommandError> {
        Err(CommandError::Unknown)
    }
    pub(crate) fn stop_subscription(&mut self, _s: SubscriptionRef, _r: &str, _now: Instant) -> Result<(), CommandError> {
        Err(CommandError::Unknown)
    }
}
impl Endpoint {
    pub(crate) fn next_subscription_seq(&mut self, _id: SubscriptionRef) -> Option<u32> {
        None
    }
}
