use sip::diversion::DiversionReason;
use sip::header::Reason;
use sip::{Headers, Name};

/// How an attempt to reach somebody ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// Nobody is registered, or nobody could be reached.
    Unavailable,
    /// It rang and nobody answered.
    NoAnswer,
    /// All of the route's trunk individuals are taken.
    NoCircuit,
    /// The trunk's peer answered 503, not at all, or with nonsense.
    TrunkFailed,
    /// The trunk's peer redirected without saying where.
    BadRedirect,
    /// It came back to where it had been.
    Loop,
    /// No such number.
    Vacant,
    /// The peer refused with a final status that the caller may be told.
    Refused {
        status: u16,
        reason: Option<String>,
        warning: Option<String>,
    },
    /// The phone declined (603).
    Declined,
    /// The extension does not want to be disturbed.
    DoNotDisturb,
    Busy,
}

impl Outcome {
    /// What a final response means here. 3xx are followed before anybody asks.
    pub fn of(status: u16, headers: &Headers, trunk: bool) -> Outcome {
        let text = |name| headers.get(name).map(|value| value.to_string());
        match status {
            486 | 600 => Outcome::Busy,
            603 => Outcome::Declined,
            480 | 410 | 430 if !trunk => Outcome::Unavailable,
            408 | 487 if !trunk => Outcome::NoAnswer,
            // RFC 3261 16.7 step 6: a 503 says something about the hop to the peer, nothing that the caller may act on.
            // A challenge is for us, and we have no answer to it.
            503 | 401 | 407 | 300..=399 => Outcome::TrunkFailed,
            404 | 604 if !trunk => Outcome::Unavailable,
            _ => Outcome::Refused { status, reason: text(&Name::Reason), warning: text(&Name::Warning) },
        }
    }

    /// Whether the next choice of route may do better.
    pub fn is_trunks_fault(&self) -> bool {
        matches!(self, Outcome::NoCircuit | Outcome::TrunkFailed | Outcome::BadRedirect | Outcome::Unavailable)
            || matches!(self, Outcome::Refused { status: 408 | 500 | 502 | 504, .. })
    }

    /// Of several failures the caller is told the one that says most about whom he called.
    pub fn rank(&self) -> u8 {
        match self {
            Outcome::Unavailable => 0,
            Outcome::NoCircuit | Outcome::TrunkFailed | Outcome::BadRedirect => 1,
            Outcome::Loop => 2,
            Outcome::NoAnswer => 3,
            Outcome::Vacant | Outcome::Refused { .. } => 4,
            Outcome::Declined | Outcome::DoNotDisturb => 5,
            Outcome::Busy => 6,
        }
    }

    /// Why a call goes on from here, in the words of RFC 5806.
    pub fn diversion_reason(&self) -> DiversionReason {
        match self {
            Outcome::Busy | Outcome::Declined => DiversionReason::UserBusy,
            Outcome::DoNotDisturb => DiversionReason::DoNotDisturb,
            Outcome::NoAnswer => DiversionReason::NoAnswer,
            _ => DiversionReason::Unavailable,
        }
    }

    /// What the caller is answered: status and headers.
    pub fn answer(&self) -> (u16, Headers) {
        let mut headers = Headers::new();
        let mut because = |reason: Reason| headers.push(Name::Reason, reason.to_string());
        let status = match self {
            Outcome::Busy => 486,
            Outcome::Declined => 603,
            // RFC 3261 21.4.18 names it among 480's cases.
            Outcome::DoNotDisturb => {
                because(Reason::q850(21, "Do not disturb"));
                480
            }
            Outcome::NoAnswer => {
                because(Reason::q850(19, "No answer from user"));
                480
            }
            Outcome::Unavailable => {
                because(Reason::q850(20, "Subscriber absent"));
                480
            }
            Outcome::NoCircuit => {
                because(Reason::q850(34, "No circuit available"));
                480
            }
            // RFC 3261 16.7 step 6: 500 instead of the 503.
            Outcome::TrunkFailed => {
                because(Reason::q850(38, "Network out of order"));
                500
            }
            // RFC 3261 21.5.3: what the server that we asked said makes no sense.
            Outcome::BadRedirect => {
                because(Reason::q850(38, "Network out of order"));
                502
            }
            Outcome::Loop => {
                because(Reason::q850(25, "Exchange routing error"));
                482
            }
            Outcome::Vacant => 404,
            Outcome::Refused { status, reason, warning } => {
                if let Some(reason) = reason {
                    headers.push(Name::Reason, reason.as_str());
                }
                if let Some(warning) = warning {
                    headers.push(Name::Warning, warning.as_str());
                }
                *status
            }
        };
        (status, headers)
    }

    /// The word in events.
    pub fn cause(&self) -> &'static str {
        match self {
            Outcome::Busy => "busy",
            Outcome::NoAnswer => "no-answer",
            Outcome::Declined => "declined",
            Outcome::DoNotDisturb => "do-not-disturb",
            Outcome::Vacant => "vacant-number",
            Outcome::Unavailable => "unavailable",
            Outcome::NoCircuit => "no-circuit",
            Outcome::TrunkFailed => "trunk-failed",
            Outcome::BadRedirect => "bad-redirect",
            Outcome::Loop => "loop",
            Outcome::Refused { .. } => "rejected",
        }
    }
}
