//! What is wrong is refused and changes nothing: every command of the node, and every cmdlet, with something missing, unknown,
//! repeated or out of range; and ending what is in use, which names its user.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod node;
mod server;

use std::collections::BTreeSet;

/// Each command that changes something, as it is accepted in this order.
const GOOD: &str = "\
number_initiate -numbertype ED -number 43334
number_initiate -numbertype EX -number 27000..27010
number_data_initiate -externalnumber 43334 -minlength 5 -maxlength 5
number_data_change -externalnumber 43334 -maxlength 6
ROCAI:ROU=55,SEL=7110000000000010,TRM=4,SERV=3110000001;
ROCAC:ROU=55,TRM=5;
RODAI:ROU=55,TYPE=TL66;
RODAC:ROU=55,VARI=00000001;
sip_route -set -route 55 -profile ExchangeUM_TCP -uristring0 sip:?@192.168.222.4 -match 192.168.222.4
ROEQI:ROU=55,TRU=1-1&&1-4;
RODDI:ROU=55,DEST=43334,ADC=0005000000000250000001010000,SRT=1;
RODDC:ROU=55,DEST=43334,SRT=2;
extension -i -d 27000 --csp 0
extension -i -d 27001
extension -c -d 27001 --max-terminals 2
ip_extension -i -d 27000 --protocol SIP
ip_extension -c -d 27000 --uri rou:55;remote-number=0701234567
name -i -d 27000 --name1 Anna
name -c -d 27000 --name2 Svensson
auth_code -i -d 27000 --auth-code moon-27000
auth_code -c -d 27000 --auth-code moon-27001
ip_phone -i -d 27000 --mac 00085D000001
ip_phone -c --mac 00085D000001 --model 6867i
ip_phone_parameter -i --file aastra.cfg --key key --value value
ip_phone_parameter -c --file aastra.cfg --key key --value other
call_list -i -d 27000 --dest-number 43334 --position 1
call_list -c -d 27000 --position 1 --ringing-time 9
personal_list -i -d 27000 --list 1
personal_list -c -d 27000 --list 1
diversion -i --dir 27001 --div-destination-number 27000 --div-noreply yes
diversion -c --dir 27001 --div-busy yes
diversion_system -c --no-reply-time 14
do_not_disturb -i -d 27001
hunt_group -i --group 27900 --members 27001
hunt_group -c --group 27900 --overflow-busy 27000
pickup_group -i --group 1 --members 27000,27001
pickup_group -c --group 1 --members 27001
extension_profile -i --csp 7 --ext-npres 1000000
extension_profile -c --csp 7 --ext-npres 0000000
service_code -i --code *79# --service pickup
service_code -c --code *79# --service do-not-disturb
extension_procedure -d 27000 -proc #21#
media_encryption_enable -type route
media_encryption_disable -type route
license_limit -set -license SIP_TRUNK -limit 9
callinfo_output_set -output 0 -local -type file -dbname calls
callinfo_status_set -output 0 -lim 1 -state off
callinfo_output_remove -output 0
license_limit -remove -license SIP_TRUNK
service_code -e --code *79#
extension_profile -e --csp 7
hunt_group -e --group 27900
pickup_group -e --group 1
do_not_disturb -e -d 27001
diversion_system -e
diversion -e --dir 27001
personal_list -e -d 27000
call_list -e -d 27000 --position 1
ip_phone_parameter -e --file aastra.cfg --key key
ip_phone -e --mac 00085D000001
auth_code -e -d 27000
name -e -d 27000
ip_extension -e -d 27000
extension -e -d 27000
RODDE:DEST=43334;
ROEQE:ROU=55,TRU=1-1&&1-4;
sip_route -remove -route 55
RODAE:ROU=55;
ROCAE:ROU=55;
number_data_end -externalnumber 43334
number_end -number 43334
";

