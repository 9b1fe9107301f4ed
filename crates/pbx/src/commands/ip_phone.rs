use super::{Answer, Command, CommandError, Outcome, check};
use crate::authentication::Vault;
use crate::configuration::{Configuration, Edit, PhoneEntry};
use crate::provisioning::{Mac, model, password_context, token_context};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::{self, Debug, Formatter};

/// `ip_phone -i | -c | -e | -p`: a phone that is configured by its hardware address, with a SIP password of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum IpPhone {
    Initiate(IpPhoneSet),
    Change(IpPhoneSet),
    End {
        mac: String,
    },
    /// All phones, those of an extension, or one.
    Print {
        #[serde(default)]
        dir: Option<String>,
        #[serde(default)]
        mac: Option<String>,
    },
}

#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IpPhoneSet {
    /// Hardware address: `00085D123456`, `00:08:5d:12:34:56`, `0008.5d12.3456`.
    pub mac: String,
    /// `-d`: the extension that it registers as.
    pub dir: Option<String>,
    /// Kept and printed: `6867i`, or any name for other makes.
    pub model: Option<String>,
    /// The phone's SIP password, 2 to 64 characters; without it a random one. Kept sealed with the key file.
    pub auth_code: Option<String>,
    /// The token to prove itself by, 32 hexadecimal digits, as `export` writes it; without it a random one.
    pub token: Option<String>,
    /// A new token, and unless one is given a new password: what the phone has is worth nothing then.
    pub renew: Option<bool>,
    /// Minutes, 1 to 1440, within which the first that fetches the phone's file is taken for the phone.
    pub window: Option<u32>,
}

/// Logs and traces of commands must not show the secret.
impl Debug for IpPhoneSet {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("IpPhoneSet").field("mac", &self.mac).field("dir", &self.dir).finish_non_exhaustive()
    }
}

/// Bytes of a token: nobody guesses 128 bits.
const TOKEN: usize = 16;
/// Bytes of a password that is made here.
const PASSWORD: usize = 12;

impl IpPhone {
    /// The phone and the minutes of the window that the command opens, if it does.
    pub(crate) fn window(&self) -> Option<(Mac, u32)> {
        match self {
            IpPhone::Initiate(set) | IpPhone::Change(set) => Some((Mac::parse(&set.mac)?, set.window?)),
            IpPhone::End { .. } | IpPhone::Print { .. } => None,
        }
    }

    pub(super) fn run(self, configuration: &Configuration, vault: &Vault) -> Outcome {
        match self {
            IpPhone::Initiate(set) => {
                let mac = mac(&set.mac)?;
                if let Some(known) = configuration.phones.get(mac.as_str()) {
                    let mend = format!("it is a phone of {}: change it with ip_phone -c", known.dir);
                    return Err(CommandError::already_assigned("mac", mac, &mend));
                }
                if set.dir.is_none() {
                    return Err(CommandError::missing("d", "give the extension that the phone registers as"));
                }
                fill(configuration, vault, mac, set, None)
            }
            IpPhone::Change(set) => {
                let mac = mac(&set.mac)?;
                let Some(old) = configuration.phones.get(mac.as_str()) else { return Err(not_assigned(&mac)) };
                fill(configuration, vault, mac, set, Some(old.clone()))
            }
            IpPhone::End { mac: text } => {
                let mac = mac(&text)?;
                if !configuration.phones.contains_key(mac.as_str()) {
                    return Err(not_assigned(&mac));
                }
                let note = "its password is worth nothing from now on; what it has registered ends when it expires";
                let answer = Answer::Done { notes: vec![note.into()] };
                Ok((phone_ended(configuration, mac.as_str()), answer))
            }
            IpPhone::Print { dir, mac: text } => {
                if let Some(dir) = &dir {
                    check::extension(configuration, "d", dir)?;
                }
                let one = text.map(|text| mac(&text)).transpose()?;
                if let Some(mac) = &one
                    && !configuration.phones.contains_key(mac.as_str())
                {
                    return Err(not_assigned(mac));
                }
                let rows = configuration
                    .phones
                    .iter()
                    .filter(|(known, _)| one.as_ref().is_none_or(|mac| mac.as_str() == *known))
                    .filter(|(_, entry)| dir.as_ref().is_none_or(|dir| *dir == entry.dir))
                    .map(|(mac, entry)| vec![mac.clone(), entry.dir.clone(), entry.model.clone(), "********".into()]);
                Ok((Vec::new(), Answer::table("", &["Mac", "Dir", "Model", "AuthCode"], rows.collect())))
            }
        }
    }
}

