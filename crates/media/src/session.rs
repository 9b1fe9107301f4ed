//! One session on its media thread: two sockets, and what is heard, said, recorded and passed on over them.

use crate::ear::{Ear, Made};
use crate::endpointer::{Endpointer, Noticed, Utterance};
use crate::key_tones::KeyTones;
use crate::listener::{Heard, Listener};
use crate::meter::Totals;
use crate::ports::Pair;
use crate::recording::Recording;
use crate::secure::{LONGEST_SENT, Secure};
use crate::speaker::Speaker;
use crate::sys::{BATCH, Batch};
use crate::{LineSignal, MediaEvent, PlayEnd, RecordEnd, SessionId, Source, Stream};
use rtp::{HEADER_LEN, KeyPress};
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// Batches taken from one socket before the others have their turn.
const TURNS: usize = 8;
/// Ticks between two readings of a socket whose audio is only recorded (100 ms): five packets a system call.
const RECORDING_TICKS: u64 = 5;
/// Ticks between two readings otherwise (40 ms): what delays a key.
const LISTENING_TICKS: u64 = 2;
/// Ticks between two readings of the RTCP port (1 s).
const RTCP_READ_TICKS: u64 = 50;
/// Between two keys that are passed on as events.
const KEY_GAP: Duration = Duration::from_millis(40);
/// Seconds from the Unix epoch back to that of NTP.
const NTP_EPOCH: u64 = 2_208_988_800;

/// What a session needs from its thread for a moment.
pub struct Context<'a> {
    pub batch: &'a mut Batch,
    /// Parts of the batch that are passed on; empty between uses.
    pub parts: &'a mut Vec<(usize, Range<usize>)>,
    pub tell: &'a dyn Fn(MediaEvent),
    pub now: Instant,
    pub tick: u64,
}

pub struct Session {
    pub id: SessionId,
    pub pair: Pair,
    /// The slot of the session that it is relayed with.
    pub peer: Option<usize>,
    pub watched: bool,
    stream: Option<Stream>,
    /// The stream is SRTP.
    secure: Option<Secure>,
    /// What `secure` was while the peers talk in the clear: keys may come back.
    secure_before: Option<Secure>,
    listener: Listener,
    pub speaker: Speaker,
    recording: Option<Recording>,
    /// Listens for speech, while somebody wants to know of it.
    endpointer: Option<Endpointer>,
    /// Listens for keys in the audio, where they come as tones.
    tones: Option<KeyTones>,
    /// Listens to what ends here.
    ear: Option<Ear>,
    /// Where RTP and RTCP go, as far as the peer's packets and the SDP told.
    destination: Option<SocketAddr>,
    random: u64,
    rtcp_due: u64,
    rtcp_sent: bool,
    totals: Arc<Totals>,
}

impl Session {
    pub fn new(id: SessionId, pair: Pair, random: [u64; 3], totals: Arc<Totals>, now: Instant) -> Session {
        let [first, second, third] = random;
        // RFC 3711 3.3.1: a first sequence number in the lower half, so that the loss of the first packets is not taken
        // for a wrap.
        let sequence = (first >> 32) as u32 & 0x7fff;
        let speaker = Speaker::new(id, [first as u32, sequence, second as u32]);
        Session {
            id,
            pair,
            peer: None,
            watched: false,
            stream: None,
            secure: None,
            secure_before: None,
            listener: Listener::new(now),
            speaker,
            recording: None,
            endpointer: None,
            tones: None,
            ear: None,
            destination: None,
            random: third,
            rtcp_due: u64::MAX,
            rtcp_sent: false,
            totals,
        }
    }

