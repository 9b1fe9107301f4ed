//! `earcon lab`, `earcon node` and `earcon um`: start, say so, run until told to stop.

use crate::cli::{LabArguments, ProcessArguments};
use crate::console;
use crate::failure::Failure;
use crate::faults;
use crate::stop;
use crate::temporary::TemporaryFolder;
use event::{Bus, Event, Level, Now, Sink};
use lab::settings::{NodeSettings, UmSettings};
use lab::{Extras, Lab, LabSettings, RunningNode, RunningUm, folder};
use std::io::Write;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::runtime::Runtime;

/// Stores, web and shells; the signalling and media threads are not tokio's.
const WORKERS: usize = 2;

pub fn lab(arguments: LabArguments) -> Result<(), Failure> {
    let Some(faults) = faults::chosen(&arguments.fault)? else { return Ok(()) };
    // A lab with a slip in its configuration does not touch the one that is used otherwise.
    let temporary = match (&arguments.data, faults.as_slice()) {
        (None, [_, ..]) => Some(TemporaryFolder::create("lab")?),
        _ => None,
    };
    let settings = LabSettings {
        data: match (arguments.data, &temporary) {
            (Some(folder), _) => folder,
            (None, Some(temporary)) => temporary.path().to_owned(),
            // The secure one beside the other.
            (None, None) if arguments.secure => {
                folder::of_lab().map_err(Failure::from_error)?.with_file_name("lab-secure")
            }
            (None, None) => folder::of_lab().map_err(Failure::from_error)?,
        },
        ring_time: arguments.ring_time,
        net: arguments.net.bytes(),
        web: arguments.web,
        https: arguments.https,
        redundant: arguments.redundant,
        secure: arguments.secure,
        faults,
    };
    run(
        "lab",
        |bus, runtime| {
            let lab = Lab::start(settings, bus, runtime.handle()).map_err(Failure::from_error)?;
            print(&lab.banner());
            console::listen(lab.cables());
            Ok(lab)
        },
        Lab::has_ended,
        |_| {},
    )
}

pub fn node(arguments: &ProcessArguments) -> Result<(), Failure> {
    let settings = NodeSettings::read(&arguments.config).map_err(Failure::from_error)?;
    run(
        "node",
        |bus, runtime| {
            let node = RunningNode::start(&settings, bus, runtime.handle(), None).map_err(Failure::from_error)?;
            let phones = node.provisioning();
            let phones = if phones.is_empty() { phones } else { format!("phone files {phones}\n") };
            print(&format!(
                "node on {}:{}, UDP and TCP; data in {}\n{phones}",
                settings.sip.address,
                settings.sip.port,
                settings.data.display()
            ));
            Ok(node)
        },
        RunningNode::has_ended,
        |node| node.drain(Duration::from_secs(settings.drain.into()), asked_again()),
    )
}

pub fn um(arguments: &ProcessArguments) -> Result<(), Failure> {
    let settings = UmSettings::read(&arguments.config).map_err(Failure::from_error)?;
    run(
        "um",
        |bus, runtime| {
            let domain = settings
                .host_name
                .as_deref()
                .and_then(|name| name.split_once('.'))
                .map_or("localhost", |(_, domain)| domain);
            let extras = Extras {
                mail_domain: domain.to_owned(),
                map: None,
                admin_tokens: Vec::new(),
                node: None,
                metrics: None,
                shared: None,
                several: None,
                cable: Default::default(),
            };
            let um = RunningUm::start(&settings, bus, runtime.handle(), extras).map_err(Failure::from_error)?;
            let sip = &settings.sip;
            let mut text = format!(
                "um server on {}: call router {}, UM service {}, workers {} and {}; data in {}\n",
                sip.address,
                sip.router_port,
                sip.service_port,
                sip.worker_ports[0],
                sip.worker_ports[1],
                settings.data.display()
            );
            if let Some(web) = um.web() {
                let scheme =
                    if settings.web.as_ref().is_some_and(|web| web.certificate.is_some()) { "https" } else { "http" };
                text.push_str(&format!("web page {scheme}://{web}/\n"));
            }
            text.push_str(&format!("{}\n", um.speech));
            print(&text);
            Ok(um)
        },
        RunningUm::has_ended,
        |um| um.drain(Duration::from_secs(settings.drain.into()), asked_again()),
    )
}

/// Whether the process is told to stop once more: then nobody waits any longer.
fn asked_again() -> impl Fn() -> bool {
    let again = stop::flag().ok();
    move || again.as_ref().is_some_and(|again| again.load(Ordering::Relaxed))
}

/// Starts something, prints `<name> ready`, and keeps it until Ctrl-C or SIGTERM, or until it ends by itself.
fn run<T>(
    name: &str,
    start: impl FnOnce(&Bus, &Runtime) -> Result<T, Failure>,
    has_ended: impl Fn(&T) -> bool,
    drain: impl FnOnce(&T),
) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .max_blocking_threads(8)
        .thread_name("store")
        .enable_all()
        .build()
        .map_err(Failure::from_error)?;
    let bus = Bus::new();
    log(&bus)?;
    let running = start(&bus, &runtime)?;
    print(&format!("{name} ready\n"));
    let stopped = runtime.block_on(async {
        let stop = stop::asked_to_stop();
        tokio::pin!(stop);
        loop {
            tokio::select! {
                asked = &mut stop => break asked.map_err(Failure::from_error),
                () = tokio::time::sleep(Duration::from_millis(500)) => {
                    if has_ended(&running) {
                        break Err(Failure::new(format!("{name} has failed; the lines above say where")));
                    }
                }
            }
        }
    });
    if stopped.is_ok() {
        drain(&running);
    }
    bus.emit(Now::read(), Event::Stopped { role: name.into() });
    drop(running);
    stopped
}

/// Events at once after which the log takes a breath, and how long that is.
const FEW: usize = 3;
const PAUSE: Duration = Duration::from_millis(10);
/// Events that are taken at once.
const MANY: usize = 1024;

/// Every event but the SIP messages, which `earcon trace` shows, is a line of the log.
fn log(bus: &Bus) -> Result<(), Failure> {
    let subscription = bus.subscribe();
    subscription.messages.store(false, Ordering::Relaxed);
    let thread = move || {
        let mut records = Vec::with_capacity(MANY);
        // The bus is gone when there are no more.
        while let Ok(first) = subscription.records.recv() {
            records.push(first);
            records.extend(subscription.records.try_iter().take(MANY));
            let many = records.len() > FEW;
            records.drain(..).for_each(|record| write(&record));
            if many {
                // Whoever tells of much need not wake this thread for each: what comes meanwhile waits in the queue.
                std::thread::sleep(PAUSE);
            }
        }
    };
    std::thread::Builder::new().name("log".into()).spawn(thread).map(drop).map_err(Failure::from_error)
}

fn write(record: &event::Record) {
    let fields = serde_json::to_string(&record.event).unwrap_or_default();
    match record.event.level() {
        Level::Info => tracing::info!(target: "event", "{fields}"),
        Level::Warning => tracing::warn!(target: "event", "{fields}"),
        Level::Error => tracing::error!(target: "event", "{fields}"),
    }
}

/// What is printed is read by scripts, too: it is out before anything waits for it. A closed output is no reason to stop.
fn print(text: &str) {
    let mut out = std::io::stdout();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
