//! What `sip_route -set` says of a route, and what follows from it for calls that go out.

use super::accept::Accept;
use super::context::{Context, shorten};
use super::profile::Profile;
use crate::diversion::Origin;
use serde::{Deserialize, Serialize};
use sip::endpoint::{NextHop, TargetPolicy};
use sip::flow::PeerNames;
use sip::{Headers, Host, Name, NameAddr, Text, Transport, Uri};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

/// The settings as given; what was left out is the profile's, or the default that the methods say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct SipRouteEntry {
    pub profile: String,
    pub service: Option<Service>,
    /// By type of number.
    pub uristring: BTreeMap<u8, String>,
    pub fromuri: BTreeMap<u8, String>,
    /// 0: by DNS SRV.
    pub remoteport: Option<u16>,
    pub protocol: Option<String>,
    pub proxyip: Option<String>,
    pub proxyport: Option<u16>,
    /// Route URIs, in order.
    pub routeset: Vec<String>,
    /// `Name: value`, in order.
    pub addheader: Vec<String>,
    pub remotetelip: Option<String>,
    pub rexstring: Option<String>,
    pub rexfromuri: Option<String>,
    pub accept: Option<Accept>,
    /// Addresses, for `-accept` by address.
    #[serde(rename = "match")]
    pub matches: Vec<IpAddr>,
    /// Domains, for `-accept` by domain.
    pub match_domains: Vec<String>,
    pub priority: Option<u32>,
    /// Whose numbers these are, by type of number: the called's (b) and the caller's (a).
    pub contextb: BTreeMap<u8, Context>,
    pub contexta: BTreeMap<u8, Context>,
    pub codecs: Vec<String>,
    pub mwinumber: Option<String>,
    pub handleasexn: bool,
    pub challenge: bool,
    pub sosanumber: Option<String>,
    /// `None`: the profile's.
    pub register: Option<bool>,
    pub registerstring: Option<String>,
    pub registerport: Option<u16>,
    pub numbers: Vec<String>,
    pub timer: Option<u32>,
    pub localdomain: Option<String>,
    /// The name that the peer's certificate may have where the route dials an address.
    pub peername: Option<String>,
    pub realm: Option<String>,
    pub authname: Option<String>,
    /// The password, sealed with the key file.
    #[serde(rename = "sealed")]
    pub password: Option<String>,
    /// `None`: the profile's.
    pub trust: Option<bool>,
    pub supervise: Option<String>,
    pub supervisetime: Option<u32>,
    pub history_redirects: bool,
    pub forced_gateway: Option<bool>,
    /// Seconds, as the three below; `None`: the profile's.
    pub next_target_after: Option<u32>,
    pub last_target_after: Option<u32>,
    /// 0: without limit.
    pub progress_after: Option<u32>,
    /// 0: nobody is passed over. `None`: 32.
    pub grey_time: Option<u32>,
}

/// What kind of network is behind a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Service {
    PrivateServices,
    PublicServices,
}

/// The types of a number that goes out (ADC), which choose among `uristring0-7` and `fromuri0-7`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct NumberTypes {
    pub called: u8,
    pub calling: u8,
}

/// A URI template with its `?` replaced by a number: `sip:?@192.168.222.4`.
pub(crate) fn fill_in(template: &str, number: &str) -> Option<Uri> {
    let escaped = sip::escape(number, sip::UriPart::User);
    let uri: Uri = template.replacen('?', &escaped, 1).parse().ok()?;
    uri.is_sip().then_some(uri)
}

impl Service {
    pub fn name(self) -> &'static str {
        match self {
            Service::PrivateServices => "PRIVATE_SERVICES",
            Service::PublicServices => "PUBLIC_SERVICES",
        }
    }
}

