//! What one call does to its connection, and what the next one sees of it: nothing.

use serde_json::{Value, json};

use super::{BOOKS, served, spec};
use crate::bad_input::peak_memory;
use crate::harness::{Database, Process, request, until};

#[tokio::test]
async fn a_transaction_has_the_isolation_that_is_said() {
    let Some(db) = Database::postgres("").await else { return };
    let ask =
        "SELECT current_setting('transaction_isolation') AS level, current_setting('transaction_read_only') AS ro";
    let tool = |(name, key): (&str, &str)| {
        format!("{name}: {{ sql: {{ source: db, statements: [SELECT 1, {}]{key}, returns: row }} }}\n", json!(ask))
    };
    let tools: String = [
        ("usual", ""),
        ("committed", ", isolation: readCommitted"),
        ("repeatable", ", isolation: repeatableRead"),
        ("serial", ", isolation: serializable"),
    ]
    .into_iter()
    .map(tool)
    .collect();
    for (source, read_only) in [(", maxConnections: 1", "off"), (", maxConnections: 1, readOnly: true", "on")] {
        let client = served(&db, source, &tools).await;
        for (tool, level) in [
            ("serial", "serializable"),
            ("repeatable", "repeatable read"),
            ("committed", "read committed"),
            ("usual", "read committed"),
        ] {
            assert_eq!(client.json(tool, json!({})).await, json!({ "level": level, "ro": read_only }), "{tool}");
        }
    }
}

#[tokio::test]
async fn several_statements_take_effect_together_or_not_at_all() {
    let Some(db) = Database::postgres(&format!("{BOOKS} CREATE TABLE log (line text NOT NULL)")).await else { return };
    let tools = "
        swap:
          params: { one: integer, two: integer, line: { type: [string, 'null'] } }
          sql:
            source: db
            statements:
              - UPDATE books SET sold = sold - 1 WHERE id = :one
              - UPDATE books SET sold = sold + 1 WHERE id = :two RETURNING sold
              - INSERT INTO log VALUES (:line)
            resultOf: 2
            returns: row
        slow:
          sql:
            source: db
            statements: [INSERT INTO log VALUES ('slow'), SELECT pg_sleep(100) AS sleeping]
            timeout: 300ms
    ";
    let client = served(&db, ", maxConnections: 1", tools).await;
    let sold = async || db.text("SELECT string_agg(sold::text, ',' ORDER BY id) FROM books").await;
    assert_eq!(client.json("swap", json!({ "one": 1, "two": 2, "line": "x" })).await, json!({ "sold": 6 }));
    assert_eq!(sold().await, "2,6,0");
    let said = client.fails("swap", json!({ "one": 1, "two": 2, "line": null })).await;
    assert!(said.contains("the database refuses these values: null value in column \"line\""), "{said}");
    assert!(client.fails("slow", json!({})).await.contains("took too long"));
    assert_eq!((sold().await.as_str(), db.text("SELECT count(*)::text FROM log").await.as_str()), ("2,6,0", "1"));
    assert_eq!(client.json("swap", json!({ "one": 2, "two": 1, "line": "y" })).await, json!({ "sold": 3 }));
}

const LEAKS: &str = "
    CREATE FUNCTION leave() RETURNS int LANGUAGE plpgsql AS '
        BEGIN
            PERFORM set_config(''search_path'', ''pg_catalog'', false);
            PERFORM set_config(''my.secret'', ''xyzzy'', false);
            PERFORM set_config(''standard_conforming_strings'', ''off'', false);
            PERFORM set_config(''IntervalStyle'', ''sql_standard'', false);
            PERFORM pg_advisory_lock(7);
            CREATE TEMP TABLE hidden AS SELECT 1 AS a;
            RETURN 1;
        END';
    CREATE TABLE hidden (a int); INSERT INTO hidden VALUES (2);
";

