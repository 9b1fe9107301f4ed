use super::rig::*;
use crate::commands::*;
use crate::{Fetch, Own, ProvisioningConfig, Served};
use event::Event;
use net::Input;
use sip::Transport;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const MAC: &str = "00085D123456";
const OUTSIDE: &str = "192.168.222.77";

/// The lab's node with a provisioning server, and a phone of 27000.
fn site() -> (Rig, String) {
    let mut rig = Rig::lab();
    rig.node.provision(ProvisioningConfig {
        host: "pbx.moon.galaxy".into(),
        http_port: Some(8081),
        https_port: Some(8443),
        time_server: Some("ntp.moon.galaxy".into()),
        codecs: vec!["PCMA".into(), "PCMU".into()],
        ..ProvisioningConfig::default()
    });
    let token = enter(&mut rig, |_| {});
    rig.told();
    (rig, token)
}

/// Enters the phone, and returns its token.
fn enter(rig: &mut Rig, change: impl FnOnce(&mut IpPhoneSet)) -> String {
    let mut set = IpPhoneSet { mac: MAC.into(), dir: Some("27000".into()), ..Default::default() };
    change(&mut set);
    token(&rig.run_command(Command::IpPhone(IpPhone::Initiate(set))))
}

fn token(answer: &Answer) -> String {
    let text = answer.to_string();
    let (_, rest) = text.split_once("shown this once: ").unwrap_or_else(|| panic!("no token in {text}"));
    rest.split_once(' ').unwrap().0.to_owned()
}

fn ask(rig: &mut Rig, path: &str, source: &str, change: impl FnOnce(&mut Fetch)) -> Served {
    let source: IpAddr = source.parse().unwrap();
    let mut fetch = Fetch { path: path.into(), source, secure: true, credentials: None };
    change(&mut fetch);
    let slot = Arc::new(Mutex::new(None));
    let place = slot.clone();
    let reply = Box::new(move |served| *place.lock().unwrap() = Some(served));
    rig.input(Input::Own(Own::Fetch { fetch, reply }));
    let served = slot.lock().unwrap().take();
    served.expect("a request is answered at once")
}

fn get(rig: &mut Rig, path: &str, source: &str) -> Served {
    ask(rig, path, source, |_| {})
}

fn text(served: Served) -> String {
    match served {
        Served::File { text, .. } => text,
        other => panic!("no file: {other:?}"),
    }
}

/// The value of a key, as a phone reads Mitel's form: keys in any case, comments, values in quotes.
fn value(text: &str, wanted: &str) -> Option<String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut pairs = lines.map(|line| line.split_once(':').unwrap_or_else(|| panic!("no key: value in {line:?}")));
    pairs
        .find(|(key, _)| key.trim().eq_ignore_ascii_case(wanted))
        .map(|(_, value)| value.trim().trim_matches('"').into())
}

#[test]
fn what_all_phones_share_is_everybodys_and_holds_no_secret() {
    let (mut rig, _) = site();
    let common = text(ask(&mut rig, "/aastra.cfg", OUTSIDE, |fetch| fetch.secure = false));
    for (key, expected) in [
        // The guide, 4.2.1.
        ("sip line1 vmail", "43334"),
        ("sip proxy ip", "127.0.222.10"),
        ("sip proxy port", "5060"),
        ("sip registrar ip", "127.0.222.10"),
        ("sip explicit mwi subscription", "1"),
        ("sip explicit mwi subscription period", "3600"),
        ("sip transport protocol", "1"),
        ("time server1", "ntp.moon.galaxy"),
        ("sip dtmf method", "0"),
        ("sip customized codec", "payload=8;ptime=20;silsupp=off,payload=0;ptime=20;silsupp=off"),
    ] {
        assert_eq!(value(&common, key).as_deref(), Some(expected), "{key}\n{common}");
    }
    assert!(!common.to_lowercase().contains("password"), "{common}");
    assert!(matches!(get(&mut rig, "/6867i.cfg", OUTSIDE), Served::File { .. }));
    let told = rig.told();
    assert!(
        matches!(&told[0], Event::ProvisioningFetched { file, secrets: false, .. } if file == "aastra.cfg"),
        "{told:?}"
    );
}

