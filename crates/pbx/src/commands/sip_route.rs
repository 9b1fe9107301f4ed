use super::{Answer, Command, CommandError, Outcome, Table, check, destination};
use crate::configuration::{Configuration, Edit};
use crate::routes::{PROFILES, Profile, SipRouteEntry};
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

impl SipRoute {
    pub(super) fn run(self, configuration: &Configuration) -> Outcome {
        match self {
            SipRoute::Set(set) => fill(configuration, *set),
            SipRoute::Print { profile: Some(profile), .. } => print_profiles(&profile),
            SipRoute::Print { route, profile: None } => print(configuration, route),
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

/// What stands for taking a setting away.
fn kept(value: String) -> Option<String> {
    Some(value).filter(|value| !value.is_empty())
}

fn fill(configuration: &Configuration, set: SipRouteSet) -> Outcome {
    let mut route = check::route(configuration, "route", set.route)?;
    if route.data.is_none() {
        return Err(CommandError::not_assigned("route", set.route, "initiate it with RODAI TYPE=TL66 first"));
    }
    let mut sip = route.sip.take().unwrap_or_default();
    if let Some(profile) = set.profile {
        let Some(known) = Profile::named(&profile) else {
            let names: Vec<&str> = PROFILES.iter().map(|profile| profile.name).collect();
            return Err(CommandError::invalid("profile", profile, format!("give one of {}", names.join(", "))));
        };
        sip.profile = known.name.into();
    }
    uris(&mut sip, &set.uristring, &set.fromuri)?;
    sip.remoteport = set.remoteport.or(sip.remoteport);
    sip.proxyport = set.proxyport.or(sip.proxyport);
    if let Some(protocol) = set.protocol {
        sip.protocol = match protocol.to_ascii_lowercase().as_str() {
            "" | "default" => None,
            known @ ("udp" | "tcp") => Some(known.to_owned()),
            _ => return Err(CommandError::invalid("protocol", protocol, "give udp, tcp or default")),
        };
    }
    if let Some(proxy) = set.proxyip {
        if !proxy.is_empty() && proxy.parse::<sip::message::Host>().is_err() {
            return Err(CommandError::invalid("proxyip", proxy, "give an IP address or a host name"));
        }
        sip.proxyip = kept(proxy);
    }
    if let Some(accept) = set.accept {
        if !accept.is_empty() && !accept.eq_ignore_ascii_case("REMOTE_IP") {
            // Anybody can write a domain into From or Contact: a route matched by it would be open to all.
            return Err(CommandError::invalid("accept", accept, "give REMOTE_IP: the peer is known by its address"));
        }
        sip.accept = kept(accept.to_ascii_uppercase());
    }
    if let Some(matches) = set.match_ {
        let each = matches.split(',').map(str::trim).filter(|address| !address.is_empty()).map(|address| {
            address
                .parse()
                .map_err(|_| CommandError::invalid("match", address, "give IP addresses, separated by commas"))
        });
        sip.matches = each.collect::<Result<_, _>>()?;
    }
    if let Some(priority) = set.priority {
        sip.priority = Some(check::within("priority", Some(priority), 255, 0..=255)?);
    }
    if let Some(codecs) = set.codecs {
        let each = codecs.split(',').map(str::trim).filter(|codec| !codec.is_empty()).map(|codec| {
            let known = sdp::Codec::from_name(codec);
            known
                .map(|codec| codec.name().to_owned())
                .ok_or_else(|| CommandError::invalid("codecs", codec, "give PCMA, PCMU, or both with a comma between"))
        });
        sip.codecs = each.collect::<Result<_, _>>()?;
    }
    if let Some(number) = set.mwinumber {
        if !number.is_empty() {
            check::plan_number("mwinumber", &number)?;
        }
        sip.mwinumber = kept(number);
    }
    if let Some(supervise) = set.supervise {
        if !matches!(supervise.as_str(), "" | "ACTIVE_SUPERVISION" | "NO_SUPERVISION") {
            return Err(CommandError::invalid("supervise", supervise, "give ACTIVE_SUPERVISION or NO_SUPERVISION"));
        }
        sip.supervise = kept(supervise);
    }
    if let Some(seconds) = set.supervisetime {
        sip.supervisetime = Some(check::within("supervisetime", Some(seconds), 30, 5..=3600)?);
    }
    if let Some(service) = set.service {
        sip.service = kept(check::text("service", &service, 40)?);
    }
    if let Some(trusted) = set.trusted {
        sip.trusted = kept(check::text("trusted", &trusted, 40)?);
    }
    sip.history_redirects = set.history_redirects.unwrap_or(sip.history_redirects);
    if let Some(forced) = set.forced_gateway {
        sip.forced_gateway = match forced.to_ascii_lowercase().as_str() {
            "yes" => Some(true),
            "no" => Some(false),
            "" | "profile" => None,
            _ => return Err(CommandError::invalid("forced-gateway", forced, "give yes, no or profile")),
        };
    }
    let mut notes = Vec::new();
    if sip.accept.is_some() && sip.matches.is_empty() {
        notes.push("The route accepts no calls yet: give the peer's addresses with -match.".to_owned());
    }
    route.sip = Some(sip);
    Ok((vec![Edit::Route(set.route, Some(route))], Answer::Done { notes }))
}

fn uris(
    sip: &mut SipRouteEntry,
    uristring: &[Option<String>; 8],
    fromuri: &[Option<String>; 8],
) -> Result<(), CommandError> {
    for (name, given, place) in [("uristring", uristring, &mut sip.uristring), ("fromuri", fromuri, &mut sip.fromuri)] {
        for (index, value) in (0u8..).zip(given) {
            let Some(value) = value else { continue };
            if value.is_empty() {
                place.remove(&index);
                continue;
            }
            let parameter = format!("{name}{index}");
            let mend = "give a SIP URI in which ? stands for the number, such as sip:?@192.168.222.4";
            if !value.contains('?') || crate::routes::fill_in(value, "0").is_none() {
                return Err(CommandError::invalid(&parameter, value, mend));
            }
            place.insert(index, value.clone());
        }
    }
    Ok(())
}

/// Fields in the order of the real printout.
fn print(configuration: &Configuration, wanted: Option<u32>) -> Outcome {
    if let Some(wanted) = wanted {
        check::route(configuration, "route", wanted)?;
    }
    let mut tables = Vec::new();
    for (number, route) in
        configuration.routes.iter().filter(|(number, _)| wanted.is_none_or(|wanted| wanted == **number))
    {
        let Some(sip) = &route.sip else { continue };
        let profile = sip.profile();
        let text = |value: &Option<String>, default: &str| value.clone().unwrap_or_else(|| default.to_owned());
        let mut rows = vec![
            ("protocol", text(&sip.protocol, profile.protocol)),
            ("profile", profile.name.to_owned()),
            ("service", text(&sip.service, "PRIVATE_SERVICES")),
        ];
        let indexed = |name: &str, values: &std::collections::BTreeMap<u8, String>| -> Vec<(String, String)> {
            values.iter().map(|(index, value)| (format!("{name}{index}"), value.clone())).collect()
        };
        let uris = [indexed("uristring", &sip.uristring), indexed("fromuri", &sip.fromuri)].concat();
        rows.extend(uris.iter().map(|(name, value)| (name.as_str(), value.clone())));
        rows.extend([
            ("remoteport", sip.remoteport.unwrap_or(profile.remoteport).to_string()),
            ("proxyip", text(&sip.proxyip, "-")),
            ("proxyport", sip.proxyport.map_or_else(|| "-".into(), |port| port.to_string())),
            ("accept", text(&sip.accept, "-")),
            ("priority", sip.priority().to_string()),
            ("match", sip.matches.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")),
            ("trusted", text(&sip.trusted, "TRUST_BY_PROFILE")),
            ("supervise", text(&sip.supervise, "ACTIVE_SUPERVISION")),
            ("supervisetime", sip.supervisetime.unwrap_or(30).to_string()),
            ("codecs", if sip.codecs.is_empty() { "PCMA,PCMU".into() } else { sip.codecs.join(",") }),
            ("mwinumber", text(&sip.mwinumber, "-")),
            ("history-redirects", check::yes_no(sip.history_redirects)),
            ("forced-gateway", check::yes_no(sip.is_forced_gateway())),
        ]);
        let rows = rows.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect();
        tables.push(Table::new(&format!("Route data for SIP destination: {number}"), &["Parameter", "Value"], rows));
    }
    Ok((Vec::new(), Answer::Tables { tables }))
}

fn print_profiles(wanted: &str) -> Outcome {
    if !wanted.is_empty() && Profile::named(wanted).is_none() {
        return Err(CommandError::not_assigned("profile", wanted, "sip_route -print -profile shows all"));
    }
    let shown = PROFILES.iter().filter(|profile| wanted.is_empty() || profile.name.eq_ignore_ascii_case(wanted));
    let rows = shown.map(|profile| {
        vec![
            profile.name.to_owned(),
            profile.protocol.to_owned(),
            profile.remoteport.to_string(),
            check::yes_no(profile.forced_gateway),
            format!("{} s", profile.next_after.as_secs()),
            format!("{} s", profile.last_after.as_secs()),
        ]
    });
    let columns = ["Profile", "Protocol", "Remoteport", "ForcedGateway", "NextTargetAfter", "LastTargetAfter"];
    Ok((Vec::new(), Answer::table("", &columns, rows.collect())))
}

pub(super) fn export(configuration: &Configuration) -> Vec<Command> {
    let set = |(number, route): (&u32, &crate::routes::Route)| {
        let sip = route.sip.as_ref()?;
        let mut set = SipRouteSet {
            route: *number,
            profile: kept(sip.profile.clone()),
            service: sip.service.clone(),
            remoteport: sip.remoteport,
            protocol: sip.protocol.clone(),
            proxyip: sip.proxyip.clone(),
            proxyport: sip.proxyport,
            accept: sip.accept.clone(),
            match_: kept(sip.matches.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")),
            priority: sip.priority,
            codecs: kept(sip.codecs.join(",")),
            mwinumber: sip.mwinumber.clone(),
            supervise: sip.supervise.clone(),
            supervisetime: sip.supervisetime,
            trusted: sip.trusted.clone(),
            history_redirects: sip.history_redirects.then_some(true),
            forced_gateway: sip.forced_gateway.map(check::yes_no),
            ..SipRouteSet::default()
        };
        for (given, stored) in [(&mut set.uristring, &sip.uristring), (&mut set.fromuri, &sip.fromuri)] {
            for (slot, index) in given.iter_mut().zip(0u8..) {
                *slot = stored.get(&index).cloned();
            }
        }
        Some(Command::SipRoute(SipRoute::Set(Box::new(set))))
    };
    configuration.routes.iter().filter_map(set).collect()
}
