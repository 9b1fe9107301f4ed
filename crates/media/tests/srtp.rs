//! SRTP on real sockets: recorded, played, relayed, changed in mid-call, and attacked.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed

use media::{
    Clip, Codec, Control, Dropped, Engine, EngineConfig, Media, MediaCommand, MediaEvent, PlayId, RecordLimits,
    RecordTo, RecordingId, SessionId, Srtp, Stream, Tape,
};
use rtp::srtp::{Inbound, Keying, MAX_TRAILER, Outbound, Suite};
use rtp::{EventReceiver, EventSender, Header, KeyPress, Packet, event_of};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(5);
/// Commands have been carried out, and packets taken.
const SETTLED: Duration = Duration::from_millis(150);
const SUITES: [Suite; 4] =
    [Suite::AesCm128HmacSha1_80, Suite::AesCm128HmacSha1_32, Suite::AeadAes128Gcm, Suite::AeadAes256Gcm];

fn keying(suite: Suite, fill: u8) -> Keying {
    Keying::new(suite, &vec![fill; suite.key_len() + suite.salt_len()]).unwrap()
}

struct House {
    _engine: Engine,
    media: Media,
    events: Receiver<MediaEvent>,
}

impl House {
    /// Each test has a loopback address of its own, so that they run side by side.
    fn new(address: u8) -> House {
        let (sender, events) = channel();
        let bind = IpAddr::V4(Ipv4Addr::new(127, 0, 79, address));
        let engine =
            Engine::start(EngineConfig::new(bind, 30000..=30099, [7; 32]), move |event| drop(sender.send(event)));
        let engine = engine.unwrap();
        House { media: engine.control(), _engine: engine, events }
    }

    fn call(&mut self, crypto: Option<Suite>) -> Peer {
        let (session, address) = self.media.open().unwrap();
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut peer = Peer { socket, session, address, sequence: 0, stream: None, outbound: None, inbound: None };
        peer.connect(self, crypto.map(|suite| (suite, 1, 2)));
        peer
    }

    fn dropped(&self) -> Dropped {
        loop {
            if let MediaEvent::Dropped { dropped, .. } = self.events.recv_timeout(PATIENCE).expect("news of drops") {
                return dropped;
            }
        }
    }

    fn record(&mut self, session: SessionId) -> Tape {
        let (tape, recording) = (Tape::new(), RecordingId(session.0.into()));
        let (to, limits) = (RecordTo::Tape(tape.clone()), RecordLimits::default());
        self.media.command(MediaCommand::Record { session, recording, to, meta: Vec::new().into(), limits });
        // What is in the socket when it begins is not recorded.
        std::thread::sleep(SETTLED);
        tape
    }

    /// Ends the recording, and gives all that it holds.
    fn recorded(&mut self, session: SessionId, tape: &Tape) -> Vec<(u8, usize)> {
        self.media.command(MediaCommand::StopRecord { session });
        while !matches!(self.events.recv_timeout(PATIENCE).unwrap(), MediaEvent::RecordEnded { .. }) {}
        runs(&tape.encoded().map(|(_, bytes)| bytes).unwrap_or_default())
    }
}

/// A phone at the other end.
struct Peer {
    socket: UdpSocket,
    session: SessionId,
    address: SocketAddr,
    sequence: u16,
    stream: Option<Stream>,
    outbound: Option<Outbound>,
    inbound: Option<Inbound>,
}

impl Peer {
    /// Negotiates (anew): suite, our key's fill, its key's fill.
    fn connect(&mut self, house: &mut House, crypto: Option<(Suite, u8, u8)>) {
        let mut stream = Stream::new(self.socket.local_addr().unwrap(), Codec::Pcma);
        (stream.dtmf, stream.dtmf_receive) = (Some(101), Some(101));
        stream.srtp = crypto.map(|(suite, ours, its)| Srtp { send: keying(suite, ours), receive: keying(suite, its) });
        if let Some(keys) = stream.srtp {
            (self.outbound, self.inbound) = (Outbound::new(&keys.receive), Inbound::new(&keys.send));
        }
        self.stream = Some(stream.clone());
        house.media.command(MediaCommand::Connect { session: self.session, stream });
    }

    fn packet(&mut self, payload_type: u8, marker: bool, timestamp: u32, payload: &[u8]) -> Vec<u8> {
        let header = Header { marker, payload_type, sequence: self.sequence, timestamp, ssrc: 5 };
        self.sequence = self.sequence.wrapping_add(1);
        let plain = [&header.write()[..], payload].concat();
        let Some(outbound) = &mut self.outbound else { return plain };
        let mut buffer = [&plain[..], &[0; MAX_TRAILER]].concat();
        let length = outbound.protect_rtp(&mut buffer, plain.len()).unwrap();
        buffer.truncate(length);
        buffer
    }

