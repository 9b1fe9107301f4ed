//! The engine on real sockets: a few packets each way, never longer than it takes to play them.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed

use media::{
    Clip, Codec, Control, Direction, Engine, EngineConfig, Keys, Media, MediaCommand, MediaEvent, PlayEnd, PlayId,
    RecordEnd, RecordLimits, RecordTo, RecordingId, SessionId, Source, Spool, Stream, Tape,
};
use rtp::{EventSender, Header, Packet, event_of};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(5);

struct House {
    engine: Engine,
    media: Media,
    events: Receiver<MediaEvent>,
}

impl House {
    /// Each test has a loopback address of its own, so that they run side by side.
    fn new(address: u8, threads: usize) -> House {
        House::with_spool(address, threads, None)
    }

    fn with_spool(address: u8, threads: usize, spool: Option<Spool>) -> House {
        let (sender, events) = channel();
        let bind = IpAddr::V4(Ipv4Addr::new(127, 0, 78, address));
        let config = EngineConfig { threads, spool, ..EngineConfig::new(bind, 30000..=30099, [7; 32]) };
        let engine = Engine::start(config, move |event| drop(sender.send(event))).unwrap();
        House { media: engine.control(), engine, events }
    }

    /// A session connected to a new peer.
    fn call(&mut self, change: impl FnOnce(&mut Stream)) -> (SessionId, Peer) {
        let (session, address) = self.media.open().unwrap();
        assert_eq!(address.port() % 2, 0);
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut stream = Stream::new(socket.local_addr().unwrap(), Codec::Pcma);
        stream.dtmf = Some(101);
        stream.dtmf_receive = Some(101);
        change(&mut stream);
        let peer = Peer { socket, address, sequence: 0, ssrc: 5, payload_type: stream.payload_type };
        self.media.command(MediaCommand::Connect { session, stream });
        (session, peer)
    }

    fn next(&self) -> MediaEvent {
        loop {
            let event = self.events.recv_timeout(PATIENCE).expect("an event");
            if !matches!(event, MediaEvent::Latched { .. }) {
                return event;
            }
        }
    }
}

/// A phone at the other end.
struct Peer {
    socket: UdpSocket,
    address: SocketAddr,
    sequence: u16,
    ssrc: u32,
    payload_type: u8,
}

impl Peer {
    fn send(&mut self, payload_type: u8, marker: bool, timestamp: u32, payload: &[u8]) {
        let header = Header { marker, payload_type, sequence: self.sequence, timestamp, ssrc: self.ssrc };
        self.sequence = self.sequence.wrapping_add(1);
        self.socket.send_to(&[&header.write()[..], payload].concat(), self.address).unwrap();
    }

    /// Numbered packets of 20 ms.
    fn say(&mut self, numbers: std::ops::Range<u8>) {
        for n in numbers {
            self.send(self.payload_type, false, u32::from(n) * 160, &[n; 160]);
        }
    }

    fn press(&mut self, key: char, timestamp: u32) {
        let mut sender = EventSender::new(event_of(key).unwrap(), timestamp, 800);
        while let Some(event) = sender.next(160) {
            self.send(101, event.marker, event.timestamp, &event.payload);
        }
    }

    fn hear(&self) -> (Header, Vec<u8>) {
        let mut buffer = [0; 2000];
        let length = self.socket.recv(&mut buffer).expect("a packet");
        let packet = Packet::parse(&buffer[..length]).unwrap();
        (packet.header, buffer[packet.payload].to_vec())
    }

    /// The next packet that is no silence of ours.
    fn hear_speech(&self) -> (Header, Vec<u8>) {
        loop {
            let (header, payload) = self.hear();
            if payload.iter().any(|byte| !matches!(byte, 0xd5 | 0xff)) {
                return (header, payload);
            }
        }
    }
}

fn clip(bytes: Vec<u8>) -> Arc<Clip> {
    Arc::new(Clip::from_encoded(Codec::Pcma, bytes))
}