impl SipRouteEntry {
    pub fn profile(&self) -> &'static Profile {
        Profile::named(&self.profile).unwrap_or(Profile::default_profile())
    }

    /// Whether the media of its calls passes the node.
    pub fn is_forced_gateway(&self) -> bool {
        self.forced_gateway.unwrap_or(self.profile().forced_gateway)
    }

    /// Whether `media_encryption_enable -type route` is about this one.
    pub fn may_be_encrypted(&self) -> bool {
        self.transport() == Transport::Tls || self.profile().srtp
    }

    /// Whether the peer's word about identities and diversions is taken, and ours given to it (RFC 3325 6).
    pub fn is_trusted(&self) -> bool {
        self.trust.unwrap_or(self.profile().trusted)
    }

    pub fn registers(&self) -> bool {
        self.register.unwrap_or(self.profile().register)
    }

    pub fn service(&self) -> Service {
        let own = if self.profile().public { Service::PublicServices } else { Service::PrivateServices };
        self.service.unwrap_or(own)
    }

    /// What kind of caller comes in by it, for the origins of call lists.
    pub fn origin(&self) -> Origin {
        match self.service() {
            _ if self.handleasexn => Origin::Internal,
            Service::PrivateServices => Origin::Private,
            Service::PublicServices => Origin::Public,
        }
    }

    /// The lowest is tried first.
    pub fn priority(&self) -> u32 {
        self.priority.unwrap_or(255)
    }

    /// The protocol in use.
    pub fn transport(&self) -> Transport {
        let name = self.protocol.as_deref().unwrap_or(self.profile().protocol);
        Transport::parse(name).unwrap_or(Transport::Udp)
    }

    fn port(&self) -> u16 {
        self.remoteport.unwrap_or(self.profile().remoteport)
    }

    /// The Request-URI for a number: from the `uristring` of its type, else `uristring0`, with the port and transport that
    /// select its target.
    /// `rexstring` goes before them in calls to mobile telephones.
    pub fn request_uri(&self, number: &str, types: NumberTypes, mobile: bool) -> Option<Uri> {
        let own = self.rexstring.as_ref().filter(|_| mobile);
        let template = own.or_else(|| self.uristring.get(&types.called)).or_else(|| self.uristring.get(&0))?;
        Some(self.complete(fill_in(template, number)?))
    }

    /// A URI of this route's peer with the port and transport that it is reached by.
    fn complete(&self, mut uri: Uri) -> Uri {
        let port = self.port();
        // Port 0: the name leads to SRV records, which say the port (RFC 3263 4.2).
        if uri.port.is_none() && port != 0 && port != self.transport().default_port() {
            uri.port = Some(port);
        }
        // A sips URI is by TLS, and needs no word for it (RFC 3261 26.2.2).
        if !uri.params.has("transport") && self.transport() != Transport::Udp && !uri.is_sips() {
            uri = uri.with_transport(self.transport());
        }
        uri
    }

    /// What stands for a calling number in From: the `fromuri` of its type, else `fromuri0`, else the number at the node's
    /// domain. What the template puts before the number completes the node's own numbers only: a number from outside is
    /// complete already. `rexfromuri` goes before them in calls to mobile telephones.
    pub fn calling_uri(&self, number: &str, own_number: bool, types: NumberTypes, mobile: bool, domain: &Host) -> Uri {
        let plain = || Uri::sip(number, domain.clone());
        let own = self.rexfromuri.as_ref().filter(|_| mobile);
        let template = own.or_else(|| self.fromuri.get(&types.calling)).or_else(|| self.fromuri.get(&0));
        let Some(template) = template else { return plain() };
        let filled = if own_number || !template.contains('?') {
            fill_in(template, number)
        } else {
            let (scheme, rest) = template.split_once(':').unwrap_or(("sip", template));
            let (_, rest) = rest.split_once('?').unwrap_or(("", rest));
            fill_in(&format!("{scheme}:?{rest}"), number)
        };
        filled.unwrap_or_else(plain)
    }

    /// The domain that stands for the node on this route.
    pub fn domain(&self, own: &Host) -> Host {
        self.localdomain.as_deref().and_then(|domain| domain.parse().ok()).unwrap_or_else(|| own.clone())
    }

    /// Where requests go that the Request-URI alone would not lead right: the proxy, or the fixed port of a host that
    /// is known by name (a URI without port would be looked up by SRV, RFC 3263 4.2). A route set goes before both.
    pub fn next_hop(&self, request_uri: &Uri) -> Option<NextHop> {
        if let Some(proxy) = &self.proxyip {
            let mut uri = Uri::sip_host(proxy.parse().ok()?).with_transport(self.transport());
            uri.port = self.proxyport.or(Some(self.transport().default_port()));
            return Some(NextHop::Uri(uri));
        }
        if !self.routeset.is_empty() {
            return None;
        }
        let port = self.port();
        if port != 0 && request_uri.port.is_none() && request_uri.host.ip().is_none() {
            return Some(NextHop::Uri(request_uri.clone().with_port(port).with_transport(self.transport())));
        }
        None
    }

    /// The preloaded route set (RFC 3261 8.1.1.1), as checked when it was set.
    pub fn route(&self) -> Vec<NameAddr> {
        let each = self.routeset.iter().filter_map(|uri| Some(NameAddr::new(uri.parse().ok()?)));
        each.collect()
    }

    /// Appends what `-addheader` says.
    pub fn add_headers(&self, headers: &mut Headers) {
        for line in &self.addheader {
            if let Some((name, value)) = line.split_once(':') {
                headers.push(Name::from(name.trim()), Text::from(value.trim()));
            }
        }
    }

    /// How long its targets are waited for.
    pub fn policy(&self) -> TargetPolicy {
        let profile = self.profile();
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        let trunk = TargetPolicy::trunk();
        TargetPolicy {
            per_try: self.next_target_after.map_or(profile.next_after, seconds),
            last_try: self.last_target_after.map_or(profile.last_after, seconds),
            progress: self.progress_after.map_or(profile.progress_after, |limit| (limit > 0).then(|| seconds(limit))),
            grey_list: self.grey_time != Some(0),
            grey_for: self.grey_time.map_or(trunk.grey_for, seconds),
            ..trunk
        }
    }

    /// The codecs for its calls, in order of preference.
    pub fn codecs(&self) -> Vec<sdp::Codec> {
        let named: Vec<sdp::Codec> = self.codecs.iter().filter_map(|name| sdp::Codec::from_name(name)).collect();
        if named.is_empty() { vec![sdp::Codec::Pcma, sdp::Codec::Pcmu] } else { named }
    }

    /// The called number of a call that comes in, as it is dialled here.
    pub fn called_number(&self, uri: &Uri) -> Option<String> {
        shorten(&self.contextb, uri)
    }

    /// The caller's number, as it is shown here.
    pub fn calling_number(&self, uri: &Uri) -> Option<String> {
        shorten(&self.contexta, uri)
    }

    /// Whom its peers' certificates must be for (RFC 5922): the names that it dials, and `peername`. Without any: their address.
    pub fn peer_names(&self) -> PeerNames {
        let hosts = self.uristring.values().filter_map(|template| fill_in(template, "0")).map(|uri| uri.host);
        let names = hosts.filter(|host| host.ip().is_none()).map(|host| Text::from(host.to_string()));
        names.chain(self.peername.as_deref().map(Text::from)).collect()
    }

    /// The addresses that its settings name: where its peer is, without asking DNS.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        let hosts = self.uristring.values().filter_map(|template| fill_in(template, "0")).map(|uri| uri.host);
        let proxy = self.proxyip.iter().filter_map(|proxy| proxy.parse::<Host>().ok());
        self.matches.iter().copied().chain(hosts.chain(proxy).filter_map(|host| host.ip()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange() -> SipRouteEntry {
        SipRouteEntry {
            profile: "ExchangeUM_TCP".into(),
            uristring: BTreeMap::from([(0, "sip:?@192.168.222.4".into())]),
            ..SipRouteEntry::default()
        }
    }

    fn uri(route: &SipRouteEntry, number: &str) -> Uri {
        route.request_uri(number, NumberTypes::default(), false).unwrap()
    }

    #[test]
    fn the_number_takes_the_place_of_the_question_mark() {
        let uri = uri(&exchange(), "43334");
        assert_eq!(uri.to_string(), "sip:43334@192.168.222.4;transport=tcp");
        assert_eq!(fill_in("sip:?@h", "*21#").unwrap().to_string(), "sip:*21%23@h");
        assert_eq!(fill_in("mailto:?@h", "1"), None);
        assert_eq!(exchange().next_hop(&uri), None);
    }

    #[test]
    fn remoteport_zero_leaves_the_port_to_srv_and_another_one_fixes_it() {
        let mut route = exchange();
        route.uristring.insert(0, "sip:?@exc-2013-um.moon.galaxy".into());
        let first = uri(&route, "43334");
        assert_eq!(first.port, None);
        let Some(NextHop::Uri(hop)) = route.next_hop(&first) else { panic!("no next hop") };
        assert_eq!(hop.port, Some(5060), "the default port is fixed too: address records, no SRV");
        route.remoteport = Some(0);
        assert_eq!(route.next_hop(&uri(&route, "43334")), None);
        route.remoteport = Some(5070);
        assert_eq!(uri(&route, "43334").port, Some(5070));
    }

    #[test]
    fn the_type_of_a_number_chooses_its_uri_and_type_0_stands_for_those_that_have_none() {
        let mut route = exchange();
        route.uristring.insert(1, "sip:+?@192.168.222.4".into());
        let of_type = |called| route.request_uri("46855527000", NumberTypes { called, calling: 0 }, false).unwrap();
        assert_eq!(of_type(1).user.as_deref(), Some("+46855527000"));
        assert_eq!(of_type(2).user.as_deref(), Some("46855527000"));
    }

    #[test]
    fn fromuri_completes_own_numbers_and_leaves_those_from_outside_as_they_are() {
        let mut route = exchange();
        let domain: Host = "moon.galaxy".parse().unwrap();
        let from = |route: &SipRouteEntry, number: &str, own, calling| {
            route.calling_uri(number, own, NumberTypes { called: 0, calling }, false, &domain).to_string()
        };
        assert_eq!(from(&route, "27000", true, 0), "sip:27000@moon.galaxy");
        route.fromuri.insert(0, "sip:+468555?@operator.example;user=phone".into());
        assert_eq!(from(&route, "27000", true, 0), "sip:+46855527000@operator.example;user=phone");
        assert_eq!(from(&route, "0701234567", false, 0), "sip:0701234567@operator.example;user=phone");
        route.fromuri.insert(2, "sip:0855527000@operator.example".into());
        assert_eq!(from(&route, "27001", true, 2), "sip:0855527000@operator.example", "one number for all");
        assert_eq!(from(&route, "0701234567", false, 2), "sip:0855527000@operator.example");
    }

    #[test]
    fn a_public_trunk_is_neither_believed_nor_told() {
        let route = SipRouteEntry { profile: "publictrunk_register_udp".into(), ..SipRouteEntry::default() };
        assert!(!route.is_trusted() && route.registers() && route.is_forced_gateway());
        assert_eq!((route.service(), route.origin()), (Service::PublicServices, Origin::Public));
        let route = SipRouteEntry { handleasexn: true, ..route };
        assert_eq!(route.origin(), Origin::Internal);
    }

    #[test]
    fn tls_has_its_port() {
        let mut route = exchange();
        route.profile = "ExchangeUM_TLS_SRTP".into();
        let uri = uri(&route, "43334");
        assert_eq!((route.transport(), uri.port), (Transport::Tls, None), "5061 is the default of TLS");
    }
}
