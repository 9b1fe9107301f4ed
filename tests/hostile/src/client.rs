//! SIP by hand: bytes out, answers in, from any loopback address.

use socket2::SockRef;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tests_crash::{connect_from, field};

static NUMBER: AtomicU64 = AtomicU64::new(1);

/// Different at each call, also between tests that run side by side.
pub fn unique() -> String {
    format!("h{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed))
}

enum Wire {
    Udp(UdpSocket),
    Tcp(TcpStream, Vec<u8>),
}

pub struct Client {
    wire: Wire,
    pub local: SocketAddr,
}

/// A message as it came.
#[derive(Clone, Debug)]
pub struct Answer {
    pub lines: Vec<String>,
    pub body: String,
}

impl Answer {
    /// 0: a request.
    pub fn status(&self) -> u16 {
        let words: Vec<&str> = self.lines[0].split(' ').collect();
        if words[0] == "SIP/2.0" { words[1].parse().unwrap() } else { 0 }
    }

    pub fn field(&self, name: &str) -> Option<String> {
        field(&self.lines, name)
    }

    fn parse(bytes: &[u8]) -> Option<(Answer, usize)> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&bytes[..end]);
        let lines: Vec<String> = head.trim_start().lines().map(str::to_owned).collect();
        let length: usize = field(&lines, "Content-Length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let body = bytes.get(end + 4..end + 4 + length)?;
        Some((Answer { lines, body: String::from_utf8_lossy(body).into_owned() }, end + 4 + length))
    }
}

impl Client {
    /// `from` may name a port (`127.0.60.90:5060`); `to` must.
    pub fn udp(from: &str, to: &str) -> Client {
        let from = if from.contains(':') { from.to_owned() } else { format!("{from}:0") };
        let socket = UdpSocket::bind(from).unwrap();
        socket.connect(to).unwrap();
        let local = socket.local_addr().unwrap();
        Client { wire: Wire::Udp(socket), local }
    }

    pub fn tcp(from: &str, to: &str) -> Client {
        let stream = connect_from(from, to.parse().unwrap()).unwrap();
        let local = stream.local_addr().unwrap();
        Client { wire: Wire::Tcp(stream, Vec::new()), local }
    }

    /// The same socket for another thread.
    pub fn another(&self) -> Client {
        let wire = match &self.wire {
            Wire::Udp(socket) => Wire::Udp(socket.try_clone().unwrap()),
            Wire::Tcp(stream, _) => Wire::Tcp(stream.try_clone().unwrap(), Vec::new()),
        };
        Client { wire, local: self.local }
    }

    /// Reads as little as the system lets it, and gives up a send that does not go on within a second: a peer that only
    /// talks.
    pub fn limit_receiving(&mut self) {
        let Wire::Tcp(stream, _) = &self.wire else { return };
        stream.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
        SockRef::from(stream).set_recv_buffer_size(2048).unwrap();
    }

