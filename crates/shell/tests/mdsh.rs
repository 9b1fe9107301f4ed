//! The node's shell: the guide's lines as they stand, its slips, and what is said of a line that is wrong.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod recording;

use pbx::commands::{Answer, CallList, Command, CommandError, Destination, Number, RouteCategory, SipRoute, Trunk};
use recording::{Seen, only, recorder, refusal};
use shell::{Language, Net, Shell};

/// A shell whose node takes every command.
fn shell() -> (Shell, Seen<Command>) {
    answering(|_| Ok(Answer::done()))
}

fn answering(answer: fn(&Command) -> Result<Answer, CommandError>) -> (Shell, Seen<Command>) {
    let (seen, record) = recorder(answer);
    let shell = Shell::node(move |command, reply| reply(record(command)));
    (shell, seen)
}

/// The only command that a line becomes.
fn command(line: &str) -> Command {
    only(shell(), line)
}

fn refused(line: &str) -> String {
    refusal(shell(), line)
}

#[test]
fn a_number_is_initiated_in_either_order_of_its_parameters() {
    let expected = Command::Number(Number::Initiate { numbertype: "ED".into(), number: "43333".into() });
    assert_eq!(command("number_initiate -numbertype ED -number 43333"), expected);
    assert_eq!(command("NUMBER_INITIATE --number=43333 -NumberType ED"), expected);
}

#[test]
fn mml_is_read_in_any_case_with_and_without_its_semicolon() {
    let lines = [
        "rocai:rou=55,sel=7110000000000010,trm=4,serv=3110000001;",
        "ROCAI: ROU = 55, SEL=7110000000000010, TRM=4, SERV=3110000001 ;",
        "Rocai:Rou=55,Sel=\"7110000000000010\",Trm=4,Serv=3110000001",
    ];
    let first = command(lines[0]);
    assert!(
        matches!(&first, Command::RouteCategory(RouteCategory::Initiate(set)) if set.rou == 55 && set.trm.as_deref() == Some("4"))
    );
    assert!(lines.iter().all(|line| command(line) == first));
}

#[test]
fn the_guides_sip_route_needs_no_quotes() {
    let line = "sip_route -set -route 55 -profile ExchangeUM_TCP -uristring0 sip:?@192.168.222.4 -match 192.168.222.4 -accept REMOTE_IP -codecs PCMA,PCMU -mwinumber 43334";
    let Command::SipRoute(SipRoute::Set(set)) = command(line) else { panic!("not a sip_route") };
    assert_eq!(set.uristring[0].as_deref(), Some("sip:?@192.168.222.4"));
    assert_eq!(set.match_.as_deref(), Some("192.168.222.4"));
    assert_eq!((set.codecs.as_deref(), set.mwinumber.as_deref()), (Some("PCMA,PCMU"), Some("43334")));
    assert_eq!(command(&line.replace("sip:?@192.168.222.4", "\"sip:?@192.168.222.4\"")), command(line));
}

#[test]
fn the_line_break_inside_match_is_joined() {
    let broken = "sip_route -set -route 55 -uristring0 sip:?@192.168.222.4 -match  \n192.168.222.4 -accept REMOTE_IP\n";
    let whole = "sip_route -set -route 55 -uristring0 sip:?@192.168.222.4 -match 192.168.222.4 -accept REMOTE_IP";
    assert_eq!(command(broken), command(whole));
    assert_eq!(
        command("roddi:rou=55,dest=43333,\nadc=0005000000000250000001010000,\nSRT=1;"),
        command("roddi:rou=55,dest=43333,adc=0005000000000250000001010000,srt=1;")
    );
}

#[test]
fn the_guides_slips_are_read_as_what_was_meant_with_a_word_about_it() {
    for (wrong, right, said) in [
        (
            "rocai:rou=55,sel=7110000000000010,rm=4,serv=3110000001;",
            "rocai:rou=55,sel=7110000000000010,trm=4,serv=3110000001;",
            "rm is written TRM",
        ),
        (
            "ip_route -set -route 55 -accept REMOTE_IP",
            "sip_route -set -route 55 -accept REMOTE_IP",
            "ip_route is written sip_route",
        ),
        (
            "sip_route -set -route 55 -remotepoint 0",
            "sip_route -set -route 55 -remoteport 0",
            "remotepoint is written remoteport",
        ),
    ] {
        assert_eq!(command(wrong), command(right));
        let transcript = shell().0.run_script(wrong).unwrap().to_string();
        assert!(transcript.contains(said), "{transcript}");
        assert!(!shell().0.run_script(right).unwrap().to_string().contains("warning"));
    }
}

