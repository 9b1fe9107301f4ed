//! Offer and answer (RFC 3264) for one G.711 audio stream with key events.

use std::net::{IpAddr, SocketAddr};

use crate::audio::{Codec, Direction, Payload};
use crate::crypto::{Agreed, CryptoError, Security};
use crate::session::{Address, Attribute, Media, Origin, Session};

/// What RFC 4733 events are declared: the sixteen keys.
const KEYS: &str = "0-15,36";
/// Packet length when nobody says otherwise, in milliseconds (RFC 3551 4.2).
const DEFAULT_PTIME_MS: u16 = 20;

/// Our side of the stream, as it is put in offers and answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Local {
    pub addr: IpAddr,
    pub port: u16,
    /// In order of preference; what is not in it is neither offered nor taken.
    pub codecs: Vec<Codec>,
    /// The payload type we offer for RFC 4733 events (96 to 127, 101 by custom); `None`: neither offered nor taken.
    pub dtmf: Option<u8>,
    pub direction: Direction,
    /// Session id for `o=`: one number for the whole dialog.
    pub session: u64,
    /// Version for `o=`; of an answer or offer within a dialog, see [`Session::follow`].
    pub version: u64,
    /// Milliseconds a packet that we ask for.
    pub ptime_ms: u16,
    /// Whose order of codecs counts when we answer.
    pub order: Order,
    /// Whether the stream is encrypted, and our keys for it.
    pub security: Security,
}

/// Whose preference chooses among the codecs that both have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The first of [`Local::codecs`] that is in the offer.
    Ours,
    /// The first of the offer that is in [`Local::codecs`] (RFC 3264 6.1 recommends this one).
    Theirs,
}

impl Local {
    /// Both G.711 laws, A-law first, key events, both ways, 20 ms.
    pub fn new(addr: IpAddr, port: u16, session: u64) -> Local {
        Local {
            addr,
            port,
            codecs: vec![Codec::Pcma, Codec::Pcmu],
            dtmf: Some(101),
            direction: Direction::SendRecv,
            session,
            version: session,
            ptime_ms: DEFAULT_PTIME_MS,
            order: Order::Theirs,
            security: Security::Clear,
        }
    }
}

/// What both sides agreed on, as the media engine needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Negotiated {
    /// Where RTP goes. Port 0: the stream is declined; nothing flows.
    pub remote: SocketAddr,
    /// Where RTCP goes: `a=rtcp` (RFC 3605), else the port above RTP's.
    pub rtcp: SocketAddr,
    pub codec: Codec,
    /// The payload type to send `codec` with.
    pub payload_type: u8,
    /// The payload type on which `codec` comes in.
    pub payload_type_receive: u8,
    /// The payload type to send key events with; `None`: the peer takes none.
    pub dtmf: Option<u8>,
    /// The payload type on which the peer's key events come in.
    pub dtmf_receive: Option<u8>,
    /// Ours: whether we send, and whether we receive.
    pub direction: Direction,
    /// Milliseconds of audio in each packet we send.
    pub ptime_ms: u16,
    /// The peer keeps us on hold: it does not want to hear us now.
    pub held: bool,
    /// The keys of SRTP; `None`: RTP in the clear.
    pub srtp: Option<Agreed>,
}

/// Why an offer cannot be answered. All of them are a 488 (RFC 3261 21.4.26) with the text in a Warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OfferError {
    /// No stream in it is audio over RTP.
    #[error("the offer has no audio stream")]
    NoAudio,
    /// Audio only as SRTP, where the call has to be in the clear.
    #[error("the offer has secured audio only")]
    Secured,
    /// Audio in the clear only, where the call has to be secured.
    #[error("the offer has audio in the clear only, and SRTP is required here")]
    Unsecured,
    /// Secured audio without any `a=crypto` line (DTLS-SRTP, MIKEY).
    #[error("the offer has secured audio without a crypto line that could be taken")]
    NoCryptoLine,
    /// Secured audio whose `a=crypto` lines are all of no use; what is wrong with the first.
    #[error("the offer has no usable crypto line: {0}")]
    NoCrypto(CryptoError),
    /// No `c=` line for the stream.
    #[error("the offer has no connection address")]
    NoAddress,
    /// A host name, or an address that no single peer can have (multicast, broadcast).
    #[error("the offer's connection address is not usable")]
    BadAddress,
    /// Neither side's list holds a codec of the other's.
    #[error("the offer and this side have no codec in common")]
    NoCodec,
}

