//! Answering a call: offer and answer, the media session, and the dialogue that the caller gets.

use super::call::{Beginning, Call, Kind};
use super::identity::{self, CallerId};
use crate::commands::auto_attendant::AutoAttendant;
use crate::commands::call_record::ReasonForCall;
use crate::commands::dial_plan::{ContactScope, DialByName, DialPlan, MatchedName, VoipSecurity};
use crate::commands::mailbox::{CallsFromNonUsers, Mailbox};
use crate::dialogue::{
    Access, Answering, Attendant, Dialogue, Messages, Search, Subscriber, auto_attendant, call_answering,
    subscriber_logon,
};
use crate::router::{Accepted, Refusal};
use crate::server::Server;
use event::{Event, Now};
use media::{MediaCommand, Stream};
use rand::{Rng as _, RngExt as _};
use sdp::{OfferError, OwnKeys, Security, Suite};
use sip::endpoint::{Body, CallRef};
use sip::flow::Flow;
use sip::header::Warning;
use sip::{Headers, Name, Request};

/// What a plan says of its callers' dialogues.
pub(super) struct PlanScene {
    failures: u32,
    messages: Messages,
    elsewhere: Attendant,
    pub(super) access: Access,
}

impl Server {
    pub(crate) fn answer(
        &mut self,
        hop: usize,
        leg: CallRef,
        request: Request,
        flow: &Flow,
        accepted: Accepted,
        now: Now,
    ) {
        if let Some(status) = self.own_loop(&accepted, &request) {
            let refusal =
                Refusal::new(status, "a call of this server's that nobody took: it does not talk with itself");
            return self.refuse(hop, leg, &request, flow, &refusal, now);
        }
        let offer = match offer_in(&request.headers, &request.body) {
            Ok(offer) => offer,
            Err((status, warning)) => {
                return self.refuse(hop, leg, &request, flow, &Refusal::new(status, warning), now);
            }
        };
        let (session, address) = match self.media.open() {
            Ok(opened) => opened,
            Err(error) => {
                let refusal = Refusal::for_now(503, error.to_string(), 30);
                return self.refuse(hop, leg, &request, flow, &refusal, now);
            }
        };
        // RFC 8866 5.2: the session id is a number; 62 bits fit every reader.
        let mut local = sdp::Local::new(address.ip(), address.port(), self.random.random::<u64>() >> 2);
        local.security = self.security(&accepted.plan);
        let (description, negotiated) = match &offer {
            None => (sdp::offer(&local), None),
            Some(offer) => match sdp::answer(offer, &local) {
                Ok((description, negotiated)) => (description, Some(negotiated)),
                Err(error) => {
                    self.media.command(MediaCommand::Close { session });
                    let refusal = Refusal::new(488, in_mode(&accepted.plan, error));
                    return self.refuse(hop, leg, &request, flow, &refusal, now);
                }
            },
        };
        let body = Some(Body::sdp(description.to_bytes()));
        let accept = |server: &mut Server| {
            let hop = server.hops.get_mut(hop)?;
            hop.endpoint.accept(leg, &Headers::new(), body, now.instant).ok()
        };
        if accept(self).is_none() {
            // Cancelled while we looked at it.
            return self.media.command(MediaCommand::Close { session });
        }
        if let Some(negotiated) = &negotiated
            && negotiated.remote.port() != 0
        {
            // RTP is taken from the address that the PBX's SDP names, and from nobody else.
            self.media.command(MediaCommand::Connect { session, stream: Stream::from(negotiated).listened() });
        }
        let codec = negotiated.as_ref().map(|negotiated| codec_name(negotiated.codec)).unwrap_or_default();
        let agreed = negotiated.and_then(|negotiated| negotiated.srtp);
        self.admit(hop, leg, &request, accepted, (session, local, agreed, description, codec), now);
    }

    /// A call that the server placed, and the PBX diverted back to it: what to answer, which is what became of that call.
    fn own_loop(&mut self, accepted: &Accepted, request: &Request) -> Option<u16> {
        let Accepted { gateway, plan, .. } = accepted;
        let (owner, _) = identity::diverted_from(&self.configuration, gateway, plan, request)?;
        let caller = identity::caller(&self.configuration, plan, request);
        let own = owner.um.iter().flat_map(|um| &um.extensions).any(|called| self.is_own_outcall(&caller, called));
        own.then(|| if identity::reason(request) == ReasonForCall::DivertBusy { 486 } else { 480 })
    }

