use proptest::prelude::*;

use super::Dialect::{Mysql, Postgres, Sqlite};
use super::*;

const ALL: [Dialect; 3] = [Sqlite, Postgres, Mysql];

fn names(sql: &str, dialect: Dialect) -> Vec<String> {
    parse(sql, dialect).params.into_iter().map(|param| param.name).collect()
}

fn count(sql: &str, dialect: Dialect) -> usize {
    parse(sql, dialect).statements
}

#[test]
fn parameters_in_order_with_their_places() {
    let sql = "SELECT :b, :a, :b FROM t WHERE x=:_c1";
    for dialect in ALL {
        let parsed = parse(sql, dialect);
        assert_eq!(names(sql, dialect), ["b", "a", "b", "_c1"]);
        assert!(parsed.params.iter().all(|param| sql[param.range.clone()] == format!(":{}", param.name)));
    }
}

#[test]
fn strings_comments_and_names_are_left_alone() {
    for dialect in ALL {
        for sql in [
            "SELECT ':a'",
            "SELECT 'it''s :a'",
            "SELECT \":a\"",
            "SELECT \"x\"\":a\"",
            "-- :a\nSELECT 1",
            "/* :a */ SELECT 1",
        ] {
            assert!(names(sql, dialect).is_empty(), "{dialect:?}: {sql}");
        }
        assert_eq!(names("SELECT '' || :a", dialect), ["a"]);
        assert_eq!(names("-- it's\nSELECT :a", dialect), ["a"]);
        assert_eq!(names("/* ' */ SELECT :a", dialect), ["a"]);
    }
}

