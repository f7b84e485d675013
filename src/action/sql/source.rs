//! The `sql:` source: which database, opened how, and what is known of it while it can't be reached.

mod config;
mod driver;
mod report;
mod url;

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::catalog::{Catalog, Kept};
use super::lexer::Dialect;
use super::mysql::Mysql;
use super::postgres::Postgres;
use super::scratch;
use super::sqlite::{self, Location};
use super::types::{Described, FaultKind, OpenFault, SqlFault};
use crate::action::Limits;
use crate::action::source::Mode;
use crate::spec::model;
use crate::spec::{Code, Diagnostic, Diagnostics, Files, Spanned};
use config::Config;
pub use driver::Driver;
use report::Reporter;

/// Statements whose descriptions are kept.
const KEPT: usize = 4096;
/// How soon a database that can't be reached is tried again, and how seldom in the end.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(15));

/// A database, whether it can be reached or not.
#[derive(Debug)]
pub struct SqlSource {
    config: Config,
    read_only: bool,
    /// Which file the database was when it was opened: another one in its place is opened anew.
    file: Option<FileIdentity>,
    mode: Mode,
    /// Its driver.
    pub driver: Driver,
    /// How long a statement of an action that says nothing else may run.
    pub timeout: Option<Duration>,
    /// How long any statement may run.
    pub statement_timeout: Option<Duration>,
    contact: Arc<Contact>,
    kept: Kept,
}

/// Whether a database answers, and what it once said.
#[derive(Debug, Default)]
struct Contact {
    lost: AtomicBool,
    described: Mutex<HashMap<String, Described>>,
}

impl SqlSource {
    /// Opens it, or takes `previous` if that is configured the same.
    pub async fn open(
        name: &Spanned<String>,
        written: &model::SqlSource,
        files: &mut Files,
        mode: Mode,
        previous: Option<&Arc<SqlSource>>,
        sink: &mut Diagnostics,
        inputs: &mut Vec<PathBuf>,
    ) -> Option<Arc<SqlSource>> {
        let (config, script) = Config::read(written, files, sink, mode, inputs)?;
        let read_only = config.read_only();
        let config = if mode == Mode::Test { config.for_tests(script.is_some()) } else { config };
        let required = written.required.as_ref().is_some_and(|required| required.value);
        let tolerant = mode == Mode::Serve && !required;
        let reporter = Reporter { name, written, script: script.as_ref(), tolerant };
        let same = |p: &&Arc<SqlSource>| p.config == config && p.mode == mode && p.file == identity(&config);
        let kept = previous.filter(same);
        let (driver, contact) = match kept {
            Some(previous) => (previous.driver.clone(), previous.contact.clone()),
            None => match driver(&config, mode, script.as_ref()).await {
                Ok(driver) => (driver, Arc::default()),
                Err(fault) => {
                    not_opened(&fault, &config, &reporter, sink);
                    return None;
                }
            },
        };
        let fault = driver.probe().await.err();
        contact.lost.store(fault.is_some(), Ordering::SeqCst);
        if let Some(fault) = fault
            && !reporter.report(&fault, sink)
        {
            return None;
        }
        let timeout = written.timeout.as_ref().map(|t| t.value);
        let statement_timeout = written.statement_timeout.as_ref().map(|t| t.value);
        let file = identity(&config);
        Some(match kept.filter(|p| p.timeout == timeout && p.statement_timeout == statement_timeout) {
            Some(previous) => {
                previous.forget_catalog();
                previous.clone()
            }
            None => {
                let kept = Kept::default();
                Arc::new(SqlSource { config, read_only, file, mode, driver, timeout, statement_timeout, contact, kept })
            }
        })
    }

    /// Whether the spec wants the database to refuse every write; while tests run it may also do so otherwise.
    pub fn read_only(&self) -> bool {
        self.read_only
    }

    /// The catalog of the database.
    pub fn catalog<'a>(&'a self, limits: Limits, cancel: &'a CancellationToken) -> Catalog<'a> {
        Catalog { driver: &self.driver, kept: &self.kept, limits, cancel }
    }

    /// Has the catalog asked anew.
    pub fn forget_catalog(&self) {
        self.kept.forget();
    }

    /// What the database says of a statement. While it can't be reached that is what it said before, or nothing.
    ///
    /// # Errors
    /// What the database says.
    pub async fn describe(&self, sql: &str) -> Option<Result<Described, SqlFault>> {
        let known = || self.contact.described.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.contact.lost.load(Ordering::SeqCst) {
            match self.driver.describe(sql).await? {
                Err(fault) if fault.kind == FaultKind::Unavailable && self.mode == Mode::Serve => {
                    self.contact.lost.store(true, Ordering::SeqCst);
                }
                Err(fault) => return Some(Err(fault)),
                Ok(described) => {
                    let mut known = known();
                    if known.len() >= KEPT {
                        known.clear();
                    }
                    known.insert(sql.to_owned(), described.clone());
                    return Some(Ok(described));
                }
            }
        }
        known().get(sql).cloned().map(Ok)
    }

    /// Waits until a database answers that could not be reached when it was opened; for ever if it could.
    pub async fn recovered(&self) {
        let (mut pause, longest) = PAUSES;
        while self.contact.lost.load(Ordering::SeqCst) {
            tokio::time::sleep(pause).await;
            if self.driver.probe().await.is_ok() {
                self.contact.lost.store(false, Ordering::SeqCst);
                return;
            }
            pause = (pause * 2).min(longest);
        }
        std::future::pending().await
    }
}

/// Readies a driver; servers are not connected to yet, but for what tests work on.
async fn driver(config: &Config, mode: Mode, script: Option<&Spanned<String>>) -> Result<Driver, OpenFault> {
    let purpose = match mode {
        Mode::Serve | Mode::Test => sqlite::Mode::Serve,
        Mode::Check => sqlite::Mode::Check,
        Mode::Offline => return Ok(Driver::Offline(config.dialect())),
    };
    match config {
        Config::Sqlite(config) => sqlite::open(config.clone(), purpose).await.map(Driver::Sqlite),
        Config::Server(dialect, config) => {
            let built = match script {
                Some(script) => Some(scratch::build(*dialect, config, &script.value).await?),
                None => None,
            };
            let config = built.as_ref().unwrap_or(config);
            match dialect {
                Dialect::Mysql => Mysql::new(config).map(Driver::Mysql),
                Dialect::Postgres | Dialect::Sqlite => Postgres::new(config).map(Driver::Postgres),
            }
        }
    }
}

/// Reports why there is no driver at all.
fn not_opened(fault: &OpenFault, config: &Config, reporter: &Reporter<'_>, sink: &mut Diagnostics) {
    match (fault, config, reporter.written.url.get()) {
        (OpenFault::Unavailable(words), Config::Server(..), Some(url)) if reporter.script.is_none() => {
            sink.push(Diagnostic::error(
                Code::BadValue,
                url.span,
                format!("source `{}`: {words}", reporter.name.value),
            ));
        }
        _ => {
            Reporter { tolerant: false, ..*reporter }.report(fault, sink);
        }
    }
}

/// Device and inode of a file.
type FileIdentity = (u64, u64);

/// Which file a database is; `None` for one in memory, or that is not there.
fn identity(config: &Config) -> Option<FileIdentity> {
    let Config::Sqlite(sqlite::SqliteConfig { database: Location::File(path), .. }) = config else { return None };
    std::fs::metadata(path).ok().map(|found| (found.dev(), found.ino()))
}
