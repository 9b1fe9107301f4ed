//! Subscriptions (RFC 6665): we notify those who subscribed to us, and subscribe to others.

use std::time::{Duration, Instant};

use super::attempt::{Final, Owner, Start, Way};
use super::outgoing::{Login, TargetPolicy};
use super::schedule::Timed;
use super::{
    Body, CommandError, Endpoint, Event, OutgoingRequest, Output, ServerRef, SubscriptionEnd, SubscriptionEvent,
    SubscriptionRef, TagOwner,
};
use crate::Text;
use crate::dialog::Dialog;
use crate::flow::{Flow, ListenerId};
use crate::message::header::{Expires, MinExpires, SubscriptionState};
use crate::message::{CSeq, Headers, Method, Name, Request, Response};
use crate::transaction::ServerId;

/// One subscription, either role.
pub(crate) struct Subscription {
    role: Role,
    /// As the SUBSCRIBE had it, with its `id`.
    event: Text,
    local_tag: Text,
    call_id: Text,
    listener: ListenerId,
    login: Option<Login>,
    dialog: Option<Dialog>,
    expires_at: Instant,
    /// A request of ours waits for its answer.
    busy: bool,
    /// It ends when the request under way is answered, whatever the answer.
    ending: Option<SubscriptionEnd>,
    over: bool,
    scheduled: Option<Instant>,
}

enum Role {
    /// We notify.
    Notifier {
        /// What was told last: the last NOTIFY repeats it.
        told: Option<Body>,
        /// What is to be told when the NOTIFY under way is answered; the newest wins.
        next: Option<Option<Body>>,
        /// `expires` was zero: the first NOTIFY ends it.
        fetch: bool,
    },
    /// We are notified.
    Subscriber {
        /// The first SUBSCRIBE: what a new one is made of when the notifier has lost the dialog.
        request: Box<OutgoingRequest>,
        interval: Duration,
        refresh_at: Option<Instant>,
        seq: u32,
        /// How often it was begun anew in a row.
        renewals: u8,
    },
}

/// A notifier may be that late with its SUBSCRIBE refresh, for the travel.
const GRACE: Duration = Duration::from_secs(10);
/// How often a lost subscription is begun anew without a success between.
const MAX_RENEWALS: u8 = 3;

impl Subscription {
    fn deadline(&self) -> Option<Instant> {
        match &self.role {
            Role::Subscriber { refresh_at: Some(at), .. } => Some((*at).min(self.expires_at)),
            _ => Some(self.expires_at),
        }
    }
}

fn seconds(time: Duration) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(u32::MAX)
}

impl Endpoint {
    fn with_subscription<T>(
        &mut self,
        id: SubscriptionRef,
        act: impl FnOnce(&mut Endpoint, &mut Subscription) -> Result<T, CommandError>,
    ) -> Result<T, CommandError> {
        let mut subscription = self.subscriptions.remove(&id).ok_or(CommandError::Unknown)?;
        let done = act(self, &mut subscription);
        let mut slot = subscription.scheduled;
        if subscription.over {
            self.schedule.set(Timed::Subscription(id), &mut slot, None);
            self.tags.remove(&subscription.local_tag);
        } else {
            let deadline = subscription.deadline();
            self.schedule.set(Timed::Subscription(id), &mut slot, deadline);
            subscription.scheduled = slot;
            self.subscriptions.insert(id, subscription);
        }
        done
    }

    fn tell_subscription(&mut self, subscription: SubscriptionRef, event: SubscriptionEvent) {
        self.out.push_back(Output::Event(Event::Subscription { subscription, event }));
    }

    fn end(&mut self, id: SubscriptionRef, subscription: &mut Subscription, cause: SubscriptionEnd) {
        subscription.over = true;
        self.tell_subscription(id, SubscriptionEvent::Ended { cause });
    }

    // ---- we notify ----

