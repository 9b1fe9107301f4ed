//! RFC 4475's messages, each with what the RFC wants of a parser. What it wants of a user agent is tested at the endpoint.
#![allow(clippy::unwrap_used, clippy::expect_used)] // the helpers of tests, too, fail by panicking

use bytes::Bytes;
use sip::header::{AuthParams, Expires, From, MaxForwards, RetryAfter, Route, To, Warning};
use sip::{
    CSeq, Contact, Framer, Header, Host, Malformed, Message, Method, Name, Problem, Request, Response, Scheme, Text,
    Via, parse_datagram,
};
use std::path::Path;

fn bytes(name: &str) -> Bytes {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rfc4475").join(format!("{name}.dat"));
    Bytes::from(std::fs::read(path).unwrap())
}

fn parse(name: &str) -> Result<Message, Malformed> {
    parse_datagram(bytes(name))
}

#[track_caller]
fn request(name: &str) -> Request {
    match parse(name).unwrap() {
        Message::Request(request) => request,
        Message::Response(_) => panic!("{name} is a request"),
    }
}

#[track_caller]
fn response(name: &str) -> Response {
    match parse(name).unwrap() {
        Message::Response(response) => response,
        Message::Request(_) => panic!("{name} is a response"),
    }
}

/// The message is refused, with an answer of this status that copies what it can.
#[track_caller]
fn refused(name: &str, status: u16) -> Problem {
    let malformed = parse(name).unwrap_err();
    let answer = malformed.answer().unwrap_or_else(|| panic!("{name}: {malformed} should be answered"));
    assert_eq!(answer.status, status, "{name}: {malformed}");
    for header in [Name::Via, Name::CallId, Name::CSeq, Name::From] {
        let copied: Vec<_> = answer.headers.lines(&header).collect();
        assert_eq!(copied, malformed.headers.lines(&header).collect::<Vec<_>>());
    }
    malformed.problem
}

#[track_caller]
fn silent(name: &str) -> Problem {
    let malformed = parse(name).unwrap_err();
    assert_eq!(malformed.answer(), None, "{name}");
    malformed.problem
}

fn one<T: Header>(request: &Request) -> T {
    request.headers.typed::<T>().unwrap().unwrap()
}

#[test]
fn s3_1_1_1_wsinv_a_short_tortuous_invite() {
    let request = request("wsinv");
    assert_eq!(request.method, Method::Invite);
    assert!(request.uri.params.has("unknownparam"));
    assert_eq!(request.to_tag().unwrap(), "1918181833n");
    let from: From = one(&request);
    assert_eq!(from.display.clone().unwrap(), "J Rosenberg \\\"");
    assert_eq!(from.tag(), Some("98asjd8"));
    assert_eq!(one::<MaxForwards>(&request).0, 68);
    assert_eq!(one::<CSeq>(&request), CSeq { seq: 9, method: Method::Invite });
    let vias: Vec<Via> = request.headers.all_typed::<Via>().map(Result::unwrap).collect();
    let read: Vec<_> = vias.iter().map(|v| (v.transport.as_str(), v.host.to_string(), v.branch().unwrap())).collect();
    assert_eq!(
        read,
        [
            ("UDP", "192.0.2.2".to_owned(), "390skdjuw"),
            ("TCP", "spindle.example.com".to_owned(), "z9hG4bK9ikj8"),
            ("UDP", "192.168.255.111".to_owned(), "z9hG4bK30239"),
        ]
    );
    assert_eq!(vias[0].unique_branch(), None);
    assert_eq!(request.headers.get(&Name::Subject).unwrap(), "");
    assert_eq!(
        request.headers.get(&Name::from("NewFangledHeader")).unwrap(),
        "newfangled value continued newfangled value"
    );
    assert_eq!(request.headers.get(&Name::from("unknownheaderwithunusualvalue")).unwrap(), ";;,,;;,;");
    let route: Route = one(&request);
    assert!(route.is_loose() && route.uri.params.has("unknown-no-value"));
    let Contact::Address(contact) = one(&request) else { panic!() };
    assert_eq!(contact.display.clone().unwrap(), "Quoted string \"\"");
    assert_eq!((contact.params.get("newparam"), contact.q()), (Some("newvalue"), 330));
    assert!(contact.params.has("secondparam"));
    assert_eq!(request.body.len(), 150);
}