#[tokio::test]
async fn nothing_that_a_call_leaves_is_seen_by_the_next() {
    let Some(db) = Database::postgres(LEAKS).await else { return };
    let tools = r"
        leave: { sql: { source: db, query: 'SELECT leave()', returns: value } }
        do: { sql: { source: db, query: 'DO $$ BEGIN PERFORM leave(); END $$', returns: affected } }
        into: { sql: { source: db, query: 'SELECT 1 AS a INTO TEMP hidden', returns: affected } }
        fails: { sql: { source: db, query: 'SELECT leave(), 1 / (random() * 0)::int AS never', returns: row } }
        listens: { sql: { source: db, query: 'DO $$ BEGIN LISTEN x; END $$', returns: affected } }
        state:
          sql:
            source: db
            query: |
              SELECT current_setting('search_path') AS path, current_setting('my.secret', true) AS secret,
                current_setting('TimeZone') AS zone, '\x' AS backslash, interval '1 day' AS day,
                (SELECT a FROM public.hidden) AS here, to_regclass('pg_temp.hidden') IS NULL AS clean,
                (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()) AS locks,
                (SELECT count(*) FROM pg_listening_channels()) AS listening
            returns: row
        pid: { sql: { source: db, query: 'SELECT pg_backend_pid() AS pid', returns: value } }
    ";
    let source = ", maxConnections: 1, onConnect: [\"SET TimeZone TO 'Europe/Berlin'\", SET search_path TO public]";
    let client = served(&db, source, tools).await;
    let before = client.json("state", json!({})).await;
    assert_eq!(
        before,
        json!({ "path": "public", "secret": null, "zone": "Europe/Berlin", "backslash": r"\x", "day": "P1D", "here": 2,
                "clean": true, "locks": 0, "listening": 0 })
    );
    let pid = client.text("pid", json!({})).await;
    for tool in ["leave", "do", "into", "fails", "listens"] {
        client.call(tool, json!({})).await;
        let after = client.json("state", json!({})).await;
        // What was set once stands there empty ever after.
        let after = after.to_string().replace("\"secret\":\"\"", "\"secret\":null");
        assert_eq!(serde_json::from_str::<Value>(&after).unwrap(), before, "{tool}");
    }
    assert_eq!(client.text("pid", json!({})).await, pid, "the connection is made clean, not opened anew");
}

#[tokio::test]
async fn what_statements_rely_on_is_not_for_on_connect_to_change() {
    let Some(db) = Database::postgres("").await else { return };
    let tools = r"
        odd:
          sql:
            source: db
            query: |
              SELECT '\x' AS a, interval '1 day' AS b, '\x00ff'::bytea AS c,
                '[2026-02-01,2026-02-03)'::daterange AS d, 'ä' AS e
            returns: row
    ";
    let on_connect = "[SET standard_conforming_strings TO off, SET IntervalStyle TO postgres_verbose, \
                      SET bytea_output TO escape, \"SET DateStyle TO 'German'\", SET client_encoding TO latin1]";
    let client = served(&db, &format!(", onConnect: {on_connect}"), tools).await;
    let odd = client.json("odd", json!({})).await;
    assert_eq!(odd, json!({ "a": r"\x", "b": "P1D", "c": "AP8=", "d": "[2026-02-01,2026-02-03)", "e": "ä" }));
    for sql in ["BEGIN", "/* x */ start transaction", "COMMIT", "PREPARE TRANSACTION 'x'"] {
        let source = format!(", onConnect: [{}]", json!(sql));
        let check = spec(&db, &source, tools).run("check", &[]).await;
        assert_eq!(check.code, 1, "{sql}: {}", check.out);
        assert!(check.out.contains("a transaction is begun and ended for each statement"), "{sql}: {}", check.out);
    }
}

/// A call that is cancelled just as it ends, over and over: the calls after it are answered.
#[tokio::test]
async fn a_cancellation_that_comes_late_hits_no_other_call() {
    let Some(db) = Database::postgres("").await else { return };
    let tools = "
        brief: { params: { s: number }, sql: { source: db, query: 'SELECT :s AS s, pg_sleep(:s) AS done', returns: row } }
        next: { sql: { source: db, query: 'SELECT 7 AS n, pg_sleep(0.002) AS done', returns: row } }
    ";
    let mut process = Process::serve(&spec(&db, ", maxConnections: 1", tools), &[]);
    process.initialize("2025-11-25").await;
    for round in 0..40_u32 {
        let id = format!("brief{round}");
        let brief = json!({ "name": "brief", "arguments": { "s": 0.003 } });
        process.send(&request(id.as_str(), "tools/call", brief)).await;
        tokio::time::sleep(std::time::Duration::from_micros(u64::from(round) * 200)).await;
        let cancelled = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": id } });
        process.send(&cancelled).await;
        let next = json!({ "name": "next", "arguments": {} });
        let id = format!("next{round}");
        let answer = process.ask(&request(id.as_str(), "tools/call", next)).await;
        assert_eq!(answer["result"]["structuredContent"]["n"], 7, "{round}: {answer}");
    }
}

#[tokio::test]
async fn there_are_never_more_connections_than_allowed() {
    let Some(db) = Database::postgres("").await else { return };
    let tools =
        "quick: { sql: { source: db, query: 'SELECT pg_backend_pid() AS pid, pg_sleep(0.005) AS s', returns: row } }";
    let client = served(&db, ", maxConnections: 3, acquireTimeout: 60s", tools).await;
    let open = "SELECT count(*)::text FROM pg_stat_activity WHERE datname = current_database() \
                AND application_name = 'mcp-declare'";
    let done = std::sync::atomic::AtomicBool::new(false);
    let load = async {
        let calls = (0..200).map(|_| client.json("quick", json!({})));
        let answers = futures_util::future::join_all(calls).await;
        done.store(true, std::sync::atomic::Ordering::SeqCst);
        answers.iter().map(|answer| answer["pid"].to_string()).collect::<std::collections::HashSet<_>>().len()
    };
    let watch = async {
        let mut most = 0;
        while !done.load(std::sync::atomic::Ordering::SeqCst) {
            most = most.max(db.text(open).await.parse::<usize>().unwrap());
        }
        most
    };
    let (served_by, most) = tokio::join!(load, watch);
    assert!(served_by <= 3 && most <= 3, "{served_by} {most}");
    until("the connections to be free", async || db.text(open).await.parse::<usize>().unwrap() <= 3).await;
}

