use std::time::Duration;

/// A bundle of settings for a kind of peer. What `sip_route` sets goes before it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Profile {
    pub name: &'static str,
    /// `udp` or `tcp`.
    pub protocol: &'static str,
    pub forced_gateway: bool,
    pub remoteport: u16,
    /// How long a target is waited for (100 Trying included) before the next one is tried.
    pub next_after: Duration,
    /// How long the last target is waited for.
    pub last_after: Duration,
}

/// The guide: forced gateway, 9 s for 100 Trying; an unresponsive host is passed over after 4 s.
pub(crate) const PROFILES: [Profile; 2] = [
    Profile {
        name: "DEFAULT",
        protocol: "udp",
        forced_gateway: false,
        remoteport: 5060,
        next_after: Duration::from_secs(4),
        last_after: Duration::from_secs(32),
    },
    Profile {
        name: "ExchangeUM_TCP",
        protocol: "tcp",
        forced_gateway: true,
        remoteport: 5060,
        next_after: Duration::from_secs(4),
        last_after: Duration::from_secs(9),
    },
];

impl Profile {
    pub fn named(name: &str) -> Option<&'static Profile> {
        PROFILES.iter().find(|profile| profile.name.eq_ignore_ascii_case(name))
    }

    pub fn default_profile() -> &'static Profile {
        &PROFILES[0]
    }
}
