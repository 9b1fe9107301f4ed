//! What open TLS connections cost the node: memory of each, and CPU of its handshake.
//!
//!     cargo build --release -p earcon -p bench && target/release/tls_connections [CONNECTIONS]
//!
//! `earcon node` runs on core 0, this bench on core 1 (`taskset`). CONNECTIONS (2,000) are opened from forty addresses one
//! after the other, each with a whole handshake (TLS 1.3, nothing resumed); each sends a REGISTER and reads the 401, so that what a
//! connection needs has been needed. Then they are idle. The same by TCP says what of it is TLS.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a measuring tool: it stops where something is wrong

use bench::Usage;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use socket2::{Domain, Socket, Type};
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tests_foreign::process::{Process, Scratch, earcon};

const ADDRESSES: usize = 40;
const NODE: Ipv4Addr = Ipv4Addr::new(127, 0, 178, 10);
/// The node has done what was asked of it, and its allocator has settled.
const SETTLED: Duration = Duration::from_secs(2);

fn main() {
    let connections = std::env::args().nth(1).map_or(2_000, |text| text.parse().expect("a number"));
    for secure in [false, true] {
        measure(connections, secure);
    }
}

fn certs(scratch: &Scratch, arguments: &[&str]) {
    let folder = scratch.path().display().to_string();
    let status = Command::new(earcon()).arg("certs").args(arguments).args(["--folder", &folder]).output().unwrap();
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stderr));
}

fn node(scratch: &Scratch) -> Process {
    certs(scratch, &["ca"]);
    certs(scratch, &["issue", "node.moon.galaxy", "--also", &NODE.to_string()]);
    let file = |name: &str| scratch.file(name).display().to_string();
    let config = format!(
        "data = \"{}\"\ndomain = \"moon.galaxy\"\n[sip]\naddress = \"{NODE}\"\n[media]\naddress = \"{NODE}\"\nports = [20000, 29999]\n\
         [tls]\ncertificate = \"{}\"\nkey = \"{}\"\ntrusted = [\"{}\"]\n",
        file("node"),
        file("node.moon.galaxy.crt"),
        file("node.moon.galaxy.key"),
        file("ca.crt")
    );
    std::fs::write(scratch.file("node.toml"), config).unwrap();
    let node = Process::start(
        Command::new("taskset")
            .args(["-c", "0"])
            .arg(earcon())
            .args(["node", "--config"])
            .arg(scratch.file("node.toml")),
    );
    node.wait_for("ready", Duration::from_secs(60));
    node
}

/// From one of forty addresses.
fn connect(number: usize, port: u16) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let from = Ipv4Addr::new(127, 0, 178, 100 + (number % ADDRESSES) as u8);
    socket.bind(&SocketAddr::new(IpAddr::V4(from), 0).into()).unwrap();
    socket.connect(&SocketAddr::new(IpAddr::V4(NODE), port).into()).unwrap();
    socket.into()
}

fn speak(stream: &mut (impl Read + Write), number: usize, transport: &str) {
    let register = format!(
        "REGISTER sip:{NODE} SIP/2.0\r\nVia: SIP/2.0/{transport} 127.0.178.1;branch=z9hG4bK{number}\r\n\
         From: <sip:{number}@{NODE}>;tag=1\r\nTo: <sip:{number}@{NODE}>\r\nCall-ID: {number}@bench\r\nCSeq: 1 REGISTER\r\n\
         Max-Forwards: 70\r\nContact: <sip:{number}@127.0.178.1>\r\nContent-Length: 0\r\n\r\n"
    );
    stream.write_all(register.as_bytes()).unwrap();
    stream.flush().unwrap();
    let mut answer = [0; 2000];
    let read = stream.read(&mut answer).unwrap();
    assert!(answer[..read].starts_with(b"SIP/2.0 "), "{}", String::from_utf8_lossy(&answer[..read]));
}

fn measure(connections: usize, secure: bool) {
    let scratch = Scratch::new("bench-tls");
    let node = node(&scratch);
    std::thread::sleep(SETTLED);
    let before = Usage::of(node.id());
    let begun = Instant::now();
    let mut plain = Vec::new();
    let mut encrypted = Vec::new();
    if secure {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(scratch.file("ca.crt")).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let mut config = config.with_root_certificates(roots).with_no_client_auth();
        config.resumption = rustls::client::Resumption::disabled();
        let config = Arc::new(config);
        for number in 0..connections {
            let name = ServerName::from(IpAddr::V4(NODE));
            let mut stream =
                StreamOwned::new(ClientConnection::new(config.clone(), name).unwrap(), connect(number, 5061));
            speak(&mut stream, number, "TLS");
            encrypted.push(stream);
        }
    } else {
        for number in 0..connections {
            let mut stream = connect(number, 5060);
            speak(&mut stream, number, "TCP");
            plain.push(stream);
        }
    }
    let took = begun.elapsed();
    std::thread::sleep(SETTLED);
    let after = Usage::of(node.id());
    let grown = after.resident_kib.saturating_sub(before.resident_kib);
    println!(
        "{} {connections} connections: {:.1} MiB over {:.1} MiB idle, {:.1} KiB and {:.0} us of CPU each; opened in {:.1} s",
        if secure { "TLS" } else { "TCP" },
        grown as f64 / 1024.0,
        before.resident_kib as f64 / 1024.0,
        grown as f64 / connections as f64,
        (after.cpu_ms - before.cpu_ms) * 1000.0 / connections as f64,
        took.as_secs_f64()
    );
    drop((plain, encrypted));
}