#[test]
fn each_dialect_has_its_own_quotes() {
    assert!(names("SELECT `:a`", Sqlite).is_empty());
    assert!(names("SELECT `:a`", Mysql).is_empty());
    assert!(names("SELECT [a:b :c]", Sqlite).is_empty());
    assert!(names("SELECT $$ :a $$, $t_1$ $$ :b $t_1$", Postgres).is_empty());
    assert_eq!(names("SELECT a$b$, :x, c$b$", Postgres), ["x"]);
    assert_eq!(names("SELECT $1, :x, $2", Postgres), ["x"]);
    assert!(names(r"SELECT 'a\':b'", Mysql).is_empty());
    assert!(names(r#"SELECT "a\":b""#, Mysql).is_empty());
    assert!(names(r"SELECT e'a\':b', E'\\\':c'", Postgres).is_empty());
    assert!(names("SELECT E'a'\n 'b\\' :c'", Postgres).is_empty(), "it goes on on the next line");
    assert_eq!(names("SELECT E'a', 'b\\', :c", Postgres), ["c"]);
    assert_eq!(names("SELECT E'a'\n, 'b\\', :c", Postgres), ["c"]);
    assert_eq!(names(r"SELECT 'a\', :b", Postgres), ["b"]);
    assert_eq!(names(r"SELECT 'a\', :b", Sqlite), ["b"]);
    assert_eq!(names(r"SELECT fe '\', :b", Postgres), ["b"]);
}

#[test]
fn each_dialect_has_its_own_comments() {
    assert!(names("SELECT 1 # :a", Mysql).is_empty());
    assert_eq!(names("SELECT 1 # :a", Postgres), ["a"]);
    assert_eq!(names("SELECT 1--:a", Mysql), ["a"]);
    assert!(names("SELECT 1--:a", Sqlite).is_empty());
    assert!(names("SELECT 1 -- :a", Mysql).is_empty());
    assert!(names("/* /* */ :a */ SELECT 1", Postgres).is_empty());
    assert_eq!(names("/* /* */ SELECT :a", Sqlite), ["a"]);
    assert_eq!(names("-- x\rSELECT :a", Postgres), ["a"]);
    assert!(names("-- x\rSELECT :a", Sqlite).is_empty());
}

#[test]
fn other_colons_bind_nothing() {
    for dialect in ALL {
        assert!(names("SELECT a::text, '1'::int, b :: x, : y, :1, 10:30", dialect).is_empty());
        assert_eq!(names("SET @x:=:y", dialect), ["y"]);
        assert_eq!(names("SELECT :a::text", dialect), ["a"]);
    }
    assert_eq!(names("SELECT b ? 'k', b ?| :keys, ?1, @x, $x", Sqlite), ["keys"]);
}

#[test]
fn slices_of_arrays() {
    for sql in ["a[1:n]", "a[lo:hi]", "a[f(x):n]", "a[b[1]:n]", "a[\"lo\":hi]", "a[:p:hi]"] {
        assert!(!names(sql, Postgres).iter().any(|name| name != "p"), "{sql}");
    }
    assert_eq!(
        names("ARRAY[:a, :b] || a[:n] || ARRAY[CASE WHEN :c THEN f(:d) END]", Postgres),
        ["a", "b", "n", "c", "d"]
    );
    assert_eq!(names("a[1] = b:p", Postgres), ["p"]);
}

#[test]
fn statements_are_counted_outside_of_strings() {
    for dialect in ALL {
        assert_eq!(count("", dialect), 0);
        assert_eq!(count(" ; ;-- ;\n/* ; */;", dialect), 0);
        assert_eq!(count("SELECT ';' , \";\" /* ; */ ; -- ;", dialect), 1);
        assert_eq!(count("SELECT 1;;SELECT 2", dialect), 2);
        let parsed = parse("SELECT 1 ; DROP TABLE t ;", dialect);
        assert_eq!(parsed.second_statement, Some(11..23));
    }
    assert_eq!(count("SELECT $$;$$", Postgres), 1);
    assert_eq!(count("SELECT 1 # ; DELETE FROM t", Mysql), 1);
    assert_eq!(count("SELECT [;]", Sqlite), 1);
}

#[test]
fn a_trigger_of_sqlite_is_one_statement() {
    let trigger =
        "CREATE TEMP TRIGGER x AFTER INSERT ON t BEGIN UPDATE t SET a = CASE 1 WHEN 1 THEN 2 END; DELETE FROM u; END";
    assert_eq!(count(&format!("{trigger}; SELECT 1"), Sqlite), 2);
    assert_eq!(count(&trigger.replace("TEMP ", ""), Sqlite), 1);
    assert_eq!(count("CREATE TABLE trigger_(a); SELECT 1", Sqlite), 2);
    assert_eq!(statements("SELECT 1; END; x", Sqlite).len(), 3);
}

#[test]
fn what_is_unterminated_runs_to_the_end() {
    for dialect in ALL {
        for sql in ["'a", "\"a", "`a", "[a", "/* a", "--", "$$ a", "$t$", "E'\\", ":", "::", "'\\"] {
            assert!(names(&format!("SELECT 1 {sql}"), dialect).is_empty(), "{dialect:?}: {sql}");
        }
    }
}

#[test]
fn rewriting_keeps_the_way_back() {
    let sql = "SELECT ':x' WHERE a IN (:ids) AND é = :b;";
    let parsed = parse(sql, Sqlite);
    let new = rewrite(sql, &parsed, |name, index| match name {
        "ids" => ":ids_0, :ids_1".to_owned(),
        _ => format!("${index}"),
    });
    assert_eq!(new.text, "SELECT ':x' WHERE a IN (:ids_0, :ids_1) AND é = $1;");
    for (part, original) in [("SELECT", "SELECT"), (":ids_1", ":ids"), (") AND", ") AND"), ("$1", ":b"), (";", ";")] {
        assert_eq!(new.original(new.text.find(part).unwrap()), sql.find(original).unwrap(), "{part}");
    }
    assert_eq!(new.original(usize::MAX), sql.len());
    assert_eq!(rewrite("", &parse("", Mysql), |_, _| String::new()).original(3), 0);
}

proptest! {
    #[test]
    fn any_text_is_cut_exactly(sql in r#"([a-eE$:;'"`\[\]?@#*/\\() \n\-0-9é=]|::|:a|\$t\$|/\*|\*/|CREATE TRIGGER|; END){0,40}"#) {
        for dialect in ALL {
            let mut end = 0;
            for token in tokens(&sql, dialect) {
                prop_assert!(token.range.start >= end && !token.range.is_empty());
                prop_assert!(sql.get(token.range.clone()).is_some());
                end = token.range.end;
            }
            let parsed = parse(&sql, dialect);
            for param in &parsed.params {
                let expected = format!(":{}", param.name);
                prop_assert_eq!(&sql[param.range.clone()], expected.as_str());
            }
            let same = rewrite(&sql, &parsed, |name, _| format!(":{name}"));
            prop_assert_eq!(&same.text, &sql);
            for range in statements(&sql, dialect) {
                prop_assert!(sql.get(range).is_some_and(|text| !text.is_empty()));
            }
        }
    }

    #[test]
    fn arbitrary_unicode_never_panics(sql in any::<String>(), offset in any::<usize>()) {
        for dialect in ALL {
            let parsed = parse(&sql, dialect);
            let new = rewrite(&sql, &parsed, |_, index| format!("?{index}"));
            prop_assert!(new.original(offset) <= sql.len());
        }
    }
}
