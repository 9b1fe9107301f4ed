//! A running phone, as its owner holds it.

use crate::config::PhoneConfig;
use crate::event::PhoneEvent;
use crate::heard::Heard;
use crate::role::{Command, Own, PhoneRole};
use event::Sink;
use media::{Clip, Engine, EngineConfig};
use net::{InboxSender, Net, NetConfig};
use sip::flow::Listener;
use sip::{Endpoint, EndpointConfig, Headers, ListenerId, Uri};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// UDP ports of a phone's media.
const MEDIA_PORTS: std::ops::RangeInclusive<u16> = 40000..=49999;

/// Why a phone could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its address is no address of this machine, or has no free port.
    #[error(transparent)]
    Net(#[from] net::StartError),
    /// The media engine did not start.
    #[error(transparent)]
    Media(#[from] media::StartError),
    /// The system gives no thread.
    #[error("the phone's thread can't start: {0}")]
    Thread(std::io::Error),
}

/// A phone that runs until it is dropped; then it hangs up and unregisters.
pub struct Phone {
    inbox: InboxSender<Own>,
    events: Receiver<PhoneEvent>,
    thread: Option<JoinHandle<()>>,
    heard: Heard,
    address: SocketAddr,
    _engine: Engine,
}

impl Phone {
    pub fn start(config: PhoneConfig) -> Result<Phone, StartError> {
        Phone::start_watched(config, None)
    }

    /// Starts a phone whose SIP messages are told to `events`, as role `phone-<user>`: for a ladder.
    pub fn start_watched(config: PhoneConfig, events: Option<Arc<dyn Sink>>) -> Result<Phone, StartError> {
        let (sender, inbox) = net::inbox();
        let any = Listener {
            id: ListenerId(0),
            transport: config.transport,
            addr: SocketAddr::new(config.bind, config.port),
        };
        let mut net = NetConfig::new(format!("phone-{}", config.user), vec![any]);
        net.events = events;
        net.tls = config.tls.clone();
        let net = Net::start(net, sender.clone())?;
        let listeners = net.listeners().to_vec();
        let address = listeners.first().map_or(any.addr, |listener| listener.addr);
        let events_of_media = sender.clone();
        let engine = Engine::start(EngineConfig::new(config.bind, MEDIA_PORTS, config.seed), move |event| {
            events_of_media.own(Own::Media(event));
        })?;
        let mut endpoint = EndpointConfig::new(listeners, concat!("Earcon-phone/", env!("CARGO_PKG_VERSION")));
        endpoint.session_expires = None;
        let endpoint = Endpoint::new(endpoint, config.seed);
        let (tell, events) = channel();
        let heard = Heard::default();
        let (tapes, control) = (heard.clone(), engine.control());
        let name = format!("phone-{}", config.user);
        let thread = std::thread::Builder::new()
            .name(name)
            .spawn(move || {
                let mut role =
                    PhoneRole::new(config, endpoint, address, Box::new(control), tell, tapes, Instant::now());
                net::run(&mut role, inbox, net);
            })
            .map_err(StartError::Thread)?;
        Ok(Phone { inbox: sender, events, thread: Some(thread), heard, address, _engine: engine })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn call(&self, number: &str) {
        self.command(Command::Call(number.to_owned()));
    }

    /// Calls a URI as it stands, not by way of the PBX, with further headers (Diversion ...): as a trunk's far end does.
    pub fn call_at(&self, uri: Uri, headers: Headers) {
        self.command(Command::CallAt(uri, headers));
    }

    pub fn answer(&self) {
        self.command(Command::Answer);
    }

    /// Refuses the call that rings, with this status (486 busy, 603 declined ...).
    pub fn reject(&self, status: u16) {
        self.command(Command::Reject(status));
    }

    /// Sends the call that rings elsewhere: 302 with this Contact.
    pub fn redirect(&self, contact: &str) {
        self.command(Command::Redirect(contact.to_owned()));
    }

    pub fn hang_up(&self) {
        self.command(Command::HangUp);
    }

    /// Presses keys; a comma waits a second.
    pub fn press(&self, keys: &str) {
        self.command(Command::Keys(keys.to_owned()));
    }

    /// Plays in the call that is up, in place of what is playing; `Played` comes at its end.
    pub fn play(&self, clip: Arc<Clip>) {
        self.command(Command::Play(clip));
    }

    pub fn hold(&self) {
        self.command(Command::Hold(true));
    }

    pub fn resume(&self) {
        self.command(Command::Hold(false));
    }

    /// Blind transfer of the call to a number (REFER).
    pub fn transfer(&self, number: &str) {
        self.command(Command::Transfer(number.to_owned()));
    }

    /// The next event, waited for no longer than `limit`; `None`: nothing happened.
    pub fn next(&self, limit: Duration) -> Option<PhoneEvent> {
        self.events.recv_timeout(limit).ok()
    }

    /// Takes events until one is what is waited for; the others are dropped.
    pub fn wait_for(&self, limit: Duration, mut wanted: impl FnMut(&PhoneEvent) -> bool) -> Option<PhoneEvent> {
        let deadline = Instant::now() + limit;
        loop {
            let event = self.next(deadline.saturating_duration_since(Instant::now()))?;
            if wanted(&event) {
                return Some(event);
            }
        }
    }

    /// What was heard in the calls that are over, to their last words: linear samples, 8 kHz.
    pub fn heard(&self) -> Vec<i16> {
        self.heard.samples()
    }

    /// What was heard up to this moment in all calls, without the first `start` samples: for who listens along.
    pub fn heard_from(&self, start: usize) -> Vec<i16> {
        self.heard.samples_from(start)
    }

    fn command(&self, command: Command) {
        self.inbox.own(Own::Command(command));
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        self.command(Command::Quit);
        if let Some(thread) = self.thread.take() {
            // A phone whose thread panicked has nothing left to hang up.
            let _ = thread.join();
        }
    }
}
