//! RTCP: reports about what was sent and received, the source's name, and its goodbye (RFC 3550 6).

use rtcp_types::{
    Bye, Compound, Packet, ReceiverReport, ReportBlock as WireBlock, RtcpPacketWriterExt, Sdes, SdesChunk, SdesItem,
    SenderReport,
};
use std::time::Instant;

/// What we sent on a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    pub packets: u32,
    /// Payload only (RFC 3550 6.4.1).
    pub octets: u32,
    /// The RTP timestamp of now, as the stream counts.
    pub timestamp: u32,
}

/// One report block (RFC 3550 6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportBlock {
    pub ssrc: u32,
    pub fraction_lost: u8,
    /// At most 24 bits.
    pub cumulative_lost: u32,
    pub highest_sequence: u32,
    pub jitter: u32,
    pub last_report: u32,
    pub delay_since_last_report: u32,
}

/// Why RTCP could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RtcpError {
    /// The datagram is no RTCP: drop it.
    #[error("not RTCP: {0}")]
    Malformed(String),
    /// The buffer is too small or a field too long.
    #[error("RTCP: {0}")]
    Write(String),
}

/// Writes a sender report (with `sent`) or a receiver report, and the source's CNAME, into `buffer`. `ntp` is the wall
/// clock as NTP counts. Gives the length.
pub fn report(
    ssrc: u32,
    cname: &str,
    ntp: u64,
    sent: Option<Sent>,
    block: Option<ReportBlock>,
    buffer: &mut [u8],
) -> Result<usize, RtcpError> {
    let wire = block.map(|block| {
        WireBlock::builder(block.ssrc)
            .fraction_lost(block.fraction_lost)
            .cumulative_lost(block.cumulative_lost)
            .extended_sequence_number(block.highest_sequence)
            .interarrival_jitter(block.jitter)
            .last_sender_report_timestamp(block.last_report)
            .delay_since_last_sender_report_timestamp(block.delay_since_last_report)
    });
    let compound = Compound::builder();
    // RFC 3550 6.1: a compound packet begins with a report, and holds the CNAME.
    let compound = if let Some(sent) = sent {
        let mut report = SenderReport::builder(ssrc)
            .ntp_timestamp(ntp)
            .rtp_timestamp(sent.timestamp)
            .packet_count(sent.packets)
            .octet_count(sent.octets);
        if let Some(block) = wire {
            report = report.add_report_block(block);
        }
        compound.add_packet(report)
    } else {
        let mut report = ReceiverReport::builder(ssrc);
        if let Some(block) = wire {
            report = report.add_report_block(block);
        }
        compound.add_packet(report)
    };
    compound.add_packet(name(ssrc, cname)).write_into(buffer).map_err(|error| RtcpError::Write(error.to_string()))
}

/// Writes an empty report, the CNAME and a goodbye into `buffer`. Gives the length.
pub fn bye(ssrc: u32, cname: &str, buffer: &mut [u8]) -> Result<usize, RtcpError> {
    Compound::builder()
        .add_packet(ReceiverReport::builder(ssrc))
        .add_packet(name(ssrc, cname))
        .add_packet(Bye::builder().add_source(ssrc))
        .write_into(buffer)
        .map_err(|error| RtcpError::Write(error.to_string()))
}

fn name(ssrc: u32, cname: &str) -> rtcp_types::SdesBuilder<'_> {
    Sdes::builder().add_chunk(SdesChunk::builder(ssrc).add_item(SdesItem::builder(SdesItem::CNAME, cname)))
}

/// What a peer's RTCP says that matters here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// Sender and NTP time (middle 32 bits) of a sender report.
    pub sender_report: Option<(u32, u32)>,
    /// A source said goodbye.
    pub bye: Option<u32>,
}

pub fn read_rtcp(datagram: &[u8]) -> Result<Received, RtcpError> {
    let malformed = |error: rtcp_types::RtcpParseError| RtcpError::Malformed(error.to_string());
    let mut received = Received::default();
    for packet in Compound::parse(datagram).map_err(malformed)? {
        match packet.map_err(malformed)? {
            Packet::Sr(report) => {
                received.sender_report = Some((report.ssrc(), (report.ntp_timestamp() >> 16) as u32));
            }
            Packet::Bye(bye) => received.bye = bye.ssrcs().next(),
            _ => {}
        }
    }
    Ok(received)
}

/// Counts what came in, for report blocks (RFC 3550 A.3, A.8).
#[derive(Clone, Debug)]
pub struct ReceiverStatistics {
    ssrc: u32,
    first: u64,
    highest: u64,
    received: u64,
    expected_prior: u64,
    received_prior: u64,
    /// Sixteen times the jitter, in samples.
    jitter: u32,
    transit: Option<i32>,
    epoch: Option<Instant>,
    last_report: Option<(u32, Instant)>,
}

impl ReceiverStatistics {
    pub fn new(ssrc: u32) -> ReceiverStatistics {
        ReceiverStatistics {
            ssrc,
            first: 0,
            highest: 0,
            received: 0,
            expected_prior: 0,
            received_prior: 0,
            jitter: 0,
            transit: None,
            epoch: None,
            last_report: None,
        }
    }

