//! Speech to send, and a measure of how well it arrived.

use std::path::Path;
use std::process::Command;

/// Real speech (espeak-ng) of at least `seconds`, 8 kHz samples, with level kept off clipping.
pub fn speech(seconds: u32) -> Vec<i16> {
    let mut text = String::new();
    let mut samples = Vec::new();
    let wanted = seconds as usize * 8000;
    while samples.len() < wanted {
        text.push_str("The quick brown fox jumps over the lazy dog, and 43334 is the number of the voice mail. ");
        let wav = Command::new("sh")
            .arg("-c")
            .arg("espeak-ng -v en --stdout \"$1\" | sox -q -t wav - -t raw -r 8000 -e signed -b 16 -c 1 - gain -n -6")
            .args(["sh", &text])
            .output()
            .unwrap();
        samples = wav.stdout.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect();
        assert!(!samples.is_empty(), "{}", String::from_utf8_lossy(&wav.stderr));
    }
    samples.truncate(wanted);
    samples
}

/// What one of flite's voices says (`rms`, `slt`, …), 8 kHz samples.
pub fn spoken_by(voice: &str, text: &str) -> Vec<i16> {
    let folder = crate::process::Scratch::new("flite");
    let (wide, narrow) = (folder.file("wide.wav"), folder.file("narrow.wav"));
    let run = |command: &mut Command| assert!(command.status().unwrap().success(), "{command:?}");
    run(Command::new("flite").args(["-voice", voice, "-t", text, "-o"]).arg(&wide));
    run(Command::new("sox")
        .arg("-q")
        .arg(&wide)
        .args(["-r", "8000", "-b", "16", "-c", "1"])
        .arg(&narrow)
        .args(["gain", "-n", "-6"]));
    decode(&std::fs::read(narrow).unwrap())
}

/// A tone, 8 kHz samples.
pub fn tone(hertz: f64, seconds: u32) -> Vec<i16> {
    sines(&[hertz], 8000 * seconds as usize)
}

/// What an analog phone sends for these keys: 100 ms of two frequencies each (ITU-T Q.23), 100 ms apart.
pub fn dtmf(keys: &str) -> Vec<i16> {
    const ROWS: [&str; 4] = ["123A", "456B", "789C", "*0#D"];
    let mut samples = Vec::new();
    for key in keys.chars() {
        let row = ROWS.iter().position(|row| row.contains(key)).unwrap();
        let column = ROWS[row].find(key).unwrap();
        samples.extend(sines(&[[697.0, 770.0, 852.0, 941.0][row], [1209.0, 1336.0, 1477.0, 1633.0][column]], 800));
        samples.extend([0; 800]);
    }
    samples
}

/// Sines that together stay off clipping.
fn sines(hertz: &[f64], samples: usize) -> Vec<i16> {
    let at =
        |n: usize| hertz.iter().map(|hertz| (n as f64 * hertz * std::f64::consts::TAU / 8000.0).sin()).sum::<f64>();
    (0..samples).map(|n| (at(n) * 9000.0 / hertz.len() as f64) as i16).collect()
}

pub fn write_wav(path: &Path, samples: &[i16]) {
    let data = samples.len() as u32 * 2;
    let mut wav = Vec::with_capacity(44 + data as usize);
    wav.extend_from_slice(b"RIFF");
    wav.extend_from_slice(&(36 + data).to_le_bytes());
    wav.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wav.extend_from_slice(&8000u32.to_le_bytes());
    wav.extend_from_slice(&16000u32.to_le_bytes());
    wav.extend_from_slice(b"\x02\0\x10\0data");
    wav.extend_from_slice(&data.to_le_bytes());
    wav.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    std::fs::write(path, wav).unwrap();
}

/// Any audio file that sox reads (a stored message's WAV among them) as 8 kHz samples.
pub fn decode(wav: &[u8]) -> Vec<i16> {
    let path = std::env::temp_dir().join(format!(
        "earcon-decode-{}-{:?}.wav",
        std::process::id(),
        std::thread::current().id()
    ));
    std::fs::write(&path, wav).unwrap();
    let raw = Command::new("sox")
        .arg("-q")
        .arg(&path)
        .args(["-t", "raw", "-r", "8000", "-e", "signed", "-b", "16", "-c", "1", "-"])
        .output()
        .unwrap();
    let _ = std::fs::remove_file(&path);
    assert!(raw.status.success(), "{}", String::from_utf8_lossy(&raw.stderr));
    raw.stdout.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
}

