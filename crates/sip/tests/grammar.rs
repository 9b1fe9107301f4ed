//! What holds for all messages: what is written is read again as it was, nothing panics, and a stream cut anywhere gives
//! the same messages.
#![allow(clippy::unwrap_used, clippy::expect_used)] // the helpers of tests, too, fail by panicking

use bytes::Bytes;
use proptest::prelude::*;
use sip::diversion::{Diversion, DiversionReason};
use sip::header::{self, Reason};
use sip::history_info::{Change, History};
use sip::message_summary::{Counts, MessageSummary};
use sip::{
    CSeq, Framer, Headers, Host, MAX_HEADERS, MAX_LINE, MAX_MESSAGE, Message, Method, Name, NameAddr, Params, Problem,
    Request, Response, Text, Uri, Via, parse_datagram,
};

fn host() -> impl Strategy<Value = Host> {
    prop_oneof![
        "[a-z][a-z0-9-]{0,10}(\\.[a-z]{2,5}){0,2}".prop_map(|name| Host::Name(Text::from(name))),
        any::<[u8; 4]>().prop_map(|a| Host::V4(a.into())),
        any::<[u8; 16]>().prop_map(|a| Host::V6(a.into())),
    ]
}

fn method() -> impl Strategy<Value = Method> {
    prop_oneof![
        Just(Method::Invite),
        Just(Method::Notify),
        "[A-Z!%'*+.`~-]{1,12}".prop_map(|text| Method::parse(&Text::from(text)).unwrap()),
    ]
}

fn uri() -> impl Strategy<Value = Uri> {
    let parts = (
        prop::option::of("\\PC{1,12}"),
        host(),
        prop::option::of(1u16..),
        prop::collection::vec(("[a-z]{1,8}", prop::option::of("\\PC{1,8}")), 0..3),
        prop::option::of(("[A-Za-z-]{1,8}", "\\PC{0,12}")),
    );
    parts.prop_map(|(user, host, port, params, header)| {
        let mut uri = match user {
            Some(user) => Uri::sip(&user, host),
            None => Uri::sip_host(host),
        };
        uri.port = port;
        for (name, value) in params {
            match value {
                Some(value) => uri.params.set(&name, sip::escape(&value, sip::UriPart::Param)),
                None => uri.params.set_flag(&name),
            }
        }
        if let Some((name, value)) = header {
            uri.add_header_field(&name, &value);
        }
        uri
    })
}

fn name_addr() -> impl Strategy<Value = NameAddr> {
    (prop::option::of("[^\r\n]{1,20}"), uri(), prop::option::of("\\PC{1,12}")).prop_map(|(display, uri, tag)| {
        let mut address = NameAddr::new(uri);
        if let Some(display) = display {
            address = address.with_display(display);
        }
        if let Some(tag) = tag {
            address.set_tag(&tag);
        }
        address
    })
}

fn header_lines() -> impl Strategy<Value = Vec<(Name, Text)>> {
    let name = prop_oneof![
        "X-[A-Za-z]{1,8}".prop_map(|name| Name::from(name.as_str())),
        Just(Name::Subject),
        Just(Name::Supported),
        Just(Name::Diversion),
    ];
    // Values as they are when they were read: no white space around them, no line ends.
    let value = "(\\PC{0,30})".prop_map(|value| Text::from(value.trim().to_owned()));
    prop::collection::vec((name, value), 0..8)
}

fn mandatory() -> impl Strategy<Value = (Headers, Method)> {
    (method(), name_addr(), name_addr(), host(), any::<u32>(), "[a-z0-9]{1,12}", header_lines()).prop_map(
        |(method, from, to, host, seq, id, others)| {
            let mut headers = Headers::new();
            headers.push_typed(&Via::new(sip::Transport::Tcp, host, Some(5060), &format!("z9hG4bK{id}")));
            headers.push_typed(&header::From(from));
            headers.push_typed(&header::To(to));
            headers.push(Name::CallId, id);
            headers.push_typed(&CSeq { seq, method: method.clone() });
            for (name, value) in others {
                headers.push(name, value);
            }
            (headers, method)
        },
    )
}

fn message() -> impl Strategy<Value = Message> {
    let body = prop::collection::vec(any::<u8>(), 0..200).prop_map(Bytes::from);
    prop_oneof![
        (mandatory(), uri(), body.clone())
            .prop_map(|((headers, method), uri, body)| { Message::Request(Request { method, uri, headers, body }) }),
        (mandatory(), 100u16..700, "[^\r\n\t\u{0}-\u{1f}]{0,20}", body).prop_map(
            |((headers, _), status, reason, body)| {
                Message::Response(Response { status, reason: Text::from(reason), headers, body })
            }
        ),
    ]
}

