//! The server as a client sees it: real sockets, a mailbox store in memory, stand-ins for node and UM server.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use bytes::Bytes;
use event::{Event, Now, Sink};
use mailbox::{Address, Audio, Caller, MailboxId, Mailboxes, MessageId, NewMessage};
use pbx::commands as node;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use um::commands as um;
use web::{Parts, Running, Settings, start};

struct Site {
    running: Running,
    mailboxes: Mailboxes,
    bus: event::Bus,
}

struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn header(&self, name: &str) -> Option<&str> {
        let prefix = format!("{name}: ");
        self.head.lines().find_map(|line| line.strip_prefix(&prefix))
    }

    fn cookie(&self) -> String {
        self.header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
    }
}

fn mailbox_view(extension: &str) -> um::MailboxView {
    let name = if extension == "27000" { "Anna Svensson" } else { "Björn <b>Åkesson</b>" };
    um::MailboxView {
        name: name.into(),
        mailbox: Some(extension.into()),
        display_name: name.into(),
        address: None,
        enabled: true,
        extensions: vec![extension.into()],
        policy: None,
        dial_plan: None,
        locked: false,
        settings: Default::default(),
    }
}

/// A UM server with mailboxes 27000 (PIN 730146) and 27001 (PIN 730258), which locks after five wrong PINs.
fn um_door() -> web::UmDoor {
    let failures = AtomicU32::new(0);
    Arc::new(move |command, _, reply| {
        use um::{Command, CommandError, PinVerdict};
        reply(match command {
            Command::VerifyPin { identity, pin, .. } => {
                let right = matches!((&*identity, &*pin), ("27000", "730146") | ("27001", "730258"));
                let verdict = if failures.load(Ordering::SeqCst) >= 5 {
                    PinVerdict::Locked
                } else if right {
                    PinVerdict::Right { mailbox: identity, expired: false }
                } else {
                    failures.fetch_add(1, Ordering::SeqCst);
                    PinVerdict::Wrong
                };
                Ok(um::Answer::PinVerdict(verdict))
            }
            Command::GetMailbox { identity: Some(identity) } => match &*identity {
                "27000" | "27001" => Ok(um::Answer::Mailboxes(vec![mailbox_view(&identity)])),
                "anna@moon.galaxy" => Ok(um::Answer::Mailboxes(vec![mailbox_view("27000")])),
                _ => Err(CommandError::NotFound { parameter: "Identity".into(), kind: "Mailbox".into(), identity }),
            },
            Command::GetActiveCalls { .. } => Ok(um::Answer::Calls(Vec::new())),
            _ => Err(CommandError::Busy),
        });
    })
}

fn node_door() -> web::NodeDoor {
    Arc::new(|command, _, reply| {
        use node::{Command, CommandError, Contact, ExtensionStatus, Lamp, Status};
        reply(match command {
            Command::Status(Status::Extensions {}) => Ok(node::Answer::Extensions {
                extensions: vec![ExtensionStatus {
                    number: "27000".into(),
                    name: "Anna <script>alert(1)</script>".into(),
                    contacts: vec![Contact {
                        uri: "sip:27000@127.0.0.1:40000".into(),
                        source: "127.0.0.1:40000".into(),
                        expires_s: 60,
                        user_agent: "baresip \"x\"".into(),
                    }],
                    lamp: Lamp { on: true, new: 1, ..Lamp::default() },
                    calls: 0,
                }],
            }),
            Command::Alarm(_) => Ok(node::Answer::Tables { tables: Vec::new() }),
            Command::Status(Status::Calls {}) => Ok(node::Answer::Calls { calls: Vec::new() }),
            _ => Err(CommandError::missing("dir", "write a directory number")),
        });
    })
}

fn settings(listen: SocketAddr) -> Settings {
    Settings {
        listen,
        hosts: vec!["voicemail.moon.galaxy".into()],
        admin_tokens: vec!["lab-admin".into()],
        https: false,
        metrics: Vec::new(),
        tls: None,
    }
}

fn parts(mailboxes: &Mailboxes, bus: &event::Bus) -> Parts {
    Parts {
        mailboxes: mailboxes.clone(),
        um: um_door(),
        node: Some(node_door()),
        events: bus.clone(),
        metrics: web::metrics::Metrics::new(bus.clone()),
        store: Some(state::Store::memory()),
    }
}

