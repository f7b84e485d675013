mod checks;
mod doors;
mod eras;
mod forms;
mod resume;
mod shutdown;

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use axum::{Router, routing::get};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{HttpConfig, HttpServer, Listen};
use crate::serve::echo::{Echo, call, initialize, listen, request, text_of};

/// Only a fault takes longer, on however busy a machine.
const SOON: Duration = Duration::from_secs(60);

/// A free port of this machine.
fn anywhere() -> Listen {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()
}

/// A server on a free port of this machine, and a client of it.
struct Site {
    url: String,
    client: reqwest::Client,
    server: JoinHandle<()>,
    closing: CancellationToken,
    echo: Echo,
}

impl Site {
    async fn new() -> Site {
        Site::with(HttpConfig::default()).await
    }

    async fn with(config: HttpConfig) -> Site {
        let server = HttpServer::bind(HttpConfig { listen: anywhere(), ..config }).await.unwrap();
        let url = server.url();
        let closing = CancellationToken::new();
        let echo = Echo::new(&closing);
        let extra = Router::new().route("/health", get(async || "well"));
        let make = echo.clone();
        let server = tokio::spawn(server.run(move || make.clone(), extra, closing.clone()));
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().unwrap();
        Site { url, client, server, closing, echo }
    }

    fn ask(&self, method: Method) -> RequestBuilder {
        self.client.request(method, &self.url)
    }

    /// A POST of `message` with the headers that the newest version wants.
    fn post(&self, message: &Value) -> RequestBuilder {
        let builder = self.ask(Method::POST).header("accept", "application/json, text/event-stream").json(message);
        if message["params"]["_meta"].is_null() {
            return builder;
        }
        let builder = builder
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", message["method"].as_str().unwrap());
        match message["params"]["name"].as_str() {
            Some(name) => builder.header("mcp-name", name),
            None => builder,
        }
    }

    /// A POST of a body as it is.
    fn raw(&self, body: impl Into<reqwest::Body>) -> RequestBuilder {
        self.ask(Method::POST).header("content-type", "application/json").body(body)
    }

    /// Begins a session and gives its id.
    async fn session(&self, version: &str) -> String {
        let response = self.post(&initialize(0, version)).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let session = response.headers()["mcp-session-id"].to_str().unwrap().to_owned();
        assert_eq!(message(response).await["result"]["protocolVersion"], version);
        let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        let response = self.post(&initialized).header("mcp-session-id", &session).send().await.unwrap();
        assert_eq!(response.status(), 202);
        session
    }

    async fn ends(self) {
        tokio::time::timeout(SOON, self.server).await.unwrap().unwrap();
    }
}

/// The messages of an answer, of either content type.
async fn messages(response: Response) -> Vec<Value> {
    let stream = response.headers()["content-type"].to_str().unwrap().starts_with("text/event-stream");
    let text = response.text().await.unwrap();
    if !stream {
        return vec![serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text:?}"))];
    }
    let data = text.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim);
    data.filter(|data| !data.is_empty()).map(|data| serde_json::from_str(data).unwrap()).collect()
}

async fn message(response: Response) -> Value {
    let messages = messages(response).await;
    assert_eq!(messages.len(), 1, "{messages:?}");
    messages.into_iter().next().unwrap()
}

/// The status, error code and id of a refusal.
async fn refused(builder: RequestBuilder) -> (u16, i64, Value) {
    let response = builder.send().await.unwrap();
    let status = response.status().as_u16();
    assert_eq!(response.headers()["content-type"], "application/json", "status {status}");
    let text = response.text().await.unwrap();
    let body: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status}: {text:?}"));
    assert_eq!(body["jsonrpc"], "2.0");
    (status, body["error"]["code"].as_i64().unwrap(), body["id"].clone())
}
