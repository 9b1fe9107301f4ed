//! The system calls that the standard library has no name for: epoll, eventfd, recvmmsg and sendmmsg, and the
//! receive buffer beyond the usual limit. Media lives on them: one call for many packets is what a core's capacity
//! hangs on. All `unsafe` of this crate is here, and each call's head says why its pointers hold.
#![allow(unsafe_code)]

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

/// Packets that one receive takes at most.
pub const BATCH: usize = 32;
/// Bytes kept of a datagram: no RTP packet of ours or of any sane peer is longer.
pub const DATAGRAM: usize = 1600;

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Waits for many sockets.
pub struct Epoll {
    fd: OwnedFd,
    events: Vec<libc::epoll_event>,
}

impl Epoll {
    pub fn new() -> io::Result<Epoll> {
        // SAFETY: takes no pointer; the descriptor is checked, new, and owned by nobody else.
        let fd = unsafe { OwnedFd::from_raw_fd(check(libc::epoll_create1(libc::EPOLL_CLOEXEC))?) };
        Ok(Epoll { fd, events: vec![libc::epoll_event { events: 0, u64: 0 }; 256] })
    }

    pub fn add(&self, what: RawFd, token: u64) -> io::Result<()> {
        let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: token };
        // SAFETY: `event` lives across the call, which copies it; a bad descriptor is an error, not a fault.
        check(unsafe { libc::epoll_ctl(self.fd.as_raw_fd(), libc::EPOLL_CTL_ADD, what, &raw mut event) })?;
        Ok(())
    }

    pub fn remove(&self, what: RawFd) -> io::Result<()> {
        // SAFETY: the event pointer may be null for removal; a bad descriptor is an error, not a fault.
        check(unsafe { libc::epoll_ctl(self.fd.as_raw_fd(), libc::EPOLL_CTL_DEL, what, std::ptr::null_mut()) })?;
        Ok(())
    }

    /// Waits until something is readable or the time is up (rounded up to a millisecond); gives how many.
    pub fn wait(&mut self, timeout: Duration) -> io::Result<usize> {
        let ms = timeout.as_micros().div_ceil(1000).min(60_000) as libc::c_int;
        let room = self.events.len() as libc::c_int;
        // SAFETY: the kernel writes at most `room` events into a vector that has that many.
        let result = check(unsafe { libc::epoll_wait(self.fd.as_raw_fd(), self.events.as_mut_ptr(), room, ms) });
        match result {
            Ok(count) => Ok(count as usize),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(0),
            Err(error) => Err(error),
        }
    }

    /// The token of the n-th event of the last wait.
    pub fn token(&self, n: usize) -> Option<u64> {
        self.events.get(n).map(|event| event.u64)
    }
}

/// Wakes an epoll from another thread.
pub struct Waker {
    fd: OwnedFd,
}

impl Waker {
    pub fn new() -> io::Result<Waker> {
        // SAFETY: takes no pointer; the descriptor is checked, new, and owned by nobody else.
        let fd = unsafe { OwnedFd::from_raw_fd(check(libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK))?) };
        Ok(Waker { fd })
    }

    pub fn fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }

    pub fn wake(&self) {
        let one = 1u64;
        // SAFETY: eight bytes are read from a living u64. A full counter (an error) means that it is awake already.
        unsafe { libc::write(self.fd.as_raw_fd(), (&raw const one).cast(), 8) };
    }

    pub fn clear(&self) {
        let mut count = 0u64;
        // SAFETY: eight bytes are written into a living u64. An error means that nothing was there to clear.
        unsafe { libc::read(self.fd.as_raw_fd(), (&raw mut count).cast(), 8) };
    }
}

/// Asks for a receive buffer of so many bytes, beyond the system's limit where this process may.
pub fn set_receive_buffer(socket: &UdpSocket, bytes: usize) {
    let size = libc::c_int::try_from(bytes).unwrap_or(libc::c_int::MAX);
    for option in [libc::SO_RCVBUFFORCE, libc::SO_RCVBUF] {
        // SAFETY: the kernel reads a living c_int of the stated length.
        let result = unsafe {
            libc::setsockopt(
                socket.as_raw_fd(),
                libc::SOL_SOCKET,
                option,
                (&raw const size).cast(),
                size_of::<libc::c_int>() as libc::socklen_t,
            )
        };
        if result == 0 {
            return;
        }
    }
}

