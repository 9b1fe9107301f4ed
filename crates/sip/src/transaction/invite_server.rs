//! The INVITE server transaction: RFC 3261 17.2.1, as replaced by RFC 6026 7.1 (figure 7: the Accepted state).

use super::timers::{Actions, Timers, due, earlier};
use std::time::{Duration, Instant};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No final response yet.
    Proceeding,
    /// 300-699 was sent; it is sent again until its ACK comes.
    Completed,
    /// The ACK came; copies of it are absorbed.
    Confirmed,
    /// A 2xx was sent (RFC 6026): copies of the INVITE are absorbed, the user repeats the 2xx until the ACK.
    Accepted,
    Terminated,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send 100 Trying: the user has not answered yet.
    SendTrying,
    /// Send the response that the user has just given.
    SendResponse,
    /// Send the last response once more.
    SendAgain,
    /// Hand the ACK up: it belongs to a 2xx.
    DeliverAck,
    /// No ACK came for 300-699 (timer H).
    NoAck,
    /// The response could not be sent.
    TransportFailed,
}

/// One INVITE that we received.
#[derive(Clone, Debug)]
pub struct InviteServer {
    state: State,
    timers: Timers,
    reliable: bool,
    interval: Duration,
    /// When 100 Trying is due, while nothing was sent.
    trying: Option<Instant>,
    /// Timer G.
    retransmit: Option<Instant>,
    /// Timer H, I or L.
    expire: Option<Instant>,
    responded: bool,
}

impl InviteServer {
    /// Sends 100 Trying after `trying`: at once when that is zero, else unless the user answers within it (17.2.1).
    pub fn start(timers: Timers, reliable: bool, trying: Duration, now: Instant) -> (InviteServer, Actions<Action>) {
        let at_once = trying.is_zero();
        let machine = InviteServer {
            state: State::Proceeding,
            timers,
            reliable,
            interval: timers.t1,
            trying: (!at_once).then(|| now + trying),
            retransmit: None,
            expire: None,
            responded: at_once,
        };
        (machine, if at_once { Actions::of([Action::SendTrying]) } else { Actions::none() })
    }

    pub fn state(&self) -> State {
        self.state
    }

    /// When [`InviteServer::timeout`] wants to be called next.
    pub fn deadline(&self) -> Option<Instant> {
        earlier(self.trying, earlier(self.retransmit, self.expire))
    }

    /// The INVITE came again.
    pub fn invite_again(&mut self) -> Actions<Action> {
        match self.state {
            State::Proceeding if self.responded => Actions::of([Action::SendAgain]),
            // A copy before anything was sent: the peer waits for a sign of life.
            State::Proceeding => {
                self.trying = None;
                self.responded = true;
                Actions::of([Action::SendTrying])
            }
            State::Completed => Actions::of([Action::SendAgain]),
            State::Confirmed | State::Accepted | State::Terminated => Actions::none(),
        }
    }

    /// The user answers with this status. What the state does not allow is not sent.
    pub fn respond(&mut self, status: u16, now: Instant) -> Actions<Action> {
        match (self.state, status) {
            (State::Proceeding, 100..=199) => {
                self.trying = None;
                self.responded = true;
                Actions::of([Action::SendResponse])
            }
            (State::Proceeding, 200..=299) => {
                self.trying = None;
                self.state = State::Accepted;
                // RFC 6026 7.1: timer L, 64*T1 on every transport.
                self.expire = Some(now + self.timers.limit());
                Actions::of([Action::SendResponse])
            }
            (State::Proceeding, 300..=699) => {
                self.trying = None;
                self.state = State::Completed;
                // 17.2.1: timer G on unreliable transports only, timer H on all.
                self.retransmit = (!self.reliable).then(|| now + self.timers.t1);
                self.expire = Some(now + self.timers.limit());
                Actions::of([Action::SendResponse])
            }
            // RFC 6026 7.1: the user repeats its 2xx; the transaction only passes it on.
            (State::Accepted, 200..=299) => Actions::of([Action::SendResponse]),
            _ => Actions::none(),
        }
    }

