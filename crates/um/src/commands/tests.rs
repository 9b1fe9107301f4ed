//! The table and the commands fit each other; lines become commands.

use super::*;
use proptest::prelude::*;
use serde_json::Value as Json;

fn line(cmdlet: &str, parameters: &[(&str, &str)]) -> Result<Command, CommandError> {
    let given = parameters.iter().map(|(name, value)| ((*name).to_owned(), Given::from(*value))).collect();
    Command::parse(cmdlet, given)
}

#[test]
fn every_command_is_in_the_table_and_every_line_of_the_table_is_a_command() {
    let mut table: Vec<&str> = cmdlets().iter().map(|cmdlet| cmdlet.name).collect();
    let mut commands: Vec<&str> = Command::NAMES.iter().copied().filter(|name| *name != "VerifyPin").collect();
    table.sort_unstable();
    commands.sort_unstable();
    assert_eq!(table, commands);
}

/// A value that the parameter takes.
fn sample(parameter: &Parameter) -> Given {
    if let Some(choice) = parameter.choices.last() {
        return match *choice {
            "$false" => Given::Bool(false),
            word => Given::from(word),
        };
    }
    Given::from("7")
}

#[test]
fn every_parameter_of_the_table_reaches_its_command() {
    for cmdlet in cmdlets() {
        let given: Vec<(String, Given)> =
            cmdlet.parameters.iter().map(|parameter| (parameter.name.to_owned(), sample(parameter))).collect();
        let command = Command::parse(cmdlet.name, given).unwrap_or_else(|error| panic!("{}: {error}", cmdlet.name));
        assert_eq!(command.cmdlet(), cmdlet.name);
        let written: Vec<&str> = command.parameters().iter().map(|(parameter, _)| parameter.name).collect();
        let expected: Vec<&str> = cmdlet.parameters.iter().map(|parameter| parameter.name).collect();
        assert_eq!(written, expected, "{}", cmdlet.name);
    }
}

#[test]
fn names_of_parameters_are_unique_in_their_cmdlet_and_no_beginning_hides_a_whole_name() {
    for cmdlet in cmdlets() {
        for parameter in &cmdlet.parameters {
            assert_eq!(cmdlet.parameter(parameter.name).unwrap().name, parameter.name);
            let twice = cmdlet.parameters.iter().filter(|other| other.name.eq_ignore_ascii_case(parameter.name));
            assert_eq!(twice.count(), 1, "{} {}", cmdlet.name, parameter.name);
        }
    }
}

#[test]
fn the_guides_dial_plan_is_understood_in_any_case_and_by_beginnings() {
    let command = line(
        "new-umdialplan",
        &[
            ("name", "Integration_MX-ONE"),
            ("NumberOfDigits", "5"),
            ("VoIPSec", "unsecured"),
            ("CountryOrRegionCode", "46"),
        ],
    );
    let Ok(Command::NewDialPlan { name, digits: 5, changes, .. }) = command else { panic!("{command:?}") };
    assert_eq!(name, "Integration_MX-ONE");
    assert_eq!(changes.country_or_region_code, Some(Some("46".into())));
}

#[test]
fn a_missing_parameter_is_named() {
    let error = line("New-UMIPGateway", &[("Address", "127.0.0.1")]).unwrap_err();
    assert_eq!(error.parameter(), Some("Name"));
}

#[test]
fn an_unknown_parameter_is_named_with_those_that_there_are() {
    let error = line("New-UMHuntGroup", &[("Pillot", "43334")]).unwrap_err();
    assert_eq!(error.parameter(), Some("Pillot"));
    assert!(error.to_string().contains("PilotIdentifier"));
}

#[test]
fn a_parameter_given_twice_is_refused_by_name_also_when_written_in_part() {
    let error = line("Set-UMIPGateway", &[("", "MX-ONE"), ("Redirects", "1"), ("Redir", "2")]).unwrap_err();
    assert_eq!(error.to_string(), "-Redirects is given twice: write it once");
}

