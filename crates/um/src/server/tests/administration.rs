//! What an administrator does to a running server, and what its calls notice of it.

use super::rig::{DIVERTED, Rig, pbx};
use crate::commands::call_record::{CallType, OfferResult, ReasonForCall};
use crate::commands::{Answer, Command, CommandError};
use crate::storage::StoreRequest;
use media::RecordEnd;
use std::time::Duration;

// ---- taking calls, and taking none ----

#[test]
fn a_gateway_disabled_at_once_loses_its_calls_and_one_that_is_drained_keeps_them() {
    let mut rig = Rig::lab();
    let call = rig.call("43334", DIVERTED);
    rig.done("Disable-UMIPGateway", &[("", "MX-ONE")]);
    assert!(rig.take_requests().is_empty(), "its call goes on");
    assert_eq!(rig.invite(super::rig::WORKER, "43334", DIVERTED).last().unwrap().status, 503);
    rig.hang_up(&call);
    rig.take_sent();

    rig.done("Enable-UMIPGateway", &[("", "MX-ONE")]);
    rig.call("43334", DIVERTED);
    rig.done("Set-UMIPGateway", &[("", "MX-ONE"), ("Status", "Disabled")]);
    assert!(rig.take_requests().is_empty(), "nothing more is taken, and its call goes on");
    rig.done("Disable-UMIPGateway", &[("", "MX-ONE"), ("Immediate", "true")]);
    let sent: Vec<String> = rig.take_requests().iter().map(|request| request.method.to_string()).collect();
    assert_eq!(sent, ["BYE"]);
    assert_eq!(rig.invite(super::rig::WORKER, "43334", DIVERTED).last().unwrap().status, 403);
}

#[test]
fn a_server_under_maintenance_sends_callers_elsewhere() {
    let mut rig = Rig::lab();
    rig.done("Disable-UMService", &[]);
    let answer = rig.invite(super::rig::ROUTER, "43334", DIVERTED).pop().unwrap();
    assert_eq!(answer.status, 503);
    assert!(answer.headers.get(&sip::Name::RetryAfter).is_some());
    rig.done("Enable-UMService", &[]);
    assert_eq!(rig.invite(super::rig::ROUTER, "43334", DIVERTED).last().unwrap().status, 302);
}

#[test]
fn without_its_hunt_group_a_pilot_leads_nowhere() {
    let mut rig = Rig::lab();
    rig.done("Remove-UMHuntGroup", &[("", "VM")]);
    assert_eq!(rig.invite(super::rig::ROUTER, "43334", DIVERTED).last().unwrap().status, 404);
}

#[test]
fn active_calls_are_filtered_by_plan_and_gateway() {
    let mut rig = Rig::lab();
    rig.call("43334", DIVERTED);
    let calls = |rig: &mut Rig, name: &str, value: &str| match rig.command("Get-UMActiveCalls", &[(name, value)]) {
        Ok(Answer::Calls(calls)) => calls.len(),
        other => panic!("{other:?}"),
    };
    assert_eq!(calls(&mut rig, "DialPlan", "mx"), 1);
    assert_eq!(calls(&mut rig, "IPGateway", "MX-ONE"), 1);
    assert_eq!(calls(&mut rig, "Server", "um1"), 1);
    assert_eq!(rig.command("Get-UMActiveCalls", &[("Server", "um2")]).unwrap_err().parameter(), Some("Server"));
    assert_eq!(rig.command("Get-UMActiveCalls", &[("DialPlan", "no")]).unwrap_err().parameter(), Some("DialPlan"));
}

// ---- records ----

