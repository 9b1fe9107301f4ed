//! Earcon: an open Direct-SIP phone system with unified messaging.
fn main() {}
