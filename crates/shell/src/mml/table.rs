//! The node's commands: one table, from which lines are read, help is printed and words are completed.
//!
//! A form turns into the JSON of a [`pbx::commands::Command`]: `command` and `verb` choose the variant, each parameter
//! is a field of it. What a value must look like is checked by the command itself, in one place for all doors.

/// How a parameter's value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    /// Text that is never shown again.
    Secret,
    /// Text; `ALL` is the same as leaving it out.
    TextOrAll,
    /// A whole number.
    Number,
    /// A whole number; `ALL` is the same as leaving it out.
    NumberOrAll,
    /// `yes`/`no`, `true`/`false`, `1`/`0`, `on`/`off`.
    YesNo,
    /// Text that may be left out, with the option still given.
    MaybeText,
    /// Trunk individuals: text, with the guide's placeholder pointed out.
    Individuals,
    /// `name0` to `name7`: eight fields of one name, by index.
    Eight,
}

/// One parameter of a form.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parameter {
    /// As it is written; the first is the one that help shows.
    pub names: &'static [&'static str],
    /// The field of the command.
    pub field: &'static str,
    pub kind: Kind,
    pub required: bool,
    pub help: &'static str,
}

/// One way to write a command: an MML name, or a unix-style name with its switch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Form {
    pub name: &'static str,
    /// `-i`, `-set`; none where the name says it all.
    pub switch: Option<&'static str>,
    pub mml: bool,
    pub command: &'static str,
    pub verb: &'static str,
    pub summary: &'static str,
    pub parameters: &'static [Parameter],
}

/// A word that the guide, or a tired hand, writes for another.
pub(crate) struct Slip {
    pub wrong: &'static str,
    pub right: &'static str,
}

/// Command names.
pub(crate) const COMMAND_SLIPS: &[Slip] = &[Slip { wrong: "ip_route", right: "sip_route" }];

/// Parameter names, in any command that has the right one.
pub(crate) const PARAMETER_SLIPS: &[Slip] =
    &[Slip { wrong: "rm", right: "TRM" }, Slip { wrong: "remotepoint", right: "remoteport" }];

const fn p(names: &'static [&'static str], field: &'static str, kind: Kind, help: &'static str) -> Parameter {
    Parameter { names, field, kind, required: false, help }
}

const fn needed(names: &'static [&'static str], field: &'static str, kind: Kind, help: &'static str) -> Parameter {
    Parameter { names, field, kind, required: true, help }
}

const fn mml(
    name: &'static str,
    command: &'static str,
    verb: &'static str,
    summary: &'static str,
    parameters: &'static [Parameter],
) -> Form {
    Form { name, switch: None, mml: true, command, verb, summary, parameters }
}

const fn unix(
    name: &'static str,
    switch: Option<&'static str>,
    command: &'static str,
    verb: &'static str,
    summary: &'static str,
    parameters: &'static [Parameter],
) -> Form {
    Form { name, switch, mml: false, command, verb, summary, parameters }
}

use Kind::{Eight, Individuals, MaybeText, Number, NumberOrAll, Secret, Text, TextOrAll, YesNo};

const DIR: &[&str] = &["d", "dir"];
const ROU: Parameter = needed(&["ROU"], "rou", Number, "route, 1 to 250");
const ROU_OR_ALL: Parameter = p(&["ROU"], "rou", NumberOrAll, "route, or ALL (default)");
const NEEDED_DIR: Parameter = needed(DIR, "dir", Text, "the extension's number");
const ONE_DIR: &[Parameter] = &[NEEDED_DIR];
const DIR_OR_ALL: &[Parameter] = &[p(DIR, "dir", TextOrAll, "the extension's number, or all (default)")];

const ROUTE_CATEGORY: &[Parameter] = &[
    ROU,
    p(&["SEL"], "sel", Text, "selection digits, 16 digits"),
    p(&["TRM"], "trm", Text, "transmission category, one digit 0 to 7"),
    p(&["SIG"], "sig", Text, "signalling, 12 hexadecimal digits"),
    p(&["TRAF"], "traf", Text, "traffic classes, 8 digits"),
    p(&["SERV"], "serv", Text, "services, 10 digits"),
    p(&["BCAP"], "bcap", Text, "bearer capability, 6 digits 0 or 1"),
    p(&["NODG"], "nodg", Text, "1 to 3 digits"),
    p(&["DIST"], "dist", Text, "1 to 3 digits"),
    p(&["DISL"], "disl", Text, "1 to 3 digits"),
    p(&["CUST"], "cust", Text, "customer"),
];

