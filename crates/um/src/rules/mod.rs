//! Dialling rules: who may have which number called, and what is dialled for it (fact sheet 2.1). What no rule of an allowed
//! group fits is not dialled.
//!
//! Calls inside the plan need no rule: users of the plan and other extensions of its length are allowed by two settings.

mod mask;

use crate::commands::auto_attendant::AutoAttendant;
use crate::commands::dial_plan::DialPlan;
use crate::commands::mailbox_policy::MailboxPolicy;
use mask::Rule;
pub(crate) use mask::dialled_needs;

/// Longest number, in digits (E.164 has 15; prefixes come before it).
const LONGEST: usize = 24;

/// Why a number is not dialled. Its text is for whoever asked by page or REST.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Something else than digits, with or without a leading `+`.
    #[error("write a telephone number: digits, with or without a leading +")]
    NotANumber,
    /// Users of the plan may not be called.
    #[error("calls to users of the dial plan are not allowed")]
    Subscribers,
    /// Extensions that are no users' may not be called.
    #[error("calls to extensions without a mailbox are not allowed")]
    Extensions,
    /// No allowed dialling rule fits.
    #[error("no dialling rule allows this number")]
    NoRule,
}

/// What somebody may have called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rights<'a> {
    plan: &'a DialPlan,
    subscribers: bool,
    extensions: bool,
    national: &'a [String],
    international: &'a [String],
}

impl<'a> Rights<'a> {
    /// Of callers who are not logged on.
    pub(crate) fn of_plan(plan: &'a DialPlan) -> Rights<'a> {
        Rights {
            plan,
            subscribers: plan.allow_dial_plan_subscribers,
            extensions: plan.allow_extensions,
            national: &plan.allowed_in_country_or_region_groups,
            international: &plan.allowed_international_groups,
        }
    }

    /// Of an attendant's callers.
    pub(crate) fn of_attendant(plan: &'a DialPlan, attendant: &'a AutoAttendant) -> Rights<'a> {
        Rights {
            plan,
            subscribers: attendant.allow_dial_plan_subscribers,
            extensions: attendant.allow_extensions,
            national: &attendant.allowed_in_country_or_region_groups,
            international: &attendant.allowed_international_groups,
        }
    }

