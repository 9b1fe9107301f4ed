//! A dialling rule: `Group,NumberMask,DialedNumber,Comment`.

/// A rule, taken apart.
pub(super) struct Rule<'a> {
    pub(super) group: &'a str,
    mask: &'a str,
    dialled: &'a str,
}

impl Rule<'_> {
    pub(super) fn parse(text: &str) -> Option<Rule<'_>> {
        let mut parts = text.splitn(4, ',').map(str::trim);
        Some(Rule { group: parts.next()?, mask: parts.next()?, dialled: parts.next()? })
    }

    /// What is dialled for this number, if the rule is for it.
    pub(super) fn apply(&self, number: &str) -> Option<String> {
        let (any, rest) = matched(self.mask, number)?;
        let (body, more) = split(self.dialled);
        let wanted = wildcards(body);
        // The last ones: what is left out of a number stands at its beginning.
        let mut any = any.chars().skip(any.len().checked_sub(wanted)?);
        let mut dialled: String = body
            .chars()
            .filter_map(|c| match c {
                'x' | 'X' => any.next(),
                digit => Some(digit),
            })
            .collect();
        if more {
            dialled.push_str(rest);
        }
        Some(dialled)
    }
}

/// The digits that stood at each `x` of a mask, and those at its `*`; `None`: the number does not fit.
fn matched<'n>(mask: &str, number: &'n str) -> Option<(String, &'n str)> {
    let (body, more) = split(mask);
    // Masks and numbers are ASCII: a byte is a character.
    let rest = number.get(body.len()..)?;
    if !more && !rest.is_empty() {
        return None;
    }
    let mut any = String::new();
    for (wanted, digit) in body.chars().zip(number.chars()) {
        match wanted {
            'x' | 'X' if digit.is_ascii_digit() => any.push(digit),
            same if same == digit => {}
            _ => return None,
        }
    }
    Some((any, rest))
}

fn split(mask: &str) -> (&str, bool) {
    mask.strip_suffix('*').map_or((mask, false), |body| (body, true))
}

fn wildcards(body: &str) -> usize {
    body.chars().filter(|c| matches!(c, 'x' | 'X')).count()
}

/// Whether a mask gives all that the dialled number needs.
pub(crate) fn dialled_needs(mask: &str, dialled: &str) -> bool {
    let ((mask, more), (dialled, rest)) = (split(mask), split(dialled));
    wildcards(dialled) <= wildcards(mask) && (more || !rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(rule: &str, number: &str) -> Option<String> {
        Rule::parse(rule)?.apply(number)
    }

    #[test]
    fn digits_are_literal_x_is_one_and_star_is_the_rest() {
        assert_eq!(apply("g,91425xxxxxxx,91425xxxxxxx", "914255550123"), Some("914255550123".into()));
        assert_eq!(apply("g,91425xxxxxxx,91425xxxxxxx", "91425555012"), None);
        assert_eq!(apply("g,91425xxxxxxx,91425xxxxxxx", "9142555501234"), None);
        assert_eq!(apply("g,9*,9*", "9"), Some("9".into()));
        assert_eq!(apply("g,9*,9*", "812"), None);
    }

    #[test]
    fn digits_are_taken_off_and_put_before() {
        assert_eq!(apply("g,9xxxxxxx,xxxxxxx", "95550123"), Some("5550123".into()));
        assert_eq!(apply("g,9xxxxxxx,00xxxx", "95550123"), Some("000123".into()));
        assert_eq!(apply("g,+46*,000*", "+46701740605"), Some("000701740605".into()));
        assert_eq!(apply("g,112,112", "112"), Some("112".into()));
    }

    #[test]
    fn a_rule_gives_no_more_than_it_takes() {
        assert!(dialled_needs("9xxx", "xxx") && dialled_needs("9*", "0*") && dialled_needs("9*", "112"));
        assert!(!dialled_needs("9xx", "xxx") && !dialled_needs("9xxx", "9*"));
        assert_eq!(apply("g,9xx,xxx", "912"), None);
    }
}