#[test]
fn a_phone_that_shows_its_token_gets_a_password_that_registers() {
    let (mut rig, token) = site();
    let in_path = text(get(&mut rig, &format!("/{token}/{MAC}.cfg"), OUTSIDE));
    let password = value(&in_path, "sip line1 password").unwrap();
    for (key, expected) in [
        ("sip line1 user name", "27000"),
        ("sip line1 auth name", "27000"),
        ("sip line1 screen name", "Name27000 Åkesson"),
        ("download protocol", "HTTPS"),
        ("https server", "pbx.moon.galaxy"),
        ("https port", "8443"),
        ("https path", token.as_str()),
    ] {
        assert_eq!(value(&in_path, key).as_deref(), Some(expected), "{key}\n{in_path}");
    }
    let by_basic = ask(&mut rig, &format!("/{MAC}.cfg"), OUTSIDE, |fetch| {
        fetch.credentials = Some(("00:08:5d:12:34:56".into(), token.clone()));
    });
    assert_eq!(text(by_basic), in_path, "the same by HTTP Basic, and again at the next start");

    let phone = rig.phone("27001", "127.0.0.9:5070");
    rig.register(phone, "27000", &password, 60);
    rig.run_ms(100);
    assert_eq!(rig.status("27000").contacts.len(), 1, "with the phone's own password");
    rig.register(phone, "27000", "moon-27000", 60);
    rig.run_ms(100);
    assert!(
        rig.told_names().iter().all(|name| name != "authentication_failed"),
        "the extension's own password holds, too"
    );
}

#[test]
fn a_phone_that_was_ended_registers_no_more_and_the_others_do() {
    let (mut rig, token) = site();
    let file = text(get(&mut rig, &format!("/{token}/{MAC}.cfg"), OUTSIDE));
    let password = value(&file, "sip line1 password").unwrap();
    rig.run_command(Command::IpPhone(IpPhone::End { mac: "00:08:5d:12:34:56".into() }));
    assert_eq!(get(&mut rig, &format!("/{token}/{MAC}.cfg"), OUTSIDE), Served::Unproven);
    rig.told();
    let phone = rig.peer("127.0.0.9:5070", Transport::Udp);
    rig.register(phone, "27000", &password, 60);
    rig.run_ms(100);
    assert!(rig.told_names().contains(&"authentication_failed".to_owned()));
    rig.register(phone, "27000", "moon-27000", 60);
    rig.run_ms(100);
    assert_eq!(rig.status("27000").contacts.len(), 1);
}

#[test]
fn without_proof_a_phone_that_is_there_and_one_that_is_not_look_alike() {
    let (mut rig, token) = site();
    for path in [
        format!("/{MAC}.cfg"),
        format!("/{MAC}.json"),
        "/00085D999999.cfg".into(),
        format!("/wrong/{MAC}.txt"),
        // The token is the one phone's.
        format!("/{token}/00085D999999.cfg"),
    ] {
        assert_eq!(get(&mut rig, &path, OUTSIDE), Served::Unproven, "{path}");
    }
    let others = ask(&mut rig, &format!("/{MAC}.cfg"), OUTSIDE, |fetch| {
        fetch.credentials = Some(("00085D999999".into(), token.clone()));
    });
    assert_eq!(others, Served::Unproven);
    let told = rig.told();
    assert!(told.iter().all(|event| matches!(event, Event::ProvisioningRefused { .. })), "{told:?}");
    assert!(!format!("{told:?}").contains(&token), "no token in an event");
    assert_eq!(get(&mut rig, "/../../etc/passwd", OUTSIDE), Served::Unknown);
}

#[test]
fn over_plain_http_the_file_comes_without_its_secrets_unless_the_setting_says_so() {
    let (mut rig, token) = site();
    let path = format!("/{token}/{MAC}.cfg");
    let plain = text(ask(&mut rig, &path, OUTSIDE, |fetch| fetch.secure = false));
    assert_eq!(value(&plain, "sip line1 user name").as_deref(), Some("27000"));
    assert_eq!(value(&plain, "sip line1 password"), None, "{plain}");
    assert!(!plain.contains(&token) && plain.contains("HTTPS only"), "{plain}");
    let told = rig.told();
    assert!(matches!(&told[0], Event::ProvisioningFetched { secrets: false, .. }), "{told:?}");
    let near = text(ask(&mut rig, &path, "127.0.0.1", |fetch| fetch.secure = false));
    assert!(value(&near, "sip line1 password").is_some(), "what stays on the machine is heard by nobody");

    let config = ProvisioningConfig { plain_secrets: true, codecs: vec!["PCMA".into()], ..Default::default() };
    rig.node.provision(config);
    let plain = text(ask(&mut rig, &path, OUTSIDE, |fetch| fetch.secure = false));
    assert!(value(&plain, "sip line1 password").is_some(), "{plain}");
}