/// Why an answer is no answer to what we offered. The call cannot go on: ACK it, then BYE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// It has no audio stream, or more streams than were offered.
    #[error("the answer has no audio stream")]
    NoAudio,
    /// Our audio stream was declined: port 0.
    #[error("the answer declines the audio stream")]
    Declined,
    /// It answers in another transport than was offered.
    #[error("the answer's transport is not what was offered")]
    Transport,
    /// It takes SRTP and names no key.
    #[error("the answer has no crypto line")]
    NoCryptoLine,
    /// Its `a=crypto` line is none of those that were offered, or says nothing usable.
    #[error("the answer's crypto line does not fit: {0}")]
    NoCrypto(CryptoError),
    /// No usable `c=` line for the stream.
    #[error("the answer's connection address is not usable")]
    BadAddress,
    /// None of the codecs that we offered.
    #[error("the answer has no codec that was offered")]
    NoCodec,
}

/// An offer of our side: one audio stream.
pub fn offer(local: &Local) -> Session {
    let payloads: Vec<(u8, Codec)> = local.codecs.iter().map(|codec| (codec.static_payload(), *codec)).collect();
    let protocol = if matches!(local.security, Security::Required(_)) { "RTP/SAVP" } else { "RTP/AVP" };
    let mut media = stream(local, protocol, &payloads, local.dtmf, local.direction);
    media.attributes.extend(local.security.keys().into_iter().flat_map(|keys| keys.attributes()));
    describe(local, vec![media])
}

/// An offer within a dialog, `previous` being our last description in it. Streams keep their places: RFC 3264 8 wants
/// no fewer than before; those that are not ours stay declined.
pub fn reoffer(local: &Local, previous: &Session) -> Session {
    let mut fresh = offer(local);
    let own = fresh.media.pop();
    let place = previous.audio().map(|(index, _)| index);
    let mut own = own.into_iter();
    for (index, media) in previous.media.iter().enumerate() {
        let next = if Some(index) == place { own.next() } else { None };
        fresh.media.push(next.unwrap_or_else(|| media.declined()));
    }
    fresh.media.extend(own);
    fresh.follow(previous);
    fresh
}

/// Answers an offer (RFC 3264 6): its first usable audio stream is taken, with exactly one codec, so that the peer
/// cannot change it in mid-stream; all others are declined in their places.
///
/// An audio stream that the offer itself declines (port 0, RFC 3264 8.2) is answered so, and `remote` has port 0.
///
/// # Errors
/// [`OfferError`]: nothing in the offer can be taken.
pub fn answer(offer: &Session, local: &Local) -> Result<(Session, Negotiated), OfferError> {
    let mut refusal = OfferError::NoAudio;
    let mut taken = None;
    let mut declined_by_peer = None;
    for (index, media) in offer.media.iter().enumerate().filter(|(_, media)| media.is_rtp_audio()) {
        if media.port == 0 {
            declined_by_peer.get_or_insert(index);
            continue;
        }
        match take(offer, media, local) {
            Ok((negotiated, key)) => {
                taken = Some((index, negotiated, key));
                break;
            }
            Err(error) => refusal = error,
        }
    }
    let mut media: Vec<Media> = offer.media.iter().map(Media::declined).collect();
    match (taken, declined_by_peer) {
        (Some((index, negotiated, key)), _) => {
            if let (Some(place), Some(offered)) = (media.get_mut(index), offer.media.get(index)) {
                let payloads = [(negotiated.payload_type_receive, negotiated.codec)];
                *place = stream(local, &offered.protocol, &payloads, negotiated.dtmf_receive, negotiated.direction);
                place.attributes.extend(key);
            }
            Ok((describe(local, media), negotiated))
        }
        (None, Some(_)) if refusal == OfferError::NoAudio => Ok((describe(local, media), nothing(local))),
        (None, _) => Err(refusal),
    }
}

/// Answers an offer within a dialog in which `before` was agreed. A peer that changes its key gets a new one of ours,
/// drawn from `random`: both directions begin anew then, whichever way the peer counts its packets over such a change.
///
/// # Errors
/// [`OfferError`]: nothing in the offer can be taken; what was agreed holds.
pub fn answer_again(
    offer: &Session,
    local: &mut Local,
    before: Option<&Agreed>,
    random: impl FnMut(&mut [u8]),
) -> Result<(Session, Negotiated), OfferError> {
    let answered = answer(offer, local)?;
    match (before, &answered.1.srtp) {
        (Some(before), Some(now)) if (before.suite, before.receive) != (now.suite, now.receive) => {
            local.security.redraw(random);
            answer(offer, local)
        }
        _ => Ok(answered),
    }
}

