//! What a call of an HTTP API costs. Run with `cargo bench --bench http`; it prints a table and fails where a goal is
//! missed.
//!
//! | goal | how |
//! |---|---|
//! | calls per second, at least 0.6 of a bare handler's | the same calls, over HTTP, to this server and to one written by hand with rmcp, whose only tool makes the same request with reqwest; several rounds of each, in turn, and the medians |
//! | 1,000 calls in flight end within 1.3 s | the upstream takes a second for each |
//! | … with less than 60 MiB | the server's greatest resident memory |

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

use std::future::Future;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use futures_util::future::join_all;
use rmcp::model::{CallToolRequestParams, CallToolResponse, CallToolResult, ServerCapabilities, ServerConfig};
use rmcp::service::RequestContext;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::{Value, json};
use tokio::net::TcpListener;

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(2);
const AT_ONCE: usize = 16;
const IN_FLIGHT: usize = 1000;

/// The server written by hand.
#[derive(Clone)]
struct Bare {
    client: reqwest::Client,
    url: String,
}

impl ServerHandler for Bare {
    fn get_info(&self) -> ServerConfig {
        let mut capabilities = ServerCapabilities::default();
        capabilities.tools = Some(Default::default());
        ServerConfig::new(capabilities)
    }

    async fn call_tool(
        &self,
        _: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let fault = |error: reqwest::Error| ErrorData::internal_error(error.to_string(), None);
        let response = self.client.get(&self.url).send().await.map_err(fault)?;
        let value: Value = response.error_for_status().map_err(fault)?.json().await.map_err(fault)?;
        Ok(CallToolResult::structured(value).into())
    }
}

/// Serves by hand until it is killed, and says where on stderr.
async fn serve_bare(url: String) {
    let bare = Bare { client: reqwest::Client::builder().no_proxy().build().unwrap(), url };
    let config = StreamableHttpServerConfig::default().with_json_response(true);
    let sessions = Arc::new(rmcp::transport::streamable_http_server::session::local::LocalSessionManager::default());
    let service = StreamableHttpService::new(move || Ok(bare.clone()), sessions, config);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let said = format!("at http://{}/mcp\n", listener.local_addr().unwrap());
    std::io::Write::write_all(&mut std::io::stderr(), said.as_bytes()).unwrap();
    axum::serve(listener, Router::new().route_service("/mcp", service)).await.unwrap();
}

/// A server of either kind, ended when dropped.
struct Server {
    child: Child,
    url: String,
    client: reqwest::Client,
}

impl Server {
    fn start(mut command: Command) -> Server {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let line = lines.by_ref().map(Result::unwrap).find(|line| line.contains("/mcp")).unwrap();
        // whatever else it says is read, so that it never waits for a reader
        std::thread::spawn(move || lines.for_each(drop));
        let url = line[line.rfind("http://").unwrap()..].trim().to_owned();
        Server { child, url, client: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    async fn call(&self, tool: &str) {
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": { "name": "bench", "version": "1" },
        });
        let params = json!({ "name": tool, "arguments": {}, "_meta": meta });
        let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
        let post = self.client.post(&self.url).header("accept", "application/json, text/event-stream");
        let post = post.header("mcp-protocol-version", "2026-07-28").header("mcp-method", "tools/call");
        let response = post.header("mcp-name", tool).json(&message).send().await.unwrap();
        let answer = response.text().await.unwrap();
        assert!(answer.contains("\"structuredContent\":{\"id\":7"), "{answer}");
    }

    /// Calls per second, as many at once as `AT_ONCE`.
    async fn rate(&self, tool: &str) -> f64 {
        let begin = Instant::now();
        let caller = async || {
            let mut calls = 0_u32;
            while begin.elapsed() < ROUND {
                self.call(tool).await;
                calls += 1;
            }
            calls
        };
        let calls: u32 = join_all((0..AT_ONCE).map(|_| caller())).await.into_iter().sum();
        f64::from(calls) / begin.elapsed().as_secs_f64()
    }

    /// The greatest resident memory so far, in MiB.
    fn peak(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The API: an answer at once, and one after a second.
async fn upstream() -> String {
    const BODY: &str = "{\"id\":7,\"title\":\"Dune\",\"author\":\"Frank Herbert\",\"pages\":412}";
    let answer = || ([("content-type", "application/json")], BODY);
    let slow = move || async move {
        tokio::time::sleep(Duration::from_secs(1)).await;
        answer()
    };
    let app = Router::new().route("/fast", get(move || async move { answer() })).route("/slow", get(slow));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

async fn timed(run: impl Future<Output = ()>) -> Duration {
    let begin = Instant::now();
    run.await;
    begin.elapsed()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

async fn compare() {
    let api = upstream().await;
    let folder = tempfile::tempdir().unwrap();
    let spec = folder.path().join("spec.yaml");
    let tools = "tools:\n  fast: { http: { source: api, request: GET /fast } }\n  slow: { http: { source: api, request: GET /slow } }\n";
    std::fs::write(&spec, format!("server: {{ name: bench }}\nsources: {{ api: {{ http: '{api}' }} }}\n{tools}"))
        .unwrap();
    let ours = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mcp-declare"));
        command.arg("serve").arg(&spec).args(["--http", "127.0.0.1:0"]);
        Server::start(command)
    };
    let bare = {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env("BENCH_BARE", format!("{api}/fast"));
        Server::start(command)
    };
    let server = ours();
    let (mut measured, mut of_bare) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        of_bare.push(bare.rate("fast").await);
        measured.push(server.rate("fast").await);
    }
    let (measured, of_bare) = (median(measured), median(of_bare));
    println!("{measured:.0} calls/s, by the bare handler {of_bare:.0} calls/s");
    drop((server, bare));

    let server = ours();
    server.call("fast").await;
    let took = timed(async {
        join_all((0..IN_FLIGHT).map(|_| server.call("slow"))).await;
    })
    .await;
    let rows = [
        ("part of a bare handler's calls per second", measured / of_bare, 0.6, false, ""),
        ("1,000 calls in flight, a second each", took.as_secs_f64(), 1.3, true, "s"),
        ("the most memory of it", server.peak(), 60.0, true, "MiB"),
    ];
    let mut missed = Vec::new();
    for (what, value, goal, at_most, unit) in rows {
        let met = if at_most { value <= goal } else { value >= goal };
        println!("{what:<46} {value:>8.2} {unit:<4} goal {goal:>6.2} {unit:<4} {}", if met { "met" } else { "MISSED" });
        if !met {
            missed.push(what);
        }
    }
    assert!(missed.is_empty(), "goals missed: {}", missed.join(", "));
}

#[tokio::main]
async fn main() {
    match std::env::var("BENCH_BARE") {
        Ok(url) => serve_bare(url).await,
        Err(_) => compare().await,
    }
}
