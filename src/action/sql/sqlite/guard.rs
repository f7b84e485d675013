//! What statements may do, asked by SQLite's authorizer whenever one is compiled.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use rusqlite::ffi;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

/// Pragmas that take a value and only read.
const READING_WITH_VALUE: &[&str] = &[
    "foreign_key_check",
    "foreign_key_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "integrity_check",
    "quick_check",
    "table_info",
    "table_list",
    "table_xinfo",
];

/// Pragmas that only read as long as they are given no value.
const READING: &[&str] = &[
    "application_id",
    "collation_list",
    "compile_options",
    "data_version",
    "encoding",
    "freelist_count",
    "function_list",
    "journal_mode",
    "page_count",
    "page_size",
    "pragma_list",
    "schema_version",
    "user_version",
];

/// Pragmas that not even the author of a spec sets on a connection: they undo what guards it.
const UNDOING: &[&str] = &["data_store_directory", "temp_store_directory", "trusted_schema", "writable_schema"];

/// Whose statements are being compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Our own.
    Driver,
    /// A script that builds a database.
    Script,
    /// A source's `onConnect`.
    OnConnect,
    /// A call's.
    Call,
}

#[derive(Debug)]
struct State {
    trust: Trust,
    denied: Option<String>,
    inserts_into: Option<String>,
}

/// The rules of one connection.
#[derive(Debug, Clone)]
pub struct Guard(Arc<Mutex<State>>);

impl Guard {
    /// Sets a guard on a connection; it trusts nobody more than a script.
    pub fn install(connection: &Connection) -> rusqlite::Result<Guard> {
        let guard = Guard(Arc::new(Mutex::new(State { trust: Trust::Script, denied: None, inserts_into: None })));
        let authorizer = guard.clone();
        connection.authorizer(Some(move |context: AuthContext<'_>| authorizer.decide(&context)))?;
        Ok(guard)
    }

    /// Runs `work` with another trust and goes back to the one before.
    pub fn trusting<T>(&self, trust: Trust, work: impl FnOnce() -> T) -> T {
        let _back = Back { guard: self, trust: self.set(trust) };
        work()
    }

    /// Trusts somebody else from now on; gives who was trusted.
    pub fn set(&self, trust: Trust) -> Trust {
        std::mem::replace(&mut self.lock().trust, trust)
    }

    /// Forgets what the last statement wanted.
    pub fn forget(&self) {
        let mut state = self.lock();
        state.denied = None;
        state.inserts_into = None;
    }

    /// What was not allowed, in plain words.
    pub fn denied(&self) -> Option<String> {
        self.lock().denied.take()
    }

    /// The table that the statement just compiled inserts into.
    pub fn inserts_into(&self) -> Option<String> {
        self.lock().inserts_into.take()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn decide(&self, context: &AuthContext<'_>) -> Authorization {
        let mut state = self.lock();
        match refusal(state.trust, &context.action) {
            Some(refusal) => {
                state.denied.get_or_insert(refusal);
                Authorization::Deny
            }
            None => {
                if let (AuthAction::Insert { table_name }, None) = (&context.action, context.accessor) {
                    state.inserts_into = Some((*table_name).to_owned());
                }
                Authorization::Allow
            }
        }
    }
}

struct Back<'a> {
    guard: &'a Guard,
    trust: Trust,
}

impl Drop for Back<'_> {
    fn drop(&mut self) {
        self.guard.set(self.trust);
    }
}

/// Why an action is not allowed.
fn refusal(trust: Trust, action: &AuthAction<'_>) -> Option<String> {
    if trust == Trust::Driver {
        return None;
    }
    match action {
        AuthAction::Attach { .. } | AuthAction::Detach { .. } => Some(ATTACHING.into()),
        AuthAction::Unknown { code, .. } if matches!(*code, ffi::SQLITE_ATTACH | ffi::SQLITE_DETACH) => {
            Some(ATTACHING.into())
        }
        AuthAction::Unknown { .. } => Some("this kind of statement is not allowed".into()),
        AuthAction::Function { function_name } if is_one_of(function_name, &["load_extension", "fts3_tokenizer"]) => {
            Some(format!("the function {function_name} is not allowed"))
        }
        AuthAction::Pragma { pragma_name, pragma_value } => pragma(trust, pragma_name, pragma_value.is_some()),
        AuthAction::Transaction { .. } | AuthAction::Savepoint { .. } if trust == Trust::Call => {
            Some("a statement may not begin or end a transaction".into())
        }
        _ => None,
    }
}

/// `VACUUM` attaches a database of its own.
const ATTACHING: &str = "ATTACH, DETACH and VACUUM are not allowed";

fn pragma(trust: Trust, name: &str, has_value: bool) -> Option<String> {
    let allowed = match trust {
        Trust::Driver | Trust::Script => true,
        Trust::OnConnect => !is_one_of(name, UNDOING),
        Trust::Call => is_one_of(name, READING_WITH_VALUE) || (!has_value && is_one_of(name, READING)),
    };
    (!allowed).then(|| format!("PRAGMA {name} is not allowed{}", if trust == Trust::Call { " in a query" } else { "" }))
}

fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepares(trust: Trust, sql: &str) -> bool {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t(a)").unwrap();
        let guard = Guard::install(&connection).unwrap();
        guard.set(trust);
        connection.prepare(sql).is_ok()
    }