/// Reads the answer to an offer that [`offer`] or [`reoffer`] made of `local`.
///
/// # Errors
/// [`AnswerError`]: the answer leaves no stream.
pub fn accept(local: &Local, answer: &Session) -> Result<Negotiated, AnswerError> {
    let (_, media) = answer.audio().ok_or(AnswerError::NoAudio)?;
    if media.port == 0 {
        return Err(AnswerError::Declined);
    }
    let srtp = match &local.security {
        // RFC 4568 5.1.3: the answer is of the profile that was offered.
        Security::Required(_) if !media.is_secured() => return Err(AnswerError::Transport),
        Security::Clear | Security::BestEffort(_) if media.is_secured() => return Err(AnswerError::Transport),
        Security::Clear => None,
        Security::BestEffort(_) if media.cryptos().next().is_none() => None,
        Security::Required(keys) | Security::BestEffort(keys) => {
            let taken = keys.taken(media);
            Some(taken.map_err(|error| error.map_or(AnswerError::NoCryptoLine, AnswerError::NoCrypto))?)
        }
    };
    let (remote, silenced) = remote(answer, media).map_err(|_| AnswerError::BadAddress)?;
    // RFC 3264 6.1: the answer's first codec is the one it will use; ours was the list it chose from.
    let chosen = choose(media, local, Order::Theirs).ok_or(AnswerError::NoCodec)?;
    let event = media.payloads().find(Payload::is_telephone_event).map(|payload| payload.number);
    let mut negotiated = agreed(answer, media, local, remote, silenced, chosen);
    // RFC 3264 5.1: what comes in bears the numbers of our offer, what goes out those of the answer.
    negotiated.payload_type_receive = chosen.1.static_payload();
    negotiated.dtmf = event.filter(|_| local.dtmf.is_some());
    negotiated.dtmf_receive = local.dtmf.filter(|_| event.is_some());
    negotiated.srtp = srtp;
    Ok(negotiated)
}

/// Takes a stream of an offer; with it the `a=crypto` line for the answer, if it is SRTP.
fn take(offer: &Session, media: &Media, local: &Local) -> Result<(Negotiated, Option<Attribute>), OfferError> {
    let (key, srtp) = secure(media, &local.security)?.unzip();
    let (remote, silenced) = remote(offer, media)?;
    let chosen = choose(media, local, local.order).ok_or(OfferError::NoCodec)?;
    let mut negotiated = agreed(offer, media, local, remote, silenced, chosen);
    // RFC 4733 2.5.1, RFC 3264 6.1: the answer keeps the offer's number, so it serves both ways.
    let event = media.payloads().find(Payload::is_telephone_event).map(|payload| payload.number);
    negotiated.dtmf = event.filter(|_| local.dtmf.is_some());
    negotiated.dtmf_receive = negotiated.dtmf;
    negotiated.srtp = srtp;
    Ok((negotiated, key))
}

/// Our `a=crypto` line for the answer and what both encrypt with; `None`: the stream stays in the clear.
fn secure(media: &Media, security: &Security) -> Result<Option<(Attribute, Agreed)>, OfferError> {
    let keys = match security {
        Security::Clear if media.is_secured() => return Err(OfferError::Secured),
        Security::Clear => return Ok(None),
        Security::Required(_) if !media.is_secured() => return Err(OfferError::Unsecured),
        Security::Required(keys) | Security::BestEffort(keys) => keys,
    };
    match keys.choose(media) {
        Ok((ours, agreed)) => Ok(Some((ours.attribute(), agreed))),
        // What was offered at best effort is left in the clear.
        Err(_) if !media.is_secured() => Ok(None),
        Err(None) => Err(OfferError::NoCryptoLine),
        Err(Some(error)) => Err(OfferError::NoCrypto(error)),
    }
}

fn agreed(
    theirs: &Session,
    media: &Media,
    local: &Local,
    remote: SocketAddr,
    silenced: bool,
    (payload_type, codec): (u8, Codec),
) -> Negotiated {
    let said = theirs.direction_of(media);
    // RFC 3264 8.4: c=0.0.0.0 is how RFC 2543 put a peer on hold.
    let peer = if silenced { Direction::new(said.sends(), false) } else { said };
    Negotiated {
        remote,
        rtcp: rtcp(media, remote),
        codec,
        payload_type,
        payload_type_receive: payload_type,
        dtmf: None,
        dtmf_receive: None,
        direction: peer.reversed().and(local.direction),
        ptime_ms: ptime(media),
        held: !peer.receives(),
        srtp: None,
    }
}

