//! `mxone_certificate -import`: the .pfx is read here, so that the node gets a pair that is sound.

use crate::fault::Fault;
use ::net::tls::Credentials;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pbx::commands::{Command, MxoneCertificate, Secret};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Where files lie that are named without a path.
const FOLDER: &str = "certificates";
const LARGEST: u64 = 1 << 20;

/// The guide's 5.2.2 says in prose what to import: the line that it means.
pub(super) fn in_prose(text: &str) -> Option<Fault> {
    let mut words = text.split([' ', ',']).filter(|word| !word.is_empty());
    let name = words.next().filter(|name| name.eq_ignore_ascii_case("mxone_certificate"))?;
    if words.next().is_some_and(|word| word.starts_with('-')) {
        return None;
    }
    let file = text.split([' ', ',']).find(|word| [".pfx", ".p12"].iter().any(|end| word.ends_with(end)));
    let message = format!(
        "NOT ACCEPTED: {name}: write the line in full: mxone_certificate -import {} -password ...",
        file.unwrap_or("FILE.pfx")
    );
    let start = file.and_then(|file| text.find(file)).unwrap_or(0);
    Some(Fault::new(message, start..start + file.unwrap_or(name).len()))
}

/// The command that a .pfx makes.
pub(super) fn read(data: &Path, name: &str, password: &str) -> Result<Command, String> {
    let path = if Path::new(name).is_absolute() { PathBuf::from(name) } else { data.join(FOLDER).join(name) };
    let mut bytes = Vec::new();
    std::fs::File::open(&path)
        .and_then(|file| file.take(LARGEST).read_to_end(&mut bytes))
        .map_err(|error| format!("NOT ACCEPTED: file {name}: {} can't be read: {error}", path.display()))?;
    let credentials =
        Credentials::of_pkcs12(&path, &bytes, password).map_err(|error| format!("NOT ACCEPTED: {error}"))?;
    let certificate = credentials.chain().iter().map(|one| pem("CERTIFICATE", one)).collect();
    let key = Secret(pem("PRIVATE KEY", credentials.key()));
    let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(Command::MxoneCertificate(MxoneCertificate::Import { file, certificate, key }))
}

/// RFC 7468.
fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
