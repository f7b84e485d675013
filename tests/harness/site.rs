//! A server over HTTP.

use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};

use super::message::MODERN;
use super::{Client, Era, Process, initialize, soon};

/// A server over HTTP, and what talks to it without a client library.
pub struct Site {
    pub process: Process,
    /// The endpoint.
    pub url: String,
    web: reqwest::Client,
}

impl Site {
    /// Waits until the process says where it serves.
    pub async fn new(mut process: Process) -> Site {
        let said = process.says("/mcp\n").await;
        let url = said[said.rfind("http://").unwrap()..].lines().next().unwrap().to_owned();
        let web = reqwest::Client::builder().no_proxy().timeout(super::PATIENCE).build().unwrap();
        Site { process, url, web }
    }

    pub async fn client(&self, era: Era) -> Client {
        Client::over_http(&self.url, era).await
    }

    /// What `/health` says.
    pub async fn health(&self) -> Value {
        self.web.get(self.url.replace("/mcp", "/health")).send().await.unwrap().json().await.unwrap()
    }

    /// A POST of a message, with the headers that 2026-07-28 wants for its own.
    pub fn post(&self, message: &Value) -> RequestBuilder {
        let post = self.web.post(&self.url).header("accept", "application/json, text/event-stream").json(message);
        if message["params"]["_meta"].is_null() {
            return post;
        }
        let post =
            post.header("mcp-protocol-version", MODERN).header("mcp-method", message["method"].as_str().unwrap());
        match ["name", "uri", "taskId"].iter().find_map(|key| message["params"][key].as_str()) {
            Some(name) => post.header("mcp-name", name),
            None => post,
        }
    }

    /// The stream of events of a session.
    pub async fn stream(&self, session: &str) -> Response {
        let stream = self.web.get(&self.url).header("accept", "text/event-stream").header("mcp-session-id", session);
        stream.send().await.unwrap()
    }

    /// The answer to a message of 2026-07-28, and its HTTP status.
    pub async fn ask(&self, message: &Value) -> (u16, Value) {
        answer(self.post(message).send().await.unwrap()).await
    }

    /// Begins a session of this version and gives its id.
    pub async fn session(&self, version: &str) -> String {
        let response = self.post(&initialize(version)).send().await.unwrap();
        let session = response.headers()["mcp-session-id"].to_str().unwrap().to_owned();
        assert_eq!(answer(response).await.1["result"]["protocolVersion"], version);
        let initialized = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        assert_eq!(self.post(&initialized).header("mcp-session-id", &session).send().await.unwrap().status(), 202);
        session
    }
}

/// The status and the one message of an answer, whether it came as JSON or as an event stream.
pub async fn answer(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = soon("the body of an answer", response.text()).await.unwrap();
    let data = text.lines().filter_map(|line| line.strip_prefix("data:")).find(|data| !data.trim().is_empty());
    let message = data.unwrap_or(&text);
    (status, serde_json::from_str(message).unwrap_or_else(|_| panic!("{status}: {text:?}")))
}
