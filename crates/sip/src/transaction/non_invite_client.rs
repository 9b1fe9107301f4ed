//! The client transaction of every method but INVITE and ACK: RFC 3261 17.1.2, figure 6.

use super::timers::{Actions, Timers, due, earlier};
use std::time::{Duration, Instant};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Sent, nothing heard.
    Trying,
    /// A provisional response came.
    Proceeding,
    /// Answered; copies of the answer are absorbed.
    Completed,
    Terminated,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    SendRequest,
    /// Hand the response at hand to the transaction user.
    Deliver,
    /// Nobody answered in time: to the user as good as a 408.
    Timeout,
    /// The message could not be sent: to the user as good as a 503 (8.1.3.1).
    TransportFailed,
}

/// One request that we sent.
#[derive(Clone, Debug)]
pub struct NonInviteClient {
    state: State,
    timers: Timers,
    reliable: bool,
    interval: Duration,
    /// Timer E.
    retransmit: Option<Instant>,
    /// Timer F or K.
    expire: Option<Instant>,
}

impl NonInviteClient {
    /// Sends the request.
    pub fn start(timers: Timers, reliable: bool, now: Instant) -> (NonInviteClient, Actions<Action>) {
        let machine = NonInviteClient {
            state: State::Trying,
            timers,
            reliable,
            interval: timers.t1,
            // 17.1.2.2: timer E starts at T1, on unreliable transports only; timer F runs on all.
            retransmit: (!reliable).then(|| now + timers.t1),
            expire: Some(now + timers.limit()),
        };
        (machine, Actions::of([Action::SendRequest]))
    }

    pub fn state(&self) -> State {
        self.state
    }

    /// When [`NonInviteClient::timeout`] wants to be called next.
    pub fn deadline(&self) -> Option<Instant> {
        earlier(self.retransmit, self.expire)
    }

    /// A response with this status came.
    pub fn response(&mut self, status: u16, now: Instant) -> Actions<Action> {
        match (self.state, status) {
            (State::Trying | State::Proceeding, 100..=199) => {
                self.state = State::Proceeding;
                Actions::of([Action::Deliver])
            }
            (State::Trying | State::Proceeding, 200..=699) => {
                if self.reliable {
                    // 17.1.2.2: timer K is zero on reliable transports.
                    self.end();
                } else {
                    self.state = State::Completed;
                    self.retransmit = None;
                    self.expire = Some(now + self.timers.t4);
                }
                Actions::of([Action::Deliver])
            }
            _ => Actions::none(),
        }
    }

    /// The deadline has come.
    pub fn timeout(&mut self, now: Instant) -> Actions<Action> {
        if due(self.expire, now) {
            let waiting = self.state != State::Completed;
            self.end();
            return if waiting { Actions::of([Action::Timeout]) } else { Actions::none() };
        }
        if due(self.retransmit, now) {
            // 17.1.2.2: timer E doubles up to T2 in Trying, and is T2 in Proceeding.
            self.interval = match self.state {
                State::Trying => self.timers.doubled(self.interval),
                _ => self.timers.t2,
            };
            self.retransmit = Some(now + self.interval);
            return Actions::of([Action::SendRequest]);
        }
        Actions::none()
    }

    /// The request could not be sent.
    pub fn transport_failed(&mut self) -> Actions<Action> {
        match self.state {
            State::Trying | State::Proceeding => {
                self.end();
                Actions::of([Action::TransportFailed])
            }
            State::Completed | State::Terminated => Actions::none(),
        }
    }

    fn end(&mut self) {
        self.state = State::Terminated;
        self.retransmit = None;
        self.expire = None;
    }
}

#[cfg(test)]
mod tests {
    use super::super::rig::{ms, seconds, t0};
    use super::*;
    use Action::*;

    fn sent(reliable: bool) -> NonInviteClient {
        let (machine, actions) = NonInviteClient::start(Timers::default(), reliable, t0());
        assert_eq!(actions, Actions::of([SendRequest]));
        machine
    }

    fn proceeding(reliable: bool) -> NonInviteClient {
        let mut machine = sent(reliable);
        assert_eq!(machine.response(100, t0() + ms(100)), Actions::of([Deliver]));
        assert_eq!(machine.state(), State::Proceeding);
        machine
    }

    fn sends(machine: &mut NonInviteClient, until: Duration) -> Vec<u128> {
        let mut at = Vec::new();
        while let Some(deadline) = machine.deadline().filter(|deadline| *deadline < t0() + until) {
            if machine.timeout(deadline) == Actions::of([SendRequest]) {
                at.push((deadline - t0()).as_millis());
            }
        }
        at
    }

    #[test]
    fn trying_sends_again_at_intervals_that_double_up_to_t2_on_udp() {
        let times = sends(&mut sent(false), seconds(32));
        assert_eq!(times, [500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500]);
    }

    #[test]
    fn trying_never_sends_again_on_tcp() {
        assert_eq!(sends(&mut sent(true), seconds(31)), []);
    }

    #[test]
    fn proceeding_goes_on_sending_every_t2_on_udp() {
        assert_eq!(sends(&mut proceeding(false), seconds(15)), [500, 4500, 8500, 12500]);
    }

    #[test]
    fn trying_and_proceeding_time_out_by_timer_f_on_either_transport() {
        for mut machine in [sent(false), sent(true), proceeding(false), proceeding(true)] {
            assert_eq!(machine.timeout(t0() + seconds(32)), Actions::of([Timeout]));
            assert_eq!(machine.state(), State::Terminated);
        }
    }

    #[test]
    fn trying_and_proceeding_report_a_transport_error_and_end() {
        for mut machine in [sent(false), proceeding(false)] {
            assert_eq!(machine.transport_failed(), Actions::of([TransportFailed]));
            assert_eq!(machine.state(), State::Terminated);
        }
    }

    #[test]
    fn proceeding_hands_up_further_provisional_responses() {
        let mut machine = proceeding(false);
        assert_eq!(machine.response(182, t0() + seconds(1)), Actions::of([Deliver]));
        assert_eq!(machine.state(), State::Proceeding);
    }

    #[test]
    fn a_final_response_goes_up_and_its_copies_are_absorbed_until_timer_k_on_udp() {
        for mut machine in [sent(false), proceeding(false)] {
            assert_eq!(machine.response(200, t0() + seconds(1)), Actions::of([Deliver]));
            assert_eq!(machine.state(), State::Completed);
            assert_eq!(machine.response(200, t0() + seconds(2)), Actions::none());
            assert_eq!(machine.transport_failed(), Actions::none());
            assert_eq!(machine.deadline(), Some(t0() + seconds(6)));
            assert_eq!(machine.timeout(t0() + seconds(6)), Actions::none());
            assert_eq!(machine.state(), State::Terminated);
        }
    }

    #[test]
    fn a_final_response_ends_the_transaction_at_once_on_tcp() {
        for mut machine in [sent(true), proceeding(true)] {
            assert_eq!(machine.response(404, t0() + seconds(1)), Actions::of([Deliver]));
            assert_eq!(machine.state(), State::Terminated);
        }
    }
}
