//! Dialogs (RFC 3261 12): who talks to whom, in which order, over which route.

mod reach;

pub use reach::{Reach, is_behind_nat};

use crate::Text;
use crate::flow::Flow;
use crate::message::header::{From, RecordRoute, To};
use crate::message::{CSeq, Contact, Headers, Method, Name, NameAddr, Request, Response, Uri};

/// Which side of the dialog we are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// We sent the request that made it.
    Client,
    /// We answered it.
    Server,
}

/// The peer's request comes out of order: a lower CSeq than one before (RFC 3261 12.2.2: answered 500).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("CSeq is lower than that of an earlier request")]
pub struct OutOfOrder;

/// One dialog, early or confirmed.
#[derive(Clone, Debug)]
pub struct Dialog {
    pub side: Side,
    pub call_id: Text,
    /// Our address with our tag, as From or To has it.
    pub local: NameAddr,
    pub local_tag: Text,
    /// The peer's address with its tag.
    pub remote: NameAddr,
    /// Empty when the peer has none (RFC 2543).
    pub remote_tag: Text,
    /// Our last sequence number.
    pub local_seq: u32,
    /// The peer's last, once it sent a request.
    pub remote_seq: Option<u32>,
    /// In the order of our requests.
    pub routes: Vec<NameAddr>,
    /// The peer's Contact.
    pub remote_target: Uri,
    /// Our own Contact.
    pub contact: Text,
    /// What the peer's last message came in on.
    pub flow: Flow,
    /// The peer can only be reached by `flow`: it is behind NAT, or we were told to call it there.
    pub pinned: bool,
    /// By TLS, a name that the peer's certificate may be for beside the host that we reach it by.
    pub peer_name: Option<Text>,
}

impl Dialog {
    /// The dialog that a request makes when we answer it (12.1.1). `None` when it has no sound Contact.
    pub fn server(request: &Request, local_tag: Text, contact: Text, flow: &Flow) -> Option<Dialog> {
        let remote = request.from()?.0;
        let mut local = request.to()?.0;
        local.set_tag(&local_tag);
        let remote_target = contact_uri(&request.headers)?;
        // 12.1.1: the route set is Record-Route in the order of the request.
        let routes: Vec<NameAddr> = routes(&request.headers).collect();
        let pinned = reach::is_behind_nat(request, &remote_target, flow);
        Some(Dialog {
            side: Side::Server,
            call_id: request.call_id()?,
            local,
            local_tag,
            remote_tag: remote.params.text("tag").unwrap_or_default(),
            remote,
            local_seq: 0,
            remote_seq: Some(request.cseq()?.seq),
            routes,
            remote_target,
            contact,
            flow: flow.clone(),
            pinned,
            peer_name: None,
        })
    }

    /// The dialog that a response makes to our request (12.1.2). A response without Contact keeps to the request's target:
    /// provisional ones of old peers have none.
    pub fn client(request: &Request, response: &Response, flow: &Flow, contact: Text, pinned: bool) -> Option<Dialog> {
        let local = request.from()?.0;
        let remote = response.to()?.0;
        let mut dialog = Dialog {
            side: Side::Client,
            call_id: request.call_id()?,
            local_tag: local.params.text("tag").unwrap_or_default(),
            local,
            remote_tag: remote.params.text("tag").unwrap_or_default(),
            remote,
            local_seq: request.cseq()?.seq,
            remote_seq: None,
            routes: Vec::new(),
            remote_target: request.uri.clone(),
            contact,
            flow: flow.clone(),
            pinned,
            peer_name: None,
        };
        dialog.learn_routes(response);
        dialog.refresh(&response.headers, flow);
        Some(dialog)
    }

    /// 12.1.2: the route set of the client is Record-Route in reverse; 13.2.2.4: the 2xx replaces what an early dialog had.
    pub fn learn_routes(&mut self, response: &Response) {
        self.routes = routes(&response.headers).collect();
        self.routes.reverse();
    }

    /// A target refresh (12.2): INVITE, UPDATE, SUBSCRIBE, NOTIFY and their 2xx move the peer's target.
    pub fn refresh(&mut self, headers: &Headers, flow: &Flow) {
        if let Some(uri) = contact_uri(headers) {
            self.remote_target = uri;
        }
        self.heard(flow);
    }

