use super::license::one_more_within_limit;
use super::verb::{Thing, Verb};
use super::{Command, CommandError, Outcome, check};
use crate::configuration::{Configuration, ExtensionEntry};
use crate::system::Licence;
use crate::terminals::Mobile;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, SocketAddr};

/// `ip_extension -i | -c | -e | -p`: makes an extension one that is reached by SIP: by phones that register, through a gateway,
/// or as a mobile telephone.
pub type IpExtension = Verb<IpExtensionSet>;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IpExtensionSet {
    pub dir: String,
    /// `SIP` (default).
    pub protocol: Option<String>,
    /// The extension that stands for the gateway that this one is behind; empty: behind none.
    pub gateway: Option<String>,
    /// Where this extension is when it does not register, a gateway at a fixed address: `10.0.0.5` or `10.0.0.5:5060`;
    /// empty: it registers.
    pub address: Option<String>,
    /// Its keys come as tones in the audio.
    pub inband_dtmf: Option<bool>,
    /// `rou:4&5;remote-number=0701234567`, and if need be `;caller-number=46701234567;min-answer-delay=2`: the mobile
    /// telephone that belongs to the extension; empty: none.
    pub uri: Option<String>,
}

const TERMINAL: Thing = Thing {
    command: "ip_extension",
    parameter: "d",
    called: "SIP terminal",
    columns: &["Protocol", "Gateway", "Address", "InbandDtmf", "Uri"],
    row: |entry| {
        let text = |text: Option<String>| text.unwrap_or_else(|| "-".into());
        entry.ip.then(|| {
            vec![
                "SIP".into(),
                text(entry.gateway.clone()),
                text(entry.address.map(|address| address.to_string())),
                check::yes_no(entry.inband_dtmf),
                text(entry.mobile.as_ref().map(write_mobile)),
            ]
        })
    },
    remove: |entry| {
        (entry.ip, entry.inband_dtmf) = (false, false);
        (entry.gateway, entry.address, entry.mobile) = (None, None, None);
    },
};

impl Verb<IpExtensionSet> {
    pub(super) fn run(self, configuration: &Configuration) -> Outcome {
        if let Verb::End { dir } = &self {
            if let Some((mac, _)) = configuration.phones.iter().find(|(_, phone)| phone.dir == *dir) {
                let mend = format!("phone {mac} registers as it: end it with ip_phone -e first");
                return Err(CommandError::in_use("d", dir, mend));
            }
            nobody_is_behind(configuration, dir)?;
        }
        if let Verb::Initiate(set) = &self {
            one_more_within_limit(configuration, "d", &set.dir, Licence::IpExtension)?;
        }
        self.run_on(&TERMINAL, configuration, |set| &set.dir, |set, entry| fill(configuration, set, entry))
    }
}

/// An extension that others are behind can't be ended, nor go behind another.
pub(super) fn nobody_is_behind(configuration: &Configuration, dir: &str) -> Result<(), CommandError> {
    let behind = |(_, entry): &(&String, &ExtensionEntry)| entry.gateway.as_deref() == Some(dir);
    match configuration.extensions.iter().find(behind) {
        None => Ok(()),
        Some((member, _)) => {
            let mend =
                format!("{member} is behind it: change that with ip_extension -c -d {member} --gateway \"\" first");
            Err(CommandError::in_use("d", dir, mend))
        }
    }
}

/// A route that mobile extensions are rung by is not taken away under them.
pub(super) fn no_mobile_by(configuration: &Configuration, parameter: &str, route: u32) -> Result<(), CommandError> {
    let by = |(_, entry): &(&String, &ExtensionEntry)| {
        entry.mobile.as_ref().is_some_and(|mobile| mobile.routes.contains(&route))
    };
    match configuration.extensions.iter().find(by) {
        None => Ok(()),
        Some((dir, _)) => {
            let mend =
                format!("the mobile telephone of {dir} is rung by it: change that with ip_extension -c --uri first");
            Err(CommandError::in_use(parameter, route, mend))
        }
    }
}

fn fill(configuration: &Configuration, set: IpExtensionSet, entry: &mut ExtensionEntry) -> Result<(), CommandError> {
    if let Some(other) = set.protocol
        && !other.eq_ignore_ascii_case("SIP")
    {
        let mend = match other.to_ascii_uppercase().as_str() {
            "IP" | "H323" | "H.323" => {
                "H.323 phones connect through a SIP gateway: give SIP and --gateway (docs/gateways.md)"
            }
            "ANALOG" | "DIGITAL" | "DECT" | "TDM" => {
                "analog, digital and DECT phones connect through a SIP gateway: give SIP and --gateway (docs/gateways.md)"
            }
            _ => "give SIP; phones of other kinds connect through a SIP gateway (docs/gateways.md)",
        };
        return Err(CommandError::invalid("protocol", other, mend));
    }
    if let Some(gateway) = set.gateway {
        entry.gateway = Some(gateway).filter(|gateway| !gateway.is_empty());
        if let Some(gateway) = &entry.gateway {
            let found = check::extension(configuration, "gateway", gateway)?;
            if *gateway == set.dir || !found.ip || found.gateway.is_some() {
                let mend =
                    "give an extension that was made one with ip_extension -i, and is not behind a gateway itself";
                return Err(CommandError::invalid("gateway", gateway, mend));
            }
            nobody_is_behind(configuration, &set.dir)?;
        }
    }
    if let Some(address) = set.address {
        entry.address = if address.is_empty() { None } else { Some(read_address(configuration, &set.dir, &address)?) };
    }
    if entry.gateway.is_some() && entry.address.is_some() {
        let mend = "the address is the gateway's: give it to the extension that stands for the gateway";
        return Err(CommandError::invalid("address", entry.address.map(|a| a.to_string()).unwrap_or_default(), mend));
    }
    entry.inband_dtmf = set.inband_dtmf.unwrap_or(entry.inband_dtmf);
    if let Some(uri) = set.uri {
        entry.mobile = if uri.is_empty() { None } else { Some(read_mobile(configuration, &set.dir, &uri)?) };
    }
    entry.ip = true;
    Ok(())
}

