//! Telephones that do not register for themselves: behind a gateway, and mobile ones.

use super::rig::*;
use crate::commands::*;
use media::MediaCommand;
use sip::endpoint::Login;
use sip::header::Contact;
use sip::{Method, Name, Transport};
use std::time::Duration;

const GATEWAY: &str = "127.0.77.5:5060";

fn ip_extension(rig: &mut Rig, dir: &str, change: impl FnOnce(&mut IpExtensionSet)) -> Result<Answer, CommandError> {
    let mut set = IpExtensionSet { dir: dir.into(), ..Default::default() };
    change(&mut set);
    rig.command(Command::IpExtension(IpExtension::Change(set)))
}

/// The lab with gateway 27500, which registers, and 27100 and 27101 behind it.
fn lab() -> (Rig, Peer, Peer) {
    let mut rig = Rig::lab();
    for dir in ["27500", "27100", "27101"] {
        rig.extension(dir);
    }
    for dir in ["27100", "27101"] {
        ip_extension(&mut rig, dir, |set| set.gateway = Some("27500".into())).unwrap();
    }
    let phone = rig.phone("27001", "127.0.0.1:5071");
    let gateway = rig.phone("27500", GATEWAY);
    rig.told();
    (rig, phone, gateway)
}

#[test]
fn a_call_to_a_number_behind_a_gateway_goes_to_its_one_contact_by_that_number() {
    let (mut rig, phone, gateway) = lab();
    let calling = rig.call(phone, "27001", "27101");
    rig.run_ms(20);
    let (at, invite) = rig.incoming(gateway);
    assert_eq!(invite.uri.to_string(), "sip:27101@127.0.77.5:5060;transport=udp");
    rig.answer(gateway, at);
    assert!(rig.answered(phone, calling).is_some());
    assert_eq!(rig.calls()[0].to[0].number, "27101");
}

/// A call of the gateway's, with its own name and password, as `from`.
fn gateway_calls(rig: &mut Rig, gateway: Peer, from: &str, asserted: Option<&str>) -> Option<u16> {
    let calling = rig.call_with(gateway, from, "27001", |call| {
        call.login = Some(Login::new("27500", "moon-27500"));
        if let Some(asserted) = asserted {
            call.headers.push(Name::PAssertedIdentity, format!("<sip:{asserted}@gateway.example>"));
        }
    });
    rig.run_ms(20);
    rig.rejected(gateway, calling).map(|response| response.status)
}

#[test]
fn a_gateway_speaks_for_those_behind_it_and_for_nobody_else() {
    let (mut rig, phone, gateway) = lab();
    assert_eq!(gateway_calls(&mut rig, gateway, "27100", None), None, "by From");
    assert_eq!(rig.incoming(phone).1.from().unwrap().uri.number().as_deref(), Some("27100"));
    assert_eq!(gateway_calls(&mut rig, gateway, "27500", Some("27101")), None, "by P-Asserted-Identity");
    let (_, invite) = rig.incoming(phone);
    assert_eq!(invite.from().unwrap().uri.number().as_deref(), Some("27101"));
    assert_eq!(invite.from().unwrap().display.as_deref(), Some("Name27101 Åkesson"));
    assert_eq!(gateway_calls(&mut rig, gateway, "27010", None), Some(403), "not behind it");
    assert_eq!(gateway_calls(&mut rig, gateway, "27500", Some("27010")), Some(403));
    assert!(rig.try_incoming(phone).is_none());
    assert!(rig.told_names().contains(&"source_refused".to_owned()));
}

#[test]
fn a_gateway_may_register_each_of_its_numbers_by_its_own_name() {
    let (mut rig, phone, gateway) = lab();
    let at = "127.0.77.5:5099";
    let other = rig.peer(at, Transport::Udp);
    let to = |number: &str| sip::NameAddr::new(uri(&format!("sip:{number}@{DOMAIN}")));
    for (number, status) in [("27100", 200), ("27010", 403)] {
        rig.request(other, Method::Register, number, number, None, |request| {
            request.to = to(number);
            request.login = Some(Login::new("27500", "moon-27500"));
            request.headers.push_typed(&Contact::Address(sip::NameAddr::new(uri(&format!("sip:{number}@{at}")))));
        });
        rig.run_ms(50);
        assert_eq!(rig.responses(other).last().unwrap().status, status, "{number}");
    }
    rig.call(phone, "27001", "27100");
    rig.run_ms(20);
    assert!(rig.try_incoming(other).is_some() && rig.try_incoming(gateway).is_none());
}

#[test]
fn a_gateway_at_a_fixed_address_needs_neither_registration_nor_password() {
    let mut rig = Rig::lab();
    for dir in ["27500", "27100"] {
        rig.extension(dir);
    }
    ip_extension(&mut rig, "27500", |set| set.address = Some("127.0.77.5".into())).unwrap();
    ip_extension(&mut rig, "27100", |set| set.gateway = Some("27500".into())).unwrap();
    let phone = rig.phone("27001", "127.0.0.1:5071");
    let gateway = rig.peer(GATEWAY, Transport::Udp);
    rig.call(phone, "27001", "27100");
    rig.run_ms(20);
    assert_eq!(rig.incoming(gateway).1.uri.number().as_deref(), Some("27100"));
    for (from, status) in [("27100", None), ("27010", Some(403))] {
        let calling = rig.call_with(gateway, from, "27001", |call| call.login = None);
        rig.run_ms(20);
        assert_eq!(rig.rejected(gateway, calling).map(|response| response.status), status, "{from}");
    }
}

