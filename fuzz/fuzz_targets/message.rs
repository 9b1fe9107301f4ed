//! A message as a datagram and as a stream: nothing panics, what is written reads as it was, and where the stream is cut
//! makes no difference.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use sip::header::{
    Authorization, ContentType, Event, Identity, PrivacySet, ProxyAuthenticate, RAck, Reason, ReferTo, RemotePartyId,
    Replaces, Route, SessionExpires, SubscriptionState, Warning, WwwAuthenticate,
};
use sip::history_info::History;
use sip::{Contact, Framer, Header, Headers, Malformed, Message, Name, Text, Via, parse_datagram};

fuzz_target!(|data: &[u8]| {
    if let Ok(message) = parse_datagram(Bytes::copy_from_slice(data)) {
        look_at(message.headers());
        let written = message.to_bytes();
        let again = parse_datagram(written.clone()).expect("what was written is read");
        assert_eq!(again.to_bytes(), written);
    } else if let Some(answer) = parse_datagram(Bytes::copy_from_slice(data)).err().and_then(|m| m.answer()) {
        let _ = parse_datagram(answer.to_bytes());
    }
    let cut = data.first().map_or(0, |b| *b as usize % data.len());
    assert_eq!(frame(&[data]), frame(&[&data[..cut], &data[cut..]]));
});

fn frame(pieces: &[&[u8]]) -> Vec<Result<Message, Malformed>> {
    let mut framer = Framer::new();
    let mut out = Vec::new();
    for piece in pieces {
        framer.push(piece);
        while let Some(message) = framer.next() {
            out.push(message);
        }
    }
    out
}

fn look_at(headers: &Headers) {
    round::<Via>(headers);
    round::<Contact>(headers);
    round::<Route>(headers);
    round::<ReferTo>(headers);
    round::<Authorization>(headers);
    round::<WwwAuthenticate>(headers);
    round::<ProxyAuthenticate>(headers);
    round::<ContentType>(headers);
    round::<Event>(headers);
    round::<SubscriptionState>(headers);
    round::<RAck>(headers);
    round::<Reason>(headers);
    round::<Replaces>(headers);
    round::<SessionExpires>(headers);
    round::<Warning>(headers);
    round::<RemotePartyId>(headers);
    round::<PrivacySet>(headers);
    let _ = Identity::asserted(headers);
    let mut written = Headers::new();
    let history = History::read(headers);
    history.write(&mut written);
    assert_eq!(History::read(&written).entries.len(), history.entries.len());
    let mut copy = headers.clone();
    while copy.remove_first_value(&Name::Via).is_some() {}
}

/// What a typed header writes, it reads, and writes the same again.
fn round<T: Header>(headers: &Headers) {
    for value in headers.all_typed::<T>().flatten() {
        let written = value.to_string();
        let again = T::parse(&Text::from(written.clone())).unwrap_or_else(|e| panic!("{}: {written:?}: {e}", T::NAME));
        assert_eq!(again.to_string(), written);
    }
}