#[tokio::test]
async fn hostile_values_stay_values() {
    let Some(db) = Database::postgres("CREATE TABLE t (a jsonb, b text[], n int)").await else { return };
    let tools = "
        echo: { params: { x: string }, sql: { source: db, query: 'SELECT :x AS x', returns: row } }
        json: { params: { x: { type: [object, array] } }, sql: { source: db, query: 'SELECT :x::jsonb AS x', returns: row } }
        texts: { params: { x: { type: array, items: { type: string } } }, sql: { source: db, query: 'SELECT :x::text[] AS x', returns: row } }
        number: { params: { x: { type: [number, string] } }, sql: { source: db, query: 'SELECT :x::float8 AS x', returns: row } }
        small: { params: { x: { type: [number, string] } }, sql: { source: db, query: 'SELECT n FROM t WHERE n = :x' } }
        fine: { sql: { source: db, query: 'SELECT 1 AS one', returns: row } }
    ";
    let client = served(&db, ", maxConnections: 1", tools).await;
    let big = "ä".repeat(300_000);
    for text in ["", "\u{feff}", "\u{202e}abc", "{\"a\":[", "\\000", "E'\\''", "NULL", "{NULL}", &big] {
        assert_eq!(client.json("echo", json!({ "x": text })).await["x"], text);
        assert_eq!(client.json("texts", json!({ "x": [text, "b"] })).await["x"], json!([text, "b"]));
    }
    assert!(client.fails("echo", json!({ "x": "a\0b" })).await.contains("no NUL characters"));
    assert!(client.fails("texts", json!({ "x": ["a\0b"] })).await.contains("no NUL characters"));
    let nul = client.fails("json", json!({ "x": { "a": "\0" } })).await;
    assert!(nul.contains("the database refuses these values"), "{nul}");
    let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
    assert_eq!(client.json("json", json!({ "x": deep })).await["x"], deep);
    for (given, back) in
        [(json!("NaN"), json!("NaN")), (json!(1e308), json!(1e308)), (json!("-Infinity"), json!("-Infinity"))]
    {
        assert_eq!(client.json("number", json!({ "x": given })).await["x"], back);
    }
    for given in [json!("1e999"), json!("1; DROP TABLE t")] {
        assert!(client.fails("number", json!({ "x": given })).await.contains("refuses these values"), "{given}");
    }
    for given in [json!(1.5), json!(99_999_999_999_i64), json!("1 OR 1=1")] {
        assert!(client.fails("small", json!({ "x": given })).await.contains("refuses these values"), "{given}");
    }
    assert_eq!(client.json("fine", json!({})).await, json!({ "one": 1 }));
}

/// The server makes hundreds of MiB of these cells; what is sent over is little more than `maxBytes`.
#[tokio::test]
async fn a_cell_beyond_max_bytes_stays_on_the_server() {
    let Some(db) = Database::postgres("").await else { return };
    let tools = "
        text: { sql: { source: db, query: \"SELECT 1 AS n, 'x' AS t UNION ALL SELECT 2, repeat('x', 400000000)\", maxBytes: 1MB } }
        json: { sql: { source: db, query: \"SELECT jsonb_build_array(repeat('x', 100000000)) AS j\", maxBytes: 1MB } }
        bytes: { sql: { source: db, query: \"SELECT convert_to(repeat('x', 100000000), 'UTF8') AS b\", maxBytes: 1MB } }
        fits: { sql: { source: db, query: \"SELECT repeat('ä', 100000) AS t, 1 AS n\", maxBytes: 1MB } }
    ";
    let mut client = served(&db, ", maxConnections: 1", tools).await;
    let idle = peak_memory(client.process().pid());
    let cut = client.json("text", json!({})).await;
    assert_eq!((&cut["rows"], &cut["truncated"]), (&json!([{ "n": 1, "t": "x" }]), &json!(true)));
    for tool in ["json", "bytes"] {
        assert_eq!(
            client.json(tool, json!({})).await,
            json!({ "rows": [], "rowCount": 0, "truncated": true }),
            "{tool}"
        );
    }
    let fits = client.json("fits", json!({})).await;
    assert_eq!((fits["rows"][0]["t"].as_str().unwrap().len(), &fits["truncated"]), (200_000, &json!(false)));
    let grown = peak_memory(client.process().pid()) - idle;
    assert!(grown < 64 * 1024 * 1024, "{grown}");
}