#[test]
fn each_call_is_written_down_when_it_ends() {
    let mut rig = Rig::lab();
    let call = rig.call("43334", DIVERTED);
    let recording = rig.recording(&call);
    rig.later(Duration::from_secs(7));
    rig.hang_up(&call);
    rig.record_ended(&call, recording, RecordEnd::Closed, 5);
    rig.durable(recording);
    let call = rig.call("43333", "");
    rig.hang_up(&call);
    let records = rig.ledger.0.lock().unwrap().clone();
    let [message, attendant] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!(message.call_type, CallType::CallAnsweringVoiceMessage);
    assert_eq!(message.reason_for_call, ReasonForCall::DivertNoAnswer);
    assert_eq!(message.callee_mailbox.as_deref(), Some("Anna"));
    assert_eq!(message.caller_mailbox.as_deref(), Some("Björn"));
    assert_eq!((message.dial_plan_name.as_str(), message.gateway.as_str()), ("MX", "MX-ONE"));
    assert!(message.call_duration >= 7);
    assert_eq!(message.audio_codec, "PCMA");
    assert_eq!(attendant.call_type, CallType::AutoAttendant);
    assert_eq!(attendant.auto_attendant_name.as_deref(), Some("AA"));
}

#[test]
fn a_message_of_silence_turns_its_record_into_a_missed_call() {
    let mut rig = Rig::lab();
    let call = rig.call("43334", DIVERTED);
    let recording = rig.recording(&call);
    rig.hang_up(&call);
    rig.media_event(media::MediaEvent::RecordEnded {
        session: call.session,
        recording,
        reason: RecordEnd::Closed,
        duration: Duration::from_secs(3),
        loud: Duration::ZERO,
    });
    let records = rig.ledger.0.lock().unwrap().clone();
    let kinds: Vec<CallType> = records.iter().map(|record| record.call_type).collect();
    assert_eq!(kinds, [CallType::CallAnsweringVoiceMessage, CallType::CallAnsweringMissedCall]);
    assert_eq!(records[0].call_identity, records[1].call_identity, "the second takes the first one's place");
}

#[test]
fn a_gateways_refused_call_is_written_down_and_a_strangers_is_not() {
    let mut rig = Rig::lab();
    rig.invite(super::rig::ROUTER, "99999", "");
    rig.invite_from("127.0.222.66:5060".parse().unwrap(), super::rig::ROUTER, "43334", "");
    let records = rig.ledger.0.lock().unwrap().clone();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].offer_result, OfferResult::Rejected);
    assert!(records[0].drop_call_reason.contains("99999"));
}

#[test]
fn records_are_asked_for_by_whatever_a_mailbox_is_called() {
    let mut rig = Rig::lab();
    assert!(matches!(rig.done("Get-UMCallDataRecord", &[("Mailbox", "27000")]), Answer::Records(_)));
    let nobody = rig.command("Get-UMCallDataRecord", &[("Mailbox", "nobody")]);
    assert!(matches!(nobody, Err(CommandError::NotFound { .. })));
    assert_eq!(rig.command("Get-UMCallDataRecord", &[("Most", "0")]).unwrap_err().parameter(), Some("Most"));
    assert_eq!(rig.command("Export-UMCallDataRecord", &[("Date", "../x")]).unwrap_err().parameter(), Some("Date"));
    let report = rig.command("Get-UMCallSummaryReport", &[("GroupBy", "Week")]).unwrap_err();
    assert_eq!(report.to_string(), "-GroupBy: write Day, Month, Total");
}

// ---- tests ----

#[test]
fn options_to_a_gateway_tell_its_latency() {
    let mut rig = Rig::lab();
    let slot = rig.ask(Command::TestConnectivity {
        gateway: Some("MX-ONE".into()),
        phone: None,
        call_router: false,
        timeout: None,
    });
    let options = rig.take_requests().pop().unwrap();
    assert_eq!(
        (options.method.to_string().as_str(), options.uri.to_string().as_str()),
        ("OPTIONS", "sip:127.0.222.10:5060;transport=tcp")
    );
    rig.now = rig.now.later(Duration::from_millis(12));
    rig.answer(&options, 200, super::rig::SERVICE, pbx());
    let Some(Ok(Answer::Connectivity(found))) = slot.lock().unwrap().take() else { panic!("no answer") };
    assert!(found.succeeded && found.reason.is_empty());
    assert_eq!((found.status, found.latency_ms), (Some(200), Some(12)));
}

