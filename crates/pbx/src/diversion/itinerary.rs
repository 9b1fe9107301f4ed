use super::{Origin, Outcome};
use crate::configuration::{Configuration, Position, Selection};
use crate::few::Few;
use crate::numbers::{Analysis, Choice, Digits, analyse};
use sip::diversion::DiversionReason;
use std::collections::VecDeque;
use std::time::Duration;

/// How often a call may be sent on before it is taken for a loop. (Call lists go forward only; diversions of several
/// extensions can make long chains.)
const MOST_HOPS: u32 = 20;

/// The way of one call through call lists and diversions: where to try next, until somebody answers or nothing is left.
#[derive(Debug)]
pub(crate) struct Itinerary {
    origin: Origin,
    /// Who calls, if it is an extension.
    caller: String,
    /// What a position or a diversion on no answer waits when it says nothing itself.
    /// At first, and once the call was diverted.
    ring_times: (Duration, Duration),
    contexts: Vec<Context>,
    /// Extensions that the call came to on the way to where it is.
    visited: Vec<String>,
    /// Who sent the call on, oldest first, on the way to where it is.
    pub diversions: Vec<Diverted>,
    hops: u32,
    best: Option<Outcome>,
}

/// Somebody who sent the call on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Diverted {
    pub from: String,
    pub to: String,
    pub reason: DiversionReason,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    /// Ring all telephones of these extensions side by side; without `time`, until the caller gives up.
    Ring { extensions: Vec<String>, time: Option<Duration> },
    /// Take a route.
    Seize { dialled: String, choices: Vec<Choice>, time: Option<Duration> },
    /// A hunt group: [`Itinerary::hunt`] wants to know whose turn it is.
    Hunt { group: String },
    /// Nothing is left.
    Finish(Outcome),
}

/// Whose rules say what follows when the present attempt fails; the innermost is last.
#[derive(Debug)]
enum Context {
    List {
        owner: String,
        position: u32,
        mark: Mark,
    },
    Extension {
        number: String,
        diverted: bool,
        mark: Mark,
    },
    /// `rest`: members that are still to be tried.
    Group {
        number: String,
        rest: VecDeque<String>,
        time: Option<Duration>,
        all_busy: bool,
        mark: Mark,
    },
}

/// How far visited and diversions reached when a context began.
#[derive(Clone, Copy, Debug)]
struct Mark {
    visited: usize,
    diversions: usize,
}

/// How the walk comes to a number.
#[derive(Clone, Copy, Default)]
struct Arrival {
    /// By a position with ird-bypass, or a caller who asked for it: the destination's own diversion is passed over.
    bypass: bool,
    /// By a position: its ring time.
    time: Option<Duration>,
}

impl Itinerary {
    pub fn new(origin: Origin, ring_times: (Duration, Duration)) -> Itinerary {
        Itinerary {
            origin,
            caller: String::new(),
            ring_times,
            contexts: Vec::new(),
            visited: Vec::new(),
            diversions: Vec::new(),
            hops: 0,
            best: None,
        }
    }

    fn ring_time(&self) -> Duration {
        let (first, second) = self.ring_times;
        if self.diversions.is_empty() { first } else { second }
    }

    /// An extension calls: whom it stands in for it can still call.
    pub fn called_by(mut self, extension: &str) -> Itinerary {
        extension.clone_into(&mut self.caller);
        self
    }

    /// The first step to the number dialled, past the diversions and the call list of whom it belongs to.
    pub fn start_past_diversions(&mut self, configuration: &Configuration, dialled: &Digits) -> Step {
        self.go(configuration, dialled, Arrival { bypass: true, time: None })
    }

    /// The first step to the number dialled.
    pub fn start(&mut self, configuration: &Configuration, dialled: &Digits) -> Step {
        self.go(configuration, dialled, Arrival::default())
    }

