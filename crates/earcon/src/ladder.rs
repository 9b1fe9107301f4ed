//! The ladder of calls: one column a host, one line a SIP message, an arrow from sender to receiver.

use serde::Deserialize;
use std::net::{IpAddr, SocketAddr};

/// Width of a column, in characters.
const COLUMN: usize = 24;

/// One line of the event stream, as far as the ladder needs it. Other events are printed by their fields.
#[derive(Debug, Deserialize)]
pub struct SipMessage {
    pub call_id: String,
    pub sent: bool,
    pub local: SocketAddr,
    pub remote: SocketAddr,
    pub transport: String,
    pub summary: String,
    pub cseq: String,
}

/// Draws messages as they come. Hosts get a column in the order in which they are first seen.
#[derive(Debug, Default)]
pub struct Ladder {
    hosts: Vec<IpAddr>,
    /// Hosts that report their own messages. In the lab both halves do, and a message is drawn once: as its sender saw it.
    reporting: Vec<IpAddr>,
    calls: Vec<String>,
}

impl Ladder {
    /// The lines to print for one message; a header comes before the first message and whenever a host is new.
    pub fn draw(&mut self, time: &str, message: &SipMessage) -> Vec<String> {
        remember(&mut self.reporting, message.local.ip());
        if !message.sent && message.local.ip() != message.remote.ip() && self.reporting.contains(&message.remote.ip()) {
            return Vec::new();
        }
        let (from, to) = if message.sent { (message.local, message.remote) } else { (message.remote, message.local) };
        let known = self.hosts.len();
        remember(&mut self.hosts, from.ip());
        remember(&mut self.hosts, to.ip());
        let mut lines = Vec::new();
        if self.hosts.len() != known {
            lines.push(self.header());
        }
        let a = self.hosts.iter().position(|host| *host == from.ip()).unwrap_or_default();
        let b = self.hosts.iter().position(|host| *host == to.ip()).unwrap_or_default();
        let call = self.call(&message.call_id);
        let label = Label::of(message);
        lines.push(format!(
            "{time}  {call:>4}  {}  {}→{} {}",
            self.arrow(a, b, &label),
            from.port(),
            to.port(),
            message.transport
        ));
        lines
    }

    fn header(&self) -> String {
        let hosts: String = self.hosts.iter().map(|host| format!("{:^COLUMN$}", host.to_string())).collect();
        format!("{:12}  {:>4}  {hosts}", "time", "call")
    }

    /// A short name for a call: #1, #2 ... in order of appearance. A bounded memory: long traces start over.
    fn call(&mut self, call_id: &str) -> String {
        if self.calls.len() == 10_000 {
            self.calls.clear();
        }
        let at = self.calls.iter().rposition(|known| known == call_id).unwrap_or_else(|| {
            self.calls.push(call_id.to_owned());
            self.calls.len() - 1
        });
        format!("#{}", at + 1)
    }

    /// The row of columns with `label` on the arrow from column `a` to column `b`.
    fn arrow(&self, a: usize, b: usize, label: &Label) -> String {
        let mut row: Vec<char> = vec![' '; COLUMN * self.hosts.len()];
        let middle = |column: usize| column * COLUMN + COLUMN / 2;
        for column in 0..self.hosts.len() {
            set(&mut row, middle(column), '│');
        }
        let (left, right) = (middle(a.min(b)), middle(a.max(b)));
        if left == right {
            // A message of a host to itself: no arrow to draw, the label stands beside the line.
            write(&mut row, left + 2, &label.within(COLUMN - 3));
            return row.into_iter().collect();
        }
        for at in left + 1..right {
            set(&mut row, at, '─');
        }
        set(&mut row, if a < b { right - 1 } else { left + 1 }, if a < b { '►' } else { '◄' });
        let room = right - left - 5;
        let text = format!(" {} ", label.within(room.saturating_sub(2)));
        write(&mut row, left + 2 + (room.saturating_sub(text.chars().count())) / 2, &text);
        row.into_iter().collect()
    }
}

