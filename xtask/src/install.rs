//! Installs the foreign phones and tools that the tests run against, where that is possible: Debian's packages with
//! apt-get (as root, or by sudo without a password), two cargo subcommands, and a server from PyPI.

use crate::test::{repository, root, succeeds, tool};
use std::path::Path;
use std::process::Command;

/// A program that the tests start, and the Debian package that has it.
const PROGRAMS: &[(&str, &str)] = &[
    ("sipp", "sip-tester"),
    ("baresip", "baresip-core"),
    ("sipsak", "sipsak"),
    ("linphonec", "linphone-cli"),
    ("xmllint", "libxml2-utils"),
    ("kamailio", "kamailio"),
    ("tshark", "tshark"),
    ("dumpcap", "wireshark-common"),
    ("dig", "bind9-dnsutils"),
    ("ip", "iproute2"),
    ("flite", "flite"),
    ("espeak-ng", "espeak-ng"),
    ("sox", "sox"),
    ("curl", "curl"),
    ("chromium", "chromium"),
    ("chromedriver", "chromium-driver"),
    ("g++", "g++"),
];

/// What understands spoken commands is a library and a model, no program.
const MODEL: &str = "/usr/share/pocketsphinx/model/en-us/en-us";

/// Cargo's own additions: the test runner and the fuzzer.
const SUBCOMMANDS: &[(&str, &str)] = &[("cargo-nextest", "nextest"), ("cargo-fuzz", "fuzz")];

pub fn run() -> Result<(), String> {
    let missing: Vec<&str> =
        PROGRAMS.iter().filter(|(program, _)| !on_path(program)).map(|(_, package)| *package).collect();
    if !missing.is_empty() {
        apt(&missing)?;
    }
    if !Path::new(MODEL).is_dir() {
        apt(&["libpocketsphinx3", "pocketsphinx-en-us"])?;
    }
    postgresql()?;
    prometheus()?;
    moto()?;
    for (name, subcommand) in SUBCOMMANDS {
        if !succeeds(tool("cargo").args([subcommand, "--version"])) {
            println!("xtask: installing {name}");
            let mut install = tool("cargo");
            // Out of the project's folder, so that its own .cargo and target stay as they are.
            install.current_dir(std::env::temp_dir()).args(["install", "--locked", name]);
            if !succeeds(&mut install) {
                return Err(format!("`cargo install --locked {name}` failed; the lines above say why"));
            }
        }
    }
    Ok(())
}

/// The server's programs, without a cluster of Debian's: the tests start one of their own. What runs already is left alone.
fn postgresql() -> Result<(), String> {
    let servers = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    if servers.into_iter().any(|version| version.path().join("bin/initdb").is_file()) {
        return Ok(());
    }
    apt(&["postgresql-common"])?;
    let setting = "/etc/postgresql-common/createcluster.d/earcon-tests.conf";
    let write = format!("mkdir -p $(dirname {setting}) && echo create_main_cluster = false > {setting}");
    if !succeeds(elevated().args(["sh", "-c", &write])) {
        return Err(format!("{setting} can't be written: run this as root"));
    }
    let installed = apt(&["postgresql"]);
    // Installing has enabled the service, for clusters that there are not.
    succeeds(elevated().args(["sh", "-c", "! command -v systemctl >/dev/null || systemctl disable --now postgresql"]));
    succeeds(elevated().args(["rm", "-f", setting]));
    installed
}

/// The collector of metrics and `promtool`, without the service that Debian would start. What runs already is left alone.
fn prometheus() -> Result<(), String> {
    if on_path("promtool") {
        return Ok(());
    }
    // While this is there, no package starts a service. Somebody else's stays as it is.
    let policy = "/usr/sbin/policy-rc.d";
    let ours = !Path::new(policy).exists();
    let write = format!("printf '#!/bin/sh\\nexit 101\\n' > {policy} && chmod 755 {policy}");
    if ours && !succeeds(elevated().args(["sh", "-c", &write])) {
        return Err(format!("{policy} can't be written: run this as root"));
    }
    let installed = apt(&["prometheus"]);
    if ours {
        succeeds(elevated().args(["rm", "-f", policy]));
    }
    succeeds(elevated().args(["sh", "-c", "! command -v systemctl >/dev/null || systemctl disable prometheus"]));
    installed
}

/// A server that speaks S3, for the tests, in a folder of its own: PyPI's, as Debian has none.
fn moto() -> Result<(), String> {
    let folder = repository().join("target/moto");
    if folder.join("bin/moto_server").is_file() {
        return Ok(());
    }
    println!("xtask: installing moto");
    let made = || succeeds(tool("python3").args(["-m", "venv"]).arg(&folder));
    if !made() {
        apt(&["python3-venv"])?;
        if !made() {
            return Err("`python3 -m venv` failed; the lines above say why".into());
        }
    }
    let mut install = tool(&folder.join("bin/pip").display().to_string());
    if succeeds(install.args(["install", "--quiet", "moto[server]==5.2.5"])) {
        return Ok(());
    }
    Err("moto could not be installed from PyPI; the lines above say why".into())
}

fn apt(packages: &[&str]) -> Result<(), String> {
    println!("xtask: installing {}", packages.join(" "));
    if !on_path("apt-get") {
        return Err(format!("no apt-get here: install {} by hand, then run this again", packages.join(", ")));
    }
    let update = succeeds(elevated().args(["apt-get", "-q", "update"]));
    let mut install = elevated();
    install.args(["apt-get", "-q", "-y", "--no-install-recommends", "install"]).args(packages);
    if update && succeeds(&mut install) {
        return Ok(());
    }
    Err(format!("apt-get could not install {}: run this as root, or install them by hand", packages.join(", ")))
}

/// `env` as it is for root, through `sudo -n` for others; both keep apt from asking questions.
fn elevated() -> Command {
    let mut command = if root() { tool("env") } else { tool("sudo") };
    if !root() {
        command.args(["-n", "env"]);
    }
    command.arg("DEBIAN_FRONTEND=noninteractive");
    command
}

pub fn on_path(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| Path::new(&folder).join(program).is_file()))
}