#[test]
fn stutter_dial_tone_is_told_to_the_gateway_for_each_number() {
    let (mut rig, _, gateway) = lab();
    let um = rig.peer(UM, Transport::Tcp);
    rig.sent.clear();
    rig.request(um, Method::Notify, "27100", "27100", None, |request| {
        request.headers.push(Name::Event, "message-summary");
        request.headers.push(Name::SubscriptionState, "terminated");
        let body = "Messages-Waiting: yes\r\nVoice-Message: 1/0\r\n";
        request.body = Some(sip::endpoint::Body::new("application/simple-message-summary", body));
    });
    rig.run_ms(50);
    let notify = rig.sent_to(GATEWAY, &Method::Notify);
    assert_eq!(notify.len(), 1);
    assert_eq!(notify[0].uri.number().as_deref(), Some("27100"));
    // Nothing is sent again any more.
    rig.run(Duration::from_secs(40));
    rig.sent.clear();
    rig.register(gateway, "27500", "moon-27500", 3600);
    rig.run_ms(550);
    let told: Vec<_> = rig.sent_to(GATEWAY, &Method::Notify).iter().filter_map(|notify| notify.uri.number()).collect();
    assert_eq!(told, ["27100"], "a gateway that comes back hears who has messages");
}

#[test]
fn keys_that_come_as_tones_are_heard_by_the_nodes_media() {
    let (mut rig, phone, gateway) = lab();
    ip_extension(&mut rig, "27100", |set| set.inband_dtmf = Some(true)).unwrap();
    let calling = rig.call(phone, "27001", "27100");
    rig.run_ms(20);
    let (at, invite) = rig.incoming(gateway);
    assert!(String::from_utf8_lossy(&invite.body).contains("127.0.222.10"), "the media passes the node");
    rig.answer(gateway, at);
    assert!(rig.answered(phone, calling).is_some());
    let streams = rig.media.take().into_iter().filter_map(|command| match command {
        MediaCommand::Connect { stream, .. } => Some((stream.remote.port(), stream.inband_keys)),
        _ => None,
    });
    let streams: Vec<_> = streams.collect();
    assert!(streams.contains(&(25060, true)) && streams.contains(&(15071, false)), "{streams:?}");
    // The other way round, too.
    assert_eq!(gateway_calls(&mut rig, gateway, "27100", None), None);
    assert!(String::from_utf8_lossy(&rig.incoming(phone).1.body).contains("127.0.222.10"));
}

#[test]
fn what_is_no_sip_is_refused_with_what_to_do_and_what_is_in_use_stays() {
    let (mut rig, ..) = lab();
    let refused = |rig: &mut Rig, dir: &str, change: fn(&mut IpExtensionSet)| {
        ip_extension(rig, dir, change).expect_err("refused").to_string()
    };
    for protocol in ["IP", "H323", "DECT"] {
        let set = IpExtensionSet { dir: "27010".into(), protocol: Some(protocol.into()), ..Default::default() };
        let error = rig.command(Command::IpExtension(IpExtension::Change(set))).unwrap_err().to_string();
        assert!(error.contains("SIP gateway"), "{error}");
    }
    let set = RouteDataSet { rou: 55, line_type: Some("SL60".into()), ..Default::default() };
    let error = rig.command(Command::RouteData(RouteData::Change(set))).unwrap_err().to_string();
    assert!(error.contains("SIP gateway"), "{error}");
    assert!(refused(&mut rig, "27010", |set| set.gateway = Some("27100".into())).contains("gateway"));
    assert!(refused(&mut rig, "27010", |set| set.gateway = Some("27999".into())).contains("NOT ASSIGNED"));
    assert!(refused(&mut rig, "27500", |set| set.gateway = Some("27010".into())).contains("behind it"));
    assert!(refused(&mut rig, "27010", |set| set.address = Some("127.0.222.4".into())).contains("route 55"));
    let end = Command::IpExtension(IpExtension::End { dir: "27500".into() });
    assert!(rig.command(end).unwrap_err().to_string().contains("IN USE"));
    let end = Command::Extension(Extension::End { dir: "27500".into() });
    assert!(rig.command(end).unwrap_err().to_string().contains("IN USE"));
}

// ---- mobile telephones ----

const OPERATOR: &str = "127.0.77.1:5060";

