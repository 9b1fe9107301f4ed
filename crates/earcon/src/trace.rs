//! `earcon trace`: reads the event stream of a running process and prints it as a ladder.

use crate::cli::TraceArguments;
use crate::failure::Failure;
use crate::ladder::{Ladder, SipMessage};
use crate::replay;
use journal::pcapng;
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use time::OffsetDateTime;

pub fn run(arguments: &TraceArguments) -> Result<(), Failure> {
    if arguments.list {
        return replay::list(&replay::all(arguments.data.as_deref())?, None);
    }
    if arguments.call.is_some() || arguments.pcapng.is_some() {
        return recorded(arguments);
    }
    let folder = match &arguments.data {
        Some(folder) => folder.clone(),
        None => lab::folder::of_lab().map_err(Failure::from_error)?,
    };
    let sockets = sockets(&folder);
    let Some(stream) = sockets.iter().find_map(|path| UnixStream::connect(path).ok()) else {
        return Err(Failure::new(format!(
            "nothing runs on the data folder {}: start `earcon lab` (or give --data the folder of a running node or UM server)",
            folder.display()
        )));
    };
    let mut ladder = Ladder::default();
    let mut out = std::io::stdout();
    for line in BufReader::new(stream).lines() {
        let line = line.map_err(Failure::from_error)?;
        let Ok(event) = serde_json::from_str::<Value>(&line) else { continue };
        if event["past"] == true && !arguments.past {
            continue;
        }
        for row in rows(&mut ladder, event) {
            // A closed pipe (`earcon trace | head`) is how a reader says that it has enough.
            if writeln!(out, "{row}").is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The ladder or the capture of calls that were.
fn recorded(arguments: &TraceArguments) -> Result<(), Failure> {
    let all = replay::all(arguments.data.as_deref())?;
    let chosen = match &arguments.call {
        Some(id) => journal::together(&all, &replay::one(&all, id, None)?),
        None => all,
    };
    let base = std::time::Instant::now();
    let calls: Vec<journal::Recorded> =
        chosen.iter().map(|found| found.read(base)).collect::<Result<_, _>>().map_err(Failure::from_error)?;
    let packets = pcapng::packets(&calls);
    if let Some(file) = &arguments.pcapng {
        let cannot = |error| Failure::new(format!("{} can't be written: {error}", file.display()));
        std::fs::write(file, pcapng::write(&packets)).map_err(cannot)?;
        println!("{}: {} messages of {} calls", file.display(), packets.len(), calls.len());
        return Ok(());
    }
    let mut ladder = Ladder::default();
    let mut out = std::io::stdout();
    for packet in packets {
        let time = clock(packet.at_ns / 1_000_000);
        let Ok(message) = sip::parse_datagram(packet.wire.clone()) else { continue };
        let text = |name: &sip::Name| message.headers().get(name).map(ToString::to_string).unwrap_or_default();
        let summary = match &message {
            sip::Message::Request(request) => format!("{} {}", request.method, request.uri),
            sip::Message::Response(response) => format!("{} {}", response.status, response.reason),
        };
        // What both its ends recorded is here once already: drawn as its sender saw it.
        let message = SipMessage {
            call_id: text(&sip::Name::CallId),
            sent: true,
            local: packet.from,
            remote: packet.to,
            transport: packet.transport.to_string(),
            summary,
            cseq: text(&sip::Name::CSeq),
        };
        for row in ladder.draw(&time, &message) {
            if writeln!(out, "{row}").is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn sockets(folder: &Path) -> [PathBuf; 1] {
    [lab::event_socket::path(folder)]
}

fn rows(ladder: &mut Ladder, event: Value) -> Vec<String> {
    let time = clock(event["at_ms"].as_u64().unwrap_or_default());
    if event["event"] == "sip_message" {
        return serde_json::from_value::<SipMessage>(event)
            .map(|message| ladder.draw(&time, &message))
            .unwrap_or_default();
    }
    let name = event["event"].as_str().unwrap_or_default().replace('_', " ");
    let fields: Vec<String> = event
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(field, value)| !["event", "number", "at_ms", "past"].contains(&field.as_str()) && !value.is_null())
        .map(|(field, value)| format!("{field}={}", value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
        .collect();
    vec![format!("{time}        {name}: {}", fields.join(" "))]
}

/// Time of day, UTC, to the millisecond.
fn clock(unix_ms: u64) -> String {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(unix_ms) * 1_000_000)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (hour, minute, second, milli) = at.time().as_hms_milli();
    format!("{hour:02}:{minute:02}:{second:02}.{milli:03}")
}
