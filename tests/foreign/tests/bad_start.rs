//! A start that cannot succeed: one clear sentence on standard error, an exit code that is not zero, nothing that looks
//! like success, and nothing left running.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tests_foreign::process::{Scratch, earcon, repository};
use tests_foreign::{Lab, LabOptions};

/// What a start that was refused said.
struct Refused {
    code: i32,
    out: String,
    /// Standard error without the log's lines, which begin with a date.
    said: String,
}

fn refused(arguments: &[&str]) -> Refused {
    // timeout(1) ends what should not have started at all: its exit code is 124.
    let output = Command::new("timeout").arg("20").arg(earcon()).args(arguments).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    let said: Vec<&str> = error.lines().filter(|line| !line.starts_with("20")).collect();
    let refused = Refused {
        code: output.status.code().unwrap(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        said: said.join("\n"),
    };
    assert!(refused.code != 0 && refused.code != 124, "exit code {}: {error}", refused.code);
    for word in ["panicked", "backtrace", "unwrap", "Err(", "Error {"] {
        assert!(!error.contains(word), "{error}");
    }
    assert_eq!(refused.out, "", "nothing on standard output that could be taken for a start");
    refused
}

/// One sentence, with these words in it.
fn says(arguments: &[&str], words: &[&str]) {
    let refused = refused(arguments);
    assert_eq!((refused.said.lines().count(), refused.code), (1, 1), "one sentence: {}", refused.said);
    assert!(refused.said.starts_with("earcon: "), "{}", refused.said);
    for word in words {
        assert!(refused.said.contains(word), "{word}: {}", refused.said);
    }
}

fn lab_on<'a>(data: &'a Path, net: &'a str, web: &'a str) -> [&'a str; 7] {
    ["lab", "--data", data.to_str().unwrap(), "--net", net, "--web", web]
}

#[test]
fn what_a_running_lab_holds_is_not_taken_a_second_time() {
    let lab = Lab::start(140, LabOptions::default());
    let scratch = Scratch::new("bad-start-taken");
    says(&lab_on(&scratch.file("a"), "127.0.140", "18141"), &["127.0.140.10:5060", "taken", "another program"]);
    says(&lab_on(&scratch.file("b"), "127.0.141", "18140"), &["127.0.0.1:18140", "in use by another process"]);
    says(&lab_on(&lab.data(), "127.0.141", "18141"), &["in use by another process", &lab.data().display().to_string()]);
    // The lab that was there first has noticed nothing.
    assert_eq!(lab.messages("27000").len(), 0);
    assert!(lab.shell("mdsh", "ip_extension_info").status.success());
}

#[test]
fn a_data_folder_that_cannot_be_one_is_named() {
    let scratch = Scratch::new("bad-start-folder");
    let file = scratch.file("file");
    std::fs::write(&file, "not a folder").unwrap();
    says(&lab_on(&file, "127.0.142", "18142"), &["the data folder", "file", "is not a folder"]);
    says(&lab_on(&file.join("below"), "127.0.142", "18142"), &["the data folder", "below", "can't be created"]);
    says(&lab_on(Path::new("/proc/earcon"), "127.0.142", "18142"), &["/proc/earcon", "can't be created"]);
    says(&lab_on(Path::new("/dev/full"), "127.0.142", "18142"), &["/dev/full", "is not a folder"]);
    // A folder whose name leaves no room for a Unix socket's path.
    let long = scratch.file(&"long".repeat(25));
    says(&lab_on(&long, "127.0.142", "18142"), &["too long", "shorter path"]);
}

#[test]
fn a_damaged_folder_is_refused_and_left_as_it_is() {
    let mut lab = Lab::start(143, LabOptions::default());
    lab.process.terminate(Duration::from_secs(10)).unwrap();
    let scratch = Scratch::new("bad-start-damaged");
    let copy = |name: &str| {
        let to = scratch.file(name);
        assert!(Command::new("cp").arg("-r").arg(lab.data()).arg(&to).status().unwrap().success());
        to
    };
    let refuses = |data: &Path, words: &[&str]| says(&lab_on(data, "127.0.143", "18143"), words);

    for (name, file) in [("node", "node/state.db"), ("um", "um1/state.db"), ("mailboxes", "um1/mailboxes/mailbox.db")] {
        for (damage, bytes) in [("overwritten", 100), ("half", 0)] {
            let data = copy(&format!("{name}-{damage}"));
            let database = data.join(file);
            let mut content = std::fs::read(&database).unwrap();
            if bytes > 0 {
                content[..bytes].fill(b'x');
            } else {
                content.truncate(content.len() / 2);
            }
            std::fs::write(&database, &content).unwrap();
            for left in ["-wal", "-shm"] {
                let _ = std::fs::remove_file(format!("{}{left}", database.display()));
            }
            refuses(&data, &[database.to_str().unwrap()]);
            assert_eq!(std::fs::read(&database).unwrap(), content, "a damaged file is evidence, and may be mended");
        }
    }
    let data = copy("key-mode");
    std::fs::set_permissions(data.join("node/key"), std::fs::Permissions::from_mode(0o644)).unwrap();
    refuses(&data, &["node/key", "0644", "must be 0600"]);
    let data = copy("key-short");
    std::fs::write(data.join("node/key"), "short").unwrap();
    refuses(&data, &["node/key", "damaged"]);
}