    pub fn connect(&mut self, stream: Stream, tick: u64, now: Instant) {
        self.listener.connect(&stream, now);
        self.speaker.connect(&stream);
        match (&mut self.secure, stream.srtp) {
            (Some(secure), Some(keys)) => secure.rekey(keys, now),
            (secure @ Some(_), None) => self.secure_before = secure.take(),
            (None, None) => {}
            (secure @ None, Some(keys)) => {
                *secure = self.secure_before.take().or_else(|| Secure::new(keys));
                if let Some(secure) = secure {
                    secure.rekey(keys, now);
                }
            }
        }
        if stream.inband_keys {
            self.tones.get_or_insert_default();
        } else {
            self.tones = None;
        }
        if stream.listened {
            self.ear.get_or_insert_default();
        } else {
            self.ear = None;
        }
        self.stream = Some(stream);
        self.find_destination();
        if self.rtcp_due == u64::MAX {
            self.rtcp_due = self.next_rtcp(tick);
        }
    }

    fn find_destination(&mut self) {
        let Some(stream) = &self.stream else { return };
        let address = match (stream.source, self.listener.locked()) {
            (Source::FirstSeen, Some(locked)) => locked,
            _ => stream.remote,
        };
        self.destination = (!address.ip().is_unspecified() && address.port() != 0).then_some(address);
    }

    /// What a recording beginning now would be made in.
    pub fn recording_codec(&self) -> rtp::Codec {
        self.stream.as_ref().map_or(rtp::Codec::Pcma, |stream| stream.codec)
    }

    pub fn listen(&mut self, listen: bool) {
        match listen {
            // What is being said while the question changes is said to the new one.
            true => {
                self.endpointer.get_or_insert_default();
            }
            false => self.endpointer = None,
        }
    }

    fn noticed(&mut self, noticed: Noticed, tell: &dyn Fn(MediaEvent)) {
        let session = self.id;
        match noticed {
            Noticed::Began => {
                // First: whoever is told that the play has ended wants to know whether to wait.
                tell(MediaEvent::SpeechBegan { session });
                if let Some(event) = self.speaker.barge_in(PlayEnd::Speech) {
                    tell(event);
                }
            }
            Noticed::Said(samples) => tell(MediaEvent::Spoken { session, speech: Utterance::new(samples) }),
        }
    }

    pub fn record(&mut self, recording: Recording) {
        self.recording = Some(recording);
    }

    pub fn recording_mut(&mut self) -> Option<&mut Recording> {
        self.recording.as_mut()
    }

    pub fn stop_recording(&mut self, reason: RecordEnd, tell: &dyn Fn(MediaEvent)) {
        if let Some(recording) = self.recording.take() {
            recording.finish(reason, tell);
        }
    }

    /// Takes what the socket has, or only the packet that woke us. With `out`, passes it on there.
    pub fn receive(&mut self, context: &mut Context<'_>, mut out: Option<&mut Session>, all: bool) {
        // A relayed packet mostly comes alone: asking for more costs a second look at an empty socket each time.
        let (most, turns) = if all { (BATCH, TURNS) } else { (1, 1) };
        for _ in 0..turns {
            // An error is about an earlier packet of ours (the peer's port was closed): nothing to do about it.
            let count = context.batch.receive(&self.pair.rtp, most).unwrap_or(0);
            context.parts.clear();
            let heard = if self.pair.is_pulled() { 0 } else { count };
            for n in 0..heard {
                let Some((mut datagram, from)) = context.batch.datagram(n) else { continue };
                if let Some(secure) = &mut self.secure {
                    // Whoever is elsewhere costs no cryptography.
                    if !self.listener.admits(from) {
                        continue;
                    }
                    let opened = secure.open_rtp(datagram, context.now).and_then(|length| datagram.get_mut(..length));
                    let Some(opened) = opened else { continue };
                    datagram = opened;
                }
                let heard = self.listener.receive(from, datagram, context.now, out.is_some());
                if let Some(remote) = self.listener.take_latched() {
                    (context.tell)(MediaEvent::Latched { session: self.id, remote });
                    self.find_destination();
                }
                self.hear(&heard, datagram, context.now, out.is_some(), context.tell);
                if let Some(out) = &mut out
                    && let Some(tones) = &mut self.tones
                    && out.takes_events()
                    && let Heard::Audio { codec, payload, .. } = &heard
                {
                    let audio = datagram.get(payload.clone()).unwrap_or_default();
                    let pressed =
                        tones.listen(*codec, audio, &mut |key, time| out.speaker.send_keys(key, time, KEY_GAP));
                    if pressed {
                        // What the other side hears of the key is the event.
                        continue;
                    }
                }
                if let Some(out) = &mut out
                    && let Some(range) = out.pass_on(&heard, datagram, context.tick)
                    && let Some(range) = out.seal(range, context.batch.place(n))
                {
                    context.parts.push((n, range));
                }
            }
            if let Some(out) = &mut out
                && !context.parts.is_empty()
                && let Some(destination) = out.destination
            {
                // A full send buffer drops packets, as a network would.
                let _ = context.batch.send(&out.pair.rtp, destination, context.parts);
            }
            if count < most {
                break;
            }
        }
    }