fn without_length(message: &Message) -> Message {
    let mut message = message.clone();
    match &mut message {
        Message::Request(request) => request.headers.remove(&Name::ContentLength),
        Message::Response(response) => response.headers.remove(&Name::ContentLength),
    };
    message
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_message_that_is_written_is_read_as_it_was(message in message()) {
        let read = parse_datagram(message.to_bytes()).unwrap();
        prop_assert_eq!(without_length(&read), message);
    }

    #[test]
    fn a_uri_that_is_written_is_read_as_it_was(uri in uri()) {
        let read: Uri = uri.to_string().parse().unwrap();
        prop_assert!(read.same_as(&uri));
        prop_assert_eq!(read, uri);
    }

    #[test]
    fn any_display_name_stays_in_its_quotes(address in name_addr()) {
        let read: NameAddr = address.to_string().parse().unwrap();
        prop_assert_eq!(read, address);
    }

    #[test]
    fn a_mutated_message_never_panics(message in message(), cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let mut bytes = message.to_bytes().to_vec();
        for (at, byte) in cuts {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        read_everything(&bytes);
    }

    #[test]
    fn noise_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        read_everything(&bytes);
    }

    #[test]
    fn a_stream_cut_anywhere_gives_the_same_messages(messages in prop::collection::vec(message(), 1..4), cuts in prop::collection::vec(1usize..200, 1..10)) {
        let stream: Vec<u8> = messages.iter().flat_map(|m| m.to_bytes().to_vec()).collect();
        let mut framer = Framer::new();
        let mut read = Vec::new();
        let mut rest = &stream[..];
        let mut cuts = cuts.into_iter().cycle();
        while !rest.is_empty() {
            let (piece, tail) = rest.split_at(cuts.next().unwrap().min(rest.len()));
            framer.push(piece);
            rest = tail;
            while let Some(message) = framer.next() {
                read.push(without_length(&message.unwrap()));
            }
        }
        prop_assert_eq!(read, messages);
    }

    #[test]
    fn a_diversion_that_is_written_is_read_as_it_was(uri in uri(), display in "[^\r\n]{1,10}", counter in 1u32..) {
        let mut diversion = Diversion::new(uri, DiversionReason::NoAnswer);
        diversion.address = diversion.address.with_display(display);
        diversion.counter = counter;
        let mut headers = Headers::new();
        headers.push_typed(&diversion);
        prop_assert_eq!(Diversion::all(&headers), [diversion]);
    }

    #[test]
    fn a_history_that_is_written_is_read_as_it_was(uris in prop::collection::vec(uri(), 1..6), text in "[^\r\n]{1,10}") {
        let mut history = History::default();
        for mut uri in uris {
            uri.headers = None;
            let reason = Reason { protocol: Text::from_static("SIP"), cause: Some(302), text: Some(Text::from(text.clone())) };
            history.retarget(reason, uri, Change::Mp);
        }
        let mut headers = Headers::new();
        history.write(&mut headers);
        prop_assert_eq!(History::read(&headers), history);
    }

    #[test]
    fn a_summary_that_is_written_is_read_as_it_was(new in any::<u32>(), old in any::<u32>(), urgent in prop::option::of(any::<(u32, u32)>())) {
        let account = "sip:27000@moon.galaxy".parse().ok();
        let summary = MessageSummary::voice(account, Counts { new, old, urgent });
        prop_assert_eq!(MessageSummary::parse(&summary.to_bytes()).unwrap(), summary);
    }
}

/// Reads the bytes in every way that a message can be read in.
fn read_everything(bytes: &[u8]) {
    let mut framer = Framer::new();
    framer.push(bytes);
    while framer.next().is_some() {}
    let _ = MessageSummary::parse(bytes);
    match parse_datagram(Bytes::copy_from_slice(bytes)) {
        Ok(message) => {
            let _ = message.to_bytes();
            let _ = Diversion::all(message.headers());
            let _ = History::read(message.headers());
        }
        Err(malformed) => {
            if let Some(answer) = malformed.answer() {
                // What is wrong with a request must not make the answer wrong.
                let _ = parse_datagram(answer.to_bytes());
            }
        }
    }
}

#[test]
fn nothing_in_a_value_begins_a_line() {
    let mut request = Request::new(Method::Options, "sip:a@h".parse().unwrap());
    request.headers.push(Name::Subject, "hello\r\nContact: <sip:evil@h>\n\nbody");
    let written = request.to_bytes();
    let text = std::str::from_utf8(&written).unwrap();
    assert!(text.contains("Subject: hello  Contact: <sip:evil@h>  body\r\n"), "{text}");
}

