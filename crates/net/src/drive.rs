//! The role's thread: one input, then actions until there is none, and back by the deadline.

use crate::{Action, Inbox, Input, Net, Role, SipInput};
use event::{Event, Now};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How many inputs are taken from the inbox at once.
const BATCH: usize = 64;
/// How often drops are told of, and how many malformed messages a second are.
const SECOND: Duration = Duration::from_secs(1);
const MALFORMED_A_SECOND: u32 = 10;

/// Drives a role on the calling thread until it says [`Action::Stop`].
pub fn run<R: Role>(role: &mut R, inbox: Inbox<R::Own>, net: Net) {
    let mut drive = Drive { net, inputs: VecDeque::new(), second: Instant::now(), malformed: 0, dropped: 0 };
    let mut going = drive.act(role);
    while going {
        if drive.inputs.is_empty() {
            inbox.take(&mut drive.inputs, BATCH, role.deadline());
        }
        // Only what is here now: what actions add waits until the timers were looked at.
        for _ in 0..drive.inputs.len() {
            let Some(input) = drive.inputs.pop_front() else { break };
            let now = Now::read();
            drive.report(&input, now);
            role.input(input, now);
            going = drive.act(role);
            if !going {
                return;
            }
        }
        let now = Now::read();
        if role.deadline().is_some_and(|deadline| deadline <= now.instant) {
            role.input(Input::Timeout, now);
            going = drive.act(role);
        }
        drive.tell_of_drops(inbox.take_dropped(), now);
    }
}

struct Drive<T> {
    net: Net,
    inputs: VecDeque<Input<T>>,
    /// When the current second of the limits below began.
    second: Instant,
    malformed: u32,
    dropped: u64,
}

impl<T> Drive<T> {
    /// Carries out all actions; false at [`Action::Stop`].
    fn act<R: Role<Own = T>>(&mut self, role: &mut R) -> bool {
        while let Some(action) = role.poll_action() {
            match action {
                Action::Transmit(transmit) => {
                    let id = transmit.id;
                    if let Err(error) = self.net.transmit(transmit)
                        && id != 0
                    {
                        self.inputs.push_back(Input::Sip(SipInput::TransmitFailed { id, error }));
                    }
                }
                Action::CloseFlow(flow) => self.net.close(&flow),
                Action::Distrust(listener, peer) => self.net.distrust(listener, peer.transport, peer.remote),
                Action::Resolve { query, question } => self.net.resolve(query, question),
                Action::Peers(peers) => self.net.know(peers),
                Action::Stop => return false,
            }
        }
        true
    }

    /// Tells of what arrived: the ladder's line, or what is wrong.
    fn report(&mut self, input: &Input<T>, now: Now) {
        let Input::Sip(SipInput::Received { message, flow, .. }) = input else { return };
        self.net.traffic.received(flow.transport);
        match message {
            Ok(message) => self.net.ladder().received(message, flow, now),
            Err(malformed) if self.malformed < MALFORMED_A_SECOND => {
                self.malformed += 1;
                self.net.ladder().malformed(malformed, flow, now);
            }
            Err(_) => {}
        }
    }

    fn tell_of_drops(&mut self, dropped: u64, now: Now) {
        self.dropped = self.dropped.saturating_add(dropped);
        if now.instant.saturating_duration_since(self.second) < SECOND {
            return;
        }
        self.second = now.instant;
        self.malformed = 0;
        let count = std::mem::take(&mut self.dropped);
        if count > 0 {
            let by = self.net.ladder().by().to_owned();
            self.net.ladder().emit(now, Event::SipDropped { by, count });
        }
    }
}
