//! Which digits mean which service: a table for the market, and what commands changed of it.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a code asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Service {
    /// All calls go to the extension's diversion destination.
    DirectDiversion,
    /// No longer; internal follow-me ends with it.
    CancelDirectDiversion,
    NoAnswerDiversion,
    CancelNoAnswerDiversion,
    BusyDiversion,
    CancelBusyDiversion,
    /// All calls go to another extension, or another number of the private network.
    FollowMe,
    /// All calls go to a number of the public network.
    ExternalFollowMe,
    CancelExternalFollowMe,
    DoNotDisturb,
    CancelDoNotDisturb,
    HuntGroupLogOn,
    HuntGroupLogOff,
    /// Lights the lamp of a colleague who should call back.
    ManualMessageWaiting,
    /// Takes that back.
    WithdrawMessageWaiting,
    /// Calls the colleague who lit the lamp.
    DialBack,
    /// Puts the lamp out that colleagues lit.
    CancelMessageWaiting,
    /// A call whose number is not shown.
    Clir,
    /// A call that passes over the diversions of whom it is for.
    BypassDiversion,
    /// Which of the extension's call lists is in use.
    PersonalList,
    CancelPersonalList,
    /// Takes the call that rings at a colleague of the group, or at another of one's own phones.
    Pickup,
    /// Is anything diverted?
    QueryDiversion,
    CancelAll,
}

impl Service {
    /// Whether a number stands in the code.
    pub fn takes_number(self) -> bool {
        matches!(
            self,
            Service::FollowMe
                | Service::ExternalFollowMe
                | Service::HuntGroupLogOn
                | Service::HuntGroupLogOff
                | Service::ManualMessageWaiting
                | Service::WithdrawMessageWaiting
                | Service::Clir
                | Service::BypassDiversion
                | Service::PersonalList
        )
    }

    /// As commands write it.
    pub fn name(self) -> String {
        serde_json::to_value(self).ok().and_then(|value| Some(value.as_str()?.to_owned())).unwrap_or_default()
    }

    pub fn from_name(name: &str) -> Option<Service> {
        serde_json::from_value(serde_json::Value::String(name.to_ascii_lowercase())).ok()
    }
}

/// The digits of a service: `*21#`, or `*21*n#` with a number in the place of the n.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Code {
    before: String,
    /// What follows the number, where there is one.
    after: Option<String>,
}

/// Why digits are no code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CodeError {
    /// Extensions begin with a digit, codes with a sign, so that none hides the other.
    #[error("begin with * or #")]
    Start,
    /// Longer than 10, or something other than digits, `*`, `#` and one `n`.
    #[error("give at most 10 of digits, *, # and one n for a number")]
    Form,
    /// A service that needs a number is given none, or the other way round.
    #[error("this service takes {0}")]
    Number(&'static str),
}

impl Code {
    pub fn parse(text: &str, service: Service) -> Result<Code, CodeError> {
        if !text.starts_with(['*', '#']) {
            return Err(CodeError::Start);
        }
        let known = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit() || b"*#".contains(&byte));
        let (before, after) = match text.split_once(['n', 'N']) {
            Some((before, after)) => (before, Some(after)),
            None => (text, None),
        };
        if text.len() > 10 || !known(before) || !after.is_none_or(known) {
            return Err(CodeError::Form);
        }
        match (service.takes_number(), after.is_some()) {
            (true, false) => Err(CodeError::Number("a number: write n in its place, as in *21*n#")),
            (false, true) => Err(CodeError::Number("no number: write the code without n")),
            _ => Ok(Code { before: before.to_owned(), after: after.map(str::to_owned) }),
        }
    }

    /// The number in the dialled digits (empty where the code has none); `None`: another code. The # at the end may be
    /// missing: there are phones that keep it for themselves.
    fn argument<'a>(&self, dialled: &'a str) -> Option<&'a str> {
        let Some(after) = &self.after else {
            let bare = self.before.strip_suffix('#').filter(|bare| bare.len() > 1);
            return (dialled == self.before || bare == Some(dialled)).then_some("");
        };
        let rest = dialled.strip_prefix(self.before.as_str())?;
        let number = rest.strip_suffix(after.as_str()).unwrap_or(rest);
        (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())).then_some(number)
    }
}

