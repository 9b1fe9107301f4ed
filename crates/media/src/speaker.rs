//! What a session says: clips, keys, and now and then a packet of silence. No sockets, no clock: it is asked for
//! packets once a tick.

use crate::clip::samples_to_duration;
use crate::player::Player;
use crate::{Clip, MediaEvent, PlayEnd, PlayId, SessionId, Stream};
use rtp::{Codec, EventSender, HEADER_LEN, Header, Sent};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// Milliseconds in a tick, and samples.
pub const TICK_MS: u64 = 20;
const TICK_SAMPLES: u32 = 160;
/// With nothing to say, a packet of silence goes out so often (in ticks: 2 s): peers that learn our address from our
/// packets, and firewalls between, need one at once and then now and then.
const KEEPALIVE_TICKS: u64 = 100;
/// Longest payload: 60 ms.
const LONGEST: usize = 480;
/// Keys that may wait to be sent.
const KEYS_WAITING: usize = 256;

#[derive(Clone, Copy, Debug)]
enum Step {
    Key(char),
    /// Samples.
    Pause(u32),
}

/// A key on its way out.
#[derive(Debug)]
enum Sending {
    Event(EventSender),
    /// The tone's bytes, and how far it is.
    Tone(Vec<u8>, usize),
    Pause(u32),
}

#[derive(Debug)]
pub struct Speaker {
    session: SessionId,
    ssrc: u32,
    sequence: u16,
    /// Of tick 0.
    clock: u32,
    packets: u32,
    octets: u32,
    stream: Option<Stream>,
    player: Option<Player>,
    steps: VecDeque<Step>,
    sending: Option<Sending>,
    tone: u32,
    gap: u32,
    /// Ticks' worth of audio that is due but not sent yet, in ms (packets may be longer than a tick).
    owed_ms: u16,
    /// Whether the last packet was sent just before: if not, the next begins a talk spurt.
    talking: bool,
    spoke: Option<u64>,
    /// What the relay adds to timestamps, and for which source.
    relay: Option<(u32, u32)>,
}

impl Speaker {
    /// `random`: for SSRC, first sequence number and timestamp (RFC 3550 5.1).
    pub fn new(session: SessionId, random: [u32; 3]) -> Speaker {
        let [ssrc, sequence, clock] = random;
        Speaker {
            session,
            ssrc,
            sequence: sequence as u16,
            clock,
            packets: 0,
            octets: 0,
            stream: None,
            player: None,
            steps: VecDeque::new(),
            sending: None,
            tone: 0,
            gap: 0,
            owed_ms: 0,
            talking: false,
            spoke: None,
            relay: None,
        }
    }

    pub fn connect(&mut self, stream: &Stream) {
        let moved = self.stream.as_ref().is_none_or(|before| before.remote != stream.remote);
        let mut stream = stream.clone();
        if !(10..=60).contains(&stream.ptime_ms) || !stream.ptime_ms.is_multiple_of(10) {
            stream.ptime_ms = 20;
        }
        self.stream = Some(stream);
        if moved {
            self.spoke = None;
        }
    }

    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    fn timestamp(&self, tick: u64) -> u32 {
        self.clock.wrapping_add((tick as u32).wrapping_mul(TICK_SAMPLES))
    }

    /// For a sender report; `None` if nothing was sent.
    pub fn sent(&self, tick: u64) -> Option<Sent> {
        let sent = Sent { packets: self.packets, octets: self.octets, timestamp: self.timestamp(tick) };
        (self.packets > 0).then_some(sent)
    }

    pub fn is_active(&self) -> bool {
        self.player.is_some() || self.sending.is_some() || !self.steps.is_empty()
    }

    /// Takes the place of what was playing, and gives the news of that.
    pub fn play(&mut self, play: PlayId, clips: Vec<Arc<Clip>>, barge_in: bool, repeat: bool) -> Option<MediaEvent> {
        let stopped = self.stop(PlayEnd::Stopped);
        self.player = Some(Player::new(play, clips, barge_in, repeat));
        stopped
    }

