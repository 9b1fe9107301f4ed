use super::SCHEMA;
use crate::testing::Cluster;
use crate::{Database, Schema, Server, UrlError, values};
use std::time::{Duration, Instant};

const STEPS: &[&str] =
    &["CREATE TABLE note(text TEXT NOT NULL)", "ALTER TABLE note ADD COLUMN more TEXT", "DROP TABLE note"];

async fn connect(url: &str, schema: &Schema) -> Result<Database, String> {
    Database::connect(&url.parse().unwrap(), schema).await.map_err(|error| error.to_string())
}

#[test]
fn a_url_shows_neither_user_nor_password_and_says_what_is_wrong_with_it() {
    let server: Server = "postgres://earcon:secret@db.moon.galaxy/um?sslmode=verify-full&notify=off".parse().unwrap();
    assert_eq!(format!("{server} {server:?}").matches("postgres://db.moon.galaxy:5432/um").count(), 2);
    assert!(!format!("{server:?}").contains("secret"));
    assert_eq!("mysql://earcon:secret@db/um".parse::<Server>().unwrap_err(), UrlError::Malformed);
    assert_eq!("postgres://earcon:secret@db:port/um".parse::<Server>().unwrap_err(), UrlError::Malformed);
    assert_eq!("postgres://earcon:secret@db".parse::<Server>().unwrap_err(), UrlError::NoDatabase);
}

#[tokio::test]
async fn servers_that_start_together_make_the_tables_once_and_old_ones_go_on_beside_newer_ones() {
    let cluster = Cluster::start();
    let url = cluster.database();
    let (one, two, three) = tokio::join!(connect(&url, &SCHEMA), connect(&url, &SCHEMA), connect(&url, &SCHEMA));
    let old = one.unwrap().pool(1).await.unwrap();
    two.and(three).unwrap();
    old.execute("INSERT INTO note VALUES ($1)", values!["kept"]).await.unwrap();
    // A step that adds, while the old server runs.
    let newer = connect(&url, &Schema { postgres: &STEPS[..2], oldest: 1, ..SCHEMA }).await.unwrap();
    old.execute("INSERT INTO note VALUES ($1)", values!["old"]).await.unwrap();
    let newer = newer.pool(1).await.unwrap();
    newer.execute("INSERT INTO note VALUES ($1, $2)", values!["new", "more"]).await.unwrap();
    let notes: Vec<(String, Option<String>)> = newer.all("SELECT text, more FROM note", values![]).await.unwrap();
    let expected = [("kept", None), ("old", None), ("new", Some("more"))];
    assert_eq!(notes, expected.map(|(text, more)| (text.to_owned(), more.map(str::to_owned))));
    // The old one may even start again; not so beside tables that it would not understand.
    connect(&url, &SCHEMA).await.unwrap();
    connect(&url, &Schema { postgres: STEPS, oldest: 3, ..SCHEMA }).await.unwrap();
    let error = connect(&url, &SCHEMA).await.unwrap_err();
    assert!(error.ends_with("has schema version 3, and this program knows only versions up to 1"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_gone_is_an_error_within_seconds_and_is_used_again_when_it_returns() {
    let mut cluster = Cluster::start();
    let url = cluster.database();
    let pool = connect(&url, &SCHEMA).await.unwrap().pool(1).await.unwrap();
    let mut open = pool.begin().await.unwrap();
    open.execute("INSERT INTO note VALUES ($1)", values!["lost"]).await.unwrap();
    cluster.stop();
    let begun = Instant::now();
    assert!(open.commit().await.is_err());
    assert!(pool.execute("SELECT 1", values![]).await.is_err());
    assert!(connect(&url, &SCHEMA).await.unwrap_err().starts_with("the test database in postgres:///tmp/"));
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    cluster.resume();
    let count: (i64,) = pool.one("SELECT count(*) FROM note", values![]).await.unwrap();
    assert_eq!(count, (0,));
}

#[tokio::test]
async fn a_hint_ends_the_wait_and_without_hints_it_ends_by_itself() {
    let cluster = Cluster::start();
    let url = cluster.database();
    let pool = connect(&url, &SCHEMA).await.unwrap().pool(1).await.unwrap();
    let server: Server = url.parse().unwrap();
    let (mut hears, gives) = (server.hints("notes"), server.hints("notes"));
    hears.wait(Duration::from_secs(30)).await;
    gives.give(&pool).await;
    let begun = Instant::now();
    hears.wait(Duration::from_secs(30)).await;
    assert!(begun.elapsed() < Duration::from_secs(20), "a hint came");
    let mut deaf = format!("{url}?notify=off").parse::<Server>().unwrap().hints("notes");
    gives.give(&pool).await;
    let begun = Instant::now();
    deaf.wait(Duration::from_millis(50)).await;
    assert!(begun.elapsed() >= Duration::from_millis(50), "nobody listens");
}