    #[test]
    fn calls_read_pragmas_and_set_none() {
        for sql in
            ["PRAGMA table_info(t)", "SELECT * FROM pragma_table_info('t')", "PRAGMA user_version", "PRAGMA Table_List"]
        {
            assert!(prepares(Trust::Call, sql), "{sql}");
        }
        for sql in [
            "PRAGMA user_version = 3",
            "PRAGMA query_only = 0",
            "PRAGMA writable_schema = 1",
            "PRAGMA foreign_keys(0)",
            "PRAGMA trusted_schema = 1",
            "PRAGMA journal_mode = OFF",
            "PRAGMA database_list",
            "PRAGMA temp_store_directory = '/tmp'",
            "PRAGMA main.journal_mode = WAL",
            "PRAGMA wal_checkpoint",
            "PRAGMA busy_timeout = 0",
        ] {
            assert!(!prepares(Trust::Call, sql), "{sql}");
        }
    }

    #[test]
    fn nobody_attaches() {
        for trust in [Trust::Call, Trust::OnConnect, Trust::Script] {
            for sql in ["ATTACH 'x.db' AS x", "ATTACH :x AS y", "DETACH main", "SELECT load_extension('x')"] {
                assert!(!prepares(trust, sql), "{trust:?}: {sql}");
            }
        }
    }

    #[test]
    fn transactions_are_the_drivers() {
        for sql in ["BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT a", "RELEASE a", "BEGIN EXCLUSIVE", "END"] {
            assert!(!prepares(Trust::Call, sql), "{sql}");
            assert!(prepares(Trust::Driver, sql), "{sql}");
        }
    }

    #[test]
    fn authors_tune_but_undo_no_guard() {
        assert!(prepares(Trust::OnConnect, "PRAGMA cache_size = -1000"));
        assert!(prepares(Trust::OnConnect, "PRAGMA journal_mode = WAL"));
        assert!(!prepares(Trust::OnConnect, "PRAGMA writable_schema = 1"));
        assert!(!prepares(Trust::OnConnect, "PRAGMA trusted_schema = 1"));
        assert!(prepares(Trust::Script, "PRAGMA foreign_keys = OFF"));
    }

    #[test]
    fn trust_goes_back_even_after_a_panic() {
        let connection = Connection::open_in_memory().unwrap();
        let guard = Guard::install(&connection).unwrap();
        guard.set(Trust::Call);
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            guard.trusting(Trust::Driver, || panic!("on purpose"))
        }));
        assert!(outcome.is_err());
        assert_eq!(guard.set(Trust::Call), Trust::Call);
    }
}
