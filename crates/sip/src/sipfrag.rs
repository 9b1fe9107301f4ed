//! Fragments of SIP messages as bodies (RFC 3420): how a NOTIFY of a REFER tells how far the transfer came (RFC 3515 2.4.5).

use crate::message::chars::trim;
use crate::reason_phrase;
use bytes::Bytes;

pub const CONTENT_TYPE: &str = "message/sipfrag;version=2.0";

/// A body that is a status line.
pub fn status_line(status: u16) -> Bytes {
    Bytes::from(format!("SIP/2.0 {status:03} {}\r\n", reason_phrase(status)))
}

/// The status of a fragment that begins with a status line.
pub fn status(body: &[u8]) -> Option<u16> {
    let line = body.split(|&b| b == b'\n').next()?;
    let line = trim(std::str::from_utf8(line).ok()?.trim_end_matches('\r'));
    let mut words = line.split_ascii_whitespace();
    let sound = words.next().is_some_and(|version| version.eq_ignore_ascii_case("SIP/2.0"));
    let status: u16 = words.next()?.parse().ok()?;
    (sound && (100..700).contains(&status)).then_some(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_lines_are_written_and_read() {
        assert_eq!(&status_line(100)[..], b"SIP/2.0 100 Trying\r\n");
        assert_eq!(status(&status_line(603)), Some(603));
        assert_eq!(status(b"sip/2.0 200 OK\nVia: x"), Some(200));
        assert_eq!(status(b"SIP/2.0 9999"), None);
        assert_eq!(status(b"INVITE sip:a@b SIP/2.0"), None);
        assert_eq!(status(b""), None);
    }
}