    /// The present attempt failed: the next step.
    pub fn failed(&mut self, configuration: &Configuration, outcome: Outcome) -> Step {
        if self.best.as_ref().is_none_or(|best| outcome.rank() >= best.rank()) {
            self.best = Some(outcome.clone());
        }
        loop {
            match self.contexts.last_mut() {
                None => return Step::Finish(self.best.take().unwrap_or(outcome)),
                Some(Context::Extension { number, diverted, mark }) => {
                    let (number, mark) = (number.clone(), *mark);
                    let used = std::mem::replace(diverted, true);
                    match divert(configuration, &number, &outcome).filter(|_| !used) {
                        Some(destination) => {
                            self.back_to(mark);
                            return self.divert(configuration, &number, &destination, outcome.diversion_reason());
                        }
                        None => {
                            self.contexts.pop();
                        }
                    }
                }
                Some(Context::Group { number, rest, time, all_busy, mark }) => {
                    *all_busy &= matches!(outcome, Outcome::Busy | Outcome::DoNotDisturb);
                    if let Some(member) = rest.pop_front() {
                        return Step::Ring { extensions: vec![member], time: *time };
                    }
                    let (number, all_busy, mark) = (number.clone(), *all_busy, *mark);
                    self.contexts.pop();
                    let group = configuration.hunt_groups.get(&number);
                    let overflow = group.and_then(|group| {
                        if all_busy { &group.overflow_busy } else { &group.overflow_no_reply }.clone()
                    });
                    if let Some(destination) = overflow {
                        self.back_to(mark);
                        let reason = if all_busy { DiversionReason::UserBusy } else { DiversionReason::NoAnswer };
                        return self.divert(configuration, &number, &destination, reason);
                    }
                }
                Some(Context::List { owner, position, mark }) => {
                    let (owner, position, mark) = (owner.clone(), *position, *mark);
                    let jump = list(configuration, &owner)
                        .and_then(|list| list.get(position))
                        .and_then(|position| jump(position, &outcome));
                    match jump {
                        // Busy tone and stop.
                        Some(0) => {
                            self.contexts.clear();
                            return Step::Finish(outcome);
                        }
                        // Stop, and use the extension's own diversion.
                        Some(11) => {
                            self.contexts.pop();
                            self.contexts.push(Context::Extension { number: owner, diverted: false, mark });
                        }
                        next => {
                            let next = next.unwrap_or_else(|| position.saturating_add(1));
                            if let Some(step) =
                                self.position(configuration, &owner, next, mark, outcome.diversion_reason())
                            {
                                return step;
                            }
                            self.contexts.pop();
                        }
                    }
                }
            }
        }
    }

    /// A phone of `extension` sent the call on itself (302).
    pub fn deflected(
        &mut self,
        configuration: &Configuration,
        extension: &str,
        to: &Digits,
        reason: DiversionReason,
    ) -> Step {
        if let Some(Context::Extension { diverted, .. }) = self.contexts.last_mut() {
            *diverted = true;
        }
        self.divert(configuration, extension, to, reason)
    }

    fn divert(&mut self, configuration: &Configuration, from: &str, to: &str, reason: DiversionReason) -> Step {
        self.diversions.push(Diverted { from: from.to_owned(), to: to.to_owned(), reason });
        self.go_text(configuration, to, Arrival::default())
    }

    fn go_text(&mut self, configuration: &Configuration, number: &str, arrival: Arrival) -> Step {
        match Digits::parse(number) {
            Ok(number) => self.go(configuration, &number, arrival),
            Err(_) => self.failed(configuration, Outcome::Vacant),
        }
    }

    fn go(&mut self, configuration: &Configuration, number: &Digits, arrival: Arrival) -> Step {
        self.hops = self.hops.saturating_add(1);
        if self.hops > MOST_HOPS {
            self.contexts.clear();
            return self.failed(configuration, Outcome::Loop);
        }
        match analyse(configuration, number) {
            Analysis::Vacant => self.failed(configuration, Outcome::Vacant),
            Analysis::Route(choices) => Step::Seize { dialled: number.to_string(), choices, time: arrival.time },
            Analysis::Extension(extension) => self.arrive(configuration, extension, arrival),
            Analysis::HuntGroup(group) if self.visited.contains(&group) => self.failed(configuration, Outcome::Loop),
            Analysis::HuntGroup(group) => Step::Hunt { group },
        }
    }