    fn hear(&mut self, heard: &Heard, datagram: &[u8], now: Instant, relayed: bool, tell: &dyn Fn(MediaEvent)) {
        match heard {
            Heard::Nothing => {}
            Heard::Audio { codec, header, payload, restarted } => {
                if let Some(recording) = &mut self.recording {
                    let bytes = datagram.get(payload.clone()).unwrap_or_default();
                    recording.audio(*codec, header.timestamp, *restarted, bytes, now);
                }
                // What is passed on is the other side's business.
                if relayed {
                    return;
                }
                let bytes = datagram.get(payload.clone()).unwrap_or_default();
                if let Some(endpointer) = &mut self.endpointer {
                    let mut all = Vec::new();
                    let sounding = self.speaker.is_active();
                    endpointer.audio(*codec, bytes, sounding, now, &mut |noticed| all.push(noticed));
                    all.into_iter().for_each(|noticed| self.noticed(noticed, tell));
                }
                let Some(ear) = &mut self.ear else { return };
                let keys = self.stream.as_ref().is_some_and(|stream| stream.dtmf_receive.is_none());
                // Nearly always nothing, for which nothing is allocated.
                let mut made = Vec::new();
                ear.listen(*codec, header.timestamp, *restarted, bytes, keys, &mut |what| made.push(what));
                made.into_iter().for_each(|what| self.made_out(what, tell));
            }
            Heard::Event { .. } if relayed => {}
            Heard::Event { presses, payload, .. } => {
                presses.iter().flatten().for_each(|press| self.key(*press, tell));
                let event = datagram.get(payload.start).copied();
                if event.is_some_and(rtp::is_fax_event) && self.ear.as_mut().is_some_and(Ear::fax_event) {
                    self.made_out(Made::Line(LineSignal::Fax), tell);
                }
            }
        }
    }

    fn made_out(&mut self, what: Made, tell: &dyn Fn(MediaEvent)) {
        match what {
            Made::Key(press) => self.key(press, tell),
            Made::Line(signal) => {
                // Told first, so that who hears of the recording's end knows why.
                tell(MediaEvent::Line { session: self.id, signal });
                if let LineSignal::Dead { loud, .. } = signal
                    && let Some(recording) = &mut self.recording
                {
                    recording.was_no_speech(loud);
                    self.stop_recording(RecordEnd::Stopped, tell);
                }
            }
        }
    }

    fn key(&mut self, press: KeyPress, tell: &dyn Fn(MediaEvent)) {
        match press {
            KeyPress::Down(key) => {
                if let Some(event) = self.speaker.barge_in(PlayEnd::Key) {
                    tell(event);
                }
                if self.recording.as_ref().is_some_and(|recording| recording.stops_at(key)) {
                    self.stop_recording(RecordEnd::Key, tell);
                }
            }
            KeyPress::Up(digit, duration_ms) => tell(MediaEvent::Key { session: self.id, digit, duration_ms }),
        }
    }

    /// Whether the peer takes keys as telephone events.
    fn takes_events(&self) -> bool {
        self.stream.as_ref().is_some_and(|stream| stream.dtmf.is_some() && stream.direction.sends())
    }