    pub fn transport(&self) -> &'static str {
        match self.wire {
            Wire::Udp(_) => "UDP",
            Wire::Tcp(..) => "TCP",
        }
    }

    /// What can't be sent is lost: the other side may have closed.
    pub fn send(&mut self, bytes: &[u8]) {
        let _ = self.try_send(bytes);
    }

    pub fn try_send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        match &mut self.wire {
            Wire::Udp(socket) => socket.send(bytes).map(drop),
            Wire::Tcp(stream, _) => stream.write_all(bytes),
        }
    }

    /// The next message within `limit`, whatever it is.
    pub fn receive(&mut self, limit: Duration) -> Option<Answer> {
        let end = Instant::now() + limit;
        let mut chunk = [0; 65_536];
        loop {
            if let Wire::Tcp(_, buffer) = &mut self.wire
                && let Some((answer, length)) = Answer::parse(buffer)
            {
                buffer.drain(..length);
                return Some(answer);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            let read = match &mut self.wire {
                Wire::Udp(socket) => {
                    socket.set_read_timeout(Some(left)).unwrap();
                    socket.recv(&mut chunk)
                }
                Wire::Tcp(stream, _) => {
                    stream.set_read_timeout(Some(left)).unwrap();
                    stream.read(&mut chunk)
                }
            };
            match (read, &mut self.wire) {
                (Ok(length), Wire::Udp(_)) => return Answer::parse(&chunk[..length]).map(|(answer, _)| answer),
                (Ok(0), Wire::Tcp(..)) => return None,
                (Ok(length), Wire::Tcp(_, buffer)) => buffer.extend_from_slice(&chunk[..length]),
                (Err(error), _) if matches!(error.kind(), ErrorKind::Interrupted) => {}
                (Err(_), _) => return None,
            }
        }
    }

    /// Whether the other side ends this connection within `limit`; answers that come before are read over.
    pub fn is_closed_within(&mut self, limit: Duration) -> bool {
        let end = Instant::now() + limit;
        let Wire::Tcp(stream, _) = &mut self.wire else { panic!("only connections are closed") };
        let mut chunk = [0; 4096];
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            stream.set_read_timeout(Some(left)).unwrap();
            match stream.read(&mut chunk) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return false,
                Err(_) => return true,
            }
        }
    }

    /// Sends a request as RFC 3261 17.1 has it (again and again over UDP) until its final response.
    pub fn ask(&mut self, text: &str, limit: Duration) -> Option<Answer> {
        let end = Instant::now() + limit;
        let cseq = text.lines().find_map(|line| line.strip_prefix("CSeq: ")).unwrap().trim().to_owned();
        let mut wait = Duration::from_millis(500);
        let mut trying = false;
        loop {
            if !trying {
                self.send(text.as_bytes());
            }
            let until = (Instant::now() + wait).min(end);
            while let Some(answer) = self.receive(until.saturating_duration_since(Instant::now())) {
                if answer.field("CSeq").as_deref() != Some(&cseq) || answer.status() == 0 {
                    continue;
                }
                if answer.status() >= 200 {
                    return Some(answer);
                }
                trying = true;
            }
            if Instant::now() >= end {
                return None;
            }
            trying |= self.transport() == "TCP";
            wait *= 2;
        }
    }

    /// The ACK for a final response other than 2xx (RFC 3261 17.1.1.3): the INVITE's own branch.
    pub fn acknowledge(&mut self, invite: &str, answer: &Answer) {
        let (head, _) = invite.split_once("\r\n\r\n").unwrap();
        let to = answer.field("To").unwrap();
        let lines = head.lines().filter_map(|line| match line.split_once(": ") {
            None => Some(line.replacen("INVITE", "ACK", 1)),
            Some(("Via" | "From" | "Call-ID" | "Max-Forwards", _)) => Some(line.to_owned()),
            Some(("To", _)) => Some(format!("To: {to}")),
            Some(("CSeq", value)) => Some(format!("CSeq: {}", value.replace("INVITE", "ACK"))),
            Some(_) => None,
        });
        let text = lines.collect::<Vec<_>>().join("\r\n") + "\r\nContent-Length: 0\r\n\r\n";
        self.send(text.as_bytes());
    }
}

/// A request like any other: `more` are header lines (each with its line end), `body` goes with its Content-Length.
pub fn request(client: &Client, method: &str, uri: &str, from: &str, more: &str, body: &str) -> String {
    let local = client.local;
    format!(
        "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/{transport} {local};branch=z9hG4bK{branch};rport\r\nMax-Forwards: 70\r\nFrom: <sip:{from}@{ip}>;tag={tag}\r\nTo: <{uri}>\r\nCall-ID: {call}\r\nCSeq: 1 {method}\r\nContact: <sip:{from}@{local};transport={lower}>\r\n{more}Content-Length: {length}\r\n\r\n{body}",
        transport = client.transport(),
        lower = client.transport().to_lowercase(),
        branch = unique(),
        ip = local.ip(),
        tag = unique(),
        call = unique(),
        length = body.len(),
    )
}
