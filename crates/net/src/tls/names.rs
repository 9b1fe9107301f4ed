//! Whether a peer is who we meant: its certificate against the names that we know it by (RFC 5922 7.2).

use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::ParsedCertificate;
use sip::flow::PeerNames;
use std::net::IpAddr;

/// The name that a handshake asks for (SNI; sessions are kept by it): the first one that is a DNS name, else the address.
pub(crate) fn asked_for(names: &PeerNames, address: IpAddr) -> ServerName<'static> {
    let dns = names.iter().find_map(|name| match ServerName::try_from(name.to_owned()).ok()? {
        dns @ ServerName::DnsName(_) => Some(dns),
        _ => None,
    });
    dns.unwrap_or_else(|| ServerName::from(address))
}

/// Whether the certificate is for one of the names, or, where there is none, for the address. Wildcards count as RFC 6125 6.4.3
/// says: for one label, the leftmost.
pub(crate) fn is_for(certificate: &CertificateDer<'_>, names: &PeerNames, address: IpAddr) -> bool {
    let Ok(parsed) = ParsedCertificate::try_from(certificate) else { return false };
    let is = |name: ServerName<'_>| verify_server_name(&parsed, &name).is_ok();
    let mut named = names.iter().peekable();
    if named.peek().is_none() {
        return is(ServerName::from(address.to_canonical()));
    }
    named.any(|name| ServerName::try_from(name).is_ok_and(is))
}

/// The names, as a sentence has them.
pub(crate) fn in_words(names: &PeerNames, address: IpAddr) -> String {
    let all: Vec<&str> = names.iter().collect();
    if all.is_empty() { address.to_string() } else { all.join(" or ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sip::Text;

    fn certificate(names: &[&str]) -> CertificateDer<'static> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        rcgen::generate_simple_self_signed(names).unwrap().cert.der().clone()
    }

    fn named(names: &[&str]) -> PeerNames {
        names.iter().map(|name| Text::from(*name)).collect()
    }

    #[test]
    fn a_certificate_is_for_its_dns_names_its_addresses_and_one_label_of_a_wildcard() {
        let address: IpAddr = [192, 168, 222, 4].into();
        let um1 = certificate(&["exc-2013-um1.moon.galaxy"]);
        let pool = certificate(&["*.moon.galaxy", "192.168.222.4"]);
        assert!(is_for(&um1, &named(&["exc-2013-um1.moon.galaxy"]), address));
        assert!(is_for(&um1, &named(&["EXC-2013-UM1.moon.galaxy"]), address), "names have no case");
        assert!(!is_for(&um1, &named(&["exc-2013-um2.moon.galaxy"]), address));
        assert!(!is_for(&um1, &named(&[]), address), "an address that the certificate does not have");
        assert!(is_for(&pool, &named(&["exc-2013-um2.moon.galaxy"]), address));
        assert!(!is_for(&pool, &named(&["mx-one.lab.moon.galaxy"]), address), "two labels");
        assert!(!is_for(&pool, &named(&["moon.galaxy"]), address), "no label");
        assert!(is_for(&pool, &named(&[]), address));
        assert!(!is_for(&pool, &named(&[]), [192, 168, 222, 5].into()));
        // A route's peer name counts beside the host that a redirect led to.
        assert!(is_for(&um1, &named(&["um.elsewhere", "exc-2013-um1.moon.galaxy"]), address));
        assert!(is_for(&pool, &named(&["192.168.222.4"]), [10, 0, 0, 1].into()), "an address as the peer's name");
    }

    #[test]
    fn a_handshake_asks_for_a_dns_name_where_there_is_one() {
        let address: IpAddr = [192, 168, 222, 4].into();
        assert_eq!(asked_for(&named(&["um.moon.galaxy"]), address).to_str(), "um.moon.galaxy");
        assert_eq!(asked_for(&named(&["192.168.222.9"]), address).to_str(), "192.168.222.4");
        assert_eq!(asked_for(&named(&[]), address).to_str(), "192.168.222.4");
    }
}
