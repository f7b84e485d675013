//! What a catalog told, kept for a moment: whoever completes names asks at each key.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{Schema, Table};

/// How long an answer is good for.
const GOOD_FOR: Duration = Duration::from_secs(5);

/// Tables whose columns are kept.
const MAX_SCHEMAS: usize = 256;

/// The last answers of one database's catalog.
#[derive(Debug, Default)]
pub struct Kept(Mutex<Answers>);

#[derive(Debug, Default)]
struct Answers {
    tables: Option<Dated<Arc<[Table]>>>,
    schemas: HashMap<String, Dated<Arc<Schema>>>,
}

/// An answer, and when it was given.
#[derive(Debug)]
struct Dated<T>(T, Instant);

impl<T: Clone> Dated<T> {
    fn good(&self) -> Option<T> {
        (self.1.elapsed() < GOOD_FOR).then(|| self.0.clone())
    }
}

impl Kept {
    /// The tables, if they were asked for just now.
    pub fn tables(&self) -> Option<Arc<[Table]>> {
        self.lock().tables.as_ref().and_then(Dated::good)
    }

    /// Keeps the tables.
    pub fn keep_tables(&self, tables: Arc<[Table]>) {
        self.lock().tables = Some(Dated(tables, Instant::now()));
    }

    /// The table of this name, if it was asked for just now.
    pub fn schema(&self, name: &str) -> Option<Arc<Schema>> {
        self.lock().schemas.get(name).and_then(Dated::good)
    }

    /// Keeps what is known of a table.
    pub fn keep_schema(&self, schema: Arc<Schema>) {
        let mut answers = self.lock();
        if answers.schemas.len() >= MAX_SCHEMAS {
            answers.schemas.clear();
        }
        answers.schemas.insert(schema.table.name.clone(), Dated(schema, Instant::now()));
    }

    /// Asks anew from now on: tables have changed, or may have.
    pub fn forget(&self) {
        *self.lock() = Answers::default();
    }

    fn lock(&self) -> MutexGuard<'_, Answers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