#[test]
fn the_guides_placeholder_is_refused_at_its_place_with_what_belongs_there() {
    let said = refused("roeqi:rou=55,tru=1-1&&1-xx;");
    assert!(said.contains("how many calls the route can carry at once, such as 1-1&&1-30"), "{said}");
    assert!(said.contains("line 1, column 25:\n  roeqi:rou=55,tru=1-1&&1-xx;\n                          ^^"), "{said}");
    let Command::Trunk(Trunk::Initiate(set)) = command("roeqi:rou=55,tru=1-1&&1-30;") else { panic!("not a trunk") };
    assert_eq!(set.tru, "1-1&&1-30");
}

#[test]
fn the_guides_call_list_is_read_with_one_dash_and_with_two() {
    let Command::CallList(CallList::Initiate(set)) =
        command("call_list -i -d 27000 --dest-number 43334 --position 2 --ird-bypass true")
    else {
        panic!("not a call list")
    };
    assert_eq!((set.dir.as_str(), set.dest_number.as_deref(), set.position), ("27000", Some("43334"), 2));
    assert_eq!(set.ird_bypass, Some(true));
    assert_eq!(
        command("call_list -i --dir=27000 -dest-number 27000 -position 1 -busy-position 2"),
        command("call_list -i -d 27000 --dest-number 27000 --position 1 --busy-position 2")
    );
}

#[test]
fn prints_take_all_or_one() {
    assert_eq!(command("ROCAP:ROU=ALL;"), Command::RouteCategory(RouteCategory::Print { rou: None }));
    assert_eq!(command("ROCAP;"), Command::RouteCategory(RouteCategory::Print { rou: None }));
    assert_eq!(command("roddp:dest=43333;"), Command::Destination(Destination::Print { dest: Some("43333".into()) }));
    assert_eq!(
        command("sip_route -print -profile"),
        Command::SipRoute(SipRoute::Print { route: None, profile: Some(String::new()), short: None })
    );
    assert_eq!(command("call_list -p"), Command::CallList(CallList::Print { dir: None }));
}

#[test]
fn comments_blank_lines_and_several_commands_a_line_are_a_script() {
    let (shell, seen) = shell();
    let script = "# the guide\n\n  #Node 1\nROCAP; RODAP:ROU=55;\nnumber_print\n";
    let transcript = shell.run_script(script).unwrap();
    assert_eq!(seen.lock().unwrap().len(), 3);
    let lines: Vec<usize> = transcript.entries.iter().map(|(statement, _)| statement.line).collect();
    assert_eq!(lines, [4, 4, 5]);
}

#[test]
fn names_with_marks_and_apostrophes_pass() {
    let Command::Name(pbx::commands::Name::Initiate(set)) = command("name -i -d 27010 --name1 Zoë --name2 O'Neil")
    else {
        panic!("not a name")
    };
    assert_eq!((set.name1.as_deref(), set.name2.as_deref()), (Some("Zoë"), Some("O'Neil")));
    let Command::Name(pbx::commands::Name::Initiate(set)) =
        command("name -i -d 1 --name1 'Anna Maria' --name2 \"O'Neil\"")
    else {
        panic!("not a name")
    };
    assert_eq!((set.name1.as_deref(), set.name2.as_deref()), (Some("Anna Maria"), Some("O'Neil")));
}

#[test]
fn the_guides_net_is_read_as_the_labs_and_said_so() {
    let (shell, seen) = shell();
    let shell = shell.with_net(Net::new("127.0.222").unwrap());
    let said = shell
        .run_script("sip_route -set -route 55 -uristring0 sip:?@192.168.222.4 -match 192.168.222.4,192.168.222.5")
        .unwrap();
    let Command::SipRoute(SipRoute::Set(set)) = &seen.lock().unwrap()[0] else { panic!("not a sip_route") };
    assert_eq!(set.uristring[0].as_deref(), Some("sip:?@127.0.222.4"));
    assert_eq!(set.match_.as_deref(), Some("127.0.222.4,127.0.222.5"));
    assert_eq!(
        said.entries[0].1.notes,
        ["192.168.222.4 is read as 127.0.222.4 here", "192.168.222.5 is read as 127.0.222.5 here"]
    );
}

#[test]
fn a_wrong_line_names_the_parameter_and_the_place_and_changes_nothing() {
    let said = refused("number_initiate -numbertype ED -nubmer 43333");
    assert!(
        said.starts_with("NOT ACCEPTED: -nubmer is not a parameter of number_initiate; it has -numbertype, -number"),
        "{said}"
    );
    assert!(said.contains("line 1, column 32:"), "{said}");
    assert!(refused("rocai:rou=fifty;").contains("rou fifty: give a whole number"));
    assert!(refused("rocai:rou=55,rou=56;").contains("given twice"));
    assert!(refused("rocai:rou;").contains("write rou=value"));
    assert!(refused("rocai:rou=55,,sel=1;").contains("between the commas"));
    assert!(refused("rocai:rou=\"55;").contains("quote is not closed"));
    assert!(refused("rokai:rou=55;").contains("is not a command here"));
    assert!(refused("call_list -d 27000").contains("needs one of -i, -c, -e, -p"));
    assert!(refused("call_list -i --position 1").contains("-d is missing"));
    assert!(refused("call_list -i -d").contains("-d has no value"));
    assert!(refused("call_list -i 27000").contains("a value without an option"));
    assert!(refused("call_list -i -d 1 --position 1 --ird-bypass maybe").contains("give yes or no"));
}