/// Prints and what else takes nothing that could be wrong, or is proven elsewhere (backups, certificates, alarms).
const ELSEWHERE: [&str; 10] = [
    "maintenance",
    "export",
    "data_backup",
    "data_restore",
    "data_backup_print",
    "exit_if_error",
    "mxone_certificate",
    "alarm",
    "status",
    "call_trace",
];

/// A line's name and its parameters as they stand in it.
fn parts(line: &str) -> (String, Vec<String>) {
    if let Some((name, rest)) =
        line.split_once(':').filter(|(name, _)| name.bytes().all(|byte| byte.is_ascii_uppercase()))
    {
        return (name.into(), rest.trim_end_matches(';').split(',').map(str::to_owned).collect());
    }
    let mut words = line.split(' ');
    let name = words.next().unwrap().to_owned();
    let mut parameters: Vec<String> = Vec::new();
    for word in words {
        match parameters.last_mut() {
            Some(last) if !word.starts_with('-') => last.push_str(&format!(" {word}")),
            _ => parameters.push(word.to_owned()),
        }
    }
    (name, parameters)
}

fn line_of(name: &str, parameters: &[String]) -> String {
    if name.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return format!("{name}:{};", parameters.join(","));
    }
    format!("{name} {}", parameters.join(" "))
}

/// Variants of a good line, each with one thing wrong that no command can take.
fn wrong(line: &str) -> Vec<(&'static str, String)> {
    let (name, parameters) = parts(line);
    let is_mml = line.ends_with(';');
    // A verb such as -i is no parameter.
    let valued = |parameter: &&String| is_mml || parameter.contains(' ');
    let mut lines = Vec::new();
    let mut unknown = parameters.clone();
    unknown.push(if is_mml { "NONSENSE=1".into() } else { "--nonsense 1".into() });
    lines.push(("unknown", line_of(&name, &unknown)));
    for (place, parameter) in parameters.iter().enumerate().filter(|(_, parameter)| valued(parameter)) {
        let mut repeated = parameters.clone();
        repeated.insert(place, parameter.clone());
        lines.push(("repeated", line_of(&name, &repeated)));
        let mut empty = parameters.clone();
        empty[place] = parameter.split(['=', ' ']).next().unwrap().to_owned();
        lines.push(("without a value", line_of(&name, &empty)));
    }
    // What identifies the thing is always needed: nothing but the verb is too little.
    let bare: Vec<String> = parameters.iter().filter(|parameter| !valued(parameter)).cloned().collect();
    if bare.len() < parameters.len() && !line.starts_with("diversion_system") {
        let bare = if is_mml { format!("{name};") } else { line_of(&name, &bare) };
        lines.push(("missing", bare));
    }
    lines
}

#[test]
fn every_command_of_the_node_refuses_what_is_missing_unknown_or_repeated_and_changes_nothing() {
    let rig = node::Rig::lab();
    let mut tried = BTreeSet::new();
    for line in GOOD.lines() {
        let before = rig.stored();
        for (what, wrong) in wrong(line) {
            let outcome = rig.run_on(&wrong);
            let refused = outcome.into_iter().all(|outcome| outcome.is_err());
            assert!(refused, "{what}: {wrong}");
            assert!(rig.stored() == before, "{wrong} has changed something");
        }
        rig.run(line);
        tried.insert(parts(line).0);
    }
    let help = rig.run("help");
    let listed = help.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    for name in listed.filter_map(|line| line.split_whitespace().next()) {
        let prints = name.ends_with("_print") || name.ends_with("P") || name.ends_with("_info");
        let known = tried.contains(name) || prints || ELSEWHERE.contains(&name) || name == "license_status";
        assert!(known, "{name} is tried nowhere");
    }
}

