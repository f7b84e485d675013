//! The columns of `RETURNING`, which MariaDB does not tell before a statement runs.
//! <https://mariadb.com/kb/en/insertreturning/>

use crate::action::sql::lexer::{self, Dialect, Kind, Token};

/// Words that may stand between the verb and the table.
const MODIFIERS: &[&str] = &["low_priority", "high_priority", "delayed", "quick", "ignore", "into", "from"];

/// A SELECT that has the columns of an INSERT, REPLACE or DELETE with RETURNING; `None` for anything else.
pub fn as_select(sql: &str) -> Option<String> {
    let tokens: Vec<Token> = lexer::tokens(sql, Dialect::Mysql).collect();
    let text = |token: &Token| sql.get(token.range.clone()).unwrap_or_default();
    let is_name = |token: &&Token| matches!(token.kind, Kind::Word | Kind::Quoted);
    let mut rest = tokens.iter();
    let verb = rest.next()?;
    ["insert", "replace", "delete"].iter().any(|wanted| text(verb).eq_ignore_ascii_case(wanted)).then_some(())?;
    let is_modifier = |token: &&Token| MODIFIERS.iter().any(|word| text(token).eq_ignore_ascii_case(word));
    let table = rest.find(|token| !is_modifier(token)).filter(is_name)?;
    let mut end = table.range.end;
    if let (Some(dot), Some(name)) = (rest.next(), rest.next())
        && text(dot) == "."
        && is_name(&name)
    {
        end = name.range.end;
    }
    let table = sql.get(table.range.start..end)?;
    let list = sql.get(returning(sql, &tokens)?..lexer::statements(sql, Dialect::Mysql).first()?.end)?;
    Some(format!("SELECT {list} FROM {table}"))
}

/// Where the word RETURNING ends that stands outside of parentheses.
fn returning(sql: &str, tokens: &[Token]) -> Option<usize> {
    let mut depth = 0_usize;
    for token in tokens {
        match (token.kind, sql.get(token.range.clone())?) {
            (Kind::Symbol, "(") => depth += 1,
            (Kind::Symbol, ")") => depth = depth.saturating_sub(1),
            (Kind::Word, word) if depth == 0 && word.eq_ignore_ascii_case("returning") => return Some(token.range.end),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_selected_from_the_table() {
        for (sql, select) in [
            ("INSERT INTO t (a) VALUES (:a) RETURNING id, a + :b AS c;", "SELECT  id, a + :b AS c FROM t"),
            ("insert ignore `d`.`t` set a = 1 returning *", "SELECT  * FROM `d`.`t`"),
            ("REPLACE t SELECT 1 RETURNING id -- x", "SELECT  id FROM t"),
            ("DELETE FROM d . t WHERE a IN (SELECT 'returning') RETURNING (id)", "SELECT  (id) FROM d . t"),
        ] {
            assert_eq!(as_select(sql).as_deref(), Some(select));
        }
        for sql in ["INSERT INTO t VALUES (1)", "UPDATE t SET a = 1 RETURNING a", "SELECT 1", "DELETE FROM", ""] {
            assert_eq!(as_select(sql), None, "{sql}");
        }
    }
}
