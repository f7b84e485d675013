//! The tools over one table: find, get by key, list.

use std::fmt::Write as _;

use super::names::{Names, usable};
use crate::action::sql::catalog::{Schema, TableColumn};
use crate::action::sql::lexer::Dialect;
use crate::action::sql::quoted;
use crate::action::sql::types::ColumnKind;

/// Columns that a table is searched by: each one doubles the statements that the database prepares.
const MAX_FILTERS: usize = 4;

/// A column that tools ask for.
struct Asked<'s> {
    column: &'s TableColumn,
    kind: ColumnKind,
    param: String,
}

/// A table, and what its tools are called.
pub struct Subject<'s> {
    schema: &'s Schema,
    dialect: Dialect,
    /// The columns that can be named in a spec.
    columns: Vec<TableColumn>,
    filters: Vec<Asked<'s>>,
    keys: Vec<Asked<'s>>,
    list: String,
    find: Option<String>,
    get: Option<String>,
}

impl<'s> Subject<'s> {
    /// Chooses what the tools ask for.
    pub fn new(
        schema: &'s Schema,
        kinds: &[ColumnKind],
        dialect: Dialect,
        names: &mut Names,
        left: &mut Vec<String>,
    ) -> Self {
        let table = &schema.table.name;
        for column in schema.columns.iter().filter(|column| !usable(&column.name)) {
            let name = column.name.escape_debug();
            left.push(format!("column `{name}` of `{table}`: its name can't stand in a spec's statement"));
        }
        let keys = keys(schema, kinds);
        let filters = filters(schema, kinds);
        let plain = table.rsplit('.').next().unwrap_or(table);
        let mut called = |verb: &str| names.take(&format!("{verb}_{plain}"));
        Subject {
            schema,
            dialect,
            columns: schema.columns.iter().filter(|column| usable(&column.name)).cloned().collect(),
            find: (!filters.is_empty()).then(|| called("find")),
            get: (!keys.is_empty()).then(|| called("get")),
            list: called("list"),
            filters,
            keys,
        }
    }

    /// The tools, as YAML below `tools:`.
    pub fn write(&self) -> String {
        let mut text = format!("\n  # {}\n", self.about());
        text.extend(self.find.as_ref().map(|name| self.find(name)));
        text.extend(self.get.as_ref().map(|name| self.get(name)));
        text.push_str(&self.list(&self.list));
        text
    }

    fn about(&self) -> String {
        let table = &self.schema.table;
        let comment = table.comment.as_deref().map(one_line).filter(|comment| !comment.is_empty());
        format!("{} `{}`{}", table.kind, table.name, comment.map_or(String::new(), |comment| format!(": {comment}")))
    }

    fn find(&self, name: &str) -> String {
        let words = "All that are given have to fit; texts are found where they stand anywhere.";
        let mut text = self.head(name, "Find rows of the", words);
        for asked in &self.filters {
            asked.param(&mut text, true);
        }
        text.push_str("      limit: { type: integer, minimum: 1, maximum: 1000, default: 50 }\n");
        let mut query = format!("{} WHERE 1 = 1\n", self.select());
        for asked in &self.filters {
            let column = quoted(&asked.column.name, self.dialect);
            let plain = ["text", "character", "citext"].iter().any(|kind| asked.column.kind.starts_with(kind));
            let test = match (asked.kind, self.dialect) {
                (ColumnKind::Text, Dialect::Postgres) if !plain => {
                    format!("CAST({column} AS text) ILIKE '%' || :{} || '%'", asked.param)
                }
                (ColumnKind::Text, Dialect::Postgres) => format!("{column} ILIKE '%' || :{} || '%'", asked.param),
                (ColumnKind::Text, Dialect::Sqlite) => format!("{column} LIKE '%' || :{} || '%'", asked.param),
                (ColumnKind::Text, Dialect::Mysql) => format!("{column} LIKE concat('%', :{}, '%')", asked.param),
                _ => format!("{column} = :{}", asked.param),
            };
            // Not `{{#if}}`, which a boolean param answers itself: false is a value to find as well.
            let given = match asked.kind {
                ColumnKind::Boolean => format!("AND (:{0} IS NULL OR {column} = :{0})\n", asked.param),
                _ => format!("{{{{#if {}}}}}AND {test}{{{{/if}}}}\n", asked.param),
            };
            query.push_str(&given);
        }
        let _ = writeln!(query, "{}LIMIT :limit", self.order());
        text.push_str(&sql(&query, None));
        text
    }

    fn get(&self, name: &str) -> String {
        let mut text = self.head(name, "Get one row of the", "It is found by its primary key.");
        for asked in &self.keys {
            asked.param(&mut text, false);
        }
        let tests =
            self.keys.iter().map(|asked| format!("{} = :{}", quoted(&asked.column.name, self.dialect), asked.param));
        let tests: Vec<String> = tests.collect();
        text.push_str(&sql(&format!("{} WHERE {}\n", self.select(), tests.join(" AND ")), Some("row")));
        text
    }

