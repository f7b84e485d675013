//! Functions and what they do beside giving a value.

use sqlx::postgres::PgConnection;
use sqlx::{Executor, Row};

use crate::action::sql::types::{FaultKind, SqlFault};

/// What the names of functions begin with whose effects no rollback undoes, which run a text as SQL or elsewhere, or
/// which read files of the server's machine.
/// A read-only transaction lets all of them pass, at least in some version of PostgreSQL.
const LASTING: &[&str] = &[
    "aws_",
    "brin_",
    "dblink",
    "gin_clean_pending_list",
    "heap_force_",
    "lo_",
    "lowrite",
    "pg_advisory_lock",
    "pg_advisory_unlock",
    "pg_try_advisory_lock",
    "pg_background_",
    "pg_backup_",
    "pg_cancel_backend",
    "pg_copy_",
    "pg_create_",
    "pg_drop_",
    "pg_file_",
    "pg_import_",
    "pg_log_",
    "pg_logical_",
    "pg_promote",
    "pg_read_",
    "pg_reload_conf",
    "pg_replication_",
    "pg_rotate_logfile",
    "pg_start_backup",
    "pg_stat_reset",
    "pg_stat_statements_reset",
    "pg_stop_backup",
    "pg_switch_wal",
    "pg_terminate_backend",
    "pg_truncate_",
    "pg_wal_replay_",
    "query_to_xml",
    "cursor_to_xml",
    "connectby",
    "crosstab",
    "xpath_table",
    "set_config",
    "ts_stat",
    "ts_rewrite",
];

/// Refuses a call that a read-only source must not make.
pub fn refuse_lasting(calls: &[(String, usize)]) -> Result<(), SqlFault> {
    let lasting = |(name, _): &&(String, usize)| LASTING.iter().any(|prefix| name.starts_with(prefix));
    match calls.iter().find(lasting) {
        None => Ok(()),
        Some((name, at)) => {
            let words =
                format!("`{name}` does what a read-only transaction does not hold, and the source is read-only");
            Err(SqlFault::new(FaultKind::Refused, words).at(Some(*at)))
        }
    }
}

/// `VOLATILE` functions: they may do anything. Some of PostgreSQL's own are so only because their value changes.
const VOLATILE: &str = "
    SELECT EXISTS (
        SELECT FROM pg_catalog.pg_proc
        WHERE proname::text = ANY ($1) AND provolatile = 'v' AND NOT (
            pronamespace = 'pg_catalog'::regnamespace AND proname IN (
                'random', 'random_normal', 'clock_timestamp', 'timeofday', 'gen_random_uuid', 'uuidv4', 'uuidv7',
                'pg_sleep', 'pg_sleep_for', 'pg_sleep_until', 'currval', 'lastval', 'table_to_xml')))";

/// Whether one of these functions may have an effect.
pub async fn may_have_effects(connection: &mut PgConnection, calls: &[(String, usize)]) -> sqlx::Result<bool> {
    if calls.is_empty() {
        return Ok(false);
    }
    let names: Vec<String> = calls.iter().map(|(name, _)| name.clone()).collect();
    connection.fetch_one(sqlx::query(VOLATILE).bind(names)).await?.try_get(0)
}
