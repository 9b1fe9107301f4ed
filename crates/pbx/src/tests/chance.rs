//! People who do anything at any time. Whatever they do, the node lets go of everything once they have hung up.

use super::rig::*;
use media::MediaCommand;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sip::endpoint::{Body, CallEvent, CallRef, Event};
use sip::{Headers, Method, Name, NameAddr, Transport};
use std::collections::BTreeSet;
use std::time::Duration;

/// One who uses the node, with the calls that he is in.
struct Person {
    peer: Peer,
    number: &'static str,
    calls: Vec<CallRef>,
}

struct Crowd {
    rig: Rig,
    people: Vec<Person>,
    random: StdRng,
}

impl Crowd {
    fn new(seed: u64) -> Crowd {
        let mut rig = Rig::lab();
        let mut random = StdRng::seed_from_u64(seed);
        if random.random_bool(0.5) {
            rig.set_route(55, |set| set.forced_gateway = Some("yes".into()));
        }
        if random.random_bool(0.3) {
            rig.divert("27010", "27000", |diversion| diversion.div_noreply = Some(true));
        }
        let mut people = Vec::new();
        for (number, at) in [
            ("27000", "127.0.0.1:5071"),
            ("27000", "127.0.0.1:5072"),
            ("27001", "127.0.0.1:5073"),
            ("27010", "127.0.0.1:5074"),
        ] {
            let peer = rig.phone(number, at);
            people.push(Person { peer, number, calls: Vec::new() });
        }
        for port in [5060, 5062] {
            let peer = rig.peer(&format!("127.0.222.4:{port}"), Transport::Tcp);
            people.push(Person { peer, number: "43334", calls: Vec::new() });
        }
        Crowd { rig, people, random }
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.random.random_range(0..of.len())]
    }

    /// Takes note of what happened, and answers what has to be answered.
    fn look(&mut self) {
        for index in 0..self.people.len() {
            let peer = self.people[index].peer;
            for event in self.rig.events_of(peer) {
                match event {
                    Event::Incoming { call, .. } => self.people[index].calls.push(call),
                    Event::Call { call, event } => self.react(index, call, event),
                    _ => {}
                }
            }
        }
    }

    fn react(&mut self, index: usize, call: CallRef, event: CallEvent) {
        let peer = self.people[index].peer;
        match event {
            CallEvent::Offer { request } => {
                let status = self.pick(&[200, 200, 200, 488, 491]);
                let body = (status == 200).then(|| Body::sdp(sdp_of(30000, 9, "sendrecv")));
                let _ = request;
                let _ = self
                    .rig
                    .with(peer, |endpoint, now| endpoint.answer_offer(call, status, &Headers::new(), body, now));
            }
            CallEvent::Request { transaction, request } => {
                let status = self.pick(&[200, 200, 481]);
                let _ =
                    self.rig.with(peer, |endpoint, now| endpoint.respond(transaction, request.response(status), now));
            }
            CallEvent::Answer { .. } => {
                let body = Some(Body::sdp(sdp_of(31000, 9, "sendrecv")));
                let _ = self.rig.with(peer, |endpoint, now| endpoint.acknowledge(call, body, now));
            }
            CallEvent::Ended { .. } | CallEvent::Rejected { .. } | CallEvent::Cancelled { .. } => {
                self.people[index].calls.retain(|own| *own != call);
            }
            _ => {}
        }
    }

    fn act(&mut self) {
        let index = self.random.random_range(0..self.people.len());
        let (peer, number) = (self.people[index].peer, self.people[index].number);
        let to = self.pick(&["27000", "27001", "27010", "43334", "43333", "99"]);
        let what = self.random.random_range(0..12);
        if what == 0 || self.people[index].calls.is_empty() {
            let late = self.random.random_bool(0.2);
            let call = self.rig.call_with(peer, number, to, |call| {
                if late {
                    call.body = None;
                }
            });
            self.people[index].calls.push(call);
            return;
        }
        let calls = self.people[index].calls.clone();
        let call = self.pick(&calls);
        let body = || Some(Body::sdp(sdp_of(32000, 3, "sendrecv")));
        let none = Headers::new();
        let mut headers = Headers::new();
        let status = self.pick(&[486, 480, 603, 404, 503, 488]);
        let direction = self.pick(&["sendonly", "inactive", "sendrecv"]);
        let offer = self.random.random_bool(0.8).then(|| Body::sdp(sdp_of(33000, 4, direction)));
        // Whether it fits the state of the call is part of the game.
        let _ = self.rig.with(peer, |endpoint, now| match what {
            1 => endpoint.progress(call, 180, &none, None, now),
            2 => endpoint.progress(call, 183, &none, body(), now),
            3..=5 => endpoint.accept(call, &none, body(), now),
            6 => endpoint.reject(call, status, &none, now),
            7 => {
                let port = if to.starts_with('4') { 5062 } else { 5060 };
                let contact = NameAddr::new(uri(&format!("sip:{to}@127.0.222.4:{port};transport=tcp")));
                headers.push_typed(&sip::header::Contact::Address(contact));
                endpoint.reject(call, 302, &headers, now)
            }
            8 => endpoint.offer(call, &none, offer, now),
            9 => {
                headers.push(Name::ReferTo, format!("<sip:{to}@moon.galaxy>"));
                endpoint.request_in_call(call, Method::Refer, &headers, None, now).map(|_| ())
            }
            10 => endpoint.request_in_call(call, Method::Info, &none, None, now).map(|_| ()),
            _ => endpoint.hangup(call, &none, now),
        });
    }

    fn everybody_leaves(&mut self) {
        // Calls that are set up on others' behalf ring on meanwhile: several rounds.
        for _ in 0..20 {
            for index in 0..self.people.len() {
                let peer = self.people[index].peer;
                for call in std::mem::take(&mut self.people[index].calls) {
                    let _ = self.rig.with(peer, |endpoint, now| endpoint.hangup(call, &Headers::new(), now));
                }
            }
            self.rig.run(Duration::from_secs(3));
            self.look();
        }
        self.rig.run(Duration::from_secs(60));
        self.look();
    }
}

fn play(seed: u64) -> Vec<sip::Message> {
    let mut crowd = Crowd::new(seed);
    for _ in 0..40 {
        crowd.act();
        let ms = crowd.pick(&[0, 1, 2, 20, 20, 500, 5000]);
        crowd.rig.run_ms(ms);
        crowd.look();
    }
    crowd.everybody_leaves();
    assert!(crowd.rig.calls().is_empty(), "seed {seed}: {:?}", crowd.rig.calls());
    assert_eq!(crowd.rig.node.taken(), (0, 0), "seed {seed}: dialogs and trunk individuals that are taken still");
    assert_eq!(crowd.rig.node.call_count(), 0, "seed {seed}");
    let closed: BTreeSet<_> = crowd
        .rig
        .media
        .take()
        .into_iter()
        .filter_map(|command| match command {
            MediaCommand::Close { session } => Some(session),
            _ => None,
        })
        .collect();
    assert_eq!(closed.len() as u64, crowd.rig.media.opened(), "seed {seed}: media sessions that are open still");
    std::mem::take(&mut crowd.rig.sent).into_iter().map(|sent| sent.message).collect()
}

#[test]
fn whatever_people_do_nothing_is_left_when_they_have_hung_up() {
    for seed in 0..10 {
        play(seed);
    }
}

#[test]
fn the_same_happenings_give_the_same_messages() {
    assert_eq!(play(7), play(7));
}
