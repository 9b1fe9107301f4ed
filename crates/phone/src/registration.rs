//! The phone's registration: when to send REGISTER, and what its answers mean (RFC 3261 10.2).

use sip::{Contact, Headers, Name, Response};
use std::time::{Duration, Instant};

/// Seconds asked for.
const EXPIRES: u32 = 300;
/// How long after a refusal or silence the next try comes.
const RETRY: Duration = Duration::from_secs(10);

pub(crate) struct Registration {
    /// One Call-ID for all its REGISTERs, counted up (10.2).
    pub call_id: String,
    pub cseq: u32,
    due: Option<Instant>,
}

pub(crate) enum Outcome {
    Registered { expires_s: u32 },
    Refused { reason: String },
}

impl Registration {
    pub fn new(call_id: String, now: Instant) -> Registration {
        Registration { call_id, cseq: 0, due: Some(now) }
    }

    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// The next REGISTER's own headers, if it is time. `contact` is the phone's URI.
    pub fn next(&mut self, contact: &str, now: Instant) -> Option<Headers> {
        if self.due.is_none_or(|due| now < due) {
            return None;
        }
        // Until an answer says better: a lost REGISTER is sent again.
        self.due = Some(now + Duration::from_secs(40));
        Some(self.headers(contact, EXPIRES))
    }

    /// The REGISTER that ends the registration.
    pub fn last(&mut self, contact: &str) -> Headers {
        self.due = None;
        self.headers(contact, 0)
    }

    fn headers(&mut self, contact: &str, expires: u32) -> Headers {
        // The endpoint may use the next number for the answer to a challenge.
        self.cseq += 2;
        let mut headers = Headers::new();
        headers.push(Name::Contact, format!("<{contact}>;expires={expires}"));
        headers.push(Name::Expires, expires.to_string());
        headers
    }

    pub fn answered(&mut self, contact: &str, response: &Response, now: Instant) -> Outcome {
        if response.status >= 300 {
            self.due = Some(now + RETRY);
            return Outcome::Refused { reason: format!("{} {}", response.status, response.reason) };
        }
        let granted = granted(contact, response).unwrap_or(EXPIRES);
        // Well before the end, so that two lost messages do no harm.
        self.due = Some(now + Duration::from_secs(u64::from(granted) * 8 / 10).max(Duration::from_secs(1)));
        Outcome::Registered { expires_s: granted }
    }

    pub fn failed(&mut self, now: Instant) {
        self.due = Some(now + RETRY);
    }
}

/// What the registrar grants our contact: its own expires parameter, else Expires (10.2.4).
fn granted(contact: &str, response: &Response) -> Option<u32> {
    let ours: Option<sip::Uri> = contact.parse().ok();
    let of_contact = response.headers.all_typed::<Contact>().flatten().find_map(|listed| match listed {
        Contact::Address(address) if ours.as_ref().is_some_and(|ours| address.uri.same_as(ours)) => {
            address.params.get("expires").and_then(|seconds| seconds.parse().ok())
        }
        _ => None,
    });
    of_contact.or_else(|| response.headers.get(&Name::Expires).and_then(|seconds| seconds.parse().ok()))
}
