//! A database's own catalog: its tables and views, their columns and keys. Every identifier that a statement of ours
//! is made of comes from here.

mod json;
mod kept;
mod mysql;
mod postgres;
mod sqlite;

use std::sync::Arc;

use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::lexer::Dialect;
use super::source::Driver;
use super::types::{Bind, Rows, SqlFault};
use super::variants::quoted;
use crate::action::Limits;
pub use kept::Kept;

/// Tables, or columns of one table, that are read of a catalog.
const MAX_ENTRIES: usize = 10_000;

/// How a database is asked for its catalog. Every statement gives the columns that are named here.
#[derive(Debug, Clone, Copy)]
struct Questions {
    /// The tables that may be read: `name`, `schema`, `plain`, `kind`, `comment`.
    tables: &'static str,
    /// The columns of `:plain` in `:schema` that may be read: `name`, `type`, `nullable`, `standard`, `comment`,
    /// `generated`.
    columns: &'static str,
    /// The columns of its primary key: `name`.
    primary_key: &'static str,
    /// The columns of its foreign keys: `foreign_key`, `name`, `other_table`, `other_column`.
    foreign_keys: &'static str,
}

fn questions(dialect: Dialect) -> Questions {
    match dialect {
        Dialect::Sqlite => sqlite::QUESTIONS,
        Dialect::Postgres => postgres::QUESTIONS,
        Dialect::Mysql => mysql::QUESTIONS,
    }
}

/// The statement that lists the tables.
pub fn tables_statement(dialect: Dialect) -> &'static str {
    questions(dialect).tables
}

/// A table or view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name; with its schema where it is not found without.
    pub name: String,
    /// `table` or `view`.
    pub kind: String,
    /// What the database's owner says of it.
    pub comment: Option<String>,
    schema: String,
    plain: String,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableColumn {
    /// Its name.
    pub name: String,
    /// Its type, in the database's words.
    pub kind: String,
    /// Whether it may be NULL.
    pub nullable: bool,
    /// The expression that stands for a value that is not given.
    pub default: Option<String>,
    /// What the database's owner says of it.
    pub comment: Option<String>,
    /// Whether the database computes it.
    pub generated: bool,
}

/// Columns that refer to a row of another table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    name: String,
    /// The columns here.
    pub columns: Vec<String>,
    /// The other table, as the catalog lists it.
    pub table: String,
    /// The columns there; none where the database does not say.
    pub references: Vec<String>,
}

/// A table with all that is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// The table.
    pub table: Table,
    /// Its columns, in their order.
    pub columns: Vec<TableColumn>,
    /// The columns of its primary key; none without one.
    pub primary_key: Vec<String>,
    /// Its foreign keys.
    pub foreign_keys: Vec<ForeignKey>,
}

/// Who asks a catalog, and how long.
#[derive(Debug, Clone, Copy)]
pub struct Catalog<'a> {
    /// The database.
    pub driver: &'a Driver,
    /// What it told just now.
    pub kept: &'a Kept,
    /// The bounds of each question.
    pub limits: Limits,
    /// Ends the asking.
    pub cancel: &'a CancellationToken,
}

