//! What administrators of a running node see and set: licences, alarms, call records, times.

use super::rig::*;
use crate::commands::*;
use crate::{CallRecord, Own};
use net::Input;
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn print(rig: &mut Rig, command: Command) -> String {
    rig.run_command(command).to_string()
}

fn alarms(rig: &mut Rig) -> String {
    print(rig, Command::Alarm(Alarm::Print { severity: None, all: None }))
}

/// A row of a printout by its first cell.
fn row(text: &str, first: &str) -> Vec<String> {
    let line = text.lines().find(|line| line.split_whitespace().next() == Some(first));
    line.unwrap_or_else(|| panic!("no {first} in {text}")).split_whitespace().map(str::to_owned).collect()
}

#[test]
fn a_licence_that_is_limited_is_kept_to_and_its_peak_is_known() {
    let mut rig = Rig::lab();
    let limit = LicenseLimit::Set { license: "sip_trunk_channels".into(), limit: 1 };
    rig.run_command(Command::LicenseLimit(limit));
    let um = rig.peer(UM, sip::Transport::Tcp);
    let caller = rig.phone("27010", "127.0.0.1:5071");
    let first = rig.call(caller, "27010", "43334");
    rig.run_ms(20);
    let (at, _) = rig.incoming(um);
    rig.answer(um, at);
    let second = rig.call(caller, "27010", "43334");
    rig.run_ms(20);
    assert_eq!(rig.rejected(caller, second).unwrap().status, 480);
    assert!(alarms(&mut rig).contains("licence SIP_TRUNK_CHANNELS allows 1"));
    let status = Command::Status(Status::Licenses {});
    assert_eq!(row(&print(&mut rig, status.clone()), "SIP_TRUNK_CHANNELS")[1..], ["1", "1", "1"]);
    rig.hang_up(caller, first);
    assert_eq!(row(&print(&mut rig, status), "SIP_TRUNK_CHANNELS")[1..], ["0", "1", "1"]);
}

#[test]
fn configured_things_count_against_their_limits() {
    let mut rig = Rig::lab();
    let limit = |license: &str, limit| Command::LicenseLimit(LicenseLimit::Set { license: license.into(), limit });
    let refused = rig.command(limit("IP_EXTENSION", 1)).unwrap_err().to_string();
    assert!(refused.contains("are configured: end some first"), "{refused}");
    rig.run_command(limit("VOIP_ENCRYPTION", 0));
    let enable = Command::MediaEncryption(MediaEncryption::Enable { traffic: "route".into(), mode: None });
    let refused = rig.command(enable).unwrap_err().to_string();
    assert!(refused.contains("VOIP_ENCRYPTION is limited to 0"), "{refused}");
    rig.run_command(limit("SIP_TRUNK", 1));
    rig.run_command(limit("SIP_TRUNK", 2));
    let status = print(&mut rig, Command::Status(Status::Licenses {}));
    assert_eq!(row(&status, "SIP_TRUNK")[1..], ["1", "1", "2"]);
}

#[test]
fn a_dead_route_is_an_alarm_until_it_answers_and_over_a_restart() {
    let mut rig = Rig::lab();
    rig.run(Duration::from_secs(80));
    assert!(alarms(&mut rig).contains("route 55"), "nobody answers its OPTIONS");
    rig.restart();
    assert!(alarms(&mut rig).contains("does not answer OPTIONS"));
    let refused = rig.command(Command::Alarm(Alarm::End { number: 99 })).unwrap_err();
    assert_eq!(refused.parameter(), Some("number"));
    rig.run_command(Command::Alarm(Alarm::End { number: 1 }));
    assert!(!alarms(&mut rig).contains("route 55"));
    let log = print(&mut rig, Command::Alarm(Alarm::Print { severity: Some(3), all: Some(true) }));
    assert!(log.contains("route 55"), "a cleared one stays in the log");
}