/// Whose habits the codes follow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Market {
    /// What most of Europe dials.
    #[default]
    Standard,
    Us,
}

impl Market {
    pub fn from_name(name: &str) -> Option<Market> {
        serde_json::from_value(serde_json::Value::String(name.to_ascii_lowercase())).ok()
    }

    pub fn name(self) -> &'static str {
        match self {
            Market::Standard => "standard",
            Market::Us => "us",
        }
    }

    fn codes(self) -> impl Iterator<Item = (&'static str, Service)> {
        let diversion: &[(&str, Service)] = match self {
            Market::Standard => &STANDARD_DIVERSION,
            Market::Us => &US_DIVERSION,
        };
        diversion.iter().chain(COMMON).copied()
    }
}

const STANDARD_DIVERSION: [(&str, Service); 10] = [
    ("*21#", Service::DirectDiversion),
    ("#21#", Service::CancelDirectDiversion),
    ("*211#", Service::NoAnswerDiversion),
    ("#211#", Service::CancelNoAnswerDiversion),
    ("*212#", Service::BusyDiversion),
    ("#212#", Service::CancelBusyDiversion),
    ("*21*n#", Service::FollowMe),
    ("*22*n#", Service::ExternalFollowMe),
    ("#22#", Service::CancelExternalFollowMe),
    ("*#21#", Service::QueryDiversion),
];

const US_DIVERSION: [(&str, Service); 10] = [
    ("*2#", Service::DirectDiversion),
    ("#2#", Service::CancelDirectDiversion),
    ("*21#", Service::NoAnswerDiversion),
    ("#21#", Service::CancelNoAnswerDiversion),
    ("*22#", Service::BusyDiversion),
    ("#22#", Service::CancelBusyDiversion),
    ("*2*n#", Service::FollowMe),
    ("*23*n#", Service::ExternalFollowMe),
    ("#23#", Service::CancelExternalFollowMe),
    ("*#2#", Service::QueryDiversion),
];

const COMMON: &[(&str, Service)] = &[
    ("*27#", Service::DoNotDisturb),
    ("#27#", Service::CancelDoNotDisturb),
    ("*28*n#", Service::HuntGroupLogOn),
    ("#28*n#", Service::HuntGroupLogOff),
    ("*31*n#", Service::ManualMessageWaiting),
    ("#31*n#", Service::WithdrawMessageWaiting),
    ("*32#", Service::DialBack),
    ("#31#", Service::CancelMessageWaiting),
    ("#91#", Service::CancelMessageWaiting),
    ("*42*n#", Service::Clir),
    ("*60*n#", Service::BypassDiversion),
    ("*10*n#", Service::PersonalList),
    ("#10#", Service::CancelPersonalList),
    ("*0#", Service::Pickup),
    ("#001#", Service::CancelAll),
];

/// The codes in use.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ServiceCodes {
    pub market: Market,
    /// Codes that a command set, or (`None`) took out of the market's table.
    pub changes: BTreeMap<String, Meaning>,
}

/// What a command said of a code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Meaning {
    /// `None`: it is no code any more.
    pub service: Option<Service>,
}

impl ServiceCodes {
    /// All codes, in their order.
    pub fn all(&self) -> BTreeMap<String, Service> {
        let mut all: BTreeMap<String, Service> =
            self.market.codes().map(|(code, service)| (code.to_owned(), service)).collect();
        for (code, meaning) in &self.changes {
            match meaning.service {
                Some(service) => all.insert(code.clone(), service),
                None => all.remove(code),
            };
        }
        all
    }

    /// The first code of a service.
    pub fn code_of(&self, service: Service) -> Option<String> {
        self.all().into_iter().find(|(_, other)| *other == service).map(|(code, _)| code)
    }

