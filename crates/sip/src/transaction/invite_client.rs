//! The INVITE client transaction: RFC 3261 17.1.1 (figure 5), with the Accepted state of RFC 6026 7.2.

use super::timers::{Actions, Timers, due, earlier};
use std::time::{Duration, Instant};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Sent, nothing heard.
    Calling,
    /// A provisional response came: no more retransmission.
    Proceeding,
    /// 300-699 came and was acknowledged; repeated ones are acknowledged again.
    Completed,
    /// A 2xx came (RFC 6026): it and those of other forks go up until timer M.
    Accepted,
    Terminated,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    SendInvite,
    /// The ACK for 300-699, built from the INVITE and the response at hand (17.1.1.3).
    SendAck,
    /// Hand the response at hand to the transaction user.
    Deliver,
    /// Nobody answered in time: to the user as good as a 408.
    Timeout,
    /// The message could not be sent: to the user as good as a 503 (8.1.3.1).
    TransportFailed,
}

/// One INVITE that we sent.
#[derive(Clone, Debug)]
pub struct InviteClient {
    state: State,
    timers: Timers,
    reliable: bool,
    interval: Duration,
    /// Timer A.
    retransmit: Option<Instant>,
    /// Timer B, D or M, whichever the state has; in Proceeding the limit after a CANCEL.
    expire: Option<Instant>,
    quiet: bool,
}

impl InviteClient {
    /// Sends the INVITE.
    pub fn start(timers: Timers, reliable: bool, now: Instant) -> (InviteClient, Actions<Action>) {
        let machine = InviteClient {
            state: State::Calling,
            timers,
            reliable,
            interval: timers.t1,
            // 17.1.1.2: timer A starts at T1, on unreliable transports only; timer B runs on all.
            retransmit: (!reliable).then(|| now + timers.t1),
            expire: Some(now + timers.limit()),
            quiet: false,
        };
        (machine, Actions::of([Action::SendInvite]))
    }

    pub fn state(&self) -> State {
        self.state
    }

    /// When [`InviteClient::timeout`] wants to be called next.
    pub fn deadline(&self) -> Option<Instant> {
        earlier(self.retransmit, self.expire)
    }

    /// A response with this status came.
    pub fn response(&mut self, status: u16, now: Instant) -> Actions<Action> {
        match (self.state, status) {
            (State::Calling | State::Proceeding, 100..=199) => {
                if self.state == State::Calling {
                    self.state = State::Proceeding;
                    self.retransmit = None;
                    self.expire = None;
                }
                Actions::of([Action::Deliver])
            }
            (State::Calling | State::Proceeding, 200..=299) => {
                self.state = State::Accepted;
                self.retransmit = None;
                // RFC 6026 7.2: timer M runs 64*T1 on every transport, for the 2xx of other forks.
                self.expire = Some(now + self.timers.limit());
                Actions::of([Action::Deliver])
            }
            (State::Calling | State::Proceeding, 300..=699) => {
                self.retransmit = None;
                if self.reliable {
                    // 17.1.1.2: timer D is zero on reliable transports.
                    self.end();
                } else {
                    self.state = State::Completed;
                    self.expire = Some(now + self.timers.d);
                }
                Actions::of([Action::SendAck, Action::Deliver])
            }
            (State::Completed, 300..=699) => Actions::of([Action::SendAck]),
            (State::Accepted, 200..=299) => Actions::of([Action::Deliver]),
            _ => Actions::none(),
        }
    }

    /// The deadline has come.
    pub fn timeout(&mut self, now: Instant) -> Actions<Action> {
        if due(self.expire, now) {
            let waiting = matches!(self.state, State::Calling | State::Proceeding);
            self.end();
            return if waiting { Actions::of([Action::Timeout]) } else { Actions::none() };
        }
        if due(self.retransmit, now) {
            // 17.1.1.2: timer A doubles, without the limit of T2.
            self.interval = self.interval.saturating_mul(2);
            self.retransmit = Some(now + self.interval);
            return Actions::of([Action::SendInvite]);
        }
        Actions::none()
    }

    /// INVITE or ACK could not be sent.
    pub fn transport_failed(&mut self) -> Actions<Action> {
        match self.state {
            // In Proceeding nothing of ours is under way: what failed late was a copy of the INVITE.
            State::Calling | State::Completed => {
                self.end();
                Actions::of([Action::TransportFailed])
            }
            State::Proceeding | State::Accepted | State::Terminated => Actions::none(),
        }
    }

    /// A CANCEL was sent: without a final response within 64*T1 the INVITE counts as cancelled (9.1).
    pub fn cancelled(&mut self, now: Instant) {
        if self.state == State::Proceeding {
            self.expire = Some(now + self.timers.limit());
        }
    }

    /// The user has given this INVITE up before anything was heard: no more copies are sent, answers are still heard.
    pub fn hush(&mut self) {
        self.retransmit = None;
        self.quiet = true;
    }

