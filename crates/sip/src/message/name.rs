//! Header field names. Known ones are an enum, compact forms (RFC 3261 7.3.3) resolved; names have no case (7.3.1).

use super::chars::is_token;
use crate::Text;
use std::fmt;

macro_rules! names {
    ($($(#[$doc:meta])* $variant:ident $name:literal $($compact:literal)?;)*) => {
        /// A header field's name.
        #[derive(Clone, Debug)]
        pub enum Name {
            $($(#[$doc])* $variant,)*
            /// A header that Earcon does not know.
            Other(Text),
        }

        impl Name {
            /// The long form, as the RFC that defines the header spells it.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Name::$variant => $name,)*
                    Name::Other(text) => text,
                }
            }
        }

        const KNOWN: &[(&str, Name)] = &[$(($name, Name::$variant), $(($compact, Name::$variant),)?)*];
    };
}

names! {
    Accept "Accept";
    AcceptContact "Accept-Contact" "a";
    AcceptEncoding "Accept-Encoding";
    AcceptLanguage "Accept-Language";
    AlertInfo "Alert-Info";
    Allow "Allow";
    AllowEvents "Allow-Events" "u";
    AuthenticationInfo "Authentication-Info";
    Authorization "Authorization";
    CallId "Call-ID" "i";
    CallInfo "Call-Info";
    Contact "Contact" "m";
    ContentDisposition "Content-Disposition";
    ContentEncoding "Content-Encoding" "e";
    ContentLanguage "Content-Language";
    ContentLength "Content-Length" "l";
    ContentType "Content-Type" "c";
    CSeq "CSeq";
    Date "Date";
    Diversion "Diversion";
    ErrorInfo "Error-Info";
    Event "Event" "o";
    Expires "Expires";
    From "From" "f";
    HistoryInfo "History-Info";
    InReplyTo "In-Reply-To";
    Join "Join";
    MaxForwards "Max-Forwards";
    MimeVersion "MIME-Version";
    MinExpires "Min-Expires";
    MinSe "Min-SE";
    Organization "Organization";
    PAssertedIdentity "P-Asserted-Identity";
    PPreferredIdentity "P-Preferred-Identity";
    Path "Path";
    Priority "Priority";
    Privacy "Privacy";
    ProxyAuthenticate "Proxy-Authenticate";
    ProxyAuthorization "Proxy-Authorization";
    ProxyRequire "Proxy-Require";
    RAck "RAck";
    Reason "Reason";
    RecordRoute "Record-Route";
    ReferSub "Refer-Sub";
    ReferTo "Refer-To" "r";
    ReferredBy "Referred-By" "b";
    RejectContact "Reject-Contact" "j";
    RemotePartyId "Remote-Party-ID";
    Replaces "Replaces";
    ReplyTo "Reply-To";
    RequestDisposition "Request-Disposition" "d";
    Require "Require";
    RetryAfter "Retry-After";
    Route "Route";
    RSeq "RSeq";
    Server "Server";
    ServiceRoute "Service-Route";
    SessionExpires "Session-Expires" "x";
    SipEtag "SIP-ETag";
    SipIfMatch "SIP-If-Match";
    Subject "Subject" "s";
    SubscriptionState "Subscription-State";
    Supported "Supported" "k";
    TargetDialog "Target-Dialog";
    Timestamp "Timestamp";
    To "To" "t";
    Unsupported "Unsupported";
    UserAgent "User-Agent";
    Via "Via" "v";
    Warning "Warning";
    WwwAuthenticate "WWW-Authenticate";
}

const SLOTS: usize = 512;

const fn slot(name: &[u8]) -> usize {
    if name.is_empty() {
        return 0;
    }
    let first = (name[0] | 0x20) as usize;
    let middle = (name[name.len() / 2] | 0x20) as usize;
    let last = (name[name.len() - 1] | 0x20) as usize;
    (name.len() * 131 + first * 61 + middle * 17 + last * 7) % SLOTS
}

/// `KNOWN`'s positions plus one, hashed by length and three letters, with linear probing: built at compile time.
const INDEX: [u8; SLOTS] = {
    assert!(KNOWN.len() < 255);
    let mut index = [0u8; SLOTS];
    let mut i = 0;
    while i < KNOWN.len() {
        let mut at = slot(KNOWN[i].0.as_bytes());
        while index[at] != 0 {
            at = (at + 1) % SLOTS;
        }
        index[at] = i as u8 + 1;
        i += 1;
    }
    index
};

impl Name {
    /// A known name in any case, long or compact.
    pub fn known(name: &str) -> Option<Name> {
        let mut at = slot(name.as_bytes());
        loop {
            let entry = INDEX[at];
            if entry == 0 {
                return None;
            }
            let (known, variant) = &KNOWN[entry as usize - 1];
            // Nearly all are written as the RFCs spell them, and a plain comparison is the cheaper one.
            if known.as_bytes() == name.as_bytes() || known.eq_ignore_ascii_case(name) {
                return Some(variant.clone());
            }
            at = (at + 1) % SLOTS;
        }
    }

    /// `None` when the text is no token.
    pub fn parse(text: &Text) -> Option<Name> {
        Name::parse_in(text, text)
    }

    /// Reads a part of a head, which an unknown name then shares.
    pub(super) fn parse_in(head: &Text, name: &str) -> Option<Name> {
        Name::known(name).or_else(|| is_token(name).then(|| Name::Other(head.slice_of(name))))
    }
}

impl From<&str> for Name {
    /// For names in the program itself.
    fn from(name: &str) -> Name {
        Name::known(name).unwrap_or_else(|| Name::Other(Text::from(name)))
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Name) -> bool {
        match (self, other) {
            (Name::Other(a), Name::Other(b)) => a.eq_ignore_ascii_case(b),
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

impl Eq for Name {}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_name_is_found_in_any_case() {
        for (name, variant) in KNOWN {
            assert_eq!(Name::known(name).as_ref(), Some(variant));
            assert_eq!(Name::known(&name.to_uppercase()).as_ref(), Some(variant));
            assert_eq!(Name::known(&name.to_lowercase()).as_ref(), Some(variant));
        }
    }

    #[test]
    fn unknown_names_compare_without_case() {
        assert_eq!(Name::from("X-Moon"), Name::from("x-mOON"));
        assert_ne!(Name::from("X-Moon"), Name::from("X-Sun"));
        assert_eq!(Name::known(""), None);
    }
}