/// A stream that both sides know to be off.
fn nothing(local: &Local) -> Negotiated {
    let codec = local.codecs.first().copied().unwrap_or(Codec::Pcma);
    let nowhere = SocketAddr::new(local.addr, 0);
    Negotiated {
        remote: nowhere,
        rtcp: nowhere,
        codec,
        payload_type: codec.static_payload(),
        payload_type_receive: codec.static_payload(),
        dtmf: None,
        dtmf_receive: None,
        direction: Direction::Inactive,
        ptime_ms: DEFAULT_PTIME_MS,
        held: true,
        srtp: None,
    }
}

/// Where the stream goes, and whether its address says "hold".
fn remote(session: &Session, media: &Media) -> Result<(SocketAddr, bool), OfferError> {
    let address = session.connection_of(media).ok_or(OfferError::NoAddress)?;
    let ip = address.ip().ok_or(OfferError::BadAddress)?;
    let broadcast = matches!(ip, IpAddr::V4(v4) if v4.is_broadcast());
    if ip.is_multicast() || broadcast {
        return Err(OfferError::BadAddress);
    }
    Ok((SocketAddr::new(ip, media.port), ip.is_unspecified()))
}

fn choose(media: &Media, local: &Local, order: Order) -> Option<(u8, Codec)> {
    let theirs: Vec<(u8, Codec)> =
        media.payloads().filter_map(|payload| payload.codec().map(|codec| (payload.number, codec))).collect();
    match order {
        Order::Theirs => theirs.into_iter().find(|(_, codec)| local.codecs.contains(codec)),
        Order::Ours => local.codecs.iter().find_map(|ours| theirs.iter().find(|(_, codec)| codec == ours)).copied(),
    }
}

/// The packet length to send: what the peer asks for, in whole tens of milliseconds between 10 and 60.
fn ptime(media: &Media) -> u16 {
    let read = |name| media.attribute(name).and_then(|value| value.trim().parse::<u16>().ok()).filter(|ms| *ms > 0);
    let wanted = read("ptime").unwrap_or(DEFAULT_PTIME_MS);
    let most = read("maxptime").unwrap_or(60);
    (wanted.min(most).clamp(10, 60) / 10) * 10
}

/// RFC 3605: `a=rtcp:<port> [IN IP4 <address>]`.
fn rtcp(media: &Media, remote: SocketAddr) -> SocketAddr {
    let default = SocketAddr::new(remote.ip(), remote.port().saturating_add(1));
    let Some(value) = media.attribute("rtcp") else { return default };
    let mut fields = value.split_ascii_whitespace();
    let Some(port) = fields.next().and_then(|port| port.parse::<u16>().ok()) else { return default };
    let ip = fields.nth(2).and_then(|address| address.parse().ok()).unwrap_or(remote.ip());
    SocketAddr::new(ip, port)
}

fn describe(local: &Local, media: Vec<Media>) -> Session {
    let address = Address::Ip(local.addr);
    Session {
        origin: Origin {
            username: "-".into(),
            session_id: local.session.to_string(),
            version: local.version.to_string(),
            address: address.clone(),
        },
        name: "-".into(),
        connection: Some(address),
        times: Vec::new(),
        others: Vec::new(),
        attributes: Vec::new(),
        media,
    }
}

fn stream(local: &Local, protocol: &str, payloads: &[(u8, Codec)], dtmf: Option<u8>, direction: Direction) -> Media {
    let mut formats = Vec::new();
    let mut attributes = Vec::new();
    for (number, codec) in payloads {
        formats.push(number.to_string());
        attributes.push(Attribute::value("rtpmap", format!("{number} {}/8000", codec.name())));
    }
    if let Some(number) = dtmf {
        formats.push(number.to_string());
        attributes.push(Attribute::value("rtpmap", format!("{number} telephone-event/8000")));
        attributes.push(Attribute::value("fmtp", format!("{number} {KEYS}")));
    }
    attributes.push(Attribute::value("ptime", local.ptime_ms.to_string()));
    attributes.push(Attribute::flag(direction.name()));
    Media {
        kind: "audio".into(),
        port: local.port,
        protocol: protocol.into(),
        formats,
        connection: None,
        others: Vec::new(),
        attributes,
    }
}
