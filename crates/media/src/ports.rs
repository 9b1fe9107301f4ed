//! Port pairs: RTP on an even port, RTCP on the odd one above it (RFC 3550 11).

use crate::{OpenError, sys};
use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Holds about three seconds of 20 ms packets: a media thread that is that late has lost nothing.
const RECEIVE_BUFFER: usize = 256 * 1024;

/// The two sockets of a session, non-blocking.
#[derive(Debug)]
pub struct Pair {
    pub rtp: UdpSocket,
    pub rtcp: UdpSocket,
    pub port: u16,
    pulled: Arc<AtomicBool>,
}

impl Pair {
    /// Whether the cable is pulled: nothing is sent, and what comes in is thrown away.
    pub fn is_pulled(&self) -> bool {
        self.pulled.load(Ordering::Relaxed)
    }
}

/// Gives out pairs in turn, so that a port rests as long as it can before it is used again.
#[derive(Debug)]
pub struct Ports {
    bind: IpAddr,
    first: u16,
    pairs: u16,
    next: u16,
    used: BTreeSet<u16>,
    /// Whether the engine's cable is pulled.
    pub pulled: Arc<AtomicBool>,
}

impl Ports {
    /// `None` when the range holds no pair.
    pub fn new(bind: IpAddr, range: &RangeInclusive<u16>) -> Option<Ports> {
        let first = range.start().checked_add(range.start() % 2)?.max(2);
        let pairs = (u32::from(*range.end()) + 1).checked_sub(u32::from(first))? / 2;
        let (used, pulled) = (BTreeSet::new(), Arc::default());
        (pairs > 0).then_some(Ports { bind, first, pairs: pairs as u16, next: 0, used, pulled })
    }

    /// Binds the next free pair; ports that other programs hold are passed over.
    pub fn open(&mut self) -> Result<Pair, OpenError> {
        for _ in 0..self.pairs {
            let port = self.first + self.next * 2;
            self.next = (self.next + 1) % self.pairs;
            if self.used.contains(&port) {
                continue;
            }
            match self.bind(port) {
                Ok(pair) => {
                    self.used.insert(port);
                    return Ok(pair);
                }
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                Err(error) => return Err(OpenError::Socket(error.to_string())),
            }
        }
        Err(OpenError::NoPort)
    }

    pub fn give_back(&mut self, port: u16) {
        self.used.remove(&port);
    }

    fn bind(&self, port: u16) -> io::Result<Pair> {
        let socket = |port| -> io::Result<UdpSocket> {
            let socket = UdpSocket::bind(SocketAddr::new(self.bind, port))?;
            socket.set_nonblocking(true)?;
            Ok(socket)
        };
        let rtp = socket(port)?;
        sys::set_receive_buffer(&rtp, RECEIVE_BUFFER);
        Ok(Pair { rtp, rtcp: socket(port + 1)?, port, pulled: self.pulled.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOPBACK: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 77, 1));

    #[test]
    fn rtp_is_even_and_rtcp_the_next_and_none_is_given_twice() {
        let mut ports = Ports::new(LOOPBACK, &(23001..=23006)).unwrap();
        let first = ports.open().unwrap();
        let second = ports.open().unwrap();
        assert_eq!((first.port, second.port), (23002, 23004));
        assert_eq!(first.rtcp.local_addr().unwrap(), SocketAddr::new(LOOPBACK, 23003));
        assert_eq!(ports.open().unwrap_err(), OpenError::NoPort);
        drop(first);
        ports.give_back(23002);
        assert_eq!(ports.open().unwrap().port, 23002);
    }

    #[test]
    fn a_port_that_another_program_holds_is_passed_over() {
        let taken = UdpSocket::bind(SocketAddr::new(LOOPBACK, 23101)).unwrap();
        let mut ports = Ports::new(LOOPBACK, &(23100..=23103)).unwrap();
        assert_eq!(ports.open().unwrap().port, 23102);
        drop(taken);
    }

    #[test]
    fn a_range_without_a_pair_is_refused() {
        assert!(Ports::new(LOOPBACK, &(23001..=23002)).is_none());
        #[expect(clippy::reversed_empty_ranges)]
        let backwards = 3..=2;
        assert!(Ports::new(LOOPBACK, &backwards).is_none());
        assert!(Ports::new(LOOPBACK, &(65535..=65535)).is_none());
        assert!(Ports::new(LOOPBACK, &(0..=65535)).is_some());
    }
}
