//! HTTPS and the provisioning server as a client sees them: real sockets, real certificates, a stand-in for the node.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use event::Bus;
use pbx::{Fetch, Served};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use web::TlsFiles;
use web::provisioning::{Running, Settings, start};

struct Site {
    running: Running,
    files: TlsFiles,
    asked: Arc<Mutex<Vec<Fetch>>>,
    events: Bus,
    _folder: tempfile::TempDir,
}

/// Puts a new self-made pair into the files.
fn renew(files: &TlsFiles) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    std::fs::set_permissions(&files.key, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(&files.certificate, made.cert.pem()).unwrap();
}

fn files(folder: &Path) -> TlsFiles {
    TlsFiles { certificate: folder.join("server.crt"), key: folder.join("server.key") }
}

/// Serves `/known.cfg` to everybody, and to `/secret.cfg` says what the node would say of a phone.
async fn site() -> Site {
    let folder = tempfile::tempdir().unwrap();
    let files = files(folder.path());
    renew(&files);
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = asked.clone();
    let door: web::provisioning::FetchDoor = Arc::new(move |fetch: Fetch, reply| {
        let served = match fetch.path.as_str() {
            "/known.cfg" => Served::File { content_type: "text/plain; charset=utf-8", text: "key: value\n".into() },
            "/secret.cfg" => Served::Unproven,
            "/often.cfg" => Served::TooMany { seconds: 600 },
            _ => Served::Unknown,
        };
        seen.lock().unwrap().push(fetch);
        reply(served);
    });
    let here: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let settings = Settings { http: Some(here), https: Some((here, files.clone())) };
    let events = Bus::new();
    let running = start(&settings, door, &events).await.unwrap();
    Site { running, files, asked, events, _folder: folder }
}

/// A client that trusts the certificate that lies in the file now, and nothing else.
async fn tls(site: &Site) -> Result<TlsStream<TcpStream>, std::io::Error> {
    connect(&site.files, site.running.https.unwrap()).await
}

async fn connect(files: &TlsFiles, address: SocketAddr) -> Result<TlsStream<TcpStream>, std::io::Error> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&files.certificate).unwrap()).unwrap();
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(address).await?;
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost").unwrap(), stream).await
}

/// One request on a connection that stays open, and the whole of what is answered.
async fn ask(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), path: &str, headers: &str) -> String {
    say(stream, &format!("GET {path} HTTP/1.1\r\nHost: phones\r\n{headers}\r\n")).await
}

async fn say(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = Vec::new();
    loop {
        let whole = String::from_utf8_lossy(&text).into_owned();
        if let Some((head, body)) = whole.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if length.is_some_and(|length| body.len() >= length.parse().unwrap()) {
                return whole;
            }
        }
        let mut chunk = [0; 1024];
        let read = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut chunk)).await.unwrap().unwrap();
        assert!(read > 0, "the connection ended after {whole:?}");
        text.extend_from_slice(&chunk[..read]);
    }
}

