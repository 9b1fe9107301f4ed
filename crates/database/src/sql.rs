//! One way to ask either database. Statements have `$1`, `$2` for their values, which both understand; each is prepared
//! once a connection. What either alone would need (`max` of two values, booleans as numbers) statements leave out.

use crate::server::Guarded;
use sqlx::postgres::{PgArguments, PgPool, PgRow};
use sqlx::sqlite::{SqliteArguments, SqlitePool, SqliteRow};
use sqlx::{AssertSqlSafe, ColumnIndex, Error, Postgres, Row as _, SqlSafeStr, SqlStr, Sqlite};

/// A value of a statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Int(Option<i64>),
    Bool(bool),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
}

/// The values of a statement, in order: `values![mailbox.as_str(), 7, true]`.
#[macro_export]
macro_rules! values {
    ($($value:expr),* $(,)?) => { ::std::vec![$($crate::Value::from($value)),*] };
}

macro_rules! into_value {
    ($($type:ty => |$value:ident| $to:expr;)*) => {$(
        impl From<$type> for Value {
            fn from($value: $type) -> Value {
                $to
            }
        }
    )*};
}

into_value! {
    i64 => |value| Value::Int(Some(value));
    u32 => |value| Value::Int(Some(value.into()));
    Option<i64> => |value| Value::Int(value);
    bool => |value| Value::Bool(value);
    &str => |value| Value::Text(Some(value.to_owned()));
    &String => |value| Value::Text(Some(value.clone()));
    String => |value| Value::Text(Some(value));
    Option<&str> => |value| Value::Text(value.map(str::to_owned));
    Option<String> => |value| Value::Text(value);
    Vec<u8> => |value| Value::Bytes(Some(value));
    Option<Vec<u8>> => |value| Value::Bytes(value);
}

type SqliteQuery = sqlx::query::Query<'static, Sqlite, SqliteArguments>;
type PostgresQuery = sqlx::query::Query<'static, Postgres, PgArguments>;

macro_rules! query {
    ($name:ident, $query:ty) => {
        fn $name(text: SqlStr, values: Vec<Value>) -> $query {
            values.into_iter().fold(sqlx::query(text), |query, value| match value {
                Value::Int(value) => query.bind(value),
                Value::Bool(value) => query.bind(value),
                Value::Text(value) => query.bind(value),
                Value::Bytes(value) => query.bind(value),
            })
        }
    };
}

query!(sqlite, SqliteQuery);
query!(postgres, PostgresQuery);

/// A row of either.
#[derive(Debug)]
pub enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// What a column can be read as.
pub trait Column: Sized {
    fn read<I: ColumnIndex<SqliteRow> + ColumnIndex<PgRow>>(row: &Row, index: I) -> Result<Self, Error>;
}

macro_rules! columns {
    ($($type:ty)*) => {$(
        impl Column for $type {
            fn read<I: ColumnIndex<SqliteRow> + ColumnIndex<PgRow>>(row: &Row, index: I) -> Result<Self, Error> {
                match row {
                    Row::Sqlite(row) => row.try_get(index),
                    Row::Postgres(row) => row.try_get(index),
                }
            }
        }
    )*};
}

columns! { i64 bool String Vec<u8> Option<i64> Option<String> Option<Vec<u8>> }

impl Row {
    /// The column of this name, or at this place.
    pub fn get<T: Column, I: ColumnIndex<SqliteRow> + ColumnIndex<PgRow>>(&self, index: I) -> Result<T, Error> {
        T::read(self, index)
    }
}

/// What a row is read as: tuples by the columns' order.
pub trait FromRow: Sized {
    fn from_row(row: &Row) -> Result<Self, Error>;
}

macro_rules! tuples {
    ($(($($type:ident $index:tt),*))*) => {$(
        impl<$($type: Column),*> FromRow for ($($type,)*) {
            fn from_row(row: &Row) -> Result<Self, Error> {
                Ok(($(row.get::<$type, usize>($index)?,)*))
            }
        }
    )*};
}

tuples! { (A 0) (A 0, B 1) (A 0, B 1, C 2) (A 0, B 1, C 2, D 3) (A 0, B 1, C 2, D 3, E 4) }

