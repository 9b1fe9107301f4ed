//! The page in Chromium, and REST by curl: a message is listed, played, marked, deleted; strangers see nothing.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use serde_json::{Value, json};
use std::process::Command;
use std::time::{Duration, Instant};
use tests_crash::Call;
use tests_foreign::browser::Browser;
use tests_foreign::process::Process;
use tests_foreign::{Lab, LabOptions, audio, http};

const SOON: Duration = Duration::from_secs(5);

/// Leaves a message of so many seconds from 27001 for each of the mailboxes, all at once.
fn leave(lab: &Lab, mailboxes: &[&str], seconds: u32) {
    let speech = audio::g711(&audio::speech(seconds), "al");
    std::thread::scope(|scope| {
        for mailbox in mailboxes {
            scope.spawn(|| {
                let mut call = Call::divert(&lab.node(), &lab.um(), mailbox).unwrap();
                call.wait_for_the_tone(Duration::from_secs(15), Duration::from_millis(500));
                call.speak(&speech, || true);
                call.hang_up();
            });
        }
    });
}

fn until(limit: Duration, what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + limit;
    while !done() {
        assert!(Instant::now() < end, "not within {limit:?}: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn lamp(lab: &Lab, extension: &str) -> Value {
    let extensions = lab.get("/api/v1/extensions");
    let found = extensions.as_array().unwrap().iter().find(|known| known["number"] == extension).cloned();
    found.unwrap_or_else(|| panic!("no extension {extension}: {extensions}"))["lamp"].clone()
}

fn sign_in(browser: &Browser, lab: &Lab, extension: &str, pin: &str) {
    browser.open(&format!("http://127.0.0.1:{}/", lab.web()));
    browser.type_into("#extension", extension);
    browser.type_into("#pin", pin);
    browser.click("form .primary");
}

#[test]
fn a_user_signs_in_hears_a_message_to_its_end_and_the_lamp_goes_off() {
    let lab = Lab::start(38, LabOptions::default());
    leave(&lab, &["27000"], 3);
    lab.wait_for_messages("27000", 1, SOON);
    until(SOON, "the lamp is on", || lamp(&lab, "27000")["on"] == true);

    let browser = Browser::start(19038);
    sign_in(&browser, &lab, "27000", "111111");
    browser
        .wait_for("return document.querySelector('.problem')?.innerText.includes('extension or PIN is wrong')", SOON);
    assert_eq!(browser.run("return document.querySelector('#extension').value"), "27000", "what was right stays");
    sign_in(&browser, &lab, "27000", "730146");
    browser.wait_for("return document.querySelectorAll('.message.unread').length == 1", SOON);
    assert_eq!(browser.run("return document.title"), "(1) Anna Svensson – Earcon");
    let from = browser.run("return document.querySelector('.message .from').innerText");
    assert!(from.as_str().unwrap().contains("Björn Åkesson") && from.as_str().unwrap().contains("27001"), "{from}");
    assert_eq!(browser.run("return document.cookie"), "", "the session's cookie is no script's to read");

    // It plays: time goes on, and it ends by itself; only then is it read.
    browser.click(".message .play");
    browser.wait_for("const a = document.querySelector('audio'); return !a.paused && a.currentTime > 0.3", SOON);
    assert_eq!(lab.messages("27000")[0]["read"], false, "half a message is not heard");
    let length = browser.run("return document.querySelector('audio').duration").as_f64().unwrap();
    assert!((2.5..4.5).contains(&length), "{length} s");
    browser.wait_for("return document.querySelector('audio').ended", Duration::from_secs(8));
    browser.wait_for("return document.querySelectorAll('.message.unread').length == 0", SOON);
    assert_eq!(lab.messages("27000")[0]["read"], true);
    until(SOON, "the lamp is off", || lamp(&lab, "27000")["on"] == false);
    assert_eq!(browser.run("return document.title"), "Anna Svensson – Earcon");

    // Marked unread by its button: the lamp again.
    browser.click("[data-do=unread]");
    browser.wait_for("return document.querySelectorAll('.message.unread').length == 1", SOON);
    until(SOON, "the lamp is on again", || lamp(&lab, "27000")["on"] == true);

    // A message that comes in shows without anybody asking for it.
    browser.run("window.neverReloaded = true");
    leave(&lab, &["27000"], 2);
    browser.wait_for("return document.querySelectorAll('.message').length == 2", SOON);
    browser.wait_for("return document.querySelector('#status').innerText.includes('A new message has come')", SOON);

    // Deleted, brought back by Undo, deleted for good.
    browser.click(".message [data-do=delete]");
    browser.wait_for("return document.querySelectorAll('.message').length == 1", SOON);
    browser.wait_for("return document.querySelector('#status button')", SOON);
    browser.click("#status button");
    browser.wait_for("return document.querySelectorAll('.message').length == 2", SOON);
    browser.click(".message [data-do=delete]");
    browser.wait_for("return document.querySelectorAll('.message').length == 1", SOON);
    assert_eq!(lab.messages("27000").len(), 1);
    assert_eq!(browser.run("return window.neverReloaded"), true);

    browser.click("header form button");
    browser.wait_for("return document.querySelector('#pin')", SOON);
    browser.open(&format!("http://127.0.0.1:{}/mailboxes/27000", lab.web()));
    browser.wait_for("return document.querySelector('#pin')", SOON);
    assert_eq!(browser.run("return fetch('/api/v1/mailboxes/27000/messages').then(answer => answer.status)"), 401);
}

#[test]
fn the_administrator_sees_extensions_lamps_and_calls_and_unlocks_a_mailbox() {
    let lab = Lab::start(145, LabOptions::default());
    let browser = Browser::start(19145);
    browser.open(&format!("http://127.0.0.1:{}/", lab.web()));
    browser.click("summary");
    browser.type_into("#token", "lab-admin");
    browser.click("details button");
    browser.wait_for("return document.querySelector('h1')?.innerText == 'Overview'", SOON);
    let shown = browser.run("return document.querySelector('main').innerText");
    for word in ["27000", "27001", "27010", "Zoë O'Neil", "No calls at this moment"] {
        assert!(shown.as_str().unwrap().contains(word), "{word}: {shown}");
    }

    // A call in progress shows while it lasts, its messages in the ladder, and the lamp after it.
    let mut call = Call::divert(&lab.node(), &lab.um(), "27000").unwrap();
    browser.wait_for("return document.querySelector('[data-part=\"/parts/calls\"]').innerText.includes('27001')", SOON);
    let calls = lab.get("/api/v1/calls");
    assert_eq!(calls["um"][0]["mailbox"], "27000", "{calls}");
    browser.wait_for("return document.querySelector('#ladder').innerText.includes('302')", SOON);
    call.wait_for_the_tone(Duration::from_secs(15), Duration::from_millis(500));
    call.speak(&audio::g711(&audio::speech(2), "al"), || true);
    call.hang_up();
    browser
        .wait_for("return document.querySelector('[data-part=\"/parts/calls\"]').innerText.includes('No calls')", SOON);
    browser.wait_for("return document.querySelector('.lamp.on')", SOON);
    browser
        .wait_for("return document.querySelector('[data-part=\"/parts/mailboxes\"] strong')?.innerText == '1'", SOON);
    browser.click("header form button");
    browser.wait_for("return document.querySelector('#pin')", SOON);

    // Wrong PINs lock the mailbox, over all doors; the page says so; an administrator unlocks it.
    let body = json!({ "extension": "27001", "pin": "111111" }).to_string();
    let mut statuses = Vec::new();
    for _ in 0..16 {
        statuses.push(
            http::call(lab.web(), "POST", "/api/v1/session", Some(body.as_bytes()), "application/json", None).status,
        );
    }
    assert_eq!((statuses[0], statuses[15]), (401, 423), "{statuses:?}");
    sign_in(&browser, &lab, "27001", "730258");
    browser.wait_for("return document.querySelector('.problem')?.innerText.includes('locked')", SOON);
    let unlocked = lab.shell("umsh", "Set-UMMailboxPIN bjorn.akesson -PIN 641385 -PINExpired $false -LockedOut $false");
    assert!(unlocked.status.success(), "{}", String::from_utf8_lossy(&unlocked.stderr));
    sign_in(&browser, &lab, "27001", "641385");
    browser.wait_for("return document.title.startsWith('Björn Åkesson')", SOON);
}

#[test]
fn rest_keeps_to_its_shapes_its_codes_and_its_owners() {
    let lab = Lab::start(146, LabOptions::default());
    let messages = "/api/v1/mailboxes/27000/messages";
    let as_admin = |method: &str, path: &str, body: Option<&str>| {
        lab.rest(method, path, body.map(str::as_bytes), "application/json")
    };
    let with = |method: &str, path: &str, headers: &[&str], body: Option<&str>| {
        let headers: Vec<String> = headers.iter().map(|line| (*line).to_owned()).collect();
        http::request(lab.web(), method, path, &headers, body.map(str::as_bytes))
    };

    // What happens is told by SSE, from now on.
    let events = Process::start(
        Command::new("curl")
            .args(["-sN", "-H", "Authorization: Bearer lab-admin"])
            .arg(format!("http://127.0.0.1:{}/api/v1/events", lab.web())),
    );
    leave(&lab, &["27000", "27000"], 2);
    lab.wait_for_messages("27000", 2, SOON);
    for happened in [
        "\"event\":\"um_call_started\"",
        "event: mailbox_changed",
        "\"event\":\"message_delivered\"",
        "\"event\":\"lamp_changed\"",
    ] {
        events.wait_for(happened, SOON);
    }

    let list = lab.messages("27000");
    let keys: Vec<&str> = list[0].as_object().unwrap().keys().map(String::as_str).collect();
    let mut wanted = [
        "id",
        "kind",
        "from_number",
        "from_name",
        "subject",
        "received",
        "duration_s",
        "read",
        "urgent",
        "private",
        "protected",
        "flagged",
        "preview",
    ];
    wanted.sort_unstable();
    assert_eq!(keys, wanted);
    assert_eq!((&list[0]["from_number"], &list[0]["from_name"]), (&json!("27001"), &json!("Björn Åkesson")));
    assert!(list[0]["received"].as_str().unwrap() >= list[1]["received"].as_str().unwrap(), "newest first");
    let message = format!("{messages}/{}", list[0]["id"].as_str().unwrap());
    let sound = format!("{message}/audio");

    // Reading, a part, a wrong part.
    let wav = as_admin("GET", &sound, None);
    assert_eq!((wav.status, wav.header("content-type"), wav.header("accept-ranges")), (200, "audio/wav", "bytes"));
    let seconds = audio::decode(&wav.body).len() as f64 / 8000.0;
    assert!((seconds - list[0]["duration_s"].as_f64().unwrap()).abs() < 0.1, "{seconds} s");
    let part = with("GET", &sound, &["Authorization: Bearer lab-admin", "Range: bytes=100-199"], None);
    assert_eq!((part.status, part.body.as_slice()), (206, &wav.body[100..200]));
    assert_eq!(part.header("content-range"), format!("bytes 100-199/{}", wav.body.len()));
    let beyond = with("GET", &sound, &["Authorization: Bearer lab-admin", "Range: bytes=99999999-"], None);
    assert_eq!(beyond.status, 416);

    // Marking, deleting, what is not there.
    let marked = as_admin("PATCH", &message, Some("{\"read\":true}"));
    assert_eq!((marked.status, &marked.json()["read"]), (200, &json!(true)));
    for (method, path, body, status) in [
        ("PATCH", message.as_str(), Some("{\"raed\":true}"), 400),
        ("PATCH", &message, Some("not JSON"), 400),
        ("DELETE", &message, None, 204),
        ("DELETE", &format!("{messages}/00000000000000000000000000000000"), None, 404),
        ("GET", &format!("{messages}/../../etc/passwd"), None, 404),
        ("GET", "/api/v1/mailboxes/99999/messages", None, 404),
        ("GET", "/api/v1/nowhere", None, 404),
        ("POST", messages, Some("{}"), 405),
    ] {
        let answer = as_admin(method, path, body);
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
        if status >= 400 {
            let said = answer.json();
            assert!(said["error"].is_string() && said["hint"].is_string(), "{said}");
        }
    }
    assert_eq!(lab.messages("27000").len(), 1);

    // The greeting: what is no WAV is refused with what to mend; a good one is heard by the next caller.
    for bad in ["RIFF", "this is a text", ""] {
        let refused = lab.rest("PUT", "/api/v1/mailboxes/27000/greeting", Some(bad.as_bytes()), "audio/wav");
        assert_eq!(refused.status, 415, "{}", refused.text());
        assert!(refused.json()["hint"].as_str().unwrap().contains("WAV"), "{}", refused.text());
    }
    let file = lab.data.file("greeting.wav");
    audio::write_wav(&file, &audio::speech(1));
    let put = lab.rest("PUT", "/api/v1/mailboxes/27000/greeting", Some(&std::fs::read(&file).unwrap()), "audio/wav");
    assert_eq!(put.status, 204, "{}", put.text());
    assert_eq!(as_admin("GET", "/api/v1/mailboxes/27000/greeting", None).status, 200);
    assert_eq!(as_admin("DELETE", "/api/v1/mailboxes/27000/greeting", None).status, 204);
    assert_eq!(as_admin("GET", "/api/v1/mailboxes/27000/greeting", None).status, 404);

    // Whose it is: nobody without a token, not with a wrong one, and a user has the own mailbox only.
    assert_eq!(with("GET", messages, &[], None).status, 401);
    let wrong = with("GET", messages, &["Authorization: Bearer lab-admim"], None);
    assert_eq!((wrong.status, wrong.header("www-authenticate")), (401, "Bearer"));
    let own = format!("Origin: http://127.0.0.1:{}", lab.web());
    let json = "Content-Type: application/json";
    let session = with("POST", "/api/v1/session", &[&own, json], Some("{\"extension\":\"27001\",\"pin\":\"730258\"}"));
    assert_eq!((session.status, &session.json()["mailbox"]), (201, &json!("27001")));
    let cookie = session.header("set-cookie").to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let cookie = format!("Cookie: {}", cookie.split(';').next().unwrap());
    assert_eq!(with("GET", "/api/v1/mailboxes/27001/messages", &[&cookie], None).status, 200);
    for path in [messages, &message, &sound, "/api/v1/extensions", "/api/v1/calls", "/api/v1/tokens"] {
        assert_eq!(with("GET", path, &[&cookie], None).status, 403, "{path}");
    }

    // Where it is asked from: only this server's own names and pages.
    let token = "Authorization: Bearer lab-admin";
    assert_eq!(with("GET", messages, &[token, "Host: evil.example"], None).status, 421);
    assert_eq!(with("GET", messages, &[&cookie, "Origin: http://evil.example"], None).status, 403);
    let greeting = "/api/v1/mailboxes/27001/greeting";
    assert_eq!(with("DELETE", greeting, &[&cookie], None).status, 403, "a change by cookie shows its origin");
    assert_eq!(with("DELETE", greeting, &[&cookie, &own], None).status, 204);
    assert_eq!(with("DELETE", "/api/v1/session", &[&cookie, &own], None).status, 204);
    assert_eq!(with("GET", "/api/v1/mailboxes/27001/messages", &[&cookie], None).status, 401);
}
