//! The command line: what may be typed, with its defaults. Nothing here does anything.

use clap::{Args, Parser, Subcommand};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

const RING_TIME: u32 = 12;
const WEB_PORT: u16 = 8080;

/// An open Direct-SIP phone system with unified messaging.
#[derive(Debug, Parser)]
#[command(name = "earcon", version, about, disable_help_subcommand = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// The guide's setup in one process: PBX, UM server, web page (what `earcon` alone does)
    Lab(LabArguments),
    /// The PBX as a process of its own
    Node(ProcessArguments),
    /// One UM server as a process of its own
    Um(ProcessArguments),
    /// Copies what a UM server has kept in its own folder into the PostgreSQL that it is to share (docs/several-servers.md)
    UmImport(ImportArguments),
    /// The PBX's command shell
    Mdsh(ShellArguments),
    /// The UM server's command shell
    Umsh(ShellArguments),
    /// A phone for the command line: registers, calls or is called, plays, presses keys, records, shows the lamp
    Phone(PhoneArguments),
    /// Prints the ladder of calls as they happen, or of one that was; writes captures
    Trace(TraceArguments),
    /// Runs a recorded call again and says where it goes otherwise (docs/tracing.md)
    Replay(ReplayArguments),
    /// Certificates for TLS: a CA of one's own, certificates and .pfx files of it, requests to another (docs/secure-trunk.md)
    #[command(subcommand)]
    Certs(CertsCommand),
    /// Understands what callers say, for a UM server that starts it: questions come in, answers go out
    #[command(hide = true)]
    Recognise,
    /// The guide's chapter 7 as an acceptance suite, with phones of its own: against a lab of its own, or any PBX and UM server
    Verify(VerifyArguments),
}

#[derive(Debug, Clone, Args)]
pub struct LabArguments {
    /// Folder for everything that is kept between runs [default: earcon/lab in the user's data directory]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// How long a call list position rings, in seconds (1 to 120)
    #[arg(long, value_name = "SECONDS", default_value_t = RING_TIME, value_parser = clap::value_parser!(u32).range(1..=120))]
    pub ring_time: u32,
    /// The loopback net: the first three numbers of its addresses, so that two labs can run side by side
    #[arg(long, value_name = "NET", default_value = "127.0.222", value_parser = loopback_net)]
    pub net: LoopbackNet,
    /// The web page's port on 127.0.0.1
    #[arg(long, value_name = "PORT", default_value_t = WEB_PORT)]
    pub web: u16,
    /// Serve the phones' files over HTTPS, too, with a self-made certificate
    #[arg(long)]
    pub https: bool,
    /// Two UM servers behind a name, with a DNS server for it: the guide's chapter 6. `unplug um1` on the console pulls a cable
    #[arg(long)]
    pub redundant: bool,
    /// The trunk by TLS with SRTP, and certificates of the lab's own CA: the guide's chapter 5; in a data folder of its own
    #[arg(long)]
    pub secure: bool,
    /// Run it with something wrong, in a temporary folder unless --data names one; `list` shows what there is
    #[arg(long, value_name = "NAME")]
    pub fault: Vec<String>,
}

#[derive(Debug, Clone, Args)]
pub struct ProcessArguments {
    /// The TOML file that says where to listen and where data is kept (commented examples: docs/node.toml, docs/um.toml)
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
}

#[derive(Debug, Clone, Args)]
pub struct ImportArguments {
    /// The server's um.toml: `data` is copied to its `store` and `audio`
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Where recordings were kept until now, if not in `data`: a folder, or a bucket by URL
    #[arg(long, value_name = "PLACE")]
    pub recordings: Option<String>,
}

