//! Specs against the real programs, not stand-ins: Prometheus, Datasette, httpbin and json-server.
//!
//! `MCP_PROGRAMS` names a folder with a Python `venv` that has Datasette and httpbin, and `node_modules` with
//! json-server, as `.ci/run` makes it; Prometheus is the machine's own. What is not there is said not to be run.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};

use crate::harness::upstream::answer;
use crate::harness::{Client, Era, Spec, Upstream, optional, until};

/// A file below `MCP_PROGRAMS`.
fn installed(what: &str, path: &str) -> Option<PathBuf> {
    let found = std::env::var_os("MCP_PROGRAMS").map(|folder| PathBuf::from(folder).join(path));
    let found = found.filter(|path| path.exists());
    if found.is_none() {
        optional::not_run(&format!("{what}: MCP_PROGRAMS names no folder with it"));
    }
    found
}

/// A program that runs until this is dropped.
struct Running {
    _child: Child,
    port: u16,
    folder: TempDir,
}

impl Running {
    /// Starts it in a folder with this file, and waits for the line that says its port after these words.
    async fn start(mut command: Command, folder: TempDir, before_port: &str) -> Running {
        command.current_dir(folder.path()).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let streams: [Box<dyn AsyncRead + Send + Unpin>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        let (send, mut lines) = tokio::sync::mpsc::unbounded_channel();
        for stream in streams {
            let send = send.clone();
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream).lines();
                // it is read to its end, so that the program never waits for a reader
                while let Ok(Some(line)) = stream.next_line().await {
                    let _ = send.send(line);
                }
            });
        }
        drop(send);
        let mut said = Vec::new();
        let port = tokio::time::timeout(Duration::from_secs(120), async {
            loop {
                let line = lines.recv().await.unwrap_or_else(|| panic!("it ended: {said:#?}"));
                let after = line.split(before_port).nth(1).map(str::to_owned);
                said.push(line);
                let digits = after.map(|rest| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
                // some say first that they are going to take any
                if let Some(port) = digits.and_then(|digits| digits.parse().ok()).filter(|port| *port != 0) {
                    return port;
                }
            }
        });
        let port = port.await.expect("it does not start");
        Running { _child: child, port, folder }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

async fn served(name: &str, variable: &str, url: &str) -> Client {
    Spec::copy_of("specs", name).env(variable, url).stdio(Era::Modern).await
}

#[tokio::test]
async fn prometheus() {
    let Some(program) = optional::program("prometheus") else {
        return optional::not_run("Prometheus, which is not installed");
    };
    let metrics = "# HELP books_sold_total Books that were sold.\n# TYPE books_sold_total counter\nbooks_sold_total{shop=\"a\"} 5\n";
    let target = Upstream::start(move |_| answer(200, &[("content-type", "text/plain; version=0.0.4")], metrics)).await;
    let config = format!(
        "global: {{ scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }}\nrule_files: [rules.yml]\n\
         scrape_configs: [{{ job_name: shop, static_configs: [{{ targets: ['127.0.0.1:{}'] }}] }}]\n",
        target.port
    );
    let rules =
        "groups: [{ name: g, rules: [{ alert: Sold, expr: books_sold_total > 1, labels: { severity: page } }] }]\n";
    let mut command = Command::new(program);
    command.args(["--config.file=prometheus.yml", "--storage.tsdb.path=data", "--web.listen-address=127.0.0.1:0"]);
    let files = folder(&[("prometheus.yml", &config), ("rules.yml", rules)]);
    let running = Running::start(command, files, "address=127.0.0.1:").await;
    let client = served("prometheus.yaml", "PROMETHEUS_URL", &running.url()).await;
    until("a sample", async || {
        let result = client.call("query", json!({ "query": "books_sold_total" })).await;
        result["structuredContent"]["result"][0]["value"] == "5"
    })
    .await;
    let sum = client.json("query", json!({ "query": "sum by (shop) (books_sold_total)" })).await;
    assert_eq!((&sum["type"], &sum["result"][0]["labels"]), (&json!("vector"), &json!({ "shop": "a" })));
    assert_eq!(client.json("query", json!({ "query": "1+1" })).await["result"][1], "2");
    let words = client.fails("query", json!({ "query": "up{" })).await;
    assert!(words.starts_with("Prometheus can't run that: "), "{words}");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let range = json!({ "query": "books_sold_total", "start": (now - 60).to_string(), "end": (now + 60).to_string(), "step": "1s" });
    assert_eq!(client.json("query_range", range).await["series"][0]["points"][0][1], "5");
    let found = client.json("metrics", json!({})).await;
    assert_eq!(
        found["metrics"],
        json!([{ "name": "books_sold_total", "type": "counter", "help": "Books that were sold." }])
    );
    assert_eq!(
        client.json("series", json!({ "selector": "books_sold_total{shop=\"a\"}" })).await["series"][0]["shop"],
        "a"
    );
    assert_eq!(client.json("label_values", json!({ "label": "shop" })).await["values"], json!(["a"]));
    let targets = client.json("targets", json!({})).await;
    assert_eq!((&targets["targets"][0]["job"], &targets["targets"][0]["health"]), (&json!("shop"), &json!("up")));
    assert_eq!(client.json("rules", json!({})).await["rules"][0]["name"], "Sold");
    until("the alert", async || {
        client.call("alerts", json!({})).await["structuredContent"]["alerts"][0]["name"] == "Sold"
    })
    .await;
    let prompt = client.prompt("investigate", json!({ "alert": "Sold" })).await;
    assert!(prompt[0]["content"]["text"].as_str().unwrap().contains("- Sold: books_sold_total > 1"), "{prompt}");
    drop(running.folder);
}

/// A database with two books, and Datasette over it.
async fn datasette(program: PathBuf) -> Running {
    let folder = folder(&[("books.sql", "")]);
    let database = rusqlite::Connection::open(folder.path().join("books.db")).unwrap();
    database
        .execute_batch(
            "CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT, price REAL);
             INSERT INTO books VALUES (1, 'Small Rivers', 9.5), (2, 'Orchard Clock', 12);",
        )
        .unwrap();
    drop(database);
    let mut command = Command::new(program);
    command.args(["-m", "datasette", "serve", "books.db", "--host", "127.0.0.1", "--port", "0"]);
    Running::start(command, folder, "running on http://127.0.0.1:").await
}

#[tokio::test]
async fn datasette_tables() {
    let Some(python) = installed("Datasette", "venv/bin/python") else { return };
    let running = datasette(python).await;
    let client = served("datasette.yaml", "DATASETTE_URL", &running.url()).await;
    let databases = client.json("databases", json!({})).await;
    assert!(databases.to_string().contains("books"), "{databases}");
    let tables = client.json("tables", json!({ "database": "books" })).await;
    assert_eq!((&tables["tables"][0]["name"], &tables["tables"][0]["rows"]), (&json!("books"), &json!(2)));
    assert_eq!(tables["tables"][0]["primaryKeys"], json!(["id"]));
    let rows = client.json("rows", json!({ "database": "books", "table": "books", "sort": "title" })).await;
    assert_eq!(rows["rows"][0]["title"], "Orchard Clock");
    let found =
        client.json("query", json!({ "database": "books", "sql": "select title from books where price > 10" })).await;
    assert_eq!(found["rows"], json!([{ "title": "Orchard Clock" }]));
    let words = client.fails("query", json!({ "database": "books", "sql": "select x from nowhere" })).await;
    assert!(words.contains("nowhere"), "{words}");
    let words = client.fails("query", json!({ "database": "books", "sql": "delete from books" })).await;
    assert!(words.starts_with("Datasette can't do that: "), "{words}");
    client.fails("tables", json!({ "database": "none" })).await;
    let table = client.read("datasette://books/books").await;
    assert!(table.to_string().contains("Small Rivers"), "{table}");
}

/// A request of every kind, told back by httpbin.
const HTTPBIN: &str = "
    sources: { api: { http: '${HTTPBIN_URL}', headers: { X-Mine: yes }, auth: { basic: { username: u, password: p } } } }
    tools:
      get: { params: { a: { type: array, items: { type: string } } }, http: { source: api, request: 'GET /get{?a*}' } }
      json: { params: { n: number, s: string }, http: { source: api, request: POST /post, json: { n: '{{n}}', s: 'x {{s}}' } } }
      form: { params: { s: string }, http: { source: api, request: POST /post, form: { s: '{{s}}' } } }
      parts:
        params: { b: string }
        http: { source: api, request: POST /post, multipart: { t: text, f: { base64: '{{b}}', filename: f.bin } } }
      bytes: { params: { b: string }, http: { source: api, request: PUT /put, body: { base64: '{{b}}' } } }
      status: { params: { code: integer }, http: { source: api, request: 'GET /status/{code}' } }
      redirect: { http: { source: api, request: GET /redirect/3 } }
      elsewhere: { http: { source: api, request: 'GET /redirect-to?url=http%3A%2F%2Fexample.org%2F' } }
      gzip: { http: { source: api, request: GET /gzip } }
      secret: { http: { source: api, request: GET /basic-auth/u/p } }
      cookies: { params: { c: string }, http: { source: api, request: GET /cookies, cookies: { c: '{{c}}' } } }
      picture: { http: { source: api, request: GET /image/png } }
      drip: { http: { source: api, request: 'GET /drip?duration=1&numbytes=5' } }
      cut: { http: { source: api, request: GET /range/50000, maxBytes: 1KiB } }
";

#[tokio::test]
async fn httpbin() {
    let Some(python) = installed("httpbin", "venv/bin/python") else { return };
    let mut command = Command::new(python);
    command.args(["-c", "from httpbin import app; app.run(host='127.0.0.1', port=0, threaded=True)"]);
    let running = Running::start(command, folder(&[]), "Running on http://127.0.0.1:").await;
    let client = Spec::new(HTTPBIN).env("HTTPBIN_URL", &running.url()).stdio(Era::Modern).await;
    let got = client.json("get", json!({ "a": ["x y", "ü&="] })).await;
    assert_eq!((&got["args"]["a"], &got["headers"]["X-Mine"]), (&json!(["x y", "ü&="]), &json!("yes")));
    assert_eq!(client.json("json", json!({ "n": 1.5, "s": "\"" })).await["json"], json!({ "n": 1.5, "s": "x \"" }));
    assert_eq!(client.json("form", json!({ "s": "a&b=c" })).await["form"], json!({ "s": "a&b=c" }));
    let parts = client.json("parts", json!({ "b": "AP8=" })).await;
    assert_eq!(
        (&parts["form"], &parts["files"]["f"]),
        (&json!({ "t": "text" }), &json!("data:application/octet-stream;base64,AP8="))
    );
    let bytes = client.json("bytes", json!({ "b": "AP8=" })).await;
    assert_eq!(bytes["data"], "data:application/octet-stream;base64,AP8=");
    assert!(client.fails("status", json!({ "code": 418 })).await.starts_with("GET /status/418 answered 418"));
    assert_eq!(client.call("status", json!({ "code": 204 })).await["isError"], false);
    assert!(client.json("redirect", json!({})).await["url"].as_str().unwrap().ends_with("/get"));
    assert!(client.fails("elsewhere", json!({})).await.contains("redirect"));
    assert_eq!(client.json("gzip", json!({})).await["gzipped"], true);
    assert_eq!(client.json("secret", json!({})).await["authenticated"], true);
    assert_eq!(client.json("cookies", json!({ "c": "v" })).await, json!({ "cookies": { "c": "v" } }));
    assert_eq!(client.call("picture", json!({})).await["content"][0]["mimeType"], "image/png");
    client.call("drip", json!({})).await;
    let cut = client.call("cut", json!({})).await.to_string();
    assert!(cut.contains("maxBytes"), "{cut}");
}

const JSON_SERVER: &str = "
    sources: { api: { http: '${JSON_SERVER_URL}' } }
    tools:
      list: { params: { title: { type: string, optional: true } }, http: { source: api, request: 'GET /posts{?title}' } }
      all: { http: { source: api, request: 'GET /posts?_page=1&_limit=2', paginate: { link: true } } }
      one: { params: { id: integer }, http: { source: api, request: 'GET /posts/{id}', errors: { 404: 'there is no post {{id}}' } } }
      add: { params: { title: string }, http: { source: api, request: POST /posts, json: { title: '{{title}}' } } }
      change: { params: { id: integer, title: string }, http: { source: api, request: 'PATCH /posts/{id}', json: { title: '{{title}}' } } }
      remove: { params: { id: integer }, http: { source: api, request: 'DELETE /posts/{id}' } }
";

#[tokio::test]
async fn json_server() {
    let Some(package) = installed("json-server", "node_modules/json-server") else { return };
    let posts: Vec<Value> = (1..=5).map(|id| json!({ "id": id, "title": format!("t{id}") })).collect();
    let files = folder(&[("db.json", &json!({ "posts": posts }).to_string())]);
    let script = format!(
        "const s = require({}); const a = s.create(); a.use(s.bodyParser); a.use(s.router('db.json')); \
         const l = a.listen(0, '127.0.0.1', () => console.log('port ' + l.address().port))",
        json!(package)
    );
    let mut command = Command::new("node");
    command.args(["-e", &script]);
    let running = Running::start(command, files, "port ").await;
    let client = Spec::new(JSON_SERVER).env("JSON_SERVER_URL", &running.url()).stdio(Era::Modern).await;
    let text = |result: &Value| result["content"][0]["text"].as_str().unwrap().to_owned();
    let read = |result: &Value| serde_json::from_str::<Value>(&text(result)).unwrap();
    assert_eq!(read(&client.call("list", json!({})).await).as_array().unwrap().len(), 5);
    assert_eq!(read(&client.call("list", json!({ "title": "t3" })).await)[0]["id"], 3);
    assert_eq!(client.json("add", json!({ "title": "new" })).await["id"], 6);
    let all = read(&client.call("all", json!({})).await);
    assert_eq!(all.as_array().unwrap().len(), 6, "{all}");
    assert_eq!(client.json("change", json!({ "id": 6, "title": "newer" })).await["title"], "newer");
    assert_eq!(client.json("one", json!({ "id": 6 })).await, json!({ "id": 6, "title": "newer" }));
    client.json("remove", json!({ "id": 6 })).await;
    assert_eq!(client.fails("one", json!({ "id": 6 })).await, "there is no post 6");
}
