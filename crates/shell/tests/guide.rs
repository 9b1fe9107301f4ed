//! The guide's blocks, as they stand in its text: 4.2.1, 5.2.2, 5.2.3 and 6.3.1.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod node;

use node::Rig;

/// What the guide takes as given.
const GIVEN: &str = "number_initiate -numbertype EX -number 27000..27010\nextension -i -d 27000 -l 1\n";

const UNTIL_ROEQI: &str = "\
number_initiate -numbertype ED -number 43333

number_initiate -numbertype ED -number 43334

rocai:rou=55,sel=7110000000000010,sig=0111110000A0,traf=03151515,rm=4,serv=3110000001,bcap=000100;

rodai:rou=55,type=TL66,vari=00000000,varc=00000000,varo=00000000;

sip_route -set -route 55 -profile ExchangeUM_TCP -uristring0 sip:?@192.168.222.4 -match 192.168.222.4 -accept REMOTE_IP -codecs PCMA,PCMU -mwinumber 43334

#Node 1 (as in node x, as in TRU=x-1) for MX-ONE SIP access, in this case the IP address 192.168.222.10 is configured in the MX-ONE Service Node 1.
";

const AFTER_ROEQI: &str = "\
roddi:rou=55,dest=43333,adc=0005000000000250000001010000,SRT=1;

roddi:rou=55,dest=43334,adc=0005000000000250000001010000,SRT=1;

call_list -i -d 27000 --dest-number 27000 --position 1 --busy-position 2

call_list -i -d 27000 --dest-number 43334 --position 2 --ird-bypass true
";

fn configured() -> Rig {
    let rig = Rig::lab();
    rig.run(GIVEN);
    let said = rig.run(UNTIL_ROEQI);
    assert!(said.contains("rm is written TRM") && said.contains("192.168.222.4 is read as 127.0.222.4 here"), "{said}");
    let refused = rig.refused("roeqi:rou=55,tru=1-1&&1-xx;");
    assert!(refused.contains("how many calls the route can carry at once, such as 1-1&&1-30"), "{refused}");
    assert!(refused.ends_with("\n                          ^^"), "{refused}");
    rig.run("roeqi:rou=55,tru=1-1&&1-30;");
    rig.run(AFTER_ROEQI);
    rig
}

#[test]
fn the_blocks_of_4_2_1_make_a_system_and_only_the_placeholder_is_asked_for() {
    let exported = configured().run("export");
    assert_eq!(exported.lines().filter(|line| line.starts_with("call_list")).count(), 2);
    assert!(exported.contains("ROEQI:ROU=55,TRU=1-1&&1-30;"), "{exported}");
}

#[test]
fn the_certificate_of_5_2_2_is_answered_with_the_right_line() {
    let said = configured().refused("mxone_certificate, with the certificate mx-one-lync.lab.moon.galaxy.pfx");
    assert!(said.contains("mxone_certificate -import mx-one-lync.lab.moon.galaxy.pfx"), "{said}");
}

#[test]
fn the_block_of_5_2_3_is_joined_at_its_line_break_and_changes_only_what_it_names() {
    let rig = configured();
    rig.run(
        "sip_route -set -route 55 -profile ExchangeUM_TLS_SRTP -uristring0 sip:?@192.168.222.4 -match  \n192.168.222.4 -accept REMOTE_IP -codecs PCMA,PCMU -mwinumber 43334\n",
    );
    let said = rig.run("media_encryption_enable -type route");
    assert!(said.contains("EXECUTED") && !said.contains("no effect"), "{said}");
    assert!(rig.run("media_encryption_print").contains("Media encryption is enabled for trunk"));
    assert!(rig.run("sip_route -print -route 55").contains("ExchangeUM_TLS_SRTP"));
}

#[test]
fn the_block_of_6_3_1_is_taken_with_its_slip() {
    let rig = configured();
    rig.run(
        "sip_route -set -route 55 -uristring0 sip:?@exc-2013-um.moon.galaxy -remoteport 0 -protocol tcp -codecs PCMA,PCMU -mwinumber 43334",
    );
    let said = rig.run("ip_route -set -route 55 -accept REMOTE_IP -match 192.168.222.4,192.168.222.5");
    assert!(said.contains("ip_route is written sip_route"), "{said}");
    let printed = rig.run("sip_route -print -route 55");
    for kept in ["ExchangeUM_TCP", "exc-2013-um.moon.galaxy", "127.0.222.4,127.0.222.5", "43334"] {
        assert!(printed.contains(kept), "{kept} in {printed}");
    }
}