#[test]
fn s3_1_1_2_intmeth_a_wide_range_of_valid_characters() {
    let request = request("intmeth");
    assert_eq!(request.method.as_str(), "!interesting-Method0123456789_*+`.%indeed'~");
    assert_eq!(request.uri.user.clone().unwrap(), "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*");
    assert_eq!(request.uri.password.clone().unwrap(), "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)");
    assert_eq!(request.uri.host.to_string(), "example.com");
    let to: To = one(&request);
    assert_eq!(to.display.clone().unwrap(), "BEL:\u{7} NUL:\0 DEL:\u{7f}");
    let from: From = one(&request);
    assert_eq!(from.display.clone().unwrap(), "token1~` token2'+_ token3*%!.-");
    assert_eq!(
        from.params.get("fromparam''~+*_!.-%"),
        Some("\u{440}\u{430}\u{431}\u{43e}\u{442}\u{430}\u{44e}\u{449}\u{438}\u{439}")
    );
    assert_eq!(from.tag(), Some("_token~1'+`*%!-."));
    assert_eq!(request.headers.sound::<Via>().unwrap().branch(), Some("z9hG4bK-.!%66*_+`'~"));
    assert_eq!(request.call_id().unwrap(), "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{");
    assert_eq!(request.cseq().unwrap().seq, 139122385);
    assert_eq!(one::<MaxForwards>(&request).0, 255);
    assert!(request.headers.has(&Name::from("extensionHeader-!.%*+_`'~")));
}

#[test]
fn s3_1_1_3_esc01_escapes_in_uris() {
    let request = request("esc01");
    assert_eq!(request.uri.user_unescaped().unwrap(), "sips:user@example.com");
    assert_eq!(request.uri.host.to_string(), "example.net");
    assert_eq!(one::<To>(&request).uri.user_unescaped().unwrap(), "user");
    assert_eq!(one::<From>(&request).uri.user_unescaped().unwrap(), "I have spaces");
    let Contact::Address(contact) = one(&request) else { panic!() };
    assert!(contact.uri.params.has("lr"));
    assert_eq!(contact.uri.params.plain("name").unwrap(), "value%41");
}

#[test]
fn s3_1_1_4_escnull_nulls_are_escaped_and_two_contacts_stay_two() {
    let request = request("escnull");
    assert_eq!(one::<To>(&request).uri.user_unescaped().unwrap(), "null-\0-null");
    let contacts: Vec<_> = request.headers.all_typed::<Contact>().map(|c| c.unwrap().address().unwrap()).collect();
    assert_eq!(contacts.len(), 2);
    assert!(!contacts[0].uri.same_as(&contacts[1].uri));
}

#[test]
fn s3_1_1_5_esc02_percents_that_escape_nothing() {
    let request = request("esc02");
    assert_eq!(request.method.as_str(), "RE%47IST%45R");
    assert_ne!(request.method, Method::Register);
    assert_eq!(one::<To>(&request).display.clone().unwrap(), "%Z%45");
    assert_eq!(request.headers.sound::<Via>().unwrap().branch(), Some("z9hG4bK209%fzsnel234"));
    // The header that only looks like a Contact when unescaped is none.
    assert_eq!(request.headers.all_typed::<Contact>().count(), 2);
}

#[test]
fn s3_1_1_6_lwsdisp_no_space_between_name_and_bracket() {
    assert_eq!(one::<From>(&request("lwsdisp")).display.clone().unwrap(), "caller");
}

#[test]
fn s3_1_1_7_longreq_long_values() {
    let request = request("longreq");
    assert_eq!(request.uri.host.to_string(), "example.com");
    assert!(one::<From>(&request).tag().unwrap().len() > 100);
    assert!(one::<To>(&request).display.clone().unwrap().starts_with("I have a user name of extreme"));
    assert_eq!(request.headers.all_typed::<Via>().filter(|via| via.is_ok()).count(), 34);
    assert!(one::<CSeq>(&request).seq == 3882340 && request.body.len() == 150);
}

