//! The guide's chapter 7.1, test by test, and what the suite adds to it. A test is a file of steps that read like the
//! guide's text; to add one, write the file and give it its line here.

mod directory_search;
mod play_on_phone;
mod servers;
mod test_1;
mod test_10;
mod test_11;
mod test_2;
mod test_3;
mod test_302;
mod test_4a;
mod test_4b;
mod test_5;
mod test_6a;
mod test_6b;
mod test_6c;
mod test_6d;
mod test_7a;
mod test_7b;
mod test_8;
mod test_9;

use crate::outcome::Outcome;
use crate::stage::Stage;

/// A row of the test matrix.
pub struct Test {
    /// The guide's number.
    pub number: &'static str,
    pub title: &'static str,
    /// The guide's own words.
    pub text: &'static str,
    /// Who calls whom, for the record of a failure.
    pub scenario: &'static str,
    /// What does not work for users while this fails.
    pub features: &'static str,
    pub(crate) run: fn(&Stage<'_>) -> Outcome,
}

/// All tests, in the guide's order.
pub const TESTS: &[Test] = &[
    test_1::TEST,
    test_2::TEST,
    test_3::TEST,
    test_4a::TEST,
    test_4b::TEST,
    test_5::TEST,
    test_6a::TEST,
    test_6b::TEST,
    test_6c::TEST,
    test_6d::TEST,
    test_7a::TEST,
    test_7b::TEST,
    test_8::TEST,
    test_9::TEST,
    test_10::TEST,
    test_11::TEST,
    test_302::TEST,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_stands_once() {
        let mut numbers: Vec<&str> = TESTS.iter().map(|test| test.number).collect();
        numbers.sort_unstable();
        let all = numbers.len();
        numbers.dedup();
        assert_eq!(numbers.len(), all);
    }
}
