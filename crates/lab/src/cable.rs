//! The Ethernet cables of the lab's UM servers.

use net::Cable;
use std::fmt;

/// A UM server's cable. Plugged and pulled by name, on the lab's console.
#[derive(Clone)]
pub(crate) struct Wire {
    pub name: &'static str,
    pub cable: Cable,
}

/// What was done, or why not, in a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done(pub String);

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The cables of a lab; clones are the same.
#[derive(Clone, Default)]
pub struct Cables {
    wires: Vec<Wire>,
}

impl Cables {
    pub(crate) fn new(wires: Vec<Wire>) -> Cables {
        Cables { wires }
    }

    /// Whether there is any.
    pub fn any(&self) -> bool {
        !self.wires.is_empty()
    }

    /// `unplug um1`, `plug um1`: what the console takes.
    pub fn command(&self, line: &str) -> Done {
        let mut words = line.split_whitespace();
        let usage = || Done(format!("write unplug or plug, and {}", self.names()));
        match (words.next(), words.next(), words.next()) {
            (Some("unplug"), Some(name), None) => self.set(name, false),
            (Some("plug"), Some(name), None) => self.set(name, true),
            _ => usage(),
        }
    }

    /// Plugs or pulls.
    pub fn set(&self, name: &str, plugged: bool) -> Done {
        let Some(wire) = self.wires.iter().find(|wire| wire.name.eq_ignore_ascii_case(name)) else {
            return Done(match self.wires.as_slice() {
                [] => "there is one UM server only, and no cable to pull: start the lab with --redundant".to_owned(),
                _ => format!("there is no {name}: {}", self.names()),
            });
        };
        if plugged != wire.cable.is_pulled() {
            return Done(format!("{} is {} already", wire.name, if plugged { "plugged" } else { "unplugged" }));
        }
        if plugged {
            wire.cable.plug();
        } else {
            wire.cable.pull();
        }
        Done(format!("{} is {}", wire.name, if plugged { "plugged" } else { "unplugged" }))
    }

    fn names(&self) -> String {
        self.wires.iter().map(|wire| wire.name).collect::<Vec<_>>().join(" or ")
    }
}
