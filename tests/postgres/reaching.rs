//! Servers that are there, are not there, and come back.

use serde_json::json;

use super::{served, spec, text};
use crate::harness::database::{self, Kind, PASSWORD};
use crate::harness::upstream::Authority;
use crate::harness::{Database, Era, Process, Spec, until};

const TOOLS: &str = "
    one: { sql: { source: db, query: 'SELECT a FROM t', returns: row } }
    hello: { text: hello }
";
const SETUP: &str = "CREATE TABLE t (a int NOT NULL); INSERT INTO t VALUES (1);";

#[tokio::test]
async fn calls_go_on_after_the_server_was_restarted() {
    let Some(mut server) = database::server(Kind::Postgres).await else { return };
    let db = Database::on(&server, SETUP).await;
    let client = served(&db, ", acquireTimeout: 2s", TOOLS).await;
    assert_eq!(client.json("one", json!({})).await, json!({ "a": 1 }));
    server.stop();
    let said = client.fails("one", json!({})).await;
    assert!(said.contains("can't be reached"), "{said}");
    server.go_on().await;
    assert_eq!(client.json("one", json!({})).await, json!({ "a": 1 }));
}

#[tokio::test]
async fn a_database_that_is_away_at_the_start_is_served_when_it_is_back() {
    let Some(mut server) = database::server(Kind::Postgres).await else { return };
    let db = Database::on(&server, SETUP).await;
    server.stop();
    let spec = spec(&db, ", acquireTimeout: 2s", TOOLS);
    let check = spec.run("check", &[]).await;
    assert_eq!(check.code, 3);
    assert!(check.out.contains("error[unreachable]: source `db`: the database can't be reached"), "{}", check.out);
    let offline = spec.run("check", &["--offline"]).await;
    assert_eq!(offline.code, 0, "{}", offline.out);

    let mut client = spec.stdio(Era::Legacy).await;
    assert!(client.process().stderr().contains("warning[unreachable]"), "{}", client.process().stderr());
    assert_eq!(client.text("hello", json!({})).await, "hello");
    assert!(client.list("tools").await[0]["outputSchema"].is_null());
    assert!(client.fails("one", json!({})).await.contains("can't be reached"));
    server.go_on().await;
    assert_eq!(client.hears().await, "tools");
    assert_eq!(client.list("tools").await[0]["outputSchema"]["required"], json!(["a"]));
    assert_eq!(client.json("one", json!({})).await, json!({ "a": 1 }));

    // While it is away, a reload changes nothing that clients see.
    let known = client.list("tools").await;
    server.stop();
    spec.write(&text(", acquireTimeout: 2s", TOOLS));
    client.process().reloaded(&spec).await;
    assert_eq!(client.list("tools").await, known);
}

#[tokio::test]
async fn a_required_database_has_to_be_there() {
    let Some(mut server) = database::server(Kind::Postgres).await else { return };
    let db = Database::on(&server, SETUP).await;
    server.stop();
    let mut process = Process::serve(&spec(&db, ", required: true", TOOLS), &[]);
    assert_ne!(process.exit().await, 0);
    let said = process.says("error[unreachable]").await;
    assert!(!said.contains("s3cret"), "{said}");
}

#[tokio::test]
async fn a_password_can_stand_in_a_file_and_is_shown_nowhere() {
    let Some(db) = Database::postgres(SETUP).await else { return };
    let password = PASSWORD.replace('/', "%2F").replace(' ', "%20");
    let (scheme, rest) = db.url().split_once(&password).map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let spec = Spec::new(&text("", TOOLS).replace("${DATABASE_URL}", &format!("{scheme}${{file:password}}{rest}")));
    let path = spec.folder().join("password");
    spec.write(&spec.get("spec.yaml").replace("file:password", &format!("file:{}", path.display())));
    spec.put("password", format!("{password}\n"));
    let client = spec.stdio(Era::Legacy).await;
    assert_eq!(client.json("one", json!({})).await, json!({ "a": 1 }));

    spec.put("password", "wr0ng");
    let check = spec.run("check", &[]).await;
    assert_eq!(check.code, 3);
    assert!(check.out.contains("refuses this user, this password"), "{}", check.out);
    assert!(!check.out.contains("wr0ng"), "{}", check.out);
}

