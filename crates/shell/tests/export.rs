//! What `export` prints rebuilds the configuration exactly, on an empty node.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod node;

use node::Rig;
use proptest::prelude::*;
use proptest::sample::select;

fn pick(values: &'static [&'static str]) -> impl Strategy<Value = String> {
    select(values).prop_map(str::to_owned)
}

fn dir() -> impl Strategy<Value = String> {
    pick(&["27000", "27001", "27010", "43334", "99"])
}

fn rou() -> impl Strategy<Value = String> {
    pick(&["1", "55", "70"])
}

fn destination() -> impl Strategy<Value = String> {
    pick(&["27000", "27001", "27010", "43334", "43333", "0815", "+46-8.15", "404"])
}

/// Up to 24 characters of what names may have, the shell's own quotes and separators too.
fn text() -> impl Strategy<Value = String> {
    "[a-zåäö \"'\\-;,=:#&\\\\]{0,24}".prop_map(|text| format!("\"{}\"", text.replace('"', "\"\"")))
}

fn digits(count: usize) -> impl Strategy<Value = String> {
    proptest::collection::vec(0..10_u8, count).prop_map(|digits| digits.iter().map(u8::to_string).collect())
}

/// Some of these options, each with a value of its own.
fn options(parts: Vec<BoxedStrategy<String>>) -> impl Strategy<Value = String> {
    let maybe = parts.into_iter().map(|part| proptest::option::of(part).boxed()).collect::<Vec<_>>();
    maybe.prop_map(|given| given.into_iter().flatten().collect::<Vec<_>>().join(""))
}

fn option(name: &'static str, value: impl Strategy<Value = String> + 'static) -> BoxedStrategy<String> {
    value.prop_map(move |value| format!(" {name} {value}")).boxed()
}

fn pair(name: &'static str, value: impl Strategy<Value = String> + 'static) -> BoxedStrategy<String> {
    value.prop_map(move |value| format!(",{name}={value}")).boxed()
}

fn number_line() -> impl Strategy<Value = String> {
    let numbers = pick(&["27000..27010", "27020&&27030", "43333", "43334", "0", "08", "404", "27000"]);
    (pick(&["EX", "ED", "SOS"]), numbers)
        .prop_map(|(kind, number)| format!("number_initiate -numbertype {kind} -number {number}"))
}

fn category_line() -> impl Strategy<Value = String> {
    let more = options(vec![
        pair("SIG", pick(&["0111110000A0", "0111110000a0"])),
        pair("TRAF", digits(8)),
        pair("BCAP", pick(&["000100", "111111"])),
        pair("NODG", digits(2)),
        pair("DIST", digits(3)),
        pair("CUST", digits(1)),
    ]);
    (pick(&["ROCAI", "ROCAC"]), rou(), digits(16), 0..9_u8, digits(10), more).prop_map(
        |(name, rou, sel, trm, serv, more)| format!("{name}:ROU={rou},SEL={sel},TRM={trm},SERV={serv}{more};"),
    )
}

fn data_line() -> impl Strategy<Value = String> {
    let more = options(vec![pair("VARI", pick(&["000000af", "00000000"])), pair("VARO", digits(8))]);
    (pick(&["RODAI", "RODAC"]), rou(), more).prop_map(|(name, rou, more)| format!("{name}:ROU={rou},TYPE=TL66{more};"))
}

fn trunk_line() -> impl Strategy<Value = String> {
    let tru = pick(&["1-1", "1-2&1-5", "1-1&&1-30", "2-7&&2-9&1-3", "124-9999"]);
    let more = options(vec![pair("EQU", text()), pair("INDDAT", digits(12))]);
    (rou(), tru, more).prop_map(|(rou, tru, more)| format!("ROEQI:ROU={rou},TRU={tru}{more};"))
}

fn destination_line() -> impl Strategy<Value = String> {
    let more = options(vec![
        pair("CHO", pick(&["0", "1", "2", "7"])),
        pair("SRT", pick(&["1", "2", "6", "20"])),
        pair("PRE", pick(&["00", "46", "*9#"])),
        pair("CUST", digits(1)),
        pair("TRC", text()),
    ]);
    (pick(&["RODDI", "RODDC"]), pick(&["43333", "43334", "0", "08"]), rou(), digits(28), more)
        .prop_map(|(name, dest, rou, adc, more)| format!("{name}:DEST={dest},ROU={rou},ADC={adc}{more};"))
}