    pub(crate) fn accept_subscribe(
        &mut self,
        transaction: ServerRef,
        expires: Duration,
        headers: &Headers,
        now: Instant,
    ) -> Result<SubscriptionRef, CommandError> {
        let server = ServerId(transaction.0);
        let Some(local_tag) = self.transactions.local_tag(server).cloned() else { return Err(CommandError::Unknown) };
        let pending = self.pending.take(server).ok_or(CommandError::Unknown)?;
        let (request, flow) = (pending.request, pending.flow);
        if request.method != Method::Subscribe {
            return Err(CommandError::WrongState);
        }
        let user = request.uri.user.clone().unwrap_or_default();
        let contact = self.contact(flow.listener, flow.transport, &user, request.uri.is_sips());
        let Some(mut dialog) = Dialog::server(&request, local_tag.clone(), contact.clone(), &flow) else {
            self.answer(server, request.response(400), now);
            return Err(CommandError::WrongState);
        };
        if self.subscriptions.len() >= self.config.limits.subscriptions {
            let mut response = request.response(503);
            response.headers.push(Name::RetryAfter, Text::from_static("60"));
            self.answer(server, response, now);
            return Err(CommandError::Full);
        }
        dialog.local_seq = self.first_seq();
        let id = SubscriptionRef(self.fresh_id());
        let response = granted(&request, &dialog, expires, headers);
        self.answer(server, response, now);
        let mut subscription = Subscription {
            role: Role::Notifier { told: None, next: None, fetch: expires.is_zero() },
            event: request.headers.get(&Name::Event).cloned().unwrap_or_default(),
            local_tag: local_tag.clone(),
            call_id: dialog.call_id.clone(),
            listener: flow.listener,
            login: None,
            dialog: Some(dialog),
            expires_at: now + expires + GRACE,
            busy: false,
            ending: None,
            over: false,
            scheduled: None,
        };
        let (deadline, mut slot) = (subscription.deadline(), None);
        self.schedule.set(Timed::Subscription(id), &mut slot, deadline);
        subscription.scheduled = slot;
        self.tags.insert(local_tag, TagOwner::Subscription(id));
        self.subscriptions.insert(id, subscription);
        Ok(id)
    }

    pub(crate) fn send_notify(
        &mut self,
        id: SubscriptionRef,
        body: Option<Body>,
        now: Instant,
    ) -> Result<(), CommandError> {
        self.with_subscription(id, |endpoint, subscription| {
            let Role::Notifier { told, next, fetch } = &mut subscription.role else {
                return Err(CommandError::WrongState);
            };
            if subscription.ending.is_some() {
                return Err(CommandError::WrongState);
            }
            told.clone_from(&body);
            if *fetch {
                // RFC 6665 4.4.3: a fetch is one NOTIFY, and over.
                subscription.ending = Some(SubscriptionEnd::Expired);
                endpoint.notify_now(id, subscription, Some("timeout"), now);
            } else if subscription.busy {
                // One at a time, so that none overtakes another.
                *next = Some(body);
            } else {
                endpoint.notify_now(id, subscription, None, now);
            }
            Ok(())
        })
    }

    /// Sends what was told last; with a reason it is the last NOTIFY.
    fn notify_now(&mut self, id: SubscriptionRef, subscription: &mut Subscription, end: Option<&str>, now: Instant) {
        let Role::Notifier { told, .. } = &subscription.role else { return };
        let Some(dialog) = &mut subscription.dialog else { return };
        let mut request = dialog.request(Method::Notify);
        request.headers.push(Name::Event, subscription.event.clone());
        let left = subscription.expires_at.saturating_duration_since(now).saturating_sub(GRACE);
        let state = match end {
            Some(reason) => SubscriptionState::terminated(Some(reason)),
            None => SubscriptionState::active(seconds(left)),
        };
        request.headers.push_typed(&state);
        self.sign(&mut request.headers);
        if let Some(body) = told.clone() {
            request.set_body(body.content_type, body.bytes);
        }
        let way = Way::of(dialog);
        self.send_within(id, subscription, way, request, None, now);
    }

    /// Sends the next request of the subscription's dialog; its answer ends `busy`.
    fn send_within(
        &mut self,
        id: SubscriptionRef,
        subscription: &mut Subscription,
        way: Way,
        request: Request,
        login: Option<Login>,
        now: Instant,
    ) {
        subscription.busy = true;
        let start = Start {
            owner: Owner::Subscription(id),
            request,
            way,
            listener: subscription.listener,
            policy: TargetPolicy::default(),
            login,
            contact_user: None,
            avoid: Vec::new(),
        };
        self.start(start, now);
    }