/// What `earcon certs` makes. Files that are there are never overwritten.
#[derive(Debug, Subcommand)]
pub enum CertsCommand {
    /// Makes a certificate authority: ca.crt, which peers trust, and ca.key, to be kept safe
    Ca {
        /// Its name
        #[arg(long, default_value = "Earcon CA")]
        name: String,
        /// Folder for its files
        #[arg(long, value_name = "DIR", default_value = ".")]
        folder: PathBuf,
    },
    /// Issues a certificate with a new key: NAME.crt and NAME.key, and NAME.pfx with --password-file
    Issue {
        #[command(flatten)]
        wish: CertificateWish,
        /// Days that it is good for
        #[arg(long, default_value_t = lab::certificates::DAYS)]
        days: u32,
        /// A file with the password of a .pfx file to make, too, in one line
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
    /// Makes a key and a request for somebody else's CA: NAME.key and NAME.csr
    Request {
        #[command(flatten)]
        wish: CertificateWish,
    },
    /// Signs a request with the CA in the folder
    Sign {
        /// The request (PEM)
        request: PathBuf,
        /// The certificate to write
        certificate: PathBuf,
        #[arg(long, value_name = "DIR", default_value = ".")]
        folder: PathBuf,
        #[arg(long, default_value_t = lab::certificates::DAYS)]
        days: u32,
    },
    /// Puts certificate, chain and key into a .pfx file, for mxone_certificate -import
    Pfx {
        certificate: PathBuf,
        key: PathBuf,
        /// The .pfx file to write
        pfx: PathBuf,
        /// A file with its password in one line
        #[arg(long, value_name = "FILE")]
        password_file: PathBuf,
    },
    /// Shows a certificate: for which names, by whom, until when
    Show { certificate: PathBuf },
}

#[derive(Debug, Clone, Args)]
pub struct CertificateWish {
    /// The server's name in the DNS, as its peers dial it
    pub name: String,
    /// Further names and addresses: its IP address, where a route dials that
    #[arg(long = "also", value_name = "NAME or ADDRESS")]
    pub names: Vec<String>,
    /// Folder of the CA, and for the files
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub folder: PathBuf,
}

#[derive(Debug, Clone, Args)]
pub struct ShellArguments {
    /// Run one line and end; a line that is not accepted ends with 1
    #[arg(short = 'c', value_name = "LINE")]
    pub command: Option<String>,
    /// A script goes on after what is not accepted; it still ends with 1 then
    #[arg(long)]
    pub go_on: bool,
    /// The data folder of the lab, or of the node or UM server, that is meant [default: the lab's]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

#[derive(Debug, Clone, Args)]
pub struct PhoneArguments {
    /// SIP user: the extension that this phone is
    #[arg(long = "as", value_name = "EXTENSION", default_value = "27001")]
    pub extension: String,
    /// SIP password [default: the lab's password of the extension]
    #[arg(long)]
    pub password: Option<String>,
    /// The PBX's address and port
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.222.10:5060")]
    pub server: SocketAddr,
    /// Address of this phone [default: loopback beside the PBX, or what the system routes by]
    #[arg(long, value_name = "ADDRESS")]
    pub bind: Option<std::net::IpAddr>,
    /// SIP over TCP in place of UDP
    #[arg(long)]
    pub tcp: bool,
    /// SIP over TLS (the server's port is 5061 then): the CA's certificate, a PEM file, such as certificates/ca.crt of a secure lab
    #[arg(long, value_name = "FILE", conflicts_with = "tcp")]
    pub ca: Option<PathBuf>,
    /// Media by SRTP only, with keys in SDP (RFC 4568)
    #[arg(long)]
    pub srtp: bool,
    /// Number to call
    #[arg(long, value_name = "NUMBER")]
    pub call: Option<String>,
    /// WAV file to play once the call is up
    #[arg(long, value_name = "WAV")]
    pub play: Option<PathBuf>,
    /// Keys to press once the call is up; a comma waits a second
    #[arg(long, value_name = "KEYS")]
    pub dtmf: Option<String>,
    /// WAV file to write what is heard into
    #[arg(long, value_name = "WAV")]
    pub record: Option<PathBuf>,
    /// Answer calls
    #[arg(long)]
    pub answer: bool,
    /// With --answer: ring this long first, in seconds. Without it the phone rings, never answers, and shows its lamp
    #[arg(long, value_name = "SECONDS")]
    pub ring: Option<u64>,
    /// Hang up this long after the answer, in seconds [default: when what there was to play was played; else when the far end hangs up]
    #[arg(long, value_name = "SECONDS")]
    pub duration: Option<u64>,
}

#[derive(Debug, Clone, Args)]
pub struct TraceArguments {
    /// The data folder of the lab, or of the node or UM server, that is meant [default: the lab's]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Also print what happened before (as far as it is still known)
    #[arg(long)]
    pub past: bool,
    /// The ladder of a call that was: its Call-ID (or how it begins), or its number (17, node:17, um:17)
    #[arg(long, value_name = "ID", conflicts_with = "past")]
    pub call: Option<String>,
    /// The calls that are recorded, one line each
    #[arg(long, conflicts_with_all = ["past", "call", "pcapng"])]
    pub list: bool,
    /// Write a capture of the recorded calls (with --call: of this one) that Wireshark opens
    #[arg(long, value_name = "FILE", conflicts_with = "past")]
    pub pcapng: Option<PathBuf>,
}

#[derive(Debug, Clone, Args)]
pub struct ReplayArguments {
    /// Call-ID (or how it begins), number (17, node:17, um:17), or a journal file
    #[arg(value_name = "CALL")]
    pub call: Option<String>,
    /// The data folder of the lab, or of the node or UM server, that is meant [default: the lab's]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Of the roles that recorded the call, this one: node or um
    #[arg(long, value_name = "ROLE")]
    pub role: Option<String>,
    /// The calls that are recorded, one line each (what is done without CALL)
    #[arg(long)]
    pub list: bool,
    /// Wait for Enter after each step
    #[arg(long)]
    pub step: bool,
    /// Write the call as a journal file: in tests/journals/ it is a regression test
    #[arg(long, value_name = "FILE")]
    pub as_test: Option<PathBuf>,
}

#[derive(Debug, Clone, Args)]
pub struct VerifyArguments {
    /// The TOML file that names the system to test (commented example: docs/verify.toml) [default: a lab of its own, started for it]
    #[arg(long, value_name = "FILE")]
    pub against: Option<PathBuf>,
    /// Tests to run, by number, such as 1,3,4a [default: all]
    #[arg(long, value_name = "NUMBERS", default_value = "", hide_default_value = true)]
    pub only: String,
    /// List the tests and end
    #[arg(long)]
    pub list: bool,
    /// The loopback net of its own lab [default: one that is free]
    #[arg(long, value_name = "NET", value_parser = loopback_net, conflicts_with = "against")]
    pub net: Option<LoopbackNet>,
    /// Its own lab is the guide's chapter 5: trunk and phones by TLS, with SRTP
    #[arg(long, conflicts_with = "against")]
    pub secure: bool,
    /// Give its own lab a fault, to see the suite notice it; `list` shows what there is
    #[arg(long, value_name = "NAME", conflicts_with = "against")]
    pub fault: Vec<String>,
    /// Folder for report.html, report.json and junit.xml
    #[arg(long, value_name = "DIR")]
    pub report: Option<PathBuf>,
    /// File for the report as a page
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// File for the report as JSON (schema: docs/verify.schema.json)
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// File for the report as JUnit XML
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
}

impl Default for LabArguments {
    /// What `earcon lab` without arguments has.
    fn default() -> LabArguments {
        LabArguments {
            data: None,
            ring_time: RING_TIME,
            net: LoopbackNet([127, 0, 222]),
            web: WEB_PORT,
            https: false,
            redundant: false,
            secure: false,
            fault: Vec::new(),
        }
    }
}

/// The first three bytes of a loopback /24.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoopbackNet([u8; 3]);

impl LoopbackNet {
    pub fn bytes(self) -> [u8; 3] {
        self.0
    }
}

fn loopback_net(text: &str) -> Result<LoopbackNet, String> {
    let address: Ipv4Addr = format!("{text}.0").parse().map_err(|_| wrong_net(text))?;
    if !address.is_loopback() {
        return Err(wrong_net(text));
    }
    let [a, b, c, _] = address.octets();
    Ok(LoopbackNet([a, b, c]))
}

fn wrong_net(text: &str) -> String {
    format!("{text:?} is no loopback net: give the first three numbers of one, such as 127.0.222")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_lab_stays_on_loopback() {
        assert_eq!(loopback_net("127.0.7").map(LoopbackNet::bytes), Ok([127, 0, 7]));
        assert_eq!(loopback_net("127.0.222"), Ok(LabArguments::default().net));
        for wrong in ["192.168.222", "127.0", "127.0.222.4", "moon"] {
            assert!(loopback_net(wrong).is_err(), "{wrong}");
        }
    }
}
