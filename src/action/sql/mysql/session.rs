//! One connection, and what a call does on it.

use std::time::{Duration, Instant};

use futures_util::{Stream, StreamExt as _};
use sqlx::mysql::{MySqlArguments, MySqlColumn, MySqlConnection, MySqlQueryResult, MySqlRow, MySqlStatement};
use sqlx::{AssertSqlSafe, Connection as _, Either, Executor as _, SqlSafeStr as _, Statement as _};
use tokio::time::timeout;

use super::fault;
use super::gather::Gathered;
use super::plan::Plan;
use crate::action::Limits;
use crate::action::sql::types::{Bind, Isolation, Rows, SqlFault};

/// How long the server may take to answer a ping or a farewell.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long the end of a result may take to come that has all the rows that were asked for.
const END: Duration = Duration::from_millis(50);

/// The longest that a server may be told to let a statement run.
const LONGEST: Duration = Duration::from_secs(86_400);

/// Which of the two servers it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavor {
    /// MySQL.
    Mysql,
    /// MariaDB.
    Mariadb,
}

impl Flavor {
    /// What `VERSION()` says.
    pub fn of(version: &str) -> Flavor {
        if version.contains("MariaDB") { Flavor::Mariadb } else { Flavor::Mysql }
    }

    /// The variable that bounds the time of a statement. MySQL's is for SELECT alone.
    fn time_limit(self, time: Duration) -> String {
        let time = time.clamp(Duration::from_millis(1), LONGEST);
        match self {
            Flavor::Mysql => format!("max_execution_time = {}", time.as_millis()),
            Flavor::Mariadb => format!("max_statement_time = {}", time.as_secs_f64()),
        }
    }
}

/// How far a session can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Ready for the next call.
    Clean,
    /// In the middle of something.
    Busy,
    /// To be closed.
    Spent,
}

/// What a call's statements run in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Each for itself.
    Alone,
    /// A transaction.
    Transaction(Option<Isolation>),
    /// A transaction in which nothing is written.
    ReadOnly(Option<Isolation>),
}

/// One connection.
#[derive(Debug)]
pub struct Session {
    connection: MySqlConnection,
    /// Its number on the server.
    pub id: u64,
    /// Which server it is.
    pub flavor: Flavor,
    /// The database that is meant where a name says nothing else.
    database: Option<String>,
    /// How far it can be trusted.
    pub state: State,
    /// When a call last gave it back.
    pub used: Option<Instant>,
    opened: Instant,
}

impl Session {
    /// A connection that was just opened.
    pub fn new(connection: MySqlConnection, id: u64, flavor: Flavor, database: Option<String>) -> Self {
        Session { connection, id, flavor, database, state: State::Clean, used: None, opened: Instant::now() }
    }

    /// Closes it in good order.
    pub async fn close(self) {
        let _ = timeout(PATIENCE, self.connection.close()).await;
    }

    /// Whether the server still answers.
    pub async fn answers(&mut self) -> bool {
        matches!(timeout(PATIENCE, self.connection.ping()).await, Ok(Ok(())))
    }

    /// How long no call has used it.
    pub fn unused_for(&self) -> Duration {
        self.used.unwrap_or(self.opened).elapsed()
    }

    /// Begins a call: bounds its rows and time on the server, and begins its transaction.
    pub async fn begin(&mut self, scope: Scope, max_rows: usize, time: Duration) -> Result<(), SqlFault> {
        self.state = State::Busy;
        let rows = max_rows.saturating_add(1);
        let mut sql = format!("SET sql_select_limit = {rows}, {}", self.flavor.time_limit(time));
        if let Scope::Transaction(Some(level)) | Scope::ReadOnly(Some(level)) = scope {
            // Of the next transaction alone.
            sql.push_str("; SET TRANSACTION ISOLATION LEVEL ");
            sql.push_str(level.sql());
        }
        sql.push_str(match scope {
            Scope::Alone => "",
            Scope::Transaction(_) => "; START TRANSACTION",
            Scope::ReadOnly(_) => "; START TRANSACTION READ ONLY",
        });
        self.script(sql).await
    }

