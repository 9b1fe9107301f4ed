//! What a shell can do, REST can: every family of commands by its JSON, with answers that programs can read, who gave it in
//! the audit, and nobody but the administrator.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use serde_json::{Value, json};
use tests_foreign::process::PATIENCE;
use tests_foreign::{Lab, LabOptions, http};

fn post(lab: &Lab, door: &str, command: &Value, token: Option<&str>) -> http::Answer {
    let (path, body) = (format!("/api/v1/{door}/commands"), command.to_string());
    http::call(lab.web(), "POST", &path, Some(body.as_bytes()), "application/json", token)
}

#[test]
fn every_family_of_commands_is_understood_as_json_and_answered_typed() {
    let lab = Lab::start(128, LabOptions::default());
    let admin = |door: &str, command: Value| post(&lab, door, &command, Some("lab-admin"));
    let phone = json!({ "command": "ip_phone", "verb": "initiate", "mac": "00:08:5d:12:34:56", "dir": "27000" });
    let entered = admin("node", phone.clone());
    assert_eq!((entered.status, &entered.json()["answer"]), (200, &json!("done")), "{}", entered.text());
    assert!(entered.json()["notes"][0].as_str().unwrap().contains("its token, shown this once"));
    let diversion = json!({ "command": "diversion", "verb": "initiate", "dir": "27010", "div_destination_number": "27001", "div_busy": true });
    assert_eq!(admin("node", diversion).status, 200);

    for command in [
        "number",
        "route_category",
        "route_data",
        "trunk",
        "destination",
        "sip_route",
        "call_list",
        "extension",
        "ip_extension",
        "ip_phone",
        "ip_phone_parameter",
        "name",
        "auth_code",
        "diversion",
        "number_data",
        "diversion_system",
        "media_encryption",
        "mxone_certificate",
        "license_limit",
        "call_information",
        "alarm",
        "do_not_disturb",
        "personal_list",
        "hunt_group",
        "pickup_group",
        "extension_profile",
        "service_code",
    ] {
        let printed = admin("node", json!({ "command": command, "verb": "print" }));
        assert_eq!(
            (printed.status, &printed.json()["answer"]),
            (200, &json!("tables")),
            "{command}: {}",
            printed.text()
        );
        let misspelt = admin("node", json!({ "command": command, "verb": "print", "nonsense": 1 }));
        assert_eq!(misspelt.status, 400, "{command}: {}", misspelt.text());
        assert!(misspelt.json()["error"].as_str().unwrap().contains("nonsense"), "{}", misspelt.text());
    }
    for (verb, answer) in [
        ("extensions", "extensions"),
        ("calls", "calls"),
        ("routes", "tables"),
        ("system", "tables"),
        ("licenses", "tables"),
    ] {
        let status = admin("node", json!({ "command": "status", "verb": verb }));
        assert_eq!(status.json()["answer"], answer, "{}", status.text());
    }

    // The export is the configuration as JSON commands; given again, each is understood, and makes nothing twice.
    let export = || admin("node", json!({ "command": "config", "verb": "export" })).json();
    let exported = export();
    let commands = exported["commands"].as_array().unwrap();
    assert!(commands.len() > 20, "{exported}");
    for command in commands {
        let again = admin("node", command.clone());
        assert!([200, 409].contains(&again.status), "{command}: {}", again.text());
    }
    assert_eq!(export(), exported);

    // A refusal names its parameter; the codes say of what kind it is.
    for (command, status, parameter) in [
        (json!({ "command": "extension", "verb": "initiate", "dir": "27000" }), 409, "d"),
        (json!({ "command": "extension", "verb": "end", "dir": "29999" }), 404, "d"),
        (json!({ "command": "extension", "verb": "initiate", "dir": "x" }), 400, "d"),
        (phone, 409, "mac"),
    ] {
        let refused = admin("node", command.clone());
        assert_eq!((refused.status, &refused.json()["parameter"]), (status, &json!(parameter)), "{command}");
    }

    for cmdlet in [
        "UMDialPlan",
        "UMIPGateway",
        "UMHuntGroup",
        "UMMailboxPolicy",
        "UMAutoAttendant",
        "UMMailbox",
        "UMService",
        "UMCallRouterSettings",
        "UMActiveCalls",
    ] {
        let got = admin("um", json!({ "Cmdlet": format!("Get-{cmdlet}") }));
        assert_eq!(got.status, 200, "{cmdlet}: {}", got.text());
        assert!(got.json().is_object() || got.json().is_array(), "{cmdlet}: {}", got.text());
    }
    let made = admin(
        "um",
        json!({ "Cmdlet": "New-UMDialPlan", "Name": "Second", "NumberOfDigitsInExtension": 4, "CountryOrRegionCode": "46" }),
    );
    assert_eq!(made.status, 200, "{}", made.text());
    let made = admin(
        "um",
        json!({ "Cmdlet": "New-UMDialPlan", "Name": "Second", "NumberOfDigitsInExtension": 4, "CountryOrRegionCode": "46" }),
    );
    assert_eq!(made.status, 409, "{}", made.text());
    assert_eq!(admin("um", json!({ "Cmdlet": "Get-UMDialPlan", "Identity": "Third" })).status, 404);
    assert_eq!(admin("um", json!({ "Cmdlet": "Get-Nothing" })).status, 400);
}

#[test]
fn a_command_is_the_administrators_and_in_the_audit_under_who_gave_it() {
    let lab = Lab::start(124, LabOptions::default());
    let token = |name: &str, mailbox: Option<&str>| {
        let body = json!({ "name": name, "mailbox": mailbox }).to_string();
        let made = lab.rest("POST", "/api/v1/tokens", Some(body.as_bytes()), "application/json");
        made.json()["token"].as_str().unwrap().to_owned()
    };
    let (dashboard, anna) = (token("dashboard", None), token("anna", Some("27000")));
    let name = json!({ "command": "name", "verb": "change", "dir": "27001", "name1": "Bo" });
    let plan = json!({ "Cmdlet": "New-UMDialPlan", "Name": "Second", "NumberOfDigitsInExtension": 4, "CountryOrRegionCode": "46" });
    for (door, command) in [("node", &name), ("um", &plan)] {
        assert_eq!(post(&lab, door, command, None).status, 401);
        assert_eq!(post(&lab, door, command, Some("lab-admim")).status, 401);
        assert_eq!(post(&lab, door, command, Some(&anna)).status, 403);
        assert_eq!(post(&lab, door, command, Some(&dashboard)).status, 200, "{command}");
    }
    let soon = PATIENCE;
    lab.process.wait_for("\"by\":\"web:dashboard\",\"command\":\"name change 27001\",\"accepted\":true", soon);
    let of_um = |line: &&String| line.contains("\"by\":\"web:dashboard\"") && line.contains("New-UMDialPlan");
    let told = lab.process.wait_until(soon, |lines| lines.iter().find(of_um).cloned());
    assert!(told.is_some(), "{}", lab.process.output());
    // What is refused is told, too.
    assert_eq!(
        post(&lab, "node", &json!({ "command": "extension", "verb": "end", "dir": "29999" }), Some(&dashboard)).status,
        404
    );
    lab.process.wait_for("\"command\":\"extension end 29999\",\"accepted\":false", soon);
}
