//! `sip_route -print`, in the field order of the real printout.

use crate::commands::{Answer, CommandError, Outcome, Table, check};
use crate::configuration::Configuration;
use crate::routes::{PROFILES, Profile, SipRouteEntry};
use std::collections::BTreeMap;

pub(super) fn routes(configuration: &Configuration, wanted: Option<u32>, short: bool) -> Outcome {
    if let Some(wanted) = wanted {
        check::route(configuration, "route", wanted)?;
    }
    let shown = configuration.routes.iter().filter(|(number, _)| wanted.is_none_or(|wanted| wanted == **number));
    let shown = shown.filter_map(|(number, route)| Some((number, route.sip.as_ref()?)));
    if short {
        let row = |(number, sip): (&u32, &SipRouteEntry)| {
            let all = fields(sip);
            let names = ["profile", "protocol", "uristring0", "accept", "match", "supervise"];
            let value = |name: &&str| {
                all.iter().find(|(known, _)| known == name).map_or("-".into(), |(_, value)| value.clone())
            };
            std::iter::once(number.to_string()).chain(names.iter().map(value)).collect()
        };
        let columns = ["Route", "Profile", "Protocol", "Uristring0", "Accept", "Match", "Supervise"];
        return Ok((Vec::new(), Answer::table("", &columns, shown.map(row).collect())));
    }
    let tables = shown.map(|(number, sip)| {
        let rows = fields(sip).into_iter().map(|(name, value)| vec![name, value]).collect();
        Table::new(&format!("Route data for SIP destination: {number}"), &["Parameter", "Value"], rows)
    });
    Ok((Vec::new(), Answer::Tables { tables: tables.collect() }))
}

fn fields(sip: &SipRouteEntry) -> Vec<(String, String)> {
    let profile = sip.profile();
    let nothing = || "-".to_owned();
    let text = |value: &Option<String>| value.clone().unwrap_or_else(nothing);
    let number = |value: Option<u32>| value.map_or_else(nothing, |value| value.to_string());
    let list = |values: &[String]| if values.is_empty() { nothing() } else { values.join(",") };
    let matches = sip.matches.iter().map(ToString::to_string).chain(sip.match_domains.iter().cloned());
    let supervise = sip.supervise.clone().unwrap_or_else(|| "ACTIVE_SUPERVISION".into());
    let trusted = sip.trust.map_or("TRUST_BY_PROFILE", |trusted| if trusted { "TRUSTED" } else { "NOT_TRUSTED" });
    let register = sip.register.map_or("SET_BY_PROFILE", |register| if register { "REGISTER" } else { "NO_REGISTER" });
    let contexts = |contexts: &BTreeMap<u8, crate::routes::Context>| -> BTreeMap<u8, String> {
        contexts.iter().map(|(index, context)| (*index, context.as_str().to_owned())).collect()
    };
    let eight = |name: &str, values: &BTreeMap<u8, String>| -> Vec<(String, String)> {
        values.iter().map(|(index, value)| (format!("{name}{index}"), value.clone())).collect()
    };
    let one = |name: &str, value: String| vec![(name.to_owned(), value)];
    let policy = sip.policy();
    let seconds = |time: std::time::Duration| time.as_secs().to_string();
    [
        one("protocol", sip.protocol.clone().unwrap_or_else(|| profile.protocol.into())),
        one("profile", profile.name.into()),
        one("service", sip.service().name().into()),
        eight("uristring", &sip.uristring),
        eight("fromuri", &sip.fromuri),
        one("remoteport", sip.remoteport.unwrap_or(profile.remoteport).to_string()),
        one("proxyip", text(&sip.proxyip)),
        one("proxyport", number(sip.proxyport.map(u32::from))),
        one("accept", sip.accept.map_or_else(nothing, |accept| accept.name().into())),
        one("priority", sip.priority().to_string()),
        one("match", list(&matches.collect::<Vec<_>>())),
        eight("contextb", &contexts(&sip.contextb)),
        eight("contexta", &contexts(&sip.contexta)),
        one("register", register.into()),
        one("registerstring", text(&sip.registerstring)),
        one("numbers", list(&sip.numbers)),
        one("registerport", number(sip.registerport.map(u32::from))),
        one("timer", number(sip.timer)),
        one("localdomain", text(&sip.localdomain)),
        one("peername", text(&sip.peername)),
        one("authname", text(&sip.authname)),
        // That there is one is printed, never which.
        one("password", sip.password.as_ref().map_or_else(nothing, |_| "********".into())),
        one("realm", text(&sip.realm)),
        one("trusted", trusted.into()),
        one("sosanumber", text(&sip.sosanumber)),
        one("challenge", check::yes_no(sip.challenge)),
        one("supervise", supervise),
        one("supervisetime", sip.supervisetime.unwrap_or(30).to_string()),
        one("rexstring", text(&sip.rexstring)),
        one("rexfromuri", text(&sip.rexfromuri)),
        one("codecs", if sip.codecs.is_empty() { "PCMA,PCMU".into() } else { sip.codecs.join(",") }),
        one("handleasexn", check::yes_no(sip.handleasexn)),
        one("mwinumber", text(&sip.mwinumber)),
        // Not in the real printout.
        one("routeset", list(&sip.routeset)),
        one("addheader", if sip.addheader.is_empty() { nothing() } else { sip.addheader.join(" | ") }),
        one("remotetelip", text(&sip.remotetelip)),
        one("history-redirects", check::yes_no(sip.history_redirects)),
        one("forced-gateway", check::yes_no(sip.is_forced_gateway())),
        one("next-target-after", seconds(policy.per_try)),
        one("last-target-after", seconds(policy.last_try)),
        one("progress-after", policy.progress.map_or_else(|| "0".into(), seconds)),
        one("grey-time", seconds(policy.grey_for)),
    ]
    .concat()
}

pub(super) fn profiles(wanted: &str) -> Outcome {
    if !wanted.is_empty() && Profile::named(wanted).is_none() {
        return Err(CommandError::not_assigned("profile", wanted, "sip_route -print -profile shows all"));
    }
    let shown = PROFILES.iter().filter(|profile| wanted.is_empty() || profile.name.eq_ignore_ascii_case(wanted));
    let rows = shown.map(|profile| {
        vec![
            profile.name.to_owned(),
            profile.protocol.to_owned(),
            profile.remoteport.to_string(),
            if profile.public { "PUBLIC_SERVICES".into() } else { "PRIVATE_SERVICES".into() },
            check::yes_no(profile.trusted),
            check::yes_no(profile.register),
            check::yes_no(profile.forced_gateway),
            format!("{} s", profile.next_after.as_secs()),
            format!("{} s", profile.last_after.as_secs()),
            profile.progress_after.map_or_else(|| "-".into(), |limit| format!("{} s", limit.as_secs())),
        ]
    });
    let columns = [
        "Profile",
        "Protocol",
        "Remoteport",
        "Service",
        "Trusted",
        "Register",
        "ForcedGateway",
        "NextTargetAfter",
        "LastTargetAfter",
        "ProgressAfter",
    ];
    Ok((Vec::new(), Answer::table("", &columns, rows.collect())))
}
