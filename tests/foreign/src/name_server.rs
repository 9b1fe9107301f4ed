//! A name server of a few lines: the UM servers of a pool by SRV, each with a host name and an address.

use std::net::{Ipv4Addr, UdpSocket};

/// Answers at `address`, UDP port 10053, until the process ends. The pool is `exc-2013-um.moon.galaxy`, its hosts
/// `exc-2013-um1.moon.galaxy` and so on, all of the same priority and weight.
pub fn start(address: &str, hosts: Vec<Ipv4Addr>) {
    let socket = UdpSocket::bind((address, 10053)).unwrap();
    std::thread::spawn(move || {
        let mut packet = [0; 1500];
        while let Ok((length, from)) = socket.recv_from(&mut packet) {
            if let Some(answer) = answer(&packet[..length], &hosts) {
                let _ = socket.send_to(&answer, from);
            }
        }
    });
}

/// RFC 1035 4.1: the question as it came, and what there is for it.
fn answer(question: &[u8], hosts: &[Ipv4Addr]) -> Option<Vec<u8>> {
    let mut name = Vec::new();
    let mut at = 12;
    while *question.get(at)? > 0 {
        let end = at + 1 + usize::from(question[at]);
        name.push(std::str::from_utf8(question.get(at + 1..end)?).ok()?.to_lowercase());
        at = end;
    }
    let end = at + 5;
    let kind = u16::from_be_bytes([*question.get(at + 1)?, *question.get(at + 2)?]);
    let name = name.join(".");
    let data: Vec<Vec<u8>> = match kind {
        1 => hosts
            .iter()
            .enumerate()
            .filter(|(n, _)| name == format!("exc-2013-um{}.moon.galaxy", n + 1))
            .map(|(_, host)| host.octets().to_vec())
            .collect(),
        // RFC 2782: priority 1, weight 1, port 5060.
        33 if name == "_sip._tcp.exc-2013-um.moon.galaxy" => (1..=hosts.len())
            .map(|n| [&[0, 1, 0, 1, 0x13, 0xc4], &*labels(&format!("exc-2013-um{n}.moon.galaxy"))].concat())
            .collect(),
        _ => Vec::new(),
    };
    let mut answer = question.get(..end)?.to_vec();
    // An authoritative answer without errors; one question, and the records, which live five seconds.
    answer[2..12].copy_from_slice(&[0x85, 0x80, 0, 1, 0, data.len() as u8, 0, 0, 0, 0]);
    for data in data {
        answer.extend_from_slice(&[0xc0, 12]);
        answer.extend_from_slice(&kind.to_be_bytes());
        answer.extend_from_slice(&[0, 1, 0, 0, 0, 5, 0, data.len() as u8]);
        answer.extend_from_slice(&data);
    }
    Some(answer)
}

fn labels(name: &str) -> Vec<u8> {
    let mut bytes: Vec<u8> =
        name.split('.').flat_map(|label| std::iter::once(label.len() as u8).chain(label.bytes())).collect();
    bytes.push(0);
    bytes
}