#[tokio::test]
async fn a_file_comes_over_http_and_https_and_the_node_is_told_which() {
    let site = site().await;
    let mut plain = TcpStream::connect(site.running.http.unwrap()).await.unwrap();
    let mut secure = tls(&site).await.unwrap();
    for (stream, name) in [(&mut plain as &mut dyn Both, "plain"), (&mut secure, "secure")] {
        let mut stream = stream;
        let answer = ask(&mut stream, "/known.cfg?x=1", "Authorization: Basic QTpi\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("key: value\n"), "{name}: {answer}");
        assert!(answer.contains("cache-control: no-store") && answer.contains("content-type: text/plain"), "{answer}");
        let refused = ask(&mut stream, "/secret.cfg", "").await;
        assert!(refused.starts_with("HTTP/1.1 401") && refused.contains("www-authenticate: Basic"), "{refused}");
        let often = ask(&mut stream, "/often.cfg", "").await;
        assert!(often.starts_with("HTTP/1.1 429") && often.contains("retry-after: 600"), "{often}");
        assert!(ask(&mut stream, "/nothing", "").await.starts_with("HTTP/1.1 404"));
    }
    let asked = site.asked.lock().unwrap();
    assert_eq!((asked[0].secure, asked[4].secure), (false, true));
    assert_eq!(asked[0].path, "/known.cfg", "without its query");
    assert_eq!(asked[0].credentials, Some(("A".into(), "b".into())));
    assert_eq!(asked[1].credentials, None);
}

trait Both: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Both for T {}

#[tokio::test]
async fn a_renewed_certificate_is_used_without_ending_what_is_open() {
    let site = site().await;
    let mut old = tls(&site).await.unwrap();
    let subscription = site.events.subscribe();
    renew(&site.files);
    let mut new = None;
    for _ in 0..100 {
        // A client that trusts the new certificate alone.
        if let Ok(stream) = tls(&site).await {
            new = Some(stream);
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(ask(&mut new.expect("the new certificate within 10 s"), "/known.cfg", "").await.contains("key: value"));
    assert!(ask(&mut old, "/known.cfg", "").await.contains("key: value"), "what was open goes on");
    let told = subscription.records.recv_timeout(Duration::from_secs(1)).unwrap();
    assert_eq!(told.event.name(), "certificate_read");

    // One that can't be used is told of, and changes nothing.
    let good = std::fs::read(&site.files.certificate).unwrap();
    std::fs::write(&site.files.certificate, "no certificate").unwrap();
    let told = tokio::task::spawn_blocking(move || subscription.records.recv_timeout(Duration::from_secs(10)));
    let told = format!("{:?}", told.await.unwrap().unwrap().event);
    assert!(told.contains("holds no certificate") && told.contains("stays in use"), "{told}");
    std::fs::write(&site.files.certificate, good).unwrap();
    assert!(tls(&site).await.is_ok());
}

#[tokio::test]
async fn those_who_begin_a_handshake_and_stop_keep_nobody_out() {
    let site = site().await;
    let mut stuck = Vec::new();
    for n in 0..200_u32 {
        // From 127.0.1.x: one source has a share of its own only.
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from(([127, 0, 1, 1 + (n % 2) as u8], 0))).unwrap();
        let mut stream = socket.connect(site.running.https.unwrap()).await.unwrap();
        let _ = stream.write_all(&[22]).await;
        stuck.push(stream);
    }
    let mut phone = tls(&site).await.unwrap();
    assert!(ask(&mut phone, "/known.cfg", "").await.contains("key: value"));
    // The surplus was ended at once.
    let mut ended = 0;
    for stream in &mut stuck {
        let read = tokio::time::timeout(Duration::from_millis(20), stream.read(&mut [0])).await;
        ended += u32::from(matches!(read, Ok(Ok(0) | Err(_))));
    }
    assert_eq!(ended, 200 - 64);
}

#[tokio::test]
async fn plain_http_spoken_to_https_gets_nothing_and_harms_nobody() {
    let site = site().await;
    let mut stream = TcpStream::connect(site.running.https.unwrap()).await.unwrap();
    stream.write_all(b"GET /known.cfg HTTP/1.1\r\nHost: phones\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answer)).await.unwrap();
    assert!(!String::from_utf8_lossy(&answer).contains("key"));
    assert!(site.asked.lock().unwrap().is_empty());
    assert!(tls(&site).await.is_ok());
}

#[tokio::test]
async fn a_server_that_can_not_speak_https_says_why_and_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let files = files(folder.path());
    let here: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let settings = Settings { http: None, https: Some((here, files.clone())) };
    let door: web::provisioning::FetchDoor = Arc::new(|_, _| {});
    let error = start(&settings, door.clone(), &Bus::new()).await.unwrap_err().to_string();
    assert!(error.starts_with("provisioning: ") && error.contains("server.crt can't be read"), "{error}");
    renew(&files);
    let other = tempfile::tempdir().unwrap();
    let others = self::files(other.path());
    renew(&others);
    std::fs::copy(&others.key, &files.key).unwrap();
    let error = start(&settings, door, &Bus::new()).await.unwrap_err().to_string();
    assert!(error.contains("does not belong to the certificate"), "{error}");
}

#[tokio::test]
async fn the_pages_by_https_keep_their_cookie_and_their_origin_to_https() {
    let folder = tempfile::tempdir().unwrap();
    let files = files(folder.path());
    renew(&files);
    let settings = web::Settings {
        listen: "127.0.0.1:0".parse().unwrap(),
        hosts: vec!["localhost".into()],
        admin_tokens: vec!["lab-admin".into()],
        https: false,
        metrics: Vec::new(),
        tls: Some(files.clone()),
    };
    let parts = web::Parts {
        mailboxes: mailbox::Mailboxes::memory().await.unwrap(),
        um: Arc::new(|_, _, reply| reply(Err(um::commands::CommandError::Busy))),
        node: None,
        events: Bus::new(),
        metrics: web::metrics::Metrics::new(Bus::new()),
        store: None,
    };
    let running = web::start(settings, parts).await.unwrap();
    let mut stream = connect(&files, running.address()).await.unwrap();
    let body = "{\"token\": \"lab-admin\"}";
    let sign_in = |origin: &str| {
        let length = body.len();
        format!(
            "POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nOrigin: {origin}\r\nContent-Length: {length}\r\n\r\n{body}"
        )
    };
    let refused = say(&mut stream, &sign_in("http://localhost")).await;
    assert!(refused.starts_with("HTTP/1.1 403"), "plain HTTP is another origin: {refused}");
    let taken = say(&mut stream, &sign_in("https://localhost")).await;
    assert!(taken.starts_with("HTTP/1.1 201") && taken.contains("; Secure"), "{taken}");
    running.stop().await;
}