    fn admit(
        &mut self,
        hop: usize,
        leg: CallRef,
        request: &Request,
        Accepted { gateway, plan, attendant, pilot }: Accepted,
        // Without a codec we have offered, and the answer is to come.
        (session, local, agreed, description, codec): (
            media::SessionId,
            sdp::Local,
            Option<sdp::Agreed>,
            sdp::Session,
            &'static str,
        ),
        now: Now,
    ) {
        let caller = identity::caller(&self.configuration, &plan, request);
        let owner = match &attendant {
            Some(_) => None,
            None => identity::diverted_from(&self.configuration, &gateway, &plan, request),
        };
        let (owner, diverted) = owner.unzip();
        let operator = owner.as_ref().and_then(|owner| owner.um_settings.operator_number.clone());
        let owner = owner.and_then(|owner| self.subscriber(&owner));
        let kind = match (&owner, &attendant) {
            (_, Some(_)) => Kind::AutoAttendant,
            (Some(_), None) => Kind::CallAnswering,
            (None, None) => Kind::SubscriberAccess,
        };
        let language = attendant.as_ref().map_or_else(|| plan.language(), |attendant| attendant.language(&plan));
        let number = self.next_number();
        let mailbox = owner.as_ref().map(|owner| owner.mailbox.clone());
        let dialogue = Some(self.dialogue((owner, operator), attendant.as_deref(), &plan, &caller, now));
        let beginning = Beginning {
            number,
            kind,
            hop,
            leg,
            gateway,
            plan,
            pilot,
            caller,
            language,
            session,
            local,
            description,
            dialogue,
        };
        let call = Call {
            call_id: request.call_id().map(String::from).unwrap_or_default(),
            mailbox,
            attendant: attendant.as_ref().map(|attendant| attendant.name.clone()),
            reason: identity::reason(request),
            codec,
            diverted,
            agreed,
            offering: codec.is_empty(),
            ..Call::new(beginning, now)
        };
        self.begin(call, now);
    }

    /// What the caller will talk with.
    fn dialogue(
        &mut self,
        // Whose mailbox, and the operator of his own, if he has one.
        (owner, operator): (Option<Subscriber>, Option<String>),
        attendant: Option<&AutoAttendant>,
        plan: &DialPlan,
        caller: &CallerId,
        now: Now,
    ) -> Dialogue {
        let PlanScene { failures, messages, elsewhere, access } = self.plan_scene(plan, caller);
        match (owner, attendant) {
            (_, Some(attendant)) => {
                let scene = self.attendant_scene(attendant, plan, access, now);
                Dialogue::start(|caller| auto_attendant(caller, scene))
            }
            (Some(owner), None) => {
                let scene = Answering {
                    owner,
                    idle: messages.idle,
                    max: messages.max,
                    failures,
                    operator: operator.or_else(|| plan.operator_extension.clone()),
                    // Who has a mailbox of his own gets to it from there.
                    elsewhere: Attendant { access: Some(access), ..elsewhere },
                };
                Dialogue::start(|caller| call_answering(caller, scene))
            }
            (None, None) => Dialogue::start(|caller| subscriber_logon(caller, access)),
        }
    }

    /// What all dialogues of a plan's callers are made of.
    pub(super) fn plan_scene(&mut self, plan: &DialPlan, caller: &CallerId) -> PlanScene {
        let from = caller.user.as_ref().and_then(|user| self.subscriber(user));
        let digits = usize::try_from(plan.digits).unwrap_or(20);
        let failures = plan.input_failures_before_disconnect;
        let messages = Messages::of(plan);
        // Where callers of the plan's pilots may go who did not come for a mailbox of their own.
        let elsewhere = Attendant {
            digits,
            failures,
            operator: plan.operator_extension.clone(),
            subscribers: plan.allow_dial_plan_subscribers && plan.call_someone_enabled,
            any_extension: plan.allow_extensions && plan.call_someone_enabled,
            search: search(plan, plan_scope(plan), MatchedName::InheritFromDialPlan),
            messages: plan.send_voice_msg_enabled.then_some(messages),
            recording: messages,
            ..Attendant::default()
        };
        let (welcome, announcement) = self.plan_prompts(plan);
        let access = Access {
            welcome,
            announcement,
            from,
            digits,
            failures,
            logon_failures: plan.logon_failures_before_disconnect,
            elsewhere: (elsewhere.subscribers || elsewhere.messages.is_some()).then(|| Box::new(elsewhere.clone())),
        };
        PlanScene { failures, messages, elsewhere, access }
    }

