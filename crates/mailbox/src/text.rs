use std::fmt;
use std::ops::Deref;

const LONGEST: usize = 200;

/// One line of text that a stranger supplied (a caller's name, a number, a Call-ID), safe for a header, a page, a log:
/// no line ends or other control characters, none that turn the reading direction around, at most 200 characters.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Line(String);

impl Line {
    /// Makes any text safe: what is not allowed becomes a space, spaces are joined, the rest is cut off.
    pub fn new(text: &str) -> Line {
        let mut line = String::with_capacity(text.len().min(LONGEST));
        let mut length = 0;
        for character in text.chars() {
            let character = if allowed(character) { character } else { ' ' };
            if character == ' ' && (line.is_empty() || line.ends_with(' ')) {
                continue;
            }
            if length == LONGEST {
                break;
            }
            length += 1;
            line.push(character);
        }
        line.truncate(line.trim_end().len());
        Line(line)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn allowed(character: char) -> bool {
    // Embeddings, overrides, isolates and marks of Unicode's bidirectional algorithm (UAX 9) let a name show as
    // another; the line and paragraph separators break a line.
    let turning = matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !(character.is_control() || turning || character == '\u{feff}')
}

impl Deref for Line {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for Line {
    fn from(text: &str) -> Line {
        Line::new(text)
    }
}

/// A mail address, `local@domain`, of plain characters only (RFC 5322 3.4.1 dot-atoms; the domain as in RFC 5321).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(String);

/// Not a mail address of the form `local@domain`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a mail address of the form name@domain")]
pub struct AddressError;

impl Address {
    pub fn parse(text: &str) -> Result<Address, AddressError> {
        let (local, domain) = text.rsplit_once('@').ok_or(AddressError)?;
        let dotted = |part: &str, allowed: fn(char) -> bool| {
            !part.is_empty() && part.split('.').all(|atom| !atom.is_empty() && atom.chars().all(allowed))
        };
        let host = |character: char| character.is_ascii_alphanumeric() || character == '-';
        if text.len() > 254 || !dotted(local, atom) || !dotted(domain, host) {
            return Err(AddressError);
        }
        Ok(Address(text.to_owned()))
    }

    /// What a caller without an address of his own is written as: `number@domain`. A number without any usable
    /// character gives the address of RFC 3323 for the anonymous.
    pub fn of_number(number: &str, domain: &str) -> Address {
        let local: String = number.chars().filter(|character| atom(*character)).take(64).collect();
        Address::parse(&format!("{local}@{domain}")).unwrap_or_else(|_| Address::anonymous())
    }

    pub fn anonymous() -> Address {
        Address("anonymous@anonymous.invalid".into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

/// RFC 5322 3.2.3: atext.
fn atom(character: char) -> bool {
    character.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(character)
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_name_becomes_one_harmless_line() {
        assert_eq!(&*Line::new(" Zoë\tO'Neil\r\nBcc: all@moon.galaxy\0 "), "Zoë O'Neil Bcc: all@moon.galaxy");
        assert_eq!(&*Line::new("exe.\u{202e}gnp"), "exe. gnp");
        assert_eq!(Line::new(&"å".repeat(500)).chars().count(), 200);
        assert_eq!(&*Line::new("\u{1}\u{2}"), "");
    }

    #[test]
    fn only_plain_addresses_are_taken() {
        assert_eq!(Address::parse("anna.svensson@moon.galaxy").unwrap().domain(), "moon.galaxy");
        for bad in ["", "a", "a@", "@b", "a b@c", "a@b@c", "a@b..c", "a@b\r\nBcc: x", ".a@b", "<a@b>"] {
            assert_eq!(Address::parse(bad), Err(AddressError), "{bad}");
        }
    }

    #[test]
    fn a_number_is_an_address_in_the_domain_of_the_mailbox() {
        assert_eq!(Address::of_number("+46 (8) 123", "moon.galaxy").as_str(), "+468123@moon.galaxy");
        assert_eq!(Address::of_number("\r\n", "moon.galaxy"), Address::anonymous());
        assert_eq!(Address::of_number("sip:a@b", "moon.galaxy").as_str(), "sipab@moon.galaxy");
    }
}
