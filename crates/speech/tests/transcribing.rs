//! A transcription server as whisper.cpp's looks from outside, and what is made of its answers.
#![allow(clippy::unwrap_used)]

use speech::{HttpTranscriber, Language, Transcriber, TranscriptionError};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread::JoinHandle;

/// Answers one call, and gives what it was asked.
fn server(status: &'static str, body: &'static str) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1/audio/transcriptions", listener.local_addr().unwrap());
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = Vec::new();
        let mut chunk = [0; 4096];
        while !asked.ends_with(b"--\r\n") {
            let count = stream.read(&mut chunk).unwrap();
            asked.extend_from_slice(&chunk[..count]);
        }
        let answer = format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\n\r\n{body}");
        stream.write_all(answer.as_bytes()).unwrap();
        String::from_utf8_lossy(&asked).into_owned()
    });
    (url, thread)
}

fn ask(url: &str) -> Result<speech::Transcript, TranscriptionError> {
    HttpTranscriber::new(url, "whisper-1").unwrap().transcribe(b"RIFF....WAVE", Language::Swedish)
}

#[test]
fn text_and_confidence_come_from_the_answer() {
    let body = r#"{"text":" Ring mig\n i morgon. ","segments":[{"start":0,"end":3,"avg_logprob":-0.1},{"start":3,"end":4,"avg_logprob":-2.0}]}"#;
    let (url, server) = server("200 OK", body);
    let transcript = ask(&url).unwrap();
    assert_eq!(transcript.text, "Ring mig i morgon.");
    assert_eq!(transcript.confidence, 71, "(3 * e^-0.1 + e^-2) / 4");
    let asked = server.join().unwrap();
    assert!(asked.starts_with("POST /v1/audio/transcriptions HTTP/1.0\r\n"), "{asked}");
    for part in ["name=\"model\"\r\n\r\nwhisper-1\r\n", "name=\"language\"\r\n\r\nsv\r\n", "RIFF....WAVE"] {
        assert!(asked.contains(part), "{part} is not in {asked}");
    }
}

#[test]
fn whatever_else_it_answers_is_an_error_and_no_text() {
    let (url, _server) = server("503 Busy", "{}");
    assert!(matches!(ask(&url), Err(TranscriptionError::Refused(503))));
    for body in ["", "hello", "[]", "{\"text\":7}"] {
        let (url, _server) = server("200 OK", body);
        assert!(matches!(ask(&url), Err(TranscriptionError::Unreadable)), "{body}");
    }
}

#[test]
fn nobody_there_is_an_error() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert!(matches!(ask(&format!("http://{free}/x")), Err(TranscriptionError::Unreachable(_))));
}

#[test]
fn only_plain_http_addresses_are_taken() {
    for bad in ["https://host/x", "host/x", "http://", "http://host/a b", "http://ho\r\nst/x"] {
        assert!(HttpTranscriber::new(bad, "m").is_err(), "{bad}");
    }
}