/// Allows this process as many open files as the system lets it have: a call needs two sockets, and the usual limit of
/// 1,024 would end at 500 calls. Gives the limit, or nothing if it cannot be known.
pub fn raise_file_limit() -> Option<u64> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the kernel writes into a living rlimit.
    check(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) }).ok()?;
    if limit.rlim_cur < limit.rlim_max {
        let raised = libc::rlimit { rlim_cur: limit.rlim_max, ..limit };
        // SAFETY: the kernel reads a living rlimit.
        if check(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const raised) }).is_ok() {
            return Some(raised.rlim_cur);
        }
    }
    Some(limit.rlim_cur)
}

/// Room for a batch of datagrams, reused for every socket of a thread.
pub struct Batch {
    data: Vec<u8>,
    names: Vec<libc::sockaddr_storage>,
    pieces: Vec<libc::iovec>,
    headers: Vec<libc::mmsghdr>,
    count: usize,
}

// SAFETY: the pointers in `pieces` and `headers` are set anew, from this very object, before each call that uses
// them, and never read otherwise: moving the object to another thread moves nothing that they would be used for.
unsafe impl Send for Batch {}

impl Batch {
    pub fn new() -> Batch {
        // SAFETY: sockaddr_storage, iovec and mmsghdr are plain C structs for which all zeros is a valid value.
        let (name, piece, header) = unsafe {
            (
                std::mem::zeroed::<libc::sockaddr_storage>(),
                std::mem::zeroed::<libc::iovec>(),
                std::mem::zeroed::<libc::mmsghdr>(),
            )
        };
        Batch {
            data: vec![0; BATCH * DATAGRAM],
            names: vec![name; BATCH],
            pieces: vec![piece; BATCH],
            headers: vec![header; BATCH],
            count: 0,
        }
    }

