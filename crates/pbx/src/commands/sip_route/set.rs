//! `sip_route -set`: each parameter is checked for itself, then all of them together.

use super::SipRouteSet;
use crate::authentication::Vault;
use crate::commands::license::one_more_within_limit;
use crate::commands::{Answer, CommandError, Outcome, check};
use crate::configuration::{Configuration, Edit};
use crate::routes::{Accept, Context, PROFILES, Profile, Service, SipRouteEntry, fill_in};
use crate::system::Licence;
use sip::Host;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// What `-addheader` may not write: the endpoint's, and those that say who is who.
const OWN_HEADERS: [&str; 27] = [
    "via",
    "v",
    "from",
    "f",
    "to",
    "t",
    "call-id",
    "i",
    "cseq",
    "contact",
    "m",
    "max-forwards",
    "route",
    "record-route",
    "content-type",
    "c",
    "content-length",
    "l",
    "authorization",
    "proxy-authorization",
    "require",
    "proxy-require",
    "supported",
    "k",
    "allow",
    "session-expires",
    "x",
];

pub(super) fn run(configuration: &Configuration, vault: &Vault, set: SipRouteSet) -> Outcome {
    let number = set.route;
    let mut route = check::route(configuration, "route", number)?;
    if route.data.is_none() {
        return Err(CommandError::not_assigned("route", number, "initiate it with RODAI TYPE=TL66 first"));
    }
    if route.sip.is_none() {
        one_more_within_limit(configuration, "route", number, Licence::SipTrunk)?;
    }
    let mut sip = route.sip.take().unwrap_or_default();
    outgoing(&mut sip, &set)?;
    incoming(&mut sip, &set)?;
    registration(&mut sip, &set)?;
    digest(&mut sip, vault, &set)?;
    others(&mut sip, set)?;
    contradictions(&sip)?;
    let notes = unfinished(&sip);
    route.sip = Some(sip);
    Ok((vec![Edit::Route(number, Some(route))], Answer::Done { notes }))
}

/// What stands for taking a setting away.
fn kept(value: String) -> Option<String> {
    Some(value).filter(|value| !value.is_empty())
}

/// The parts of a list between commas.
fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}

/// One of a few words; the empty one takes the setting away.
fn word<T: Copy>(
    parameter: &str,
    given: Option<&String>,
    place: &mut Option<T>,
    words: &[(&str, Option<T>)],
) -> Result<(), CommandError> {
    let Some(given) = given else { return Ok(()) };
    *place = match words.iter().find(|(word, _)| word.eq_ignore_ascii_case(given)) {
        Some((_, value)) => *value,
        None if given.is_empty() => None,
        None => {
            let words: Vec<&str> = words.iter().map(|(word, _)| *word).filter(|word| word.len() > 3).collect();
            return Err(CommandError::invalid(parameter, given, format!("give one of {}", words.join(", "))));
        }
    };
    Ok(())
}

/// A text that `good` must like.
fn text(
    parameter: &str,
    given: Option<&String>,
    place: &mut Option<String>,
    mend: &str,
    good: impl Fn(&str) -> bool,
) -> Result<(), CommandError> {
    let Some(given) = given else { return Ok(()) };
    if !given.is_empty() && !good(given) {
        return Err(CommandError::invalid(parameter, given, mend));
    }
    *place = kept(given.clone());
    Ok(())
}

fn is_host(text: &str) -> bool {
    text.parse::<Host>().is_ok()
}

