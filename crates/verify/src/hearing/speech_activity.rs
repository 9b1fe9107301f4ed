//! That somebody said something, where nobody knows what it would be.

/// Samples looked at at once: 20 ms.
const FRAME: usize = 160;
/// Root mean square of a frame with sound in it: about -40 dBm0.
const SOUND: f64 = 160.0;
/// Sound that makes an utterance: 600 ms.
const UTTERANCE: usize = 30;
/// Quiet that ends it: 700 ms.
const PAUSE: usize = 35;

/// The end of the first utterance after `from`, once it is followed by quiet.
pub(crate) fn said_something(heard: &[i16], from: usize) -> Option<usize> {
    let (mut loud, mut quiet) = (0, 0);
    for (number, frame) in heard.get(from..)?.chunks_exact(FRAME).enumerate() {
        let power = frame.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / FRAME as f64;
        if power.sqrt() > SOUND {
            loud += 1;
            quiet = 0;
        } else {
            quiet += 1;
        }
        if loud >= UTTERANCE && quiet >= PAUSE {
            return Some(from + number * FRAME);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_utterance_ends_with_quiet() {
        let speech = [vec![0; 8_000], vec![2_000; 8_000], vec![0; 8_000]].concat();
        let end = said_something(&speech, 0).unwrap();
        assert!((16_000..24_000).contains(&end));
        assert_eq!(said_something(&speech[..17_000], 0), None, "it may go on");
        assert_eq!(said_something(&vec![50; 40_000], 0), None, "a noisy line says nothing");
    }
}