    /// Rings a hunt group's members; `turn` counts the calls that came to it, for cyclic selection. Their own diversions
    /// and call lists are not theirs to apply to the group's calls.
    pub fn hunt(&mut self, configuration: &Configuration, number: &str, turn: usize) -> Step {
        let Some(group) = configuration.hunt_groups.get(number) else {
            return self.failed(configuration, Outcome::Vacant);
        };
        let mark = Mark { visited: self.visited.len().saturating_add(1), diversions: self.diversions.len() };
        self.visited.push(number.to_owned());
        let on = group.members.iter().filter(|member| member.on && member.dir != self.caller);
        let mut members: VecDeque<String> = on.map(|member| member.dir.clone()).collect();
        let own = group.ringing_time.map(|seconds| Duration::from_secs(seconds.into()));
        let mut time = Some(own.unwrap_or_else(|| self.ring_time()));
        let first: Vec<String> = match group.selection {
            Selection::Parallel => {
                // Nowhere to go afterwards: they ring until the caller gives up.
                time = time.filter(|_| own.is_some() || group.overflow_no_reply.is_some() || !self.contexts.is_empty());
                members.drain(..).collect()
            }
            Selection::Sequential => members.pop_front().into_iter().collect(),
            Selection::Cyclic => {
                let by = turn.checked_rem(members.len()).unwrap_or_default();
                members.rotate_left(by);
                members.pop_front().into_iter().collect()
            }
        };
        let nobody = first.is_empty();
        let context = Context::Group { number: number.to_owned(), rest: members, time, all_busy: true, mark };
        self.contexts.push(context);
        if nobody { self.failed(configuration, Outcome::Unavailable) } else { Step::Ring { extensions: first, time } }
    }

    /// Whether the telephones that ring are a hunt group's: what one of them does concerns its own calls only.
    pub fn is_hunting(&self) -> bool {
        matches!(self.contexts.last(), Some(Context::Group { .. }))
    }

    /// Whose call list has sent the call here by a position that takes one call at a time.
    pub fn one_call_owner(&self, configuration: &Configuration) -> Option<String> {
        let by_list = |context: &Context| match context {
            Context::List { owner, position, .. } => {
                let one_call = list(configuration, owner)?.get(*position)?.one_call;
                one_call.then(|| owner.clone())
            }
            _ => None,
        };
        self.contexts.iter().rev().find_map(by_list)
    }

    fn arrive(&mut self, configuration: &Configuration, extension: String, arrival: Arrival) -> Step {
        if self.visited.contains(&extension) {
            return self.failed(configuration, Outcome::Loop);
        }
        let mark = Mark { visited: self.visited.len(), diversions: self.diversions.len() };
        self.visited.push(extension.clone());
        let entry = configuration.extensions.get(&extension).filter(|_| !arrival.bypass);
        let diversion = entry.and_then(|entry| entry.diversion.as_ref());
        if let Some(destination) = entry.and_then(|entry| entry.sends_all_to()).filter(|to| *to != self.caller) {
            return self.divert(configuration, &extension, destination, DiversionReason::Unconditional);
        }
        // A call that comes by somebody's position rings here: it does not walk this extension's list too.
        // One that passes over diversions passes over the list.
        if arrival.time.is_none() && !arrival.bypass && list(configuration, &extension).is_some() {
            let mark = Mark { visited: self.visited.len(), ..mark };
            self.contexts.push(Context::List { owner: extension.clone(), position: 0, mark });
            let reason = DiversionReason::Unconditional;
            if let Some(step) = self.position(configuration, &extension, 1, mark, reason) {
                return step;
            }
            // No position is for this caller.
            self.contexts.pop();
        }
        let waits = diversion.is_some_and(|diversion| diversion.no_reply).then_some(self.ring_time());
        let mark = Mark { visited: self.visited.len(), ..mark };
        self.contexts.push(Context::Extension { number: extension.clone(), diverted: arrival.bypass, mark });
        Step::Ring { extensions: vec![extension], time: arrival.time.or(waits) }
    }

    /// Goes to the first position from `from` on that is for this caller.
    fn position(
        &mut self,
        configuration: &Configuration,
        owner: &str,
        from: u32,
        mark: Mark,
        reason: DiversionReason,
    ) -> Option<Step> {
        let (number, position) = list(configuration, owner)?
            .iter()
            .find(|(number, position)| *number >= from && self.origin.is_in(&position.origin))
            .map(|(number, position)| (number, position.clone()))?;
        self.back_to(mark);
        if let Some(Context::List { position, .. }) = self.contexts.last_mut() {
            *position = number;
        }
        let own = position.ringing_time.map(|seconds| Duration::from_secs(seconds.into()));
        let time = Some(own.unwrap_or_else(|| self.ring_time()));
        if position.destination == owner {
            return Some(Step::Ring { extensions: vec![owner.to_owned()], time });
        }
        self.diversions.push(Diverted { from: owner.to_owned(), to: position.destination.clone(), reason });
        let arrival = Arrival { bypass: position.ird_bypass, time };
        Some(self.go_text(configuration, &position.destination, arrival))
    }

