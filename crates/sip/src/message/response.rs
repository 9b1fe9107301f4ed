//! Responses (RFC 3261 7.2, 8.2.6, 21).

use super::header::{self, CSeq, CallId};
use super::{Headers, Name, Via, put_clean, size_hint, write_rest};
use crate::Text;
use bytes::{BufMut, Bytes, BytesMut};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// 100 to 699.
    pub status: u16,
    pub reason: Text,
    pub headers: Headers,
    pub body: Bytes,
}

impl Response {
    pub fn new(status: u16) -> Response {
        let reason = Text::from_static(reason_phrase(status));
        Response { status, reason, headers: Headers::with_capacity(16), body: Bytes::new() }
    }

    /// The response to a request with these headers (RFC 3261 8.2.6.2).
    pub(super) fn answering(request: &Headers, status: u16) -> Response {
        let mut response = Response::new(status);
        for (name, value) in request.iter() {
            let copied = match name {
                Name::Via | Name::From | Name::To | Name::CallId | Name::CSeq => true,
                // 8.2.6.1: a Timestamp is copied into the 100.
                Name::Timestamp => status == 100,
                _ => false,
            };
            if copied {
                response.headers.push(name.clone(), value.clone());
            }
        }
        response
    }

    pub fn is_provisional(&self) -> bool {
        self.status < 200
    }

    pub fn is_final(&self) -> bool {
        self.status >= 200
    }

    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub fn top_via(&self) -> Option<Via> {
        self.headers.sound::<Via>()
    }

    pub fn call_id(&self) -> Option<Text> {
        self.headers.sound::<CallId>().map(|id| id.0)
    }

    pub fn cseq(&self) -> Option<CSeq> {
        self.headers.sound::<CSeq>()
    }

    pub fn from(&self) -> Option<header::From> {
        self.headers.sound()
    }

    pub fn to(&self) -> Option<header::To> {
        self.headers.sound()
    }

    pub fn from_tag(&self) -> Option<Text> {
        self.from()?.params.text("tag").filter(|tag| !tag.is_empty())
    }

    pub fn to_tag(&self) -> Option<Text> {
        self.to()?.params.text("tag").filter(|tag| !tag.is_empty())
    }

    /// Gives the To header a tag, unless it has one (RFC 3261 8.2.6.2).
    pub fn set_to_tag(&mut self, tag: &str) {
        if let Some(mut to) = self.to()
            && to.tag().is_none()
        {
            to.set_tag(tag);
            self.headers.set_typed(&to);
        }
    }

    /// Sets the body and its Content-Type; an empty body has none.
    pub fn set_body(&mut self, content_type: impl Into<Text>, body: Bytes) {
        super::request::set_body(&mut self.headers, &mut self.body, content_type.into(), body);
    }

    pub fn to_bytes(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(size_hint(&self.headers, &self.body));
        out.put_slice(format!("SIP/2.0 {:03} ", self.status).as_bytes());
        put_clean(&mut out, &self.reason);
        out.put_slice(b"\r\n");
        write_rest(&mut out, &self.headers, &self.body);
        out.freeze()
    }
}

/// The phrase that the RFCs give a status; of its class for others.
pub const fn reason_phrase(status: u16) -> &'static str {
    match status {
        100 => "Trying",
        180 => "Ringing",
        181 => "Call Is Being Forwarded",
        182 => "Queued",
        183 => "Session Progress",
        199 => "Early Dialog Terminated",
        200 => "OK",
        202 => "Accepted",
        204 => "No Notification",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Moved Temporarily",
        305 => "Use Proxy",
        380 => "Alternative Service",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        410 => "Gone",
        412 => "Conditional Request Failed",
        413 => "Request Entity Too Large",
        414 => "Request-URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Unsupported URI Scheme",
        420 => "Bad Extension",
        421 => "Extension Required",
        422 => "Session Interval Too Small",
        423 => "Interval Too Brief",
        429 => "Provide Referrer Identity",
        430 => "Flow Failed",
        433 => "Anonymity Disallowed",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        482 => "Loop Detected",
        483 => "Too Many Hops",
        484 => "Address Incomplete",
        485 => "Ambiguous",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        489 => "Bad Event",
        491 => "Request Pending",
        493 => "Undecipherable",
        494 => "Security Agreement Required",
        500 => "Server Internal Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Server Time-out",
        505 => "Version Not Supported",
        513 => "Message Too Large",
        580 => "Precondition Failure",
        600 => "Busy Everywhere",
        603 => "Decline",
        604 => "Does Not Exist Anywhere",
        606 => "Not Acceptable",
        _ => match status / 100 {
            1 => "Progress",
            2 => "Success",
            3 => "Redirection",
            4 => "Request Failure",
            5 => "Server Failure",
            _ => "Global Failure",
        },
    }
}