#[test]
fn a_gateway_that_does_not_answer_is_told_of_within_seconds() {
    let mut rig = Rig::lab();
    let slot = rig.ask(Command::TestConnectivity {
        gateway: Some("MX-ONE".into()),
        phone: None,
        call_router: false,
        timeout: None,
    });
    rig.later(Duration::from_secs(6));
    let Some(Ok(Answer::Connectivity(found))) = slot.lock().unwrap().take() else { panic!("no answer") };
    assert!(!found.succeeded && !found.reason.is_empty());
}

#[test]
fn a_call_through_a_gateway_is_hung_up_when_it_is_answered() {
    let mut rig = Rig::lab();
    let slot = rig.ask(Command::TestConnectivity {
        gateway: Some("MX-ONE".into()),
        phone: Some("27001".into()),
        call_router: false,
        timeout: None,
    });
    let invite = rig.take_requests().pop().unwrap();
    assert_eq!((invite.method.to_string().as_str(), invite.uri.number().as_deref()), ("INVITE", Some("27001")));
    rig.answer(&invite, 180, super::rig::SERVICE, pbx());
    rig.now = rig.now.later(Duration::from_millis(700));
    rig.answer(&invite, 200, super::rig::SERVICE, pbx());
    let Some(Ok(Answer::Connectivity(found))) = slot.lock().unwrap().take() else { panic!("no answer") };
    assert_eq!((found.status, found.latency_ms, found.answered_ms), (Some(200), Some(0), Some(700)));
    let sent: Vec<String> = rig.take_requests().iter().map(|request| request.method.to_string()).collect();
    assert_eq!(sent, ["ACK", "BYE"]);
}

#[test]
fn a_call_that_nobody_answers_ends_when_its_time_is_over() {
    let mut rig = Rig::lab();
    let slot = rig.ask(Command::TestConnectivity {
        gateway: Some("MX-ONE".into()),
        phone: Some("27001".into()),
        call_router: false,
        timeout: Some(10),
    });
    let invite = rig.take_requests().pop().unwrap();
    rig.answer(&invite, 180, super::rig::SERVICE, pbx());
    rig.later(Duration::from_secs(11));
    let Some(Ok(Answer::Connectivity(found))) = slot.lock().unwrap().take() else { panic!("no answer") };
    assert_eq!(found.reason, "it rang, and nobody answered");
    assert!(rig.take_requests().iter().any(|request| request.method == sip::Method::Cancel));
}

#[test]
fn a_gateway_that_allows_no_outcalls_is_not_called() {
    let mut rig = Rig::lab();
    rig.done("Set-UMIPGateway", &[("", "MX-ONE"), ("OutcallsAllowed", "false")]);
    let refused = rig.command("Test-UMConnectivity", &[("UMIPGateway", "MX-ONE"), ("Phone", "27001")]);
    assert_eq!(refused.unwrap_err().parameter(), Some("UMIPGateway"));
    let without = rig.command("Test-UMConnectivity", &[("Phone", "27001")]);
    assert_eq!(without.unwrap_err().parameter(), Some("Phone"));
}

// ---- mailboxes ----

#[test]
fn voice_mail_is_taken_away_and_given_back_with_the_same_messages() {
    let mut rig = Rig::lab();
    rig.done("Set-UMMailbox", &[("", "Anna"), ("OperatorNumber", "27001")]);
    rig.done("Disable-UMMailbox", &[("", "Anna")]);
    assert_eq!(rig.command("Get-UMMailbox", &[("", "Anna")]).unwrap_err().parameter(), Some("Identity"));
    let plan = [("", "Anna"), ("UMMailboxPolicy", "MX Default Policy"), ("Extensions", "27005"), ("PIN", "952741")];
    rig.done("Enable-UMMailbox", &plan);
    let Answer::Mailboxes(mailboxes) = rig.done("Get-UMMailbox", &[("", "Anna")]) else { panic!() };
    assert_eq!(mailboxes[0].mailbox.as_deref(), Some("27000"), "its messages are where they were");
    assert_eq!(mailboxes[0].settings.operator_number.as_deref(), Some("27001"));
    let again = rig.command("Enable-UMMailbox", &plan).unwrap_err().to_string();
    assert!(again.contains("use Set-UMMailbox"), "{again}");
}

