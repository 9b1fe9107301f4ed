//! Opens the database of a store, and says in one sentence why it can't. There are two kinds, asked by the same SQL:
//!
//! - SQLite's file. Whoever holds a [`Database`] on it is alone with the file: a lock beside it keeps a second process
//!   out. The file is sound (SQLite's own check has run), has the schema that the caller asked for, and is durable at each
//!   commit (write-ahead log, `synchronous=FULL`).
//! - PostgreSQL, which several processes share ([`Server`]).

mod server;
mod sql;
#[cfg(feature = "testing")]
pub mod testing;
mod tls;

pub use server::{Guarded, Hints, Server, UrlError};
pub use sql::{Column, FromRow, Pool, Row, Transaction, Value};
pub use sqlx::Error;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row as _};
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The tables of a store and how they came to be.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// What it holds, as error messages call it: "the mailbox database".
    pub name: &'static str,
    /// Marks the file as this store's (SQLite `application_id`), so that one store's file is never taken for another's.
    pub id: u32,
    /// Step n takes a file of version n to version n + 1. Steps are only ever appended.
    pub steps: &'static [&'static str],
    /// The same for PostgreSQL. Servers of the version before go on working while a step runs and afterwards, so a step
    /// adds tables and columns that have defaults.
    pub postgres: &'static [&'static str],
    /// Programs that know at least so many of PostgreSQL's steps may still work with the tables of the last one.
    pub oldest: usize,
}

