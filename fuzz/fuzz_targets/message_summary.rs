//! Message summaries: nothing panics, and what is written is read as it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sip::message_summary::MessageSummary;

fuzz_target!(|data: &[u8]| {
    let Ok(summary) = MessageSummary::parse(data) else { return };
    let written = summary.to_bytes();
    let again = MessageSummary::parse(&written).expect("what was written is read");
    assert_eq!(again.to_bytes(), written);
    assert_eq!((again.waiting, again.voice), (summary.waiting, summary.voice));
});
