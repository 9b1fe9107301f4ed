//! `earcon certs`: a CA and certificates for a real installation.

use crate::cli::CertsCommand;
use crate::failure::Failure;
use lab::certificates::{Authority, Wish, pfx, request};
use net::tls::{CertificateInfo, authorities};
use std::path::{Path, PathBuf};

pub fn run(command: &CertsCommand) -> Result<(), Failure> {
    for file in made(command)? {
        println!("{}", file.display());
    }
    Ok(())
}

/// Makes what is asked for; the files.
fn made(command: &CertsCommand) -> Result<Vec<PathBuf>, Failure> {
    let authority = |folder: &Path| Authority::of(&folder.join("ca.crt"), &folder.join("ca.key"));
    match command {
        CertsCommand::Ca { name, folder } => {
            authority(folder).make(name).map_err(Failure::from_error)?;
            Ok(vec![folder.join("ca.crt"), folder.join("ca.key")])
        }
        CertsCommand::Issue { wish, days, password_file } => {
            let wanted = Wish { subject: &wish.name, names: &wish.names, days: *days };
            let issued = authority(&wish.folder).issue(&wish.folder, &wish.name, &wanted);
            let (certificate, key) = issued.map_err(Failure::from_error)?;
            let mut files = vec![certificate.clone(), key.clone()];
            if let Some(file) = password_file {
                let target = wish.folder.join(format!("{}.pfx", wish.name));
                pfx(&certificate, &key, &target, &password(file)?).map_err(Failure::from_error)?;
                files.push(target);
            }
            Ok(files)
        }
        CertsCommand::Request { wish } => {
            let wanted = Wish { subject: &wish.name, names: &wish.names, days: 0 };
            let (csr, key) = request(&wish.folder, &wish.name, &wanted).map_err(Failure::from_error)?;
            Ok(vec![csr, key])
        }
        CertsCommand::Sign { request, certificate, folder, days } => {
            authority(folder).sign(request, certificate, *days).map_err(Failure::from_error)?;
            Ok(vec![certificate.clone()])
        }
        CertsCommand::Pfx { certificate, key, pfx: target, password_file } => {
            pfx(certificate, key, target, &password(password_file)?).map_err(Failure::from_error)?;
            Ok(vec![target.clone()])
        }
        CertsCommand::Show { certificate } => {
            for der in authorities(certificate).map_err(Failure::from_error)? {
                let Some(info) = CertificateInfo::read(&der) else { continue };
                println!("subject  {}\nnames    {}\nissuer   {}", info.subject, info.names.join(", "), info.issuer);
                println!("expires  {}\n", info.end());
            }
            Ok(Vec::new())
        }
    }
}

/// Never on the command line, where all processes of the machine can see it.
fn password(file: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::new(format!("{} can't be read: {error}", file.display())))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
