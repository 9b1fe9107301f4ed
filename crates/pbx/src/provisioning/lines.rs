//! Mitel's (formerly Aastra's) form: `key: value`, a line each. Keys are read without regard to case; `#` begins a comment; a
//! value with `#` in it stands in quotes (administrator's guide of the 6700i and 6800i, 41-001343, chapter 2).

use std::fmt::{self, Display, Formatter};

/// A file in the making.
#[derive(Default)]
pub(crate) struct Lines(Vec<(String, String)>);

impl Lines {
    /// Sets a key; what it was before in this file no longer holds.
    pub fn set(&mut self, key: &str, value: impl ToString) {
        let (key, value) = (clean(key), clean(&value.to_string()));
        match self.0.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(&key)) {
            Some(line) => *line = (key, value),
            None => self.0.push((key, value)),
        }
    }
}

/// One line stays one line, and a quote can't end its value early: names and texts may hold what they like.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c == '"' { '\'' } else { c }).filter(|c| !c.is_control()).collect::<String>().trim().into()
}

impl Display for Lines {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (key, value) in &self.0 {
            if value.contains(['#', '|', '^']) {
                writeln!(f, "{key}: \"{value}\"")?;
            } else {
                writeln!(f, "{key}: {value}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_name_stays_one_quoted_value() {
        let mut lines = Lines::default();
        lines.set("sip line1 screen name", "Zoë \"#1\"\nsip line1 password: x");
        assert_eq!(lines.to_string(), "sip line1 screen name: \"Zoë '#1'sip line1 password: x\"\n");
    }

    #[test]
    fn the_last_word_on_a_key_counts() {
        let mut lines = Lines::default();
        lines.set("sip line1 vmail", 43334);
        lines.set("SIP Line1 Vmail", "*97");
        assert_eq!(lines.to_string(), "SIP Line1 Vmail: *97\n");
    }
}
