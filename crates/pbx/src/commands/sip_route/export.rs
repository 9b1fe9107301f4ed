//! `sip_route -set` lines that rebuild the routes.

use super::{SipRoute, SipRouteSet};
use crate::authentication::{Vault, route_context};
use crate::commands::{Command, Secret, check};
use crate::configuration::Configuration;
use crate::routes::{Accept, SipRouteEntry};
use std::collections::BTreeMap;

/// All settings but those that need the password.
pub(in crate::commands) fn settings(configuration: &Configuration) -> Vec<Command> {
    entries(configuration).map(|(number, sip)| command(set_of(number, sip))).collect()
}

/// The passwords and what needs them, and a sentence for each that can't be told.
pub(in crate::commands) fn secrets(configuration: &Configuration, vault: &Vault) -> (Vec<Command>, Vec<String>) {
    let (mut commands, mut notes) = (Vec::new(), Vec::new());
    for (route, sip) in entries(configuration) {
        let Some(sealed) = &sip.password else { continue };
        let Some(password) = vault.reveal(&route_context(route), sealed) else {
            notes.push(format!(
                "The password of route {route} is left out: it was sealed by another key file. Give it anew."
            ));
            continue;
        };
        let accept = sip.accept.filter(|accept| *accept == Accept::All).map(|accept| accept.name().to_owned());
        let password = Some(Secret(password));
        commands.push(command(SipRouteSet {
            route,
            accept,
            challenge: sip.challenge.then_some(true),
            password,
            ..SipRouteSet::default()
        }));
    }
    (commands, notes)
}

fn command(set: SipRouteSet) -> Command {
    Command::SipRoute(SipRoute::Set(Box::new(set)))
}

fn entries(configuration: &Configuration) -> impl Iterator<Item = (u32, &SipRouteEntry)> {
    configuration.routes.iter().filter_map(|(number, route)| Some((*number, route.sip.as_ref()?)))
}

fn set_of(route: u32, sip: &SipRouteEntry) -> SipRouteSet {
    let list = |parts: Vec<String>, between: &str| Some(parts.join(between)).filter(|text| !text.is_empty());
    let matches = sip.matches.iter().map(ToString::to_string).chain(sip.match_domains.iter().cloned());
    let contexts = |contexts: &BTreeMap<u8, crate::routes::Context>| {
        eight(&contexts.iter().map(|(index, context)| (*index, context.as_str().to_owned())).collect())
    };
    SipRouteSet {
        route,
        profile: Some(sip.profile.clone()).filter(|name| !name.is_empty()),
        service: sip.service.map(|service| service.name().to_owned()),
        uristring: eight(&sip.uristring),
        fromuri: eight(&sip.fromuri),
        remoteport: sip.remoteport,
        protocol: sip.protocol.clone(),
        proxyip: sip.proxyip.clone(),
        proxyport: sip.proxyport,
        routeset: list(sip.routeset.clone(), ","),
        addheader: list(sip.addheader.clone(), " | "),
        remotetelip: sip.remotetelip.clone(),
        rexstring: sip.rexstring.clone(),
        rexfromuri: sip.rexfromuri.clone(),
        accept: sip.accept.filter(|accept| *accept != Accept::All).map(|accept| accept.name().to_owned()),
        match_: list(matches.collect(), ","),
        priority: sip.priority,
        contextb: contexts(&sip.contextb),
        contexta: contexts(&sip.contexta),
        codecs: list(sip.codecs.clone(), ","),
        mwinumber: sip.mwinumber.clone(),
        handleasexn: sip.handleasexn.then_some(true),
        challenge: None,
        sosanumber: sip.sosanumber.clone(),
        register: sip.register.map(|register| if register { "REGISTER" } else { "NO_REGISTER" }.to_owned()),
        registerstring: sip.registerstring.clone(),
        registerport: sip.registerport,
        numbers: list(sip.numbers.clone(), ","),
        timer: sip.timer,
        localdomain: sip.localdomain.clone(),
        peername: sip.peername.clone(),
        realm: sip.realm.clone(),
        authname: sip.authname.clone(),
        password: None,
        trusted: sip.trust.map(|trusted| if trusted { "TRUSTED" } else { "NOT_TRUSTED" }.to_owned()),
        supervise: sip.supervise.clone(),
        supervisetime: sip.supervisetime,
        history_redirects: sip.history_redirects.then_some(true),
        forced_gateway: sip.forced_gateway.map(check::yes_no),
        next_target_after: sip.next_target_after,
        last_target_after: sip.last_target_after,
        progress_after: sip.progress_after,
        grey_time: sip.grey_time,
    }
}

fn eight(values: &BTreeMap<u8, String>) -> [Option<String>; 8] {
    std::array::from_fn(|index| values.get(&u8::try_from(index).ok()?).cloned())
}
