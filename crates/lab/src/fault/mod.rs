//! Faults that the lab can be given, so that the acceptance suite is seen to notice them. Each is made at the edges: a slip
//! in the lab's scripts, as administrators make them, or messages and media that are dropped or changed between a half and
//! the network. The halves know nothing of it.

mod media;
mod slip;
mod wire;

pub(crate) use slip::apply;

use ::media::Control;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// Which half a fault of messages or media sits at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Half {
    Node,
    Um,
}

/// The faults of a lab.
pub(crate) struct Faults {
    pub all: Vec<Fault>,
    /// The UM servers, as the node's media knows them.
    pub um: Vec<IpAddr>,
}

/// None: what runs outside the lab.
impl Default for Faults {
    fn default() -> Faults {
        Faults { all: Vec::new(), um: Vec::new() }
    }
}

impl Faults {
    pub fn wire<R: net::Role>(&self, half: Half, role: R) -> wire::Tampered<R> {
        wire::Tampered::new(role, half, &self.all)
    }

    pub fn media<C: Control + Send + 'static>(&self, half: Half, control: C) -> Box<dyn Control + Send> {
        match self.all.as_slice() {
            [] => Box::new(control),
            faults => Box::new(media::Tampered::new(control, half, faults, self.um.clone())),
        }
    }
}

macro_rules! faults {
    ($($(#[doc = $what:literal])+ $variant:ident = $name:literal;)*) => {
        /// What may be wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Fault { $($(#[doc = $what])+ $variant,)* }

        impl Fault {
            pub const ALL: &'static [Fault] = &[$(Fault::$variant,)*];

            /// As `earcon lab --fault` names it.
            pub fn name(self) -> &'static str {
                match self { $(Fault::$variant => $name,)* }
            }

            /// What is wrong then, in a sentence.
            pub fn what(self) -> &'static str {
                match self { $(Fault::$variant => concat!($($what),+).trim_ascii_start(),)* }
            }
        }
    };
}

faults! {
    // Slips at the node.
    /// The SIP route names another host than the UM server as the one to accept from.
    WrongMatch = "wrong-match";
    /// The SIP route has the attendant's number as message waiting number.
    WrongMwiNumber = "wrong-mwinumber";
    /// The call list of 27000 ends before voice mail.
    CallListTooShort = "call-list-too-short";
    /// The call list of 27000 says nothing of busy.
    NoBusyPosition = "no-busy-position";
    /// No external destination leads to the auto attendant.
    NoAttendantDestination = "no-attendant-destination";
    /// The SIP route has no trunk individuals.
    NoTrunkIndividuals = "no-trunk-individuals";

    /// The node waits a minute for a UM server that is silent, and asks none whether it lives.
    NoFailover = "no-failover";
    /// The DNS has the second UM server in reserve only.
    SecondInReserve = "second-in-reserve";

    // Slips at the UM server.
    /// The UM IP gateway has another address than the node.
    WrongGatewayAddress = "wrong-gateway-address";
    /// There is no hunt group for the pilot number.
    NoHuntGroup = "no-hunt-group";
    /// The auto attendant was created, but not enabled.
    AttendantDisabled = "attendant-disabled";
    /// The UM IP gateway is not allowed message waiting.
    MwiNotAllowed = "mwi-not-allowed";
    /// No calls may be placed through the UM IP gateway.
    OutcallsForbidden = "outcalls-forbidden";
    /// 27000 has another PIN than its user was told.
    WrongPin = "wrong-pin";
    /// 27010 is enabled for UM, too.
    StrangerEnabled = "stranger-enabled";
    /// The directory has another person at 27001.
    WrongDirectoryEntry = "wrong-directory-entry";

    // Messages.
    /// The node sends no Diversion and no History-Info.
    DiversionDropped = "diversion-dropped";
    /// The node tells nobody who calls.
    CallerWithheld = "caller-withheld";
    /// The node tells nobody the numbers of callers from outside.
    OutsideNumberLost = "outside-number-lost";
    /// The UM server's 302 have no Contact.
    NoRedirectContact = "no-redirect-contact";
    /// The UM server's 302 lead from TCP to UDP.
    RedirectToUdp = "redirect-to-udp";
    /// The UM server's NOTIFY get lost.
    NoNotify = "no-notify";
    /// The UM server's NOTIFY that put a lamp off get lost.
    LampStaysOn = "lamp-stays-on";
    /// Phones that did not subscribe are not told of their lamps.
    NoUnsolicitedNotify = "no-unsolicited-notify";
    /// Phones that subscribed are not told of their lamps.
    NoSubscribedNotify = "no-subscribed-notify";

    // Media.
    /// The node's media does not pass RFC 4733 on.
    KeysStripped = "keys-stripped";
    /// The node's media passes nothing to phones.
    SilentToPhones = "silent-to-phones";
    /// The UM server hears nobody.
    DeafUm = "deaf-um";
    /// The UM server plays no tone before it records.
    NoTone = "no-tone";
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No fault has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no fault {0:?}: --fault list shows all")]
pub struct NoSuchFault(String);

impl FromStr for Fault {
    type Err = NoSuchFault;

    fn from_str(name: &str) -> Result<Fault, NoSuchFault> {
        Fault::ALL.iter().copied().find(|fault| fault.name() == name).ok_or_else(|| NoSuchFault(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_is_found_by_its_name_and_says_what_it_is() {
        for fault in Fault::ALL {
            assert_eq!(fault.name().parse(), Ok(*fault));
            assert!(fault.what().ends_with('.') && !fault.what().starts_with(' '), "{fault}: {}", fault.what());
        }
        assert!("no-such".parse::<Fault>().is_err());
    }
}