    /// Takes what a non-blocking socket has, at most `most` datagrams (and [`BATCH`]); 0 when it has nothing.
    pub fn receive(&mut self, socket: &UdpSocket, most: usize) -> io::Result<usize> {
        self.count = 0;
        let most = most.min(BATCH);
        let data = self.data.as_mut_ptr();
        for n in 0..most {
            // SAFETY: `n` is below `most`, so below BATCH, and the offset stays inside the BATCH * DATAGRAM bytes.
            self.pieces[n].iov_base = unsafe { data.add(n * DATAGRAM) }.cast();
            self.pieces[n].iov_len = DATAGRAM;
        }
        let pieces = self.pieces.as_mut_ptr();
        let names = self.names.as_mut_ptr();
        for n in 0..most {
            let header = &mut self.headers[n].msg_hdr;
            // SAFETY: `n` is below `most`, so below BATCH, the length of both vectors.
            header.msg_name = unsafe { names.add(n) }.cast();
            header.msg_namelen = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
            // SAFETY: as above.
            header.msg_iov = unsafe { pieces.add(n) };
            header.msg_iovlen = 1;
            header.msg_control = std::ptr::null_mut();
            header.msg_controllen = 0;
            header.msg_flags = 0;
        }
        // SAFETY: `most` headers, each with one piece of DATAGRAM bytes and one name of a sockaddr_storage's size, all
        // inside vectors of this object, which is borrowed mutably and not touched until the call returns.
        let result = check(unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                self.headers.as_mut_ptr(),
                most as libc::c_uint,
                libc::MSG_DONTWAIT,
                std::ptr::null_mut(),
            )
        });
        match result {
            Ok(count) => {
                self.count = (count as usize).min(most);
                Ok(self.count)
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(0),
            Err(error) => Err(error),
        }
    }

    /// The n-th datagram of the last receive and where it came from; nothing when it was too long, or from no IP.
    pub fn datagram(&mut self, n: usize) -> Option<(&mut [u8], SocketAddr)> {
        if n >= self.count {
            return None;
        }
        let header = &self.headers[n];
        let length = header.msg_len as usize;
        if length > DATAGRAM || header.msg_hdr.msg_flags & libc::MSG_TRUNC != 0 {
            return None;
        }
        let source = address_of(&self.names[n])?;
        Some((&mut self.data[n * DATAGRAM..n * DATAGRAM + length], source))
    }

    /// The n-th datagram's whole place: what lies behind a datagram is room to make it longer.
    pub fn place(&mut self, n: usize) -> Option<&mut [u8]> {
        self.data.get_mut(n * DATAGRAM..(n + 1) * DATAGRAM)
    }

    /// Sends pieces of the datagrams received last (`parts[n]` is a datagram's number and a range in it) to one place;
    /// gives how many the system took.
    pub fn send(
        &mut self,
        socket: &UdpSocket,
        to: SocketAddr,
        parts: &[(usize, std::ops::Range<usize>)],
    ) -> io::Result<usize> {
        if let [(n, range)] = parts {
            let datagram = n * DATAGRAM..(n + 1) * DATAGRAM;
            let Some(bytes) = self.data.get(datagram).and_then(|datagram| datagram.get(range.clone())) else {
                return Ok(0);
            };
            return socket.send_to(bytes, to).map(|_| 1);
        }
        let (mut name, name_length) = name_of(to);
        let data = self.data.as_mut_ptr();
        let mut count = 0;
        for (n, range) in parts.iter().take(BATCH) {
            if *n >= BATCH || range.start > range.end || range.end > DATAGRAM {
                continue;
            }
            // SAFETY: the datagram's number and the range were checked against the size of `data` just above.
            self.pieces[count].iov_base = unsafe { data.add(n * DATAGRAM + range.start) }.cast();
            self.pieces[count].iov_len = range.end - range.start;
            count += 1;
        }
        let pieces = self.pieces.as_mut_ptr();
        for n in 0..count {
            let header = &mut self.headers[n].msg_hdr;
            header.msg_name = (&raw mut name).cast();
            header.msg_namelen = name_length;
            // SAFETY: `n` is below `count`, which is at most BATCH, the length of `pieces`.
            header.msg_iov = unsafe { pieces.add(n) };
            header.msg_iovlen = 1;
            header.msg_control = std::ptr::null_mut();
            header.msg_controllen = 0;
            header.msg_flags = 0;
        }
        // The headers no longer describe what was received.
        self.count = 0;
        // SAFETY: `count` headers, each with one piece inside `data` and the one name on this stack, all of which live
        // across the call; the kernel only reads through them.
        let sent = check(unsafe {
            libc::sendmmsg(socket.as_raw_fd(), self.headers.as_mut_ptr(), count as libc::c_uint, libc::MSG_DONTWAIT)
        })?;
        Ok(sent as usize)
    }
}

fn address_of(name: &libc::sockaddr_storage) -> Option<SocketAddr> {
    match libc::c_int::from(name.ss_family) {
        libc::AF_INET => {
            // SAFETY: the family says that the storage holds a sockaddr_in, which it is large and aligned enough for.
            let v4 = unsafe { &*(&raw const *name).cast::<libc::sockaddr_in>() };
            let ip = Ipv4Addr::from(u32::from_be(v4.sin_addr.s_addr));
            Some(SocketAddr::new(IpAddr::V4(ip), u16::from_be(v4.sin_port)))
        }
        libc::AF_INET6 => {
            // SAFETY: the family says that the storage holds a sockaddr_in6, which it is large and aligned enough for.
            let v6 = unsafe { &*(&raw const *name).cast::<libc::sockaddr_in6>() };
            let ip = Ipv6Addr::from(v6.sin6_addr.s6_addr);
            Some(SocketAddr::new(IpAddr::V6(ip), u16::from_be(v6.sin6_port)))
        }
        _ => None,
    }
}

