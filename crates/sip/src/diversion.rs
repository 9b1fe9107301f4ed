//! Diversion (RFC 5806): who diverted the call, and why. Read tolerantly, since a mailbox is found by it and PBXs write it
//! with unbalanced quotes, without brackets or scheme; written strictly.

use crate::message::chars::{SplitValues, trim};
use crate::message::params::MAX_PARAMS;
use crate::{Header, HeaderError, Headers, Name, NameAddr, Params, Text, Uri};
use std::fmt;

/// The most values that are looked at in one message.
const MAX_VALUES: usize = 32;

/// Why a call was diverted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiversionReason {
    Unknown,
    UserBusy,
    NoAnswer,
    Unavailable,
    Unconditional,
    TimeOfDay,
    DoNotDisturb,
    Deflection,
    FollowMe,
    OutOfService,
    Away,
    Other(Text),
}

impl DiversionReason {
    const KNOWN: [(&'static str, DiversionReason); 11] = [
        ("unknown", DiversionReason::Unknown),
        ("user-busy", DiversionReason::UserBusy),
        ("no-answer", DiversionReason::NoAnswer),
        ("unavailable", DiversionReason::Unavailable),
        ("unconditional", DiversionReason::Unconditional),
        ("time-of-day", DiversionReason::TimeOfDay),
        ("do-not-disturb", DiversionReason::DoNotDisturb),
        ("deflection", DiversionReason::Deflection),
        ("follow-me", DiversionReason::FollowMe),
        ("out-of-service", DiversionReason::OutOfService),
        ("away", DiversionReason::Away),
    ];

    pub fn parse(text: &str) -> DiversionReason {
        let known = DiversionReason::KNOWN.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
        known.map_or_else(|| DiversionReason::Other(Text::from(text)), |(_, reason)| reason.clone())
    }

    pub fn as_str(&self) -> &str {
        match self {
            DiversionReason::Other(text) => text,
            known => {
                DiversionReason::KNOWN.iter().find(|(_, reason)| reason == known).map_or("unknown", |(name, _)| name)
            }
        }
    }

    /// The `cause` of RFC 4458 that says the same (RFC 7544 7.1).
    pub fn cause(&self) -> u16 {
        match self {
            DiversionReason::UserBusy => 486,
            DiversionReason::NoAnswer => 408,
            DiversionReason::Deflection => 480,
            DiversionReason::Unavailable | DiversionReason::OutOfService => 503,
            DiversionReason::Unknown | DiversionReason::Other(_) => 404,
            DiversionReason::Unconditional
            | DiversionReason::TimeOfDay
            | DiversionReason::DoNotDisturb
            | DiversionReason::FollowMe
            | DiversionReason::Away => 302,
        }
    }

    /// The other way around.
    pub fn from_cause(cause: u16) -> DiversionReason {
        match cause {
            302 => DiversionReason::Unconditional,
            486 | 600 => DiversionReason::UserBusy,
            408 => DiversionReason::NoAnswer,
            480 | 487 => DiversionReason::Deflection,
            503 => DiversionReason::Unavailable,
            _ => DiversionReason::Unknown,
        }
    }
}

impl fmt::Display for DiversionReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One diversion. The newest stands first in a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diversion {
    /// Who diverted; with the header's parameters taken out, but for those that Earcon does not know.
    pub address: NameAddr,
    pub reason: DiversionReason,
    /// How many diversions this value stands for; at least 1.
    pub counter: u32,
    /// `full`, `name`, `uri` or `off`.
    pub privacy: Option<Text>,
    /// `yes` or `no`.
    pub screen: Option<Text>,
}

impl Diversion {
    pub fn new(uri: Uri, reason: DiversionReason) -> Diversion {
        Diversion { address: NameAddr::new(uri), reason, counter: 1, privacy: None, screen: None }
    }

    /// All diversions of a message, newest first, whatever they are written like; those without any address are left out.
    pub fn all(headers: &Headers) -> Vec<Diversion> {
        let mut all = Vec::new();
        for line in headers.lines(&Name::Diversion) {
            let values: Result<Vec<Diversion>, HeaderError> = SplitValues::new(line)
                .filter(|value| !value.is_empty())
                .take(MAX_VALUES)
                .map(|value| Diversion::parse(&line.slice_of(value)))
                .collect();
            match values {
                Ok(values) => all.extend(values),
                Err(_) => mend(line, &mut all),
            }
            if all.len() >= MAX_VALUES {
                break;
            }
        }
        all.truncate(MAX_VALUES);
        all
    }

