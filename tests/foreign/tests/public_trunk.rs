//! A public SIP trunk with a Kamailio as the operator: the lab registers there, calls go out and come in, to voice mail too;
//! what is wrong is said, and what was gone comes back.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::{Duration, Instant};
use tests_foreign::kamailio::Kamailio;
use tests_foreign::process::Process;
use tests_foreign::sipp::Sipp;
use tests_foreign::{Lab, LabOptions, audio};

const PASSWORD: &str = "luna-7";

/// A lab with route 60 to the operator, dialled with 0; its numbers are 0855527000 and so on.
fn customer(net: u8, transport: &str, password: &str) -> (Lab, String, String) {
    let lab = Lab::start(net, LabOptions::default());
    let (operator, far) = (lab.address(90), lab.address(91));
    for line in [
        "number_initiate -numbertype ED -number 0",
        "rocai:rou=60,sel=7110000000000010,trm=4,serv=3100000001;",
        "rodai:rou=60,type=TL66;",
        "roeqi:rou=60,tru=1-1&&1-4;",
        "roddi:rou=60,dest=0,adc=0005000000000250000001010000,srt=2;",
    ] {
        lab.mdsh(line);
    }
    lab.mdsh(&format!(
        "sip_route -set -route 60 -profile PublicTrunk_Register_{transport} -uristring0 sip:?@{operator} \
             -fromuri0 sip:08555?@operator.example -accept REMOTE_IP -match {operator} -contextb0 08555 \
             -registerstring sip:?@{operator} -numbers 0855527000 -timer 60 -localdomain operator.example \
             -realm operator.example -authname moonlab -password {password} -supervise NO_SUPERVISION"
    ));
    (lab, operator, far)
}

/// Waits until the state of route 60 says this.
fn wait_for_state(lab: &Lab, wanted: impl Fn(&str) -> bool, limit: Duration) -> String {
    let deadline = Instant::now() + limit;
    loop {
        let output = lab.shell("mdsh", "sip_route -state");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = text.lines().find(|line| line.starts_with("60 ")).unwrap_or_default().to_owned();
        if wanted(&line) {
            return line;
        }
        assert!(Instant::now() < deadline, "route 60 is: {line}\n{}", lab.process.output());
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn is_registered(line: &str) -> bool {
    line.contains("0855527000 ") && !line.contains("not registered") && line.contains(" up ")
}

/// 27001 calls 0701234567 over the trunk and hangs up.
fn calls_out(lab: &Lab, port: u16) -> Process {
    let file = lab.data.file("speech.alaw");
    std::fs::write(&file, audio::g711(&audio::speech(1), "al")).unwrap();
    Sipp::new("leaves_message", &format!("{}:5060", lab.node()), &lab.address(71), port, false)
        .caller("27001", "00701234567")
        .key("file", file.to_str().unwrap())
        .key("greeting", "300")
        .key("length", "500")
        .once()
        .start()
}

fn subscriber(far: &str, expected: &str) -> Process {
    Sipp::new("public_callee", far, far, 5060, false).key("expected", expected).once().start()
}

#[test]
fn the_lab_registers_and_calls_go_out_with_digest_and_the_long_number() {
    let (lab, operator, far) = customer(75, "UDP", PASSWORD);
    let kamailio = Kamailio::start(&operator, &far, PASSWORD);
    wait_for_state(&lab, is_registered, Duration::from_secs(45));
    let mut callee = subscriber(&far, "0855527001");
    calls_out(&lab, 5072).must_succeed(Duration::from_secs(30));
    callee.must_succeed(Duration::from_secs(10));
    kamailio.process.wait_for("FROM CUSTOMER 0855527001 TO 0701234567", Duration::from_secs(1));
}

#[test]
fn a_call_from_the_public_network_ends_in_the_mailbox_with_the_callers_number() {
    let lab = a_registered_customer(76);
    let (operator, far) = (lab.0.address(90), lab.0.address(91));
    let (lab, _kamailio) = lab;
    let spoken = 4;
    let file = lab.data.file("message.alaw");
    std::fs::write(&file, audio::g711(&audio::speech(spoken), "al")).unwrap();
    Sipp::new("public_caller", &format!("{operator}:5060"), &far, 5060, false)
        .arguments(&["-s", "+46855527000"])
        .key("file", file.to_str().unwrap())
        .key("greeting", "9000")
        .key("length", &(spoken * 1000 + 200).to_string())
        .once()
        .start()
        .must_succeed(Duration::from_secs(60));
    let message = lab.wait_for_messages("27000", 1, Duration::from_secs(5)).remove(0);
    assert_eq!(message["from_number"], "0701234567");
}

fn a_registered_customer(net: u8) -> (Lab, Kamailio) {
    let (lab, operator, far) = customer(net, "TCP", PASSWORD);
    let kamailio = Kamailio::start(&operator, &far, PASSWORD);
    wait_for_state(&lab, is_registered, Duration::from_secs(45));
    (lab, kamailio)
}

#[test]
fn a_wrong_password_is_said_and_once_mended_the_node_registers() {
    let (lab, operator, far) = customer(77, "TCP", "wrong-1");
    let _kamailio = Kamailio::start(&operator, &far, PASSWORD);
    lab.mdsh("sip_route -set -route 60 -password wrong-2");
    lab.process.wait_for("mend -authname, -password or -realm", Duration::from_secs(20));
    wait_for_state(&lab, |line| line.contains("not registered") && line.contains("down"), Duration::from_secs(5));
    lab.mdsh(&format!("sip_route -set -route 60 -password {PASSWORD}"));
    wait_for_state(&lab, is_registered, Duration::from_secs(10));
}

#[test]
fn an_operator_that_goes_and_comes_back_is_noticed_both_times() {
    let (lab, mut kamailio) = a_registered_customer(78);
    kamailio.stop();
    let started = Instant::now();
    let mut call = calls_out(&lab, 5072);
    assert!(call.wait(Duration::from_secs(30)).is_some_and(|status| !status.success()), "nobody is there");
    assert!(started.elapsed() < Duration::from_secs(20));
    wait_for_state(&lab, |line| line.contains("down"), Duration::from_secs(5));
    wait_for_state(&lab, |line| line.contains("not registered"), Duration::from_secs(90));
    let (operator, far) = (lab.address(90), lab.address(91));
    let _back = Kamailio::start(&operator, &far, PASSWORD);
    wait_for_state(&lab, is_registered, Duration::from_secs(130));
    let mut callee = subscriber(&far, "0855527001");
    calls_out(&lab, 5073).must_succeed(Duration::from_secs(30));
    callee.must_succeed(Duration::from_secs(10));
}