const ROUTE_DATA: &[Parameter] = &[
    ROU,
    p(&["TYPE"], "type", Text, "line type: TL66 is SIP"),
    p(&["VARI"], "vari", Text, "incoming variant, 8 hexadecimal digits; a profile overrides it"),
    p(&["VARC"], "varc", Text, "common variant, 8 hexadecimal digits; a profile overrides it"),
    p(&["VARO"], "varo", Text, "outgoing variant, 8 hexadecimal digits; a profile overrides it"),
];

const TRUNK: &[Parameter] = &[
    ROU,
    needed(&["TRU"], "tru", Individuals, "trunk individuals LIM-number: 1-1, a list 1-1&1-5, a range 1-1&&1-30"),
    p(&["EQU"], "equ", Text, "equipment position; kept only"),
    p(&["IP"], "ip", Text, "IP address; kept only"),
    p(&["INDDAT"], "inddat", Text, "individual data; kept only"),
    p(&["CNTRL"], "cntrl", Text, "control; kept only"),
];

const DESTINATION: &[Parameter] = &[
    needed(&["DEST"], "dest", Text, "the number dialled, initiated as ED"),
    p(&["ROU"], "rou", Number, "the route that it takes"),
    p(&["CHO"], "cho", Number, "order of choice, 0 (first) to 7"),
    p(&["ADC"], "adc", Text, "additional data, 28 digits"),
    p(&["SRT"], "srt", Number, "first dialled digit that is sent, from 1"),
    p(&["PRE"], "pre", Text, "digits sent before it"),
    p(&["CUST"], "cust", Text, "customer"),
    p(&["TRC"], "trc", Text, "traffic route class"),
];

const SIP_ROUTE: &[Parameter] = &[
    needed(&["route"], "route", Number, "route, 1 to 250"),
    p(&["profile"], "profile", Text, "ExchangeUM_TCP or DEFAULT"),
    p(&["service"], "service", Text, "PRIVATE_SERVICES, PUBLIC_SERVICES"),
    p(&["uristring"], "uristring", Eight, "uristring0 to uristring7: the URI called, ? stands for the number"),
    p(&["fromuri"], "fromuri", Eight, "fromuri0 to fromuri7: the caller's URI, ? stands for the number"),
    p(&["remoteport"], "remoteport", Number, "port at the other end; 0: by DNS SRV"),
    p(&["protocol"], "protocol", Text, "udp, tcp, or default (the profile's)"),
    p(&["proxyip"], "proxyip", Text, "where requests are sent instead of to the URI's host"),
    p(&["proxyport"], "proxyport", Number, "the proxy's port"),
    p(&["accept"], "accept", Text, "by what incoming calls are taken for this route: REMOTE_IP"),
    p(&["match"], "match", Text, "what -accept must find: IP addresses, separated by commas"),
    p(&["priority"], "priority", Number, "0 to 255; the lowest is tried first"),
    p(&["codecs"], "codecs", Text, "PCMA,PCMU in order of preference"),
    p(&["mwinumber"], "mwinumber", Text, "number of the voice mail that message waiting belongs to"),
    p(&["supervise"], "supervise", Text, "ACTIVE_SUPERVISION or NO_SUPERVISION"),
    p(&["supervisetime"], "supervisetime", Number, "seconds between OPTIONS, 5 to 3600"),
    p(&["trusted"], "trusted", Text, "whether identities from the route are believed"),
    p(
        &["history-redirects"],
        "history_redirects",
        YesNo,
        "Earcon's own: a followed redirect gets a History-Info entry",
    ),
    p(&["forced-gateway"], "forced_gateway", Text, "Earcon's own: yes, no, or profile"),
];

