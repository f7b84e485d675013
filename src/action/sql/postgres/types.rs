//! Types, as the server's catalog knows them.

use std::collections::HashMap;

use sqlx::postgres::PgConnection;
use sqlx::{Executor, Row};

/// A type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Type {
    /// Its object id; of a domain, that of the type that it is made of.
    pub oid: u32,
    /// Its name, as a person would write it.
    pub title: String,
    /// Its name with its schema, quoted: the only one that says nothing of lengths, where `bit` means `bit(1)`.
    pub name: String,
    /// Such a name of the type of its arrays; "" if there is none.
    pub array: String,
    /// The catalog's letter for its kind: `N` for numbers, `A` for arrays, …
    pub category: String,
    /// Whether its values have fields.
    pub is_composite: bool,
    /// The type of its elements, if it is an array.
    pub element: Option<u32>,
}

/// A type that is not in the catalog: taken for text.
impl Default for Type {
    fn default() -> Self {
        let [title, name, array, category] = ["text", "pg_catalog.text", "pg_catalog._text", "S"].map(str::to_owned);
        Type { oid: 25, title, name, array, category, is_composite: false, element: None }
    }
}

const QUERY: &str = "
    SELECT asked.oid::int8, coalesce(base.oid, asked.oid)::int8, pg_catalog.format_type(asked.oid, NULL),
           quote_ident(own.nspname) || '.' || quote_ident(asked.typname),
           coalesce(quote_ident(own.nspname) || '.' || quote_ident(list.typname), ''),
           asked.typcategory::text, coalesce(base.typtype, asked.typtype)::text = 'c',
           CASE WHEN asked.typcategory = 'A' THEN coalesce(base.typelem, asked.typelem)::int8 END
    FROM pg_catalog.pg_type asked JOIN pg_catalog.pg_namespace own ON own.oid = asked.typnamespace
         LEFT JOIN pg_catalog.pg_type base ON base.oid = asked.typbasetype
         LEFT JOIN pg_catalog.pg_type list ON list.oid = asked.typarray
    WHERE asked.oid = ANY ($1::text::oid[])";

/// What the catalog says of these types.
pub async fn look_up(connection: &mut PgConnection, ids: &[u32]) -> sqlx::Result<HashMap<u32, Type>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let list: Vec<String> = ids.iter().map(u32::to_string).collect();
    let rows = connection.fetch_all(sqlx::query(QUERY).bind(format!("{{{}}}", list.join(",")))).await?;
    let id = |value: i64| u32::try_from(value).unwrap_or_default();
    let read = |row: &sqlx::postgres::PgRow| {
        let found = Type {
            oid: id(row.try_get(1)?),
            title: row.try_get(2)?,
            name: row.try_get(3)?,
            array: row.try_get(4)?,
            category: row.try_get(5)?,
            is_composite: row.try_get(6)?,
            element: row.try_get::<Option<i64>, _>(7)?.map(id),
        };
        Ok((id(row.try_get(0)?), found))
    };
    rows.iter().map(read).collect()
}
