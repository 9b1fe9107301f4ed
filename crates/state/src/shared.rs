//! One state of several servers, in PostgreSQL.

use crate::{Change, CommitError, Store};
use crossbeam_channel::{Receiver, unbounded};
use database::testing::Cluster;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(10);

fn connect(url: &str, name: &str) -> (Store, Receiver<()>) {
    listening(Store::connect(&url.parse().unwrap(), name).unwrap())
}

fn listening(store: Store) -> (Store, Receiver<()>) {
    let (told, changes) = unbounded();
    // Sent to a test that has ended: no matter.
    store.on_change(Box::new(move || told.send(()).unwrap_or_default()));
    (store, changes)
}

fn values(store: &Store) -> Vec<(String, String)> {
    store.load("gateway")
}

/// As a server that has read everything anew.
fn looks_again(store: &Store) {
    store.read_anew(|_| Ok::<_, ()>(())).unwrap();
}

fn pair(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

#[test]
fn what_one_server_commits_the_others_are_told_of_and_read_with_hints_and_without() {
    let cluster = Cluster::start();
    for hints in ["", "?notify=off"] {
        let url = format!("{}{hints}", cluster.database());
        let ((one, told_one), (two, told_two)) = (connect(&url, "um1"), connect(&url, "um2"));
        one.commit_now(vec![Change::put("gateway", "mx", "1"), Change::put("gateway", "sbc", "2")]).unwrap();
        told_two.recv_timeout(SOON).unwrap();
        assert_eq!(values(&two), [pair("mx", "1"), pair("sbc", "2")]);
        looks_again(&two);
        two.commit_now(vec![Change::remove("gateway", "sbc"), Change::put("gateway", "mx", "3")]).unwrap();
        assert_eq!(values(&two), [pair("mx", "3")], "read from the moment that it is durable");
        told_one.recv_timeout(SOON).unwrap();
        assert_eq!(values(&one), [pair("mx", "3")]);
        let (three, _) = connect(&url, "um3");
        assert_eq!(values(&three), [pair("mx", "3")]);
        assert_eq!((one.server(), three.server()), (Some("um1"), Some("um3")));
    }
}

#[test]
fn two_members_of_one_store_in_one_process_are_as_two_servers() {
    let folder = tempfile::tempdir().unwrap();
    for store in [Store::open(&folder.path().join("state.db")).unwrap(), Store::memory()] {
        let ((one, told_one), (two, told_two)) = (listening(store.member("um1")), listening(store.member("um2")));
        assert_eq!((store.server(), one.server(), two.server()), (None, Some("um1"), Some("um2")));
        one.commit_now(vec![Change::put("gateway", "mx", "1")]).unwrap();
        told_two.recv_timeout(SOON).unwrap();
        assert!(told_one.is_empty(), "nobody is told what he has done himself");
        // The second has been told and has not looked, or could not read what is there.
        two.read_anew(|_| Err::<(), _>("unreadable")).unwrap_err();
        let refused = two.commit_now(vec![Change::put("gateway", "mx", "2"), Change::put("gateway", "sbc", "2")]);
        assert_eq!(refused, Err(CommitError::Conflict));
        told_two.recv_timeout(SOON).unwrap();
        looks_again(&two);
        assert_eq!(values(&two), [pair("mx", "1")], "all of it or nothing");
        two.commit_now(vec![Change::put("gateway", "mx", "2")]).unwrap();
        two.commit_now(vec![Change::remove("gateway", "mx")]).unwrap();
        told_one.recv_timeout(SOON).unwrap();
        assert_eq!(one.commit_now(vec![Change::put("gateway", "mx", "3")]), Err(CommitError::Conflict));
        looks_again(&one);
        one.commit_now(vec![Change::put("gateway", "mx", "3")]).unwrap();
        assert_eq!(values(&two), [pair("mx", "3")]);
    }
}

#[test]
fn a_commit_built_on_what_another_server_has_changed_is_refused_and_nothing_else_is() {
    let cluster = Cluster::start();
    let url = cluster.database();
    let ((one, told_one), (two, _)) = (connect(&url, "um1"), connect(&url, "um2"));
    two.commit_now(vec![Change::put("pin", "27000", "failures 1")]).unwrap();
    // The first has not read it (or has been told and has not looked).
    let refused = one.commit_now(vec![Change::put("pin", "27000", "failures 0"), Change::put("pin", "27001", "new")]);
    assert_eq!(refused, Err(CommitError::Conflict));
    one.commit_now(vec![Change::put("pin", "27010", "new")]).unwrap();
    told_one.recv_timeout(SOON).unwrap();
    while one.load("pin").len() < 2 {
        told_one.recv_timeout(SOON).unwrap();
    }
    looks_again(&one);
    assert_eq!(one.load("pin"), [pair("27000", "failures 1"), pair("27010", "new")], "all of it or nothing");
    one.commit_now(vec![Change::put("pin", "27000", "failures 2")]).unwrap();
    one.commit_now(vec![Change::put("pin", "27000", "failures 3")]).unwrap();
}

#[test]
fn while_the_database_is_away_reading_goes_on_and_commits_fail_and_later_all_is_as_it_is_there() {
    let mut cluster = Cluster::start();
    let url = cluster.database();
    let ((one, told_one), (two, _)) = (connect(&url, "um1"), connect(&url, "um2"));
    one.commit_now(vec![Change::put("gateway", "mx", "1")]).unwrap();
    cluster.stop();
    assert!(matches!(one.commit_now(vec![Change::put("gateway", "mx", "2")]), Err(CommitError::Write(_))));
    assert_eq!(values(&one), [pair("mx", "1")]);
    cluster.resume();
    told_one.recv_timeout(SOON).unwrap();
    looks_again(&two);
    two.commit_now(vec![Change::put("gateway", "sbc", "3")]).unwrap();
    while values(&one).len() < 2 {
        told_one.recv_timeout(SOON).unwrap();
    }
}