#[test]
fn a_clip_reaches_the_peer_byte_for_byte() {
    let mut house = House::new(1, 1);
    let (session, peer) = house.call(|_| {});
    let audio: Vec<u8> = (0..1600u32).map(|n| n as u8).collect();
    let (play, clips) = (PlayId(3), vec![clip(audio.clone())]);
    house.media.command(MediaCommand::Play { session, play, clips, barge_in: false, repeat: false });
    let (first, mut heard) = peer.hear_speech();
    while heard.len() < 1600 {
        let (header, payload) = peer.hear();
        assert_eq!(header.ssrc, first.ssrc);
        heard.extend(payload);
    }
    assert_eq!(heard, audio);
    let played = Duration::from_millis(200);
    assert_eq!(house.next(), MediaEvent::PlayEnded { session, play, played, reason: PlayEnd::Finished });
}

#[test]
fn clips_are_joined_to_the_sample() {
    let mut house = House::new(32, 1);
    let (session, peer) = house.call(|_| {});
    // None of them ends with a packet.
    let parts: Vec<Vec<u8>> =
        [500_u32, 333, 1, 777, 159, 1430].map(|n| (0..n).map(|i| (i % 97) as u8).collect()).to_vec();
    let whole = parts.concat();
    let (play, clips) = (PlayId(3), parts.into_iter().map(clip).collect());
    house.media.command(MediaCommand::Play { session, play, clips, barge_in: false, repeat: false });
    let (first, mut heard) = peer.hear_speech();
    let mut next = first.timestamp.wrapping_add(160);
    while heard.len() < whole.len() {
        let (header, payload) = peer.hear();
        assert_eq!(header.timestamp, next, "no gap in time");
        next = next.wrapping_add(160);
        heard.extend(payload);
    }
    assert_eq!(heard[..whole.len()], whole, "and none in what is heard");
}

#[test]
fn what_the_peer_says_is_on_the_tape_when_it_hangs_up() {
    let mut house = House::new(2, 1);
    let (session, mut peer) = house.call(|_| {});
    let (tape, recording) = (Tape::new(), RecordingId(1));
    peer.say(0..3); // before the tone: not recorded
    let limits = RecordLimits { idle: Duration::from_secs(60), ..RecordLimits::default() };
    let meta = bytes::Bytes::new();
    let to = RecordTo::Tape(tape.clone());
    house.media.command(MediaCommand::Record { session, recording, to, meta, limits });
    // A packet of ours shows that the command has been carried out.
    let play =
        MediaCommand::Play { session, play: PlayId(0), clips: vec![clip(vec![1])], barge_in: false, repeat: false };
    house.media.command(play);
    house.next();
    peer.say(10..60);
    house.media.command(MediaCommand::Close { session });
    let MediaEvent::RecordEnded { reason, duration, loud, .. } = house.next() else { panic!() };
    assert_eq!((reason, duration), (RecordEnd::Closed, Duration::from_secs(1)));
    assert!(loud > Duration::ZERO);
    let expected: Vec<u8> = (10..60).flat_map(|n| [n; 160]).collect();
    assert_eq!(tape.encoded(), Some((Codec::Pcma, expected)));
    assert_eq!(tape.samples().len(), 8000);
}

#[test]
fn a_key_stops_the_prompt_and_is_told_once() {
    let mut house = House::new(3, 1);
    let (session, mut peer) = house.call(|_| {});
    let (play, clips) = (PlayId(3), vec![clip(vec![1; 80_000])]);
    house.media.command(MediaCommand::Play { session, play, clips, barge_in: true, repeat: false });
    peer.hear_speech();
    peer.press('7', 1000);
    assert!(matches!(house.next(), MediaEvent::PlayEnded { reason: PlayEnd::Key, .. }));
    assert_eq!(house.next(), MediaEvent::Key { session, digit: '7', duration_ms: 100 });
}

