use serde::{Deserialize, Serialize};

/// `sip_route -set | -print | -remove`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum SipRoute {
    /// Changes only what it names. An empty text takes a setting away. (Boxed: it is by far the largest.)
    Set(Box<SipRouteSet>),
    Print {
        #[serde(default)]
        route: Option<u32>,
        /// `-print -profile NAME`; `Some("")` prints all profiles.
        #[serde(default)]
        profile: Option<String>,
    },
    Remove {
        route: u32,
    },
}

/// The parameters by their names in `sip_route`, as text; the handler checks each.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SipRouteSet {
    pub route: u32,
    /// `ExchangeUM_TCP` or `DEFAULT`.
    pub profile: Option<String>,
    pub service: Option<String>,
    /// `-uristring0` to `-uristring7` by index: a SIP URI in which `?` stands for the number.
    pub uristring: [Option<String>; 8],
    /// `-fromuri0` to `-fromuri7`.
    pub fromuri: [Option<String>; 8],
    /// 0: by DNS SRV; else the port (default 5060).
    pub remoteport: Option<u16>,
    /// `udp`, `tcp` or `default` (the profile's).
    pub protocol: Option<String>,
    pub proxyip: Option<String>,
    pub proxyport: Option<u16>,
    /// `REMOTE_IP`.
    pub accept: Option<String>,
    /// IP addresses, separated by commas.
    #[serde(rename = "match")]
    pub match_: Option<String>,
    /// 0 to 255; the lowest is tried first.
    pub priority: Option<u32>,
    /// `PCMA`, `PCMU`, separated by commas in order of preference.
    pub codecs: Option<String>,
    pub mwinumber: Option<String>,
    /// `ACTIVE_SUPERVISION`, `NO_SUPERVISION`.
    pub supervise: Option<String>,
    /// Seconds, 5 to 3600.
    pub supervisetime: Option<u32>,
    pub trusted: Option<String>,
    /// Earcon's own: whether a followed redirect gets History-Info entries of its own (RFC 7044). Default no: Exchange
    /// reads the last entry but one.
    pub history_redirects: Option<bool>,
    /// Earcon's own, over the profile's: `yes`, `no` or `profile`.
    pub forced_gateway: Option<String>,
}