#[test]
fn s3_1_1_8_dblreq_what_follows_the_body_is_dropped() {
    let request = request("dblreq");
    assert_eq!(request.method, Method::Register);
    assert!(request.body.is_empty());
    assert_eq!(request.call_id().unwrap(), "dblreq.0ha0isndaksdj99sdfafnl3lk233412");
    // On a stream, the second request is one.
    let mut framer = Framer::new();
    framer.push(&bytes("dblreq"));
    assert!(framer.next().unwrap().is_ok());
    let Message::Request(second) = framer.next().unwrap().unwrap() else { panic!() };
    assert_eq!(second.method, Method::Invite);
}

#[test]
fn s3_1_1_9_semiuri_parameters_in_the_user_part() {
    let uri = request("semiuri").uri;
    assert_eq!(uri.user_unescaped().unwrap(), "user;par=u@example.net");
    assert_eq!(uri.host.to_string(), "example.com");
    assert!(uri.params.is_empty());
}

#[test]
fn s3_1_1_10_transports_of_all_kinds() {
    let request = request("transports");
    let transports: Vec<_> = request.headers.all_typed::<Via>().map(|via| via.unwrap().transport).collect();
    assert_eq!(transports, ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]);
}

#[test]
fn s3_1_1_11_mpart01_a_binary_body() {
    let request = request("mpart01");
    assert_eq!(request.method, Method::Message);
    assert_eq!(request.body.len(), 553);
    assert!(request.body.ends_with(b"--7a9cbec02ceef655--\r\n"));
}

#[test]
fn s3_1_1_12_unreason_a_reason_in_utf_8() {
    let response = response("unreason");
    assert_eq!(response.status, 200);
    assert!(response.reason.starts_with("= 2**3 * 5**2 \u{43d}\u{43e} "));
}

#[test]
fn s3_1_1_13_noreason_an_empty_reason() {
    let response = response("noreason");
    assert_eq!((response.status, response.reason.as_str()), (100, ""));
}

#[test]
fn s3_1_2_1_badinv01_extraneous_separators() {
    assert!(matches!(refused("badinv01", 400), Problem::Header(Name::Via, _)));
}

#[test]
fn s3_1_2_2_clerr_content_length_larger_than_the_message() {
    assert_eq!(refused("clerr", 400), Problem::BodyTooShort);
    // On a stream it waits for more, and what comes next is body.
    let mut framer = Framer::new();
    framer.push(&bytes("clerr"));
    assert!(framer.next().is_none());
}

#[test]
fn s3_1_2_3_ncl_a_negative_content_length_ends_the_connection() {
    assert_eq!(refused("ncl", 400), Problem::ContentLength);
    let mut framer = Framer::new();
    framer.push(&bytes("ncl"));
    let malformed = framer.next().unwrap().unwrap_err();
    assert!(malformed.is_fatal() && malformed.answer().unwrap().status == 400);
    framer.push(&bytes("lwsdisp"));
    assert!(framer.next().is_none());
}

#[test]
fn s3_1_2_4_scalar02_numbers_out_of_range_in_a_request() {
    assert!(matches!(refused("scalar02", 400), Problem::Header(Name::CSeq, _)));
    // Were it for the others alone: lifetimes are cut to what fits.
    let headers = parse("scalar02").unwrap_err().headers;
    assert_eq!(headers.typed::<Expires>().unwrap().unwrap(), Expires(u32::MAX));
    assert_eq!(headers.sound::<Contact>().unwrap().address().unwrap().expires(), Some(u32::MAX));
    assert!(headers.typed::<MaxForwards>().unwrap().is_err());
}

#[test]
fn s3_1_2_5_scalarlg_numbers_out_of_range_in_a_response() {
    assert!(matches!(silent("scalarlg"), Problem::Header(Name::CSeq, _)));
    let headers = parse("scalarlg").unwrap_err().headers;
    assert_eq!(headers.sound::<RetryAfter>(), Some(RetryAfter(u32::MAX)));
    assert!(headers.typed::<Warning>().unwrap().is_err());
}

