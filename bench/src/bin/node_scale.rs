//! A large node: extensions configured by one script, started again, registered, and numbers analysed.
//!
//!     cargo build --release -p earcon -p bench && target/release/node_scale [EXTENSIONS] [A SECOND] [SECONDS]
//!
//! `earcon node` runs on core 0, this bench on core 1 (`taskset`). EXTENSIONS (100,000) get the lines that an administrator
//! writes, by `earcon mdsh` from one script; then the node is killed and started again; then A SECOND (5,000) phones a
//! second register by UDP for SECONDS (20): REGISTER, 401, REGISTER with digest, 200, from eighty addresses. What is not
//! answered within 500 ms is sent again, as RFC 3261 17.1.2.2 asks, and counted.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a measuring tool: it stops where something is wrong

use bench::{Usage, threads_cpu_ms};
use sip::digest::{Challenge, Ha1};
use sip::{Message, Method, Request, parse_datagram};
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::ErrorKind;
use std::net::UdpSocket;
use std::process::Command;
use std::time::{Duration, Instant};
use tests_foreign::process::{Process, Scratch, earcon};

const NET: &str = "127.0.120";
const DOMAIN: &str = "moon.galaxy";
/// Phones come from so many addresses.
const ADDRESSES: usize = 80;
/// RFC 3261 17.1.1.1: T1.
const PATIENCE: Duration = Duration::from_millis(500);

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<usize>().expect("a number"));
    let extensions = arguments.next().unwrap_or(100_000);
    let rate = arguments.next().unwrap_or(5_000);
    let seconds = arguments.next().unwrap_or(20);
    let scratch = Scratch::new("bench-scale");
    let config = format!(
        "data = \"{}\"\ndomain = \"{DOMAIN}\"\n[sip]\naddress = \"{NET}.10\"\n[media]\naddress = \"{NET}.10\"\nports = [20000, 29999]\n",
        scratch.file("node").display()
    );
    std::fs::write(scratch.file("node.toml"), config).unwrap();
    std::fs::write(scratch.file("script.mml"), script(extensions)).unwrap();

    let node = start(&scratch);
    let begun = Instant::now();
    let output = Command::new("taskset")
        .args(["-c", "1"])
        .arg(earcon())
        .args(["mdsh", "--data"])
        .arg(scratch.file("node"))
        .stdin(std::fs::File::open(scratch.file("script.mml")).unwrap())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let took = begun.elapsed().as_secs_f64();
    println!("{extensions} extensions configured in {took:.1} s (the script: {} kB)", size(&scratch, "script.mml"));
    report("node meanwhile", node.id());
    drop(node);

    let begun = Instant::now();
    let node = start(&scratch);
    println!("started again in {:.2} s", begun.elapsed().as_secs_f64());
    report("node after its start", node.id());
    register(&node, extensions, rate, seconds);
    report("node after the registrations", node.id());
}

fn size(scratch: &Scratch, name: &str) -> u64 {
    std::fs::metadata(scratch.file(name)).unwrap().len() / 1000
}

fn report(what: &str, id: u32) {
    let usage = Usage::of(id);
    let (resident, cpu) = (usage.resident_kib as f64 / 1024.0, usage.cpu_ms / 1000.0);
    println!("{what}: {resident:.0} MiB resident, {cpu:.2} s of CPU so far");
}

fn start(scratch: &Scratch) -> Process {
    let node = Process::start(
        Command::new("taskset")
            .args(["-c", "0"])
            .arg(earcon())
            .arg("node")
            .arg("--config")
            .arg(scratch.file("node.toml"))
            .env("RUST_LOG", "warn"),
    );
    node.wait_for("node ready", Duration::from_secs(60));
    node
}

fn number(n: usize) -> String {
    format!("{:06}", 200_000 + n)
}

fn script(extensions: usize) -> String {
    let mut script = String::new();
    writeln!(script, "number_initiate -numbertype EX -number {}..{}", number(0), number(extensions - 1)).unwrap();
    for n in 0..extensions {
        let dir = number(n);
        writeln!(script, "extension -i -d {dir} -l 1 --max-terminals 2").unwrap();
        writeln!(script, "ip_extension -i -d {dir} --protocol SIP").unwrap();
        writeln!(script, "name -i -d {dir} --name1 Anna --name2 Svensson{n}").unwrap();
        writeln!(script, "auth_code -i -d {dir} --auth-code moon-{dir}").unwrap();
        writeln!(script, "call_list -i -d {dir} --position 1 --dest-number {dir} --busy-position 0").unwrap();
    }
    script
}

/// A REGISTER on its way.
struct Sent {
    phone: usize,
    at: Instant,
    bytes: Vec<u8>,
}

/// A phone's next answer decides what it does.
#[derive(Clone, Copy, Default, PartialEq)]
enum State {
    #[default]
    Idle,
    Asked,
    Proven,
    Registered,
    Failed,
}

