//! A gateway with nothing in it: raw SIP over TCP and RTP over UDP, just enough to leave messages on a UM server and to
//! stop existing at any moment. It shares no code with Earcon.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a harness: a failure here is the test's failure

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

static NUMBER: AtomicU64 = AtomicU64::new(1);

/// Header lines that say who calls, for a caller that is not just 27001.
pub struct Caller<'a> {
    pub from: &'a str,
    pub asserted: &'a str,
}

/// A call that is being answered by voice mail.
pub struct Call {
    connection: BufReader<TcpStream>,
    local: SocketAddr,
    rtp: UdpSocket,
    call_id: String,
    from: String,
    to: String,
    contact: String,
    branch: u64,
    redirected: bool,
}

#[derive(Debug)]
pub struct Lost(pub String);

impl Call {
    /// Calls pilot 43334 from address `gateway`, diverted from extension `mailbox`, and follows the redirects.
    pub fn divert(gateway: &str, server: &str, mailbox: &str) -> Result<Call, Lost> {
        let address = format!("<sip:27001@{gateway}>");
        Call::divert_from(&Caller { from: &address, asserted: &address }, gateway, server, mailbox)
    }

    /// The same for another caller: `from` without a tag, `asserted` for P-Asserted-Identity, both as they go on the wire.
    pub fn divert_from(caller: &Caller<'_>, gateway: &str, server: &str, mailbox: &str) -> Result<Call, Lost> {
        let diversion = format!("Diversion: <sip:{mailbox}@{gateway}>;reason=no-answer\r\n");
        Call::place(caller, gateway, server, "43334", &diversion)
    }

    /// Calls any number at `server`, with header lines of its own, and follows the redirects.
    pub fn place(caller: &Caller<'_>, gateway: &str, server: &str, called: &str, headers: &str) -> Result<Call, Lost> {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let call_id = format!("crash-{}-{number}", std::process::id());
        let rtp = UdpSocket::bind((gateway, 0)).unwrap();
        rtp.set_nonblocking(true).unwrap();
        let mut next: SocketAddr = format!("{server}:5060").parse().unwrap();
        for hop in 1..=4u32 {
            let stream = connect_from(gateway, next)?;
            stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            let local = stream.local_addr().unwrap();
            let mut call = Call {
                connection: BufReader::new(stream),
                local,
                rtp: rtp.try_clone().unwrap(),
                call_id: call_id.clone(),
                from: format!("{};tag=f{number}", caller.from),
                to: format!("<sip:{called}@{server}>"),
                contact: format!("sip:{called}@{next};transport=tcp"),
                branch: 0,
                redirected: false,
            };
            let sdp = format!(
                "v=0\r\no=- 1 1 IN IP4 {gateway}\r\ns=-\r\nc=IN IP4 {gateway}\r\nt=0 0\r\nm=audio {} RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n",
                rtp.local_addr().unwrap().port()
            );
            let extra =
                format!("{headers}P-Asserted-Identity: {}\r\nContent-Type: application/sdp\r\n", caller.asserted);
            call.request("INVITE", hop, &extra, &sdp)?;
            let (status, headers, body) = call.final_answer()?;
            call.to = field(&headers, "To").unwrap_or_default();
            match status {
                200 => {
                    call.contact = uri(&field(&headers, "Contact").unwrap_or_default());
                    call.request("ACK", hop, "", "")?;
                    let port = body
                        .lines()
                        .find_map(|line| line.strip_prefix("m=audio "))
                        .and_then(|line| line.split(' ').next())
                        .unwrap()
                        .parse()
                        .unwrap();
                    let host = body.lines().find_map(|line| line.trim().strip_prefix("c=IN IP4 ")).unwrap();
                    call.rtp.connect(SocketAddr::new(host.trim().parse().unwrap(), port)).unwrap();
                    return Ok(call);
                }
                302 => {
                    call.redirected = true;
                    call.request("ACK", hop, "", "")?;
                    let contact = uri(&field(&headers, "Contact").unwrap());
                    let host = contact.split('@').next_back().unwrap().split(';').next().unwrap();
                    next = host.parse().unwrap_or_else(|_| panic!("a Contact with address and port, not {contact}"));
                }
                other => return Err(Lost(format!("answered {other}"))),
            }
        }
        Err(Lost("redirected more than three times".into()))
    }

    /// Streams A-law audio in real time, 20 ms a packet; `carry_on` is asked before each.
    pub fn speak(&self, audio: &[u8], mut carry_on: impl FnMut() -> bool) {
        let start = Instant::now();
        for (n, frame) in audio.chunks(160).enumerate() {
            if !carry_on() {
                return;
            }
            let mut packet = vec![0x80, 8];
            packet.extend_from_slice(&(n as u16).to_be_bytes());
            packet.extend_from_slice(&(n as u32 * 160).to_be_bytes());
            packet.extend_from_slice(&[0x0e, 0xa2, 0xc0, 0x4e]);
            packet.extend_from_slice(frame);
            let _ = self.rtp.send(&packet);
            let due = start + Duration::from_millis(20 * (n as u64 + 1));
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
        }
    }

