//! Routes: what is known of a trunk and its peer.

mod profile;
mod supervision;

pub(crate) use profile::{PROFILES, Profile};
pub(crate) use supervision::Supervision;

use serde::{Deserialize, Serialize};
use sip::endpoint::{NextHop, TargetPolicy};
use sip::{Transport, Uri};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// A route as its commands left it: `ROCAI` makes it, the others fill it in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Route {
    /// `ROCAI`'s parameters in printing order, as given.
    pub category: BTreeMap<String, String>,
    pub data: Option<LineType>,
    /// Trunk individuals in order of selection.
    pub trunks: Vec<TrunkEntry>,
    pub sip: Option<SipRouteEntry>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LineType {
    pub line_type: String,
    pub vari: String,
    pub varc: String,
    pub varo: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TrunkEntry {
    pub lim: u32,
    pub sequence: u32,
    #[serde(default)]
    pub equ: String,
    #[serde(default)]
    pub ip: String,
    #[serde(default)]
    pub inddat: String,
    #[serde(default)]
    pub cntrl: String,
}

/// What `sip_route -set` says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct SipRouteEntry {
    pub profile: String,
    pub service: Option<String>,
    /// By type of number.
    pub uristring: BTreeMap<u8, String>,
    pub fromuri: BTreeMap<u8, String>,
    /// 0: by DNS SRV.
    pub remoteport: Option<u16>,
    pub protocol: Option<String>,
    pub proxyip: Option<String>,
    pub proxyport: Option<u16>,
    pub accept: Option<String>,
    #[serde(rename = "match")]
    pub matches: Vec<IpAddr>,
    pub priority: Option<u32>,
    pub codecs: Vec<String>,
    pub mwinumber: Option<String>,
    pub supervise: Option<String>,
    pub supervisetime: Option<u32>,
    pub trusted: Option<String>,
    pub history_redirects: bool,
    pub forced_gateway: Option<bool>,
}

impl SipRouteEntry {
    pub fn profile(&self) -> &'static Profile {
        Profile::named(&self.profile).unwrap_or(Profile::default_profile())
    }

    /// Whether the media of its calls passes the node.
    pub fn is_forced_gateway(&self) -> bool {
        self.forced_gateway.unwrap_or(self.profile().forced_gateway)
    }

    /// The lowest is tried first.
    pub fn priority(&self) -> u32 {
        self.priority.unwrap_or(255)
    }

    /// Whether a request from this address is the peer's (`-accept REMOTE_IP -match …`).
    pub fn accepts(&self, source: IpAddr) -> bool {
        self.accept.as_deref() == Some("REMOTE_IP") && self.matches.contains(&source.to_canonical())
    }
}

/// A URI template with its `?` replaced by a number: `sip:?@192.168.222.4`.
pub(crate) fn fill_in(template: &str, number: &str) -> Option<Uri> {
    let escaped = sip::escape(number, sip::UriPart::User);
    let uri: Uri = template.replacen('?', &escaped, 1).parse().ok()?;
    (uri.scheme == sip::Scheme::Sip).then_some(uri)
}

impl Route {
    /// How many calls it takes at once.
    pub fn individuals(&self) -> usize {
        self.trunks.len()
    }
}

impl SipRouteEntry {
    /// The protocol in use.
    pub fn transport(&self) -> Transport {
        let name = self.protocol.as_deref().unwrap_or(self.profile().protocol);
        Transport::parse(name).unwrap_or(Transport::Udp)
    }

    /// The Request-URI for a number: from `uristring0`, with the port and transport that select its target.
    pub fn request_uri(&self, number: &str) -> Option<Uri> {
        let mut uri = fill_in(self.uristring.get(&0)?, number)?;
        let port = self.remoteport.unwrap_or(self.profile().remoteport);
        // Port 0: the name leads to SRV records, which say the port (RFC 3263 4.2).
        if uri.port.is_none() && port != 0 && port != self.transport().default_port() {
            uri.port = Some(port);
        }
        if !uri.params.has("transport") && self.transport() != Transport::Udp {
            uri = uri.with_transport(self.transport());
        }
        Some(uri)
    }

