//! What recording and relaying cost: CPU for each second of a call, memory for each call, packets lost.
//!
//!     cargo run --release -p bench --bin media_record -- [calls] [seconds]     (1000 60 unless told)
//!     cargo run --release -p bench --bin media_record -- srtp                  (what SRTP adds to a packet)
//!
//! The engine runs in a process of its own on one core, the phones in this one on another (`taskset`). Numbers are
//! reported, never asserted.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a bench that cannot go on has nothing to report

use bytes::Bytes;
use media::{
    Codec, Control, Engine, EngineConfig, MediaCommand, MediaEvent, RecordLimits, RecordTo, RecordingId, Spool, Stream,
};
use rtp::Header;
use rtp::srtp::{Inbound, Keying, MAX_TRAILER, Outbound, Suite};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

const ENGINE_IP: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 79, 1));
const TICKS_A_SECOND: u64 = 100; // USER_HZ, the same on every Linux

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("srtp") => srtp(),
        Some("engine") => engine(&arguments[1], arguments[2].parse().unwrap(), arguments[3].parse().unwrap()),
        Some("phones") => {
            let calls = arguments[1].parse().unwrap();
            let seconds = arguments[2].parse().unwrap();
            phones("record", calls, seconds);
            phones("relay", (calls / 4).max(1), seconds.min(20));
        }
        _ => {
            let calls = arguments.first().map_or("1000", String::as_str);
            let seconds = arguments.get(1).map_or("60", String::as_str);
            let program = std::env::current_exe().unwrap();
            let status =
                Command::new("taskset").args(["-c", "1"]).arg(program).args(["phones", calls, seconds]).status();
            assert!(status.unwrap().success());
        }
    }
}

/// What it costs to seal and to open a packet of 20 ms, for each suite: RTP alone costs neither. The stream goes on from
/// packet to packet, as in a call.
fn srtp() {
    const PACKETS: u32 = 1_000_000;
    for suite in [Suite::AesCm128HmacSha1_80, Suite::AesCm128HmacSha1_32, Suite::AeadAes128Gcm, Suite::AeadAes256Gcm] {
        let keying = Keying::new(suite, &vec![7; suite.key_len() + suite.salt_len()]).unwrap();
        let (mut out, mut inbound) = (Outbound::new(&keying).unwrap(), Inbound::new(&keying).unwrap());
        let (mut sealing, mut opening) = (Duration::ZERO, Duration::ZERO);
        let mut batch = vec![[0; 172 + MAX_TRAILER]; 1000];
        for first in (0..PACKETS).step_by(batch.len()) {
            for (n, packet) in (first..).zip(&mut batch) {
                let sequence = n as u16;
                let header = Header { marker: false, payload_type: 8, sequence, timestamp: n * 160, ssrc: 1 };
                packet[..12].copy_from_slice(&header.write());
                packet[12..172].fill(n as u8);
            }
            let start = Instant::now();
            let mut length = 0;
            for packet in &mut batch {
                length = out.protect_rtp(packet, 172).unwrap();
            }
            let sealed = Instant::now();
            sealing += sealed - start;
            for packet in &mut batch {
                assert_eq!(inbound.open_rtp(&mut packet[..length]), Ok(172));
            }
            opening += sealed.elapsed();
        }
        let each = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(PACKETS);
        println!("{suite:?}: {:.2} us to seal a packet, {:.2} us to open one", each(sealing), each(opening));
    }
}

/// User and system time of this process so far, in ms.
fn cpu_ms() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat[stat.rfind(')').unwrap() + 2..].split(' ').collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    ticks * 1000 / TICKS_A_SECOND
}