    /// Whether [`InviteClient::hush`] was called.
    pub fn is_quiet(&self) -> bool {
        self.quiet
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

    fn sent(reliable: bool) -> InviteClient {
        let (machine, actions) = InviteClient::start(Timers::default(), reliable, t0());
        assert_eq!(actions, Actions::of([SendInvite]));
        machine
    }

    fn proceeding(reliable: bool) -> InviteClient {
        let mut machine = sent(reliable);
        machine.response(180, t0());
        machine
    }

    /// Runs the machine by its own deadlines until it ends or `until`; says when it sent.
    fn sends(machine: &mut InviteClient, until: Duration) -> Vec<u128> {
        let mut at = Vec::new();
        while let Some(deadline) = machine.deadline().filter(|deadline| *deadline < t0() + until) {
            if machine.timeout(deadline) == Actions::of([SendInvite]) {
                at.push((deadline - t0()).as_millis());
            }
        }
        at
    }

    #[test]
    fn calling_sends_again_at_doubling_intervals_on_udp() {
        let mut machine = sent(false);
        assert_eq!(sends(&mut machine, seconds(32)), [500, 1500, 3500, 7500, 15500, 31500]);
        assert_eq!(machine.state(), State::Calling);
    }

    #[test]
    fn calling_never_sends_again_on_tcp() {
        assert_eq!(sends(&mut sent(true), seconds(31)), []);
    }

    #[test]
    fn calling_times_out_by_timer_b_on_either_transport() {
        for reliable in [false, true] {
            let mut machine = sent(reliable);
            assert_eq!(machine.timeout(t0() + seconds(32)), Actions::of([Timeout]));
            assert_eq!(machine.state(), State::Terminated);
            assert_eq!(machine.deadline(), None);
        }
    }

    #[test]
    fn calling_reports_a_transport_error_and_ends() {
        let mut machine = sent(true);
        assert_eq!(machine.transport_failed(), Actions::of([TransportFailed]));
        assert_eq!(machine.state(), State::Terminated);
    }

    #[test]
    fn calling_goes_to_proceeding_by_a_provisional_response_and_stops_sending() {
        let mut machine = sent(false);
        assert_eq!(machine.response(100, t0() + ms(20)), Actions::of([Deliver]));
        assert_eq!(machine.state(), State::Proceeding);
        assert_eq!(machine.deadline(), None);
    }

    #[test]
    fn calling_and_proceeding_go_to_accepted_by_a_2xx_and_leave_it_by_timer_m() {
        for reliable in [false, true] {
            for mut machine in [sent(reliable), proceeding(reliable)] {
                assert_eq!(machine.response(200, t0() + ms(20)), Actions::of([Deliver]));
                assert_eq!(machine.state(), State::Accepted);
                assert_eq!(machine.deadline(), Some(t0() + ms(32_020)));
                assert_eq!(machine.timeout(t0() + ms(32_020)), Actions::none());
                assert_eq!(machine.state(), State::Terminated);
            }
        }
    }

    #[test]
    fn calling_and_proceeding_acknowledge_a_refusal_and_absorb_copies_until_timer_d_on_udp() {
        for mut machine in [sent(false), proceeding(false)] {
            assert_eq!(machine.response(486, t0() + ms(20)), Actions::of([SendAck, Deliver]));
            assert_eq!(machine.state(), State::Completed);
            assert_eq!(machine.deadline(), Some(t0() + ms(32_020)));
        }
    }

    #[test]
    fn a_refusal_ends_the_transaction_at_once_on_tcp() {
        for mut machine in [sent(true), proceeding(true)] {
            assert_eq!(machine.response(302, t0() + ms(20)), Actions::of([SendAck, Deliver]));
            assert_eq!(machine.state(), State::Terminated);
        }
    }

    #[test]
    fn proceeding_hands_up_every_provisional_response_and_waits_without_limit() {
        let mut machine = proceeding(false);
        assert_eq!(machine.response(183, t0() + seconds(100)), Actions::of([Deliver]));
        assert_eq!(machine.response(180, t0() + seconds(200)), Actions::of([Deliver]));
        assert_eq!(machine.state(), State::Proceeding);
        assert_eq!(machine.deadline(), None);
    }

    #[test]
    fn completed_acknowledges_copies_of_the_refusal_without_handing_them_up() {
        let mut machine = sent(false);
        machine.response(486, t0());
        assert_eq!(machine.response(486, t0() + ms(500)), Actions::of([SendAck]));
        assert_eq!(machine.response(180, t0() + ms(600)), Actions::none());
        assert_eq!(machine.timeout(t0() + seconds(32)), Actions::none());
        assert_eq!(machine.state(), State::Terminated);
    }

    #[test]
    fn completed_reports_a_transport_error_of_the_ack_and_ends() {
        let mut machine = sent(false);
        machine.response(486, t0());
        assert_eq!(machine.transport_failed(), Actions::of([TransportFailed]));
        assert_eq!(machine.state(), State::Terminated);
    }

    #[test]
    fn accepted_hands_up_the_2xx_of_every_fork_and_nothing_else() {
        let mut machine = sent(false);
        machine.response(200, t0());
        assert_eq!(machine.response(200, t0() + ms(500)), Actions::of([Deliver]));
        assert_eq!(machine.response(486, t0() + ms(600)), Actions::none());
        assert_eq!(machine.response(180, t0() + ms(700)), Actions::none());
        assert_eq!(machine.transport_failed(), Actions::none());
        assert_eq!(machine.state(), State::Accepted);
    }

    #[test]
    fn a_cancelled_invite_that_nobody_answers_times_out_after_64_t1() {
        let mut machine = proceeding(true);
        machine.cancelled(t0() + seconds(60));
        assert_eq!(machine.deadline(), Some(t0() + seconds(92)));
        assert_eq!(machine.timeout(t0() + seconds(92)), Actions::of([Timeout]));
        assert_eq!(machine.state(), State::Terminated);
    }

    #[test]
    fn a_hushed_invite_sends_no_copies_but_still_hears_its_answer() {
        let mut machine = sent(false);
        machine.hush();
        assert_eq!(sends(&mut machine, seconds(31)), []);
        assert_eq!(machine.response(180, t0() + seconds(31)), Actions::of([Deliver]));
    }
}
