//! A certificate authority for tests, and what it can issue: sound certificates and every kind of bad one.
#![allow(dead_code)] // each test file uses its own part

use event::{Event, Now, Sink, TlsProblem};
use net::NetConfig;
use net::tls::{ClientCertificate, Credentials, Tls, TlsFiles};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use rustls::pki_types::CertificateDer;
use sip::flow::{Listener, Transport};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

pub struct Authority {
    pub certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

/// What a certificate is issued with.
pub struct Wish {
    pub names: Vec<String>,
    pub years: (i32, i32),
}

impl Wish {
    pub fn of(names: &[&str]) -> Wish {
        Wish { names: names.iter().map(|name| (*name).to_owned()).collect(), years: (2020, 2099) }
    }
}

impl Authority {
    pub fn new(name: &str) -> Authority {
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        parameters.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.self_signed(&key).unwrap().der().clone();
        Authority { certificate, issuer: Issuer::new(parameters, key) }
    }

    pub fn issue(&self, wish: &Wish) -> Credentials {
        let key = KeyPair::generate().unwrap();
        let pem = parameters(wish).signed_by(&key, &self.issuer).unwrap().pem();
        credentials(&pem, &key)
    }
}

pub fn self_signed(wish: &Wish) -> Credentials {
    let key = KeyPair::generate().unwrap();
    let pem = parameters(wish).self_signed(&key).unwrap().pem();
    credentials(&pem, &key)
}

fn parameters(wish: &Wish) -> CertificateParams {
    let mut parameters = CertificateParams::new(wish.names.clone()).unwrap();
    (parameters.not_before, parameters.not_after) =
        (date_time_ymd(wish.years.0, 1, 1), date_time_ymd(wish.years.1, 1, 1));
    // As an enterprise CA issues them for servers: for no other use.
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    parameters
}

fn credentials(pem: &str, key: &KeyPair) -> Credentials {
    let files = TlsFiles { certificate: "test.crt".into(), key: "test.key".into() };
    Credentials::of_pem(&files, pem.as_bytes(), key.serialize_pem().as_bytes()).unwrap()
}

/// A role's TLS: what it shows, and whom it believes.
pub fn tls(clients: ClientCertificate, shows: Option<Credentials>, believes: &[&Authority]) -> Tls {
    let tls = Tls::new(clients, &[]).unwrap();
    let trusted = believes.iter().map(|authority| authority.certificate.clone()).collect();
    tls.set_imported(shows, trusted, "test").unwrap();
    tls
}

/// What a node's net has told.
#[derive(Default)]
pub struct Told(Mutex<Vec<Event>>);

impl Sink for Told {
    fn emit(&self, _: Now, event: Event) {
        self.0.lock().unwrap().push(event);
    }

    fn listens(&self) -> bool {
        false
    }
}

impl Told {
    pub fn all<T>(&self, pick: impl Fn(&Event) -> Option<T>) -> Vec<T> {
        self.0.lock().unwrap().iter().filter_map(pick).collect()
    }

    /// Handshakes that were done: whether each was resumed.
    pub fn handshakes(&self) -> Vec<bool> {
        self.all(|event| match event {
            Event::TlsConnected { resumed, .. } => Some(*resumed),
            _ => None,
        })
    }

    pub fn failures(&self) -> Vec<(TlsProblem, String)> {
        self.all(|event| match event {
            Event::TlsFailed { problem, reason, .. } => Some((*problem, reason.clone())),
            _ => None,
        })
    }

    /// Waits for a failure, and gives its sentence.
    pub fn failure(&self, problem: TlsProblem) -> String {
        let until = Instant::now() + super::PATIENCE;
        loop {
            if let Some((_, reason)) = self.failures().into_iter().find(|(found, _)| *found == problem) {
                return reason;
            }
            assert!(Instant::now() < until, "no {problem:?}, but {:?}", self.failures());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Listeners for TCP and TLS on this address.
pub fn secure(ip: &str, tls: Tls) -> (NetConfig, Arc<Told>) {
    let told = Arc::new(Told::default());
    let addr = format!("{ip}:0").parse().unwrap();
    let listeners = [Transport::Tls, Transport::Tcp].map(|transport| Listener { id: super::LISTENER, transport, addr });
    let mut config = NetConfig::new("test", listeners.into());
    config.tls = Some(tls);
    config.events = Some(told.clone());
    (config, told)
}
