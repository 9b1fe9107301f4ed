//! Number analysis: what dialled digits mean. En bloc: all digits are there when it starts.

use super::{DestinationEntry, Digits, NumberEntry, NumberType, length_allows};
use crate::configuration::Configuration;
use crate::routes::NumberTypes;
use std::collections::BTreeMap;
use std::ops::Bound;

/// Where a dialled number leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Analysis {
    /// An extension of this node.
    Extension(String),
    /// A number that stands for several extensions.
    HuntGroup(String),
    /// An external destination: the ways to it, in order of choice.
    Route(Vec<Choice>),
    /// A vacant number, or a destination that leads nowhere.
    Vacant,
}

/// A way to an external destination, with the digits to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    pub route: u32,
    pub digits: String,
    pub types: NumberTypes,
    /// An emergency call: no limit stops it.
    pub emergency: bool,
}

/// Whether an emergency number was dialled: exactly, since what begins like one may be an ordinary number.
pub(crate) fn is_emergency(configuration: &Configuration, dialled: &Digits) -> bool {
    configuration.numbers.get(dialled.as_str()).is_some_and(|entry| entry.number_type == NumberType::Sos)
}

/// An emergency number goes before all others. An extension or a hunt group is its whole number; a destination is the
/// longest code that the number starts with.
pub(crate) fn analyse(configuration: &Configuration, dialled: &Digits) -> Analysis {
    // One look-up for two questions: what is next to the number may be the number itself, an emergency number, and is
    // where the search for a code begins.
    let nearest = at_or_before(&configuration.numbers, dialled.as_str());
    if nearest.is_some_and(|(number, entry)| number == dialled.as_str() && entry.number_type == NumberType::Sos) {
        return match configuration.destinations.get(dialled.as_str()) {
            Some(ways) => choices(ways, dialled, true),
            None => Analysis::Vacant,
        };
    }
    if configuration.extensions.contains_key(dialled.as_str()) {
        return Analysis::Extension(dialled.to_string());
    }
    if configuration.hunt_groups.contains_key(dialled.as_str()) {
        return Analysis::HuntGroup(dialled.to_string());
    }
    if !length_allows(&configuration.number_lengths, dialled) {
        return Analysis::Vacant;
    }
    let code = longest_code(&configuration.numbers, nearest, dialled);
    let Some(ways) = code.and_then(|code| configuration.destinations.get(code)) else { return Analysis::Vacant };
    choices(ways, dialled, false)
}

/// The ways to a destination in order of choice, each with the digits that go out.
fn choices(ways: &BTreeMap<u32, DestinationEntry>, dialled: &Digits, emergency: bool) -> Analysis {
    let choices: Vec<Choice> = ways
        .values()
        .map(|way| {
            // SRT counts from 1: with 1 all digits go out, the access code too.
            let skip = usize::try_from(way.srt.saturating_sub(1)).unwrap_or(usize::MAX);
            let digits = [way.pre.as_str(), dialled.get(skip..).unwrap_or_default()].concat();
            Choice { route: way.route, digits, types: way.types(), emergency }
        })
        .filter(|choice| !choice.digits.is_empty())
        .collect();
    if choices.is_empty() { Analysis::Vacant } else { Analysis::Route(choices) }
}

/// An entry of the number plan.
type Planned<'a> = (&'a String, &'a NumberEntry);

/// The number itself, or the last before it in the map's order.
fn at_or_before<'a>(numbers: &'a BTreeMap<String, NumberEntry>, dialled: &str) -> Option<Planned<'a>> {
    numbers.range::<str, _>((Bound::Unbounded, Bound::Included(dialled))).next_back()
}

