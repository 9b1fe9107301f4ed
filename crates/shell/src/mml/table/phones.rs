//! Phones that fetch their configuration, and what stands in it.

use super::Kind::{Number, Secret, Text, TextOrAll, YesNo};
use super::{Form, Parameter, needed, p, unix};

const MAC: Parameter = needed(&["mac"], "mac", Text, "hardware address: 00085D123456, 00:08:5d:12:34:56");
const DIR: Parameter = p(&["d", "dir"], "dir", Text, "the extension that it registers as; -i needs it");

const PHONE: &[Parameter] = &[
    MAC,
    DIR,
    p(&["model"], "model", Text, "6867i, or any name for another make"),
    p(
        &["auth-code"],
        "auth_code",
        Secret,
        "the phone's own SIP password, 2 to 64 characters; without it -i makes a random one",
    ),
    p(&["token"], "token", Secret, "its token as export writes it, 32 hexadecimal digits"),
    p(&["renew"], "renew", YesNo, "a new token, and unless one is given a new password"),
    p(&["window"], "window", Number, "minutes, 1 to 1440: the first that fetches its file within them is the phone"),
];

const FILE: Parameter =
    needed(&["file"], "file", Text, "aastra.cfg, a model's 6867i.cfg, or a phone's 00085D123456.cfg");

const LINE: &[Parameter] = &[
    FILE,
    needed(&["key"], "key", Text, "as the phone's manual has it: \"sip line1 vmail\""),
    needed(&["value"], "value", Text, "the value; no secrets here"),
];

pub(super) const FORMS: &[Form] = &[
    unix("ip_phone", Some("-i"), "ip_phone", "initiate", "enters a phone that fetches its configuration", PHONE),
    unix("ip_phone", Some("-c"), "ip_phone", "change", "changes a phone, or opens a window for it", PHONE),
    unix("ip_phone", Some("-e"), "ip_phone", "end", "ends a phone: its password is worth nothing then", &[MAC]),
    unix(
        "ip_phone",
        Some("-p"),
        "ip_phone",
        "print",
        "prints phones",
        &[
            p(&["d", "dir"], "dir", TextOrAll, "those of one extension, or all (default)"),
            p(&["mac"], "mac", TextOrAll, "one phone"),
        ],
    ),
    unix(
        "ip_phone_parameter",
        Some("-i"),
        "ip_phone_parameter",
        "initiate",
        "puts a line into a phone file, in place of Earcon's own of that key",
        LINE,
    ),
    unix("ip_phone_parameter", Some("-c"), "ip_phone_parameter", "change", "changes such a line", LINE),
    unix(
        "ip_phone_parameter",
        Some("-e"),
        "ip_phone_parameter",
        "end",
        "takes such a line out of its file",
        &[FILE, p(&["key"], "key", Text, "which; without it all of the file")],
    ),
    unix(
        "ip_phone_parameter",
        Some("-p"),
        "ip_phone_parameter",
        "print",
        "prints such lines",
        &[p(&["file"], "file", TextOrAll, "of one file, or all (default)")],
    ),
];