#[test]
fn a_key_ends_a_recording() {
    let mut house = House::new(4, 1);
    let (session, mut peer) = house.call(|_| {});
    let to = RecordTo::Tape(Tape::new());
    let (recording, meta) = (RecordingId(1), bytes::Bytes::new());
    let limits = RecordLimits { stop_keys: media::Keys::of("#"), ..RecordLimits::default() };
    house.media.command(MediaCommand::Record { session, recording, to, meta, limits });
    peer.press('1', 0);
    assert!(matches!(house.next(), MediaEvent::Key { digit: '1', .. }));
    peer.press('#', 5000);
    assert!(matches!(house.next(), MediaEvent::RecordEnded { reason: RecordEnd::Key, .. }));
    assert!(matches!(house.next(), MediaEvent::Key { digit: '#', .. }));
}

#[test]
fn recording_to_a_spool_that_is_not_there_fails_at_once() {
    let mut house = House::new(5, 1);
    let (session, _peer) = house.call(|_| {});
    let (recording, meta, limits) = (RecordingId(1), bytes::Bytes::new(), RecordLimits::default());
    house.media.command(MediaCommand::Record { session, recording, to: RecordTo::Spool, meta, limits });
    assert!(matches!(house.next(), MediaEvent::RecordEnded { reason: RecordEnd::Failed, .. }));
}

fn relay_carries_both_ways(address: u8, threads: usize) {
    let mut house = House::new(address, threads);
    let (a, mut phone) = house.call(|_| {});
    let (b, mut trunk) = house.call(|stream| {
        stream.codec = Codec::Pcmu;
        stream.payload_type = 0;
        stream.dtmf = Some(96);
    });
    house.media.command(MediaCommand::Relay { a, b });
    // Until both are known to be relayed: the first that comes through.
    let mut first = None;
    for n in 0..100u8 {
        phone.say(n..n + 1);
        trunk.socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let mut buffer = [0; 2000];
        if let Ok(length) = trunk.socket.recv(&mut buffer)
            && length == 172
            && buffer[12..length].iter().any(|byte| *byte != 0xff)
        {
            first = Some((n, Packet::parse(&buffer[..length]).unwrap().header, buffer[12..length].to_vec()));
            break;
        }
    }
    trunk.socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let (n, first, payload) = first.expect("a relayed packet");
    let mut expected = [n; 160];
    rtp::transcode(Codec::Pcma, Codec::Pcmu, &mut expected);
    assert_eq!((first.payload_type, &payload[..]), (0, &expected[..]));
    assert_ne!(first.ssrc, phone.ssrc);

    phone.say(n + 1..n + 4);
    for step in 1..4u8 {
        let (header, _) = trunk.hear();
        assert_eq!(header.sequence, first.sequence.wrapping_add(u16::from(step)));
        assert_eq!(header.timestamp, first.timestamp.wrapping_add(u32::from(step) * 160));
        assert_eq!(header.ssrc, first.ssrc);
    }
    phone.press('5', u32::from(n + 4) * 160);
    let events: Vec<_> = (0..7).map(|_| trunk.hear()).collect();
    assert!(events.iter().all(|(header, payload)| header.payload_type == 96 && payload[0] == 5));
    assert!(events[0].0.marker && events[6].1[1] & 0x80 != 0);

    // CSRCs, extension and padding stay behind.
    let timestamp = u32::from(n + 20) * 160;
    let mut datagram =
        Header { marker: false, payload_type: 8, sequence: phone.sequence, timestamp, ssrc: 5 }.write().to_vec();
    phone.sequence += 1;
    datagram[0] |= 0x20 | 0x10 | 1;
    datagram.extend([1, 2, 3, 4, 0xbe, 0xde, 0, 1, 9, 9, 9, 9]);
    datagram.extend([0xd4; 160]);
    datagram.extend([0, 0, 3]);
    phone.socket.send_to(&datagram, phone.address).unwrap();
    let (header, payload) = trunk.hear_speech();
    let mut expected = [0xd4; 160];
    rtp::transcode(Codec::Pcma, Codec::Pcmu, &mut expected);
    assert_eq!((header.timestamp, &payload[..]), (first.timestamp.wrapping_add(20 * 160), &expected[..]));

    trunk.say(0..1);
    let mut expected = [0; 160];
    rtp::transcode(Codec::Pcmu, Codec::Pcma, &mut expected);
    assert_eq!(phone.hear_speech().1, expected);

    house.media.command(MediaCommand::Close { session: a });
    house.media.command(MediaCommand::Close { session: b });
    drop(house.engine);
}

