//! Where a call goes on to: call lists and diversions, as one walk without any signalling in it.

mod itinerary;
mod outcome;

pub(crate) use itinerary::{Diverted, Itinerary, Step};
pub(crate) use outcome::Outcome;

/// What kind of caller it is: the three bits of a call list position's origin, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// An extension of this node.
    Internal,
    /// Over a tie line: a route to another private system.
    Private,
    /// From the public network.
    Public,
}

impl Origin {
    /// Whether a position with these bits is for this caller.
    fn is_in(self, bits: &str) -> bool {
        let bit = match self {
            Origin::Internal => bits.as_bytes().first(),
            Origin::Private => bits.as_bytes().get(1),
            Origin::Public => bits.as_bytes().get(2),
        };
        bit == Some(&b'1')
    }
}
