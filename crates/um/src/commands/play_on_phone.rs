//! Start-, Get- and Stop-UMPlayOnPhone: a message is played to a telephone that the server rings (fact sheet 3.7). Exchange has
//! this as a web service; REST leads here.

use super::table::{Cmdlet, Parameter};
use super::value::choices;
use serde::Serialize;

choices! {
    /// How far a call has come, as Exchange's web service names it.
    PhoneCallState {
        /// There was none yet.
        Idle,
        Connecting,
        /// It rings.
        Alerted,
        Connected,
        Disconnected,
    }
}
choices! {
    /// Why nobody heard the message.
    PhoneCallFailure { None, UserBusy, NoAnswer, Other }
}

choices! {
    /// What is recorded by play on phone.
    PhoneGreeting { Personal, Oof, Name }
}

impl PhoneGreeting {
    pub(crate) fn kind(self) -> ::mailbox::GreetingKind {
        match self {
            PhoneGreeting::Personal => ::mailbox::GreetingKind::Personal,
            PhoneGreeting::Oof => ::mailbox::GreetingKind::Oof,
            PhoneGreeting::Name => ::mailbox::GreetingKind::Name,
        }
    }
}

/// The last call that was placed for a mailbox.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PhoneCall {
    pub mailbox: String,
    /// The number that events know the call by; 0 for none.
    pub call: u64,
    /// As the user gave it.
    pub number: String,
    /// The message that is played; nothing where a greeting is recorded.
    pub message: String,
    /// The greeting that is recorded.
    pub greeting: Option<PhoneGreeting>,
    pub state: PhoneCallState,
    pub failure: PhoneCallFailure,
}

impl PhoneCall {
    /// Of a mailbox that nothing was played for.
    pub(crate) fn idle(mailbox: String) -> PhoneCall {
        PhoneCall {
            mailbox,
            call: 0,
            number: String::new(),
            message: String::new(),
            greeting: None,
            state: PhoneCallState::Idle,
            failure: PhoneCallFailure::None,
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        matches!(self.state, PhoneCallState::Idle | PhoneCallState::Disconnected)
    }
}

pub(super) fn cmdlets() -> Vec<Cmdlet> {
    let of = |help| Parameter::of::<String>("Identity", help).written("a mailbox's name, alias, address or extension");
    let number =
        Parameter::of::<String>("Number", "Whom to ring: an extension, or a number that dialling rules allow.");
    let message = Parameter::of::<String>("Message", "The message's id, as REST lists it.");
    let greeting = Parameter::of::<PhoneGreeting>("Greeting", "The greeting that is recorded, instead of a message.");
    vec![
        Cmdlet::new(
            "Start-UMPlayOnPhone",
            "Rings a telephone, and plays a message to whoever answers, or records a greeting of his.",
            vec![
                of("Whose message.").needed(),
                number.written("a telephone number").needed(),
                message.written("32 hexadecimal digits"),
                greeting,
            ],
        )
        .note("One call at a time for each user. The dialling rules of the user's mailbox policy decide which numbers are rung."),
        Cmdlet::new(
            "Get-UMPlayOnPhone",
            "Shows how far the last such call has come.",
            vec![of("Whose call.").needed()],
        ),
        Cmdlet::new("Stop-UMPlayOnPhone", "Hangs up.", vec![of("Whose call.").needed()]),
    ]
}