/// The longest external destination code that the number starts with; `nearest` is what is [`at_or_before`] the number. In
/// the map's order a code that the number starts with is never beyond the number, and whatever lies between the two has
/// more digits in common with the number than the code has: so each step back shortens what may still fit, and a few
/// look-ups find it among any number of entries.
fn longest_code<'a>(
    numbers: &'a BTreeMap<String, NumberEntry>,
    nearest: Option<Planned<'a>>,
    dialled: &str,
) -> Option<&'a str> {
    let (mut code, mut entry) = nearest?;
    let mut most = dialled;
    loop {
        let shared = code.bytes().zip(most.bytes()).take_while(|(a, b)| a == b).count();
        if shared == code.len() && entry.number_type == NumberType::Ed {
            return Some(code);
        }
        // Equal to what may fit, but no destination: only shorter ones are left.
        let shared = if shared == most.len() { shared.checked_sub(1)? } else { shared };
        most = most.get(..shared).filter(|rest| !rest.is_empty())?;
        (code, entry) = at_or_before(numbers, most)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::ExtensionEntry;
    use crate::numbers::NumberLength;
    use proptest::prelude::*;

    fn plan() -> Configuration {
        let mut plan = Configuration::default();
        plan.extensions.insert("27000".into(), ExtensionEntry::default());
        for (code, route, srt, pre) in [("43334", 55, 1, ""), ("0", 1, 2, ""), ("04", 2, 3, "46")] {
            plan.numbers.insert(code.into(), NumberEntry { number_type: NumberType::Ed, last: None });
            let way = DestinationEntry { route, srt, pre: pre.into(), ..DestinationEntry::default() };
            plan.destinations.entry(code.into()).or_default().insert(0, way);
        }
        plan.numbers.insert("9".into(), NumberEntry { number_type: NumberType::Ed, last: None });
        plan
    }

    fn dial(digits: &str) -> Analysis {
        analyse(&plan(), &Digits::parse(digits).unwrap())
    }

    fn sent(route: u32, digits: &str) -> Analysis {
        let types = NumberTypes::default();
        Analysis::Route(vec![Choice { route, digits: digits.into(), types, emergency: false }])
    }

    #[test]
    fn the_access_code_is_sent_or_not_as_srt_says() {
        assert_eq!(dial("43334"), sent(55, "43334"));
        assert_eq!(dial("0815"), sent(1, "815"));
    }

    #[test]
    fn the_longest_code_wins_and_prefix_digits_go_first() {
        assert_eq!(dial("04123"), sent(2, "46123"));
    }

    #[test]
    fn an_extension_is_its_whole_number() {
        assert_eq!(dial("27000"), Analysis::Extension("27000".into()));
        assert_eq!(dial("270001"), Analysis::Vacant);
        assert_eq!(dial("2700"), Analysis::Vacant);
    }

    #[test]
    fn an_emergency_number_goes_before_an_extension_and_before_the_code_that_it_begins_with() {
        let mut plan = plan();
        for number in ["112", "0112"] {
            plan.numbers.insert(number.into(), NumberEntry { number_type: NumberType::Sos, last: None });
            let way = DestinationEntry { route: 7, srt: number.len() as u32 - 2, ..DestinationEntry::default() };
            plan.destinations.entry(number.into()).or_default().insert(0, way);
        }
        plan.extensions.insert("112".into(), ExtensionEntry::default());
        for number in ["112", "0112"] {
            let Analysis::Route(choices) = analyse(&plan, &Digits::parse(number).unwrap()) else { panic!("{number}") };
            assert!(choices[0].emergency && choices[0].route == 7 && choices[0].digits == "112", "{choices:?}");
        }
        let Analysis::Route(choices) = analyse(&plan, &Digits::parse("01124").unwrap()) else { panic!() };
        assert!(!choices[0].emergency && choices[0].route == 1, "{choices:?}");
    }

    #[test]
    fn the_types_of_the_numbers_are_digits_of_adc() {
        let way = |adc: &str| DestinationEntry { adc: adc.into(), ..DestinationEntry::default() }.types();
        assert_eq!(way("0005000000000250000001010000"), NumberTypes { called: 0, calling: 0 }, "the guide's");
        assert_eq!(way("0125000000000250000001010000"), NumberTypes { called: 1, calling: 2 });
        assert_eq!(way("0526000000000250000001010000"), NumberTypes { called: 5, calling: 6 }, "private: the fourth");
        assert_eq!(way(""), NumberTypes::default());
    }

    #[test]
    fn a_number_that_is_too_short_or_too_long_is_vacant() {
        let mut plan = plan();
        plan.number_lengths.insert("0".into(), NumberLength { min: 3, max: 5 });
        plan.number_lengths.insert("043".into(), NumberLength { min: 8, max: 8 });
        let vacant = |digits: &str| analyse(&plan, &Digits::parse(digits).unwrap()) == Analysis::Vacant;
        for (digits, expected) in [
            ("08", true),
            ("081", false),
            ("08123", false),
            ("081234", true),
            ("04312", true),
            ("04312345", false),
            ("43334", false),
        ] {
            assert_eq!(vacant(digits), expected, "{digits}");
        }
    }

    #[test]
    fn a_code_without_destination_or_digits_is_vacant() {
        assert_eq!(dial("91"), Analysis::Vacant);
        assert_eq!(dial("0"), Analysis::Vacant);
    }

    proptest! {
        /// The short cut through the map finds what looking at each entry finds.
        #[test]
        fn the_longest_code_is_found_whatever_lies_between(
            plan in proptest::collection::btree_map("[0-2]{1,5}", proptest::bool::ANY, 0..40),
            dialled in "[0-2]{1,7}",
        ) {
            let entry = |ed: bool| NumberEntry { number_type: if ed { NumberType::Ed } else { NumberType::Ex }, last: None };
            let numbers: BTreeMap<String, NumberEntry> = plan.into_iter().map(|(code, ed)| (code, entry(ed))).collect();
            let fits = |(code, entry): &(&String, &NumberEntry)| {
                entry.number_type == NumberType::Ed && dialled.starts_with(code.as_str())
            };
            let longest = numbers.iter().filter(fits).map(|(code, _)| code.as_str()).max_by_key(|code| code.len());
            prop_assert_eq!(longest_code(&numbers, at_or_before(&numbers, &dialled), &dialled), longest);
        }
    }

    /// No timed test: it says how long it took, with --nocapture (bench/README.md).
    #[test]
    fn a_large_number_plan_is_analysed_without_looking_at_all_of_it() {
        let mut plan = Configuration::default();
        let entry = |number_type, last: Option<String>| NumberEntry { number_type, last };
        for series in 0..1000 {
            let (first, last) = (format!("{}", 200_000 + series * 40), format!("{}", 200_039 + series * 40));
            plan.numbers.insert(first, entry(NumberType::Ex, Some(last)));
        }
        for n in 0..40_000 {
            plan.extensions.insert((200_000 + n).to_string(), ExtensionEntry::default());
        }
        for n in 0..60_000 {
            let code = format!("0{n:05}");
            plan.numbers.insert(code.clone(), entry(NumberType::Ed, None));
            let way = DestinationEntry { route: 1, srt: 1, ..DestinationEntry::default() };
            plan.destinations.insert(code, BTreeMap::from([(0, way)]));
        }
        let dialled: Vec<Digits> = (0..30_000)
            .map(|n: u32| {
                let spread = n.wrapping_mul(7919);
                match n % 3 {
                    0 => (200_000 + spread % 40_000).to_string(),
                    1 => format!("0{:05}4711", spread % 60_000),
                    _ => format!("0{:05}4711", 60_000 + spread % 39_000),
                }
            })
            .map(|text| Digits::parse(&text).unwrap())
            .collect();
        let mut found: Vec<Analysis> = Vec::new();
        let mut passes: Vec<u128> = (0..9)
            .map(|_| {
                found.clear();
                let begun = std::time::Instant::now();
                found.extend(dialled.iter().map(|digits| analyse(&plan, digits)));
                begun.elapsed().as_nanos() / dialled.len() as u128
            })
            .collect();
        passes.sort_unstable();
        println!("{} ns an analysis ({} to {} in 9 passes)", passes[4], passes[0], passes[8]);
        for (n, analysis) in found.iter().enumerate() {
            let sound = match n % 3 {
                0 => matches!(analysis, Analysis::Extension(_)),
                1 => matches!(analysis, Analysis::Route(_)),
                _ => *analysis == Analysis::Vacant,
            };
            assert!(sound, "{}: {analysis:?}", dialled[n]);
        }
    }
}
