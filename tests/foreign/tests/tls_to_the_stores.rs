//! TLS to PostgreSQL and to a store that speaks S3, with a CA of `earcon certs`: what is believed, and what is said of what is
//! not.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use database::testing::Cluster;
use std::path::PathBuf;
use std::process::Command;
use tests_crash::Call;
use tests_foreign::audio;
use tests_foreign::pair::{Pair, SOON, wait};
use tests_foreign::process::{Process, Scratch, earcon, repository};

const PORT: u16 = 15432;

/// A CA's folder, with a certificate for an address and its name.
struct Authority(PathBuf);

impl Authority {
    fn new(scratch: &Scratch, name: &str, host: &str, address: &str) -> Authority {
        let folder = scratch.file(name);
        std::fs::create_dir(&folder).unwrap();
        for arguments in [vec!["ca", "--name", name], vec!["issue", host, "--also", address]] {
            let made = Command::new(earcon()).arg("certs").args(arguments).current_dir(&folder).output().unwrap();
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        }
        Authority(folder)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn ca(&self) -> String {
        self.file("ca.crt").display().to_string()
    }
}

/// A pair that is to reach PostgreSQL by TLS, with these parameters.
fn pair(net: u8, scratch: Scratch, cluster: Cluster, parameters: &str) -> Pair {
    let database = cluster.database();
    let name = database.rsplit('/').next().unwrap();
    let store = format!("postgres://earcon@127.0.{net}.9:{PORT}/{name}?{parameters}");
    Pair::of(net, scratch, cluster, &store, None)
}

#[test]
fn postgresql_is_believed_by_its_certificate_and_whatever_is_wrong_is_said_with_what_to_mend() {
    const NET: u8 = 188;
    let (address, files) = (format!("127.0.{NET}.9"), Scratch::new("certificates-for-postgresql"));
    let right = Authority::new(&files, "right", "db.moon.galaxy", &address);
    let wrong = Authority::new(&files, "wrong", "db.moon.galaxy", &address);
    let other = Authority::new(&files, "other", "other.moon.galaxy", "127.0.0.1");
    let full = |authority: &Authority| format!("sslmode=verify-full&sslrootcert={}", authority.ca());
    let start = |name: &str, certificate: Option<(&Authority, &str)>, parameters: &str| {
        let file = |kind: &str| certificate.map(|(authority, host)| authority.file(&format!("{host}.{kind}")));
        let (certificate, key) = (file("crt"), file("key"));
        let cluster = Cluster::listening(&address, PORT, certificate.as_deref().zip(key.as_deref()));
        pair(NET, Scratch::new(name), cluster, parameters)
    };

    let pair = start("tls-right", Some((&right, "db.moon.galaxy")), &full(&right));
    pair.run(0);
    pair.configure();
    let by_tls = "SELECT 1 / count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
        WHERE ssl AND client_addr IS NOT NULL";
    assert!(pair.cluster.psql("postgres", by_tls), "its connections are encrypted");
    let in_clear =
        "SELECT 1 / CASE count(*) WHEN 0 THEN 1 ELSE 0 END FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
        WHERE NOT ssl AND client_addr IS NOT NULL";
    assert!(pair.cluster.psql("postgres", in_clear), "and none is not");
    pair.kill(0);

    let config = pair.scratch.file("um0.toml");
    let toml = std::fs::read_to_string(&config).unwrap();
    let refuses = |pair: &Pair, expected: &str| {
        pair.launch(0);
        let said = pair.must_end(0);
        assert!(said.contains(expected), "{said}");
        assert!(!said.contains("until it is there"), "it is not waited for: {said}");
    };
    for (ca, expected) in [
        (wrong.ca(), "not signed by a CA that is believed here: name the file of the CA"),
        ("/nowhere/ca.crt".to_owned(), "sslrootcert /nowhere/ca.crt can't be read: No such file"),
    ] {
        std::fs::write(&config, toml.replace(&right.ca(), &ca)).unwrap();
        refuses(&pair, expected);
    }
    drop(pair);

    let of_another = start("tls-other", Some((&other, "other.moon.galaxy")), &full(&other));
    refuses(&of_another, "its certificate is for another name: write one of its names");
    drop(of_another);
    let plain = start("tls-none", None, &full(&right));
    refuses(&plain, "it speaks no TLS: have ssl = on in its postgresql.conf");
}

#[test]
fn a_store_of_recordings_is_spoken_to_by_tls_and_one_that_is_not_believed_gets_nothing() {
    const NET: u8 = 186;
    let (address, files) = (format!("127.0.{NET}.9"), Scratch::new("certificates-for-s3"));
    let right = Authority::new(&files, "right", "s3.moon.galaxy", &address);
    let wrong = Authority::new(&files, "wrong", "s3.moon.galaxy", &address);
    let program = repository().join("target/moto/bin/moto_server");
    assert!(program.exists(), "no moto here: `cargo xtask install` installs it");
    let mut moto = Command::new(program);
    moto.args(["-H", &address, "-p", "5443", "-c"]).arg(right.file("s3.moon.galaxy.crt"));
    let store = Process::start(moto.arg("-k").arg(right.file("s3.moon.galaxy.key")));
    store.wait_for("Running on", SOON);
    let endpoint = format!("https://{address}:5443");
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--fail", "--max-time", "20", "--request", "PUT", "--cacert", &right.ca()]);
    let made = curl.arg(format!("{endpoint}/voice")).output().unwrap();
    assert!(made.status.success(), "the bucket: {}", String::from_utf8_lossy(&made.stderr));

    let url = |ca: &Authority| format!("s3://voice/um?endpoint={endpoint}&region=eu-north-1&timeout=3&ca={}", ca.ca());
    let cluster = Cluster::start();
    let database = cluster.database();
    let pair = Pair::of(NET, Scratch::new("tls-to-s3"), cluster, &database, Some(&url(&right)));
    pair.run(0);
    pair.configure();
    let speech = audio::speech(3);
    let leave = || {
        let mut call = Call::divert(&format!("127.0.{NET}.10"), &pair.address(0), "27000").unwrap();
        call.wait_for_the_tone(SOON, std::time::Duration::from_millis(400));
        call.speak(&audio::g711(&speech, "al"), || true);
        call.hang_up();
    };
    leave();
    let message = wait(SOON, "the message", || pair.messages(0).pop());
    let (likeness, _) = audio::correlation(&speech[..20_000], &audio::decode(&pair.audio(0, &message).body));
    assert!(likeness > 0.9, "heard: {likeness:.2}");
    pair.kill(0);

    let config = pair.scratch.file("um0.toml");
    let toml = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, toml.replace(&right.ca(), &wrong.ca())).unwrap();
    pair.run(0);
    leave();
    pair.wait_for(0, "name the CA that signed it, ca=FILE in the URL");
    assert_eq!(pair.messages(0).len(), 1);
    // Mended, it delivers what has waited.
    pair.kill(0);
    std::fs::write(&config, toml).unwrap();
    pair.run(0);
    wait(SOON, "delivered later", || (pair.messages(0).len() == 2).then_some(()));
}
