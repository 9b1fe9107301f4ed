//! The node as a whole: status, licences, encryption, call records, alarms, and keeping what is configured.

use super::Kind::{MaybeText, Number, Secret, Text, YesNo};
use super::{DIR, Form, Parameter, needed, p, unix};

const BACKUP: &[Parameter] = &[needed(&["file"], "file", Text, "its name, without a path")];

const TRAFFIC: &[Parameter] = &[needed(&["type"], "type", Text, "route or extension")];

const LICENSE: Parameter =
    needed(&["license"], "license", Text, "SIP_TRUNK, SIP_TRUNK_CHANNELS, IP_EXTENSION or VOIP_ENCRYPTION");

const OUTPUT: Parameter = needed(&["output"], "output", Number, "the output, 0 to 9");

const LIM: Parameter = p(&["lim"], "", Number, "not needed: there is one");

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
        "data_backup",
        None,
        "",
        "backup",
        "keeps the configuration as a file in the data folder, under backup; it holds secrets",
        BACKUP,
    ),
    unix(
        "data_restore",
        None,
        "",
        "restore",
        "brings the configuration of a backup back, all of it or nothing; what was changed since is lost",
        BACKUP,
    ),
    unix("data_backup_print", None, "", "list", "prints which backups there are", &[]),
    unix(
        "exit_if_error",
        None,
        "",
        "exit_if_error",
        "exit_if_error off: a script goes on after what is refused; on: it stops there, as at first",
        &[],
    ),
    unix(
        "call_trace",
        None,
        "status",
        "trace",
        "prints the calls that a number is in: parties, RTP addresses, codec, direct or gateway",
        &[needed(DIR, "dir", Text, "the extension's number, or an outside one")],
    ),
    unix(
        "status",
        Some("-system"),
        "status",
        "system",
        "prints since when the node runs, and how much there is of everything",
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
    unix("license_status", None, "status", "licenses", "prints what is in use, its peak and its limit", &[]),
    unix(
        "license_limit",
        Some("-set"),
        "license_limit",
        "set",
        "limits what may be in use; without a limit it is unlimited",
        &[LICENSE, needed(&["limit"], "limit", Number, "0 to 1000000")],
    ),
    unix("license_limit", Some("-remove"), "license_limit", "remove", "takes a limit away", &[LICENSE]),
    unix("license_limit", Some("-print"), "license_limit", "print", "prints the limits that were set", &[]),
    unix("alarm", Some("-p"), "alarm", "print", "prints what is wrong", ALARM),
    unix(
        "alarm",
        Some("-e"),
        "alarm",
        "end",
        "clears an alarm; what still is wrong raises it anew",
        &[needed(&["number"], "number", Number, "the alarm, as alarm -p numbers it")],
    ),
    unix(
        "maintenance",
        Some("-i"),
        "maintenance",
        "initiate",
        "takes no new calls (503), but for help; those in progress go on",
        &[],
    ),
    unix("maintenance", Some("-e"), "maintenance", "end", "takes calls again", &[]),
    unix("maintenance", Some("-p"), "maintenance", "print", "prints whether the node takes calls", &[]),
    unix(
        "media_encryption_enable",
        None,
        "media_encryption",
        "enable",
        "encrypts media (SRTP)",
        &[
            needed(&["type"], "type", Text, "route (those over TLS, or with profile ExchangeUM_TLS_SRTP) or extension"),
            p(&["mode"], "mode", Text, "required (default: others are refused) or best-effort"),
        ],
    ),
    unix("media_encryption_disable", None, "media_encryption", "disable", "encrypts media no more", TRAFFIC),
    unix(
        "media_encryption_print",
        None,
        "media_encryption",
        "print",
        "prints whose media is encrypted",
        &[p(&["type"], "type", Text, "route or extension; else both")],
    ),
    unix(
        "mxone_certificate",
        Some("-import"),
        "",
        "certificate",
        "takes certificate, key and CA of a PKCS#12 file (.pfx) for TLS; open connections go on",
        &[
            needed(&["import"], "file", Text, "its path, or its name under certificates in the data folder"),
            p(&["password"], "password", Secret, "what it was exported with"),
        ],
    ),
    unix("mxone_certificate", Some("-end"), "mxone_certificate", "end", "removes the certificate", &[]),
    unix(
        "mxone_certificate",
        Some("-print"),
        "mxone_certificate",
        "print",
        "prints the certificate: for which names, by whom, until when",
        &[],
    ),
    unix(
        "callinfo_output_set",
        None,
        "call_information",
        "output_set",
        "sets where call records go: a CSV file a day in the data folder, under call_information",
        OUTPUT_SET,
    ),
    unix(
        "callinfo_status_set",
        None,
        "call_information",
        "status_set",
        "switches an output of call records on or off",
        &[OUTPUT, LIM, needed(&["state"], "state", YesNo, "on or off")],
    ),
    unix(
        "callinfo_output_remove",
        None,
        "call_information",
        "output_remove",
        "removes an output; its files stay",
        &[OUTPUT],
    ),
    unix("callinfo_output_print", None, "call_information", "print", "prints where call records go", &[]),
];

const ALARM: &[Parameter] = &[
    p(&["severity"], "severity", Number, "this and above: 1 to be known, 4 calls or data are being lost"),
    p(&["all"], "all", YesNo, "cleared ones too"),
];

const OUTPUT_SET: &[Parameter] = &[
    OUTPUT,
    LIM,
    p(&["local"], "", MaybeText, "not needed: files are local"),
    p(&["type"], "type", Text, "file"),
    p(&["subtype"], "subtype", Text, "commaseparated"),
    p(&["dbname"], "dbname", Text, "the files' name without a path; day and .csv are added"),
];