    /// The peer's SUBSCRIBE within our notifier's dialog: a refresh, or the end (4.2.1.4, 4.4.1).
    fn on_refresh(
        &mut self,
        id: SubscriptionRef,
        subscription: &mut Subscription,
        server: ServerId,
        request: &Request,
        now: Instant,
    ) {
        let Some(dialog) = &subscription.dialog else { return };
        if subscription.ending.is_some() {
            return self.answer(server, request.response(481), now);
        }
        let asked = request.headers.sound::<Expires>().map_or(3600, |expires| expires.0);
        let expires = Duration::from_secs(asked.min(MAX_EXPIRES).into());
        let response = granted(request, dialog, expires, &Headers::new());
        self.answer(server, response, now);
        subscription.expires_at = now + expires + GRACE;
        if expires.is_zero() {
            subscription.ending = Some(SubscriptionEnd::Expired);
            self.notify_now(id, subscription, Some("timeout"), now);
        } else {
            self.tell_subscription(id, SubscriptionEvent::Refreshed { expires });
        }
    }

    // ---- we subscribe ----

    pub(crate) fn start_subscription(
        &mut self,
        mut request: OutgoingRequest,
        expires: Duration,
        now: Instant,
    ) -> Result<SubscriptionRef, CommandError> {
        if self.subscriptions.len() >= self.config.limits.subscriptions {
            return Err(CommandError::Full);
        }
        if !self.has_listener(request.listener) {
            return Err(CommandError::NoListener);
        }
        let id = SubscriptionRef(self.fresh_id());
        request.method = Method::Subscribe;
        request.headers.set_typed(&Expires(seconds(expires)));
        let mut subscription = Subscription {
            role: Role::Subscriber {
                interval: expires,
                refresh_at: None,
                seq: 0,
                renewals: 0,
                request: Box::new(request),
            },
            event: Text::default(),
            local_tag: Text::default(),
            call_id: Text::default(),
            listener: ListenerId(0),
            login: None,
            dialog: None,
            expires_at: now,
            busy: false,
            ending: None,
            over: false,
            scheduled: None,
        };
        self.subscribe_anew(id, &mut subscription, now);
        let (deadline, mut slot) = (subscription.deadline(), None);
        self.schedule.set(Timed::Subscription(id), &mut slot, deadline);
        subscription.scheduled = slot;
        self.subscriptions.insert(id, subscription);
        Ok(id)
    }

    /// Sends the first SUBSCRIBE, in a dialog to be.
    fn subscribe_anew(&mut self, id: SubscriptionRef, subscription: &mut Subscription, now: Instant) {
        let Role::Subscriber { request, interval, seq, refresh_at, .. } = &mut subscription.role else { return };
        let mut new = (**request).clone();
        let (call_id, tag) = (Text::from(self.token()), Text::from(self.token()));
        new.from.set_tag(&tag);
        new.call_id = Some(call_id.clone());
        *seq = self.first_seq();
        new.cseq = Some(*seq);
        *refresh_at = None;
        self.tags.remove(&subscription.local_tag);
        self.tags.insert(tag.clone(), TagOwner::Subscription(id));
        subscription.local_tag = tag;
        subscription.call_id = call_id;
        subscription.event = new.headers.get(&Name::Event).cloned().unwrap_or_default();
        subscription.listener = new.listener;
        subscription.login.clone_from(&new.login);
        subscription.dialog = None;
        // Timer N (4.1.2.4): without a NOTIFY or an answer in 64*T1 it failed; the request's own timers say so sooner.
        subscription.expires_at = now + *interval + self.config.timers.limit().saturating_mul(2);
        subscription.busy = true;
        let start = self.outside(new, Owner::Subscription(id));
        self.start(start, now);
    }

    fn subscribe_again(
        &mut self,
        id: SubscriptionRef,
        subscription: &mut Subscription,
        expires: Duration,
        now: Instant,
    ) {
        let Some(dialog) = &mut subscription.dialog else { return };
        let mut request = dialog.request(Method::Subscribe);
        request.headers.push(Name::Event, subscription.event.clone());
        request.headers.push_typed(&Expires(seconds(expires)));
        if let Role::Subscriber { request: first, .. } = &subscription.role {
            for accept in first.headers.lines(&Name::Accept) {
                request.headers.push(Name::Accept, accept.clone());
            }
        }
        self.sign(&mut request.headers);
        let way = Way::of(dialog);
        self.send_within(id, subscription, way, request, subscription.login.clone(), now);
    }

