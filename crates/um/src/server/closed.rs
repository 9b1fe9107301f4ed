//! The server before it can take calls: what it needs is not there yet. Whoever asks is told to take another one.

use super::{Own, hop};
use crate::server::Hop;
use crate::service::Addresses;
use event::Now;
use net::{Action, Input, Role};
use sip::endpoint::{CallEvent, Event as SipEvent, Output};
use sip::flow::Transmit;
use sip::header::{RetryAfter, Warning};
use sip::target::QueryId;
use sip::{Chance, Headers, Host, Response};
use std::collections::VecDeque;
use std::time::Instant;

/// Seconds after which it is worth to ask again.
const AGAIN_AFTER: u32 = 5;

/// Answers every request with 503 (RFC 3261 21.5.4), OPTIONS too, so that supervision sends calls elsewhere.
pub struct Closed {
    hops: Vec<Hop>,
    host: Host,
    why: String,
    actions: VecDeque<Action>,
}

impl Closed {
    /// `why` is for people, in the Warning header.
    pub fn new(addresses: &Addresses, host: Host, user_agent: &str, why: &str, seed: [u8; 32]) -> Closed {
        let hops = hop::hops(addresses, user_agent, Default::default(), &mut Chance::new(seed));
        Closed { hops, host, why: why.to_owned(), actions: VecDeque::new() }
    }

    fn headers(&self) -> Headers {
        let mut headers = Headers::new();
        headers.push_typed(&Warning::miscellaneous(self.host.to_string(), &self.why));
        headers.push_typed(&RetryAfter(AGAIN_AFTER));
        headers
    }

    fn settle(&mut self, now: Instant) {
        let headers = self.headers();
        for (number, hop) in self.hops.iter_mut().enumerate() {
            while let Some(output) = hop.endpoint.poll() {
                match output {
                    Output::Transmit(Transmit { id, to, bytes }) => {
                        self.actions.push_back(Action::Transmit(Transmit { id: hop::join(number, id), to, bytes }));
                    }
                    Output::CloseFlow(flow) => self.actions.push_back(Action::CloseFlow(flow)),
                    Output::Distrust(listener, peer) => self.actions.push_back(Action::Distrust(listener, peer)),
                    Output::Resolve(QueryId(id), question) => {
                        let query = QueryId(hop::join(number, id));
                        self.actions.push_back(Action::Resolve { query, question });
                    }
                    // Who has given up in between needs no answer.
                    Output::Event(SipEvent::Incoming { call, .. }) => {
                        let _ = hop.endpoint.reject(call, 503, &headers, now);
                    }
                    Output::Event(SipEvent::Request { transaction, request, .. }) => {
                        let _ = hop.endpoint.respond(transaction, refused(request.response(503), &headers), now);
                    }
                    Output::Event(SipEvent::Call { event: CallEvent::Request { transaction, request }, .. }) => {
                        let _ = hop.endpoint.respond(transaction, request.response(481), now);
                    }
                    Output::Event(_) => {}
                }
            }
        }
    }
}

fn refused(mut response: Response, headers: &Headers) -> Response {
    response.headers.extend(headers);
    response
}

impl Role for Closed {
    type Own = Own;

    fn input(&mut self, input: Input<Own>, now: Now) {
        match input {
            Input::Sip(input) => {
                hop::hand(&mut self.hops, input, now.instant);
            }
            Input::Own(Own::Stop) => self.actions.push_back(Action::Stop),
            Input::Own(_) | Input::Timeout => {}
        }
        for hop in &mut self.hops {
            while hop.endpoint.deadline().is_some_and(|at| at <= now.instant)
                && hop.endpoint.handle_one_timeout(now.instant)
            {}
        }
        self.settle(now.instant);
    }

    fn deadline(&self) -> Option<Instant> {
        self.hops.iter().filter_map(|hop| hop.endpoint.deadline()).min()
    }

    fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }
}
