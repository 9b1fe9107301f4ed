//! `earcon phone`: the command line turned into a phone's options.

use crate::cli::PhoneArguments;
use crate::failure::Failure;
use crate::stop;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

pub fn run(arguments: PhoneArguments) -> Result<(), Failure> {
    let password = match arguments.password {
        Some(password) => password,
        // The lab's passwords are known to everyone, and good for loopback only.
        None if arguments.server.ip().is_loopback() => format!("moon-{}", arguments.extension),
        None => return Err(Failure::new("a PBX that is not the lab wants a password: give --password")),
    };
    let bind = match arguments.bind {
        Some(address) => address,
        None => address_towards(arguments.server)
            .map_err(|error| Failure::new(format!("no way to {}: {error}", arguments.server)))?,
    };
    let options = phone::Options {
        user: arguments.extension,
        password,
        server: arguments.server,
        bind,
        tcp: arguments.tcp,
        tls: arguments.ca,
        call: arguments.call,
        play: arguments.play,
        keys: arguments.dtmf,
        record: arguments.record,
        answer: arguments.answer,
        ring: arguments.ring.map(Duration::from_secs),
        duration: arguments.duration.map(Duration::from_secs),
        srtp: arguments.srtp,
        seed: rand::random(),
    };
    phone::run(options, stop::flag()?, |line| println!("{line}")).map_err(Failure::from_error)
}

/// The address that the system would speak to `server` from.
fn address_towards(server: SocketAddr) -> std::io::Result<IpAddr> {
    let any: SocketAddr =
        if server.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { (std::net::Ipv6Addr::UNSPECIFIED, 0).into() };
    let socket = UdpSocket::bind(any)?;
    // Nothing is sent: connecting a UDP socket only chooses its route.
    socket.connect(server)?;
    Ok(socket.local_addr()?.ip())
}