const CALL_LIST: &[Parameter] = &[
    NEEDED_DIR,
    p(&["list"], "list", Number, "1 to 5"),
    p(&["dest-number"], "dest_number", Text, "the number called at this position"),
    needed(&["position"], "position", Number, "1 to 10"),
    p(&["busy-position"], "busy_position", Number, "at busy: 0 busy tone, 2 to 10 go there, 11 use the diversion"),
    p(&["dnd-position"], "dnd_position", Number, "the same when the phone is not to be disturbed"),
    p(&["ringing-time"], "ringing_time", Number, "seconds, 1 to 180"),
    p(&["origin"], "origin", Text, "three bits: internal, private, public; 111 is all"),
    p(&["ird-bypass"], "ird_bypass", YesNo, "pass over the destination's own diversion"),
    p(&["one-call"], "one_call", YesNo, "skip the position while a call of the extension is there"),
    p(&["sms-support"], "sms_support", YesNo, "kept only"),
    p(&["delay-seizure-list-number"], "delay_seizure_list_number", Number, "kept only"),
    p(&["instant-messaging-support"], "instant_messaging_support", YesNo, "kept only"),
    p(&["call-list-cdiv"], "call_list_cdiv", Text, "kept only"),
];

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

const IP_EXTENSION: &[Parameter] = &[NEEDED_DIR, p(&["protocol"], "protocol", Text, "SIP")];

const NAME: &[Parameter] = &[
    NEEDED_DIR,
    p(&["name1"], "name1", Text, "first name, up to 20 characters"),
    p(&["name2"], "name2", Text, "last name, up to 20 characters"),
    p(&["number-type"], "number_type", Text, "dir"),
];

const AUTH_CODE: &[Parameter] = &[
    NEEDED_DIR,
    needed(&["auth-code"], "auth_code", Secret, "the SIP password, 2 to 64 characters"),
    p(&["csp"], "csp", Number, "common service profile, 0 to 500"),
    p(&["cil"], "cil", Text, "1 to 20 digits"),
    p(&["customer"], "customer", Number, "0 to 50000"),
    p(&["hash-type"], "hash_type", Text, "md5a1"),
];

const DIVERSION: &[Parameter] = &[
    NEEDED_DIR,
    p(&["div-destination-number"], "div_destination_number", Text, "the number that calls go to"),
    p(&["div-immediate"], "div_immediate", YesNo, "at once"),
    p(&["div-busy"], "div_busy", YesNo, "at busy"),
    p(&["div-noreply"], "div_noreply", YesNo, "when nobody answers"),
];

