//! Writes what is generated from the code: the reference pages, the page of menus, and the golden file of help and printouts. The
//! tests that compare them write them when they are told to.

use crate::test::{succeeds, tool};

pub fn run() -> Result<(), String> {
    let mut tests = tool("cargo");
    tests.env("EARCON_GOLDEN", "write");
    tests.args(["test", "--quiet", "-p", "shell", "-p", "um"]);
    tests.args(["--test", "reference", "--test", "golden", "--test", "umsh_golden", "--test", "menus"]);
    if succeeds(&mut tests) { Ok(()) } else { Err("the pages could not be written; the lines above say why".into()) }
}
