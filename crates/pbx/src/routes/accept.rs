//! Whose requests are a route's: `-accept` and `-match`.
//!
//! Default deny. An address says who sends, as far as a network can say it. A domain in From, in Contact or in the
//! Request-URI says nothing of the kind: anybody can write it. It tells routes apart that share a peer, so a route that
//! accepts by domain takes requests from the addresses that its settings name, or from whoever passes its challenge.

use super::{Route, SipRouteEntry};
use serde::{Deserialize, Serialize};
use sip::header::Contact;
use sip::{Host, Request, Transport};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// By what a request is known as the peer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Accept {
    /// The address that it comes from is in `-match`.
    RemoteIp,
    /// The domain in From is in `-match`.
    FromDomain,
    /// The host in Contact is in `-match`.
    ContactDomain,
    /// The host of the Request-URI is in `-match`.
    RequestUri,
    /// As `RemoteIp`, for calls to emergency numbers only.
    Emergency,
    /// Anybody who passes the challenge.
    All,
}

impl Accept {
    pub const EACH: [Accept; 6] = [
        Accept::RemoteIp,
        Accept::FromDomain,
        Accept::ContactDomain,
        Accept::RequestUri,
        Accept::Emergency,
        Accept::All,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Accept::RemoteIp => "REMOTE_IP",
            Accept::FromDomain => "FROM_DOMAIN",
            Accept::ContactDomain => "CONTACT_DOMAIN",
            Accept::RequestUri => "REQUEST_URI",
            Accept::Emergency => "EMERGENCY",
            Accept::All => "ALL",
        }
    }

    /// Whether `-match` holds domains, not addresses.
    pub fn is_by_domain(self) -> bool {
        matches!(self, Accept::FromDomain | Accept::ContactDomain | Accept::RequestUri)
    }
}

impl SipRouteEntry {
    /// Whether a request is the peer's; a route with a challenge has yet to be convinced.
    pub fn accepts(&self, request: &Request, source: IpAddr) -> bool {
        let source = source.to_canonical();
        let host = match self.accept {
            None => return false,
            Some(Accept::RemoteIp | Accept::Emergency) => return self.matches.contains(&source),
            Some(Accept::All) => return self.challenge,
            Some(Accept::FromDomain) => request.from().map(|from| from.uri.host.clone()),
            Some(Accept::ContactDomain) => {
                request.headers.sound::<Contact>().and_then(|contact| Some(contact.uri()?.host.clone()))
            }
            Some(Accept::RequestUri) => Some(request.uri.host.clone()),
        };
        let Some(host) = host else { return false };
        let named = |domain: &String| domain.parse::<Host>().is_ok_and(|domain| domain.same_as(&host));
        self.match_domains.iter().any(named) && (self.challenge || self.addresses().any(|known| known == source))
    }
}

