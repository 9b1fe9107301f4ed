//! What it costs when a thousand calls end at once: `cargo run --release -p mailbox --example thousand_deliveries`.
#![allow(clippy::unwrap_used)]

use mailbox::{Address, Audio, Caller, Line, MailboxId, Mailboxes, MessageId, NewMessage};
use std::time::{Instant, SystemTime};

fn cpu_ms() -> f64 {
    // /proc/self/stat: user and system time are fields 14 and 15, in ticks of 10 ms.
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) * 10.0
}

#[tokio::main]
async fn main() {
    let folder = std::env::args().nth(1).map_or_else(std::env::temp_dir, Into::into).join("thousand-deliveries");
    let store = Mailboxes::open(&folder).await.unwrap();
    let mailbox = MailboxId::parse("27000").unwrap();
    store.create(&mailbox, SystemTime::now()).await.unwrap();
    let minute: bytes::Bytes = vec![0xd5; std::env::args().nth(2).map_or(480_000, |n| n.parse().unwrap())].into();
    let (begun, cpu) = (Instant::now(), cpu_ms());
    let tasks: Vec<_> = (0..1000)
        .map(|n| {
            let (store, mailbox, bytes) = (store.clone(), mailbox.clone(), minute.clone());
            tokio::spawn(async move {
                let message = NewMessage {
                    id: MessageId(n),
                    mailbox,
                    to_name: None,
                    to: Address::parse("anna@moon.galaxy").unwrap(),
                    from: Caller { number: Some(Line::new("27001")), ..Caller::default() },
                    call_id: Line::new("call"),
                    received: SystemTime::now(),
                    kind: mailbox::MessageKind::CallAnswering,
                    urgent: false,
                    private: false,
                    protected: false,
                    audio: Audio { codec: rtp::Codec::Pcma, bytes },
                };
                store.deliver(message).await.unwrap();
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    println!("1,000 messages of 60 s: {:?}, {:.2} ms of CPU each", begun.elapsed(), (cpu_ms() - cpu) / 1000.0);
    store.close().await;
    std::fs::remove_dir_all(folder).unwrap();
}
