use super::Test;
use crate::outcome::{Outcome, Stop};
use crate::stage::Stage;
use crate::temporary;
use sip::{Headers, Name, NameAddr, Uri};
use std::time::Duration;

pub(super) const TEST: Test = Test {
    number: "302",
    title: "The chain of redirects",
    text: "The PBX calls by sending a SIP INVITE message to the 5060 port of Exchange Server. Then, Exchange Server sends \
           302 (Moved Temporarily) back, asking to send the INVITE on a different port (TCP: for example, 5065 or 5067). \
           After the PBX sends the INVITE to the new port, the call setup is executed and the call is established. \
           (Chapter 2.1; not in 7.1.)",
    scenario: "the PBX's calls to the UM server, which are redirected within it",
    features: "every call to the UM server",
    run,
};

/// More redirects than any server needs: a loop.
const MOST_HOPS: usize = 5;

fn run(stage: &Stage<'_>) -> Outcome {
    a_caller_sees_nothing_of_it(stage)?;
    the_server_redirects_and_keeps_to_itself(stage)?;
    the_pbx_follows_and_keeps_the_diversion(stage)
}

/// From a phone: one call, answered; what is between the halves is theirs.
fn a_caller_sees_nothing_of_it(stage: &Stage<'_>) -> Outcome {
    let mut phone = stage.caller()?;
    phone.calls(&stage.target.numbers.voice_mail);
    if let Some(contact) = phone.is_answered_or_sent_on()? {
        return Err(Stop::Failed(format!(
            "the caller's phone was redirected to {contact}: the PBX should follow itself"
        )));
    }
    phone.hangs_up()?;
    if stage.rest.is_some() {
        // The last messages are on their way here.
        std::thread::sleep(Duration::from_millis(200));
        match stage.ladder.rows().iter().filter(|row| row.is_redirect()).count() {
            0 => stage.journal.remark("No redirect was seen between the PBX and the UM server."),
            count => stage.journal.step(format!("the PBX followed {count} redirects")),
        }
    }
    Ok(())
}

/// From the PBX's place: each 302 names a port of the same server, over TCP (or TLS, where the call came by it), and the diversion, sent along at each hop,
/// still finds the mailbox.
fn the_server_redirects_and_keeps_to_itself(stage: &Stage<'_>) -> Outcome {
    let Some(gateway) = &stage.target.gateway else {
        stage.journal.remark("There is no [gateway]: the server's redirects were not looked at from the PBX's place.");
        return Ok(());
    };
    let _gateway = temporary::gateway(stage)?;
    let transport = gateway.transport.sip();
    let caller = &stage.target.caller.extension;
    let mut pbx = stage.far_end(caller, gateway.bind, 0, gateway.transport)?;
    let mut headers = Headers::new();
    let diverted = &stage.target.subscriber.extension;
    headers.push(Name::Diversion, format!("<sip:{diverted}@{}>;reason=no-answer", gateway.bind));
    let first = Uri::sip(&stage.target.numbers.voice_mail, gateway.um.ip().into()).with_port(gateway.um.port());
    let mut uri = first.with_transport(transport);
    let mut hops = 0;
    loop {
        pbx.calls_at(uri.clone(), headers.clone());
        let Some(contact) = pbx.is_answered_or_sent_on()? else { break };
        hops += 1;
        let named: Option<NameAddr> = contact.parse().ok();
        let Some(next) = named.map(|named| named.uri) else {
            return Err(Stop::Failed(format!("a 302 names no address that can be called: {contact:?}")));
        };
        if next.transport() != Some(transport) {
            return Err(Stop::Failed(format!("a 302 leads away from {transport}: {contact}")));
        }
        if next.same_as(&uri) || hops > MOST_HOPS {
            return Err(Stop::Failed(format!("the redirects go round in circles: {contact}")));
        }
        uri = next;
    }
    pbx.hears(&stage.greeting())?;
    pbx.hangs_up()?;
    match hops {
        0 => stage.journal.remark("The UM server answered in place: there was no 302 to follow."),
        hops => stage.journal.step(format!("the UM server answered after {hops} redirects")),
    }
    Ok(())
}

/// From the UM server's place: the PBX comes again where the 302 sent it, with the same Diversion.
fn the_pbx_follows_and_keeps_the_diversion(stage: &Stage<'_>) -> Outcome {
    let trunk = stage.target.trunk.as_ref().filter(|trunk| trunk.access_code.is_some());
    let (Some(trunk), true) = (trunk, stage.target.commands()) else {
        stage.journal.remark("Without [trunk] and rest.commands the PBX was not redirected by the suite itself.");
        return Ok(());
    };
    let (bind, port) = (trunk.bind, trunk.port);
    let code = trunk.access_code.as_deref().unwrap_or_default();
    let diverted = &stage.target.stranger.extension;
    let Some(mut route) = temporary::route(stage)? else { return Ok(()) };
    temporary::way_out(&mut route, code, diverted)?;
    let mut router = stage.far_end(code, bind, port, trunk.transport)?;
    let mut worker = stage.far_end(code, bind, port + 1, trunk.transport)?;
    let mut caller = stage.caller()?;
    caller.calls(diverted);
    let first = router.is_called(Duration::from_secs(5))?;
    router.sends_on(&format!("<sip:{code}@{bind}:{};transport={}>", port + 1, trunk.transport.sip().parameter()));
    let second = worker.is_called(Duration::from_secs(5))?;
    if first.diverted_from.as_ref() != Some(diverted) {
        return Err(Stop::Failed(format!(
            "the PBX's INVITE lacks the Diversion of {diverted}: it has {:?}",
            first.diverted_from
        )));
    }
    if second != first {
        return Err(Stop::Failed(format!("after the 302 the INVITE is another: {second:?}, before it {first:?}")));
    }
    worker.answers();
    caller.is_answered(Duration::from_secs(5))?;
    caller.hangs_up()
}