fn sip_route_line() -> impl Strategy<Value = String> {
    let more = options(vec![
        option("-profile", pick(&["ExchangeUM_TCP", "DEFAULT", "PublicTrunk_Register_UDP"])),
        option("-service", pick(&["PRIVATE_SERVICES", "PUBLIC_SERVICES"])),
        option("-uristring0", pick(&["sip:?@192.168.222.4", "\"sip:?@host.example;tgrp=a\""])),
        option("-uristring7", pick(&["sip:+?@10.0.0.1", "\"\""])),
        option("-fromuri1", pick(&["sip:?@moon.galaxy"])),
        option("-remoteport", pick(&["0", "5060", "5070"])),
        option("-protocol", pick(&["tcp", "UDP", "default"])),
        option("-proxyip", pick(&["10.0.0.9", "proxy.example", "::1", "\"\""])),
        option("-proxyport", pick(&["0", "5060"])),
        option("-routeset", pick(&["sip:a.example;lr,sip:10.0.0.1;lr", "\"\""]).prop_map(|m| format!("\"{m}\""))),
        option("-addheader", pick(&["\"X-Site: 4; a | X-Other: \"\"b\"\"\""])),
        option("-remotetelip", pick(&["10.0.0.7"])),
        option("-rexstring", pick(&["\"sip:?@m.example\""])),
        option("-contextb1", pick(&["+468555", "cdp.moon.galaxy"])),
        option("-contexta2", pick(&["08555"])),
        option("-handleasexn", pick(&["yes", "no"])),
        option("-sosanumber", pick(&["+46855527000"])),
        option("-register", pick(&["REGISTER", "no_register", "SET_BY_PROFILE"])),
        option("-registerstring", pick(&["sip:?@r.example"])),
        option("-registerport", pick(&["5070"])),
        option("-numbers", pick(&["\"0855527000, +46855527001\""])),
        option("-timer", pick(&["60", "86400"])),
        option("-localdomain", pick(&["l.example", "\"\""])),
        option("-realm", text()),
        option("-authname", text()),
        option("-password", text()),
        option("-challenge", pick(&["yes", "no"])),
        option("-accept", pick(&["REMOTE_IP", "remote_ip", "ALL", "EMERGENCY", "FROM_DOMAIN"])),
        option(
            "-match",
            pick(&["192.168.222.4", "192.168.222.4,192.168.222.5", "::1, 10.0.0.1"]).prop_map(|m| format!("\"{m}\"")),
        ),
        option("-priority", pick(&["0", "7", "255"])),
        option("-codecs", pick(&["PCMA,PCMU", "pcmu", "\"\""])),
        option("-mwinumber", pick(&["43334", "\"\""])),
        option("-supervise", pick(&["ACTIVE_SUPERVISION", "NO_SUPERVISION"])),
        option("-supervisetime", pick(&["5", "30", "3600"])),
        option("-trusted", pick(&["TRUST_BY_PROFILE", "TRUSTED", "not_trusted", "\"\""])),
        option("-history-redirects", pick(&["yes", "no"])),
        option("-forced-gateway", pick(&["yes", "no", "profile"])),
        option("-next-target-after", pick(&["1", "4", "60"])),
        option("-last-target-after", pick(&["1", "9", "60"])),
        option("-progress-after", pick(&["0", "9", "180"])),
        option("-grey-time", pick(&["0", "32", "3600"])),
    ]);
    (rou(), more).prop_map(|(rou, more)| format!("sip_route -set -route {rou}{more}"))
}

fn extension_line() -> impl Strategy<Value = String> {
    let more = options(vec![
        option("-l", pick(&["1", "124"])),
        option("--csp", pick(&["0", "500"])),
        option("--max-terminals", pick(&["1", "8"])),
        option("--third-party-client", pick(&["yes", "no"])),
        option("--customer", pick(&["0", "50000"])),
        option("--language-code", text()),
        option("--free-on-second-line", pick(&["0", "3"])),
    ]);
    (pick(&["-i", "-i", "-c"]), dir(), more).prop_map(|(verb, dir, more)| format!("extension {verb} -d {dir}{more}"))
}

