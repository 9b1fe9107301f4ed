//! `sip_route`: a route's SIP data. The parameters and their order are those of the real command; what each does is said
//! where it has its effect, in `routes`.

pub(super) mod export;
mod print;
mod set;

use super::{Answer, CommandError, Outcome, Secret, check, destination};
use crate::authentication::Vault;
use crate::configuration::{Configuration, Edit};
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
        /// One line a route.
        #[serde(default)]
        short: Option<String>,
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
    /// A name that `-print -profile` lists.
    pub profile: Option<String>,
    /// `PRIVATE_SERVICES` (tie line) or `PUBLIC_SERVICES` (public network): what its callers are for call lists.
    pub service: Option<String>,
    /// `-uristring0` to `-uristring7` by index, the type of number: a SIP URI in which `?` stands for the number.
    pub uristring: [Option<String>; 8],
    /// `-fromuri0` to `-fromuri7`: the same for the caller; without `?`, one number for all.
    pub fromuri: [Option<String>; 8],
    /// 0: by DNS SRV; else the port (default 5060).
    pub remoteport: Option<u16>,
    /// `udp`, `tcp`, `tls` or `default` (the profile's).
    pub protocol: Option<String>,
    pub proxyip: Option<String>,
    pub proxyport: Option<u16>,
    /// Route URIs with `;lr`, separated by commas (RFC 3261 8.1.1.1).
    pub routeset: Option<String>,
    /// `Name: value`; several are separated by `|`.
    pub addheader: Option<String>,
    /// Kept, without effect.
    pub remotetelip: Option<String>,
    /// As `uristring` and `fromuri`, for calls to mobile extensions.
    pub rexstring: Option<String>,
    pub rexfromuri: Option<String>,
    /// `REMOTE_IP`, `FROM_DOMAIN`, `CONTACT_DOMAIN`, `REQUEST_URI`, `EMERGENCY`, `ALL`.
    pub accept: Option<String>,
    /// IP addresses, and domains for `accept` by domain, separated by commas.
    #[serde(rename = "match")]
    pub match_: Option<String>,
    /// 0 to 255; the lowest is tried first.
    pub priority: Option<u32>,
    /// `-contextb0` to `-contextb7`: what the network puts before the node's own numbers when it calls them.
    pub contextb: [Option<String>; 8],
    /// `-contexta0` to `-contexta7`: the same for callers.
    pub contexta: [Option<String>; 8],
    /// `PCMA`, `PCMU`, separated by commas in order of preference.
    pub codecs: Option<String>,
    pub mwinumber: Option<String>,
    /// Callers count as extensions of the node.
    pub handleasexn: Option<bool>,
    /// The peer has to authenticate, by `authname` and `password`.
    pub challenge: Option<bool>,
    /// The caller's number in emergency calls.
    pub sosanumber: Option<String>,
    /// `REGISTER`, `NO_REGISTER` or `SET_BY_PROFILE`.
    pub register: Option<String>,
    /// The address to register, `?` standing for each of `numbers` (default: `uristring0`).
    pub registerstring: Option<String>,
    pub registerport: Option<u16>,
    /// Separated by commas (default: `authname`).
    pub numbers: Option<String>,
    /// Seconds that a registration is asked for, 60 to 86400 (default 3600).
    pub timer: Option<u32>,
    /// The domain that stands for the node in From and in the address of record.
    pub localdomain: Option<String>,
    pub peername: Option<String>,
    /// The realm whose challenges are answered, and in which the peer is challenged.
    pub realm: Option<String>,
    pub authname: Option<String>,
    /// Kept sealed.
    pub password: Option<Secret>,
    /// `TRUSTED`, `NOT_TRUSTED` or `TRUST_BY_PROFILE`.
    pub trusted: Option<String>,
    /// `ACTIVE_SUPERVISION`, `NO_SUPERVISION`.
    pub supervise: Option<String>,
    /// Seconds, 5 to 3600.
    pub supervisetime: Option<u32>,
    /// Earcon's own: whether a followed redirect gets History-Info entries of its own (RFC 7044). Default no: Exchange
    /// reads the last entry but one.
    pub history_redirects: Option<bool>,
    /// Earcon's own, over the profile's: `yes`, `no` or `profile`.
    pub forced_gateway: Option<String>,
    /// Earcon's own, as are the next three: seconds until the next target is tried when one says nothing, 1 to 60.
    pub next_target_after: Option<u32>,
    /// The same when it is the last, 1 to 60.
    pub last_target_after: Option<u32>,
    /// Seconds until a target is given up that has said 100 and nothing else, 1 to 180; 0: never.
    pub progress_after: Option<u32>,
    /// Seconds that a target is passed over which was silent, 1 to 3600; 0: it is not.
    pub grey_time: Option<u32>,
}

impl SipRoute {
    pub(super) fn run(self, configuration: &Configuration, vault: &Vault) -> Outcome {
        match self {
            SipRoute::Set(set) => set::run(configuration, vault, *set),
            SipRoute::Print { profile: Some(profile), .. } => print::profiles(&profile),
            SipRoute::Print { route, profile: None, short } => print::routes(configuration, route, short.is_some()),
            SipRoute::Remove { route: number } => {
                let mut route = check::route(configuration, "route", number)?;
                if route.sip.take().is_none() {
                    return Err(CommandError::not_assigned("route", number, "it has no SIP data"));
                }
                destination::nobody_leads_to(configuration, "route", number)?;
                Ok((vec![Edit::Route(number, Some(route))], Answer::done()))
            }
        }
    }
}
