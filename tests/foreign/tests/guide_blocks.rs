//! The guide's blocks of commands as they stand in its text, piped into the shell of a node that knows nothing yet, give a
//! system on which a call works.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;
use tests_foreign::halves::Halves;
use tests_foreign::process::repository;
use tests_foreign::sipp::Sipp;

const NET: u8 = 56;

/// Chapter 4.2.1, its slip (`rm`) and its remark included. Where the guide leaves the last trunk individual to its reader
/// (`xx`), the reader has chosen 30.
const BLOCKS: &str = "\
number_initiate -numbertype ED -number 43333
number_initiate -numbertype ED -number 43334

rocai:rou=55,sel=7110000000000010,sig=0111110000A0,traf=03151515,rm=4,serv=3110000001,bcap=000100;

rodai:rou=55,type=TL66,vari=00000000,varc=00000000,varo=00000000;

sip_route -set -route 55 -profile ExchangeUM_TCP -uristring0 sip:?@192.168.222.4 -match 192.168.222.4 -accept REMOTE_IP -codecs PCMA,PCMU -mwinumber 43334

#Node 1 (as in node x, as in TRU=x-1) for MX-ONE SIP access, in this case the IP address 192.168.222.10 is configured in the MX-ONE Service Node 1.

roeqi:rou=55,tru=1-1&&1-30;

roddi:rou=55,dest=43333,adc=0005000000000250000001010000,SRT=1;
roddi:rou=55,dest=43334,adc=0005000000000250000001010000,SRT=1;
";

/// The extensions that the guide takes as given.
const EXTENSIONS: &str = "\
number_initiate -numbertype EX -number 27000..27010
extension -i -d 27000 -l 1 --csp 0 --third-party-client yes
ip_extension -i -d 27000 --protocol SIP
auth_code -i -d 27000 --csp 0 --cil 27000 --customer 0 --hash-type md5a1 --auth-code moon-27000
extension -i -d 27001 -l 1 --csp 0 --third-party-client yes
ip_extension -i -d 27001 --protocol SIP
auth_code -i -d 27001 --csp 0 --cil 27001 --customer 0 --hash-type md5a1 --auth-code moon-27001
";

/// The end of chapter 4.2.1.
const CALL_LIST: &str = "\
call_list -i -d 27000 --dest-number 27000 --position 1 --busy-position 2
call_list -i -d 27000 --dest-number 43334 --position 2 --ird-bypass true
";

#[test]
fn the_guides_blocks_give_a_system_on_which_a_call_works() {
    let halves = Halves::start("guide-blocks", NET);
    for block in [BLOCKS, EXTENSIONS, CALL_LIST] {
        halves.enter("mdsh", block);
    }
    halves.enter("umsh", &std::fs::read_to_string(repository().join("lab/exchange-um.ps1")).unwrap());

    let at = format!("127.0.{NET}.10:5060");
    let callee = format!("127.0.{NET}.70");
    halves.take_a_message(NET);
    // The lamp of 27000 is on: the message is there.
    Sipp::new("subscribes", &at, &callee, 5073, false)
        .key("new", "1")
        .user("27000")
        .arguments(&["-auth_uri", &format!("27000@{at}")])
        .once()
        .start()
        .must_succeed(Duration::from_secs(15));
}
