use std::time::Duration;

/// A bundle of settings for a kind of peer. What `sip_route` sets goes before it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Profile {
    pub name: &'static str,
    /// `udp`, `tcp` or `tls`.
    pub protocol: &'static str,
    /// Whether the other end is the public network, or one of the house's own systems.
    pub public: bool,
    pub forced_gateway: bool,
    /// Made for SRTP: encrypted, where media encryption is enabled for routes, whatever the transport.
    pub srtp: bool,
    pub remoteport: u16,
    /// Whether identities and diversions that the peer tells are believed, and ours told to it.
    pub trusted: bool,
    /// Whether the node registers there.
    pub register: bool,
    /// How long a target is waited for (100 Trying included) before the next one is tried.
    pub next_after: Duration,
    /// How long the last target is waited for.
    pub last_after: Duration,
    /// How long a target may take that has said 100 and nothing else; `None`: as long as it rings.
    pub progress_after: Option<Duration>,
}

const DEFAULT: Profile = Profile {
    name: "DEFAULT",
    protocol: "udp",
    public: false,
    forced_gateway: false,
    srtp: false,
    remoteport: 5060,
    trusted: true,
    register: false,
    next_after: Duration::from_secs(4),
    last_after: Duration::from_secs(32),
    progress_after: None,
};

/// The guide: forced gateway, 9 s for 100 Trying; an unresponsive host is passed over after 4 s.
const EXCHANGE: Profile = Profile {
    name: "ExchangeUM_TCP",
    protocol: "tcp",
    forced_gateway: true,
    last_after: Duration::from_secs(9),
    // UM answers or redirects at once: one that took the call and says no more has died over it.
    progress_after: Some(Duration::from_secs(9)),
    ..DEFAULT
};

/// Operators do not believe what a customer asserts (SIPconnect 2.0, 12), and their networks reach neither the phones nor
/// the UM server: media passes the node.
const PUBLIC: Profile = Profile {
    name: "PublicTrunk_UDP",
    public: true,
    forced_gateway: true,
    trusted: false,
    last_after: Duration::from_secs(9),
    ..DEFAULT
};

pub(crate) const PROFILES: [Profile; 7] = [
    DEFAULT,
    EXCHANGE,
    Profile { name: "ExchangeUM_TLS_SRTP", protocol: "tls", remoteport: 5061, srtp: true, ..EXCHANGE },
    PUBLIC,
    Profile { name: "PublicTrunk_TCP", protocol: "tcp", ..PUBLIC },
    Profile { name: "PublicTrunk_Register_UDP", register: true, ..PUBLIC },
    Profile { name: "PublicTrunk_Register_TCP", protocol: "tcp", register: true, ..PUBLIC },
];

impl Profile {
    pub fn named(name: &str) -> Option<&'static Profile> {
        PROFILES.iter().find(|profile| profile.name.eq_ignore_ascii_case(name))
    }

    pub fn default_profile() -> &'static Profile {
        &PROFILES[0]
    }
}
