//! What a server asks for.

use super::credentials::Protection;
use super::{Algorithm, Credentials, Ha1, response};
use crate::header::{AuthParams, ProxyAuthenticate, WwwAuthenticate};
use crate::{Headers, Method, Text};
use std::fmt;

/// One challenge of a 401 or 407.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    pub realm: Text,
    pub nonce: Text,
    pub algorithm: Algorithm,
    /// Whether `qop=auth` is offered. Without, the answer is RFC 2069's.
    pub auth: bool,
    pub opaque: Option<Text>,
    /// The nonce was too old, the password is right: answer again without asking anyone.
    pub stale: bool,
    /// It stood in a Proxy-Authenticate, so the answer goes into a Proxy-Authorization.
    pub proxy: bool,
}

impl Challenge {
    /// `None` when the scheme or algorithm is one that Earcon does not have, or realm or nonce are missing.
    pub fn from_params(params: &AuthParams, proxy: bool) -> Option<Challenge> {
        if !params.is_digest() {
            return None;
        }
        let auth = match params.get("qop") {
            None => false,
            // auth-int alone can't be answered.
            Some(qop) => qop.split(',').any(|q| q.trim().eq_ignore_ascii_case("auth")).then_some(true)?,
        };
        Some(Challenge {
            realm: params.get("realm")?.clone(),
            nonce: params.get("nonce")?.clone(),
            algorithm: Algorithm::parse(params.get("algorithm").map(Text::as_str))?,
            auth,
            opaque: params.get("opaque").cloned(),
            stale: params.get("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
            proxy,
        })
    }

    /// All challenges of a response that can be answered, as they stand.
    pub fn all(headers: &Headers) -> Vec<Challenge> {
        let www = headers.all_typed::<WwwAuthenticate>().flatten().map(|value| (value.0, false));
        let proxy = headers.all_typed::<ProxyAuthenticate>().flatten().map(|value| (value.0, true));
        www.chain(proxy).filter_map(|(params, proxy)| Challenge::from_params(&params, proxy)).collect()
    }

    /// The one to answer: SHA-256 before MD5, and among equals the first (RFC 8760 2.4).
    pub fn strongest(headers: &Headers) -> Option<Challenge> {
        Challenge::strongest_of(headers, None)
    }

    /// The same among the challenges of one realm.
    pub fn strongest_of(headers: &Headers, realm: Option<&str>) -> Option<Challenge> {
        Challenge::all(headers)
            .into_iter()
            .filter(|challenge| realm.is_none_or(|realm| challenge.realm == *realm))
            .reduce(|best, next| if next.algorithm > best.algorithm { next } else { best })
    }

    /// The credentials that answer. `nc` counts the requests that were sent with this nonce, from 1; `cnonce` is random.
    pub fn answer(&self, user: &str, ha1: &Ha1, method: &Method, uri: &str, nc: u32, cnonce: &str) -> Credentials {
        let mut credentials = Credentials {
            username: Text::from(user),
            realm: self.realm.clone(),
            nonce: self.nonce.clone(),
            uri: Text::from(uri),
            algorithm: self.algorithm,
            opaque: self.opaque.clone(),
            protection: self.auth.then(|| Protection { nc, cnonce: Text::from(cnonce) }),
            response: Text::default(),
            proxy: self.proxy,
        };
        credentials.response = Text::from(response(self.algorithm, ha1.of(self.algorithm), method, &credentials));
        credentials
    }

    /// [`Challenge::answer`] from the password.
    pub fn answer_password(
        &self,
        user: &str,
        password: &str,
        method: &Method,
        uri: &str,
        nc: u32,
        cnonce: &str,
    ) -> Credentials {
        self.answer(user, &Ha1::new(user, &self.realm, password), method, uri, nc, cnonce)
    }

    fn params(&self) -> AuthParams {
        let mut params = vec![
            (Text::from_static("realm"), self.realm.clone()),
            (Text::from_static("nonce"), self.nonce.clone()),
            (Text::from_static("algorithm"), Text::from_static(self.algorithm.as_str())),
        ];
        if self.auth {
            params.push((Text::from_static("qop"), Text::from_static("auth")));
        }
        if let Some(opaque) = &self.opaque {
            params.push((Text::from_static("opaque"), opaque.clone()));
        }
        if self.stale {
            params.push((Text::from_static("stale"), Text::from_static("true")));
        }
        AuthParams { scheme: Text::from_static("Digest"), params }
    }

    /// Appends the header line that carries it.
    pub fn push_to(&self, headers: &mut Headers) {
        if self.proxy {
            headers.push_typed(&ProxyAuthenticate(self.params()));
        } else {
            headers.push_typed(&WwwAuthenticate(self.params()));
        }
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.params().fmt(f)
    }
}
