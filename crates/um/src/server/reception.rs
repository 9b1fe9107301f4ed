//! What is looked at before a caller of a mailbox is greeted: its call answering rules (fact sheet 3.2), its quota, and
//! whether callers without a number may leave messages.

use super::Server;
use crate::commands::call_answering_rule::Rule;
use crate::commands::forms::minutes;
use crate::commands::mailbox::Mailbox;
use crate::commands::value::Limit;
use crate::dialogue::{Reception, RuleAction, RuleScene};
use crate::personal_information::{Answer, Area, Busy, Question};
use crate::time_zone::TimeZone;
use crate::worker::call::{Call, Kind};
use event::Now;
use mailbox::{GreetingKind, MailboxId};
use speech::Person;
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;

const MEGABYTE: u64 = 1024 * 1024;
/// How long a number of find-me rings where the rule does not say, and at most.
const RINGS: Duration = Duration::from_secs(20);
const LONGEST_RINGS: Duration = Duration::from_secs(60);
/// Working hours, Monday to Friday, in minutes of the day: those of Exchange, where no calendar says.
const WORKING: std::ops::Range<u32> = 8 * 60..17 * 60;

impl Server {
    /// What the called user's contacts and calendar are asked first: who calls, where the directory does not say, and what his
    /// rules hang on.
    pub(crate) fn inquiries(&self, number: u64, mailbox: &MailboxId, now: Now) -> Vec<Question> {
        let Some(owner) = self.configuration.by_mailbox_id(mailbox) else { return Vec::new() };
        self.tell_mailboxes(std::slice::from_ref(owner));
        let Some(call) = self.calls.get(&number) else { return Vec::new() };
        let rules = || rules_of(self, owner).filter(|rule| rule.enabled && call.kind == Kind::CallAnswering);
        let named = rules().any(|rule| rule.caller_ids.iter().any(|caller| caller.starts_with(CONTACTS_FOLDER)));
        let hours = |hours: &str| hours.starts_with(['1', '2']);
        let timed =
            rules().any(|rule| rule.schedule_status.is_some() || rule.time_of_day.as_deref().is_some_and(hours));
        let mut questions = Vec::new();
        if let Some(number) = call.caller.number.clone().filter(|_| named || call.caller.user.is_none())
            && self.is_known(mailbox, Area::Contacts)
        {
            questions.push(Question::Caller { number });
        }
        if timed && self.is_known(mailbox, Area::Calendar) {
            questions.push(Question::Status { at: now.wall });
        }
        questions
    }

    pub(crate) fn reception(&mut self, number: u64, mailbox: &MailboxId, answers: &[Answer], now: Now) -> Reception {
        let known = Known::from(answers);
        if let Some(call) = self.calls.get_mut(&number) {
            let contact = known.contact.clone().filter(|_| call.caller.user.is_none());
            call.known_as = contact.map(|name| (mailbox.clone(), name));
        }
        let nothing = Reception { rule: None, quota: None, refused: false, caller: Person::default() };
        let (Some(call), Some(owner)) = (self.calls.get(&number), self.configuration.by_mailbox_id(mailbox)) else {
            return nothing;
        };
        let anonymous = call.caller.number.is_none() && call.caller.name.is_none();
        Reception {
            // Whoever was led here by an attendant has chosen to leave a message.
            rule: if call.kind == Kind::CallAnswering { self.rule_for(call, owner, &known, now) } else { None },
            quota: match owner.quota {
                Limit::Unlimited => None,
                Limit::Of(megabytes) => Some(u64::from(megabytes).saturating_mul(MEGABYTE)),
            },
            refused: anonymous && !owner.um_settings.anonymous_callers_can_leave_messages,
            caller: Person { name: call.caller_name(mailbox), recorded: None, number: call.caller.number.clone() },
        }
    }

