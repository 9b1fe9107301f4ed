//! What a client shows.

use super::{Algorithm, Ha1, response, same_secret};
use crate::header::{AuthParams, Authorization, ProxyAuthorization};
use crate::{Headers, Method, Text, Uri};
use std::fmt;

/// What qop=auth adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protection {
    pub nc: u32,
    pub cnonce: Text,
}

/// The value of an Authorization or Proxy-Authorization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    pub username: Text,
    pub realm: Text,
    pub nonce: Text,
    /// The digest-uri, as written.
    pub uri: Text,
    pub algorithm: Algorithm,
    pub opaque: Option<Text>,
    /// `None` for a client that knows RFC 2069 only.
    pub protection: Option<Protection>,
    pub response: Text,
    /// It stands in a Proxy-Authorization.
    pub proxy: bool,
}

impl Credentials {
    /// `None` when the scheme, algorithm or qop is one that Earcon does not have, or a part is missing.
    pub fn from_params(params: &AuthParams, proxy: bool) -> Option<Credentials> {
        if !params.is_digest() {
            return None;
        }
        let protection = match params.get("qop") {
            None => None,
            Some(qop) if qop.eq_ignore_ascii_case("auth") => {
                let nc = params.get("nc").filter(|nc| nc.len() == 8 && nc.bytes().all(|b| b.is_ascii_hexdigit()))?;
                let nc = u32::from_str_radix(nc, 16).ok()?;
                Some(Protection { nc, cnonce: params.get("cnonce")?.clone() })
            }
            Some(_) => return None,
        };
        Some(Credentials {
            username: params.get("username")?.clone(),
            realm: params.get("realm")?.clone(),
            nonce: params.get("nonce")?.clone(),
            uri: params.get("uri")?.clone(),
            algorithm: Algorithm::parse(params.get("algorithm").map(Text::as_str))?,
            opaque: params.get("opaque").cloned(),
            protection,
            response: params.get("response")?.clone(),
            proxy,
        })
    }

    /// The first credentials in a request that are for this realm, from Authorization or Proxy-Authorization.
    pub fn for_realm(headers: &Headers, realm: &str) -> Option<Credentials> {
        let www = headers.all_typed::<Authorization>().flatten().map(|value| (value.0, false));
        let proxy = headers.all_typed::<ProxyAuthorization>().flatten().map(|value| (value.0, true));
        www.chain(proxy)
            .filter_map(|(params, proxy)| Credentials::from_params(&params, proxy))
            .find(|credentials| credentials.realm == *realm)
    }

    /// Whether the response is the one that this password makes, whatever the nonce is worth.
    pub fn matches(&self, ha1: &Ha1, method: &Method) -> bool {
        let expected = response(self.algorithm, ha1.of(self.algorithm), method, self);
        same_secret(&expected, &self.response.to_ascii_lowercase())
    }

    /// RFC 7616 3.4.6: the digest-uri must mean what the Request-URI means. Parameters and port are left out: phones and
    /// proxies add and drop them.
    pub fn is_for(&self, uri: &Uri) -> bool {
        match Uri::parse(&self.uri) {
            Ok(own) => own.user_unescaped() == uri.user_unescaped() && own.host.same_as(&uri.host),
            Err(_) => false,
        }
    }

    fn params(&self) -> AuthParams {
        let mut params = vec![
            (Text::from_static("username"), self.username.clone()),
            (Text::from_static("realm"), self.realm.clone()),
            (Text::from_static("nonce"), self.nonce.clone()),
            (Text::from_static("uri"), self.uri.clone()),
            (Text::from_static("response"), self.response.clone()),
            (Text::from_static("algorithm"), Text::from_static(self.algorithm.as_str())),
        ];
        if let Some(protection) = &self.protection {
            params.push((Text::from_static("cnonce"), protection.cnonce.clone()));
            params.push((Text::from_static("qop"), Text::from_static("auth")));
            params.push((Text::from_static("nc"), Text::from(format!("{:08x}", protection.nc))));
        }
        if let Some(opaque) = &self.opaque {
            params.push((Text::from_static("opaque"), opaque.clone()));
        }
        AuthParams { scheme: Text::from_static("Digest"), params }
    }

    /// Puts them into a request, in the place of older ones for the same realm.
    pub fn put_into(&self, headers: &mut Headers) {
        let name = if self.proxy { crate::Name::ProxyAuthorization } else { crate::Name::Authorization };
        let others: Vec<Text> = headers
            .lines(&name)
            .filter(|line| AuthParams::parse(line).is_ok_and(|p| p.get("realm").is_none_or(|r| *r != self.realm)))
            .cloned()
            .collect();
        headers.remove(&name);
        for line in others {
            headers.push(name.clone(), line);
        }
        headers.push(name, self.to_string());
    }
}

impl fmt::Display for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.params().fmt(f)
    }
}