    /// A NOTIFY for a subscription of ours (4.1.3).
    fn on_notify(
        &mut self,
        id: SubscriptionRef,
        subscription: &mut Subscription,
        server: ServerId,
        request: Request,
        flow: &Flow,
        now: Instant,
    ) {
        if subscription.dialog.is_none() {
            // 4.4.1: the NOTIFY makes the dialog, when it is faster than the 2xx.
            let secure = request.uri.is_sips();
            let contact = self.contact(flow.listener, flow.transport, &self.user_of(subscription), secure);
            let Some(mut dialog) = Dialog::server(&request, subscription.local_tag.clone(), contact, flow) else {
                return self.answer(server, request.response(400), now);
            };
            if let Role::Subscriber { seq, .. } = &subscription.role {
                dialog.local_seq = *seq;
            }
            subscription.dialog = Some(dialog);
        } else if let Some(dialog) = &mut subscription.dialog {
            dialog.refresh(&request.headers, flow);
        }
        let state = request.headers.sound::<SubscriptionState>();
        let Some(state) = state else { return self.answer(server, request.response(400), now) };
        self.answer(server, request.response(200), now);
        self.tell_subscription(id, SubscriptionEvent::Notified { request });
        if !state.is_terminated() {
            if let Some(expires) = state.expires().filter(|_| subscription.ending.is_none()) {
                self.accepted(subscription, Duration::from_secs(expires.into()), now);
            }
            return;
        }
        if let Some(cause) = subscription.ending.clone() {
            return self.end(id, subscription, cause);
        }
        let reason = state.reason().map(str::to_owned);
        let Role::Subscriber { renewals, .. } = &mut subscription.role else { return };
        // 4.1.3: these two ask for a new subscription at once.
        if matches!(reason.as_deref(), Some("deactivated" | "timeout")) && *renewals < MAX_RENEWALS {
            *renewals = renewals.saturating_add(1);
            return self.subscribe_anew(id, subscription, now);
        }
        self.end(id, subscription, SubscriptionEnd::Terminated(reason));
    }

    fn user_of(&self, subscription: &Subscription) -> Text {
        match &subscription.role {
            Role::Subscriber { request, .. } => request.from.uri.user.clone().unwrap_or_default(),
            Role::Notifier { .. } => Text::default(),
        }
    }

    /// It runs this long from now; refreshed well before.
    fn accepted(&self, subscription: &mut Subscription, expires: Duration, now: Instant) {
        subscription.expires_at = now + expires;
        if let Role::Subscriber { refresh_at, .. } = &mut subscription.role {
            // Early enough for a whole transaction, but not more often than every other second.
            let ahead = (expires / 10).max(Duration::from_secs(5)).min(expires / 2);
            *refresh_at = Some(now + expires.saturating_sub(ahead).max(Duration::from_secs(1)));
        }
    }

    // ---- both ----

    /// Ends it from our side.
    pub(crate) fn stop_subscription(
        &mut self,
        id: SubscriptionRef,
        reason: &str,
        now: Instant,
    ) -> Result<(), CommandError> {
        self.with_subscription(id, |endpoint, subscription| {
            if subscription.ending.is_some() {
                return Err(CommandError::WrongState);
            }
            subscription.ending = Some(SubscriptionEnd::Local);
            match &mut subscription.role {
                Role::Notifier { next, .. } => {
                    *next = None;
                    endpoint.notify_now(id, subscription, Some(reason), now);
                }
                Role::Subscriber { refresh_at, .. } => {
                    *refresh_at = None;
                    if subscription.dialog.is_some() {
                        // The notifier's last NOTIFY is waited for, but not for ever (4.1.2.3).
                        subscription.expires_at = now + endpoint.config.timers.limit();
                        endpoint.subscribe_again(id, subscription, Duration::ZERO, now);
                    }
                }
            }
            Ok(())
        })
    }