#[test]
fn another_who_gets_the_extension_gets_a_mailbox_of_his_own() {
    let mut rig = Rig::lab();
    rig.done("Disable-UMMailbox", &[("", "Anna"), ("KeepProperties", "false")]);
    rig.done("New-Mailbox", &[("Name", "Zoë")]);
    let enable = [("", "Zoë"), ("UMMailboxPolicy", "MX Default Policy"), ("Extensions", "27000"), ("PIN", "952741")];
    rig.done("Enable-UMMailbox", &enable);
    let Answer::Mailboxes(mailboxes) = rig.done("Get-UMMailbox", &[("", "Zoë")]) else { panic!() };
    assert_eq!(mailboxes[0].mailbox.as_deref(), Some("27000-2"), "not the messages of whoever had it before");
}

#[test]
fn a_user_with_voice_mail_is_not_removed_and_one_without_goes_with_all_messages() {
    let mut rig = Rig::lab();
    let refused = rig.command("Remove-Mailbox", &[("", "Anna")]).unwrap_err().to_string();
    assert!(refused.contains("use Disable-UMMailbox first"), "{refused}");
    rig.done("Disable-UMMailbox", &[("", "Anna")]);
    rig.shelf.0.lock().unwrap().silent = true;
    let gone = rig.ask(Command::RemoveUser { identity: "Anna".into() });
    assert!(gone.lock().unwrap().is_none(), "answered when the messages are gone");
    let asked = rig.shelf.0.lock().unwrap().asked.iter().any(|(_, request)| matches!(request, StoreRequest::Remove(_)));
    assert!(asked);
}

#[test]
fn extensions_are_added_and_taken_away_one_by_one() {
    let mut rig = Rig::lab();
    let add = crate::commands::Given::Table(vec![("Add".into(), vec!["27005".into()])]);
    let given = vec![(String::new(), "Anna".into()), ("Extensions".to_owned(), add)];
    rig.run(Command::parse("Set-UMMailbox", given).unwrap()).unwrap();
    let Answer::Mailboxes(mailboxes) = rig.done("Get-UMMailbox", &[("", "27005")]) else { panic!() };
    assert_eq!(mailboxes[0].extensions, ["27000", "27005"]);
    let taken = rig.command("Set-UMMailbox", &[("", "Björn"), ("Extensions", "27005")]).unwrap_err();
    assert_eq!(taken.parameter(), Some("Extensions"));
}

#[test]
fn two_enablings_at_once_do_not_both_get_the_extension() {
    let mut rig = Rig::lab();
    rig.done("New-Mailbox", &[("Name", "Zoë")]);
    rig.done("New-Mailbox", &[("Name", "Otto")]);
    let enable = |who: &str| {
        let given =
            [("Identity", who), ("UMMailboxPolicy", "MX Default Policy"), ("Extensions", "27010"), ("PIN", "952741")];
        let given = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        Command::parse("Enable-UMMailbox", given).unwrap()
    };
    // Both are looked at before either's PIN is hashed.
    let slots = rig.ask_together(vec![enable("Zoë"), enable("Otto")]);
    let results: Vec<bool> = slots.iter().map(|slot| slot.lock().unwrap().take().unwrap().is_ok()).collect();
    assert_eq!(results, [true, false]);
}

// ---- numbers, references, what is in use ----

