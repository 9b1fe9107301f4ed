use super::rig::{DIVERTED, Rig};
use crate::storage::Letter;
use mailbox::{MailboxId, MessageId};
use media::{Codec, RecordEnd, RecordingId, Recovered};
use std::time::Duration;

fn recovered(recording: u128, message: u128, part: u32, cancelled: bool) -> Recovered {
    let letter = Letter {
        message: MessageId(message),
        mailbox: MailboxId::parse("27000").unwrap(),
        from_number: Some("27001".into()),
        from_name: None,
        from_address: None,
        call_id: "c".into(),
        received: 0,
        urgent: part == 0,
        private: false,
        part,
        kind: mailbox::MessageKind::CallAnswering,
        sender: None,
        also: Vec::new(),
        attached: None,
        cut_ms: 0,
        cancelled,
    };
    Recovered {
        recording: RecordingId(recording),
        meta: serde_json::to_vec(&letter).unwrap().into(),
        codec: Codec::Pcma,
        length: 80_000,
        finished: false,
    }
}

#[test]
fn a_store_that_is_down_is_asked_again_until_it_takes_the_message() {
    let mut rig = Rig::lab();
    rig.shelf.0.lock().unwrap().down = true;
    let call = rig.call("43334", DIVERTED);
    let recording = rig.recording(&call);
    rig.hang_up(&call);
    rig.record_ended(&call, recording, RecordEnd::Closed, 3);
    rig.durable(recording);
    assert!(
        rig.event_names().contains(&"delivery_delayed".to_owned()),
        "the caller heard a greeting, and was recorded"
    );
    rig.later(Duration::from_secs(600));
    assert!(rig.event_names().len() > 5);
    rig.shelf.0.lock().unwrap().down = false;
    rig.later(Duration::from_secs(60));
    assert_eq!(rig.shelf.0.lock().unwrap().delivered.len(), 1);
    rig.later(Duration::from_secs(600));
    assert_eq!(rig.shelf.0.lock().unwrap().delivered.len(), 1, "once");
}

#[test]
fn what_the_spool_still_had_becomes_messages_at_the_start() {
    let found = vec![
        recovered(12, 11, 1, false),
        recovered(11, 11, 0, false),
        recovered(20, 20, 0, true),
        Recovered { meta: "junk".into(), ..recovered(30, 30, 0, false) },
    ];
    let rig = Rig::empty(state::Store::memory(), found);
    let shelf = rig.shelf.0.lock().unwrap();
    assert_eq!(shelf.delivered.len(), 1);
    assert_eq!(shelf.delivered[0].parts, [RecordingId(11), RecordingId(12)], "in order");
    assert!(shelf.delivered[0].recovered && shelf.delivered[0].letter.urgent);
    assert_eq!(shelf.discarded, [RecordingId(20)], "thrown away by its caller");
    drop(shelf);
    let names = rig.event_names();
    assert!(names.contains(&"message_delivered".to_owned()));
    assert!(names.contains(&"delivery_delayed".to_owned()), "nobody's recording stays, and is told of");
}

#[test]
fn a_recording_that_could_not_be_made_durable_is_delivered_from_memory() {
    let mut rig = Rig::lab();
    let call = rig.call("43334", DIVERTED);
    let recording = rig.recording(&call);
    rig.hang_up(&call);
    rig.record_ended(&call, recording, RecordEnd::Failed, 3);
    rig.media_event(media::MediaEvent::RecordFailed { recording, error: "disk full".into() });
    assert_eq!(rig.shelf.0.lock().unwrap().delivered.len(), 1);
}
