//! What a service code does to the extension that dialled it. Nothing is done here: the edits go the way of all
//! commands.

use super::{Service, is_public};
use crate::commands::{Answer, CommandError, Table};
use crate::configuration::{Configuration, DiversionEntry, Edit, ExtensionEntry};
use crate::numbers::{Analysis, Digits, analyse};

/// What follows from a code.
#[derive(Debug, PartialEq)]
pub(crate) enum Effect {
    /// The configuration changes; the answer is given when that is durable.
    Edits(Vec<Edit>, Answer),
    /// A question was answered; `active`: something is diverted.
    Told { answer: Answer, active: bool },
    /// The lamp of `at` is lit, or put out, by hand.
    Lamp { at: String, by: LampBy },
    /// It is a call: only a phone can make it.
    Call { service: Service, number: String },
}

/// Who lights a lamp or puts it out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LampBy {
    /// This extension wants to be called back.
    Lit(String),
    /// This extension does not want it any more.
    Withdrawn(String),
    /// The one whose lamp it is has seen it.
    Cancelled,
}

/// The parameter that errors name.
const PROC: &str = "proc";

/// What `digits`, dialled by extension `dir`, do.
pub(crate) fn carry_out(configuration: &Configuration, dir: &str, digits: &str) -> Result<Effect, CommandError> {
    let Some((service, number)) = configuration.service_codes.find(digits) else {
        let mend = "it is no service code: service_code -p shows them";
        return Err(CommandError::not_assigned(PROC, digits, mend));
    };
    let Some(entry) = configuration.extensions.get(dir) else {
        return Err(CommandError::not_assigned("dir", dir, "initiate it with extension -i first"));
    };
    let asked = Asked { configuration, dir, digits, number: &number, entry };
    asked.permitted(service)?;
    match service {
        Service::Clir | Service::BypassDiversion | Service::Pickup | Service::DialBack => {
            Ok(Effect::Call { service, number })
        }
        Service::ManualMessageWaiting => Ok(Effect::Lamp { at: asked.colleague()?, by: LampBy::Lit(dir.to_owned()) }),
        Service::WithdrawMessageWaiting => {
            Ok(Effect::Lamp { at: asked.colleague()?, by: LampBy::Withdrawn(dir.to_owned()) })
        }
        Service::CancelMessageWaiting => Ok(Effect::Lamp { at: dir.to_owned(), by: LampBy::Cancelled }),
        Service::QueryDiversion => Ok(asked.query()),
        Service::HuntGroupLogOn => asked.log(true),
        Service::HuntGroupLogOff => asked.log(false),
        Service::PersonalList | Service::CancelPersonalList => asked.personal_list(),
        _ => asked.diversion(service),
    }
}

struct Asked<'a> {
    configuration: &'a Configuration,
    dir: &'a str,
    digits: &'a str,
    /// The number in the code.
    number: &'a str,
    entry: &'a ExtensionEntry,
}

