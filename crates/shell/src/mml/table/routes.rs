//! Routes: category, line type, individuals, destinations, SIP data.

use super::Kind::{Eight, Individuals, MaybeText, Number, NumberOrAll, Port, Secret, Text, TextOrAll, YesNo};
use super::{Form, Parameter, mml, needed, p, unix};

const ROU: Parameter = needed(&["ROU"], "rou", Number, "route, 1 to 250");

const ROU_OR_ALL: Parameter = p(&["ROU"], "rou", NumberOrAll, "route, or ALL (default)");

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
    needed(&["DEST"], "dest", Text, "the number dialled, initiated as ED or SOS"),
    p(&["ROU"], "rou", Number, "the route that it takes"),
    p(&["CHO"], "cho", Number, "order of choice, 0 (first) to 7: the next is taken when a route is full or down"),
    p(
        &["ADC"],
        "adc",
        Text,
        "additional data, 28 digits; the second is the type of the called number, the third (public) or fourth (private) the caller's",
    ),
    p(&["SRT"], "srt", Number, "first dialled digit that is sent, from 1"),
    p(&["PRE"], "pre", Text, "digits sent before it"),
    p(&["CUST"], "cust", Text, "customer"),
    p(&["TRC"], "trc", Text, "traffic route class"),
];

/// In the order of the real synopsis: out, in, emergency, registration, digest, trust, codecs; then Earcon's own.
const SIP_ROUTE: &[Parameter] = &[
    needed(&["route"], "route", Number, "route, 1 to 250"),
    p(&["profile"], "profile", Text, "a bundle of settings: sip_route -print -profile shows them"),
    p(
        &["service"],
        "service",
        Text,
        "PRIVATE_SERVICES (tie line) or PUBLIC_SERVICES: what its callers are for call lists",
    ),
    p(&["protocol"], "protocol", Text, "udp, tcp, tls (stored; not there yet), or default (the profile's)"),
    p(&["remoteport"], "remoteport", Port, "port at the other end; 0: by DNS SRV"),
    p(&["proxyip"], "proxyip", Text, "where requests are sent instead of to the URI's host"),
    p(&["proxyport"], "proxyport", Port, "the proxy's port"),
    p(&["routeset"], "routeset", Text, "Route URIs with ;lr, separated by commas"),
    p(&["addheader"], "addheader", Text, "a header for each INVITE, \"Name: value\"; several with | between"),
    p(
        &["uristring"],
        "uristring",
        Eight,
        "uristring0 to uristring7 by type of number (ADC): the URI called, ? stands for the number",
    ),
    p(
        &["fromuri"],
        "fromuri",
        Eight,
        "fromuri0 to fromuri7: the caller's URI, ? stands for the number; without ? one for all",
    ),
    p(&["remotetelip"], "remotetelip", Text, "kept, without effect"),
    p(&["rexfromuri"], "rexfromuri", Text, "as fromuri, in calls to mobile extensions"),
    p(&["rexstring"], "rexstring", Text, "as uristring, in calls to mobile extensions"),
    p(
        &["accept"],
        "accept",
        Text,
        "whose calls are this route's: REMOTE_IP, FROM_DOMAIN, CONTACT_DOMAIN, REQUEST_URI, EMERGENCY, or ALL (with -challenge yes)",
    ),
    p(
        &["match"],
        "match",
        Text,
        "what -accept must find: IP addresses, and domains for those by domain, separated by commas",
    ),
    p(&["priority"], "priority", Number, "0 to 255; the lowest is tried first"),
    p(
        &["contextb"],
        "contextb",
        Eight,
        "contextb0 to contextb7: what the network puts before our numbers when it calls them, such as +468555",
    ),
    p(&["contexta"], "contexta", Eight, "contexta0 to contexta7: the same before callers' numbers"),
    p(&["mwinumber"], "mwinumber", Text, "number of the voice mail that message waiting belongs to"),
    p(&["handleasexn"], "handleasexn", YesNo, "callers count as extensions of the node"),
    p(&["challenge"], "challenge", YesNo, "the peer has to authenticate, by -authname and -password"),
    p(&["sosanumber"], "sosanumber", Text, "the caller's number in emergency calls: who is called back"),
    p(&["register"], "register", Text, "REGISTER, NO_REGISTER, or SET_BY_PROFILE: the node registers at a provider"),
    p(&["timer"], "timer", Number, "seconds that a registration is asked for, 60 to 86400"),
    p(&["numbers"], "numbers", Text, "the numbers to register, separated by commas; else -authname"),
    p(&["registerstring"], "registerstring", Text, "the address to register, ? stands for the number; else uristring0"),
    p(&["registerport"], "registerport", Port, "the registrar's port"),
    p(&["peername"], "peername", Text, "TLS: the name in the peer's certificate, where -uristring has its address"),
    p(&["localdomain"], "localdomain", Text, "the domain that stands for the node in From and the address of record"),
    p(&["supervise"], "supervise", Text, "ACTIVE_SUPERVISION or NO_SUPERVISION"),
    p(&["supervisetime"], "supervisetime", Number, "seconds between OPTIONS, 5 to 3600"),
    p(&["realm"], "realm", Text, "the realm whose challenges are answered; else any"),
    p(&["authname"], "authname", Text, "user name for digest"),
    p(&["password"], "password", Secret, "password for digest; kept sealed"),
    p(
        &["trusted"],
        "trusted",
        Text,
        "whether identities are believed and told: TRUSTED, NOT_TRUSTED, or TRUST_BY_PROFILE",
    ),
    p(&["codecs"], "codecs", Text, "PCMA,PCMU in order of preference"),
    p(
        &["history-redirects"],
        "history_redirects",
        YesNo,
        "Earcon's own: a followed redirect gets a History-Info entry",
    ),
    p(&["forced-gateway"], "forced_gateway", Text, "Earcon's own: yes, no, or profile"),
    p(
        &["next-target-after"],
        "next_target_after",
        Number,
        "Earcon's own: seconds until the next server is tried when one says nothing, 1 to 60; else the profile's",
    ),
    p(
        &["last-target-after"],
        "last_target_after",
        Number,
        "Earcon's own: the same when no other is left, 1 to 60; else the profile's",
    ),
    p(
        &["progress-after"],
        "progress_after",
        Number,
        "Earcon's own: seconds that a server may take that has said 100 Trying and nothing else, to 180; 0: no limit",
    ),
    p(
        &["grey-time"],
        "grey_time",
        Number,
        "Earcon's own: seconds that a silent server is passed over, to 3600 (32); 0: it is not",
    ),
];

pub(super) const FORMS: &[Form] = &[
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
            p(&["short"], "short", MaybeText, "one line a route"),
        ],
    ),
    unix(
        "sip_route",
        Some("-state"),
        "status",
        "routes",
        "prints which routes are up, registered and how far taken",
        &[],
    ),
    unix(
        "sip_route",
        Some("-remove"),
        "sip_route",
        "remove",
        "removes a route's SIP data",
        &[needed(&["route"], "route", Number, "route, 1 to 250")],
    ),
];