#[test]
fn within_an_open_window_the_first_to_fetch_is_the_phone() {
    let (mut rig, _) = site();
    let path = format!("/{MAC}.cfg");
    let window = |rig: &mut Rig, minutes| {
        let set = IpPhoneSet { mac: MAC.into(), window: Some(minutes), ..Default::default() };
        rig.command(Command::IpPhone(IpPhone::Change(set)))
    };
    assert!(window(&mut rig, 0).is_err() && window(&mut rig, 1441).is_err());
    window(&mut rig, 10).unwrap();
    let plain = text(ask(&mut rig, &path, "192.168.222.66", |fetch| fetch.secure = false));
    assert_eq!(value(&plain, "sip line1 password"), None, "and who gets no secrets does not use the window up");
    let first = text(get(&mut rig, &path, OUTSIDE));
    assert!(value(&first, "sip line1 password").is_some());
    assert_eq!(text(get(&mut rig, &path, OUTSIDE)), first, "it may ask again");
    assert_eq!(get(&mut rig, &path, "192.168.222.78"), Served::Unproven, "nobody else may");
    rig.run(Duration::from_secs(601));
    assert_eq!(get(&mut rig, &path, OUTSIDE), Served::Unproven, "and it closes by itself");
    // From then on the phone comes by the path that its file named.
    let path = format!("/{}/{MAC}.cfg", value(&first, "https path").unwrap());
    assert_eq!(text(get(&mut rig, &path, OUTSIDE)), first);
}

#[test]
fn who_guesses_addresses_is_blocked_with_an_alarm_but_not_the_phone_beside_him() {
    let (mut rig, token) = site();
    for guess in 0..20 {
        assert_eq!(get(&mut rig, &format!("/00085D0000{guess:02}.cfg"), OUTSIDE), Served::Unproven);
    }
    let alarms: Vec<Event> =
        rig.told().into_iter().filter(|event| matches!(event, Event::ProvisioningBlocked { .. })).collect();
    assert_eq!(alarms.len(), 1, "{alarms:?}");
    assert_eq!(alarms[0].level(), event::Level::Error);
    let printed = rig.run_command(Command::Alarm(Alarm::Print { severity: None, all: None })).to_string();
    assert!(printed.contains(OUTSIDE), "{printed}");
    assert!(matches!(get(&mut rig, &format!("/{MAC}.cfg"), OUTSIDE), Served::TooMany { .. }));
    text(get(&mut rig, &format!("/{token}/{MAC}.cfg"), OUTSIDE));
    assert_eq!(get(&mut rig, &format!("/{MAC}.cfg"), "192.168.222.78"), Served::Unproven, "others are not");
    rig.run(Duration::from_secs(600));
    assert_eq!(get(&mut rig, &format!("/{MAC}.cfg"), OUTSIDE), Served::Unproven);
}

#[test]
fn renewing_makes_worthless_what_the_phone_has_and_a_given_password_is_kept() {
    let (mut rig, old) = site();
    let set = IpPhoneSet { mac: MAC.into(), renew: Some(true), ..Default::default() };
    let before = text(get(&mut rig, &format!("/{old}/{MAC}.txt"), OUTSIDE));
    let new = token(&rig.run_command(Command::IpPhone(IpPhone::Change(set))));
    assert_eq!(get(&mut rig, &format!("/{old}/{MAC}.txt"), OUTSIDE), Served::Unproven);
    assert_ne!(text(get(&mut rig, &format!("/{new}/{MAC}.txt"), OUTSIDE)), before, "another password");

    let set = IpPhoneSet { mac: MAC.into(), auth_code: Some("Stjärna 7".into()), ..Default::default() };
    rig.run_command(Command::IpPhone(IpPhone::Change(set)));
    rig.restart();
    let config = ProvisioningConfig { trusts_loopback: true, codecs: vec!["PCMA".into()], ..Default::default() };
    rig.node.provision(config);
    let lab = ask(&mut rig, &format!("/{MAC}.txt"), "127.0.0.1", |fetch| fetch.secure = false);
    assert!(text(lab).contains("\npassword=Stjärna 7\n"), "also after a restart, and in the lab without proof");
    let printed = rig.run_command(Command::IpPhone(IpPhone::Print { dir: None, mac: None })).to_string();
    assert!(printed.contains(MAC) && printed.contains("27000") && !printed.contains("Stj"), "{printed}");
}