/// What ending a phone takes along.
pub(super) fn phone_ended(configuration: &Configuration, mac: &str) -> Vec<Edit> {
    let file = format!("{mac}.cfg");
    let lines = configuration.phone_parameters.contains_key(&file);
    let lines = lines.then(|| Edit::PhoneParameters(file, BTreeMap::new()));
    std::iter::once(Edit::Phone(mac.to_owned(), None)).chain(lines).collect()
}

fn mac(text: &str) -> Result<Mac, CommandError> {
    if text.is_empty() {
        return Err(CommandError::missing("mac", "give the phone's hardware address, such as 00085D123456"));
    }
    Mac::parse(text).ok_or_else(|| {
        CommandError::invalid("mac", text, "give twelve hexadecimal digits, such as 00085D123456 or 00:08:5d:12:34:56")
    })
}

fn not_assigned(mac: &Mac) -> CommandError {
    CommandError::not_assigned("mac", mac, "initiate the phone with ip_phone -i first")
}

fn fill(configuration: &Configuration, vault: &Vault, mac: Mac, set: IpPhoneSet, old: Option<PhoneEntry>) -> Outcome {
    let new = old.is_none();
    let renew = set.renew.unwrap_or_default();
    let mut entry = old.unwrap_or_default();
    if let Some(dir) = set.dir {
        let extension = check::extension(configuration, "d", &dir)?;
        if !extension.ip {
            return Err(CommandError::not_assigned("d", dir, "let it register by SIP with ip_extension -i first"));
        }
        let others = configuration.phones.iter().filter(|(known, phone)| *known != mac.as_str() && phone.dir == dir);
        if others.count() >= extension.max_terminals as usize {
            let mend = "it has as many phones as --max-terminals lets it have: extension -c changes that";
            return Err(CommandError::in_use("d", dir, mend));
        }
        entry.dir = dir;
    }
    if let Some(name) = set.model {
        let name = check::text("model", &name, 20)?;
        entry.model = model(&name).map_or(name, str::to_owned);
    }
    if let Some(minutes) = set.window {
        check::within("window", Some(minutes), 0, 1..=1440)?;
    }
    let not_kept = |error: state::KeyFileError| CommandError::NotKept { reason: error.to_string() };
    let mut notes = Vec::new();
    if let Some(password) = set.auth_code {
        // The form of Mitel's files can't write a double quote, or a space at either end.
        let writable = password.trim() == password && !password.chars().any(|c| c.is_control() || c == '"');
        if !(2..=64).contains(&password.chars().count()) || !writable {
            // The value itself stays out of answers and logs.
            let mend = "give 2 to 64 characters, no double quote, and no space at either end";
            return Err(CommandError::invalid("auth-code", "", mend));
        }
        entry.password = vault.hide(&password_context(&mac), &password).map_err(not_kept)?;
    } else if new || renew {
        let password = state::random_hex(PASSWORD).map_err(not_kept)?;
        entry.password = vault.hide(&password_context(&mac), &password).map_err(not_kept)?;
    }
    if let Some(token) = set.token {
        if token.len() != 2 * TOKEN || !token.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(CommandError::invalid(
                "token",
                "",
                "give 32 hexadecimal digits, or leave it out for a random one",
            ));
        }
        entry.token = vault.hide(&token_context(&mac), &token).map_err(not_kept)?;
    } else if new || renew {
        let token = state::random_hex(TOKEN).map_err(not_kept)?;
        notes.push(format!(
            "its token, shown this once: {token} (the path on the provisioning server, or the password of user {mac})"
        ));
        entry.token = vault.hide(&token_context(&mac), &token).map_err(not_kept)?;
    }
    if let Some(minutes) = set.window {
        notes.push(format!("the first that fetches its file within {minutes} minutes is taken for the phone"));
    }
    Ok((vec![Edit::Phone(mac.to_string(), Some(Box::new(entry)))], Answer::Done { notes }))
}

/// The phones with their secrets, and a sentence for each that can't be told.
pub(super) fn export(configuration: &Configuration, vault: &Vault) -> (Vec<Command>, Vec<String>) {
    let (mut commands, mut notes) = (Vec::new(), Vec::new());
    for (text, entry) in &configuration.phones {
        let secrets = Mac::parse(text).and_then(|mac| {
            let password = vault.reveal(&password_context(&mac), &entry.password)?;
            Some((password, vault.reveal(&token_context(&mac), &entry.token)?))
        });
        let Some((password, token)) = secrets else {
            notes
                .push(format!("Phone {text} is left out: its secrets were sealed by another key file. Enter it anew."));
            continue;
        };
        commands.push(Command::IpPhone(IpPhone::Initiate(IpPhoneSet {
            mac: text.clone(),
            dir: Some(entry.dir.clone()),
            model: Some(entry.model.clone()).filter(|model| !model.is_empty()),
            auth_code: Some(password),
            token: Some(token),
            renew: None,
            window: None,
        })));
    }
    (commands, notes)
}
