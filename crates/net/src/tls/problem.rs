//! What was wrong with a handshake: a kind for machines, and a sentence that says what to mend.

use super::trust::SelfSigned;
use event::TlsProblem;
use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, PeerIncompatible};

/// A handshake that came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failed {
    pub problem: TlsProblem,
    pub reason: String,
}

impl Failed {
    pub fn new(problem: TlsProblem, reason: impl Into<String>) -> Failed {
        Failed { problem, reason: reason.into() }
    }

    /// What rustls, or the socket below it, said.
    pub fn of(error: &std::io::Error) -> Failed {
        let broken = || Failed::new(TlsProblem::Broken, format!("the connection broke in its handshake: {error}"));
        Failed::of_tls(error).unwrap_or_else(broken)
    }

    /// The same when it was TLS that failed, and not the socket.
    pub fn of_tls(error: &std::io::Error) -> Option<Failed> {
        Some(of_tls(error.get_ref()?.downcast_ref::<Error>()?))
    }

    pub fn plain_text() -> Failed {
        let reason = "it speaks plain text on a TLS port: let it use TLS, or the port for TCP (5060)";
        Failed::new(TlsProblem::PlainText, reason)
    }

    pub fn silent(seconds: u64) -> Failed {
        let reason = format!("its handshake was not done in {seconds} s: is there a SIP server with TLS at its end?");
        Failed::new(TlsProblem::Timeout, reason)
    }

    pub fn too_many() -> Failed {
        let reason = "too many of its handshakes are under way: a peer that has to open so many at once belongs among the gateways";
        Failed::new(TlsProblem::TooMany, reason)
    }

    pub fn no_certificate_of_ours() -> Failed {
        let reason = "this port has no certificate yet, or trusts no CA that peers could be known by: import both (mxone_certificate -import, or [tls] in the configuration)";
        Failed::new(TlsProblem::NotConfigured, reason)
    }

    pub fn no_certificate(source: std::net::IpAddr) -> Failed {
        let reason = format!(
            "it shows no certificate, and {source} is the address of a gateway or of a route by TLS, which is known by that: give the peer a certificate of a CA that is trusted here ([tls] trusted)"
        );
        Failed::new(TlsProblem::NoCertificate, reason)
    }

    pub fn wrong_name(expected: &str, presented: &[String]) -> Failed {
        let presented = if presented.is_empty() { "none".to_owned() } else { presented.join(", ") };
        let reason = format!(
            "its certificate is not for {expected}, but for {presented}: give the peer a certificate with that name, or the route or gateway the name that the certificate has (-peername, -CertificateName)"
        );
        Failed::new(TlsProblem::WrongName, reason)
    }
}

fn of_tls(error: &Error) -> Failed {
    let (problem, reason) = match error {
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => return Failed::plain_text(),
        Error::PeerIncompatible(
            PeerIncompatible::Tls12NotOffered
            | PeerIncompatible::Tls12NotOfferedOrEnabled
            | PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
            | PeerIncompatible::SupportedVersionsExtensionRequired
            // What TLS 1.2 brought (RFC 5246 7.4.1.4.1), and older clients do not send.
            | PeerIncompatible::SignatureAlgorithmsExtensionRequired,
        ) => (TlsProblem::OldVersion, "it offers nothing newer than TLS 1.1: enable TLS 1.2 or 1.3 on it".to_owned()),
        Error::AlertReceived(AlertDescription::ProtocolVersion) => {
            (TlsProblem::OldVersion, "it wants another version of TLS than 1.2 or 1.3: enable one of these on it".to_owned())
        }
        Error::PeerIncompatible(other) => {
            (TlsProblem::Incompatible, format!("it has no cipher or key exchange in common with us ({other:?}): enable ECDHE with AES-GCM on it"))
        }
        Error::NoCertificatesPresented => (
            TlsProblem::NoCertificate,
            "it shows no certificate, and this port asks for one: give the peer a certificate of a CA that is trusted here, or set client_certificate".to_owned(),
        ),
        Error::InvalidCertificate(error) => return of_certificate(error),
        Error::AlertReceived(alert) => of_alert(*alert),
        other => (TlsProblem::Broken, format!("the handshake failed: {other}")),
    };
    Failed { problem, reason }
}

fn of_certificate(error: &CertificateError) -> Failed {
    let (problem, reason) = match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            (TlsProblem::Expired, "its certificate has expired: have it renewed".to_owned())
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => (
            TlsProblem::NotYetValid,
            "its certificate is not valid yet: look at the clocks of both machines".to_owned(),
        ),
        CertificateError::UnknownIssuer => (
            TlsProblem::UnknownAuthority,
            "its certificate is signed by a CA that is not trusted here: add that CA's certificate to the trusted ones".to_owned(),
        ),
        CertificateError::Other(inner) if inner.0.downcast_ref::<SelfSigned>().is_some() => (
            TlsProblem::SelfSigned,
            "its certificate is signed by itself: have it signed by a CA that is trusted here, or trust the certificate itself".to_owned(),
        ),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => (
            TlsProblem::Unusable,
            "its certificate was issued for another purpose: it has to be a server's (extended key usage serverAuth)".to_owned(),
        ),
        CertificateError::Revoked => (TlsProblem::Unusable, "its certificate was revoked: have a new one issued".to_owned()),
        other => (TlsProblem::Unusable, format!("its certificate can't be used ({other:?}): have a new one issued")),
    };
    Failed { problem, reason }
}

/// What the peer thinks of us.
fn of_alert(alert: AlertDescription) -> (TlsProblem, String) {
    use AlertDescription as A;
    let ours = |what: &str| (TlsProblem::OursRefused, format!("it refuses our certificate: {what}"));
    match alert {
        A::CertificateRequired => ours("it asks for one, and we have none; import one"),
        A::CertificateExpired => ours("it has expired, or the peer's clock is wrong; put a new one in place"),
        A::UnknownCA => ours("it does not trust the CA that signed it; let the peer trust that CA"),
        A::BadCertificate | A::CertificateUnknown | A::UnsupportedCertificate | A::CertificateRevoked => {
            ours("it does not say why; look at the peer's log")
        }
        A::HandshakeFailure | A::InsufficientSecurity => (
            TlsProblem::Incompatible,
            "it finds no cipher or key exchange in common with us: enable ECDHE with AES-GCM on it".to_owned(),
        ),
        other => (TlsProblem::Broken, format!("it ended the handshake with the alert {other:?}")),
    }
}
