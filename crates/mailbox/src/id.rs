use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Why text is no identifier. What came in is not repeated: it may be hostile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// A mailbox is named by 1 to 64 letters, digits, `-`, `_` or `.`, and does not begin with a dot.
    #[error("a mailbox is named by 1 to 64 letters, digits, '-', '_' or '.', the first no dot")]
    Mailbox,
    /// A message is named by 32 hexadecimal digits.
    #[error("a message is named by 32 hexadecimal digits")]
    Message,
}

/// Whose mailbox: usually the primary extension. Checked when made, so that it may stand in a path, a URL, a header.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MailboxId(String);

impl MailboxId {
    pub fn parse(text: &str) -> Result<MailboxId, IdError> {
        let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
        match text.len() {
            1..=64 if text.as_bytes().iter().all(allowed) && !text.starts_with('.') => Ok(MailboxId(text.to_owned())),
            _ => Err(IdError::Mailbox),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MailboxId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for MailboxId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<MailboxId, IdError> {
        MailboxId::parse(text)
    }
}

impl TryFrom<String> for MailboxId {
    type Error = IdError;
    fn try_from(text: String) -> Result<MailboxId, IdError> {
        MailboxId::parse(&text)
    }
}

impl From<MailboxId> for String {
    fn from(id: MailboxId) -> String {
        id.0
    }
}

/// A message for good, wherever it is moved: the random number of the recording that it was made from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MessageId(pub u128);

impl MessageId {
    /// The database's form.
    pub(crate) fn bytes(self) -> Vec<u8> {
        self.0.to_be_bytes().to_vec()
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for MessageId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<MessageId, IdError> {
        // from_str_radix would take a sign too.
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(IdError::Message);
        }
        u128::from_str_radix(text, 16).map(MessageId).map_err(|_| IdError::Message)
    }
}

impl TryFrom<String> for MessageId {
    type Error = IdError;
    fn try_from(text: String) -> Result<MessageId, IdError> {
        text.parse()
    }
}

impl From<MessageId> for String {
    fn from(id: MessageId) -> String {
        id.to_string()
    }
}

/// A message's number in its folder (RFC 9051 2.3.1.1): counts up, and a message that moves gets a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Uid(pub u32);

/// Counts a mailbox's changes (RFC 7162): every change to a message gives it a higher one than any before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ModSeq(pub u64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailbox_name_can_stand_in_a_path() {
        for good in ["27000", "anna.svensson", "a", &"x".repeat(64)] {
            assert_eq!(MailboxId::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", ".", "..", ".hidden", "a/b", "a\\b", "a b", "å", "a\0", "%2e", &"x".repeat(65)] {
            assert_eq!(MailboxId::parse(bad), Err(IdError::Mailbox), "{bad}");
        }
    }

    #[test]
    fn a_message_is_named_by_hexadecimal_digits_only() {
        let id = MessageId(0xfeed);
        assert_eq!(id.to_string().parse(), Ok(id));
        for bad in ["", "+0000000000000000000000000000001", &"g".repeat(32), &"0".repeat(33), &"ä".repeat(16)] {
            assert_eq!(bad.parse::<MessageId>(), Err(IdError::Message), "{bad}");
        }
    }
}
