//! When a certificate ends: the one thing about it that is looked up here, so it is read by hand (RFC 5280 4.1, in DER).

use time::{Date, Month, OffsetDateTime, Time};

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// `notAfter` of a certificate; nothing if it is damaged.
pub(super) fn not_after(certificate: &[u8]) -> Option<OffsetDateTime> {
    let (certificate, _) = take(certificate, SEQUENCE)?;
    let (mut rest, _) = take(certificate, SEQUENCE)?;
    if rest.first() == Some(&VERSION) {
        rest = take(rest, VERSION)?.1;
    }
    // serialNumber, signature, issuer.
    for tag in [INTEGER, SEQUENCE, SEQUENCE] {
        rest = take(rest, tag)?.1;
    }
    let (validity, _) = take(rest, SEQUENCE)?;
    let (_, rest) = take(validity, *validity.first()?)?;
    match *rest.first()? {
        // RFC 5280 4.1.2.5.1: two digits of a year from 50 on are of the last century.
        UTC_TIME => {
            let text = take(rest, UTC_TIME)?.0;
            let year = number(text.get(..2)?)?;
            read(if year >= 50 { 1900 + year } else { 2000 + year }, text.get(2..)?)
        }
        GENERALIZED_TIME => {
            let text = take(rest, GENERALIZED_TIME)?.0;
            read(number(text.get(..4)?)?, text.get(4..)?)
        }
        _ => None,
    }
}

/// The content of the element that comes first, and what follows it.
fn take(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        // The length's own length: nothing in a certificate is longer than four bytes can say.
        0x81..=0x84 => {
            let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (length.iter().fold(0_usize, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    (found == tag).then(|| rest.split_at_checked(length)).flatten()
}

/// `MMDDHHMMSSZ`: RFC 5280 has seconds in it, and no other zone.
fn read(year: i32, text: &[u8]) -> Option<OffsetDateTime> {
    let mut pairs = text.chunks(2).map(|pair| number(pair).and_then(|value| u8::try_from(value).ok()));
    let mut next = || pairs.next().flatten();
    let (month, day) = (Month::try_from(next()?).ok()?, next()?);
    let time = Time::from_hms(next()?, next()?, next()?).ok()?;
    Some(Date::from_calendar_date(year, month, day).ok()?.with_time(time).assume_utc())
}

fn number(digits: &[u8]) -> Option<i32> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_certificate_has_no_end() {
        let certificate = rcgen::generate_simple_self_signed(["x".to_owned()]).unwrap();
        let good = certificate.cert.der();
        assert!(not_after(good).is_some());
        for length in 0..good.len().min(200) {
            // Cut off anywhere, or with any byte turned: an answer or none, and no panic.
            not_after(&good[..length]);
            let mut bad = good.to_vec();
            bad[length] ^= 0xff;
            not_after(&bad);
        }
        assert_eq!(not_after(&[]), None);
        assert_eq!(not_after(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
    }
}