    /// The peer spoke: its newest flow is where it is.
    pub fn heard(&mut self, flow: &Flow) {
        if self.flow != *flow {
            self.flow = flow.clone();
        }
    }

    /// The next request of ours, without Via and body (12.2.1.1).
    pub fn request(&mut self, method: Method) -> Request {
        // CSeq stays below 2^31 for any call that a person lives to end.
        self.local_seq = self.local_seq.saturating_add(1);
        self.request_with(method, self.local_seq)
    }

    /// A request with a sequence number of its own: ACK has its INVITE's (13.2.2.4).
    pub fn request_with(&self, method: Method, seq: u32) -> Request {
        let strict = self.routes.first().filter(|route| !route.uri.params.has("lr"));
        let uri = match strict {
            // 12.2.1.1: a strict router takes itself out of the Request-URI.
            Some(route) => as_request_uri(&route.uri),
            None => self.remote_target.clone(),
        };
        let mut request = Request::new(method.clone(), uri);
        let headers = &mut request.headers;
        for route in self.routes.iter().skip(usize::from(strict.is_some())) {
            headers.push(Name::Route, route.to_string());
        }
        if strict.is_some() {
            headers.push(Name::Route, format!("<{}>", self.remote_target));
        }
        headers.push(Name::MaxForwards, Text::from_static("70"));
        headers.push_typed(&From(self.local.clone()));
        headers.push_typed(&To(self.remote.clone()));
        headers.push(Name::CallId, self.call_id.clone());
        headers.push_typed(&CSeq { seq, method: method.clone() });
        // 12.2.1.1: target refresh requests carry Contact; others may, and NAT helpers like it.
        if refreshes_target(&method) || matches!(method, Method::Refer | Method::Options) {
            headers.push(Name::Contact, self.contact.clone());
        }
        request
    }

    /// Takes note of a request of the peer's (12.2.2). ACK and CANCEL have no number of their own.
    pub fn receive(&mut self, request: &Request, flow: &Flow) -> Result<(), OutOfOrder> {
        if !matches!(request.method, Method::Ack | Method::Cancel) {
            let seq = request.cseq().map(|cseq| cseq.seq).unwrap_or_default();
            if self.remote_seq.is_some_and(|last| seq < last) {
                return Err(OutOfOrder);
            }
            self.remote_seq = Some(seq);
        }
        self.heard(flow);
        Ok(())
    }

    /// Whether these are this dialog's identifiers (12): `remote_tag` as the peer sent it.
    pub fn is(&self, call_id: &str, remote_tag: &str) -> bool {
        self.call_id == *call_id && self.remote_tag == *remote_tag
    }

    /// Where our next request goes.
    pub fn reach(&self) -> Reach<'_> {
        reach::reach(self)
    }
}

/// Methods that move the target of their dialog (RFC 3261 12.2, RFC 3311, RFC 6665 4.1.3).
pub fn refreshes_target(method: &Method) -> bool {
    matches!(method, Method::Invite | Method::Update | Method::Subscribe | Method::Notify)
}

fn contact_uri(headers: &Headers) -> Option<Uri> {
    let contact = headers.sound::<Contact>()?.address()?;
    // A Contact that is no SIP URI can't be called.
    contact.uri.is_sip().then_some(contact.uri)
}

/// Malformed hops are left out: with one of them, nothing could be sent at all.
fn routes(headers: &Headers) -> impl Iterator<Item = NameAddr> + '_ {
    headers.all_typed::<RecordRoute>().filter_map(|route| Some(route.ok()?.0)).take(MAX_ROUTES)
}

/// A route set longer than Max-Forwards can't be travelled.
const MAX_ROUTES: usize = 70;

/// RFC 3261 19.1.1, table 1: method and headers have no place in a Request-URI.
fn as_request_uri(uri: &Uri) -> Uri {
    let mut uri = uri.clone();
    uri.headers = None;
    if uri.params.has("method") {
        uri.params.remove("method");
    }
    uri
}
