//! Both shells as an administrator uses them: the guide's blocks as printed, by `-c` and on standard input; slips; lines
//! that are wrong, which say where and change nothing.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::Write;
use std::process::{Command, Output, Stdio};
use tests_foreign::process::earcon;
use tests_foreign::{Lab, LabOptions};

/// The guide's chapter 4.2.1, block by block, as printed.
const GUIDE: [&str; 11] = [
    "number_initiate -numbertype ED -number 43333",
    "number_initiate -numbertype ED -number 43334",
    "rocai:rou=55,sel=7110000000000010,sig=0111110000A0,traf=03151515,rm=4,serv=3110000001,bcap=000100;",
    "rodai:rou=55,type=TL66,vari=00000000,varc=00000000,varo=00000000;",
    "sip_route -set -route 55 -profile ExchangeUM_TCP -uristring0 sip:?@192.168.222.4 -match 192.168.222.4 -accept REMOTE_IP -codecs PCMA,PCMU -mwinumber 43334",
    "#Node 1 (as in node x, as in TRU=x-1) for MX-ONE SIP access, in this case the IP address 192.168.222.10 is configured in the MX-ONE Service Node 1.",
    "roeqi:rou=55,tru=1-1&&1-xx;",
    "roddi:rou=55,dest=43333,adc=0005000000000250000001010000,SRT=1;",
    "roddi:rou=55,dest=43334,adc=0005000000000250000001010000,SRT=1;",
    "call_list -i -d 27000 --dest-number 27000 --position 1 --busy-position 2",
    "call_list -i -d 27000 --dest-number 43334 --position 2 --ird-bypass true",
];

/// Takes away what the guide sets up.
const UNDO: [&str; 9] = [
    "call_list -e -d 27000",
    "RODDE:DEST=43333;",
    "RODDE:DEST=43334;",
    "ROEQE:ROU=55,TRU=1-1&&1-30;",
    "sip_route -remove -route 55",
    "RODAE:ROU=55;",
    "ROCAE:ROU=55;",
    "number_end -number 43333",
    "number_end -number 43334",
];

/// Everything that the node can print of its configuration.
const PRINTS: [&str; 9] = [
    "number_print",
    "ROCAP:ROU=ALL;",
    "RODAP:ROU=ALL;",
    "ROEDP:ROU=ALL;",
    "RODDP:DEST=ALL;",
    "sip_route -print",
    "call_list -p",
    "extension -p",
    "name -p",
];

/// One shell of one lab.
struct Shell<'a> {
    lab: &'a Lab,
    name: &'static str,
}