    /// A packet that is no duplicate; `sequence` as counted on by [`SequenceTracker`](crate::SequenceTracker).
    /// `arrival` is `None` where sockets are read in batches: its jitter would be that of the reader.
    pub fn packet(&mut self, sequence: u64, timestamp: u32, arrival: Option<Instant>) {
        if self.received == 0 {
            self.first = sequence;
            self.highest = sequence;
        }
        self.first = self.first.min(sequence);
        self.highest = self.highest.max(sequence);
        self.received += 1;
        let Some(arrival) = arrival else { return };
        let epoch = *self.epoch.get_or_insert(arrival);
        let samples = arrival.saturating_duration_since(epoch).as_micros() / 125;
        let transit = (samples as u32).wrapping_sub(timestamp) as i32;
        if let Some(before) = self.transit.replace(transit) {
            let difference = transit.wrapping_sub(before).unsigned_abs().min(0x00ff_ffff);
            // RFC 3550 A.8, in sixteenths.
            self.jitter = self.jitter - (self.jitter + 8) / 16 + difference;
        }
    }

    /// The peer's sender report came.
    pub fn sender_report(&mut self, ntp_middle: u32, now: Instant) {
        self.last_report = Some((ntp_middle, now));
    }

    /// How many packets came in.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// How many should have come in and did not.
    pub fn lost(&self) -> u64 {
        self.expected().saturating_sub(self.received)
    }

    fn expected(&self) -> u64 {
        if self.received == 0 { 0 } else { self.highest - self.first + 1 }
    }

    /// The block for the next report; the fraction lost is since the last one. `None` before the first packet.
    pub fn block(&mut self, now: Instant) -> Option<ReportBlock> {
        if self.received == 0 {
            return None;
        }
        let expected = self.expected();
        let expected_interval = expected - self.expected_prior;
        let received_interval = self.received - self.received_prior;
        self.expected_prior = expected;
        self.received_prior = self.received;
        let lost_interval = expected_interval.saturating_sub(received_interval);
        let fraction = (lost_interval * 256).checked_div(expected_interval).unwrap_or(0).min(255);
        let (last_report, delay) = match self.last_report {
            // RFC 3550 6.4.1: in units of 1/65536 s.
            Some((ntp, at)) => (ntp, now.saturating_duration_since(at).as_micros() * 65_536 / 1_000_000),
            None => (0, 0),
        };
        Some(ReportBlock {
            ssrc: self.ssrc,
            fraction_lost: fraction as u8,
            cumulative_lost: self.lost().min(0x7f_ffff) as u32,
            highest_sequence: self.highest as u32,
            jitter: self.jitter / 16,
            last_report,
            delay_since_last_report: delay as u32,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_sender_report_with_its_block_is_read_back() {
        let mut buffer = [0; 256];
        let sent = Sent { packets: 5, octets: 800, timestamp: 4000 };
        let mut statistics = ReceiverStatistics::new(9);
        statistics.packet(100, 0, None);
        let block = statistics.block(Instant::now());
        let length = report(7, "earcon@x", 0x1122_3344_5566_7788, Some(sent), block, &mut buffer).unwrap();
        assert_eq!(length % 4, 0);
        let received = read_rtcp(&buffer[..length]).unwrap();
        assert_eq!(received.sender_report, Some((7, 0x3344_5566)));
        assert_eq!(received.bye, None);
    }

    #[test]
    fn a_goodbye_is_heard() {
        let mut buffer = [0; 256];
        let length = bye(7, "earcon@x", &mut buffer).unwrap();
        assert_eq!(read_rtcp(&buffer[..length]).unwrap().bye, Some(7));
        assert!(bye(7, "earcon@x", &mut buffer[..8]).is_err());
    }

    #[test]
    fn loss_is_counted_once_and_per_interval() {
        let now = Instant::now();
        let mut statistics = ReceiverStatistics::new(9);
        for sequence in (0..100u64).filter(|sequence| sequence % 4 != 3) {
            statistics.packet(sequence, sequence as u32 * 160, None);
        }
        let block = statistics.block(now).unwrap();
        assert_eq!((block.cumulative_lost, block.fraction_lost), (24, 62));
        for sequence in 100..200 {
            statistics.packet(sequence, 0, None);
        }
        let block = statistics.block(now).unwrap();
        assert_eq!((block.cumulative_lost, block.fraction_lost), (25, 2));
    }

    #[test]
    fn jitter_is_nothing_on_an_even_stream_and_grows_with_unevenness() {
        let start = Instant::now();
        let run = |wobble: u64| {
            let mut statistics = ReceiverStatistics::new(9);
            for n in 0..500u64 {
                let at = start + Duration::from_millis(20 * n + wobble * (n % 2));
                statistics.packet(n, n as u32 * 160, Some(at));
            }
            statistics.block(start).unwrap().jitter
        };
        assert_eq!(run(0), 0);
        // 10 ms to and fro is 80 samples from packet to packet.
        assert!((75..=85).contains(&run(10)), "{}", run(10));
    }

    #[test]
    fn the_last_sender_report_is_echoed_with_its_age() {
        let start = Instant::now();
        let mut statistics = ReceiverStatistics::new(9);
        statistics.packet(0, 0, None);
        statistics.sender_report(0xabcd, start);
        let block = statistics.block(start + Duration::from_millis(500)).unwrap();
        assert_eq!((block.last_report, block.delay_since_last_report), (0xabcd, 32_768));
    }

    #[test]
    fn hostile_rtcp_is_refused_without_panic() {
        let mut state = 1u32;
        for length in 0..64usize {
            for round in 0..300 {
                let mut datagram: Vec<u8> = (0..length)
                    .map(|_| {
                        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        (state >> 24) as u8
                    })
                    .collect();
                // Half of them get a believable beginning, so that the inner parsers are reached.
                if round % 2 == 0 && length >= 4 {
                    datagram[0] = 0x80 | (datagram[0] & 0x3f);
                    datagram[1] = 200 + datagram[1] % 6;
                    datagram[2] = 0;
                    datagram[3] = (length / 4 - 1) as u8;
                }
                let _ = read_rtcp(&datagram);
            }
        }
    }
}