    /// The first rule that holds.
    fn rule_for(&self, call: &Call, owner: &Mailbox, known: &Known, now: Now) -> Option<RuleScene> {
        let policy = self.configuration.policy_of(owner.um.as_ref()?)?;
        let allowed = policy.allow_call_answering_rules
            && call.plan.call_answering_rules_enabled
            && owner.um_settings.call_answering_rules_enabled;
        if !allowed {
            return None;
        }
        // Whom its rules name belongs to what the call may read.
        let named: Vec<_> = rules_of(self, owner).flat_map(|rule| named(self, rule)).collect();
        self.tell_mailboxes(&named);
        let local =
            TimeZone::of_either(owner.um_settings.time_zone.as_deref(), self.time_zone.as_deref()).local(now.wall);
        let mut rules: Vec<&Rule> = rules_of(self, owner).filter(|rule| rule.enabled).collect();
        rules.sort_by_key(|rule| rule.priority);
        let rule = rules.into_iter().find(|rule| self.holds(rule, call, owner, (known, local)))?;
        Some(scene(self, rule))
    }

    fn holds(&self, rule: &Rule, call: &Call, owner: &Mailbox, (known, local): (&Known, OffsetDateTime)) -> bool {
        let out = owner.um_settings.out_of_office_greeting_enabled;
        // Without a calendar everybody is free, and out of office while his greeting for that is on.
        let status = match known.busy {
            _ if out => 8,
            Some(Busy::Free) | None => 1,
            Some(Busy::Tentative) => 2,
            Some(Busy::Busy) => 4,
            Some(Busy::OutOfOffice) => 8,
        };
        (rule.caller_ids.is_empty() || rule.caller_ids.iter().any(|caller| self.is_caller(caller, call, known)))
            && (rule.extensions_dialed.is_empty()
                || call.diverted.as_ref().is_some_and(|dialled| rule.extensions_dialed.contains(dialled)))
            && rule.time_of_day.as_deref().is_none_or(|hours| within(hours, local, known.working))
            && rule.schedule_status.is_none_or(|bits| bits & status != 0)
            && (!rule.check_automatic_replies || out)
    }

    /// Whether this condition names who calls.
    fn is_caller(&self, condition: &str, call: &Call, known: &Known) -> bool {
        let parts: Vec<&str> = condition.split(',').map(str::trim).collect();
        let bare = |number: &str| number.trim_start_matches('+').to_owned();
        match parts.as_slice() {
            ["1", number, ..] => {
                let same = |of: &String| {
                    bare(of) == bare(number)
                        || call.plan.extension_of(of) == call.plan.extension_of(number)
                            && call.plan.extension_of(of).is_some()
                };
                call.caller.number.as_ref().is_some_and(same)
            }
            ["2" | "3", names @ ..] => names.iter().filter(|name| !name.is_empty()).any(|name| {
                let named = self.configuration.find_mailbox(name);
                named.is_some_and(|named| call.caller.user.as_ref().is_some_and(|user| user.name == named.name))
            }),
            [CONTACTS_FOLDER, ..] => known.contact.is_some(),
            _ => false,
        }
    }
}

/// The condition that is anybody among one's contacts.
const CONTACTS_FOLDER: &str = "4";

/// What contacts and calendar say of a call.
#[derive(Default)]
struct Known {
    /// The name of who calls.
    contact: Option<String>,
    busy: Option<Busy>,
    /// Whether the called user works at this hour.
    working: Option<bool>,
}

impl From<&[Answer]> for Known {
    fn from(answers: &[Answer]) -> Known {
        let mut known = Known::default();
        for answer in answers {
            match answer {
                Answer::Contacts(contacts) => {
                    known.contact = contacts.first().map(|contact| contact.name.clone());
                }
                Answer::Status { busy, working } => (known.busy, known.working) = (Some(*busy), *working),
                _ => {}
            }
        }
        known
    }
}

fn rules_of<'s>(server: &'s Server, owner: &'s Mailbox) -> impl Iterator<Item = &'s Rule> {
    let rules = server.configuration.rules.iter().map(AsRef::as_ref);
    rules.filter(|rule: &&Rule| rule.mailbox.eq_ignore_ascii_case(&owner.name))
}

/// The users whom a rule names.
fn named<'s>(server: &'s Server, rule: &'s Rule) -> impl Iterator<Item = Arc<Mailbox>> + 's {
    let texts = rule.caller_ids.iter().chain(&rule.key_mappings).flat_map(|text| text.split(','));
    texts.filter_map(|name| server.configuration.find_mailbox(name.trim()).cloned())
}