    fn send(&self, packet: &[u8]) {
        self.socket.send_to(packet, self.address).unwrap();
    }

    /// Numbered packets of 20 ms.
    fn say(&mut self, numbers: std::ops::Range<u8>) {
        for n in numbers {
            let packet = self.packet(8, false, u32::from(n) * 160, &[n; 160]);
            self.send(&packet);
        }
    }

    fn press(&mut self, key: char) {
        let mut sender = EventSender::new(event_of(key).unwrap(), 70_000, 800);
        while let Some(event) = sender.next(160) {
            let packet = self.packet(101, event.marker, event.timestamp, &event.payload);
            self.send(&packet);
        }
    }

    /// The next packet, which must be authentic.
    fn hear(&mut self) -> (Header, Vec<u8>) {
        let mut buffer = [0; 2000];
        let mut length = self.socket.recv(&mut buffer).expect("a packet");
        if let Some(inbound) = &mut self.inbound {
            length = inbound.open_rtp(&mut buffer[..length]).expect("an authentic packet");
        }
        let packet = Packet::parse(&buffer[..length]).unwrap();
        (packet.header, buffer[packet.payload].to_vec())
    }

    /// The next packet that is no silence of ours.
    fn hear_speech(&mut self) -> (Header, Vec<u8>) {
        loop {
            let (header, payload) = self.hear();
            if payload.iter().any(|byte| !matches!(byte, 0xd5 | 0xff)) {
                return (header, payload);
            }
        }
    }
}

/// Bytes as they were said, and how many of each.
fn runs(bytes: &[u8]) -> Vec<(u8, usize)> {
    bytes.chunk_by(|a, b| a == b).map(|run| (run[0], run.len())).collect()
}

fn frames(numbers: std::ops::Range<u8>) -> Vec<(u8, usize)> {
    numbers.map(|n| (n, 160)).collect()
}

#[test]
fn what_comes_in_encrypted_is_recorded_to_the_sample() {
    let mut house = House::new(1);
    for suite in SUITES {
        let mut peer = house.call(Some(suite));
        let tape = house.record(peer.session);
        peer.say(1..100);
        std::thread::sleep(SETTLED);
        assert_eq!(house.recorded(peer.session, &tape), frames(1..100), "{suite:?}");
    }
}

#[test]
fn what_is_played_and_pressed_goes_out_encrypted() {
    let mut house = House::new(2);
    for suite in SUITES {
        let mut peer = house.call(Some(suite));
        let clips = vec![Arc::new(Clip::from_encoded(Codec::Pcma, vec![9; 480]))];
        let (session, play) = (peer.session, PlayId(1));
        house.media.command(MediaCommand::Play { session, play, clips, barge_in: false, repeat: false });
        assert_eq!(peer.hear_speech().1, [9; 160], "{suite:?}");
        let (tone, gap) = (Duration::from_millis(60), Duration::from_millis(40));
        house.media.command(MediaCommand::SendKeys { session, keys: "7".into(), tone, gap });
        let mut keys = EventReceiver::new();
        let pressed = loop {
            let (header, payload) = peer.hear();
            if header.payload_type == 101 {
                let presses = keys.receive(header.marker, header.timestamp, &payload, Instant::now());
                if let Some(KeyPress::Up(key, _)) = presses.into_iter().flatten().last() {
                    break key;
                }
            }
        };
        assert_eq!(pressed, '7');
    }
}

#[test]
fn a_phone_without_srtp_talks_with_one_that_has_it_and_keys_pass() {
    let mut house = House::new(3);
    for (first, second) in [
        (None, Some(Suite::AesCm128HmacSha1_80)),
        (Some(Suite::AeadAes256Gcm), None),
        (Some(Suite::AesCm128HmacSha1_32), Some(Suite::AeadAes128Gcm)),
    ] {
        let (mut a, mut b) = (house.call(first), house.call(second));
        house.media.command(MediaCommand::Relay { a: a.session, b: b.session });
        std::thread::sleep(SETTLED);
        a.say(1..6);
        b.say(11..16);
        for n in 1..6 {
            assert_eq!(b.hear_speech().1, [n; 160], "{first:?} to {second:?}");
            assert_eq!(a.hear_speech().1, [n + 10; 160], "{second:?} to {first:?}");
        }
        a.press('5');
        let mut keys = EventReceiver::new();
        let (header, payload) = b.hear_speech();
        assert_eq!(header.payload_type, 101);
        let presses = keys.receive(header.marker, header.timestamp, &payload, Instant::now());
        assert_eq!(presses.into_iter().flatten().next(), Some(KeyPress::Down('5')));
        for session in [a.session, b.session] {
            house.media.command(MediaCommand::Close { session });
        }
    }
}

