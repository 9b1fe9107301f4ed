//! Extensions and what belongs to one.

use super::Kind::{Number, Secret, Text, YesNo};
use super::{DIR_OR_ALL, Form, NEEDED_DIR, ONE_DIR, Parameter, p, unix};

const EXTENSION: &[Parameter] = &[
    NEEDED_DIR,
    p(&["l", "lim"], "lim", Number, "LIM, 1 to 124"),
    p(&["csp"], "csp", Number, "common service profile, 0 to 500"),
    p(&["max-terminals"], "max_terminals", Number, "registrations at once, 1 to 8"),
    p(&["third-party-client"], "third_party_client", YesNo, "a phone of another make"),
    p(&["customer"], "customer", Number, "0 to 50000"),
    p(&["language-code"], "language_code", Text, "language"),
    p(
        &["free-on-second-line"],
        "free_on_second_line",
        Number,
        "0: busy while in a call; 1 to 3: further calls ring too",
    ),
];

const IP_EXTENSION: &[Parameter] = &[
    NEEDED_DIR,
    p(&["protocol"], "protocol", Text, "SIP; H.323, analog, digital and DECT phones connect through a SIP gateway"),
    p(&["gateway"], "gateway", Text, "the extension that stands for the gateway that this one is behind; \"\": none"),
    p(&["address"], "address", Text, "a gateway's fixed address, IP or IP:port, when it does not register"),
    p(
        &["inband-dtmf"],
        "inband_dtmf",
        YesNo,
        "its keys come as tones: the node hears them and passes them on (RFC 4733)",
    ),
    p(
        &["uri"],
        "uri",
        Text,
        "its mobile telephone: \"rou:4&5;remote-number=0701234567\", with ;caller-number= and ;min-answer-delay= if need be",
    ),
];

const NAME: &[Parameter] = &[
    NEEDED_DIR,
    p(&["name1"], "name1", Text, "first name, up to 20 characters"),
    p(&["name2"], "name2", Text, "last name, up to 20 characters"),
    p(&["number-type"], "number_type", Text, "dir"),
];

const AUTH_CODE: &[Parameter] = &[
    NEEDED_DIR,
    p(&["auth-code"], "auth_code", Secret, "the SIP password, 2 to 64 characters"),
    p(&["csp"], "csp", Number, "common service profile, 0 to 500"),
    p(&["cil"], "cil", Text, "1 to 20 digits"),
    p(&["customer"], "customer", Number, "0 to 50000"),
    p(&["hash-type"], "hash_type", Text, "what phones are asked for: md5a1 (default), sha256a1, any"),
    p(&["ha1-md5"], "ha1_md5", Secret, "instead of the password, as export writes it: its HA1 of MD5"),
    p(&["ha1-sha256"], "ha1_sha256", Secret, "and its HA1 of SHA-256"),
    p(&["realm"], "realm", Text, "and the domain that they were made for: this node's"),
];

pub(super) const FORMS: &[Form] = &[
    unix("extension", Some("-i"), "extension", "initiate", "initiates an extension", EXTENSION),
    unix("extension", Some("-c"), "extension", "change", "changes an extension", EXTENSION),
    unix("extension", Some("-e"), "extension", "end", "ends an extension with all that belongs to it", ONE_DIR),
    unix("extension", Some("-p"), "extension", "print", "prints extensions", DIR_OR_ALL),
    unix(
        "ip_extension",
        Some("-i"),
        "ip_extension",
        "initiate",
        "lets an extension's phones register by SIP",
        IP_EXTENSION,
    ),
    unix(
        "ip_extension",
        Some("-c"),
        "ip_extension",
        "change",
        "changes how an extension's phones register",
        IP_EXTENSION,
    ),
    unix("ip_extension", Some("-e"), "ip_extension", "end", "lets an extension's phones register no more", ONE_DIR),
    unix("ip_extension", Some("-p"), "ip_extension", "print", "prints extensions that register", DIR_OR_ALL),
    unix("name", Some("-i"), "name", "initiate", "gives an extension a name", NAME),
    unix("name", Some("-c"), "name", "change", "changes an extension's name", NAME),
    unix("name", Some("-e"), "name", "end", "takes an extension's name away", ONE_DIR),
    unix("name", Some("-p"), "name", "print", "prints names", DIR_OR_ALL),
    unix("auth_code", Some("-i"), "auth_code", "initiate", "gives an extension its SIP password", AUTH_CODE),
    unix("auth_code", Some("-c"), "auth_code", "change", "changes an extension's SIP password", AUTH_CODE),
    unix("auth_code", Some("-e"), "auth_code", "end", "takes an extension's SIP password away", ONE_DIR),
    unix("auth_code", Some("-p"), "auth_code", "print", "prints who has a SIP password", DIR_OR_ALL),
];
