//! Reads off a message, without parsing it, which numbers it names and which call it is of.

use bytes::Bytes;
use serde_json::Value;
use sip::Text;
use std::collections::BTreeSet;

/// Numbers of one message that are looked at.
const MOST: usize = 64;

/// The digits in the SIP and telephone URIs of a message that can bring somebody new into a call: INVITE, REFER, a
/// redirection. Others name nobody new.
pub(crate) fn numbers(wire: &[u8]) -> Vec<String> {
    if ![&b"INVITE "[..], b"REFER ", b"SIP/2.0 3"].iter().any(|start| wire.starts_with(start)) {
        return Vec::new();
    }
    let mut found = BTreeSet::new();
    // Some write a Diversion without its scheme.
    for scheme in [&b"sip:"[..], b"tel:", b"<"] {
        for at in memchr::memmem::find_iter(wire, scheme) {
            let rest = wire.get(at + scheme.len()..).unwrap_or_default();
            let user: &[u8] = rest
                .split(|byte| matches!(byte, b'@' | b';' | b'>' | b'?' | b'\r' | b'\n' | b' '))
                .next()
                .unwrap_or_default();
            digits(user, &mut found);
            if found.len() >= MOST {
                return found.into_iter().collect();
            }
        }
    }
    found.into_iter().collect()
}

/// Every text in a value: a number among them may be somebody whom the call goes on to.
pub fn texts(value: &Value, tell: &mut dyn FnMut(&str)) {
    match value {
        Value::String(text) => tell(text),
        Value::Array(values) => values.iter().for_each(|value| texts(value, tell)),
        Value::Object(fields) => fields.values().for_each(|value| texts(value, tell)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Runs of digits, a dialled service code's among them.
fn digits(user: &[u8], found: &mut BTreeSet<String>) {
    for run in user.split(|byte| !byte.is_ascii_digit()) {
        if (1..=20).contains(&run.len()) {
            found.insert(run.iter().map(|digit| char::from(*digit)).collect());
        }
    }
}

/// The Call-ID of a message that we wrote ourselves (in its long form).
pub(crate) fn call_id(wire: &Bytes) -> Option<Text> {
    const NAME: &[u8] = b"\r\nCall-ID: ";
    let from = memchr::memmem::find(wire, NAME)? + NAME.len();
    let length = memchr::memchr(b'\r', wire.get(from..)?)?;
    Text::new(wire.slice(from..from + length)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const INVITE: &[u8] = b"INVITE sip:*21*27010#@moon.galaxy SIP/2.0\r\nFrom: <sip:27001@moon.galaxy>;tag=12345\r\n\
        Diversion: <tel:+4612345>\r\nCall-ID: a7@host\r\nCSeq: 1 INVITE\r\n\r\n";

    #[test]
    fn the_numbers_of_uris_are_found_and_nothing_else() {
        assert_eq!(numbers(INVITE), ["21", "27001", "27010", "4612345"]);
        assert!(numbers(b"BYE sip:27000@h SIP/2.0\r\n").is_empty());
    }

    #[test]
    fn the_call_is_known_by_its_call_id() {
        assert_eq!(call_id(&Bytes::from_static(INVITE)).as_deref(), Some("a7@host"));
        assert_eq!(call_id(&Bytes::from_static(b"\r\n\r\n")), None);
    }
}
