//! Recorded messages as a capture that Wireshark opens: pcapng with raw IP packets, addresses and ports as they were. The packets are
//! made up around the messages: a UDP datagram, or TCP segments whose numbers fit.

use crate::entry::{Cause, Output};
use crate::text::Recorded;
use bytes::Bytes;
use sip::Transport;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::SystemTime;

/// Bytes in a TCP segment that is made up, at most.
const SEGMENT: usize = 16 << 10;

/// A message on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Nanoseconds since 1970.
    pub at_ns: u64,
    pub transport: Transport,
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub wire: Bytes,
    /// Its sender's own record, or that of whoever received it.
    pub sent: bool,
}

/// The messages of these calls, in order of time. What both its sender and its receiver recorded is there once.
pub fn packets(calls: &[Recorded]) -> Vec<Packet> {
    let mut packets = Vec::new();
    for call in calls {
        let mut own = Vec::new();
        for entry in &call.entries {
            let at_ns = nanos(entry.at.wall);
            if let Cause::Message { wire, flow } = &entry.cause {
                let (transport, from, to) = (flow.transport, flow.remote, flow.local);
                own.push(Packet { at_ns, transport, from, to, wire: wire.clone(), sent: false });
            }
            for output in &entry.outputs {
                if let Output::Sent { to, local, wire } = output {
                    let (transport, from, to) = (to.transport(), *local, to.remote());
                    own.push(Packet { at_ns, transport, from, to, wire: wire.clone(), sent: true });
                }
            }
        }
        name_ports(&mut own);
        packets.append(&mut own);
    }
    let senders: BTreeSet<IpAddr> =
        packets.iter().filter(|packet| packet.sent).map(|packet| packet.from.ip()).collect();
    packets.retain(|packet| packet.sent || packet.from.ip() == packet.to.ip() || !senders.contains(&packet.from.ip()));
    packets.sort_by_key(|packet| packet.at_ns);
    packets
}

/// What opens a connection is recorded with the listener's port, since the connection's own was not known yet. An answer that came by
/// it tells.
fn name_ports(packets: &mut [Packet]) {
    let mut known: BTreeMap<(SocketAddr, IpAddr), SocketAddr> = BTreeMap::new();
    for packet in packets.iter().filter(|packet| !packet.sent && packet.transport.is_reliable()) {
        known.entry((packet.from, packet.to.ip())).or_insert(packet.to);
    }
    for packet in packets.iter_mut().filter(|packet| packet.sent && packet.transport.is_reliable()) {
        if let Some(local) = known.get(&(packet.to, packet.from.ip())) {
            packet.from = *local;
        }
    }
}