    /// The diverting number or name: the URI's user part.
    pub fn number(&self) -> Option<String> {
        self.address.uri.number()
    }

    fn from_address(mut address: NameAddr) -> Diversion {
        let take = |params: &mut Params, name: &str| {
            let value = params.plain(name).map(|value| Text::from(&*value));
            params.remove(name);
            value
        };
        let reason = take(&mut address.params, "reason");
        let counter = take(&mut address.params, "counter").and_then(|counter| counter.parse().ok());
        let (privacy, screen) = (take(&mut address.params, "privacy"), take(&mut address.params, "screen"));
        // Reason and counter are written even where they were not read: there must be room for them, or the next reader
        // refuses what this one took.
        address.params.truncate(MAX_PARAMS - 5);
        Diversion {
            reason: reason.map_or(DiversionReason::Unknown, |reason| DiversionReason::parse(trim(&reason))),
            counter: counter.unwrap_or(1).max(1),
            privacy,
            screen,
            address,
        }
    }
}

impl Header for Diversion {
    const NAME: Name = Name::Diversion;
    const LIST: bool = true;

    /// Reads one value by the grammar; [`Diversion::all`] also mends what is not.
    fn parse(value: &Text) -> Result<Diversion, HeaderError> {
        NameAddr::parse(value).map(Diversion::from_address)
    }
}

impl fmt::Display for Diversion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bare = NameAddr { params: Params::new(), ..self.address.clone() };
        let mut params = Params::new();
        params.set("reason", self.reason.as_str());
        params.set("counter", self.counter.to_string());
        if let Some(privacy) = &self.privacy {
            params.set("privacy", privacy);
        }
        if let Some(screen) = &self.screen {
            params.set("screen", screen);
        }
        write!(f, "{bare}{params}{}", self.address.params)
    }
}

/// Takes diversions out of a line that breaks the grammar: each bracketed text, or else each text that begins like a URI,
/// is an address; what follows up to the next comma are its parameters. Quotes count for nothing.
fn mend(line: &Text, all: &mut Vec<Diversion>) {
    let mut rest = line.as_str();
    while all.len() < MAX_VALUES {
        let Some((display, address, tail)) = next_address(rest) else { return };
        // A bracketed text that never ends swallows nothing but itself.
        let end = memchr::memchr(b',', tail.as_bytes()).unwrap_or(tail.len());
        let (params, after) = (&tail[..end], tail.get(end + 1..).unwrap_or_default());
        rest = after;
        let Some(uri) = address_of(address) else { continue };
        let mut diversion = Diversion::new(uri, DiversionReason::Unknown);
        let display = trim(display.trim_matches(|c| matches!(c, ' ' | '\t' | '"' | '\'' | '\\' | ',')));
        diversion.address = diversion.address.with_display(display);
        for param in params.split(';') {
            let (name, value) = param.split_once('=').unwrap_or((param, ""));
            let value = value.trim_matches([' ', '\t', '"', '\'']);
            match trim(name).to_ascii_lowercase().as_str() {
                "reason" if !value.is_empty() => diversion.reason = DiversionReason::parse(value),
                "counter" => diversion.counter = value.parse().unwrap_or(1).max(1),
                "privacy" if !value.is_empty() => diversion.privacy = Some(Text::from(value)),
                "screen" if !value.is_empty() => diversion.screen = Some(Text::from(value)),
                _ => {}
            }
        }
        all.push(diversion);
    }
}

/// The first thing in `text` that looks like an address: what is before it, itself, and what follows.
fn next_address(text: &str) -> Option<(&str, &str, &str)> {
    if let Some(open) = memchr::memchr(b'<', text.as_bytes()) {
        let inner = &text[open + 1..];
        let end = inner.find(['>', ',', '<']).unwrap_or(inner.len());
        let tail = &inner[end..];
        return Some((&text[..open], &inner[..end], tail.strip_prefix('>').unwrap_or(tail)));
    }
    let lower = text.to_ascii_lowercase();
    let start = ["sip:", "sips:", "tel:"].iter().filter_map(|scheme| lower.find(scheme)).min()?;
    let inner = &text[start..];
    let end = inner.find([';', ',', ' ', '\t', '"', '>']).unwrap_or(inner.len());
    Some((&text[..start], &inner[..end], &inner[end..]))
}

