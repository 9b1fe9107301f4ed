//! Whose media is encrypted: `media_encryption_enable` for routes and extensions.

use super::call::PartyKind;
use crate::core::Core;
use crate::system::{Encryption, Traffic};
use rand::Rng;
use sdp::{Codec, Local, OfferError, OwnKeys, Security, Session, Suite};
use sip::header::Warning;

/// Whether a party's media is encrypted. On routes: of those over TLS, and of those whose profile is made for SRTP. Keys
/// that travel in the clear protect nothing (RFC 4568 7), so a trunk over UDP or TCP is left as it is.
pub(super) fn policy(core: &Core, kind: &PartyKind) -> Option<Encryption> {
    let configuration = &core.configuration;
    let traffic = match kind {
        PartyKind::Extension(_) => Traffic::Extension,
        PartyKind::Route(route) => {
            configuration.routes.get(route)?.sip.as_ref().filter(|sip| sip.may_be_encrypted())?;
            Traffic::Route
        }
    };
    configuration.system.encryption(traffic)
}

/// The same, with fresh keys.
pub(super) fn security(core: &mut Core, kind: &PartyKind) -> Security {
    let Some(encryption) = policy(core, kind) else { return Security::Clear };
    let keys = OwnKeys::draw(&Suite::ALL, |bytes| core.keys.fill_bytes(bytes));
    match encryption {
        Encryption::Required => Security::Required(keys),
        Encryption::BestEffort => Security::BestEffort(keys),
    }
}

/// Whether an offer of that party can be answered; `Err` names what is wrong with it.
pub(super) fn check(core: &Core, kind: &PartyKind, offer: &Session, codecs: &[Codec]) -> Result<(), OfferError> {
    // No packet is ever encrypted with these.
    let keys = || OwnKeys::draw(&Suite::ALL, |_| ());
    let security = match policy(core, kind) {
        None => Security::Clear,
        Some(Encryption::Required) => Security::Required(keys()),
        Some(Encryption::BestEffort) => Security::BestEffort(keys()),
    };
    let local = Local { codecs: codecs.to_vec(), security, ..Local::new(std::net::Ipv4Addr::LOCALHOST.into(), 9, 0) };
    sdp::answer(offer, &local).map(|_| ())
}

/// Whether it is for want of encryption that an offer is refused.
pub(super) fn is_about_encryption(error: OfferError) -> bool {
    matches!(error, OfferError::Unsecured | OfferError::NoCryptoLine | OfferError::NoCrypto(_))
}

/// A Warning header that says why (RFC 3261 20.43).
pub(super) fn warning(core: &Core, text: &str) -> String {
    Warning { code: 399, agent: core.host.to_string().into(), text: text.into() }.to_string()
}