#[tokio::test]
async fn the_server_has_to_show_a_certificate_that_is_vouched_for() {
    let Some(server) = database::server(Kind::Postgres).await else { return };
    let db = Database::on(&server, SETUP).await;
    let tools = "
        secure: { sql: { source: db, query: 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()', returns: row } }
    ";
    let certificate = std::fs::read(server.certificate()).unwrap();
    for (tls, secure) in [
        (", tls: { ca: ./ca.pem }", true),
        (", tls: { ca: ./ca.pem, mode: verify-ca }", true),
        (", tls: { mode: require }", true),
        (", tls: { mode: disable }", false),
        ("", true),
    ] {
        let spec = spec(&db, tls, tools).file("ca.pem", &certificate);
        let client = spec.stdio(Era::Legacy).await;
        assert_eq!(client.json("secure", json!({})).await, json!({ "ssl": secure }), "{tls}");
    }
    for tls in [", tls: { mode: verify-full }", ", tls: { mode: verify-ca }"] {
        let check = spec(&db, tls, tools).run("check", &[]).await;
        assert_eq!(check.code, 3, "{tls}: {}", check.out);
        assert!(check.out.contains("can't be reached safely: invalid peer certificate"), "{tls}: {}", check.out);
    }
}

#[tokio::test]
async fn a_certificate_of_our_own_lets_us_in() {
    let Some(mut server) = database::server(Kind::Postgres).await else { return };
    let setup = format!("{SETUP} CREATE ROLE visitor LOGIN; GRANT SELECT ON t TO visitor;");
    let db = Database::on(&server, &setup).await;
    let (ours, other) = (Authority::new(), Authority::new());
    server.prepend("data/pg_hba.conf", "hostssl all visitor all cert");
    let authority = server.prepend("clients.pem", &ours.pem());
    server.prepend("data/postgresql.conf", &format!("ssl_ca_file = '{}'", authority.display()));
    server.stop();
    server.go_on().await;
    let url = format!("postgres://visitor@127.0.0.1:{}/{}", server.port, db.name());
    let tools = "who: { sql: { source: db, query: 'SELECT current_user AS who, a FROM t', returns: row } }";
    let as_visitor = |tls: &str, (cert, key): (String, String)| {
        spec(&db, tls, tools).env("DATABASE_URL", &url).file("cert.pem", cert).file("key.pem", key)
    };
    let tls = ", tls: { mode: require, cert: ./cert.pem, key: ./key.pem }";
    let client = as_visitor(tls, ours.issue("visitor")).stdio(Era::Legacy).await;
    assert_eq!(client.json("who", json!({})).await, json!({ "who": "visitor", "a": 1 }));
    for (tls, pair) in [
        (", tls: { mode: require }", ours.issue("visitor")),
        (tls, ours.issue("somebody")),
        (tls, other.issue("visitor")),
    ] {
        let check = as_visitor(tls, pair).run("check", &[]).await;
        assert_eq!(check.code, 3, "{tls}: {}", check.out);
    }
    let half = as_visitor(", tls: { cert: ./cert.pem }", ours.issue("visitor")).run("check", &[]).await;
    assert!(half.out.contains("`cert` and `key` belong together"), "{}", half.out);
}

#[tokio::test]
async fn a_server_is_reached_by_its_socket() {
    let Some(server) = database::server(Kind::Postgres).await else { return };
    let db = Database::on(&server, SETUP).await;
    let password = PASSWORD.replace('/', "%2F").replace(' ', "%20");
    let (folder, port, name) = (server.folder().to_str().unwrap(), server.port, db.name());
    let tools =
        "local: { sql: { source: db, query: 'SELECT inet_client_addr() IS NULL AS local FROM t', returns: row } }";
    for url in [
        format!("postgres:///{name}?host={folder}&port={port}&user=tester&password={password}"),
        format!("postgres://tester:{password}@{}:{port}/{name}", folder.replace('/', "%2F")),
    ] {
        let spec = spec(&db, ", required: true", tools).env("DATABASE_URL", &url);
        let check = spec.run("check", &[]).await;
        assert_eq!(check.code, 0, "{}", check.out);
        let client = spec.stdio(Era::Legacy).await;
        assert_eq!(client.json("local", json!({})).await, json!({ "local": true }));
    }
}

#[tokio::test]
async fn connections_are_few_and_go_when_nobody_needs_them() {
    let Some(db) = Database::postgres(SETUP).await else { return };
    let tools = "
        one: { sql: { source: db, query: 'SELECT a FROM t', returns: row } }
        slow: { sql: { source: db, query: 'SELECT a, pg_sleep(0.3) AS s FROM t', returns: row } }
        path: { sql: { source: db, query: \"SELECT current_setting('search_path') AS path\", returns: row } }
    ";
    let source = ", maxConnections: 2, idleTimeout: 200ms, onConnect: [SET search_path TO public, SELECT 1]";
    let client = served(&db, source, tools).await;
    let open = async || {
        let query = "SELECT count(*)::text FROM pg_stat_activity WHERE datname = current_database() \
                     AND application_name = 'mcp-declare'";
        db.text(query).await
    };
    let calls = (0..6).map(|_| client.json("slow", json!({})));
    let answers = futures_util::future::join(futures_util::future::join_all(calls), async {
        until("both connections", async || open().await == "2").await;
    });
    assert_eq!(answers.await.0.len(), 6);
    assert_eq!(client.json("path", json!({})).await, json!({ "path": "public" }));
    until("the connections to close", async || open().await == "0").await;
    assert_eq!(client.json("one", json!({})).await, json!({ "a": 1 }));
}

#[tokio::test]
async fn a_call_does_not_wait_for_ever_for_a_connection() {
    let Some(db) = Database::postgres(SETUP).await else { return };
    let tools = "
        one: { sql: { source: db, query: 'SELECT a FROM t', returns: row } }
        slow: { sql: { source: db, query: 'SELECT pg_sleep(50) AS s', returns: row } }
    ";
    let client = served(&db, ", maxConnections: 1, acquireTimeout: 1s", tools).await;
    let refused = async {
        let busy = "SELECT count(*)::text FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(50)%' \
                    AND pid <> pg_backend_pid()";
        until("the slow one", async || db.text(busy).await == "1").await;
        client.fails("one", json!({})).await
    };
    let said = tokio::select! {
        early = client.call("slow", json!({})) => panic!("{early}"),
        said = refused => said,
    };
    assert!(said.contains("can't be reached"), "{said}");
}

#[tokio::test]
async fn a_reload_keeps_connections_and_a_changed_source_lets_them_go() {
    let Some(db) = Database::postgres(SETUP).await else { return };
    let tools = "pid: { sql: { source: db, query: 'SELECT pg_backend_pid() AS pid', returns: row } }\n";
    let spec = spec(&db, ", maxConnections: 1", tools);
    let mut client = spec.stdio(Era::Legacy).await;
    let first = client.json("pid", json!({})).await;
    spec.write(&text(", maxConnections: 1", &format!("{tools}more: {{ text: hello }}\n")));
    client.process().reloaded(&spec).await;
    assert_eq!(client.json("pid", json!({})).await, first);
    spec.write(&text(", maxConnections: 2", tools));
    client.process().reloaded(&spec).await;
    assert_ne!(client.json("pid", json!({})).await, first);
    let gone = format!("SELECT count(*)::text FROM pg_stat_activity WHERE pid = {}", first["pid"]);
    until("the old connection to close", async || db.text(&gone).await == "0").await;
}

#[tokio::test]
async fn a_statement_of_on_connect_is_checked() {
    let Some(db) = Database::postgres(SETUP).await else { return };
    let check = spec(&db, ", onConnect: ['SELECT 1', 'SET nonsense TO 1']", TOOLS).run("check", &[]).await;
    assert_eq!(check.code, 1);
    let words = "a statement of `onConnect` failed: unrecognized configuration parameter \"nonsense\"";
    assert!(check.out.contains(words), "{}", check.out);
}
