//! Somebody innocent: phone 27001, which knows its password, calls voice mail through both halves.

use crate::client::{Answer, unique};
use crate::{Client, request};
use md5::{Digest, Md5};
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;
use tests_crash::uri;

/// One whole call: challenge, INVITE, answer, sound, BYE. How it failed, if it did.
pub fn calls_voice_mail(address: &str, node: &str, limit: Duration) -> Result<(), String> {
    let mut client = Client::udp(address, node);
    let rtp = UdpSocket::bind((address, 0)).unwrap();
    let body = offer(rtp.local_addr().unwrap());
    let target = format!("sip:43334@{node}");
    let first = request(&client, "INVITE", &target, "27001", "Content-Type: application/sdp\r\n", &body);
    let challenge = client.ask(&first, limit).ok_or("no answer to the first INVITE")?;
    client.acknowledge(&first, &challenge);
    if challenge.status() != 401 {
        return Err(format!("challenged with {}", challenge.lines[0]));
    }
    let second = authorized(&first, &authorization(&challenge, "INVITE", &target, "27001", "moon-27001", 1));
    let answer = client.ask(&second, limit).ok_or("no answer to the INVITE with credentials")?;
    if answer.status() != 200 {
        client.acknowledge(&second, &answer);
        return Err(format!("answered {}", answer.lines[0]));
    }
    client.send(within(&second, &answer, "ACK", 2).as_bytes());
    rtp.set_read_timeout(Some(limit)).unwrap();
    let mut packet = [0; 2048];
    for n in 0..25 {
        rtp.recv(&mut packet).map_err(|error| format!("only {n} packets of sound: {error}"))?;
    }
    let ended = client.ask(&within(&second, &answer, "BYE", 3), limit).ok_or("no answer to BYE")?;
    if ended.status() == 200 { Ok(()) } else { Err(format!("BYE answered {}", ended.lines[0])) }
}

/// An offer of A-law and keys.
pub fn offer(media: SocketAddr) -> String {
    let (ip, port) = (media.ip(), media.port());
    format!(
        "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
    )
}

/// The Authorization line (with its end) that answers the MD5 challenge of a 401 (RFC 2617 3.2.2).
pub fn authorization(challenge: &Answer, method: &str, target: &str, user: &str, password: &str, count: u32) -> String {
    let line = challenge
        .lines
        .iter()
        .find(|line| line.starts_with("WWW-Authenticate") && line.contains("MD5"))
        .expect("an MD5 challenge");
    let value = |name: &str| {
        let (_, rest) = line.split_once(&format!("{name}=\"")).unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    };
    let (realm, nonce, client_nonce) = (value("realm"), value("nonce"), unique());
    let ha1 = md5(&format!("{user}:{realm}:{password}"));
    let ha2 = md5(&format!("{method}:{target}"));
    let response = md5(&format!("{ha1}:{nonce}:{count:08x}:{client_nonce}:auth:{ha2}"));
    format!(
        "Authorization: Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{target}\", response=\"{response}\", algorithm=MD5, qop=auth, nc={count:08x}, cnonce=\"{client_nonce}\"\r\n"
    )
}

/// The same request once more, with credentials: CSeq 2 and another branch (RFC 3261 22.2).
pub fn authorized(first: &str, authorization: &str) -> String {
    let (start, _) = first.split_once("branch=").unwrap();
    let (_, rest) = first.split_once(";rport").unwrap();
    let text = format!("{start}branch=z9hG4bK{};rport{rest}", unique());
    text.replacen("CSeq: 1 ", "CSeq: 2 ", 1).replacen("Contact: ", &format!("{authorization}Contact: "), 1)
}

/// A request within the dialog that `answer` to `invite` made.
fn within(invite: &str, answer: &Answer, method: &str, cseq: u32) -> String {
    let line = |name: &str| invite.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    let (via, _) = invite.split_once("branch=").unwrap();
    let via = via.rsplit_once("\r\n").unwrap().1;
    format!(
        "{method} {target} SIP/2.0\r\n{via}branch=z9hG4bK{branch};rport\r\nMax-Forwards: 70\r\n{from}\r\nTo: {to}\r\n{call}\r\nCSeq: {cseq} {method}\r\nContent-Length: 0\r\n\r\n",
        target = uri(&answer.field("Contact").unwrap()),
        branch = unique(),
        from = line("From: "),
        to = answer.field("To").unwrap(),
        call = line("Call-ID: "),
    )
}

fn md5(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
