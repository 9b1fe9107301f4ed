//! The report as JSON; its schema is docs/verify.schema.json.

use super::{Report, TestResult, timestamp};
use crate::journal::Step;
use crate::ladder::Row;
use crate::outcome::{Code, Record};
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
struct Whole<'a> {
    /// Of this form; counts up when it changes in a way that breaks readers.
    format: u32,
    target: &'a str,
    started: String,
    duration_ms: u64,
    suite: &'static str,
    passed: bool,
    counts: BTreeMap<String, usize>,
    tests: Vec<One<'a>>,
}

#[derive(Serialize)]
struct One<'a> {
    number: &'a str,
    title: &'a str,
    text: &'a str,
    result: Code,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    comments: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<&'a Record>,
    began: String,
    duration_ms: u64,
    steps: &'a [Step],
    ladder: &'a [Row],
}

impl Report {
    pub fn to_json(&self) -> String {
        let whole = Whole {
            format: 1,
            target: &self.target,
            started: timestamp(self.started),
            duration_ms: self.duration_ms(),
            suite: concat!("earcon verify ", env!("CARGO_PKG_VERSION")),
            passed: self.passed(),
            counts: Code::ALL.iter().map(|code| (code.to_string(), self.count(*code))).collect(),
            tests: self.results.iter().map(TestResult::one).collect(),
        };
        // Texts and numbers only: nothing in it can fail to serialise.
        serde_json::to_string_pretty(&whole).unwrap_or_default() + "\n"
    }
}

impl TestResult {
    fn one(&self) -> One<'_> {
        One {
            number: &self.number,
            title: &self.title,
            text: &self.text,
            result: self.code,
            reason: self.reason.as_deref(),
            comments: &self.comments,
            record: self.record.as_ref(),
            began: timestamp(self.began),
            duration_ms: self.duration_ms,
            steps: &self.steps,
            ladder: &self.ladder,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::report::tests::report;
    use serde_json::{Value, json};
    use std::collections::BTreeSet;

    #[test]
    fn the_form_is_that_of_its_schema() {
        let schema: Value = serde_json::from_str(include_str!("../../../../docs/verify.schema.json")).unwrap();
        let report: Value = serde_json::from_str(&report().to_json()).unwrap();
        check(&schema, &schema, &report, "report");
        assert_eq!(report["counts"], json!({ "P": 1, "CP": 1, "F": 1, "NT": 1, "NA": 1 }));
        assert_eq!(report["started"], "2026-09-21T14:13:20Z");
        assert_eq!(report["tests"][0]["ladder"][0]["summary"], "INVITE sip:43334@127.0.222.4;transport=tcp");
    }

    /// As much of JSON Schema as this one uses.
    fn check(root: &Value, schema: &Value, value: &Value, at: &str) {
        if let Some(reference) = schema["$ref"].as_str() {
            return check(root, root.pointer(&reference[1..]).unwrap(), value, at);
        }
        if let Some(choices) = schema["enum"].as_array() {
            assert!(choices.contains(value), "{at}: {value}");
        }
        if let Some(choices) = schema["oneOf"].as_array() {
            let row = &value["row"];
            let fits = choices.iter().find(|choice| choice["properties"]["row"]["const"] == *row);
            return check(root, fits.unwrap_or_else(|| panic!("{at}: no form for {row}")), value, at);
        }
        match schema["type"].as_str() {
            Some("object") => {
                let fields = value.as_object().unwrap_or_else(|| panic!("{at} is no object"));
                for required in schema["required"].as_array().into_iter().flatten() {
                    assert!(fields.contains_key(required.as_str().unwrap()), "{at} has no {required}");
                }
                let known: BTreeSet<&String> = schema["properties"].as_object().unwrap().keys().collect();
                for (name, field) in fields {
                    assert!(known.contains(name), "{at}.{name} is not in the schema");
                    check(root, &schema["properties"][name], field, &format!("{at}.{name}"));
                }
            }
            Some("array") => {
                for (index, item) in value.as_array().unwrap().iter().enumerate() {
                    check(root, &schema["items"], item, &format!("{at}[{index}]"));
                }
            }
            Some("string") => assert!(value.is_string(), "{at}: {value}"),
            Some("integer") => assert!(value.is_u64(), "{at}: {value}"),
            Some("boolean") => assert!(value.is_boolean(), "{at}: {value}"),
            _ => {}
        }
    }
}
