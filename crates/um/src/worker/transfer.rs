//! Transfer by REFER (RFC 3515): the PBX calls the number and tells how it went by NOTIFY.

use super::call::Transfer;
use crate::commands::ip_gateway::TransferMethod;
use crate::dialogue::{Reply, RequestId, TransferEnd};
use crate::server::Server;
use event::Now;
use sip::endpoint::{ClientRef, Failure};
use sip::header::{ReferTo, ReferredBy};
use sip::{Headers, Host, Method, NameAddr, Request, Uri, sipfrag};
use std::time::Duration;

/// How long the PBX may take to answer the REFER itself (its transaction has timers of its own), and then to tell how it
/// went: as long as phones ring.
const REFER_WITHIN: Duration = Duration::from_secs(40);
const NEWS_WITHIN: Duration = Duration::from_secs(180);

/// Who gets the call.
enum To<'a> {
    /// A number of the PBX.
    Number(&'a str),
    Uri(Uri),
}

impl Server {
    /// Sends the REFER, or calls where the gateway can't do that. Some: it could not even be sent.
    pub(crate) fn transfer(&mut self, number: u64, request: RequestId, to: &str, now: Now) -> Option<TransferEnd> {
        let bridged =
            self.calls.get(&number).is_some_and(|call| call.gateway.transfer_method == TransferMethod::Bridge);
        match bridged {
            true => self.bridge_to(number, request, to, now).err(),
            false => self.refer(number, request, To::Number(to), now).err(),
        }
    }

    /// Sends the REFER to somebody who is no number of the PBX. Some: it could not even be sent.
    pub(crate) fn hand_over(&mut self, number: u64, request: RequestId, uri: &str, now: Now) -> Option<TransferEnd> {
        match uri.parse::<Uri>() {
            Ok(uri) => self.refer(number, request, To::Uri(uri), now).err(),
            Err(_) => Some(TransferEnd::Invalid),
        }
    }

    fn refer(&mut self, number: u64, request: RequestId, to: To<'_>, now: Now) -> Result<(), TransferEnd> {
        let call = self.calls.get_mut(&number).ok_or(TransferEnd::Failed)?;
        let hop = self.hops.get_mut(call.hop).ok_or(TransferEnd::Failed)?;
        let info = hop.endpoint.call_info(call.leg).ok_or(TransferEnd::Failed)?;
        // The peer's own host: the PBX knows its numbers there, and no name has to be resolved (fact sheet 7.3).
        let target = info.remote_target.filter(Uri::is_sip);
        let host = target.map(|target| target.host).or_else(|| call.gateway.address.parse::<Host>().ok());
        let host = host.ok_or(TransferEnd::Failed)?;
        let mut headers = Headers::new();
        let to = match to {
            To::Number(number) => Uri::sip(number, host),
            To::Uri(uri) => uri,
        };
        headers.push_typed(&ReferTo(NameAddr::new(to)));
        let own = NameAddr { params: sip::Params::new(), ..info.local };
        headers.push_typed(&ReferredBy(own));
        let refer = hop.endpoint.request_in_call(call.leg, Method::Refer, &headers, None, now.instant);
        let refer = refer.map_err(|_| TransferEnd::Failed)?;
        call.transfer = Some(Transfer { request, refer, taken: false, until: now.instant + REFER_WITHIN });
        Ok(())
    }

    /// The answer to the REFER itself.
    pub(crate) fn refer_answered(
        &mut self,
        number: u64,
        transaction: ClientRef,
        result: Result<u16, Failure>,
        now: Now,
    ) {
        let Some(call) = self.calls.get_mut(&number) else { return };
        let Some(transfer) = call.transfer.as_mut().filter(|transfer| transfer.refer == transaction) else { return };
        match result {
            Ok(200..300) => {
                transfer.taken = true;
                transfer.until = now.instant + NEWS_WITHIN;
                self.set_alarm(number);
            }
            Ok(status) => self.transfer_ended(number, end_of(status), now),
            Err(_) => self.transfer_ended(number, TransferEnd::Failed, now),
        }
    }

    /// A NOTIFY of the transfer: how far the PBX has come.
    pub(crate) fn refer_news(&mut self, number: u64, request: &Request, now: Now) {
        if self.calls.get(&number).is_none_or(|call| call.transfer.is_none()) {
            return;
        }
        match sipfrag::status(&request.body) {
            Some(status @ 200..=699) => self.transfer_ended(number, end_of(status), now),
            _ => {
                let state = request.headers.sound::<sip::header::SubscriptionState>();
                if state.is_some_and(|state| state.is_terminated()) {
                    // RFC 3515 2.4.7: the last one; it does not say how it went.
                    self.transfer_ended(number, TransferEnd::Failed, now);
                }
            }
        }
    }

    /// No news. A PBX that took the REFER and says no more has most likely done it.
    pub(crate) fn transfer_timed_out(&mut self, number: u64, now: Now) {
        let taken = self.calls.get(&number).and_then(|call| call.transfer).is_some_and(|transfer| transfer.taken);
        self.transfer_ended(number, if taken { TransferEnd::Done } else { TransferEnd::Failed }, now);
    }

    fn transfer_ended(&mut self, number: u64, end: TransferEnd, now: Now) {
        let Some(call) = self.calls.get_mut(&number) else { return };
        let Some(transfer) = call.transfer.take() else { return };
        // A fax that the partner has is no missed call.
        call.left_message |= call.fax && end == TransferEnd::Done;
        self.set_alarm(number);
        self.reply(number, transfer.request, Reply::Transferred(end), now);
    }
}

pub(super) fn end_of(status: u16) -> TransferEnd {
    match status {
        200..300 => TransferEnd::Done,
        486 | 600 => TransferEnd::Busy,
        408 | 480 | 487 => TransferEnd::NoAnswer,
        404 | 410 | 484 | 604 => TransferEnd::Invalid,
        _ => TransferEnd::Failed,
    }
}
