//! SIP messages between a half and the network, dropped or changed: a role around the role.

use super::{Fault, Half};
use event::Now;
use net::{Action, Input, Role};
use std::time::Instant;

/// The role with faults on its way out. Without any it is the role itself.
pub(crate) struct Tampered<R> {
    role: R,
    half: Half,
    faults: Vec<Fault>,
}

impl<R: Role> Tampered<R> {
    pub fn new(role: R, half: Half, faults: &[Fault]) -> Tampered<R> {
        Tampered { role, half, faults: faults.to_vec() }
    }
}

impl<R: Role> Role for Tampered<R> {
    type Own = R::Own;

    fn input(&mut self, input: Input<R::Own>, now: Now) {
        self.role.input(input, now);
    }

    fn deadline(&self) -> Option<Instant> {
        self.role.deadline()
    }

    fn poll_action(&mut self) -> Option<Action> {
        loop {
            let action = self.role.poll_action()?;
            let Action::Transmit(mut transmit) = action else { return Some(action) };
            if self.faults.is_empty() {
                return Some(Action::Transmit(transmit));
            }
            // A message that got lost: its sender is not told.
            let Ok(text) = std::str::from_utf8(&transmit.bytes) else { return Some(Action::Transmit(transmit)) };
            let mut message = Some(Sent::read(text));
            for fault in &self.faults {
                message = message.and_then(|message| tamper(*fault, self.half, message));
            }
            if let Some(message) = message {
                transmit.bytes = message.to_string().into();
                return Some(Action::Transmit(transmit));
            }
        }
    }
}

/// A message on its way out. Our own, so each header has a line of its own and its long name.
struct Sent {
    lines: Vec<String>,
    body: String,
}

impl Sent {
    fn read(text: &str) -> Sent {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        Sent { lines: head.split("\r\n").map(str::to_owned).collect(), body: body.to_owned() }
    }

    fn starts_with(&self, words: &str) -> bool {
        self.lines.first().is_some_and(|line| line.starts_with(words))
    }

    fn has(&self, header: &str, value: &str) -> bool {
        self.values(header).any(|line| line.contains(value))
    }

    fn values(&self, header: &str) -> impl Iterator<Item = &String> {
        self.lines.iter().filter(move |line| is(line, header))
    }

    fn without(mut self, headers: &[&str]) -> Sent {
        self.lines.retain(|line| !headers.iter().any(|header| is(line, header)));
        self
    }

    fn changed(mut self, header: &str, from: &str, to: &str) -> Sent {
        for line in self.lines.iter_mut().filter(|line| is(line, header)) {
            *line = line.replace(from, to);
        }
        self
    }

    /// From says nothing, but for its tag, and nothing else says it in its place.
    fn anonymous(mut self) -> Sent {
        for line in self.lines.iter_mut().filter(|line| is(line, "From")) {
            let tag = line.split_once(";tag=").map(|(_, tag)| format!(";tag={tag}")).unwrap_or_default();
            *line = format!("From: \"Anonymous\" <sip:anonymous@anonymous.invalid>{tag}");
        }
        self.without(&["P-Asserted-Identity", "Remote-Party-ID"])
    }
}

impl std::fmt::Display for Sent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}\r\n\r\n{}", self.lines.join("\r\n"), self.body)
    }
}

fn is(line: &str, header: &str) -> bool {
    line.split_once(':').is_some_and(|(name, _)| name.eq_ignore_ascii_case(header))
}

/// What becomes of a message; None: it is lost.
fn tamper(fault: Fault, half: Half, message: Sent) -> Option<Sent> {
    let invite = message.starts_with("INVITE ");
    let notify = message.starts_with("NOTIFY ");
    // Not how a transfer went, which is told by NOTIFY, too.
    let lamp = notify && message.has("Event", sip::message_summary::EVENT);
    let redirect = message.starts_with("SIP/2.0 302 ");
    match (half, fault) {
        (Half::Node, Fault::DiversionDropped) if invite => Some(message.without(&["Diversion", "History-Info"])),
        (Half::Node, Fault::CallerWithheld) if invite => Some(message.anonymous()),
        (Half::Node, Fault::OutsideNumberLost) if invite && message.has("From", "sip:+") => Some(message.anonymous()),
        (Half::Um, Fault::NoRedirectContact) if redirect => Some(message.without(&["Contact"])),
        (Half::Um, Fault::RedirectToUdp) if redirect => {
            Some(message.changed("Contact", ";transport=tcp", ";transport=udp"))
        }
        (Half::Um, Fault::NoNotify) if notify => None,
        (Half::Um, Fault::LampStaysOn) if notify && message.body.contains("Messages-Waiting: no") => None,
        (Half::Node, Fault::NoUnsolicitedNotify) if lamp && message.has("Subscription-State", "terminated") => None,
        (Half::Node, Fault::NoSubscribedNotify) if lamp && message.has("Subscription-State", "active") => None,
        _ => Some(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INVITE: &str = "INVITE sip:43334@h SIP/2.0\r\nFrom: \"Anna\" <sip:27000@h>;tag=7\r\nDiversion: <sip:27001@h>\r\n\
        P-Asserted-Identity: <sip:27000@h>\r\n\r\nv=0\r\n";

    fn after(fault: Fault, half: Half, text: &str) -> Option<String> {
        tamper(fault, half, Sent::read(text)).map(|message| message.to_string())
    }

    #[test]
    fn only_the_message_that_is_meant_is_changed_and_only_there() {
        let dropped = after(Fault::DiversionDropped, Half::Node, INVITE).unwrap();
        assert!(!dropped.contains("Diversion") && dropped.ends_with("\r\n\r\nv=0\r\n"), "{dropped}");
        assert_eq!(after(Fault::DiversionDropped, Half::Um, INVITE).unwrap(), INVITE);
        assert_eq!(after(Fault::NoNotify, Half::Um, INVITE).unwrap(), INVITE);
    }

    #[test]
    fn a_caller_withheld_keeps_the_dialogs_tag() {
        let anonymous = after(Fault::CallerWithheld, Half::Node, INVITE).unwrap();
        assert!(anonymous.contains("<sip:anonymous@anonymous.invalid>;tag=7\r\n"), "{anonymous}");
        assert!(!anonymous.contains("27000"), "{anonymous}");
        assert_eq!(after(Fault::OutsideNumberLost, Half::Node, INVITE).unwrap(), INVITE, "27000 is no outside number");
    }

    #[test]
    fn a_lost_notify_is_gone() {
        let notify = "NOTIFY sip:27000@h SIP/2.0\r\n\r\nMessages-Waiting: no\r\n";
        assert_eq!(after(Fault::LampStaysOn, Half::Um, notify), None);
        assert_eq!(after(Fault::NoNotify, Half::Um, notify), None);
        let by_node = |event: &str| {
            format!("NOTIFY sip:27000@h SIP/2.0\r\nEvent: {event}\r\nSubscription-State: terminated\r\n\r\n")
        };
        let (lamp, transfer) = (by_node("message-summary"), by_node("refer"));
        assert_eq!(after(Fault::NoUnsolicitedNotify, Half::Node, &lamp), None);
        assert_eq!(after(Fault::NoUnsolicitedNotify, Half::Node, &transfer), Some(transfer));
    }
}