/// The lab with route 60 to a mobile operator, and 27000's mobile telephone behind it.
fn mobile_lab() -> (Rig, Peer, Peer, Peer) {
    let mut rig = Rig::lab();
    rig.route(60, "127.0.77.1", 4);
    rig.set_route(60, |set| {
        set.mwinumber = Some(String::new());
        set.supervise = Some("NO_SUPERVISION".into());
        set.rexstring = Some("sip:+46?@127.0.77.1".into());
        set.trusted = Some("NOT_TRUSTED".into());
    });
    ip_extension(&mut rig, "27000", |set| {
        set.uri = Some("rou:60;remote-number=701234567;caller-number=+46701234567".into());
    })
    .unwrap();
    let caller = rig.phone("27001", "127.0.0.1:5071");
    let desk = rig.phone("27000", "127.0.0.1:5072");
    let operator = rig.peer(OPERATOR, Transport::Tcp);
    (rig, caller, desk, operator)
}

#[test]
fn desk_and_mobile_ring_side_by_side_and_the_other_stops_when_one_answers() {
    let (mut rig, caller, desk, operator) = mobile_lab();
    let calling = rig.call(caller, "27001", "27000");
    rig.run_ms(20);
    let (at_desk, _) = rig.incoming(desk);
    let (at_mobile, invite) = rig.incoming(operator);
    assert_eq!(invite.uri.number().as_deref(), Some("+46701234567"));
    rig.run(Duration::from_secs(4));
    rig.answer(operator, at_mobile);
    assert!(rig.answered(caller, calling).is_some());
    let cancelled = rig.call_events(desk, at_desk);
    assert!(format!("{cancelled:?}").contains("Call completed elsewhere"), "{cancelled:?}");
}

#[test]
fn an_operators_voice_mail_that_answers_at_once_does_not_take_the_call() {
    let (mut rig, caller, desk, operator) = mobile_lab();
    let calling = rig.call(caller, "27001", "27000");
    rig.run_ms(500);
    let (at_mobile, _) = rig.incoming(operator);
    rig.answer(operator, at_mobile);
    rig.run_ms(50);
    assert!(rig.ended(operator, at_mobile), "it is hung up on");
    let (at_desk, _) = rig.incoming(desk);
    rig.answer(desk, at_desk);
    assert!(rig.answered(caller, calling).is_some());
}

#[test]
fn a_mobile_that_calls_in_is_its_extension_and_does_not_ring_itself() {
    let (mut rig, _, desk, operator) = mobile_lab();
    let um = rig.peer(UM, Transport::Tcp);
    let in_by = |rig: &mut Rig, to: &str| {
        rig.call_with(operator, "46701234567", to, |call| call.login = None);
        rig.run_ms(20);
    };
    in_by(&mut rig, "43334");
    let (_, invite) = rig.incoming(um);
    assert_eq!(
        invite.from().unwrap().uri.number().as_deref(),
        Some("27000"),
        "the UM server knows whose mailbox it is"
    );
    in_by(&mut rig, "27000");
    assert!(rig.try_incoming(desk).is_some() && rig.try_incoming(operator).is_none());
}

#[test]
fn a_mobiles_number_by_another_route_is_nobody_special() {
    let (mut rig, _, _, _) = mobile_lab();
    let um = rig.peer(UM, Transport::Tcp);
    let phone = rig.phone("27010", "127.0.0.1:5073");
    rig.call_with(um, "46701234567", "27010", |call| call.login = None);
    rig.run_ms(20);
    assert_eq!(rig.incoming(phone).1.from().unwrap().uri.number().as_deref(), Some("46701234567"));
}

#[test]
fn only_the_desk_has_a_lamp_and_a_mobile_alone_rings_too() {
    let (mut rig, caller, desk, operator) = mobile_lab();
    rig.register(desk, "27000", "moon-27000", 0);
    rig.run_ms(50);
    rig.call(caller, "27001", "27000");
    rig.run_ms(20);
    assert!(rig.try_incoming(operator).is_some());
    assert!(rig.sent_to(OPERATOR, &Method::Notify).is_empty());
}

#[test]
fn a_route_is_not_taken_away_under_a_mobile_telephone() {
    let (mut rig, ..) = mobile_lab();
    let removal = Command::SipRoute(SipRoute::Remove { route: 60 });
    let refused = rig.command(removal.clone()).unwrap_err().to_string();
    assert!(refused.contains("IN USE") && refused.contains("mobile telephone of 27000"), "{refused}");
    ip_extension(&mut rig, "27000", |set| set.uri = Some("rou:55;remote-number=0701".into())).unwrap();
    rig.command(removal).unwrap();
}

#[test]
fn the_uri_of_a_mobile_is_read_and_written_as_given() {
    let (mut rig, ..) = mobile_lab();
    let printed = rig.run_command(Command::IpExtension(IpExtension::Print { dir: Some("27000".into()) })).to_string();
    assert!(printed.contains("rou:60;remote-number=701234567;caller-number=+46701234567"), "{printed}");
    for wrong in ["60", "rou:60", "rou:61;remote-number=1", "rou:60;remote-number=anna", "rou:60;remote-number=1;x=2"] {
        let refused = ip_extension(&mut rig, "27010", |set| set.uri = Some(wrong.into()));
        assert!(refused.is_err(), "{wrong}");
    }
    let taken = ip_extension(&mut rig, "27010", |set| set.uri = Some("rou:60;remote-number=46701234567".into()));
    assert!(taken.unwrap_err().to_string().contains("27000"), "one number, one extension");
}
