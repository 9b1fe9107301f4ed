//! Chromium, driven by ChromeDriver (the W3C WebDriver protocol over HTTP).

use crate::http;
use crate::process::{PATIENCE, Process, Scratch};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

pub struct Browser {
    _driver: Process,
    _profile: Scratch,
    port: u16,
    session: String,
}

impl Browser {
    pub fn start(port: u16) -> Browser {
        let driver = Process::start(Command::new("chromedriver").arg(format!("--port={port}")));
        driver.wait_for("started successfully", Duration::from_secs(20));
        let profile = Scratch::new(&format!("chromium-{port}"));
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--autoplay-policy=no-user-gesture-required",
            "--window-size=1200,900",
        ];
        let mut arguments: Vec<String> = arguments.map(str::to_owned).to_vec();
        arguments.push(format!("--user-data-dir={}", profile.path().display()));
        let wanted = json!({ "capabilities": { "alwaysMatch": { "browserName": "chrome", "goog:chromeOptions": { "args": arguments } } } });
        let mut browser = Browser { _driver: driver, _profile: profile, port, session: String::new() };
        let created = browser.send("POST", "/session", Some(wanted));
        browser.session =
            created["sessionId"].as_str().unwrap_or_else(|| panic!("no browser session: {created}")).to_owned();
        browser
    }

    pub fn open(&self, url: &str) {
        self.command("/url", json!({ "url": url }));
    }

    /// Runs JavaScript in the page: `return ...`.
    pub fn run(&self, script: &str) -> Value {
        self.command("/execute/sync", json!({ "script": script, "args": [] }))
    }

    /// Waits until the script returns something that is neither null nor false.
    pub fn wait_for(&self, script: &str, limit: Duration) -> Value {
        let limit = limit.max(PATIENCE);
        let deadline = Instant::now() + limit;
        loop {
            let value = self.run(script);
            if !value.is_null() && value != false {
                return value;
            }
            assert!(
                Instant::now() < deadline,
                "not within {limit:?}: {script}\n{}",
                self.run("return document.body.innerText")
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Types into the element that the CSS selector finds.
    pub fn type_into(&self, selector: &str, text: &str) {
        let element = self.find(selector);
        self.command(&format!("/element/{element}/value"), json!({ "text": text }));
    }

    pub fn click(&self, selector: &str) {
        // The page may draw a list anew between finding and clicking: its successor is meant.
        for _ in 0..5 {
            let path = format!("/session/{}/element/{}/click", self.session, self.find(selector));
            let (status, answer) = self.ask("POST", &path, Some(json!({})));
            if status < 300 {
                return;
            }
            assert_eq!(answer["value"]["error"], "stale element reference", "{selector}: {answer}");
        }
        panic!("{selector} is drawn anew all the time");
    }

    /// The page as on a screen of this size, in CSS pixels.
    pub fn screen(&self, width: u32, height: u32) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.chrome("Emulation.setDeviceMetricsOverride", metrics);
    }

    /// What the system's settings say of colours: `light` or `dark`.
    pub fn colours(&self, scheme: &str) {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.chrome("Emulation.setEmulatedMedia", features);
    }

    /// A command of the DevTools protocol.
    fn chrome(&self, command: &str, parameters: Value) {
        self.command("/goog/cdp/execute", json!({ "cmd": command, "params": parameters }));
    }

    pub fn screenshot(&self, file: &Path) {
        let picture = self.send("GET", &format!("/session/{}/screenshot", self.session), None);
        std::fs::write(file, base64(picture.as_str().unwrap())).unwrap();
    }

    fn find(&self, selector: &str) -> String {
        let found = self.command("/element", json!({ "using": "css selector", "value": selector }));
        let id = found.as_object().and_then(|element| element.values().next()).and_then(Value::as_str);
        id.unwrap_or_else(|| panic!("nothing on the page matches {selector}: {found}")).to_owned()
    }

    fn command(&self, path: &str, body: Value) -> Value {
        self.send("POST", &format!("/session/{}{path}", self.session), Some(body))
    }

    fn send(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let (status, answer) = self.ask(method, path, body);
        assert!(status < 300, "{method} {path}: {answer}");
        answer["value"].clone()
    }

    fn ask(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let body = body.map(|body| body.to_string());
        let answer =
            http::call(self.port, method, path, body.as_ref().map(|body| body.as_bytes()), "application/json", None);
        (answer.status, serde_json::from_slice(&answer.body).unwrap_or_default())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() && !std::thread::panicking() {
            self.send("DELETE", &format!("/session/{}", self.session), None);
        }
    }
}

fn base64(text: &str) -> Vec<u8> {
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let digits: Vec<u8> = text.bytes().filter_map(value).collect();
    digits
        .chunks(4)
        .flat_map(|four| {
            let bits = four.iter().enumerate().fold(0u32, |bits, (n, digit)| bits | u32::from(*digit) << (18 - 6 * n));
            bits.to_be_bytes()[1..four.len()].to_vec()
        })
        .collect()
}
