//! Clips on their way out: which byte of which clip comes next.

use crate::{Clip, PlayId};
use rtp::Codec;
use std::sync::Arc;

/// Audio under way.
#[derive(Debug)]
pub struct Player {
    pub play: PlayId,
    clips: Vec<Arc<Clip>>,
    pub barge_in: bool,
    repeat: bool,
    clip: usize,
    at: usize,
    pub played: u64,
}

impl Player {
    pub fn new(play: PlayId, clips: Vec<Arc<Clip>>, barge_in: bool, repeat: bool) -> Player {
        Player { play, clips, barge_in, repeat, clip: 0, at: 0, played: 0 }
    }

    /// Fills a packet; gives how much of it is audio (the rest is silence), and whether that was the last.
    pub fn fill(&mut self, codec: Codec, payload: &mut [u8]) -> (usize, bool) {
        let mut filled = 0;
        let mut last_round = None;
        while filled < payload.len() {
            let Some(clip) = self.clips.get(self.clip) else {
                // A round that gave nothing means that the clips are empty.
                if self.repeat && last_round != Some(filled) {
                    (self.clip, self.at, last_round) = (0, 0, Some(filled));
                    continue;
                }
                break;
            };
            let rest = clip.encoded(codec).get(self.at..).unwrap_or_default();
            let part = rest.len().min(payload.len() - filled);
            payload[filled..filled + part].copy_from_slice(&rest[..part]);
            filled += part;
            self.at += part;
            if part == rest.len() {
                (self.clip, self.at) = (self.clip + 1, 0);
            }
        }
        payload[filled..].fill(codec.silence());
        self.played += filled as u64;
        let finished = self.clip >= self.clips.len() && (!self.repeat || filled == 0);
        (filled, finished)
    }
}
