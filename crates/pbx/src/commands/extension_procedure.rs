use serde::{Deserialize, Serialize};

/// `extension_procedure --dir N --proc '*21#'`: what the user of an extension would have dialled. Carried out by the
/// running node, since some of it is of the moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum ExtensionProcedure {
    Run {
        dir: String,
        /// A service code with its number.
        proc: String,
    },
}
