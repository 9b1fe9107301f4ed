//! What server and helper write to each other: a length, then that many bytes of JSON, and behind a question its samples.

use super::{Grammar, Heard};
use serde::{Deserialize, Serialize};
use std::io::{self, ErrorKind, Read, Write};

/// Longest JSON part.
const MOST_BYTES: u32 = 1 << 20;
/// Longest utterance: 15 s at 8 kHz.
pub(super) const MOST_SAMPLES: usize = 120_000;

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Question {
    pub(super) grammar: Grammar,
    /// How many follow, 16 bits each, the lower byte first. None: get to know the grammar.
    pub(super) samples: usize,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Answer {
    /// The model is loaded: ask.
    Ready,
    /// There will be none.
    Missing(String),
    /// The grammar is known.
    Prepared,
    /// None: nothing of it.
    Heard(Option<(usize, bool)>),
}

impl Answer {
    pub(super) fn heard(heard: Heard) -> Answer {
        Answer::Heard(match heard {
            Heard::Phrase { phrase, sure } => Some((phrase, sure)),
            Heard::Unclear => None,
        })
    }
}

pub(super) fn write<T: Serialize>(to: &mut impl Write, message: &T, samples: &[i16]) -> io::Result<()> {
    let json = serde_json::to_vec(message)?;
    let length =
        u32::try_from(json.len()).ok().filter(|length| *length <= MOST_BYTES).ok_or(ErrorKind::InvalidInput)?;
    let mut bytes = Vec::with_capacity(4 + json.len() + samples.len() * 2);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&json);
    samples.iter().for_each(|sample| bytes.extend_from_slice(&sample.to_le_bytes()));
    to.write_all(&bytes)?;
    to.flush()
}

pub(super) fn read<T: for<'a> Deserialize<'a>>(from: &mut impl Read) -> io::Result<T> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length);
    if length > MOST_BYTES {
        return Err(ErrorKind::InvalidData.into());
    }
    let mut json = vec![0; length as usize];
    from.read_exact(&mut json)?;
    Ok(serde_json::from_slice(&json)?)
}

pub(super) fn read_samples(from: &mut impl Read, count: usize) -> io::Result<Vec<i16>> {
    if count > MOST_SAMPLES {
        return Err(ErrorKind::InvalidData.into());
    }
    let mut bytes = vec![0; count * 2];
    from.read_exact(&mut bytes)?;
    Ok(bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut pipe = Vec::new();
        write(&mut pipe, &Question { grammar: Grammar::new(["next"]), samples: 3 }, &[1, -2, 300]).unwrap();
        let mut from = pipe.as_slice();
        let question: Question = read(&mut from).unwrap();
        assert_eq!(question.grammar, Grammar::new(["next"]));
        assert_eq!(read_samples(&mut from, question.samples).unwrap(), [1, -2, 300]);
        assert!(from.is_empty());
    }

    #[test]
    fn lengths_that_no_peer_of_ours_writes_are_refused() {
        let mut long: &[u8] = &[0xff; 8];
        assert!(read::<Answer>(&mut long).is_err());
        assert!(read_samples(&mut [0_u8; 4].as_slice(), MOST_SAMPLES + 1).is_err());
    }
}
