//! The caller hangs up at every point of every menu ([`crate::dialogue::walk`]): nothing is lost, nothing is left behind, nothing is
//! half done.

use super::rig::{DIVERTED, Rig, TestCall, WORKER, pbx};
use crate::dialogue::script::contact;
use crate::dialogue::walk::{Act, ENTRANCES, walk};
use media::{MediaCommand, MediaEvent, PlayEnd, PlayId, RecordEnd, RecordTo, RecordingId, SessionId};
use sip::{Method, Request};
use std::time::Duration;

/// Who hangs up.
enum Party {
    /// Whoever has called the server.
    Caller(TestCall),
    /// Whom the server has called by this INVITE; and then the caller for whom it has, if there is one.
    Called(Box<Request>, Option<TestCall>),
}

/// A call on which a way through the menus is gone.
struct Walker {
    rig: Rig,
    party: Party,
    session: SessionId,
    /// What is played, and whether a key stops it.
    play: Option<(PlayId, bool)>,
    /// What is recorded, and whether it is part of a message.
    recording: Option<(RecordingId, bool)>,
    /// Parts of messages, and for how many seconds something was said in each.
    parts: Vec<(RecordingId, u64)>,
}

const SPOKEN: u64 = 3;
const EVERYWHERE: [&str; 12] = [
    "attendant",
    "call answering",
    "rule",
    "logon",
    "voice access",
    "mail",
    "calendar",
    "contacts",
    "first time",
    "find me",
    "play on phone",
    "prompt",
];

impl Walker {
    fn new(entrance: &str) -> Walker {
        let mut rig = Rig::lab();
        rig.done("Set-UMDialPlan", &[("Identity", "MX"), ("OperatorExtension", "27001")]);
        let attendant = [
            ("Identity", "AA"),
            ("BusinessHoursTransferToOperatorEnabled", "true"),
            ("StarOutToDialPlanEnabled", "true"),
            ("BusinessHoursKeyMappingEnabled", "true"),
        ];
        rig.done("Set-UMAutoAttendant", &attendant);
        rig.done("New-DistributionGroup", &[("Name", "Sales"), ("Members", "Anna")]);
        if entrance == "first time" {
            rig.done("Disable-UMMailbox", &[("Identity", "Björn"), ("KeepProperties", "false")]);
            let enable = [
                ("Identity", "Björn"),
                ("UMMailboxPolicy", "MX Default Policy"),
                ("Extensions", "27001"),
                ("PIN", "730258"),
                ("PINExpired", "true"),
            ];
            rig.done("Enable-UMMailbox", &enable);
        }
        if matches!(entrance, "rule" | "find me") {
            let rule = [("Name", "R"), ("Mailbox", "Anna"), ("KeyMappings", "5,5,urgent matters,27001,20,,,,")];
            rig.done("New-UMCallAnsweringRule", &rule);
        }
        let area = match entrance {
            "mail" => Some('2'),
            "calendar" => Some('3'),
            "contacts" => Some('4'),
            _ => None,
        };
        if area.is_some() {
            rig.source.has_everything();
            rig.source.shelf().contacts = vec![contact("Cecilia Holm", Some("27000"))];
        }
        let party = match entrance {
            "attendant" => Party::Caller(rig.call("43333", "")),
            "call answering" | "rule" => Party::Caller(rig.call("43334", DIVERTED)),
            "logon" => Party::Caller(rig.call("43334", "From: <sip:0701234567@127.0.222.10>;tag=pbx")),
            "find me" => {
                let caller = rig.call("43334", DIVERTED);
                rig.take_sent();
                rig.press(&caller, "5");
                rig.listen(caller.session);
                Party::Called(Box::new(rig.invited()), Some(caller))
            }
            "play on phone" | "prompt" => {
                rig.take_sent();
                if entrance == "prompt" {
                    rig.done("Set-UMDialPlan", &[("Identity", "MX"), ("TUIPromptEditingEnabled", "true")]);
                    let of = [("UMAutoAttendant", "AA"), ("PromptFileName", "open.wav"), ("Number", "27000")];
                    rig.done("Start-UMPromptRecording", &of);
                } else {
                    let message = "00000000000000000000000000000007";
                    let of = [("Identity", "Anna"), ("Number", "27000"), ("Message", message)];
                    rig.done("Start-UMPlayOnPhone", &of);
                }
                Party::Called(Box::new(rig.invited()), None)
            }
            _ => Party::Caller(rig.call("43334", "")),
        };
        if let Party::Called(invite, _) = &party {
            rig.answer(invite, 200, WORKER, pbx());
        }
        let session = SessionId(rig.media.opened());
        let mut walker = Walker { rig, party, session, play: None, recording: None, parts: Vec::new() };
        walker.look();
        if area.is_some() || matches!(entrance, "voice access" | "first time") {
            "730258#".chars().chain(area).for_each(|key| walker.act(Act::Key(key)));
        }
        walker
    }