#[test]
fn a_script_stops_at_the_line_that_is_refused_and_tells_which() {
    let (shell, seen) = shell();
    let script = "number_print\n# comment\nrocap:rou=x;\nnumber_print\n";
    let error = shell.run_script(script).unwrap_err();
    assert_eq!((error.fault.line, error.done.entries.len()), (3, 1));
    assert_eq!(seen.lock().unwrap().len(), 1);
}

#[test]
fn what_the_node_refuses_is_pointed_at_in_the_line() {
    let (shell, _) = answering(|_| Err(CommandError::invalid("d", "99999", "there is no such extension")));
    let said = shell.run_script("call_list -i -d 99999 --position 1 --dest-number 1").unwrap_err().to_string();
    assert!(said.contains("column 17:\n  call_list -i -d 99999 "), "{said}");
    assert!(said.ends_with("\n                  ^^^^^"), "{said}");
    let (shell, _) = answering(|_| Err(CommandError::missing("TRM", "ROCAI needs it")));
    let said = shell.run_script("rocai:rou=55;").unwrap_err().to_string();
    assert!(said.ends_with("rocai:rou=55;\n              ^"), "{said}");
}

#[test]
fn a_password_is_not_shown_again() {
    let (shell, _) = answering(|_| Err(CommandError::missing("cil", "give it")));
    let said = shell.run_script("auth_code -i -d 27000 --auth-code moon-27000").unwrap_err().to_string();
    assert!(said.contains("**********") && !said.contains("moon"), "{said}");
}

#[test]
fn a_history_keeps_lines_without_their_passwords() {
    let kept = |line: &str| Language::Mdsh.masked(line);
    assert_eq!(kept("auth_code -i -d 27000 --auth-code moon-27000"), "auth_code -i -d 27000 --auth-code ****");
    assert_eq!(kept("auth_code -i --auth-code moon-27000 --wrong"), "auth_code -i --auth-code **** --wrong");
    assert_eq!(kept("auth_code -i --auth-code \"moon"), "auth_code");
    assert_eq!(kept("number_print"), "number_print");
}

#[test]
fn what_was_typed_in_part_goes_on() {
    for text in [
        "sip_route -set -route 55 -match",
        "rocai:rou=55,",
        "rocai:rou=",
        "name -i -d 1 --name1 \"Anna",
        "call_list -i \\",
    ] {
        assert!(Language::Mdsh.breaks_off(text), "{text}");
    }
    for text in [
        "call_list -p",
        "call_list -i -d 27000",
        "rocap;",
        "rocap",
        "sip_route -print",
        "help",
        "name -i --name2 O'Neil",
    ] {
        assert!(!Language::Mdsh.breaks_off(text), "{text}");
    }
}

#[test]
fn tab_completes_commands_switches_and_parameters() {
    let texts = |line: &str| -> Vec<String> {
        let (start, found) = Language::Mdsh.complete(line, line.len());
        found.into_iter().map(|(text, _)| format!("{}{text}", &line[..start])).collect()
    };
    assert_eq!(texts("sip_"), ["sip_route "]);
    assert_eq!(texts("rod"), ["RODAI:", "RODAC:", "RODAE:", "RODAP:", "RODDI:", "RODDC:", "RODDE:", "RODDP:"]);
    assert_eq!(texts("call_list -"), ["call_list -i ", "call_list -c ", "call_list -e ", "call_list -p "]);
    assert_eq!(texts("call_list -i --pos"), ["call_list -i --position "]);
    assert_eq!(texts("sip_route -set -uristring3"), ["sip_route -set -uristring3 "]);
    assert_eq!(texts("rocai:rou=55,tr"), ["rocai:rou=55,TRM=", "rocai:rou=55,TRAF="]);
    assert!(texts("nonsense -").is_empty());
}

#[test]
fn help_is_answered_by_the_shell_itself() {
    let (shell, seen) = shell();
    for (line, expected) in [("help", "sip_route -set"), ("help roeqi", "1-1&&1-30"), ("sip_route -help", "mwinumber")]
    {
        let said = shell.run_script(line).unwrap().to_string();
        assert!(said.contains(expected), "{said}");
    }
    assert!(seen.lock().unwrap().is_empty());
}
