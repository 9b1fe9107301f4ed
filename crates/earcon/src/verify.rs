//! `earcon verify`: the acceptance suite, against a lab of its own or against a system that a file names.

use crate::cli::VerifyArguments;
use crate::failure::Failure;
use crate::faults;
use crate::temporary::TemporaryFolder;
use event::Bus;
use lab::{Fault, Lab, LabSettings};
use std::io::Write;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use verify::{Cable, Choice, Progress, Report, TESTS, Target, TlsSettings};

/// Seconds that the lab's phones ring: the suite waits for them.
const RING_TIME: u32 = 1;
/// Third numbers of the loopback nets among which a free one is looked for.
const NETS: std::ops::RangeInclusive<u8> = 192..=221;

pub fn run(arguments: &VerifyArguments) -> Result<(), Failure> {
    if arguments.list {
        for test in TESTS {
            println!("{:<4} {}", test.number, test.title);
        }
        return Ok(());
    }
    let Some(faults) = faults::chosen(&arguments.fault)? else { return Ok(()) };
    let choice = Choice::parse(&arguments.only).map_err(Failure::from_error)?;
    // Before anything runs: a report that cannot be written is told of now.
    let files = Files::prepare(arguments)?;
    let report = match &arguments.against {
        Some(file) => suite(&Target::read(file).map_err(Failure::from_error)?, &choice)?,
        None => in_a_lab(arguments, faults, &choice)?,
    };
    println!("\n{}", report.summary());
    files.write(&report)?;
    if report.passed() { Ok(()) } else { Err(Failure::silent()) }
}

fn suite(target: &Target, choice: &Choice) -> Result<Report, Failure> {
    println!("{} at {}\n", target.name, target.pbx.address);
    let report = verify::run(target, choice, |progress| {
        // Nobody reads: no reason to stop.
        let mut out = std::io::stdout();
        let _ = match progress {
            Progress::Begins(number, title) => write!(out, "{number:<4} {title:<52} "),
            Progress::Ended(result) => {
                let seconds = result.duration_ms as f64 / 1000.0;
                let reason = result.reason.iter().chain(&result.comments).map(|line| format!("\n       {line}"));
                writeln!(out, "{:<2}  {seconds:5.1} s{}", result.code, reason.collect::<String>())
            }
        }
        .and_then(|()| out.flush());
    });
    report.map_err(Failure::from_error)
}

/// Starts a lab in this process, in a temporary folder, on a loopback net that nobody uses.
fn in_a_lab(arguments: &VerifyArguments, faults: Vec<Fault>, choice: &Choice) -> Result<Report, Failure> {
    let net = match arguments.net {
        Some(net) => net.bytes(),
        None => free_net()?,
    };
    let data = TemporaryFolder::create("verify")?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(Failure::from_error)?;
    let data_folder = data.path().to_owned();
    let settings = LabSettings {
        data: data_folder,
        ring_time: RING_TIME,
        net,
        web: 0,
        https: false,
        secure: arguments.secure,
        redundant: true,
        faults,
    };
    let lab = Lab::start(settings, &Bus::new(), runtime.handle()).map_err(Failure::from_error)?;
    let rest = lab.web().ok_or_else(|| Failure::new("the lab has no web page"))?;
    let mut target = Target::lab(net, rest).map_err(Failure::from_error)?;
    if arguments.secure {
        // The guide encrypts the trunk; the suite's phones show that they can be, too.
        lab.enter("media_encryption_enable -type extension").map_err(Failure::from_error)?;
        let lab::Pair { trusted, certificate, key } =
            lab.certificate_for(&target.stand_ins()).map_err(Failure::from_error)?;
        let (certificate, key) = (Some(certificate), Some(key));
        target = target.secured(TlsSettings { trusted, certificate, key });
    }
    if let Some(redundancy) = &mut target.redundancy {
        let cables = lab.cables();
        redundancy.cable = Some(Cable::new(move |plugged| drop(cables.set("um1", plugged))));
    }
    suite(&target, choice)
}

/// The first loopback net on which the lab's addresses are free.
fn free_net() -> Result<[u8; 3], Failure> {
    let free = |address: SocketAddr| UdpSocket::bind(address).is_ok() && TcpListener::bind(address).is_ok();
    NETS.map(|third| [127, 0, third])
        .find(|[a, b, c]| [4, 5, 10].iter().all(|host| free(SocketAddr::from(([*a, *b, *c, *host], 5060)))))
        .ok_or_else(|| Failure::new("no loopback net from 127.0.192 to 127.0.221 is free: give --net"))
}

/// Where the report goes.
struct Files {
    html: Option<PathBuf>,
    json: Option<PathBuf>,
    junit: Option<PathBuf>,
}

impl Files {
    fn prepare(arguments: &VerifyArguments) -> Result<Files, Failure> {
        let within = |name: &str| arguments.report.as_ref().map(|folder| folder.join(name));
        let files = Files {
            html: arguments.html.clone().or_else(|| within("report.html")),
            json: arguments.json.clone().or_else(|| within("report.json")),
            junit: arguments.junit.clone().or_else(|| within("junit.xml")),
        };
        if let Some(folder) = &arguments.report {
            std::fs::create_dir_all(folder).map_err(|error| cannot_write(folder, &error))?;
        }
        for file in [&files.html, &files.json, &files.junit].into_iter().flatten() {
            std::fs::write(file, "").map_err(|error| cannot_write(file, &error))?;
        }
        Ok(files)
    }

    fn write(&self, report: &Report) -> Result<(), Failure> {
        let write = |file: &Option<PathBuf>, text: &dyn Fn() -> Result<String, Failure>| match file {
            Some(file) => std::fs::write(file, text()?).map_err(|error| cannot_write(file, &error)),
            None => Ok(()),
        };
        write(&self.html, &|| report.to_html().map_err(Failure::from_error))?;
        write(&self.json, &|| Ok(report.to_json()))?;
        write(&self.junit, &|| Ok(report.to_junit()))
    }
}

fn cannot_write(file: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("the report {} can't be written: {error}", file.display()))
}