#[test]
fn a_configuration_file_is_refused_by_file_line_and_key() {
    let scratch = Scratch::new("bad-start-toml");
    let file = scratch.file("node.toml");
    let example = std::fs::read_to_string(repository().join("docs/node.toml")).unwrap();
    let node = |text: &str| {
        std::fs::write(&file, text).unwrap();
        let refused = refused(&["node", "--config", file.to_str().unwrap()]);
        assert!(refused.said.starts_with("earcon: ") && refused.said.contains("node.toml"), "{}", refused.said);
        refused.said
    };
    let said = node(&example.replace("ring_time =", "ringtime ="));
    assert!(said.contains("unknown field `ringtime`") && said.contains("line"), "{said}");
    let said = node(&example.replace("ring_time = 30", "ring_time = 3000"));
    assert!(said.contains("ring_time") && said.contains("1 to 120"), "{said}");
    let said = node(&example.replace("192.168.222.10", "0.0.0.0"));
    assert!(said.contains("sip.address"), "{said}");
    let said = node("data = ");
    assert!(said.contains("line 1"), "{said}");
    says(&["um", "--config", "/nonexistent/um.toml"], &["/nonexistent/um.toml", "can't be read"]);
    // An address that is not this machine's (TEST-NET-1).
    let data = scratch.file("data").display().to_string();
    std::fs::write(&file, example.replace("192.168.222.10", "192.0.2.10").replace("/var/lib/earcon/node", &data))
        .unwrap();
    says(&["node", "--config", file.to_str().unwrap()], &["192.0.2.10", "not an address of this machine"]);
}

#[test]
fn a_token_file_that_others_can_read_or_that_holds_no_token_opens_nothing() {
    let scratch = Scratch::new("bad-start-token");
    let (file, token) = (scratch.file("um.toml"), scratch.file("token"));
    let text = std::fs::read_to_string(repository().join("docs/um.toml")).unwrap();
    let text = text
        .replace("192.168.222.4", "127.0.144.4")
        .replace("/var/lib/earcon/um", &scratch.file("data").display().to_string())
        .replace("127.0.0.1:8080", "127.0.0.1:18144")
        .replace("#admin_token_file = \"/etc/earcon/admin-token\"", &format!("admin_token_file = {token:?}"));
    std::fs::write(&file, text).unwrap();
    let um = ["um", "--config", file.to_str().unwrap()];
    says(&um, &["token", "can't be read"]);
    std::fs::write(&token, "a-token-that-is-long-enough").unwrap();
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o644)).unwrap();
    says(&um, &["can be read by others", "0600"]);
    std::fs::write(&token, "short").unwrap();
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o600)).unwrap();
    says(&um, &["at least 16 characters"]);
}

#[test]
fn a_wrong_command_line_says_what_may_be_given() {
    for (arguments, words) in [
        (["lab", "--net", "10.0.0"], ["10.0.0", "no loopback net", "127.0.222"]),
        (["lab", "--net", "127.0.222.4"], ["127.0.222.4", "no loopback net", "three numbers"]),
        (["lab", "--ring-time", "0"], ["--ring-time", "0", "1..=120"]),
        (["lab", "--web", "99999"], ["--web", "99999", "65535"]),
    ] {
        let refused = refused(&arguments);
        assert_eq!(refused.code, 2, "{}", refused.said);
        for word in words {
            assert!(refused.said.contains(word), "{}", refused.said);
        }
    }
}

#[test]
fn what_needs_a_running_process_says_so_when_there_is_none() {
    let scratch = Scratch::new("bad-start-nobody");
    let data = scratch.path().to_str().unwrap();
    says(&["mdsh", "--data", data, "-c", "number_print"], &["nothing runs in", "--data"]);
    says(&["umsh", "--data", data, "-c", "Get-UMMailbox"], &["nothing runs in", "--data"]);
    says(&["trace", "--data", data], &["nothing runs", "earcon lab"]);
}

#[test]
fn a_lab_that_was_killed_while_it_configured_itself_goes_on_with_what_is_left() {
    let mut lab = Lab::start(147, LabOptions::default());
    // As it was before its last lines: one destination and one mailbox's object are not there yet.
    assert!(lab.shell("mdsh", "RODDE:DEST=43333;").status.success());
    assert!(lab.shell("umsh", "Remove-UMAutoAttendant 'MX-ONE Auto Attendant'").status.success());
    lab.process.kill();
    for half in ["node", "um1"] {
        std::fs::rename(lab.data.file(half).join("configured"), lab.data.file(half).join("configuring")).unwrap();
    }
    lab.kill_and_restart();
    let printed = |shell: &str, line: &str| String::from_utf8_lossy(&lab.shell(shell, line).stdout).into_owned();
    assert!(printed("mdsh", "RODDP:DEST=ALL;").contains("43333"));
    assert!(printed("umsh", "Get-UMAutoAttendant").contains("43333"));
}
