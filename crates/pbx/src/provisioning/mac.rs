use serde::{Deserialize, Serialize};
use std::fmt::{self, Display, Formatter};

/// A phone's hardware address, as its file is named: twelve hexadecimal digits in upper case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Mac(String);

impl Mac {
    /// As people write it: `00085D123456`, `00:08:5d:12:34:56`, `00-08-5D-12-34-56`, `0008.5d12.3456`. `None` for what is no
    /// address of one device: a group address, or all zeros.
    pub fn parse(text: &str) -> Option<Mac> {
        let digits: String = match text.len() {
            12 => text.into(),
            17 if separated(text, 2, ":") || separated(text, 2, "-") => text.replace([':', '-'], ""),
            14 if separated(text, 4, ".") => text.replace('.', ""),
            _ => return None,
        };
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let first = u8::from_str_radix(digits.get(..2)?, 16).ok()?;
        // IEEE 802: the lowest bit of the first byte makes it an address of a group.
        let device = first & 1 == 0 && digits.bytes().any(|byte| byte != b'0');
        device.then(|| Mac(digits.to_ascii_uppercase()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether `text` is groups of `length` characters with `separator` between them.
fn separated(text: &str, length: usize, separator: &str) -> bool {
    text.split(separator).all(|group| group.len() == length)
}

impl Display for Mac {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Mac> for String {
    fn from(mac: Mac) -> String {
        mac.0
    }
}

impl TryFrom<String> for Mac {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Mac, &'static str> {
        Mac::parse(&text).ok_or("no hardware address")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_in_every_usual_spelling() {
        for text in ["00085d12abcf", "00085D12ABCF", "00:08:5d:12:ab:cf", "00-08-5D-12-AB-CF", "0008.5d12.abcf"] {
            assert_eq!(Mac::parse(text).unwrap().as_str(), "00085D12ABCF", "{text}");
        }
    }

    #[test]
    fn what_is_no_address_of_one_device_is_refused() {
        for text in [
            "",
            "00085D12ABC",
            "00085D12ABCG",
            "00085D12ABCFF",
            "00:08:5d:12:ab",
            "0:08:5d:12:abc:f",
            "000:85d:12a:bcf:",
            "000000000000",
            "01085D12ABCF",
            "FFFFFFFFFFFF",
            "../../etc/pas",
            "00085D12ABCä",
        ] {
            assert_eq!(Mac::parse(text), None, "{text}");
        }
    }
}
