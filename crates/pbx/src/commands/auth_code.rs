use super::{Answer, CommandError, Outcome, check};
use crate::authentication::Vault;
use crate::configuration::{AuthEntry, Configuration, Edit, HashType};
use serde::{Deserialize, Serialize};
use std::fmt::{self, Debug, Formatter};

/// `auth_code -i | -c | -e | -p`: the secret with which an extension's phones register.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum AuthCode {
    Initiate(AuthCodeSet),
    Change(AuthCodeSet),
    End {
        dir: String,
    },
    /// Prints who has a code, never the code.
    Print {
        #[serde(default)]
        dir: Option<String>,
    },
}

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

impl AuthCode {
    pub(super) fn run(self, configuration: &Configuration, vault: &Vault) -> Outcome {
        match self {
            AuthCode::Initiate(set) => {
                if check::extension(configuration, "d", &set.dir)?.auth.is_some() {
                    return Err(CommandError::already_assigned("d", set.dir, "change it with auth_code -c"));
                }
                fill(configuration, vault, set)
            }
            AuthCode::Change(set) => {
                if check::extension(configuration, "d", &set.dir)?.auth.is_none() {
                    return Err(CommandError::not_assigned("d", set.dir, "initiate it with auth_code -i first"));
                }
                fill(configuration, vault, set)
            }
            AuthCode::End { dir } => {
                let mut entry = check::extension(configuration, "d", &dir)?;
                if entry.auth.take().is_none() {
                    return Err(CommandError::not_assigned("d", dir, "it has no authorisation code"));
                }
                Ok((vec![Edit::Extension(dir, Some(entry))], Answer::done()))
            }
            AuthCode::Print { dir } => {
                if let Some(dir) = &dir {
                    check::extension(configuration, "d", dir)?;
                }
                let mut rows = Vec::new();
                for (number, entry) in
                    configuration.extensions.iter().filter(|(n, _)| dir.as_ref().is_none_or(|d| d == *n))
                {
                    if let Some(auth) = &entry.auth {
                        let hidden = "********".to_owned();
                        let (csp, customer) = (auth.csp.to_string(), auth.customer.to_string());
                        rows.push(vec![
                            number.clone(),
                            auth.cil.clone(),
                            csp,
                            customer,
                            auth.hash_type.name().to_owned(),
                            hidden,
                        ]);
                    }
                }
                Ok((Vec::new(), Answer::table("", &["Dir", "Cil", "Csp", "Cust", "HashType", "AuthCode"], rows)))
            }
        }
    }
}

fn fill(configuration: &Configuration, vault: &Vault, set: AuthCodeSet) -> Outcome {
    let mut entry = check::extension(configuration, "d", &set.dir)?;
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
    Ok((vec![Edit::Extension(set.dir, Some(entry))], Answer::done()))
}
