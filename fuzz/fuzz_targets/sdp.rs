//! Session descriptions: nothing panics, and what is written is read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sdp::Session;

fuzz_target!(|data: &[u8]| {
    let Ok(session) = Session::parse(data) else { return };
    let written = session.to_bytes();
    let again = Session::parse(&written).expect("what was written is read");
    assert_eq!(again.to_bytes(), written);
});
