//! The secure lab under eyes and hands that mean it no good: what is on the wire, bad peers by the thousand, certificates that
//! are renewed, each while a message is being left; and SIPp's calls through OpenSSL.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tests_foreign::capture::Capture;
use tests_foreign::process::{Process, Scratch, earcon};
use tests_foreign::sipp::Sipp;
use tests_foreign::{Lab, LabOptions, audio};

const SPOKEN_S: u32 = 8;
/// A machine with other work takes its time.
const PATIENCE: Duration = Duration::from_secs(30);
/// Waited for the tone.
const GREETING_MS: &str = "9000";

fn secure(net: u8) -> Lab {
    Lab::start(net, LabOptions { secure: true, ..LabOptions::default() })
}

fn certificates(lab: &Lab) -> PathBuf {
    lab.data.file("certificates")
}

/// 27000 has a phone that rings and is never answered.
fn rings(lab: &Lab) -> Process {
    let (node, phone) = (format!("{}:5060", lab.node()), lab.address(70));
    let ringing = Sipp::new("rings", &node, &phone, 5070, false).start();
    Sipp::new("register", &node, &phone, 5071, false)
        .user("27000")
        .key("contact_port", "5070")
        .once()
        .start()
        .must_succeed(PATIENCE);
    ringing
}

/// 27001, a phone without SRTP, begins to leave 27000 a message.
fn leaving(lab: &Lab, at: &str, tcp: bool, speech: &[i16]) -> Process {
    let file = lab.data.file("speech.alaw");
    std::fs::write(&file, audio::g711(speech, "al")).unwrap();
    Sipp::new("leaves_message", at, &lab.address(71), 5072, tcp)
        .caller("27001", "27000")
        .key("file", file.to_str().unwrap())
        .key("greeting", GREETING_MS)
        .key("length", &(SPOKEN_S * 1000 + 200).to_string())
        .once()
        .start()
}

/// All of it was recorded, and nothing else.
fn is_left(lab: &Lab, mut phone: Process, speech: &[i16]) {
    phone.must_succeed(Duration::from_secs(60));
    let message = lab.wait_for_messages("27000", 1, PATIENCE).remove(0);
    let path = format!("/api/v1/mailboxes/27000/messages/{}/audio", message["id"].as_str().unwrap());
    let heard = audio::decode(&lab.rest("GET", &path, None, "").body);
    let first = heard.iter().position(|sample| sample.unsigned_abs() > 200).unwrap_or(0);
    let (likeness, _) = audio::correlation(speech, &heard[first.saturating_sub(400)..]);
    assert!(likeness > 0.95, "what was recorded is like what was spoken only by {likeness:.3}");
}