/// A number as it is written to a network: digits, with a `+` or without.
fn is_public_number(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    (1..=20).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

const TEMPLATE: &str = "give a SIP URI in which ? stands for the number, such as sip:?@192.168.222.4";

fn is_template(text: &str) -> bool {
    text.contains('?') && fill_in(text, "0").is_some()
}

fn outgoing(sip: &mut SipRouteEntry, set: &SipRouteSet) -> Result<(), CommandError> {
    if let Some(profile) = &set.profile {
        let Some(known) = Profile::named(profile) else {
            let names: Vec<&str> = PROFILES.iter().map(|profile| profile.name).collect();
            return Err(CommandError::invalid("profile", profile, format!("give one of {}", names.join(", "))));
        };
        sip.profile = known.name.into();
    }
    let private = ("PRIVATE_SERVICES", Some(Service::PrivateServices));
    word(
        "service",
        set.service.as_ref(),
        &mut sip.service,
        &[private, ("PUBLIC_SERVICES", Some(Service::PublicServices))],
    )?;
    eight(
        "uristring",
        &set.uristring,
        &mut sip.uristring,
        |text| is_template(text).then(|| text.to_owned()),
        TEMPLATE,
    )?;
    let from = |text: &str| fill_in(text, "0").map(|_| text.to_owned());
    eight(
        "fromuri",
        &set.fromuri,
        &mut sip.fromuri,
        from,
        "give a SIP URI, in which ? stands for the caller's number",
    )?;
    sip.remoteport = set.remoteport.or(sip.remoteport);
    sip.proxyport = set.proxyport.or(sip.proxyport);
    if let Some(protocol) = &set.protocol {
        sip.protocol = match protocol.to_ascii_lowercase().as_str() {
            "" | "default" => None,
            known @ ("udp" | "tcp" | "tls") => Some(known.to_owned()),
            _ => return Err(CommandError::invalid("protocol", protocol, "give udp, tcp, tls or default")),
        };
    }
    text("proxyip", set.proxyip.as_ref(), &mut sip.proxyip, "give an IP address or a host name", is_host)?;
    if let Some(routeset) = &set.routeset {
        sip.routeset = list(routeset).map(loose_route).collect::<Result<_, _>>()?;
    }
    if let Some(lines) = &set.addheader {
        let each = lines.split('|').map(str::trim).filter(|line| !line.is_empty());
        sip.addheader = each.map(header_line).collect::<Result<_, _>>()?;
    }
    let address = |text: &str| text.parse::<IpAddr>().is_ok();
    text("remotetelip", set.remotetelip.as_ref(), &mut sip.remotetelip, "give an IP address", address)?;
    text("rexstring", set.rexstring.as_ref(), &mut sip.rexstring, TEMPLATE, is_template)?;
    let from = |text: &str| fill_in(text, "0").is_some();
    text("rexfromuri", set.rexfromuri.as_ref(), &mut sip.rexfromuri, "give a SIP URI", from)
}

/// Values by type of number.
fn eight<T>(
    name: &str,
    given: &[Option<String>; 8],
    place: &mut BTreeMap<u8, T>,
    read: impl Fn(&str) -> Option<T>,
    mend: &str,
) -> Result<(), CommandError> {
    for (index, value) in (0u8..).zip(given) {
        match value.as_deref() {
            None => {}
            Some("") => {
                place.remove(&index);
            }
            Some(value) => {
                let read = read(value).ok_or_else(|| CommandError::invalid(&format!("{name}{index}"), value, mend))?;
                place.insert(index, read);
            }
        }
    }
    Ok(())
}

/// A URI of `-routeset`. RFC 3261 16.12.1.1: strict routers are of the last century.
fn loose_route(text: &str) -> Result<String, CommandError> {
    let bare = text.trim_start_matches('<').trim_end_matches('>');
    let uri = bare.parse::<sip::Uri>().ok().filter(|uri| uri.is_sip() && uri.params.has("lr"));
    let mend = "give SIP URIs with ;lr, separated by commas, such as sip:proxy.example;lr";
    uri.map(|uri| uri.to_string()).ok_or_else(|| CommandError::invalid("routeset", text, mend))
}

fn header_line(line: &str) -> Result<String, CommandError> {
    let wrong = |mend: &str| CommandError::invalid("addheader", line, mend);
    let (name, value) = line.split_once(':').ok_or_else(|| wrong("give Name: value; several with | between"))?;
    let (name, value) = (name.trim(), value.trim());
    let token =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.!%*+`'~".contains(&byte));
    if !token || value.is_empty() || line.len() > 256 || value.chars().any(char::is_control) {
        return Err(wrong("give Name: value, of at most 256 printable characters; several with | between"));
    }
    if OWN_HEADERS.iter().any(|own| own.eq_ignore_ascii_case(name)) {
        return Err(wrong("this header is the node's own"));
    }
    Ok(format!("{name}: {value}"))
}

fn incoming(sip: &mut SipRouteEntry, set: &SipRouteSet) -> Result<(), CommandError> {
    let words = Accept::EACH.map(|accept| (accept.name(), Some(accept)));
    word("accept", set.accept.as_ref(), &mut sip.accept, &words)?;
    if let Some(matches) = &set.match_ {
        (sip.matches, sip.match_domains) = (Vec::new(), Vec::new());
        for part in list(matches) {
            match part.parse::<IpAddr>() {
                Ok(address) => sip.matches.push(address.to_canonical()),
                Err(_) if is_host(part) => sip.match_domains.push(part.to_owned()),
                Err(_) => {
                    let mend = "give IP addresses, or domains for -accept by domain, separated by commas";
                    return Err(CommandError::invalid("match", part, mend));
                }
            }
        }
    }
    if let Some(priority) = set.priority {
        sip.priority = Some(check::within("priority", Some(priority), 255, 0..=255)?);
    }
    let mend = "give a prefix of digits, with + or without, or the domain of a numbering plan";
    eight("contextb", &set.contextb, &mut sip.contextb, Context::parse, mend)?;
    eight("contexta", &set.contexta, &mut sip.contexta, Context::parse, mend)?;
    let number = |text: &str| check::plan_number("mwinumber", text).is_ok();
    text("mwinumber", set.mwinumber.as_ref(), &mut sip.mwinumber, "give a number of 1 to 20 digits", number)?;
    sip.handleasexn = set.handleasexn.unwrap_or(sip.handleasexn);
    sip.challenge = set.challenge.unwrap_or(sip.challenge);
    text(
        "sosanumber",
        set.sosanumber.as_ref(),
        &mut sip.sosanumber,
        "give a number, with + or without",
        is_public_number,
    )
}

fn registration(sip: &mut SipRouteEntry, set: &SipRouteSet) -> Result<(), CommandError> {
    let words = [
        ("SET_BY_PROFILE", None),
        ("REGISTER", Some(true)),
        ("NO_REGISTER", Some(false)),
        ("yes", Some(true)),
        ("no", Some(false)),
    ];
    word("register", set.register.as_ref(), &mut sip.register, &words)?;
    text("registerstring", set.registerstring.as_ref(), &mut sip.registerstring, TEMPLATE, is_template)?;
    sip.registerport = set.registerport.or(sip.registerport);
    if let Some(numbers) = &set.numbers {
        let mend = "give numbers, with + or without, separated by commas";
        let each = list(numbers).map(|number| {
            is_public_number(number)
                .then(|| number.to_owned())
                .ok_or_else(|| CommandError::invalid("numbers", number, mend))
        });
        sip.numbers = each.collect::<Result<_, _>>()?;
        sip.numbers.dedup();
        if sip.numbers.len() > 1000 {
            return Err(CommandError::invalid("numbers", sip.numbers.len(), "register at most 1000 numbers"));
        }
    }
    if let Some(seconds) = set.timer {
        sip.timer = Some(check::within("timer", Some(seconds), 3600, 60..=86_400)?);
    }
    text("peername", set.peername.as_ref(), &mut sip.peername, "give the DNS name in the peer's certificate", is_host)?;
    text("localdomain", set.localdomain.as_ref(), &mut sip.localdomain, "give a domain or an IP address", is_host)
}

fn digest(sip: &mut SipRouteEntry, vault: &Vault, set: &SipRouteSet) -> Result<(), CommandError> {
    let printable = |text: &str| check::text("", text, 128).is_ok();
    text("realm", set.realm.as_ref(), &mut sip.realm, "give at most 128 printable characters", printable)?;
    text("authname", set.authname.as_ref(), &mut sip.authname, "give at most 128 printable characters", printable)?;
    if let Some(password) = &set.password {
        if password.0.chars().count() > 128 || password.0.chars().any(char::is_control) {
            // The value itself stays out of answers and logs.
            return Err(CommandError::invalid("password", "", "give at most 128 printable characters"));
        }
        let seal = |password: String| {
            vault
                .hide(&crate::authentication::route_context(set.route), &password)
                .map_err(|error| CommandError::NotKept { reason: error.to_string() })
        };
        sip.password = kept(password.0.clone()).map(seal).transpose()?;
    }
    let words = [
        ("TRUST_BY_PROFILE", None),
        ("TRUSTED", Some(true)),
        ("NOT_TRUSTED", Some(false)),
        ("yes", Some(true)),
        ("no", Some(false)),
    ];
    word("trusted", set.trusted.as_ref(), &mut sip.trust, &words)
}

fn others(sip: &mut SipRouteEntry, set: SipRouteSet) -> Result<(), CommandError> {
    if let Some(codecs) = set.codecs {
        let each = list(&codecs).map(|codec| {
            let known = sdp::Codec::from_name(codec);
            known
                .map(|codec| codec.name().to_owned())
                .ok_or_else(|| CommandError::invalid("codecs", codec, "give PCMA, PCMU, or both with a comma between"))
        });
        sip.codecs = each.collect::<Result<_, _>>()?;
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
    let seconds = |parameter, given: Option<u32>, kept: &mut Option<u32>, range| {
        if let Some(given) = given {
            *kept = Some(check::within(parameter, Some(given), given, range)?);
        }
        Ok::<(), CommandError>(())
    };
    seconds("next-target-after", set.next_target_after, &mut sip.next_target_after, 1..=60)?;
    seconds("last-target-after", set.last_target_after, &mut sip.last_target_after, 1..=60)?;
    seconds("progress-after", set.progress_after, &mut sip.progress_after, 0..=180)?;
    seconds("grey-time", set.grey_time, &mut sip.grey_time, 0..=3600)?;
    sip.history_redirects = set.history_redirects.unwrap_or(sip.history_redirects);
    let words = [("profile", None), ("yes", Some(true)), ("no", Some(false))];
    word("forced-gateway", set.forced_gateway.as_ref(), &mut sip.forced_gateway, &words)
}

/// Settings that can't all be meant.
fn contradictions(sip: &SipRouteEntry) -> Result<(), CommandError> {
    let by_domain = sip.accept.is_some_and(Accept::is_by_domain);
    if let Some(domain) = sip.match_domains.first().filter(|_| sip.accept.is_some() && !by_domain) {
        let mend =
            "a domain says something with -accept FROM_DOMAIN, CONTACT_DOMAIN or REQUEST_URI only; give IP addresses";
        return Err(CommandError::invalid("match", domain, mend));
    }
    if sip.challenge && (sip.authname.is_none() || sip.password.is_none()) {
        return Err(CommandError::missing("password", "a peer is challenged for -authname and -password: give both"));
    }
    if sip.accept == Some(Accept::All) && !sip.challenge {
        let mend =
            "everybody's calls are taken with -challenge yes only (and -authname, -password); else give REMOTE_IP";
        return Err(CommandError::invalid("accept", "ALL", mend));
    }
    if sip.proxyport.is_some() && sip.proxyip.is_none() {
        return Err(CommandError::missing("proxyip", "-proxyport is the port of a proxy: give its address"));
    }
    Ok(())
}

/// What is still to be said before everything works: a sentence each.
fn unfinished(sip: &SipRouteEntry) -> Vec<String> {
    let mut notes = Vec::new();
    let mut note = |when: bool, text: &str| {
        if when {
            notes.push(text.to_owned());
        }
    };
    let by_domain = sip.accept.is_some_and(Accept::is_by_domain);
    let by_address = matches!(sip.accept, Some(Accept::RemoteIp | Accept::Emergency));
    note(
        (by_address && sip.matches.is_empty()) || (by_domain && sip.match_domains.is_empty()),
        "The route accepts no calls yet: give the peer's addresses (or domains) with -match.",
    );
    note(
        by_domain && !sip.match_domains.is_empty() && !sip.challenge && sip.addresses().next().is_none(),
        "The route accepts no calls yet: anybody can write a domain, so give the peer's addresses in -match too, or -challenge yes.",
    );
    note(
        sip.registers() && (sip.authname.is_none() && sip.numbers.is_empty()),
        "The route does not register yet: give -numbers, or -authname.",
    );
    note(
        sip.registers() && sip.registerstring.is_none() && !sip.uristring.contains_key(&0),
        "The route does not register yet: give -registerstring, or -uristring0.",
    );
    note(
        sip.authname.is_some() != sip.password.is_some(),
        "Challenges are not answered yet: -authname and -password belong together.",
    );
    note(
        sip.peername.is_some() && sip.transport() != sip::Transport::Tls,
        "-peername is for TLS only: the route has another protocol.",
    );
    note(sip.remotetelip.is_some(), "-remotetelip is kept, without effect.");
    notes
}
