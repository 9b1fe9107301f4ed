//! Requests outside dialogs, both ways.

use std::time::Instant;

use super::attempt::{Owner, Start, Way};
use super::{ClientRef, CommandError, Endpoint, OutgoingRequest, ServerRef};
use crate::Text;
use crate::message::header::{From, To};
use crate::message::{CSeq, Method, Name, Request, Response};
use crate::transaction::ServerId;

impl Endpoint {
    pub(crate) fn start_request(&mut self, new: OutgoingRequest, now: Instant) -> Result<ClientRef, CommandError> {
        if matches!(new.method, Method::Invite | Method::Ack | Method::Cancel | Method::Bye | Method::Prack) {
            return Err(CommandError::WrongState);
        }
        if !self.has_listener(new.listener) {
            return Err(CommandError::NoListener);
        }
        let reference = ClientRef(self.fresh_id());
        let start = self.outside(new, Owner::Request(reference));
        self.start(start, now);
        Ok(reference)
    }

    /// The request as it goes out, but for its Via.
    pub(super) fn outside(&mut self, new: OutgoingRequest, owner: Owner) -> Start {
        let mut from = new.from;
        if from.tag().is_none() {
            from.set_tag(&self.token());
        }
        let call_id = new.call_id.unwrap_or_else(|| Text::from(self.token()));
        let seq = new.cseq.unwrap_or_else(|| self.first_seq());
        let contact_user = from.uri.user.clone();
        let mut request = Request::new(new.method.clone(), new.request_uri);
        let headers = &mut request.headers;
        for route in &new.route {
            headers.push(Name::Route, route.to_string());
        }
        headers.push(Name::MaxForwards, Text::from_static("70"));
        headers.push_typed(&From(from));
        headers.push_typed(&To(new.to));
        headers.push(Name::CallId, call_id);
        headers.push_typed(&CSeq { seq, method: new.method.clone() });
        let own_contact = new.headers.has(&Name::Contact);
        for contact in new.headers.lines(&Name::Contact) {
            headers.push(Name::Contact, contact.clone());
        }
        let contact_user = match new.method {
            // 8.1.1.8 asks for Contact where a dialog may follow; a MESSAGE has none (RFC 3428 4).
            Method::Subscribe | Method::Refer | Method::Notify | Method::Options if !own_contact => {
                headers.push(Name::Contact, Text::default());
                Some(contact_user.unwrap_or_default())
            }
            _ => None,
        };
        self.sign(headers);
        crate::call::append_extra(headers, &new.headers);
        if matches!(new.method, Method::Options | Method::Register | Method::Subscribe) {
            headers.push(Name::Allow, self.allow.clone());
            headers.push(Name::Supported, self.supported(true));
        }
        if let Some(body) = new.body {
            request.set_body(body.content_type, body.bytes);
        }
        let way = Way::of_next_hop(new.next_hop, &request, new.peer_name);
        let (listener, policy, login) = (new.listener, new.policy, new.login);
        Start { owner, request, way, listener, policy, login, contact_user, avoid: Vec::new() }
    }

    pub(crate) fn respond_to(
        &mut self,
        transaction: ServerRef,
        mut response: Response,
        now: Instant,
    ) -> Result<(), CommandError> {
        let server = ServerId(transaction.0);
        if !(101..700).contains(&response.status) {
            return Err(CommandError::Status);
        }
        if response.is_final() {
            let pending = self.pending.take(server).ok_or(CommandError::Unknown)?;
            if pending.request.method == Method::Options && response.is_success() {
                self.describe(&mut response);
            }
        } else if !self.pending.has(server) {
            return Err(CommandError::Unknown);
        }
        if response.status == 405 && !response.headers.has(&Name::Allow) {
            response.headers.push(Name::Allow, self.allow.clone());
        }
        self.answer(server, response, now);
        Ok(())
    }

    /// RFC 3261 11.2: Allow, Accept, Accept-Encoding, Accept-Language and Supported in the answer to OPTIONS.
    pub(crate) fn describe(&self, response: &mut Response) {
        let headers = &mut response.headers;
        if !headers.has(&Name::Allow) {
            headers.push(Name::Allow, self.allow.clone());
        }
        if !headers.has(&Name::Supported) {
            headers.push(Name::Supported, self.supported(true));
        }
        if !headers.has(&Name::Accept) {
            for accepted in &self.config.accept {
                headers.push(Name::Accept, accepted.clone());
            }
        }
        if !headers.has(&Name::AcceptEncoding) {
            headers.push(Name::AcceptEncoding, Text::from_static("identity"));
        }
    }

    /// The sequence number of a request that is sent once more, after a challenge (22.2).
    pub(crate) fn next_seq(&mut self, owner: Owner, request: &Request) -> u32 {
        let next = request.cseq().map_or(1, |cseq| cseq.seq).saturating_add(1);
        match owner {
            Owner::Invite(call) => {
                if let Some(call) = self.calls.get_mut(&call) {
                    call.invite_seq = next;
                }
                next
            }
            Owner::InCall(call, _) => {
                let to_tag = request.to_tag().unwrap_or_default();
                let dialog = self.calls.get_mut(&call).and_then(|call| call.dialog_of(&to_tag));
                match dialog {
                    Some(dialog) => {
                        dialog.local_seq = dialog.local_seq.saturating_add(1);
                        dialog.local_seq
                    }
                    None => next,
                }
            }
            Owner::Subscription(id) => self.next_subscription_seq(id).unwrap_or(next),
            Owner::Nobody | Owner::Request(_) | Owner::Probe(_) | Owner::Probed(..) => next,
        }
    }
}