/// Whether a time is within `1,…` working hours, `2,…` other hours, `3,DAYS,from,to`. `working`: what the calendar says.
fn within(hours: &str, local: OffsetDateTime, working: Option<bool>) -> bool {
    let day = local.weekday().number_days_from_sunday();
    let minute = u32::from(local.hour()) * 60 + u32::from(local.minute());
    let working = working.unwrap_or((1..=5).contains(&day) && WORKING.contains(&minute));
    let parts: Vec<&str> = hours.split(',').map(str::trim).collect();
    match parts.as_slice() {
        ["1", ..] => working,
        ["2", ..] => !working,
        ["3", days, from, to] => {
            let (Ok(days), Some(from), Some(to)) = (days.parse::<u32>(), minutes(from), minutes(to)) else {
                return false;
            };
            let on = |day: u8| days & (1 << day) != 0;
            match from <= to {
                true => on(day) && (from..to).contains(&minute),
                // Over midnight: the day is the one on which it begins.
                false => on(day) && minute >= from || on((day + 6) % 7) && minute < to,
            }
        }
        _ => false,
    }
}

fn scene(server: &Server, rule: &Rule) -> RuleScene {
    let mut scene = RuleScene {
        greeting: GreetingKind::rule(rule.priority),
        interrupt: rule.callers_can_interrupt_greeting.unwrap_or(true),
        keys: Vec::new(),
        said: Vec::new(),
    };
    for entry in &rule.key_mappings {
        let parts: Vec<&str> = entry.split(',').map(str::trim).collect();
        let [kind, key, what, rest @ ..] = parts.as_slice() else { continue };
        let key = match *key {
            "10" => '0',
            key => key.chars().next().unwrap_or('0'),
        };
        let at = |place: usize| rest.get(place).copied().filter(|part| !part.is_empty());
        let action = match *kind {
            "5" => RuleAction::FindMe(
                [0, 2]
                    .into_iter()
                    .filter_map(|place| {
                        let seconds =
                            at(place + 1).and_then(|seconds| seconds.parse().ok()).map_or(RINGS, Duration::from_secs);
                        Some((at(place)?.to_owned(), seconds.min(LONGEST_RINGS)))
                    })
                    .collect(),
            ),
            "1" | "2" => {
                let contact = at(5).and_then(|name| server.configuration.find_mailbox(name));
                let number = at(4).or_else(|| contact.and_then(|contact| contact.primary_extension()));
                match number.or_else(|| (0..4).find_map(at)) {
                    Some(number) => RuleAction::Transfer(number.to_owned()),
                    None => continue,
                }
            }
            _ => RuleAction::Message,
        };
        scene.keys.push((key, action));
        scene.said.push((key, (*what).to_owned()));
    }
    scene
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn working_hours_are_eight_to_five_on_weekdays() {
        // 2026-11-23 is a Monday.
        assert!(within("1,0,,", datetime!(2026-11-23 08:00 UTC), None));
        assert!(!within("1,0,,", datetime!(2026-11-23 17:00 UTC), None));
        assert!(!within("1,0,,", datetime!(2026-11-22 12:00 UTC), None));
        assert!(within("2,0,,", datetime!(2026-11-22 12:00 UTC), None));
    }

    #[test]
    fn days_are_a_sum_from_sunday_and_hours_may_cross_midnight() {
        assert!(within("3,2,8:00,12:00", datetime!(2026-11-23 11:59 UTC), None));
        assert!(!within("3,4,8:00,12:00", datetime!(2026-11-23 11:59 UTC), None));
        assert!(within("3,2,22:00,6:00", datetime!(2026-11-24 05:00 UTC), None), "it began on Monday");
        assert!(!within("3,2,22:00,6:00", datetime!(2026-11-23 05:00 UTC), None));
    }

    #[test]
    fn a_calendar_that_says_when_its_owner_works_counts_more() {
        assert!(within("1,0,,", datetime!(2026-11-22 03:00 UTC), Some(true)));
        assert!(!within("1,0,,", datetime!(2026-11-23 12:00 UTC), Some(false)));
        assert!(within("2,0,,", datetime!(2026-11-23 12:00 UTC), Some(false)));
    }
}