    fn back_to(&mut self, mark: Mark) {
        self.visited.truncate(mark.visited);
        self.diversions.truncate(mark.diversions);
    }
}

fn list<'a>(configuration: &'a Configuration, owner: &str) -> Option<&'a Few<Position>> {
    let entry = configuration.extensions.get(owner)?;
    entry.call_lists.get(entry.list_in_use()).filter(|list| !list.is_empty())
}

/// Where an extension's diversion sends a call that ended so.
fn divert(configuration: &Configuration, number: &str, outcome: &Outcome) -> Option<String> {
    let diversion = configuration.extensions.get(number)?.diversion.as_ref()?;
    if diversion.destination.is_empty() {
        return None;
    }
    let applies = match outcome {
        Outcome::Busy | Outcome::Declined | Outcome::DoNotDisturb => diversion.busy,
        // A phone that is not there can't answer either.
        Outcome::NoAnswer | Outcome::Unavailable => diversion.no_reply,
        _ => false,
    };
    applies.then(|| diversion.destination.clone())
}

/// What a position says about busy; `None`: the next position.
fn jump(position: &Position, outcome: &Outcome) -> Option<u32> {
    match outcome {
        Outcome::Busy => Some(position.busy_position),
        Outcome::Declined | Outcome::DoNotDisturb if position.dnd_position != 0 => Some(position.dnd_position),
        Outcome::Declined | Outcome::DoNotDisturb => Some(position.busy_position),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::{DiversionEntry, ExtensionEntry};
    use crate::numbers::{DestinationEntry, NumberEntry, NumberType};
    use DiversionReason::{NoAnswer, Unavailable, Unconditional, UserBusy};

    const RING: Duration = Duration::from_secs(12);

    struct Walk {
        plan: Configuration,
        itinerary: Itinerary,
    }

    impl Walk {
        /// Extensions 27000 to 27003 and voice mail 43334 behind route 55.
        fn new() -> Walk {
            let mut plan = Configuration::default();
            for number in ["27000", "27001", "27002", "27003"] {
                plan.extensions.insert(number.into(), ExtensionEntry::default());
            }
            plan.numbers.insert("43334".into(), NumberEntry { number_type: NumberType::Ed, last: None });
            let way = DestinationEntry { route: 55, srt: 1, ..DestinationEntry::default() };
            plan.destinations.entry("43334".into()).or_default().insert(0, way);
            Walk { plan, itinerary: Itinerary::new(Origin::Internal, (RING, RING)) }
        }

        fn position(mut self, dir: &str, number: u32, destination: &str, set: impl FnOnce(&mut Position)) -> Walk {
            let mut position = Position::to(destination);
            set(&mut position);
            let lists = &mut self.plan.extensions.get_mut(dir).unwrap().call_lists;
            let mut list = lists.remove(1).unwrap_or_default();
            list.insert(number, position);
            lists.insert(1, list);
            self
        }

        /// The guide's list: the own number, then voice mail, also at busy.
        fn guide(self) -> Walk {
            self.position("27000", 1, "27000", |p| p.busy_position = 2)
                .position("27000", 2, "43334", |p| p.ird_bypass = true)
        }

        fn diversion(mut self, dir: &str, destination: &str, set: impl FnOnce(&mut DiversionEntry)) -> Walk {
            let mut diversion = DiversionEntry { destination: destination.into(), ..DiversionEntry::default() };
            set(&mut diversion);
            self.plan.extensions.get_mut(dir).unwrap().diversion = Some(diversion);
            self
        }

        fn dial(&mut self, number: &str) -> Step {
            self.itinerary.start(&self.plan, &Digits::parse(number).unwrap())
        }

        fn failed(&mut self, outcome: Outcome) -> Step {
            self.itinerary.failed(&self.plan, outcome)
        }

        fn sent_on(&self) -> Vec<(&str, &str, DiversionReason)> {
            let diversions = self.itinerary.diversions.iter();
            diversions.map(|d| (d.from.as_str(), d.to.as_str(), d.reason.clone())).collect()
        }
    }

    fn ring(extension: &str, time: Option<Duration>) -> Step {
        Step::Ring { extensions: vec![extension.into()], time }
    }

    fn voice_mail(time: Option<Duration>) -> Step {
        let choices = vec![Choice {
            route: 55,
            digits: "43334".into(),
            types: crate::routes::NumberTypes::default(),
            emergency: false,
        }];
        Step::Seize { dialled: "43334".into(), choices, time }
    }

    #[test]
    fn no_answer_goes_to_the_next_position_and_busy_where_the_position_says() {
        let mut walk = Walk::new().guide();
        assert_eq!(walk.dial("27000"), ring("27000", Some(RING)));
        assert_eq!(walk.failed(Outcome::NoAnswer), voice_mail(Some(RING)));
        assert_eq!(walk.sent_on(), [("27000", "43334", NoAnswer)]);

        let mut walk = Walk::new().guide();
        walk.dial("27000");
        assert_eq!(walk.failed(Outcome::Busy), voice_mail(Some(RING)));
        assert_eq!(walk.sent_on(), [("27000", "43334", UserBusy)]);

        let mut walk = Walk::new().guide();
        walk.dial("27000");
        assert_eq!(walk.failed(Outcome::Unavailable), voice_mail(Some(RING)), "a phone that is not there");
        assert_eq!(walk.sent_on(), [("27000", "43334", Unavailable)]);
    }

    #[test]
    fn busy_position_0_stops_and_11_uses_the_diversion() {
        let list = |busy| {
            Walk::new()
                .position("27000", 1, "27000", move |p| p.busy_position = busy)
                .position("27000", 2, "27001", |_| ())
                .diversion("27000", "43334", |d| d.busy = true)
        };
        let mut walk = list(0);
        walk.dial("27000");
        assert_eq!(walk.failed(Outcome::Busy), Step::Finish(Outcome::Busy));
        let mut walk = list(11);
        walk.dial("27000");
        assert_eq!(walk.failed(Outcome::Busy), voice_mail(None));
        assert_eq!(walk.sent_on(), [("27000", "43334", UserBusy)]);
    }

    #[test]
    fn a_busy_position_jumps_over_those_between() {
        let mut walk = Walk::new()
            .position("27000", 1, "27000", |p| p.busy_position = 3)
            .position("27000", 2, "27001", |_| ())
            .position("27000", 3, "27002", |_| ());
        walk.dial("27000");
        assert_eq!(walk.failed(Outcome::Busy), ring("27002", Some(RING)));
    }

    #[test]
    fn each_position_has_its_ring_time_and_origin() {
        let mut walk =
            Walk::new()
                .position("27000", 1, "27001", |p| p.origin = "011".into())
                .position("27000", 2, "27002", |p| p.ringing_time = Some(35));
        assert_eq!(walk.dial("27000"), ring("27002", Some(Duration::from_secs(35))));
        assert_eq!(walk.sent_on(), [("27000", "27002", Unconditional)]);
        walk.itinerary = Itinerary::new(Origin::Private, (RING, RING));
        assert_eq!(walk.dial("27000"), ring("27001", Some(RING)));
    }

    #[test]
    fn a_position_that_failed_leaves_no_trace_in_the_next_ones_diversions() {
        let mut walk = Walk::new()
            .position("27000", 1, "27001", |_| ())
            .position("27000", 2, "27002", |_| ())
            .position("27000", 3, "43334", |_| ());
        walk.dial("27000");
        assert_eq!(walk.failed(Outcome::NoAnswer), ring("27002", Some(RING)));
        assert_eq!(walk.sent_on(), [("27000", "27002", NoAnswer)]);
        assert_eq!(walk.failed(Outcome::NoAnswer), voice_mail(Some(RING)));
        assert_eq!(walk.sent_on(), [("27000", "43334", NoAnswer)]);
        assert_eq!(walk.failed(Outcome::TrunkFailed), Step::Finish(Outcome::NoAnswer), "what says most of the called");
    }

    #[test]
    fn ird_bypass_passes_over_the_destinations_own_diversion() {
        let list = |bypass| {
            Walk::new()
                .position("27000", 1, "27001", move |p| p.ird_bypass = bypass)
                .diversion("27001", "27002", |d| d.immediate = true)
        };
        assert_eq!(list(false).dial("27000"), ring("27002", None));
        assert_eq!(list(true).dial("27000"), ring("27001", Some(RING)));
    }

    #[test]
    fn diversions_immediate_busy_and_no_reply() {
        let mut walk = Walk::new().diversion("27000", "43334", |d| d.immediate = true);
        assert_eq!(walk.dial("27000"), voice_mail(None));
        assert_eq!(walk.sent_on(), [("27000", "43334", Unconditional)]);

        let mut walk = Walk::new().diversion("27000", "43334", |d| d.no_reply = true);
        assert_eq!(walk.dial("27000"), ring("27000", Some(RING)));
        assert_eq!(walk.failed(Outcome::NoAnswer), voice_mail(None));
        assert_eq!(walk.sent_on(), [("27000", "43334", NoAnswer)]);

        let mut walk = Walk::new().diversion("27000", "43334", |d| d.no_reply = true);
        walk.dial("27000");
        assert_eq!(walk.failed(Outcome::Busy), Step::Finish(Outcome::Busy));

        let mut walk = Walk::new().diversion("27000", "27001", |d| d.busy = true);
        assert_eq!(walk.dial("27000"), ring("27000", None));
        assert_eq!(walk.failed(Outcome::Declined), ring("27001", None));
    }

    #[test]
    fn a_chain_of_diversions_keeps_all_who_diverted() {
        let mut walk = Walk::new()
            .diversion("27000", "27001", |d| d.immediate = true)
            .diversion("27001", "27002", |d| d.no_reply = true)
            .guide_for("27002");
        assert_eq!(walk.dial("27000"), ring("27001", Some(RING)));
        assert_eq!(walk.failed(Outcome::NoAnswer), ring("27002", Some(RING)));
        assert_eq!(walk.failed(Outcome::NoAnswer), voice_mail(Some(RING)));
        assert_eq!(
            walk.sent_on(),
            [("27000", "27001", Unconditional), ("27001", "27002", NoAnswer), ("27002", "43334", NoAnswer)]
        );
    }

    impl Walk {
        fn guide_for(self, dir: &str) -> Walk {
            self.position(dir, 1, dir, |p| p.busy_position = 2).position(dir, 2, "43334", |_| ())
        }
    }

    #[test]
    fn extensions_that_divert_to_each_other_are_a_loop() {
        let mut walk =
            Walk::new()
                .diversion("27000", "27001", |d| d.immediate = true)
                .diversion("27001", "27000", |d| d.immediate = true);
        assert_eq!(walk.dial("27000"), Step::Finish(Outcome::Loop));
    }

    #[test]
    fn a_loop_in_one_position_leaves_the_next_one_to_try() {
        let mut walk = Walk::new()
            .position("27000", 1, "27001", |_| ())
            .position("27000", 2, "43334", |_| ())
            .diversion("27001", "27000", |d| d.immediate = true);
        assert_eq!(walk.dial("27000"), voice_mail(Some(RING)));
    }

    #[test]
    fn a_phone_that_deflects_is_a_diversion_too() {
        let mut walk = Walk::new().guide();
        walk.dial("27000");
        let to = Digits::parse("27003").unwrap();
        let step = walk.itinerary.deflected(&walk.plan, "27000", &to, DiversionReason::Deflection);
        assert_eq!(step, ring("27003", None));
        assert_eq!(walk.failed(Outcome::NoAnswer), voice_mail(Some(RING)));
        assert_eq!(walk.sent_on(), [("27000", "43334", NoAnswer)]);
    }

    #[test]
    fn a_vacant_number_and_an_extension_without_rules() {
        let mut walk = Walk::new();
        assert_eq!(walk.dial("99"), Step::Finish(Outcome::Vacant));
        let mut walk = Walk::new();
        assert_eq!(walk.dial("27001"), ring("27001", None));
        assert_eq!(walk.failed(Outcome::NoAnswer), Step::Finish(Outcome::NoAnswer));
    }
}
