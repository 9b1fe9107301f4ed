//! The server transaction of every method but INVITE and ACK: RFC 3261 17.2.2, figure 8.

use super::timers::{Actions, Timers, due};
use std::time::Instant;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing sent yet.
    Trying,
    /// A provisional response was sent.
    Proceeding,
    /// Answered; copies of the request get the answer again.
    Completed,
    Terminated,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send the response that the user has just given.
    SendResponse,
    /// Send the last response once more.
    SendAgain,
    /// The response could not be sent.
    TransportFailed,
}

/// One request that we received.
#[derive(Clone, Debug)]
pub struct NonInviteServer {
    state: State,
    timers: Timers,
    reliable: bool,
    /// Timer J.
    expire: Option<Instant>,
}

impl NonInviteServer {
    pub fn start(timers: Timers, reliable: bool) -> NonInviteServer {
        NonInviteServer { state: State::Trying, timers, reliable, expire: None }
    }

    pub fn state(&self) -> State {
        self.state
    }

    /// When [`NonInviteServer::timeout`] wants to be called next.
    pub fn deadline(&self) -> Option<Instant> {
        self.expire
    }

    /// The request came again.
    pub fn request_again(&mut self) -> Actions<Action> {
        match self.state {
            State::Proceeding | State::Completed => Actions::of([Action::SendAgain]),
            State::Trying | State::Terminated => Actions::none(),
        }
    }

    /// The user answers with this status. What the state does not allow is not sent.
    pub fn respond(&mut self, status: u16, now: Instant) -> Actions<Action> {
        match (self.state, status) {
            (State::Trying | State::Proceeding, 100..=199) => {
                self.state = State::Proceeding;
                Actions::of([Action::SendResponse])
            }
            (State::Trying | State::Proceeding, 200..=699) => {
                if self.reliable {
                    // 17.2.2: timer J is zero on reliable transports.
                    self.end();
                } else {
                    self.state = State::Completed;
                    self.expire = Some(now + self.timers.limit());
                }
                Actions::of([Action::SendResponse])
            }
            // 17.2.2: any other final response of the user is discarded in Completed.
            _ => Actions::none(),
        }
    }

    /// The deadline has come.
    pub fn timeout(&mut self, now: Instant) -> Actions<Action> {
        if due(self.expire, now) {
            self.end();
        }
        Actions::none()
    }

    /// The response could not be sent, by any way.
    pub fn transport_failed(&mut self) -> Actions<Action> {
        match self.state {
            State::Proceeding | State::Completed => {
                self.end();
                Actions::of([Action::TransportFailed])
            }
            State::Trying | State::Terminated => Actions::none(),
        }
    }

    /// Nothing is kept of it: RFC 3261 8.2.7.
    pub fn forget(&mut self) {
        if self.state == State::Completed {
            self.end();
        }
    }

    fn end(&mut self) {
        self.state = State::Terminated;
        self.expire = None;
    }
}

#[cfg(test)]
mod tests {
    use super::super::rig::{ms, seconds, t0};
    use super::*;
    use Action::*;

    fn received(reliable: bool) -> NonInviteServer {
        NonInviteServer::start(Timers::default(), reliable)
    }

    fn proceeding() -> NonInviteServer {
        let mut machine = received(false);
        assert_eq!(machine.respond(100, t0()), Actions::of([SendResponse]));
        assert_eq!(machine.state(), State::Proceeding);
        machine
    }

    #[test]
    fn trying_absorbs_copies_of_the_request() {
        let mut machine = received(false);
        assert_eq!(machine.request_again(), Actions::none());
        assert_eq!(machine.state(), State::Trying);
        assert_eq!(machine.deadline(), None);
    }

    #[test]
    fn proceeding_answers_copies_with_the_provisional_response() {
        let mut machine = proceeding();
        assert_eq!(machine.request_again(), Actions::of([SendAgain]));
        assert_eq!(machine.respond(182, t0() + ms(10)), Actions::of([SendResponse]));
        assert_eq!(machine.state(), State::Proceeding);
    }

    #[test]
    fn completed_answers_copies_with_the_final_response_until_timer_j_on_udp() {
        for mut machine in [received(false), proceeding()] {
            assert_eq!(machine.respond(200, t0() + ms(10)), Actions::of([SendResponse]));
            assert_eq!(machine.state(), State::Completed);
            assert_eq!(machine.request_again(), Actions::of([SendAgain]));
            assert_eq!(machine.respond(404, t0() + ms(20)), Actions::none());
            assert_eq!(machine.deadline(), Some(t0() + ms(32_010)));
            machine.timeout(t0() + seconds(33));
            assert_eq!(machine.state(), State::Terminated);
        }
    }

    #[test]
    fn a_final_response_ends_the_transaction_at_once_on_tcp() {
        let mut machine = received(true);
        assert_eq!(machine.respond(200, t0()), Actions::of([SendResponse]));
        assert_eq!(machine.state(), State::Terminated);
    }

    #[test]
    fn proceeding_and_completed_report_a_transport_error_and_end() {
        let mut answered = proceeding();
        answered.respond(200, t0());
        for mut machine in [proceeding(), answered] {
            assert_eq!(machine.transport_failed(), Actions::of([TransportFailed]));
            assert_eq!(machine.state(), State::Terminated);
        }
    }
}
