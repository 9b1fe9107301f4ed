//! The house's floors (ARCHITECTURE.md): a crate uses only crates on floors below its own.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::process::Command;

const FLOORS: &[(u8, &[&str])] = &[
    (1, &["event", "rtp", "sdp", "sip"]),
    (2, &["database", "media", "net"]),
    (3, &["journal", "mailbox", "speech", "state"]),
    (4, &["pbx", "um"]),
    (5, &["phone", "shell", "web"]),
    (6, &["lab", "verify"]),
    (7, &["earcon"]),
];

/// What stands beside the house: may use any floor, and nothing in the house may use it.
const BESIDE: &[&str] = &["bench", "tests-crash", "tests-foreign", "tests-hostile", "xtask"];

#[test]
fn no_crate_uses_one_from_its_own_floor_or_above() {
    let floor_of: BTreeMap<&str, u8> =
        FLOORS.iter().flat_map(|(floor, crates)| crates.iter().map(move |name| (*name, *floor))).collect();
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let mut seen = 0;
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        if BESIDE.contains(&name) {
            continue;
        }
        let floor = *floor_of
            .get(name)
            .unwrap_or_else(|| panic!("{name} has no floor: give it one here and in ARCHITECTURE.md"));
        seen += 1;
        for dependency in package["dependencies"].as_array().unwrap() {
            let used = dependency["name"].as_str().unwrap();
            let own = dependency["path"].is_string();
            // A test may lean on a neighbour; the product may not.
            if !own || dependency["kind"] == "dev" {
                continue;
            }
            let used_floor =
                floor_of.get(used).unwrap_or_else(|| panic!("{name} uses {used}, which is beside the house"));
            assert!(*used_floor < floor, "{name} (floor {floor}) uses {used} (floor {used_floor})");
        }
    }
    assert_eq!(seen, floor_of.len(), "every crate of the house is a member of the workspace");
}