async fn site() -> Site {
    let mailboxes = Mailboxes::memory().await.unwrap();
    for name in ["27000", "27001"] {
        mailboxes.create(&MailboxId::parse(name).unwrap(), SystemTime::now()).await.unwrap();
    }
    let bus = event::Bus::new();
    let (settings, parts) = (settings("127.0.0.1:0".parse().unwrap()), parts(&mailboxes, &bus));
    Site { running: start(settings, parts).await.unwrap(), mailboxes, bus }
}

async fn deliver(site: &Site, mailbox: &str, id: u128, name: &str) {
    let message = NewMessage {
        id: MessageId(id),
        mailbox: MailboxId::parse(mailbox).unwrap(),
        to_name: None,
        to: Address::parse("anna@moon.galaxy").unwrap(),
        from: Caller { number: Some("27010".into()), name: Some(name.into()), address: None },
        call_id: "abc".into(),
        received: SystemTime::UNIX_EPOCH + Duration::from_millis(1_800_000_000_000 + u64::try_from(id).unwrap()),
        kind: mailbox::MessageKind::CallAnswering,
        urgent: false,
        private: true,
        protected: false,
        audio: Audio { codec: rtp::Codec::Pcma, bytes: vec![0xd5; 12_344].into() },
    };
    site.mailboxes.deliver(message).await.unwrap();
}

/// Sends bytes and reads until the server closes.
async fn raw(address: SocketAddr, request: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let split = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = String::from_utf8_lossy(&bytes[..split]).into_owned();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head, body: bytes[split + 4..].to_vec() }
}

impl Site {
    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let address = self.running.address();
        let mut request =
            format!("{method} {path} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
        if !headers.iter().any(|(name, _)| *name == "Host") {
            request.push_str(&format!("Host: {address}\r\n"));
        }
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        raw(address, &[request.as_bytes(), b"\r\n", body].concat()).await
    }

    async fn admin(&self, method: &str, path: &str, body: &str) -> Answer {
        self.send(method, path, &[("Authorization", "Bearer lab-admin")], body.as_bytes()).await
    }

    fn origin(&self) -> String {
        format!("http://{}", self.running.address())
    }

    async fn sign_in(&self, extension: &str, pin: &str) -> Answer {
        let body = json!({ "extension": extension, "pin": pin }).to_string();
        self.send("POST", "/api/v1/session", &[("Origin", &self.origin())], body.as_bytes()).await
    }
}

fn id(number: u128) -> String {
    MessageId(number).to_string()
}

#[tokio::test]
async fn messages_are_listed_newest_first_in_the_shape_that_was_promised() {
    let site = site().await;
    deliver(&site, "27000", 1, "Zoë O'Neil").await;
    deliver(&site, "27000", 2, "Björn Åkesson").await;
    let answer = site.admin("GET", "/api/v1/mailboxes/27000/messages", "").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let list = answer.json();
    assert_eq!(list.as_array().unwrap().len(), 2);
    assert_eq!(
        list[1],
        json!({
            "id": id(1), "from_number": "27010", "from_name": "Zoë O'Neil",
            "subject": "Voice message from Zoë O'Neil (2 seconds)", "received": "2027-01-15T08:00:00.001Z",
            "duration_s": 1.543, "read": false, "protected": false, "flagged": false, "kind": "call_answering", "preview": null, "urgent": false, "private": true
        })
    );
    assert_eq!(site.admin("GET", "/api/v1/mailboxes/anna@moon.galaxy/messages", "").await.json(), list);
    assert_eq!(site.admin("GET", "/api/v1/mailboxes/27099/messages", "").await.status, 404);
    assert_eq!(site.admin("GET", "/api/v1/mailboxes/..%2f..%2fetc/messages", "").await.status, 404);
    let mailboxes = site.admin("GET", "/api/v1/mailboxes", "").await.json();
    assert_eq!(mailboxes[0], json!({"mailbox": "27000", "new": 2, "old": 0, "new_urgent": 0, "old_urgent": 0}));
}

