//! Distribution groups: who is in one, who may write to it, and that each member gets a message once.

use super::rig::{Rig, TestCall};
use crate::commands::dial_plan::DialByName;
use crate::commands::{Answer, Command};
use crate::people::directory::Within;
use media::RecordEnd;

fn user(rig: &mut Rig, name: &str, extension: &str) {
    rig.done("New-Mailbox", &[("Name", name), ("FirstName", name), ("LastName", "Test")]);
    let enable = [("Identity", name), ("UMMailboxPolicy", "MX Default Policy"), ("Extensions", extension)];
    rig.done("Enable-UMMailbox", &enable);
}

/// Anna and Björn are in "Sales"; that and Cecilia in "Everybody".
fn rig() -> Rig {
    let mut rig = Rig::lab();
    user(&mut rig, "Cecilia", "27002");
    rig.done("New-DistributionGroup", &[("Name", "Sales"), ("Members", "Anna")]);
    rig.done("Add-DistributionGroupMember", &[("Identity", "sales"), ("Member", "27001")]);
    rig.done("New-DistributionGroup", &[("Name", "Everybody"), ("DisplayName", "Whole House")]);
    for member in ["Sales", "Cecilia"] {
        rig.done("Add-DistributionGroupMember", &[("Identity", "Everybody"), ("Member", member)]);
    }
    rig
}

fn members(rig: &mut Rig, group: &str) -> Vec<String> {
    match rig.done("Get-DistributionGroupMember", &[("Identity", group)]) {
        Answer::Members(members) => members.into_iter().map(|member| member.name).collect(),
        other => panic!("{other:?}"),
    }
}

fn refused(rig: &mut Rig, cmdlet: &str, parameters: &[(&str, &str)], why: &str) {
    let error = rig.command(cmdlet, parameters).unwrap_err().to_string();
    assert!(error.contains(why), "{cmdlet}: {error}");
}

/// Anna logs on from her own phone, with the message's recipients chosen by these keys, and says something.
fn anna_sends(rig: &mut Rig, keys: &str) -> TestCall {
    let call = rig.call("43334", "From: <sip:27000@127.0.222.10>;tag=pbx");
    rig.press(&call, "730146#");
    rig.press(&call, keys);
    call
}

fn spoken(rig: &mut Rig, call: &TestCall) {
    rig.press(call, "1");
    let recording = rig.recording(call);
    rig.record_ended(call, recording, RecordEnd::Key, 3);
    rig.durable(recording);
    rig.press(call, "#1#");
}

fn delivered_to(rig: &Rig) -> Vec<Vec<String>> {
    let shelf = rig.shelf.0.lock().unwrap();
    shelf.delivered.iter().map(|parcel| parcel.to.iter().map(|to| to.mailbox.to_string()).collect()).collect()
}

#[test]
fn members_come_and_go_by_whatever_they_are_known_by() {
    let mut rig = rig();
    assert_eq!(members(&mut rig, "Sales"), ["Anna", "Björn"]);
    assert_eq!(members(&mut rig, "Everybody"), ["Sales", "Cecilia"]);
    refused(&mut rig, "Add-DistributionGroupMember", &[("Identity", "Sales"), ("Member", "27000")], "already");
    refused(&mut rig, "Add-DistributionGroupMember", &[("Identity", "Sales"), ("Member", "Nobody")], "Nobody");
    rig.done("Remove-DistributionGroupMember", &[("Identity", "Sales"), ("Member", "Anna")]);
    refused(&mut rig, "Remove-DistributionGroupMember", &[("Identity", "Sales"), ("Member", "Anna")], "not in");
    assert_eq!(members(&mut rig, "Sales"), ["Björn"]);
    rig.done("Update-DistributionGroupMember", &[("Identity", "Sales"), ("Members", "Cecilia")]);
    assert_eq!(members(&mut rig, "Sales"), ["Cecilia"]);
}

#[test]
fn a_group_is_never_in_itself() {
    let mut rig = rig();
    for member in ["Sales", "Everybody"] {
        refused(&mut rig, "Add-DistributionGroupMember", &[("Identity", "Sales"), ("Member", member)], "in itself");
    }
    refused(
        &mut rig,
        "Update-DistributionGroupMember",
        &[("Identity", "Sales"), ("Members", "Everybody")],
        "in itself",
    );
}

#[test]
fn names_are_of_one_mailbox_or_group() {
    let mut rig = rig();
    refused(&mut rig, "New-DistributionGroup", &[("Name", "anna")], "anna");
    refused(&mut rig, "New-Mailbox", &[("Name", "SALES")], "SALES");
    rig.done("Set-DistributionGroup", &[("Identity", "Sales"), ("Alias", "all")]);
    refused(&mut rig, "Set-DistributionGroup", &[("Identity", "Everybody"), ("Alias", "All")], "already");
    assert_eq!(members(&mut rig, "ALL"), ["Anna", "Björn"]);
}

