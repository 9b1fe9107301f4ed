use super::verb::{Thing, Verb};
use super::{CommandError, Outcome, check};
use crate::authentication::Vault;
use crate::configuration::{AuthEntry, Configuration, ExtensionEntry, HashType};
use serde::{Deserialize, Serialize};
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
    pub auth_code: String,
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
    if set.auth_code.is_empty() {
        return Err(CommandError::missing("auth-code", "give the SIP password"));
    }
    if !(2..=64).contains(&set.auth_code.chars().count()) || set.auth_code.chars().any(char::is_control) {
        // The value itself stays out of answers and logs.
        return Err(CommandError::invalid("auth-code", "", "give 2 to 64 characters"));
    }
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
    let sealed =
        vault.seal(&set.dir, &set.auth_code).map_err(|error| CommandError::NotKept { reason: error.to_string() })?;
    entry.auth = Some(AuthEntry { csp, cil, customer, hash_type, sealed });
    Ok(())
}
