//! Bookmarks in a SQLite database.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, ErrorCode, Row};
use serde::Serialize;

/// Every change to the schema, oldest first. Append only: the database
/// remembers in `user_version` how many of them it has seen.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_create_bookmarks.sql"),
    include_str!("../migrations/0002_unique_urls.sql"),
];

#[derive(Debug, Serialize)]
pub struct Bookmark {
    pub id: i64,
    pub url: String,
    pub title: Option<String>,
    pub created_at: String,
}

impl Bookmark {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            url: row.get("url")?,
            title: row.get("title")?,
            created_at: row.get("created_at")?,
        })
    }
}

/// A handle to the database, cheap to clone.
#[derive(Clone)]
pub struct Store {
    connection: Arc<Mutex<Connection>>,
}

impl Store {
    /// Opens the database at `path` and brings its schema up to date.
    pub fn open(path: &Path) -> rusqlite::Result<Self> {
        Self::new(Connection::open(path)?)
    }

    fn new(mut connection: Connection) -> rusqlite::Result<Self> {
        migrate(&mut connection)?;
        Ok(Self {
            connection: Arc::new(Mutex::new(connection)),
        })
    }

    /// All bookmarks, newest first.
    pub async fn list(&self) -> anyhow::Result<Vec<Bookmark>> {
        self.run(|connection| {
            connection
                .prepare_cached(
                    "SELECT id, url, title, created_at FROM bookmarks ORDER BY id DESC",
                )?
                .query_map([], Bookmark::from_row)?
                .collect()
        })
        .await
    }

    /// Adds a bookmark, or returns `None` if there already is one for `url`.
    pub async fn add(
        &self,
        url: String,
        title: Option<String>,
    ) -> anyhow::Result<Option<Bookmark>> {
        self.run(move |connection| {
            let added = connection
                .prepare_cached(
                    "INSERT INTO bookmarks (url, title) VALUES (?1, ?2)
                     RETURNING id, url, title, created_at",
                )?
                .query_row((url, title), Bookmark::from_row);
            match added {
                Ok(bookmark) => Ok(Some(bookmark)),
                Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                    Ok(None)
                }
                Err(error) => Err(error),
            }
        })
        .await
    }

    /// Runs a query on a thread that may block.
    async fn run<T, F>(&self, query: F) -> anyhow::Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let connection = Arc::clone(&self.connection);
        let result = tokio::task::spawn_blocking(move || {
            // A query that panicked has left the connection itself intact.
            query(&connection.lock().unwrap_or_else(PoisonError::into_inner))
        })
        .await?;
        Ok(result?)
    }
}

fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    let version: u32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for (number, sql) in (1u32..).zip(MIGRATIONS) {
        if number > version {
            transaction.execute_batch(sql)?;
            transaction.pragma_update(None, "user_version", number)?;
        }
    }
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn adds_each_url_once() -> anyhow::Result<()> {
        let store = Store::new(Connection::open_in_memory()?)?;
        let url = "https://example.com/";

        let added = store
            .add(url.to_owned(), Some("Example".to_owned()))
            .await?;
        assert!(added.is_some_and(|bookmark| bookmark.title.as_deref() == Some("Example")));
        assert!(store.add(url.to_owned(), None).await?.is_none());

        let urls: Vec<_> = store.list().await?.into_iter().map(|b| b.url).collect();
        assert_eq!(urls, [url]);
        Ok(())
    }

    #[test]
    fn migrates_only_once() -> rusqlite::Result<()> {
        let mut connection = Connection::open_in_memory()?;
        migrate(&mut connection)?;
        migrate(&mut connection)
    }
}
