//! Who is asked for `/metrics`, and the server that hands them to collectors where there are no pages.

use crate::error::StartError;
use event::{Ask, Bus, Measured, Metric, Sample};
use net::{InboxSender, Meter};
use serde::Deserialize;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::runtime::Handle;
use web::metrics::{Metrics, Running, Settings};

static COMMITS: Metric =
    Metric::gauge("earcon_state_commits_waiting", "Changes that wait for the writer of the configuration and state.");
static QUEUE: Metric = Metric::gauge("earcon_queue_waiting", "What waits for a thread of the process, by queue.");

/// A queue's name, and how much waits in it.
pub(crate) type Queue = (&'static str, Box<dyn Fn() -> usize + Send + Sync>);

/// `[metrics]` of `node.toml` and `um.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricsSettings {
    pub listen: SocketAddr,
    /// Addresses that may read; none: this machine.
    #[serde(default)]
    pub allow: Vec<IpAddr>,
}

/// What a half is made of, as far as it can be asked.
pub(crate) struct Parts<T> {
    pub role: &'static str,
    pub inbox: InboxSender<T>,
    pub net: Meter,
    pub media: media::Media,
    pub store: state::Store,
    /// What else waits somewhere.
    pub queues: Vec<Queue>,
    /// Asks the role itself, by its inbox.
    pub measure: fn(Measured) -> T,
}

impl<T: Send + 'static> Parts<T> {
    pub fn metrics(self, bus: &Bus) -> Metrics {
        let Parts { role, inbox, net, media, store, queues, measure } = self;
        let own = inbox.clone();
        // What can be read from outside is asked for apart: it is told of a role that is stuck, too.
        let outside: Ask = Arc::new(move |reply| {
            let mut samples = net.samples(&inbox);
            samples.extend(media.samples(role));
            samples.push(Sample::count(&COMMITS, store.waiting()).with("role", role));
            let waiting = |queue, count| Sample::count(&QUEUE, count).with("role", role).with("queue", queue);
            samples.push(waiting("connections", net.waiting()));
            samples.push(waiting("media", media.waiting()));
            samples.extend(queues.iter().map(|(queue, count)| waiting(queue, count())));
            reply(samples);
        });
        let asked: Ask = Arc::new(move |reply| own.own(measure(reply)));
        let (name, engines) = if role == "node" { ("node", "node engines") } else { ("um", "um engines") };
        Metrics::new(bus.clone()).with(name, asked).with(engines, outside)
    }
}

pub(crate) fn serve(settings: &MetricsSettings, metrics: Metrics, runtime: &Handle) -> Result<Running, StartError> {
    let settings = Settings { listen: settings.listen, allow: settings.allow.clone() };
    runtime.block_on(web::metrics::start(settings, metrics)).map_err(|error| StartError::Web(error.to_string()))
}