/// The route whose peer sends this by this transport, the lowest priority first. What is to be TLS is never taken by less: an
/// address alone is easily written into a datagram.
pub(crate) fn matched(
    routes: &BTreeMap<u32, Route>,
    request: &Request,
    source: IpAddr,
    transport: Transport,
) -> Option<u32> {
    routes
        .iter()
        .filter_map(|(number, route)| Some((number, route.sip.as_ref()?)))
        .filter(|(_, sip)| sip.transport() != Transport::Tls || transport == Transport::Tls)
        .filter(|(_, sip)| sip.accepts(request, source))
        // Who takes everybody is asked last, whatever its priority.
        .min_by_key(|(number, sip)| (sip.accept == Some(Accept::All), sip.priority(), **number))
        .map(|(number, _)| *number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sip::{Headers, Method, Name};

    fn request() -> Request {
        let mut headers = Headers::new();
        headers.push(Name::From, "<sip:0701234567@sip.operator.example>;tag=1");
        headers.push(Name::Contact, "<sip:0701234567@sbc.operator.example:5070>");
        Request { headers, ..Request::new(Method::Invite, "sip:27000@moon.galaxy".parse().unwrap()) }
    }

    fn by_address(address: &str) -> SipRouteEntry {
        SipRouteEntry {
            accept: Some(Accept::RemoteIp),
            matches: vec![address.parse().unwrap()],
            ..SipRouteEntry::default()
        }
    }

    fn accepts(entry: &SipRouteEntry, source: &str) -> bool {
        entry.accepts(&request(), source.parse().unwrap())
    }

    #[test]
    fn a_source_is_matched_by_address_and_the_lowest_priority_first() {
        let route = |priority, address: &str| Route {
            sip: Some(SipRouteEntry { priority: Some(priority), ..by_address(address) }),
            ..Route::default()
        };
        let routes =
            BTreeMap::from([(1, route(20, "10.0.0.1")), (2, route(10, "10.0.0.1")), (3, route(0, "10.0.0.2"))]);
        let matched = |source: &str| matched(&routes, &request(), source.parse().unwrap(), Transport::Udp);
        assert_eq!(matched("10.0.0.1"), Some(2));
        assert_eq!(matched("::ffff:10.0.0.2"), Some(3), "IPv4 through an IPv6 socket");
        assert_eq!(matched("10.0.0.3"), None);
    }

    #[test]
    fn a_route_by_tls_takes_nothing_in_the_clear() {
        let secure = SipRouteEntry { protocol: Some("tls".into()), ..by_address("10.0.0.1") };
        let mut routes = BTreeMap::from([(1, Route { sip: Some(secure), ..Route::default() })]);
        let by = |routes: &_, transport| matched(routes, &request(), "10.0.0.1".parse().unwrap(), transport);
        assert_eq!(by(&routes, Transport::Tls), Some(1));
        assert_eq!((by(&routes, Transport::Tcp), by(&routes, Transport::Udp)), (None, None));
        // Another route of the same peer may.
        routes.insert(2, Route { sip: Some(by_address("10.0.0.1")), ..Route::default() });
        assert_eq!((by(&routes, Transport::Tls), by(&routes, Transport::Tcp)), (Some(1), Some(2)));
    }

    #[test]
    fn without_accept_a_route_takes_nobodys_calls() {
        assert!(!accepts(&SipRouteEntry { accept: None, ..by_address("10.0.0.1") }, "10.0.0.1"));
    }

    #[test]
    fn a_domain_is_believed_from_the_addresses_of_the_route_or_with_a_challenge_to_come() {
        for (accept, domain) in [
            (Accept::FromDomain, "SIP.operator.example"),
            (Accept::ContactDomain, "sbc.operator.example"),
            (Accept::RequestUri, "moon.galaxy"),
        ] {
            let entry = SipRouteEntry {
                accept: Some(accept),
                match_domains: vec!["elsewhere.example".into(), domain.into()],
                uristring: BTreeMap::from([(0, "sip:?@10.0.0.1".into())]),
                ..SipRouteEntry::default()
            };
            assert!(accepts(&entry, "10.0.0.1"), "{accept:?}");
            assert!(!accepts(&entry, "10.0.0.2"), "{accept:?}: anybody can write a domain");
            assert!(accepts(&SipRouteEntry { challenge: true, ..entry.clone() }, "10.0.0.2"));
            let other = SipRouteEntry { match_domains: vec!["elsewhere.example".into()], ..entry };
            assert!(!accepts(&other, "10.0.0.1"), "{accept:?}");
        }
    }

    #[test]
    fn all_takes_nobody_without_a_challenge_and_is_asked_last() {
        let all = SipRouteEntry { accept: Some(Accept::All), priority: Some(0), ..SipRouteEntry::default() };
        assert!(!accepts(&all, "10.0.0.9"));
        let all = SipRouteEntry { challenge: true, ..all };
        assert!(accepts(&all, "10.0.0.9"));
        let route = |sip| Route { sip: Some(sip), ..Route::default() };
        let routes = BTreeMap::from([(1, route(all)), (2, route(by_address("10.0.0.1")))]);
        assert_eq!(matched(&routes, &request(), "10.0.0.1".parse().unwrap(), Transport::Udp), Some(2));
        assert_eq!(matched(&routes, &request(), "10.0.0.9".parse().unwrap(), Transport::Udp), Some(1));
    }
}
