use super::license::one_more_within_limit;
use super::verb::{Thing, Verb};
use super::{Command, CommandError, Outcome};
use crate::configuration::{Configuration, ExtensionEntry};
use crate::system::Licence;
use serde::{Deserialize, Serialize};

/// `ip_extension -i | -c | -e | -p`: makes an extension one that registers by SIP.
pub type IpExtension = Verb<IpExtensionSet>;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IpExtensionSet {
    pub dir: String,
    /// `SIP` (default).
    pub protocol: Option<String>,
}

const TERMINAL: Thing = Thing {
    command: "ip_extension",
    parameter: "d",
    called: "SIP terminal",
    columns: &["Protocol"],
    row: |entry| entry.ip.then(|| vec!["SIP".into()]),
    remove: |entry| entry.ip = false,
};

impl Verb<IpExtensionSet> {
    pub(super) fn run(self, configuration: &Configuration) -> Outcome {
        if let Verb::End { dir } = &self
            && let Some((mac, _)) = configuration.phones.iter().find(|(_, phone)| phone.dir == *dir)
        {
            let mend = format!("phone {mac} registers as it: end it with ip_phone -e first");
            return Err(CommandError::in_use("d", dir, mend));
        }
        if let Verb::Initiate(set) = &self {
            one_more_within_limit(configuration, "d", &set.dir, Licence::IpExtension)?;
        }
        self.run_on(&TERMINAL, configuration, |set| &set.dir, fill)
    }
}

fn fill(set: IpExtensionSet, entry: &mut ExtensionEntry) -> Result<(), CommandError> {
    if let Some(other) = set.protocol
        && !other.eq_ignore_ascii_case("SIP")
    {
        return Err(CommandError::invalid("protocol", other, "give SIP, the one protocol there is"));
    }
    entry.ip = true;
    Ok(())
}

pub(super) fn export(configuration: &Configuration) -> Vec<Command> {
    let initiate = |(dir, _): (&String, &ExtensionEntry)| {
        let set = IpExtensionSet { dir: dir.clone(), protocol: Some("SIP".into()) };
        Command::IpExtension(IpExtension::Initiate(set))
    };
    configuration.extensions.iter().filter(|(_, entry)| entry.ip).map(initiate).collect()
}
