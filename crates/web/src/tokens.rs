//! Bearer tokens. Only their SHA-256 is kept: they are long and random, so nothing slower is needed.

use crate::error::ApiError;
use mailbox::MailboxId;
use rand::TryRng;
use rand::rngs::SysRng;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// What made tokens are called in the store.
pub const KIND: &str = "web_token";
/// Made tokens at most.
const MOST: usize = 10_000;

/// A secret's hash: what is kept and looked up by.
pub type Hash = [u8; 32];

pub fn hash(secret: &str) -> Hash {
    Sha256::digest(secret.as_bytes()).into()
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len().saturating_mul(2)), |mut text, byte| {
        text.extend([byte >> 4, byte & 15].map(|digit| char::from_digit(u32::from(digit), 16).unwrap_or('0')));
        text
    })
}

/// 256 bits that nobody can guess, as hexadecimal text.
pub fn secret() -> Result<String, ApiError> {
    let mut bytes = [0; 32];
    SysRng.try_fill_bytes(&mut bytes).map_err(|error| ApiError::unavailable(format!("no random bytes: {error}")))?;
    Ok(hex(&bytes))
}

/// A token that was made by the administrator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Made {
    /// What it is for, in the administrator's words.
    pub name: String,
    /// Whose mailbox it opens. None: all that the administrator may.
    pub mailbox: Option<MailboxId>,
}

/// Whom a token stands for.
#[derive(Clone, Debug, PartialEq)]
pub enum Bearer {
    /// With the name that the audit has.
    Admin(String),
    Mailbox(MailboxId),
}

pub struct Tokens {
    admin: Vec<Hash>,
    /// Made tokens, by their hash: of this server and of those that share its store.
    store: Option<state::Store>,
}

impl Tokens {
    pub fn new(admin: &[String], store: Option<state::Store>) -> Tokens {
        Tokens { admin: admin.iter().map(|token| hash(token)).collect(), store }
    }

    /// Whom a token stands for. Comparing hashes tells nothing of the tokens, however long it takes.
    pub fn find(&self, token: &str) -> Option<Bearer> {
        let hash = hash(token);
        if self.admin.contains(&hash) {
            return Some(Bearer::Admin("web".into()));
        }
        // A token of a newer program opens nothing here.
        let made: Made = serde_json::from_str(&self.store.as_ref()?.get(KIND, &hex(&hash))?).ok()?;
        Some(match made.mailbox {
            Some(mailbox) => Bearer::Mailbox(mailbox),
            None => Bearer::Admin(format!("web:{}", made.name)),
        })
    }

    /// Makes a token. Returns its number and the token itself, which is not kept.
    pub async fn make(&self, made: Made) -> Result<(String, String), ApiError> {
        let store = self.store.clone().ok_or_else(no_store)?;
        if store.load(KIND).len() >= MOST {
            return Err(ApiError::bad("there are too many tokens", "DELETE some first"));
        }
        let token = secret()?;
        let key = hex(&hash(&token));
        let json = serde_json::to_string(&made).map_err(|error| ApiError::unavailable(error.to_string()))?;
        commit(store, state::Change::put(KIND, key.clone(), json)).await?;
        Ok((key, token))
    }

    /// The made tokens, by number.
    pub fn list(&self) -> BTreeMap<String, Made> {
        let made = self.store.iter().flat_map(|store| store.load(KIND));
        made.filter_map(|(key, json)| Some((key, serde_json::from_str(&json).ok()?))).collect()
    }

    /// Whether there was one of this number.
    pub async fn remove(&self, key: &str) -> Result<bool, ApiError> {
        let Some(store) = self.store.clone().filter(|store| store.get(KIND, key).is_some()) else { return Ok(false) };
        commit(store, state::Change::remove(KIND, key)).await?;
        Ok(true)
    }
}

fn no_store() -> ApiError {
    ApiError::new(
        axum::http::StatusCode::NOT_IMPLEMENTED,
        "this server keeps no tokens",
        "use the administrator's token of its configuration",
    )
}

async fn commit(store: state::Store, change: state::Change) -> Result<(), ApiError> {
    let (sender, done) = tokio::sync::oneshot::channel();
    store.commit(vec![change], Box::new(move |result| drop(sender.send(result))));
    match done.await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(ApiError::unavailable(error.to_string())),
        Err(_) => Err(ApiError::unavailable("the token store is closed")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_made_token_works_after_a_restart_and_is_kept_hashed_only() {
        let store = state::Store::memory();
        let tokens = Tokens::new(&["lab-admin".into()], Some(store.clone()));
        let anna = MailboxId::parse("27000").unwrap();
        let (key, token) = tokens.make(Made { name: "dashboard".into(), mailbox: Some(anna.clone()) }).await.unwrap();
        let again = Tokens::new(&["lab-admin".into()], Some(store.clone()));
        assert_eq!(again.find(&token), Some(Bearer::Mailbox(anna)));
        assert_eq!(again.find("lab-admin"), Some(Bearer::Admin("web".into())));
        assert_eq!(again.find("lab-admim"), None);
        assert!(!format!("{:?}", store.load(KIND)).contains(&token));
        assert!(again.remove(&key).await.unwrap());
        assert_eq!(again.find(&token), None);
        assert!(store.load(KIND).is_empty());
    }
}
