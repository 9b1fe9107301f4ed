//! Diversion, as sloppy as it comes: nothing panics, and what is written is read strictly, as it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sip::diversion::Diversion;
use sip::{Header, Headers, Name, Text};

fuzz_target!(|data: &str| {
    // As the message parser hands it over: no line ends.
    let line = data.replace(['\r', '\n'], " ");
    let mut headers = Headers::new();
    headers.push(Name::Diversion, line.clone());
    for diversion in Diversion::all(&headers) {
        let written = diversion.to_string();
        let again = Diversion::parse(&Text::from(written.clone())).unwrap_or_else(|e| panic!("{written:?}: {e}"));
        assert_eq!(again.to_string(), written);
        assert_eq!(again.number(), diversion.number(), "{line:?}");
        assert_eq!(again.reason.to_string(), diversion.reason.to_string(), "{line:?}");
    }
});
