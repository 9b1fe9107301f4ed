//! What an engine has to tell of itself for `/metrics`. Sessions add to the totals when they report by RTCP, every five
//! seconds, and at their end: never for a packet.

use event::{Metric, Sample};
use std::sync::atomic::{AtomicU64, Ordering};

static SESSIONS: Metric =
    Metric::gauge("earcon_media_sessions", "Media sessions that are open; a call through the forced gateway has two.");
static RECEIVED: Metric = Metric::counter(
    "earcon_rtp_packets_received_total",
    "RTP packets that were taken, as of the last report of each session.",
);
static LOST: Metric = Metric::counter(
    "earcon_rtp_packets_lost_total",
    "RTP packets that should have come by their sequence numbers and did not, as of the last report of each session.",
);
static SPOOLED: Metric =
    Metric::gauge("earcon_spool_recordings", "Recordings in the spool: under way, or not yet in a mailbox.");
static SPOOL_WAITING: Metric = Metric::gauge("earcon_spool_waiting_bytes", "Audio that waits for the spool's writer.");

/// Packets of all sessions since the start.
#[derive(Debug, Default)]
pub struct Totals {
    received: AtomicU64,
    lost: AtomicU64,
}

impl Totals {
    pub fn add(&self, (received, lost): (u64, u64)) {
        self.received.fetch_add(received, Ordering::Relaxed);
        self.lost.fetch_add(lost, Ordering::Relaxed);
    }
}

/// `spool`: how many recordings it has, and bytes that wait for its writer.
pub fn samples(role: &'static str, sessions: usize, totals: &Totals, spool: Option<(usize, usize)>) -> Vec<Sample> {
    let mut samples = vec![
        Sample::count(&SESSIONS, sessions).with("role", role),
        Sample::count(&RECEIVED, totals.received.load(Ordering::Relaxed)).with("role", role),
        Sample::count(&LOST, totals.lost.load(Ordering::Relaxed)).with("role", role),
    ];
    if let Some((recordings, waiting)) = spool {
        samples.push(Sample::count(&SPOOLED, recordings));
        samples.push(Sample::count(&SPOOL_WAITING, waiting));
    }
    samples
}
