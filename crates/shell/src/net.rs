//! The guide's net, 192.168.222, as another one: the lab runs the guide's lines on loopback.

/// The net of the guide's examples.
const GUIDE: &str = "192.168.222.";

/// Reads the guide's addresses as those of another net.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Net {
    /// The first three numbers with their dots: `127.0.222.`
    to: String,
}

impl Net {
    /// `127.0.222`: what 192.168.222 stands for. `None` when it is not three numbers up to 255.
    pub fn new(net: &str) -> Option<Net> {
        let numbers = net.split('.').map(|number| number.parse::<u8>().ok()).collect::<Option<Vec<_>>>()?;
        let [a, b, c] = numbers.as_slice() else { return None };
        Some(Net { to: format!("{a}.{b}.{c}.") })
    }

    /// A text with every address of the guide's net in it replaced.
    pub fn apply(&self, text: &str) -> String {
        self.read(text).map_or_else(|| text.to_owned(), |(read, _)| read)
    }

    /// `value` with every address of the guide's net in it replaced, and a note for each; `None` when there is none.
    pub(crate) fn read(&self, value: &str) -> Option<(String, Vec<String>)> {
        let mut read = String::new();
        let mut notes = Vec::new();
        let mut rest = value;
        while let Some(at) = rest.find(GUIDE) {
            let (before, after) = rest.split_at(at);
            let tail = after.get(GUIDE.len()..).unwrap_or_default();
            let host: String = tail.chars().take_while(char::is_ascii_digit).collect();
            let inside = before.ends_with(|c: char| c.is_ascii_digit() || c == '.');
            let follows = tail.get(host.len()..).unwrap_or_default();
            let continues =
                follows.starts_with('.') && follows.get(1..2).is_some_and(|c| c.bytes().all(|b| b.is_ascii_digit()));
            read.push_str(before);
            if inside || continues || host.parse::<u8>().is_err() {
                read.push_str(GUIDE);
            } else {
                let note = format!("{GUIDE}{host} is read as {}{host} here", self.to);
                if !notes.contains(&note) {
                    notes.push(note);
                }
                read.push_str(&self.to);
            }
            rest = tail;
        }
        read.push_str(rest);
        (!notes.is_empty()).then_some((read, notes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> String {
        let net = Net::new("127.0.222").unwrap();
        net.read(value).map_or_else(|| value.to_string(), |(value, _)| value)
    }

    #[test]
    fn addresses_of_the_guide_are_read_as_the_labs() {
        assert_eq!(read("192.168.222.4"), "127.0.222.4");
        assert_eq!(read("sip:?@192.168.222.4"), "sip:?@127.0.222.4");
        assert_eq!(read("192.168.222.4,192.168.222.5"), "127.0.222.4,127.0.222.5");
        let (_, notes) = Net::new("127.0.222").unwrap().read("192.168.222.4").unwrap();
        assert_eq!(notes, ["192.168.222.4 is read as 127.0.222.4 here"]);
    }

    #[test]
    fn what_only_looks_like_one_is_left_alone() {
        for text in ["192.168.223.4", "1192.168.222.4", "192.168.222.x", "192.168.222.400", "9.192.168.222.4", ""] {
            assert_eq!(read(text), text);
        }
    }

    #[test]
    fn a_net_is_three_numbers() {
        assert!(Net::new("127.0.222").is_some());
        for text in ["127.0", "127.0.222.1", "127.0.256", "a.b.c", ""] {
            assert_eq!(Net::new(text), None);
        }
    }
}