    /// Makes a packet that the other session heard one of ours, in place; gives where in the datagram it is.
    fn pass_on(&mut self, heard: &Heard, datagram: &mut [u8], tick: u64) -> Option<Range<usize>> {
        let stream = self.stream.as_ref()?;
        if !stream.direction.sends() || self.speaker.is_active() {
            return None;
        }
        let (header, payload, restarted, payload_type) = match heard {
            Heard::Nothing => return None,
            Heard::Audio { codec, header, payload, restarted } => {
                rtp::transcode(*codec, stream.codec, datagram.get_mut(payload.clone())?);
                (header, payload, *restarted, stream.payload_type)
            }
            Heard::Event { header, payload, restarted, .. } => (header, payload, *restarted, stream.dtmf?),
        };
        // The header is written right before the payload: what lay there (CSRCs, extension) is not passed on.
        let start = payload.start.checked_sub(HEADER_LEN)?;
        let written = self.speaker.relay_header(header, restarted, payload_type, payload.len(), tick);
        datagram.get_mut(start..payload.start)?.copy_from_slice(&written);
        Some(start..payload.end)
    }

    /// Seals a packet that is passed on, in its place in the batch; gives where it is now.
    fn seal(&mut self, range: Range<usize>, place: Option<&mut [u8]>) -> Option<Range<usize>> {
        let Some(secure) = &mut self.secure else { return Some(range) };
        let length = secure.seal_rtp(place?.get_mut(range.start..)?, range.len())?;
        Some(range.start..range.start + length)
    }

    /// One tick. Relayed sessions are read when something comes, all others here.
    pub fn tick(&mut self, slot: usize, context: &mut Context<'_>, timeout: Duration) {
        let destination = self.destination.filter(|_| !self.pair.is_pulled());
        let (rtp, tell) = (&self.pair.rtp, context.tell);
        let secure = &mut self.secure;
        let mut send = |packet: &[u8]| {
            let mut buffer = [0; LONGEST_SENT];
            let packet = match secure {
                None => packet,
                Some(secure) => match sealed(secure, packet, &mut buffer) {
                    Some(sealed) => sealed,
                    None => return,
                },
            };
            if let Some(destination) = destination {
                // A full send buffer drops packets, as a network would; other errors are the peer's closed port.
                let _ = rtp.send_to(packet, destination);
            }
        };
        self.speaker.tick(context.tick, &mut send, &mut |event| tell(event));
        let turn = context.tick.wrapping_add(slot as u64);
        let only_recording = self.recording.is_some() && !self.speaker.is_active();
        let ticks = if only_recording { RECORDING_TICKS } else { LISTENING_TICKS };
        if turn.is_multiple_of(ticks) {
            if self.peer.is_none() {
                self.receive(context, None, true);
            }
            self.check(context, timeout);
        }
        if turn.is_multiple_of(RTCP_READ_TICKS) {
            self.read_rtcp(context);
            self.tell_dropped(context.tell);
        }
        if context.tick >= self.rtcp_due {
            self.send_rtcp(context);
            self.totals.add(self.listener.take_counts());
            self.rtcp_due = self.next_rtcp(context.tick);
        }
    }

    fn check(&mut self, context: &mut Context<'_>, timeout: Duration) {
        if let Some(reason) = self.recording.as_mut().and_then(|recording| recording.check(context.now)) {
            self.stop_recording(reason, context.tell);
        }
        if let Some(endpointer) = &mut self.endpointer {
            let mut all = Vec::new();
            endpointer.check(context.now, &mut |noticed| all.push(noticed));
            all.into_iter().for_each(|noticed| self.noticed(noticed, context.tell));
        }
        if let Some(press) = self.listener.check_key(context.now) {
            self.key(press, context.tell);
        }
        if self.listener.is_lost(context.now, timeout) {
            (context.tell)(MediaEvent::StreamLost { session: self.id });
        }
    }