impl Catalog<'_> {
    /// The tables and views that may be read, by name, at most 10,000; as they were a moment ago.
    ///
    /// # Errors
    /// What the database says.
    pub async fn tables(&self) -> Result<Arc<[Table]>, SqlFault> {
        match self.kept.tables() {
            Some(tables) => Ok(tables),
            None => self.tables_now().await,
        }
    }

    /// The tables and views that may be read, as they are now.
    ///
    /// # Errors
    /// What the database says.
    pub async fn tables_now(&self) -> Result<Arc<[Table]>, SqlFault> {
        let rows = self.ask(questions(self.driver.dialect()).tables, Vec::new()).await?;
        let tables: Arc<[Table]> = rows.into_objects().map(Table::of).collect();
        self.kept.keep_tables(Arc::clone(&tables));
        Ok(tables)
    }

    /// The table of just this name, with all that is known of it as it was a moment ago; `None` if there is none now.
    ///
    /// # Errors
    /// What the database says.
    pub async fn schema(&self, name: &str) -> Result<Option<Arc<Schema>>, SqlFault> {
        if let Some(schema) = self.kept.schema(name) {
            return Ok(Some(schema));
        }
        let named = |all: &[Table]| all.iter().find(|table| table.name == name).cloned();
        let known = self.kept.tables().and_then(|all| named(&all));
        let table = match known {
            Some(table) => Some(table),
            None => named(&self.tables_now().await?),
        };
        let Some(table) = table else { return Ok(None) };
        let schema = Arc::new(self.schema_of(table).await?);
        self.kept.keep_schema(Arc::clone(&schema));
        Ok(Some(schema))
    }

    /// All that is known of a table, as it is now.
    ///
    /// # Errors
    /// What the database says.
    pub async fn schema_of(&self, table: Table) -> Result<Schema, SqlFault> {
        let Questions { columns, primary_key, foreign_keys, .. } = questions(self.driver.dialect());
        let columns = self.ask(columns, table.binds()).await?;
        let primary_key = self.ask(primary_key, table.binds()).await?;
        let foreign_keys = self.ask(foreign_keys, table.binds()).await?;
        Ok(Schema {
            table,
            columns: columns.into_objects().map(TableColumn::of).collect(),
            primary_key: primary_key.into_objects().filter_map(|row| text(&row, "name")).collect(),
            foreign_keys: ForeignKey::all(foreign_keys),
        })
    }

    async fn ask(&self, statement: &'static str, binds: Vec<(String, Bind)>) -> Result<Rows, SqlFault> {
        let limits = Limits { max_rows: MAX_ENTRIES, ..self.limits };
        self.driver.query(Arc::from(statement), binds, limits, self.cancel).await
    }
}

impl Table {
    fn of(row: Map<String, Value>) -> Self {
        let word = |name: &str| text(&row, name).unwrap_or_default();
        Table {
            name: word("name"),
            kind: word("kind"),
            comment: text(&row, "comment"),
            schema: word("schema"),
            plain: word("plain"),
        }
    }

    /// What questions about the table bind.
    fn binds(&self) -> Vec<(String, Bind)> {
        let bind = |(name, value): (&str, &String)| (name.to_owned(), Bind::Text(value.clone()));
        [("schema", &self.schema), ("plain", &self.plain)].map(bind).to_vec()
    }

    /// It as a statement names it, quoted, with its schema.
    pub fn quoted(&self, dialect: Dialect) -> String {
        format!("{}.{}", quoted(&self.schema, dialect), quoted(&self.plain, dialect))
    }

    /// It in a list of tables.
    pub fn json(&self) -> Value {
        json!({ "name": self.name, "kind": self.kind, "comment": self.comment })
    }
}

impl TableColumn {
    fn of(row: Map<String, Value>) -> Self {
        TableColumn {
            name: text(&row, "name").unwrap_or_default(),
            kind: text(&row, "type").unwrap_or_default(),
            nullable: truth(&row, "nullable"),
            default: text(&row, "standard"),
            comment: text(&row, "comment"),
            generated: truth(&row, "generated"),
        }
    }
}

impl ForeignKey {
    /// The keys whose columns these rows are, those of each key one after the other.
    fn all(rows: Rows) -> Vec<ForeignKey> {
        let mut keys: Vec<ForeignKey> = Vec::new();
        for row in rows.into_objects() {
            let word = |name: &str| text(&row, name).unwrap_or_default();
            let name = word("foreign_key");
            if keys.last().is_none_or(|last| last.name != name) {
                let table = word("other_table");
                keys.push(ForeignKey { name, columns: Vec::new(), table, references: Vec::new() });
            }
            if let Some(key) = keys.last_mut() {
                key.columns.push(word("name"));
                key.references.extend(text(&row, "other_column"));
            }
        }
        keys
    }
}

impl Schema {
    /// The column of just this name.
    pub fn column(&self, name: &str) -> Option<&TableColumn> {
        self.columns.iter().find(|column| column.name == name)
    }
}

fn text(row: &Map<String, Value>, name: &str) -> Option<String> {
    match row.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Null => None,
        other => Some(other.to_string()),
    }
}

/// A truth value; SQLite and MySQL have numbers for it.
fn truth(row: &Map<String, Value>, name: &str) -> bool {
    matches!(row.get(name), Some(value) if *value == json!(true) || *value == json!(1) || *value == json!("1"))
}
