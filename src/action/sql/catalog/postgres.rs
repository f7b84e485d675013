//! PostgreSQL's catalog: <https://www.postgresql.org/docs/current/catalogs.html>. What may not be read is not in it.

use super::Questions;

/// How PostgreSQL is asked.
pub const QUESTIONS: Questions = Questions {
    tables: "
        SELECT CASE WHEN pg_table_is_visible(c.oid) THEN c.relname::text ELSE n.nspname || '.' || c.relname END AS name,
               n.nspname::text AS schema, c.relname::text AS plain,
               CASE WHEN c.relkind IN ('v', 'm') THEN 'view' ELSE 'table' END AS kind,
               obj_description(c.oid, 'pg_class') AS comment
        FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
          AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
          AND has_schema_privilege(n.oid, 'USAGE') AND has_any_column_privilege(c.oid, 'SELECT')
        ORDER BY 1, 2",
    columns: "
        SELECT a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type, NOT a.attnotnull AS nullable,
               CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END AS standard,
               col_description(a.attrelid, a.attnum) AS comment, a.attgenerated <> '' AS generated
        FROM pg_catalog.pg_attribute AS a
        JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
        JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE n.nspname = CAST(:schema AS text) AND c.relname = CAST(:plain AS text)
          AND a.attnum > 0 AND NOT a.attisdropped AND has_column_privilege(c.oid, a.attnum, 'SELECT')
        ORDER BY a.attnum",
    primary_key: "
        SELECT a.attname::text AS name
        FROM pg_catalog.pg_constraint AS k
        JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
        JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        CROSS JOIN LATERAL unnest(k.conkey) WITH ORDINALITY AS u (number, place)
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = u.number
        WHERE k.contype = 'p' AND n.nspname = CAST(:schema AS text) AND c.relname = CAST(:plain AS text)
        ORDER BY u.place",
    foreign_keys: "
        SELECT k.conname::text AS foreign_key, a.attname::text AS name,
               CASE WHEN pg_table_is_visible(o.oid) THEN o.relname::text ELSE m.nspname || '.' || o.relname END
                 AS other_table,
               b.attname::text AS other_column
        FROM pg_catalog.pg_constraint AS k
        JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
        JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        JOIN pg_catalog.pg_class AS o ON o.oid = k.confrelid
        JOIN pg_catalog.pg_namespace AS m ON m.oid = o.relnamespace
        CROSS JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY AS u (here, there, place)
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = u.here
        JOIN pg_catalog.pg_attribute AS b ON b.attrelid = o.oid AND b.attnum = u.there
        WHERE k.contype = 'f' AND n.nspname = CAST(:schema AS text) AND c.relname = CAST(:plain AS text)
        ORDER BY k.conname, u.place",
};