#[test]
fn who_goes_is_in_no_group_any_more_and_a_closed_group_is_not_opened_by_it() {
    let mut rig = rig();
    rig.done("Set-DistributionGroup", &[("Identity", "Sales"), ("AcceptMessagesOnlyFromSendersOrMembers", "Cecilia")]);
    rig.done("Disable-UMMailbox", &[("Identity", "Cecilia")]);
    rig.done("Remove-Mailbox", &[("Identity", "Cecilia")]);
    assert_eq!(members(&mut rig, "Everybody"), ["Sales"]);
    let sales = rig.server.configuration.groups.get("sales").unwrap();
    assert_eq!(sales.accepts_from, ["Sales"], "its own members only");
    rig.done("Remove-DistributionGroup", &[("Identity", "Sales")]);
    assert_eq!(members(&mut rig, "Everybody"), [""; 0]);
}

#[test]
fn an_export_makes_the_same_groups_in_whatever_order_they_name_each_other() {
    let mut rig = rig();
    let guard = [("Identity", "Sales"), ("AcceptMessagesOnlyFromSendersOrMembers", "Everybody")];
    rig.done("Set-DistributionGroup", &guard);
    let Answer::Script(script) = rig.done("Export-UMConfiguration", &[]) else { panic!() };
    let mut other = Rig::empty(state::Store::memory(), Vec::new());
    script.into_iter().for_each(|command: Command| {
        other.run(command).unwrap();
    });
    assert_eq!(other.server.configuration.groups, rig.server.configuration.groups);
}

#[test]
fn a_message_to_a_group_reaches_each_of_its_people_once() {
    let mut rig = rig();
    // WHOLE for the group; and Björn, who is in it already.
    let call = anna_sends(&mut rig, "594653#");
    rig.press(&call, "2#27001");
    spoken(&mut rig, &call);
    assert_eq!(delivered_to(&rig), [["27000", "27001", "27002"]]);
}

#[test]
fn a_message_is_sent_on_to_a_group() {
    let mut rig = rig();
    let call = anna_sends(&mut rig, "1");
    rig.press(&call, "00672537#");
    spoken(&mut rig, &call);
    assert_eq!(delivered_to(&rig), [["27000", "27001"]]);
    assert!(rig.shelf.0.lock().unwrap().delivered[0].letter.attached.is_some());
}

#[test]
fn a_closed_group_takes_messages_of_those_it_names_only() {
    let mut rig = rig();
    let guard = |rig: &mut Rig, who: &str| {
        let guard = [("Identity", "Sales"), ("AcceptMessagesOnlyFromSendersOrMembers", who)];
        rig.done("Set-DistributionGroup", &guard);
    };
    for (who, reached) in [("Cecilia", false), ("Anna", true), ("Everybody", true)] {
        guard(&mut rig, who);
        let call = anna_sends(&mut rig, "572537#");
        if reached {
            spoken(&mut rig, &call);
        } else {
            rig.press(&call, "1");
        }
        rig.hang_up(&call);
        assert_eq!(std::mem::take(&mut rig.shelf.0.lock().unwrap().delivered).len(), usize::from(reached), "{who}");
    }
}

#[test]
fn only_colleagues_find_groups_and_nobody_those_that_are_hidden() {
    let mut rig = rig();
    let found = |rig: &mut Rig, colleague: bool| {
        let whom = Within { plan: Some("MX"), list: None, colleague };
        let found = rig.server.directory.search(&rig.server.configuration, whom, DialByName::LastFirst, "7");
        found.groups.iter().map(|group| group.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(found(&mut rig, true), ["Sales"]);
    assert_eq!(found(&mut rig, false), [""; 0]);
    rig.done("Set-DistributionGroup", &[("Identity", "Sales"), ("HiddenFromAddressListsEnabled", "true")]);
    assert_eq!(found(&mut rig, true), [""; 0]);
}

#[test]
fn who_is_there_for_colleagues_only_is_found_by_them_only() {
    let mut rig = rig();
    rig.done("Set-UMMailbox", &[("Identity", "Cecilia"), ("AllowUMCallsFromNonUsers", "None")]);
    let mut found = |colleague: bool| {
        let whom = Within { plan: Some("MX"), list: None, colleague };
        let found = rig.server.directory.search(&rig.server.configuration, whom, DialByName::FirstLast, "2324");
        found.people.len()
    };
    assert_eq!((found(true), found(false)), (1, 0));
}
