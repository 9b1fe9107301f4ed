use super::*;
use crate::authentication::Vault;
use crate::configuration::Configuration;
use serde::{Deserialize, Serialize};

/// `export`: the configuration as the commands that rebuild it on an empty node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum Config {
    Export {},
    /// Replaces the whole configuration by what these commands make of an empty one. All of them are taken, or none.
    Restore {
        commands: Vec<Command>,
    },
}

/// In this order each command finds what it refers to: numbers, routes, where destinations lead, extensions, and last
/// where calls to them go on to.
const FAMILIES: &[fn(&Configuration) -> Vec<Command>] = &[
    number::export,
    number_data::export,
    route_category::export,
    route_data::export,
    sip_route::export::settings,
    trunk::export,
    destination::export,
    extension::export,
    ip_extension::export,
    name::export,
    extension_profile::export,
    service_code::export,
    hunt_group::export,
    pickup_group::export,
    call_list::export,
    personal_list::export,
    diversion::export,
    diversion_system::export,
    call_information::export,
    media_encryption::export,
    license::export,
    do_not_disturb::export,
    maintenance::export,
];

impl Configuration {
    /// The commands that rebuild this configuration, and what could not be told by them, one sentence each.
    pub(crate) fn commands(&self, vault: &Vault) -> (Vec<Command>, Vec<String>) {
        let mut commands: Vec<Command> = FAMILIES.iter().flat_map(|family| family(self)).collect();
        let (codes, mut notes) = auth_code::export(self, vault);
        commands.extend(codes);
        let (passwords, unknown) = sip_route::export::secrets(self, vault);
        commands.extend(passwords);
        notes.extend(unknown);
        notes.extend(mxone_certificate::left_out(self));
        let (phones, more) = ip_phone::export(self, vault);
        commands.extend(phones);
        // A phone's own lines come after the phone.
        commands.extend(ip_phone_parameter::export(self));
        notes.extend(more);
        (commands, notes)
    }

    pub(crate) fn script(&self, vault: &Vault) -> Answer {
        let (commands, mut notes) = self.commands(vault);
        let domain = vault.realm();
        notes.insert(
            0,
            format!("The configuration of node {domain}: rebuilds it on an empty data folder of that domain."),
        );
        if commands.iter().any(Command::holds_secrets) {
            let warning = "It holds secrets: who has an auth_code's HA1 or a phone's password can register as its extension, and passwords of routes and phones are in clear. Keep it as you keep passwords.";
            notes.insert(1, warning.to_owned());
        }
        Answer::Script { notes, commands }
    }
}

/// Runs the commands on an empty configuration; what differs from the present one is then changed at once.
pub(super) fn restore(configuration: &Configuration, vault: &Vault, commands: Vec<Command>) -> Outcome {
    let count = commands.len();
    let mut rebuilt = Configuration::default();
    for (number, command) in (1_usize..).zip(commands) {
        let place = format!("{number} of {count}");
        if matches!(command, Command::Config(_)) {
            return Err(CommandError::invalid("command", place, "a configuration is not restored within another"));
        }
        let Some(outcome) = command.run(&rebuilt, vault) else {
            return Err(CommandError::invalid("command", place, "it changes no configuration"));
        };
        let (edits, _) = outcome.map_err(|error| CommandError::invalid("command", place, error.to_string()))?;
        for edit in edits {
            rebuilt.apply(edit);
        }
    }
    // No script has it: see `mxone_certificate::left_out`.
    rebuilt.system.certificate = configuration.system.certificate.clone();
    Ok((configuration.edits_to(rebuilt), Answer::done()))
}
