//! Two UM servers as processes on one PostgreSQL: what is left through one is heard through the other, one of them tells the
//! PBX, and what is entered at one is in effect at both.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tests_crash::{Call, Caller, Lost, field};
use tests_foreign::pair::{Pair, SOON, wait};
use tests_foreign::{audio, http};

/// The PBX of a test: places calls, and takes every NOTIFY at 127.0.N.10, TCP port 5060.
struct Pbx {
    address: String,
    /// From which server, for whom, the counts.
    notified: Arc<Mutex<Vec<(String, String, String)>>>,
}

impl Pbx {
    fn start(net: u8) -> Pbx {
        let address = format!("127.0.{net}.10");
        let listener = TcpListener::bind((address.as_str(), 5060)).unwrap();
        let pbx = Pbx { address, notified: Arc::default() };
        let notified = pbx.notified.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let notified = notified.clone();
                std::thread::spawn(move || take_notifies(stream, &notified));
            }
        });
        pbx
    }

    /// What it was last told about Anna's mailbox, and how often it was told.
    fn lamp(&self) -> (usize, Option<String>) {
        let notified = self.notified.lock().unwrap();
        let hers: Vec<&String> =
            notified.iter().filter(|(_, whom, _)| whom == "27000").map(|(_, _, counts)| counts).collect();
        (hers.len(), hers.last().map(|counts| counts.to_string()))
    }

    fn wait_for_lamp(&self, counts: &str) {
        wait(SOON * 2, "the lamp", || (self.lamp().1? == counts).then_some(()));
    }

    /// A caller whom Anna did not answer.
    fn call(&self, pair: &Pair, server: usize, from: &str) -> Result<Call, Lost> {
        let address = format!("<sip:{from}@{}>", self.address);
        let caller = Caller { from: &address, asserted: &address };
        Call::divert_from(&caller, &self.address, &pair.address(server), "27000")
    }

    /// Anna calls voice mail.
    fn call_of_the_owner(&self, pair: &Pair, server: usize) -> Call {
        let address = format!("<sip:27000@{}>", self.address);
        let caller = Caller { from: &address, asserted: &address };
        Call::place(&caller, &self.address, &pair.address(server), "43334", "").unwrap()
    }
}

