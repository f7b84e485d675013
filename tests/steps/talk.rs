//! A client on the bare wire that answers what it is asked, over either transport and in either era.

use reqwest::Response;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::harness::message::MODERN;
use crate::harness::{Era, Process, Site, Spec, request, soon};

/// One client and its server.
pub struct Talk {
    line: Line,
    pub era: Era,
    /// What the client says that it can do.
    capabilities: Value,
    /// The `_meta` of its calls, beside what 2026-07-28 wants.
    pub meta: Value,
    count: i64,
    told: UnboundedReceiver<Value>,
    tell: UnboundedSender<Value>,
}

enum Line {
    Stdio(Box<Process>),
    Http { site: Box<Site>, session: Option<String> },
}

/// What everybody can do.
pub fn able() -> Value {
    json!({ "elicitation": {}, "sampling": {}, "roots": {} })
}

/// An accepted form.
pub fn accept(content: Value) -> Option<Value> {
    Some(json!({ "action": "accept", "content": content }))
}

/// What the model says.
pub fn says(text: &str) -> Option<Value> {
    Some(json!({ "role": "assistant", "model": "m", "content": { "type": "text", "text": text } }))
}

impl Talk {
    /// A client over each transport and in each era, and what it can do.
    pub async fn everywhere(spec: &Spec, capabilities: Value, check: impl AsyncFn(Talk)) {
        for era in [Era::Legacy, Era::Modern] {
            eprintln!("stdio, {era:?}");
            check(Talk::stdio(spec, era, capabilities.clone()).await).await;
            eprintln!("HTTP, {era:?}");
            check(Talk::http(spec, era, capabilities.clone()).await).await;
        }
    }

    pub async fn stdio(spec: &Spec, era: Era, capabilities: Value) -> Talk {
        let process = Box::new(Process::serve(spec, &[]));
        Talk::begin(Line::Stdio(process), era, capabilities).await
    }

    pub async fn http(spec: &Spec, era: Era, capabilities: Value) -> Talk {
        let site = Box::new(spec.http().await);
        Talk::begin(Line::Http { site, session: None }, era, capabilities).await
    }

    async fn begin(line: Line, era: Era, capabilities: Value) -> Talk {
        let (tell, told) = unbounded_channel();
        let mut talk = Talk { line, era, capabilities, meta: json!({}), count: 0, told, tell };
        if era == Era::Legacy {
            talk.initialize().await;
        }
        talk
    }

    async fn initialize(&mut self) {
        let client = json!({ "name": "test", "version": "1" });
        let params =
            json!({ "protocolVersion": "2025-11-25", "capabilities": self.capabilities, "clientInfo": client });
        let first = request("first", "initialize", params);
        let initialized = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        match &mut self.line {
            Line::Stdio(process) => {
                process.ask(&first).await;
                process.send(&initialized).await;
            }
            Line::Http { site, session } => {
                let response = site.post(&first).send().await.unwrap();
                let id = response.headers()["mcp-session-id"].to_str().unwrap().to_owned();
                let accepted = site.post(&initialized).header("mcp-session-id", &id).send().await.unwrap();
                assert_eq!(accepted.status(), 202);
                let stream = site.stream(&id).await;
                tokio::spawn(listen(stream, self.tell.clone()));
                *session = Some(id);
            }
        }
    }

    /// The next notification.
    pub async fn hears(&mut self) -> Value {
        soon("a notification", self.told.recv()).await.unwrap()
    }

    /// Whether a notification is there that nobody has heard yet.
    pub fn hears_more(&mut self) -> Option<Value> {
        self.told.try_recv().ok()
    }

    /// A request with the metadata of the era, sent and answered as it is; what the server asks gets an error.
    pub async fn once(&mut self, method: &str, params: Value) -> Value {
        self.exchange(method, params, &mut |_, _| None).await
    }

    /// Calls a tool and answers what it asks, through as many rounds as it takes. Gives the last answer.
    pub async fn call(
        &mut self,
        tool: &str,
        arguments: Value,
        answers: &mut dyn FnMut(&str, &Value) -> Option<Value>,
    ) -> Value {
        self.converse("tools/call", json!({ "name": tool, "arguments": arguments }), answers).await
    }

    pub async fn converse(
        &mut self,
        method: &str,
        params: Value,
        answers: &mut dyn FnMut(&str, &Value) -> Option<Value>,
    ) -> Value {
        let mut round = params.clone();
        for _ in 0..10 {
            let answer = self.exchange(method, round, answers).await;
            if answer["result"]["resultType"] != "input_required" {
                return answer;
            }
            assert_eq!(self.era, Era::Modern, "{answer}");
            round = retry(&params, &answer, answers);
        }
        panic!("asked too often");
    }

