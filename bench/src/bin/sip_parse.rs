//! How long a 1.5 kB INVITE with 20 headers takes to parse, and how many allocations. Reported, never asserted:
//! `cargo run --release -p bench --bin sip_parse`.
#![allow(unsafe_code)] // a counting allocator can only be written so; it forwards everything to the system's

use bytes::Bytes;
use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: all calls go to the system's allocator unchanged; only a number is added to.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as the caller promised.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const ROUNDS: u32 = 200_000;

fn invite() -> String {
    let body = "v=0\r\no=- 3847561 3847561 IN IP4 192.168.222.21\r\ns=-\r\nc=IN IP4 192.168.222.21\r\nt=0 0\r\n\
        m=audio 40012 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n\
        a=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n";
    let head = format!(
        "INVITE sip:43334@192.168.222.4:5060;transport=tcp SIP/2.0\r\n\
        Via: SIP/2.0/TCP 192.168.222.10:5060;branch=z9hG4bK-524287-1---d8754z8f1c;rport\r\n\
        Via: SIP/2.0/UDP 192.168.222.21:5060;branch=z9hG4bK-3f2a9c;received=192.168.222.21;rport=5060\r\n\
        Max-Forwards: 69\r\n\
        Record-Route: <sip:192.168.222.10;lr;transport=tcp>\r\n\
        Contact: <sip:27001@192.168.222.21:5060;transport=udp>;+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000a95a0e128>\"\r\n\
        To: <sip:43334@moon.galaxy>\r\n\
        From: \"Bj\u{f6}rn \u{c5}kesson\" <sip:27001@moon.galaxy>;tag=8d1f3a77\r\n\
        Call-ID: 4f6e2c1b-93d7-4a58-b1c9-7e0d5f3a2b61@192.168.222.10\r\n\
        CSeq: 102 INVITE\r\n\
        Session-Expires: 1800;refresher=uac\r\n\
        Min-SE: 90\r\n\
        Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK, REFER, NOTIFY, INFO, SUBSCRIBE\r\n\
        Supported: replaces, timer, 100rel, histinfo\r\n\
        User-Agent: Earcon/0.1.0\r\n\
        P-Asserted-Identity: \"Bj\u{f6}rn \u{c5}kesson\" <sip:27001@moon.galaxy>\r\n\
        Diversion: \"Anna Svensson\" <sip:27000@moon.galaxy>;reason=no-answer;counter=1;privacy=off;screen=no\r\n\
        History-Info: <sip:27000@moon.galaxy?Reason=SIP%3Bcause%3D408>;index=1, <sip:43334@192.168.222.4>;index=1.1;mp=1\r\n\
        Privacy: none\r\n\
        Content-Type: application/sdp\r\n\
        Content-Length: {}\r\n\r\n",
        body.len()
    );
    head + body
}

fn main() {
    let text = invite();
    let lines = text.split("\r\n\r\n").next().map_or(0, |head| head.lines().count().saturating_sub(1));
    println!("INVITE of {} bytes with {lines} headers", text.len());
    // Each round gets a buffer of its own, as from the socket; making it is not the parser's.
    for (name, rounds) in [("warming up", ROUNDS / 10), ("parse_datagram", ROUNDS)] {
        let mut inputs: Vec<Bytes> = Vec::with_capacity(32);
        let mut batches: Vec<f64> = Vec::new();
        let mut allocations = 0;
        for _ in 0..rounds / 32 {
            inputs.extend((0..32).map(|_| Bytes::copy_from_slice(text.as_bytes())));
            let before = ALLOCATIONS.load(Ordering::Relaxed);
            let start = Instant::now();
            for input in inputs.drain(..) {
                match sip::parse_datagram(input) {
                    Ok(message) => drop(black_box(message)),
                    Err(problem) => return println!("the INVITE was refused: {problem}"),
                }
            }
            batches.push(start.elapsed().as_secs_f64() * 1e6 / 32.0);
            allocations += ALLOCATIONS.load(Ordering::Relaxed) - before;
        }
        batches.sort_by(f64::total_cmp);
        let at = |part: f64| batches.get((batches.len() as f64 * part) as usize).copied().unwrap_or_default();
        println!(
            "{name}: {:.2} us (median of batches; fastest tenth {:.2}) and {:.1} allocations a message",
            at(0.5),
            at(0.1),
            allocations as f64 / (batches.len() as f64 * 32.0)
        );
    }
}
