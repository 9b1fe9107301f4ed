//! JUnit XML, as build servers read it: F is a failure, NT and NA are skipped, CP is passed with its comments.

use super::{Report, TestResult, timestamp};
use crate::outcome::Code;
use std::fmt::Write as _;

impl Report {
    pub fn to_junit(&self) -> String {
        let (failures, skipped) = (self.count(Code::F), self.count(Code::NT) + self.count(Code::NA));
        let head = format!(
            "tests=\"{}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\" time=\"{}\"",
            self.results.len(),
            seconds(self.duration_ms())
        );
        let mut xml = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"earcon verify\" {head}>\n  \
             <testsuite name=\"{}\" {head} timestamp=\"{}\">\n",
            escape(&self.target),
            // The classic schema has no zone.
            timestamp(self.started).trim_end_matches('Z')
        );
        for result in &self.results {
            result.write(&mut xml);
        }
        xml.push_str("  </testsuite>\n</testsuites>\n");
        xml
    }
}

impl TestResult {
    fn write(&self, xml: &mut String) {
        // Writing into a String does not fail.
        let _ = writeln!(
            xml,
            "    <testcase classname=\"guide\" name=\"{} {}\" time=\"{}\">",
            escape(&self.number),
            escape(&self.title),
            seconds(self.duration_ms)
        );
        let reason = escape(self.reason.as_deref().unwrap_or_default());
        match self.code {
            Code::F => {
                let record = self.record.as_ref().map(|record| {
                    format!(
                        "Failure point: {}\nPhone type: {}\nCall scenario: {}\nUM features affected: {}\nComments: {}",
                        record.failure_point,
                        record.phone_type,
                        record.call_scenario,
                        record.um_features_affected,
                        record.comments
                    )
                });
                let record = escape(&record.unwrap_or_default());
                let _ = writeln!(xml, "      <failure type=\"F\" message=\"{reason}\">{record}</failure>");
            }
            code @ (Code::NT | Code::NA) => {
                let _ = writeln!(xml, "      <skipped message=\"{code}: {reason}\"/>");
            }
            Code::P | Code::CP => {}
        }
        let steps: Vec<String> =
            self.steps.iter().map(|step| format!("{:>7.3} s  {}", step.at_ms as f64 / 1000.0, step.text)).collect();
        let output = [vec![format!("result: {}", self.code)], self.comments.clone(), steps].concat().join("\n");
        let _ = writeln!(xml, "      <system-out>{}</system-out>\n    </testcase>", escape(&output));
    }
}

fn seconds(milliseconds: u64) -> String {
    format!("{}.{:03}", milliseconds / 1000, milliseconds % 1000)
}

/// Text as it may stand in an element or an attribute. What XML cannot hold at all (XML 1.0, 2.2) becomes a question mark.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(character),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('?'),
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use crate::report::tests::report;

    #[test]
    fn failures_skips_and_hostile_text_stand_where_they_belong() {
        let xml = report().to_junit();
        assert!(xml.contains("tests=\"5\" failures=\"1\" errors=\"0\" skipped=\"2\" time=\"6.170\""), "{xml}");
        assert!(xml.contains("name=\"3 A &lt;title&gt; &amp; more\""), "{xml}");
        assert!(xml.contains("<failure type=\"F\" message=\"27010 expected to hear &quot;]]&gt;&quot;"), "{xml}");
        assert!(xml.contains("Comments: none?"), "{xml}");
        assert!(!xml.contains("<script>"), "{xml}");
        assert_eq!(xml.matches("<skipped").count(), 2);
    }
}
