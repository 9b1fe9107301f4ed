//! Session descriptions: audio offer and answer (RFC 3264).
//!
//! Two halves. [`Session`] is the grammar of RFC 8866, read tolerantly (what phones, gateways and UM servers in the
//! field send is rarely all that the RFC asks for) and written strictly. [`offer`], [`answer`], [`accept`] and
//! [`reoffer`] are the model of RFC 3264 for what Earcon talks: one G.711 audio stream with RFC 4733 key events, in the clear or as SRTP
//! with keys by RFC 4568; every other stream is declined in its place.
//!
//! Nothing here panics on what a stranger sends: numbers are checked, sizes capped, addresses that cannot be media
//! addresses refused. No socket, clock or random number is used; session ids, versions and keys are handed in.
//!
//! The grammar is Earcon's own, since the crates at hand refuse a whole description for a line that nobody needs
//! (`t=0`, `b=CT`, a session version past 64 bits).

mod audio;
mod crypto;
mod grammar;
mod negotiate;
mod session;

pub use audio::{Codec, Direction, Payload};
pub use crypto::{Agreed, Crypto, CryptoError, MasterKey, OwnKeys, Security, Suite};
pub use grammar::ParseError;
pub use negotiate::{AnswerError, Local, Negotiated, OfferError, Order, accept, answer, answer_again, offer, reoffer};
pub use session::{Address, Attribute, Media, Origin, Session};
