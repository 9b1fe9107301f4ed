//! Many statements one after the other: what only changes the node's configuration is handed over many at a time, so that
//! a large script does not wait for the disk at each line.
//!
//! Nothing is told as done before it is durable, and nothing after a refused statement is executed: the node stops at it,
//! and the next lot goes out only when all of the one before is known to be done. Meanwhile it is read.

use crate::fault::{Located, Statement};
use crate::mml::{self, Origin, Scripts};
use crate::net::Net;
use crate::session::{Said, Shell, TIMEOUT, located};
use pbx::commands::{Answer, Command, CommandError};
use std::collections::VecDeque;
use std::sync::mpsc::{self, Receiver};

/// Statements that go to the node together. They share a sync; the node looks at all of them before it turns to a call.
const LOT: usize = 256;

/// Statements on their way.
#[derive(Default)]
struct Lot {
    statements: VecDeque<(Statement, Origin)>,
    commands: Vec<Command>,
}

type Results = Vec<Result<Answer, CommandError>>;

/// A lot that the node has, and where its answer comes.
type Sent = (VecDeque<(Statement, Origin)>, Receiver<Result<Results, CommandError>>);

/// Executes statements until one is refused or `each`, which is told of every one, wants no more. Whether all were.
pub(crate) fn run(
    shell: &Shell,
    statements: impl IntoIterator<Item = Statement>,
    each: &mut dyn FnMut(Statement, Result<Said, Located>) -> bool,
) -> bool {
    let Some((scripts, net)) = shell.scripts() else {
        return statements.into_iter().all(|statement| alone(shell, statement, each));
    };
    let mut sent = None;
    let mut lot = Lot::default();
    for statement in statements {
        match edit(&statement, net) {
            Some((command, origin)) => {
                lot.commands.push(command);
                lot.statements.push_back((statement, origin));
                if lot.commands.len() < LOT {
                    continue;
                }
                if !conclude(sent.take(), each) {
                    return false;
                }
                sent = hand_over(scripts, std::mem::take(&mut lot));
            }
            // A question, help, or a fault: in its turn.
            None => {
                if !conclude(sent.take(), each)
                    || !conclude(hand_over(scripts, std::mem::take(&mut lot)), each)
                    || !alone(shell, statement, each)
                {
                    return false;
                }
            }
        }
    }
    conclude(sent, each) && conclude(hand_over(scripts, lot), each)
}

/// Executes statements as [`run`] does, and those after a refused one too while `goes_on` says so. Whether all were.
pub(crate) fn run_through(
    shell: &Shell,
    statements: Vec<Statement>,
    goes_on: &mut bool,
    each: &mut dyn FnMut(Statement, Result<Said, Located>) -> bool,
) -> bool {
    let mut rest = statements.as_slice();
    let mut all = true;
    loop {
        let (mut told, mut listening) = (0, true);
        let done = run(shell, rest.iter().cloned(), &mut |statement, result| {
            told += 1;
            *goes_on = shell.language().goes_on(&statement).unwrap_or(*goes_on);
            listening = each(statement, result);
            listening
        });
        if done {
            return all;
        }
        all = false;
        rest = rest.get(told..).unwrap_or_default();
        if !listening || !*goes_on || told == 0 {
            return false;
        }
    }
}

fn alone(shell: &Shell, statement: Statement, each: &mut dyn FnMut(Statement, Result<Said, Located>) -> bool) -> bool {
    let result = shell.execute(&statement);
    let done = result.is_ok();
    each(statement, result) && done
}

/// The command of a statement that only changes the configuration.
fn edit(statement: &Statement, net: Option<&Net>) -> Option<(Command, Origin)> {
    match mml::read(statement, net) {
        Ok(mml::Read::Command(command, origin)) if command.is_edit() => Some((command, origin)),
        _ => None,
    }
}

fn hand_over(scripts: &Scripts, lot: Lot) -> Option<Sent> {
    if lot.commands.is_empty() {
        return None;
    }
    let (send, receive) = mpsc::channel();
    scripts(lot.commands, Box::new(move |results| drop(send.send(results))));
    Some((lot.statements, receive))
}

/// Waits for a lot, and tells what became of each of its statements up to the first that was refused.
fn conclude(sent: Option<Sent>, each: &mut dyn FnMut(Statement, Result<Said, Located>) -> bool) -> bool {
    let Some((statements, receive)) = sent else { return true };
    let mut results = match receive.recv_timeout(TIMEOUT) {
        Ok(Ok(results)) => results.into_iter(),
        Ok(Err(_)) | Err(_) => Vec::new().into_iter(),
    };
    for (statement, origin) in statements {
        let said = match results.next() {
            Some(result) => origin.conclude(result),
            None => Err(origin.unanswered()),
        };
        let result = said.map_err(|refusal| located(refusal, &statement));
        let done = result.is_ok();
        if !each(statement, result) || !done {
            return false;
        }
    }
    true
}
