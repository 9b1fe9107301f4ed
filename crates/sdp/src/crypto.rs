//! `a=crypto` (RFC 4568): the keys of SRTP in a description, and which line is taken.

use std::fmt;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::session::{Attribute, Media};

/// Longest master key with its salt, in bytes.
const MAX_KEY: usize = 44;

/// Written with padding; read with or without, and with bits to spare: a key of the right length is the right key.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The crypto suites that Earcon has (RFC 4568 6.2, RFC 7714 14.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Suite {
    AeadAes256Gcm,
    AeadAes128Gcm,
    AesCm128HmacSha1_80,
    AesCm128HmacSha1_32,
}

impl Suite {
    /// The strongest first: the order in which they are offered and chosen.
    pub const ALL: [Suite; 4] =
        [Suite::AeadAes256Gcm, Suite::AeadAes128Gcm, Suite::AesCm128HmacSha1_80, Suite::AesCm128HmacSha1_32];

    pub fn name(self) -> &'static str {
        match self {
            Suite::AeadAes256Gcm => "AEAD_AES_256_GCM",
            Suite::AeadAes128Gcm => "AEAD_AES_128_GCM",
            Suite::AesCm128HmacSha1_80 => "AES_CM_128_HMAC_SHA1_80",
            Suite::AesCm128HmacSha1_32 => "AES_CM_128_HMAC_SHA1_32",
        }
    }

    /// Case matters (RFC 4568 9.2).
    fn from_name(name: &str) -> Option<Suite> {
        Suite::ALL.into_iter().find(|suite| suite.name() == name)
    }

    /// Bytes of master key and master salt together.
    pub fn key_len(self) -> usize {
        match self {
            Suite::AeadAes256Gcm => 44,
            Suite::AeadAes128Gcm => 28,
            Suite::AesCm128HmacSha1_80 | Suite::AesCm128HmacSha1_32 => 30,
        }
    }
}

/// Master key and master salt of one direction.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MasterKey {
    bytes: [u8; MAX_KEY],
    length: usize,
}

impl MasterKey {
    fn new(suite: Suite, bytes: &[u8]) -> Option<MasterKey> {
        let mut own = [0; MAX_KEY];
        let length = suite.key_len();
        own.get_mut(..length).filter(|own| own.len() == bytes.len())?.copy_from_slice(bytes);
        Some(MasterKey { bytes: own, length })
    }

    /// The key, and behind it the salt.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

impl fmt::Debug for MasterKey {
    /// A key never reaches a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

/// One `a=crypto` line that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crypto {
    /// 1 to 9 digits; the answer names the line it took by it (RFC 4568 4.1).
    pub tag: u32,
    pub suite: Suite,
    /// What the author of the line encrypts with.
    pub key: MasterKey,
}

/// Why an `a=crypto` line cannot be used; the others of the stream still can.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CryptoError {
    /// The tag is no number of 1 to 9 digits.
    #[error("a=crypto has no tag")]
    Tag,
    /// No suite behind the tag.
    #[error("a=crypto has no suite")]
    NoSuite,
    /// A suite that Earcon does not have.
    #[error("the suite of a=crypto is not supported")]
    UnknownSuite,
    /// No `inline:` key, or one that is not base64.
    #[error("a=crypto has no inline key")]
    Key,
    /// Not as many bytes as the suite's key and salt have.
    #[error("the key of a=crypto has not the length that its suite asks for")]
    KeyLength,
    /// The key's lifetime is no number of packets from 1 to 2^48.
    #[error("the lifetime of a=crypto is no number of packets")]
    Lifetime,
    /// Several keys, or one with a master key identifier, which would stand in each packet.
    #[error("a=crypto wants a master key identifier (MKI), which is not supported")]
    Mki,
    /// A session parameter that must be obeyed and is not: no encryption, no authentication, key derivation.
    #[error("a=crypto has a session parameter that is not supported")]
    SessionParameter,
}

impl Crypto {
    /// Reads what stands behind `a=crypto:`.
    ///
    /// # Errors
    /// [`CryptoError`] names what is wrong with it, or what Earcon does not have.
    pub fn parse(value: &str) -> Result<Crypto, CryptoError> {
        let mut fields = value.split_ascii_whitespace();
        let tag = fields
            .next()
            .filter(|tag| tag.len() <= 9 && tag.bytes().all(|b| b.is_ascii_digit()))
            .and_then(|tag| tag.parse().ok())
            .ok_or(CryptoError::Tag)?;
        let suite = Suite::from_name(fields.next().ok_or(CryptoError::NoSuite)?).ok_or(CryptoError::UnknownSuite)?;
        let key = key(suite, fields.next().ok_or(CryptoError::Key)?)?;
        for parameter in fields {
            // RFC 4568 6.3.6: a hint about the replay window, which ours (128) fulfils or not. RFC 4568 6.3.7: what
            // begins with a minus may be ignored by who doesn't know it; anything else may not.
            if !parameter.starts_with("WSH=") && !parameter.starts_with('-') {
                return Err(CryptoError::SessionParameter);
            }
        }
        Ok(Crypto { tag, suite, key })
    }
}

/// `inline:<key||salt>["|" lifetime]["|" MKI ":" length]`
fn key(suite: Suite, text: &str) -> Result<MasterKey, CryptoError> {
    if text.contains(';') {
        // RFC 4568 6.1: several keys are told apart by their MKIs.
        return Err(CryptoError::Mki);
    }
    let mut parts = text.strip_prefix("inline:").ok_or(CryptoError::Key)?.split('|');
    let encoded = parts.next().unwrap_or_default();
    let mut bytes = [0; 2 * MAX_KEY];
    // No key is longer than 60 characters.
    let encoded = Some(encoded).filter(|encoded| (1..=100).contains(&encoded.len())).ok_or(CryptoError::Key)?;
    let length = BASE64.decode_slice(encoded, &mut bytes).map_err(|_| CryptoError::Key)?;
    let key = MasterKey::new(suite, bytes.get(..length).unwrap_or_default()).ok_or(CryptoError::KeyLength)?;
    for (place, part) in parts.enumerate() {
        if part.contains(':') {
            return Err(CryptoError::Mki);
        }
        if place > 0 || !is_lifetime(part) {
            return Err(CryptoError::Lifetime);
        }
    }
    Ok(key)
}

