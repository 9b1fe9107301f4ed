//! Message summaries: nothing panics, and what is written is read as it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sip::message_summary::{MessageSummary, SummaryError};

fuzz_target!(|data: &[u8]| {
    let Ok(summary) = MessageSummary::parse(data) else { return };
    let written = summary.to_bytes();
    let again = match MessageSummary::parse(&written) {
        Ok(again) => again,
        // Escaping stray percent signs made it longer than what is read.
        Err(SummaryError::TooLarge) => return,
        Err(error) => panic!("what was written is not read: {error}"),
    };
    assert_eq!(again.to_bytes(), written);
    assert_eq!((again.waiting, again.voice), (summary.waiting, summary.voice));
});
