//! A GraphQL API: an HTTP source, and the schema that its documents are held against.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use apollo_compiler::Schema;
use apollo_compiler::validation::Valid;
use reqwest::header::{ACCEPT, CONTENT_TYPE, COOKIE, HeaderValue};
use reqwest::{Method, Request, Response};
use serde_json::{Value, json};
use tokio::time::Instant;
use url::Url;

use super::{answer, introspection, schema};
use crate::action::gate::{Bounds, Gate};
use crate::action::http::HttpSource;
use crate::action::http::exchange::Exchange;
use crate::action::http::field;
use crate::action::source::Mode;
use crate::outcome::ActionError;
use crate::spec::model;
use crate::spec::{Code, Diagnostic, Diagnostics, Files, Spanned, Text, load};

/// What an answer may be written as (GraphQL over HTTP, section 4).
const ACCEPTED: HeaderValue = HeaderValue::from_static("application/graphql-response+json, application/json;q=0.9");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// How long an API may take to tell its schema.
const TIME: Duration = Duration::from_secs(30);
/// How soon an API that can't be reached is tried again, and how seldom in the end.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(15));

/// An open GraphQL API.
pub struct GraphqlSource {
    http: Arc<HttpSource>,
    /// The URL, encoded, with the source's query.
    url: Url,
    schema: Option<Known>,
    /// Whether the API could not be asked for its schema.
    lost: AtomicBool,
}

/// A schema, and where it is from.
#[derive(Clone)]
struct Known {
    /// The text of its file; `None` if the API told it.
    text: Option<Arc<str>>,
    schema: Arc<Valid<Schema>>,
}

/// Why an API tells no schema.
enum Untold {
    /// It does not answer just now.
    Unreachable(String),
    /// It does, and will not tell.
    Refused(String),
}

impl GraphqlSource {
    /// Opens it and learns its schema, or takes both from `previous` where that is the same. `None` after mistakes,
    /// all of which are reported.
    pub async fn open(
        name: &Spanned<String>,
        written: &model::GraphqlSource,
        files: &mut Files,
        mode: Mode,
        previous: Option<&Arc<GraphqlSource>>,
        sink: &mut Diagnostics,
        inputs: &mut Vec<PathBuf>,
    ) -> Option<Arc<GraphqlSource>> {
        let http = HttpSource::open(name, &written.http(), files, previous.map(|p| &p.http), sink, inputs)?;
        let slash = written.url.get().is_some_and(|url| url.expose().ends_with('/'));
        let url = endpoint(&http, slash)?;
        let kept = previous.filter(|p| p.url == url).and_then(|p| p.schema.as_ref());
        if let Some(path) = &written.schema {
            let kept = kept.filter(|kept| kept.text.is_some());
            let schema = from_file(path, kept, files, sink, inputs).await?;
            return Some(Arc::new(GraphqlSource { http, url, schema: Some(schema), lost: AtomicBool::new(false) }));
        }
        let kept =
            kept.filter(|kept| kept.text.is_none()).filter(|_| previous.is_some_and(|p| Arc::ptr_eq(&p.http, &http)));
        let mut source = GraphqlSource { http, url, schema: kept.cloned(), lost: AtomicBool::new(false) };
        if source.schema.is_none() {
            source.learn(name, written, mode, sink).await?;
        }
        Some(Arc::new(source))
    }

    /// Asks the API for its schema. `None` where one can't go on without it, which is reported.
    async fn learn(
        &mut self,
        name: &Spanned<String>,
        written: &model::GraphqlSource,
        mode: Mode,
        sink: &mut Diagnostics,
    ) -> Option<()> {
        let at = written.url.get().map_or(name.span, |url| url.span);
        if mode == Mode::Offline {
            let words = format!("the API of `{}` is not asked for its schema (--offline)", name.value);
            sink.push(Diagnostic::note(Code::Graphql, at, words).label("what its documents ask is not checked"));
            return Some(());
        }
        let tolerant = mode == Mode::Serve && !written.required.as_ref().is_some_and(|required| required.value);
        match self.ask().await {
            Ok(schema) => {
                self.schema = Some(Known { text: None, schema });
                Some(())
            }
            Err(Untold::Unreachable(why)) => {
                self.lost.store(true, Ordering::SeqCst);
                let words = format!("source `{}`: {why}", name.value);
                let found = match tolerant {
                    true => Diagnostic::warning(Code::Unreachable, at, words)
                        .label("served without its schema for now: its documents are checked when it is back")
                        .help("`required: true` makes this an error"),
                    false => Diagnostic::error(Code::Unreachable, at, words),
                };
                sink.push(found);
                tolerant.then_some(())
            }
            Err(Untold::Refused(why)) => {
                let words = format!("source `{}`: the API tells no schema: {why}", name.value);
                let found = Diagnostic::error(Code::Graphql, at, words);
                sink.push(found.label("put the schema into a file: `schema: ./schema.graphql`"));
                None
            }
        }
    }