    pub fn stop(&mut self, reason: PlayEnd) -> Option<MediaEvent> {
        let player = self.player.take()?;
        self.owed_ms = 0;
        Some(MediaEvent::PlayEnded {
            session: self.session,
            play: player.play,
            played: samples_to_duration(player.played),
            reason,
        })
    }

    /// A key went down on the other side (`PlayEnd::Key`), or somebody speaks there.
    pub fn barge_in(&mut self, reason: PlayEnd) -> Option<MediaEvent> {
        if self.player.as_ref().is_some_and(|player| player.barge_in) { self.stop(reason) } else { None }
    }

    pub fn send_keys(&mut self, keys: &str, tone: Duration, gap: Duration) {
        let samples = |time: Duration| (time.as_millis().min(60_000) as u32) * 8;
        self.tone = samples(tone).max(TICK_SAMPLES * 2);
        self.gap = samples(gap).max(TICK_SAMPLES * 2);
        for key in keys.chars() {
            if self.steps.len() >= KEYS_WAITING {
                break;
            }
            if key == ',' {
                self.steps.push_back(Step::Pause(8000));
            } else if rtp::event_of(key).is_some() {
                self.steps.push_back(Step::Key(key));
                self.steps.push_back(Step::Pause(self.gap));
            }
        }
    }

    /// One tick: gives the packets that are due to `send`, and the news to `tell`.
    pub fn tick(&mut self, tick: u64, send: &mut dyn FnMut(&[u8]), tell: &mut dyn FnMut(MediaEvent)) {
        let Some(stream) = &self.stream else { return };
        if !stream.direction.sends() {
            // On hold the prompt goes on in silence, so that a dialogue never waits for a peer that holds it.
            if self.player.is_some() {
                self.advance_unheard(tell);
            }
            return;
        }
        let (codec, payload_type, event_type) = (stream.codec, stream.payload_type, stream.dtmf);
        let ptime = stream.ptime_ms;
        if self.sending.is_some() || !self.steps.is_empty() {
            return self.tick_keys(tick, codec, payload_type, event_type, send);
        }
        if self.player.is_none() {
            self.talking = false;
            if self.relay.is_none() && self.spoke.is_none_or(|spoke| tick >= spoke.saturating_add(KEEPALIVE_TICKS)) {
                let silence = [codec.silence(); TICK_SAMPLES as usize];
                self.packet(tick, payload_type, self.timestamp(tick), true, &silence, send);
            }
            return;
        }
        self.owed_ms = self.owed_ms.saturating_add(TICK_MS as u16).min(ptime.saturating_mul(5));
        while self.owed_ms >= ptime {
            self.owed_ms -= ptime;
            let mut payload = [0; LONGEST];
            let payload = &mut payload[..usize::from(ptime) * 8];
            let Some(player) = &mut self.player else { return };
            let (filled, finished) = player.fill(codec, payload);
            if filled > 0 {
                // The packet began when its first sample was due: packets longer than a tick lie before now.
                let timestamp = self.timestamp(tick).wrapping_sub(u32::from(self.owed_ms) * 8);
                let marker = !self.talking;
                self.packet(tick, payload_type, timestamp, marker, payload, send);
                self.talking = true;
            }
            if finished {
                self.stop(PlayEnd::Finished).into_iter().for_each(&mut *tell);
                return;
            }
        }
    }

    fn advance_unheard(&mut self, tell: &mut dyn FnMut(MediaEvent)) {
        let mut payload = [0; TICK_SAMPLES as usize];
        if self.player.as_mut().is_some_and(|player| player.fill(Codec::Pcma, &mut payload).1) {
            self.stop(PlayEnd::Finished).into_iter().for_each(tell);
        }
    }

