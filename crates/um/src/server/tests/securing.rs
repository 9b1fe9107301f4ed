//! The three VoIP security modes of a dial plan: what each takes, and what it says to the rest.

use super::rig::{DIVERTED, OFFER, Rig, WORKER, invite_text, pbx};
use crate::commands::Command;
use event::Event;
use media::{MediaCommand, Srtp};
use sip::{Name, Response, Transport};

const KEY: &str = "PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR";

fn secured(key: &str) -> String {
    OFFER.replace("RTP/AVP", "RTP/SAVP") + &format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{key}\n")
}

fn mode(rig: &mut Rig, mode: &str) {
    rig.done("Set-UMDialPlan", &[("Identity", "MX"), ("VoIPSecurity", mode)]);
}

fn invite(rig: &mut Rig, transport: Transport, offer: &str, number: u32) -> Response {
    let call_id = format!("secure-{number}");
    let text = invite_text("43334", DIVERTED, &format!("z9hG4bK{number}"), &call_id, 1, offer);
    rig.receive_over(&text, WORKER, pbx(), transport);
    rig.take_responses().pop().expect("a response")
}

fn connected(rig: &Rig) -> Option<Option<Srtp>> {
    rig.media.take().into_iter().find_map(|command| match command {
        MediaCommand::Connect { stream, .. } => Some(stream.srtp),
        _ => None,
    })
}

#[test]
fn each_mode_takes_its_own_media_and_refuses_the_other_in_words() {
    for (name, transport, takes_srtp) in
        [("Unsecured", Transport::Tcp, false), ("SIPSecured", Transport::Tls, false), ("Secured", Transport::Tls, true)]
    {
        let mut rig = Rig::lab();
        mode(&mut rig, name);
        for (number, (offer, srtp)) in [(OFFER.to_owned(), false), (secured(KEY), true)].into_iter().enumerate() {
            let response = invite(&mut rig, transport, &offer, number as u32);
            if srtp == takes_srtp {
                assert_eq!(response.status, 200, "{name}: {response:?}");
                assert_eq!(connected(&rig).unwrap().is_some(), srtp);
                let answer = sdp::Session::parse(&response.body).unwrap();
                assert_eq!(answer.media[0].cryptos().filter_map(Result::ok).count(), usize::from(srtp));
            } else {
                assert_eq!(response.status, 488, "{name}");
                let warning = response.headers.get(&Name::Warning).unwrap();
                assert!(warning.contains(&format!("dial plan MX is {name}")), "{warning:?}");
                let refused = |event: &Event| matches!(event, Event::UmCallRefused { status: 488, .. });
                assert!(rig.take_events().iter().any(refused));
            }
        }
    }
}

#[test]
fn each_mode_takes_its_own_signalling_and_asks_that_before_it_looks_at_media() {
    for (name, transport, offer) in [
        ("Unsecured", Transport::Tls, OFFER.to_owned()),
        ("SIPSecured", Transport::Tcp, OFFER.to_owned()),
        ("Secured", Transport::Tcp, secured(KEY)),
    ] {
        let mut rig = Rig::lab();
        mode(&mut rig, name);
        let response = invite(&mut rig, transport, &offer, 1);
        assert_eq!(response.status, 403, "{name}: {response:?}");
    }
}

#[test]
fn a_crypto_line_that_lies_is_refused_and_says_what_is_wrong() {
    let mut rig = Rig::lab();
    mode(&mut rig, "Secured");
    for (number, (key, wrong)) in
        [("QUJD", "length"), (&*format!("{KEY}|2^31|1:1"), "MKI"), (&*format!("{KEY}|2^99"), "lifetime")]
            .into_iter()
            .enumerate()
    {
        let response = invite(&mut rig, Transport::Tls, &secured(key), number as u32);
        assert_eq!(response.status, 488);
        let warning = response.headers.get(&Name::Warning).unwrap();
        assert!(warning.contains(wrong), "{warning:?}");
        assert!(!warning.contains("PS1u"), "a key never reaches a header");
    }
}

#[test]
fn a_test_call_of_a_secured_dial_plan_goes_by_tls_and_offers_srtp_only() {
    let mut rig = Rig::lab();
    mode(&mut rig, "Secured");
    let command = Command::TestConnectivity {
        gateway: Some("MX-ONE".into()),
        phone: Some("27001".into()),
        call_router: false,
        timeout: None,
    };
    rig.ask(command);
    let invite = rig.take_requests().into_iter().find(|request| request.method == sip::Method::Invite).unwrap();
    assert_eq!(invite.uri.transport(), Some(Transport::Tls));
    let offer = sdp::Session::parse(&invite.body).unwrap();
    assert_eq!(offer.media[0].protocol, "RTP/SAVP");
    assert_eq!(offer.media[0].cryptos().filter_map(Result::ok).count(), 4);
}
