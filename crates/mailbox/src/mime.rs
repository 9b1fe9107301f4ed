//! The MIME form of a message, for mail clients. It is written once, at delivery, and never changes.
//!
//! It is kept without its audio: what stands before and after it is stored in the message's row, the audio itself once,
//! as the WAV file that it also is for page and phone.

use crate::{Address, MessageKind, NewMessage};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use mail_builder::MessageBuilder;
use mail_builder::headers::address::{Address as Header, EmailAddress};
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::raw::Raw;
use mail_builder::headers::text::Text;
use mail_builder::mime::{BodyPart, MimePart};
use std::time::SystemTime;

/// A MIME message around a hole: base64 text of the audio belongs between the two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Envelope {
    pub before: String,
    pub after: String,
}

/// RFC 2045 6.8: lines of 76 characters, which is 57 bytes.
const LINE: usize = 57;

impl Envelope {
    /// The whole message.
    pub fn fill(&self, audio: &[u8]) -> Bytes {
        let mut message = String::with_capacity(self.before.len() + encoded_length(audio.len()) + self.after.len());
        message.push_str(&self.before);
        for line in audio.chunks(LINE) {
            STANDARD.encode_string(line, &mut message);
            message.push_str("\r\n");
        }
        message.push_str(&self.after);
        Bytes::from(message)
    }

    /// Bytes of the whole message around `audio` bytes.
    pub fn size(&self, audio: usize) -> u64 {
        let size = self.before.len() + encoded_length(audio) + self.after.len();
        u64::try_from(size).unwrap_or(u64::MAX)
    }
}

fn encoded_length(audio: usize) -> usize {
    audio.div_ceil(3) * 4 + audio.div_ceil(LINE) * 2
}

/// Who a message is from, as subject, page and attachment call him.
fn caller(message: &NewMessage) -> &str {
    let from = &message.from;
    from.name.as_deref().or(from.number.as_deref()).filter(|text| !text.is_empty()).unwrap_or("anonymous caller")
}

fn seconds(duration_ms: u32) -> u32 {
    duration_ms.div_ceil(1000)
}

fn counted(duration_ms: u32) -> String {
    match seconds(duration_ms) {
        1 => "1 second".into(),
        seconds => format!("{seconds} seconds"),
    }
}

pub(crate) fn subject(message: &NewMessage) -> String {
    match (message.kind, message.protected) {
        (MessageKind::MissedCall, _) => format!("Missed call from {}", caller(message)),
        (_, false) => format!("Voice message from {} ({})", caller(message), counted(message.audio.duration_ms())),
        (_, true) => {
            format!("Protected voice message from {} ({})", caller(message), counted(message.audio.duration_ms()))
        }
    }
}

/// [MS-OXCMAIL]: what tells mail clients that this is a voice message, and how it came to be.
fn content_class(message: &NewMessage) -> &'static str {
    match message.kind {
        MessageKind::CallAnswering => "voice-ca",
        MessageKind::Composed => "voice",
        MessageKind::MissedCall => "missedcall",
    }
}

/// The attachment's name: the caller's number as far as file systems take it, the length, what it is.
fn file_name(message: &NewMessage) -> String {
    let number = message.from.number.as_deref().unwrap_or_default();
    let number: String =
        number.chars().filter(|character| character.is_ascii_alphanumeric() || "+.-_".contains(*character)).collect();
    let number = if number.is_empty() { "anonymous" } else { number.trim_start_matches('.') };
    format!("{number} ({}) Voice message.wav", counted(message.audio.duration_ms()))
}

