//! The secure lab as others see it: OpenSSL looks at its TLS ports, SIPp leaves a message over its trunk, baresip registers by TLS
//! and hears its mailbox. (Debian's SIPp is built without TLS: it is the phone beside the trunk.)
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;
use tests_foreign::baresip::Baresip;
use tests_foreign::sipp::Sipp;
use tests_foreign::{Lab, LabOptions, audio};

fn secure(net: u8) -> Lab {
    Lab::start(net, LabOptions { secure: true, ..LabOptions::default() })
}

fn certificate(lab: &Lab, name: &str) -> PathBuf {
    lab.data.file(&format!("certificates/{name}"))
}

/// What `openssl s_client` says of a port.
fn look(lab: &Lab, port: &str, more: &[&str]) -> String {
    let ca = certificate(lab, "ca.crt");
    let output = Command::new("openssl")
        .args(["s_client", "-connect", port, "-CAfile", ca.to_str().unwrap(), "-showcerts"])
        .args(more)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn openssl_sees_the_chain_tls_1_2_and_1_3_and_nothing_older() {
    let lab = secure(170);
    let (node, um) = (lab.node(), lab.um());
    let (of_node, key) = ("mx-one-lync.lab.moon.galaxy.crt", "mx-one-lync.lab.moon.galaxy.key");
    let own = [certificate(&lab, of_node), certificate(&lab, key)].map(|path| path.to_str().unwrap().to_owned());
    let shown = ["-cert", &own[0], "-key", &own[1]];
    let ports = [(&node, 5061), (&um, 5061), (&um, 5063), (&um, 5066), (&um, 5068)];
    for (address, port) in ports {
        let port = format!("{address}:{port}");
        let said = look(&lab, &port, &[&shown[..], &["-verify_ip", address]].concat());
        assert!(said.contains("Verify return code: 0 (ok)"), "{port}: {said}");
        assert!(
            said.contains("CN = Moon Galaxy Enterprise CA") || said.contains("CN=Moon Galaxy Enterprise CA"),
            "{said}"
        );
        assert!(said.contains("TLSv1.3"), "{port}: {said}");
        let said = look(&lab, &port, &[&shown[..], &["-tls1_2"]].concat());
        assert!(said.contains("TLSv1.2") && said.contains("Verify return code: 0 (ok)"), "{port}: {said}");
        // OpenSSL itself speaks 1.1 only when its security level allows the old digests.
        let said = look(&lab, &port, &[&shown[..], &["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"]].concat());
        assert!(said.contains("alert protocol version") || said.contains("alert"), "{port}: {said}");
        assert!(!said.contains("Verify return code: 0 (ok)") || said.contains("Cipher is (NONE)"), "{port}: {said}");
    }
    lab.process.wait_for("old_version", Duration::from_secs(5));
    // Mutual TLS on the UM server: without a certificate nothing is answered. The node lets phones in without.
    let said = look(&lab, &format!("{um}:5061"), &["-tls1_2"]);
    assert!(said.contains("handshake failure") || said.contains("certificate required"), "{said}");
    assert!(look(&lab, &format!("{node}:5061"), &["-tls1_2"]).contains("Cipher is ECDHE"));
    let printed = lab.shell("mdsh", "mxone_certificate -print");
    let printed = String::from_utf8_lossy(&printed.stdout).into_owned();
    assert!(printed.contains("mx-one-lync.lab.moon.galaxy, 127.0.170.10"), "{printed}");
}

#[test]
fn sipp_leaves_a_message_over_the_trunk_and_baresip_hears_it_by_tls() {
    let lab = secure(171);
    let node = lab.node();
    let file = lab.data.file("speech.alaw");
    std::fs::write(&file, audio::g711(&audio::tone(620.0, 4), "al")).unwrap();
    let mut phone = Baresip::secure("27000", &node, 171, &certificate(&lab, "ca.crt"));
    Sipp::new("leaves_message", &format!("{node}:5060"), &lab.address(71), 5072, false)
        .caller("27001", "27000")
        .key("file", file.to_str().unwrap())
        .key("greeting", "9000")
        .key("length", "4200")
        .once()
        .start()
        .must_succeed(Duration::from_secs(60));
    lab.wait_for_messages("27000", 1, Duration::from_secs(3));
    // Count by TLS to the node, lamp by TLS to the phone.
    phone.process.wait_for("Messages-Waiting: yes", Duration::from_secs(5));
    phone.command("dial", "43334");
    phone.wait_for("CALL_ESTABLISHED", Duration::from_secs(10));
    std::thread::sleep(Duration::from_secs(4));
    phone.press("730146#1");
    let heard = (0..300).any(|_| {
        std::thread::sleep(Duration::from_millis(100));
        lab.messages("27000")[0]["read"] == true
    });
    phone.command("hangup", "");
    assert!(heard, "the message was heard to its end; baresip printed:\n{}", phone.process.output());
    phone.process.wait_for("Messages-Waiting: no", Duration::from_secs(5));
}