/// Connections that are shared by whoever asks. Cloning is cheap.
#[derive(Clone, Debug)]
pub enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Pool {
    pub fn is_postgres(&self) -> bool {
        matches!(self, Pool::Postgres(_))
    }

    async fn rows(&self, text: &'static str, values: Vec<Value>) -> Result<Vec<Row>, Error> {
        let text = text.into_sql_str();
        match self {
            Pool::Sqlite(pool) => sqlite(text, values).fetch_all(pool).await.map(of_sqlite),
            Pool::Postgres(pool) => Guarded::acquire(pool).await?.rows(postgres(text, values)).await.map(of_postgres),
        }
    }

    /// All rows that it gives.
    pub async fn all<T: FromRow>(&self, text: &'static str, values: Vec<Value>) -> Result<Vec<T>, Error> {
        self.rows(text, values).await?.iter().map(T::from_row).collect()
    }

    /// Its first row, if there is one.
    pub async fn optional<T: FromRow>(&self, text: &'static str, values: Vec<Value>) -> Result<Option<T>, Error> {
        self.rows(text, values).await?.first().map(T::from_row).transpose()
    }

    /// Its first row, which there must be.
    pub async fn one<T: FromRow>(&self, text: &'static str, values: Vec<Value>) -> Result<T, Error> {
        self.optional(text, values).await?.ok_or(Error::RowNotFound)
    }

    /// A statement of which only the deed counts.
    pub async fn execute(&self, text: &'static str, values: Vec<Value>) -> Result<(), Error> {
        self.rows(text, values).await.map(drop)
    }

    pub async fn begin(&self) -> Result<Transaction, Error> {
        Ok(match self {
            Pool::Sqlite(pool) => Transaction::Sqlite(pool.begin().await?),
            Pool::Postgres(pool) => Transaction::Postgres(Guarded::begin(pool).await?),
        })
    }

    pub async fn close(&self) {
        match self {
            Pool::Sqlite(pool) => pool.close().await,
            Pool::Postgres(pool) => pool.close().await,
        }
    }
}

/// All or nothing: what is not committed when it is dropped has not happened.
pub enum Transaction {
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    Postgres(Guarded),
}

impl Transaction {
    pub fn is_postgres(&self) -> bool {
        matches!(self, Transaction::Postgres(_))
    }

    async fn rows(&mut self, text: SqlStr, values: Vec<Value>) -> Result<Vec<Row>, Error> {
        match self {
            Transaction::Sqlite(sql) => sqlite(text, values).fetch_all(&mut **sql).await.map(of_sqlite),
            Transaction::Postgres(sql) => sql.rows(postgres(text, values)).await.map(of_postgres),
        }
    }

    /// See [`Pool::all`].
    pub async fn all<T: FromRow>(&mut self, text: &'static str, values: Vec<Value>) -> Result<Vec<T>, Error> {
        self.rows(text.into_sql_str(), values).await?.iter().map(T::from_row).collect()
    }

    /// See [`Pool::optional`].
    pub async fn optional<T: FromRow>(&mut self, text: &'static str, values: Vec<Value>) -> Result<Option<T>, Error> {
        self.rows(text.into_sql_str(), values).await?.first().map(T::from_row).transpose()
    }

    /// See [`Pool::one`].
    pub async fn one<T: FromRow>(&mut self, text: &'static str, values: Vec<Value>) -> Result<T, Error> {
        self.optional(text, values).await?.ok_or(Error::RowNotFound)
    }

    /// See [`Pool::execute`].
    pub async fn execute(&mut self, text: &'static str, values: Vec<Value>) -> Result<(), Error> {
        self.rows(text.into_sql_str(), values).await.map(drop)
    }

    /// Inserts many rows by one statement: `INSERT INTO note(a, b)`, its rows, and what follows them, if anything.
    pub async fn insert(&mut self, head: &str, rows: Vec<Vec<Value>>, tail: &str) -> Result<(), Error> {
        let mut text = format!("{head} VALUES ");
        let mut number = 0;
        for (n, row) in rows.iter().enumerate() {
            text.push_str(if n == 0 { "(" } else { ", (" });
            for place in 0..row.len() {
                number += 1;
                text.push_str(if place == 0 { "$" } else { ", $" });
                text.push_str(&number.to_string());
            }
            text.push(')');
        }
        text.push(' ');
        text.push_str(tail);
        // The caller's own words and numbers counted here: nothing of a stranger's is in the text.
        self.rows(AssertSqlSafe(text).into_sql_str(), rows.into_iter().flatten().collect()).await.map(drop)
    }

    /// When it returns, it is durable. An error leaves open whether it has happened if the connection broke just then.
    pub async fn commit(self) -> Result<(), Error> {
        match self {
            Transaction::Sqlite(sql) => sql.commit().await,
            Transaction::Postgres(sql) => sql.commit().await,
        }
    }
}

fn of_sqlite(rows: Vec<SqliteRow>) -> Vec<Row> {
    rows.into_iter().map(Row::Sqlite).collect()
}

fn of_postgres(rows: Vec<PgRow>) -> Vec<Row> {
    rows.into_iter().map(Row::Postgres).collect()
}