    async fn exchange(
        &mut self,
        method: &str,
        mut params: Value,
        answers: &mut dyn FnMut(&str, &Value) -> Option<Value>,
    ) -> Value {
        self.count += 1;
        let mut meta = self.meta.clone();
        if self.era == Era::Modern {
            meta["io.modelcontextprotocol/protocolVersion"] = json!(MODERN);
            meta["io.modelcontextprotocol/clientCapabilities"] = self.capabilities.clone();
        }
        if meta != json!({}) {
            params["_meta"] = meta;
        }
        let message = request(self.count, method, params);
        match &mut self.line {
            Line::Stdio(process) => {
                process.send(&message).await;
                loop {
                    let next = process.next().await.expect("a message");
                    match sort(&next, &message, answers) {
                        Sorted::Answer => return next,
                        Sorted::Told => self.tell.send(next).unwrap(),
                        Sorted::Asked(reply) => process.send(&reply).await,
                    }
                }
            }
            Line::Http { site, session } => {
                let post = match session {
                    // `Site::post` takes any `_meta` for one of 2026-07-28.
                    Some(session) => {
                        let accepted = "application/json, text/event-stream";
                        let post = reqwest::Client::new().post(&site.url).header("accept", accepted);
                        post.header("mcp-session-id", &*session).json(&message)
                    }
                    None => site.post(&message),
                };
                let mut events = Events::of(post.send().await.unwrap()).await;
                loop {
                    let next = events.next().await.expect("a message");
                    match sort(&next, &message, answers) {
                        Sorted::Answer => return next,
                        Sorted::Told => self.tell.send(next).unwrap(),
                        Sorted::Asked(reply) => {
                            let post = site.post(&reply).header("mcp-session-id", session.as_deref().unwrap());
                            assert_eq!(post.send().await.unwrap().status(), 202);
                        }
                    }
                }
            }
        }
    }

    /// The server's process over stdio.
    pub fn process(&mut self) -> &mut Process {
        match &mut self.line {
            Line::Stdio(process) => process,
            Line::Http { site, .. } => &mut site.process,
        }
    }
}

enum Sorted {
    Answer,
    Told,
    Asked(Value),
}

fn sort(next: &Value, asked: &Value, answers: &mut dyn FnMut(&str, &Value) -> Option<Value>) -> Sorted {
    match (next["method"].as_str(), next.get("id")) {
        (Some(method), Some(id)) => Sorted::Asked(match answers(method, &next["params"]) {
            Some(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
            None => json!({ "jsonrpc": "2.0", "id": id, "error": { "code": -1, "message": "no, thanks" } }),
        }),
        (Some(_), None) => Sorted::Told,
        (None, id) => {
            assert_eq!(id, asked.get("id"), "{next}");
            Sorted::Answer
        }
    }
}

/// The request again, with what it was asked for.
pub fn retry(params: &Value, answer: &Value, answers: &mut dyn FnMut(&str, &Value) -> Option<Value>) -> Value {
    let mut again = params.clone();
    again["inputResponses"] = json!({});
    for (key, question) in answer["result"]["inputRequests"].as_object().unwrap() {
        if let Some(reply) = answers(question["method"].as_str().unwrap(), &question["params"]) {
            again["inputResponses"][key] = reply;
        }
    }
    again["requestState"] = answer["result"]["requestState"].clone();
    again
}

/// The messages of an answer, whether it came as JSON or as an event stream.
struct Events {
    response: Response,
    text: String,
    json: bool,
}

impl Events {
    async fn of(response: Response) -> Events {
        let json = response.headers()["content-type"].to_str().unwrap().starts_with("application/json");
        Events { response, text: String::new(), json }
    }

    async fn next(&mut self) -> Option<Value> {
        loop {
            if !self.json
                && let Some((line, rest)) = self.text.split_once('\n')
            {
                let message = line.strip_prefix("data:").and_then(|data| serde_json::from_str(data).ok());
                self.text = rest.to_owned();
                if message.is_some() {
                    return message;
                }
                continue;
            }
            match soon("a part of an answer", self.response.chunk()).await.ok().flatten() {
                Some(chunk) => self.text.push_str(std::str::from_utf8(&chunk).unwrap()),
                None => return serde_json::from_str(&std::mem::take(&mut self.text)).ok(),
            }
        }
    }
}

async fn listen(response: Response, tell: UnboundedSender<Value>) {
    let mut events = Events { response, text: String::new(), json: false };
    loop {
        let chunk = events.response.chunk().await.ok().flatten();
        let Some(chunk) = chunk else { return };
        events.text.push_str(std::str::from_utf8(&chunk).unwrap());
        while let Some((line, rest)) = events.text.split_once('\n') {
            let message = line.strip_prefix("data:").and_then(|data| serde_json::from_str::<Value>(data).ok());
            events.text = rest.to_owned();
            if let Some(message) = message
                && tell.send(message).is_err()
            {
                return;
            }
        }
    }
}
