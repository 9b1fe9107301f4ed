//! A store in PostgreSQL: the server's URL, its connections, and migrations that run once while others go on working.

use crate::{OpenError, Schema, tls};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgListener, PgPool, PgPoolOptions, PgRow};
use sqlx::query::Query;
use sqlx::{ConnectOptions, Connection, Error, PgConnection, Postgres};
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;
use tokio::time::timeout;

/// Who gets no connection within this is told that there is none.
const CONNECT: Duration = Duration::from_secs(3);
/// A statement that takes longer has no answer, and its connection is given up.
const ANSWER: Duration = Duration::from_secs(15);

/// Where a PostgreSQL is, and as whom.
#[derive(Clone)]
pub struct Server {
    options: PgConnectOptions,
    notify: bool,
    /// The files that its parameters name: CA, certificate and key.
    files: Vec<(String, PathBuf)>,
}

/// Why a URL names no server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It is of another scheme, or cannot be read.
    #[error("is not of the form postgres://user@host:5432/database?sslmode=verify-full")]
    Malformed,
    /// Without one PostgreSQL takes one of the user's name, which is hardly meant.
    #[error("names no database: postgres://user@host:5432/database")]
    NoDatabase,
}

impl FromStr for Server {
    type Err = UrlError;

    /// `postgres://user@host:port/database`, with libpq's parameters; a socket's folder as host is percent-encoded. The
    /// password is better left to `PGPASSWORD` or `~/.pgpass`. `notify=off` is for engines and poolers without LISTEN.
    fn from_str(url: &str) -> Result<Server, UrlError> {
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(UrlError::Malformed);
        }
        let (place, parameters) = url.split_once('?').unwrap_or((url, ""));
        let (own, others): (Vec<&str>, Vec<&str>) =
            parameters.split('&').filter(|one| !one.is_empty()).partition(|one| one.starts_with("notify="));
        let rest = format!("{place}?{}", others.join("&"));
        // Its own error may repeat what it was given, password and all.
        let options: PgConnectOptions = rest.parse().map_err(|_| UrlError::Malformed)?;
        if options.get_database().is_none_or(str::is_empty) {
            return Err(UrlError::NoDatabase);
        }
        let options = options
            // A server that hangs in mid-transaction must not hold up the others for long.
            .options([("lock_timeout", "10s"), ("idle_in_transaction_session_timeout", "10s")])
            .disable_statement_logging();
        let files = others.iter().filter_map(|one| {
            let (name, file) = one.split_once('=')?;
            matches!(name, "sslrootcert" | "sslcert" | "sslkey")
                .then(|| (name.to_owned(), PathBuf::from(unescaped(file))))
        });
        Ok(Server { options, notify: own.last() != Some(&"notify=off"), files: files.collect() })
    }
}

