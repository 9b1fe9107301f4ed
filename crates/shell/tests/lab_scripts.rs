//! The lab's own scripts: every line is understood, and the node's are the guide's.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::{Arc, Mutex};

use shell::{Net, Shell};

const NODE: &str = include_str!("../../../lab/mx-one.mml");
const SERVER: &str = include_str!("../../../lab/exchange-um.ps1");

/// The guide's chapter 4.2.1, line by line, with its one placeholder filled.
const GUIDE: [&str; 10] = [
    "number_initiate -numbertype ED -number 43333",
    "number_initiate -numbertype ED -number 43334",
    "rocai:rou=55,sel=7110000000000010,sig=0111110000A0,traf=03151515,rm=4,serv=3110000001,bcap=000100;",
    "rodai:rou=55,type=TL66,vari=00000000,varc=00000000,varo=00000000;",
    "sip_route -set -route 55 -profile ExchangeUM_TCP -uristring0 sip:?@192.168.222.4 -match 192.168.222.4 -accept REMOTE_IP -codecs PCMA,PCMU -mwinumber 43334",
    "roeqi:rou=55,tru=1-1&&1-30;",
    "roddi:rou=55,dest=43333,adc=0005000000000250000001010000,SRT=1;",
    "roddi:rou=55,dest=43334,adc=0005000000000250000001010000,SRT=1;",
    "call_list -i -d 27000 --dest-number 27000 --position 1 --busy-position 2",
    "call_list -i -d 27000 --dest-number 43334 --position 2 --ird-bypass true",
];

#[test]
fn the_nodes_script_has_the_guides_lines_in_their_order() {
    let mut lines = NODE.lines();
    for guide in GUIDE {
        assert!(lines.any(|line| line == guide), "{guide}");
    }
}

#[test]
fn every_line_of_the_nodes_script_is_understood() {
    let seen = Arc::new(Mutex::new(0));
    let count = seen.clone();
    let shell = Shell::node(move |_, reply| {
        *count.lock().unwrap() += 1;
        reply(Ok(pbx::commands::Answer::done()));
    });
    let transcript = shell.with_net(Net::new("127.0.222").unwrap()).run_script(NODE).unwrap();
    let lines = NODE.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')).count();
    assert_eq!((*seen.lock().unwrap(), transcript.entries.len()), (lines, lines));
}

#[test]
fn every_cmdlet_of_the_servers_script_is_understood() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let cmdlets = seen.clone();
    let shell = Shell::um(move |command, reply| {
        cmdlets.lock().unwrap().push(command.cmdlet());
        reply(Ok(um::commands::Answer::Done(())));
    });
    shell.with_net(Net::new("127.0.222").unwrap()).run_script(SERVER).unwrap_or_else(|error| panic!("{error}"));
    let expected = [
        "New-UMDialPlan",
        "New-UMIPGateway",
        "New-UMHuntGroup",
        "New-UMAutoAttendant",
        "New-Mailbox",
        "New-Mailbox",
        "New-Mailbox",
        "Enable-UMMailbox",
        "Enable-UMMailbox",
    ];
    assert_eq!(*seen.lock().unwrap(), expected);
}
