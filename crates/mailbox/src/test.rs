use crate::{Address, Audio, Caller, MailboxId, MessageId, MessageKind, NewMessage};
use rtp::Codec;
use std::time::{Duration, SystemTime};

pub(crate) fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds)
}

pub(crate) fn new_message(id: u128, mailbox: &str) -> NewMessage {
    NewMessage {
        id: MessageId(id),
        mailbox: MailboxId::parse(mailbox).unwrap(),
        to_name: Some("Anna Svensson".into()),
        to: Address::parse("anna@moon.galaxy").unwrap(),
        from: Caller { number: Some("27001".into()), name: Some("Björn Åkesson".into()), address: None },
        call_id: "abc@127.0.222.10".into(),
        received: at(0),
        kind: MessageKind::CallAnswering,
        urgent: false,
        private: false,
        protected: false,
        audio: Audio { codec: Codec::Pcma, bytes: vec![0xd5; 16_000].into() },
    }
}
