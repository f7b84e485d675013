//! MySQL's and MariaDB's catalog, of the database that the URL names:
//! <https://dev.mysql.com/doc/refman/8.4/en/information-schema.html>. What may not be read is not in it.

use super::Questions;

/// How MySQL and MariaDB are asked.
pub const QUESTIONS: Questions = Questions {
    tables: "
        SELECT t.TABLE_NAME AS name, t.TABLE_SCHEMA AS `schema`, t.TABLE_NAME AS plain,
               CASE t.TABLE_TYPE WHEN 'VIEW' THEN 'view' ELSE 'table' END AS kind,
               CASE t.TABLE_TYPE WHEN 'VIEW' THEN NULL ELSE NULLIF(t.TABLE_COMMENT, '') END AS comment
        FROM information_schema.TABLES AS t
        WHERE t.TABLE_SCHEMA = DATABASE() AND t.TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED', 'VIEW')
        ORDER BY t.TABLE_NAME",
    columns: "
        SELECT c.COLUMN_NAME AS name, CAST(c.COLUMN_TYPE AS CHAR) AS type, c.IS_NULLABLE = 'YES' AS nullable,
               NULLIF(CAST(c.COLUMN_DEFAULT AS CHAR), 'NULL') AS standard, NULLIF(c.COLUMN_COMMENT, '') AS comment,
               COALESCE(c.GENERATION_EXPRESSION, '') <> '' AS generated
        FROM information_schema.COLUMNS AS c
        WHERE c.TABLE_SCHEMA = :schema AND c.TABLE_NAME = :plain AND FIND_IN_SET('select', c.PRIVILEGES) > 0
        ORDER BY c.ORDINAL_POSITION",
    primary_key: "
        SELECT k.COLUMN_NAME AS name
        FROM information_schema.KEY_COLUMN_USAGE AS k
        WHERE k.CONSTRAINT_NAME = 'PRIMARY' AND k.TABLE_SCHEMA = :schema AND k.TABLE_NAME = :plain
        ORDER BY k.ORDINAL_POSITION",
    foreign_keys: "
        SELECT k.CONSTRAINT_NAME AS foreign_key, k.COLUMN_NAME AS name, k.REFERENCED_TABLE_NAME AS other_table,
               k.REFERENCED_COLUMN_NAME AS other_column
        FROM information_schema.KEY_COLUMN_USAGE AS k
        WHERE k.REFERENCED_TABLE_NAME IS NOT NULL AND k.TABLE_SCHEMA = :schema AND k.TABLE_NAME = :plain
        ORDER BY k.CONSTRAINT_NAME, k.ORDINAL_POSITION",
};