    /// An ACK that matches this INVITE came.
    pub fn ack(&mut self, now: Instant) -> Actions<Action> {
        match self.state {
            State::Completed => {
                self.retransmit = None;
                if self.reliable {
                    // 17.2.1: timer I is zero on reliable transports.
                    self.end();
                } else {
                    self.state = State::Confirmed;
                    self.expire = Some(now + self.timers.t4);
                }
                Actions::none()
            }
            State::Accepted => Actions::of([Action::DeliverAck]),
            State::Proceeding | State::Confirmed | State::Terminated => Actions::none(),
        }
    }

    /// The deadline has come.
    pub fn timeout(&mut self, now: Instant) -> Actions<Action> {
        if due(self.expire, now) {
            let unacknowledged = self.state == State::Completed;
            self.end();
            return if unacknowledged { Actions::of([Action::NoAck]) } else { Actions::none() };
        }
        if due(self.trying, now) {
            self.trying = None;
            self.responded = true;
            return Actions::of([Action::SendTrying]);
        }
        if due(self.retransmit, now) {
            // 17.2.1: timer G doubles up to T2.
            self.interval = self.timers.doubled(self.interval);
            self.retransmit = Some(now + self.interval);
            return Actions::of([Action::SendAgain]);
        }
        Actions::none()
    }

    /// The response could not be sent, by any way. The state stays (RFC 6026 figure 7): the peer may ask again.
    pub fn transport_failed(&mut self) -> Actions<Action> {
        match self.state {
            State::Proceeding | State::Completed | State::Accepted => Actions::of([Action::TransportFailed]),
            State::Confirmed | State::Terminated => Actions::none(),
        }
    }

    fn end(&mut self) {
        self.state = State::Terminated;
        self.trying = None;
        self.retransmit = None;
        self.expire = None;
    }
}

#[cfg(test)]
mod tests {
    use super::super::rig::{ms, seconds, t0};
    use super::*;
    use Action::*;

    fn received(reliable: bool) -> InviteServer {
        let (machine, actions) = InviteServer::start(Timers::default(), reliable, Duration::ZERO, t0());
        assert_eq!(actions, Actions::of([SendTrying]));
        machine
    }

    fn completed(reliable: bool) -> InviteServer {
        let mut machine = received(reliable);
        assert_eq!(machine.respond(486, t0()), Actions::of([SendResponse]));
        assert_eq!(machine.state(), State::Completed);
        machine
    }

    fn accepted(reliable: bool) -> InviteServer {
        let mut machine = received(reliable);
        assert_eq!(machine.respond(200, t0()), Actions::of([SendResponse]));
        assert_eq!(machine.state(), State::Accepted);
        machine
    }

    #[test]
    fn trying_goes_out_at_once_when_so_set() {
        assert_eq!(received(false).deadline(), None);
    }

    #[test]
    fn trying_waits_200_ms_for_the_user_when_so_set() {
        let (mut machine, actions) = InviteServer::start(Timers::default(), false, ms(200), t0());
        assert_eq!(actions, Actions::none());
        assert_eq!(machine.deadline(), Some(t0() + ms(200)));
        assert_eq!(machine.timeout(t0() + ms(200)), Actions::of([SendTrying]));
        assert_eq!(machine.deadline(), None);
    }

    #[test]
    fn trying_is_not_sent_when_the_user_answers_before_it_is_due() {
        let (mut machine, _) = InviteServer::start(Timers::default(), false, ms(200), t0());
        assert_eq!(machine.respond(180, t0() + ms(50)), Actions::of([SendResponse]));
        assert_eq!(machine.deadline(), None);
    }

    #[test]
    fn a_copy_of_the_invite_before_anything_was_sent_gets_its_trying() {
        let (mut machine, _) = InviteServer::start(Timers::default(), false, ms(200), t0());
        assert_eq!(machine.invite_again(), Actions::of([SendTrying]));
        assert_eq!(machine.deadline(), None);
    }

