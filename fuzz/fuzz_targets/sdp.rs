//! Session descriptions: nothing panics, what is written is read again, and so are crypto lines; any offer is answered
//! or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sdp::{Crypto, Local, OwnKeys, Security, Session, Suite};

fuzz_target!(|data: &[u8]| {
    let Ok(session) = Session::parse(data) else { return };
    let written = session.to_bytes();
    let again = Session::parse(&written).expect("what was written is read");
    assert_eq!(again.to_bytes(), written);
    for crypto in session.media.iter().flat_map(|media| media.cryptos()).flatten() {
        assert_eq!(Crypto::parse(&crypto.to_string()), Ok(crypto));
    }
    let keys = || OwnKeys::draw(&Suite::ALL, |bytes| bytes.fill(1));
    for security in [Security::Clear, Security::Required(keys()), Security::BestEffort(keys())] {
        let local = Local { security, ..Local::new(std::net::Ipv4Addr::LOCALHOST.into(), 4000, 1) };
        let _ = sdp::answer(&session, &local);
        let _ = sdp::accept(&local, &session);
    }
});
