//! The body of `message-summary` (RFC 3842): whether messages wait, and how many.

use crate::message::chars::trim;
use crate::{Text, Uri};
use bytes::Bytes;
use std::fmt;

pub const EVENT: &str = "message-summary";
pub const CONTENT_TYPE: &str = "application/simple-message-summary";

/// The longest body that is read; more than that says nothing about one mailbox.
const MAX_BODY: usize = 8 * 1024;

/// New and old messages, and how many of these are urgent, when that was said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub new: u32,
    pub old: u32,
    pub urgent: Option<(u32, u32)>,
}

/// What a NOTIFY tells about a mailbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageSummary {
    pub waiting: bool,
    /// Whose mailbox it is.
    pub account: Option<Uri>,
    /// `Voice-Message`; `None` when only the lamp was told.
    pub voice: Option<Counts>,
    /// The other kinds (Fax-Message, Email-Message ...), as named.
    pub others: Vec<(Text, Counts)>,
}

/// Why a body is no message summary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SummaryError {
    /// The body is larger than any summary.
    #[error("message summary too large")]
    TooLarge,
    /// The body is not UTF-8.
    #[error("message summary is no text")]
    NotText,
    /// There is neither a Messages-Waiting line nor a count.
    #[error("message summary says neither whether nor how many messages wait")]
    Nothing,
}

impl MessageSummary {
    /// A mailbox with so many voice messages; the lamp is on when one is new.
    pub fn voice(account: Option<Uri>, voice: Counts) -> MessageSummary {
        MessageSummary { waiting: voice.new > 0, account, voice: Some(voice), others: Vec::new() }
    }

    /// Reads a body: lines in any order and case, any line ends; lines that are not understood are skipped. Without
    /// Messages-Waiting, the counts say whether any wait.
    pub fn parse(body: &[u8]) -> Result<MessageSummary, SummaryError> {
        if body.len() > MAX_BODY {
            return Err(SummaryError::TooLarge);
        }
        let text = std::str::from_utf8(body).map_err(|_| SummaryError::NotText)?;
        let mut summary = MessageSummary::default();
        let mut waiting = None;
        for line in text.lines() {
            let Some((name, value)) = line.split_once(':') else { continue };
            let (name, value) = (trim(name), value.trim());
            if name.eq_ignore_ascii_case("Messages-Waiting") {
                waiting = waiting.or(match () {
                    () if value.eq_ignore_ascii_case("yes") => Some(true),
                    () if value.eq_ignore_ascii_case("no") => Some(false),
                    () => None,
                });
            } else if name.eq_ignore_ascii_case("Message-Account") {
                let bare = value.strip_prefix('<').and_then(|v| v.strip_suffix('>')).unwrap_or(value);
                summary.account = summary.account.or_else(|| bare.parse().ok());
            } else if let Some(counts) = Counts::parse(value)
                && name.to_ascii_lowercase().ends_with("-message")
            {
                if name.eq_ignore_ascii_case("Voice-Message") {
                    summary.voice = summary.voice.or(Some(counts));
                } else if summary.others.len() < 8 {
                    summary.others.push((Text::from(name), counts));
                }
            }
        }
        let counted = summary.voice.iter().chain(summary.others.iter().map(|(_, c)| c)).map(|c| c.new > 0);
        let any_new = counted.reduce(|a, b| a || b);
        summary.waiting = waiting.or(any_new).ok_or(SummaryError::Nothing)?;
        Ok(summary)
    }

    pub fn to_bytes(&self) -> Bytes {
        Bytes::from(self.to_string())
    }
}

impl Counts {
    /// `new/old` or `new/old (urgent new/urgent old)`; numbers beyond 32 bits become the largest.
    fn parse(value: &str) -> Option<Counts> {
        let pair = |text: &str| {
            let (new, old) = text.split_once('/')?;
            Some((number(trim(new))?, number(trim(old))?))
        };
        let (all, urgent) = match value.split_once('(') {
            Some((all, urgent)) => (all, Some(urgent.trim_end().strip_suffix(')')?)),
            None => (value, None),
        };
        let (new, old) = pair(all)?;
        Some(Counts { new, old, urgent: urgent.and_then(pair) })
    }
}

fn number(text: &str) -> Option<u32> {
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().unwrap_or(u32::MAX))
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.new, self.old)?;
        if let Some((new, old)) = self.urgent {
            write!(f, " ({new}/{old})")?;
        }
        Ok(())
    }
}

impl fmt::Display for MessageSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Messages-Waiting: {}\r\n", if self.waiting { "yes" } else { "no" })?;
        if let Some(account) = &self.account {
            write!(f, "Message-Account: {account}\r\n")?;
        }
        if let Some(voice) = &self.voice {
            write!(f, "Voice-Message: {voice}\r\n")?;
        }
        for (name, counts) in &self.others {
            write!(f, "{name}: {counts}\r\n")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rfcs_example_is_read() {
        let body =
            b"Messages-Waiting: yes\r\nMessage-Account: sip:alice@vmail.example.com\r\nVoice-Message: 2/8 (0/2)\r\n\
            \r\nTo: <alice@atlanta.example.com>\r\nFrom: <bob@biloxi.example.com>\r\n";
        let summary = MessageSummary::parse(body).unwrap();
        assert!(summary.waiting);
        assert_eq!(summary.account.unwrap().user.unwrap(), "alice");
        assert_eq!(summary.voice, Some(Counts { new: 2, old: 8, urgent: Some((0, 2)) }));
    }

    #[test]
    fn what_is_written_is_read_again() {
        let account = "sip:27000@moon.galaxy".parse().unwrap();
        let summary = MessageSummary::voice(Some(account), Counts { new: 8, old: 3, urgent: Some((1, 0)) });
        let written = summary.to_bytes();
        assert_eq!(
            &written[..],
            b"Messages-Waiting: yes\r\nMessage-Account: sip:27000@moon.galaxy\r\nVoice-Message: 8/3 (1/0)\r\n"
        );
        assert_eq!(MessageSummary::parse(&written).unwrap(), summary);
    }

    #[test]
    fn sloppy_bodies_are_read() {
        let read = |body: &str| MessageSummary::parse(body.as_bytes());
        assert!(read("messages-waiting:YES\nvoice-message: 1/0\n").unwrap().waiting);
        assert!(!read("Messages-Waiting: no").unwrap().waiting);
        assert!(read("Voice-Message: 1/0 ").unwrap().waiting);
        assert_eq!(read("Voice-Message: 99999999999/0 (0/0)").unwrap().voice.unwrap().new, u32::MAX);
        assert_eq!(read("Messages-Waiting: perhaps\r\n"), Err(SummaryError::Nothing));
        assert_eq!(read(""), Err(SummaryError::Nothing));
    }
}