fn read_address(configuration: &Configuration, dir: &str, text: &str) -> Result<SocketAddr, CommandError> {
    let address = text.parse::<SocketAddr>().ok().or_else(|| Some(SocketAddr::new(text.parse::<IpAddr>().ok()?, 5060)));
    let address =
        address.ok_or_else(|| CommandError::invalid("address", text, "give an IP address, or address:port"))?;
    let of_route = configuration
        .routes
        .iter()
        .find(|(_, route)| route.sip.as_ref().is_some_and(|sip| sip.matches.contains(&address.ip())));
    if let Some((route, _)) = of_route {
        let mend = format!("calls from there are those of route {route} (sip_route -match)");
        return Err(CommandError::in_use("address", text, mend));
    }
    let mut others = configuration.extensions.iter().filter(|(other, _)| *other != dir);
    match others.find(|(_, entry)| entry.address.is_some_and(|known| known.ip() == address.ip())) {
        Some((other, _)) => Err(CommandError::in_use("address", text, format!("extension {other} is there"))),
        None => Ok(address),
    }
}

const URI: &str = "give rou:ROUTES;remote-number=NUMBER, such as \"rou:4&5;remote-number=0701234567\"; \
    if need be with ;caller-number=NUMBER and ;min-answer-delay=SECONDS";

fn read_mobile(configuration: &Configuration, dir: &str, text: &str) -> Result<Mobile, CommandError> {
    let wrong = || CommandError::invalid("uri", text, URI);
    let mut parts = text.split(';').map(str::trim);
    let routes = parts.next().and_then(|part| part.strip_prefix("rou:")).ok_or_else(wrong)?;
    let routes: Vec<u32> =
        routes.split('&').map(|route| route.trim().parse().map_err(|_| wrong())).collect::<Result<_, _>>()?;
    for route in &routes {
        check::route(configuration, "uri", *route)?;
    }
    let (mut number, mut shown, mut delay) = (None, None, Mobile::MIN_ANSWER_DELAY);
    for part in parts {
        let (name, value) = part.split_once('=').ok_or_else(wrong)?;
        let digits = value.strip_prefix('+').unwrap_or(value);
        let sound = (1..=20).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        match name.to_ascii_lowercase().as_str() {
            "remote-number" if sound => number = Some(value.to_owned()),
            "caller-number" if sound => shown = Some(value.to_owned()),
            "min-answer-delay" => delay = value.parse().ok().filter(|delay| *delay <= 20).ok_or_else(wrong)?,
            _ => return Err(wrong()),
        }
    }
    let number = number.ok_or_else(wrong)?;
    let known = |mobile: &Mobile| mobile.shown.as_ref().unwrap_or(&mobile.number).trim_start_matches('+').to_owned();
    let mobile = Mobile { routes, number, shown, min_answer_delay: delay };
    let mut others = configuration.extensions.iter().filter(|(other, _)| *other != dir);
    let taken = others.find(|(_, entry)| entry.mobile.as_ref().is_some_and(|other| known(other) == known(&mobile)));
    match taken {
        Some((other, _)) => Err(CommandError::in_use("uri", text, format!("the number belongs to extension {other}"))),
        None => Ok(mobile),
    }
}

fn write_mobile(mobile: &Mobile) -> String {
    let routes: Vec<String> = mobile.routes.iter().map(u32::to_string).collect();
    let mut text = format!("rou:{};remote-number={}", routes.join("&"), mobile.number);
    if let Some(shown) = &mobile.shown {
        text.push_str(&format!(";caller-number={shown}"));
    }
    if mobile.min_answer_delay != Mobile::MIN_ANSWER_DELAY {
        text.push_str(&format!(";min-answer-delay={}", mobile.min_answer_delay));
    }
    text
}

/// Those behind a gateway last, so that the gateway is there.
pub(super) fn export(configuration: &Configuration) -> Vec<Command> {
    let mut entries: Vec<_> = configuration.extensions.iter().filter(|(_, entry)| entry.ip).collect();
    entries.sort_by_key(|(_, entry)| entry.gateway.is_some());
    let initiate = |(dir, entry): (&String, &ExtensionEntry)| {
        let set = IpExtensionSet {
            dir: dir.clone(),
            protocol: Some("SIP".into()),
            gateway: entry.gateway.clone(),
            address: entry.address.map(|address| address.to_string()),
            inband_dtmf: entry.inband_dtmf.then_some(true),
            uri: entry.mobile.as_ref().map(write_mobile),
        };
        Command::IpExtension(IpExtension::Initiate(set))
    };
    entries.into_iter().map(initiate).collect()
}