fn take_notifies(stream: TcpStream, notified: &Mutex<Vec<(String, String, String)>>) -> Option<()> {
    let from = stream.peer_addr().ok()?.ip().to_string();
    let mut reader = BufReader::new(stream);
    loop {
        let mut lines: Vec<String> = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            match line.trim_end() {
                "" if lines.is_empty() => {}
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let mut body = vec![0; field(&lines, "Content-Length")?.parse().ok()?];
        reader.read_exact(&mut body).ok()?;
        let whom = lines[0].split("sip:").nth(1)?.split('@').next()?.to_owned();
        let body = String::from_utf8_lossy(&body).into_owned();
        let counts = body.lines().find_map(|line| line.strip_prefix("Voice-Message: "))?.to_owned();
        notified.lock().unwrap().push((from.clone(), whom, counts));
        let echoed: String = ["Via", "From", "To", "Call-ID", "CSeq"]
            .iter()
            .flat_map(|name| lines.iter().filter(move |line| line.starts_with(&format!("{name}:"))))
            .map(|line| format!("{line}{}\r\n", if line.starts_with("To:") { ";tag=pbx" } else { "" }))
            .collect();
        reader.get_mut().write_all(format!("SIP/2.0 200 OK\r\n{echoed}Content-Length: 0\r\n\r\n").as_bytes()).ok()?;
    }
}

/// Waits for the tone, says something, and hangs up.
fn leave(mut call: Call, message: &[i16]) {
    call.wait_for_the_tone(Duration::from_secs(15), Duration::from_millis(400));
    call.speak(&audio::g711(message, "al"), || true);
    call.hang_up();
}

#[test]
fn a_message_left_through_one_server_is_heard_through_the_other_at_once_and_one_of_them_tells_the_pbx() {
    let pair = Pair::prepare(181, "", None);
    let pbx = Pbx::start(181);
    pair.run(0);
    pair.configure();
    pair.run(1);
    pbx.wait_for_lamp("0/0 (0/0)");
    let before = pbx.lamp().0;
    // A tone that no prompt has.
    leave(pbx.call(&pair, 0, "27001").unwrap(), &audio::tone(620.0, 3));
    pbx.wait_for_lamp("1/0 (0/0)");

    // Her name is not recorded and her PIN is known: PIN, then 1 for the messages.
    let mut call = pbx.call_of_the_owner(&pair, 1);
    call.wait_for_the_tone(SOON, Duration::from_millis(700));
    call.press("730146#1");
    let hears = |heard: &[u8]| {
        let last = heard.chunks_exact(4000).next_back().unwrap_or_default();
        audio::tone_share(&audio::from_alaw(last), 620.0) > 0.9
    };
    let heard = call.listen(SOON * 2, hears);
    assert!(hears(&heard), "the message is heard: {} s of other things are", heard.len() / 8000);
    call.hang_up();

    let told = pbx.lamp().0;
    assert!(
        told <= before + 2,
        "one message, one NOTIFY (two, when the message was heard to its end): {before} to {told}"
    );

    // Whoever of the two tells: killed, the other does.
    pair.kill(0);
    leave(pbx.call(&pair, 1, "27001").unwrap(), &audio::tone(620.0, 3));
    // Heard to its end or not, there is one more.
    wait(SOON * 2, "the lamp", || ["2/0 (0/0)", "1/1 (0/0)"].contains(&&*pbx.lamp().1?).then_some(()));
    let last = pbx.notified.lock().unwrap().last().unwrap().0.clone();
    assert_eq!(last, pair.address(1), "the one that lives has told");
}

#[test]
fn what_is_entered_at_one_server_is_in_effect_at_both() {
    let pair = Pair::start(182);
    let pbx = Pbx::start(182);
    pair.umsh(1, "New-UMIPGateway -Name 'Second' -Address 127.0.182.11 -UMDialPlan 'Integration_MX-ONE'");
    wait(SOON, "the gateway on the other", || pair.umsh(0, "Get-UMIPGateway").contains("Second").then_some(()));

    // Wrong PINs are counted, whichever server is asked: fifteen are too many, on two servers, too.
    let sign_in = |server: usize| {
        let body = br#"{"extension":"27000","pin":"000000"}"#;
        http::call(pair.web(server), "POST", "/api/v1/session", Some(body), "application/json", None).status
    };
    let mut tries = 1;
    while sign_in(tries % 2) != 423 {
        tries += 1;
        assert!(tries < 40, "locked at last");
        std::thread::sleep(Duration::from_millis(700));
    }
    assert!(tries <= 17, "fifteen wrong PINs on two servers, not fifteen on each: {tries}");

    // A token that one has made opens the other.
    let body = br#"{"name":"dashboard","mailbox":"27000"}"#;
    let made = pair.rest(0, "POST", "/api/v1/tokens", Some(body), "application/json");
    assert!(made.status < 300, "{}", made.text());
    let token = made.json()["token"].as_str().unwrap().to_owned();
    let with_it = || http::call(pair.web(1), "GET", "/api/v1/mailboxes/27000/messages", None, "", Some(&token)).status;
    wait(SOON, "the token opens the other server", || (with_it() == 200).then_some(()));

    // A cmdlet at one server cuts the calls of the other.
    let call = pbx.call(&pair, 1, "27001").unwrap();
    pair.umsh(0, "Disable-UMIPGateway 'MX-ONE' -Immediate $true -Confirm:$false");
    wait(SOON, "the call is cut", || pair.umsh(1, "Get-UMActiveCalls").trim().is_empty().then_some(()));
    drop(call);
    assert!(pbx.call(&pair, 1, "27001").is_err(), "the gateway is disabled at both");
}

#[test]
fn of_two_commands_at_once_none_refers_to_what_the_other_removes() {
    let pair = Pair::start(183);
    for round in 0..5 {
        let plan = format!("Plan{round}");
        let new = format!("New-UMDialPlan -Name {plan} -NumberOfDigitsInExtension 5 -CountryOrRegionCode 46");
        pair.umsh(0, &format!("{new} -GenerateUMMailboxPolicy $false"));
        wait(SOON, "the plan on the other", || pair.umsh(1, "Get-UMDialPlan").contains(&plan).then_some(()));
        // Either is refused, whichever comes second: it is looked at again.
        let remove = format!("Remove-UMDialPlan {plan} -Confirm:$false");
        let group = format!("New-UMHuntGroup -Name Group{round} -UMDialPlan {plan}");
        let refer = format!("{group} -UMIPGateway MX-ONE -PilotIdentifier 4440{round}");
        std::thread::scope(|threads| {
            threads.spawn(|| pair.umsh_whatever(0, &remove));
            pair.umsh_whatever(1, &refer);
        });
        let (plans, groups) = wait(SOON, "both know the same", || {
            let known = |server| (pair.umsh(server, "Get-UMDialPlan"), pair.umsh(server, "Get-UMHuntGroup"));
            (known(0) == known(1)).then(|| known(0))
        });
        let (plan, group) = (plans.contains(&plan), groups.contains(&format!("Group{round}")));
        assert!(plan || !group, "round {round}: a hunt group of a dial plan that there is not");
    }
}

#[test]
fn while_postgresql_is_away_calls_are_answered_and_what_they_leave_is_delivered_once_when_it_returns() {
    let mut pair = Pair::prepare(184, "", None);
    let pbx = Pbx::start(184);
    pair.run(0);
    pair.configure();
    pair.run(1);
    // One call began before, one after.
    let before = pbx.call(&pair, 0, "27001").unwrap();
    before.wait_for_the_tone(Duration::from_secs(15), Duration::from_millis(400));
    pair.cluster.stop();
    let speech = audio::speech(4);
    leave(before, &speech);
    let begun = Instant::now();
    let call = pbx.call(&pair, 1, "27010").unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5), "answered at once: {:?}", begun.elapsed());
    leave(call, &speech);
    pair.wait_for(1, "delivery_delayed");

    pair.cluster.resume();
    let messages = wait(SOON * 3, "delivered later", || Some(pair.messages(1)).filter(|all| all.len() == 2));
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(pair.messages(0).len(), 2, "and once");
    for message in &messages {
        let (likeness, _) = audio::correlation(&speech[..24_000], &audio::decode(&pair.audio(0, message).body));
        assert!(likeness > 0.9, "what was spoken: {likeness:.2}");
    }
    pbx.wait_for_lamp("2/0 (0/0)");
}