#[test]
fn a_relay_converts_codec_and_key_payload_types_and_keeps_its_own_numbers() {
    relay_carries_both_ways(6, 1);
}

#[test]
fn sessions_of_two_threads_are_relayed_on_one() {
    relay_carries_both_ways(7, 2);
}

#[test]
fn a_phone_behind_nat_is_answered_where_it_is_and_strangers_are_not_heard() {
    let mut house = House::new(8, 1);
    let (session, mut peer) = house.call(|stream| {
        stream.remote = "192.0.2.1:9".parse().unwrap();
        stream.source = Source::FirstSeen;
    });
    let mut stranger = Peer { socket: UdpSocket::bind("127.0.0.1:0").unwrap(), ssrc: 99, ..peer_like(&peer) };
    peer.say(0..1);
    let event = house.events.recv_timeout(PATIENCE).unwrap();
    assert_eq!(event, MediaEvent::Latched { session, remote: peer.socket.local_addr().unwrap() });
    stranger.press('1', 0);
    peer.press('2', 500);
    assert!(matches!(house.next(), MediaEvent::Key { digit: '2', .. }));
    let clips = vec![clip(vec![1; 800])];
    house.media.command(MediaCommand::Play { session, play: PlayId(0), clips, barge_in: false, repeat: false });
    peer.hear_speech();
}

fn peer_like(peer: &Peer) -> Peer {
    Peer { socket: peer.socket.try_clone().unwrap(), ..*peer }
}

#[test]
fn keys_reach_the_peer_and_a_held_stream_says_nothing() {
    let mut house = House::new(9, 1);
    let (session, peer) = house.call(|_| {});
    let (tone, gap) = (Duration::from_millis(60), Duration::from_millis(40));
    house.media.command(MediaCommand::SendKeys { session, keys: "9".into(), tone, gap });
    let (header, payload) = loop {
        let (header, payload) = peer.hear();
        if header.payload_type == 101 {
            break (header, payload);
        }
    };
    assert_eq!((header.marker, payload[0]), (true, 9));
    let mut stream = Stream::new(peer.socket.local_addr().unwrap(), Codec::Pcma);
    stream.direction = Direction::Inactive;
    house.media.command(MediaCommand::Connect { session, stream });
    let clips = vec![clip(vec![1; 800])];
    house.media.command(MediaCommand::Play { session, play: PlayId(0), clips, barge_in: false, repeat: false });
    assert!(matches!(house.next(), MediaEvent::PlayEnded { reason: PlayEnd::Finished, .. }));
    peer.socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let mut buffer = [0; 2000];
    while let Ok(length) = peer.socket.recv(&mut buffer) {
        assert_ne!(buffer[12..length], [1; 160]);
    }
}

#[test]
fn ports_come_back_when_sessions_are_closed() {
    let mut house = House::new(10, 1);
    let opened: Vec<SessionId> = (0..50).map(|_| house.media.open().unwrap().0).collect();
    assert_eq!(house.media.open().unwrap_err(), media::OpenError::NoPort);
    for session in opened {
        house.media.command(MediaCommand::Close { session });
    }
    let give_up = std::time::Instant::now() + PATIENCE;
    while house.media.open().is_err() {
        assert!(std::time::Instant::now() < give_up);
        std::thread::yield_now();
    }
}

