//! `earcon verify` as an integrator runs it: against a lab of its own, against a system that a file names, against a lab
//! with a fault. The report is read by others: Chromium, a JSON schema, xmllint.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;
use tests_foreign::browser::Browser;
use tests_foreign::process::{Scratch, earcon, repository};
use tests_foreign::{Lab, LabOptions};

const OWN: u8 = 190;
const AGAINST: u8 = 191;
const FAULTY: u8 = 192;

fn verify(arguments: &[&str]) -> Output {
    Command::new(earcon()).arg("verify").args(arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn json(file: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

/// What xmllint finds in a JUnit report.
fn xpath(file: &Path, path: &str) -> String {
    let output = Command::new("xmllint").arg("--xpath").arg(format!("string({path})")).arg(file).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// What keeps a value from being what a JSON schema says, as far as `docs/verify.schema.json` uses such.
fn against_schema(value: &Value, schema: &Value, whole: &Value) -> Option<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        return against_schema(value, whole.pointer(reference.trim_start_matches('#')).unwrap(), whole);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let fits = choices.iter().filter(|choice| against_schema(value, choice, whole).is_none()).count();
        return (fits != 1).then(|| format!("{fits} forms fit {value}"));
    }
    let is_type = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_u64() || value.is_i64(),
        Some("boolean") => value.is_boolean(),
        Some(other) => panic!("the schema has type {other}, which this test can't check"),
        None => true,
    };
    if !is_type {
        return Some(format!("{value} is no {}", schema["type"]));
    }
    if schema["enum"].as_array().is_some_and(|allowed| !allowed.contains(value)) {
        return Some(format!("{value} is none of {}", schema["enum"]));
    }
    let required = schema["required"].as_array().into_iter().flatten();
    let missing = required.filter_map(Value::as_str).find(|key| value.get(key).is_none());
    if let Some(missing) = missing {
        return Some(format!("{missing} is missing"));
    }
    let fields = value.as_object().into_iter().flatten();
    let of_fields = fields.filter_map(|(key, field)| against_schema(field, schema["properties"].get(key)?, whole));
    let items = value.as_array().into_iter().flatten();
    let of_items = items.filter_map(|item| against_schema(item, schema.get("items")?, whole));
    of_fields.chain(of_items).next()
}

#[test]
fn a_lab_of_its_own_passes_and_its_report_is_read_by_others() {
    let folder = Scratch::new("verify-own");
    let net = format!("127.0.{OWN}");
    let report = folder.file("out");
    let output = verify(&["--net", &net, "--only", "5,6d", "--report", report.to_str().unwrap()]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("2 P"), "{}", said(&output));

    let found = json(&report.join("report.json"));
    let schema = json(&repository().join("docs/verify.schema.json"));
    assert_eq!(against_schema(&found, &schema, &schema), None);
    let numbers: Vec<&str> = found["tests"].as_array().unwrap().iter().filter_map(|t| t["number"].as_str()).collect();
    assert_eq!((numbers, &found["counts"]["P"]), (vec!["5", "6d"], &Value::from(2)));

    let junit = report.join("junit.xml");
    assert_eq!(xpath(&junit, "/testsuites/@tests"), "2");
    assert_eq!(xpath(&junit, "count(//failure)"), "0");
    assert!(xpath(&junit, "//testcase[1]/@name").starts_with("5 "));

    let browser = Browser::start(19190);
    browser.open(&format!("file://{}", report.join("report.html").display()));
    assert!(browser.run("return document.title").as_str().unwrap().contains("2 P"));
    assert_eq!(browser.run("return document.querySelectorAll('.matrix tbody tr').length"), 2);
    // What the phone heard plays out of the page itself, and the ladder is drawn.
    browser.run("document.querySelectorAll('details.test').forEach(test => test.open = true)");
    browser.run("const heard = document.querySelector('audio'); heard.preload = 'auto'; heard.load()");
    browser.wait_for("return document.querySelector('audio').duration > 1", Duration::from_secs(5));
    assert!(browser.run("return document.querySelectorAll('svg .arrow').length").as_u64().unwrap() > 4);
    let wide = browser.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth");
    assert_eq!(wide, 0, "nothing hangs out of the page");
    let picture = folder.file("report.png");
    browser.screen(1200, 1600);
    browser.screenshot(&picture);
    assert!(std::fs::metadata(&picture).unwrap().len() > 10_000);
    if let Some(shots) = std::env::var_os("EARCON_SHOTS") {
        std::fs::copy(&picture, Path::new(&shots).join("verify-report.png")).unwrap();
    }
}

#[test]
fn a_system_that_a_file_names_is_tested_and_a_wrong_file_is_refused_by_name() {
    let lab = Lab::start(AGAINST, LabOptions::default());
    let example = std::fs::read_to_string(repository().join("docs/verify.toml")).unwrap();
    let example = example
        .replace("127.0.222.", &format!("127.0.{AGAINST}."))
        .replace("127.0.0.1:8080", &format!("127.0.0.1:{}", lab.web()));
    let file = lab.data.file("verify.toml");
    std::fs::write(&file, &example).unwrap();
    let (report, junit) = (lab.data.file("verify.json"), lab.data.file("verify.xml"));
    let [against, to_json, to_junit] = [&file, &report, &junit].map(|path| path.to_str().unwrap());
    let output = verify(&["--against", against, "--only", "5", "--json", to_json, "--junit", to_junit]);
    assert!(output.status.success(), "{}", said(&output));
    let found = json(&report);
    assert_eq!((&found["target"], &found["passed"]), (&Value::from("Earcon lab"), &Value::from(true)));
    assert_eq!(xpath(&junit, "/testsuites/testsuite/@name"), "Earcon lab");

    std::fs::write(&file, example.replace("voice_mail =", "voicemail =")).unwrap();
    let output = verify(&["--against", against, "--only", "5"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("voicemail"), "{}", said(&output));
    let output = verify(&["--against", "no-such.toml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("no-such.toml"), "{}", said(&output));
}

#[test]
fn a_failure_is_the_exit_code_and_stands_in_the_report() {
    let folder = Scratch::new("verify-faulty");
    let junit = folder.file("junit.xml");
    let (net, file) = (format!("127.0.{FAULTY}"), junit.to_str().unwrap());
    let output = verify(&["--net", &net, "--fault", "attendant-disabled", "--only", "5", "--junit", file]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert_eq!(xpath(&junit, "/testsuites/@failures"), "1");
    assert!(xpath(&junit, "//failure").contains("Failure point: "));
}

#[test]
fn the_list_has_every_test_and_what_is_not_there_is_refused() {
    let output = verify(&["--list"]);
    let listed = said(&output);
    for number in ["1 ", "4a", "6d", "302"] {
        assert!(listed.lines().any(|line| line.starts_with(number)), "{listed}");
    }
    let output = verify(&["--only", "77"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("77"), "{}", said(&output));
    let output = verify(&["--fault", "no-such-fault"]);
    assert!(!output.status.success() && said(&output).contains("--fault list"), "{}", said(&output));
}