#[test]
fn s3_1_2_6_quotbal_a_quote_that_never_ends() {
    assert!(matches!(refused("quotbal", 400), Problem::Header(Name::To, _)));
}

#[test]
fn s3_1_2_7_ltgtruri_brackets_around_the_request_uri() {
    assert!(matches!(refused("ltgtruri", 400), Problem::Uri(_)));
}

#[test]
fn s3_1_2_8_to_10_white_space_in_the_request_line() {
    assert_eq!(refused("lwsruri", 400), Problem::StartLine);
    assert_eq!(refused("lwsstart", 400), Problem::StartLine);
    assert_eq!(refused("trws", 400), Problem::StartLine);
}

#[test]
fn s3_1_2_11_escruri_headers_in_the_request_uri_can_be_ignored() {
    let request = request("escruri");
    assert_eq!(request.uri.header_field("route").unwrap(), "<sip:example.com>");
    assert!(!request.headers.has(&Name::Route));
}

#[test]
fn s3_1_2_12_baddate_a_time_zone_other_than_gmt_is_nobodys_business() {
    assert_eq!(request("baddate").headers.get(&Name::Date).unwrap(), "Fri, 01 Jan 2010 16:00:00 EST");
}

#[test]
fn s3_1_2_13_regbadct_a_contact_that_needs_brackets() {
    assert!(matches!(refused("regbadct", 400), Problem::Header(Name::Contact, _)));
}

#[test]
fn s3_1_2_14_badaspec_spaces_inside_the_brackets_are_forgiven() {
    let to: To = one(&request("badaspec"));
    assert_eq!(to.to_string(), "\"Watson, Thomas\" <sip:t.watson@example.org>");
}

#[test]
fn s3_1_2_15_baddn_a_display_name_that_needs_quotes() {
    assert!(matches!(refused("baddn", 400), Problem::Header(Name::From, _)));
}

#[test]
fn s3_1_2_16_badvers_an_unknown_version() {
    assert_eq!(refused("badvers", 505), Problem::Version);
}

#[test]
fn s3_1_2_17_and_18_mismatch_of_method_and_cseq() {
    assert_eq!(refused("mismatch01", 400), Problem::MethodMismatch);
    assert_eq!(refused("mismatch02", 400), Problem::MethodMismatch);
}

#[test]
fn s3_1_2_19_bigcode_a_status_beyond_all_bounds() {
    assert_eq!(silent("bigcode"), Problem::StartLine);
}

#[test]
fn s3_2_1_badbranch_a_branch_that_is_nothing_but_the_cookie() {
    let via = request("badbranch").top_via().unwrap();
    assert_eq!(via.branch(), Some("z9hG4bK"));
    assert_eq!(via.unique_branch(), None);
}

#[test]
fn s3_3_1_insuf_mandatory_headers_missing() {
    assert!(matches!(refused("insuf", 400), Problem::Missing(_)));
}

#[test]
fn s3_3_2_and_3_request_uris_of_unknown_schemes_are_read() {
    let uri = request("unkscm").uri;
    assert_eq!(uri.scheme, Scheme::Other(Text::from_static("nobodyKnowsThisScheme")));
    assert_eq!(uri.to_string(), "nobodyKnowsThisScheme:totallyopaquecontent");
    assert_eq!(request("novelsc").uri.to_string(), "soap.beep://192.0.2.103:3002");
}

#[test]
fn s3_3_4_unksm2_unknown_schemes_in_headers() {
    let request = request("unksm2");
    assert_eq!(one::<To>(&request).uri.to_string(), "isbn:2983792873");
    assert_eq!(one::<From>(&request).uri.to_string(), "http://www.example.com");
    assert_eq!(one::<Contact>(&request).uri().unwrap().to_string(), "name:John_Smith");
}

#[test]
fn s3_3_5_bext01_required_options_are_listed() {
    let request = request("bext01");
    let required: Vec<_> = request.headers.values(&Name::Require).collect();
    assert_eq!(required, ["nothingSupportsThis", "nothingSupportsThisEither"]);
    assert_eq!(request.headers.values(&Name::ProxyRequire).count(), 2);
}