fn belonging_line() -> impl Strategy<Value = String> {
    let name = (pick(&["-i", "-c"]), dir(), options(vec![option("--name1", text()), option("--name2", text())]))
        .prop_map(|(verb, dir, more)| format!("name {verb} -d {dir}{more}"));
    let more = options(vec![
        option("--gateway", pick(&["27000", "99", "\"\""])),
        option("--address", pick(&["10.0.0.5", "10.0.0.6:5070", "\"\""])),
        option("--inband-dtmf", pick(&["yes", "no"])),
        option(
            "--uri",
            pick(&[
                "\"rou:55&1;remote-number=070123;caller-number=+4670123\"",
                "\"rou:1;remote-number=0701;min-answer-delay=0\"",
                "\"\"",
            ]),
        ),
    ]);
    let terminal = (pick(&["-i", "-i", "-c"]), dir(), more)
        .prop_map(|(verb, dir, more)| format!("ip_extension {verb} -d {dir} --protocol SIP{more}"));
    let more = options(vec![
        option("--cil", digits(4)),
        option("--csp", digits(2)),
        option("--hash-type", pick(&["md5a1", "sha256a1", "any"])),
    ]);
    let code = (pick(&["-i", "-c"]), dir(), text(), more)
        .prop_map(|(verb, dir, code, more)| format!("auth_code {verb} -d {dir} --auth-code {code}{more}"));
    prop_oneof![name, terminal, code]
}

fn mac() -> impl Strategy<Value = String> {
    pick(&["00085D000001", "00:08:5d:00:00:02", "0008.5d00.0003"])
}

fn phone_line() -> impl Strategy<Value = String> {
    let more = options(vec![
        option("--model", pick(&["6867I", "\"T46 S\""])),
        option("--auth-code", text()),
        option("--renew", pick(&["yes", "no"])),
        option("--window", pick(&["10"])),
    ]);
    let phone = (pick(&["-i", "-i", "-c"]), dir(), mac(), more)
        .prop_map(|(verb, dir, mac, more)| format!("ip_phone {verb} -d {dir} --mac {mac}{more}"));
    let file = pick(&["aastra.cfg", "6867i.cfg", "00085D000001.cfg", "00085d000002.cfg"]);
    let line = (pick(&["-i", "-i", "-c"]), file, pick(&["\"sip line1 vmail\"", "key", "\"!Dial Plan\""]), text())
        .prop_map(|(verb, file, key, value)| {
            format!("ip_phone_parameter {verb} --file {file} --key {key} --value {value}")
        });
    let end = mac().prop_map(|mac| format!("ip_phone -e --mac {mac}"));
    prop_oneof![4 => phone, 3 => line, 1 => end]
}

fn call_list_line() -> impl Strategy<Value = String> {
    let more = options(vec![
        option("--list", pick(&["1", "2", "5"])),
        option("--busy-position", pick(&["0", "3", "10", "11"])),
        option("--dnd-position", pick(&["0", "4", "11"])),
        option("--ringing-time", pick(&["1", "35", "180"])),
        option("--origin", pick(&["111", "010"])),
        option("--ird-bypass", pick(&["true", "false"])),
        option("--one-call", pick(&["yes", "no"])),
        option("--sms-support", pick(&["yes"])),
        option("--delay-seizure-list-number", pick(&["3"])),
        option("--instant-messaging-support", pick(&["on"])),
        option("--call-list-cdiv", text()),
    ]);
    (pick(&["-i", "-i", "-c"]), dir(), destination(), 1..11_u8, more).prop_map(|(verb, dir, to, position, more)| {
        format!("call_list {verb} -d {dir} --dest-number {to} --position {position}{more}")
    })
}

fn diversion_line() -> impl Strategy<Value = String> {
    let more = options(vec![
        option("--div-immediate", pick(&["yes", "no"])),
        option("--div-busy", pick(&["yes", "no"])),
        option("--div-noreply", pick(&["yes", "no"])),
        option("--follow-me", pick(&["27000", "27900", "43334", "\"\""])),
    ]);
    (pick(&["-i", "-i", "-c"]), dir(), destination(), more)
        .prop_map(|(verb, dir, to, more)| format!("diversion {verb} --dir {dir} --div-destination-number {to}{more}"))
}

