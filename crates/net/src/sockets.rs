//! Opening sockets, each bound to its role's own address.

use crate::StartError;
use sip::flow::Listener;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::io::{Error, ErrorKind};
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::time::Duration;
use tokio::net::{TcpSocket, TcpStream};

/// What is asked of the system for UDP, where one socket serves everybody. It may give less.
const UDP_BUFFER: usize = 4 << 20;
/// What the system may hold for a peer that does not read.
const TCP_SEND_BUFFER: usize = 128 << 10;

pub(crate) fn udp(listener: &Listener) -> Result<UdpSocket, StartError> {
    let open = || {
        let socket = Socket::new(Domain::for_address(listener.addr), Type::DGRAM, Some(Protocol::UDP))?;
        // Less than asked for is no reason not to start.
        let _ = socket.set_recv_buffer_size(UDP_BUFFER);
        let _ = socket.set_send_buffer_size(UDP_BUFFER);
        socket.set_nonblocking(true)?;
        socket.bind(&listener.addr.into())?;
        Ok(socket.into())
    };
    open().map_err(|error| start_error(listener, error))
}

pub(crate) fn tcp(listener: &Listener) -> Result<TcpListener, StartError> {
    let open = || {
        let socket = Socket::new(Domain::for_address(listener.addr), Type::STREAM, Some(Protocol::TCP))?;
        // A restart must not wait for connections of the former process to be forgotten.
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&listener.addr.into())?;
        socket.listen(1024)?;
        Ok(socket.into())
    };
    open().map_err(|error| start_error(listener, error))
}

/// Connects from the listener's own IP address, by any free port: the peers know us by that address.
pub(crate) async fn connect(from: IpAddr, remote: SocketAddr) -> Result<TcpStream, Error> {
    let socket = if remote.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    if !from.is_unspecified() {
        socket.bind(SocketAddr::new(from, 0))?;
    }
    socket.connect(remote).await
}

/// What every connection gets: no delay, a bound on what a silent reader costs, and a probe that finds dead hosts.
pub(crate) fn prepare(stream: &TcpStream) {
    // Each is an improvement only; a connection without it works.
    let _ = stream.set_nodelay(true);
    let socket = SockRef::from(stream);
    let _ = socket.set_send_buffer_size(TCP_SEND_BUFFER);
    let probes = socket2::TcpKeepalive::new().with_time(Duration::from_secs(60)).with_interval(Duration::from_secs(15));
    let _ = socket.set_tcp_keepalive(&probes);
}

/// Closes by reset, so that the system keeps nothing for a peer that does not read.
pub(crate) fn reset_on_close(stream: &TcpStream) {
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}

fn start_error(listener: &Listener, source: Error) -> StartError {
    let (transport, addr) = (listener.transport, listener.addr);
    match source.kind() {
        ErrorKind::AddrInUse => StartError::PortTaken { transport, addr },
        ErrorKind::AddrNotAvailable => StartError::NoSuchAddress { addr },
        ErrorKind::PermissionDenied => StartError::NotPermitted { transport, addr },
        _ => StartError::Socket { transport, addr, source },
    }
}