    /// Ends a call.
    pub async fn end(&mut self, scope: Scope, commit: bool) -> Result<(), SqlFault> {
        if self.state == State::Spent {
            return Ok(());
        }
        match scope {
            Scope::Alone => {}
            Scope::Transaction(_) if commit => self.script("COMMIT".into()).await?,
            Scope::Transaction(_) | Scope::ReadOnly(_) => self.script("ROLLBACK".into()).await?,
        }
        self.state = State::Clean;
        Ok(())
    }

    async fn script(&mut self, sql: String) -> Result<(), SqlFault> {
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.connection).await;
        done.map(|_| ()).map_err(|error| self.failed(&error, fault::running(&error)))
    }

    /// Notes that a connection is lost. The name of the database, which comes from the URL, is not told.
    fn failed(&mut self, error: &sqlx::Error, fault: SqlFault) -> SqlFault {
        if fault::breaks(error) {
            self.state = State::Spent;
        }
        let message = fault::without_database(fault.message, self.database.as_deref());
        SqlFault { message, ..fault }
    }

    /// Has the server prepare a statement; gives its columns, as they are now.
    pub async fn prepare(&mut self, plan: &Plan) -> Result<Vec<MySqlColumn>, SqlFault> {
        let forgotten = self.connection.clear_cached_statements().await;
        forgotten.map_err(|error| self.failed(&error, fault::running(&error)))?;
        let sql = AssertSqlSafe(plan.text()).into_sql_str();
        let prepared: Result<MySqlStatement, _> = self.connection.prepare(sql).await;
        prepared.map(|statement| statement.columns().to_vec()).map_err(|error| {
            let found = fault::preparing(&error, plan.text());
            let offset = found.offset.map(|offset| plan.original(offset));
            self.failed(&error, found.at(offset))
        })
    }

    /// The rows of a question of our own.
    pub async fn ask(&mut self, sql: String, arguments: MySqlArguments) -> Result<Vec<MySqlRow>, SqlFault> {
        let query = sqlx::query_with(AssertSqlSafe(sql), arguments).persistent(false);
        let rows = query.fetch_all(&mut self.connection).await;
        rows.map_err(|error| self.failed(&error, fault::running(&error)))
    }

    /// Runs a statement. One that writes always runs to its end, whatever of its rows is kept. Another that is cut may be
    /// running still, unless it has to end too: then the session stays busy.
    pub async fn run(
        &mut self,
        plan: &Plan,
        binds: &[(String, Bind)],
        limits: Limits,
        bytes_left: &mut usize,
        to_the_end: bool,
    ) -> Result<(Rows, Ended), SqlFault> {
        let (text, arguments) = plan.bind(binds)?;
        let mut gathered = Gathered::new(plan, limits, bytes_left, to_the_end);
        let query = sqlx::query_with(AssertSqlSafe(text), arguments);
        let ended = gather(&mut gathered, self.connection.fetch_many(query)).await;
        match ended {
            Ok(ended) => Ok((gathered.into_rows(), ended)),
            Err(error) => Err(self.failed(&error, fault::running(&error))),
        }
    }
}

/// How a statement came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By itself.
    Whole,
    /// We stopped reading.
    Cut,
}

type Item = sqlx::Result<Either<MySqlQueryResult, MySqlRow>>;

async fn gather(gathered: &mut Gathered<'_>, mut items: impl Stream<Item = Item> + Unpin) -> sqlx::Result<Ended> {
    loop {
        let next = match gathered.wants_more() {
            true => items.next().await,
            // A result that the server cut itself ends here.
            false => match timeout(END, items.next()).await {
                Ok(next) => next,
                Err(_) => return Ok(Ended::Cut),
            },
        };
        match next.transpose()? {
            None => return Ok(Ended::Whole),
            Some(Either::Left(done)) => gathered.end_set(&done),
            Some(Either::Right(_)) if !gathered.wants_more() => return Ok(Ended::Cut),
            Some(Either::Right(row)) => gathered.row(&row)?,
        }
    }
}