fn register(node: &Process, extensions: usize, rate: usize, seconds: usize) {
    // This thread alone, on the other core.
    let own = std::process::id().to_string();
    Command::new("taskset").args(["-cp", "1", &own]).output().unwrap();
    let sockets: Vec<UdpSocket> = (0..ADDRESSES)
        .map(|n| {
            let socket = UdpSocket::bind(format!("{NET}.{}:5060", 100 + n)).unwrap();
            socket.set_nonblocking(true).unwrap();
            socket.connect(format!("{NET}.10:5060")).unwrap();
            socket
        })
        .collect();
    let total = (rate * seconds).min(extensions);
    let mut states = vec![State::Idle; total];
    let mut waiting: VecDeque<Sent> = VecDeque::new();
    let (mut started, mut registered, mut failed, mut again) = (0, 0, 0, 0);
    let before = threads_cpu_ms(node.id());
    let begun = Instant::now();
    let mut buffer = [0_u8; 4096];
    while registered + failed < total && begun.elapsed() < Duration::from_secs(seconds as u64 * 3 + 10) {
        // As many as are due by now, so that a slow node is not waited for.
        let due = ((begun.elapsed().as_secs_f64() * rate as f64) as usize).min(total);
        while started < due {
            states[started] = State::Asked;
            send(&sockets, &mut waiting, started, request(started, 1, None));
            started += 1;
        }
        let mut idle = true;
        for socket in &sockets {
            let size = match socket.recv(&mut buffer) {
                Ok(size) => size,
                Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
                Err(error) => panic!("{error}"),
            };
            idle = false;
            let response = match parse_datagram(bytes::Bytes::copy_from_slice(&buffer[..size])) {
                Ok(Message::Response(response)) => response,
                Ok(Message::Request(lamp)) => {
                    let _ = socket.send(&lamp.response(200).to_bytes());
                    continue;
                }
                Err(_) => continue,
            };
            let phone: usize = response.call_id().unwrap().split('@').next().unwrap().parse().unwrap();
            match (response.status, states[phone]) {
                (401, State::Asked) => {
                    let challenge = Challenge::strongest(&response.headers).expect("a challenge");
                    states[phone] = State::Proven;
                    send(&sockets, &mut waiting, phone, request(phone, 2, Some(&challenge)));
                }
                (200, State::Proven) => {
                    states[phone] = State::Registered;
                    registered += 1;
                }
                // An answer to what was sent again.
                (401, State::Proven) | (200, State::Registered) => {}
                (status, _) if status >= 200 => {
                    println!("{phone}: {status}");
                    states[phone] = State::Failed;
                    failed += 1;
                }
                _ => {}
            }
        }
        while let Some(sent) = waiting.front().filter(|sent| sent.at.elapsed() > PATIENCE) {
            let sequence = if states[sent.phone] == State::Asked { 1 } else { 2 };
            let open = matches!(states[sent.phone], State::Asked | State::Proven);
            let sent = waiting.pop_front().unwrap();
            if open && String::from_utf8_lossy(&sent.bytes).contains(&format!("CSeq: {sequence} R")) {
                again += 1;
                send(&sockets, &mut waiting, sent.phone, sent.bytes);
            }
        }
        if idle {
            std::thread::sleep(Duration::from_micros(200));
        }
    }
    let took = begun.elapsed().as_secs_f64();
    let after = threads_cpu_ms(node.id());
    println!(
        "{registered} of {total} registered in {took:.1} s: {:.0} a second; {failed} failed, {again} sent again",
        registered as f64 / took
    );
    let mut all = 0.0;
    for (name, spent) in after {
        let earlier: f64 = before.iter().filter(|(other, _)| *other == name).map(|(_, spent)| spent).sum();
        let each = (spent - earlier) * 1000.0 / registered as f64;
        all += each;
        if each > 0.5 {
            println!("  {name}: {each:.0} us a registration");
        }
    }
    println!("  CPU: {all:.0} us a registration, so {:.0} a second on one core", 1e6 / all);
}

fn send(sockets: &[UdpSocket], waiting: &mut VecDeque<Sent>, phone: usize, bytes: Vec<u8>) {
    // A full buffer is a lost datagram.
    let _ = sockets[phone % ADDRESSES].send(&bytes);
    waiting.push_back(Sent { phone, at: Instant::now(), bytes });
}

fn request(phone: usize, sequence: u32, challenge: Option<&Challenge>) -> Vec<u8> {
    let (dir, address) = (number(phone), 100 + phone % ADDRESSES);
    let mut text = format!(
        "REGISTER sip:{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/UDP {NET}.{address}:5060;branch=z9hG4bK-{phone}-{sequence};rport\r\n\
         Max-Forwards: 70\r\nFrom: <sip:{dir}@{DOMAIN}>;tag={phone}\r\nTo: <sip:{dir}@{DOMAIN}>\r\n\
         Call-ID: {phone}@{NET}.{address}\r\nCSeq: {sequence} REGISTER\r\nContact: <sip:{dir}@{NET}.{address}:5060>\r\n\
         Expires: 3600\r\nUser-Agent: Bench\r\nAllow: INVITE, ACK, CANCEL, BYE, NOTIFY, OPTIONS\r\n"
    );
    if let Some(challenge) = challenge {
        let ha1 = Ha1::new(&dir, &challenge.realm, &format!("moon-{dir}"));
        let uri = format!("sip:{DOMAIN}");
        let mut asked = Request::new(Method::Register, uri.parse().unwrap());
        challenge.answer(&dir, &ha1, &Method::Register, &uri, 1, "bench").put_into(&mut asked.headers);
        for (name, value) in asked.headers.iter() {
            write!(text, "{name}: {value}\r\n").unwrap();
        }
    }
    (text + "Content-Length: 0\r\n\r\n").into_bytes()
}