pub(crate) fn envelope(message: &NewMessage) -> Envelope {
    let domain = message.to.domain();
    let from = match (&message.from.address, &message.from.number) {
        (Some(address), _) => address.clone(),
        (None, Some(number)) => Address::of_number(number, domain),
        (None, None) => Address::anonymous(),
    };
    let duration = message.audio.duration_ms();
    let file = file_name(message);
    let number = message.from.number.as_deref().unwrap_or_default();
    let name = message.from.name.as_deref().unwrap_or_default();
    let received = message.received.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let received = i64::try_from(received).unwrap_or_default();
    // No caller can guess it: the id is random.
    let boundary = format!("earcon-{}", message.id);

    // A Line has no line ends; what is not ASCII is encoded by the builder (RFC 2047).
    let voice = message.kind.is_voice();
    let body = if voice {
        MimePart::new(
            ContentType::new("multipart/mixed").attribute("boundary", boundary.as_str()),
            vec![
                MimePart::new("text/plain", BodyPart::Text(text(message).into())),
                MimePart::new(
                    ContentType::new("audio/wav").attribute("name", file.as_str()),
                    BodyPart::Text("".into()),
                )
                .attachment(file.as_str())
                .transfer_encoding("base64"),
            ],
        )
    } else {
        MimePart::new("text/plain", BodyPart::Text(text(message).into()))
    };
    let mut builder = MessageBuilder::new()
        .header("MIME-Version", Raw::new("1.0"))
        .from(address(message.from.name.as_deref().or(Some(caller(message))), &from))
        .to(address(message.to_name.as_deref(), &message.to))
        .subject(subject(message))
        .date(received)
        .message_id(format!("{}@{domain}", message.id))
        .header("Content-Class", Raw::new(content_class(message)))
        .header("X-CallingTelephoneNumber", Text::new(number))
        .header("X-VoiceMessageSenderName", Text::new(name))
        .header("X-CallID", Text::new(message.call_id.as_str()));
    if voice {
        builder = builder
            .header("X-VoiceMessageDuration", Raw::new(seconds(duration).to_string()))
            .header("X-AttachmentOrder", Text::new(file.as_str()));
    }
    if message.urgent {
        builder = builder.header("Importance", Raw::new("high")).header("X-Priority", Raw::new("1"));
    }
    if message.private {
        builder = builder.header("Sensitivity", Raw::new("private"));
    }
    let mut whole = Vec::new();
    builder.body(body).serialize(&mut whole);
    // The builder writes header lines in ASCII and the text part as UTF-8 or encoded.
    let whole = String::from_utf8_lossy(&whole).into_owned();
    if !voice {
        return Envelope { before: whole, after: String::new() };
    }
    // The attachment is the last part, and its body is empty.
    let end = format!("\r\n--{boundary}--");
    let hole = whole.rfind(&end).unwrap_or(whole.len());
    let (before, after) = whole.split_at(hole);
    // The last line of base64 brings its own line end, the one before the boundary.
    Envelope { before: before.to_owned(), after: after.strip_prefix("\r\n").unwrap_or(after).to_owned() }
}

fn address<'a>(name: Option<&'a str>, address: &'a Address) -> Header<'a> {
    Header::Address(EmailAddress { name: name.map(Into::into), email: address.as_str().into() })
}