    /// Of users, by their policy.
    pub(crate) fn of_policy(plan: &'a DialPlan, policy: &'a MailboxPolicy) -> Rights<'a> {
        Rights {
            plan,
            subscribers: policy.allow_dial_plan_subscribers,
            extensions: policy.allow_extensions,
            national: &policy.allowed_in_country_or_region_groups,
            international: &policy.allowed_international_groups,
        }
    }

    /// What is dialled for a number; blanks, dots, hyphens and parentheses in it do not count. `is_user`: whether somebody of the
    /// plan has this extension.
    pub(crate) fn dial(&self, wanted: &str, is_user: impl FnOnce(&str) -> bool) -> Result<String, Denied> {
        let number: String =
            wanted.trim().chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')' | '/' | '\u{a0}')).collect();
        let digits = number.strip_prefix('+').unwrap_or(&number);
        if digits.is_empty() || digits.len() > LONGEST || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Denied::NotANumber);
        }
        if let Some(extension) = self.plan.extension_of(&number) {
            return match (is_user(&extension), self.subscribers, self.extensions) {
                (true, true, _) | (false, _, true) => Ok(extension),
                (true, false, _) => Err(Denied::Subscribers),
                (false, _, false) => Err(Denied::Extensions),
            };
        }
        let written = self.ways_to_write(&number);
        let national = (&self.plan.configured_in_country_or_region_groups, self.national);
        let international = (&self.plan.configured_international_groups, self.international);
        // Who may call anywhere in the country may not call anywhere else by a mask that happens to fit.
        let rules = match self.is_international(&number) {
            Some(false) => vec![national],
            Some(true) => vec![international],
            None => vec![national, international],
        };
        let rules = rules.into_iter().flat_map(|(rules, allowed)| {
            let rules = rules.iter().filter_map(|rule| Rule::parse(rule));
            rules.filter(|rule| allowed.iter().any(|group| group.eq_ignore_ascii_case(rule.group)))
        });
        // The first rule that fits any way of writing the number.
        let mut dialled = rules.filter_map(|rule| written.iter().find_map(|number| rule.apply(number)));
        dialled.next().ok_or(Denied::NoRule)
    }

    /// Whether a number leads abroad; `None`: the plan does not say how such numbers begin.
    fn is_international(&self, number: &str) -> Option<bool> {
        let plan = self.plan;
        if let Some(full) = number.strip_prefix('+') {
            return Some(!plan.country_or_region_code.as_deref().is_some_and(|code| full.starts_with(code)));
        }
        let access = plan.international_access_code.as_deref()?;
        let outside = plan.outside_line_access_code.as_deref().unwrap_or_default();
        let without = number.strip_prefix(outside).unwrap_or(number);
        Some(number.starts_with(access) && outside.is_empty() || without.starts_with(access))
    }

    /// The number as it was given, and as the plan's codes have it dialled: rules are written for either.
    fn ways_to_write(&self, number: &str) -> Vec<String> {
        let plan = self.plan;
        let outside = plan.outside_line_access_code.as_deref().unwrap_or_default();
        let mut ways = vec![number.to_owned()];
        match number.strip_prefix('+') {
            Some(full) => {
                let home = plan.country_or_region_code.as_deref().and_then(|code| full.strip_prefix(code));
                if let Some(national) = home {
                    let prefix = plan.national_number_prefix.as_deref().unwrap_or_default();
                    ways.push(format!("{outside}{prefix}{national}"));
                }
                let international = plan.international_access_code.as_deref().unwrap_or_default();
                ways.push(format!("{outside}{international}{full}"));
            }
            None if !outside.is_empty() && !number.starts_with(outside) => ways.push(format!("{outside}{number}")),
            None => {}
        }
        ways
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::dial_plan::{DialPlanSettings, UriType};
    use crate::commands::mailbox_policy::PolicySettings;

    fn plan() -> DialPlan {
        let settings = DialPlanSettings {
            country_or_region_code: Some("46".into()),
            outside_line_access_code: Some("9".into()),
            national_number_prefix: Some("0".into()),
            international_access_code: Some("00".into()),
            configured_in_country_or_region_groups: vec![
                "Mobile,907xxxxxxxx,907xxxxxxxx,Swedish mobiles".into(),
                "Anywhere,90*,90*,all of Sweden".into(),
            ],
            configured_international_groups: vec!["Nordic,90047*,9990047*,Norway".into()],
            ..DialPlanSettings::default()
        };
        DialPlan { name: "MX".into(), digits: 5, uri_type: UriType::TelExtn, settings }
    }

    fn policy(national: &[&str], international: &[&str]) -> MailboxPolicy {
        let settings = PolicySettings {
            allowed_in_country_or_region_groups: national.iter().map(|group| (*group).to_owned()).collect(),
            allowed_international_groups: international.iter().map(|group| (*group).to_owned()).collect(),
            ..PolicySettings::default()
        };
        MailboxPolicy { name: "p".into(), dial_plan: "MX".into(), settings }
    }

    fn dial(policy: &MailboxPolicy, number: &str) -> Result<String, Denied> {
        Rights::of_policy(&plan(), policy).dial(number, |extension| extension.starts_with("27"))
    }

    #[test]
    fn nothing_outside_is_dialled_unless_a_group_is_allowed() {
        assert_eq!(dial(&policy(&[], &[]), "0701740605"), Err(Denied::NoRule));
        assert_eq!(dial(&policy(&["Mobile"], &[]), "0701740605"), Ok("90701740605".into()));
        assert_eq!(dial(&policy(&["mobile"], &[]), "08123456"), Err(Denied::NoRule));
    }

    #[test]
    fn a_number_may_be_written_in_every_usual_way() {
        let mobile = policy(&["Mobile"], &[]);
        for written in ["0701740605", "070-174 06 05", "+46701740605", "+46 (70) 174 06 05", "90701740605"] {
            assert_eq!(dial(&mobile, written).as_deref(), Ok("90701740605"), "{written}");
        }
    }

    #[test]
    fn the_first_rule_of_an_allowed_group_says_what_is_dialled() {
        assert_eq!(dial(&policy(&["Anywhere"], &["Nordic"]), "+4721000000"), Ok("999004721000000".into()));
        assert_eq!(dial(&policy(&["Anywhere"], &["Nordic"]), "004721000000"), Ok("999004721000000".into()));
        for abroad in ["+4721000000", "004721000000", "9004721000000"] {
            assert_eq!(dial(&policy(&["Anywhere"], &[]), abroad), Err(Denied::NoRule), "a mask of the country");
        }
    }

    #[test]
    fn extensions_need_no_rule_but_a_setting() {
        let mut policy = policy(&[], &[]);
        assert_eq!(dial(&policy, "27000"), Ok("27000".into()));
        assert_eq!(dial(&policy, "31000"), Ok("31000".into()));
        policy.settings.allow_extensions = false;
        assert_eq!(dial(&policy, "31000"), Err(Denied::Extensions));
        policy.settings.allow_dial_plan_subscribers = false;
        assert_eq!(dial(&policy, "27000"), Err(Denied::Subscribers));
    }

    #[test]
    fn what_is_no_number_is_not_dialled() {
        for bad in ["", "+", "anna", "27000@moon.galaxy", "1;2", "0123456789012345678901234", "27000\r\n"] {
            let denied = dial(&policy(&["Anywhere"], &[]), bad);
            assert!(
                matches!(denied, Err(Denied::NotANumber)) || bad.ends_with('\n') && denied.is_ok(),
                "{bad}: {denied:?}"
            );
        }
    }
}