    /// What the server has asked of the media meanwhile.
    fn look(&mut self) {
        for command in self.rig.media.take() {
            match command {
                MediaCommand::Play { session, play, barge_in, .. } if session == self.session => {
                    self.play = Some((play, barge_in));
                }
                MediaCommand::StopPlay { session } if session == self.session => self.play = None,
                MediaCommand::Record { session, recording, to, .. } if session == self.session => {
                    let part = matches!(to, RecordTo::Spool);
                    self.recording = Some((recording, part));
                }
                _ => {}
            }
        }
    }

    fn event(&mut self, event: MediaEvent) {
        self.rig.media_event(event);
        self.look();
    }

    fn play_ended(&mut self, reason: PlayEnd) {
        if let Some((play, _)) = self.play.take() {
            let (session, played) = (self.session, Duration::from_secs(1));
            self.rig.now = self.rig.now.later(played);
            self.event(MediaEvent::PlayEnded { session, play, played, reason });
        }
    }

    fn record_ended(&mut self, reason: RecordEnd, seconds: u64) {
        if let Some((recording, part)) = self.recording.take() {
            if part {
                self.parts.push((recording, seconds));
            }
            let (session, duration) = (self.session, Duration::from_secs(seconds));
            self.event(MediaEvent::RecordEnded { session, recording, reason, duration, loud: duration });
            if part {
                self.rig.durable(recording);
                self.look();
            }
        }
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Listen => self.play_ended(PlayEnd::Finished),
            Act::Key(digit) => {
                if digit == '#' {
                    self.record_ended(RecordEnd::Key, SPOKEN);
                }
                if matches!(self.play, Some((_, true))) {
                    self.play_ended(PlayEnd::Key);
                }
                self.event(MediaEvent::Key { session: self.session, digit, duration_ms: 100 });
            }
            Act::Type(keys) => keys.chars().for_each(|key| self.act(Act::Key(key))),
            Act::Speak => self.record_ended(RecordEnd::Stopped, SPOKEN),
            Act::Silence => {
                for _ in 0..3 {
                    self.play_ended(PlayEnd::Finished);
                }
                self.rig.later(Duration::from_secs(8));
                self.look();
            }
            Act::Fails | Act::Busy => {
                let requests = self.rig.take_requests();
                let refer = requests.into_iter().find(|request| request.method == Method::Refer);
                if let Some(refer) = refer {
                    let refused = refer.response(603).to_bytes().to_vec();
                    self.rig.receive(&String::from_utf8(refused).unwrap().replace("\r\n", "\n"), WORKER, pbx());
                    self.look();
                }
            }
        }
    }

    /// Hangs up here, and looks at what is left.
    fn hangs_up(mut self, about: &str) {
        let before = (self.rig.server.version, self.rig.shelf.0.lock().unwrap().changed);
        let spoken = |rig: &Rig| {
            let shelf = rig.shelf.0.lock().unwrap();
            shelf.delivered.iter().filter(|parcel| parcel.letter.kind.is_voice()).count()
        };
        let recorded = self.recording.is_some_and(|(_, part)| part).then_some(spoken(&self.rig));
        match &self.party {
            Party::Caller(call) => self.rig.hang_up(call),
            Party::Called(invite, caller) => {
                self.rig.called_hangs_up(invite);
                caller.iter().for_each(|caller| self.rig.hang_up(caller));
            }
        }
        self.record_ended(RecordEnd::Closed, SPOKEN);
        // Whoever was being rung is let go, and whatever was under way has its time to end.
        self.rig.later(Duration::from_secs(300));
        let server = &self.rig.server;
        assert!(server.calls.is_empty() && server.by_leg.is_empty() && server.by_session.is_empty(), "{about}: a call");
        assert!(server.alarms.is_empty() && server.replies.is_empty() && server.waiting.is_empty(), "{about}: a task");
        assert!(server.consulted.is_empty(), "{about}: a question");
        assert_eq!(server.deliveries.count(), 0, "{about}: a message on its way");
        if let Some(before) = recorded {
            assert_eq!(spoken(&self.rig), before + 1, "{about}: what was being said is a message");
        }
        let shelf = self.rig.shelf.0.lock().unwrap();
        assert_eq!(before, (self.rig.server.version, shelf.changed), "{about}: something was half done");
        for (part, seconds) in &self.parts {
            let kept = shelf.delivered.iter().filter(|parcel| parcel.parts.contains(part)).count();
            let thrown = shelf.discarded.iter().filter(|discarded| *discarded == part).count();
            assert_eq!(
                kept + thrown,
                1,
                "{about}: {seconds} s of recording kept {kept} times, thrown away {thrown} times"
            );
        }
    }
}

