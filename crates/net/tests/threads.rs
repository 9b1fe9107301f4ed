//! The number of threads stays; alone in its file, since other tests start and end theirs.
#![allow(clippy::unwrap_used)] // tests

mod rig;

use rig::*;
use sip::flow::Transport;

#[test]
fn two_thousand_messages_take_no_more_threads_than_one() {
    let threads = || std::fs::read_dir("/proc/self/task").unwrap().count();
    let a = Node::start(config("127.0.78.1"));
    let b = Node::answering(config("127.0.78.2"));
    a.send(1, by(Transport::Tcp, b.addr), message("first", ""));
    b.hear_message();
    a.hear_message();
    let before = threads();
    for n in 0..2000 {
        a.send(n + 2, by(Transport::Tcp, b.addr), message(&n.to_string(), ""));
        a.hear_message();
    }
    assert_eq!(threads(), before);
}