    /// Whether the market's own table has the code.
    pub fn is_markets(&self, code: &str) -> bool {
        self.market.codes().any(|(known, _)| known == code)
    }

    /// The service that was dialled, with its number (empty where it has none). Of several codes that fit, the one
    /// with the most digits of its own.
    pub fn find(&self, dialled: &str) -> Option<(Service, String)> {
        if !dialled.starts_with(['*', '#']) {
            return None;
        }
        let fits = |(text, service): (String, Service)| {
            let code = Code::parse(&text, service).ok()?;
            let argument = code.argument(dialled)?.to_owned();
            Some((text.len(), service, argument))
        };
        self.all()
            .into_iter()
            .filter_map(fits)
            .max_by_key(|(length, ..)| *length)
            .map(|(_, service, argument)| (service, argument))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dial(digits: &str) -> Option<(Service, String)> {
        ServiceCodes::default().find(digits)
    }

    #[test]
    fn a_code_is_found_with_its_number_and_without_its_last_sign() {
        assert_eq!(dial("*21*27001#"), Some((Service::FollowMe, "27001".into())));
        assert_eq!(dial("*21*27001"), Some((Service::FollowMe, "27001".into())), "a phone that eats the last #");
        assert_eq!(dial("*21#"), Some((Service::DirectDiversion, String::new())));
        assert_eq!(dial("*211#"), Some((Service::NoAnswerDiversion, String::new())));
        assert_eq!(dial("*#21#"), Some((Service::QueryDiversion, String::new())));
        assert_eq!(dial("#001#"), Some((Service::CancelAll, String::new())));
    }

    #[test]
    fn what_is_no_code_is_none() {
        for digits in ["27001", "*21*#", "*21*27*1#", "*99#", "*", "#"] {
            assert_eq!(dial(digits), None, "{digits}");
        }
    }

    #[test]
    fn the_us_table_has_other_digits_for_diversion_and_the_same_for_the_rest() {
        let codes = ServiceCodes { market: Market::Us, ..ServiceCodes::default() };
        assert_eq!(codes.find("*21#").unwrap().0, Service::NoAnswerDiversion);
        assert_eq!(codes.find("*2*27001#").unwrap().0, Service::FollowMe);
        assert_eq!(codes.find("*27#").unwrap().0, Service::DoNotDisturb);
    }

    #[test]
    fn a_code_can_be_moved() {
        let mut codes = ServiceCodes::default();
        codes.changes.insert("*27#".into(), Meaning::default());
        codes.changes.insert("*78#".into(), Meaning { service: Some(Service::DoNotDisturb) });
        assert_eq!(codes.find("*27#"), None);
        assert_eq!(codes.find("*78#").unwrap().0, Service::DoNotDisturb);
        assert_eq!(codes.code_of(Service::DoNotDisturb).unwrap(), "*78#");
    }

    #[test]
    fn every_code_of_a_market_is_one() {
        for market in [Market::Standard, Market::Us] {
            let codes: Vec<_> = market.codes().collect();
            for (code, service) in &codes {
                Code::parse(code, *service).unwrap();
                assert_eq!(Service::from_name(&service.name()), Some(*service));
            }
            let distinct: std::collections::BTreeSet<_> = codes.iter().map(|(code, _)| code).collect();
            assert_eq!(distinct.len(), codes.len());
        }
    }

    #[test]
    fn a_code_has_a_number_exactly_if_its_service_has() {
        assert_eq!(Code::parse("21#", Service::DirectDiversion), Err(CodeError::Start));
        assert_eq!(Code::parse("*21a#", Service::DirectDiversion), Err(CodeError::Form));
        assert!(matches!(Code::parse("*21#", Service::FollowMe), Err(CodeError::Number(_))));
        assert!(matches!(Code::parse("*21*n#", Service::DirectDiversion), Err(CodeError::Number(_))));
    }
}
