//! What a certificate says of itself, for people: whose it is, for which names, until when.

use std::net::IpAddr;
use time::macros::format_description;
use time::{Duration, OffsetDateTime};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate, X509Name};

/// How long before its end a certificate is warned of.
pub const SOON: Duration = Duration::days(30);

/// A certificate as it is shown. Everything in it is what its issuer wrote: text for people, not proof of anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateInfo {
    /// Its common name, or else the whole distinguished name.
    pub subject: String,
    /// The same of who signed it.
    pub issuer: String,
    /// Subject alternative names: DNS names and IP addresses.
    pub names: Vec<String>,
    /// The first second that it is good for.
    pub not_before: OffsetDateTime,
    /// The last one.
    pub not_after: OffsetDateTime,
    /// It may sign others.
    pub is_ca: bool,
    /// Subject and issuer are the same.
    pub is_self_signed: bool,
}

impl CertificateInfo {
    /// Nothing for a damaged certificate.
    pub fn read(der: &[u8]) -> Option<CertificateInfo> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let alternative = certificate.subject_alternative_name().ok().flatten();
        let names = alternative.map(|extension| extension.value.general_names.iter().filter_map(shown).collect());
        Some(CertificateInfo {
            subject: common_name(certificate.subject()),
            issuer: common_name(certificate.issuer()),
            names: names.unwrap_or_default(),
            not_before: time_of(certificate.validity().not_before.timestamp())?,
            not_after: time_of(certificate.validity().not_after.timestamp())?,
            is_ca: certificate.is_ca(),
            is_self_signed: certificate.subject().as_raw() == certificate.issuer().as_raw(),
        })
    }

    /// Its end, when that is near or past: in words.
    pub fn warning(&self, now: OffsetDateTime) -> Option<String> {
        if self.not_after.saturating_sub(SOON) > now {
            return None;
        }
        let verb = if self.not_after > now { "expires" } else { "expired" };
        Some(format!("it {verb} at {}: put a new certificate and its key in their place", date(self.not_after)))
    }

    /// The last day, in words.
    pub fn end(&self) -> String {
        date(self.not_after)
    }
}

pub(super) fn date(at: OffsetDateTime) -> String {
    at.format(format_description!("[year]-[month]-[day] [hour]:[minute] UTC")).unwrap_or_default()
}

fn time_of(seconds: i64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(seconds).ok()
}

fn shown(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        // RFC 5280 4.2.1.6: four or sixteen bytes.
        GeneralName::IPAddress(bytes) => {
            let v4 = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
            let address = v4.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from)).ok()?;
            Some(address.to_string())
        }
        _ => None,
    }
}

fn common_name(name: &X509Name<'_>) -> String {
    let common = name.iter_common_name().next().and_then(|name| name.as_str().ok());
    common.map_or_else(|| name.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_says_whose_it_is_for_which_names_and_until_when() {
        let names = ["mx-one-lync.lab.moon.galaxy".to_owned(), "192.168.222.10".to_owned()];
        let mut parameters = rcgen::CertificateParams::new(names.clone()).unwrap();
        parameters.distinguished_name.push(rcgen::DnType::CommonName, "mx-one");
        for (year, month, day) in [(2031, 7, 9), (2055, 1, 2)] {
            parameters.not_after = rcgen::date_time_ymd(year, month, day);
            let key = rcgen::KeyPair::generate().unwrap();
            let info = CertificateInfo::read(parameters.self_signed(&key).unwrap().der()).unwrap();
            assert_eq!((info.subject.as_str(), info.issuer.as_str()), ("mx-one", "mx-one"));
            assert_eq!(info.names, names);
            assert_eq!(info.end(), format!("{year}-{month:02}-{day:02} 00:00 UTC"));
            assert!(info.is_self_signed && !info.is_ca);
            let days = |days| info.not_after - Duration::days(days);
            assert_eq!(info.warning(days(31)), None);
            assert!(info.warning(days(29)).unwrap().contains("it expires at"));
            assert!(info.warning(days(-1)).unwrap().contains("it expired at"));
        }
    }

    #[test]
    fn a_damaged_certificate_says_nothing() {
        let certificate = rcgen::generate_simple_self_signed(["x".to_owned()]).unwrap();
        let good = certificate.cert.der();
        for length in 0..good.len().min(200) {
            // Cut off anywhere, or with any byte turned: an answer or none, and no panic.
            CertificateInfo::read(&good[..length]);
            let mut bad = good.to_vec();
            bad[length] ^= 0xff;
            CertificateInfo::read(&bad);
        }
        assert_eq!(CertificateInfo::read(&[]), None);
        assert_eq!(CertificateInfo::read(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
    }
}
