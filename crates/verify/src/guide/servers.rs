//! Which of several UM servers takes a call.

use crate::ladder::Row;
use crate::outcome::{Outcome, Stop};
use crate::stage::Stage;
use crate::target::Redundancy;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

/// How long what the servers tell is on its way here.
const TOLD: Duration = Duration::from_millis(300);

/// The servers, where the suite knows of several and sees what they say.
pub(super) fn several<'a>(stage: &Stage<'a>) -> Outcome<&'a Redundancy> {
    let Some(redundancy) = &stage.target.redundancy else {
        return Err(Stop::NotTested("there is no [redundancy]: the suite knows of one UM server only".into()));
    };
    if stage.rest.is_none() {
        return Err(Stop::NotTested("without REST it is not seen which server takes a call".into()));
    }
    Ok(redundancy)
}

/// How many calls each of them has answered so far in this test.
pub(super) fn answered(stage: &Stage<'_>, servers: &[IpAddr]) -> BTreeMap<IpAddr, usize> {
    std::thread::sleep(TOLD);
    let mut calls: BTreeMap<IpAddr, BTreeSet<String>> =
        servers.iter().map(|server| (*server, BTreeSet::new())).collect();
    for row in stage.ladder.rows() {
        let Row::Message(message) = row else { continue };
        if message.summary.starts_with("200 ")
            && message.cseq.ends_with("INVITE")
            && let Some(of_server) = calls.get_mut(&message.from.ip())
        {
            of_server.insert(message.call_id);
        }
    }
    calls.into_iter().map(|(server, calls)| (server, calls.len())).collect()
}

/// "127.0.222.4: 5, 127.0.222.5: 3".
pub(super) fn shares(answered: &BTreeMap<IpAddr, usize>) -> String {
    answered.iter().map(|(server, calls)| format!("{server}: {calls}")).collect::<Vec<_>>().join(", ")
}