#[test]
fn a_parameter_that_is_no_token_is_quoted() {
    let mut params = Params::new();
    params.set("reason", "no answer\r\n;x=\"y\"");
    assert_eq!(params.to_string(), ";reason=\"no answer  ;x=\\\"y\\\"\"");
    assert_eq!(params.plain("reason").unwrap(), "no answer  ;x=\"y\"");
    params.set("reason", "plain");
    params.set_flag("lr");
    assert_eq!(params.to_string(), ";reason=plain;lr");
    assert!(params.remove("REASON") && !params.has("reason"));
}

const MINIMAL: &str = "OPTIONS sip:a@h SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK1\r\nFrom: <sip:b@h>;tag=1\r\n\
    To: <sip:a@h>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n";

fn problem(text: &str) -> Problem {
    parse_datagram(Bytes::from(text.to_owned())).unwrap_err().problem
}

#[test]
fn limits_are_answered() {
    assert!(parse_datagram(Bytes::from(format!("{MINIMAL}\r\n"))).is_ok());
    let many = format!("{MINIMAL}{}\r\n", "X: y\r\n".repeat(MAX_HEADERS));
    assert_eq!(problem(&many), Problem::TooManyHeaders);
    let long = format!("{MINIMAL}X: {}\r\n\r\n", "y".repeat(MAX_LINE));
    assert_eq!(problem(&long), Problem::LineTooLong);
    let folded = format!("{MINIMAL}X: y\r\n{}\r\n\r\n", " y\r\n".repeat(MAX_LINE));
    assert_eq!(problem(&folded), Problem::LineTooLong);
    assert_eq!(problem(&"x".repeat(MAX_MESSAGE + 1)), Problem::TooLarge);
}

#[test]
fn a_stream_that_lies_about_lengths_is_ended() {
    for (tail, status) in [
        ("\r\n", Some(400)), // no Content-Length
        ("Content-Length: 0\r\nl: 0\r\n\r\n", Some(400)),
        ("Content-Length: -1\r\n\r\n", Some(400)),
        ("Content-Length: 1x\r\n\r\n", Some(400)),
        ("Content-Length:\r\n\r\n", Some(400)),
        ("Content-Length: 99999999999999999999999\r\n\r\n", Some(400)),
        ("Content-Length: 70000\r\n\r\n", Some(413)),
    ] {
        let mut framer = Framer::new();
        framer.push(MINIMAL.as_bytes());
        framer.push(tail.as_bytes());
        let malformed = framer.next().unwrap().unwrap_err();
        assert!(malformed.is_fatal() && framer.is_dead(), "{tail:?}: {malformed}");
        assert_eq!(malformed.answer().map(|a| a.status), status, "{tail:?}");
        framer.push(format!("{MINIMAL}l: 0\r\n\r\n").as_bytes());
        assert!(framer.next().is_none());
    }
}

#[test]
fn a_malformed_request_on_a_stream_costs_nothing_but_itself() {
    let mut framer = Framer::new();
    framer.push(MINIMAL.replace("CSeq: 1", "CSeq: x").as_bytes());
    framer.push(b"l: 3\r\n\r\nabc");
    framer.push(format!("{MINIMAL}l:0\r\n\r\n").as_bytes());
    let malformed = framer.next().unwrap().unwrap_err();
    assert!(!malformed.is_fatal());
    assert!(framer.next().unwrap().is_ok());
    assert!(framer.next().is_none());
}

#[test]
fn a_head_without_end_is_given_up_and_is_not_searched_again_and_again() {
    let mut framer = Framer::new();
    let start = std::time::Instant::now();
    let mut given_up = false;
    for _ in 0..=MAX_MESSAGE {
        framer.push(b"x");
        given_up |= framer.next().is_some();
    }
    assert!(given_up && framer.is_dead());
    // Quadratic would be minutes; this only has to be no hour-long surprise on a slow machine.
    assert!(start.elapsed() < std::time::Duration::from_secs(30));
}

#[test]
fn pings_between_messages_are_counted() {
    let mut framer = Framer::new();
    framer.push(b"\r\n\r\n");
    assert!(framer.next().is_none());
    assert_eq!(framer.take_pings(), 1);
    framer.push(b"\r\n");
    assert!(framer.next().is_none());
    framer.push(b"\r\n\r\n\r\n");
    assert!(framer.next().is_none());
    assert_eq!((framer.take_pings(), framer.take_pings()), (2, 0));
    framer.push(format!("\r\n{MINIMAL}l: 0\r\n\r\n").as_bytes());
    assert!(framer.next().unwrap().is_ok());
}

