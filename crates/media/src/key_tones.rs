//! Keys in the audio of a telephone that has no other way to send them.

use rtp::{Codec, InbandDetector, InbandKey};
use std::time::Duration;

/// The shortest event that is sent for a key: receivers want 40 ms (ITU-T Q.24), and some more.
const SHORTEST: Duration = Duration::from_millis(80);

/// Hears keys in one stream of packets.
#[derive(Debug, Default)]
pub(crate) struct KeyTones {
    detector: InbandDetector,
    samples: Vec<i16>,
    pressed: bool,
}

impl KeyTones {
    /// Takes a packet's audio; tells each key when it is let go, with how long it was held. Whether a key is pressed now,
    /// so that this packet is not for the ear.
    pub fn listen(&mut self, codec: Codec, audio: &[u8], tell: &mut dyn FnMut(&str, Duration)) -> bool {
        self.samples.clear();
        rtp::decode_into(codec, audio, &mut self.samples);
        let pressed = &mut self.pressed;
        self.detector.listen(&self.samples, |key| match key {
            InbandKey::Down(_) => *pressed = true,
            InbandKey::Up(key, held_ms) => {
                *pressed = false;
                let mut text = [0; 4];
                tell(key.encode_utf8(&mut text), Duration::from_millis(held_ms.into()).max(SHORTEST));
            }
        });
        self.pressed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 20 ms packets of these samples: the keys told, and how many packets were kept from the ear.
    fn hear(samples: &[i16]) -> (String, usize) {
        let (mut tones, mut keys, mut kept) = (KeyTones::default(), String::new(), 0);
        for packet in samples.chunks(160) {
            let audio = rtp::encode(Codec::Pcma, packet);
            kept += usize::from(tones.listen(Codec::Pcma, &audio, &mut |key, time| {
                assert!(time >= SHORTEST);
                keys.push_str(key);
            }));
        }
        (keys, kept)
    }

    #[test]
    fn keys_are_told_one_by_one_and_taken_out_of_the_audio() {
        let silence = vec![0; 800];
        let mut samples = silence.clone();
        for key in "43334#".chars() {
            samples.extend(rtp::key_tone(key, 960).unwrap());
            samples.extend(&silence);
        }
        let (keys, kept) = hear(&samples);
        assert_eq!(keys, "43334#");
        assert!((6 * 4..=6 * 7).contains(&kept), "{kept} packets of 36 with a tone");
    }

    #[test]
    fn other_sound_passes() {
        let sound: Vec<i16> = (0..16_000).map(|n: i32| ((n * 7919 % 20_011) - 10_000) as i16).collect();
        assert_eq!(hear(&sound), (String::new(), 0));
    }
}
