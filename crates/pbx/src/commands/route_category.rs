use super::{Answer, Command, CommandError, Outcome, check, destination};
use crate::configuration::{Configuration, Edit};
use crate::routes::Route;
use serde::{Deserialize, Serialize};

/// `ROCAI`, `ROCAC`, `ROCAE`, `ROCAP`: how the exchange treats a route. The values are kept and printed; the node
/// checks their form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum RouteCategory {
    Initiate(RouteCategorySet),
    Change(RouteCategorySet),
    End {
        rou: u32,
    },
    /// Without `rou`: all routes.
    Print {
        #[serde(default)]
        rou: Option<u32>,
    },
}

/// The parameters by their MML names, as digits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RouteCategorySet {
    /// 1 to 250.
    pub rou: u32,
    /// 16 digits.
    pub sel: Option<String>,
    /// One digit 0 to 7 (the guide writes it `rm`: the shell's alias).
    pub trm: Option<String>,
    /// 12 hexadecimal digits.
    pub sig: Option<String>,
    /// 8 digits.
    pub traf: Option<String>,
    /// 10 digits.
    pub serv: Option<String>,
    /// 6 digits, each 0 or 1.
    pub bcap: Option<String>,
    /// 1 to 3 digits each.
    pub nodg: Option<String>,
    pub dist: Option<String>,
    pub disl: Option<String>,
    pub cust: Option<String>,
}

/// In printing order.
const COLUMNS: [&str; 11] = ["ROU", "CUST", "SEL", "TRM", "SERV", "NODG", "DIST", "DISL", "TRAF", "SIG", "BCAP"];

impl RouteCategory {
    pub(super) fn run(self, configuration: &Configuration) -> Outcome {
        match self {
            RouteCategory::Initiate(set) => {
                let rou = check::route_number("ROU", set.rou)?;
                if configuration.routes.contains_key(&rou) {
                    return Err(CommandError::already_assigned("ROU", rou, "change it with ROCAC"));
                }
                for (parameter, value) in [("SEL", &set.sel), ("TRM", &set.trm), ("SERV", &set.serv)] {
                    if value.is_none() {
                        return Err(CommandError::missing(parameter, "ROCAI needs SEL, TRM and SERV"));
                    }
                }
                fill(Box::default(), &set)
            }
            RouteCategory::Change(set) => fill(check::route(configuration, "ROU", set.rou)?, &set),
            RouteCategory::End { rou } => {
                let route = check::route(configuration, "ROU", rou)?;
                if route.sip.is_some() {
                    return Err(CommandError::in_use("ROU", rou, "remove it with sip_route -remove first"));
                }
                if !route.trunks.is_empty() {
                    return Err(CommandError::in_use("ROU", rou, "end its trunk individuals with ROEQE first"));
                }
                if route.data.is_some() {
                    return Err(CommandError::in_use("ROU", rou, "end its route data with RODAE first"));
                }
                destination::nobody_leads_to(configuration, "ROU", rou)?;
                Ok((vec![Edit::Route(rou, None)], Answer::done()))
            }
            RouteCategory::Print { rou } => {
                let rows = configuration.routes.iter().filter(|(number, _)| rou.is_none_or(|rou| rou == **number)).map(
                    |(number, route)| {
                        let value = |column: &&str| match *column {
                            "ROU" => number.to_string(),
                            column => route.category.get(column).cloned().unwrap_or_else(|| "-".into()),
                        };
                        COLUMNS.iter().map(value).collect()
                    },
                );
                Ok((Vec::new(), Answer::table("", &COLUMNS, rows.collect())))
            }
        }
    }
}

fn fill(mut route: Box<Route>, set: &RouteCategorySet) -> Outcome {
    let mut put = |parameter: &str, value: Option<String>| {
        if let Some(value) = value {
            route.category.insert(parameter.to_owned(), value);
        }
    };
    let exactly = |parameter: &str, value: &Option<String>, count: usize| {
        value.as_deref().map(|value| check::digits(parameter, value, count)).transpose()
    };
    put("SEL", exactly("SEL", &set.sel, 16)?);
    put("SERV", exactly("SERV", &set.serv, 10)?);
    put("TRAF", exactly("TRAF", &set.traf, 8)?);
    if let Some(trm) = set.trm.as_deref() {
        if !matches!(trm.as_bytes(), [b'0'..=b'7']) {
            return Err(CommandError::invalid("TRM", trm, "give one digit from 0 to 7"));
        }
        put("TRM", Some(trm.to_owned()));
    }
    if let Some(sig) = set.sig.as_deref() {
        put("SIG", Some(check::hex_digits("SIG", sig, 12)?));
    }
    if let Some(bcap) = set.bcap.as_deref() {
        if bcap.len() != 6 || !bcap.bytes().all(|byte| matches!(byte, b'0' | b'1')) {
            return Err(CommandError::invalid("BCAP", bcap, "give 6 digits, each 0 or 1"));
        }
        put("BCAP", Some(bcap.to_owned()));
    }
    for (parameter, value) in [("NODG", &set.nodg), ("DIST", &set.dist), ("DISL", &set.disl), ("CUST", &set.cust)] {
        if let Some(value) = value.as_deref() {
            if !(1..=5).contains(&value.len()) || !value.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(CommandError::invalid(parameter, value, "give 1 to 5 digits"));
            }
            put(parameter, Some(value.to_owned()));
        }
    }
    Ok((vec![Edit::Route(set.rou, Some(route))], Answer::done()))
}

pub(super) fn export(configuration: &Configuration) -> Vec<Command> {
    let initiate = |(rou, route): (&u32, &Route)| {
        let value = |parameter: &str| route.category.get(parameter).cloned();
        Command::RouteCategory(RouteCategory::Initiate(RouteCategorySet {
            rou: *rou,
            sel: value("SEL"),
            trm: value("TRM"),
            sig: value("SIG"),
            traf: value("TRAF"),
            serv: value("SERV"),
            bcap: value("BCAP"),
            nodg: value("NODG"),
            dist: value("DIST"),
            disl: value("DISL"),
            cust: value("CUST"),
        }))
    };
    configuration.routes.iter().map(initiate).collect()
}
