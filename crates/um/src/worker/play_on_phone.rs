//! Play on phone: a message is played to whoever answers the number that its owner gave (fact sheet 3.7). The dialling rules of
//! the owner's mailbox policy decide; a user has one such call at a time.

use super::call::Kind;
use super::identity::CallerId;
use super::outcall::For;
use super::placing::Placing;
use crate::commands::CommandError;
use crate::commands::dial_plan::DialPlan;
use crate::commands::hunt_group::HuntGroup;
use crate::commands::ip_gateway::Gateway;
use crate::commands::mailbox::require_enabled;
use crate::commands::play_on_phone::{PhoneCall, PhoneCallFailure, PhoneCallState, PhoneGreeting};
use crate::commands::value::Value as _;
use crate::configuration::pilot_number;
use crate::dialogue::{Dialogue, TransferEnd, play_on_phone, record_on_phone};
use crate::server::Server;
use event::{Event, Now};
use mailbox::MessageId;
use std::sync::Arc;
use std::time::Duration;

/// How long it rings: whoever asked for it sits beside the telephone.
pub(super) const RINGS: Duration = Duration::from_secs(45);

impl Server {
    pub(crate) fn play_on_phone(
        &mut self,
        identity: &str,
        number: String,
        (message, greeting): (Option<&str>, Option<PhoneGreeting>),
        now: Now,
    ) -> Result<PhoneCall, CommandError> {
        let owner = self.configuration.require_mailbox(identity)?.clone();
        let um = require_enabled(&owner)?.clone();
        let allowed = self.configuration.policy_of(&um).is_some_and(|policy| policy.allow_play_on_phone);
        if !allowed || !owner.um_settings.play_on_phone_enabled {
            return Err(CommandError::bad("Identity", format!("play on phone is not allowed for {:?}", owner.name)));
        }
        let bad_message = || CommandError::bad("Message", "write the id of a message, as REST lists it, or -Greeting");
        let message: Option<MessageId> = match (message, greeting) {
            (Some(id), None) => Some(id.parse().map_err(|_| bad_message())?),
            (None, Some(_)) => None,
            _ => return Err(bad_message()),
        };
        let subscriber = self.subscriber(&owner).ok_or_else(bad_message)?;
        if self.phone_calls.get(&um.mailbox).is_some_and(|call| !call.is_over()) {
            return Err(CommandError::PlayingAlready { mailbox: owner.name.clone() });
        }
        let dialled = self
            .owner_may_dial(&um.mailbox, &number)
            .map_err(|denied| CommandError::bad("Number", format!("{number:?}: {denied}")))?;
        let no_call = |reason: &dyn std::fmt::Display| CommandError::NoCall { reason: reason.to_string() };
        let plan =
            self.configuration.plan_of(&owner).cloned().ok_or_else(|| no_call(&"the mailbox has no dial plan"))?;
        let (gateway, from) = self.way_out(&plan)?;
        let mailbox = um.mailbox.clone();
        let placing = Placing {
            waits: For::PlayOnPhone,
            kind: Kind::PlayOnPhone,
            number: dialled,
            rings: RINGS,
            gateway,
            from,
            language: self.configuration.language_of(&owner),
            plan,
            dialogue: Some(match (message, greeting) {
                (Some(message), _) => Dialogue::start(|caller| play_on_phone(caller, mailbox, message)),
                (None, greeting) => {
                    let kind = greeting.unwrap_or(PhoneGreeting::Personal).kind();
                    Dialogue::start(move |caller| record_on_phone(caller, subscriber, kind))
                }
            }),
        };
        let call = self.place(placing, now).map_err(|error| no_call(&error))?;
        let phone_call = PhoneCall {
            call,
            number,
            message: message.map(|message| message.to_string()).unwrap_or_default(),
            greeting,
            state: PhoneCallState::Connecting,
            ..PhoneCall::idle(um.mailbox.to_string())
        };
        self.phone_calls.insert(um.mailbox, phone_call.clone());
        self.tell_phone_call(&phone_call, now);
        Ok(phone_call)
    }

    /// The gateway by which the server rings somebody of its own accord, and as whom: the plan's pilot, which the PBX knows as
    /// this server's.
    pub(super) fn way_out(&self, plan: &DialPlan) -> Result<(Arc<Gateway>, CallerId), CommandError> {
        let no_gateway =
            || CommandError::NoCall { reason: "no gateway of the dial plan takes calls from this server".into() };
        let gateway = self.gateway_for(plan).ok_or_else(no_gateway)?;
        let of_plan = |group: &&Arc<HuntGroup>| {
            group.gateway.eq_ignore_ascii_case(&gateway.name) && group.dial_plan.eq_ignore_ascii_case(&plan.name)
        };
        let pilot = self.configuration.hunt_groups.iter().filter(of_plan).find_map(|group| group.pilot.clone());
        let number = pilot.map(|pilot| pilot_number(&pilot).to_owned());
        Ok((gateway, CallerId { number, ..CallerId::default() }))
    }

    pub(crate) fn phone_call(&self, identity: &str) -> Result<PhoneCall, CommandError> {
        let id = &require_enabled(self.configuration.require_mailbox(identity)?)?.mailbox;
        Ok(self.phone_calls.get(id).cloned().unwrap_or_else(|| PhoneCall::idle(id.to_string())))
    }

    pub(crate) fn stop_play_on_phone(&mut self, identity: &str, now: Now) -> Result<PhoneCall, CommandError> {
        let call = self.phone_call(identity)?;
        if !call.is_over() {
            self.hang_up(call.call, now);
        }
        self.phone_call(identity)
    }

    pub(super) fn play_on_phone_rings(&mut self, number: u64, now: Now) {
        self.phone_call_is(number, PhoneCallState::Alerted, PhoneCallFailure::None, now);
    }

    pub(super) fn play_on_phone_answered(&mut self, number: u64, now: Now) {
        if let Some(call) = self.calls.get_mut(&number) {
            call.outcall = None;
        }
        self.phone_call_is(number, PhoneCallState::Connected, PhoneCallFailure::None, now);
    }

    pub(super) fn play_on_phone_failed(&mut self, number: u64, end: TransferEnd, now: Now) {
        let failure = match end {
            TransferEnd::Busy => PhoneCallFailure::UserBusy,
            TransferEnd::NoAnswer => PhoneCallFailure::NoAnswer,
            TransferEnd::Done | TransferEnd::Invalid | TransferEnd::Failed => PhoneCallFailure::Other,
        };
        self.phone_call_is(number, PhoneCallState::Disconnected, failure, now);
    }

    /// It was hung up, here or there.
    pub(super) fn play_on_phone_over(&mut self, number: u64, now: Now) {
        self.phone_call_is(number, PhoneCallState::Disconnected, PhoneCallFailure::None, now);
    }

    fn phone_call_is(&mut self, number: u64, state: PhoneCallState, failure: PhoneCallFailure, now: Now) {
        let of_call = |call: &&mut PhoneCall| call.call == number && !call.is_over() && call.state != state;
        let Some(call) = self.phone_calls.values_mut().find(of_call) else { return };
        call.state = state;
        call.failure = failure;
        let call = call.clone();
        self.tell_phone_call(&call, now);
    }

    fn tell_phone_call(&self, call: &PhoneCall, now: Now) {
        self.emit(
            now,
            Event::PlayOnPhone {
                mailbox: call.mailbox.clone(),
                call: call.call,
                phone: call.number.clone(),
                message: call.message.clone(),
                state: call.state.show(),
                failure: call.failure.show(),
            },
        );
    }
}