#[test]
fn phones_of_other_makes_read_json_or_key_and_value() {
    let (mut rig, token) = site();
    let json = text(get(&mut rig, &format!("/{token}/{MAC}.json"), OUTSIDE));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let plain = text(get(&mut rig, &format!("/{token}/{MAC}.txt"), OUTSIDE));
    for (key, expected) in [
        ("extension", "27000"),
        ("auth_name", "27000"),
        ("display_name", "Name27000 Åkesson"),
        ("domain", DOMAIN),
        ("registrar_host", "127.0.222.10"),
        ("registrar_port", "5060"),
        ("voice_mail", "43334"),
        ("mwi_subscription", "true"),
    ] {
        assert_eq!(json[key].as_str().map_or_else(|| json[key].to_string(), str::to_owned), expected, "{key}");
        assert!(plain.lines().any(|line| line == format!("{key}={expected}")), "{key}: {plain}");
    }
    assert_eq!(json["password"].as_str().unwrap().len(), 24);
}

#[test]
fn the_administrators_lines_win_and_keep_no_secret() {
    let (mut rig, token) = site();
    let set = |file: &str, key: &str, value: &str| {
        let set = IpPhoneParameterSet { file: file.into(), key: key.into(), value: value.into() };
        Command::IpPhoneParameter(IpPhoneParameter::Initiate(set))
    };
    rig.run_command(set("aastra.cfg", "SIP line1 vmail", "*97#"));
    rig.run_command(set("6867I.cfg", "topsoftkey1 type", "speeddial"));
    rig.run_command(set(&format!("{MAC}.cfg"), "sip line1 screen name", "Reception"));
    assert_eq!(value(&text(get(&mut rig, "/aastra.cfg", OUTSIDE)), "sip line1 vmail").as_deref(), Some("*97#"));
    assert_eq!(value(&text(get(&mut rig, "/6867i.cfg", OUTSIDE)), "topsoftkey1 type").as_deref(), Some("speeddial"));
    let phone = text(get(&mut rig, &format!("/{token}/{MAC}.cfg"), OUTSIDE));
    assert_eq!(value(&phone, "sip line1 screen name").as_deref(), Some("Reception"));
    for (parameter, command) in [
        ("key", set("aastra.cfg", "sip line1 vmail", "1")),
        ("key", set("aastra.cfg", "sip line1 password", "x")),
        ("key", set("aastra.cfg", "a:b", "x")),
        ("file", set("aastra.tuz", "a", "x")),
        ("file", set("../aastra.cfg", "a", "x")),
        ("file", set("00085D999999.cfg", "a", "x")),
        ("value", set("aastra.cfg", "a", "x\nsip line1 password: y")),
    ] {
        let error = rig.command(command.clone()).expect_err(&format!("{command:?}"));
        assert_eq!(error.parameter(), Some(parameter), "{error}");
    }
    rig.run_command(Command::IpPhone(IpPhone::End { mac: MAC.into() }));
    let printed = rig.run_command(Command::IpPhoneParameter(IpPhoneParameter::Print { file: None })).to_string();
    assert!(!printed.contains("Reception") && printed.contains("*97#"), "an ended phone's lines go with it: {printed}");
}

#[test]
fn a_phone_needs_an_extension_and_an_extension_in_use_says_so() {
    let (mut rig, _) = site();
    let set = |change: fn(&mut IpPhoneSet)| {
        let mut set = IpPhoneSet { mac: "00085D000001".into(), dir: Some("27000".into()), ..Default::default() };
        change(&mut set);
        Command::IpPhone(IpPhone::Initiate(set))
    };
    for (parameter, command) in [
        ("mac", set(|set| set.mac = MAC.into())),
        ("mac", set(|set| set.mac = "no address".into())),
        ("mac", set(|set| set.mac.clear())),
        ("d", set(|set| set.dir = None)),
        ("d", set(|set| set.dir = Some("29999".into()))),
        ("auth-code", set(|set| set.auth_code = Some("x".into()))),
        ("mac", Command::IpPhone(IpPhone::End { mac: "00085D000001".into() })),
        ("d", Command::IpExtension(IpExtension::End { dir: "27000".into() })),
    ] {
        let error = rig.command(command.clone()).expect_err(&format!("{command:?}"));
        assert_eq!(error.parameter(), Some(parameter), "{error}");
    }
    // As many phones as terminals; the default is 4.
    for last in 1..=3 {
        let mac = format!("00085D00000{last}");
        let set = IpPhoneSet { mac, dir: Some("27000".into()), ..Default::default() };
        rig.run_command(Command::IpPhone(IpPhone::Initiate(set)));
    }
    assert_eq!(rig.command(set(|set| set.mac = "00085D000009".into())).unwrap_err().parameter(), Some("d"));
    rig.run_command(Command::Extension(Extension::End { dir: "27000".into() }));
    let printed = rig.run_command(Command::IpPhone(IpPhone::Print { dir: None, mac: None })).to_string();
    assert!(!printed.contains("00085D"), "an ended extension's phones go with it: {printed}");
}
