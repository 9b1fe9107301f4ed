use super::verb::{Thing, Verb};
use super::{Command, CommandError, Outcome, check};
use crate::authentication::Vault;
use crate::configuration::{AuthEntry, Configuration, ExtensionEntry, HashType};
use serde::{Deserialize, Serialize};
use sip::digest::Ha1;
use std::fmt::{self, Debug, Formatter};

/// `auth_code -i | -c | -e | -p`: the secret with which an extension's phones register.
pub type AuthCode = Verb<AuthCodeSet>;

#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuthCodeSet {
    pub dir: String,
    pub csp: Option<u32>,
    pub cil: Option<String>,
    pub customer: Option<u32>,
    /// What phones are asked for: `md5a1` (default), `sha256a1`, or `any` of them. HA1 is kept for both.
    pub hash_type: Option<String>,
    /// The SIP password, 2 to 64 characters. Only its hashes are kept, sealed with the key file.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub auth_code: String,
    /// Instead of the password, what is kept of it (as `export` writes it): HA1 of MD5, 32 hexadecimal digits ...
    pub ha1_md5: Option<String>,
    /// ... and of SHA-256, 64 of them ...
    pub ha1_sha256: Option<String>,
    /// ... and the domain that they were made for, which must be this node's.
    pub realm: Option<String>,
}

/// Logs and traces of commands must not show the secret.
impl Debug for AuthCodeSet {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthCodeSet").field("dir", &self.dir).field("cil", &self.cil).finish_non_exhaustive()
    }
}

const AUTH_CODE: Thing = Thing {
    command: "auth_code",
    parameter: "d",
    called: "authorisation code",
    columns: &["Cil", "Csp", "Cust", "HashType", "AuthCode"],
    row: |entry| {
        let auth = entry.auth.as_ref()?;
        // Who has a code is printed, never the code.
        let (hash_type, hidden) = (auth.hash_type.name().to_owned(), "********".to_owned());
        Some(vec![auth.cil.clone(), auth.csp.to_string(), auth.customer.to_string(), hash_type, hidden])
    },
    remove: |entry| entry.auth = None,
};

impl Verb<AuthCodeSet> {
    pub(super) fn run(self, configuration: &Configuration, vault: &Vault) -> Outcome {
        self.run_on(&AUTH_CODE, configuration, |set| &set.dir, |set, entry| fill(vault, set, entry))
    }
}

fn fill(vault: &Vault, set: AuthCodeSet, entry: &mut ExtensionEntry) -> Result<(), CommandError> {
    let old = entry.auth.take().unwrap_or_default();
    let ha1 = secret(vault, &set)?;
    let hash_type = match set.hash_type {
        None => old.hash_type,
        Some(text) => HashType::parse(&text)
            .ok_or_else(|| CommandError::invalid("hash-type", text, "give md5a1, sha256a1 or any"))?,
    };
    let cil = set.cil.unwrap_or_else(|| if old.cil.is_empty() { set.dir.clone() } else { old.cil.clone() });
    if !(1..=20).contains(&cil.len()) || !cil.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(CommandError::invalid("cil", cil, "give 1 to 20 digits"));
    }
    let csp = check::within("csp", set.csp, old.csp, 0..=500)?;
    let customer = check::within("customer", set.customer, old.customer, 0..=50_000)?;
    let sealed = vault.seal(&set.dir, &ha1).map_err(|error| CommandError::NotKept { reason: error.to_string() })?;
    entry.auth = Some(AuthEntry { csp, cil, customer, hash_type, sealed });
    Ok(())
}

/// What is kept of the password that was given, or was kept of it elsewhere. Values stay out of answers and logs.
fn secret(vault: &Vault, set: &AuthCodeSet) -> Result<Ha1, CommandError> {
    let hexadecimal = |parameter: &str, value: &str, count: usize| {
        check::hex_digits(parameter, value, count)
            .map(|digits| digits.to_ascii_lowercase())
            .map_err(|_| CommandError::invalid(parameter, "", format!("give {count} hexadecimal digits")))
    };
    match (set.auth_code.as_str(), &set.ha1_md5, &set.ha1_sha256) {
        ("", None, None) => Err(CommandError::missing("auth-code", "give the SIP password")),
        ("", Some(md5), Some(sha256)) => {
            let realm = set
                .realm
                .as_deref()
                .ok_or_else(|| CommandError::missing("realm", "give the domain of the node that the HA1s are from"))?;
            if realm != vault.realm() {
                let mend = format!("HA1s of another domain are of no use: this node's is {}", vault.realm());
                return Err(CommandError::invalid("realm", realm, mend));
            }
            Ok(Ha1 { md5: hexadecimal("ha1-md5", md5, 32)?, sha256: hexadecimal("ha1-sha256", sha256, 64)? })
        }
        ("", None, _) => Err(CommandError::missing("ha1-md5", "give both HA1s, or the SIP password")),
        ("", ..) => Err(CommandError::missing("ha1-sha256", "give both HA1s, or the SIP password")),
        (_, Some(_), _) | (_, _, Some(_)) => {
            Err(CommandError::invalid("auth-code", "", "give either the SIP password or its HA1s, not both"))
        }
        (password, None, None) => {
            if !(2..=64).contains(&password.chars().count()) || password.chars().any(char::is_control) {
                return Err(CommandError::invalid("auth-code", "", "give 2 to 64 characters"));
            }
            Ok(vault.hash(&set.dir, password))
        }
    }
}

/// The codes as HA1s, and a sentence for each that can't be told.
pub(super) fn export(configuration: &Configuration, vault: &Vault) -> (Vec<Command>, Vec<String>) {
    let (mut commands, mut notes) = (Vec::new(), Vec::new());
    for (dir, entry) in &configuration.extensions {
        let Some(auth) = &entry.auth else { continue };
        let Some(Ha1 { md5, sha256 }) = vault.open(dir, &auth.sealed) else {
            notes.push(format!("The auth_code of {dir} is left out: it was sealed by another key file. Give it anew."));
            continue;
        };
        commands.push(Command::AuthCode(AuthCode::Initiate(AuthCodeSet {
            dir: dir.clone(),
            csp: Some(auth.csp),
            cil: Some(auth.cil.clone()),
            customer: Some(auth.customer),
            hash_type: Some(auth.hash_type.name().to_owned()),
            auth_code: String::new(),
            ha1_md5: Some(md5),
            ha1_sha256: Some(sha256),
            realm: Some(vault.realm().to_owned()),
        })));
    }
    (commands, notes)
}
