//! Reads all values at the start.

use crate::store::Image;
use database::{Error, Pool, values};

/// Of SQLite, many values as one text: a row costs two switches between threads, which for 100,000 of them is a second.
/// Lengths are in bytes, so nothing within a value can end it. A page at a time, for all of them at once would be in memory
/// three times over.
const PACKED: &str = "
    SELECT kind, max(key),
        group_concat(length(CAST(key AS BLOB)) || ':' || key || length(CAST(value AS BLOB)) || ':' || value, '')
    FROM (SELECT kind, key, value FROM state WHERE (kind, key) > ($1, $2) ORDER BY kind, key LIMIT 512)
    GROUP BY kind ORDER BY kind";

pub(crate) async fn read(pool: &Pool) -> Result<Image, Error> {
    let image = Image::default();
    if pool.is_postgres() {
        // Before the values: what comes between is read again.
        let (position,) = pool.one("SELECT last FROM state_feed", values![]).await?;
        let rows = pool.all("SELECT kind, key, value FROM state WHERE value IS NOT NULL", values![]).await?;
        image.show(rows, position);
        return Ok(image);
    }
    let mut last = (String::new(), String::new());
    loop {
        let page: Vec<(String, String, String)> = pool.all(PACKED, values![&last.0, &last.1]).await?;
        let Some((kind, key, _)) = page.last() else { return Ok(image) };
        last = (kind.clone(), key.clone());
        for (kind, _, packed) in page {
            let values = unpacked(&packed).ok_or_else(|| Error::Protocol(format!("the {kind}s can't be unpacked")))?;
            image.show(values.into_iter().map(|(key, value)| (kind.clone(), key, Some(value))).collect(), 0);
        }
    }
}

/// Keys and values, each after its length and a colon.
fn unpacked(mut text: &str) -> Option<Vec<(String, String)>> {
    let mut next = || {
        let (length, rest) = text.split_once(':')?;
        let (one, others) = rest.split_at_checked(length.parse().ok()?)?;
        text = others;
        Some(one.to_owned())
    };
    let mut values = Vec::new();
    while let Some(key) = next() {
        values.push((key, next()?));
    }
    text.is_empty().then_some(values)
}

#[cfg(test)]
mod tests {
    use crate::{Change, Store};

    #[test]
    fn whatever_stands_in_values_they_are_read_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        let store = Store::open(&path).unwrap();
        let text =
            |n: usize| ["", ":", "1:a", "\u{1e}\u{1f}\n\"", "Zoë ’☎’", "7"].iter().cycle().skip(n).take(n % 5).copied();
        let written: Vec<(String, String)> =
            (0..3000).map(|n| (format!("{n:04} {}", text(n).collect::<String>()), text(n + 1).collect())).collect();
        let rows = |kind| written.iter().map(move |(key, value)| Change::put(kind, key, value));
        store.commit_now(rows("extension").chain(rows("lamp")).collect()).unwrap();
        drop(store);
        let store = Store::open(&path).unwrap();
        assert_eq!(store.load("extension"), written);
        assert_eq!(store.load("lamp"), written);
    }
}
