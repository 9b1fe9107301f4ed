use super::{Answer, Command, CommandError, Outcome};
use crate::configuration::{Configuration, Edit};
use serde::{Deserialize, Serialize};

/// `maintenance -i | -e | -p`: the node takes no new calls, but for help; those in progress go on. Kept over restarts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum Maintenance {
    Initiate {},
    End {},
    Print {},
}

impl Maintenance {
    pub(super) fn run(self, configuration: &Configuration) -> Outcome {
        let mut system = configuration.system.clone();
        match (&self, system.maintenance) {
            (Maintenance::Print {}, on) => {
                let word = if on { "under maintenance: it takes no new calls" } else { "in service" };
                let rows = vec![vec![format!("The node is {word}")]];
                return Ok((Vec::new(), Answer::table("", &[""], rows)));
            }
            (Maintenance::Initiate {}, true) => {
                let text = "the node is under maintenance already: maintenance -e ends it";
                return Err(CommandError::already_assigned("maintenance", "-i", text));
            }
            (Maintenance::End {}, false) => {
                let text = "the node is in service: there is no maintenance to end";
                return Err(CommandError::not_assigned("maintenance", "-e", text));
            }
            (Maintenance::Initiate {} | Maintenance::End {}, on) => system.maintenance = !on,
        }
        Ok((vec![Edit::System(Box::new(system))], Answer::done()))
    }
}

pub(super) fn export(configuration: &Configuration) -> Vec<Command> {
    configuration.system.maintenance.then_some(Command::Maintenance(Maintenance::Initiate {})).into_iter().collect()
}