    fn tick_keys(
        &mut self,
        tick: u64,
        codec: Codec,
        payload_type: u8,
        event_type: Option<u8>,
        send: &mut dyn FnMut(&[u8]),
    ) {
        if self.sending.is_none() {
            self.sending = match self.steps.pop_front() {
                None => None,
                Some(Step::Pause(samples)) => Some(Sending::Pause(samples)),
                Some(Step::Key(key)) => match (rtp::event_of(key), event_type) {
                    (Some(event), Some(_)) => {
                        Some(Sending::Event(EventSender::new(event, self.timestamp(tick), self.tone)))
                    }
                    _ => rtp::key_tone(key, self.tone as usize)
                        .map(|samples| Sending::Tone(rtp::encode(codec, &samples), 0)),
                },
            };
        }
        match self.sending.take() {
            Some(Sending::Event(mut sender)) => {
                if let (Some(event), Some(event_type)) = (sender.next(TICK_SAMPLES), event_type) {
                    self.packet(tick, event_type, event.timestamp, event.marker, &event.payload, send);
                    self.talking = false;
                    self.sending = Some(Sending::Event(sender));
                }
            }
            Some(Sending::Tone(bytes, at)) => {
                let mut payload = [codec.silence(); TICK_SAMPLES as usize];
                let part = bytes.get(at..).unwrap_or_default();
                let part = &part[..part.len().min(payload.len())];
                payload[..part.len()].copy_from_slice(part);
                let marker = !self.talking;
                self.packet(tick, payload_type, self.timestamp(tick), marker, &payload, send);
                self.talking = true;
                if at + payload.len() < bytes.len() {
                    self.sending = Some(Sending::Tone(bytes, at + payload.len()));
                }
            }
            Some(Sending::Pause(left)) => {
                self.talking = false;
                self.sending = left.checked_sub(TICK_SAMPLES).filter(|left| *left > 0).map(Sending::Pause);
            }
            None => {}
        }
    }

    fn packet(
        &mut self,
        tick: u64,
        payload_type: u8,
        timestamp: u32,
        marker: bool,
        payload: &[u8],
        send: &mut dyn FnMut(&[u8]),
    ) {
        let mut packet = [0; HEADER_LEN + LONGEST];
        let length = payload.len().min(LONGEST);
        packet[..HEADER_LEN].copy_from_slice(&self.next_header(payload_type, timestamp, marker, length));
        packet[HEADER_LEN..HEADER_LEN + length].copy_from_slice(&payload[..length]);
        send(&packet[..HEADER_LEN + length]);
        self.spoke = Some(tick);
    }

    fn next_header(&mut self, payload_type: u8, timestamp: u32, marker: bool, octets: usize) -> [u8; HEADER_LEN] {
        let header = Header { marker, payload_type, sequence: self.sequence, timestamp, ssrc: self.ssrc };
        self.sequence = self.sequence.wrapping_add(1);
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(octets as u32);
        header.write()
    }

    /// A header for a packet that is passed on: own source and numbers, the timestamp moved so that it follows on ours.
    pub fn relay_header(
        &mut self,
        heard: &Header,
        restarted: bool,
        payload_type: u8,
        octets: usize,
        tick: u64,
    ) -> [u8; HEADER_LEN] {
        let (delta, begins) = match self.relay {
            Some((delta, ssrc)) if ssrc == heard.ssrc && !restarted => (delta, false),
            _ => (self.timestamp(tick).wrapping_sub(heard.timestamp), true),
        };
        self.relay = Some((delta, heard.ssrc));
        self.spoke = Some(tick);
        self.next_header(payload_type, heard.timestamp.wrapping_add(delta), heard.marker || begins, octets)
    }

