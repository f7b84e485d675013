//! SQLite's catalog: <https://www.sqlite.org/pragma.html>. It knows no comments.

use super::Questions;

/// How SQLite is asked.
pub const QUESTIONS: Questions = Questions {
    tables: "
        SELECT t.name AS name, 'main' AS \"schema\", t.name AS plain,
               CASE t.type WHEN 'view' THEN 'view' ELSE 'table' END AS kind, NULL AS comment
        FROM pragma_table_list AS t
        WHERE t.schema = 'main' AND t.type IN ('table', 'view', 'virtual') AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
        ORDER BY t.name",
    columns: "
        SELECT c.name AS name, c.type AS type, c.\"notnull\" = 0 AND c.pk = 0 AS nullable, c.dflt_value AS standard,
               NULL AS comment, c.hidden IN (2, 3) AS generated
        FROM pragma_table_xinfo(:plain, :schema) AS c
        WHERE c.hidden <> 1
        ORDER BY c.cid",
    primary_key: "
        SELECT c.name AS name
        FROM pragma_table_xinfo(:plain, :schema) AS c
        WHERE c.pk > 0
        ORDER BY c.pk",
    foreign_keys: "
        SELECT f.id AS foreign_key, f.\"from\" AS name, f.\"table\" AS other_table, f.\"to\" AS other_column
        FROM pragma_foreign_key_list(:plain, :schema) AS f
        ORDER BY f.id, f.seq",
};
