//! Callers choose their own names. Whatever they choose, the message arrives, and nothing that shows the name is broken
//! by it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;
use tests_crash::{Call, Caller};
use tests_hostile::Target;

#[test]
fn a_name_is_a_name_in_json_page_and_mail_whatever_it_looks_like() {
    let mut target = Target::start(66);
    let long = format!("\"{}\"", "å".repeat(3_000));
    let names = [
        r#""Robert \"Bobby\" \\ Tables'); DROP TABLE message;--""#,
        r#""<script>alert(1)</script><img src=x onerror=alert(2)>""#,
        r#""=?utf-8?Q?=0D=0ABcc:_all@moon.galaxy?=""#,
        "\"\u{1f574}\u{202e}gnimoc \u{1f30d}\"",
        "\"line\r\n Bcc: folded@moon.galaxy\"",
        "\"tab\tand \\\u{7} bell\"",
        "\"%0d%0aSet-Cookie: a=b {{7*7}} ${jndi:x}\"",
        &long,
    ];
    let noise: Vec<u8> = (0..8000).map(|n| if n % 16 < 8 { 0xaa } else { 0x2a }).collect();
    let speech = [noise.clone(), noise].concat();
    let mut calls: Vec<Call> = names
        .iter()
        .map(|name| {
            let address = format!("{name} <sip:00900123@{}>", target.lab.node());
            let caller = Caller { from: &address, asserted: &address };
            Call::divert_from(&caller, &target.lab.node(), &target.lab.um(), "27000")
                .unwrap_or_else(|lost| panic!("{name:.40}: {lost:?}"))
        })
        .collect();
    // Beyond 8 KiB a header line is refused, as malformed.
    let address = format!("\"{}\" <sip:00900123@{}>", "å".repeat(5_000), target.lab.node());
    let caller = Caller { from: &address, asserted: &address };
    let refused = Call::divert_from(&caller, &target.lab.node(), &target.lab.um(), "27000");
    assert_eq!(refused.err().map(|lost| lost.0).as_deref(), Some("answered 400"));
    std::thread::scope(|threads| {
        for call in &mut calls {
            threads.spawn(|| {
                call.wait_for_the_tone(Duration::from_secs(20), Duration::from_millis(400));
                call.speak(&speech, || true);
                call.hang_up();
            });
        }
    });
    // Parsed as JSON: it is well-formed.
    let messages = target.lab.wait_for_messages("27000", names.len(), Duration::from_secs(10));
    assert_eq!(messages.len(), names.len());
    for message in &messages {
        assert_eq!(message["from_number"], "00900123", "{message}");
        let id = message["id"].as_str().unwrap();
        let name = message["from_name"].as_str().unwrap_or_default();
        assert!(name.chars().count() <= 1000, "a name of {} characters", name.chars().count());
        assert!(!name.contains(['\r', '\n', '\u{7}']), "{name:?}");

        let mail = target.lab.rest("GET", &format!("/api/v1/mailboxes/27000/messages/{id}/mime"), None, "");
        let mail = String::from_utf8(mail.body).expect("a mail is text");
        let (head, _) = mail.split_once("\r\n\r\n").unwrap();
        for line in head.split("\r\n") {
            assert!(line.len() <= 998, "RFC 5322 2.1.1: a line of {} bytes", line.len());
            assert!(line.is_ascii(), "{line}");
            let lower = line.to_ascii_lowercase();
            assert!(!lower.starts_with("bcc:") && !lower.contains('\n'), "{line}");
        }
    }
    let bobby = messages.iter().any(|message| {
        message["from_name"].as_str().is_some_and(|name| name.contains(r#"Robert "Bobby" \ Tables'); DROP TABLE"#))
    });
    assert!(bobby, "a name is kept as it was said: {messages:#?}");
    let script = messages.iter().any(|message| message["from_name"].as_str().is_some_and(|n| n.contains("<script>")));
    assert!(script, "{messages:#?}");

    let page = target.lab.rest("GET", "/mailboxes/27000", None, "");
    let page = String::from_utf8(page.body).expect("a page is text");
    assert!(page.contains("Bobby"), "the page lists the messages:\n{page}");
    assert!(!page.contains("<script>alert") && !page.contains("<img src=x"), "{page}");
    target.serves_as_ever();
}
