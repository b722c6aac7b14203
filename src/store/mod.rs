//! Observations over time, in one SQLite file: what the permalinks and histories of `serve` are kept in.
//!
//! What is kept is the snapshot; a page is a view of it. Writes go through the write-ahead log, so that nothing that
//! was answered is lost when the process ends without warning. Calls block for a moment: async callers hand them to a
//! blocking thread.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use miette::Diagnostic;
use rusqlite::{Connection, OptionalExtension, params};
use thiserror::Error;

/// The version of the tables, in SQLite's `user_version`.
const VERSION: i64 = 1;

/// Why the store cannot be used.
#[derive(Debug, Diagnostic, Error)]
pub enum StoreError {
    /// SQLite refused.
    #[error("the store cannot be used: {0}")]
    #[diagnostic(code(stslint::store), help("is it a store that stslint wrote, on a disk with space left?"))]
    Sqlite(#[from] rusqlite::Error),
    /// A newer version of stslint wrote it.
    #[error("the store has version {0}, and this stslint reads version 1")]
    #[diagnostic(code(stslint::store), help("use the stslint that wrote it, or name another file"))]
    Version(i64),
}

/// One observation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Observation {
    /// Its id: 32 hexadecimal digits.
    pub id: String,
    /// The domain in A-labels.
    pub domain: String,
    /// When it was made, in seconds since 1970.
    pub collected_at: i64,
    /// The snapshot as JSON.
    pub snapshot: String,
    /// Whoever knows this may remove it: 32 hexadecimal digits.
    pub removal: String,
}

/// A line of a domain's history.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HistoryEntry {
    /// The observation's id.
    pub id: String,
    /// When it was made, in seconds since 1970.
    pub collected_at: i64,
}

/// A check that was asked for and has no result yet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pending {
    /// The id that its observation will have.
    pub id: String,
    /// The secret that will remove it.
    pub removal: String,
    /// The domain in A-labels.
    pub domain: String,
    /// Whether MX hosts are spoken to.
    pub smtp: bool,
    /// Whether the zone's own name servers are asked too.
    pub authoritative: bool,
    /// When it was asked for, in seconds since 1970.
    pub asked_at: i64,
}

/// A TLS report that was received.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReceivedReport {
    /// When it came, in seconds since 1970.
    pub received_at: i64,
    /// The JSON of the report.
    pub body: Vec<u8>,
}

/// The store.
#[derive(Debug)]
pub struct Store {
    connection: Mutex<Connection>,
}

