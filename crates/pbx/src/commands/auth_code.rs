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
    /// `md5a1` (default): HA1, kept for MD5 and SHA-256 both.
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
