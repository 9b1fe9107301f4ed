//! linphonec, the console phone of Linphone, driven by what one types.

use crate::process::{Process, Scratch};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

pub struct Linphone {
    pub process: Process,
    sip: u16,
    // Its settings and databases.
    _home: Scratch,
}

impl Linphone {
    /// Registers `user` at `node`; `number` is the test's, which has one Linphone at most.
    pub fn start(user: &str, node: &str, number: u16) -> Linphone {
        Linphone::configured(user, node, number, "")
    }

    /// With SRTP and nothing else, and new keys with each re-INVITE. It has no sound card: it plays `play`.
    pub fn encrypted(user: &str, node: &str, number: u16, play: &Path) -> Linphone {
        let lines = "media_encryption=srtp\nmedia_encryption_mandatory=1\nkeep_srtp_keys=0\n";
        let mut phone = Linphone::configured(user, node, number, lines);
        phone.command("soundcard use files");
        phone.command(&format!("play {}", play.display()));
        phone
    }

    /// With further lines of its table `[sip]`.
    fn configured(user: &str, node: &str, number: u16, lines: &str) -> Linphone {
        let home = Scratch::new(&format!("linphone-{user}-{number}"));
        for folder in [".local/share/linphone", ".config/linphone"] {
            std::fs::create_dir_all(home.path().join(folder)).unwrap();
        }
        let (sip, rtp) = (14000 + 4 * number, 29100 + 4 * number);
        std::fs::write(
            home.file("linphonerc"),
            format!(
                "[sip]\ndefault_proxy=0\nsip_port={sip}\nsip_tcp_port=0\nsip_tls_port=0\nuse_ipv6=0\nguess_hostname=0\n{lines}\
                 [rtp]\naudio_rtp_port={rtp}\n[video]\nenabled=0\ncapture=0\ndisplay=0\n[net]\nfirewall_policy=0\n\
                 [proxy_0]\nreg_proxy=sip:{node}\nreg_identity=sip:{user}@{node}\nreg_expires=300\nreg_sendregister=1\n\
                 [auth_info_0]\nusername={user}\npasswd=moon-{user}\n"
            ),
        )
        .unwrap();
        let mut command = Command::new("linphonec");
        command.arg("-c").arg(home.file("linphonerc")).args(["-d", "0"]).env("HOME", home.path());
        let mut process = Process::start(&mut command);
        // It tells of its registration only if it is asked.
        let registered = (0..60).any(|_| {
            process.type_line("status register");
            std::thread::sleep(Duration::from_millis(200));
            process.output().contains("registered, identity")
        });
        assert!(registered, "linphonec does not register; it printed:\n{}", process.output());
        Linphone { process, sip, _home: home }
    }

    /// The port at which it takes SIP.
    pub fn sip_port(&self) -> u16 {
        self.sip
    }

    /// Writes what it hears from the next stream on to this file.
    pub fn record(&mut self, file: &Path) {
        self.command(&format!("record {}", file.display()));
    }

    /// A line of its console: `call`, `answer`, `pause`, `transfer 1 to 2`, `terminate` ...
    pub fn command(&mut self, line: &str) {
        self.process.type_line(line);
    }

    /// Waits until it has printed this.
    pub fn wait_for(&self, text: &str) {
        self.process.wait_for(text, Duration::from_secs(15));
    }
}
