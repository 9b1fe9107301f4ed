//! A recording under way on a session: the recorder, and where its chunks go.

use crate::recorder::Recorder;
use crate::spool::SpoolWriter;
use crate::{MediaEvent, RecordEnd, RecordLimits, RecordingId, SessionId, Tape};
use rtp::Codec;
use std::time::{Duration, Instant};

#[derive(Debug)]
pub enum Drain {
    Spool(SpoolWriter),
    Tape(Tape),
}

#[derive(Debug)]
pub struct Recording {
    session: SessionId,
    recording: RecordingId,
    recorder: Recorder,
    drain: Drain,
    failed: bool,
}

impl Recording {
    pub fn new(
        session: SessionId,
        recording: RecordingId,
        codec: Codec,
        limits: RecordLimits,
        drain: Drain,
        now: Instant,
    ) -> Recording {
        let recorder = Recorder::new(codec, limits, session.0, now);
        let recorder = if let Drain::Tape(_) = drain { recorder.in_small_chunks() } else { recorder };
        Recording { session, recording, recorder, drain, failed: false }
    }

    /// A packet that is no duplicate; true when a limit may be reached and [`check`](Self::check) is worth a call now.
    pub fn audio(&mut self, codec: Codec, timestamp: u32, restarted: bool, payload: &[u8], now: Instant) {
        let Recording { recorder, drain, failed, .. } = self;
        let to = recorder.codec();
        recorder.audio(codec, timestamp, restarted, payload, now, &mut |chunk| *failed |= !drain.take(to, chunk));
    }

    pub fn pause(&mut self) {
        self.recorder.pause();
    }

    pub fn resume(&mut self, now: Instant) {
        self.recorder.resume(now);
    }

    /// So much of what was above the level was no speech.
    pub fn was_no_speech(&mut self, loud: Duration) {
        self.recorder.was_no_speech(loud);
    }

    pub fn stops_at(&self, key: char) -> bool {
        self.recorder.limits().stop_keys.contains(key)
    }

    pub fn check(&mut self, now: Instant) -> Option<RecordEnd> {
        // Who listens along to a tape hears the last words though nothing follows them.
        if let Drain::Tape(_) = self.drain
            && self.recorder.is_stalled(now)
        {
            let Recording { recorder, drain, .. } = self;
            let codec = recorder.codec();
            recorder.finish(&mut |chunk| {
                drain.take(codec, chunk);
            });
        }
        if self.failed { Some(RecordEnd::Failed) } else { self.recorder.check(now) }
    }

    /// Gives the rest away. The event is to be told before the spool can tell that it is durable, so it is told here.
    pub fn finish(mut self, reason: RecordEnd, tell: &dyn Fn(MediaEvent)) {
        let codec = self.recorder.codec();
        let (drain, failed) = (&mut self.drain, &mut self.failed);
        self.recorder.finish(&mut |chunk| *failed |= !drain.take(codec, chunk));
        tell(MediaEvent::RecordEnded {
            session: self.session,
            recording: self.recording,
            reason: if self.failed { RecordEnd::Failed } else { reason },
            duration: self.recorder.duration(),
            loud: self.recorder.loud(),
        });
        if let Drain::Spool(writer) = self.drain {
            writer.finish();
        }
    }
}

impl Drain {
    fn take(&mut self, codec: Codec, chunk: &[u8]) -> bool {
        match self {
            Drain::Spool(writer) => writer.append(chunk),
            Drain::Tape(tape) => {
                tape.append(codec, chunk);
                true
            }
        }
    }
}
