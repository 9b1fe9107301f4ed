//! Event and Subscription-State (RFC 6665 8.2).

use super::super::chars::{Keep, is_token};
use super::super::{Header, HeaderError, Name, Params};
use super::{before_params, saturating_number};
use crate::Text;
use std::fmt;

/// The event package, and the `id` that tells subscriptions of one dialog apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub package: Text,
    pub params: Params,
}

impl Event {
    pub fn new(package: &'static str) -> Event {
        Event { package: Text::from_static(package), params: Params::new() }
    }

    pub fn id(&self) -> Option<&str> {
        self.params.get("id")
    }

    pub fn is(&self, package: &str) -> bool {
        self.package.eq_ignore_ascii_case(package)
    }
}

impl Header for Event {
    const NAME: Name = Name::Event;
    fn parse(value: &Text) -> Result<Event, HeaderError> {
        let (package, params) = before_params(value);
        if !is_token(package) {
            return Err(HeaderError::Syntax("has no event package"));
        }
        Ok(Event { package: value.slice_of(package), params: Params::parse_header(Keep::slices_of(value), params)? })
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.package, self.params)
    }
}

/// `active`, `pending`, `terminated` or another, with `expires`, `reason` and `retry-after`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionState {
    pub state: Text,
    pub params: Params,
}

impl SubscriptionState {
    pub fn active(expires: u32) -> SubscriptionState {
        let mut params = Params::new();
        params.set("expires", expires.to_string());
        SubscriptionState { state: Text::from_static("active"), params }
    }

    pub fn terminated(reason: Option<&str>) -> SubscriptionState {
        let mut params = Params::new();
        if let Some(reason) = reason {
            params.set("reason", reason);
        }
        SubscriptionState { state: Text::from_static("terminated"), params }
    }

    pub fn is_terminated(&self) -> bool {
        self.state.eq_ignore_ascii_case("terminated")
    }

    pub fn expires(&self) -> Option<u32> {
        saturating_number(self.params.get("expires")?).ok()
    }

    pub fn reason(&self) -> Option<&str> {
        self.params.get("reason")
    }
}

impl Header for SubscriptionState {
    const NAME: Name = Name::SubscriptionState;
    fn parse(value: &Text) -> Result<SubscriptionState, HeaderError> {
        let (state, params) = before_params(value);
        if !is_token(state) {
            return Err(HeaderError::Syntax("has no state"));
        }
        Ok(SubscriptionState {
            state: value.slice_of(state),
            params: Params::parse_header(Keep::slices_of(value), params)?,
        })
    }
}

impl fmt::Display for SubscriptionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.state, self.params)
    }
}
