//! What an extension may do: the digit strings of its common service profile (`extension --csp`).

use crate::configuration::Configuration;
use crate::diversion::Origin;
use crate::numbers::{Analysis, Choice, Digits, analyse};
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// A common service profile. A digit other than 0 permits; positions count from 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ExtensionProfile {
    /// 10 digits; kept.
    pub traf: String,
    /// 30 digits. 8: manual message waiting; 12: do not disturb; 17: media always by the node; 27: transfer; 28:
    /// transfer to the public network.
    pub serv: String,
    /// 15 digits. 1: external follow-me; 2: follow-me; 3: bypass; 9 to 11: diversion direct, at busy, on no answer.
    pub cdiv: String,
    /// 7 digits. 1: the number is not shown to others.
    pub npres: String,
    /// 6 digits; kept.
    pub roc: String,
}

impl Default for ExtensionProfile {
    /// What holds for a profile that was never initiated: all but follow-me to the public network, which costs money.
    fn default() -> ExtensionProfile {
        ExtensionProfile {
            traf: "0".repeat(10),
            serv: "000000010001000000000000001100".into(),
            cdiv: "011111001110000".into(),
            npres: "0".repeat(7),
            roc: "0".repeat(6),
        }
    }
}

fn digit(digits: &str, position: usize) -> bool {
    digits.as_bytes().get(position.saturating_sub(1)).is_some_and(|digit| *digit != b'0')
}

impl ExtensionProfile {
    pub fn external_follow_me(&self) -> bool {
        digit(&self.cdiv, 1)
    }

    pub fn follow_me(&self) -> bool {
        digit(&self.cdiv, 2)
    }

    pub fn bypass(&self) -> bool {
        digit(&self.cdiv, 3)
    }

    pub fn direct_diversion(&self) -> bool {
        digit(&self.cdiv, 9)
    }

    pub fn busy_diversion(&self) -> bool {
        digit(&self.cdiv, 10)
    }

    pub fn no_answer_diversion(&self) -> bool {
        digit(&self.cdiv, 11)
    }

    pub fn manual_message_waiting(&self) -> bool {
        digit(&self.serv, 8)
    }

    pub fn do_not_disturb(&self) -> bool {
        digit(&self.serv, 12)
    }

    pub fn forced_gateway(&self) -> bool {
        digit(&self.serv, 17)
    }

    pub fn transfer(&self) -> bool {
        digit(&self.serv, 27)
    }

    pub fn transfer_to_public(&self) -> bool {
        digit(&self.serv, 28)
    }

    /// Whether the number is withheld in every call.
    pub fn withholds_number(&self) -> bool {
        digit(&self.npres, 1)
    }
}

impl Configuration {
    /// The service profile of an extension, or what holds without one.
    pub fn profile_of(&self, dir: &str) -> &ExtensionProfile {
        static WITHOUT: LazyLock<ExtensionProfile> = LazyLock::new(ExtensionProfile::default);
        let csp = self.extensions.get(dir).map(|entry| entry.csp);
        csp.and_then(|csp| self.profiles.get(&csp)).unwrap_or(&WITHOUT)
    }
}

/// Whether a number leads to the public network: by a route of public services (`sip_route -service`).
pub(crate) fn is_public(configuration: &Configuration, number: &str) -> bool {
    let Ok(number) = Digits::parse(number) else { return false };
    let Analysis::Route(choices) = analyse(configuration, &number) else { return false };
    let route = |choice: &Choice| configuration.routes.get(&choice.route)?.sip.as_ref();
    choices.iter().any(|choice| route(choice).is_some_and(|sip| sip.origin() == Origin::Public))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_profile_all_is_permitted_but_what_costs_money() {
        let rights = ExtensionProfile::default();
        assert_eq!((rights.traf.len(), rights.serv.len(), rights.cdiv.len()), (10, 30, 15));
        assert!(rights.follow_me() && rights.bypass() && rights.direct_diversion() && rights.busy_diversion());
        assert!(rights.no_answer_diversion() && rights.manual_message_waiting() && rights.do_not_disturb());
        assert!(rights.transfer() && rights.transfer_to_public());
        assert!(!rights.external_follow_me() && !rights.forced_gateway() && !rights.withholds_number());
    }
}
