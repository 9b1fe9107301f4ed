use super::rig::Rig;
use crate::commands::{Answer, CommandError};

#[test]
fn what_was_configured_is_there_after_a_restart() {
    let rig = Rig::lab();
    let mut rig = Rig::empty(rig.state.clone(), Vec::new());
    let Answer::Gateways(gateways) = rig.done("Get-UMIPGateway", &[]) else { panic!() };
    assert_eq!(gateways[0].address, "127.0.222.10");
    assert_eq!(gateways[0].redirects, 2);
    let Answer::Mailboxes(mailboxes) = rig.done("Get-UMMailbox", &[("", "27000")]) else { panic!() };
    assert_eq!(mailboxes[0].display_name, "Anna Test");
    assert_eq!(mailboxes[0].mailbox.as_deref(), Some("27000"));
}

#[test]
fn a_dial_plan_brings_its_policy_and_a_gateway_its_hunt_group() {
    let mut rig = Rig::lab();
    let Answer::Policies(policies) = rig.done("Get-UMMailboxPolicy", &[]) else { panic!() };
    assert_eq!(policies[0].name, "MX Default Policy");
    let Answer::HuntGroups(groups) = rig.done("Get-UMHuntGroup", &[]) else { panic!() };
    assert_eq!(groups.iter().filter(|group| group.pilot.is_none()).count(), 1);
}

#[test]
fn a_value_out_of_range_changes_nothing() {
    let mut rig = Rig::lab();
    let set = [("Identity", "MX"), ("MaxCallDuration", "60"), ("RecordingIdleTimeout", "11")];
    let error = rig.command("Set-UMDialPlan", &set).unwrap_err();
    assert_eq!(error.to_string(), "-RecordingIdleTimeout: write a number from 2 to 10");
    let Answer::DialPlans(plans) = rig.done("Get-UMDialPlan", &[]) else { panic!() };
    assert_eq!(plans[0].max_call_duration, 30);
}

#[test]
fn what_is_in_use_is_not_removed() {
    let mut rig = Rig::lab();
    assert!(matches!(rig.command("Remove-UMDialPlan", &[("", "MX")]), Err(CommandError::InUse { .. })));
    let policy = rig.command("Remove-UMMailboxPolicy", &[("", "MX Default Policy")]);
    assert!(matches!(policy, Err(CommandError::InUse { .. })));
    rig.done("Remove-UMIPGateway", &[("", "MX-ONE")]);
    let Answer::HuntGroups(groups) = rig.done("Get-UMHuntGroup", &[]) else { panic!() };
    assert!(groups.is_empty(), "its hunt groups go with it");
}

#[test]
fn two_users_cannot_have_one_extension_nor_a_pilot() {
    let mut rig = Rig::lab();
    rig.done("New-Mailbox", &[("Name", "Zoë")]);
    let enable = |rig: &mut Rig, extension: &str| {
        let parameters = [("Identity", "Zoë"), ("UMMailboxPolicy", "MX Default Policy"), ("Extensions", extension)];
        rig.command("Enable-UMMailbox", &parameters)
    };
    assert_eq!(enable(&mut rig, "27000").unwrap_err().parameter(), Some("Extensions"));
    assert_eq!(enable(&mut rig, "43334").unwrap_err().parameter(), Some("Extensions"));
    assert_eq!(enable(&mut rig, "270").unwrap_err().parameter(), Some("Extensions"));
    assert!(enable(&mut rig, "27010").is_ok());
}

#[test]
fn the_extension_may_come_from_the_telephone_number() {
    let mut rig = Rig::lab();
    rig.done("New-Mailbox", &[("Name", "Zoë"), ("Phone", "27010")]);
    let missing = rig.command("Enable-UMMailbox", &[("Identity", "Zoë"), ("UMMailboxPolicy", "None")]);
    assert!(matches!(missing, Err(CommandError::NotFound { .. })));
    rig.done("Enable-UMMailbox", &[("Identity", "Zoë"), ("UMMailboxPolicy", "MX Default Policy")]);
    let Answer::Mailboxes(mailboxes) = rig.done("Get-UMMailbox", &[("", "27010")]) else { panic!() };
    assert_eq!(mailboxes[0].extensions, ["27010"]);
}

#[test]
fn commands_leave_a_record() {
    let mut rig = Rig::lab();
    rig.done("Set-UMService", &[("MaxCallsAllowed", "5")]);
    rig.done("Get-UMService", &[]);
    assert_eq!(rig.event_names(), ["command_run"], "queries leave none");
    assert!(rig.command("Set-UMIPGateway", &[("", "nobody"), ("Redirects", "1")]).is_err());
    assert!(matches!(rig.take_events()[0], event::Event::CommandRun { accepted: false, .. }));
}

#[test]
fn an_answer_prints_as_names_and_values() {
    let mut rig = Rig::lab();
    let text = rig.done("Get-UMHuntGroup", &[("", "VM")]).to_string();
    assert_eq!(text, "Name            : VM\nUMDialPlan      : MX\nUMIPGateway     : MX-ONE\nPilotIdentifier : 43334\n");
}