/// A parameter's value that is beyond what it takes, or refers to what is not there: after the first lines of [`GOOD`].
const OUT_OF_RANGE: [&str; 24] = [
    "number_initiate -numbertype EX -number 28010..28000",
    "number_data_change -externalnumber 43334 -minlength 7",
    "number_data_initiate -externalnumber 99 -minlength 1",
    "ROCAI:ROU=251,SEL=7110000000000010,TRM=4,SERV=3110000001;",
    "ROCAC:ROU=55,TRM=8;",
    "ROCAC:ROU=70,TRM=1;",
    "sip_route -set -route 55 -priority 256",
    "sip_route -set -route 55 -remoteport 65536",
    "sip_route -set -route 70 -priority 1",
    "sip_route -set -route 55 -profile Nobody",
    "ROEQI:ROU=55,TRU=1-4&&1-2;",
    "ROEQI:ROU=55,TRU=125-1;",
    "RODDI:ROU=70,DEST=43334,ADC=0005000000000250000001010000;",
    "RODDC:ROU=55,DEST=43334,SRT=21;",
    "extension -i -d 2",
    "extension -c -d 27000 --max-terminals 9",
    "ip_extension -c -d 27000 --uri rou:70;remote-number=1",
    "ip_extension -c -d 27000 --gateway 27000",
    "call_list -i -d 27000 --dest-number 43334 --position 11",
    "call_list -i -d 27000 --dest-number 43334 --position 3 --busy-position 2",
    "call_list -i -d 27000 --dest-number 99 --position 3",
    "diversion -c --dir 27001 --div-destination-number 99",
    "hunt_group -c --group 27900 --members 27009",
    "ip_phone -i -d 27009 --mac 00085D000002",
];

/// What cannot be ended while everything of [`GOOD`] is there, and who uses it.
const IN_USE: [(&str, &str); 8] = [
    ("number_end -number 43334", "RODDE"),
    ("RODDE:DEST=43334;", "27000"),
    ("sip_route -remove -route 55", "27000"),
    ("ROCAE:ROU=55;", "sip_route"),
    ("ip_extension -e -d 27000", "00085D000001"),
    ("extension -e -d 27000", "2700"),
    ("extension -e -d 27001", "27900"),
    ("number_end -number 27000", "27000"),
];

#[test]
fn what_is_out_of_range_contradicts_or_refers_to_nothing_is_refused_and_so_is_ending_what_is_in_use() {
    let rig = node::Rig::lab();
    for line in GOOD.lines().take_while(|line| !line.starts_with("pickup_group -c")) {
        rig.run(line);
    }
    let before = rig.stored();
    for line in OUT_OF_RANGE {
        let said = rig.refused(line);
        assert!(said.contains("line 1, column "), "{said}");
        assert!(rig.stored() == before, "{line} has changed something");
    }
    for (line, user) in IN_USE {
        let said = rig.refused(line);
        assert!(said.contains("IN USE") && said.contains(user), "{line}: {said}");
        assert!(rig.stored() == before, "{line} has changed something");
    }
}

#[test]
fn every_cmdlet_refuses_what_is_unknown_repeated_or_missing() {
    let rig = server::Rig::new();
    let refused = |line: &str| match rig.try_line(line) {
        Err(error) => error.to_string(),
        Ok(said) => panic!("{line} was accepted: {said}"),
    };
    for cmdlet in um::commands::cmdlets() {
        let said = refused(&format!("{} -Nonsense 1", cmdlet.name));
        assert!(said.contains("-Nonsense is not a parameter of") && said.contains("line 1, column "), "{said}");
        for parameter in cmdlet.parameters.iter() {
            let said = refused(&format!("{} -{1} 1 -{1} 2", cmdlet.name, parameter.name));
            // Or what stands there first is no value of its kind.
            let form = format!("-{}: write", parameter.name);
            assert!(said.contains("twice") || said.contains(&form), "{said}");
        }
        if cmdlet.parameters.iter().any(|parameter| parameter.required) {
            let said = refused(cmdlet.name);
            assert!(said.contains("is missing"), "{said}");
        }
    }
    assert!(rig.stored().is_empty());
}