    fn read_rtcp(&mut self, context: &mut Context<'_>) {
        let count = context.batch.receive(&self.pair.rtcp, BATCH).unwrap_or(0);
        let count = if self.pair.is_pulled() { 0 } else { count };
        for n in 0..count {
            let Some((mut datagram, from)) = context.batch.datagram(n) else { continue };
            if let Some(secure) = &mut self.secure {
                if !self.listener.admits_rtcp(from) {
                    continue;
                }
                let opened = secure.open_rtcp(datagram, context.now).and_then(|length| datagram.get_mut(..length));
                let Some(opened) = opened else { continue };
                datagram = opened;
            }
            if let Ok(received) = rtp::read_rtcp(datagram) {
                self.listener.rtcp(from, received.sender_report, context.now);
            }
        }
    }

    fn tell_dropped(&mut self, tell: &dyn Fn(MediaEvent)) {
        if let Some(dropped) = self.secure.as_mut().and_then(Secure::news) {
            tell(MediaEvent::Dropped { session: self.id, dropped });
        }
    }

    /// RFC 3550 6.2, 6.3: every five seconds, drawn from half to one and a half of that.
    fn next_rtcp(&mut self, tick: u64) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        tick.saturating_add(125 + (self.random >> 33) % 250)
    }

    fn send_rtcp(&mut self, context: &mut Context<'_>) {
        let mut buffer = [0; 256];
        let sent = self.speaker.sent(context.tick);
        let block = self.listener.statistics().and_then(|statistics| statistics.block(context.now));
        let ntp = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| {
            let fraction = (u64::from(since.subsec_nanos()) << 32) / 1_000_000_000;
            (since.as_secs().wrapping_add(NTP_EPOCH) << 32) | fraction
        });
        let report = rtp::report(self.speaker.ssrc(), &self.name(), ntp, sent, block, &mut buffer);
        if let Ok(length) = report {
            self.seal_and_send_rtcp(&mut buffer, length);
            self.rtcp_sent = true;
        }
    }

    /// RFC 7022: a name that says nothing about us, and stays the same for the session.
    fn name(&self) -> String {
        format!("{:08x}{:04x}@earcon", self.speaker.ssrc(), self.pair.port)
    }

    /// Sends what is in the first `length` bytes; a tag needs room behind them.
    fn seal_and_send_rtcp(&mut self, buffer: &mut [u8], length: usize) {
        let length = match &mut self.secure {
            None => Some(length),
            Some(secure) => secure.seal_rtcp(buffer, length),
        };
        let Some(datagram) = length.and_then(|length| buffer.get(..length)) else { return };
        if let Some(mut destination) = self.destination.filter(|_| !self.pair.is_pulled())
            && let Some(port) = destination.port().checked_add(1)
        {
            destination.set_port(port);
            // Lost reports are followed by others.
            let _ = self.pair.rtcp.send_to(datagram, destination);
        }
    }

    /// Ends all that is under way, and says goodbye.
    pub fn close(&mut self, tell: &dyn Fn(MediaEvent)) {
        if let Some(event) = self.speaker.stop(crate::PlayEnd::Stopped) {
            tell(event);
        }
        self.stop_recording(RecordEnd::Closed, tell);
        self.totals.add(self.listener.take_counts());
        self.tell_dropped(tell);
        // RFC 3550 6.3.7: no goodbye from one that was never heard of.
        if self.rtcp_sent || self.speaker.sent(0).is_some() {
            let mut buffer = [0; 128];
            if let Ok(length) = rtp::bye(self.speaker.ssrc(), &self.name(), &mut buffer) {
                self.seal_and_send_rtcp(&mut buffer, length);
            }
        }
    }
}

/// A packet of ours, sealed into `buffer`.
fn sealed<'a>(secure: &mut Secure, packet: &[u8], buffer: &'a mut [u8]) -> Option<&'a [u8]> {
    buffer.get_mut(..packet.len())?.copy_from_slice(packet);
    let length = secure.seal_rtp(buffer, packet.len())?;
    buffer.get(..length)
}