#[test]
fn a_value_of_the_wrong_type_says_what_to_write() {
    let error = line("Set-UMIPGateway", &[("", "MX-ONE"), ("Redirects", "two")]).unwrap_err();
    assert_eq!(error, CommandError::bad("Redirects", "write a whole number"));
}

#[test]
fn an_unknown_cmdlet_lists_those_of_its_noun() {
    let error = line("Start-UMIPGateway", &[]).unwrap_err();
    assert!(error.to_string().contains("Set-UMIPGateway"));
}

#[test]
fn cmdlets_of_exchange_2010_are_known_by_their_old_names() {
    assert!(matches!(line("Get-UMServer", &[]), Ok(Command::GetService { .. })));
}

#[test]
fn a_command_goes_through_json_and_back() {
    let command = line("Set-UMDialPlan", &[("", "Plan"), ("MaxCallDuration", "60")]).unwrap();
    let json = serde_json::to_string(&command).unwrap();
    assert_eq!(json, r#"{"Cmdlet":"Set-UMDialPlan","Identity":"Plan","MaxCallDuration":60}"#);
    assert!(serde_json::from_str::<Command>(&json).unwrap() == command);
}

#[test]
fn json_with_a_field_that_the_cmdlet_does_not_have_is_refused() {
    let error = serde_json::from_str::<Command>(r#"{"Cmdlet":"Get-UMMailbox","Identiti":"27000"}"#).unwrap_err();
    assert!(error.to_string().contains("-Identiti is not a parameter of Get-UMMailbox"), "{error}");
    assert!(serde_json::from_str::<Command>(r#"{"Cmdlet":"Get-UMMailbxo"}"#).is_err());
    assert!(serde_json::from_str::<Command>("[]").is_err());
    let verify = r#"{"Cmdlet":"VerifyPin","Identity":"27000","Pin":"730146","Door":"web"}"#;
    assert!(serde_json::from_str::<Command>(verify).is_ok());
}

#[test]
fn a_list_is_replaced_or_added_to_and_taken_from() {
    let by = Given::Table(vec![("add".into(), vec!["c".into(), "A".into()]), ("Remove".into(), vec!["B".into()])]);
    let change = <Vec<String> as value::Value>::read(&by).unwrap();
    let list: Vec<String> = vec!["a".into(), "b".into()];
    assert_eq!(value::Value::changed(&list, change), ["a", "c"]);
    assert!(<Vec<String> as value::Value>::read(&Given::Table(vec![("Put".into(), vec![])])).is_err());
    let json: value::ListChange = serde_json::from_str(r#"{"Add":["c"]}"#).unwrap();
    assert_eq!(value::Value::changed(&list, json), ["a", "b", "c"]);
}

#[test]
fn what_has_no_effect_yet_is_marked() {
    let cmdlet = cmdlet("Set-UMMailboxPolicy").unwrap();
    let idle = cmdlet.exact("AllowSMSNotification").unwrap();
    assert!(idle.idle);
    assert!(!cmdlet.exact("AllowPlayOnPhone").unwrap().idle);
    assert!(idle.is_default(&Given::Bool(true)) && !idle.is_default(&Given::Bool(false)));
}

proptest! {
    /// Whatever JSON comes from REST, nothing breaks.
    #[test]
    fn hostile_json_is_survived(name in "[A-Za-z-]{0,20}", field in "[A-Za-z]{0,12}", value in any::<i64>()) {
        let json = serde_json::json!({ "Cmdlet": name, field: value });
        let _ = serde_json::from_value::<Command>(json);
        for cmdlet in cmdlets() {
            let fields: serde_json::Map<String, Json> = cmdlet
                .parameters
                .iter()
                .map(|parameter| (parameter.name.to_owned(), Json::from(value)))
                .chain([("Cmdlet".to_owned(), Json::from(cmdlet.name))])
                .collect();
            let _ = serde_json::from_value::<Command>(Json::Object(fields));
        }
    }
}