fn address_of(text: &str) -> Option<Uri> {
    let text = text.trim_matches([' ', '\t', '"', '\'']);
    if let Ok(uri) = text.parse::<Uri>() {
        return Some(uri);
    }
    // A number alone, or user@host without a scheme.
    let number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b"+-.()*#".contains(&b));
    if number { Some(Uri::tel(text)) } else { format!("sip:{text}").parse().ok().filter(|u: &Uri| u.user.is_some()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&'static str]) -> Vec<(String, String, u32)> {
        let headers: Headers = lines.iter().map(|line| (Name::Diversion, Text::from_static(line))).collect();
        Diversion::all(&headers)
            .into_iter()
            .map(|d| (d.number().unwrap_or_default(), d.reason.to_string(), d.counter))
            .collect()
    }

    fn one(number: &str, reason: &str) -> Vec<(String, String, u32)> {
        vec![(number.into(), reason.into(), 1)]
    }

    #[test]
    fn several_values_over_lines_and_commas_keep_their_order() {
        assert_eq!(
            read(&[
                "\"Anna, S\" <sip:27001@moon.galaxy>;reason=no-answer;counter=2, <tel:+46-8-123>;reason=user-busy",
                "<sip:27002@moon.galaxy;user=phone>;reason=\"unconditional\";privacy=off;screen=no",
            ]),
            [
                ("27001".into(), "no-answer".into(), 2),
                ("+468123".into(), "user-busy".into(), 1),
                ("27002".into(), "unconditional".into(), 1),
            ]
        );
    }

    #[test]
    fn sloppy_quotes_lose_nobodys_number() {
        for line in [
            "\"27000 <sip:27000@moon.galaxy>;reason=no-answer",
            "27000\" <sip:27000@moon.galaxy>;reason=no-answer",
            "\"27000\"\" <sip:27000@moon.galaxy>;reason=\"no-answer",
            "\"a\\\" <sip:27000@moon.galaxy>;reason=no-answer",
            "<sip:27000@moon.galaxy;reason=no-answer", // reason inside, no bracket behind
        ] {
            let all = read(&[line]);
            assert_eq!(all.first().map(|d| d.0.as_str()), Some("27000"), "{line}");
        }
        assert_eq!(read(&["\"x <sip:1@h>;reason=no-answer, <sip:2@h>;reason=user-busy"]).len(), 2);
    }

    #[test]
    fn missing_brackets_and_schemes_are_forgiven() {
        assert_eq!(read(&["sip:27000@h;reason=user-busy"]), one("27000", "user-busy"));
        assert_eq!(read(&["\"Anna\" sip:27000@h;reason=user-busy"]), one("27000", "user-busy"));
        assert_eq!(read(&["<27000@h>;reason=user-busy"]), one("27000", "user-busy"));
        assert_eq!(read(&["<27000>;reason=user-busy"]), one("27000", "user-busy"));
        assert_eq!(read(&["<tel:27000>;reason=something-else"]), one("27000", "something-else"));
        assert_eq!(read(&["", "nothing here", "<>;reason=x"]), []);
    }

    #[test]
    fn what_is_written_is_strict_and_read_again() {
        let uri: Uri = "sip:27000@moon.galaxy".parse().unwrap();
        let mut diversion = Diversion::new(uri, DiversionReason::NoAnswer);
        diversion.address.display = Some(Text::from("Anna \"the\" S"));
        diversion.privacy = Some(Text::from("off"));
        let text = diversion.to_string();
        assert_eq!(text, "\"Anna \\\"the\\\" S\" <sip:27000@moon.galaxy>;reason=no-answer;counter=1;privacy=off");
        assert_eq!(Diversion::parse(&Text::from(text)).unwrap(), diversion);
    }

    #[test]
    fn the_most_parameters_that_are_read_are_still_read_when_reason_and_counter_come_to_them() {
        let line = format!("<sip:27000@h>{}", ";day=\"a;b\"".repeat(MAX_PARAMS - 1));
        let written = Diversion::parse(&Text::from(line)).unwrap().to_string();
        assert_eq!(Diversion::parse(&Text::from(written.clone())).unwrap().to_string(), written);
    }

    #[test]
    fn causes_say_the_same_as_reasons() {
        for reason in ["user-busy", "no-answer", "unconditional", "deflection", "unavailable", "unknown"] {
            let reason = DiversionReason::parse(reason);
            assert_eq!(DiversionReason::from_cause(reason.cause()), reason);
        }
    }
}