fn status(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn expected(call: usize, packet: u64) -> u8 {
    // Never a byte of silence, and loud.
    0x80 | ((call as u64 * 31 + packet * 7) % 64) as u8
}

/// The measured process. Speaks lines with the phones: addresses out, peers' addresses in.
fn engine(kind: &str, calls: usize, seconds: u64) {
    let folder = std::env::temp_dir().join(format!("earcon-bench-{}", std::process::id()));
    let (spool, _) = Spool::open(&folder).unwrap();
    let (sender, events) = channel();
    let config = EngineConfig { spool: Some(spool.clone()), ..EngineConfig::new(ENGINE_IP, 20000..=65000, [1; 32]) };
    let engine = Engine::start(config, move |event| drop(sender.send(event))).unwrap();
    let mut media = engine.control();
    let (rss_before, threads_before) = (status("VmRSS"), status("Threads"));
    let mut input = BufReader::new(std::io::stdin());
    let mut sessions = Vec::new();
    for n in 0..calls {
        let (session, address) = media.open().unwrap();
        println!("{address}");
        let mut line = String::new();
        input.read_line(&mut line).unwrap();
        media
            .command(MediaCommand::Connect { session, stream: Stream::new(line.trim().parse().unwrap(), Codec::Pcma) });
        if kind == "record" {
            let recording = RecordingId(n as u128);
            let limits = RecordLimits { idle: Duration::from_secs(120), ..RecordLimits::default() };
            let meta = Bytes::from_static(b"a message");
            media.command(MediaCommand::Record { session, recording, to: RecordTo::Spool, meta, limits });
        } else if n % 2 == 1 {
            media.command(MediaCommand::Relay { a: sessions[n - 1], b: session });
        }
        sessions.push(session);
    }
    println!("ready");
    let mut line = String::new();
    input.read_line(&mut line).unwrap(); // "start"
    let cpu_before = cpu_ms();
    line.clear();
    input.read_line(&mut line).unwrap(); // "end"
    let cpu = cpu_ms() - cpu_before;
    let (rss, threads) = (status("VmRSS"), status("Threads"));
    let calls_made = if kind == "record" { calls } else { calls / 2 };
    println!(
        "{kind}: {calls_made} calls of {seconds} s: {:.3} ms CPU for each second of a call, {:.1} KiB RSS a call ({} MiB in all), {threads} threads ({threads_before} without calls)",
        cpu as f64 / (calls_made as u64 * seconds) as f64,
        rss.saturating_sub(rss_before) as f64 / calls_made as f64,
        rss / 1024,
    );
    if kind == "record" {
        let cpu_before = cpu_ms();
        let hung_up = Instant::now();
        for session in sessions {
            media.command(MediaCommand::Close { session });
        }
        let mut durable = 0;
        while durable < calls {
            durable += usize::from(matches!(events.recv().unwrap(), MediaEvent::RecordDurable { .. }));
        }
        println!(
            "all hang up at once: all durable after {} ms, {:.3} ms CPU a call",
            hung_up.elapsed().as_millis(),
            (cpu_ms() - cpu_before) as f64 / calls as f64
        );
        let mut lost = 0;
        for call in 0..calls {
            let bytes = spool.read(RecordingId(call as u128)).unwrap().bytes;
            for packet in 0..seconds * 50 {
                let at = packet as usize * 160;
                let byte = expected(call, packet);
                lost += u64::from(bytes.get(at..at + 160) != Some(&[byte; 160][..]));
            }
        }
        println!("packets lost: {lost} of {}", calls as u64 * seconds * 50);
    }
    drop((media, engine, spool));
    std::fs::remove_dir_all(&folder).unwrap();
}

/// The other end of all calls.
fn phones(kind: &str, calls: usize, seconds: u64) {
    let streams = if kind == "record" { calls } else { calls * 2 };
    let program = std::env::current_exe().unwrap();
    let mut child = Command::new("taskset")
        .args(["-c", "0"])
        .arg(program)
        .args(["engine", kind, &streams.to_string(), &seconds.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut say, mut hear) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
    // One socket speaks for 50 phones: sockets here are no part of what is measured. Told apart by our address.
    let mut sockets: Vec<Arc<UdpSocket>> = Vec::new();
    let mut peers: Vec<(Arc<UdpSocket>, SocketAddr)> = Vec::new();
    for n in 0..streams {
        if n % 50 == 0 {
            sockets.push(Arc::new(UdpSocket::bind("127.0.79.2:0").unwrap()));
        }
        let mut line = String::new();
        hear.read_line(&mut line).unwrap();
        let socket = sockets[n / 50].clone();
        writeln!(say, "{}", socket.local_addr().unwrap()).unwrap();
        peers.push((socket, line.trim().parse().unwrap()));
    }
    let mut line = String::new();
    hear.read_line(&mut line).unwrap();
    assert_eq!(line.trim(), "ready");

    let heard = Arc::new(AtomicU64::new(0));
    let done = Arc::new(AtomicBool::new(false));
    let listeners: Vec<_> = sockets
        .iter()
        .filter(|_| kind == "relay")
        .map(|socket| {
            let (socket, heard, done) = (socket.clone(), heard.clone(), done.clone());
            // Reading now and then wakes nobody for each packet: waking our threads would be on the engine's account.
            socket.set_nonblocking(true).unwrap();
            std::thread::spawn(move || {
                let mut buffer = [0; 2000];
                while !done.load(Ordering::Relaxed) {
                    std::thread::sleep(Duration::from_millis(5));
                    while let Ok(length) = socket.recv(&mut buffer) {
                        // What is passed on carries our pattern; silence of the engine's own does not count.
                        if length == 172 && buffer[12] != Codec::Pcma.silence() {
                            heard.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
            })
        })
        .collect();

    writeln!(say, "start").unwrap();
    let start = Instant::now();
    for packet in 0..seconds * 50 {
        for slot in 0..20u64 {
            let due = start + Duration::from_millis(packet * 20 + slot);
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            for n in (slot as usize..streams).step_by(20) {
                let header = Header {
                    marker: packet == 0,
                    payload_type: 8,
                    sequence: packet as u16,
                    timestamp: (packet * 160) as u32,
                    ssrc: n as u32 + 1,
                };
                let mut datagram = [expected(n, packet); 172];
                datagram[..12].copy_from_slice(&header.write());
                let _ = peers[n].0.send_to(&datagram, peers[n].1);
            }
        }
    }
    std::thread::sleep(Duration::from_millis(300));
    writeln!(say, "end").unwrap();
    done.store(true, Ordering::Relaxed);
    listeners.into_iter().for_each(|listener| listener.join().unwrap());
    if kind == "relay" {
        let sent = streams as u64 * seconds * 50;
        println!("relay: {} of {sent} packets lost", sent.saturating_sub(heard.load(Ordering::Relaxed)));
    }
    let mut rest = String::new();
    hear.read_to_string(&mut rest).unwrap();
    print!("{rest}");
    assert!(child.wait().unwrap().success());
}
