//! Requests (RFC 3261 7.1).

use super::header::{self, CSeq, CallId};
use super::{Headers, Method, Name, Response, Uri, Via, put_clean, size_hint, write_rest};
use crate::Text;
use bytes::{BufMut, Bytes, BytesMut};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub method: Method,
    pub uri: Uri,
    pub headers: Headers,
    pub body: Bytes,
}

impl Request {
    pub fn new(method: Method, uri: Uri) -> Request {
        Request { method, uri, headers: Headers::with_capacity(16), body: Bytes::new() }
    }

    /// The response to this request: Via, From, To, Call-ID and CSeq as in it, Timestamp in a 100, the usual reason phrase
    /// (RFC 3261 8.2.6). The To tag is the caller's to add.
    pub fn response(&self, status: u16) -> Response {
        Response::answering(&self.headers, status)
    }

    /// The topmost Via. A request that was parsed has a sound one, and so for those below.
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

    /// Sets the body and its Content-Type; an empty body has none.
    pub fn set_body(&mut self, content_type: impl Into<Text>, body: Bytes) {
        super::request::set_body(&mut self.headers, &mut self.body, content_type.into(), body);
    }

    pub fn to_bytes(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(size_hint(&self.headers, &self.body));
        out.put_slice(self.method.as_str().as_bytes());
        out.put_u8(b' ');
        put_clean(&mut out, &self.uri.to_string());
        out.put_slice(b" SIP/2.0\r\n");
        write_rest(&mut out, &self.headers, &self.body);
        out.freeze()
    }
}

pub(super) fn set_body(headers: &mut Headers, slot: &mut Bytes, content_type: Text, body: Bytes) {
    if body.is_empty() {
        headers.remove(&Name::ContentType);
    } else {
        headers.set(Name::ContentType, content_type);
    }
    *slot = body;
}
