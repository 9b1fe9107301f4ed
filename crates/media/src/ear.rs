//! What is listened for in the audio of a session that ends here: keys as tones, fax machines, the exchange's tones.

use crate::LineSignal;
use crate::clip::samples_to_duration;
use rtp::{Codec, InbandDetector, InbandKey, KeyPress, LineListener};

/// The longest gap in the sender's timestamps that was a pause of its: 4 s. Beyond it the clock has jumped.
const LONGEST_PAUSE: u32 = 32_000;
/// Of a pause, at a time.
const SILENCE: [i16; 400] = [0; 400];

/// What was made out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Made {
    Key(KeyPress),
    Line(LineSignal),
}

#[derive(Debug, Default)]
pub(crate) struct Ear {
    keys: InbandDetector,
    line: LineListener,
    samples: Vec<i16>,
    /// Where the next packet's audio belongs if the sender did not pause.
    next: Option<u32>,
    fax: bool,
}

impl Ear {
    /// Takes a packet's audio. `keys`: whether keys come as tones, because the stream has no telephone events; else each
    /// would be heard twice from a sender of both.
    pub fn listen(
        &mut self,
        codec: Codec,
        timestamp: u32,
        restarted: bool,
        audio: &[u8],
        keys: bool,
        tell: &mut dyn FnMut(Made),
    ) {
        // A sender that leaves silence out pauses: the exchange's tones are known by their pauses, too.
        let pause = match self.next {
            Some(next) if !restarted => timestamp.wrapping_sub(next),
            _ => 0,
        };
        let mut pause = if pause <= LONGEST_PAUSE { pause as usize } else { 0 };
        while pause > 0 {
            let step = pause.min(SILENCE.len());
            self.hear(&SILENCE[..step], keys, tell);
            pause -= step;
        }
        // A packet is far shorter than 2^32 samples.
        self.next = Some(timestamp.wrapping_add(audio.len() as u32));
        let mut samples = std::mem::take(&mut self.samples);
        samples.clear();
        rtp::decode_into(codec, audio, &mut samples);
        self.hear(&samples, keys, tell);
        self.samples = samples;
    }

    fn hear(&mut self, samples: &[i16], keys: bool, tell: &mut dyn FnMut(Made)) {
        if keys {
            self.keys.listen(samples, |key| {
                tell(Made::Key(match key {
                    InbandKey::Down(key) => KeyPress::Down(key),
                    InbandKey::Up(key, held_ms) => KeyPress::Up(key, held_ms),
                }));
            });
        }
        let fax = &mut self.fax;
        self.line.listen(samples, |signal| match signal {
            rtp::LineSignal::Fax if std::mem::replace(fax, true) => {}
            rtp::LineSignal::Fax => tell(Made::Line(LineSignal::Fax)),
            rtp::LineSignal::Dead { since, loud } => tell(Made::Line(LineSignal::Dead {
                since: samples_to_duration(since),
                loud: samples_to_duration(loud),
            })),
        });
    }

    /// An event that only a fax machine sends. True: it is news.
    pub fn fax_event(&mut self) -> bool {
        !std::mem::replace(&mut self.fax, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtp::Tone;

    /// 20 ms packets of these samples, without those that are silent.
    fn hear(samples: &[i16], keys: bool) -> Vec<Made> {
        let (mut ear, mut made) = (Ear::default(), Vec::new());
        for (n, packet) in (0_u32..).zip(samples.chunks(160)).filter(|(_, packet)| packet.iter().any(|s| *s != 0)) {
            let audio = rtp::encode(Codec::Pcmu, packet);
            ear.listen(Codec::Pcmu, 4_294_900_000_u32.wrapping_add(n * 160), n == 0, &audio, keys, &mut |what| {
                made.push(what);
            });
        }
        made
    }

    #[test]
    fn keys_are_pressed_and_let_go_unless_they_come_as_events_too() {
        let mut samples = vec![100; 800];
        for key in "27#".chars() {
            samples.extend(rtp::key_tone(key, 800).unwrap());
            samples.extend([100; 800]);
        }
        let downs: String = hear(&samples, true)
            .iter()
            .filter_map(|made| if let Made::Key(KeyPress::Down(key)) = made { Some(*key) } else { None })
            .collect();
        assert_eq!(downs, "27#");
        assert_eq!(hear(&samples, false), []);
    }

    #[test]
    fn a_busy_tone_is_known_though_its_pauses_are_not_sent() {
        let one = [Tone::new(&[425.0], -12.0).samples(4000), vec![0; 4000]].concat();
        let made = hear(&one.repeat(6), false);
        assert!(matches!(made[..], [Made::Line(LineSignal::Dead { .. })]), "{made:?}");
    }

    #[test]
    fn a_fax_machine_is_told_once_by_tone_or_event() {
        let one = [Tone::new(&[1100.0], -12.0).samples(4000), vec![0; 24_000]].concat();
        assert_eq!(hear(&one.repeat(4), false), [Made::Line(LineSignal::Fax)]);
        let mut ear = Ear::default();
        assert!(ear.fax_event() && !ear.fax_event());
    }
}
