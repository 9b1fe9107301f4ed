use super::rig::*;
use crate::commands::*;

fn refused(rig: &mut Rig, command: Command) -> String {
    match rig.command(command) {
        Err(error) => error.parameter().unwrap_or_default().to_owned(),
        Ok(answer) => panic!("accepted: {answer}"),
    }
}

fn category() -> RouteCategorySet {
    // The guide's line.
    RouteCategorySet {
        rou: 55,
        sel: Some("7110000000000010".into()),
        sig: Some("0111110000A0".into()),
        traf: Some("03151515".into()),
        trm: Some("4".into()),
        serv: Some("3110000001".into()),
        bcap: Some("000100".into()),
        ..Default::default()
    }
}

fn print(rig: &mut Rig, command: Command) -> String {
    rig.run_command(command).to_string()
}

#[test]
fn the_guides_route_is_taken_and_printed_as_it_was_given() {
    let mut rig = Rig::bare();
    rig.run_command(Command::RouteCategory(RouteCategory::Initiate(category())));
    let text = print(&mut rig, Command::RouteCategory(RouteCategory::Print { rou: Some(55) }));
    for value in ["7110000000000010", "0111110000A0", "03151515", "3110000001", "000100"] {
        assert!(text.contains(value), "{text}");
    }
    let set = RouteDataSet { rou: 55, line_type: Some("tl66".into()), ..Default::default() };
    rig.run_command(Command::RouteData(RouteData::Initiate(set)));
    let text = print(&mut rig, Command::RouteData(RouteData::Print { rou: None }));
    assert!(text.contains("TL66") && text.contains("H'00000000"), "{text}");
    let set = TrunkSet { rou: 55, tru: "1-1&&1-30".into(), ..Default::default() };
    rig.run_command(Command::Trunk(Trunk::Initiate(set)));
    let text = print(&mut rig, Command::Trunk(Trunk::Print { rou: Some(55) }));
    assert!(text.contains("001-1 ") && text.contains("001-30"), "{text}");
}

#[test]
fn digits_are_counted_and_the_parameter_is_named() {
    let mut rig = Rig::bare();
    for (parameter, change) in [
        ("SEL", Box::new(|set: &mut RouteCategorySet| set.sel = Some("711".into())) as Box<dyn Fn(&mut _)>),
        ("SIG", Box::new(|set: &mut RouteCategorySet| set.sig = Some("0111110000G0".into()))),
        ("TRAF", Box::new(|set: &mut RouteCategorySet| set.traf = Some("031515155".into()))),
        ("TRM", Box::new(|set: &mut RouteCategorySet| set.trm = Some("9".into()))),
        ("SERV", Box::new(|set: &mut RouteCategorySet| set.serv = None)),
        ("BCAP", Box::new(|set: &mut RouteCategorySet| set.bcap = Some("000200".into()))),
        ("ROU", Box::new(|set: &mut RouteCategorySet| set.rou = 251)),
    ] {
        let mut set = category();
        change(&mut set);
        assert_eq!(refused(&mut rig, Command::RouteCategory(RouteCategory::Initiate(set))), parameter);
    }
    let text = print(&mut rig, Command::RouteCategory(RouteCategory::Print { rou: None }));
    assert!(!text.contains("55"), "nothing was changed: {text}");
}

#[test]
fn what_a_command_builds_on_has_to_be_there() {
    let mut rig = Rig::bare();
    let route_data = |rou| {
        Command::RouteData(RouteData::Initiate(RouteDataSet {
            rou,
            line_type: Some("TL66".into()),
            ..Default::default()
        }))
    };
    assert_eq!(refused(&mut rig, route_data(55)), "ROU");
    rig.run_command(Command::RouteCategory(RouteCategory::Initiate(category())));
    let sip = || Command::SipRoute(SipRoute::Set(Box::new(SipRouteSet { route: 55, ..Default::default() })));
    assert_eq!(refused(&mut rig, sip()), "route");
    rig.run_command(route_data(55));
    rig.run_command(sip());
    let adc = || Some("0005000000000250000001010000".to_owned());
    let dest = |adc| DestinationSet { dest: "43334".into(), rou: Some(55), adc, ..Default::default() };
    let roddi = |adc| Command::Destination(Destination::Initiate(dest(adc)));
    assert_eq!(refused(&mut rig, roddi(adc())), "DEST");
    rig.run_command(Command::Number(Number::Initiate { numbertype: "ED".into(), number: "43334".into() }));
    assert_eq!(refused(&mut rig, roddi(Some("0005".into()))), "ADC");
    assert_eq!(refused(&mut rig, roddi(None)), "ADC");
    rig.run_command(roddi(adc()));
    let list =
        CallListSet { dir: "27000".into(), position: 1, dest_number: Some("43334".into()), ..Default::default() };
    assert_eq!(refused(&mut rig, Command::CallList(CallList::Initiate(list))), "d");
}

