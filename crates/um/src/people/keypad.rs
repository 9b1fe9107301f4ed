//! How a name is spelt on the keypad (ITU-T E.161): 2 is A, B or C, and so on.

/// The keys for a name, in the ways that people type it: letters with marks as the letter below the mark, and, where that
/// differs, as the two letters that they are also written with (ä as ae). Spaces, hyphens and apostrophes are passed
/// over; digits are themselves. Empty when there is nothing to type (a name in another script).
pub(crate) fn spellings(name: &str) -> Vec<String> {
    let mut spellings = vec![keys(name, plain), keys(name, written_out)];
    spellings.dedup();
    spellings.retain(|spelling| !spelling.is_empty());
    spellings
}

fn keys(name: &str, letters: fn(char) -> &'static str) -> String {
    let mut keys = String::with_capacity(name.len());
    for letter in name.chars().flat_map(char::to_lowercase) {
        match key(letter) {
            Some(key) => keys.push(key),
            None => keys.extend(letters(letter).chars().filter_map(key)),
        }
    }
    keys
}

fn key(letter: char) -> Option<char> {
    Some(match letter {
        'a'..='c' => '2',
        'd'..='f' => '3',
        'g'..='i' => '4',
        'j'..='l' => '5',
        'm'..='o' => '6',
        'p'..='s' => '7',
        't'..='v' => '8',
        'w'..='z' => '9',
        '0'..='9' => letter,
        _ => return None,
    })
}

/// The letter that a letter with a mark is, for whoever leaves the mark away.
fn plain(letter: char) -> &'static str {
    match letter {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ą' | 'ă' => "a",
        'æ' => "ae",
        'ç' | 'ć' | 'č' => "c",
        'ð' | 'đ' | 'ď' => "d",
        'è' | 'é' | 'ê' | 'ë' | 'ę' | 'ě' => "e",
        'ğ' => "g",
        'ì' | 'í' | 'î' | 'ï' | 'ı' => "i",
        'ł' | 'ľ' => "l",
        'ñ' | 'ń' | 'ň' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' | 'ő' => "o",
        'œ' => "oe",
        'ř' => "r",
        'ś' | 'š' | 'ş' | 'ș' => "s",
        'ß' => "ss",
        'ť' | 'ț' => "t",
        'þ' => "th",
        'ù' | 'ú' | 'û' | 'ü' | 'ů' | 'ű' => "u",
        'ý' | 'ÿ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        _ => "",
    }
}

/// The letters that stand for one where the keyboard lacks it.
fn written_out(letter: char) -> &'static str {
    match letter {
        'ä' | 'æ' => "ae",
        'å' => "aa",
        'ö' | 'ø' => "oe",
        'ü' => "ue",
        _ => plain(letter),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_spelt_letter_by_letter() {
        assert_eq!(spellings("Svensson Anna"), ["783677662662"]);
        assert_eq!(spellings("O'Neil-Smith 2"), ["6634576484".to_owned() + "2"]);
    }

    #[test]
    fn letters_with_marks_are_typed_without_or_written_out() {
        assert_eq!(spellings("Åkesson"), ["2537766", "22537766"]);
        assert_eq!(spellings("Müller"), ["685537", "6835537"]);
        assert_eq!(spellings("Weiß"), ["93477"]);
        assert_eq!(spellings("Renée"), ["73633"]);
    }

    #[test]
    fn a_name_in_another_script_cannot_be_typed() {
        assert_eq!(spellings("Σωκράτης"), [""; 0]);
    }
}
