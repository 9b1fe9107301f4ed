use super::rig::Rig;
use crate::commands::dial_plan::DialByName;
use crate::commands::mailbox::Mailbox;
use crate::people::directory::{MOST_FOUND, Within};
use media::RecordEnd;
use sip::{Method, Name};

const EVERYBODY: Within<'static> = Within { plan: None, list: None, colleague: false };

fn plan(name: &str) -> Within<'_> {
    Within { plan: Some(name), ..EVERYBODY }
}

fn named(rig: &mut Rig, order: DialByName, keys: &str) -> Vec<String> {
    let found = rig.server.directory.search(&rig.server.configuration, plan("MX"), order, keys);
    found.people.iter().map(|mailbox| mailbox.name.clone()).collect()
}

fn user(rig: &mut Rig, first: &str, last: &str, extension: &str) {
    let name = format!("{first} {last} {extension}");
    rig.done("New-Mailbox", &[("Name", &*name), ("FirstName", first), ("LastName", last)]);
    let enable = [("Identity", &*name), ("UMMailboxPolicy", "MX Default Policy"), ("Extensions", extension)];
    rig.done("Enable-UMMailbox", &enable);
}

#[test]
fn the_order_of_the_name_is_the_dial_plans() {
    let mut rig = Rig::lab();
    user(&mut rig, "Kerstin", "Öberg", "27020");
    assert_eq!(named(&mut rig, DialByName::LastFirst, "623"), ["Kerstin Öberg 27020"]);
    assert_eq!(named(&mut rig, DialByName::LastFirst, "63237"), ["Kerstin Öberg 27020"], "typed as oeber");
    assert_eq!(named(&mut rig, DialByName::FirstLast, "537"), ["Kerstin Öberg 27020"]);
    assert_eq!(named(&mut rig, DialByName::FirstLast, "999"), [""; 0]);
}

fn change(rig: &mut Rig, name: &str, change: impl FnOnce(&mut Mailbox)) {
    let mut mailbox = Mailbox::clone(rig.server.configuration.require_mailbox(name).unwrap());
    change(&mut mailbox);
    rig.server.configuration.mailboxes.put(mailbox, &mut Vec::new());
    rig.server.directory.changed();
}

#[test]
fn a_changed_name_is_found_at_once_and_the_old_one_no_more() {
    let mut rig = Rig::lab();
    user(&mut rig, "Kerstin", "Dahl", "27020");
    assert_eq!(named(&mut rig, DialByName::LastFirst, "3245").len(), 1);
    change(&mut rig, "Kerstin Dahl 27020", |mailbox| mailbox.settings.last_name = Some("Lind".into()));
    assert_eq!(named(&mut rig, DialByName::LastFirst, "3245"), [""; 0]);
    assert_eq!(named(&mut rig, DialByName::LastFirst, "5463").len(), 1);
}

#[test]
fn hidden_and_disabled_users_are_not_found() {
    let mut rig = Rig::lab();
    user(&mut rig, "Kerstin", "Dahl", "27020");
    user(&mut rig, "Eva", "Dahl", "27021");
    change(&mut rig, "Kerstin Dahl 27020", |mailbox| mailbox.settings.hidden = true);
    change(&mut rig, "Eva Dahl 27021", |mailbox| mailbox.um = None);
    assert_eq!(named(&mut rig, DialByName::LastFirst, "3245"), [""; 0]);
}

