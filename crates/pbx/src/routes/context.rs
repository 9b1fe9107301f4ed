//! Number contexts (`contexta0-7`, `contextb0-7`): which numbers of the network beyond are the node's own, written long.
//!
//! A context is a prefix (`+468555`, `08555`), or the domain of a private numbering plan (`cdp.moon.galaxy`). A number that
//! begins with the prefix, or that carries the context in `phone-context` (RFC 3966 5.1.5), is used without it. The type
//! of number by which contexts are counted says how the network writes them; for reading them it makes no difference,
//! and the longest prefix counts.

use serde::{Deserialize, Serialize};
use sip::Uri;
use std::collections::BTreeMap;

/// A prefix or a domain, as given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Context(String);

impl Context {
    /// `+` and digits, digits, or a domain.
    pub fn parse(text: &str) -> Option<Context> {
        let digits = text.strip_prefix('+').unwrap_or(text);
        let prefix = !digits.is_empty() && digits.len() <= 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
        let domain = || {
            text.len() <= 128
                && text.bytes().any(|byte| byte.is_ascii_alphabetic())
                && text.parse::<sip::Host>().is_ok()
        };
        (prefix || domain()).then(|| Context(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is left of a number that begins with this context.
    fn strip<'a>(&self, number: &'a str) -> Option<&'a str> {
        number.strip_prefix(self.as_str()).filter(|rest| !rest.is_empty())
    }
}

/// The number of a URI as it is used at the node.
pub(super) fn shorten(contexts: &BTreeMap<u8, Context>, uri: &Uri) -> Option<String> {
    let number = uri.number()?;
    // A number that says its context is local to it: it is there in the form that the node uses.
    if phone_context(uri).is_some_and(|given| contexts.values().any(|context| context.0.eq_ignore_ascii_case(&given))) {
        return Some(number);
    }
    let longest = contexts.values().filter_map(|context| context.strip(&number)).min_by_key(|rest| rest.len());
    Some(longest.map_or(number.clone(), str::to_owned))
}

/// RFC 3966 5.1.5: a parameter of a tel URI, or within the user part of a SIP URI (RFC 3261 19.1.6); some write it after.
fn phone_context(uri: &Uri) -> Option<String> {
    let in_user = uri.user.as_ref().and_then(|user| {
        let mut params = user.split(';').skip(1);
        params.find_map(|param| param.to_ascii_lowercase().strip_prefix("phone-context=").map(str::to_owned))
    });
    in_user.or_else(|| uri.params.get("phone-context").map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(uri: &str) -> String {
        let contexts = ["+468555", "08555", "+46", "cdp.moon.galaxy"];
        let contexts = (0u8..).zip(contexts).map(|(n, text)| (n, Context::parse(text).unwrap())).collect();
        shorten(&contexts, &uri.parse().unwrap()).unwrap()
    }

    #[test]
    fn own_numbers_are_shortened_by_the_longest_prefix_and_others_left() {
        assert_eq!(read("sip:+46855527000@operator.example;user=phone"), "27000");
        assert_eq!(read("tel:+46-8-555-27000"), "27000");
        assert_eq!(read("sip:0855527000@operator.example"), "27000");
        assert_eq!(read("sip:+4631123456@operator.example"), "31123456");
        assert_eq!(read("sip:+49891234@operator.example"), "+49891234");
        assert_eq!(read("sip:08555@operator.example"), "08555", "a prefix alone is no number");
    }

    #[test]
    fn a_phone_context_of_ours_says_that_the_number_is_short_already() {
        assert_eq!(read("tel:0855527000;phone-context=cdp.moon.galaxy"), "0855527000");
        assert_eq!(read("sip:27000;phone-context=+468555@operator.example"), "27000");
    }

    #[test]
    fn a_context_is_a_prefix_or_a_domain() {
        for wrong in ["", "+", "+46a", "a b", "012345678901234567890"] {
            assert_eq!(Context::parse(wrong), None, "{wrong}");
        }
    }
}
