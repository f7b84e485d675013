//! Real requests to a server of our own, and specs that have to be refused.

mod answers;
mod binding;
mod failures;
mod loading;
mod redirects;
mod sources;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, Method, Uri};
use serde_json::{Value, json};

use super::{Http, HttpSource};
use crate::action::source::{Mode, Sources};
use crate::action::{Builder, Call, Limits, Param, Scope, Trust};
use crate::outcome::{ActionError, Outcome};
use crate::spec::load::{Input, Loaded, load};
use crate::spec::model::{Action, Source};
use crate::spec::{Environment, Kind, Spanned};
use crate::template::Partials;

/// What the tests' environment holds.
const TOKEN: &str = "s3cret-t0ken";

/// A spec with one tool, `t`, as it is compiled; or its mistakes as `line:column: words | label`.
struct Compiled {
    http: Option<Http>,
    mistakes: Vec<String>,
}

/// Compiles `action`, the block under `http:` of a tool with the params `a`, `b`, `list` and `pin` (a secret one), with
/// `sources` before it.
async fn compile(sources: &str, action: &str) -> Compiled {
    let text = format!(
        "server: {{ name: t }}\n{sources}\ntools:\n  t:\n    params:\n      a: string\n      b: string\n      list: array\n      \
         pin: {{ type: string, secret: true }}\n    http:\n{action}\n"
    );
    let base = [("TOKEN", TOKEN), ("SPLIT", "a\r\nx: y")].map(|(k, v)| (k.to_owned(), v.to_owned()));
    let Loaded { mut files, document, mut diagnostics, .. } = load(&Input::Text(text), &base.into_iter().collect());
    let document = document.unwrap();
    let (sink, inputs) = (&mut diagnostics, &mut Vec::new());
    let trust = crate::action::Trust::Owner;
    let mut ground =
        crate::action::source::Ground { files: &mut files, mode: Mode::Serve, trust, sandbox: None, sink, inputs };
    let open = Sources::open(&document.sources, &mut ground, None).await;
    let partials = Partials::default();
    let limits = Limits::default().or(document.defaults.as_ref());
    let mut tools = Default::default();
    let mut builder = Builder {
        files: &mut files,
        sources: &open,
        partials: &partials,
        tools: &mut tools,
        known: &Default::default(),
        limits,
        sandbox: None,
        trust: Trust::Owner,
        sink,
        inputs,
    };
    let (_, tool) = document.tools.iter().next().unwrap();
    let params: Vec<Param> = tool.params.iter().map(|(name, node)| param(name, &node.kind)).collect();
    let scope = Scope { owner: "tool `t`", params: &params, remedy: "add it" };
    let http = match &tool.action {
        Some(Action::Http(http)) => Http::compile(http, &scope, &mut builder),
        _ => None,
    };
    let mistakes = diagnostics.sorted(&files).into_iter().map(|d| {
        let found = crate::spec::render::json(d, &files);
        let text = |key: &str| found[key].as_str().unwrap_or("").to_owned();
        format!("{}:{}: {} | {}", found["line"], found["column"], text("message"), text("label"))
    });
    Compiled { http, mistakes: mistakes.collect() }
}

fn param(name: &Spanned<String>, kind: &Kind) -> Param {
    Param { name: name.clone(), schema: Arc::new(json!({})), optional: true, secret: matches!(kind, Kind::Map(_)) }
}

/// The action, which has to be sound.
async fn sound(sources: &str, action: &str) -> Http {
    let compiled = compile(sources, action).await;
    assert_eq!(compiled.mistakes, [""; 0]);
    compiled.http.unwrap()
}

/// One line of an action's block, as `compile` takes it, on a source `s` at `url`.
async fn on(url: &str, request: &str) -> Http {
    sound(&format!("sources: {{ s: {{ http: \"{url}\" }} }}"), &format!("      source: s\n      request: {request}"))
        .await
}

impl Http {
    async fn call(&self, arguments: Value) -> Result<Outcome, ActionError> {
        let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
        self.run(&arguments, &Call::default()).await
    }

    async fn message(&self, arguments: Value) -> String {
        self.call(arguments).await.unwrap_err().message
    }

    fn shown(&self, arguments: Value) -> Result<String, ActionError> {
        let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
        self.explain(&arguments)
    }
}

/// A request as the server saw it.
#[derive(Debug, Clone)]
struct Seen {
    method: Method,
    target: String,
    headers: HeaderMap,
    body: String,
}

impl Seen {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|v| v.to_str().unwrap())
    }
}

/// A server that remembers what it was asked.
struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// Answers a request.
type Answer = fn(&Seen) -> Response;

impl Server {
    async fn start(answer: Answer) -> Server {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let app = Router::new().fallback(handle).with_state((answer, seen.clone()));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Server { address, seen }
    }

    /// One that says yes to everything.
    async fn ok() -> Server {
        Server::start(|_| json_answer("{\"ok\":true}")).await
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// All requests so far.
    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The one request so far.
    fn only(&self) -> Seen {
        let seen = self.seen();
        assert_eq!(seen.len(), 1, "{seen:#?}");
        seen[0].clone()
    }
}

type Shared = (Answer, Arc<Mutex<Vec<Seen>>>);

async fn handle(
    State((answer, all)): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let body = String::from_utf8_lossy(&body).into_owned();
    let seen = Seen { method, target: uri.to_string(), headers, body };
    all.lock().unwrap().push(seen.clone());
    if seen.target.starts_with("/slow") {
        tokio::time::sleep(Duration::from_secs(20)).await;
    }
    answer(&seen)
}

fn answer(status: u16, media: &str, body: impl Into<Body>) -> Response {
    Response::builder().status(status).header("content-type", media).body(body.into()).unwrap()
}

fn json_answer(body: &'static str) -> Response {
    answer(200, "application/json", body)
}

fn redirect(status: u16, to: &str) -> Response {
    Response::builder().status(status).header("location", to).body(Body::empty()).unwrap()
}
