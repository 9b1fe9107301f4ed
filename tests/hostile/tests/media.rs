//! While a message is recorded, strangers talk into the port, and the caller's own phone sends nonsense. The message is
//! what was said.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tests_crash::Call;
use tests_foreign::audio;
use tests_hostile::Target;

/// What the caller's own packets say (`Call::speak`).
const CALLER: [u8; 4] = [0x0e, 0xa2, 0xc0, 0x4e];

/// RTP as the recording expects it, but for its numbers.
fn packet(source: [u8; 4], payload_type: u8, sequence: u16, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80, payload_type];
    packet.extend_from_slice(&sequence.to_be_bytes());
    packet.extend_from_slice(&(u32::from(sequence) * 160).to_be_bytes());
    packet.extend_from_slice(&source);
    packet.extend_from_slice(payload);
    packet
}

#[test]
fn a_recording_is_what_its_caller_said_whatever_else_arrives() {
    let mut target = Target::start(65);
    let greeting: Vec<i16> = (0..1600).map(|n| if n % 16 < 8 { 3000 } else { -3000 }).collect();
    let wav = target.lab.data.file("greeting.wav");
    audio::write_wav(&wav, &greeting);
    let put =
        target.lab.rest("PUT", "/api/v1/mailboxes/27000/greeting", Some(&std::fs::read(&wav).unwrap()), "audio/wav");
    assert!(put.status < 300, "{}", String::from_utf8_lossy(&put.body));
    let speech = audio::speech(4);
    let spoken = audio::g711(&speech, "al");

    let mut call = Call::divert(&target.lab.node(), &target.lab.um(), "27000").unwrap();
    call.wait_for_the_tone(Duration::from_secs(15), Duration::from_millis(250));
    // Telephone events cut short, of unknown kind, of endless duration.
    for (sequence, event) in (60_000..).zip([&b""[..], &[5], &[0xff; 4], &[11, 0x8a, 0xff]]) {
        call.send_datagram(&packet(CALLER, 101, sequence, event));
    }
    let stranger = UdpSocket::bind((target.stranger(), 0)).unwrap();
    stranger.connect(call.media_address()).unwrap();
    let over = AtomicBool::new(false);
    std::thread::scope(|threads| {
        threads.spawn(|| {
            // Loud: it would be heard in the message.
            let noise: Vec<u8> = (0..160).map(|n| if n % 8 < 4 { 0xaa } else { 0x2a }).collect();
            for sequence in 0..u16::MAX {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                let _ = stranger.send(&packet(CALLER, 8, sequence, &noise));
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        threads.spawn(|| {
            let nonsense: [Vec<u8>; 9] = [
                Vec::new(),
                vec![0x80],
                vec![0; 12],
                vec![0xff; 1500],
                // CSRC count, extension and padding that reach beyond the end.
                [vec![0x9f], packet(CALLER, 8, 1, b"")[1..].to_vec()].concat(),
                [vec![0xbf], packet(CALLER, 8, 1, &[0xff; 20])[1..].to_vec()].concat(),
                // Far from the caller's numbers, and no two in a row: RFC 3550 A.1 has them doubted.
                packet(CALLER, 8, 60_000, &[0x55; 60_000]),
                packet(CALLER, 101, 40_000, &[5]),
                packet(CALLER, 8, 20_000, &[0x2a; 160]),
            ];
            for datagram in nonsense.iter().cycle().take(200) {
                call.send_datagram(datagram);
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        call.speak(&spoken, || true);
        over.store(true, Ordering::Relaxed);
    });
    call.hang_up();

    let message = target.lab.wait_for_messages("27000", 1, Duration::from_secs(5)).remove(0);
    let path = format!("/api/v1/mailboxes/27000/messages/{}/audio", message["id"].as_str().unwrap());
    let heard = audio::decode(&target.lab.rest("GET", &path, None, "").body);
    let (likeness, _) = audio::correlation(&speech, &heard);
    assert!(likeness > 0.95, "the message is like what was said only by {likeness:.3}: {message}");
    let length = message["duration_s"].as_f64().unwrap();
    assert!((3.8..6.0).contains(&length), "{length} s were stored of 4 s spoken");
    target.serves_as_ever();
}
