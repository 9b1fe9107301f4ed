//! Headers whose value is an address.

use super::super::chars::{Keep, trim};
use super::super::{Header, HeaderError, Name, NameAddr, Uri};
use crate::Text;
use std::fmt;
use std::ops::{Deref, DerefMut};

macro_rules! addresses {
    ($($(#[$doc:meta])* $type:ident $list:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $type(pub NameAddr);

        impl Header for $type {
            const NAME: Name = Name::$type;
            const LIST: bool = $list;
            fn parse(value: &Text) -> Result<Self, HeaderError> {
                NameAddr::parse(value).map($type)
            }
        }

        impl Deref for $type {
            type Target = NameAddr;
            fn deref(&self) -> &NameAddr {
                &self.0
            }
        }

        impl DerefMut for $type {
            fn deref_mut(&mut self) -> &mut NameAddr {
                &mut self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

addresses! {
    /// RFC 3261 20.20.
    From false;
    /// RFC 3261 20.39.
    To false;
    /// RFC 3261 20.34.
    Route true;
    /// RFC 3261 20.30.
    RecordRoute true;
    /// RFC 3327.
    Path true;
    /// RFC 3515.
    ReferTo false;
    /// RFC 3892.
    ReferredBy false;
    /// RFC 3325: who calls, as a trusted peer says. Up to two values: a sip and a tel URI.
    PAssertedIdentity true;
    /// RFC 3325.
    PPreferredIdentity true;
}

impl Route {
    /// Whether the hop is a loose router (RFC 3261 19.1.1).
    pub fn is_loose(&self) -> bool {
        self.uri.params.has("lr")
    }
}

/// RFC 3261 20.10: addresses, or the star that removes all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contact {
    Star,
    Address(NameAddr),
}

/// A Contact that is an address.
pub type ContactValue = NameAddr;

impl Contact {
    pub fn address(self) -> Option<NameAddr> {
        match self {
            Contact::Star => None,
            Contact::Address(address) => Some(address),
        }
    }

    pub fn uri(&self) -> Option<&Uri> {
        match self {
            Contact::Star => None,
            Contact::Address(address) => Some(&address.uri),
        }
    }
}

impl NameAddr {
    /// A Contact's `expires` parameter, in seconds; more than fits becomes the largest number, and a value that is no
    /// number counts as 3600 (RFC 3261 10.2.1.1 has this as default of the registrar's choice).
    pub fn expires(&self) -> Option<u32> {
        self.params.get("expires").map(|value| super::saturating_number(value).unwrap_or(3600))
    }

    /// A Contact's `q`, in thousandths; 1000 when there is none or it is malformed.
    pub fn q(&self) -> u16 {
        let Some(text) = self.params.get("q") else { return 1000 };
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let digits = part.len() <= 3 && part.bytes().all(|b| b.is_ascii_digit());
        match whole {
            "0" | "" if digits => format!("{part:0<3}").parse().unwrap_or(1000),
            _ => 1000,
        }
    }
}

impl Header for Contact {
    const NAME: Name = Name::Contact;
    const LIST: bool = true;
    fn parse(value: &Text) -> Result<Contact, HeaderError> {
        Contact::parse_in(Keep::slices_of(value), value)
    }
}

impl Contact {
    /// Reads a part of a text.
    pub(in super::super) fn parse_in(keep: Keep<'_>, value: &str) -> Result<Contact, HeaderError> {
        if trim(value) == "*" { Ok(Contact::Star) } else { NameAddr::parse_in(keep, value).map(Contact::Address) }
    }
}

impl fmt::Display for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Contact::Star => f.write_str("*"),
            Contact::Address(address) => address.fmt(f),
        }
    }
}

/// Remote-Party-ID (draft-ietf-sip-privacy-04), read only: what older systems send instead of P-Asserted-Identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemotePartyId(pub NameAddr);

impl RemotePartyId {
    /// `calling` unless it says otherwise.
    pub fn is_calling(&self) -> bool {
        self.0.params.get("party").is_none_or(|party| party.eq_ignore_ascii_case("calling"))
    }

    /// Whether name or number must not be shown.
    pub fn is_private(&self) -> bool {
        self.0.params.get("privacy").is_some_and(|privacy| !privacy.eq_ignore_ascii_case("off"))
    }
}

impl Header for RemotePartyId {
    const NAME: Name = Name::RemotePartyId;
    const LIST: bool = true;
    fn parse(value: &Text) -> Result<RemotePartyId, HeaderError> {
        NameAddr::parse(value).map(RemotePartyId)
    }
}

impl fmt::Display for RemotePartyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Privacy (RFC 3323, 3325, 7044), as flags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PrivacySet {
    pub id: bool,
    pub user: bool,
    pub header: bool,
    pub session: bool,
    pub history: bool,
    pub critical: bool,
    pub none: bool,
}

impl PrivacySet {
    /// Whether the caller's identity must not be shown to the called.
    pub fn hides_identity(&self) -> bool {
        !self.none && (self.id || self.user || self.header)
    }
}

impl Header for PrivacySet {
    const NAME: Name = Name::Privacy;
    fn parse(value: &Text) -> Result<PrivacySet, HeaderError> {
        let mut set = PrivacySet::default();
        // Values are separated by semicolons; peers write commas too.
        for word in value.split([';', ',']).map(trim) {
            match word.to_ascii_lowercase().as_str() {
                "id" => set.id = true,
                "user" => set.user = true,
                "header" => set.header = true,
                "session" => set.session = true,
                "history" => set.history = true,
                "critical" => set.critical = true,
                "none" => set.none = true,
                _ => {}
            }
        }
        Ok(set)
    }
}

impl fmt::Display for PrivacySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = [
            (self.none, "none"),
            (self.header, "header"),
            (self.session, "session"),
            (self.user, "user"),
            (self.id, "id"),
            (self.history, "history"),
            (self.critical, "critical"),
        ];
        let mut separator = "";
        for (_, word) in words.iter().filter(|(on, _)| *on) {
            write!(f, "{separator}{word}")?;
            separator = ";";
        }
        Ok(())
    }
}