    /// A request with a subscription's tag.
    pub(crate) fn subscription_request(
        &mut self,
        id: SubscriptionRef,
        server: ServerId,
        request: Request,
        flow: Flow,
        now: Instant,
    ) {
        let mut request = Some(request);
        let _ = self.with_subscription(id, |endpoint, subscription| {
            let Some(given) = request.take() else { return Ok(()) };
            let tag = given.from_tag().unwrap_or_default();
            let call_id = given.call_id().unwrap_or_default();
            let notifies = matches!(subscription.role, Role::Notifier { .. });
            let fits = match &subscription.dialog {
                Some(dialog) => dialog.is(&call_id, &tag),
                None => subscription.call_id == call_id && given.method == Method::Notify,
            };
            if !fits {
                request = Some(given);
                return Ok(());
            }
            if let Some(dialog) = &mut subscription.dialog
                && dialog.receive(&given, &flow).is_err()
            {
                endpoint.answer(server, given.response(500), now);
                return Ok(());
            }
            match given.method {
                Method::Subscribe if notifies => {
                    if let Some(dialog) = &mut subscription.dialog {
                        dialog.refresh(&given.headers, &flow);
                    }
                    endpoint.on_refresh(id, subscription, server, &given, now);
                }
                Method::Notify if !notifies => endpoint.on_notify(id, subscription, server, given, &flow, now),
                Method::Options => {
                    let response = endpoint.options_response(&given);
                    endpoint.answer(server, response, now);
                }
                _ => request = Some(given),
            }
            Ok(())
        });
        if let Some(request) = request {
            self.answer(server, request.response(481), now);
        }
    }

    /// The outcome of a SUBSCRIBE or NOTIFY of ours.
    pub(crate) fn subscription_final(&mut self, id: SubscriptionRef, outcome: Final, now: Instant) {
        let Final { response, flow, .. } = outcome;
        let method = response.cseq().map(|cseq| cseq.method);
        let _ = self.with_subscription(id, |endpoint, subscription| {
            subscription.busy = false;
            if method == Some(Method::Notify) {
                endpoint.notify_final(id, subscription, &response, now);
            } else {
                endpoint.subscribe_final(id, subscription, &response, flow.as_ref(), now);
            }
            Ok(())
        });
    }

    fn notify_final(
        &mut self,
        id: SubscriptionRef,
        subscription: &mut Subscription,
        response: &Response,
        now: Instant,
    ) {
        if let Some(cause) = subscription.ending.clone() {
            return self.end(id, subscription, cause);
        }
        let status = response.status;
        if status >= 300 {
            // 4.2.2: 404, 405, 410, 416, 480 to 485, 489, 501 and 604 end it; so does silence. A busy peer (5xx with
            // Retry-After) hears of the next change.
            if response.headers.has(&Name::RetryAfter) && status != 408 {
                return;
            }
            return self.end(id, subscription, SubscriptionEnd::NotifyFailed(status));
        }
        let Role::Notifier { next, .. } = &mut subscription.role else { return };
        if next.take().is_some() {
            self.notify_now(id, subscription, None, now);
        }
    }

    fn subscribe_final(
        &mut self,
        id: SubscriptionRef,
        subscription: &mut Subscription,
        response: &Response,
        flow: Option<&Flow>,
        now: Instant,
    ) {
        let status = response.status;
        if let Some(cause) = subscription.ending.clone() {
            if status >= 300 {
                return self.end(id, subscription, cause);
            }
            if let (None, Some(flow)) = (&subscription.dialog, flow) {
                // It was ended before it had begun.
                let Role::Subscriber { seq, .. } = &subscription.role else { return };
                subscription.dialog = self.subscriber_dialog(subscription, response, flow, *seq);
                subscription.expires_at = now + self.config.timers.limit();
                self.subscribe_again(id, subscription, Duration::ZERO, now);
            }
            return;
        }
        if (200..300).contains(&status) {
            let Role::Subscriber { interval, renewals, seq, .. } = &mut subscription.role else { return };
            *renewals = 0;
            let expires = response.headers.sound::<Expires>().map_or(*interval, |e| Duration::from_secs(e.0.into()));
            let seq = *seq;
            if let Some(flow) = flow {
                match &mut subscription.dialog {
                    Some(dialog) => dialog.refresh(&response.headers, flow),
                    None => {
                        subscription.dialog = self.subscriber_dialog(subscription, response, flow, seq);
                    }
                }
            }
            self.accepted(subscription, expires, now);
            self.tell_subscription(id, SubscriptionEvent::Accepted { expires });
            return;
        }
        let Role::Subscriber { interval, renewals, request, .. } = &mut subscription.role else { return };
        let again = *renewals < MAX_RENEWALS;
        *renewals = renewals.saturating_add(1);
        match status {
            // 4.1.2.1: 423 names the least interval.
            423 if again && response.headers.has(&Name::MinExpires) => {
                let least = response.headers.sound::<MinExpires>().map_or(3600, |least| least.0);
                *interval = (*interval).max(Duration::from_secs(least.into()));
                request.headers.set_typed(&Expires(seconds(*interval)));
                self.subscribe_anew(id, subscription, now);
            }
            // 4.1.2.2: the notifier has lost the dialog.
            481 if again && subscription.dialog.is_some() => self.subscribe_anew(id, subscription, now),
            _ => self.end(id, subscription, SubscriptionEnd::Refused(status)),
        }
    }