#[test]
fn a_pilot_belongs_to_one_thing() {
    let mut rig = Rig::lab();
    let attendant = |pilot| [("Name", "B"), ("UMDialPlan", "MX"), ("PilotIdentifierList", pilot)];
    for taken in ["43333", "43334", "+43334", "27000"] {
        let error = rig.command("New-UMAutoAttendant", &attendant(taken)).unwrap_err();
        assert_eq!(error.parameter(), Some("PilotIdentifierList"), "{taken}: {error}");
    }
    let group = [("Name", "C"), ("UMDialPlan", "MX"), ("UMIPGateway", "MX-ONE"), ("PilotIdentifier", "43333")];
    let error = rig.command("New-UMHuntGroup", &group).unwrap_err().to_string();
    assert_eq!(error, "-PilotIdentifier: auto attendant \"AA\" has 43333 already");
}

#[test]
fn another_plan_behind_another_gateway_may_have_the_same_numbers() {
    let mut rig = Rig::lab();
    rig.done("New-UMDialPlan", &[("Name", "B"), ("NumberOfDigitsInExtension", "5"), ("CountryOrRegionCode", "46")]);
    rig.done("New-UMIPGateway", &[("Name", "GW2"), ("Address", "127.0.222.11")]);
    let group =
        |gateway| [("Name", "VM2"), ("UMDialPlan", "B"), ("UMIPGateway", gateway), ("PilotIdentifier", "43334")];
    rig.done("New-UMAutoAttendant", &[("Name", "AA2"), ("UMDialPlan", "B"), ("PilotIdentifierList", "43333")]);
    assert!(rig.command("New-UMHuntGroup", &group("MX-ONE")).is_err(), "one gateway, two plans, one number");
    rig.done("New-UMHuntGroup", &group("GW2"));
    let both = [("Name", "Both"), ("UMDialPlan", "B"), ("UMIPGateway", "MX-ONE")];
    let error = rig.command("New-UMHuntGroup", &both).unwrap_err().to_string();
    assert!(error.contains("43333"), "the attendants' pilots would be ambiguous: {error}");
}

#[test]
fn whoever_ends_what_is_in_use_is_told_by_whom() {
    let mut rig = Rig::lab();
    let error = rig.command("Remove-UMDialPlan", &[("", "MX")]).unwrap_err().to_string();
    for user in ["UMMailboxPolicy \"MX Default Policy\"", "UMHuntGroup \"VM\"", "UMAutoAttendant \"AA\""] {
        assert!(error.contains(user), "{error}");
    }
    let error = rig.command("Remove-UMMailboxPolicy", &[("", "MX Default Policy")]).unwrap_err().to_string();
    assert!(error.contains("mailbox \"Anna\", mailbox \"Björn\""), "{error}");
}

#[test]
fn dialling_rule_groups_are_there_before_they_are_allowed_and_stay_while_they_are() {
    let mut rig = Rig::lab();
    let allow = [("", "MX Default Policy"), ("AllowedInternationalGroups", "World")];
    assert_eq!(rig.command("Set-UMMailboxPolicy", &allow).unwrap_err().parameter(), Some("AllowedInternationalGroups"));
    rig.done("Set-UMDialPlan", &[("", "MX"), ("ConfiguredInternationalGroups", "World,00*,00*,anywhere")]);
    rig.done("Set-UMMailboxPolicy", &allow);
    let nothing =
        vec![(String::new(), "MX".into()), ("ConfiguredInternationalGroups".to_owned(), crate::commands::Given::Null)];
    let error = rig.run(Command::parse("Set-UMDialPlan", nothing).unwrap()).unwrap_err().to_string();
    assert!(error.contains("UMMailboxPolicy \"MX Default Policy\""), "{error}");
}