fn group_line() -> impl Strategy<Value = String> {
    let members = || pick(&["27000", "27000,27001", "27010, 27000 ,27001"]).prop_map(|list| format!("\"{list}\""));
    let more = options(vec![
        option("--name", text()),
        option("--members", members()),
        option("--members-off", pick(&["27000", "\"\""])),
        option("--selection", pick(&["parallel", "sequential", "cyclic"])),
        option("--ringing-time", pick(&["1", "180"])),
        option("--overflow-busy", pick(&["27000", "27901", "43334", "\"\""])),
        option("--overflow-noreply", pick(&["27900", "27001", "\"\""])),
    ]);
    let hunt = (pick(&["-i", "-i", "-c"]), pick(&["27900", "27901", "43334"]), more)
        .prop_map(|(verb, group, more)| format!("hunt_group {verb} --group {group}{more}"));
    let pickup = (pick(&["-i", "-c"]), pick(&["1", "1000"]), members())
        .prop_map(|(verb, group, members)| format!("pickup_group {verb} --group {group} --members {members}"));
    prop_oneof![hunt, pickup]
}

fn feature_line() -> impl Strategy<Value = String> {
    let dnd = (pick(&["-i", "-e"]), dir()).prop_map(|(verb, dir)| format!("do_not_disturb {verb} -d {dir}"));
    let list = (pick(&["-i", "-c"]), dir(), pick(&["1", "2", "5"]))
        .prop_map(|(verb, dir, list)| format!("personal_list {verb} -d {dir} --list {list}"));
    let more = options(vec![
        option("--ext-serv", digits(30)),
        option("--ext-cdiv", digits(15)),
        option("--ext-npres", digits(7)),
        option("--ext-traf", digits(10)),
        option("--ext-roc", digits(6)),
    ]);
    let profile = (pick(&["-i", "-c"]), pick(&["0", "500"]), more)
        .prop_map(|(verb, csp, more)| format!("extension_profile {verb} --csp {csp}{more}"));
    let codes = || pick(&["*21#", "*78#", "*27#", "#99*1#"]).prop_map(|code| format!("'{code}'"));
    let code = (pick(&["-i", "-c"]), codes(), pick(&["do-not-disturb", "pickup"]))
        .prop_map(|(verb, code, service)| format!("service_code {verb} --code {code} --service {service}"));
    let end = codes().prop_map(|code| format!("service_code -e --code {code}"));
    let market = pick(&["us", "standard"]).prop_map(|market| format!("service_code -set -market {market}"));
    let procedure = (dir(), pick(&["*21#", "*21*27001#", "#21#", "*27#", "*10*2#", "#28*27900#", "#001#"]))
        .prop_map(|(dir, proc)| format!("extension_procedure -d {dir} --proc '{proc}'"));
    prop_oneof![dnd, list, profile, code, end, market, procedure]
}

fn ending_line() -> impl Strategy<Value = String> {
    prop_oneof![
        pick(&["43333", "43334", "0", "08", "404", "27000"]).prop_map(|number| format!("number_end -number {number}")),
        rou().prop_map(|rou| format!("ROEQE:ROU={rou},TRU=1-1;")),
        rou().prop_map(|rou| format!("RODAE:ROU={rou};")),
        rou().prop_map(|rou| format!("ROCAE:ROU={rou};")),
        pick(&["43333", "43334", "0", "08"]).prop_map(|dest| format!("RODDE:DEST={dest};")),
        rou().prop_map(|rou| format!("sip_route -remove -route {rou}")),
        dir().prop_map(|dir| format!("extension -e -d {dir}")),
        dir().prop_map(|dir| format!("call_list -e -d {dir} --position 1")),
        dir().prop_map(|dir| format!("diversion -e -d {dir}")),
        dir().prop_map(|dir| format!("name -e -d {dir}")),
        pick(&["27900", "27901"]).prop_map(|group| format!("hunt_group -e --group {group}")),
        pick(&["0", "500"]).prop_map(|csp| format!("extension_profile -e --csp {csp}")),
    ]
}

