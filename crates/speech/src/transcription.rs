//! Text of what was said: a trait, and the one back end that there is, over HTTP in the shape of OpenAI's transcription call
//! (`POST /v1/audio/transcriptions`), which whisper.cpp's server and others speak.

use crate::Language;
use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// What was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transcript {
    pub text: String,
    /// In percent; 100 is certain.
    pub confidence: u8,
}

/// Why there is no text.
#[derive(Debug, thiserror::Error)]
pub enum TranscriptionError {
    /// Nobody answers there, or not in time.
    #[error("the transcriber cannot be reached: {0}")]
    Unreachable(#[from] std::io::Error),
    /// It answered with this status.
    #[error("the transcriber answered {0}")]
    Refused(u16),
    /// What it answered is no transcription.
    #[error("the transcriber answered something else than a transcription")]
    Unreadable,
}

/// Whoever turns speech into text. Takes as long as it takes: call it on a thread that may wait.
pub trait Transcriber: Send + Sync {
    /// `wav` is a WAV file; `language` what is most likely spoken.
    ///
    /// # Errors
    /// [`TranscriptionError`]
    fn transcribe(&self, wav: &[u8], language: Language) -> Result<Transcript, TranscriptionError>;
}

/// A transcription server, by plain HTTP: it is meant to stand on the same machine or in the same network.
#[derive(Clone, Debug)]
pub struct HttpTranscriber {
    host: String,
    path: String,
    model: String,
}

/// Not `http://host[:port]/path`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write http://host:port/path of the transcription call")]
pub struct UrlError;

/// The server may take so long to begin its answer: about twice the longest message.
const WITHIN: Duration = Duration::from_secs(180);
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Bytes of an answer that are read.
const LONGEST: u64 = 1 << 20;
/// Characters of a text that are kept.
const MOST_TEXT: usize = 10_000;
/// Parts two of the form; no WAV file of ours has this in it by chance.
const BOUNDARY: &str = "earcon-5f0c1d7e9b2a4836";

impl HttpTranscriber {
    /// `url` is the whole address of the call; `model` is passed on.
    ///
    /// # Errors
    /// [`UrlError`]
    pub fn new(url: &str, model: impl Into<String>) -> Result<HttpTranscriber, UrlError> {
        let rest = url.strip_prefix("http://").ok_or(UrlError)?;
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let sound = |text: &str| text.chars().all(|c| c.is_ascii_graphic());
        if host.is_empty() || !sound(host) || !sound(path) {
            return Err(UrlError);
        }
        Ok(HttpTranscriber { host: host.into(), path: format!("/{path}"), model: model.into() })
    }

    fn connect(&self) -> std::io::Result<TcpStream> {
        let place = if self.host.contains(':') { self.host.clone() } else { format!("{}:80", self.host) };
        let mut last = std::io::Error::from(std::io::ErrorKind::NotFound);
        for address in place.to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, CONNECT_WITHIN) {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// A form as browsers send it (RFC 7578).
    fn form(&self, wav: &[u8], language: Language) -> Vec<u8> {
        let mut form = Vec::with_capacity(wav.len() + 1024);
        for (name, value) in
            [("model", self.model.as_str()), ("language", language.code()), ("response_format", "verbose_json")]
        {
            let part = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            form.extend_from_slice(part.as_bytes());
        }
        let file = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"message.wav\"\r\n\
             Content-Type: audio/wav\r\n\r\n"
        );
        form.extend_from_slice(file.as_bytes());
        form.extend_from_slice(wav);
        form.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
        form
    }
}

impl Transcriber for HttpTranscriber {
    fn transcribe(&self, wav: &[u8], language: Language) -> Result<Transcript, TranscriptionError> {
        let form = self.form(wav, language);
        let mut stream = self.connect()?;
        stream.set_read_timeout(Some(WITHIN))?;
        stream.set_write_timeout(Some(WITHIN))?;
        // HTTP/1.0: the answer ends with the connection, and comes in one piece.
        let head = format!(
            "POST {} HTTP/1.0\r\nHost: {}\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n",
            self.path,
            self.host,
            form.len()
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(&form)?;
        let mut answer = Vec::new();
        stream.take(LONGEST).read_to_end(&mut answer)?;
        read(&String::from_utf8_lossy(&answer))
    }
}

fn read(answer: &str) -> Result<Transcript, TranscriptionError> {
    let (head, body) = answer.split_once("\r\n\r\n").ok_or(TranscriptionError::Unreadable)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    match status.ok_or(TranscriptionError::Unreadable)? {
        200 => {}
        status => return Err(TranscriptionError::Refused(status)),
    }
    let json: serde_json::Value = serde_json::from_str(body).map_err(|_| TranscriptionError::Unreadable)?;
    let text = json.get("text").and_then(serde_json::Value::as_str).ok_or(TranscriptionError::Unreadable)?;
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(MOST_TEXT).collect();
    Ok(Transcript { text, confidence: confidence(&json) })
}

/// The mean over the segments, weighted by their length; a server that says nothing of it is taken to be fairly sure.
fn confidence(json: &serde_json::Value) -> u8 {
    let segments = json.get("segments").and_then(serde_json::Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let (mut sum, mut weight) = (0.0, 0.0);
    for segment in segments {
        let number = |name: &str| segment.get(name).and_then(serde_json::Value::as_f64);
        let Some(log) = number("avg_logprob").filter(|log| log.is_finite()) else { continue };
        let length = (number("end").unwrap_or(1.0) - number("start").unwrap_or(0.0)).clamp(0.01, 3600.0);
        sum += log.min(0.0).exp() * length;
        weight += length;
    }
    let percent = if weight > 0.0 { 100.0 * sum / weight } else { 80.0 };
    // A float cast saturates.
    percent.round() as u8
}