fn text(message: &NewMessage) -> String {
    let mut text = match message.kind {
        MessageKind::MissedCall => "Somebody called, and left no message.\r\n\r\n".to_owned(),
        _ => format!("You have a voice message of {}.\r\n\r\n", counted(message.audio.duration_ms())),
    };
    let mut line = |label: &str, value: &str| text.push_str(&format!("{label}: {value}\r\n"));
    line("From", caller(message));
    if let (Some(number), Some(_)) = (&message.from.number, &message.from.name) {
        line("Number", number);
    }
    if let Some(address) = &message.from.address {
        line("E-mail", address.as_str());
    }
    if message.urgent {
        line("Importance", "high");
    }
    if message.private {
        line("Sensitivity", "private");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test::new_message;
    use crate::{Audio, Line, wav};
    use mail_parser::{MessageParser, MimeHeaders};
    use rtp::Codec;

    fn wav_of(message: &NewMessage) -> Vec<u8> {
        let length = u32::try_from(message.audio.bytes.len()).unwrap();
        [&wav::g711_header(message.audio.codec, length)[..], &message.audio.bytes].concat()
    }

    #[test]
    fn a_mail_client_finds_the_caller_the_length_and_the_audio() {
        let mut message = new_message(1, "27000");
        message.from.name = Some("Zoë O'Neil".into());
        message.urgent = true;
        message.private = true;
        message.audio = Audio { codec: Codec::Pcma, bytes: vec![0x55; 24_400].into() };
        let wav = wav_of(&message);
        let envelope = envelope(&message);
        let mime = envelope.fill(&wav);
        assert_eq!(envelope.size(wav.len()), mime.len() as u64);
        assert!(mime.is_ascii());
        assert!(mime.split(|byte| *byte == b'\n').all(|line| line.len() <= 79));

        let mail = MessageParser::new().parse(&mime[..]).unwrap();
        let from = mail.from().unwrap().first().unwrap();
        assert_eq!(from.name().unwrap(), "Zoë O'Neil");
        assert_eq!(from.address().unwrap(), "27001@moon.galaxy");
        assert_eq!(mail.subject().unwrap(), "Voice message from Zoë O'Neil (4 seconds)");
        let text = |name: &'static str| mail.header(name).unwrap().as_text().unwrap().to_owned();
        assert_eq!(text("X-CallingTelephoneNumber"), "27001");
        assert_eq!(text("X-VoiceMessageDuration"), "4");
        assert_eq!(text("X-VoiceMessageSenderName"), "=?utf-8?Q?Zo=C3=AB_O'Neil?=");
        assert_eq!(text("X-AttachmentOrder"), "27001 (4 seconds) Voice message.wav");
        assert_eq!(text("X-CallID"), "abc@127.0.222.10");
        assert_eq!(text("Content-Class"), "voice-ca");
        assert_eq!(text("Importance"), "high");
        assert_eq!(text("Sensitivity"), "private");
        assert_eq!(mail.message_id().unwrap(), format!("{}@moon.galaxy", message.id));
        assert_eq!(mail.date().unwrap().to_timestamp(), 1_800_000_000);
        let audio = mail.attachment(0).unwrap();
        assert_eq!(audio.attachment_name().unwrap(), "27001 (4 seconds) Voice message.wav");
        assert_eq!(audio.content_type().unwrap().subtype().unwrap(), "wav");
        assert_eq!(audio.contents(), wav);
    }

    #[test]
    fn a_hostile_caller_adds_no_header_and_no_part() {
        let mut message = new_message(7, "27000");
        message.from.name = Some(Line::new("x\r\nBcc: all@moon.galaxy\r\n\r\n--earcon-0--"));
        message.from.number = Some(Line::new("../../etc/passwd\r\nX: y"));
        message.call_id = Line::new("a\r\nX-Evil: 1");
        let mime = envelope(&message).fill(&wav_of(&message));
        let mail = MessageParser::new().parse(&mime[..]).unwrap();
        assert!(mail.bcc().is_none());
        assert!(mail.header("X-Evil").is_none());
        assert_eq!(mail.attachment_count(), 1);
        assert_eq!(mail.attachment(0).unwrap().contents(), wav_of(&message));
        assert!(!mail.attachment(0).unwrap().attachment_name().unwrap().contains('/'));
    }

    #[test]
    fn a_missed_call_has_a_text_and_no_attachment() {
        let mut message = new_message(1, "27000");
        message.kind = MessageKind::MissedCall;
        message.audio.bytes = Vec::new().into();
        let mime = envelope(&message).fill(&[]);
        let mail = MessageParser::new().parse(&mime[..]).unwrap();
        assert_eq!(mail.subject().unwrap(), "Missed call from Björn Åkesson");
        assert_eq!(mail.header("Content-Class").unwrap().as_text(), Some("missedcall"));
        assert_eq!(mail.attachment_count(), 0);
        assert!(mail.body_text(0).unwrap().contains("Number: 27001"));
    }

    #[test]
    fn an_anonymous_caller_is_called_so() {
        let mut message = new_message(1, "27000");
        message.from = crate::Caller::default();
        message.audio.bytes = vec![0xd5; 8].into();
        let mime = envelope(&message).fill(&wav_of(&message));
        let mail = MessageParser::new().parse(&mime[..]).unwrap();
        assert_eq!(mail.subject().unwrap(), "Voice message from anonymous caller (1 second)");
        assert_eq!(mail.from().unwrap().first().unwrap().address().unwrap(), "anonymous@anonymous.invalid");
    }
}