fn system_line() -> impl Strategy<Value = String> {
    let times = options(vec![
        option("--no-reply-time", pick(&["1", "14", "180"])),
        option("--second-no-reply-time", pick(&["7"])),
        option("--network-chaining", pick(&["0", "9"])),
        option("--priority", pick(&["3"])),
    ]);
    let lengths = options(vec![option("-minlength", pick(&["1", "4"])), option("-maxlength", pick(&["3", "20"]))]);
    prop_oneof![
        times.prop_map(|times| format!("diversion_system -c{times}")),
        (pick(&["initiate", "change"]), pick(&["0", "0815", "43334", "5"]), lengths)
            .prop_map(|(verb, number, lengths)| format!("number_data_{verb} -externalnumber {number}{lengths}")),
        (pick(&["enable", "disable"]), pick(&["route", "extension"]))
            .prop_map(|(verb, traffic)| format!("media_encryption_{verb} -type {traffic}")),
        (pick(&["SIP_TRUNK", "SIP_TRUNK_CHANNELS", "IP_EXTENSION", "VOIP_ENCRYPTION"]), 0..4_u8)
            .prop_map(|(license, limit)| format!("license_limit -set -license {license} -limit {limit}")),
        (0..3_u8, pick(&["calls", "lim1.records"])).prop_map(|(output, name)| format!(
            "callinfo_output_set -output {output} -local -type file -dbname {name}"
        )),
        (0..3_u8, pick(&["on", "off"]))
            .prop_map(|(output, state)| format!("callinfo_status_set -output {output} -lim 1 -state {state}")),
    ]
}

/// A configuration as one comes to be: lines in no order, some of them refused.
fn script() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        3 => number_line().boxed(),
        3 => category_line().boxed(),
        2 => data_line().boxed(),
        3 => sip_route_line().boxed(),
        2 => trunk_line().boxed(),
        3 => destination_line().boxed(),
        5 => extension_line().boxed(),
        5 => belonging_line().boxed(),
        6 => call_list_line().boxed(),
        3 => diversion_line().boxed(),
        4 => phone_line().boxed(),
        3 => system_line().boxed(),
        3 => group_line().boxed(),
        4 => feature_line().boxed(),
        2 => ending_line().boxed(),
    ];
    proptest::collection::vec(line, 20..150).prop_map(|lines| lines.join("\n"))
}

/// `PROPTEST_CASES` asks for more than the usual.
fn cases(usual: u32) -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|count| count.parse().ok()).unwrap_or(usual)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(96), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_random_configuration_is_rebuilt_exactly_from_its_export(script in script()) {
        let first = Rig::lab();
        first.run_on(&script);
        let exported = first.run("export");
        // Another key file: only the export goes from one to the other.
        let second = Rig::with_key([6; 32]);
        if let Err(error) = second.shell.run_script(&exported) {
            prop_assert!(false, "{error}\n{exported}");
        }
        prop_assert_eq!(second.run("export"), exported);
        prop_assert_eq!(second.stored(), first.stored());
    }
}

const GUIDE: &str = include_str!("../../../lab/mx-one.mml");

#[test]
fn the_labs_script_is_exported_as_the_lines_that_it_was_given_by() {
    let lab = Rig::lab();
    lab.run(GUIDE);
    let exported = lab.run("config export");
    assert_eq!(exported, lab.run("export"));
    for line in [
        "# It holds secrets",
        "number_initiate -numbertype ED -number 43334\n",
        "ROCAI:ROU=55,SEL=7110000000000010,TRM=4,SIG=0111110000A0,TRAF=03151515,SERV=3110000001,BCAP=000100;\n",
        "ROEQI:ROU=55,TRU=1-1&&1-30;\n",
        "-profile ExchangeUM_TCP -uristring0 sip:?@127.0.222.4 ",
        "call_list -i -d 27000 --dest-number 43334 --position 2 --ird-bypass yes\n",
        "--name1 Zoë --name2 \"O'Neil\"",
    ] {
        assert!(exported.contains(line), "{line}\n{exported}");
    }
    assert!(!exported.contains("moon-27000"), "the password itself is nowhere");
}

#[test]
fn an_export_of_another_domain_is_refused_at_its_secrets() {
    let line = format!(
        "auth_code -i -d 27000 --ha1-md5 {} --ha1-sha256 {} --realm other.example",
        "0".repeat(32),
        "0".repeat(64)
    );
    let lab = Rig::lab();
    lab.run("extension -i -d 27000");
    let said = lab.refused(&line);
    assert!(said.contains("realm other.example: HA1s of another domain") && !said.contains("0000"), "{said}");
}
