use super::rig::Rig;
use crate::commands::{Answer, Command, CommandError, Door, PinVerdict};
use std::time::Duration;

fn verify(rig: &mut Rig, identity: &str, pin: &str) -> PinVerdict {
    let command = Command::VerifyPin { identity: identity.into(), pin: pin.into(), door: Door::Web };
    match rig.run(command).unwrap() {
        Answer::PinVerdict(verdict) => verdict,
        other => panic!("{other:?}"),
    }
}

fn right() -> PinVerdict {
    PinVerdict::Right { mailbox: "27000".into(), expired: false }
}

#[test]
fn a_pin_is_verified_for_the_web() {
    let mut rig = Rig::lab();
    assert_eq!(verify(&mut rig, "27000", "730146"), right());
    assert_eq!(verify(&mut rig, "27000", "730147"), PinVerdict::Wrong);
    assert_eq!(verify(&mut rig, "27010", "730146"), PinVerdict::Wrong, "who is there is not told");
}

#[test]
fn wrong_pins_count_across_calls_and_doors_until_the_mailbox_is_locked() {
    let mut rig = Rig::lab();
    let own_phone = "From: <sip:27000@127.0.222.10>;tag=own";
    for _ in 0..4 {
        let call = rig.call("43334", own_phone);
        rig.press(&call, "1#2#3#");
        rig.listen(call.session);
    }
    let names = rig.event_names();
    assert_eq!(names.iter().filter(|name| *name == "pin_rejected").count(), 12);
    assert!(names.contains(&"pin_reset_due".to_owned()), "the policy's fifth");
    for _ in 0..2 {
        assert_eq!(verify(&mut rig, "27000", "4"), PinVerdict::Wrong);
    }
    assert_eq!(verify(&mut rig, "27000", "4"), PinVerdict::Locked, "the fifteenth");
    assert!(rig.event_names().contains(&"mailbox_locked".to_owned()));
    assert_eq!(verify(&mut rig, "27000", "730146"), PinVerdict::Locked, "also the right one now");
}

#[test]
fn a_right_pin_starts_the_count_anew() {
    let mut rig = Rig::lab();
    for _ in 0..3 {
        for _ in 0..14 {
            assert_eq!(verify(&mut rig, "27000", "1"), PinVerdict::Wrong);
        }
        assert_eq!(verify(&mut rig, "27000", "730146"), right());
    }
}

#[test]
fn the_count_and_the_lock_survive_a_restart_and_an_administrator_unlocks() {
    let mut rig = Rig::lab();
    for _ in 0..15 {
        verify(&mut rig, "27000", "1");
    }
    let mut rig = Rig::empty(rig.state.clone(), Vec::new());
    assert_eq!(verify(&mut rig, "27000", "730146"), PinVerdict::Locked);
    rig.done("Set-UMMailboxPIN", &[("Identity", "27000"), ("LockedOut", "$false")]);
    assert_eq!(verify(&mut rig, "27000", "730146"), right());
}

#[test]
fn three_wrong_pins_in_a_call_end_it() {
    let mut rig = Rig::lab();
    let call = rig.call("43334", "From: <sip:27000@127.0.222.10>;tag=own");
    rig.press(&call, "1#2#3#");
    rig.take_sent();
    rig.listen(call.session);
    assert!(rig.take_requests().iter().any(|request| request.method == sip::Method::Bye));
}

#[test]
fn a_pin_must_keep_the_rules_and_not_be_one_of_the_last() {
    let mut rig = Rig::lab();
    let set = |rig: &mut Rig, pin: &str| rig.command("Set-UMMailboxPIN", &[("Identity", "27000"), ("Pin", pin)]);
    assert_eq!(set(&mut rig, "123456").unwrap_err().parameter(), Some("Pin"));
    assert_eq!(set(&mut rig, "127000").unwrap_err().parameter(), Some("Pin"));
    assert_eq!(set(&mut rig, "12").unwrap_err(), CommandError::bad("Pin", "write at least 6 digits"));
    set(&mut rig, "951357").unwrap();
    let again = set(&mut rig, "730146").unwrap_err();
    assert_eq!(again, CommandError::bad("Pin", "write a PIN that was not used before"));
    assert_eq!(verify(&mut rig, "27000", "951357"), right());
}

#[test]
fn a_pin_that_is_made_up_is_shown_once_and_has_expired() {
    let mut rig = Rig::lab();
    let Answer::Pin(view) = rig.done("Set-UMMailboxPIN", &[("Identity", "27000")]) else { panic!() };
    let pin = view.pin.unwrap();
    assert_eq!(pin.len(), 6);
    let verdict = verify(&mut rig, "27000", &pin);
    assert_eq!(verdict, PinVerdict::Right { mailbox: "27000".into(), expired: true });
    let Answer::Pin(view) = rig.done("Get-UMMailboxPIN", &[("Identity", "27000")]) else { panic!() };
    assert_eq!(view.pin, None);
}

#[test]
fn a_pin_expires_after_its_lifetime() {
    let mut rig = Rig::lab();
    rig.done("Set-UMMailboxPolicy", &[("", "MX Default Policy"), ("PINLifetime", "2")]);
    rig.later(Duration::from_secs(47 * 3600));
    assert_eq!(verify(&mut rig, "27000", "730146"), right());
    rig.later(Duration::from_secs(2 * 3600));
    let verdict = verify(&mut rig, "27000", "730146");
    assert_eq!(verdict, PinVerdict::Right { mailbox: "27000".into(), expired: true });
}