    /// A user as dialogues know him; None when he is not enabled.
    pub(crate) fn subscriber(&self, mailbox: &Mailbox) -> Option<Subscriber> {
        let um = mailbox.um.as_ref()?;
        let allowed = self.configuration.policy_of(um).is_some_and(|policy| policy.allow_subscriber_access);
        let access = allowed && mailbox.um_settings.subscriber_access_enabled;
        Some(Subscriber {
            mailbox: um.mailbox.clone(),
            name: mailbox.shown_name(),
            extension: mailbox.primary_extension()?.to_owned(),
            access,
            reachable: mailbox.um_settings.allow_um_calls_from_non_users == CallsFromNonUsers::SearchEnabled,
            department: mailbox.department.clone(),
        })
    }

    /// How a dial plan wants media: SRTP only, or RTP only (docs/srtp.md).
    pub(crate) fn security(&mut self, plan: &DialPlan) -> Security {
        match plan.voip_security {
            VoipSecurity::Unsecured | VoipSecurity::SIPSecured => Security::Clear,
            VoipSecurity::Secured => {
                Security::Required(OwnKeys::draw(&Suite::ALL, |bytes| self.keys.fill_bytes(bytes)))
            }
        }
    }

    /// The ACK for our 200 to the INVITE or to a re-INVITE; with the answer when we had to offer.
    pub(crate) fn acknowledged(&mut self, number: u64, body: &[u8], now: Now) {
        let Some(call) = self.calls.get_mut(&number) else { return };
        if call.offering {
            call.offering = false;
            match read_answer(&call.local, body) {
                Ok(negotiated) => {
                    call.codec = codec_name(negotiated.codec);
                    call.agreed = negotiated.srtp;
                    let stream = Stream::from(&negotiated).listened();
                    self.media.command(MediaCommand::Connect { session: call.session, stream });
                }
                // RFC 3261 13.2.2.4: an answer that cannot be taken ends the call.
                Err(reason) => {
                    let party = call.caller.number.clone().unwrap_or_default();
                    self.emit(now, Event::MediaRefused { call: number, party, reason });
                    return self.hang_up(number, now);
                }
            }
        }
        if let Some(dialogue) = call.waiting.take() {
            call.dialogue = Some(dialogue);
            self.drive(number, now);
        }
    }

    /// Hold, resume, another codec or address; or a request for our offer.
    pub(crate) fn offered(&mut self, number: u64, request: &Request, now: Now) {
        let Some(call) = self.calls.get_mut(&number) else { return };
        let mut headers = Headers::new();
        let mut refused = None;
        let t38 = is_t38(&request.body);
        let (status, body) = match offer_in(&request.headers, &request.body) {
            Ok(None) => {
                let description = match &call.description {
                    Some(previous) => sdp::reoffer(&call.local, previous),
                    None => sdp::offer(&call.local),
                };
                let body = Body::sdp(description.to_bytes());
                call.description = Some(description);
                call.offering = true;
                (200, Some(body))
            }
            Ok(Some(offer)) => match sdp::answer_again(&offer, &mut call.local, call.agreed.as_ref(), |bytes| {
                self.keys.fill_bytes(bytes);
            }) {
                Ok((mut description, negotiated)) => {
                    call.agreed = negotiated.srtp;
                    if let Some(previous) = &call.description {
                        description.follow(previous);
                    }
                    let body = Body::sdp(description.to_bytes());
                    call.description = Some(description);
                    let stream = Stream::from(&negotiated).listened();
                    self.media.command(MediaCommand::Connect { session: call.session, stream });
                    (200, Some(body))
                }
                Err(error) => {
                    let reason = in_mode(&call.plan, error);
                    headers.push_typed(&Warning::miscellaneous(self.host.to_string(), reason.clone()));
                    refused = Some((call.caller.number.clone().unwrap_or_default(), reason));
                    (488, None)
                }
            },
            Err((status, warning)) => {
                headers.push_typed(&Warning::miscellaneous(self.host.to_string(), warning));
                (status, None)
            }
        };
        let (hop, leg) = (call.hop, call.leg);
        if let Some(hop) = self.hops.get_mut(hop) {
            // The call may be over already: `Ended` tells.
            let _ = hop.endpoint.answer_offer(leg, status, &headers, body, now.instant);
        }
        if t38 {
            // The call stays what it was (RFC 3261 14.1); the fax partner, who gets it now, is offered T.38 anew.
            return self.fax(number, now);
        }
        if let Some((party, reason)) = refused {
            self.emit(now, Event::MediaRefused { call: number, party, reason });
        }
    }
}

