//! `/metrics`: how the process does, in the text format of Prometheus. Counts of what happened come from the event bus; how
//! things stand is asked of whoever knows, when somebody asks.

mod process;
mod text;

use crate::Shared;
use crate::error::ApiError;
use crate::listen::{Listening, Peer};
use crate::principal::Principal;
use crate::server::StartError;
use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Router, routing::get};
use event::{Ask, Bus, Metric, Sample};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

/// A role answers within milliseconds; what one that is stuck would say is left out.
const PATIENCE: Duration = Duration::from_secs(2);
/// Connections of collectors at once.
const CONNECTIONS: usize = 16;

static ANSWERS: Metric =
    Metric::gauge("earcon_up", "1 when this part of the process answered, 0 when it did not in time.");

/// Who is asked. Cloning is cheap.
#[derive(Clone)]
pub struct Metrics {
    bus: Bus,
    parts: Vec<(&'static str, Ask)>,
}

impl Metrics {
    /// The events of a process, and what the process itself takes.
    pub fn new(bus: Bus) -> Metrics {
        Metrics { bus, parts: Vec::new() }
    }

    /// One more part that can be asked, by the name that `earcon_up` shows.
    pub fn with(mut self, name: &'static str, ask: Ask) -> Metrics {
        self.parts.push((name, ask));
        self
    }

    /// All that another has, too.
    pub fn and(mut self, other: &Metrics) -> Metrics {
        self.parts.extend(other.parts.iter().cloned());
        self
    }

    /// Everything, as text.
    pub async fn gather(&self) -> String {
        self.gather_within(PATIENCE).await
    }

    async fn gather_within(&self, patience: Duration) -> String {
        let asked = self.parts.iter().map(|(name, ask)| {
            let (sender, answer) = oneshot::channel();
            // Who waits may have gone; then nobody needs the answer.
            ask(Box::new(move |samples| drop(sender.send(samples))));
            (*name, answer)
        });
        let mut samples = process::samples();
        samples.extend(self.bus.tally().samples());
        let until = tokio::time::Instant::now() + patience;
        // All were asked before the first is waited for.
        for (name, answer) in asked.collect::<Vec<_>>() {
            let answered = tokio::time::timeout_at(until, answer).await.ok().and_then(Result::ok);
            samples.push(Sample::count(&ANSWERS, u64::from(answered.is_some())).with("part", name));
            samples.extend(answered.unwrap_or_default());
        }
        text::write(&samples)
    }

    pub(crate) async fn response(&self) -> Response {
        let kind = (header::CONTENT_TYPE, HeaderValue::from_static(text::CONTENT_TYPE));
        let private = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        ([kind, private], self.gather().await).into_response()
    }
}

/// Where metrics are served without the pages, and to whom.
#[derive(Clone, Debug)]
pub struct Settings {
    pub listen: SocketAddr,
    /// Addresses that may read. Empty: this machine.
    pub allow: Vec<IpAddr>,
}

/// A running server of metrics. Dropping it stops it.
#[derive(Debug)]
pub struct Running {
    pub address: SocketAddr,
    _stop: watch::Sender<()>,
    listening: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// Listens, and serves from then on, on the runtime that this is called on.
pub async fn start(settings: Settings, metrics: Metrics) -> Result<Running, StartError> {
    let failed = |reason| StartError::listen("metrics", settings.listen, reason);
    let listener = TcpListener::bind(settings.listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let (stop, stopped) = watch::channel(());
    let state = Arc::new((metrics, settings.allow));
    let router = Router::new().route("/metrics", get(serve)).with_state(state);
    let listening = Listening { listener, tls: None, router, connections: CONNECTIONS };
    Ok(Running { address, _stop: stop, listening: tokio::spawn(listening.run(stopped)) })
}

async fn serve(
    State(state): State<Arc<(Metrics, Vec<IpAddr>)>>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Response {
    let (metrics, allow) = &*state;
    if !may_read(allow, peer.address.ip()) || is_page(request.headers()) {
        return (StatusCode::FORBIDDEN, "metrics are not for this address\n").into_response();
    }
    metrics.response().await
}

/// On the server of the pages: for the administrator, and for addresses that the settings name.
pub(crate) async fn of_pages(
    State(app): State<Shared>,
    Extension(peer): Extension<Peer>,
    principal: Result<Principal, ApiError>,
    request: Request,
) -> Result<Response, ApiError> {
    if !is_allowed(&app.settings.metrics, peer.address.ip()) || is_page(request.headers()) {
        principal?.admin()?;
    }
    Ok(app.parts.metrics.response().await)
}

/// Whether an address may read without more proof; nobody named is this machine.
fn may_read(allow: &[IpAddr], source: IpAddr) -> bool {
    let source = source.to_canonical();
    if allow.is_empty() { source.is_loopback() } else { allow.iter().any(|allowed| allowed.to_canonical() == source) }
}

/// Whether a script of some page asks, from a browser on an address that may read (DNS rebinding): collectors don't send this.
fn is_page(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-mode").is_some_and(|mode| mode != "navigate")
}

/// Whether the address is one of those that the pages' server lets read without a token.
fn is_allowed(allow: &[IpAddr], source: IpAddr) -> bool {
    !allow.is_empty() && may_read(allow, source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_names_this_machine_alone_may_read() {
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        assert!(may_read(&[], address("127.0.0.1")) && may_read(&[], address("::ffff:127.0.0.1")));
        assert!(!may_read(&[], address("192.0.2.1")));
        let allow = [address("192.0.2.1")];
        assert!(may_read(&allow, address("::ffff:192.0.2.1")));
        assert!(!may_read(&allow, address("127.0.0.1")));
        assert!(!is_allowed(&[], address("127.0.0.1")));
    }

    #[tokio::test]
    async fn a_part_that_does_not_answer_is_shown_as_down_and_holds_up_nobody_for_long() {
        static CALLS: Metric = Metric::gauge("earcon_calls", "Calls in progress.");
        let held: std::sync::Mutex<Vec<event::Measured>> = std::sync::Mutex::default();
        let metrics = Metrics::new(Bus::new())
            .with("node", Arc::new(|reply| reply(vec![Sample::count(&CALLS, 3_u64).with("role", "node")])))
            .with("um", Arc::new(move |reply| held.lock().unwrap().push(reply)));
        let text = metrics.gather_within(Duration::ZERO).await;
        assert!(text.contains("\nearcon_calls{role=\"node\"} 3\n"), "{text}");
        assert!(text.contains("\nearcon_up{part=\"node\"} 1\nearcon_up{part=\"um\"} 0\n"), "{text}");
    }
}
