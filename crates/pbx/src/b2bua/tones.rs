//! What the node itself sounds: the supervisory tones of a telephone system (ITU-T E.180), with European cadences.

use media::Clip;
use rtp::Tone;
use std::sync::{Arc, LazyLock};

/// Ringback: somebody is being called. 425 Hz, one second of five.
pub(super) static RINGBACK: LazyLock<Arc<Clip>> = LazyLock::new(|| clip(&[(1000, true), (4000, false)]));
/// Two soft beeps every ten seconds: the other side has put the call on hold, and is not gone.
pub(super) static HOLD: LazyLock<Arc<Clip>> =
    LazyLock::new(|| clip(&[(150, true), (150, false), (150, true), (9550, false)]));
/// Three beeps: what a service code asked for is done.
pub(super) static ACCEPTED: LazyLock<Arc<Clip>> = LazyLock::new(|| {
    clip(&[(300, false), (150, true), (100, false), (150, true), (100, false), (150, true), (300, false)])
});
/// One long beep: a service code asked, and the answer is no.
pub(super) static NOTHING: LazyLock<Arc<Clip>> = LazyLock::new(|| clip(&[(300, false), (1000, true), (300, false)]));
/// Congestion tone: what a service code asked for is refused.
pub(super) static REFUSED: LazyLock<Arc<Clip>> = LazyLock::new(|| {
    clip(&[(200, true), (200, false), (200, true), (200, false), (200, true), (200, false), (200, true), (200, false)])
});

/// Milliseconds with and without the tone.
fn clip(cadence: &[(usize, bool)]) -> Arc<Clip> {
    let tone = Tone::new(&[425.0], -16.0);
    let piece = |(milliseconds, on): &(usize, bool)| {
        let samples = milliseconds.saturating_mul(8);
        if *on { tone.samples(samples) } else { vec![0; samples] }
    };
    Arc::new(Clip::from_samples(cadence.iter().flat_map(piece).collect()))
}