impl Shell<'_> {
    fn line(&self, line: &str) -> Output {
        self.lab.shell(self.name, line)
    }

    fn script(&self, script: &str) -> Output {
        self.script_with(&[], script)
    }

    fn script_with(&self, arguments: &[&str], script: &str) -> Output {
        let mut shell = Command::new(earcon())
            .arg(self.name)
            .args(arguments)
            .arg("--data")
            .arg(self.lab.data())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        shell.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        shell.wait_with_output().unwrap()
    }

    fn taken(&self, line: &str) -> String {
        let output = self.line(line);
        assert!(output.status.success(), "{line}\n{}", text(&output.stderr));
        assert!(output.stderr.is_empty(), "{line}\n{}", text(&output.stderr));
        text(&output.stdout)
    }

    /// What is said of a line that is refused by `-c`: exit code 1, nothing on standard output.
    fn refused(&self, line: &str) -> String {
        let output = self.line(line);
        assert_eq!(output.status.code(), Some(1), "{line}\n{}", text(&output.stdout));
        assert_eq!(text(&output.stdout), "", "{line}");
        text(&output.stderr)
    }

    /// Refused, with the marked part (`«…»`) of the line pointed at, and with these words said of it.
    fn refused_at(&self, marked: &str, words: &[&str]) {
        let (before, rest) = marked.split_once('«').unwrap();
        let (at, after) = rest.split_once('»').unwrap();
        let line = format!("{before}{at}{after}");
        let said = self.refused(&line);
        let column = before.chars().count() + 1;
        assert!(said.contains(&format!("at line 1, column {column}:")), "{line}\n{said}");
        let carets = format!("\n  {}{}\n", " ".repeat(column - 1), "^".repeat(at.chars().count().max(1)));
        assert!(said.contains(&carets), "{line}\n{said}");
        for word in words {
            assert!(said.contains(word), "no {word:?}: {said}");
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_guides_lines_are_typed_as_printed_and_a_wrong_one_changes_nothing() {
    let lab = Lab::start(36, LabOptions::default());
    let shell = Shell { lab: &lab, name: "mdsh" };
    let configuration = || -> Vec<String> { PRINTS.iter().map(|print| shell.taken(print)).collect() };
    // The guide knows one user who is forwarded; what a second one uses can't be taken away.
    shell.taken("call_list -e -d 27001");
    let of_the_lab = configuration();

    // What is there already is said to be there, and stays.
    for line in GUIDE.iter().filter(|line| !line.starts_with(['#', 's'])) {
        let said = shell.refused(line);
        assert!(said.contains("NOT ACCEPTED"), "{line}\n{said}");
        assert!(line.contains("xx") || said.contains("ALREADY"), "{line}\n{said}");
    }
    assert_eq!(configuration(), of_the_lab);

    // The guide's blocks one by one; only its placeholder waits for a number.
    let with_number = |line: &str| line.replace("1-xx", "1-30");
    for line in UNDO {
        shell.taken(line);
    }
    assert!(!shell.taken("number_print").contains("43334"));
    for line in GUIDE {
        if line.contains("xx") {
            shell.refused_at("roeqi:rou=55,tru=1-1&&1-«xx»;", &["how many calls", "1-1&&1-30"]);
        }
        let said = shell.taken(&with_number(line));
        if line.contains("rm=4") {
            assert!(said.contains("warning: rm is written TRM"), "{said}");
        }
        assert!(line.starts_with('#') || said.contains("EXECUTED"), "{line}\n{said}");
    }
    assert_eq!(configuration(), of_the_lab, "typed by hand, the guide gives what the lab runs");

    // The whole chapter on standard input: it stops at the placeholder, says where, and does nothing that comes after.
    let undone = shell.script(&UNDO.join("\n"));
    assert!(undone.status.success(), "{}", text(&undone.stderr));
    let chapter = shell.script(&GUIDE.join("\n\n"));
    assert_eq!(chapter.status.code(), Some(1));
    let said = text(&chapter.stderr);
    assert!(said.contains("NOT ACCEPTED") && said.contains("at line 13, column 25:"), "{said}");
    assert!(shell.taken("sip_route -print -route 55").contains("ExchangeUM_TCP"));
    assert!(!shell.taken("RODDP:DEST=ALL;").contains("43333"), "what follows the refused line was not executed");
    let rest = shell.script(&with_number(&GUIDE[6..].join("\r\n")));
    assert!(rest.status.success(), "{}", text(&rest.stderr));
    assert_eq!(configuration(), of_the_lab);

    // Slips of the guide's are taken, with a word about it.
    let slip = shell.taken("ip_route -set -route 55 -accept REMOTE_IP -match 192.168.222.4,192.168.222.5");
    assert!(slip.contains("ip_route is written sip_route") && slip.contains("EXECUTED"), "{slip}");
    let slip = shell.taken("sip_route -set -route 55 -remotepoint 5060");
    assert!(slip.contains("remotepoint is written remoteport"), "{slip}");
    shell.taken("sip_route -set -route 55 -match 192.168.222.4");
    assert_eq!(configuration(), of_the_lab);

    // Lines that are wrong: the parameter, the place, and what to write.
    for (marked, words) in [
        ("«frobnicate» -d 27000", vec!["not a command", "help"]),
        ("roddi:rou=55,dest=«abc»,SRT=1;", vec!["DEST", "digits"]),
        ("rodai:rou=«56»,type=TL66,vari=00000000,varc=00000000,varo=00000000;", vec!["NOT ASSIGNED", "ROCAI"]),
        ("roddi:rou=55,«colour»=red;", vec!["colour", "not a parameter of RODDI", "DEST"]),
        ("rocai:rou=56,sel=7110000000000010,trm=«9»,serv=3110000001;", vec!["TRM", "0 to 7"]),
        ("sip_route -set -route 55 -profile «ExchangeUM_TPC»", vec!["profile", "ExchangeUM_TCP"]),
        ("sip_route -set -route 55 -uristring0 «http://192.0.2.1/»", vec!["uristring0"]),
        ("sip_route -set -route 55 -codecs «PCMA,G729»", vec!["codecs", "PCMA"]),
        ("sip_route -set -route 55 -match «192.168.222»", vec!["match"]),
        ("call_list -i -d 27000 --dest-number 43334 --position «0»", vec!["position"]),
        (
            "call_list -i -d 27000 --dest-number 43334 --position 3 --ird-bypass «perhaps»",
            vec!["ird-bypass", "yes or no"],
        ),
        ("extension -i -d «2700a» -l 1 --csp 0", vec!["digits"]),
        ("number_initiate -numbertype «XX» -number 777", vec!["numbertype", "ED"]),
    ] {
        shell.refused_at(marked, &words);
    }
    let missing = shell.refused("roddi:rou=55;");
    assert!(missing.contains("DEST") && missing.contains("missing"), "{missing}");
    let secret = shell
        .refused("auth_code -i -d 27999 --csp 0 --cil 27999 --customer 0 --hash-type md5a1 --auth-code s3cret-word");
    assert!(!secret.contains("s3cret"), "a password is not printed again: {secret}");
    assert_eq!(configuration(), of_the_lab, "none of them changed anything");

    for (line, words) in [("help", "call_list -i"), ("help roddi", "ADC"), ("sip_route -help", "-remoteport")] {
        assert!(shell.taken(line).contains(words), "{line}");
    }

    // After all this the route still leads to voice mail.
    let call = Command::new("timeout")
        .arg("15")
        .arg(earcon())
        .args(["phone", "--as", "27001", "--call", "43334", "--duration", "1", "--server"])
        .arg(format!("{}:5060", lab.node()))
        .output()
        .unwrap();
    assert!(call.status.success(), "{}{}", text(&call.stdout), text(&call.stderr));
    assert!(text(&call.stdout).contains("connected with 43334"), "{}", text(&call.stdout));
}

#[test]
fn the_um_shell_makes_shows_changes_and_removes_its_objects() {
    let lab = Lab::start(37, LabOptions::default());
    let shell = Shell { lab: &lab, name: "umsh" };
    let gets = ["UMDialPlan", "UMIPGateway", "UMHuntGroup", "UMMailboxPolicy", "UMAutoAttendant", "UMMailbox"]
        .map(|kind| format!("Get-{kind}"));
    let configuration = || -> Vec<String> { gets.iter().map(|get| shell.taken(get)).collect() };
    let of_the_lab = configuration();
    assert!(of_the_lab[0].contains("Integration_MX-ONE") && of_the_lab[5].contains("Björn Åkesson"));

    // New, Get, Set and Remove of the five objects; names with spaces and quotes, a backtick at a line's end.
    let made = shell.script(
        "# Another site\n\
         New-UMDialPlan -Name 'Moon Base' -NumberOfDigitsInExtension 4 -URIType TelExtn `\n    -CountryOrRegionCode 1\n\
         New-UMIPGateway -Name 'Base PBX' -Address 192.168.222.77 -UMDialPlan 'Moon Base'\n\
         New-UMHuntGroup -Name Base -PilotIdentifier 4444 -UMDialPlan 'Moon Base' -UMIPGateway 'Base PBX'\n\
         New-UMMailboxPolicy -Name Strict -UMDialPlan 'Moon Base'\n\
         New-UMAutoAttendant -Name \"Base's Attendant\" -UMDialPlan 'Moon Base' -PilotIdentifierList 4443 -SpeechEnabled $false\n",
    );
    assert!(made.status.success(), "{}", text(&made.stderr));
    assert!(text(&made.stdout).contains("# 192.168.222.77 is read as 127.0.37.77 here"), "{}", text(&made.stdout));
    let field = |get: &str, field: &str| -> String {
        let shown = shell.taken(get);
        let line = shown.lines().find(|line| line.split(':').next().unwrap_or_default().trim() == field);
        line.unwrap_or_else(|| panic!("no {field}: {shown}")).split_once(':').unwrap().1.trim().to_owned()
    };
    assert_eq!(field("Get-UMIPGateway 'Base PBX'", "Address"), "127.0.37.77");
    assert_eq!(field("Get-UMHuntGroup Base", "PilotIdentifier"), "4444");
    for (set, get, name, value) in [
        (
            "Set-UMDialPlan 'Moon Base' -MaxRecordingDuration 10",
            "Get-UMDialPlan 'Moon Base'",
            "MaxRecordingDuration",
            "10",
        ),
        ("Set-UMIPGateway -Identity 'Base PBX' -Redirects 0", "Get-UMIPGateway 'Base PBX'", "Redirects", "0"),
        ("Set-UMMailboxPolicy Strict -MinPINLength 8", "Get-UMMailboxPolicy Strict", "MinPINLength", "8"),
        (
            "Set-UMAutoAttendant \"Base's Attendant\" -BusinessName 'Moon Base'",
            "Get-UMAutoAttendant \"Base's Attendant\"",
            "BusinessName",
            "Moon Base",
        ),
    ] {
        shell.taken(set);
        assert_eq!(field(get, name), value, "{set}");
    }

    // Mailboxes: made, enabled, its PIN set; a PIN is never printed again.
    shell.taken("New-Mailbox -Name 'Ada Lunar' -Alias ada -FirstName Ada -LastName Lunar -PrimarySmtpAddress ada@moon.galaxy -Phone 4001");
    shell.taken(
        "Enable-UMMailbox -Identity ada -UMMailboxPolicy Strict -Extensions 4001 -PIN 80913572 -PINExpired $false",
    );
    shell.taken("Set-UMMailboxPIN -Identity ada -PIN 91724680");
    assert_eq!(field("Get-UMMailbox ada", "Extensions"), "{4001}");
    let before = configuration();

    // Wrong lines: the parameter, the place, what to write; nothing is changed.
    for (marked, words) in [
        ("«Get-Frob»", vec!["not a command", "Get-UMDialPlan"]),
        ("Get-UMIPGateway «Nobody»", vec!["no UMIPGateway", "Nobody"]),
        ("New-UMDialPlan -Name X -NumberOfDigitsInExtension «four»", vec!["NumberOfDigitsInExtension", "whole number"]),
        ("New-UMDialPlan -Name X -NumberOfDigitsInExtension 4 -URIType «Wrong»", vec!["URIType", "TelExtn"]),
        ("New-UMDialPlan -Name X «-Colour» red", vec!["Colour"]),
        ("New-UMDialPlan -Name «'Moon Base'» -NumberOfDigitsInExtension 4 -CountryOrRegionCode 1", vec!["Moon Base"]),
        ("New-UMDialPlan -Name «\"»X", vec!["quote is not closed"]),
        ("Set-UMIPGateway 'Base PBX' -Redirects «3»", vec!["Redirects", "0 to 2"]),
        (
            "New-UMHuntGroup -Name Y -PilotIdentifier 4444 -UMDialPlan «Nowhere» -UMIPGateway 'Base PBX'",
            vec!["Nowhere"],
        ),
        ("Set-UMMailboxPIN -Identity «nobody» -PIN 81736450", vec!["no Mailbox", "nobody"]),
        (
            "Enable-UMMailbox -Identity zoe.oneil -UMMailboxPolicy Strict -Extensions «27000» -PIN 80913572",
            vec!["27000"],
        ),
        ("Remove-UMDialPlan «'Moon Base'»", vec!["is used by"]),
    ] {
        shell.refused_at(marked, &words);
    }
    for weak in ["1234", "11111111", "12345678"] {
        let said = shell.refused(&format!("Set-UMMailboxPIN -Identity ada -PIN {weak}"));
        assert!(said.contains("PIN") && !said.contains(weak), "{said}");
    }
    let missing = shell.refused("New-UMDialPlan -Name X");
    assert!(missing.contains("NumberOfDigitsInExtension is missing"), "{missing}");
    let script = shell.script(
        "Set-UMIPGateway 'Base PBX' -Redirects 1\nSet-UMIPGateway 'Base PBX' -Redirects 9\nRemove-UMHuntGroup Base\n",
    );
    assert_eq!(script.status.code(), Some(1));
    assert!(text(&script.stderr).contains("at line 2, column 39:"), "{}", text(&script.stderr));
    shell.taken("Set-UMIPGateway 'Base PBX' -Redirects 0");
    shell.taken("Remove-UMHuntGroup Base -WhatIf");
    assert_eq!(configuration(), before, "none of them changed anything");

    for line in [
        "Get-UMAutoAttendant \"Base's Attendant\" | Remove-UMAutoAttendant -Confirm:$false",
        "Remove-UMHuntGroup Base",
        "Remove-UMIPGateway 'Base PBX'",
    ] {
        shell.taken(line);
    }
    assert!(!shell.taken("Get-UMIPGateway").contains("Base PBX"));
    assert!(shell.taken("help New-UMIPGateway").contains("-Address"));
}

#[test]
fn a_script_stops_at_the_first_error_or_goes_on_when_told_to() {
    let lab = Lab::start(96, LabOptions::default());
    let mdsh = Shell { lab: &lab, name: "mdsh" };
    let umsh = Shell { lab: &lab, name: "umsh" };
    // Line, column, and what shows that the last line was executed.
    for (shell, script, place, print, last) in [
        (
            &mdsh,
            "number_initiate -numbertype ED -number 51\nROCAP:ROU=x;\nnumber_initiate -numbertype ED -number 52\n",
            "at line 2, column 11:",
            "number_print",
            "52",
        ),
        (
            &umsh,
            "New-UMMailboxPolicy -Name First -UMDialPlan Integration_MX-ONE\n\
             Set-UMMailboxPolicy First -MinPINLength many\n\
             New-UMMailboxPolicy -Name Second -UMDialPlan Integration_MX-ONE\n",
            "at line 2, column 41:",
            "Get-UMMailboxPolicy",
            "Second",
        ),
    ] {
        let stopped = shell.script(script);
        assert_eq!(stopped.status.code(), Some(1));
        assert!(text(&stopped.stderr).contains(place), "{}", text(&stopped.stderr));
        assert!(!shell.taken(print).contains(last), "{} stopped", shell.name);
        // The first line is refused now, since it is there already; the last is executed all the same.
        let went_on = shell.script_with(&["--go-on"], script);
        assert_eq!(went_on.status.code(), Some(1), "what was refused is still told by the exit code");
        assert!(text(&went_on.stderr).contains(place), "{}", text(&went_on.stderr));
        assert!(shell.taken(print).contains(last), "{}{}", text(&went_on.stdout), text(&went_on.stderr));
    }
}
