//! URIs: nothing panics, and what is written is read as the same URI.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sip::Uri;

fuzz_target!(|data: &str| {
    let Ok(uri) = data.parse::<Uri>() else { return };
    let written = uri.to_string();
    let again: Uri = written.parse().unwrap_or_else(|e| panic!("{written:?}: {e}"));
    assert_eq!(again.to_string(), written);
    assert!(uri.same_as(&again) && again.same_as(&uri), "{data:?} {written:?}");
    let _ = (uri.number(), uri.transport(), uri.header_field("Reason"));
    if uri.params.iter().count() > 32 {
        return; // one more might be one too many for the reader
    }
    let mut changed = uri.clone();
    changed.params.set("transport", data);
    changed.add_header_field("Reason", data);
    changed.to_string().parse::<Uri>().unwrap_or_else(|e| panic!("{changed}: {e}"));
});
