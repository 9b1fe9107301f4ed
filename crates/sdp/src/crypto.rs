//! `a=crypto` (RFC 4568): keys of SRTP in the description, kept typed.

use std::fmt;

/// One `a=crypto` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crypto {
    /// 1 to 9 digits; the answer names the line it took by it (RFC 4568 4.1).
    pub tag: u32,
    pub suite: Suite,
    pub keys: Vec<KeyParameter>,
    /// `UNENCRYPTED_SRTP`, `KDR=...`, ..., as they stood.
    pub session_parameters: Vec<String>,
}

/// The crypto suites of RFC 4568 6.2 that the field uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Suite {
    AesCm128HmacSha1_80,
    AesCm128HmacSha1_32,
    Other(String),
}

/// One `inline:` key.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyParameter {
    /// Master key and salt, base64 as on the wire.
    pub key: String,
    /// `2^20` or a number of packets.
    pub lifetime: Option<String>,
    /// Master key identifier and its length in bytes.
    pub mki: Option<(u64, u8)>,
}

impl fmt::Debug for KeyParameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A key never reaches a log.
        f.debug_struct("KeyParameter").field("lifetime", &self.lifetime).field("mki", &self.mki).finish_non_exhaustive()
    }
}

/// Why an `a=crypto` line cannot be used; the others of the stream still can.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CryptoError {
    /// The tag is no number of 1 to 9 digits.
    #[error("a=crypto has no tag")]
    Tag,
    /// No suite behind the tag.
    #[error("a=crypto has no suite")]
    Suite,
    /// No `inline:` key, or one that is not base64.
    #[error("a=crypto has no inline key")]
    Key,
}

impl Suite {
    pub fn name(&self) -> &str {
        match self {
            Suite::AesCm128HmacSha1_80 => "AES_CM_128_HMAC_SHA1_80",
            Suite::AesCm128HmacSha1_32 => "AES_CM_128_HMAC_SHA1_32",
            Suite::Other(name) => name,
        }
    }
}

impl Crypto {
    /// Reads what stands behind `a=crypto:`.
    ///
    /// # Errors
    /// [`CryptoError`] names the field that is wrong.
    pub fn parse(value: &str) -> Result<Crypto, CryptoError> {
        let mut fields = value.split_ascii_whitespace();
        let tag = fields
            .next()
            .filter(|tag| tag.len() <= 9 && tag.bytes().all(|b| b.is_ascii_digit()))
            .and_then(|tag| tag.parse().ok())
            .ok_or(CryptoError::Tag)?;
        let suite = match fields.next().ok_or(CryptoError::Suite)? {
            "AES_CM_128_HMAC_SHA1_80" => Suite::AesCm128HmacSha1_80,
            "AES_CM_128_HMAC_SHA1_32" => Suite::AesCm128HmacSha1_32,
            other => Suite::Other(other.into()),
        };
        let keys = fields.next().ok_or(CryptoError::Key)?;
        let keys = keys.split(';').map(key).collect::<Option<Vec<_>>>().ok_or(CryptoError::Key)?;
        Ok(Crypto { tag, suite, keys, session_parameters: fields.map(String::from).collect() })
    }
}

/// `inline:<key||salt>["|" lifetime]["|" MKI ":" length]`
fn key(text: &str) -> Option<KeyParameter> {
    let mut parts = text.strip_prefix("inline:")?.split('|');
    let key = parts.next()?;
    let base64 = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
    if key.is_empty() || key.len() > 512 || !key.bytes().all(base64) {
        return None;
    }
    let mut parameter = KeyParameter { key: key.into(), lifetime: None, mki: None };
    for part in parts {
        match part.split_once(':') {
            Some((mki, length)) => parameter.mki = Some((mki.parse().ok()?, length.parse().ok()?)),
            None => parameter.lifetime = Some(part.into()),
        }
    }
    Some(parameter)
}

impl fmt::Display for Crypto {
    /// What stands behind `a=crypto:`, keys included.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ", self.tag, self.suite.name())?;
        for (index, KeyParameter { key, lifetime, mki }) in self.keys.iter().enumerate() {
            write!(f, "{}inline:{key}", if index == 0 { "" } else { ";" })?;
            if let Some(lifetime) = lifetime {
                write!(f, "|{lifetime}")?;
            }
            if let Some((mki, length)) = mki {
                write!(f, "|{mki}:{length}")?;
            }
        }
        for parameter in &self.session_parameters {
            write!(f, " {parameter}")?;
        }
        Ok(())
    }
}