fn earcon_certs(arguments: &[&str]) {
    let output = Command::new(earcon()).arg("certs").args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// What `openssl s_client` says of a port.
fn look(port: &str, ca: &Path, more: &[&str]) -> String {
    let output = Command::new("openssl")
        .args(["s_client", "-connect", port, "-CAfile", ca.to_str().unwrap(), "-showcerts"])
        .args(more)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// The payloads of these packets, without their RTP headers.
fn payloads(capture: &tests_foreign::capture::Captured, from: &str, to: &str) -> Vec<Vec<u8>> {
    let filter = format!("udp && ip.src == {from} && ip.dst == {to}");
    let text = capture.tshark(&["-Y", &filter, "-T", "fields", "-e", "udp.payload"]);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    let packets = text.lines().map(|line| line.trim().replace(':', ""));
    let bytes = packets.map(|hex| hex.as_bytes().chunks_exact(2).map(byte).collect::<Vec<u8>>());
    // Media is RTP of version 2 with at least 160 samples; RTCP and whatever else is shorter.
    bytes.filter(|packet| packet.len() >= 172).map(|packet| packet[12..].to_vec()).collect()
}

#[test]
fn on_the_trunk_neither_signalling_nor_speech_can_be_read() {
    const NET: u8 = 162;
    let lab = secure(NET);
    let _ringing = rings(&lab);
    let (node, um, phone) = (lab.node(), lab.um(), lab.address(71));
    let capture = Capture::whole(NET, &lab.data.file("secure.pcapng"));
    let speech = audio::speech(SPOKEN_S);
    let leaving = leaving(&lab, &format!("{node}:5060"), false, &speech);
    is_left(&lab, leaving, &speech);
    let captured = capture.stop();

    // Signalling: TCP flows both ways, and whatever a SIP message would have in it is in none of their bytes.
    let trunk = format!("tcp && ip.addr == {node} && ip.addr == {um}");
    let text = captured.tshark(&["-Y", &format!("{trunk} && tls.app_data"), "-T", "fields", "-e", "frame.number"]);
    assert!(text.lines().count() > 6, "calls and lamps went by TLS: {text}");
    for word in ["SIP/2.0", "INVITE", "NOTIFY", "27001", "43334", "a=crypto", "inline:"] {
        let filter = format!("{trunk} && frame contains \"{word}\"");
        let found = captured.tshark(&["-Y", &filter, "-T", "fields", "-e", "frame.number"]);
        assert!(found.trim().is_empty(), "{word} is in the clear in frames {found}");
    }

    // Media: the phone's own is the words, and the same words leave the node as noise.
    let (spoken, sealed) = (payloads(&captured, &phone, &node), payloads(&captured, &node, &um));
    assert!(spoken.len() > 300 && sealed.len() > 300, "{} and {} packets", spoken.len(), sealed.len());
    let in_the_clear: BTreeSet<&[u8]> = spoken.iter().map(|payload| &payload[..160]).collect();
    let same = sealed.iter().filter(|payload| in_the_clear.contains(&payload[..160])).count();
    assert_eq!(same, 0, "payloads that left as they came");
    let heard = |payloads: &[Vec<u8>]| -> Vec<i16> {
        payloads.iter().flat_map(|payload| audio::from_alaw(&payload[..160])).collect()
    };
    let likeness = |payloads: &[Vec<u8>]| audio::correlation(&speech, &heard(payloads)).0;
    let (phones, trunks) = (likeness(&spoken), likeness(&sealed));
    assert!(
        phones > 0.9 && trunks < 0.2,
        "the phone's packets are the words by {phones:.2}, the trunk's by {trunks:.2}"
    );
    // Every byte value about as often as any other.
    let mut counts = [0_u32; 256];
    sealed.iter().flatten().for_each(|byte| counts[usize::from(*byte)] += 1);
    let mean = sealed.iter().map(Vec::len).sum::<usize>() as f64 / 256.0;
    let spread = counts.iter().map(|count| (f64::from(*count) - mean).powi(2) / mean).sum::<f64>() / 255.0;
    assert!(spread < 2.0, "the trunk's bytes have a pattern: chi-square {spread:.2} a degree of freedom");
}

#[test]
fn bad_peers_and_half_open_handshakes_by_the_thousand_disturb_no_call() {
    const NET: u8 = 163;
    let lab = secure(NET);
    let _ringing = rings(&lab);
    let speech = audio::speech(SPOKEN_S);
    let (node, um) = (lab.node(), lab.um());
    let call = leaving(&lab, &format!("{node}:5060"), false, &speech);

    let stranger = Scratch::new("stranger");
    let folder = stranger.path().to_str().unwrap();
    earcon_certs(&["ca", "--name", "Mars CA", "--folder", folder]);
    earcon_certs(&["issue", "mars.galaxy", "--also", &um, "--also", &node, "--folder", folder]);
    let ours = certificates(&lab).join("ca.crt");
    let theirs = stranger.file("ca.crt");
    let shown = [stranger.file("mars.galaxy.crt"), stranger.file("mars.galaxy.key")];
    let [certificate, key] = shown.each_ref().map(|path| path.to_str().unwrap());
    let ports =
        [(&node, 5061), (&um, 5061), (&um, 5063), (&um, 5066), (&um, 5068)].map(|(at, port)| format!("{at}:{port}"));
    for port in &ports {
        // Who believes another CA does not believe us.
        let said = look(port, &theirs, &["-verify_return_error"]);
        assert!(said.contains("certificate verify failed"), "{port}: {said}");
        // Whom another CA has signed is not believed, by either version.
        let said = look(port, &ours, &["-tls1_2", "-cert", certificate, "-key", key]);
        assert!(said.contains("alert"), "{port}: {said}");
        // By 1.3 the client is done before it is refused.
        look(port, &ours, &["-tls1_3", "-cert", certificate, "-key", key]);
        let mut plain = TcpStream::connect(port).unwrap();
        plain.write_all(b"OPTIONS sip:x SIP/2.0\r\n\r\n").unwrap();
        plain.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut answer = Vec::new();
        let _ = plain.read_to_end(&mut answer);
        assert!(!answer.starts_with(b"SIP"), "{port} answers plain text");
    }
    lab.process.wait_for("plain_text", PATIENCE);
    let refusals = |lines: &[String]| lines.iter().filter(|line| line.contains("unknown_authority")).count();
    let refused = lab.process.wait_until(PATIENCE, |lines| (refusals(lines) > ports.len()).then_some(()));
    assert!(refused.is_some(), "by both versions:\n{}", lab.process.output());

    // The beginning of a ClientHello, and nothing more.
    let half: Vec<TcpStream> = (0..1200)
        .filter_map(|n| {
            let mut stream = TcpStream::connect(&ports[n % ports.len()]).ok()?;
            stream.write_all(&[22, 3, 1, 0, 200, 1]).ok()?;
            Some(stream)
        })
        .collect();
    assert!(half.len() > 1000, "{}", half.len());
    lab.process.wait_for("too_many", PATIENCE);
    lab.process.wait_for("timeout", PATIENCE);
    is_left(&lab, call, &speech);
    // Whoever means it gets through again.
    drop(half);
    let until = Instant::now() + PATIENCE;
    while !look(&ports[0], &ours, &[]).contains("Verify return code: 0 (ok)") {
        assert!(Instant::now() < until, "the port is not served again");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// The serial number of the certificate that a port shows.
fn serial(port: &str, ca: &Path, shows: &[&str]) -> String {
    let said = look(port, ca, shows);
    let pem = said.split("-----END CERTIFICATE-----").next().unwrap().to_owned() + "-----END CERTIFICATE-----\n";
    let mut reader = Process::start(Command::new("openssl").args(["x509", "-noout", "-serial"]));
    reader.stdin.take().unwrap().write_all(pem.as_bytes()).unwrap();
    reader.wait_for("serial=", PATIENCE)
}

#[test]
fn certificates_of_both_halves_are_renewed_while_a_message_is_left() {
    const NET: u8 = 164;
    let lab = secure(NET);
    let _ringing = rings(&lab);
    let (node, um) = (lab.node(), lab.um());
    let folder = certificates(&lab);
    let ca = folder.join("ca.crt");
    let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let shown = [file("mx-one-lync.lab.moon.galaxy.crt"), file("mx-one-lync.lab.moon.galaxy.key")];
    let shows = ["-cert", &shown[0], "-key", &shown[1]];
    let ports = [format!("{node}:5061"), format!("{um}:5066")];
    let before = ports.each_ref().map(|port| serial(port, &ca, &shows));
    let speech = audio::speech(SPOKEN_S);
    let call = leaving(&lab, &format!("{node}:5060"), false, &speech);
    // The message is being recorded by the time that the new certificates are in place.
    std::thread::sleep(Duration::from_secs(5));

    let new = Scratch::new("renewed");
    for name in ["ca.crt", "ca.key"] {
        std::fs::copy(folder.join(name), new.file(name)).unwrap();
    }
    let at = new.path().to_str().unwrap();
    std::fs::write(new.file("password"), "moon\n").unwrap();
    let password = new.file("password");
    let (of_node, of_um) = ("mx-one-lync.lab.moon.galaxy", "exc-2013-um1.moon.galaxy");
    earcon_certs(&["issue", of_node, "--also", &node, "--folder", at, "--password-file", password.to_str().unwrap()]);
    earcon_certs(&["issue", of_um, "--also", &um, "--folder", at]);
    for name in [format!("{of_um}.key"), format!("{of_um}.crt")] {
        std::fs::rename(new.file(&name), folder.join(&name)).unwrap();
    }
    let pfx = new.file(&format!("{of_node}.pfx"));
    let wrong = lab.shell("mdsh", &format!("mxone_certificate -import {} -password mars", pfx.display()));
    let said = String::from_utf8_lossy(&wrong.stderr).into_owned() + &String::from_utf8_lossy(&wrong.stdout);
    assert!(!wrong.status.success() && said.contains("password"), "{said}");
    lab.mdsh(&format!("mxone_certificate -import {} -password moon", pfx.display()));

    let until = Instant::now() + PATIENCE;
    for (port, old) in ports.iter().zip(&before) {
        while serial(port, &ca, &shows) == *old {
            assert!(Instant::now() < until, "{port} still shows the old certificate");
            std::thread::sleep(Duration::from_millis(200));
        }
    }
    is_left(&lab, call, &speech);
    // A call after it, by connections of the new certificates or of the old ones.
    let second = leaving(&lab, &format!("{node}:5060"), false, &speech);
    let mut second = second;
    second.must_succeed(Duration::from_secs(60));
    lab.wait_for_messages("27000", 2, PATIENCE);
}

/// Lets whoever speaks TCP to `at` speak TLS to `to`, by OpenSSL. Debian's SIPp is built without TLS.
fn by_openssl(at: &str, to: String, ca: PathBuf) {
    let listener = TcpListener::bind(at).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut child = Command::new("openssl")
                .args(["s_client", "-quiet", "-verify_return_error", "-connect", &to, "-CAfile", ca.to_str().unwrap()])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let (mut input, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
            let (mut from, mut back) = (stream.try_clone().unwrap(), stream);
            std::thread::spawn(move || {
                let mut chunk = [0; 4096];
                while let Ok(read @ 1..) = from.read(&mut chunk) {
                    if input.write_all(&chunk[..read]).and_then(|()| input.flush()).is_err() {
                        break;
                    }
                }
                // SIPp is done, and so is this connection.
                let _ = child.kill();
                let _ = child.wait();
            });
            std::thread::spawn(move || {
                let mut chunk = [0; 4096];
                while let Ok(read @ 1..) = output.read(&mut chunk) {
                    if back.write_all(&chunk[..read]).is_err() {
                        break;
                    }
                }
            });
        }
    });
}

#[test]
fn sipp_leaves_a_message_by_tls() {
    const NET: u8 = 165;
    let lab = secure(NET);
    let _ringing = rings(&lab);
    let door = format!("{}:15061", lab.node());
    by_openssl(&door, format!("{}:5061", lab.node()), certificates(&lab).join("ca.crt"));
    let speech = audio::speech(SPOKEN_S);
    let call = leaving(&lab, &door, true, &speech);
    is_left(&lab, call, &speech);
    assert!(lab.process.output().contains("tls") || lab.process.output().contains("TLS"));
}