#[tokio::test]
async fn a_message_is_marked_deleted_and_brought_back() {
    let site = site().await;
    deliver(&site, "27000", 1, "Zoë").await;
    let path = format!("/api/v1/mailboxes/27000/messages/{}", id(1));
    let answer = site.admin("PATCH", &path, r#"{"read": true}"#).await;
    assert_eq!((answer.status, &answer.json()["read"]), (200, &json!(true)));
    assert_eq!(site.admin("GET", &path, "").await.json()["read"], true);
    assert_eq!(site.admin("DELETE", &path, "").await.status, 204);
    assert_eq!(site.admin("GET", "/api/v1/mailboxes/27000/messages", "").await.json(), json!([]));
    assert_eq!(site.admin("PATCH", &path, r#"{"deleted": false}"#).await.status, 200);
    assert_eq!(site.admin("GET", "/api/v1/mailboxes/27000/messages", "").await.json()[0]["read"], true);
    for bad in [r#"{"reed": true}"#, "", "[]", r#"{"read": "yes"}"#] {
        let answer = site.admin("PATCH", &path, bad).await;
        assert_eq!(answer.status, 400, "{bad}");
        assert!(answer.json()["error"].is_string() && answer.json()["hint"].is_string());
    }
    for missing in [id(9), "1".into(), "xyz".into()] {
        let path = format!("/api/v1/mailboxes/27000/messages/{missing}");
        assert_eq!(site.admin("PATCH", &path, r#"{"read": true}"#).await.status, 404);
    }
    assert_eq!(site.admin("PUT", &path, "{}").await.status, 405);
    assert_eq!(site.admin("GET", "/api/v1/nothing", "").await.json()["error"], "there is nothing at this path");
}

#[tokio::test]
async fn audio_is_a_wav_file_in_which_a_browser_can_seek() {
    let site = site().await;
    deliver(&site, "27000", 1, "Zoë").await;
    let path = format!("/api/v1/mailboxes/27000/messages/{}/audio", id(1));
    let whole = site.admin("GET", &path, "").await;
    assert_eq!((whole.status, whole.header("content-type")), (200, Some("audio/wav")));
    assert_eq!(whole.header("accept-ranges"), Some("bytes"));
    assert_eq!(mailbox::read_wav(&whole.body).unwrap().len(), 12_344);
    let bearer = ("Authorization", "Bearer lab-admin");
    let part = site.send("GET", &path, &[bearer, ("Range", "bytes=100-199")], b"").await;
    assert_eq!((part.status, part.header("content-range")), (206, Some("bytes 100-199/12402")));
    assert_eq!(part.body, whole.body[100..200]);
    assert_eq!(site.send("GET", &path, &[bearer, ("Range", "bytes=99999-")], b"").await.status, 416);
    let head = site.send("HEAD", &path, &[bearer], b"").await;
    assert_eq!((head.status, head.header("content-length"), head.body.len()), (200, Some("12402"), 0));
    let mime = site.admin("GET", &path.replace("audio", "mime"), "").await;
    assert!(mime.text().contains("Content-Class: voice-ca"));
}

#[tokio::test]
async fn a_greeting_is_put_heard_and_removed_and_what_is_no_wav_is_refused_with_its_reason() {
    let site = site().await;
    let path = "/api/v1/mailboxes/27000/greeting";
    assert_eq!(site.admin("GET", path, "").await.status, 404);
    let mut wav =
        b"RIFF\x2c\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0data\x08\0\0\0".to_vec();
    wav.extend([1, 0, 2, 0, 3, 0, 4, 0]);
    let bearer = ("Authorization", "Bearer lab-admin");
    assert_eq!(site.send("PUT", path, &[bearer], &wav).await.status, 204);
    assert_eq!(mailbox::read_wav(&site.admin("GET", path, "").await.body).unwrap().len(), 2, "at 8 kHz now");
    let refused = site.send("PUT", path, &[bearer], b"ID3").await;
    assert_eq!((refused.status, &refused.json()["error"]), (415, &json!("this is no WAV file")));
    assert_eq!(site.send("PUT", &format!("{path}?kind=oof"), &[bearer], &wav).await.status, 204);
    assert_eq!(site.send("PUT", &format!("{path}?kind=song"), &[bearer], &wav).await.status, 400);
    assert_eq!(site.admin("DELETE", path, "").await.status, 204);
    assert_eq!(site.admin("GET", path, "").await.status, 404);
    // More than is ever taken: refused without being read to its end.
    let address = site.running.address();
    let head = format!(
        "PUT {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer lab-admin\r\nConnection: close\r\nContent-Length: 99999999\r\n\r\n"
    );
    let answer = raw(address, head.as_bytes()).await;
    assert_eq!((answer.status, &answer.json()["error"]), (413, &json!("the request's body is too long")));
    // Nor is one taken whose length shows only as it comes.
    let mut chunked = format!("PATCH /api/v1/mailboxes/27000/messages/{} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer lab-admin\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n", id(1)).into_bytes();
    chunked.extend(format!("10800\r\n{}\r\n0\r\n\r\n", " ".repeat(0x10800)).bytes());
    let answer = raw(address, &chunked).await;
    assert_eq!((answer.status, &answer.json()["error"]), (413, &json!("the request's body is too long")));
}

#[tokio::test]
async fn without_a_token_or_with_a_wrong_one_nothing_is_shown() {
    let site = site().await;
    for path in ["/mailboxes", "/mailboxes/27000/messages", "/extensions", "/calls", "/events", "/tokens", "/session"] {
        let answer = site.send("GET", &format!("/api/v1{path}"), &[], b"").await;
        assert_eq!(answer.status, 401, "{path}");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
    for line in ["Bearer lab-admim", "Bearer", "Basic bGFiLWFkbWlu", "lab-admin"] {
        let answer = site.send("GET", "/api/v1/mailboxes", &[("Authorization", line)], b"").await;
        assert_eq!(answer.status, 401, "{line}");
    }
    for _ in 0..16 {
        site.send("GET", "/api/v1/mailboxes", &[("Authorization", "Bearer guess")], b"").await;
    }
    let answer = site.send("GET", "/api/v1/mailboxes", &[("Authorization", "Bearer guess")], b"").await;
    assert_eq!(answer.status, 429, "who keeps guessing waits");
}

#[tokio::test]
async fn a_user_signs_in_with_extension_and_pin_and_sees_only_the_own_mailbox() {
    let site = site().await;
    deliver(&site, "27000", 1, "Zoë").await;
    deliver(&site, "27001", 2, "Zoë").await;
    let signed_in = site.sign_in("27000", "730146").await;
    assert_eq!(signed_in.status, 201);
    assert_eq!(signed_in.json(), json!({"role": "user", "mailbox": "27000", "name": "Anna Svensson"}));
    let line = signed_in.header("set-cookie").unwrap();
    assert!(line.contains("; HttpOnly") && line.contains("; SameSite=Strict") && line.contains("; Path=/"), "{line}");
    let cookie = signed_in.cookie();
    let get = async |path: &str| site.send("GET", path, &[("Cookie", &cookie)], b"").await;
    assert_eq!(get("/api/v1/mailboxes/27000/messages").await.json()[0]["id"], id(1));
    assert_eq!(get("/api/v1/mailboxes").await.json().as_array().unwrap().len(), 1);
    for foreign in ["/mailboxes/27001/messages", "/mailboxes/27099/messages", "/extensions", "/calls", "/tokens"] {
        assert_eq!(get(&format!("/api/v1{foreign}")).await.status, 403, "{foreign}");
    }
    let path = format!("/api/v1/mailboxes/27000/messages/{}/audio", id(2));
    assert_eq!(get(&path).await.status, 404, "another's message, under the own mailbox");
    let origin = site.origin();
    let own = [("Cookie", &*cookie), ("Origin", &*origin)];
    assert_eq!(site.send("POST", "/api/v1/um/commands", &own, br#"{"Cmdlet":"Get-UMService"}"#).await.status, 403);
    assert_eq!(site.send("DELETE", "/api/v1/session", &own, b"").await.status, 204);
    assert_eq!(get("/api/v1/mailboxes").await.status, 401);
}

#[tokio::test]
async fn wrong_pins_are_counted_by_the_um_server_which_locks_the_mailbox() {
    let site = site().await;
    for _ in 0..5 {
        let answer = site.sign_in("27000", "000000").await;
        assert_eq!((answer.status, &answer.json()["error"]), (401, &json!("extension or PIN is wrong")));
        assert_eq!(answer.header("set-cookie"), None);
    }
    assert_eq!(site.sign_in("27000", "730146").await.status, 423);
    assert_eq!(site.sign_in("", "").await.status, 400);
}

#[tokio::test]
async fn a_request_for_another_host_or_from_another_origin_is_refused() {
    let site = site().await;
    let (origin, bearer) = (site.origin(), ("Authorization", "Bearer lab-admin"));
    for host in ["evil.example", "evil.example:8080", "localhost:1", ""] {
        let answer = site.send("GET", "/", &[("Host", host)], b"").await;
        assert_eq!(answer.status, 421, "{host}");
    }
    let port = site.running.address().port();
    for host in [format!("localhost:{port}"), "voicemail.moon.galaxy".into()] {
        assert_eq!(site.send("GET", "/", &[("Host", &host)], b"").await.status, 200, "{host}");
    }
    for foreign in ["http://evil.example", "null", "http://127.0.0.1:1", "http://voicemail.moon.galaxy"] {
        let answer = site.send("GET", "/api/v1/mailboxes", &[bearer, ("Origin", foreign)], b"").await;
        assert_eq!(answer.status, 403, "{foreign}");
    }
    assert_eq!(site.send("GET", "/api/v1/mailboxes", &[bearer, ("Origin", &origin)], b"").await.status, 200);
    // A cookie alone changes nothing: the request must say that it comes from our own page.
    deliver(&site, "27000", 1, "Zoë").await;
    let cookie = site.sign_in("27000", "730146").await.cookie();
    let path = format!("/api/v1/mailboxes/27000/messages/{}", id(1));
    let headers = [("Cookie", &*cookie)];
    assert_eq!(site.send("PATCH", &path, &headers, br#"{"read":true}"#).await.status, 403);
    let headers = [("Cookie", &*cookie), ("Origin", &*origin)];
    assert_eq!(site.send("PATCH", &path, &headers, br#"{"read":true}"#).await.status, 200);
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let site = site().await;
    for (path, host) in [("/", None), ("/api/v1/mailboxes", None), ("/static/earcon.js", None), ("/", Some("evil"))] {
        let headers: Vec<(&str, &str)> = host.iter().map(|host| ("Host", *host)).collect();
        let answer = site.send("GET", path, &headers, b"").await;
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("script-src 'self'") && policy.contains("frame-ancestors 'none'"));
        assert!(!policy.contains("unsafe"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("referrer-policy"), Some("same-origin"), "with less, a form's Origin is null");
    }
    assert_eq!(site.admin("GET", "/api/v1/mailboxes", "").await.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn the_page_shows_messages_escaped_and_has_no_inline_script() {
    let site = site().await;
    deliver(&site, "27001", 1, "<script>alert(1)</script> \"x\" & y").await;
    let sign_in = site.send("GET", "/", &[], b"").await;
    assert!(sign_in.text().contains("<form method=\"post\" action=\"/sign-in\">"));
    let origin = site.origin();
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let wrong = site.send("POST", "/sign-in", &[form, ("Origin", &origin)], b"extension=27001&pin=1").await;
    assert_eq!(wrong.status, 401);
    assert!(wrong.text().contains("role=\"alert\"") && wrong.text().contains("value=\"27001\""));
    let right = site.send("POST", "/sign-in", &[form, ("Origin", &origin)], b"extension=27001&pin=730258").await;
    assert_eq!((right.status, right.header("location")), (303, Some("/")));
    let cookie = right.cookie();
    let page = site.send("GET", "/", &[("Cookie", &cookie)], b"").await.text();
    assert!(page.contains("&#60;script&#62;alert(1)") && page.contains("Björn &#60;b&#62;"), "{page}");
    assert!(page.contains(&format!("/api/v1/mailboxes/27001/messages/{}/audio", id(1))));
    assert!(page.contains("<audio id=\"audio\" controls"));
    assert!(page.contains("0:02") && page.contains("Today") || page.contains("2027-01-15 08:00 UTC"));
    for inline in ["<script>", " onclick", " style=", "javascript:"] {
        assert!(!page.contains(inline), "{inline}");
    }
    assert_eq!(site.send("GET", "/mailboxes/27000", &[("Cookie", &cookie)], b"").await.status, 403);
    let out = site.send("POST", "/sign-out", &[("Cookie", &cookie), ("Origin", &origin)], b"").await;
    assert!(out.header("set-cookie").unwrap().contains("Max-Age=0"));
    assert!(site.send("GET", "/", &[("Cookie", &cookie)], b"").await.text().contains("/sign-in"));
}

#[tokio::test]
async fn the_administrator_sees_extensions_lamps_calls_and_all_mailboxes() {
    let site = site().await;
    let extensions = site.admin("GET", "/api/v1/extensions", "").await.json();
    assert_eq!(extensions[0]["number"], "27000");
    assert_eq!(extensions[0]["lamp"]["on"], true);
    assert_eq!(extensions[0]["contacts"][0]["source"], "127.0.0.1:40000");
    assert_eq!(site.admin("GET", "/api/v1/calls", "").await.json(), json!({"node": [], "um": []}));
    let page = site.admin("GET", "/", "").await.text();
    assert!(page.contains("&#60;script&#62;") && page.contains("baresip &#34;x&#34;"));
    assert!(page.contains("href=\"/mailboxes/27001\"") && page.contains("No calls at this moment"));
    assert_eq!(site.admin("GET", "/mailboxes/27001", "").await.status, 200);
    assert_eq!(site.admin("GET", "/mailboxes/27099", "").await.status, 404);
    let command = r#"{"command": "number", "verb": "print"}"#;
    let answer = site.admin("POST", "/api/v1/node/commands", command).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    let busy = site.admin("POST", "/api/v1/um/commands", r#"{"Cmdlet": "Get-UMService"}"#).await;
    assert_eq!((busy.status, busy.header("retry-after")), (503, Some("1")));
}

#[tokio::test]
async fn a_made_token_opens_one_mailbox_until_it_is_removed() {
    let site = site().await;
    let made = site.admin("POST", "/api/v1/tokens", r#"{"name": "dashboard", "mailbox": "27000"}"#).await;
    assert_eq!(made.status, 201);
    let (token, number) = (made.json()["token"].as_str().unwrap().to_owned(), made.json()["number"].clone());
    let bearer = format!("Bearer {token}");
    let get = async |path: &str| site.send("GET", path, &[("Authorization", &bearer)], b"").await.status;
    assert_eq!(get("/api/v1/mailboxes/27000/messages").await, 200);
    assert_eq!(get("/api/v1/mailboxes/27001/messages").await, 403);
    let list = site.admin("GET", "/api/v1/tokens", "").await;
    assert!(list.text().contains("dashboard") && !list.text().contains(&token));
    let path = format!("/api/v1/tokens/{}", number.as_str().unwrap());
    assert_eq!(site.admin("DELETE", &path, "").await.status, 204);
    assert_eq!(get("/api/v1/mailboxes/27000/messages").await, 401);
    assert_eq!(site.admin("DELETE", &path, "").await.status, 404);
}

/// Opens the event stream and reads until `enough` says so.
async fn follow(site: &Site, header: (&str, &str), query: &str) -> TcpStream {
    let address = site.running.address();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let (name, value) = header;
    let request = format!("GET /api/v1/events{query} HTTP/1.1\r\nHost: {address}\r\n{name}: {value}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    // The first heartbeat comes at once: from here on nothing is missed.
    read_until(&mut stream, "still here").await;
    stream
}

async fn read_until(stream: &mut TcpStream, text: &str) -> String {
    let mut seen = String::new();
    let mut buffer = [0; 4096];
    while !seen.contains(text) {
        let length = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut buffer)).await.expect(text).unwrap();
        assert!(length > 0, "the stream ended before {text}: {seen}");
        seen.push_str(&String::from_utf8_lossy(&buffer[..length]));
    }
    seen
}

#[tokio::test]
async fn the_event_stream_tells_the_administrator_everything_and_a_user_the_own() {
    let site = site().await;
    let now = Now::read();
    site.bus.emit(now, Event::MailboxLocked { mailbox: "27001".into() });
    let cookie = site.sign_in("27000", "730146").await.cookie();
    let mut admin = follow(&site, ("Authorization", "Bearer lab-admin"), "?past=10").await;
    let mut user = follow(&site, ("Cookie", &cookie), "?past=10").await;
    site.bus.emit(now, Event::Started { role: "secret".into() });
    site.bus.emit(now, Event::PinRejected { mailbox: "27001".into(), door: "phone".into(), failures: 1 });
    site.bus.emit(now, Event::PinRejected { mailbox: "27000".into(), door: "phone".into(), failures: 2 });
    let seen = read_until(&mut admin, "\"failures\":2").await;
    assert!(seen.contains("\"event\":\"started\"") && seen.contains("\"failures\":1"), "{seen}");
    let seen = read_until(&mut user, "\"failures\":2").await;
    assert!(!seen.contains("secret") && !seen.contains("27001"), "{seen}");
    deliver(&site, "27001", 1, "Zoë").await;
    deliver(&site, "27000", 2, "Zoë").await;
    let seen = read_until(&mut user, &id(2)).await;
    assert!(seen.contains("event: mailbox_changed") && !seen.contains(&id(1)), "{seen}");
    read_until(&mut admin, &id(1)).await;
}

#[tokio::test]
async fn the_past_is_told_on_request() {
    let site = site().await;
    for failures in 0..5 {
        site.bus.emit(Now::read(), Event::PinRejected { mailbox: "27000".into(), door: "web".into(), failures });
    }
    let address = site.running.address();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request =
        format!("GET /api/v1/events?past=2 HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer lab-admin\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let seen = read_until(&mut stream, "\"failures\":4").await;
    assert!(seen.contains("\"failures\":3") && !seen.contains("\"failures\":2"), "{seen}");
}

#[tokio::test]
async fn metrics_are_the_administrators_and_those_of_named_addresses() {
    let site = site().await;
    let get = "GET /metrics HTTP/1.1\r\nHost: voicemail.moon.galaxy\r\nConnection: close\r\n";
    let ask = async |address: SocketAddr, more: &str| raw(address, format!("{get}{more}\r\n").as_bytes()).await;
    let address = site.running.address();
    assert_eq!(ask(address, "").await.status, 401);
    let metrics = ask(address, "Authorization: Bearer lab-admin\r\n").await;
    assert_eq!(
        (metrics.status, metrics.header("content-type")),
        (200, Some("text/plain; version=0.0.4; charset=utf-8"))
    );
    assert!(metrics.text().contains("\n# TYPE process_cpu_seconds_total counter\n"), "{}", metrics.text());
    let named = Settings { metrics: vec!["127.0.0.1".parse().unwrap()], ..settings("127.0.0.1:0".parse().unwrap()) };
    let running = start(named, parts(&site.mailboxes, &site.bus)).await.unwrap();
    assert_eq!(ask(running.address(), "").await.status, 200);
    // A page's script in a browser on that address may not: a name may have been turned to point here.
    assert_eq!(ask(running.address(), "Sec-Fetch-Mode: cors\r\n").await.status, 401);
}

#[tokio::test]
async fn a_collector_reads_from_a_server_without_pages() {
    let (bus, here) = (event::Bus::new(), "127.0.0.1:0".parse().unwrap());
    let open = web::metrics::Settings { listen: here, allow: Vec::new() };
    let running = web::metrics::start(open, web::metrics::Metrics::new(bus.clone())).await.unwrap();
    let get = b"GET /metrics HTTP/1.1\r\nHost: any\r\nConnection: close\r\n\r\n";
    assert_eq!(raw(running.address, get).await.status, 200);
    let other = web::metrics::Settings { listen: here, allow: vec!["192.0.2.1".parse().unwrap()] };
    let running = web::metrics::start(other, web::metrics::Metrics::new(bus)).await.unwrap();
    assert_eq!(raw(running.address, get).await.status, 403);
}

#[tokio::test]
async fn a_taken_port_is_one_clear_sentence_and_a_stopped_server_is_gone() {
    let site = site().await;
    let address = site.running.address();
    let error = start(settings(address), parts(&site.mailboxes, &site.bus)).await.err().unwrap();
    assert_eq!(error.to_string(), format!("web: {address} is in use by another process"));
    site.running.stop().await;
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn hostile_bytes_get_an_error_or_nothing_and_hurt_nobody() {
    let site = site().await;
    let address = site.running.address();
    for bytes in [
        &b"\0\0\0\0\r\n\r\n"[..],
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /%ff%fe HTTP/1.1\r\nHost: x\r\n\r\n",
        &[b'a'; 100_000],
    ] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let _ = stream.write_all(bytes).await;
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"), "{}", String::from_utf8_lossy(&answer));
    }
    let bearer = ("Authorization", "Bearer lab-admin");
    let path = "/api/v1/mailboxes/%ff/messages";
    assert_eq!(site.send("GET", path, &[bearer], &Bytes::new()).await.status, 400);
    assert_eq!(site.admin("GET", "/api/v1/mailboxes", "").await.status, 200);
}
