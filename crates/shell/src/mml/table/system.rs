//! The node as a whole: status, and keeping it.

use super::{Form, unix};

pub(super) const FORMS: &[Form] = &[
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
