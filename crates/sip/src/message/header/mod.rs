//! The headers that have a type. Each reads tolerantly, and writes strictly by `Display`.

mod address;
mod auth;
mod event;
mod number;
mod reference;

pub use address::{
    Contact, ContactValue, From, Identity, PAssertedIdentity, PPreferredIdentity, Path, PrivacySet, RecordRoute,
    ReferTo, ReferredBy, RemotePartyId, Route, To,
};
pub use auth::{AuthParams, Authorization, ProxyAuthenticate, ProxyAuthorization, WwwAuthenticate};
pub use event::{Event, SubscriptionState};
pub use number::{
    CSeq, CallId, ContentLength, Expires, MaxForwards, MinExpires, MinSe, RAck, RSeq, Refresher, RetryAfter,
    SessionExpires,
};
pub use reference::{ContentType, Reason, Replaces, Warning};

use super::HeaderError;
use super::chars::trim;

/// Reads digits; more than fit become the largest number, as RFC 3261's delta-seconds allow (20.19).
fn saturating_number(text: &str) -> Result<u32, HeaderError> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(HeaderError::Number);
    }
    Ok(text.parse().unwrap_or(u32::MAX))
}

/// Reads digits that must fit.
fn exact_number(text: &str) -> Result<u32, HeaderError> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(HeaderError::Number);
    }
    text.parse().map_err(|_| HeaderError::Number)
}

/// A value up to its parameters, and these.
fn before_params(text: &str) -> (&str, &str) {
    let end = memchr::memchr(b';', text.as_bytes()).unwrap_or(text.len());
    (trim(&text[..end]), &text[end..])
}