    pub fn end_relay(&mut self) {
        self.relay = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Direction;
    use rtp::{EventReceiver, KeyPress, Packet};
    use std::time::Instant;

    struct Fixture {
        speaker: Speaker,
        tick: u64,
        events: Vec<MediaEvent>,
    }

    impl Fixture {
        fn new(change: impl FnOnce(&mut Stream)) -> Fixture {
            let mut speaker = Speaker::new(SessionId(1), [0xabcd, 0xffff, u32::MAX]);
            let mut stream = Stream::new("192.0.2.1:4000".parse().unwrap(), Codec::Pcma);
            stream.dtmf = Some(101);
            change(&mut stream);
            speaker.connect(&stream);
            Fixture { speaker, tick: 0, events: Vec::new() }
        }

        /// The packets of so many ticks: header and payload.
        fn ticks(&mut self, count: u64) -> Vec<(Header, Vec<u8>)> {
            let mut packets = Vec::new();
            for _ in 0..count {
                let events = &mut self.events;
                self.speaker.tick(
                    self.tick,
                    &mut |datagram| {
                        let packet = Packet::parse(datagram).unwrap();
                        packets.push((packet.header, datagram[packet.payload].to_vec()));
                    },
                    &mut |event| events.push(event),
                );
                self.tick += 1;
            }
            packets
        }

        fn play(&mut self, lengths: &[usize], repeat: bool) {
            let clips = lengths
                .iter()
                .enumerate()
                .map(|(n, length)| Arc::new(Clip::from_encoded(Codec::Pcma, vec![n as u8 + 1; *length])))
                .collect();
            self.events.extend(self.speaker.play(PlayId(9), clips, true, repeat));
        }

        fn ended(&self) -> Vec<(u64, PlayEnd)> {
            let of = |event: &MediaEvent| match event {
                MediaEvent::PlayEnded { played, reason, .. } => Some((played.as_millis() as u64, *reason)),
                _ => None,
            };
            self.events.iter().filter_map(of).collect()
        }
    }

    #[test]
    fn clips_follow_each_other_without_a_gap_and_the_last_packet_is_filled_up() {
        let mut f = Fixture::new(|_| {});
        f.play(&[200, 200], false);
        let packets = f.ticks(10);
        let bytes: Vec<u8> = packets.iter().flat_map(|(_, payload)| payload.clone()).collect();
        assert_eq!(bytes, [vec![1; 200], vec![2; 200], vec![0xd5; 80]].concat());
        assert_eq!(f.ended(), [(50, PlayEnd::Finished)]);
    }

    #[test]
    fn numbers_follow_on_and_the_first_packet_is_marked() {
        let mut f = Fixture::new(|_| {});
        f.play(&[800], false);
        let headers: Vec<Header> = f.ticks(5).into_iter().map(|(header, _)| header).collect();
        assert_eq!(headers.iter().map(|h| h.sequence).collect::<Vec<_>>(), [0xffff, 0, 1, 2, 3]);
        assert_eq!(headers.iter().map(|h| h.timestamp).collect::<Vec<_>>(), [u32::MAX, 159, 319, 479, 639]);
        assert_eq!(headers.iter().map(|h| h.marker).collect::<Vec<_>>(), [true, false, false, false, false]);
        assert!(headers.iter().all(|h| h.ssrc == 0xabcd && h.payload_type == 8));
    }

    #[test]
    fn packet_lengths_other_than_a_tick_keep_the_pace() {
        for (ptime, count) in [(10, 12), (20, 6), (30, 4), (40, 3), (60, 2)] {
            let mut f = Fixture::new(|stream| stream.ptime_ms = ptime);
            f.play(&[100_000], false);
            let packets = f.ticks(6);
            assert_eq!(packets.len(), count, "{ptime} ms");
            assert!(packets.iter().all(|(_, payload)| payload.len() == usize::from(ptime) * 8));
            for pair in packets.windows(2) {
                let step = pair[1].0.timestamp.wrapping_sub(pair[0].0.timestamp);
                assert_eq!(step, u32::from(ptime) * 8, "{ptime} ms");
            }
        }
    }

    #[test]
    fn repeated_clips_go_on_until_stopped_and_empty_ones_end_at_once() {
        let mut f = Fixture::new(|_| {});
        f.play(&[100], true);
        assert_eq!(f.ticks(20).len(), 20);
        f.events.extend(f.speaker.stop(PlayEnd::Stopped));
        assert_eq!(f.ended(), [(400, PlayEnd::Stopped)]);
        f.events.clear();
        f.play(&[0, 0], true);
        f.ticks(1);
        f.play(&[], false);
        f.ticks(1);
        assert_eq!(f.ended(), [(0, PlayEnd::Finished); 2]);
    }

    #[test]
    fn a_key_stops_only_what_may_be_barged_in() {
        let mut f = Fixture::new(|_| {});
        f.play(&[8000], false);
        f.ticks(10);
        assert!(matches!(f.speaker.barge_in(PlayEnd::Key), Some(MediaEvent::PlayEnded { reason: PlayEnd::Key, .. })));
        f.speaker.play(PlayId(1), vec![Arc::new(Clip::from_samples(vec![0; 8000]))], false, false);
        assert!(f.speaker.barge_in(PlayEnd::Key).is_none());
        assert!(f.speaker.is_active());
    }

    #[test]
    fn what_is_played_next_stops_what_played_before() {
        let mut f = Fixture::new(|_| {});
        f.play(&[8000], false);
        f.ticks(2);
        f.play(&[8000], false);
        assert_eq!(f.ended(), [(40, PlayEnd::Stopped)]);
    }

    #[test]
    fn with_nothing_to_say_a_packet_goes_out_at_once_and_every_two_seconds() {
        let mut f = Fixture::new(|_| {});
        let packets = f.ticks(301);
        assert_eq!(packets.len(), 4);
        assert!(packets.iter().all(|(header, payload)| header.marker && payload == &[0xd5; 160]));
        assert_eq!(packets[1].0.timestamp.wrapping_sub(packets[0].0.timestamp), 16_000);
    }

    #[test]
    fn held_by_the_peer_nothing_is_sent_and_the_prompt_still_ends() {
        let mut f = Fixture::new(|stream| stream.direction = Direction::ReceiveOnly);
        f.play(&[1600], false);
        assert!(f.ticks(20).is_empty());
        assert_eq!(f.ended(), [(200, PlayEnd::Finished)]);
    }

    #[test]
    fn keys_go_out_as_events_with_gaps_and_are_heard_as_they_were_sent() {
        let mut f = Fixture::new(|_| {});
        f.speaker.send_keys("43,3x#", Duration::from_millis(100), Duration::from_millis(100));
        let mut receiver = EventReceiver::new();
        let start = Instant::now();
        let mut heard = String::new();
        for n in 0..400 {
            for (header, payload) in f.ticks(1) {
                if header.payload_type != 101 {
                    continue;
                }
                let now = start + Duration::from_millis(n * 20);
                for press in receiver.receive(header.marker, header.timestamp, &payload, now).into_iter().flatten() {
                    if let KeyPress::Up(key, ms) = press {
                        assert_eq!(ms, 100);
                        heard.push(key);
                    }
                }
            }
        }
        assert_eq!(heard, "433#");
        assert!(!f.speaker.is_active());
    }

    #[test]
    fn without_telephone_events_keys_are_tones() {
        let mut f = Fixture::new(|stream| stream.dtmf = None);
        f.speaker.send_keys("5*", Duration::from_millis(100), Duration::from_millis(100));
        let mut detector = rtp::InbandDetector::new();
        let mut heard = String::new();
        for n in 0..40 {
            let packets = f.ticks(1);
            let samples = match packets.first() {
                Some((_, payload)) => rtp::decode(Codec::Pcma, payload),
                None => vec![0; 160],
            };
            detector.listen(&samples, |key| {
                if let rtp::InbandKey::Down(key) = key {
                    heard.push(key);
                }
            });
            assert!(n < 39);
            if !f.speaker.is_active() {
                break;
            }
        }
        assert_eq!(heard, "5*");
    }

    #[test]
    fn relayed_packets_follow_on_our_own_numbers_over_a_change_of_source() {
        let mut f = Fixture::new(|_| {});
        f.play(&[1600], false);
        let own = f.ticks(10);
        let last = own.last().unwrap().0;
        let mut relayed = Vec::new();
        for (ssrc, timestamp, tick) in [(5, 777, 10), (5, 937, 11), (6, 50, 12), (6, 210, 13)] {
            let heard = Header { marker: false, payload_type: 0, sequence: 9, timestamp, ssrc };
            let bytes = f.speaker.relay_header(&heard, false, 8, 160, tick);
            relayed.push(Packet::parse(&bytes).unwrap().header);
        }
        for (n, header) in relayed.iter().enumerate() {
            assert_eq!(header.ssrc, 0xabcd);
            assert_eq!(header.sequence, last.sequence.wrapping_add(1 + n as u16));
            assert_eq!(header.timestamp, last.timestamp.wrapping_add(160 * (1 + n as u32)));
        }
        assert_eq!(relayed.iter().map(|h| h.marker).collect::<Vec<_>>(), [true, false, true, false]);
    }
}