    fn list(&self, name: &str) -> String {
        let mut text = self.head(name, "List rows of the", "A page of them.");
        text.push_str("      limit: { type: integer, minimum: 1, maximum: 1000, default: 50 }\n");
        text.push_str(
            "      offset: { type: integer, minimum: 0, default: 0, description: Rows to leave out first }\n",
        );
        text.push_str(&sql(&format!("{}\n{}LIMIT :limit OFFSET :offset\n", self.select(), self.order()), None));
        text
    }

    fn head(&self, name: &str, does: &str, how: &str) -> String {
        let description = scalar(&format!("{does} {}. {how}", self.about()));
        format!("  {name}:\n    description: {description}\n    params:\n")
    }

    fn select(&self) -> String {
        format!("SELECT {}\nFROM {}", columns(&self.columns, self.dialect), self.schema.table.quoted(self.dialect))
    }

    fn order(&self) -> String {
        let columns: Vec<String> = self.keys.iter().map(|asked| quoted(&asked.column.name, self.dialect)).collect();
        if columns.is_empty() { String::new() } else { format!("ORDER BY {} ", columns.join(", ")) }
    }
}

impl Asked<'_> {
    /// Its line below `params:`.
    fn param(&self, text: &mut String, optional: bool) {
        let kind = match self.kind {
            ColumnKind::Integer => "integer",
            ColumnKind::Number => "number",
            ColumnKind::Boolean => "boolean",
            _ => "string",
        };
        let comment = self.column.comment.as_deref().map(one_line).filter(|comment| !comment.is_empty());
        let about = comment
            .unwrap_or_else(|| format!("The column {} ({})", one_line(&self.column.name), one_line(&self.column.kind)));
        let optional = if optional { ", optional: true" } else { "" };
        let _ = writeln!(text, "      {}: {{ type: {kind}{optional}, description: {} }}", self.param, scalar(&about));
    }
}

/// The columns of the primary key; none if one of them can't be named in a spec.
fn keys<'s>(schema: &'s Schema, kinds: &[ColumnKind]) -> Vec<Asked<'s>> {
    let mut params = Names::default();
    let place = |name: &String| schema.columns.iter().position(|column| column.name == *name && usable(name));
    let places: Option<Vec<usize>> = schema.primary_key.iter().map(place).collect();
    places.unwrap_or_default().into_iter().filter_map(|at| ask(schema, kinds, at, &mut params)).collect()
}

/// The columns that a table is searched by, texts first.
fn filters<'s>(schema: &'s Schema, kinds: &[ColumnKind]) -> Vec<Asked<'s>> {
    let mut params = Names::default();
    params.take("limit");
    let kind = |at: &usize| kinds.get(*at).copied().unwrap_or(ColumnKind::Unknown);
    let is_key = |name: &String| schema.primary_key == std::slice::from_ref(name);
    let fits = |column: &TableColumn| usable(&column.name) && !is_key(&column.name);
    let known = schema.columns.iter().enumerate().filter(|(_, column)| fits(column)).map(|(at, _)| at);
    let mut places: Vec<usize> = known.filter(|at| can_be_asked(kind(at))).collect();
    places.sort_by_key(|at| kind(at) != ColumnKind::Text);
    places.truncate(MAX_FILTERS);
    places.into_iter().filter_map(|at| ask(schema, kinds, at, &mut params)).collect()
}

fn ask<'s>(schema: &'s Schema, kinds: &[ColumnKind], at: usize, params: &mut Names) -> Option<Asked<'s>> {
    let column = schema.columns.get(at)?;
    let kind = kinds.get(at).copied().unwrap_or(ColumnKind::Unknown);
    Some(Asked { column, kind, param: params.take(&column.name) })
}

/// Whether a value of such a column is something that one asks for.
fn can_be_asked(kind: ColumnKind) -> bool {
    use ColumnKind::{Boolean, Date, Decimal, Integer, Text};
    matches!(kind, Text | Integer | Decimal | Boolean | Date)
}

/// Columns as a statement lists them.
pub fn columns(columns: &[TableColumn], dialect: Dialect) -> String {
    columns.iter().map(|column| quoted(&column.name, dialect)).collect::<Vec<_>>().join(", ")
}

fn sql(query: &str, returns: Option<&str>) -> String {
    let mut text = String::from("    sql:\n      source: db\n");
    if let Some(returns) = returns {
        let _ = writeln!(text, "      returns: {returns}");
    }
    text.push_str("      query: |\n");
    for line in query.lines() {
        let _ = writeln!(text, "        {}", line.trim_end());
    }
    text
}

/// A text in one line, without what the environment would change in it.
fn one_line(text: &str) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    clean.split_whitespace().collect::<Vec<_>>().join(" ").replace("${", "$ {")
}

/// A text as YAML: JSON's strings are YAML's too.
pub fn scalar(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
