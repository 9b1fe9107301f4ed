//! The configuration as the commands that make it anew on an empty folder.

use super::{
    Command, auto_attendant, call_answering_rule, dial_plan, distribution_group, hunt_group, ip_gateway, mailbox,
    mailbox_policy, prompt, service,
};
use crate::configuration::Configuration;

impl Configuration {
    /// In an order in which everything that is named is there: what may be named in a circle comes in a second step.
    pub fn commands(&self) -> Vec<Command> {
        [
            dial_plan::commands(self),
            mailbox_policy::commands(self),
            ip_gateway::commands(self),
            hunt_group::commands(self),
            auto_attendant::commands(self),
            auto_attendant::later_commands(self),
            dial_plan::later_commands(self),
            prompt::commands(self),
            mailbox::commands(self),
            distribution_group::commands(self),
            call_answering_rule::commands(self),
            service::commands(self),
        ]
        .concat()
    }
}
