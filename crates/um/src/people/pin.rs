//! What a PIN must be, and what is remembered of it. Only hashes are kept.

use crate::commands::mailbox_policy::PolicySettings;
use crate::commands::value::Limit;
use event::Now;
use rand::RngExt as _;
use serde::{Deserialize, Serialize};

/// What is kept of a mailbox's PIN.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PinRecord {
    /// As [`hashing`](super::hashing) writes it.
    pub hash: String,
    /// Earlier hashes, newest first, as many as the policy's PINHistoryCount, the present one included.
    pub history: Vec<String>,
    /// When the PIN was set, in milliseconds since 1970.
    pub set_at: u64,
    /// Must be changed at the next logon by phone, whatever its age.
    pub expired: bool,
    /// Wrong PINs since the last right one, over calls and doors.
    pub failures: u32,
    /// Only an administrator unlocks.
    pub locked: bool,
}

impl PinRecord {
    /// A new PIN takes the old one's place; failures and lock are forgiven.
    pub fn renewed(&self, hash: String, policy: &PolicySettings, expired: bool, now: Now) -> PinRecord {
        let kept = usize::try_from(policy.pin_history_count).unwrap_or(usize::MAX);
        let history = std::iter::once(hash.clone()).chain(self.history.iter().cloned()).take(kept).collect();
        PinRecord { hash, history, set_at: now.unix_ms(), expired, failures: 0, locked: false }
    }

    /// In how many days it will have to be changed; none: in no number of days.
    pub fn days_left(&self, policy: &PolicySettings, now: Now) -> Option<u32> {
        const DAY_MS: u64 = 24 * 3600 * 1000;
        let Limit::Of(days) = policy.pin_lifetime else { return None };
        let until = self.set_at.saturating_add(u64::from(days).saturating_mul(DAY_MS));
        u32::try_from(until.saturating_sub(now.unix_ms()).div_ceil(DAY_MS)).ok()
    }

    /// Whether it must be changed at the next logon.
    pub fn is_expired(&self, policy: &PolicySettings, now: Now) -> bool {
        const DAY_MS: u64 = 24 * 3600 * 1000;
        let old = match policy.pin_lifetime {
            Limit::Unlimited => false,
            Limit::Of(days) => now.unix_ms().saturating_sub(self.set_at) > u64::from(days).saturating_mul(DAY_MS),
        };
        self.expired || old
    }
}

/// Why a PIN is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PinProblem {
    /// Not digits only.
    #[error("write digits only")]
    NotDigits,
    /// Shorter than the policy's MinPINLength.
    #[error("write at least {0} digits")]
    TooShort(u32),
    /// Longer than 24.
    #[error("write at most 24 digits")]
    TooLong,
    /// The extension, or digits that end as it does, or it ends as they do.
    #[error("write digits that do not end like the extension")]
    LikeExtension,
    /// 123456, 987654, 111111, 121212 and the like, where the policy refuses them.
    #[error("write digits that are not a simple pattern")]
    TooSimple,
    /// One of the last PINs that the policy remembers.
    #[error("write a PIN that was not used before")]
    UsedBefore,
    /// Too many PINs are being hashed at this moment.
    #[error("try again in a second: too many PINs are being checked")]
    Busy,
}

impl PinProblem {
    /// As a number, for the journal, which does not have the digits.
    pub(crate) fn code(result: Result<(), PinProblem>) -> u64 {
        match result {
            Ok(()) => 0,
            Err(PinProblem::NotDigits) => 1,
            Err(PinProblem::TooLong) => 2,
            Err(PinProblem::LikeExtension) => 3,
            Err(PinProblem::TooSimple) => 4,
            Err(PinProblem::UsedBefore) => 5,
            Err(PinProblem::Busy) => 6,
            Err(PinProblem::TooShort(digits)) => 0x100 + u64::from(digits),
        }
    }