fn everywhere(name: &str) {
    let entrance = ENTRANCES.iter().find(|entrance| entrance.name == name).unwrap();
    for point in walk(*entrance) {
        let mut walker = Walker::new(name);
        point.way.iter().for_each(|act| walker.act(*act));
        walker.hangs_up(&format!("{name}: {:?}", point.way));
    }
}

#[test]
fn at_every_point_of_the_attendant() {
    everywhere("attendant");
}

#[test]
fn at_every_point_of_call_answering() {
    everywhere("call answering");
}

#[test]
fn at_every_point_of_a_call_answering_rule() {
    everywhere("rule");
}

#[test]
fn at_every_point_of_the_logon() {
    everywhere("logon");
}

#[test]
fn at_every_point_of_voice_access() {
    everywhere("voice access");
}

#[test]
fn at_every_point_of_mail() {
    everywhere("mail");
}

#[test]
fn at_every_point_of_the_calendar() {
    everywhere("calendar");
}

#[test]
fn at_every_point_of_the_contacts() {
    everywhere("contacts");
}

#[test]
fn at_every_point_of_the_first_time() {
    everywhere("first time");
}

#[test]
fn at_every_point_of_whoever_is_rung_for_a_caller() {
    everywhere("find me");
}

#[test]
fn at_every_point_of_play_on_phone() {
    everywhere("play on phone");
}

#[test]
fn at_every_point_of_recording_a_prompt() {
    everywhere("prompt");
}

/// Keys without sense, as a child or a pocket presses them.
#[test]
fn mashed_keys_lead_nowhere_and_the_call_ends() {
    let mut state = 1_u32;
    let mut random = |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) % below
    };
    for entrance in EVERYWHERE {
        for _ in 0..8 {
            let mut walker = Walker::new(entrance);
            for _ in 0..120 {
                let key = "0123456789*#".chars().nth(random(12) as usize).unwrap();
                match random(6) {
                    0 => walker.act(Act::Listen),
                    1 => walker.act(Act::Speak),
                    2 => walker.act(Act::Fails),
                    _ => walker.act(Act::Key(key)),
                }
            }
            walker.hangs_up(entrance);
        }
    }
}

/// Nobody is there: every call ends by itself, long before `MaxCallDuration`.
#[test]
fn silence_ends_every_call() {
    for entrance in EVERYWHERE {
        let mut walker = Walker::new(entrance);
        for _ in 0..60 {
            walker.act(Act::Silence);
            walker.record_ended(RecordEnd::Idle, 0);
        }
        // The caller for whom somebody was rung hears in another session what is said to him.
        assert!(!walker.rig.server.by_session.contains_key(&walker.session), "{entrance}");
    }
}