/// A parameter's value without its percent signs.
fn unescaped(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut plain = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        let mut hex = bytes.clone();
        let mut digit = || char::from(hex.next()?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        match (byte, digit(), digit()) {
            (b'%', Some(high), Some(low)) => {
                plain.push(high << 4 | low);
                bytes = hex;
            }
            _ => plain.push(byte),
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

/// Without user and password.
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = match self.options.get_socket() {
            Some(folder) => folder.display().to_string(),
            None => format!("{}:{}", self.options.get_host(), self.options.get_port()),
        };
        write!(f, "postgres://{host}/{}", self.options.get_database().unwrap_or_default())
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Server {
    /// Brings the store's tables up to date, or finds that they are.
    pub(crate) async fn prepare(&self, schema: &Schema) -> Result<(), OpenError> {
        let name = schema.name;
        let failed =
            |reason: Error| OpenError::Server { name, server: self.to_string(), reason: tls::explained(reason) };
        tls::readable(&self.files).map_err(failed)?;
        let connect = timeout(CONNECT, self.options.connect()).await;
        let mut connection = connect.unwrap_or_else(|_| Err(no_answer())).map_err(failed)?;
        let found = migrate(&mut connection, schema).await.map_err(failed)?;
        // Gone or not, it is not needed any more.
        let _ = connection.close().await;
        let known = schema.postgres.len();
        match found {
            Some(found) => Err(OpenError::NewerServer { name, server: self.to_string(), found, known }),
            None => Ok(()),
        }
    }

    pub(crate) fn pool(&self, size: u32) -> PgPool {
        PgPoolOptions::new()
            .max_connections(size)
            .acquire_timeout(CONNECT)
            .test_before_acquire(true)
            .connect_lazy_with(self.options.clone())
    }

    /// Hints that something changed, from whatever process called [`Hints::give`].
    pub fn hints(&self, channel: &'static str) -> Hints {
        Hints { server: self.clone(), channel, listener: None }
    }
}

/// Returns the version that is too new for this program.
async fn migrate(connection: &mut PgConnection, schema: &Schema) -> Result<Option<i64>, Error> {
    let known = i64::try_from(schema.postgres.len()).unwrap_or(i64::MAX);
    let mut sql = connection.begin().await?;
    // One server at a time; the others wait here and then find that it is done. Those that run already do not notice:
    // steps only add.
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(i64::from(schema.id)).execute(&mut *sql).await?;
    sqlx::raw_sql(
        "SET LOCAL client_min_messages = warning; -- that it exists is no news
         CREATE TABLE IF NOT EXISTS earcon_schema(
            store TEXT PRIMARY KEY, version BIGINT NOT NULL, oldest BIGINT NOT NULL)",
    )
    .execute(&mut *sql)
    .await?;
    let found: Option<(i64, i64)> = sqlx::query_as("SELECT version, oldest FROM earcon_schema WHERE store = $1")
        .bind(schema.name)
        .fetch_optional(&mut *sql)
        .await?;
    let (version, oldest) = found.unwrap_or_default();
    if version >= known {
        return Ok((oldest > known).then_some(version));
    }
    for step in schema.postgres.iter().skip(usize::try_from(version).unwrap_or_default()) {
        sqlx::raw_sql(*step).execute(&mut *sql).await?;
    }
    sqlx::query(
        "INSERT INTO earcon_schema(store, version, oldest) VALUES ($1, $2, $3)
         ON CONFLICT (store) DO UPDATE SET version = excluded.version, oldest = excluded.oldest",
    )
    .bind(schema.name)
    .bind(known)
    .bind(i64::try_from(schema.oldest).unwrap_or(i64::MAX))
    .execute(&mut *sql)
    .await?;
    sql.commit().await?;
    Ok(None)
}

fn no_answer() -> Error {
    Error::Io(io::Error::new(io::ErrorKind::TimedOut, "the database does not answer"))
}

/// A connection that is closed rather than used again when it is dropped at a moment that leaves its state in doubt: in a
/// transaction, or in a statement that was never answered.
pub struct Guarded {
    connection: PoolConnection<Postgres>,
    in_doubt: bool,
    in_transaction: bool,
}

impl Guarded {
    pub(crate) async fn acquire(pool: &PgPool) -> Result<Guarded, Error> {
        Ok(Guarded { connection: pool.acquire().await?, in_doubt: false, in_transaction: false })
    }

    pub(crate) async fn begin(pool: &PgPool) -> Result<Guarded, Error> {
        let mut connection = Guarded::acquire(pool).await?;
        connection.in_transaction = true;
        connection.rows(sqlx::query("BEGIN")).await?;
        Ok(connection)
    }

    pub(crate) async fn rows(&mut self, query: Query<'static, Postgres, PgArguments>) -> Result<Vec<PgRow>, Error> {
        self.in_doubt = true;
        let rows = timeout(ANSWER, query.fetch_all(&mut *self.connection)).await.unwrap_or_else(|_| Err(no_answer()));
        self.in_doubt = !matches!(rows, Ok(_) | Err(Error::Database(_)));
        rows
    }

    pub(crate) async fn commit(mut self) -> Result<(), Error> {
        self.rows(sqlx::query("COMMIT")).await?;
        self.in_transaction = false;
        Ok(())
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        if self.in_doubt || self.in_transaction {
            self.connection.close_on_drop();
        }
    }
}

/// LISTEN and NOTIFY, which only hasten: whoever waits looks for itself when it has heard nothing for a while.
pub struct Hints {
    server: Server,
    channel: &'static str,
    listener: Option<PgListener>,
}

impl Hints {
    /// Returns at a hint, or after `at_most`. Where there is no listening, it is always the latter.
    pub async fn wait(&mut self, at_most: Duration) {
        if !self.server.notify {
            return tokio::time::sleep(at_most).await;
        }
        if self.listener.is_none() {
            match timeout(at_most, self.listen()).await {
                Ok(Ok(listener)) => self.listener = Some(listener),
                // Asked again next time.
                Ok(Err(error)) => {
                    tracing::debug!(%error, "no hints from the database");
                    return tokio::time::sleep(at_most).await;
                }
                Err(_) => return,
            }
            // What happened before it listened is not told.
            return;
        }
        if let Some(listener) = &mut self.listener
            && !matches!(timeout(at_most, listener.recv()).await, Ok(Ok(_)) | Err(_))
        {
            self.listener = None;
        }
    }

    async fn listen(&self) -> Result<PgListener, Error> {
        let mut listener = PgListener::connect_with(&self.server.pool(1)).await?;
        listener.listen(self.channel).await?;
        Ok(listener)
    }

    /// Tells those who wait, here and elsewhere. That it fails is no matter: they look for themselves.
    pub async fn give(&self, pool: &crate::Pool) {
        if self.server.notify
            && let Err(error) = pool.execute("SELECT pg_notify($1, '')", crate::values![self.channel]).await
        {
            tracing::debug!(%error, "no hint to the database");
        }
    }
}