impl Asked<'_> {
    fn refused(&self, mend: &str) -> CommandError {
        CommandError::invalid(PROC, self.digits, mend)
    }

    /// What the common service profile permits. Ending something is always permitted.
    fn permitted(&self, service: Service) -> Result<(), CommandError> {
        let rights = self.configuration.profile_of(self.dir);
        let (permitted, digit) = match service {
            Service::DirectDiversion => (rights.direct_diversion(), "--ext-cdiv digit 9"),
            Service::BusyDiversion => (rights.busy_diversion(), "--ext-cdiv digit 10"),
            Service::NoAnswerDiversion => (rights.no_answer_diversion(), "--ext-cdiv digit 11"),
            Service::FollowMe => (rights.follow_me(), "--ext-cdiv digit 2"),
            Service::ExternalFollowMe => (rights.external_follow_me(), "--ext-cdiv digit 1"),
            Service::BypassDiversion => (rights.bypass(), "--ext-cdiv digit 3"),
            Service::DoNotDisturb => (rights.do_not_disturb(), "--ext-serv digit 12"),
            Service::ManualMessageWaiting => (rights.manual_message_waiting(), "--ext-serv digit 8"),
            _ => (true, ""),
        };
        if permitted {
            return Ok(());
        }
        let mend = format!("{} is not permitted to: extension_profile -c {digit} of its csp permits it", self.dir);
        Err(self.refused(&mend))
    }

    fn edits(&self, entry: ExtensionEntry) -> Effect {
        if entry == *self.entry {
            return Effect::Edits(Vec::new(), Answer::done());
        }
        Effect::Edits(vec![Edit::Extension(self.dir.to_owned(), Some(Box::new(entry)))], Answer::done())
    }

    /// The extension that the number in the code is.
    fn colleague(&self) -> Result<String, CommandError> {
        if self.number == self.dir {
            return Err(self.refused("it is the extension itself"));
        }
        if !self.configuration.extensions.contains_key(self.number) {
            return Err(CommandError::not_assigned(PROC, self.number, "it is no extension"));
        }
        Ok(self.number.to_owned())
    }

    fn diversion(&self, service: Service) -> Result<Effect, CommandError> {
        let mut entry = self.entry.clone();
        let mut diversion = entry.diversion.take().unwrap_or_default();
        match service {
            Service::DoNotDisturb => entry.do_not_disturb = true,
            Service::CancelDoNotDisturb => entry.do_not_disturb = false,
            Service::DirectDiversion => {
                self.has_destination(&diversion)?;
                (diversion.immediate, diversion.follow_me) = (true, None);
            }
            Service::CancelDirectDiversion => {
                diversion.immediate = false;
                // External follow-me has a code of its own to end it.
                diversion.follow_me = diversion.follow_me.filter(|number| is_public(self.configuration, number));
            }
            Service::BusyDiversion => {
                self.has_destination(&diversion)?;
                diversion.busy = true;
            }
            Service::CancelBusyDiversion => diversion.busy = false,
            Service::NoAnswerDiversion => {
                self.has_destination(&diversion)?;
                diversion.no_reply = true;
            }
            Service::CancelNoAnswerDiversion => diversion.no_reply = false,
            Service::FollowMe => diversion.follow_me = Some(self.destination(false)?),
            Service::ExternalFollowMe => diversion.follow_me = Some(self.destination(true)?),
            Service::CancelExternalFollowMe => {
                diversion.follow_me = diversion.follow_me.filter(|number| !is_public(self.configuration, number));
            }
            // The destination stays, so that the codes find it again.
            _ => {
                diversion = DiversionEntry { destination: diversion.destination, ..DiversionEntry::default() };
                entry.do_not_disturb = false;
                entry.personal_list = None;
            }
        }
        entry.diversion = Some(diversion).filter(|diversion| *diversion != DiversionEntry::default());
        Ok(self.edits(entry))
    }

    /// Diversions go to the number that the administrator gave.
    fn has_destination(&self, diversion: &DiversionEntry) -> Result<(), CommandError> {
        if diversion.destination.is_empty() {
            return Err(self.refused("the extension has no number to divert to: diversion --div-destination-number"));
        }
        Ok(())
    }

    /// Where follow-me leads.
    fn destination(&self, external: bool) -> Result<String, CommandError> {
        if self.number == self.dir {
            return Err(self.refused("an extension can't follow itself"));
        }
        let known =
            Digits::parse(self.number).is_ok_and(|number| analyse(self.configuration, &number) != Analysis::Vacant);
        if !known {
            return Err(CommandError::not_assigned(PROC, self.number, "nobody has this number"));
        }
        match (external, is_public(self.configuration, self.number)) {
            (false, true) => Err(self.refused("the number is in the public network: dial external follow-me")),
            (true, false) => Err(self.refused("the number is not in the public network: dial internal follow-me")),
            _ => Ok(self.number.to_owned()),
        }
    }

    fn personal_list(&self) -> Result<Effect, CommandError> {
        let mut entry = self.entry.clone();
        entry.personal_list = match self.number {
            "" => None,
            number => {
                let list = number.parse().ok().filter(|list| self.entry.call_lists.contains_key(*list));
                let mend = "the extension has no such call list: call_list -p shows which it has";
                Some(list.ok_or_else(|| CommandError::not_assigned(PROC, number, mend))?)
            }
        };
        Ok(self.edits(entry))
    }

    fn log(&self, on: bool) -> Result<Effect, CommandError> {
        let Some(group) = self.configuration.hunt_groups.get(self.number) else {
            return Err(CommandError::not_assigned(PROC, self.number, "it is no hunt group: hunt_group -p shows them"));
        };
        let mut group = group.clone();
        let Some(member) = group.members.iter_mut().find(|member| member.dir == self.dir) else {
            return Err(self.refused("the extension is no member of the hunt group"));
        };
        if std::mem::replace(&mut member.on, on) == on {
            return Ok(Effect::Edits(Vec::new(), Answer::done()));
        }
        Ok(Effect::Edits(vec![Edit::HuntGroup(self.number.to_owned(), Some(group))], Answer::done()))
    }

    fn query(&self) -> Effect {
        let diversion = self.entry.diversion.clone().unwrap_or_default();
        let when = |on: bool| if on { diversion.destination.clone() } else { "-".to_owned() };
        let follow_me = diversion.follow_me.clone();
        let row = vec![
            self.dir.to_owned(),
            follow_me.clone().unwrap_or_else(|| "-".into()),
            when(diversion.immediate),
            when(diversion.busy),
            when(diversion.no_reply),
            if self.entry.do_not_disturb { "yes".into() } else { "no".into() },
            self.entry.list_in_use().to_string(),
        ];
        let active = follow_me.is_some() || diversion.immediate || diversion.busy || diversion.no_reply;
        let columns = ["Dir", "FollowMe", "Direct", "Busy", "NoReply", "Dnd", "List"];
        let table = Table::new("", &columns, vec![row]);
        Effect::Told { answer: Answer::Tables { tables: vec![table] }, active: active || self.entry.do_not_disturb }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::{HuntGroup, Member};
    use crate::numbers::{DestinationEntry, NumberEntry, NumberType};
    use crate::routes::{Route, SipRouteEntry};
    use crate::services::ExtensionProfile;

    /// Extensions 27000 and 27001; 0 leads to the public network by route 1.
    fn plan() -> Configuration {
        let mut plan = Configuration::default();
        for number in ["27000", "27001"] {
            plan.extensions.insert(number.into(), ExtensionEntry::default());
        }
        let public = Some(crate::routes::Service::PublicServices);
        let sip = Some(SipRouteEntry { service: public, ..SipRouteEntry::default() });
        plan.routes.insert(1, Route { sip, ..Route::default() });
        plan.numbers.insert("0".into(), NumberEntry { number_type: NumberType::Ed, last: None });
        let way = DestinationEntry { route: 1, srt: 2, ..DestinationEntry::default() };
        plan.destinations.entry("0".into()).or_default().insert(0, way);
        plan
    }

    fn dial(plan: &mut Configuration, digits: &str) -> Result<Effect, CommandError> {
        let effect = carry_out(plan, "27000", digits)?;
        if let Effect::Edits(edits, _) = &effect {
            for edit in edits {
                plan.apply(edit.clone());
            }
        }
        Ok(effect)
    }

    fn diversion(plan: &Configuration) -> DiversionEntry {
        plan.extensions["27000"].diversion.clone().unwrap_or_default()
    }

    #[test]
    fn follow_me_is_set_and_ended() {
        let mut plan = plan();
        dial(&mut plan, "*21*27001#").unwrap();
        assert_eq!(diversion(&plan).follow_me.as_deref(), Some("27001"));
        dial(&mut plan, "#21#").unwrap();
        assert_eq!(plan.extensions["27000"].diversion, None);
    }

    #[test]
    fn follow_me_to_oneself_or_to_nobody_is_refused() {
        let mut plan = plan();
        assert!(dial(&mut plan, "*21*27000#").is_err());
        assert!(matches!(dial(&mut plan, "*21*99999#"), Err(CommandError::NotAssigned { .. })));
    }

    #[test]
    fn the_public_network_wants_its_own_code_and_a_permission() {
        let mut plan = plan();
        assert!(dial(&mut plan, "*21*0815#").unwrap_err().to_string().contains("external follow-me"));
        assert!(dial(&mut plan, "*22*0815#").unwrap_err().to_string().contains("digit 1"));
        let cdiv = "111111001110000".into();
        plan.profiles.insert(0, ExtensionProfile { cdiv, ..ExtensionProfile::default() });
        dial(&mut plan, "*22*0815#").unwrap();
        assert_eq!(diversion(&plan).follow_me.as_deref(), Some("0815"));
        dial(&mut plan, "#21#").unwrap();
        assert!(diversion(&plan).follow_me.is_some(), "internal follow-me was ended, not this");
        dial(&mut plan, "#22#").unwrap();
        assert_eq!(diversion(&plan).follow_me, None);
    }

    #[test]
    fn diversion_goes_to_the_administrators_number_and_remembers_it() {
        let mut plan = plan();
        assert!(dial(&mut plan, "*21#").unwrap_err().to_string().contains("no number to divert to"));
        let entry = DiversionEntry { destination: "27001".into(), ..DiversionEntry::default() };
        plan.extensions.get_mut("27000").unwrap().diversion = Some(entry);
        for code in ["*21#", "*211#", "*212#"] {
            dial(&mut plan, code).unwrap();
        }
        let set = diversion(&plan);
        assert!(set.immediate && set.busy && set.no_reply);
        let Ok(Effect::Told { answer, active: true }) = dial(&mut plan, "*#21#") else { panic!("a table") };
        let Answer::Tables { tables } = answer else { panic!("a table") };
        assert_eq!(tables[0].rows[0], ["27000", "-", "27001", "27001", "27001", "no", "1"]);
        dial(&mut plan, "#001#").unwrap();
        let set = diversion(&plan);
        assert!(!set.immediate && !set.busy && !set.no_reply && set.destination == "27001");
        assert!(matches!(dial(&mut plan, "*#21#"), Ok(Effect::Told { active: false, .. })));
    }

    #[test]
    fn do_not_disturb_and_cancel_all() {
        let mut plan = plan();
        dial(&mut plan, "*27#").unwrap();
        assert!(plan.extensions["27000"].do_not_disturb);
        dial(&mut plan, "#001#").unwrap();
        assert!(!plan.extensions["27000"].do_not_disturb);
    }

    #[test]
    fn a_member_goes_off_and_on() {
        let mut plan = plan();
        let members = vec![Member { dir: "27000".into(), on: true }];
        plan.hunt_groups.insert("27900".into(), HuntGroup { members, ..HuntGroup::default() });
        dial(&mut plan, "#28*27900#").unwrap();
        assert!(!plan.hunt_groups["27900"].members[0].on);
        dial(&mut plan, "*28*27900#").unwrap();
        assert!(plan.hunt_groups["27900"].members[0].on);
        assert!(carry_out(&plan, "27001", "*28*27900#").is_err(), "no member");
        assert!(carry_out(&plan, "27000", "*28*27901#").is_err(), "no group");
    }

    #[test]
    fn a_list_that_is_not_there_can_not_be_chosen() {
        let mut plan = plan();
        assert!(dial(&mut plan, "*10*2#").is_err());
        plan.extensions.get_mut("27000").unwrap().call_lists.insert(2, Default::default());
        dial(&mut plan, "*10*2#").unwrap();
        assert_eq!(plan.extensions["27000"].list_in_use(), 2);
        dial(&mut plan, "#10#").unwrap();
        assert_eq!(plan.extensions["27000"].list_in_use(), 1);
    }

    #[test]
    fn lamps_and_calls_are_left_to_others() {
        let mut plan = plan();
        let lit = Effect::Lamp { at: "27001".into(), by: LampBy::Lit("27000".into()) };
        assert_eq!(dial(&mut plan, "*31*27001#"), Ok(lit));
        assert_eq!(dial(&mut plan, "#31#"), Ok(Effect::Lamp { at: "27000".into(), by: LampBy::Cancelled }));
        let call = Effect::Call { service: Service::Clir, number: "27001".into() };
        assert_eq!(dial(&mut plan, "*42*27001#"), Ok(call));
    }
}
