//! The node as a whole: status, and keeping it.

use super::{Form, unix};

pub(super) const FORMS: &[Form] = &[
    unix(
        "export",
        None,
        "config",
        "export",
        "prints the configuration as a script that rebuilds it; it holds secrets (also: config export)",
        &[],
    ),
    unix(
        "ip_extension_info",
        None,
        "status",
        "extensions",
        "prints who is registered where, and whose lamp is on",
        &[],
    ),
    unix("call_info", None, "status", "calls", "prints the calls in progress", &[]),
];