#[test]
fn s3_3_6_invut_an_unknown_content_type() {
    let request = request("invut");
    let content: sip::header::ContentType = one(&request);
    assert!(!content.is("application/sdp") && content.is("Application/UnknownFormat"));
    assert_eq!(request.body.len(), 40);
}

#[test]
fn s3_3_7_regaut01_an_unknown_scheme_of_authorization() {
    let request = request("regaut01");
    let AuthParams { scheme, .. } = one::<sip::header::Authorization>(&request).0;
    assert_eq!(scheme, "NoOneKnowsThisScheme");
    assert!(sip::digest::Credentials::for_realm(&request.headers, "example.com").is_none());
}

#[test]
fn s3_3_8_multi01_headers_that_may_be_there_once() {
    assert!(matches!(refused("multi01", 400), Problem::Duplicate(_)));
}

#[test]
fn s3_3_9_mcl01_two_content_lengths_end_the_connection() {
    assert_eq!(refused("mcl01", 400), Problem::Duplicate(Name::ContentLength));
    let mut framer = Framer::new();
    framer.push(&bytes("mcl01"));
    let malformed = framer.next().unwrap().unwrap_err();
    assert!(malformed.is_fatal());
    assert_eq!(malformed.answer().unwrap().status, 400);
}

#[test]
fn s3_3_10_bcast_a_response_with_two_vias() {
    assert_eq!(response("bcast").headers.all_typed::<Via>().count(), 2);
}

#[test]
fn s3_3_11_zeromf_no_hops_left() {
    assert_eq!(one::<MaxForwards>(&request("zeromf")), MaxForwards(0));
}

#[test]
fn s3_3_12_and_13_cparam_parameters_of_contact_or_of_its_uri() {
    let outside = one::<Contact>(&request("cparam01")).address().unwrap();
    assert!(outside.params.has("unknownparam") && outside.uri.params.is_empty());
    let inside = one::<Contact>(&request("cparam02")).address().unwrap();
    assert!(inside.uri.params.has("unknownparam") && inside.params.is_empty());
    assert_eq!(inside.uri.user.unwrap(), "+19725552222");
}

#[test]
fn s3_3_14_regescrt_an_escaped_route_in_a_contact() {
    let contact = one::<Contact>(&request("regescrt")).address().unwrap();
    assert_eq!(contact.uri.header_field("Route").unwrap(), "<sip:sip.example.com>");
}

#[test]
fn s3_3_15_sdp01_no_acceptable_answer() {
    assert_eq!(request("sdp01").headers.get(&Name::Accept).unwrap(), "text/nobodyKnowsThis");
}

#[test]
fn s3_4_1_inv2543_the_older_rfc() {
    let request = request("inv2543");
    assert_eq!(request.from_tag(), None);
    assert_eq!(request.top_via().unwrap().branch(), None);
    assert!(matches!(request.top_via().unwrap().host, Host::Name(_)));
    assert_eq!(one::<To>(&request).params.get("user"), Some("phone"));
    assert!(!request.body.is_empty());
}

#[test]
fn every_message_of_the_rfc_is_in_some_test() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rfc4475");
    let source = include_str!("torture.rs");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned();
        assert!(source.contains(&format!("\"{name}\"")), "{name} is in no test");
    }
}

#[test]
fn what_was_taken_is_written_so_that_it_is_taken_again() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rfc4475");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let Ok(message) = parse_datagram(Bytes::from(std::fs::read(&path).unwrap())) else { continue };
        let again = parse_datagram(message.to_bytes()).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert_eq!(again.body(), message.body());
        let lines = |m: &Message| {
            m.headers()
                .iter()
                .filter(|(name, _)| **name != Name::ContentLength)
                .map(|(name, value)| (name.as_str().to_owned(), value.as_str().to_owned()))
                .collect::<Vec<_>>()
        };
        assert_eq!(lines(&again), lines(&message), "{}", path.display());
    }
}
