use super::ip_phone::phone_ended;
use super::verb::{Verb, extensions};
use super::{Answer, Command, CommandError, Outcome, check, ip_extension, references};
use crate::configuration::{Configuration, Edit, ExtensionEntry};
use serde::{Deserialize, Serialize};

/// `extension -i | -c | -e | -p`. End takes its name, authorisation code, call lists and diversion along.
pub type Extension = Verb<ExtensionSet>;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExtensionSet {
    /// `-d`: 2 to 20 digits.
    pub dir: String,
    /// `-l`: 1 to 124 (default 1).
    pub lim: Option<u32>,
    /// 0 to 500 (default 0).
    pub csp: Option<u32>,
    /// Registrations at once, 1 to 8 (default 4).
    pub max_terminals: Option<u32>,
    pub third_party_client: Option<bool>,
    /// 0 to 50000.
    pub customer: Option<u32>,
    pub language_code: Option<String>,
    /// Calls that are offered while the extension is in one: 0 none (busy), 1 (default) or 2 so many, 3 any number.
    pub free_on_second_line: Option<u32>,
}

impl Verb<ExtensionSet> {
    pub(super) fn run(self, configuration: &Configuration) -> Outcome {
        match self {
            Extension::Initiate(set) => {
                let dir = check::directory_number("d", &set.dir)?;
                if configuration.extensions.contains_key(&dir) {
                    return Err(CommandError::already_assigned("d", dir, "change it with extension -c"));
                }
                if configuration.hunt_groups.contains_key(&dir) {
                    return Err(CommandError::already_assigned("d", dir, "the number is a hunt group's"));
                }
                if configuration.numbers.get(&dir).is_some_and(|entry| entry.number_type.is_external()) {
                    return Err(CommandError::already_assigned("d", dir, "the number leads out of the node"));
                }
                let entry = ExtensionEntry {
                    lim: 1,
                    max_terminals: 4,
                    free_on_second_line: 1,
                    third_party_client: true,
                    ..ExtensionEntry::default()
                };
                fill(set, Box::new(entry))
            }
            Extension::Change(set) => {
                let entry = check::extension(configuration, "d", &set.dir)?;
                let phones = configuration.phones.values().filter(|phone| phone.dir == set.dir).count();
                if let Some(most) = set.max_terminals
                    && phones > most as usize
                {
                    let mend = format!("it has {phones} phones: end some with ip_phone -e first");
                    return Err(CommandError::in_use("max-terminals", most, mend));
                }
                fill(set, entry)
            }
            Extension::End { dir } => {
                check::extension(configuration, "d", &dir)?;
                references::nobody_leads_to(configuration, "d", &dir)?;
                references::in_no_group(configuration, "d", &dir)?;
                ip_extension::nobody_is_behind(configuration, &dir)?;
                // Its phones go with it, and their files' lines.
                let phones = configuration.phones.iter().filter(|(_, phone)| phone.dir == dir);
                let phones = phones.flat_map(|(mac, _)| phone_ended(configuration, mac));
                Ok((phones.chain([Edit::Extension(dir.clone(), None)]).collect(), Answer::done()))
            }
            Extension::Print { dir } => {
                let rows = extensions(configuration, "d", dir.as_deref())?.map(|(number, entry)| {
                    vec![
                        number.clone(),
                        entry.lim.to_string(),
                        entry.csp.to_string(),
                        entry.customer.to_string(),
                        entry.max_terminals.to_string(),
                        check::yes_no(entry.third_party_client),
                        entry.free_on_second_line.to_string(),
                        entry.language_code.clone(),
                    ]
                });
                let columns = ["Dir", "Lim", "Csp", "Cust", "MaxTerm", "ThirdParty", "FreeSecLine", "Lang"];
                Ok((Vec::new(), Answer::table("", &columns, rows.collect())))
            }
        }
    }
}

fn fill(set: ExtensionSet, mut entry: Box<ExtensionEntry>) -> Outcome {
    entry.lim = check::within("l", set.lim, entry.lim, 1..=124)?;
    entry.csp = check::within("csp", set.csp, entry.csp, 0..=500)?;
    entry.max_terminals = check::within("max-terminals", set.max_terminals, entry.max_terminals, 1..=8)?;
    entry.customer = check::within("customer", set.customer, entry.customer, 0..=50_000)?;
    entry.free_on_second_line =
        check::within("free-on-second-line", set.free_on_second_line, entry.free_on_second_line, 0..=3)?;
    entry.third_party_client = set.third_party_client.unwrap_or(entry.third_party_client);
    if let Some(code) = set.language_code {
        entry.language_code = check::text("language-code", &code, 10)?;
    }
    Ok((vec![Edit::Extension(set.dir, Some(entry))], Answer::done()))
}

pub(super) fn export(configuration: &Configuration) -> Vec<Command> {
    let initiate = |(dir, entry): (&String, &ExtensionEntry)| {
        Command::Extension(Extension::Initiate(ExtensionSet {
            dir: dir.clone(),
            lim: Some(entry.lim),
            csp: Some(entry.csp),
            max_terminals: Some(entry.max_terminals),
            third_party_client: Some(entry.third_party_client),
            customer: Some(entry.customer),
            language_code: Some(entry.language_code.clone()).filter(|code| !code.is_empty()),
            free_on_second_line: Some(entry.free_on_second_line),
        }))
    };
    configuration.extensions.iter().map(initiate).collect()
}