/// What the peer's answer to our offer agrees on, or why it can't be taken.
pub(super) fn read_answer(local: &sdp::Local, body: &[u8]) -> Result<sdp::Negotiated, String> {
    let answer = sdp::Session::parse(body).map_err(|error| error.to_string())?;
    sdp::accept(local, &answer).map_err(|error| error.to_string())
}

/// Why an offer is not taken; where encryption is the point, with the mode of the dial plan that says so.
fn in_mode(plan: &DialPlan, error: OfferError) -> String {
    let about = matches!(
        error,
        OfferError::Secured | OfferError::Unsecured | OfferError::NoCryptoLine | OfferError::NoCrypto(_)
    );
    if about { format!("dial plan {} is {:?}: {error}", plan.name, plan.voip_security) } else { error.to_string() }
}

pub(super) fn codec_name(codec: sdp::Codec) -> &'static str {
    match codec {
        sdp::Codec::Pcma => "PCMA",
        sdp::Codec::Pcmu => "PCMU",
    }
}

/// Whether a body offers a fax by T.38 (ITU-T T.38 D.2.3).
fn is_t38(body: &[u8]) -> bool {
    let offers = |media: &sdp::Media| {
        media.kind.eq_ignore_ascii_case("image")
            && media.port != 0
            && media.formats.iter().any(|format| format.eq_ignore_ascii_case("t38"))
    };
    sdp::Session::parse(body).is_ok_and(|session| session.media.iter().any(offers))
}

/// The offer in a request; None when it has no body.
fn offer_in(headers: &Headers, body: &[u8]) -> Result<Option<sdp::Session>, (u16, String)> {
    if body.is_empty() {
        return Ok(None);
    }
    let kind = headers.get(&Name::ContentType).map(|kind| kind.to_ascii_lowercase()).unwrap_or_default();
    if !kind.starts_with("application/sdp") {
        return Err((415, "only application/sdp is understood".into()));
    }
    sdp::Session::parse(body).map(Some).map_err(|error| (488, format!("the session description: {error}")))
}

/// Whom a dial plan's callers may search for.
pub(crate) fn plan_scope(plan: &DialPlan) -> (ContactScope, Option<&str>) {
    (plan.contact_scope, plan.contact_address_list.as_deref())
}

/// How callers search for people, by a dial plan's settings; `None`: they can't.
pub(crate) fn search(
    plan: &DialPlan,
    (scope, list): (ContactScope, Option<&str>),
    detail: MatchedName,
) -> Option<Search> {
    let (whom, list) = match scope {
        ContactScope::GlobalAddressList => (None, None),
        ContactScope::DialPlan => (Some(plan.name.clone()), None),
        // Without a list there is nobody to search for.
        ContactScope::AddressList => (None, Some(list?.to_owned())),
        ContactScope::Extension | ContactScope::AutoAttendantLink => return None,
    };
    let (primary, secondary) = match (plan.dial_by_name_primary, plan.dial_by_name_secondary) {
        (DialByName::None, DialByName::None) => return None,
        (DialByName::None, other) => (other, DialByName::None),
        both => both,
    };
    let detail = if detail == MatchedName::InheritFromDialPlan { plan.matched_name_selection_method } else { detail };
    let digits = usize::try_from(plan.digits).unwrap_or(20);
    Some(Search {
        plan: whom,
        list,
        primary,
        secondary,
        detail,
        digits,
        failures: plan.input_failures_before_disconnect,
        colleague: false,
    })
}
