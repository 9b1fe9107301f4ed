use super::{Answer, Command, CommandError, Outcome, check};
use crate::configuration::{Configuration, Edit};
use crate::services::{Code, Market, Meaning, Service};
use serde::{Deserialize, Serialize};

/// `service_code -i | -c | -e | -p`: what phones dial to have something done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum ServiceCode {
    Initiate(ServiceCodeSet),
    Change(ServiceCodeSet),
    /// `market` alone: back to the market's own codes.
    Market {
        market: String,
    },
    End {
        code: String,
    },
    Print {
        #[serde(default)]
        service: Option<String>,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServiceCodeSet {
    /// `*21#`, or `*21*n#` for a service with a number.
    pub code: String,
    /// `follow-me`, `do-not-disturb` …: `-p` lists them.
    pub service: String,
}

impl ServiceCode {
    pub(super) fn run(self, configuration: &Configuration) -> Outcome {
        let codes = &configuration.service_codes;
        let assigned = |code: &str| {
            let mend = "service_code -p shows which are";
            let found = codes.all().contains_key(code);
            found.then_some(()).ok_or_else(|| CommandError::not_assigned("code", code, mend))
        };
        match self {
            ServiceCode::Initiate(set) => {
                let (code, service) = read(&set)?;
                if codes.all().contains_key(&code) {
                    return Err(CommandError::already_assigned("code", code, "change it with service_code -c"));
                }
                Ok((vec![Edit::ServiceCode(code, Some(Meaning { service: Some(service) }))], Answer::done()))
            }
            ServiceCode::Change(set) => {
                let (code, service) = read(&set)?;
                assigned(&code)?;
                Ok((vec![Edit::ServiceCode(code, Some(Meaning { service: Some(service) }))], Answer::done()))
            }
            ServiceCode::Market { market } => {
                let mend = "give standard or us";
                let market = Market::from_name(&market).ok_or_else(|| CommandError::invalid("market", market, mend))?;
                let mut edits: Vec<Edit> =
                    codes.changes.keys().map(|code| Edit::ServiceCode(code.clone(), None)).collect();
                edits.push(Edit::ServiceMarket(market));
                Ok((edits, Answer::done()))
            }
            ServiceCode::End { code } => {
                assigned(&code)?;
                let meaning = codes.is_markets(&code).then(Meaning::default);
                Ok((vec![Edit::ServiceCode(code, meaning)], Answer::done()))
            }
            ServiceCode::Print { service } => {
                let service = service.map(|name| service_named(&name)).transpose()?;
                let all = codes.all().into_iter().filter(|(_, other)| service.is_none_or(|service| service == *other));
                let rows = all
                    .map(|(code, service)| {
                        let market = check::yes_no(codes.is_markets(&code));
                        vec![code, service.name(), market]
                    })
                    .collect();
                let title = format!("Market: {}", codes.market.name());
                Ok((Vec::new(), Answer::table(&title, &["Code", "Service", "MarketDefault"], rows)))
            }
        }
    }
}

fn service_named(name: &str) -> Result<Service, CommandError> {
    let mend = "service_code -p shows which there are";
    Service::from_name(name).ok_or_else(|| CommandError::invalid("service", name, mend))
}

fn read(set: &ServiceCodeSet) -> Result<(String, Service), CommandError> {
    let service = service_named(&set.service)?;
    Code::parse(&set.code, service).map_err(|error| CommandError::invalid("code", &set.code, error.to_string()))?;
    Ok((set.code.to_ascii_lowercase(), service))
}

/// The commands that make the table again.
pub(super) fn export(configuration: &Configuration) -> Vec<Command> {
    let codes = &configuration.service_codes;
    let mut commands = Vec::new();
    if codes.market != Market::default() {
        commands.push(Command::ServiceCode(ServiceCode::Market { market: codes.market.name().into() }));
    }
    for (code, meaning) in &codes.changes {
        let code = code.clone();
        commands.push(Command::ServiceCode(match meaning.service {
            None => ServiceCode::End { code },
            Some(service) => {
                let markets = codes.is_markets(&code);
                let set = ServiceCodeSet { code, service: service.name() };
                if markets { ServiceCode::Change(set) } else { ServiceCode::Initiate(set) }
            }
        }));
    }
    commands
}
