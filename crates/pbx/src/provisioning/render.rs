//! What stands in the files. docs/provisioning.md lists the keys.

use super::file::{File, Form};
use super::lines::Lines;
use super::mac::Mac;
use super::{ProvisioningConfig, ServerAddress};
use crate::configuration::Configuration;
use serde_json::{Value, json};
use std::net::SocketAddr;

/// Seconds after which a phone renews its subscription to its lamp.
const MWI_PERIOD: u32 = 3600;
/// Seconds that a phone asks its registration to last.
const REGISTRATION_PERIOD: u32 = 3600;

/// What the node knows that stands in every file.
pub(super) struct Site<'a> {
    pub config: &'a ProvisioningConfig,
    pub configuration: &'a Configuration,
    pub domain: &'a str,
    /// Where the phones register.
    pub sip: SocketAddr,
}

/// One phone, and what it has to know.
pub(super) struct Phone<'a> {
    pub mac: &'a Mac,
    pub extension: &'a str,
    pub name: &'a str,
    /// `None`: this request may not have them.
    pub secrets: Option<Secrets>,
}

pub(super) struct Secrets {
    pub password: String,
    pub token: String,
}

impl Site<'_> {
    /// What phones dial for voice mail: set for them all, else what the trunks' lamps belong to (`sip_route -mwinumber`).
    fn voice_mail(&self) -> Option<&str> {
        let routes = self.configuration.routes.values().filter_map(|route| route.sip.as_ref());
        self.config.voice_mail.as_deref().or_else(|| routes.filter_map(|sip| sip.mwinumber.as_deref()).next())
    }

    /// `aastra.cfg`: what all phones share. Nothing in it is secret.
    pub fn common(&self) -> String {
        let mut lines = Lines::default();
        let config = self.config;
        for role in ["proxy", "registrar"] {
            lines.set(&format!("sip {role} ip"), self.sip.ip());
            lines.set(&format!("sip {role} port"), self.sip.port());
        }
        if let Some(ServerAddress { host, port }) = &config.backup {
            for role in ["proxy", "registrar"] {
                lines.set(&format!("sip backup {role} ip"), host);
                lines.set(&format!("sip backup {role} port"), port);
            }
        }
        // 1: UDP, 2: TCP.
        lines.set("sip transport protocol", if config.tcp { 2 } else { 1 });
        lines.set("sip registration period", REGISTRATION_PERIOD);
        if let Some(number) = self.voice_mail() {
            lines.set("sip line1 vmail", number);
        }
        lines.set("sip explicit mwi subscription", 1);
        lines.set("sip explicit mwi subscription period", MWI_PERIOD);
        let codecs: Vec<String> = config
            .codecs
            .iter()
            .map(|codec| format!("payload={};ptime=20;silsupp=off", if codec == "PCMU" { 0 } else { 8 }))
            .collect();
        lines.set("sip customized codec", codecs.join(","));
        lines.set("sip silence suppression", 0);
        // RFC 4733 events: out of band, method 0 is RTP.
        lines.set("sip out-of-band dtmf", 1);
        lines.set("sip dtmf method", 0);
        lines.set("sip diversion display", 1);
        if let Some(plan) = &config.dial_plan {
            lines.set("sip dial plan", plan);
            lines.set("sip dial plan terminator", 1);
        }
        match &config.time_server {
            Some(server) => {
                lines.set("time server disabled", 0);
                lines.set("time server1", server);
            }
            None => lines.set("time server disabled", 1),
        }
        self.finish("what all phones share", &File::Common, lines)
    }

    pub fn model(&self, model: &'static str) -> String {
        self.finish(&format!("all {model}"), &File::Model(model), Lines::default())
    }

    /// `<mac>.cfg`: one phone.
    fn aastra(&self, phone: &Phone<'_>) -> String {
        let mut lines = Lines::default();
        let name = if phone.name.is_empty() { phone.extension } else { phone.name };
        lines.set("sip line1 user name", phone.extension);
        lines.set("sip line1 auth name", phone.extension);
        lines.set("sip line1 screen name", name);
        lines.set("sip line1 screen name 2", phone.extension);
        lines.set("sip line1 display name", name);
        let mut about = format!("phone {} of extension {}", phone.mac, phone.extension);
        match &phone.secrets {
            Some(secrets) => {
                lines.set("sip line1 password", &secrets.password);
                // At its next start the phone comes with its token, over HTTPS where there is some.
                let (protocol, port) = match (self.config.https_port, self.config.http_port) {
                    (Some(port), _) => ("https", port),
                    (None, Some(port)) => ("http", port),
                    (None, None) => return self.finish(&about, &phone.file(Form::Aastra), lines),
                };
                lines.set("download protocol", protocol.to_ascii_uppercase());
                lines.set(&format!("{protocol} server"), &self.config.host);
                lines.set(&format!("{protocol} port"), port);
                lines.set(&format!("{protocol} path"), &secrets.token);
            }
            None => about.push_str(", without its password: that is given over HTTPS only"),
        }
        self.finish(&about, &phone.file(Form::Aastra), lines)
    }

    /// A file's own lines, then the administrator's (`ip_phone_parameter`), which win.
    fn finish(&self, about: &str, file: &File, mut lines: Lines) -> String {
        if let Some(parameters) = self.configuration.phone_parameters.get(&file.name()) {
            for (key, value) in parameters {
                lines.set(key, value);
            }
        }
        format!("# Earcon: {about}. Written when it is fetched; docs/provisioning.md says what changes it.\n{lines}")
    }

    /// The form for phones of other makes: a flat object.
    fn generic(&self, phone: &Phone<'_>) -> Value {
        let config = self.config;
        let mut fields = json!({
            "mac": phone.mac.as_str(),
            "extension": phone.extension,
            "display_name": phone.name,
            "domain": self.domain,
            "auth_name": phone.extension,
            "registrar_host": self.sip.ip().to_string(),
            "registrar_port": self.sip.port(),
            "transport": if config.tcp { "tcp" } else { "udp" },
            "registration_period_s": REGISTRATION_PERIOD,
            "mwi_subscription": true,
            "mwi_subscription_period_s": MWI_PERIOD,
            "codecs": config.codecs.join(","),
            "dtmf": "rfc4733",
        });
        let mut set = |name: &str, value: Option<Value>| {
            if let (Some(fields), Some(value)) = (fields.as_object_mut(), value) {
                fields.insert(name.into(), value);
            }
        };
        set("password", phone.secrets.as_ref().map(|secrets| json!(secrets.password)));
        set("backup_host", config.backup.as_ref().map(|backup| json!(backup.host)));
        set("backup_port", config.backup.as_ref().map(|backup| json!(backup.port)));
        set("voice_mail", self.voice_mail().map(|number| json!(number)));
        set("time_server", config.time_server.as_ref().map(|server| json!(server)));
        fields
    }

    /// A phone's file: its type, and its text.
    pub fn phone(&self, phone: &Phone<'_>, form: Form) -> (&'static str, String) {
        match form {
            Form::Aastra => ("text/plain; charset=utf-8", self.aastra(phone)),
            Form::Json => ("application/json", format!("{:#}\n", self.generic(phone))),
            Form::Text => ("text/plain; charset=utf-8", key_value(&self.generic(phone))),
        }
    }
}

impl Phone<'_> {
    fn file(&self, form: Form) -> File {
        File::Phone(self.mac.clone(), form)
    }
}

/// `key=value`, a line each, nothing quoted: a value goes to the end of its line.
fn key_value(fields: &Value) -> String {
    let mut text = String::new();
    for (key, value) in fields.as_object().into_iter().flatten() {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        // Names can't hold control characters (they are checked where they are set); a line here can't either.
        let value: String = value.chars().filter(|c| !c.is_control()).collect();
        text.push_str(&format!("{key}={value}\n"));
    }
    text
}