    fn subscriber_dialog(
        &self,
        subscription: &Subscription,
        response: &Response,
        flow: &Flow,
        seq: u32,
    ) -> Option<Dialog> {
        // The response names everything that the request did.
        let mut request = Request::new(Method::Subscribe, response.to()?.0.uri.clone());
        for (name, value) in response.headers.iter() {
            if matches!(name, Name::From | Name::To | Name::CallId) {
                request.headers.push(name.clone(), value.clone());
            }
        }
        let seq = response.cseq().map_or(seq, |cseq| cseq.seq);
        request.headers.push_typed(&CSeq { seq, method: Method::Subscribe });
        let contact = self.contact(flow.listener, flow.transport, &self.user_of(subscription), request.uri.is_sips());
        Dialog::client(&request, response, flow, contact, false)
    }

    pub(crate) fn subscription_timeout(&mut self, id: SubscriptionRef, now: Instant) {
        let _ = self.with_subscription(id, |endpoint, subscription| {
            subscription.scheduled = None;
            let expired = subscription.expires_at <= now;
            match &mut subscription.role {
                Role::Notifier { .. } if expired => {
                    if subscription.ending.is_some() {
                        endpoint.end(id, subscription, SubscriptionEnd::Expired);
                        return Ok(());
                    }
                    // 4.2.2: the end is told too; it is over when that is answered, or not.
                    subscription.ending = Some(SubscriptionEnd::Expired);
                    subscription.expires_at = now + endpoint.config.timers.limit().saturating_mul(2);
                    endpoint.notify_now(id, subscription, Some("timeout"), now);
                }
                Role::Subscriber { .. } if expired => {
                    let cause = subscription.ending.clone().unwrap_or(SubscriptionEnd::Expired);
                    endpoint.end(id, subscription, cause);
                }
                Role::Subscriber { refresh_at, interval, .. } if refresh_at.is_some_and(|at| at <= now) => {
                    *refresh_at = None;
                    let interval = *interval;
                    endpoint.subscribe_again(id, subscription, interval, now);
                }
                _ => {}
            }
            Ok(())
        });
    }

    pub(crate) fn next_subscription_seq(&mut self, id: SubscriptionRef) -> Option<u32> {
        let subscription = self.subscriptions.get_mut(&id)?;
        match (&mut subscription.dialog, &mut subscription.role) {
            (Some(dialog), _) => {
                dialog.local_seq = dialog.local_seq.saturating_add(1);
                Some(dialog.local_seq)
            }
            (None, Role::Subscriber { seq, .. }) => {
                *seq = seq.saturating_add(1);
                Some(*seq)
            }
            _ => None,
        }
    }
}

/// The longest that a peer may subscribe for: a day.
const MAX_EXPIRES: u32 = 86_400;

fn granted(request: &Request, dialog: &Dialog, expires: Duration, extra: &Headers) -> Response {
    let mut response = request.response(200);
    response.set_to_tag(&dialog.local_tag);
    for route in request.headers.lines(&Name::RecordRoute) {
        response.headers.push(Name::RecordRoute, route.clone());
    }
    response.headers.push(Name::Contact, dialog.contact.clone());
    response.headers.push_typed(&Expires(seconds(expires)));
    let mut extra = extra.clone();
    extra.remove(&Name::Expires);
    crate::call::append_extra(&mut response.headers, &extra);
    response
}