    #[test]
    fn proceeding_answers_copies_of_the_invite_with_the_last_provisional_response() {
        let mut machine = received(false);
        assert_eq!(machine.invite_again(), Actions::of([SendAgain]));
        assert_eq!(machine.respond(180, t0() + ms(10)), Actions::of([SendResponse]));
        assert_eq!(machine.invite_again(), Actions::of([SendAgain]));
        assert_eq!(machine.state(), State::Proceeding);
    }

    #[test]
    fn proceeding_reports_a_transport_error_and_stays() {
        let mut machine = received(false);
        assert_eq!(machine.transport_failed(), Actions::of([TransportFailed]));
        assert_eq!(machine.state(), State::Proceeding);
    }

    #[test]
    fn completed_repeats_the_refusal_at_intervals_that_double_up_to_t2_on_udp_until_timer_h() {
        let mut machine = completed(false);
        let mut at = Vec::new();
        let last = loop {
            let deadline = machine.deadline().unwrap();
            let actions = machine.timeout(deadline);
            if actions != Actions::of([SendAgain]) {
                break (deadline, actions);
            }
            at.push((deadline - t0()).as_millis());
        };
        assert_eq!(at, [500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500]);
        assert_eq!(last, (t0() + seconds(32), Actions::of([NoAck])));
        assert_eq!(machine.state(), State::Terminated);
    }

    #[test]
    fn completed_waits_for_the_ack_without_repeating_on_tcp() {
        let mut machine = completed(true);
        assert_eq!(machine.deadline(), Some(t0() + seconds(32)));
        assert_eq!(machine.timeout(t0() + seconds(32)), Actions::of([NoAck]));
    }

    #[test]
    fn completed_answers_copies_of_the_invite_with_the_refusal() {
        assert_eq!(completed(false).invite_again(), Actions::of([SendAgain]));
    }

    #[test]
    fn completed_reports_a_transport_error() {
        assert_eq!(completed(false).transport_failed(), Actions::of([TransportFailed]));
    }

    #[test]
    fn completed_goes_to_confirmed_by_the_ack_and_leaves_it_by_timer_i_on_udp() {
        let mut machine = completed(false);
        assert_eq!(machine.ack(t0() + ms(30)), Actions::none());
        assert_eq!(machine.state(), State::Confirmed);
        assert_eq!(machine.ack(t0() + ms(40)), Actions::none());
        assert_eq!(machine.invite_again(), Actions::none());
        assert_eq!(machine.deadline(), Some(t0() + ms(5030)));
        assert_eq!(machine.timeout(t0() + ms(5030)), Actions::none());
        assert_eq!(machine.state(), State::Terminated);
    }

    #[test]
    fn the_ack_ends_the_transaction_at_once_on_tcp() {
        let mut machine = completed(true);
        machine.ack(t0() + ms(30));
        assert_eq!(machine.state(), State::Terminated);
    }

    #[test]
    fn accepted_absorbs_copies_of_the_invite_until_timer_l_on_either_transport() {
        for reliable in [false, true] {
            let mut machine = accepted(reliable);
            assert_eq!(machine.invite_again(), Actions::none());
            assert_eq!(machine.deadline(), Some(t0() + seconds(32)));
            assert_eq!(machine.timeout(t0() + seconds(32)), Actions::none());
            assert_eq!(machine.state(), State::Terminated);
        }
    }

    #[test]
    fn accepted_passes_on_the_users_2xx_and_hands_up_the_ack() {
        let mut machine = accepted(false);
        assert_eq!(machine.respond(200, t0() + ms(500)), Actions::of([SendResponse]));
        assert_eq!(machine.respond(486, t0() + ms(600)), Actions::none());
        assert_eq!(machine.ack(t0() + ms(700)), Actions::of([DeliverAck]));
        assert_eq!(machine.ack(t0() + ms(900)), Actions::of([DeliverAck]));
        assert_eq!(machine.transport_failed(), Actions::of([TransportFailed]));
        assert_eq!(machine.state(), State::Accepted);
    }

    #[test]
    fn proceeding_ignores_an_ack() {
        let mut machine = received(false);
        assert_eq!(machine.ack(t0()), Actions::none());
        assert_eq!(machine.state(), State::Proceeding);
    }
}