/// RFC 4568 6.1: a number of packets, or `2^` and an exponent, from 1 to 2^48 (RFC 3711 9.2).
fn is_lifetime(text: &str) -> bool {
    let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
    match text.strip_prefix("2^") {
        Some(exponent) => number(exponent).is_some_and(|exponent| exponent <= 48),
        None => number(text).is_some_and(|packets| (1..=1 << 48).contains(&packets)),
    }
}

impl fmt::Display for Crypto {
    /// What stands behind `a=crypto:`, the key included.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} inline:{}", self.tag, self.suite.name(), BASE64.encode(self.key.bytes()))
    }
}

/// Keys of ours for one dialog: one for each suite that we would take, the one that we like best first. Their place is
/// the tag of their line in our offers, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnKeys(Vec<(Suite, MasterKey)>);

impl OwnKeys {
    /// Fresh keys. `random` fills its argument with bytes that nobody can foretell, and that nobody writes down.
    pub fn draw(suites: &[Suite], mut random: impl FnMut(&mut [u8])) -> OwnKeys {
        let draw = |suite: &Suite| {
            let mut bytes = [0; MAX_KEY];
            random(bytes.get_mut(..suite.key_len()).unwrap_or_default());
            (*suite, MasterKey { bytes, length: suite.key_len() })
        };
        OwnKeys(suites.iter().map(draw).collect())
    }

    /// New keys for the same suites.
    fn redraw(&mut self, random: impl FnMut(&mut [u8])) {
        let suites: Vec<Suite> = self.0.iter().map(|(suite, _)| *suite).collect();
        *self = OwnKeys::draw(&suites, random);
    }

    fn lines(&self) -> impl Iterator<Item = Crypto> + '_ {
        (1..).zip(&self.0).map(|(tag, (suite, key))| Crypto { tag, suite: *suite, key: *key })
    }

    /// The lines of an offer.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = Attribute> + '_ {
        self.lines().map(|line| line.attribute())
    }

    /// The best line of an offer, and ours for the answer: the same tag and suite, our key (RFC 4568 5.1.2).
    pub(crate) fn choose(&self, offered: &Media) -> Result<(Crypto, Agreed), Option<CryptoError>> {
        let (mut usable, mut problem) = (Vec::<Crypto>::new(), None);
        for line in offered.cryptos() {
            match line {
                // RFC 4568 4.1: tags are unique. A second line under one tag could not be named.
                Ok(line) if usable.iter().all(|other| other.tag != line.tag) => usable.push(line),
                Ok(_) => {}
                Err(error) => {
                    problem.get_or_insert(error);
                }
            }
        }
        for (suite, key) in &self.0 {
            if let Some(theirs) = usable.iter().find(|line| line.suite == *suite) {
                let ours = Crypto { tag: theirs.tag, suite: *suite, key: *key };
                return Ok((ours, Agreed { suite: *suite, send: *key, receive: theirs.key }));
            }
        }
        Err(problem.or_else(|| usable.first().map(|_| CryptoError::UnknownSuite)))
    }

    /// What an answer to our offer took.
    pub(crate) fn taken(&self, answered: &Media) -> Result<Agreed, Option<CryptoError>> {
        // RFC 4568 5.1.3: exactly one line, with a tag and the suite of one of ours.
        let mut lines = answered.cryptos();
        let theirs = lines.next().ok_or(None)?.map_err(Some)?;
        if lines.next().is_some() {
            return Err(Some(CryptoError::Tag));
        }
        let ours = self.lines().find(|line| line.tag == theirs.tag).ok_or(CryptoError::Tag)?;
        if ours.suite != theirs.suite {
            return Err(Some(CryptoError::UnknownSuite));
        }
        Ok(Agreed { suite: ours.suite, send: ours.key, receive: theirs.key })
    }
}

impl Crypto {
    pub(crate) fn attribute(&self) -> Attribute {
        Attribute::value("crypto", self.to_string())
    }
}

/// What both sides encrypt with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed {
    pub suite: Suite,
    /// What we encrypt with.
    pub send: MasterKey,
    /// What the peer encrypts with.
    pub receive: MasterKey,
}

/// How a side of ours wants its audio.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Security {
    /// RTP only.
    #[default]
    Clear,
    /// SRTP only.
    Required(OwnKeys),
    /// SRTP where the peer has it. Offered as RTP/AVP with `a=crypto` lines, which who does not know them ignores; an
    /// answer with one means SRTP. RFC 4568 has no such thing; many phones do.
    BestEffort(OwnKeys),
}

impl Security {
    /// New keys, where there are any.
    pub(crate) fn redraw(&mut self, random: impl FnMut(&mut [u8])) {
        match self {
            Security::Clear => {}
            Security::Required(keys) | Security::BestEffort(keys) => keys.redraw(random),
        }
    }

    /// The same keys, and media in the clear is taken, too.
    pub fn relaxed(self) -> Security {
        match self {
            Security::Required(keys) => Security::BestEffort(keys),
            other => other,
        }
    }
    pub(crate) fn keys(&self) -> Option<&OwnKeys> {
        match self {
            Security::Clear => None,
            Security::Required(keys) | Security::BestEffort(keys) => Some(keys),
        }
    }
}