#[test]
fn a_flipped_bit_a_replay_and_clear_text_are_dropped_and_counted() {
    let mut house = House::new(4);
    let mut peer = house.call(Some(Suite::AesCm128HmacSha1_80));
    let tape = house.record(peer.session);
    peer.say(1..3);
    let mut flipped = peer.packet(8, false, 3 * 160, &[3; 160]);
    flipped[100] ^= 0x10;
    peer.send(&flipped);
    let again = peer.packet(8, false, 4 * 160, &[4; 160]);
    peer.send(&again);
    peer.send(&again);
    let header = Header { marker: false, payload_type: 8, sequence: 9, timestamp: 5 * 160, ssrc: 5 };
    peer.send(&[&header.write()[..], &[5; 160]].concat());
    peer.say(5..7);
    assert_eq!(house.dropped(), Dropped { forged: 2, replayed: 1 });
    let lost = [frames(1..3), vec![(0xd5, 160)], frames(4..7)].concat();
    assert_eq!(house.recorded(peer.session, &tape), lost);
}

/// RFC 3711 3.3.1: the counter of a peer's wraps is nowhere in its packets.
#[test]
fn a_call_goes_on_when_its_sequence_numbers_roll_over_and_its_keys_are_the_same_after_a_hold() {
    let mut house = House::new(7);
    for suite in SUITES {
        let mut peer = house.call(Some(suite));
        let tape = house.record(peer.session);
        peer.sequence = 65_530;
        peer.say(1..10);
        // Hold and resume under the same keys: the roll-over counter stays.
        let (session, stream) = (peer.session, peer.stream.clone().unwrap());
        house.media.command(MediaCommand::Connect { session, stream });
        peer.say(10..20);
        assert_eq!(house.recorded(peer.session, &tape), frames(1..20), "{suite:?}");
        house.media.command(MediaCommand::Close { session });
    }
}

#[test]
fn keys_change_in_mid_call_and_nothing_is_lost() {
    let mut house = House::new(5);
    for suite in SUITES {
        let mut peer = house.call(Some(suite));
        let tape = house.record(peer.session);
        peer.say(1..10);
        let on_its_way = peer.packet(8, false, 10 * 160, &[10; 160]);
        peer.connect(&mut house, Some((suite, 11, 12)));
        std::thread::sleep(SETTLED);
        peer.send(&on_its_way);
        peer.say(11..20);
        let clips = vec![Arc::new(Clip::from_encoded(Codec::Pcma, vec![9; 480]))];
        let (session, play) = (peer.session, PlayId(1));
        house.media.command(MediaCommand::Play { session, play, clips, barge_in: false, repeat: false });
        std::thread::sleep(SETTLED);
        assert_eq!(house.recorded(peer.session, &tape), frames(1..20), "{suite:?}");
        // Nothing of ours was sent before the change that is not silence under the old key.
        let spoken = std::iter::from_fn(|| {
            let mut buffer = [0; 2000];
            let length = peer.socket.recv(&mut buffer).ok()?;
            let opened = peer.inbound.as_mut().and_then(|inbound| inbound.open_rtp(&mut buffer[..length]).ok());
            Some(opened.is_some_and(|length| buffer[12..length] == [9; 160]))
        });
        assert!(spoken.take(10).any(|spoken| spoken), "{suite:?}: spoken under the new key");
        house.media.command(MediaCommand::Close { session });
    }
}

#[test]
fn reports_are_encrypted_too() {
    let mut house = House::new(6);
    let suite = Suite::AeadAes128Gcm;
    let (session, _) = house.media.open().unwrap();
    // The peer's RTCP port is the one above its RTP port.
    let (socket, rtcp) = loop {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let above = socket.local_addr().unwrap().port().checked_add(1);
        if let Some(rtcp) = above.and_then(|port| UdpSocket::bind(("127.0.0.1", port)).ok()) {
            break (socket, rtcp);
        }
    };
    rtcp.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut stream = Stream::new(socket.local_addr().unwrap(), Codec::Pcma);
    stream.srtp = Some(Srtp { send: keying(suite, 1), receive: keying(suite, 2) });
    house.media.command(MediaCommand::Connect { session, stream });
    std::thread::sleep(SETTLED);
    house.media.command(MediaCommand::Close { session });
    let mut inbound = Inbound::new(&keying(suite, 1)).unwrap();
    let mut buffer = [0; 500];
    let length = rtcp.recv(&mut buffer).expect("a goodbye");
    assert!(rtp::read_rtcp(&buffer[..length]).is_err_and(|_| true) || buffer[8..length].iter().any(|byte| *byte != 0));
    let length = inbound.open_rtcp(&mut buffer[..length]).expect("authentic");
    assert!(rtp::read_rtcp(&buffer[..length]).unwrap().bye.is_some());
}
