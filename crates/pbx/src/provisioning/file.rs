//! What a phone may ask for. The path that it sends is read into one of these values, and never becomes anything else.

use super::mac::Mac;

/// The phones of Mitel (formerly Aastra) whose `<model>.cfg` is served.
pub(crate) const MODELS: &[&str] = &[
    "6730i", "6731i", "6735i", "6737i", "6739i", "6753i", "6755i", "6757i", "6757iCT", "6863i", "6865i", "6867i",
    "6869i", "6873i", "6905", "6910", "6915", "6920", "6920w", "6930", "6930w", "6940", "6940w", "6970",
];

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum File {
    /// `aastra.cfg`.
    Common,
    /// `6867i.cfg`.
    Model(&'static str),
    /// `00085D123456.cfg`, `.json`, `.txt`.
    Phone(Mac, Form),
}

/// In which form a phone's file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Mitel's: `key: value`.
    Aastra,
    Json,
    /// `key=value`.
    Text,
}

impl File {
    /// By its name, in any case, as phones differ in it.
    pub fn named(name: &str) -> Option<File> {
        let (stem, extension) = name.rsplit_once('.')?;
        let form = match extension.to_ascii_lowercase().as_str() {
            "cfg" => Form::Aastra,
            "json" => Form::Json,
            "txt" => Form::Text,
            _ => return None,
        };
        if stem.len() == 12
            && let Some(mac) = Mac::parse(stem)
        {
            return Some(File::Phone(mac, form));
        }
        match form {
            Form::Aastra if stem.eq_ignore_ascii_case("aastra") => Some(File::Common),
            Form::Aastra => model(stem).map(File::Model),
            Form::Json | Form::Text => None,
        }
    }

    /// Its name as it is kept and told.
    pub fn name(&self) -> String {
        match self {
            File::Common => "aastra.cfg".into(),
            File::Model(model) => format!("{model}.cfg"),
            File::Phone(mac, Form::Aastra) => format!("{mac}.cfg"),
            File::Phone(mac, Form::Json) => format!("{mac}.json"),
            File::Phone(mac, Form::Text) => format!("{mac}.txt"),
        }
    }
}

/// A model by its name, in any case.
pub(crate) fn model(name: &str) -> Option<&'static str> {
    MODELS.iter().copied().find(|model| model.eq_ignore_ascii_case(name))
}

/// A request's path: `/FILE`, or `/TOKEN/FILE`. The token is what stood there, whatever it was.
pub(crate) fn read_path(path: &str) -> Option<(Option<&str>, File)> {
    let path = path.strip_prefix('/')?;
    match path.split_once('/') {
        None => Some((None, File::named(path)?)),
        // A name with a further slash in it is no file's.
        Some((token, name)) => Some((Some(token), File::named(name)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_that_phones_ask_for_are_known_in_any_case() {
        assert_eq!(File::named("aastra.cfg"), Some(File::Common));
        assert_eq!(File::named("6867I.CFG"), Some(File::Model("6867i")));
        let phone = |form| Some(File::Phone(Mac::parse("00085D123456").unwrap(), form));
        assert_eq!(File::named("00085d123456.cfg"), phone(Form::Aastra));
        assert_eq!(read_path("/00085D123456.json"), phone(Form::Json).map(|file| (None, file)));
        assert_eq!(read_path("/abc/00085D123456.txt"), phone(Form::Text).map(|file| (Some("abc"), file)));
        for model in MODELS {
            assert_eq!(File::named(&format!("{model}.cfg")).unwrap().name(), format!("{model}.cfg"));
        }
    }

    #[test]
    fn whatever_else_a_path_says_is_no_file() {
        for path in [
            "",
            "/",
            "aastra.cfg",
            "/aastra.tuz",
            "/aastra",
            "/.cfg",
            "/../aastra.cfg/x",
            "/../../etc/passwd",
            "/%2e%2e/aastra.cfg%00",
            "/a/b/aastra.cfg",
            "/aastra.json",
            "/00085D12345G.cfg",
            "/00085D123456.cfg.bak",
            "/etc/passwd",
            "//",
        ] {
            assert_eq!(read_path(path), None, "{path}");
        }
        // Dots before a file's name are a wrong token at most.
        assert_eq!(read_path("/../aastra.cfg"), Some((Some(".."), File::Common)));
    }
}
