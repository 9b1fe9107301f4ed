//! Many commands at once: in order, none after the first that is refused, and none that was built on what was lost.

use super::rig::*;
use crate::Own;
use crate::commands::*;
use net::Input;
use state::Store;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

type Results = Vec<Result<Answer, CommandError>>;

fn extension(dir: &str) -> Command {
    Command::Extension(Extension::Initiate(ExtensionSet { dir: dir.into(), ..Default::default() }))
}

fn name(dir: &str) -> Command {
    Command::Name(Name::Initiate(NameSet { dir: dir.into(), name1: Some("Anna".into()), ..Default::default() }))
}

/// Hands a script over; its results come when the store has answered.
fn start(rig: &mut Rig, commands: Vec<Command>) -> Arc<Mutex<Option<Results>>> {
    let results = Arc::new(Mutex::new(None));
    let told = results.clone();
    let reply: ScriptReply = Box::new(move |results| *told.lock().unwrap() = Some(results));
    rig.hand_in(Own::Script { commands, by: "test".into(), reply });
    results
}

fn numbers(rig: &Rig) -> Vec<String> {
    rig.store.load("extension").into_iter().map(|(number, _)| number).collect()
}

#[test]
fn each_command_sees_what_those_before_it_changed_and_all_are_kept_together() {
    let mut rig = Rig::bare();
    let results = start(&mut rig, vec![extension("27000"), name("27000"), extension("27001")]);
    assert!(results.lock().unwrap().is_none(), "nothing is told before it is durable");
    rig.input(Input::Timeout);
    assert!(results.lock().unwrap().take().unwrap().iter().all(Result::is_ok));
    assert_eq!(numbers(&rig), ["27000", "27001"]);
}

#[test]
fn a_script_stops_at_the_first_command_that_is_refused() {
    let mut rig = Rig::bare();
    let results = start(&mut rig, vec![extension("27000"), name("27009"), extension("27001")]);
    rig.input(Input::Timeout);
    let results = results.lock().unwrap().take().unwrap();
    assert_eq!(results.len(), 2);
    assert!(results[0].is_ok());
    assert!(matches!(results[1], Err(CommandError::NotAssigned { .. })), "{:?}", results[1]);
    assert_eq!(numbers(&rig), ["27000"]);
}

#[test]
fn when_the_disk_refuses_a_script_what_was_built_on_it_is_lost_too_and_what_comes_later_is_kept() {
    let full = Arc::new(AtomicBool::new(false));
    let mut rig = Rig::on(Store::memory_that_refuses(full.clone()));
    rig.run_command(extension("27000"));
    full.store(true, Ordering::SeqCst);
    let first = start(&mut rig, vec![extension("27001"), extension("27002")]);
    full.store(false, Ordering::SeqCst);
    // The node does not know yet that the first is lost.
    let second = start(&mut rig, vec![name("27001"), extension("27003")]);
    rig.input(Input::Timeout);
    for results in [first, second] {
        let results = results.lock().unwrap().take().unwrap();
        assert!(matches!(results.as_slice(), [Err(CommandError::NotKept { .. })]), "{results:?}");
    }
    assert_eq!(numbers(&rig), ["27000"]);
    assert!(rig.command(name("27001")).is_err(), "it is forgotten in memory, too");
    rig.run_command(extension("27001"));
    rig.restart();
    assert!(rig.command(name("27001")).is_ok());
}