    /// Where requests go that the Request-URI alone would not lead right: the proxy, or the fixed port of a host that
    /// is known by name (a URI without port would be looked up by SRV, RFC 3263 4.2).
    pub fn next_hop(&self, request_uri: &Uri) -> Option<NextHop> {
        if let Some(proxy) = &self.proxyip {
            let mut uri = Uri::sip_host(proxy.parse().ok()?).with_transport(self.transport());
            uri.port = self.proxyport.or(Some(5060));
            return Some(NextHop::Uri(uri));
        }
        let port = self.remoteport.unwrap_or(self.profile().remoteport);
        if port != 0 && request_uri.port.is_none() && request_uri.host.ip().is_none() {
            return Some(NextHop::Uri(request_uri.clone().with_port(port).with_transport(self.transport())));
        }
        None
    }

    /// How long its targets are waited for.
    pub fn policy(&self) -> TargetPolicy {
        let profile = self.profile();
        TargetPolicy { per_try: profile.next_after, last_try: profile.last_after, ..TargetPolicy::trunk() }
    }

    /// The codecs for its calls, in order of preference.
    pub fn codecs(&self) -> Vec<sdp::Codec> {
        let named: Vec<sdp::Codec> = self.codecs.iter().filter_map(|name| sdp::Codec::from_name(name)).collect();
        if named.is_empty() { vec![sdp::Codec::Pcma, sdp::Codec::Pcmu] } else { named }
    }
}

/// The route whose peer this address is, the lowest priority first.
pub(crate) fn matched(routes: &BTreeMap<u32, Route>, source: IpAddr) -> Option<u32> {
    routes
        .iter()
        .filter_map(|(number, route)| Some((number, route.sip.as_ref()?)))
        .filter(|(_, sip)| sip.accepts(source))
        .min_by_key(|(number, sip)| (sip.priority(), **number))
        .map(|(number, _)| *number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange() -> SipRouteEntry {
        SipRouteEntry {
            profile: "ExchangeUM_TCP".into(),
            uristring: BTreeMap::from([(0, "sip:?@192.168.222.4".into())]),
            accept: Some("REMOTE_IP".into()),
            matches: vec!["192.168.222.4".parse().unwrap()],
            ..SipRouteEntry::default()
        }
    }

    #[test]
    fn the_number_takes_the_place_of_the_question_mark() {
        let uri = exchange().request_uri("43334").unwrap();
        assert_eq!(uri.to_string(), "sip:43334@192.168.222.4;transport=tcp");
        assert_eq!(fill_in("sip:?@h", "*21#").unwrap().to_string(), "sip:*21%23@h");
        assert_eq!(fill_in("mailto:?@h", "1"), None);
        assert_eq!(exchange().next_hop(&uri), None);
    }

    #[test]
    fn remoteport_zero_leaves_the_port_to_srv_and_another_one_fixes_it() {
        let mut route = exchange();
        route.uristring.insert(0, "sip:?@exc-2013-um.moon.galaxy".into());
        let uri = route.request_uri("43334").unwrap();
        assert_eq!(uri.port, None);
        let Some(NextHop::Uri(hop)) = route.next_hop(&uri) else { panic!("no next hop") };
        assert_eq!(hop.port, Some(5060), "the default port is fixed too: address records, no SRV");
        route.remoteport = Some(0);
        assert_eq!(route.next_hop(&route.request_uri("43334").unwrap()), None);
        route.remoteport = Some(5070);
        assert_eq!(route.request_uri("43334").unwrap().port, Some(5070));
    }

    #[test]
    fn a_source_is_matched_by_address_and_the_lowest_priority_first() {
        let route = |priority, address: &str| Route {
            sip: Some(SipRouteEntry {
                priority: Some(priority),
                matches: vec![address.parse().unwrap()],
                ..exchange()
            }),
            ..Route::default()
        };
        let routes =
            BTreeMap::from([(1, route(20, "10.0.0.1")), (2, route(10, "10.0.0.1")), (3, route(0, "10.0.0.2"))]);
        assert_eq!(matched(&routes, "10.0.0.1".parse().unwrap()), Some(2));
        assert_eq!(matched(&routes, "::ffff:10.0.0.2".parse().unwrap()), Some(3), "IPv4 through an IPv6 socket");
        assert_eq!(matched(&routes, "10.0.0.3".parse().unwrap()), None);
    }

    #[test]
    fn without_accept_a_route_takes_nobodys_calls() {
        let mut entry = exchange();
        entry.accept = None;
        assert!(!entry.accepts("192.168.222.4".parse().unwrap()));
    }
}