#[test]
fn bare_line_feeds_and_latin_1_are_read() {
    let text = format!("{MINIMAL}Subject: Bj\u{f6}rn\r\n\r\n").replace("\r\n", "\n");
    let latin: Vec<u8> = text.chars().map(|c| c as u8).collect();
    let message = parse_datagram(Bytes::from(latin)).unwrap();
    assert_eq!(message.headers().get(&Name::Subject).unwrap(), "Bj\u{f6}rn");
}

#[test]
fn acks_responses_and_noise_get_no_answer() {
    let answer = |text: String| parse_datagram(Bytes::from(text)).unwrap_err().answer();
    let bad = MINIMAL.replace("CSeq: 1", "CSeq: x");
    assert!(answer(bad.clone()).is_some());
    assert_eq!(answer(bad.replace("OPTIONS", "ACK")), None);
    assert_eq!(answer(bad.replace("OPTIONS sip:a@h SIP/2.0", "SIP/2.0 200 OK")), None);
    assert_eq!(answer(bad.replace("Via:", "X:")), None);
    assert_eq!(answer("\r\n\r\n".into()), None);
    assert_eq!(answer("GET / HTTP/1.1\r\n\r\n".into()), None);
}

#[test]
fn uris_are_the_same_as_rfc_3261_19_1_4_says() {
    let same = |a: &str, b: &str| a.parse::<Uri>().unwrap().same_as(&b.parse().unwrap());
    for (a, b) in [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
        ),
        ("tel:+46-8-123", "tel:+468123"),
    ] {
        assert!(same(a, b) && same(b, a), "{a} {b}");
    }
    for (a, b) in [
        ("sip:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
    ] {
        assert!(!same(a, b) && !same(b, a), "{a} {b}");
    }
}

#[test]
fn numbers_are_found_in_all_their_dresses() {
    let number = |text: &str| text.parse::<Uri>().unwrap().number().unwrap();
    assert_eq!(number("tel:+46-8-(123).45;phone-context=x"), "+46812345");
    assert_eq!(number("sip:27000;phone-context=cdp@h;user=phone"), "27000");
    assert_eq!(number("sip:+46-8-1@h;user=phone"), "+4681");
    assert_eq!(number("sip:anna-maria@h"), "anna-maria");
    assert_eq!(number("sip:*21*27001#@h"), "*21*27001#");
    assert_eq!("sip:*21#@h".parse::<Uri>().unwrap().to_string(), "sip:*21%23@h");
}

#[test]
fn ipv6_references_are_read_and_written() {
    let uri: Uri = "sips:a@[2001:db8::9:1]:5061;lr".parse().unwrap();
    assert_eq!(uri.host, Host::V6("2001:db8::9:1".parse().unwrap()));
    assert_eq!((uri.port, uri.to_string().as_str()), (Some(5061), "sips:a@[2001:db8::9:1]:5061;lr"));
    for bad in
        ["sip:[::1", "sip:[::1]x", "sip:[zz]", "sip:a@", "sip:", "sip:@h", "sip:h:0", "sip:h:70000", "sip:h:", "h"]
    {
        assert!(bad.parse::<Uri>().is_err(), "{bad}");
    }
    let via = Text::from_static("SIP/2.0/UDP [2001:db8::9:1]:5060;received=[2001:db8::9:255];rport;branch=z9hG4bKas3");
    let via = <Via as sip::Header>::parse(&via).unwrap();
    assert_eq!(via.received().unwrap().to_string(), "2001:db8::9:255");
    assert_eq!((via.port, via.rport()), (Some(5060), Some(None)));
}

#[test]
fn first_values_are_taken_from_lists() {
    let mut headers = Headers::new();
    headers.push(Name::Route, "<sip:a;lr>, \"x, y\" <sip:b;lr>,<sip:c;lr>");
    assert_eq!(headers.remove_first_value(&Name::Route).unwrap(), "<sip:a;lr>");
    assert_eq!(headers.remove_first_value(&Name::Route).unwrap(), "\"x, y\" <sip:b;lr>");
    assert_eq!(headers.remove_first_value(&Name::Route).unwrap(), "<sip:c;lr>");
    assert_eq!(headers.remove_first_value(&Name::Route), None);
    headers.push(Name::Via, "1");
    headers.push(Name::To, "2");
    headers.push(Name::Via, "3");
    headers.set(Name::Via, "4");
    let lines: Vec<_> = headers.iter().map(|(n, v)| format!("{n}: {v}")).collect();
    assert_eq!(lines, ["Via: 4", "To: 2"]);
}