    async fn ask(&self) -> Result<Arc<Valid<Schema>>, Untold> {
        let deadline = Instant::now() + TIME;
        let gate = Gate::new(&Bounds::default(), "this request");
        let body = json!({ "query": introspection::QUERY, "operationName": "IntrospectionQuery" });
        let asking = async {
            let response = self.send(body.to_string(), &gate, true, deadline).await;
            let response = response.map_err(|error| Untold::Unreachable(error.message))?;
            let status = response.status();
            let read = answer::envelope(response, self, "introspection", schema::MAX_BYTES).await;
            let (_, told, _) = read.map_err(|error| match status.is_server_error() || status.as_u16() == 429 {
                true => Untold::Unreachable(error.message),
                false => Untold::Refused(error.message),
            })?;
            Ok(told)
        };
        let told = tokio::time::timeout_at(deadline, asking).await;
        let took_longer = || Untold::Unreachable(format!("introspection took longer than {} s", TIME.as_secs()));
        let told: Value = told.map_err(|_| took_longer())??;
        let data = told.get("data").filter(|data| !data.is_null());
        let Some(data) = data else {
            let words = told.pointer("/errors/0/message").and_then(Value::as_str).unwrap_or("it gives no data");
            let words: String = words.chars().filter(|c| !c.is_control()).take(200).collect();
            return Err(Untold::Refused(self.http.mask(words)));
        };
        let sdl = introspection::to_sdl(data).map_err(Untold::Refused)?;
        schema::read(sdl.into()).await.map_err(|faults| {
            let first = faults.into_iter().next().map_or_else(String::new, |fault| fault.message);
            Untold::Refused(format!("what it tells is not a sound one: {first}"))
        })
    }

    /// Posts a body; with `again` it may be sent more than once.
    ///
    /// # Errors
    /// If nothing answers, or a bound or redirect keeps it from that.
    pub async fn send(
        &self,
        body: String,
        gate: &Gate,
        again: bool,
        deadline: Instant,
    ) -> Result<Response, ActionError> {
        let mut request = Request::new(Method::POST, self.url.clone());
        *request.headers_mut() = self.headers();
        if let Some(mut cookies) = self.http.cookies().and_then(|text| HeaderValue::from_str(text.expose()).ok()) {
            cookies.set_sensitive(true);
            request.headers_mut().insert(COOKIE, cookies);
        }
        *request.body_mut() = Some(body.into());
        let exchange = Exchange { source: &self.http, gate, keep: None, again, deadline };
        exchange.send(request).await
    }

    /// The headers of every request but for cookies.
    pub fn headers(&self) -> reqwest::header::HeaderMap {
        let mut headers = self.http.headers().clone();
        headers.entry(ACCEPT).or_insert(ACCEPTED);
        headers.insert(CONTENT_TYPE, JSON);
        headers
    }

    /// The URL as it may be seen.
    pub fn shown(&self) -> String {
        let mut shown = self.http.base().prefix.written().to_owned();
        if self.url.path().len() > 1 && self.url.path().ends_with('/') {
            shown.push('/');
        }
        if let Some(query) = self.http.query() {
            field::append(&mut shown, query.written());
        }
        shown
    }

    /// What carries its requests.
    pub fn http(&self) -> &HttpSource {
        &self.http
    }

    /// Its schema, where that is known.
    pub fn schema(&self) -> Option<&Valid<Schema>> {
        self.schema.as_ref().map(|known| &*known.schema)
    }

    /// Waits until an API answers that could not be asked for its schema; for ever if it could.
    pub async fn recovered(&self) {
        let (mut pause, longest) = PAUSES;
        let gate = Gate::new(&Bounds::default(), "this request");
        while self.lost.load(Ordering::SeqCst) {
            tokio::time::sleep(pause).await;
            let deadline = Instant::now() + TIME;
            let body = json!({ "query": "{ __typename }" }).to_string();
            let sent = tokio::time::timeout_at(deadline, self.send(body, &gate, true, deadline)).await;
            if let Ok(Ok(response)) = sent
                && !response.status().is_server_error()
            {
                self.lost.store(false, Ordering::SeqCst);
                return;
            }
            pause = (pause * 2).min(longest);
        }
        std::future::pending().await
    }
}

/// The URL may hold a secret, and the schema is long.
impl fmt::Debug for GraphqlSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GraphqlSource").field("http", &self.http).finish_non_exhaustive()
    }
}

/// The URL that is posted to. A slash at its end stays: to many servers that is another place.
fn endpoint(http: &HttpSource, slash: bool) -> Option<Url> {
    let mut url = http.base().prefix.expose().to_owned();
    if slash {
        url.push('/');
    }
    if let Some(query) = http.query().map(Text::expose) {
        field::append(&mut url, query);
    }
    Url::parse(&url).ok()
}

/// Reads the schema in a file; mistakes are reported where they stand in it.
async fn from_file(
    path: &Spanned<String>,
    kept: Option<&Known>,
    files: &mut Files,
    sink: &mut Diagnostics,
    inputs: &mut Vec<PathBuf>,
) -> Option<Known> {
    let place = files.folder(path.span.file).join(&path.value);
    inputs.push(place.clone());
    let text = match load::read_text_up_to(&place, schema::MAX_BYTES as u64) {
        Ok(text) => text,
        Err(why) => {
            let words = format!("can't read `{}`", path.value);
            sink.push(Diagnostic::error(Code::MissingFile, path.span, words).label(why));
            return None;
        }
    };
    let file = files.add(path.value.as_str(), place, text.clone());
    if let Some(kept) = kept.filter(|kept| kept.text.as_deref() == Some(text.as_str())) {
        return Some(kept.clone());
    }
    let shared: Arc<str> = text.as_str().into();
    match schema::read(shared.clone()).await {
        Ok(schema) => Some(Known { text: Some(shared), schema }),
        Err(faults) => {
            let span = crate::spec::Span::new(file, 0..text.len());
            let text = Spanned::new(text, span);
            let found = faults.into_iter().map(|fault| Diagnostic::fault(Code::Graphql, &text, fault));
            found.for_each(|d| sink.push(d.related(path.span, "the schema is named here")));
            None
        }
    }
}
