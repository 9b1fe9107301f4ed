//! Sends what [`message_waiting`](crate::message_waiting) wants sent: NOTIFY out of any dialog to the gateways of the
//! mailbox's dial plan, one after the other.

use super::gateways::patience;
use super::{Server, Waiting};
use crate::commands::ip_gateway::{Gateway, GatewayStatus};
use crate::configuration::pilot_number;
use crate::message_waiting::{Counted, Do};
use crate::router::Stage;
use crate::storage::{StoreAnswer, StoreFailure, StoreRequest, StoreResult};
use event::{Event, Now};
use mailbox::{MailboxId, ModSeq, Turn};
use sip::endpoint::{Body, ClientRef, Failure, OutgoingRequest, TargetPolicy};
use sip::header::{Event as EventHeader, SubscriptionState};
use sip::message_summary::{self, Counts, MessageSummary};
use sip::{Host, Method, NameAddr, Text, Uri};
use std::sync::Arc;

/// A NOTIFY that waits for its answer.
pub(crate) struct Notify {
    mailbox: MailboxId,
    counts: Counts,
    last: bool,
    /// Where several servers have one store: what the counts are of.
    modseq: Option<ModSeq>,
}

impl Server {
    /// Every enabled mailbox: at the start, and when the change feed lost its place.
    pub(super) fn refresh_lamps(&mut self, now: Now) {
        let mailboxes: Vec<MailboxId> = self
            .configuration
            .mailboxes
            .iter()
            .filter_map(|mailbox| Some(mailbox.um.as_ref()?.mailbox.clone()))
            .collect();
        mailboxes.into_iter().for_each(|mailbox| self.lamps.changed(mailbox, true));
        self.work_lamps(now);
    }

    /// `anew`: it may be another lamp than before.
    pub(super) fn lamp_changed(&mut self, mailbox: MailboxId, anew: bool, now: Now) {
        if self.configuration.by_mailbox_id(&mailbox).is_none() {
            return self.lamps.forget(&mailbox);
        }
        self.lamps.changed(mailbox, anew);
        self.work_lamps(now);
    }

    pub(super) fn lamps_due(&mut self, now: Now) {
        self.lamps.handle_timeout(now.instant);
        self.work_lamps(now);
    }

    fn work_lamps(&mut self, now: Now) {
        while let Some(todo) = self.lamps.next_to_do() {
            match todo {
                Do::Count(mailbox, anew) => {
                    let request = match self.store.server() {
                        Some(_) => StoreRequest::LampTurn(mailbox.clone(), anew),
                        None => StoreRequest::Counts(mailbox.clone()),
                    };
                    self.ask_store(request, Waiting::Lamp(mailbox));
                }
                Do::Send { mailbox, counts, gateway } => self.notify(mailbox, counts, gateway, now),
                Do::GaveUp(mailbox) => {
                    let reason = "no gateway of the dial plan took the NOTIFY for five minutes".into();
                    self.emit(now, Event::LampFailed { mailbox: mailbox.to_string(), reason });
                }
            }
        }
    }

    pub(super) fn counted(&mut self, mailbox: MailboxId, result: StoreResult, now: Now) {
        let of = |counts: mailbox::Counts| {
            let urgent = Some((counts.new_urgent, counts.old_urgent));
            Counted::Counts(Counts { new: counts.new, old: counts.old, urgent })
        };
        let counted = match result {
            Ok(StoreAnswer::Counts(counts)) => of(counts),
            Ok(StoreAnswer::Lamp(Turn::Tell(counts, modseq))) => {
                self.turns.insert(mailbox.clone(), modseq);
                of(counts)
            }
            Ok(StoreAnswer::Lamp(Turn::Known)) => Counted::Known,
            Ok(StoreAnswer::Lamp(Turn::Other(after))) => Counted::Other(after),
            // The turn is over, and was another's by then: what it has told may be older than what this server has.
            Ok(StoreAnswer::LampTold(held)) => {
                if !held {
                    self.lamp_changed(mailbox, true, now);
                }
                return;
            }
            // The configuration has it and the store does not (any more): it is made again, and is empty.
            Err(StoreFailure::NoMailbox) => {
                self.ask_store(StoreRequest::Create(mailbox.clone()), Waiting::Nobody);
                Counted::Counts(Counts { new: 0, old: 0, urgent: Some((0, 0)) })
            }
            _ => Counted::Down,
        };
        self.lamps.counted(&mailbox, counted, now.instant);
        self.work_lamps(now);
    }

    /// The gateways that lamps of this mailbox go to, and the pilot that its owner would ring.
    fn lamp_gateways(&self, mailbox: &MailboxId) -> (Vec<Arc<Gateway>>, Option<String>) {
        let owner = self.configuration.by_mailbox_id(mailbox);
        let um = owner.and_then(|owner| owner.um.as_ref());
        let policy = um.and_then(|um| self.configuration.policy_of(um));
        let Some(policy) = policy.filter(|policy| policy.allow_message_waiting_indicator) else {
            return (Vec::new(), None);
        };
        let groups = || {
            let of_plan = |name: &str| name.eq_ignore_ascii_case(&policy.dial_plan);
            self.configuration.hunt_groups.iter().filter(move |group| of_plan(&group.dial_plan))
        };
        let mut gateways: Vec<Arc<Gateway>> = Vec::new();
        for group in groups() {
            let gateway = self.configuration.gateways.get(&group.gateway).filter(|gateway| {
                gateway.message_waiting_indicator_allowed && gateway.status != GatewayStatus::Disabled
            });
            if let Some(gateway) = gateway
                && !gateways.iter().any(|other| Arc::ptr_eq(other, gateway))
            {
                gateways.push(gateway.clone());
            }
        }
        (gateways, groups().find_map(|group| group.pilot.clone()))
    }

