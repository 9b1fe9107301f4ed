//! The four headers of digest authentication (RFC 3261 20.7, 20.27, 20.28, 20.44): a scheme and its parameters.
//! What they mean is in `digest`.

use super::super::chars::{Keep, SplitValues, is_token, quoted_length, trim, unquote, write_quoted};
use super::super::{Header, HeaderError, Name};
use crate::Text;
use std::fmt;

/// A scheme and its parameters, quotes resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthParams {
    /// `Digest`, or another.
    pub scheme: Text,
    /// Names as written, values without quotes.
    pub params: Vec<(Text, Text)>,
}

/// Those that RFC 8760 and 7616 write as tokens in credentials and challenges; all others are quoted.
const BARE: [&str; 5] = ["algorithm", "nc", "stale", "userhash", "auth-param"];

impl AuthParams {
    pub fn get(&self, name: &str) -> Option<&Text> {
        self.params.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub fn is_digest(&self) -> bool {
        self.scheme.eq_ignore_ascii_case("Digest")
    }

    pub(crate) fn parse(value: &Text) -> Result<AuthParams, HeaderError> {
        let text = trim(value);
        let (scheme, rest) = text.split_once([' ', '\t']).unwrap_or((text, ""));
        if !is_token(scheme) {
            return Err(HeaderError::Syntax("has no scheme"));
        }
        let mut params = Vec::with_capacity(10);
        for part in SplitValues::new(rest).filter(|part| !part.is_empty()) {
            let (name, written) = part.split_once('=').ok_or(HeaderError::Param)?;
            let (name, written) = (trim(name), trim(written));
            if !is_token(name) || params.len() >= 32 {
                return Err(HeaderError::Param);
            }
            let plain = match quoted_length(written) {
                Some(length) if length == written.len() => unquote(Keep::slices_of(value), written),
                None if !written.starts_with('"') => value.slice_of(written),
                _ => return Err(HeaderError::Unbalanced),
            };
            params.push((value.slice_of(name), plain));
        }
        Ok(AuthParams { scheme: value.slice_of(scheme), params })
    }
}

impl fmt::Display for AuthParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.scheme)?;
        let response = self.get("response").is_some();
        for (i, (name, value)) in self.params.iter().enumerate() {
            write!(f, "{}{name}=", if i == 0 { " " } else { ", " })?;
            // RFC 7616 3.4: qop is a token in credentials, quoted in a challenge.
            let bare =
                BARE.iter().any(|b| name.eq_ignore_ascii_case(b)) || (response && name.eq_ignore_ascii_case("qop"));
            if bare && is_token(value) { f.write_str(value)? } else { write_quoted(f, value)? }
        }
        Ok(())
    }
}

macro_rules! auth {
    ($($(#[$doc:meta])* $type:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $type(pub AuthParams);

        impl Header for $type {
            const NAME: Name = Name::$type;
            fn parse(value: &Text) -> Result<Self, HeaderError> {
                AuthParams::parse(value).map($type)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

auth! {
    /// A client's credentials for a user agent server.
    Authorization;
    /// A client's credentials for a proxy.
    ProxyAuthorization;
    /// A user agent server's challenge.
    WwwAuthenticate;
    /// A proxy's challenge.
    ProxyAuthenticate;
}
