//! A backup brings the configuration back, whole or not at all; what is no backup is refused.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod node;

use node::Rig;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

const LAB: &str = include_str!("../../../lab/mx-one.mml");

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("backup-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn rig(&self) -> Rig {
        let Rig { shell, store } = Rig::lab();
        Rig { shell: shell.with_folder(self.0.clone()), store }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn what_was_changed_since_the_backup_is_undone() {
    let folder = Folder::new("undone");
    let rig = folder.rig();
    rig.run(LAB);
    let before = rig.run("export");
    rig.run("data_backup -file monday");
    let path = folder.0.join("backup/monday");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(rig.run("data_backup_print").contains("monday\nEND"));
    rig.run("call_list -e -d 27000\nextension -e -d 27010\nextension -i -d 27009\ndiversion_system -c --priority 3");
    assert_ne!(rig.run("export"), before);
    rig.run("data_restore -file monday");
    assert_eq!(rig.run("export"), before);
    assert!(rig.refused("data_backup -file monday").contains("ALREADY ASSIGNED"));
}

#[test]
fn what_is_no_backup_or_not_whole_is_refused_and_changes_nothing() {
    let folder = Folder::new("foreign");
    let rig = folder.rig();
    rig.run(LAB);
    let before = rig.run("export");
    rig.run("data_backup -file good");
    let good = fs::read_to_string(folder.0.join("backup/good")).unwrap();
    let cases = [
        ("foreign", "#!/bin/sh\nreboot\n".to_owned(), "no backup of an Earcon node"),
        ("empty", String::new(), "no backup of an Earcon node"),
        ("cut", good.lines().take(9).map(|line| format!("{line}\n")).collect(), "it is not whole"),
        ("changed", good.replace("call_list -i -d 27000", "call_list -i -d 99999"), "99999"),
        ("words", good.replace("call_list -i", "call_lust -i"), "call_lust is not a command"),
    ];
    for (name, text, expected) in cases {
        fs::write(folder.0.join("backup").join(name), text).unwrap();
        let said = rig.refused(&format!("data_restore -file {name}"));
        assert!(said.contains(expected), "{name}: {said}");
        assert_eq!(rig.run("export"), before, "{name} changed something");
    }
    for name in ["../key", "/etc/passwd", ".hidden", "nothing"] {
        rig.refused(&format!("data_restore -file {name}"));
        if name != "nothing" {
            rig.refused(&format!("data_backup -file {name}"));
        }
    }
}