#[test]
fn a_server_that_starts_while_postgresql_is_away_refuses_calls_and_goes_on_when_it_comes() {
    let mut pair = Pair::start(185);
    let pbx = Pbx::start(185);
    // It keeps what was recorded: killed in a call.
    let call = pbx.call(&pair, 0, "27001").unwrap();
    call.wait_for_the_tone(Duration::from_secs(15), Duration::from_millis(400));
    call.speak(&audio::g711(&audio::speech(3), "al"), || true);
    pair.cluster.stop();
    pair.kill(0);
    pair.launch(0);
    pair.wait_for(0, "calls are refused with 503");
    let refused = wait(SOON, "it answers", || pbx.call(&pair, 0, "27001").err().filter(|lost| lost.0.contains("503")));
    println!("{refused:?}");
    pair.cluster.resume();
    pair.wait_for(0, "um ready");
    let messages = wait(SOON, "the recording of before is a message", || {
        Some(pair.messages(1)).filter(|messages| !messages.is_empty())
    });
    assert_eq!(messages.len(), 1);
    leave(pbx.call(&pair, 0, "27010").unwrap(), &audio::speech(3));
    wait(SOON, "it takes calls", || (pair.messages(1).len() == 2).then_some(()));
}

#[test]
fn two_servers_that_start_at_once_make_the_tables_once_also_without_notifications() {
    let pair = Pair::prepare(186, "?notify=off", None);
    pair.launch(0);
    pair.launch(1);
    pair.wait_for(0, "um ready");
    pair.wait_for(1, "um ready");
    let pbx = Pbx::start(186);
    pair.configure();
    wait(SOON, "the other follows", || pair.umsh(1, "Get-UMHuntGroup").contains("Voice_Mail_43334").then_some(()));
    leave(pbx.call(&pair, 1, "27001").unwrap(), &audio::speech(3));
    wait(SOON, "heard through the other", || pair.messages(0).pop());
    pbx.wait_for_lamp("1/0 (0/0)");
}