impl Store {
    /// Opens the file, which is made where there is none; without one, the store is in memory and ends with the process.
    pub fn open(path: Option<&Path>) -> Result<Self, StoreError> {
        let connection = match path {
            Some(path) => Connection::open(path)?,
            None => Connection::open_in_memory()?,
        };
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if version > VERSION {
            return Err(StoreError::Version(version));
        }
        connection.execute_batch(
            "CREATE TABLE IF NOT EXISTS observation (
                 id TEXT PRIMARY KEY, domain TEXT NOT NULL, collected_at INTEGER NOT NULL,
                 snapshot TEXT NOT NULL, removal TEXT NOT NULL
             ) STRICT;
             CREATE INDEX IF NOT EXISTS observation_domain ON observation (domain, collected_at);
             CREATE INDEX IF NOT EXISTS observation_age ON observation (collected_at);
             CREATE TABLE IF NOT EXISTS pending (
                 id TEXT PRIMARY KEY, removal TEXT NOT NULL, domain TEXT NOT NULL, smtp INTEGER NOT NULL,
                 authoritative INTEGER NOT NULL, asked_at INTEGER NOT NULL
             ) STRICT;
             CREATE TABLE IF NOT EXISTS tls_report (
                 id INTEGER PRIMARY KEY, domain TEXT NOT NULL, received_at INTEGER NOT NULL, body BLOB NOT NULL
             ) STRICT;
             CREATE INDEX IF NOT EXISTS tls_report_domain ON tls_report (domain, received_at);",
        )?;
        connection.pragma_update(None, "user_version", VERSION)?;
        Ok(Store { connection: Mutex::new(connection) })
    }

    /// Keeps a check that was asked for, until it has a result or is known to get none.
    pub fn begin(&self, pending: &Pending) -> Result<(), StoreError> {
        self.lock().execute(
            "INSERT OR REPLACE INTO pending (id, removal, domain, smtp, authoritative, asked_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![pending.id, pending.removal, pending.domain, pending.smtp, pending.authoritative, pending.asked_at],
        )?;
        Ok(())
    }

    /// Forgets a check that got no result.
    pub fn give_up(&self, id: &str) -> Result<(), StoreError> {
        self.lock().execute("DELETE FROM pending WHERE id = ?1", [id])?;
        Ok(())
    }

    /// The checks that an earlier process was asked for and did not end, the oldest first. They are given out once: a
    /// check that ends the process must not end each that follows.
    pub fn take_pending(&self) -> Result<Vec<Pending>, StoreError> {
        let connection = self.lock();
        let mut statement =
            connection.prepare("DELETE FROM pending RETURNING id, removal, domain, smtp, authoritative, asked_at")?;
        let pending = |row: &rusqlite::Row<'_>| {
            Ok(Pending {
                id: row.get(0)?,
                removal: row.get(1)?,
                domain: row.get(2)?,
                smtp: row.get(3)?,
                authoritative: row.get(4)?,
                asked_at: row.get(5)?,
            })
        };
        let mut found = statement.query_map([], pending)?.collect::<Result<Vec<_>, _>>()?;
        found.sort_by(|a, b| (a.asked_at, &a.id).cmp(&(b.asked_at, &b.id)));
        Ok(found)
    }

    /// Keeps an observation, the result of a check where one was asked for.
    pub fn put(&self, observation: &Observation) -> Result<(), StoreError> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        transaction.execute("DELETE FROM pending WHERE id = ?1", [&observation.id])?;
        transaction.execute(
            "INSERT OR REPLACE INTO observation (id, domain, collected_at, snapshot, removal) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                observation.id,
                observation.domain,
                observation.collected_at,
                observation.snapshot,
                observation.removal
            ],
        )?;
        transaction.commit()?;
        Ok(())
    }

    /// The observation with this id.
    pub fn get(&self, id: &str) -> Result<Option<Observation>, StoreError> {
        let found = self.lock().query_row(
            "SELECT id, domain, collected_at, snapshot, removal FROM observation WHERE id = ?1",
            [id],
            |row| {
                Ok(Observation {
                    id: row.get(0)?,
                    domain: row.get(1)?,
                    collected_at: row.get(2)?,
                    snapshot: row.get(3)?,
                    removal: row.get(4)?,
                })
            },
        );
        Ok(found.optional()?)
    }

    /// Removes an observation, where `removal` is its secret; whether there was one to remove.
    pub fn remove(&self, id: &str, removal: &str) -> Result<bool, StoreError> {
        let removed =
            self.lock().execute("DELETE FROM observation WHERE id = ?1 AND removal = ?2", params![id, removal])?;
        Ok(removed > 0)
    }

    /// The observations of a domain, the latest first.
    pub fn history(&self, domain: &str, most: u32) -> Result<Vec<HistoryEntry>, StoreError> {
        let connection = self.lock();
        let mut statement = connection.prepare(
            "SELECT id, collected_at FROM observation WHERE domain = ?1 ORDER BY collected_at DESC, id LIMIT ?2",
        )?;
        let entry = |row: &rusqlite::Row<'_>| Ok(HistoryEntry { id: row.get(0)?, collected_at: row.get(1)? });
        let entries = statement.query_map(params![domain, most], entry)?;
        Ok(entries.collect::<Result<_, _>>()?)
    }

    /// Removes what is older than `oldest` (seconds since 1970), and the oldest observations beyond `most`; how many.
    pub fn prune(&self, oldest: i64, most: u64) -> Result<usize, StoreError> {
        let connection = self.lock();
        let aged = connection.execute("DELETE FROM observation WHERE collected_at < ?1", [oldest])?;
        let beyond = connection.execute(
            "DELETE FROM observation WHERE id IN (SELECT id FROM observation ORDER BY collected_at DESC LIMIT -1 OFFSET ?1)",
            [i64::try_from(most).unwrap_or(i64::MAX)],
        )?;
        connection.execute("DELETE FROM tls_report WHERE received_at < ?1", [oldest])?;
        Ok(aged.saturating_add(beyond))
    }

    /// How many observations there are.
    pub fn count(&self) -> Result<u64, StoreError> {
        let count: i64 = self.lock().query_row("SELECT count(*) FROM observation", [], |row| row.get(0))?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// Keeps a TLS report about a domain; one that is there already, octet for octet, is not kept again.
    pub fn put_report(&self, domain: &str, report: &ReceivedReport) -> Result<(), StoreError> {
        self.lock().execute(
            "INSERT INTO tls_report (domain, received_at, body) SELECT ?1, ?2, ?3 WHERE NOT EXISTS
                (SELECT 1 FROM tls_report WHERE domain = ?1 AND length(body) = length(?3) AND body = ?3)",
            params![domain, report.received_at, report.body],
        )?;
        Ok(())
    }

    /// The TLS reports about a domain, the latest first.
    pub fn reports(&self, domain: &str, most: u32) -> Result<Vec<ReceivedReport>, StoreError> {
        let connection = self.lock();
        let mut statement = connection.prepare(
            "SELECT received_at, body FROM tls_report WHERE domain = ?1 ORDER BY received_at DESC, id DESC LIMIT ?2",
        )?;
        let report = |row: &rusqlite::Row<'_>| Ok(ReceivedReport { received_at: row.get(0)?, body: row.get(1)? });
        let reports = statement.query_map(params![domain, most], report)?;
        Ok(reports.collect::<Result<_, _>>()?)
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn observation(id: &str, collected_at: i64) -> Observation {
        Observation {
            id: id.to_owned(),
            domain: "example.com".to_owned(),
            collected_at,
            snapshot: "{}".to_owned(),
            removal: format!("secret of {id}"),
        }
    }

    #[test]
    fn what_is_kept_is_found_until_it_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let store = Store::open(Some(&path)).unwrap();
        for (id, at) in [("a", 10), ("b", 20), ("c", 30)] {
            store.put(&observation(id, at)).unwrap();
        }
        drop(store);
        let store = Store::open(Some(&path)).unwrap();
        assert_eq!(store.get("b").unwrap(), Some(observation("b", 20)));
        let ids = |store: &Store| -> Vec<String> {
            store.history("example.com", 9).unwrap().into_iter().map(|entry| entry.id).collect()
        };
        assert_eq!(ids(&store), ["c", "b", "a"]);
        assert!(!store.remove("b", "a guess").unwrap());
        assert!(store.remove("b", "secret of b").unwrap());
        assert_eq!(store.get("b").unwrap(), None);
        assert_eq!(store.prune(15, 100).unwrap(), 1);
        store.put(&observation("d", 40)).unwrap();
        assert_eq!(store.prune(0, 1).unwrap(), 1);
        assert_eq!(ids(&store), ["d"]);
        assert_eq!(store.count().unwrap(), 1);
    }

    #[test]
    fn a_store_of_the_future_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        Store::open(Some(&path)).unwrap().lock().pragma_update(None, "user_version", 9).unwrap();
        assert!(matches!(Store::open(Some(&path)), Err(StoreError::Version(9))));
    }
}