#[test]
fn nothing_that_is_in_use_can_be_ended() {
    let mut rig = Rig::lab();
    assert_eq!(refused(&mut rig, Command::Number(Number::End { number: "43334".into() })), "number");
    assert_eq!(refused(&mut rig, Command::RouteCategory(RouteCategory::End { rou: 55 })), "ROU");
    assert_eq!(refused(&mut rig, Command::SipRoute(SipRoute::Remove { route: 55 })), "route");
    rig.divert("27001", "27010", |diversion| diversion.div_busy = Some(true));
    assert_eq!(refused(&mut rig, Command::Extension(Extension::End { dir: "27010".into() })), "d");
}

#[test]
fn a_second_set_changes_only_what_it_names() {
    let mut rig = Rig::lab();
    rig.set_route(55, |set| set.priority = Some(7));
    let text = print(&mut rig, Command::SipRoute(SipRoute::Print { route: Some(55), profile: None, short: None }));
    for value in ["sip:?@127.0.222.4", "ExchangeUM_TCP", "REMOTE_IP", "PCMA,PCMU", "43334", " 7"] {
        assert!(text.contains(value), "{value} in {text}");
    }
    rig.set_route(55, |set| set.mwinumber = Some(String::new()));
    let text = print(&mut rig, Command::SipRoute(SipRoute::Print { route: Some(55), profile: None, short: None }));
    assert!(!text.contains("43334"), "an empty text takes it away: {text}");
}

#[test]
fn a_sip_route_refuses_what_it_can_not_do() {
    let mut rig = Rig::lab();
    type Change = Box<dyn Fn(&mut SipRouteSet)>;
    let cases: Vec<(&str, Change)> = vec![
        ("profile", Box::new(|set| set.profile = Some("ExchangeUM_QUIC".into()))),
        ("service", Box::new(|set| set.service = Some("SECRET_SERVICES".into()))),
        ("uristring0", Box::new(|set| set.uristring[0] = Some("sip:43334@h".into()))),
        ("uristring3", Box::new(|set| set.uristring[3] = Some("mailto:?@h".into()))),
        ("fromuri1", Box::new(|set| set.fromuri[1] = Some("27000".into()))),
        ("accept", Box::new(|set| set.accept = Some("ANYBODY".into()))),
        ("accept", Box::new(|set| set.accept = Some("ALL".into()))),
        ("match", Box::new(|set| set.match_ = Some("127.0.222.4,um1".into()))),
        ("match", Box::new(|set| set.match_ = Some("127.0.222.4,?".into()))),
        ("priority", Box::new(|set| set.priority = Some(256))),
        ("contextb1", Box::new(|set| set.contextb[1] = Some("+46a".into()))),
        ("contexta7", Box::new(|set| set.contexta[7] = Some("08 555".into()))),
        ("routeset", Box::new(|set| set.routeset = Some("sip:proxy.example".into()))),
        ("addheader", Box::new(|set| set.addheader = Some("X-Site".into()))),
        ("addheader", Box::new(|set| set.addheader = Some("Via: SIP/2.0/UDP elsewhere".into()))),
        ("addheader", Box::new(|set| set.addheader = Some("X-Site: a\r\nRoute: <sip:evil.example>".into()))),
        ("proxyip", Box::new(|set| set.proxyport = Some(5070))),
        ("remotetelip", Box::new(|set| set.remotetelip = Some("um1".into()))),
        ("rexstring", Box::new(|set| set.rexstring = Some("sip:h".into()))),
        ("password", Box::new(|set| set.challenge = Some(true))),
        ("sosanumber", Box::new(|set| set.sosanumber = Some("anna".into()))),
        ("register", Box::new(|set| set.register = Some("sometimes".into()))),
        ("registerstring", Box::new(|set| set.registerstring = Some("sip:h".into()))),
        ("numbers", Box::new(|set| set.numbers = Some("0855527000,anna".into()))),
        ("timer", Box::new(|set| set.timer = Some(59))),
        ("localdomain", Box::new(|set| set.localdomain = Some("moon galaxy".into()))),
        ("authname", Box::new(|set| set.authname = Some("a\nb".into()))),
        ("trusted", Box::new(|set| set.trusted = Some("perhaps".into()))),
        ("codecs", Box::new(|set| set.codecs = Some("PCMA,G729".into()))),
        ("protocol", Box::new(|set| set.protocol = Some("sctp".into()))),
        ("supervisetime", Box::new(|set| set.supervisetime = Some(1))),
        ("next-target-after", Box::new(|set| set.next_target_after = Some(0))),
        ("last-target-after", Box::new(|set| set.last_target_after = Some(61))),
        ("progress-after", Box::new(|set| set.progress_after = Some(181))),
        ("grey-time", Box::new(|set| set.grey_time = Some(3601))),
        ("forced-gateway", Box::new(|set| set.forced_gateway = Some("maybe".into()))),
    ];
    for (parameter, change) in cases {
        let mut set = SipRouteSet { route: 55, ..Default::default() };
        change(&mut set);
        assert_eq!(refused(&mut rig, Command::SipRoute(SipRoute::Set(Box::new(set)))), parameter);
    }
}

