//! Slips of administrators: a line of the lab's scripts that is wrong, or missing.

use super::Fault;
use std::borrow::Cow;

/// What a script says, and what it says in its place.
type Slip = (&'static str, &'static str);

fn slips(fault: Fault) -> &'static [Slip] {
    match fault {
        Fault::WrongMatch => &[
            ("-match 192.168.222.4 ", "-match 192.168.222.44 "),
            ("-match 192.168.222.4,192.168.222.5", "-match 192.168.222.44,192.168.222.45"),
        ],
        Fault::WrongMwiNumber => &[("-mwinumber 43334", "-mwinumber 43333")],
        Fault::CallListTooShort => {
            &[("call_list -i -d 27000 --dest-number 43334 --position 2 --ird-bypass true\n", "")]
        }
        Fault::NoBusyPosition => &[(
            "-d 27000 --dest-number 27000 --position 1 --busy-position 2",
            "-d 27000 --dest-number 27000 --position 1 --busy-position 0",
        )],
        Fault::NoAttendantDestination => &[("roddi:rou=55,dest=43333,adc=0005000000000250000001010000,SRT=1;\n", "")],
        Fault::NoTrunkIndividuals => &[("roeqi:rou=55,tru=1-1&&1-30;\n", "")],
        Fault::WrongGatewayAddress => &[("-Address 192.168.222.10 ", "-Address 192.168.222.11 ")],
        Fault::NoHuntGroup => &[("-PilotIdentifier 43334\n", "-PilotIdentifier 43335\n")],
        Fault::AttendantDisabled => &[("-Status Enabled", "-Status Disabled")],
        Fault::MwiNotAllowed => {
            &[("-Address 192.168.222.10 ", "-Address 192.168.222.10 -MessageWaitingIndicatorAllowed $false ")]
        }
        Fault::OutcallsForbidden => &[("-Address 192.168.222.10 ", "-Address 192.168.222.10 -OutcallsAllowed $false ")],
        Fault::WrongPin => &[("-PIN 730146", "-PIN 951357")],
        Fault::StrangerEnabled => &[(
            "    -Extensions 27001 -PIN 730258 -PINExpired $false\n",
            "    -Extensions 27001 -PIN 730258 -PINExpired $false\n\
             Enable-UMMailbox -Identity zoe.oneil -UMMailboxPolicy 'Integration_MX-ONE Default Policy' `\n    \
             -Extensions 27010 -PIN 730361 -PINExpired $false\n",
        )],
        Fault::WrongDirectoryEntry => &[(
            "New-Mailbox -Name 'Björn Åkesson' -Alias bjorn.akesson -FirstName Björn -LastName Åkesson",
            "New-Mailbox -Name 'Eva Lind' -Alias bjorn.akesson -FirstName Eva -LastName Lind",
        )],
        Fault::SecondInReserve => &[(
            "_sip._tcp.exc-2013-um   IN SRV 1 1 5060 exc-2013-um2",
            "_sip._tcp.exc-2013-um   IN SRV 2 1 5060 exc-2013-um2",
        )],
        Fault::NoFailover => &[(
            "-remoteport 0 ",
            "-remoteport 0 -next-target-after 60 -last-target-after 60 -supervise NO_SUPERVISION ",
        )],
        _ => &[],
    }
}

/// The script with the slips of these faults that are in it.
pub(crate) fn apply<'a>(script: &'a str, faults: &[Fault]) -> Cow<'a, str> {
    let mut script = Cow::Borrowed(script);
    for (right, wrong) in faults.iter().flat_map(|fault| slips(*fault)) {
        script = Cow::Owned(script.replace(right, wrong));
    }
    script
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::ZONES;
    use crate::lab::{EXCHANGE_UM, LOAD_BALANCING, MX_ONE};

    #[test]
    fn each_slip_is_one_place_of_a_script() {
        let texts = [MX_ONE, EXCHANGE_UM, LOAD_BALANCING].into_iter().chain(ZONES.map(|(_, text)| text));
        let texts: Vec<&str> = texts.collect();
        for fault in Fault::ALL {
            for (right, _) in slips(*fault) {
                let places = texts.iter().map(|text| text.matches(right).count());
                // A number that is entered twice is wrong twice.
                assert!(places.clone().all(|places| places <= 1) && places.sum::<usize>() > 0, "{fault}: {right}");
            }
        }
        assert_eq!(apply(MX_ONE, &[]), MX_ONE);
    }
}