fn name_of(address: SocketAddr) -> (libc::sockaddr_storage, libc::socklen_t) {
    // SAFETY: a sockaddr_storage of zeros is valid.
    let mut name = unsafe { std::mem::zeroed::<libc::sockaddr_storage>() };
    let length = match address {
        SocketAddr::V4(v4) => {
            // SAFETY: a sockaddr_storage is large and aligned enough for a sockaddr_in, and is borrowed by us alone.
            let inner = unsafe { &mut *(&raw mut name).cast::<libc::sockaddr_in>() };
            inner.sin_family = libc::AF_INET as libc::sa_family_t;
            inner.sin_port = v4.port().to_be();
            inner.sin_addr.s_addr = u32::from(*v4.ip()).to_be();
            size_of::<libc::sockaddr_in>()
        }
        SocketAddr::V6(v6) => {
            // SAFETY: a sockaddr_storage is large and aligned enough for a sockaddr_in6, and is borrowed by us alone.
            let inner = unsafe { &mut *(&raw mut name).cast::<libc::sockaddr_in6>() };
            inner.sin6_family = libc::AF_INET6 as libc::sa_family_t;
            inner.sin6_port = v6.port().to_be();
            inner.sin6_addr.s6_addr = v6.ip().octets();
            inner.sin6_scope_id = v6.scope_id();
            size_of::<libc::sockaddr_in6>()
        }
    };
    (name, length as libc::socklen_t)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (UdpSocket, UdpSocket) {
        let bind = || UdpSocket::bind("127.0.0.1:0").unwrap();
        (bind(), bind())
    }

    #[test]
    fn a_batch_takes_all_that_waits_and_knows_where_each_came_from() {
        let (from, to) = pair();
        to.set_nonblocking(true).unwrap();
        let mut batch = Batch::new();
        assert_eq!(batch.receive(&to, BATCH).unwrap(), 0);
        for n in 0..3u8 {
            from.send_to(&[n; 5], to.local_addr().unwrap()).unwrap();
        }
        from.send_to(&[0; DATAGRAM + 1], to.local_addr().unwrap()).unwrap();
        assert_eq!(batch.receive(&to, BATCH).unwrap(), 4);
        for n in 0..3u8 {
            let (datagram, source) = batch.datagram(usize::from(n)).unwrap();
            assert_eq!((&datagram[..], source), (&[n; 5][..], from.local_addr().unwrap()));
        }
        assert!(batch.datagram(3).is_none(), "too long a datagram is dropped");
        assert!(batch.datagram(4).is_none());
    }

    #[test]
    fn several_parts_are_sent_with_one_call() {
        let (from, to) = pair();
        let (middle, out) = pair();
        for socket in [&to, &middle] {
            socket.set_nonblocking(true).unwrap();
        }
        let mut batch = Batch::new();
        for n in 0..4u8 {
            from.send_to(&[n, n + 1, n + 2], middle.local_addr().unwrap()).unwrap();
        }
        assert_eq!(batch.receive(&middle, BATCH).unwrap(), 4);
        let parts: Vec<_> = (0..4).map(|n| (n, 1..3)).collect();
        assert_eq!(batch.send(&out, to.local_addr().unwrap(), &parts).unwrap(), 4);
        assert_eq!(batch.receive(&to, BATCH).unwrap(), 4);
        assert_eq!(batch.datagram(2).unwrap().0, [3, 4]);
        assert_eq!(batch.datagram(2).unwrap().1, out.local_addr().unwrap());
        assert_eq!(batch.send(&out, to.local_addr().unwrap(), &[(99, 0..5)]).unwrap(), 0);
    }

    #[test]
    fn addresses_survive_the_way_into_c_and_back() {
        for address in ["192.0.2.7:5004", "[2001:db8::7]:5004"] {
            let address: SocketAddr = address.parse().unwrap();
            assert_eq!(address_of(&name_of(address).0), Some(address));
        }
    }

    #[test]
    fn the_file_limit_is_raised_as_far_as_it_goes() {
        let limit = raise_file_limit().unwrap();
        assert_eq!(raise_file_limit(), Some(limit));
    }

    #[test]
    fn a_waker_wakes_an_epoll_once() {
        let mut epoll = Epoll::new().unwrap();
        let waker = Waker::new().unwrap();
        epoll.add(waker.fd(), 7).unwrap();
        assert_eq!(epoll.wait(Duration::ZERO).unwrap(), 0);
        waker.wake();
        waker.wake();
        assert_eq!(epoll.wait(Duration::from_secs(5)).unwrap(), 1);
        assert_eq!(epoll.token(0), Some(7));
        waker.clear();
        assert_eq!(epoll.wait(Duration::ZERO).unwrap(), 0);
        epoll.remove(waker.fd()).unwrap();
    }
}
