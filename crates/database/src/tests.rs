use super::*;
use std::fs;

const SCHEMA: Schema = Schema {
    name: "the test database",
    id: 0x7465_7374,
    steps: &["CREATE TABLE note(text TEXT NOT NULL) STRICT"],
    postgres: &["CREATE TABLE note(text TEXT NOT NULL)"],
    oldest: 1,
};

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

async fn fail(path: &Path) -> String {
    Database::open(path, &SCHEMA).await.unwrap_err().to_string()
}

async fn fill(path: &Path) {
    let database = Database::open(path, &SCHEMA).await.unwrap();
    let pool = database.single(&SCHEMA).await.unwrap();
    for _ in 0..200 {
        pool.execute("INSERT INTO note VALUES ($1)", values!["x".repeat(1000)]).await.unwrap();
    }
    pool.close().await;
}

#[tokio::test]
async fn a_file_opened_again_has_what_was_committed() {
    let folder = folder();
    let path = folder.path().join("new/folder/test.db");
    fill(&path).await;
    let database = Database::open(&path, &SCHEMA).await.unwrap();
    let pool = database.pool(1).await.unwrap();
    assert_eq!(pool.one::<(i64,)>("SELECT count(*) FROM note", values![]).await.unwrap(), (200,));
}

#[tokio::test]
async fn a_second_process_is_kept_out_until_the_first_is_gone() {
    let folder = folder();
    let path = folder.path().join("test.db");
    let first = Database::open(&path, &SCHEMA).await.unwrap();
    assert!(fail(&path).await.ends_with("is in use by another process"));
    drop(first);
    Database::open(&path, &SCHEMA).await.unwrap();
}

#[tokio::test]
async fn a_torn_page_and_a_file_that_is_no_database_are_called_damaged() {
    let folder = folder();
    let path = folder.path().join("test.db");
    fill(&path).await;
    let whole = fs::read(&path).unwrap();
    let mut torn = whole.clone();
    for byte in &mut torn[4096..3 * 4096] {
        *byte = 0x5a;
    }
    fs::write(&path, &torn).unwrap();
    assert!(fail(&path).await.starts_with("the test database"), "names the store");
    assert!(fail(&path).await.contains("is damaged"));
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    assert!(fail(&path).await.contains("is damaged"));
    fs::write(&path, b"this is a shopping list, not a database: milk, bread, butter and some more").unwrap();
    assert!(fail(&path).await.contains("is damaged"));
}

#[tokio::test]
async fn a_newer_version_and_another_programs_file_are_left_alone() {
    let folder = folder();
    let path = folder.path().join("test.db");
    let newer = Schema { steps: &["CREATE TABLE a(b)", "CREATE TABLE c(d)"], ..SCHEMA };
    drop(Database::open(&path, &newer).await.unwrap());
    assert!(fail(&path).await.ends_with("has schema version 2, and this program knows only versions up to 1"));
    let other = Schema { id: 7, ..SCHEMA };
    let error = Database::open(&path, &other).await.unwrap_err();
    assert!(matches!(error, OpenError::Foreign { .. }));
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let folder = folder();
    fs::write(folder.path().join("file"), b"").unwrap();
    let error = fail(&folder.path().join("file/test.db")).await;
    assert!(error.starts_with("the folder ") && error.contains("is not writable"), "{error}");
}

mod postgres;