#[test]
fn call_answering_rules_are_kept_with_their_mailbox() {
    let mut rig = Rig::lab();
    let rule = [
        ("Name", "Urgent"),
        ("Mailbox", "27000"),
        ("Priority", "2"),
        ("KeyMappings", "1,1,Receptionist,,,,,45678,"),
        ("ExtensionsDialed", "27000"),
    ];
    rig.done("New-UMCallAnsweringRule", &rule);
    assert!(matches!(rig.command("New-UMCallAnsweringRule", &rule), Err(CommandError::Exists { .. })));
    let foreign = [("", "Urgent"), ("Mailbox", "Anna"), ("ExtensionsDialed", "27001")];
    assert_eq!(rig.command("Set-UMCallAnsweringRule", &foreign).unwrap_err().parameter(), Some("ExtensionsDialed"));
    let moved = rig.command("Set-UMMailbox", &[("", "Anna"), ("Extensions", "27005")]).unwrap_err().to_string();
    assert!(moved.contains("Urgent"), "{moved}");
    rig.done("Disable-UMCallAnsweringRule", &[("", "urgent"), ("Mailbox", "Anna")]);
    let Answer::Rules(rules) = rig.done("Get-UMCallAnsweringRule", &[("Mailbox", "Anna")]) else { panic!() };
    assert!(!rules[0].enabled && rules[0].priority == 2);
    rig.done("Disable-UMMailbox", &[("", "Anna"), ("KeepProperties", "false")]);
    let Answer::Rules(rules) = rig.done("Get-UMCallAnsweringRule", &[]) else { panic!() };
    assert!(rules.is_empty());
}

#[test]
fn prompts_come_in_as_wav_and_go_out_as_g711() {
    use base64::Engine as _;
    let mut rig = Rig::lab();
    let wav = base64::prelude::BASE64_STANDARD.encode(media::wav::write_linear(&[1000; 16_000]));
    let import = |data: &str, file: &str| {
        vec![
            ("UMDialPlan".to_owned(), "MX".into()),
            ("PromptFileName".to_owned(), file.into()),
            ("PromptFileData".to_owned(), data.into()),
        ]
    };
    let mut run = |given| rig.run(Command::parse("Import-UMPrompt", given).unwrap());
    run(import(&wav, "welcome.wav")).unwrap();
    assert_eq!(run(import("bm8gd2F2", "x.wav")).unwrap_err().parameter(), Some("PromptFileData"));
    assert_eq!(run(import(&wav, "../x.wav")).unwrap_err().parameter(), Some("PromptFileName"));
    let fetch = [("UMDialPlan", "MX"), ("PromptFileName", "Welcome.wav")];
    let Answer::Prompt(prompt) = rig.done("Export-UMPrompt", &fetch) else { panic!() };
    assert_eq!((prompt.file.as_str(), prompt.seconds), ("welcome.wav", 2));
    assert!(rig.command("Export-UMPrompt", &[("PromptFileName", "welcome.wav")]).is_err(), "of what?");
    rig.done("Remove-UMPrompt", &fetch);
    assert!(matches!(rig.command("Remove-UMPrompt", &fetch), Err(CommandError::NotFound { .. })));
}

// ---- export ----

#[test]
fn the_configuration_is_rebuilt_from_its_commands() {
    let mut rig = Rig::lab();
    rig.done("Set-UMMailboxPIN", &[("", "27001"), ("LockedOut", "true")]);
    rig.done("Disable-UMMailbox", &[("", "Anna")]);
    rig.done("Set-UMService", &[("MaxCallsAllowed", "7")]);
    rig.done("Set-UMDialPlan", &[("", "MX"), ("UMAutoAttendant", "AA")]);
    let Answer::Script(commands) = rig.done("Export-UMConfiguration", &[]) else { panic!() };
    let mut other = Rig::empty(state::Store::memory(), Vec::new());
    for command in commands {
        let json = serde_json::to_string(&command).unwrap();
        other.run(command).unwrap_or_else(|error| panic!("{json}: {error}"));
    }
    assert_eq!(other.server.configuration(), rig.server.configuration());
    let again = Rig::empty(other.state.clone(), Vec::new());
    assert_eq!(again.server.configuration(), rig.server.configuration(), "and it is durable");
}
