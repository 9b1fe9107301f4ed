//! Where calls go on to: call lists and diversions.

use super::Kind::{Number, Text, YesNo};
use super::{DIR_OR_ALL, Form, NEEDED_DIR, ONE_DIR, Parameter, needed, p, unix};

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

const DIVERSION: &[Parameter] = &[
    NEEDED_DIR,
    p(&["div-destination-number"], "div_destination_number", Text, "the number that calls go to"),
    p(&["div-immediate"], "div_immediate", YesNo, "at once"),
    p(&["div-busy"], "div_busy", YesNo, "at busy"),
    p(&["div-noreply"], "div_noreply", YesNo, "when nobody answers"),
    p(&["follow-me"], "follow_me", Text, "all calls go there, by the user's own wish; empty: no more"),
];

const DIVERSION_SYSTEM: &[Parameter] = &[
    p(&["no-reply-time"], "no_reply_time", Number, "seconds, 1 to 180, where a call list says nothing else"),
    p(&["second-no-reply-time"], "second_no_reply_time", Number, "the same once the call has been diverted"),
    p(&["network-chaining"], "network_chaining", Number, "0 to 9; kept only"),
    p(&["priority"], "priority", Number, "0 to 9; kept only"),
];

pub(super) const FORMS: &[Form] = &[
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
    unix("diversion", Some("-i"), "diversion", "initiate", "diverts an extension that has no call list", DIVERSION),
    unix("diversion", Some("-c"), "diversion", "change", "changes a diversion", DIVERSION),
    unix("diversion", Some("-e"), "diversion", "end", "ends a diversion", ONE_DIR),
    unix("diversion", Some("-p"), "diversion", "print", "prints diversions", DIR_OR_ALL),
    unix(
        "diversion_system",
        Some("-c"),
        "diversion_system",
        "change",
        "changes how long calls ring before they count as not answered",
        DIVERSION_SYSTEM,
    ),
    unix("diversion_system", Some("-e"), "diversion_system", "end", "brings the defaults back", &[]),
    unix("diversion_system", Some("-p"), "diversion_system", "print", "prints how long calls ring", &[]),
];