    fn notify(&mut self, mailbox: MailboxId, counts: Counts, index: usize, now: Now) {
        let (mut gateways, pilot) = self.lamp_gateways(&mailbox);
        if index == 0 {
            gateways = self.in_order(gateways, now.instant);
            self.rounds.insert(mailbox.clone(), gateways.clone());
        } else if let Some(round) = self.rounds.get(&mailbox) {
            gateways.clone_from(round);
        }
        let extension =
            self.configuration.by_mailbox_id(&mailbox).and_then(|owner| owner.primary_extension().map(str::to_owned));
        let (Some(gateway), Some(extension)) = (gateways.get(index), extension) else {
            // No gateway has a claim on this lamp: nothing is owed to anybody.
            let nobody = gateways.is_empty();
            self.rounds.remove(&mailbox);
            let told = self.turns.remove(&mailbox).filter(|_| nobody);
            self.end_turn(&mailbox, told);
            return self.lamps.sent(&mailbox, nobody, true, now.instant);
        };
        let last = index + 1 >= gateways.len();
        match self.send_notify(gateway, &extension, pilot, (counts, last), now) {
            Some((hop, transaction)) => {
                let modseq = self.turns.get(&mailbox).copied();
                self.notifies.insert((hop, transaction), Notify { mailbox, counts, last, modseq });
            }
            None => {
                if last {
                    self.rounds.remove(&mailbox);
                    self.end_turn(&mailbox, None);
                }
                self.lamps.sent(&mailbox, false, last, now.instant);
            }
        }
    }

    /// Gives the lamp to whoever wants it next; see [`Turn`].
    fn end_turn(&mut self, mailbox: &MailboxId, told: Option<ModSeq>) {
        if self.store.server().is_some() {
            self.turns.remove(mailbox);
            self.ask_store(StoreRequest::LampTold(mailbox.clone(), told), Waiting::Lamp(mailbox.clone()));
        }
    }

    fn send_notify(
        &mut self,
        gateway: &Gateway,
        extension: &str,
        pilot: Option<String>,
        (counts, last): (Counts, bool),
        now: Now,
    ) -> Option<(usize, ClientRef)> {
        let host: Host = gateway.address.parse().ok()?;
        // The service speaks for the server; a server without one has its first part speak.
        let index = self.hops.iter().position(|hop| hop.stage == Stage::Service).unwrap_or(0);
        let (transport, port) = self.gateway_way(gateway);
        let hop = self.hops.get_mut(index)?;
        let user = NameAddr::new(Uri::sip(extension, host.clone()));
        let mut request = OutgoingRequest::new(Method::Notify, user.clone(), user, hop.listener);
        request.request_uri = Uri::sip(extension, host.clone()).with_port(port).with_transport(transport);
        request.peer_name = gateway.certificate_name.as_deref().map(Into::into);
        request.headers.push_typed(&EventHeader::new(message_summary::EVENT));
        // No subscription stands behind it: the one that it speaks of is over.
        request.headers.push_typed(&SubscriptionState::terminated(None));
        // Where the owner rings to hear them (RFC 3842 5.2).
        let account = pilot.as_deref().map(|pilot| Uri::sip(pilot_number(pilot), host));
        let summary = MessageSummary::voice(account, counts);
        request.body = Some(Body::new(Text::from_static(message_summary::CONTENT_TYPE), summary.to_bytes()));
        // A gateway's name may stand for several nodes, too: as for a trunk.
        request.policy = TargetPolicy { reliable_provisional: false, ..patience(last) };
        let transaction = hop.endpoint.request(request, now.instant).ok()?;
        Some((index, transaction))
    }

    /// The PBX has answered a NOTIFY, or nobody did.
    pub(super) fn notified(&mut self, hop: usize, transaction: ClientRef, result: Result<u16, Failure>, now: Now) {
        let Some(notify) = self.notifies.remove(&(hop, transaction)) else { return };
        // 480: the PBX keeps it for a phone that is away (fact sheet 3.9).
        let taken = matches!(result, Ok(200..300 | 480));
        if let Ok(status) = result
            && taken
        {
            let Counts { new, old, .. } = notify.counts;
            self.emit(now, Event::LampSent { mailbox: notify.mailbox.to_string(), new, old, status });
        }
        if taken || notify.last {
            self.rounds.remove(&notify.mailbox);
            self.end_turn(&notify.mailbox, notify.modseq.filter(|_| taken));
        }
        self.lamps.sent(&notify.mailbox, taken, notify.last, now.instant);
        self.work_lamps(now);
    }
}