fn nanos(at: SystemTime) -> u64 {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// A whole capture file.
pub fn write(packets: &[Packet]) -> Vec<u8> {
    let mut out = Vec::new();
    // Section header: byte-order magic, version 1.0, length not given.
    let mut section = vec![0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0];
    section.extend_from_slice(&u64::MAX.to_le_bytes());
    option(&mut section, 4, concat!("Earcon ", env!("CARGO_PKG_VERSION")).as_bytes());
    section.extend_from_slice(&[0; 4]);
    block(&mut out, 0x0a0d_0d0a, &section);
    // One interface: LINKTYPE_RAW (IP without a link layer), no limit to lengths, times in nanoseconds.
    let mut interface = vec![101, 0, 0, 0, 0, 0, 0, 0];
    option(&mut interface, 2, b"sip");
    option(&mut interface, 9, &[9]);
    interface.extend_from_slice(&[0; 4]);
    block(&mut out, 1, &interface);
    let mut streams: BTreeMap<(SocketAddr, SocketAddr), u32> = BTreeMap::new();
    for packet in packets {
        if !packet.transport.is_reliable() {
            enhanced(&mut out, packet.at_ns, &ip(packet, 17, &udp(packet)));
            continue;
        }
        for part in packet.wire.chunks(SEGMENT) {
            let acknowledged = streams.get(&(packet.to, packet.from)).copied().unwrap_or(1);
            let next = streams.entry((packet.from, packet.to)).or_insert(1);
            enhanced(&mut out, packet.at_ns, &ip(packet, 6, &tcp(packet, part, *next, acknowledged)));
            *next = next.wrapping_add(part.len() as u32);
        }
    }
    out
}

fn block(out: &mut Vec<u8>, kind: u32, body: &[u8]) {
    let length = (body.len() + 12) as u32;
    out.extend_from_slice(&kind.to_le_bytes());
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(body);
    out.extend_from_slice(&length.to_le_bytes());
}

fn option(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    out.extend_from_slice(&code.to_le_bytes());
    out.extend_from_slice(&(value.len() as u16).to_le_bytes());
    out.extend_from_slice(value);
    pad(out, value.len());
}

/// To a multiple of 32 bits.
fn pad(out: &mut Vec<u8>, length: usize) {
    out.resize(out.len() + length.next_multiple_of(4) - length, 0);
}

/// An enhanced packet block on interface 0.
fn enhanced(out: &mut Vec<u8>, at_ns: u64, packet: &[u8]) {
    let mut body = vec![0; 4];
    body.extend_from_slice(&((at_ns >> 32) as u32).to_le_bytes());
    body.extend_from_slice(&(at_ns as u32).to_le_bytes());
    body.extend_from_slice(&(packet.len() as u32).to_le_bytes());
    body.extend_from_slice(&(packet.len() as u32).to_le_bytes());
    body.extend_from_slice(packet);
    pad(&mut body, packet.len());
    block(out, 6, &body);
}

fn udp(packet: &Packet) -> Vec<u8> {
    let mut out = Vec::with_capacity(8 + packet.wire.len());
    out.extend_from_slice(&packet.from.port().to_be_bytes());
    out.extend_from_slice(&packet.to.port().to_be_bytes());
    out.extend_from_slice(&((packet.wire.len() + 8) as u16).to_be_bytes());
    out.extend_from_slice(&[0, 0]);
    out.extend_from_slice(&packet.wire);
    let sum = checksum(packet, 17, &out);
    // 0 says that there is none (RFC 768).
    put_sum(&mut out, 6, if sum == 0 { 0xffff } else { sum });
    out
}

fn tcp(packet: &Packet, part: &[u8], sequence: u32, acknowledged: u32) -> Vec<u8> {
    let mut out = Vec::with_capacity(20 + part.len());
    out.extend_from_slice(&packet.from.port().to_be_bytes());
    out.extend_from_slice(&packet.to.port().to_be_bytes());
    out.extend_from_slice(&sequence.to_be_bytes());
    out.extend_from_slice(&acknowledged.to_be_bytes());
    // Five words of header; PSH and ACK; the largest window.
    out.extend_from_slice(&[0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0]);
    out.extend_from_slice(part);
    let sum = checksum(packet, 6, &out);
    put_sum(&mut out, 16, sum);
    out
}

fn put_sum(out: &mut [u8], at: usize, sum: u16) {
    if let Some(place) = out.get_mut(at..at + 2) {
        place.copy_from_slice(&sum.to_be_bytes());
    }
}

fn ip(packet: &Packet, protocol: u8, payload: &[u8]) -> Vec<u8> {
    match (packet.from.ip(), packet.to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let mut out = vec![0x45, 0];
            out.extend_from_slice(&((payload.len() + 20) as u16).to_be_bytes());
            out.extend_from_slice(&[0, 0, 0x40, 0, 64, protocol, 0, 0]);
            out.extend_from_slice(&from.octets());
            out.extend_from_slice(&to.octets());
            let sum = fold(add(0, &out));
            put_sum(&mut out, 10, sum);
            out.extend_from_slice(payload);
            out
        }
        (from, to) => {
            let mut out = vec![0x60, 0, 0, 0];
            out.extend_from_slice(&(payload.len() as u16).to_be_bytes());
            out.extend_from_slice(&[protocol, 64]);
            out.extend_from_slice(&octets(from));
            out.extend_from_slice(&octets(to));
            out.extend_from_slice(payload);
            out
        }
    }
}

fn octets(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
        IpAddr::V6(ip) => ip.octets(),
    }
}

/// Over the pseudo-header and the segment (RFC 9293 3.1, RFC 768, RFC 8200 8.1).
fn checksum(packet: &Packet, protocol: u8, segment: &[u8]) -> u16 {
    let sum = match (packet.from.ip(), packet.to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => add(add(0, &from.octets()), &to.octets()),
        (from, to) => add(add(0, &octets(from)), &octets(to)),
    };
    fold(add(sum + u32::from(protocol) + segment.len() as u32, segment))
}

fn add(sum: u32, bytes: &[u8]) -> u32 {
    bytes.chunks(2).fold(sum, |sum, pair| {
        let word = match pair {
            [high, low] => u16::from_be_bytes([*high, *low]),
            [high] => u16::from_be_bytes([*high, 0]),
            _ => 0,
        };
        sum.wrapping_add(word.into())
    })
}

fn fold(sum: u32) -> u16 {
    let mut sum = sum;
    while sum >> 16 != 0 {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(transport: Transport, wire: &'static [u8]) -> Packet {
        Packet {
            at_ns: 1_790_000_000_123_456_789,
            transport,
            from: "192.0.2.1:5060".parse().unwrap(),
            to: "192.0.2.2:5070".parse().unwrap(),
            wire: Bytes::from_static(wire),
            sent: true,
        }
    }

    #[test]
    fn the_checksum_is_that_of_rfc_1071s_example() {
        assert_eq!(fold(add(0, &[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7])), !0xddf2);
    }

    #[test]
    fn blocks_say_their_length_twice_and_are_whole_words() {
        let out = write(&[packet(Transport::Udp, b"OPTIONS"), packet(Transport::Tcp, b"BYE")]);
        let mut at = 0;
        let mut kinds = Vec::new();
        while at < out.len() {
            let word = |at: usize| u32::from_le_bytes(out[at..at + 4].try_into().unwrap());
            let length = word(at + 4) as usize;
            assert_eq!((length % 4, word(at + length - 4) as usize), (0, length));
            kinds.push(word(at));
            at += length;
        }
        assert_eq!(kinds, [0x0a0d_0d0a, 1, 6, 6]);
    }

    #[test]
    fn a_segments_checksum_adds_up() {
        let packet = packet(Transport::Tcp, b"OPTIONS");
        let segment = tcp(&packet, b"OPTIONS", 1, 1);
        // Over a right checksum the sum is zero.
        assert_eq!(checksum(&packet, 6, &segment), 0);
    }
}
