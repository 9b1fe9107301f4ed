//! Puts the catalogues and their rendered audio into the binary, so that one file is enough to answer calls.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// The folders under `prompts/`.
const LANGUAGES: [&str; 2] = ["en", "sv"];

fn main() -> io::Result<()> {
    let home = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let mut source = String::new();
    for language in LANGUAGES {
        let prompts = Path::new(&home).join("../../prompts").join(language).canonicalize()?;
        println!("cargo::rerun-if-changed={}", prompts.display());
        let mut files: Vec<PathBuf> =
            fs::read_dir(&prompts)?.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
        files.sort();
        for (name, extension, include) in [("CATALOGUE", "ftl", "include_str"), ("AUDIO", "wav", "include_bytes")] {
            let kind = if extension == "ftl" { "&str" } else { "&[u8]" };
            let language = language.to_ascii_uppercase();
            let _ = writeln!(source, "pub(crate) static {language}_{name}: &[(&str, {kind})] = &[");
            for file in files.iter().filter(|file| file.extension().is_some_and(|e| e == extension)) {
                let stem = file.file_stem().unwrap_or_default().to_string_lossy();
                let _ = writeln!(source, "    ({stem:?}, {include}!({:?})),", file.display().to_string());
                println!("cargo::rerun-if-changed={}", file.display());
            }
            source.push_str("];\n");
        }
    }
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    fs::write(Path::new(&out).join("prompts.rs"), source)
}