    /// Presses keys as RFC 4733 has them: 100 ms each, 100 ms apart.
    pub fn press(&self, keys: &str) {
        for (n, key) in keys.chars().enumerate() {
            let event = "0123456789*#".find(key).unwrap() as u8;
            for step in 0..10u16 {
                // Five packets of it, its end three times, and silence.
                if step < 8 {
                    let duration = (step + 1).min(5) * 160;
                    let mut packet = vec![0x80, 101 | if step == 0 { 0x80 } else { 0 }];
                    packet.extend_from_slice(&(20_000 + 10 * n as u16 + step).to_be_bytes());
                    packet.extend_from_slice(&(4_000_000 + n as u32 * 1600).to_be_bytes());
                    packet.extend_from_slice(&[0x0e, 0xa2, 0xc0, 0x4e, event, if step > 4 { 0x8a } else { 0x0a }]);
                    packet.extend_from_slice(&duration.to_be_bytes());
                    let _ = self.rtp.send(&packet);
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }

    /// What is heard from now on, as it comes, until `enough` says so or the limit is over.
    pub fn listen(&self, limit: Duration, mut enough: impl FnMut(&[u8]) -> bool) -> Vec<u8> {
        let end = Instant::now() + limit;
        let mut heard = Vec::new();
        let mut packet = [0; 2048];
        while Instant::now() < end && !enough(&heard) {
            while let Ok(length) = self.rtp.recv(&mut packet) {
                if length > 12 && packet[1] & 0x7f == 8 {
                    heard.extend_from_slice(&packet[12..length]);
                }
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        heard
    }

    /// Sends any datagram as the caller's phone would.
    pub fn send_datagram(&self, bytes: &[u8]) {
        let _ = self.rtp.send(bytes);
    }

    /// Where the server listens for this call's audio.
    pub fn media_address(&self) -> SocketAddr {
        self.rtp.peer_addr().unwrap()
    }

    /// Waits until the server has said nothing for `quiet`: greeting and tone are over, it records.
    pub fn wait_for_the_tone(&self, limit: Duration, quiet: Duration) {
        let end = Instant::now() + limit;
        let mut last = Instant::now();
        let mut heard = false;
        let mut packet = [0; 2048];
        while Instant::now() < end && !(heard && last.elapsed() > quiet) {
            while self.rtp.recv(&mut packet).is_ok() {
                heard = true;
                last = Instant::now();
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Hangs up; does not wait for the answer.
    pub fn hang_up(&mut self) {
        let _ = self.request("BYE", 100, "", "");
    }

    fn request(&mut self, method: &str, cseq: u32, extra: &str, body: &str) -> Result<(), Lost> {
        // RFC 3261 17.1.1.3: the ACK for a redirect carries its INVITE's branch; everything else has one of its own.
        if !(method == "ACK" && self.redirected) {
            self.branch = NUMBER.fetch_add(1, Ordering::Relaxed);
        }
        let branch = self.branch;
        let text = format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/TCP {local};branch=z9hG4bK{id}-{branch}\r\nMax-Forwards: 70\r\nFrom: {from}\r\nTo: {to}\r\nCall-ID: {id}\r\nCSeq: {cseq} {method}\r\nContact: <sip:{local};transport=tcp>\r\n{extra}Content-Length: {length}\r\n\r\n{body}",
            uri = self.contact,
            local = self.local,
            id = self.call_id,
            from = self.from,
            to = self.to,
            length = body.len(),
        );
        self.connection.get_mut().write_all(text.as_bytes()).map_err(|error| Lost(error.to_string()))
    }

    fn final_answer(&mut self) -> Result<(u16, Vec<String>, String), Lost> {
        loop {
            let (status, headers, body) = self.read_message()?;
            if status >= 200 {
                return Ok((status, headers, body));
            }
        }
    }

    fn read_message(&mut self) -> Result<(u16, Vec<String>, String), Lost> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            match self.connection.read_line(&mut line) {
                Ok(0) => return Err(Lost("connection closed".into())),
                Ok(_) if line.trim().is_empty() && lines.is_empty() => continue,
                Ok(_) if line.trim().is_empty() => break,
                Ok(_) => lines.push(line.trim_end().to_owned()),
                Err(error) => return Err(Lost(error.to_string())),
            }
        }
        let length = field(&lines, "Content-Length").and_then(|value| value.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        self.connection.read_exact(&mut body).map_err(|error| Lost(error.to_string()))?;
        let status = lines[0].split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Ok((status, lines, String::from_utf8_lossy(&body).into_owned()))
    }
}

/// The value of the first header line of this name.
pub fn field(lines: &[String], name: &str) -> Option<String> {
    lines.iter().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.trim().eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}

/// The URI within `<>`, as it stands.
pub fn uri(value: &str) -> String {
    value.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or(value, |(uri, _)| uri).to_owned()
}

/// A TCP connection from the gateway's own address: that is what the server knows it by.
pub fn connect_from(local: &str, remote: SocketAddr) -> Result<TcpStream, Lost> {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::new(local.parse().unwrap(), 0).into()).unwrap();
    socket.connect_timeout(&remote.into(), Duration::from_secs(5)).map_err(|error| Lost(error.to_string()))?;
    let stream: TcpStream = socket.into();
    stream.set_nodelay(true).unwrap();
    Ok(stream)
}