/// Why a store's file can't be used. Each is one sentence for the administrator.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder is missing and can't be made, or forbids writing: mend its owner or mode, or name another one.
    #[error("the folder {folder} is not writable: {reason}")]
    Folder { folder: PathBuf, reason: io::Error },
    /// Another process has the file open: stop it, or use another data folder.
    #[error("{name} {path} is in use by another process")]
    InUse { name: &'static str, path: PathBuf },
    /// SQLite's check found damage: restore a backup, or move the file away to start empty.
    #[error(
        "{name} {path} is damaged ({reason}); restore it from a backup, or move it away to start with an empty one"
    )]
    Damaged { name: &'static str, path: PathBuf, reason: String },
    /// A newer Earcon has written the file: run that one, or restore a backup from before.
    #[error("{name} {path} has schema version {found}, and this program knows only versions up to {known}")]
    Newer { name: &'static str, path: PathBuf, found: i64, known: usize },
    /// The file is a sound SQLite database, but of something else.
    #[error("{path} is not {name}: another program's database is in its place")]
    Foreign { name: &'static str, path: PathBuf },
    /// Anything else that reading or writing ran into: disk full, input/output error.
    #[error("{name} {path} can't be opened: {reason}")]
    Failed { name: &'static str, path: PathBuf, reason: sqlx::Error },
    /// PostgreSQL is not there, does not let us in, or refuses to make the tables.
    #[error("{name} in {server} can't be opened: {reason}")]
    Server { name: &'static str, server: String, reason: sqlx::Error },
    /// A newer Earcon has changed the tables in a way that this one does not understand: run that one.
    #[error("{name} in {server} has schema version {found}, and this program knows only versions up to {known}")]
    NewerServer { name: &'static str, server: String, found: i64, known: usize },
}

impl OpenError {
    /// Whether PostgreSQL is not there, as yet: it may be asked again. Whom it refuses, it will refuse again.
    pub fn is_away(&self) -> bool {
        let OpenError::Server { reason, .. } = self else { return false };
        match reason {
            Error::Io(_) | Error::PoolTimedOut => true,
            // Class 57P: it is starting, or ends. 53300: all its connections are taken.
            // https://www.postgresql.org/docs/current/errcodes-appendix.html
            Error::Database(error) => error.code().is_some_and(|code| code.starts_with("57P") || code == "53300"),
            _ => false,
        }
    }
}

/// Where the rows of a store are.
#[derive(Debug)]
pub enum Database {
    File(Sqlite),
    Server(Server),
}

impl Database {
    /// Opens or creates the file at `path`; its folder is created too. Brings an older schema up to date.
    pub async fn open(path: &Path, schema: &Schema) -> Result<Database, OpenError> {
        Sqlite::open(path, schema).await.map(Database::File)
    }

    /// An empty database in memory, for tests. It lives as long as [`Database::single`]'s pool.
    pub fn memory() -> Database {
        Database::File(Sqlite::memory())
    }

    /// The same in PostgreSQL, beside other processes.
    pub async fn connect(server: &Server, schema: &Schema) -> Result<Database, OpenError> {
        server.prepare(schema).await?;
        Ok(Database::Server(server.clone()))
    }

    /// A pool of exactly one connection: the writer's. For SQLite it is never closed.
    pub async fn single(&self, schema: &Schema) -> Result<Pool, Error> {
        match self {
            Database::File(file) => file.single(schema).await.map(Pool::Sqlite),
            Database::Server(server) => Ok(Pool::Postgres(server.pool(1))),
        }
    }

    /// A pool of up to `size` connections, for readers beside the writer. Not for a database in memory, where each
    /// connection has a database of its own.
    pub async fn pool(&self, size: u32) -> Result<Pool, Error> {
        match self {
            Database::File(file) => file.pool(size).await.map(Pool::Sqlite),
            Database::Server(server) => Ok(Pool::Postgres(server.pool(size))),
        }
    }
}

/// An opened file. The lock is held until this (and every clone of its pools' connections) is dropped.
#[derive(Debug)]
pub struct Sqlite {
    options: SqliteConnectOptions,
    /// None for a database in memory.
    _lock: Option<File>,
    memory: bool,
}

impl Sqlite {
    async fn open(path: &Path, schema: &Schema) -> Result<Sqlite, OpenError> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let lock = lock(folder, path, schema)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10))
            .disable_statement_logging();
        let database = Sqlite { options, _lock: Some(lock), memory: false };
        database.prepare(path, schema).await?;
        Ok(database)
    }

    fn memory() -> Sqlite {
        let options = SqliteConnectOptions::new().in_memory(true).foreign_keys(true).disable_statement_logging();
        Sqlite { options, _lock: None, memory: true }
    }

    async fn connect(&self) -> Result<SqliteConnection, sqlx::Error> {
        self.options.connect().await
    }

    async fn single(&self, schema: &Schema) -> Result<SqlitePool, sqlx::Error> {
        let pool = self.pool(1).await?;
        if self.memory {
            let mut connection = pool.acquire().await?;
            migrate(&mut connection, schema, 0).await?;
        }
        Ok(pool)
    }

    async fn pool(&self, size: u32) -> Result<SqlitePool, sqlx::Error> {
        SqlitePoolOptions::new()
            .max_connections(size)
            .min_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_with(self.options.clone())
            .await
    }

    async fn prepare(&self, path: &Path, schema: &Schema) -> Result<(), OpenError> {
        let failed = |error: sqlx::Error| classify(error, path, schema);
        let mut connection = self.connect().await.map_err(failed)?;
        let found: i64 = pragma(&mut connection, "user_version").await.map_err(failed)?;
        let id: i64 = pragma(&mut connection, "application_id").await.map_err(failed)?;
        let empty: i64 = sqlx::query_scalar("SELECT count(*) = 0 FROM sqlite_schema")
            .fetch_one(&mut connection)
            .await
            .map_err(failed)?;
        if id != i64::from(schema.id) && !(id == 0 && empty == 1) {
            return Err(OpenError::Foreign { name: schema.name, path: path.into() });
        }
        let verdict: String = sqlx::query("PRAGMA quick_check(1)")
            .fetch_one(&mut connection)
            .await
            .and_then(|row| row.try_get(0))
            .map_err(failed)?;
        if verdict != "ok" {
            let reason = verdict.lines().next().unwrap_or_default().to_owned();
            return Err(OpenError::Damaged { name: schema.name, path: path.into(), reason });
        }
        let known = schema.steps.len();
        let from = usize::try_from(found).ok().filter(|found| *found <= known).ok_or_else(|| OpenError::Newer {
            name: schema.name,
            path: path.into(),
            found,
            known,
        })?;
        migrate(&mut connection, schema, from).await.map_err(failed)?;
        connection.close().await.map_err(failed)
    }
}

async fn pragma(connection: &mut SqliteConnection, name: &'static str) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(AssertSqlSafe(format!("PRAGMA {name}"))).fetch_one(connection).await
}

async fn migrate(connection: &mut SqliteConnection, schema: &Schema, from: usize) -> Result<(), sqlx::Error> {
    if from == schema.steps.len() {
        return Ok(());
    }
    // All steps in one transaction: a crash midway leaves the version that was there.
    let mut transaction = connection.begin().await?;
    for step in schema.steps.iter().skip(from) {
        sqlx::raw_sql(*step).execute(&mut *transaction).await?;
    }
    let (version, id) = (schema.steps.len(), schema.id);
    sqlx::raw_sql(AssertSqlSafe(format!("PRAGMA user_version = {version}; PRAGMA application_id = {id}")))
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await
}

/// Takes the lock file beside the database. The operating system releases it when the process ends, however it ends.
fn lock(folder: &Path, path: &Path, schema: &Schema) -> Result<File, OpenError> {
    let unwritable = |reason| OpenError::Folder { folder: folder.into(), reason };
    std::fs::create_dir_all(folder).map_err(unwritable)?;
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let file =
        OpenOptions::new().create(true).truncate(false).write(true).open(PathBuf::from(name)).map_err(unwritable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { name: schema.name, path: path.into() }),
        Err(TryLockError::Error(reason)) => Err(unwritable(reason)),
    }
}

fn classify(error: sqlx::Error, path: &Path, schema: &Schema) -> OpenError {
    let (name, path) = (schema.name, PathBuf::from(path));
    let code = error.as_database_error().and_then(|error| error.code()).and_then(|code| code.parse::<u32>().ok());
    // The low byte of an extended result code is the primary one: https://sqlite.org/rescode.html
    match code.map(|code| code & 0xff) {
        Some(11 | 26) => OpenError::Damaged { name, path, reason: message(&error) },
        Some(8 | 14) => {
            let folder = path.parent().unwrap_or(Path::new(".")).to_owned();
            OpenError::Folder { folder, reason: io::Error::other(message(&error)) }
        }
        Some(5 | 6) => OpenError::InUse { name, path },
        _ => OpenError::Failed { name, path, reason: error },
    }
}

fn message(error: &sqlx::Error) -> String {
    error.as_database_error().map_or_else(|| error.to_string(), |error| error.message().to_owned())
}

#[cfg(test)]
mod tests;
