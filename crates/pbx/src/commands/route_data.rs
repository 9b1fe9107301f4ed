use super::{Answer, Command, CommandError, Outcome, check};
use crate::configuration::{Configuration, Edit};
use crate::routes::{LineType, Route};
use serde::{Deserialize, Serialize};

/// `RODAI`, `RODAC`, `RODAE`, `RODAP`: a route's line type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum RouteData {
    Initiate(RouteDataSet),
    Change(RouteDataSet),
    End {
        rou: u32,
    },
    Print {
        #[serde(default)]
        rou: Option<u32>,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RouteDataSet {
    pub rou: u32,
    /// `TL66` (SIP).
    #[serde(rename = "type")]
    pub line_type: Option<String>,
    /// 8 hexadecimal digits each; a profile overrides them, so they are kept and printed only.
    pub vari: Option<String>,
    pub varc: Option<String>,
    pub varo: Option<String>,
}

impl RouteData {
    pub(super) fn run(self, configuration: &Configuration) -> Outcome {
        match self {
            RouteData::Initiate(set) => {
                if check::route(configuration, "ROU", set.rou)?.data.is_some() {
                    return Err(CommandError::already_assigned("ROU", set.rou, "change it with RODAC"));
                }
                if set.line_type.is_none() {
                    return Err(CommandError::missing("TYPE", "give TL66, the line type of SIP"));
                }
                fill(configuration, set)
            }
            RouteData::Change(set) => {
                if check::route(configuration, "ROU", set.rou)?.data.is_none() {
                    return Err(CommandError::not_assigned("ROU", set.rou, "initiate its data with RODAI first"));
                }
                fill(configuration, set)
            }
            RouteData::End { rou } => {
                let mut route = check::route(configuration, "ROU", rou)?;
                if route.sip.is_some() {
                    return Err(CommandError::in_use("ROU", rou, "remove it with sip_route -remove first"));
                }
                if !route.trunks.is_empty() {
                    return Err(CommandError::in_use("ROU", rou, "end its trunk individuals with ROEQE first"));
                }
                if route.data.take().is_none() {
                    return Err(CommandError::not_assigned("ROU", rou, "it has no route data"));
                }
                Ok((vec![Edit::Route(rou, Some(route))], Answer::done()))
            }
            RouteData::Print { rou } => {
                let wanted = |number: u32| rou.is_none_or(|rou| rou == number);
                let mut rows = Vec::new();
                for (number, route) in &configuration.routes {
                    if let Some(data) = route.data.as_ref().filter(|_| wanted(*number)) {
                        let variant = |value: &str| format!("H'{value}");
                        rows.push(vec![
                            number.to_string(),
                            data.line_type.clone(),
                            variant(&data.varc),
                            variant(&data.vari),
                            variant(&data.varo),
                            "NO".into(),
                        ]);
                    }
                }
                Ok((Vec::new(), Answer::table("", &["ROU", "TYPE", "VARC", "VARI", "VARO", "FILTER"], rows)))
            }
        }
    }
}

fn fill(configuration: &Configuration, set: RouteDataSet) -> Outcome {
    let mut route = check::route(configuration, "ROU", set.rou)?;
    let zero = || "00000000".to_owned();
    let mut data = route.data.take().unwrap_or_else(|| LineType {
        line_type: String::new(),
        vari: zero(),
        varc: zero(),
        varo: zero(),
    });
    if let Some(line_type) = set.line_type {
        if !line_type.eq_ignore_ascii_case("TL66") {
            return Err(CommandError::invalid("TYPE", &line_type, line_type_mend(&line_type)));
        }
        data.line_type = "TL66".into();
    }
    for (parameter, value, place) in
        [("VARI", set.vari, &mut data.vari), ("VARC", set.varc, &mut data.varc), ("VARO", set.varo, &mut data.varo)]
    {
        if let Some(value) = value {
            *place = check::hex_digits(parameter, &value, 8)?;
        }
    }
    route.data = Some(data);
    Ok((vec![Edit::Route(set.rou, Some(route))], Answer::done()))
}

pub(super) fn export(configuration: &Configuration) -> Vec<Command> {
    let initiate = |(rou, route): (&u32, &Route)| {
        let data = route.data.as_ref()?;
        Some(Command::RouteData(RouteData::Initiate(RouteDataSet {
            rou: *rou,
            line_type: Some(data.line_type.clone()),
            vari: Some(data.vari.clone()),
            varc: Some(data.varc.clone()),
            varo: Some(data.varo.clone()),
        })))
    };
    configuration.routes.iter().filter_map(initiate).collect()
}

/// What to do about a trunk that does not speak SIP.
fn line_type_mend(line_type: &str) -> &'static str {
    match line_type.to_ascii_uppercase().as_str() {
        "SL60" => {
            "TDM trunks (ISDN) connect through a SIP gateway: give TL66 and the gateway's address in sip_route (docs/gateways.md)"
        }
        "TL65" => {
            "H.323 trunks connect through a SIP gateway: give TL66 and the gateway's address in sip_route (docs/gateways.md)"
        }
        _ => "give TL66 (SIP); trunks of other kinds connect through a SIP gateway (docs/gateways.md)",
    }
}
