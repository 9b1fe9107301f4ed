//! What TLS has against a PostgreSQL, in words that say what to mend.

use rustls::CertificateError as Certificate;
use sqlx::Error;
use std::io;
use std::path::PathBuf;

/// Whether the files that a URL names can be read: else it would look as if the server were away.
pub(crate) fn readable(files: &[(String, PathBuf)]) -> Result<(), Error> {
    for (parameter, file) in files {
        if let Err(error) = std::fs::File::open(file) {
            return Err(Error::Tls(format!("{parameter} {} can't be read: {error}", file.display()).into()));
        }
    }
    Ok(())
}

/// Other errors stay as they are.
pub(crate) fn explained(error: Error) -> Error {
    let reason = match &error {
        Error::Io(io) => of_io(io),
        Error::Tls(reason) if reason.to_string().contains("not support TLS") => Some(
            "it speaks no TLS: have ssl = on in its postgresql.conf, with a certificate; sslmode=prefer in the URL goes \
             without, which is for a network of one's own"
                .to_owned(),
        ),
        _ => None,
    };
    reason.map_or(error, |reason| Error::Tls(reason.into()))
}

fn of_io(error: &io::Error) -> Option<String> {
    let error = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    Some(match error {
        rustls::Error::InvalidCertificate(Certificate::UnknownIssuer) => {
            "its certificate is not signed by a CA that is believed here: name the file of the CA that signed it, \
             sslrootcert=FILE in the URL"
                .to_owned()
        }
        rustls::Error::InvalidCertificate(
            Certificate::NotValidForName | Certificate::NotValidForNameContext { .. },
        ) => "its certificate is for another name: write one of its names as host in the URL, or issue it for this one"
            .to_owned(),
        rustls::Error::InvalidCertificate(Certificate::Expired | Certificate::ExpiredContext { .. }) => {
            "its certificate has expired: renew it".to_owned()
        }
        error => error.to_string(),
    })
}