#[test]
fn a_recording_is_durable_right_after_the_hang_up_and_survives_the_engine() {
    let folder = std::env::temp_dir().join(format!("earcon-engine-spool-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    let (spool, recovered) = Spool::open(&folder).unwrap();
    assert!(recovered.is_empty());
    let mut house = House::with_spool(11, 1, Some(spool.clone()));
    let mut calls = Vec::new();
    for n in 1..=3u128 {
        let (session, peer) = house.call(|_| {});
        let (recording, meta, limits) = (RecordingId(n), bytes::Bytes::from("first"), RecordLimits::default());
        house.media.command(MediaCommand::Record { session, recording, to: RecordTo::Spool, meta, limits });
        calls.push((session, peer));
    }
    house.media.command(MediaCommand::Annotate { recording: RecordingId(1), meta: "second".into() });
    // Commands are carried out in order: when this has been played, all three record.
    let (session, clips) = (calls[2].0, vec![clip(vec![1])]);
    house.media.command(MediaCommand::Play { session, play: PlayId(0), clips, barge_in: false, repeat: false });
    assert!(matches!(house.next(), MediaEvent::PlayEnded { .. }));
    calls[2].1.press('1', 0);
    assert!(matches!(house.next(), MediaEvent::RecordEnded { reason: RecordEnd::Key, .. }));
    while !matches!(house.next(), MediaEvent::RecordDurable { recording: RecordingId(3), length: 0 }) {}
    calls[0].1.say(0..75);
    calls[1].1.say(0..75);
    house.media.command(MediaCommand::Close { session: calls[0].0 });
    assert!(matches!(house.next(), MediaEvent::RecordEnded { reason: RecordEnd::Closed, .. }));
    assert_eq!(house.next(), MediaEvent::RecordDurable { recording: RecordingId(1), length: 12_000 });
    let expected: Vec<u8> = (0..75).flat_map(|n| [n; 160]).collect();
    assert_eq!(spool.read(RecordingId(1)).unwrap().bytes, expected);
    // The engine goes with a call under way: it is finished, and on disk before the engine is gone.
    drop(house.media);
    drop(house.engine);
    drop(spool);
    let (spool, recovered) = Spool::open(&folder).unwrap();
    let found: Vec<_> = recovered.iter().map(|r| (r.recording.0, r.length, r.finished, &r.meta[..])).collect();
    assert_eq!(found, [(1, 12_000, true, &b"second"[..]), (2, 12_000, true, b"first"), (3, 0, true, b"first")]);
    assert_eq!(spool.read(RecordingId(2)).unwrap().bytes, expected);
    drop(spool);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn keys_as_tones_stop_a_recording_where_the_stream_has_no_events() {
    for events in [None, Some(101)] {
        let mut house = House::new(if events.is_some() { 30 } else { 31 }, 1);
        let (session, mut peer) = house.call(|stream| {
            stream.dtmf_receive = events;
            stream.listened = true;
        });
        let limits =
            RecordLimits { idle: Duration::from_secs(60), stop_keys: Keys::of("#"), ..RecordLimits::default() };
        let (recording, to, meta) = (RecordingId(1), RecordTo::Tape(Tape::new()), bytes::Bytes::new());
        house.media.command(MediaCommand::Record { session, recording, to, meta, limits });
        let mut n = 0_u32;
        for key in ['1', '#'] {
            let samples = [vec![300; 1600], rtp::key_tone(key, 800).unwrap(), vec![300; 1600]].concat();
            for packet in samples.chunks(160) {
                peer.send(8, false, n * 160, &rtp::encode(Codec::Pcma, packet));
                n += 1;
            }
            if events.is_some() {
                // A gateway that sends both: the event alone counts.
                peer.press(key, n * 160);
            }
            if key == '#' {
                let ended = house.next();
                assert!(matches!(ended, MediaEvent::RecordEnded { reason: RecordEnd::Key, .. }), "{ended:?}");
            }
            let pressed = house.next();
            assert!(matches!(pressed, MediaEvent::Key { digit, .. } if digit == key), "{pressed:?}");
        }
        house.media.command(MediaCommand::Close { session });
        assert!(house.events.recv_timeout(Duration::from_millis(300)).is_err(), "one key was pressed");
    }
}