#[test]
fn trunk_individuals_are_lists_and_ranges() {
    let mut rig = Rig::lab();
    let mut give = |tru: &str| {
        let set = TrunkSet { rou: 55, tru: tru.into(), ..Default::default() };
        rig.command(Command::Trunk(Trunk::Initiate(set)))
    };
    give("1-10&1-12&&1-14").unwrap();
    for wrong in ["1-1", "1", "1-5&&2-7", "1-9&&1-8", "125-1", "x-y", "1-20&1-20", "1-1000&&1-99999"] {
        assert_eq!(give(wrong).unwrap_err().parameter(), Some("TRU"), "{wrong}");
    }
    let text = print(&mut rig, Command::Trunk(Trunk::Print { rou: Some(55) }));
    assert_eq!(text.lines().filter(|line| line.starts_with("55")).count(), 3 + 4, "{text}");
}

#[test]
fn a_position_jumps_forward_only() {
    let mut rig = Rig::lab();
    let position = |busy| CallListSet {
        dir: "27001".into(),
        position: 3,
        dest_number: Some("27001".into()),
        busy_position: Some(busy),
        ..Default::default()
    };
    for busy in [1, 2, 3, 12] {
        let command = Command::CallList(CallList::Initiate(position(busy)));
        assert_eq!(refused(&mut rig, command), "busy-position", "{busy}");
    }
    rig.run_command(Command::CallList(CallList::Initiate(position(4))));
    let again = Command::CallList(CallList::Initiate(position(5)));
    assert_eq!(refused(&mut rig, again), "position");
    rig.run_command(Command::CallList(CallList::Change(position(11))));
}

#[test]
fn passwords_are_kept_as_sealed_hashes_only() {
    let rig = Rig::lab();
    for kind in ["extension", "number", "route", "destination", "node"] {
        for (_, value) in rig.store.load(kind) {
            assert!(!value.contains("moon-27"), "{value}");
            let ha1 = sip::digest::Ha1::new("27000", DOMAIN, "moon-27000");
            assert!(!value.contains(&ha1.md5) && !value.contains(&ha1.sha256), "{value}");
        }
    }
}

#[test]
fn the_configuration_and_the_domain_are_there_after_a_restart() {
    let mut rig = Rig::lab();
    let all = |rig: &mut Rig| {
        [
            Command::Number(Number::Print { number: None }),
            Command::RouteCategory(RouteCategory::Print { rou: None }),
            Command::Trunk(Trunk::Print { rou: None }),
            Command::Destination(Destination::Print { dest: None }),
            Command::SipRoute(SipRoute::Print { route: None, profile: None, short: None }),
            Command::Extension(Extension::Print { dir: None }),
            Command::IpExtension(IpExtension::Print { dir: None }),
            Command::Name(Name::Print { dir: None }),
            Command::AuthCode(AuthCode::Print { dir: None }),
            Command::CallList(CallList::Print { dir: None }),
            Command::Diversion(Diversion::Print { dir: None }),
        ]
        .map(|command| print(rig, command))
    };
    let before = all(&mut rig);
    rig.restart();
    assert_eq!(all(&mut rig), before);
    assert_eq!(rig.node.domain(), DOMAIN);
}

#[test]
fn ending_an_extension_takes_its_phones_and_lamp_with_it() {
    let mut rig = Rig::lab();
    rig.phone("27010", "127.0.0.1:5071");
    rig.run_command(Command::Extension(Extension::End { dir: "27010".into() }));
    rig.extension("27010");
    assert!(rig.status("27010").contacts.is_empty());
}

#[test]
fn every_command_that_changes_something_is_told_without_its_values() {
    let mut rig = Rig::bare();
    rig.extension("27000");
    let told = rig.told();
    let commands: Vec<String> = told
        .iter()
        .filter_map(|event| match event {
            event::Event::CommandRun { command, accepted: true, .. } => Some(command.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(
        commands,
        ["extension initiate 27000", "ip_extension initiate 27000", "name initiate 27000", "auth_code initiate 27000"]
    );
}