/// A-law or mu-law bytes of `samples`, made by sox.
pub fn g711(samples: &[i16], law: &str) -> Vec<u8> {
    let path =
        std::env::temp_dir().join(format!("earcon-g711-{}-{:?}.wav", std::process::id(), std::thread::current().id()));
    write_wav(&path, samples);
    let raw = Command::new("sox").arg("-q").arg(&path).args(["-t", law, "-"]).output().unwrap();
    let _ = std::fs::remove_file(&path);
    assert_eq!(raw.stdout.len(), samples.len(), "{}", String::from_utf8_lossy(&raw.stderr));
    raw.stdout
}

/// A-law bytes as samples (G.711).
pub fn from_alaw(bytes: &[u8]) -> Vec<i16> {
    let sample = |byte: &u8| {
        let bits = i16::from(byte ^ 0x55);
        let (segment, step) = ((bits >> 4) & 7, bits & 15);
        let size = if segment == 0 { (step << 4) + 8 } else { ((step << 4) + 0x108) << (segment - 1) };
        if bits & 0x80 == 0 { -size } else { size }
    };
    bytes.iter().map(sample).collect()
}

/// The best normalised correlation (-1 to 1) of `sent` within `got`, and the shift in samples at which it is found
/// (positive: `got` starts earlier than `sent`). Looked for within two seconds either way.
pub fn correlation(sent: &[i16], got: &[i16]) -> (f64, isize) {
    const WINDOW: isize = 16_000;
    // A coarse search on every eighth sample, then a fine one around the best place.
    let coarse = (-WINDOW..=WINDOW).step_by(4).map(|shift| (correlate(sent, got, shift, 8), shift));
    let near = coarse.max_by(|a, b| a.0.total_cmp(&b.0)).map_or(0, |(_, shift)| shift);
    (near - 8..=near + 8)
        .map(|shift| (correlate(sent, got, shift, 1), shift))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .unwrap()
}

fn correlate(sent: &[i16], got: &[i16], shift: isize, step: usize) -> f64 {
    let (mut both, mut a2, mut b2, mut compared) = (0.0, 0.0, 0.0, 0);
    for n in (0..sent.len()).step_by(step) {
        let Some(b) = usize::try_from(n as isize + shift).ok().and_then(|at| got.get(at)) else { continue };
        let (a, b) = (f64::from(sent[n]), f64::from(*b));
        compared += step;
        both += a * b;
        a2 += a * a;
        b2 += b * b;
    }
    // Few samples at an edge are alike by chance, one always.
    if a2 == 0.0 || b2 == 0.0 || compared < sent.len() / 2 { 0.0 } else { both / (a2 * b2).sqrt() }
}

/// A prompt of the server's as it is shipped, by the beginning of its words (`i-found-nobody`), as 8 kHz samples.
pub fn prompt(words: &str) -> Vec<i16> {
    let folder = crate::process::repository().join("prompts/en");
    let files = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let named =
        |path: &std::path::PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(words));
    let file = files.filter(named).min().unwrap_or_else(|| panic!("no prompt begins with {words}"));
    decode(&std::fs::read(file).unwrap())
}

/// How alike the first second of `wanted` is to the most similar place of `heard`: 0 to 1.
pub fn likeness(wanted: &[i16], heard: &[i16]) -> f64 {
    const STEP: usize = 24_000;
    let wanted = &wanted[..wanted.len().min(8000)];
    (0..heard.len())
        .step_by(STEP)
        .map(|at| correlation(wanted, &heard[at..heard.len().min(at + STEP + wanted.len() + 16_000)]).0)
        .fold(0.0, f64::max)
}

/// Root mean square level in dB relative to full scale.
pub fn level_db(samples: &[i16]) -> f64 {
    let power: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / samples.len().max(1) as f64;
    10.0 * (power.max(1e-9) / f64::from(i16::MAX).powi(2)).log10()
}

/// How much of the power of `samples` (8 kHz) is at `hertz`: 0 to 1.
pub fn tone_share(samples: &[i16], hertz: f64) -> f64 {
    let (mut cosine, mut sine, mut power) = (0.0, 0.0, 0.0);
    for (n, sample) in samples.iter().enumerate() {
        let (value, angle) = (f64::from(*sample), n as f64 * hertz * std::f64::consts::TAU / 8000.0);
        cosine += value * angle.cos();
        sine += value * angle.sin();
        power += value * value;
    }
    if power == 0.0 { 0.0 } else { 2.0 * (cosine * cosine + sine * sine) / (samples.len() as f64 * power) }
}