/// A figure (bench/README.md): how long a key takes among many people.
#[test]
fn a_large_directory() {
    const LETTERS: [&str; 20] = [
        "ander", "berg", "carl", "dahl", "ek", "fors", "gran", "holm", "is", "jans", "karl", "lind", "malm", "nord",
        "öst", "pers", "ros", "sund", "wall", "åker",
    ];
    // Without optimisation a tenth of them, so that this is a test like others.
    let many = if cfg!(debug_assertions) { 10_000 } else { 100_000 };
    let mut rig = Rig::lab();
    let anna = Mailbox::clone(rig.server.configuration.require_mailbox("Anna").unwrap());
    for n in 0..many {
        let syllable = |place: usize| LETTERS[n / place % LETTERS.len()];
        let mut mailbox = anna.clone();
        mailbox.name = format!("user {n}");
        mailbox.settings.last_name = Some(format!("{}{}{}", syllable(1), syllable(20), syllable(8_000)));
        mailbox.settings.first_name = Some(format!("{}{n}", syllable(400)));
        rig.server.configuration.mailboxes.put(mailbox, &mut Vec::new());
    }
    rig.server.directory.changed();
    let began = std::time::Instant::now();
    named(&mut rig, DialByName::LastFirst, "2");
    println!("{many} people: the index after a change of all {:?}", began.elapsed());
    let mut longest = std::time::Duration::ZERO;
    for name in ["5463263371", "2374", "6733", "9255546", "25375"] {
        for keys in 1..=name.len() {
            let began = std::time::Instant::now();
            named(&mut rig, DialByName::LastFirst, &name[..keys]);
            longest = longest.max(began.elapsed());
        }
    }
    println!("{many} people: the slowest key {longest:?}");
}

#[test]
fn nine_are_given_and_more_are_told_of() {
    let mut rig = Rig::lab();
    for number in 0..12 {
        user(&mut rig, "Eva", "Berg", &format!("272{number:02}"));
    }
    let found = rig.server.directory.search(&rig.server.configuration, EVERYBODY, DialByName::LastFirst, "2374");
    assert_eq!((found.people.len(), found.more), (MOST_FOUND, true));
}

#[test]
fn an_attendant_may_search_an_address_list_only() {
    let mut rig = Rig::lab();
    user(&mut rig, "Kerstin", "Öberg", "27020");
    user(&mut rig, "Eva", "Öberg", "27021");
    rig.done("Set-Mailbox", &[("Identity", "Eva Öberg 27021"), ("AddressListMembership", "Sales")]);
    let listed = |rig: &mut Rig, list: &str| {
        let whom = Within { list: Some(list), ..EVERYBODY };
        let found = rig.server.directory.search(&rig.server.configuration, whom, DialByName::LastFirst, "623");
        found.people.iter().map(|mailbox| mailbox.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(listed(&mut rig, "sales"), ["Eva Öberg 27021"]);
    assert_eq!(listed(&mut rig, "Nobody"), [""; 0]);
    let scope = [("Identity", "AA"), ("ContactScope", "AddressList"), ("ContactAddressList", "Sales")];
    rig.done("Set-UMAutoAttendant", &scope);
    let call = rig.call("43333", "");
    rig.press(&call, "#623#1");
    rig.take_sent();
    rig.listen(call.session);
    let refer = rig.take_requests().into_iter().find(|request| request.method == Method::Refer).expect("a REFER");
    assert_eq!(refer.headers.get(&Name::ReferTo).unwrap(), &"<sip:27021@127.0.222.10>");
}

#[test]
fn a_caller_of_the_attendant_spells_a_name_and_is_transferred() {
    let mut rig = Rig::lab();
    user(&mut rig, "Kerstin", "Öberg", "27020");
    let call = rig.call("43333", "");
    rig.press(&call, "#623#1");
    rig.take_sent();
    rig.listen(call.session);
    let refer = rig.take_requests().into_iter().find(|request| request.method == Method::Refer).expect("a REFER");
    assert_eq!(refer.headers.get(&Name::ReferTo).unwrap(), &"<sip:27020@127.0.222.10>");
}

#[test]
fn a_message_that_is_left_by_name_is_delivered_to_that_mailbox() {
    let mut rig = Rig::lab();
    user(&mut rig, "Kerstin", "Öberg", "27020");
    let call = rig.call("43333", "");
    rig.press(&call, "#623#2");
    let recording = rig.recording(&call);
    rig.hang_up(&call);
    rig.record_ended(&call, recording, RecordEnd::Closed, 3);
    rig.durable(recording);
    let delivered = &rig.shelf.0.lock().unwrap().delivered;
    assert_eq!(delivered.len(), 1);
    assert_eq!(delivered[0].letter.mailbox.to_string(), "27020");
}