/// Who calls, and whether that may be shown: read from the headers in the order of trust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub address: NameAddr,
    pub hidden: bool,
}

impl Identity {
    /// From a peer that may assert identities (RFC 3325 9.1): P-Asserted-Identity (its sip URI before its tel URI),
    /// then Remote-Party-ID, then From. `None` when nothing of these is sound.
    pub fn asserted(headers: &super::super::Headers) -> Option<Identity> {
        let private = headers.sound::<PrivacySet>().is_some_and(|privacy| privacy.hides_identity());
        let mut asserted: Vec<NameAddr> =
            headers.all_typed::<PAssertedIdentity>().filter_map(|value| Some(value.ok()?.0)).collect();
        asserted.sort_by_key(|address| !address.uri.is_sip());
        if let Some(address) = asserted.into_iter().next() {
            return Some(Identity { address, hidden: private });
        }
        let remote = headers.all_typed::<RemotePartyId>().filter_map(Result::ok).find(RemotePartyId::is_calling);
        if let Some(remote) = remote {
            return Some(Identity { hidden: private || remote.is_private(), address: remote.0 });
        }
        Identity::claimed(headers)
    }

    /// From a peer whose word for others is not taken: From alone.
    pub fn claimed(headers: &super::super::Headers) -> Option<Identity> {
        let private = headers.sound::<PrivacySet>().is_some_and(|privacy| privacy.hides_identity());
        let from = headers.sound::<From>()?.0;
        let anonymous = from.uri.user_unescaped().is_some_and(|user| user.eq_ignore_ascii_case("anonymous"));
        Some(Identity { hidden: private || anonymous, address: from })
    }
}