/// What stands on an arrow: "INVITE 27000", "302 Moved Temporarily (INVITE)".
struct Label {
    text: String,
    /// What is left out first when there is no room for it: the method that a status answers.
    method: String,
}

impl Label {
    fn of(message: &SipMessage) -> Label {
        let mut words = message.summary.split(' ');
        let first = words.next().unwrap_or_default();
        if first.parse::<u16>().is_ok() {
            let method = message.cseq.split_whitespace().nth(1).unwrap_or_default();
            return Label { text: message.summary.clone(), method: format!(" ({method})") };
        }
        let uri = words.next().unwrap_or_default();
        let uri = uri.split_once(':').map_or(uri, |(_, rest)| rest);
        // A registrar's URI and that of a host have no user: the method says enough.
        let user = uri.split_once('@').map(|(user, _)| format!(" {user}")).unwrap_or_default();
        Label { text: format!("{first}{user}"), method: String::new() }
    }

    fn within(&self, room: usize) -> String {
        let whole = format!("{}{}", self.text, self.method);
        if whole.chars().count() <= room { whole } else { shorten(&self.text, room) }
    }
}

/// As many whole words as there is room for.
fn shorten(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    let cut: String = text.chars().take(room.saturating_sub(1)).collect();
    // What is cut within a word loses that word, unless it is the only one.
    let within = text.chars().nth(room.saturating_sub(1)).is_some_and(|next| next != ' ');
    let whole = cut.rsplit_once(' ').filter(|_| within).map_or(cut.as_str(), |(whole, _)| whole);
    format!("{}…", whole.trim_end())
}

fn remember(known: &mut Vec<IpAddr>, host: IpAddr) {
    if !known.contains(&host) && known.len() < 12 {
        known.push(host);
    }
}

fn set(row: &mut [char], at: usize, character: char) {
    if let Some(place) = row.get_mut(at) {
        *place = character;
    }
}

fn write(row: &mut [char], from: usize, text: &str) {
    for (offset, character) in text.chars().enumerate() {
        set(row, from + offset, character);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(sent: bool, local: &str, remote: &str, summary: &str) -> SipMessage {
        SipMessage {
            call_id: "a".into(),
            sent,
            local: local.parse().unwrap(),
            remote: remote.parse().unwrap(),
            transport: "tcp".into(),
            summary: summary.into(),
            cseq: "1 INVITE".into(),
        }
    }

    #[test]
    fn a_message_that_both_halves_report_is_drawn_once() {
        let mut ladder = Ladder::default();
        let invite = "INVITE sip:43334@127.0.222.4";
        let drawn = ladder.draw("t", &message(true, "127.0.222.10:40000", "127.0.222.4:5060", invite));
        assert_eq!(drawn.len(), 2, "header and message");
        assert!(drawn[1].contains("INVITE 43334") && drawn[1].contains('►'), "{}", drawn[1]);
        let answer =
            ladder.draw("t", &message(true, "127.0.222.4:5060", "127.0.222.10:40000", "302 Moved Temporarily"));
        assert!(answer[0].contains(" 302 Moved… ─"), "{}", answer[0]);
        let answer = ladder.draw("t", &message(true, "127.0.222.4:5060", "127.0.222.10:40000", "200 OK"));
        assert!(answer[0].contains("200 OK (INVITE)"), "{}", answer[0]);
        let options =
            ladder.draw("t", &message(true, "127.0.222.4:5060", "127.0.222.10:40000", "OPTIONS sip:127.0.222.10"));
        assert!(options[0].contains(" OPTIONS ─"), "{}", options[0]);
        assert!(ladder.draw("t", &message(false, "127.0.222.4:5060", "127.0.222.10:40000", invite)).is_empty());
        assert!(
            ladder.draw("t", &message(false, "127.0.222.10:5060", "127.0.0.1:5070", invite)).len() == 2,
            "a phone's is drawn as received"
        );
    }
}
