//! docs/mdsh.md is what the table of commands says. `cargo xtask docs` writes it anew.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use shell::Language;
use std::path::Path;

fn is_up_to_date(language: Language, page: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(page);
    let reference = language.reference();
    // As `cargo xtask docs` sets it: what is compared otherwise is written.
    if std::env::var_os("EARCON_GOLDEN").is_some_and(|value| value == "write") {
        return std::fs::write(path, reference).unwrap();
    }
    let page = std::fs::read_to_string(path).unwrap_or_default();
    assert!(page == reference, "docs are behind the commands: run `cargo xtask docs`");
}

#[test]
fn the_nodes_page_says_what_its_commands_are() {
    is_up_to_date(Language::Mdsh, "mdsh.md");
}