pub(crate) const FORMS: &[Form] = &[
    unix(
        "number_initiate",
        None,
        "number",
        "initiate",
        "puts a number into the number plan",
        &[
            needed(&["numbertype"], "numbertype", Text, "EX extension series, ED external destination"),
            needed(&["number"], "number", Text, "a number, or for EX a series 27000..27099"),
        ],
    ),
    unix(
        "number_end",
        None,
        "number",
        "end",
        "takes a number out of the number plan",
        &[
            needed(&["number"], "number", Text, "the number, or the first of a series"),
            p(&["numbertype"], "", Text, "not needed"),
        ],
    ),
    unix(
        "number_print",
        None,
        "number",
        "print",
        "prints the number plan",
        &[p(&["number"], "number", TextOrAll, "one number; else all")],
    ),
    mml("ROCAI", "route_category", "initiate", "initiates a route's category", ROUTE_CATEGORY),
    mml("ROCAC", "route_category", "change", "changes a route's category", ROUTE_CATEGORY),
    mml("ROCAE", "route_category", "end", "ends a route", &[ROU]),
    mml("ROCAP", "route_category", "print", "prints route categories", &[ROU_OR_ALL]),
    mml("RODAI", "route_data", "initiate", "initiates a route's line type", ROUTE_DATA),
    mml("RODAC", "route_data", "change", "changes a route's line type", ROUTE_DATA),
    mml("RODAE", "route_data", "end", "ends a route's line type", &[ROU]),
    mml("RODAP", "route_data", "print", "prints line types", &[ROU_OR_ALL]),
    mml("ROEQI", "trunk", "initiate", "gives a route trunk individuals: as many calls at once", TRUNK),
    mml(
        "ROEQE",
        "trunk",
        "end",
        "takes trunk individuals from a route",
        &[ROU, p(&["TRU"], "tru", Individuals, "which; without it all of the route")],
    ),
    mml("ROEDP", "trunk", "print", "prints trunk individuals", &[ROU_OR_ALL]),
    mml("RODDI", "destination", "initiate", "leads an external destination to a route", DESTINATION),
    mml("RODDC", "destination", "change", "changes where an external destination leads", DESTINATION),
    mml(
        "RODDE",
        "destination",
        "end",
        "ends an external destination's route",
        &[
            needed(&["DEST"], "dest", Text, "the number dialled"),
            p(&["CHO"], "cho", Number, "which choice; without it all"),
        ],
    ),
    mml(
        "RODDP",
        "destination",
        "print",
        "prints external destinations",
        &[p(&["DEST"], "dest", TextOrAll, "the number dialled, or ALL (default)")],
    ),
    unix(
        "sip_route",
        Some("-set"),
        "sip_route",
        "set",
        "sets a route's SIP data: what it names changes, the rest stays",
        SIP_ROUTE,
    ),
    unix(
        "sip_route",
        Some("-print"),
        "sip_route",
        "print",
        "prints a route's SIP data, or profiles",
        &[
            p(&["route"], "route", NumberOrAll, "route; else all"),
            p(&["profile"], "profile", MaybeText, "one profile, or without a name all of them"),
        ],
    ),
    unix(
        "sip_route",
        Some("-remove"),
        "sip_route",
        "remove",
        "removes a route's SIP data",
        &[needed(&["route"], "route", Number, "route, 1 to 250")],
    ),
    unix("call_list", Some("-i"), "call_list", "initiate", "puts a position into an extension's call list", CALL_LIST),
    unix("call_list", Some("-c"), "call_list", "change", "changes a position", CALL_LIST),
    unix(
        "call_list",
        Some("-e"),
        "call_list",
        "end",
        "ends a position, or the whole list",
        &[
            NEEDED_DIR,
            p(&["list"], "list", Number, "1 to 5"),
            p(&["position"], "position", Number, "1 to 10; without it the whole list"),
        ],
    ),
    unix("call_list", Some("-p"), "call_list", "print", "prints call lists", DIR_OR_ALL),
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
    unix("diversion", Some("-i"), "diversion", "initiate", "diverts an extension that has no call list", DIVERSION),
    unix("diversion", Some("-c"), "diversion", "change", "changes a diversion", DIVERSION),
    unix("diversion", Some("-e"), "diversion", "end", "ends a diversion", ONE_DIR),
    unix("diversion", Some("-p"), "diversion", "print", "prints diversions", DIR_OR_ALL),
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

/// The forms of a command, by its name in any case.
pub(crate) fn forms(name: &str) -> impl Iterator<Item = &'static Form> + '_ {
    FORMS.iter().filter(move |form| form.name.eq_ignore_ascii_case(name))
}

/// Whether a line that begins with this word is a new command.
pub(crate) fn is_command(word: &str) -> bool {
    forms(word).next().is_some()
        || COMMAND_SLIPS.iter().any(|slip| slip.wrong.eq_ignore_ascii_case(word))
        || ["help", "exit", "quit", "?"].contains(&word)
}

impl Form {
    /// The parameter of that name, in any case; for [`Kind::Eight`] with its index.
    pub(crate) fn parameter(&self, name: &str) -> Option<(&'static Parameter, usize)> {
        self.parameters.iter().find_map(|parameter| {
            parameter.names.iter().find_map(|known| match parameter.kind {
                Eight => {
                    let (stem, index) = name.split_at_checked(known.len())?;
                    let index = index.parse::<usize>().ok().filter(|index| *index < 8)?;
                    stem.eq_ignore_ascii_case(known).then_some((parameter, index))
                }
                _ => known.eq_ignore_ascii_case(name).then_some((parameter, 0)),
            })
        })
    }

    /// How the parameter is written in this form: `ROU`, `-route`, `--dest-number`, `-d`.
    pub(crate) fn written(&self, parameter: &Parameter) -> String {
        let name = parameter.names.first().copied().unwrap_or_default();
        match parameter.kind {
            Eight => format!("-{name}0"),
            _ if self.mml => name.into(),
            // The newer commands write long options with two dashes, the older with one.
            _ if name.len() > 1 && self.switch.is_some_and(|switch| switch.len() == 2) => format!("--{name}"),
            _ => format!("-{name}"),
        }
    }
}
