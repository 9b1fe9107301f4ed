//! What users do by service codes, and who rings together.

use super::Kind::{Number, NumberOrAll, Text, TextOrAll};
use super::{DIR_OR_ALL, Form, NEEDED_DIR, ONE_DIR, Parameter, needed, p, unix};

const HUNT_GROUP: &[Parameter] = &[
    needed(&["group"], "group", Text, "the group's number, 2 to 20 digits"),
    p(&["name"], "name", Text, "at most 20 characters"),
    p(&["members"], "members", Text, "extensions, parted by commas, in the order in which they are tried"),
    p(&["members-off"], "members_off", Text, "members that take no calls of the group for now; empty: all take them"),
    p(&["selection"], "selection", Text, "parallel (default), sequential or cyclic"),
    p(&["ringing-time"], "ringing_time", Number, "seconds, 1 to 180: of each in turn, or of all together"),
    p(&["overflow-busy"], "overflow_busy", Text, "where calls go when all are busy; empty: busy tone"),
    p(
        &["overflow-noreply"],
        "overflow_noreply",
        Text,
        "where calls go when nobody answers or is there; empty: nowhere",
    ),
];

const PICKUP_GROUP: &[Parameter] = &[
    needed(&["group"], "group", Number, "1 to 1000"),
    needed(&["members"], "members", Text, "extensions, parted by commas"),
];

const EXTENSION_PROFILE: &[Parameter] = &[
    needed(&["csp"], "csp", Number, "common service profile, 0 to 500: extension --csp says who has it"),
    p(&["ext-traf"], "ext_traf", Text, "10 digits; kept only"),
    p(
        &["ext-serv"],
        "ext_serv",
        Text,
        "30 digits, 0 forbids. 8: manual message waiting; 12: do not disturb; 17: media always by the node; 27: transfer; \
         28: transfer to the public network",
    ),
    p(
        &["ext-cdiv"],
        "ext_cdiv",
        Text,
        "15 digits, 0 forbids. 1: external follow-me; 2: follow-me; 3: bypass diversion; 9, 10, 11: diversion direct, at \
         busy, on no answer",
    ),
    p(&["ext-npres"], "ext_npres", Text, "7 digits. 1: the number is withheld"),
    p(&["ext-roc"], "ext_roc", Text, "6 digits; kept only"),
];

const SERVICE_CODE: &[Parameter] = &[
    needed(&["code"], "code", Text, "*21#, or *21*n# for a service with a number"),
    needed(&["service"], "service", Text, "follow-me, do-not-disturb ...: service_code -p lists them"),
];

const PERSONAL_LIST: &[Parameter] =
    &[NEEDED_DIR, needed(&["list"], "list", Number, "1 to 5, one that the extension has")];

pub(super) const FORMS: &[Form] = &[
    unix("do_not_disturb", Some("-i"), "do_not_disturb", "initiate", "lets an extension ring for nobody", ONE_DIR),
    unix("do_not_disturb", Some("-e"), "do_not_disturb", "end", "lets it ring again", ONE_DIR),
    unix("do_not_disturb", Some("-p"), "do_not_disturb", "print", "prints who is not to be disturbed", DIR_OR_ALL),
    unix("personal_list", Some("-i"), "personal_list", "initiate", "chooses the call list in use", PERSONAL_LIST),
    unix("personal_list", Some("-c"), "personal_list", "change", "chooses another one", PERSONAL_LIST),
    unix("personal_list", Some("-e"), "personal_list", "end", "list 1 is in use again", ONE_DIR),
    unix("personal_list", Some("-p"), "personal_list", "print", "prints who chose a list", DIR_OR_ALL),
    unix(
        "hunt_group",
        Some("-i"),
        "hunt_group",
        "initiate",
        "makes a number that rings several extensions",
        HUNT_GROUP,
    ),
    unix("hunt_group", Some("-c"), "hunt_group", "change", "changes a hunt group", HUNT_GROUP),
    unix(
        "hunt_group",
        Some("-e"),
        "hunt_group",
        "end",
        "ends a hunt group",
        &[needed(&["group"], "group", Text, "the group's number")],
    ),
    unix(
        "hunt_group",
        Some("-p"),
        "hunt_group",
        "print",
        "prints hunt groups",
        &[p(&["group"], "group", TextOrAll, "the group's number, or all (default)")],
    ),
    unix(
        "pickup_group",
        Some("-i"),
        "pickup_group",
        "initiate",
        "lets extensions take each other's calls",
        PICKUP_GROUP,
    ),
    unix("pickup_group", Some("-c"), "pickup_group", "change", "changes who is in the group", PICKUP_GROUP),
    unix(
        "pickup_group",
        Some("-e"),
        "pickup_group",
        "end",
        "ends a pickup group",
        &[needed(&["group"], "group", Number, "1 to 1000")],
    ),
    unix(
        "pickup_group",
        Some("-p"),
        "pickup_group",
        "print",
        "prints pickup groups",
        &[p(&["group"], "group", NumberOrAll, "1 to 1000, or all (default)")],
    ),
    unix(
        "extension_profile",
        Some("-i"),
        "extension_profile",
        "initiate",
        "says what the extensions of a common service profile may do",
        EXTENSION_PROFILE,
    ),
    unix(
        "extension_profile",
        Some("-c"),
        "extension_profile",
        "change",
        "changes a common service profile",
        EXTENSION_PROFILE,
    ),
    unix(
        "extension_profile",
        Some("-e"),
        "extension_profile",
        "end",
        "ends a common service profile that no extension has",
        &[needed(&["csp"], "csp", Number, "0 to 500")],
    ),
    unix(
        "extension_profile",
        Some("-p"),
        "extension_profile",
        "print",
        "prints common service profiles",
        &[p(&["csp"], "csp", NumberOrAll, "0 to 500, or all (default)")],
    ),
    unix("service_code", Some("-i"), "service_code", "initiate", "gives a service a code to dial", SERVICE_CODE),
    unix("service_code", Some("-c"), "service_code", "change", "gives a code another service", SERVICE_CODE),
    unix(
        "service_code",
        Some("-set"),
        "service_code",
        "market",
        "goes back to a market's own codes",
        &[needed(&["market"], "market", Text, "standard or us")],
    ),
    unix(
        "service_code",
        Some("-e"),
        "service_code",
        "end",
        "takes a code away",
        &[needed(&["code"], "code", Text, "as service_code -p prints it")],
    ),
    unix(
        "service_code",
        Some("-p"),
        "service_code",
        "print",
        "prints the service codes",
        &[p(&["service"], "service", TextOrAll, "one service, or all (default)")],
    ),
    unix(
        "extension_procedure",
        None,
        "extension_procedure",
        "run",
        "carries a service code out for an extension, as if its user had dialled it",
        &[NEEDED_DIR, needed(&["proc"], "proc", Text, "a service code: '*21#', '*21*27001#'")],
    ),
];
