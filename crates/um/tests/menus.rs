//! docs/menus.md is what the dialogues' tables of keys say. `cargo xtask docs` writes it anew.
#![allow(clippy::unwrap_used)]

use std::path::Path;

#[test]
fn the_page_of_menus_is_what_the_dialogues_read_keys_by() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/menus.md");
    let page = um::menus_page();
    // As `cargo xtask docs` sets it: what is compared otherwise is written.
    if std::env::var("EARCON_GOLDEN").is_ok_and(|value| value == "write") {
        std::fs::write(&path, page).unwrap();
        return;
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(there == page, "docs/menus.md is behind the dialogues: run `cargo xtask docs`");
}