    pub(crate) fn of_code(code: u64) -> Result<(), PinProblem> {
        Err(match code {
            0 => return Ok(()),
            1 => PinProblem::NotDigits,
            2 => PinProblem::TooLong,
            3 => PinProblem::LikeExtension,
            4 => PinProblem::TooSimple,
            5 => PinProblem::UsedBefore,
            6 => PinProblem::Busy,
            digits => PinProblem::TooShort(u32::try_from(digits.saturating_sub(0x100)).unwrap_or(u32::MAX)),
        })
    }
}

/// Everything but the history, which takes hashing.
pub fn check_rules(pin: &str, policy: &PolicySettings, extensions: &[String]) -> Result<(), PinProblem> {
    if !pin.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(PinProblem::NotDigits);
    }
    if pin.len() < usize::try_from(policy.min_pin_length).unwrap_or(usize::MAX) {
        return Err(PinProblem::TooShort(policy.min_pin_length));
    }
    if pin.len() > 24 {
        return Err(PinProblem::TooLong);
    }
    if extensions.iter().any(|extension| pin.ends_with(extension.as_str()) || extension.ends_with(pin)) {
        return Err(PinProblem::LikeExtension);
    }
    if !policy.allow_common_patterns && is_common(pin.as_bytes()) {
        return Err(PinProblem::TooSimple);
    }
    Ok(())
}

/// The same step between all neighbours (0 for repeated digits, 1 and 9 for runs, over 9 to 0 too), or a short piece
/// repeated.
fn is_common(pin: &[u8]) -> bool {
    let step = |pair: &[u8]| match pair {
        [a, b] => (10 + b - a) % 10,
        _ => 0,
    };
    let mut steps = pin.windows(2).map(step);
    let even = match steps.next() {
        Some(first) => matches!(first, 0 | 1 | 9) && steps.all(|next| next == first),
        None => true,
    };
    let repeated = (1..=pin.len() / 2)
        .filter(|length| pin.len().is_multiple_of(*length))
        .any(|length| pin.chunks(length).all(|piece| Some(piece) == pin.get(..length)));
    even || repeated
}

/// A PIN at random that the rules take.
pub fn made_up(policy: &PolicySettings, extensions: &[String], random: &mut impl rand::Rng) -> String {
    let length = usize::try_from(policy.min_pin_length.max(6)).unwrap_or(6);
    // One draw in some thousand is refused: the second try is as good as certain, and the last one is taken as it is.
    let mut pin = String::new();
    for _ in 0..100 {
        pin = (0..length).map(|_| char::from(b'0' + random.random_range(0..10u8))).collect();
        if check_rules(&pin, policy, extensions).is_ok() {
            break;
        }
    }
    pin
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    fn check(pin: &str) -> Result<(), PinProblem> {
        check_rules(pin, &PolicySettings::default(), &["27000".into()])
    }

    #[test]
    fn the_labs_pins_are_taken() {
        for pin in ["730146", "730258", "730361"] {
            assert_eq!(check(pin), Ok(()));
        }
    }

    #[test]
    fn simple_patterns_and_the_extension_are_refused() {
        for pin in ["123456", "890123", "987654", "111111", "121212", "123123"] {
            assert_eq!(check(pin), Err(PinProblem::TooSimple), "{pin}");
        }
        assert_eq!(check("127000"), Err(PinProblem::LikeExtension));
        assert_eq!(check("73014"), Err(PinProblem::TooShort(6)));
        assert_eq!(check("73014x"), Err(PinProblem::NotDigits));
    }

    #[test]
    fn common_patterns_may_be_allowed_but_never_the_extension() {
        let policy = PolicySettings { allow_common_patterns: true, ..PolicySettings::default() };
        assert_eq!(check_rules("111111", &policy, &["27000".into()]), Ok(()));
        assert_eq!(check_rules("127000", &policy, &["27000".into()]), Err(PinProblem::LikeExtension));
    }

    #[test]
    fn a_made_up_pin_keeps_the_rules() {
        let mut random = StdRng::from_seed([7; 32]);
        for _ in 0..1000 {
            assert_eq!(check(&made_up(&PolicySettings::default(), &["27000".into()], &mut random)), Ok(()));
        }
    }
}
