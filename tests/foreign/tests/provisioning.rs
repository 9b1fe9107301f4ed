//! Phone files from the running lab: by curl over HTTP and HTTPS, and a baresip that is started from one.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tests_foreign::baresip::Baresip;
use tests_foreign::{Lab, LabOptions};

const MAC: &str = "00085D123456";

/// Status and body.
fn curl(url: &str, arguments: &[&str]) -> (u16, String) {
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--max-time", "20", "--path-as-is", "--write-out", "\n%{http_code}"])
        .args(arguments)
        .arg(url)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (body, status) = text.rsplit_once('\n').unwrap();
    (status.parse().unwrap(), body.to_owned())
}

/// The file as a Mitel phone reads it (administrator's guide 41-001343, chapter 2 and appendix A): `key: value`, keys in any
/// case, `#` begins a comment except within quotes, quotes are not part of the value.
fn read(text: &str) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    for line in text.lines() {
        let mut quoted = false;
        let kept = line.chars().take_while(|c| {
            quoted ^= *c == '"';
            quoted || *c != '#'
        });
        let line: String = kept.collect();
        if line.trim().is_empty() {
            continue;
        }
        let (key, value) = line.split_once(':').unwrap_or_else(|| panic!("no key: value in {line:?}"));
        let before = values.insert(key.trim().to_ascii_lowercase(), value.trim().trim_matches('"').to_owned());
        assert_eq!(before, None, "{key} stands there twice");
    }
    values
}

#[test]
fn a_phone_gets_its_files_by_curl_and_baresip_registers_from_one() {
    let lab = Lab::start(125, LabOptions { https: true, ..LabOptions::default() });
    let shell = |line: &str| {
        let output = lab.shell("mdsh", line);
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let entered = shell(&format!("ip_phone -i -d 27000 --mac {MAC} --model 6867i"));
    assert!(entered.contains("its token, shown this once"), "{entered}");
    shell("ip_phone_parameter -i --file 6867i.cfg --key \"sip dial plan\" --value \"x+#|xx+*\"");
    let printed = shell("ip_phone -p");
    assert!(printed.contains(MAC) && printed.contains("6867i"), "{printed}");

    let (http, https) = (format!("http://{}:8081", lab.node()), format!("https://{}:8443", lab.node()));
    lab.process.wait_for(&format!("phone files {http}/  {https}/"), Duration::from_secs(1));
    let certificate = lab.data().join("node/provisioning.crt");
    let trusting = ["--cacert", certificate.to_str().unwrap()];
    assert_eq!(curl(&format!("{https}/aastra.cfg"), &[]).0, 0, "nobody else vouches for the lab's certificate");
    for (base, arguments) in [(&http, &[][..]), (&https, &trusting[..])] {
        let (status, common) = curl(&format!("{base}/aastra.cfg"), arguments);
        assert_eq!(status, 200, "{base}: {common}");
        let common = read(&common);
        assert_eq!(common["sip line1 vmail"], "43334", "the guide, 4.2.1");
        assert_eq!((&*common["sip registrar ip"], &*common["sip registrar port"]), (&*lab.node(), "5060"));
        assert_eq!(common["sip explicit mwi subscription"], "1");
        assert!(common.keys().all(|key| !key.contains("password")));
        let (_, model) = curl(&format!("{base}/6867i.cfg"), arguments);
        assert_eq!(read(&model)["sip dial plan"], "x+#|xx+*");
        let (status, phone) = curl(&format!("{base}/{}.cfg", MAC.to_lowercase()), arguments);
        let phone = read(&phone);
        assert_eq!(
            (status, &*phone["sip line1 user name"], &*phone["sip line1 screen name"]),
            (200, "27000", "Anna Svensson")
        );
        assert_eq!(phone["download protocol"], "HTTPS");
        // From its second start on: with its token, as its file says.
        let next = format!("{base}/{}/{MAC}.cfg", phone["https path"]);
        assert_eq!(read(&curl(&next, arguments).1), phone);
        for (path, expected) in [
            ("/00085D654321.cfg", 401),
            ("/../../../etc/passwd", 404),
            ("/aastra.tuz", 404),
            ("/", 404),
            ("/%2e%2e/key", 404),
        ] {
            assert_eq!(curl(&format!("{base}{path}"), arguments).0, expected, "{path}");
        }
    }
    let tls12 = [trusting[0], trusting[1], "--tls-max", "1.2"];
    assert_eq!(curl(&format!("{https}/aastra.cfg"), &tls12).0, 200);
    let tls11 = [trusting[0], trusting[1], "--tls-max", "1.1"];
    assert_eq!(curl(&format!("{https}/aastra.cfg"), &tls11).0, 0, "older than TLS 1.2 is refused");

    let (_, generic) = curl(&format!("{https}/{MAC}.txt"), &trusting);
    let value: BTreeMap<&str, &str> = generic.lines().filter_map(|line| line.split_once('=')).collect();
    let json: serde_json::Value = serde_json::from_str(&curl(&format!("{https}/{MAC}.json"), &trusting).1).unwrap();
    assert_eq!(json["password"], value["password"]);
    let server = format!("{}:{};transport={}", value["registrar_host"], value["registrar_port"], value["transport"]);
    let account = format!(
        "<sip:{}@{server}>;auth_user={};auth_pass={};regint=60;mwi=yes;audio_codecs=pcma,pcmu;outbound=\"sip:{server}\"",
        value["extension"], value["auth_name"], value["password"]
    );
    let _phone = Baresip::with_account("27000", &account, 25, None);
    let extensions = lab.get("/api/v1/extensions");
    let anna = extensions.as_array().unwrap().iter().find(|known| known["number"] == "27000").unwrap();
    assert!(anna["contacts"][0]["user_agent"].as_str().unwrap().contains("baresip"), "{anna}");
    lab.process.wait_for("\"event\":\"provisioning_fetched\"", Duration::from_secs(1));
    lab.process.wait_for("\"event\":\"provisioning_refused\"", Duration::from_secs(1));
    secret_is_nowhere(&lab, value["password"]);
}

/// What the lab prints and keeps does not hold the password in clear.
fn secret_is_nowhere(lab: &Lab, secret: &str) {
    assert!(!lab.process.output().contains(secret));
    let mut folders = vec![lab.data()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.is_file() {
                assert!(!holds(&path, secret), "{}", path.display());
            }
        }
    }
}

fn holds(path: &Path, secret: &str) -> bool {
    let bytes = std::fs::read(path).unwrap_or_default();
    bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
}