#[test]
fn a_disk_that_fills_is_an_alarm_until_there_is_room() {
    let mut rig = Rig::bare();
    rig.input(Input::Own(Own::Disk { free: 99 << 20, total: 1000 << 20 }));
    assert!(alarms(&mut rig).contains("99 MiB of 1000 MiB are free"));
    rig.input(Input::Own(Own::Disk { free: 100 << 20, total: 1000 << 20 }));
    assert!(!alarms(&mut rig).contains("MiB"));
}

#[test]
fn a_certificate_whose_end_is_near_is_an_alarm_until_another_is_in_its_place() {
    let mut rig = Rig::bare();
    let told = |warning: Option<&str>| {
        Input::Own(Own::Certificate { subject: "mx-one.moon.galaxy".into(), warning: warning.map(str::to_owned) })
    };
    rig.input(told(Some("it expires at 2026-12-01 00:00 UTC: put a new certificate and its key in their place")));
    assert!(alarms(&mut rig).contains("mx-one.moon.galaxy: it expires at 2026-12-01"));
    rig.input(told(None));
    assert!(!alarms(&mut rig).contains("mx-one"));
}

#[test]
fn every_call_that_ended_is_recorded_where_an_output_is_on() {
    let mut rig = Rig::lab();
    let kept: Arc<Mutex<Vec<(String, CallRecord)>>> = Arc::default();
    let records = kept.clone();
    rig.node.call_records_to(Box::new(move |file, record| {
        records.lock().unwrap().push((file.to_owned(), record.clone()));
    }));
    let (a, b) = (rig.phone("27010", "127.0.0.1:5071"), rig.phone("27001", "127.0.0.1:5072"));
    let talk = |rig: &mut Rig| {
        let (calling, _) = rig.connect(a, "27010", b, "27001");
        rig.run(Duration::from_secs(7));
        rig.hang_up(a, calling);
    };
    talk(&mut rig);
    assert!(kept.lock().unwrap().is_empty(), "no output is set");
    let set = OutputSet { output: 0, dbname: Some("calls".into()), ..Default::default() };
    rig.run_command(Command::CallInformation(CallInformation::OutputSet(set)));
    rig.run_command(Command::CallInformation(CallInformation::StatusSet { output: 0, state: true }));
    talk(&mut rig);
    let call = rig.call(a, "27010", "999");
    rig.run_ms(20);
    assert_eq!(rig.rejected(a, call).unwrap().status, 404);
    let kept = kept.lock().unwrap();
    let told: Vec<_> = kept
        .iter()
        .map(|(file, record)| {
            let talked = record.talked.map(|time| time.as_secs());
            (file.as_str(), record.condition(), record.called.number.as_str(), talked)
        })
        .collect();
    assert_eq!(told, [("calls", 8, "27001", Some(7)), ("calls", 30, "", None)]);
}

#[test]
fn the_time_until_no_reply_is_the_systems_where_no_list_says_another() {
    let mut rig = Rig::lab();
    let set = DiversionSystemSet { no_reply_time: Some(5), second_no_reply_time: Some(3), ..Default::default() };
    rig.run_command(Command::DiversionSystem(DiversionSystem::Change(set)));
    rig.divert("27001", "27010", |diversion| diversion.div_noreply = Some(true));
    rig.divert("27010", "43334", |diversion| diversion.div_noreply = Some(true));
    let um = rig.peer(UM, sip::Transport::Tcp);
    let (a, b) = (rig.phone("27000", "127.0.0.1:5071"), rig.phone("27001", "127.0.0.1:5072"));
    let c = rig.phone("27010", "127.0.0.1:5073");
    rig.call(a, "27000", "27001");
    rig.run_ms(20);
    let (at, _) = rig.incoming(b);
    rig.ring(b, at);
    rig.run_ms(4800);
    assert!(rig.try_incoming(c).is_none());
    rig.run_ms(400);
    let (at, _) = rig.incoming(c);
    rig.ring(c, at);
    rig.run_ms(2400);
    assert!(rig.try_incoming(um).is_none());
    rig.run_ms(800);
    assert!(rig.try_incoming(um).is_some(), "diverted once, it waits the second time only");
}
