//! Digest authentication (RFC 7616, in SIP as RFC 3261 22 and RFC 8760 use it): MD5 and SHA-256, qop=auth.
//!
//! The server side is [`Nonces`]: it issues challenges, strongest first, and judges credentials. The client side picks the
//! strongest challenge that it knows ([`Challenge::strongest`]) and answers it ([`Challenge::answer`]).

mod challenge;
mod credentials;
mod nonces;

pub use challenge::Challenge;
pub use credentials::Credentials;
pub use nonces::{Nonces, Verdict};

use crate::Method;
use md5::{Digest, Md5};
use sha2::Sha256;
use std::fmt;

/// A hash that Earcon has. The `-sess` variants and SHA-512-256 are not offered, and not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    Md5,
    Sha256,
}

impl Algorithm {
    pub const fn as_str(self) -> &'static str {
        match self {
            Algorithm::Md5 => "MD5",
            Algorithm::Sha256 => "SHA-256",
        }
    }

    /// Without an algorithm parameter, MD5 is meant (RFC 7616 3.3).
    fn parse(text: Option<&str>) -> Option<Algorithm> {
        match text {
            None => Some(Algorithm::Md5),
            Some(text) => {
                [Algorithm::Md5, Algorithm::Sha256].into_iter().find(|a| text.eq_ignore_ascii_case(a.as_str()))
            }
        }
    }

    /// The hash of the parts joined by colons, in lower-case hexadecimal.
    fn hash(self, parts: &[&str]) -> String {
        let text = parts.join(":");
        match self {
            Algorithm::Md5 => hex(&Md5::digest(text.as_bytes())),
            Algorithm::Sha256 => hex(&Sha256::digest(text.as_bytes())),
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// H(user:realm:password) for each algorithm, in hexadecimal: all that a server needs to keep of a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Ha1 {
    pub md5: String,
    pub sha256: String,
}

impl Ha1 {
    pub fn new(user: &str, realm: &str, password: &str) -> Ha1 {
        let parts = [user, realm, password];
        Ha1 { md5: Algorithm::Md5.hash(&parts), sha256: Algorithm::Sha256.hash(&parts) }
    }

    pub fn of(&self, algorithm: Algorithm) -> &str {
        match algorithm {
            Algorithm::Md5 => &self.md5,
            Algorithm::Sha256 => &self.sha256,
        }
    }
}

impl fmt::Debug for Ha1 {
    // It is as good as the password within its realm: never in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ha1(..)")
    }
}

/// The `response` value (RFC 7616 3.4.1); without qop as RFC 2069 has it.
fn response(algorithm: Algorithm, ha1: &str, method: &Method, c: &Credentials) -> String {
    let ha2 = algorithm.hash(&[method.as_str(), &c.uri]);
    match &c.protection {
        Some(p) => {
            let nc = format!("{:08x}", p.nc);
            algorithm.hash(&[ha1, &c.nonce, &nc, &p.cnonce, "auth", &ha2])
        }
        None => algorithm.hash(&[ha1, &c.nonce, &ha2]),
    }
}

/// Compares without telling by its time how much was right.
fn same_secret(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

#[cfg(test)]
mod tests;
